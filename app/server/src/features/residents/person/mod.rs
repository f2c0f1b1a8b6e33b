//! The person on one screen, because the telephone is ringing: who, household, insurance,
//! certification, last contacts, warnings; below it everything that happened, newest first.
//!
//! Shape: one look is one transaction with exactly one entry in the access log ([`door`]); a try
//! that finds nobody leaves a refused one and the same 404, whether the id is wrong or another
//! centre's. What staff corrected wins on screen and the register's value stands beside it.
//!
//! Decisions about 支援措置. A shielded person exists only for the city (`app/store/src/scope.sql`);
//! for centres the answer is 404, since no grant can be given yet. The city gives a reason first:
//! until then a page shows nothing of her but the question. The reason is a code of a short list
//! and no free text, so that the access log cannot hold a name. It counts for one page and not
//! for the session: a terminal that somebody left shows her to nobody else. After it, address and
//! telephone are shown. She is left out of the household of every other person, whoever
//! looks, and is not counted there; an ended period lifts nothing by itself.
//! Not here: finding people, the answer for people outside the scope (`features/inquiries`).
//! Source: domain.md §6.9, §6.10.

mod door;
mod model;
mod pages;
mod store;
mod timeline;
mod view;

pub(super) use door::{Look, open};
pub use model::ShieldReason;
pub(super) use model::id_of;
pub(super) use pages::ask_reason;
pub(super) use view::{moment, phone_grouped};

use crate::web::{Permission, Routes};

/// Opening a person.
pub(super) fn routes() -> Routes {
    Routes::new("個人画面")
        .get("/residents/{id}", Permission::ResidentView, pages::show)
        .post(
            "/residents/{id}/shield-acknowledgement",
            Permission::ResidentView,
            pages::acknowledge,
        )
}
