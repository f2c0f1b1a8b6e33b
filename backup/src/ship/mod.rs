//! Every committed transaction on a second disk within milliseconds, and the way back to any of them.
//!
//! Shape: [`Shipper`] reads SQLite's write-ahead log as a file and adds each transaction to a log of its own
//! on the second disk; [`Service`] runs it as a process that is woken by the kernel and asked over a
//! socket ([`base::shipping`]). [`plan_rebuild`] and [`rebuild`] bring a database file back: a *generation*
//! is a base (the database file) and every transaction since, in segments of hashed records.
//! Invariant: what the second disk gives back is, byte for byte, a state that was committed. A place in the
//! log that is not proven by its hash ends what is given back, and is named.
//! Errors: [`ShipError`]; what happens to the disks while it runs is a state, told by [`Shipper::answer`].
//! Not here: the order of commit, shipping and answer to staff (`store`), which is when checkpoints run;
//! arguments (`cli`). This crate never opens a database with SQLite, and must never be used for this in a
//! process that does: closing its files would drop SQLite's locks.
//! Source: docs/decisions/0032-commit-shipping.md.

mod copying;
mod disk;
mod error;
mod format;
mod prune;
mod reading;
mod rebuild;
mod service;
mod shelf;
mod shipper;
mod standing;
mod wal;
mod writing;

pub use disk::{DatabaseId, Enrolment, NAME as DISK_FILE, Place, enrol, look as look_at_place};
pub use error::ShipError;
pub use prune::{Aged, PrunePlan, perform as prune, plan as plan_prune};
pub use reading::Damage;
pub use rebuild::{Plan as RebuildPlan, Rebuilt, Target, perform as rebuild, plan as plan_rebuild};
pub use service::{Service, Stopper};
pub use shelf::GONE as SHELF_GONE;
pub use shipper::{ShipSettings, Shipper, Turn};
pub use standing::{Pending, Standing, standing};

#[cfg(test)]
mod tests;
