//! Correcting what is said about a file, and withdrawing it.

use axum::http::StatusCode;
use base::secrecy::Note;
use store::{Operation, ReadTx};

use super::form::{self, Said};
use super::show::{Known, event, page_of};
use super::store as sql;
use crate::web::{Answer, Checked, FieldProblem, Problem, Visit, redirect};

/// Known, and this viewer may write about it; otherwise the page says why not (403, 409).
fn writable(visit: &Visit, tx: &ReadTx<'_>) -> Result<Known, Problem> {
    let known = Known::read(visit, tx)?;
    if known.may_write(visit) {
        return Ok(known);
    }
    if known.row.withdrawal.is_none() {
        return Err(Problem::Forbidden);
    }
    Err(shown(visit, StatusCode::CONFLICT, &known, Vec::new())?)
}

fn shown(
    visit: &Visit,
    status: StatusCode,
    known: &Known,
    problems: Vec<FieldProblem>,
) -> Result<Problem, Problem> {
    let page = visit.page_as(status, &page_of(visit, known, problems))?;
    Ok(Problem::Page(Box::new(page)))
}

pub(super) fn correct(visit: &Visit) -> Answer {
    let by = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let base: i64 = visit.form.trimmed("base_version").parse().unwrap_or(0);
    let id = visit.app.db().write(&visit.actor, |tx| {
        let known = writable(visit, tx)?;
        let (said, reason) = match form::correction(&visit.form, &known.number_kinds) {
            Ok(checked) => checked,
            Err(problems) => {
                return Err(shown(
                    visit,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &known,
                    problems,
                )?);
            }
        };
        let row = &known.row;
        if row.version != base {
            return Err(late(visit, &known, (&said, &reason))?);
        }
        let text = (
            base + 1,
            said.title.as_str(),
            said.note.as_str(),
            reason.as_str(),
        );
        sql::insert_version(tx, row.id, text, (by, &now))?;
        let numbers = said.numbers.as_deref().unwrap_or_default();
        let detail = format!("version={} {numbers}", base + 1);
        let event = event(Operation::AttachmentCorrect, row).detail(detail.trim_end());
        Ok(tx.audited(event, row.id))
    })?;
    Ok(redirect(&format!("/attachments/{id}?done=corrected")))
}

/// The form was opened before somebody else corrected it: 409; the same form twice is one correction.
fn late(visit: &Visit, known: &Known, (said, reason): (&Said, &str)) -> Result<Problem, Problem> {
    let own = visit.signed_in()?.staff_id;
    let is_this = known.versions.first().is_some_and(|newest| {
        newest.by_id == own
            && newest.title == Note::from(said.title.as_str())
            && newest.note == Note::from(said.note.as_str())
            && newest.reason == Note::from(reason)
    });
    if is_this {
        let again = redirect(&format!("/attachments/{}?done=again", known.row.id));
        return Ok(Problem::Page(Box::new(again)));
    }
    let mut page = page_of(visit, known, Vec::new());
    page.late = true;
    let page = visit.page_as(StatusCode::CONFLICT, &page)?;
    Ok(Problem::Page(Box::new(page)))
}

pub(super) fn withdraw(visit: &Visit) -> Answer {
    let by = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let list = visit.app.db().write(&visit.actor, |tx| {
        let known = writable(visit, tx)?;
        let mut checks = Checked::new(&visit.form);
        let reason = checks.reason("withdrawal_reason", "取り消す理由");
        let reason = match checks.ended(Some(reason)) {
            Ok(reason) => reason,
            Err(problems) => {
                return Err(shown(
                    visit,
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &known,
                    problems,
                )?);
            }
        };
        let row = &known.row;
        sql::insert_withdrawal(tx, row.id, &reason, (by, &now))?;
        let event = event(Operation::AttachmentWithdraw, row).detail(row.owner.words());
        Ok(tx.audited(event, row.owner.list()))
    })?;
    Ok(redirect(&format!("{list}?done=attachment-withdrawn")))
}
