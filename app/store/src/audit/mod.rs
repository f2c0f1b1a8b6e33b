//! The access log: who did or looked at what, when, from where, chained so that it cannot be bent.
//!
//! Shape: one row per act. Each row's hash covers its own fields and the hash before it; the number
//! of rows and the last hash stand in `audit_head`, signed (Ed25519) with a key outside the
//! database, and go to the checkpoint file beside it. Changing, removing, swapping rows breaks the
//! chain; cutting the tail contradicts the head; forging the head needs the key; rolling the whole
//! file back contradicts the checkpoints.
//! Invariant: an entry is written in the transaction of the act it records, and holds no content.

mod chain;
mod event;
mod seal;
mod verify;

pub(crate) use chain::Chain;
pub use chain::EntryRow;
pub use event::{Audited, Event, Operation, Outcome, RecordKind};
pub use seal::Checkpoint;
pub(crate) use seal::create_key;
pub use verify::{Finding, Verdict, verify};
