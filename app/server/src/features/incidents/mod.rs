//! Incidents (事故対応): personal data leaked, was lost or altered, or may have been. Reporting,
//! what is known, the clocks of the law, evidence, who touched whose record, reports and notices.
//!
//! Shape: `incident_versions` is what is known (a correction adds one), `incident_steps` what was
//! done when (closing and reopening among it), `incident_texts` the worded reports,
//! `incident_evidence` what was put aside, signed. State and due days are derived.
//! Invariant: an incident is seen by the city and by the centre where it happened; people stand in
//! it as numbers, and names come through the viewer's scope at the moment of looking.
//! Limits: [`model::SPAN_DAYS_MAX`] days of the log at a time, [`model::TOUCHED_MAX`] lines.
//! Errors: staff meet 422 with the form, 409 when somebody else corrected it first.
//! Source: 個人情報保護法 第68条; 特記事項 第15条; docs/decisions/0022-incidents.md.

mod corrections;
mod draft;
mod evidence;
mod form;
mod model;
mod pages;
mod rules;
mod steps;
mod store;
#[cfg(test)]
mod tests;
mod texts;
mod touched;
mod view;

pub use evidence::flaw as evidence_flaw;

use crate::web::{Permission, Routes};

/// Incidents and everything that hangs on one.
pub fn routes() -> Routes {
    let (see, report, manage) = (
        Permission::IncidentView,
        Permission::IncidentReport,
        Permission::IncidentManage,
    );
    Routes::new("事故対応")
        .get("/incidents", see, pages::list)
        .post("/incidents", report, pages::create)
        .get("/incidents/new", report, pages::new)
        .get("/incidents/{id}", see, pages::show)
        .get("/incidents/{id}/edit", report, corrections::form)
        .post("/incidents/{id}/versions", report, corrections::create)
        .post("/incidents/{id}/steps", report, steps::create)
        .post("/incidents/{id}/closing", manage, steps::close)
        .post("/incidents/{id}/evidence", manage, evidence::create)
        .get("/incidents/{id}/touched", manage, touched::page)
        .get("/incidents/{id}/touched/export", manage, touched::ask)
        .post("/incidents/{id}/touched/export", manage, touched::give)
        .get("/incidents/{id}/texts/{kind}", manage, texts::form)
        .post("/incidents/{id}/texts/{kind}", manage, texts::save)
        .get(
            "/incidents/{id}/texts/{kind}/print.pdf",
            manage,
            texts::print,
        )
}
