//! My day: what waits for whoever has just signed in.
//!
//! Shape: one page that reads what the other slices wrote, through the scoped views: next actions
//! by their due day, open consultations, drafts, changes to confirm, conflicts to decide.
//! Invariant: shows nothing that its reader could not open; changes nothing.
//! Not here: the records themselves (`consultations`, `changes`).

mod model;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    Routes::new("今日の予定").get("/", Permission::SignedIn, pages::show)
}
