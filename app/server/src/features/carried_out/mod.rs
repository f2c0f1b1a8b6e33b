//! Carried-out data (持出し台帳): whatever leaves has an entry: who, what, how many persons, why,
//! on what, where to, until when.
//!
//! Shape: an entry is a row in `carried_out`; what it says is in `carried_out_versions`, of which the
//! newest counts; files handed over, returns and disposals, a withdrawal are rows too.
//! [`door`] is the way out for every slice that makes a file: the slice says what the file is, how
//! many persons are in it and gives the bytes; the door asks for the rest, locks the file, writes the
//! entry and hands it over. [`register`] is the same for the console, [`keep_disk`] for a backup.
//! A file with the data of many persons leaves after a second person agreed ([`asking`]).
//! Invariant: no file leaves without its entry (tests/access asks every route); the register names
//! no resident, so whoever sees nobody may read it; the passphrase is kept nowhere.
//! Scope: one's own entries; with [`Permission::CarriedOutView`] those of one's centre, or all of
//! them for the city.
//! Errors: staff meet 422 with the form, 409 when somebody else was faster, 404 outside their reach.
//! Not here: single prints for the work at hand, which leave an entry in the access log only.
//! Source: 個人情報取扱特記事項 第9条, 第12条; docs/decisions/0020-what-leaves-goes-through-one-door.md.

mod asking;
#[cfg(test)]
mod asking_tests;
mod disks;
pub mod door;
mod endings;
mod export;
mod form;
mod list;
pub mod model;
mod pages;
mod records;
mod registering;
mod store;
#[cfg(test)]
mod tests;
mod view;
mod withdrawals;

pub use asking::EXPORTS;
pub use disks::{Disk, Kept, Out, disk_out, disk_returned, keep_disk};
pub use form::FieldProblem;
pub use registering::{Console, overdue, register};

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::{CarriedOutRecord as Record, CarriedOutView as View};
    Routes::new("持出し台帳")
        .get("/carried-out", Record, list::page)
        .get("/carried-out/new", Record, pages::new)
        .post("/carried-out", Record, pages::create)
        .get("/carried-out/export", View, export::ask)
        .post("/carried-out/export", View, export::give)
        .get("/carried-out/register.pdf", View, export::print)
        .get("/carried-out/{id}", Record, records::show)
        .get("/carried-out/{id}/edit", Record, pages::edit)
        .post("/carried-out/{id}/versions", Record, pages::correct)
        .get("/carried-out/{id}/ending", Record, endings::form)
        .post("/carried-out/{id}/ending", Record, endings::create)
        .get("/carried-out/{id}/withdrawal", Record, withdrawals::form)
        .post("/carried-out/{id}/withdrawal", Record, withdrawals::create)
}
