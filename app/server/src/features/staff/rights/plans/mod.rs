//! 年度切替: posts, endings, rights and exceptions of one day, entered one after another, shown as a
//! difference and confirmed as a whole.
//!
//! Shape: [`model::Plan`] with its lines; confirming is a [`super::model::Change::Plan`] and writes
//! dated rows, so nothing has to run at midnight. Which rows it wrote stands in `right_plan_effects`.
//! Invariant: after it was confirmed a list does not change; taken back it is as a whole, before its
//! day, and only while nobody else changed what it wrote.
//! Limits: [`ITEMS_MAX`] lines.

mod acts;
mod model;
mod pages;
mod store;
mod view;

pub(super) use acts::{
    Place, apply, concerns_administrators, is_confirmed_by, move_to, stand, summary,
};

use crate::web::{Permission, Routes};

/// Most lines of a list. The city has some thirty accounts.
pub const ITEMS_MAX: usize = 200;

pub(super) fn routes() -> Routes {
    let (see, change) = (Permission::StaffView, Permission::StaffAdminister);
    Routes::new("年度切替")
        .get("/rights/plans", see, pages::list)
        .post("/rights/plans", change, pages::create)
        .get("/rights/plans/{id}", see, pages::show)
        .post("/rights/plans/{id}/lines", change, pages::add)
        .post(
            "/rights/plans/{id}/lines/{line}/removal",
            change,
            pages::remove,
        )
        .post("/rights/plans/{id}/confirmation", change, pages::confirm)
        .post("/rights/plans/{id}/withdrawal", change, pages::withdraw)
}
