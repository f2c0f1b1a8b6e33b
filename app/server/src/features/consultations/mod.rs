//! Consultations: what somebody asked, what was answered, what is to be done next.
//!
//! Shape: `consultations` holds what never changes; each correction is a row in
//! `consultation_versions`, whom it is about a row in `consultation_clients`, a withdrawal and a
//! next action that was done are rows too. The newest version counts; former ones stay readable.
//! Invariant: one opened form is one record (`submission`); a correction names the version it
//! started from; a withdrawn record is read, never changed. Typed words survive every refusal.
//! Errors: staff meet 422 with the form, 409 with both versions, 404 outside their scope.
//! Not here: the printed slip (`app/forms`), the day's list (`features/my_day`).
//! Source: `../shared/design/domain.md` §6.1.

mod conflict;
mod corrections;
mod drafts;
mod entry;
mod form;
mod former;
mod history;
mod lists;
mod lost;
mod model;
mod pages;
mod records;
mod slip;
mod steps;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use entry::Entry;
pub use former::FormerConsultation;
pub use history::{HistoryRow, insert_history, insert_history_all};
pub use lost::{Lost, lost_in, lost_of};
pub use model::ConsultationId;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::{ConsultationView as View, ConsultationWrite as Write};
    Routes::new("相談記録")
        .get("/consultations", View, lists::list)
        .get("/consultations/new", Write, pages::new)
        .post("/consultations", Write, pages::create)
        .get("/consultations/{id}", View, records::show)
        .get(
            "/consultations/{id}/versions/{version}",
            View,
            records::version,
        )
        .get("/consultations/{id}/edit", Write, corrections::edit)
        .post("/consultations/{id}/versions", Write, corrections::create)
        .get(
            "/consultations/{id}/withdrawal",
            Write,
            steps::withdrawal_form,
        )
        .post("/consultations/{id}/withdrawal", Write, steps::withdraw)
        .get("/consultations/{id}/client", Write, steps::client_form)
        .post("/consultations/{id}/client", Write, steps::identify)
        .post("/consultations/{id}/follow-up", Write, steps::follow_up)
        .get("/consultations/{id}/slip.pdf", View, slip::print)
        .post("/drafts", Write, drafts::keep)
}
