//! Consultations that a copy of the past has and today's database has not: found, read, brought back.
//!
//! A record of which the head is still here was disposed of on purpose and is none of these; what an import
//! brought and took back is not either.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, RecordKind};

use super::comparing::ShieldedPage;
use super::openings::OpeningId;
use super::view;
use crate::features::consultations::{Lost, lost_in, lost_of};
use crate::features::residents::ShieldReason;
use crate::web::{
    Answer, Checked, FieldProblem, Permission, Problem, Shell, Visit, problem_of, redirect,
};

/// Lost records that are listed.
pub(super) const LISTED_MAX: usize = 100;

/// One of the list.
pub(super) struct LostLine {
    pub(super) href: String,
    pub(super) number: String,
    pub(super) received_on: String,
    pub(super) who: String,
}

/// Those that this viewer may see today.
pub(super) fn list(visit: &Visit, id: OpeningId) -> Result<Vec<LostLine>, Problem> {
    let now = visit.app.clock().now();
    let found = visit
        .app
        .openings()
        .read(id, now, |past| lost_in(visit, past))?;
    let lines = found.map(|(_, all)| all).unwrap_or_default();
    let lines = lines.into_iter().take(LISTED_MAX).map(|one| LostLine {
        href: format!(
            "/former-states/openings/{id}/consultations/{}",
            one.number()
        ),
        number: one.number().to_owned(),
        received_on: one.received_on(),
        who: view::who(&one.who()),
    });
    Ok(lines.collect())
}

#[derive(Template)]
#[template(path = "features/former_states/lost.html")]
struct LostPage {
    shell: Shell,
    href: String,
    back: String,
    source: String,
    who: String,
    shield_reason: &'static str,
    facts: Vec<(&'static str, String)>,
    may_bring_back: bool,
    reason: String,
    problems: Vec<FieldProblem>,
}

impl LostPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

struct Desk<'v> {
    visit: &'v Visit,
    id: OpeningId,
    number: String,
    lost: Lost,
    source: String,
    told: String,
}

impl<'v> Desk<'v> {
    /// The lost record of this address; nothing outside the scope of today.
    fn at(visit: &'v Visit) -> Result<Self, Problem> {
        if !visit.may(Permission::ConsultationView) {
            return Err(Problem::Forbidden);
        }
        let (id, number): (OpeningId, String) = (visit.param("opening")?, visit.param("number")?);
        let now = visit.app.clock().now();
        let openings = visit.app.openings();
        let found = openings.read(id, now, |past| lost_of(visit, past, &number))?;
        let (origin, lost) = found.ok_or(Problem::NotFound)?;
        Ok(Self {
            visit,
            id,
            number,
            lost: lost.ok_or(Problem::NotFound)?,
            source: super::overview::origin_words(&origin, now),
            told: origin.told(),
        })
    }

    fn back(&self) -> String {
        format!("/former-states/openings/{}", self.id)
    }

    fn href(&self) -> String {
        format!("{}/consultations/{}", self.back(), self.number)
    }

    fn shell(&self) -> Shell {
        let back = self.back();
        let above = [
            ("以前の状態", "/former-states"),
            ("控えの中を見る", back.as_str()),
        ];
        Shell::new(self.visit, format!("失われた相談 {}", self.number)).under(&above)
    }

    fn reason(&self) -> Option<ShieldReason> {
        ShieldReason::from_code(self.visit.form.trimmed("shield_reason"))
    }

    fn needs_reason(&self) -> bool {
        self.lost.shielded() && self.reason().is_none()
    }

    /// The record, with an entry; or the question before a shielded one.
    fn shown(&self, status: StatusCode, problems: Vec<FieldProblem>) -> Answer {
        let event = if self.needs_reason() {
            Event::refused(Operation::FormerStateView).detail("lost shield=no-reason")
        } else {
            let shield = self.reason().filter(|_| self.lost.shielded());
            let shield = shield.map_or("", ShieldReason::code);
            let detail = format!("lost={} {} shield={shield}", self.number, self.told);
            Event::done(Operation::FormerStateView).detail(detail)
        };
        let event = event
            .about(self.lost.person())
            .on(RecordKind::Consultation, 0);
        let db = self.visit.app.db();
        db.view(&self.visit.actor, |tx| {
            Ok::<_, Problem>(tx.audited(event, ()))
        })?;
        if self.needs_reason() {
            let page = ShieldedPage {
                shell: self.shell(),
                href: self.href(),
                back: self.back(),
                at: String::new(),
                opening: String::new(),
                reasons: view::reasons(None),
                problems,
            };
            return self.visit.page_as(status, &page);
        }
        let page = LostPage {
            shell: self.shell(),
            href: self.href(),
            back: self.back(),
            source: self.source.clone(),
            who: view::who(&self.lost.who()),
            shield_reason: self
                .reason()
                .filter(|_| self.lost.shielded())
                .map_or("", ShieldReason::code),
            facts: self.lost.facts(self.visit),
            may_bring_back: self.visit.may(Permission::ConsultationWrite) && self.lost.writable(),
            reason: self.visit.form.get("reason").to_owned(),
            problems,
        };
        self.visit.page_as(status, &page)
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    Desk::at(visit)?.shown(StatusCode::OK, Vec::new())
}

pub(super) fn bring_back(visit: &Visit) -> Answer {
    let desk = Desk::at(visit)?;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    if desk.needs_reason() {
        let missing = FieldProblem {
            field: "shield_reason",
            text: "開く理由を選んでください。".to_owned(),
        };
        return desk.shown(unprocessable, vec![missing]);
    }
    if visit.form.trimmed("step") == "look" {
        return desk.shown(StatusCode::OK, Vec::new());
    }
    if !(visit.may(Permission::ConsultationWrite) && desk.lost.writable()) {
        return Err(Problem::Forbidden);
    }
    let mut form = Checked::new(&visit.form);
    let reason = form.reason("reason", "戻す理由");
    let reason = match form.ended(Some(reason)) {
        Ok(reason) => reason,
        Err(problems) => return desk.shown(unprocessable, problems),
    };
    let id = desk.lost.bring_back(visit, (&reason, &desk.told))?;
    Ok(redirect(&format!("/consultations/{id}?done=put-back")))
}
