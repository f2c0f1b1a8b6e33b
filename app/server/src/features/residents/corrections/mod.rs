//! Corrections: what staff type on purpose where the register is wrong about a person.
//!
//! Shape: `resident_corrections` holds value, reason and what the register said at that moment;
//! `resident_correction_endings` says from when on the register counts again. A new correction of
//! a field ends the one before it, so at most one holds; all stay readable. Search keys are
//! renewed in the same transaction.
//! Invariant: a form names the state it was opened on; a state that changed since is 409 with both
//! values, the same form sent twice is one correction.
//! Errors: staff meet 422 with the form, 409, 404 outside their scope (the try is written down).
//!
//! Offered are kana, telephone and address. `centre` is not, although the table knows it: whom a
//! centre sees follows `residents.centre_id`, which the import derives from the area, and a
//! correction moves nobody. Changing the words alone would pretend what is not so.
//! Not here: conflicts of an import with a correction (`features/changes`).
//! Source: domain.md §2.0, §6.9.

mod form;
mod former;
mod model;
mod pages;
mod store;
mod view;

pub use former::FormerPerson;
pub(super) use pages::form_after_reason;

use crate::web::{Permission, Routes};

/// Typing a correction and ending one.
pub(super) fn routes() -> Routes {
    Routes::new("住民情報の訂正")
        .get(
            "/residents/{id}/corrections/new",
            Permission::ResidentCorrect,
            pages::new,
        )
        .post(
            "/residents/{id}/corrections",
            Permission::ResidentCorrect,
            pages::create,
        )
        .post(
            "/residents/{id}/corrections/{correction}/ending",
            Permission::ResidentCorrect,
            pages::end,
        )
}
