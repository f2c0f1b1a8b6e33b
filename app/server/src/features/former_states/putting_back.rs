//! Fields, or the whole record, put back as a new version.

use std::cell::Cell;

use axum::http::StatusCode;
use store::{Event, WriteTx};

use super::asked::Asked;
use super::comparing::{self, Compared, Look, Typed};
use super::model::{Outcome, Record, Wanted};
use super::view;
use crate::web::{Answer, Checked, FieldProblem, Problem, Visit, redirect};

/// Looks (with a reason for a shielded person), or puts back what was chosen.
pub(super) fn post<R: Record>(visit: &Visit) -> Answer {
    let asked = Asked::read(&visit.form, visit.app.clock().now());
    if visit.form.trimmed("step") == "look" {
        let status = if asked.reason.is_none() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        };
        return comparing::shown::<R>(visit, asked, Typed::default(), status);
    }
    if !visit.may(R::WRITES) {
        return Err(Problem::Forbidden);
    }
    let found = match Compared::<R>::find(visit, &asked)? {
        Look::Open(found) => found,
        Look::Shielded(_) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return comparing::shown::<R>(visit, asked, Typed::default(), status);
        }
    };
    let Ok(then) = &found.then else {
        return comparing::shown::<R>(visit, asked, Typed::default(), StatusCode::CONFLICT);
    };
    if !found.record.writable() {
        return comparing::shown::<R>(visit, asked, Typed::default(), StatusCode::FORBIDDEN);
    }
    let differing = view::differing(&then.said, &found.said_now);
    let fields = chosen(visit, &then.said);
    let again = !fields.is_empty() && !fields.iter().any(|field| differing.contains(field));
    if again {
        return Ok(redirect(&format!(
            "{}?done=again",
            found.record.place().href
        )));
    }
    let mut form = Checked::new(&visit.form);
    if fields.is_empty() {
        form.bad("fields", "戻す項目を選んでください。");
    }
    let reason = form.reason("reason", "戻す理由");
    let reason = match form.ended(Some(reason)) {
        Ok(reason) => reason,
        Err(problems) => return refused::<R>(visit, asked, (fields, problems)),
    };
    let wanted = Wanted {
        fields: &fields,
        base: visit.form.get("base"),
        reason: &reason,
        source: &then.told,
    };
    match R::put_back(visit, &then.state, wanted)? {
        Outcome::Done => {
            let href = found.record.place().href;
            Ok(redirect(&format!("{href}?done=put-back")))
        }
        Outcome::Wrong(problems) => refused::<R>(visit, asked, (fields, problems)),
        Outcome::Late => {
            let typed = Typed {
                fields,
                reason: visit.form.get("reason").to_owned(),
                late: true,
                problems: Vec::new(),
            };
            comparing::shown::<R>(visit, asked, typed, StatusCode::CONFLICT)
        }
    }
}

/// The chosen fields; the button for the whole record chooses all of ours.
fn chosen(visit: &Visit, said: &[super::Said]) -> Vec<String> {
    let ours = said.iter().filter(|said| said.ours);
    let whole = visit.form.trimmed("step") == "whole";
    let is_chosen = |code: &str| whole || visit.form.all("fields").any(|field| field == code);
    ours.filter(|said| is_chosen(said.code))
        .map(|said| said.code.to_owned())
        .collect()
}

fn refused<R: Record>(
    visit: &Visit,
    asked: Asked,
    (fields, problems): (Vec<String>, Vec<FieldProblem>),
) -> Answer {
    let typed = Typed {
        fields,
        reason: visit.form.get("reason").to_owned(),
        late: false,
        problems,
    };
    comparing::shown::<R>(visit, asked, typed, StatusCode::UNPROCESSABLE_ENTITY)
}

/// Puts back in one transaction: the record is loaded anew, must be the one that was looked at, and what is
/// refused is decided inside, where nobody changes anything in between. `change` says what will be written or
/// which fields are wrong; `write` writes it and returns the entry.
///
/// # Errors
/// [`Problem::Forbidden`] when it may not be written to any more; those of both steps.
pub fn written<R: Record, C>(
    visit: &Visit,
    wanted: Wanted<'_>,
    change: impl FnOnce(&WriteTx<'_>, &R) -> Result<Result<C, Vec<FieldProblem>>, Problem>,
    write: impl FnOnce(&WriteTx<'_>, &R, &C) -> Result<Event, Problem>,
) -> Result<Outcome, Problem> {
    let stopped = Cell::new(None);
    let done = visit.app.db().write(&visit.actor, |tx| {
        let record = R::load(visit, tx)?;
        if record.key() != wanted.base {
            stopped.set(Some(Outcome::Late));
            return Err(Problem::NotFound);
        }
        if !record.writable() {
            return Err(Problem::Forbidden);
        }
        match change(tx, &record)? {
            Ok(change) => {
                let event = write(tx, &record, &change)?;
                Ok(tx.audited(event, ()))
            }
            Err(problems) => {
                stopped.set(Some(Outcome::Wrong(problems)));
                Err(Problem::NotFound)
            }
        }
    });
    match (stopped.take(), done) {
        (Some(outcome), _) => Ok(outcome),
        (None, done) => done.map(|()| Outcome::Done),
    }
}
