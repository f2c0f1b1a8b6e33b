//! Changes: what the last imports changed about a centre's people, and where the register now
//! contradicts what staff typed.
//!
//! Shape: a change waits until somebody confirms it (`resident_change_confirmations`), a conflict
//! until somebody decides it (`import_conflict_decisions`); deciding for the register ends the
//! correction. What an undone import had said waits for nobody.
//! Invariant: the first decision counts; whoever comes second is shown it (409).
//! Errors: staff meet 404 outside their scope, 409 when somebody was faster.
//! Not here: finding the changes (`features/imports`), typing corrections (`features/residents`).

mod model;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use model::{ChangeId, ConflictId};

use crate::web::{Permission, Routes};

/// The list, confirmations, decisions.
pub fn routes() -> Routes {
    Routes::new("異動と食い違い")
        .get("/changes", Permission::ResidentCorrect, pages::list)
        .post(
            "/changes/confirmations",
            Permission::ResidentCorrect,
            pages::confirm_all,
        )
        .post(
            "/changes/{id}/confirmation",
            Permission::ResidentCorrect,
            pages::confirm_one,
        )
        .post(
            "/conflicts/{id}/decision",
            Permission::ResidentCorrect,
            pages::decide,
        )
}
