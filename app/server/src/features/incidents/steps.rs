//! What was done, and closing and reopening.

use store::{Event, Operation, RecordKind};

use super::model::{CLOSED, REOPENED};
use super::pages::{found, late, not_yet, now, open_only, sight};
use super::{form, store as sql};
use crate::web::{Answer, Problem, Visit, redirect, submission};

pub(super) fn create(visit: &Visit) -> Answer {
    let incident = found(visit)?;
    open_only(visit, &incident)?;
    let (kind, held_on, note) = match form::step(&visit.form, visit.today()) {
        Ok(checked) => checked,
        Err(problems) => return not_yet(visit, &incident, problems),
    };
    let by = visit.signed_in()?.staff_id;
    let (now, token) = (now(visit), submission(&visit.form));
    let id = incident.id;
    let new = visit.app.db().write(&visit.actor, |tx| {
        let step = (kind.code(), held_on, note.as_str());
        let new = sql::insert_step(tx, id, step, &token, (by, &now))?;
        let event = Event::done(Operation::IncidentStep).on(RecordKind::Incident, id.0);
        let text = format!("{}／行った日＝{held_on}", kind.label());
        Ok::<_, Problem>(tx.audited(event.detail(text), new))
    })?;
    let done = if new { "saved" } else { "again" };
    Ok(redirect(&format!("/incidents/{id}?done={done}")))
}

/// Closes what is open and reopens what is closed; the form says which of the two it meant.
pub(super) fn close(visit: &Visit) -> Answer {
    let incident = found(visit)?;
    let reason = match form::closing(&visit.form) {
        Ok(reason) => reason,
        Err(problems) => return not_yet(visit, &incident, problems),
    };
    let by = visit.signed_in()?.staff_id;
    let (today, now, token) = (visit.today(), now(visit), submission(&visit.form));
    let (id, sight) = (incident.id, sight(visit));
    let wanted = if visit.form.get("closing") == REOPENED {
        REOPENED
    } else {
        CLOSED
    };
    let new = visit.app.db().write(&visit.actor, |tx| {
        let newest = sql::find(tx, sight, id)?.ok_or(Problem::NotFound)?;
        let again = newest.is_closed() == (wanted == CLOSED);
        let step = (wanted, today, reason.as_str());
        if again && !sql::step_of(tx, &token)? {
            let text = if wanted == CLOSED {
                "もう終結しています。"
            } else {
                "もう再開しています。"
            };
            return Err(late(visit, id, text.to_owned()));
        }
        let new = sql::insert_step(tx, id, step, &token, (by, &now))?;
        let event = Event::done(Operation::IncidentStep).on(RecordKind::Incident, id.0);
        let words = if wanted == CLOSED { "終結" } else { "再開" };
        Ok(tx.audited(event.detail(format!("{words}／理由＝{reason}")), new))
    })?;
    let done = if new { "saved" } else { "again" };
    Ok(redirect(&format!("/incidents/{id}?done={done}")))
}
