//! Assignments: who is in charge of a person (担当), since when, and who was before.
//!
//! Shape: `assignments` names one main member of staff and any number beside her; a row of
//! `assignment_endings` gives the last day. The main one is replaced by ending her row and adding
//! another, so that a day in the past still says who it was.
//! What follows from it: whoever lacks [`Permission::ResidentWhole`] meets nobody else (store's `reach`);
//! for the others it changes nothing that they see.
//! Invariant: at most one main member of staff on any day; nobody is named who could not open her.
//! Limits: [`form::HAND_OVER_MAX`] people are handed over at once.
//! Errors: staff meet 404 outside their scope, 409 when somebody else changed it, 422 with the form.
//! Source: domain.md §2.27 (高齢者台帳 担当者), §6.10; docs/decisions/0029-in-charge-is-a-row.md.

mod form;
mod hand_over;
mod list;
mod model;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use model::Part;
pub use store::{NewAssignment, insert, people_of};

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::{AssignmentManage as Manage, ResidentView as View};
    Routes::new("担当")
        .get("/assignments", View, list::page)
        .get("/assignments/hand-over", Manage, hand_over::page)
        .post("/assignments/hand-over", Manage, hand_over::create)
        .get("/residents/{id}/assignments", View, pages::of_person)
        .post("/residents/{id}/assignments", Manage, pages::create)
        .post("/assignments/{id}/ending", Manage, pages::end)
}
