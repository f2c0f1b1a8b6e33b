//! Area changes: areas are given to another centre from a day on, planned and shown before.
//!
//! Shape: `area_changes` with `area_change_areas` is the plan, `area_change_withdrawals` takes it back
//! before its day, `area_change_applications` says what it moved. On the day ([`apply_due`]) the areas
//! get a new dated entry, everybody in them the new centre and a row in `centre_transfers`: one
//! transaction. The next import derives the same centres from the same entries.
//! Invariant: an area is in at most one plan that waits. Counts leave out who is under 支援措置, before
//! and after, so that the difference to a list of people tells nobody where she lives.
//! Limits: [`form::PLAN_YEARS`] ahead.
//! Errors: staff meet 422 with the form, 409 when the day has come or somebody was faster.
//! Source: domain.md §6.10 (User/role/master: centre, district).

mod form;
mod model;
mod moving;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use moving::apply_due;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::{AreaAdminister as Change, MasterView as See};
    Routes::new("受持ち区域の変更")
        .get("/area-changes", See, pages::list)
        .post("/area-changes", Change, pages::create)
        .get("/area-changes/new", Change, pages::new)
        .get("/area-changes/{id}", See, pages::show)
        .post("/area-changes/{id}/withdrawal", Change, pages::withdraw)
}
