//! What waits for a second person, and what happens when that one agrees.

use jiff::civil::Date;
use store::{Event, ReadTx, StaffId, StoreError, WriteTx};

use super::applying::apply_safely;
use super::{Refusal, Stamp, Undone, summary};
use crate::features::approvals::{self, Act, ApprovalId, Ask, Asked, Facts, Halt, Urgency};
use crate::features::staff::accounts::acts::Hand;
use crate::features::staff::rights::model::{
    Change, Holder, Step, makes_administrators, needs_two,
};
use crate::features::staff::rights::{ADMINISTRATORS, plans, store as sql, view};
use crate::web::{Permission, Problem, Role};

/// Will the second person be asked?
///
/// # Errors
/// [`Refusal::Absent`], and the store's.
pub fn needs_approval(hand: &Hand<'_>, change: &Change) -> Result<bool, Undone> {
    let today = hand.db.clock().today();
    hand.db
        .read(hand.actor, |tx| concerns_administrators(tx, change, today))
}

/// Does a change make, unmake or touch administrators?
pub(super) fn concerns_administrators(
    tx: &ReadTx<'_>,
    change: &Change,
    today: Date,
) -> Result<bool, Undone> {
    let administers = |staff: StaffId, on: Date| -> Result<bool, StoreError> {
        let holder = sql::holder(tx, staff, on)?;
        let is_one = |h: &Holder| {
            h.role == Role::SystemAdmin.code() || h.rights.has(Permission::StaffAdminister)
        };
        Ok(holder.as_ref().is_some_and(is_one))
    };
    Ok(match change {
        Change::Role(change) => needs_two(change.role, &change.steps),
        Change::Withdrawal { row, .. } => {
            let row = sql::role_row_of(tx, *row)?.ok_or(Refusal::Absent)?;
            let back = Step {
                granted: !row.step.granted,
                ..row.step
            };
            needs_two(row.role, &[back])
        }
        Change::Exception(new) => {
            (new.step.granted && makes_administrators(new.step.permission))
                || administers(new.staff, today)?
                || administers(new.staff, new.starts_on)?
        }
        Change::ExceptionEnd { exception, .. } => {
            let known = sql::exception(tx, *exception)?.ok_or(Refusal::Absent)?;
            let gives_back = !known.step.granted && makes_administrators(known.step.permission);
            gives_back || administers(known.staff, today)?
        }
        Change::Post { role, .. } => *role == Role::SystemAdmin,
        Change::Plan { plan, .. } => plans::concerns_administrators(tx, *plan)?,
    })
}

pub(super) const CONSOLE: &str =
    "管理者の権限は、コマンドでは変えられません。画面から依頼し、もう一人が承認してください。";

/// Writes a request down, whatever the change is.
pub(in crate::features::staff) fn ask(
    tx: &WriteTx<'_>,
    change: &Change,
    by: StaffId,
    hand: &Hand<'_>,
) -> Result<(ApprovalId, Event), Undone> {
    let fault = |_| Problem::Fault("a change cannot be written as JSON");
    let payload = serde_json::to_string(change).map_err(fault)?;
    let summary = summary(tx, change)?;
    let ask = Ask {
        kind: &ADMINISTRATORS,
        payload,
        facts: facts(summary.clone()),
        summary,
        reason: change.reason(),
        urgency: Urgency::Waits,
        centre: hand.actor.centre_id,
    };
    let clock = hand.db.clock();
    let at = (clock.now(), clock.today());
    Ok(approvals::ask_once(tx, by, at, &ask)?)
}

/// What the decision is about: before and after, as they are said in one line.
fn facts(summary: String) -> Facts {
    Facts::new([(BEFORE_AND_AFTER, summary)])
}

const BEFORE_AND_AFTER: &str = "変更の前と後";

/// What a waiting change would do now.
pub(in crate::features::staff::rights) fn look(
    tx: &ReadTx<'_>,
    asked: &Asked<'_>,
) -> Result<approvals::Look, Problem> {
    let fault = |_| Problem::Fault("a stored change cannot be read");
    let change: Change = serde_json::from_str(asked.payload).map_err(fault)?;
    let facts = match summary(tx, &change) {
        Ok(summary) => facts(summary),
        // What it is about is gone.
        Err(Undone::Refused(_)) => Facts::default(),
        Err(Undone::Failed(problem)) => return Err(problem),
    };
    Ok(approvals::Look {
        facts,
        ..approvals::Look::default()
    })
}

/// Does what a second person approved.
pub(in crate::features::staff::rights) fn approved(act: &Act<'_, '_>) -> Result<Vec<Event>, Halt> {
    let fault = |_| Problem::Fault("a stored change cannot be read");
    let change: Change = serde_json::from_str(act.asked.payload).map_err(fault)?;
    let asker = sql::holder(act.tx, act.asked.by, act.asked.today)?;
    if !asker.is_some_and(|holder| holder.rights.has(Permission::StaffAdminister)) {
        let text = "依頼した人が、もう職員と権限を変えられません。却下してください。";
        return Err(Halt::Refused(text.to_owned()));
    }
    let stamp = Stamp {
        by: Some(act.asked.by),
        approval: Some(act.asked.id),
        now: act.now,
        today: act.asked.today,
    };
    apply_safely(act.tx, &not_before(change, act.asked.today), &stamp).map_err(
        |undone| match undone {
            Undone::Failed(problem) => Halt::Failed(problem),
            Undone::Refused(refusal) => Halt::Refused(view::refusal(&refusal)),
        },
    )
}

/// What was approved after its first day holds from the day of the approval.
fn not_before(mut change: Change, today: Date) -> Change {
    match &mut change {
        Change::Role(change) => change.starts_on = change.starts_on.max(today),
        Change::Exception(new) => new.starts_on = new.starts_on.max(today),
        Change::Withdrawal { .. }
        | Change::ExceptionEnd { .. }
        | Change::Post { .. }
        | Change::Plan { .. } => {}
    }
    change
}
