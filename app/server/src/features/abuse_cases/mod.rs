//! Abuse cases (虐待対応): a report that somebody elderly is abused, and everything until it is closed.
//!
//! Shape: `abuse_cases` holds what never changes; `abuse_case_versions` what is known (a correction
//! adds one), `abuse_steps` meetings, fact finding, responses, closing (a correction is a row that names
//! the one it stands for). Where a case stands and what is due are derived ([`model::Case`]).
//! `abuse_members` and `abuse_bars` are who knows of it and who never does, `abuse_reporters` who
//! reported it, `abuse_takings` the consultations that belong to it.
//! Invariant: a case exists for those whom its rows name and for whoever keeps all of them; for
//! everybody else there is no row, no count and no number that is missing (store's `scope.sql`).
//! Excluded and barred win over named. The reporter is shown after a reason and nowhere else.
//! Limits: [`form::TEXT_CHARS_MAX`], `store::steps::STEPS_MAX`.
//! Errors: staff meet 422 with the form, 409 when somebody was faster or the case is closed, 404 when
//! the case is not theirs to know, 403 for what only the city does.
//! Not here: the shield of a separated person (`features/protections`), yearly statistics.
//! Source: 高齢者虐待防止法; domain.md §6.2, §6.10; docs/decisions/0025-abuse-cases.md.

mod consultations;
mod corrections;
mod form;
mod former;
mod list;
mod model;
mod pages;
mod reporter;
mod rules;
mod sheet;
mod show;
mod steps;
mod store;
mod team;
#[cfg(test)]
pub(in crate::features) mod tests;
mod view;

pub use former::FormerCase;
pub use model::{
    AbuseKind, CarerRelation, CaseId, CaseType, ClosingReason, Judgement, Known, Method, Power,
    ReceivedAt, Reporter, ReporterKind, Safety, Severity, StepKind, StepWords, Urgency, Urgent,
};
pub use store::{Hand, NewCase, due, insert_step, of_person, receive};

use crate::web::veil::ABUSE_MENU;
use crate::web::{Permission, Routes};

/// Abuse cases and everything that hangs on one.
pub fn routes() -> Routes {
    use Permission::{
        AbuseKeep as Keep, AbuseReporterRead as Reporter, AbuseView as View, AbuseWrite as Write,
    };
    Routes::new(ABUSE_MENU)
        .get("/abuse-cases", View, list::page)
        .post("/abuse-cases", Write, pages::create)
        .get("/abuse-cases/new", Write, pages::new)
        .get("/abuse-cases/{id}", View, show::page)
        .get("/abuse-cases/{id}/sheet.pdf", View, sheet::print)
        .get("/abuse-cases/{id}/edit", Write, corrections::form)
        .post("/abuse-cases/{id}/versions", Write, corrections::create)
        .get("/abuse-cases/{id}/withdrawal", Write, corrections::ask)
        .post("/abuse-cases/{id}/withdrawal", Write, corrections::withdraw)
        .get("/abuse-cases/{id}/steps/new", Write, steps::new)
        .post("/abuse-cases/{id}/steps", Write, steps::create)
        .get("/abuse-cases/{id}/steps/{step}/edit", Write, steps::edit)
        .get(
            "/abuse-cases/{id}/steps/{step}/withdrawal",
            Write,
            steps::ask,
        )
        .post(
            "/abuse-cases/{id}/steps/{step}/withdrawal",
            Write,
            steps::withdraw,
        )
        .get("/abuse-cases/{id}/members", View, team::page)
        .post("/abuse-cases/{id}/members", Write, team::add)
        .post("/abuse-cases/{id}/members/{no}/ending", Write, team::end)
        .post("/abuse-cases/{id}/bars", Keep, team::bar)
        .post("/abuse-cases/{id}/bars/{no}/ending", Keep, team::unbar)
        .get("/abuse-cases/{id}/reporter", Reporter, reporter::ask)
        .post("/abuse-cases/{id}/reporter", Reporter, reporter::show)
        .post(
            "/abuse-cases/{id}/reporter/versions",
            Reporter,
            reporter::correct,
        )
        .post(
            "/abuse-cases/{id}/consultations",
            Write,
            consultations::take,
        )
        .post(
            "/abuse-cases/{id}/consultations/{consultation}/ending",
            Keep,
            consultations::give_back,
        )
}
