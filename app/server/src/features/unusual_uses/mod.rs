//! Unusual use (いつもと違う利用): what a manager looks into, day by day, out of the access log.
//!
//! Shape: a finding is computed from the entries of one day and stored nowhere; what is stored is
//! that somebody looked into it (`unusual_use_reviews`: rows are added). More of the same after that
//! opens it again. Thresholds are dated data (`data/unusual_uses.toml`).
//! Invariant: a manager sees the use by her own centre's staff, the city everybody's; the system
//! administrator sees how many findings there are and no more. Persons appear through the viewer's
//! eyes. Nobody closes a finding about herself. A look at a shielded person is always a finding, on
//! the same day.
//! Limits: [`model::ROWS_MAX`] entries of one day; [`model::SHOWN_MAX`] entries of one finding.
//! Not here: the log itself and its search (`features/access_log`).

mod judge;
mod model;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    let see = Permission::UnusualUseView;
    Routes::new("いつもと違う利用")
        .get("/unusual-uses", see, pages::list)
        .get("/unusual-uses/{day}/{kind}/{staff}", see, pages::show)
        .post(
            "/unusual-uses/{day}/{kind}/{staff}/reviews",
            see,
            pages::review,
        )
}
