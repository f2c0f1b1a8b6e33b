//! Approves, refuses, takes back: checked again inside the transaction that writes it.

use axum::http::StatusCode;
use store::{Audited, Event, Operation, RecordKind, StoreError, WriteTx};

use super::model::{Act, Approval, Bar, Choice, Halt, Kind, State};
use super::pages::{Found, Wrong, page};
use super::store as sql;
use crate::web::{Answer, Checked, FieldProblem, Problem, Visit, redirect};

/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 500;

/// What the form decided, and why.
fn decision(visit: &Visit, kind: &Kind) -> Result<(Choice, String), Vec<FieldProblem>> {
    let mut form = Checked::new(&visit.form);
    let choice = match visit.form.trimmed("decision") {
        "approve" => Some(Choice::Approve),
        "refuse" => Some(Choice::Refuse),
        "withdraw" => Some(Choice::Withdraw),
        _ => None,
    };
    if choice.is_none() {
        form.bad("reason", "承認か却下かのボタンを押してください。");
    }
    let needed =
        choice == Some(Choice::Refuse) || (choice == Some(Choice::Approve) && kind.reasoned);
    let reason = if needed {
        let label = if choice == Some(Choice::Refuse) {
            "却下の理由"
        } else {
            "承認の理由"
        };
        form.line("reason", label, REASON_CHARS_MAX)
    } else {
        form.optional_text("reason", "理由", REASON_CHARS_MAX)
            .replace('\n', " ")
    };
    form.ended(choice.map(|choice| (choice, reason)))
}

/// How a decision ended, beside being done.
enum Missed {
    /// Somebody else has to decide.
    Barred(Bar),
    /// Whoever asked takes back, and only before it works.
    NotHers(&'static str),
    /// Somebody else was faster, or it ran out.
    Late(Box<Approval>),
    /// The facts are not those on which it was asked for.
    Changed,
    /// The act cannot be done any more.
    Halted(String),
    Failed(Problem),
}

impl From<Problem> for Missed {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<StoreError> for Missed {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Halt> for Missed {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Refused(words) => Self::Halted(words),
            Halt::Failed(problem) => Self::Failed(problem),
        }
    }
}

pub(super) fn create(visit: &Visit) -> Answer {
    let read = |tx: &store::ReadTx<'_>| Found::read(visit, tx);
    let found = visit.app.db().read(&visit.actor, read)?;
    let (choice, reason) = match decision(visit, found.kind) {
        Ok(decision) => decision,
        Err(problems) => {
            let wrong = Wrong::Fields(problems);
            return page(visit, StatusCode::UNPROCESSABLE_ENTITY, wrong);
        }
    };
    let written = visit
        .app
        .db()
        .write(&visit.actor, |tx| perform(visit, tx, (choice, &reason)));
    match written {
        Ok(()) => Ok(done(&found.approval, choice)),
        Err(missed) => answer(visit, &found, choice, missed),
    }
}

fn done(approval: &Approval, choice: Choice) -> crate::web::Response {
    let key = match choice {
        Choice::Withdraw => "approval-withdrawn",
        Choice::Approve if approval.urgent => "confirmed",
        Choice::Refuse if approval.urgent => "approval-stopped",
        Choice::Approve => "approved",
        Choice::Refuse => "approval-refused",
    };
    redirect(&format!("/approvals/{}?done={key}", approval.id))
}

fn answer(visit: &Visit, found: &Found, choice: Choice, missed: Missed) -> Answer {
    let say = |status, words: &str| page(visit, status, Wrong::Refused(words.to_owned()));
    match missed {
        Missed::Failed(problem) => Err(problem),
        Missed::Barred(bar) => {
            note(visit, found, bar)?;
            say(StatusCode::FORBIDDEN, bar.words())
        }
        Missed::NotHers(words) => say(StatusCode::FORBIDDEN, words),
        Missed::Changed => say(
            StatusCode::CONFLICT,
            "依頼のあとで内容が変わっています。下で違いを確かめてください。",
        ),
        Missed::Halted(words) => say(StatusCode::UNPROCESSABLE_ENTITY, &words),
        Missed::Late(now) => {
            let decision = now.decision.as_ref();
            let mine = decision.is_some_and(|d| {
                d.by == visit.actor.staff_id && d.state == State::of(choice.code())
            });
            if mine {
                return Ok(redirect(&format!("/approvals/{}?done=again", now.id)));
            }
            say(
                StatusCode::CONFLICT,
                "この依頼は、もう決まっているか、期限が過ぎています。",
            )
        }
    }
}

/// Decides in one transaction; what is approved is done in it.
fn perform(
    visit: &Visit,
    tx: &WriteTx<'_>,
    (choice, reason): (Choice, &str),
) -> Result<Audited<()>, Missed> {
    let found = Found::read(visit, tx)?;
    let (approval, kind, today) = (&found.approval, found.kind, visit.today());
    let before = approval.state(today);
    if !before.waits() {
        return Err(Missed::Late(Box::new(found.approval)));
    }
    may(&found, choice, before)?;
    let by = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    sql::decide(tx, approval.id, (choice.code(), reason), (Some(by), &now))?;
    let others = match choice {
        Choice::Approve => (kind.run)(&Act {
            tx,
            asked: approval.asked(today),
            now: &now,
        })?,
        Choice::Refuse | Choice::Withdraw => Vec::new(),
    };
    let detail = format!(
        "{}：{}／状態：{}→{}／理由＝{reason}",
        kind.label,
        approval.summary,
        before.words().0,
        State::of(choice.code()).words().0
    );
    let event = Event::done(Operation::ApprovalDecide).detail(detail);
    Ok(tx.audited_all(on(&found, event), others, ()))
}

fn may(found: &Found, choice: Choice, before: State) -> Result<(), Missed> {
    let own = found.approval.bar == Some(Bar::Own);
    match (choice, found.approval.bar) {
        (Choice::Withdraw, _) if !own => Err(Missed::NotHers(
            "依頼を取り下げられるのは、依頼した人だけです。",
        )),
        (Choice::Withdraw, _) if before == State::Urgent => Err(Missed::NotHers(
            "もう使える状態にした緊急の依頼は取り下げられません。ほかの人が確かめます。",
        )),
        (Choice::Withdraw, _) => Ok(()),
        (_, Some(bar)) => Err(Missed::Barred(bar)),
        (Choice::Approve, None) if !found.changed().is_empty() => Err(Missed::Changed),
        (Choice::Approve | Choice::Refuse, None) => Ok(()),
    }
}

/// An entry about the request, and about the person whom it concerns.
fn on(found: &Found, event: Event) -> Event {
    let event = event.on(RecordKind::Approval, found.approval.id.0);
    match found.look.resident {
        Some(resident) => event.about(resident),
        None => event,
    }
}

/// The try leaves its entry.
fn note(visit: &Visit, found: &Found, bar: Bar) -> Result<(), Problem> {
    let event = Event::refused(Operation::ApprovalDecide).detail(bar.detail());
    visit
        .app
        .db()
        .write(&visit.actor, |tx| Ok(tx.audited(on(found, event), ())))
}
