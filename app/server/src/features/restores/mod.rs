//! Restores (復元): what must hold after an older state came back, and which history goes on.
//!
//! Shape: [`gather`] reads the former state, [`apply`] writes into the one that came back: all sessions
//! end; each [`Kind`] compares both by what a record is called, never by its number alone, and adds the
//! rows that protect somebody and are missing. `restores` says that it happened, `restore_items` what
//! was applied and what is left to people, and stands above the pages of administrators until one has
//! looked through it.
//! Invariant: only what shuts something out is applied again, never what opens it; every row has its
//! entry in the access log. Run again, nothing is written twice.
//! Errors: the former state may be unreadable: then nothing is applied and everything is left to people.
//! Not here: files, directories, repositories (`hokatsu restore`).
//! Source: docs/decisions/0033-restore-in-place.md.

mod applying;
mod kinds;
mod lineage;
mod pages;
#[cfg(test)]
mod tests;

pub use applying::{Applied, Count, Later, Told, apply, gather, take_over};
pub use kinds::{KINDS, Kind};
pub use lineage::{Beginning, draw_token, lineages};

use crate::web::{Permission, Routes};

/// What came back, and taking note of it.
pub fn routes() -> Routes {
    let see = Permission::StaffAdminister;
    Routes::new("復元の記録")
        .get("/restores", see, pages::list)
        .post("/restores/{id}/acknowledgement", see, pages::acknowledge)
}
