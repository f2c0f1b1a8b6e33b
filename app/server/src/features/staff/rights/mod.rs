//! Rights (権限): what each role may do, the exceptions of one person, and lists prepared for a day.
//!
//! Shape: every change is a [`model::Change`]; [`acts::preview`] makes it in a transaction that is
//! undone and shows the difference, [`acts::perform`] makes it, or asks for a second person when it
//! concerns administrators (`approvals`). Rows are added: `role_rights`, `staff_rights` with
//! `staff_right_endings`, `right_plans`.
//! Invariant: on every day from today on somebody may administer staff ([`administration`]); nobody
//! changes her own exceptions; nothing is dated back. Each change, and each try that one of these
//! rules refuses, leaves an entry.
//! Limits: a change lies at most [`form::AHEAD_YEARS`] years ahead, a list holds at most
//! [`plans::ITEMS_MAX`] lines.
//! Errors: staff meet 422 with the form, 409 with what the other administrator did.
//! Not here: the sum of the rows and the matrix as shipped (`web::rights`), posts (`accounts`).
//! Source: docs/decisions/0014-rights-are-rows.md; domain.md 6.10.

pub mod acts;
pub(super) mod administration;
mod exceptions;
pub mod form;
mod matrix;
pub mod model;
mod person;
pub mod plans;
mod roles;
mod store;
#[cfg(test)]
mod tests;
pub mod view;

pub use model::Holder;
pub use store::{exception, exceptions_of_all, holder, holders, stand_of};

use crate::features::approvals::Kind;
use crate::features::staff::accounts::acts::Hand;
use crate::web::{Permission, Routes, Visit};

/// Changes that concern administrators.
pub static ADMINISTRATORS: Kind = Kind {
    code: "administrator_rights",
    label: "管理者の権限の変更",
    permission: Permission::ApprovalDecide,
    then: "承認すると、すぐに実行されます。",
    reasoned: false,
    seen: "1",
    gains: GAINS,
    look: acts::look,
    run: acts::approved,
};

// The person who gets a right, or a post that has it. A role's change is decided by people of that role
// too: in a town with one system administrator nobody else could.
const GAINS: &str = "
    json_extract(a.payload, '$.staff') = eyes.staff
    or exists (select 1 from staff_rights r
               where r.id = json_extract(a.payload, '$.exception') and r.staff_id = eyes.staff)
    or exists (select 1 from right_plan_items i
               where i.plan_id = json_extract(a.payload, '$.plan')
                 and json_extract(i.content, '$.staff') = eyes.staff
                 and (json_extract(i.content, '$.role') = 'system_admin'
                      or json_extract(i.content, '$.step.granted') = 1)
                 and not exists (select 1 from right_plan_removals x where x.item_id = i.id))";

/// Pages of this part.
pub(super) fn routes() -> Routes {
    let (see, change) = (Permission::StaffView, Permission::StaffAdminister);
    Routes::new("権限")
        .get("/rights", see, matrix::page)
        .get("/rights/roles/{role}", change, roles::form)
        .post("/rights/roles/{role}/changes", change, roles::create)
        .post("/rights/changes/{id}/withdrawal", change, roles::withdraw)
        .get("/staff/{id}/rights", see, person::page)
        .get("/staff/{id}/exceptions/new", change, exceptions::new)
        .post("/staff/{id}/exceptions", change, exceptions::create)
        .get(
            "/staff/{id}/exceptions/{exception}/ending",
            change,
            exceptions::ending,
        )
        .post(
            "/staff/{id}/exceptions/{exception}/ending",
            change,
            exceptions::end,
        )
        .with(plans::routes())
}

/// The hand of whoever is signed in.
fn hand(visit: &Visit) -> Hand<'_> {
    Hand {
        db: visit.app.db(),
        actor: &visit.actor,
    }
}
