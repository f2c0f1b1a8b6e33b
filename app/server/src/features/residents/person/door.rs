//! The door to a person: every try leaves exactly one entry, and whoever may not see her meets
//! nobody.

use store::{Event, Operation, ReadTx, RecordKind, ResidentId};

use super::model::ShieldReason;
use super::store as sql;
use crate::web::{Problem, Visit};

/// What a look found.
pub(in crate::features::residents) enum Look<T> {
    /// Under 支援措置, and no reason was given yet.
    Shielded,
    /// What was asked for.
    Open(T),
}

/// Opens a person: reads and leaves the entry in one transaction. `detail` names what was opened.
///
/// # Errors
/// [`Problem::NotFound`] outside the scope and for a wrong id alike; the try is written down.
pub(in crate::features::residents) fn open<T>(
    visit: &Visit,
    id: ResidentId,
    reason: Option<ShieldReason>,
    detail: &str,
    read: impl FnOnce(&ReadTx<'_>) -> Result<T, Problem>,
) -> Result<Look<T>, Problem> {
    let on = |event: Event| event.about(id).on(RecordKind::Resident, id.0);
    let found = visit.app.db().view(&visit.actor, |tx| {
        let Some(shielded) = sql::is_shielded(tx, id)? else {
            let event = on(Event::refused(Operation::ResidentView));
            return Ok::<_, Problem>(tx.audited(event, None));
        };
        if shielded && reason.is_none() {
            let event = on(Event::refused(Operation::ResidentView)).detail("shield=no-reason");
            return Ok(tx.audited(event, Some(Look::Shielded)));
        }
        let why = reason
            .filter(|_| shielded)
            .map(|r| format!("shield={}", r.code()));
        let parts = [detail, why.as_deref().unwrap_or("")];
        let words: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let event = on(Event::done(Operation::ResidentView)).detail(words.join(" "));
        let value = read(tx)?;
        Ok(tx.audited(event, Some(Look::Open(value))))
    })?;
    found.ok_or(Problem::NotFound)
}
