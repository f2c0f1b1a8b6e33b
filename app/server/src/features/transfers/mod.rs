//! Transfers: a person goes from one centre to another, and with her what is known about her.
//!
//! Shape: `centre_transfers` is written by whatever moves people ([`record_import`],
//! [`move_people`]), `transfer_notes` holds what the former centre hands over in words (the newest
//! counts), `transfer_receipts` that the new one has read it, `transfer_endings` that the move was
//! taken back. The former centre reads on until `readable_until` (store's `reach`) and writes nothing
//! but the note.
//! Invariant: a row is written in the transaction that changes `residents.centre_id`.
//! Limits: how long the former centre reads and when a receipt is overdue are dated entries of the
//! list `transfer_rule`, unconfirmed.
//! Errors: staff meet 404 outside their scope, 403 for what the other centre does, 409 when somebody
//! was faster or the person moved on.
//! Not here: areas that change (`area_changes`), people shared beyond a centre (`case_grants`).
//! Source: domain.md §6.10 (transferred clients remain readable for N months).

mod drafts;
mod list;
mod model;
mod notes;
mod pages;
mod recording;
mod sheet;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use list::waiting;
pub use recording::{Stamp, move_people, record_import, take_back};

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::TransferHandle as Handle;
    Routes::new("引継ぎ")
        .get("/transfers", Handle, list::page)
        .get("/transfers/{id}", Handle, pages::show)
        .get("/transfers/{id}/sheet.pdf", Handle, sheet::print)
        .post("/transfers/{id}/notes", Handle, notes::create)
        .post("/transfers/{id}/draft", Handle, drafts::keep)
        .post("/transfers/{id}/receipt", Handle, pages::receive)
}
