//! Retention (保存期間と廃棄): what is past its time, and how it goes.
//!
//! Shape: rules are dated data (`data/retention.toml`). A list of what is due on a day becomes a
//! request; a second person decides; then the records are erased and the disposal is written down with
//! the day on which the last backup forgets them. Steps are rows.
//! Invariant: a second person decides (`approvals`); only what is still due when it is done goes; each
//! erased record leaves an entry in the access log without content, and its number is never used
//! again (the head of a consultation stays, whom it was about and what was said do not; of a person
//! her 宛名番号 stays, which keeps the next delivery of the register from bringing her back). What is
//! erased class by class is in `kinds`.
//! Scope: lists and counts through the scoped views; records by number, never by name.
//! Errors: staff meet 422 with the form, 409 when it was decided or done already.
//! Not here: paper and media (`carried_out`); evidence, which is carried out and destroyed by hand.
//! Source: domain.md §6.12; 個人情報取扱特記事項 第12条.

mod again;
mod asking;
mod erasing;
#[cfg(test)]
mod kind_tests;
mod kinds;
mod model;
mod pages;
mod requests;
mod store;
#[cfg(test)]
mod tests;

pub use again::{Again, Erased, erase_again, erased};
pub use asking::DISPOSALS;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::{RetentionDecide as Decide, RetentionView as View};
    Routes::new("保存期間と廃棄")
        .get("/retention", View, pages::rules)
        .get("/retention/{class}", View, pages::due)
        .post("/retention/{class}/requests", Decide, requests::create)
        .get("/disposals/{id}", View, requests::show)
        .get("/disposals/{id}/record.pdf", View, requests::print)
        .post("/disposals/{id}/disposal", Decide, erasing::create)
}
