//! Protections (閲覧制限の管理): who is kept from whom. Shields (支援措置), who may open a shielded person,
//! members of staff who must not meet somebody, and the page that says who can see a person and why.
//!
//! Shape: every decision is a row, every end another one; state follows from them ([`model::state`]).
//! The store's predicate reads the same rows, so what is decided here counts from the next request on.
//! Invariant: a grant is asked for by one person and agreed by another (`approvals`), who is neither the
//! asker nor the one who would see more; an urgent one works at once, for two days, and waits for the
//! same second person. Nobody decides about somebody from whom she is excluded herself. Names stand only on the page
//! of one person and on the sealed list, which asks for a reason; both leave their entry.
//! Limits: a grant lasts a year at most ([`form::GRANT_YEARS`]).
//! Not here: opening the person (`residents/person`), the predicate (`store::reach`).
//! Source: ../shared/design/domain.md §6.9; docs/decisions/0023-who-is-kept-from-whom.md.

mod acts;
mod asking;
mod form;
mod history;
mod model;
mod pages;
mod sealed;
mod store;
#[cfg(test)]
mod tests;
mod view;
mod viewers;

pub use asking::GRANTS;
pub use history::{flagged, insert_history, staff_of};

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    let keep = Permission::ProtectionAdminister;
    Routes::new("閲覧制限")
        .get("/protections", keep, pages::overview)
        .get("/protections/sealed-list", keep, sealed::door)
        .post("/protections/sealed-list", keep, sealed::open)
        .get("/protections/residents/{id}", keep, pages::person)
        .get("/protections/residents/{id}/viewers", keep, viewers::page)
        .post("/protections/residents/{id}/grants", keep, acts::ask_grant)
        .post(
            "/protections/residents/{id}/shields",
            keep,
            acts::set_shield,
        )
        .post(
            "/protections/residents/{id}/exclusions",
            keep,
            acts::exclude,
        )
        .get("/protections/grants/{id}", keep, pages::grant)
        .post("/protections/grants/{id}/ending", keep, acts::end_grant)
        .get("/protections/shields/{id}", keep, pages::shield)
        .post("/protections/shields/{id}/ending", keep, acts::lift_shield)
        .get("/protections/exclusions/{id}", keep, pages::exclusion)
        .post(
            "/protections/exclusions/{id}/ending",
            keep,
            acts::end_exclusion,
        )
}
