//! Accounts: an administrator registers staff, moves them, lets them go, and gives out passwords.
//!
//! Shape: a person has posts (role, centre, from day to day) that never overlap; which one holds
//! today decides role and scope, asked anew with every request. Pages and the command `users` call
//! the same functions of [`acts`].
//! Invariant: each act leaves one entry in the access log with the old and the new value; so does
//! a try that is refused because it concerns the administrator's own account or the last who may
//! administer. On every day from today on somebody may administer staff (`rights`). A system
//! administrator's post waits for a second person (`approvals`), except at the console.
//! Limits: a post starts at most [`form::START_YEARS`] years back (late entry) or ahead (planned);
//! its last day is at most [`form::END_YEARS`] years ahead. Entering late changes nothing that the
//! access log says about the days between.
//! Errors: staff meet 422 with the form, 409 with what the other administrator did, 403 for the
//! own account.
//! Not here: names are not corrected yet (tables record events, and a name has no row of its own).
//! Source: docs/decisions/0013-posts-are-rows.md; 特記事項 第11条(4).

mod access;
pub mod acts;
mod endings;
mod factors;
pub mod form;
mod list;
pub mod model;
mod pages;
mod posts;
pub mod report;
mod rules;
pub(super) mod store;
#[cfg(test)]
mod tests;
pub mod view;

pub use store::{Line, centres, find, list_all};

use crate::web::{Permission, Routes};

/// Pages and acts of staff administration.
pub(super) fn routes() -> Routes {
    let (see, change) = (Permission::StaffView, Permission::StaffAdminister);
    Routes::new("職員")
        .get("/staff", see, list::page)
        .post("/staff", change, pages::create)
        .get("/staff/new", change, pages::new)
        .get("/staff/report", see, report::page)
        .get("/staff/report/export", see, report::ask)
        .post("/staff/report/export", see, report::give)
        .get("/staff/report.pdf", see, report::pdf)
        .get("/staff/sign-in-rules", see, rules::page)
        .get("/staff/{id}", see, pages::show)
        .get("/staff/{id}/posts/new", change, posts::new)
        .post("/staff/{id}/posts", change, posts::create)
        .get("/staff/{id}/ending", change, endings::form)
        .post("/staff/{id}/ending", change, endings::create)
        .get("/staff/{id}/password-reset", change, access::ask_reset)
        .post("/staff/{id}/password-reset", change, access::reset)
        .get("/staff/{id}/second-factor-reset", change, factors::ask)
        .post("/staff/{id}/second-factor-reset", change, factors::reset)
        .post("/staff/{id}/unlock", change, access::unlock)
        .post("/staff/{id}/sessions-end", change, access::end_sessions)
}
