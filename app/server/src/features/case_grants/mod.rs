//! Case grants: a person is referred to a section of the city, or named to one member of staff.
//!
//! Shape: `case_grants` says whom, from when to when, reading or writing, and why;
//! `case_grant_endings` ends one early. What they show is decided by store's `reach`.
//! Invariant: only the city and the centre that looks after a person give her to others; whom she was
//! given to gives her to nobody. A grant lifts no 支援措置 and no exclusion.
//! Limits: a named member of staff has [`form::MONTHS_MAX`] months at most, then it is given anew.
//! Errors: staff meet 404 outside their scope, 403 when the person is only lent to them, 422 with the
//! form.
//! Source: domain.md §6.10 (own rows plus explicit grants; city section: referred).

mod form;
mod model;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use model::{Given, NewGrant, Whom};
pub use store::{given, insert};

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::{CaseShare as Share, ResidentView as View};
    Routes::new("紹介・個別の指定")
        .get("/case-grants", View, pages::mine)
        .get("/residents/{id}/case-grants", Share, pages::of_person)
        .post("/residents/{id}/case-grants", Share, pages::create)
        .post("/case-grants/{id}/ending", Share, pages::end)
}
