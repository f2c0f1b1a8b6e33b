//! Writing a change: somebody goes on administering staff, and nobody changes her own account.

use jiff::civil::Date;
use store::{Event, Operation, ReadTx, RecordKind, StaffId, WriteTx};

use super::{Refusal, Stamp, Undone, summary, words};
use crate::features::staff::accounts::model::Term;
use crate::features::staff::rights::administration::Administration;
use crate::features::staff::rights::model::{
    Change, Exception, NewException, RoleChange, RoleRightId, RoleRow, Step,
};
use crate::features::staff::rights::{plans, store as sql, view};
use crate::web::Role;

/// Applies a change; somebody must go on administering staff, and nobody changes her own account.
pub(super) fn apply_safely(
    tx: &WriteTx<'_>,
    change: &Change,
    stamp: &Stamp<'_>,
) -> Result<Vec<Event>, Undone> {
    refuse_own(tx, change, stamp.by)?;
    let before = Administration::read(tx)?;
    let events = apply(tx, change, stamp)?;
    match Administration::read(tx)?.lost_since(&before, stamp.today) {
        Some(day) => Err(Refusal::LastAdministrator(day).into()),
        None => Ok(events),
    }
}

pub(super) fn refuse_own(
    tx: &ReadTx<'_>,
    change: &Change,
    by: Option<StaffId>,
) -> Result<(), Undone> {
    let whose = match change {
        Change::Exception(new) => Some(new.staff),
        Change::Post { staff, .. } => Some(*staff),
        Change::ExceptionEnd { exception, .. } => {
            sql::exception(tx, *exception)?.map(|exception| exception.staff)
        }
        // A list refuses each of its lines by itself.
        Change::Role(_) | Change::Withdrawal { .. } | Change::Plan { .. } => None,
    };
    if by.is_some() && whose == by {
        return Err(Refusal::Own.into());
    }
    Ok(())
}

fn apply(tx: &WriteTx<'_>, change: &Change, stamp: &Stamp<'_>) -> Result<Vec<Event>, Undone> {
    let detail = format!("{}／理由＝{}", summary(tx, change)?, change.reason());
    let one = |operation, on| Ok(vec![stamp.event(operation, on, detail.clone())]);
    match change {
        Change::Role(change) => {
            change_role(tx, change, stamp)?;
            one(
                Operation::RoleRightChange,
                (RecordKind::Role, position(change.role)),
            )
        }
        Change::Withdrawal { row, reason } => {
            let known = planned(tx, *row, stamp.today)?;
            sql::withdraw_role_row(tx, (*row, reason), stamp)?;
            one(
                Operation::RoleRightWithdraw,
                (RecordKind::Role, position(known.role)),
            )
        }
        Change::Exception(new) => {
            add_exception(tx, new, stamp)?;
            one(Operation::StaffRightAdd, (RecordKind::Staff, new.staff.0))
        }
        Change::ExceptionEnd {
            exception,
            ends_on,
            reason,
        } => {
            let known = sql::exception(tx, *exception)?.ok_or(Refusal::Absent)?;
            check_end(&known, *ends_on, stamp.today)?;
            sql::end_exception(tx, (*exception, *ends_on, reason), stamp)?;
            one(Operation::StaffRightEnd, (RecordKind::Staff, known.staff.0))
        }
        Change::Post {
            staff,
            role,
            centre,
            job,
            starts_on,
            reason,
        } => {
            let place = plans::Place {
                role: *role,
                centre: centre.as_deref(),
                job,
                starts_on: *starts_on,
                reason,
            };
            plans::move_to(tx, *staff, &place, stamp)?;
            one(Operation::StaffPostAdd, (RecordKind::Staff, staff.0))
        }
        Change::Plan {
            plan,
            stand,
            reason,
        } => {
            let mut events = one(Operation::RightPlanConfirm, (RecordKind::RightPlan, plan.0))?;
            events.extend(plans::apply(tx, *plan, (stand, reason), stamp)?);
            Ok(events)
        }
    }
}

/// A role's number in entries: where it stands among the roles, from 1.
pub(super) fn position(role: Role) -> i64 {
    let place = (1..).zip(Role::ALL).find(|(_, known)| **known == role);
    place.map_or(0, |(number, _)| number)
}

/// Writes a change of a role; what already holds on its day is no change.
pub(in crate::features::staff::rights) fn change_role(
    tx: &WriteTx<'_>,
    change: &RoleChange,
    stamp: &Stamp<'_>,
) -> Result<Vec<i64>, Undone> {
    if change.starts_on < stamp.today {
        return Err(words(
            "starts_on",
            "過ぎた日からは変えられません。今日か、これからの日を入力してください。",
        ));
    }
    let held = view::held_by_role(tx, change.role, change.starts_on)?;
    let differs = |s: &&Step| held.has(s.permission) != s.granted;
    let steps: Vec<_> = change.steps.iter().filter(differs).copied().collect();
    if steps.is_empty() {
        return Err(words(
            "may",
            "その日には、もうそうなっています。変えるところがありません。",
        ));
    }
    let change = RoleChange {
        steps,
        ..change.clone()
    };
    Ok(sql::insert_role_change(tx, &change, stamp)?)
}

/// A row whose day has not come.
fn planned(tx: &ReadTx<'_>, id: RoleRightId, today: Date) -> Result<RoleRow, Undone> {
    let row = sql::role_row_of(tx, id)?.ok_or(Refusal::Absent)?;
    if row.starts_on <= today {
        return Err(words(
            "reason",
            "もう始まった変更は取りやめられません。新しい変更で戻してください。",
        ));
    }
    Ok(row)
}

/// Writes an exception that fits between the others.
pub(in crate::features::staff::rights) fn add_exception(
    tx: &WriteTx<'_>,
    new: &NewException,
    stamp: &Stamp<'_>,
) -> Result<i64, Undone> {
    if new.starts_on < stamp.today {
        return Err(words(
            "starts_on",
            "過ぎた日からは変えられません。今日か、これからの日を入力してください。",
        ));
    }
    match new.ends_on {
        Some(end) if end < new.starts_on => {
            return Err(words("ends_on", "最後の日が、始まりの日より前です。"));
        }
        None if new.step.granted => {
            return Err(words(
                "ends_on",
                "できるようにするときは、最後の日を入力してください。",
            ));
        }
        Some(_) | None => {}
    }
    let wanted = Term {
        starts_on: new.starts_on,
        ends_on: new.ends_on,
    };
    let known = sql::exceptions(tx, new.staff)?;
    let same = |e: &&Exception| e.step.permission == new.step.permission;
    if let Some(other) = known.iter().filter(same).find(|e| e.term.overlaps(wanted)) {
        let text = format!(
            "同じ権限の例外「{}」と期間が重なります。先にその例外を終えてください。",
            view::exception_line(other)
        );
        return Err(words("starts_on", text));
    }
    Ok(sql::insert_exception(tx, new, stamp)?)
}

/// An exception ends earlier, or not at all: never after the day it was given for, never in the past.
fn check_end(known: &Exception, ends_on: Date, today: Date) -> Result<(), Undone> {
    let yesterday = today.yesterday().unwrap_or(today);
    let earliest = known
        .term
        .starts_on
        .yesterday()
        .unwrap_or(yesterday)
        .max(yesterday);
    if known.term.is_cancelled() || known.term.ends_on.is_some_and(|end| end < today) {
        return Err(words("ends_on", "この例外は、もう終わっています。"));
    }
    if ends_on < earliest {
        return Err(words(
            "ends_on",
            "最後の日が過ぎた日です。すぐ終えるときは「すぐ終える」を選んでください。",
        ));
    }
    if known.term.ends_on.is_some_and(|end| ends_on >= end) {
        return Err(words(
            "ends_on",
            "いまの最後の日より前の日を入力してください。延ばすときは、新しい例外にしてください。",
        ));
    }
    Ok(())
}
