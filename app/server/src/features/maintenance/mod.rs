//! Maintenance (保守作業): the city opens a door for one person of the vendor, for hours and a
//! purpose; everything typed behind it can be read here, and either side shuts it.
//!
//! Shape: `maintenance_grants` is the open door, `maintenance_endings` its early end,
//! `maintenance_requests` what was asked for behind it (written by `web::window` before it is
//! done). A longer window is a new grant.
//! Invariant: the vendor's role shows nobody and does nothing outside a window.
//! Limits: a window is at most `ServerSettings::maintenance_hours_max` hours long and starts at
//! most [`model::AHEAD_DAYS`] days ahead.
//! Errors: staff meet 422 with the form, 409 when somebody else ended it first.
//! Not here: the vendor's account (`features/staff`), refusing and recording (`web::window`).
//! Source: docs/decisions/0021-vendor-windows.md.

mod comparing;
mod export;
mod form;
mod model;
mod own;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use model::{GrantId, NewGrant};
pub use store::grant;

use crate::web::{Permission, Routes};

/// Windows, their protocol, and the vendor's own page.
pub fn routes() -> Routes {
    let (see, open, work) = (
        Permission::MaintenanceView,
        Permission::MaintenanceGrant,
        Permission::MaintenanceWork,
    );
    Routes::new("保守作業")
        .get("/maintenance", see, pages::list)
        .post("/maintenance", open, pages::create)
        .get("/maintenance/new", open, pages::new)
        .get("/maintenance/own", work, own::show)
        .post("/maintenance/own/ending", work, own::end)
        .get("/maintenance/{id}", see, pages::show)
        .post("/maintenance/{id}/ending", open, pages::end)
        .get("/maintenance/{id}/export", see, export::ask)
        .post("/maintenance/{id}/export", see, export::give)
}
