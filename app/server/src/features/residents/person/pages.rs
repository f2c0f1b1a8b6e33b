//! The page of a person, and the question before a shielded one.

use askama::Template;
use axum::http::StatusCode;
use store::{ReadTx, ResidentId, Scope};

use super::door::{Look, open};
use super::model::{Opened, ShieldReason, id_of};
use super::{store as sql, view};
use crate::features::abuse_cases;
use crate::features::attachments::{Card, Owner};
use crate::features::residents::corrections;
use crate::web::{Answer, Fields, Permission, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/residents/person/person.html")]
struct PersonPage {
    shell: Shell,
    id: i64,
    may_write: bool,
    may_correct: bool,
    may_share: bool,
    may_receive: bool,
    may_go_back: bool,
    /// Abuse cases about her that this viewer knows of: id and number.
    abuse_cases: Vec<(i64, String)>,
    head: view::Head,
    warnings: Vec<view::Warning>,
    household: Vec<view::MemberWords>,
    insurance: Vec<view::InsuranceWords>,
    certification: view::CertificationWords,
    contacts: Vec<view::ContactWords>,
    timeline: view::TimelineWords,
    attached: Option<Card>,
    /// The reason given for a shielded person; the next page of the timeline asks for it again.
    shield_reason: &'static str,
}

pub(super) fn show(visit: &Visit) -> Answer {
    let id = id_of(visit)?;
    let page = page_number(&visit.query);
    match open(visit, id, None, &detail(page), |tx| {
        read(visit, tx, id, page)
    })? {
        Look::Open((opened, attached)) => person_page(visit, &opened, attached, None),
        Look::Shielded => ask_reason(visit, id, Vec::new()),
    }
}

fn page_number(fields: &Fields) -> i64 {
    let page: i64 = fields.trimmed("page").parse().unwrap_or(1);
    page.clamp(1, 100_000)
}

fn detail(page: i64) -> String {
    if page == 1 {
        String::new()
    } else {
        format!("page={page}")
    }
}

fn read(
    visit: &Visit,
    tx: &ReadTx<'_>,
    id: ResidentId,
    page: i64,
) -> Result<(Opened, Option<Card>), Problem> {
    let staff = visit.signed_in()?;
    let viewer = (staff.staff_id, staff.role.code(), visit.today());
    let opened = sql::opened(tx, id, page, viewer)?.ok_or(Problem::NotFound)?;
    let attached = Card::read(visit, tx, Owner::Resident(id), opened.person.writable)?;
    Ok((opened, attached))
}

fn person_page(
    visit: &Visit,
    opened: &Opened,
    attached: Option<Card>,
    reason: Option<ShieldReason>,
) -> Answer {
    let (today, writable) = (visit.today(), opened.person.writable);
    let may_correct = writable && visit.may(Permission::ResidentCorrect);
    let looks_after = match visit.actor.scope {
        Scope::City => true,
        Scope::Centre(own) => own == opened.person.centre_id,
        Scope::Assigned(_) | Scope::Nothing => false,
    };
    let cases = visit.app.db().read(&visit.actor, |tx| {
        abuse_cases::of_person(tx, opened.person.id)
    })?;
    // The title stays in the browser's history: no name.
    let shell = Shell::new(visit, "個人画面").under(&[("住民をさがす", "/residents")]);
    visit.page(&PersonPage {
        shell,
        id: opened.person.id.0,
        may_write: writable && visit.may(Permission::ConsultationWrite),
        may_share: looks_after && visit.may(Permission::CaseShare),
        may_receive: visit.may(Permission::AbuseWrite),
        may_go_back: visit.may(Permission::FormerStateUse),
        abuse_cases: cases.iter().map(|id| (id.0, id.number())).collect(),
        may_correct,
        head: view::head(opened, today),
        warnings: view::origin(opened, visit.actor.centre_id, today)
            .into_iter()
            .chain(view::warnings(opened, today, may_correct))
            .collect(),
        household: opened
            .household
            .iter()
            .map(|member| view::member(member, opened.person.id, today))
            .collect(),
        insurance: opened.insurance.iter().map(view::insurance).collect(),
        certification: view::certification(&opened.certifications, today),
        contacts: opened
            .contacts
            .iter()
            .map(|contact| view::contact(contact, today))
            .collect(),
        timeline: view::timeline(&opened.timeline),
        attached,
        shield_reason: reason.map_or("", ShieldReason::code),
    })
}

#[derive(Template)]
#[template(path = "features/residents/person/shield.html")]
struct ShieldPage {
    shell: Shell,
    id: i64,
    problems: Vec<ReasonProblem>,
    reasons: Vec<view::Choice>,
    /// What was asked for, to go on with after the reason: names and values of the form.
    onward: Vec<(String, String)>,
}

struct ReasonProblem {
    field: &'static str,
    text: &'static str,
}

impl ShieldPage {
    fn problem(&self) -> &'static str {
        self.problems.first().map_or("", |problem| problem.text)
    }
}

/// The question before a shielded person; nothing of her is on the page.
pub(in crate::features::residents) fn ask_reason(
    visit: &Visit,
    id: ResidentId,
    onward: Vec<(String, String)>,
) -> Answer {
    shield_page(visit, StatusCode::OK, id, Vec::new(), onward)
}

fn shield_page(
    visit: &Visit,
    status: StatusCode,
    id: ResidentId,
    problems: Vec<ReasonProblem>,
    onward: Vec<(String, String)>,
) -> Answer {
    let shell = Shell::new(visit, "支援措置の方です").under(&[("住民をさがす", "/residents")]);
    let page = ShieldPage {
        shell,
        id: id.0,
        problems,
        reasons: view::reasons(),
        onward,
    };
    visit.page_as(status, &page)
}

pub(super) fn acknowledge(visit: &Visit) -> Answer {
    let id = id_of(visit)?;
    let reason = ShieldReason::from_code(visit.form.trimmed("shield_reason"));
    let corrects = visit.form.has("field") && visit.may(Permission::ResidentCorrect);
    if let Some(reason) = reason.filter(|_| corrects) {
        return corrections::form_after_reason(visit, reason);
    }
    let page = page_number(&visit.form);
    match open(visit, id, reason, &detail(page), |tx| {
        read(visit, tx, id, page)
    })? {
        Look::Open((opened, attached)) => person_page(visit, &opened, attached, reason),
        Look::Shielded => {
            let missing = ReasonProblem {
                field: "shield_reason",
                text: "開く理由を選んでください。",
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            shield_page(visit, status, id, vec![missing], onward(&visit.form))
        }
    }
}

/// Everything of a form but the token and the reason itself.
fn onward(form: &Fields) -> Vec<(String, String)> {
    form.pairs()
        .filter(|(name, _)| !matches!(*name, "csrf" | "shield_reason"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
