//! Approvals (承認): what is dangerous needs a second person before it happens.
//!
//! Shape: a slice registers a [`Kind`] in `features::approval_kinds` and calls [`ask`] inside its own
//! transaction. The request keeps the act as JSON, a summary in words and the facts it was asked on.
//! When somebody else who may decide about that kind approves, [`Kind::run`] does it in the same
//! transaction as the decision. Every end is a row: approved, refused, withdrawn, lapsed.
//! Invariant: whoever asked never decides, nor under a second account, nor who gains by it; a request
//! is decided once; facts that changed meanwhile are told and nothing is done; after its last day it
//! is void. An urgent request works at once, waits for the second person, does not lapse and cannot
//! be taken back.
//! Scope: one's own requests, and those of kinds that one may decide, as far as one may know what they
//! are about; a centre sees its own. List, count and decision ask with the same SQL ([`eligible`]).
//! No request names a resident; what it is about is a page of its own slice.
//! Errors: staff meet 403 when somebody else has to decide, 409 for a request that was decided, ran out
//! or changed, 422 when the act cannot be done any more as it was asked for.
//! Limits: days, hours and numbers of persons are dated data ([`rules`]).
//! Source: docs/decisions/0014-rights-are-rows.md; docs/decisions/0027-two-people.md.

mod deciding;
mod eligible;
pub mod model;
mod pages;
pub mod rules;
mod store;
#[cfg(test)]
mod tests;
mod view;

use ::store::{Actor, Event, Operation, ReadTx, RecordKind, StaffId, StoreError, WriteTx};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::app::App;
use crate::web::{Permission, Problem, Routes, SignedIn, Visit};

pub use model::{Act, ApprovalId, Ask, Asked, Facts, Halt, Kind, Look, State, Urgency};

/// Asks for a second person. The event belongs into the caller's transaction.
///
/// # Errors
/// [`Problem`].
pub fn ask(
    tx: &WriteTx<'_>,
    by: StaffId,
    (now, today): (Timestamp, Date),
    ask: &Ask<'_>,
) -> Result<(ApprovalId, Event), Problem> {
    let terms = rules::Terms::of(today)?;
    let days = match ask.urgency {
        Urgency::Waits => terms.days,
        Urgency::WorksAlready => terms.urgent_days,
    };
    let expires_on = today.saturating_add(i64::from(days).days());
    let id = store::insert(tx, by, (&format!("{now:.6}"), expires_on), ask)?;
    Ok((id, asked_event(id, ask)))
}

/// As [`ask`]; the same request of the same person, still waiting, is not made twice.
///
/// # Errors
/// [`Problem`].
pub fn ask_once(
    tx: &WriteTx<'_>,
    by: StaffId,
    at: (Timestamp, Date),
    ask: &Ask<'_>,
) -> Result<(ApprovalId, Event), Problem> {
    match store::same_waiting(tx, by, at.1, ask)? {
        Some(id) => Ok((id, asked_event(id, ask))),
        None => self::ask(tx, by, at, ask),
    }
}

fn asked_event(id: ApprovalId, ask: &Ask<'_>) -> Event {
    Event::done(Operation::ApprovalRequest)
        .on(RecordKind::Approval, id.0)
        .detail(format!("{}：{}", ask.kind.label, ask.summary))
}

/// A request of an invented town's past; with `agreed`, approved by that person for that reason.
///
/// # Errors
/// [`Problem`].
pub fn insert_history(
    tx: &WriteTx<'_>,
    by: StaffId,
    (now, today): (Timestamp, Date),
    ask: &Ask<'_>,
    agreed: Option<(StaffId, &str)>,
) -> Result<ApprovalId, Problem> {
    let (id, _) = self::ask(tx, by, (now, today), ask)?;
    if let Some((second, reason)) = agreed {
        let at = format!("{now:.6}");
        store::decide(tx, id, ("approved", reason), (Some(second), &at))?;
    }
    Ok(id)
}

/// One of somebody's requests, for the slice that made it.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its number.
    pub id: ApprovalId,
    /// Where it stands.
    pub state: State,
    /// What the slice keeps in it.
    pub payload: String,
    /// When it was decided, as stored; empty: not yet.
    pub decided_at: String,
    /// Why it was decided so.
    pub reason: String,
    /// What it allows was done already.
    pub used: bool,
}

/// Requests of one kind that this person made, the newest first.
///
/// # Errors
/// [`StoreError`].
pub fn own(
    tx: &ReadTx<'_>,
    kind: &Kind,
    by: StaffId,
    today: Date,
) -> Result<Vec<Standing>, StoreError> {
    store::own(tx, kind.code, by, today)
}

/// What was approved is done, once: by which entry of the register of what was carried out.
///
/// # Errors
/// [`StoreError`], also when it was done before.
pub fn use_up(
    tx: &WriteTx<'_>,
    id: ApprovalId,
    carried_out: i64,
    now: &str,
) -> Result<(), StoreError> {
    store::use_up(tx, id, carried_out, now)
}

/// What waits for a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Requests that this person may decide.
    pub count: i64,
    /// When the oldest of them was made, as stored.
    pub oldest: Option<String>,
    /// Own requests that others have not decided yet.
    pub own: i64,
}

/// Counts what waits for a person, by the same SQL as the list.
///
/// # Errors
/// [`Problem`].
pub fn waiting(tx: &ReadTx<'_>, staff: &SignedIn, today: Date) -> Result<Waiting, Problem> {
    let eyes = eligible::Eyes::of(staff, today)?;
    Ok(store::waiting(tx, &eyes)?)
}

/// For the menu: so many requests wait for this person. A database that does not answer leaves it out;
/// the page itself then says so.
pub fn badge(visit: &Visit) -> Option<(&'static str, i64)> {
    let staff = visit.staff.as_ref()?;
    if eligible::kinds(staff).is_empty() {
        return None;
    }
    let read = |tx: &ReadTx<'_>| waiting(tx, staff, visit.today());
    match visit.app.db().read(&visit.actor, read) {
        Ok(waiting) => Some(("/approvals", waiting.count)),
        Err(problem) => {
            problem.log("(menu)");
            None
        }
    }
}

/// Writes down which requests nobody decided in time, so that the list of what was decided is whole.
///
/// # Errors
/// Those of the store.
pub fn lapse(app: &App) -> Result<(), Problem> {
    let (db, actor) = (app.db(), Actor::system("期限の確認"));
    let today = app.clock().today();
    let over = db.read(&actor, |tx| store::overdue(tx, today))?;
    if over.is_empty() {
        return Ok(());
    }
    let now = format!("{:.6}", app.clock().now());
    db.write(&actor, |tx| {
        let mut events = Vec::new();
        for id in store::overdue(tx, today)? {
            store::decide(tx, id, ("lapsed", ""), (None, &now))?;
            let event = Event::done(Operation::ApprovalDecide).on(RecordKind::Approval, id.0);
            events.push(event.detail("状態：承認待ち→期限切れ"));
        }
        let mut events = events.into_iter();
        let fault = Problem::Fault("what was overdue is gone");
        let first = events.next().ok_or(fault)?;
        Ok(tx.audited_all(first, events.collect(), ()))
    })
}

/// Routes of this slice. Whoever asked looks after the own request, so everybody may come.
pub fn routes() -> Routes {
    let anybody = Permission::SignedIn;
    Routes::new("承認")
        .get("/approvals", anybody, pages::to_decide)
        .get("/approvals/own", anybody, pages::own)
        .get("/approvals/all", anybody, pages::all)
        .get("/approvals/{id}", anybody, pages::show)
        .post("/approvals/{id}/decision", anybody, deciding::create)
}
