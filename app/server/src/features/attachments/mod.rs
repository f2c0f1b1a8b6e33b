//! Attachments (添付ファイル): files that staff attach to a person or to a consultation.
//!
//! Shape: a row in `attachments` names the bytes by their hash; they lie on the store's shelf. What is
//! said about a file is in `attachment_versions`, of which the newest counts; a withdrawal is a row.
//! Invariant: an attachment is as hidden as what it is attached to (`visible_attachments`). Its content is
//! shown from the scoped row alone, with an entry in the access log; the browser is given nothing but
//! the bytes (no name, no script, a sandbox). What leaves as a file goes through the door of
//! `carried_out`. What was withdrawn is opened by nobody any more: as a rule it is somebody else's paper.
//! What holds a virus comes in or out of here for nobody; what nobody looked through is marked until somebody does
//! ([`scans`]).
//! Limits: [`crate::web::limits`], [`form`]; kinds are data ([`kinds`]).
//! Errors: staff meet 422 with the form (files are chosen again: browsers do not send them twice), 409 when
//! somebody was faster, 404 outside their scope, 403 when a person or her consultations are not theirs.
//! Not here: who sees whom (`store::scope`), how bytes are kept (`store::shelf`).
//! Source: docs/decisions/0026-attachments.md.

mod acts;
mod card;
mod form;
mod former;
mod keeping;
mod kinds;
mod list;
mod model;
mod scans;
mod show;
mod store;
#[cfg(test)]
mod tests;
mod view;
#[cfg(test)]
mod virus_tests;

pub use card::Card;
pub use former::FormerAttachment;
pub use keeping::{Invented, insert_history, sweep};
pub use model::{AttachmentId, Owner};
pub use scans::scan_due;
pub use store::erase;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::{AttachmentView as View, AttachmentWrite as Write};
    Routes::new("添付ファイル")
        .get("/residents/{id}/attachments", View, list::of_resident)
        .upload("/residents/{id}/attachments", Write, list::add_to_resident)
        .get(
            "/consultations/{id}/attachments",
            View,
            list::of_consultation,
        )
        .upload(
            "/consultations/{id}/attachments",
            Write,
            list::add_to_consultation,
        )
        .get("/attachments/{id}", View, show::page)
        .get("/attachments/{id}/file", View, show::file)
        .post("/attachments/{id}/opening", View, show::file_with_reason)
        .get("/attachments/{id}/export", View, show::ask)
        .post("/attachments/{id}/export", View, show::give)
        .post("/attachments/{id}/versions", Write, acts::correct)
        .post("/attachments/{id}/withdrawal", Write, acts::withdraw)
}
