//! A change in words, what its form was opened on, and whether it is written already.

use store::{Event, Operation, ReadTx, RecordKind, StaffId};

use super::applying::position;
use super::{Refusal, Undone};
use crate::features::staff::accounts::acts::Hand;
use crate::features::staff::accounts::store as accounts;
use crate::features::staff::accounts::view as words_of;
use crate::features::staff::rights::model::{Change, Step};
use crate::features::staff::rights::{plans, store as sql, view};

/// The newest things written about what a change concerns: what its form was opened on.
///
/// # Errors
/// [`Refusal::Absent`], and the store's.
pub fn stand(tx: &ReadTx<'_>, change: &Change) -> Result<String, Undone> {
    Ok(match change {
        Change::Role(change) => sql::stand_of_role(tx, change.role)?,
        Change::Withdrawal { row, .. } => match sql::role_row_of(tx, *row)? {
            Some(row) => sql::stand_of_role(tx, row.role)?,
            None => return Err(Refusal::Absent.into()),
        },
        Change::Exception(new) => sql::stand_of(tx, new.staff)?,
        Change::ExceptionEnd { exception, .. } => {
            let exception = sql::exception(tx, *exception)?.ok_or(Refusal::Absent)?;
            sql::stand_of(tx, exception.staff)?
        }
        Change::Post { staff, .. } => {
            let account = accounts::account(tx, *staff)?.ok_or(Refusal::Absent)?;
            account.seen
        }
        Change::Plan { plan, .. } => plans::stand(tx, *plan)?,
    })
}

/// What a change does, old and new, in one line.
///
/// # Errors
/// [`Refusal::Absent`], and the store's.
pub fn summary(tx: &ReadTx<'_>, change: &Change) -> Result<String, Undone> {
    Ok(match change {
        Change::Role(change) => {
            let held = view::held_by_role(tx, change.role, change.starts_on)?;
            view::role_change_in_log(change, &held)
        }
        Change::Withdrawal { row, .. } => {
            let row = sql::role_row_of(tx, *row)?.ok_or(Refusal::Absent)?;
            view::withdrawal_in_log(&row)
        }
        Change::Exception(new) => {
            let name = view::name_of(tx, new.staff)?.ok_or(Refusal::Absent)?;
            let before = sql::holder(tx, new.staff, new.starts_on)?;
            view::exception_in_log(&name, new, before.as_ref())
        }
        Change::ExceptionEnd {
            exception, ends_on, ..
        } => {
            let known = sql::exception(tx, *exception)?.ok_or(Refusal::Absent)?;
            let name = view::name_of(tx, known.staff)?.ok_or(Refusal::Absent)?;
            view::exception_end_in_log(&name, &known, *ends_on)
        }
        Change::Post {
            staff,
            role,
            centre,
            job,
            starts_on,
            ..
        } => {
            let account = accounts::account(tx, *staff)?.ok_or(Refusal::Absent)?;
            let before = account.post_on(*starts_on).map(words_of::post_line);
            let before = before.unwrap_or_else(|| "所属なし".to_owned());
            let place = centre.as_deref().unwrap_or(words_of::CITY);
            format!(
                "職員＝{}／前＝{before}／後＝{place} {}（{job}）／適用＝{starts_on}",
                account.name,
                role.label()
            )
        }
        Change::Plan { plan, .. } => plans::summary(tx, *plan)?,
    })
}

/// Was exactly this written by the same person: the form sent twice?
pub(super) fn is_written(
    tx: &ReadTx<'_>,
    change: &Change,
    by: Option<StaffId>,
) -> Result<bool, Undone> {
    Ok(match change {
        Change::Role(change) => {
            let rows = sql::role_rows(tx)?;
            let written = |step: &Step| {
                rows.iter().any(|row| {
                    row.role == change.role
                        && row.step == *step
                        && row.starts_on == change.starts_on
                        && row.made.by == by
                        && row.made.reason == change.reason
                })
            };
            change.steps.iter().all(written)
        }
        Change::Exception(new) => sql::exceptions(tx, new.staff)?.iter().any(|known| {
            known.step == new.step
                && known.term.starts_on == new.starts_on
                && known.made.by == by
                && known.made.reason == new.reason
        }),
        Change::ExceptionEnd {
            exception,
            ends_on,
            reason,
        } => {
            let known = sql::exception(tx, *exception)?;
            known
                .and_then(|e| e.ending.map(|ending| (e.term, ending)))
                .is_some_and(|(term, ending)| {
                    term.ends_on == Some(*ends_on) && ending.by == by && ending.reason == *reason
                })
        }
        Change::Plan { plan, reason, .. } => plans::is_confirmed_by(tx, *plan, (by, reason))?,
        Change::Withdrawal { .. } | Change::Post { .. } => false,
    })
}

/// A try that a rule refused is written down.
pub(super) fn note(hand: &Hand<'_>, change: &Change, undone: &Undone) -> Result<(), Undone> {
    let why = match undone {
        Undone::Refused(Refusal::Own) => "自分のアカウント",
        Undone::Refused(Refusal::LastAdministrator(_)) => "最後の管理者",
        Undone::Refused(_) | Undone::Failed(_) => return Ok(()),
    };
    let (operation, on) = match change {
        Change::Role(change) => (
            Operation::RoleRightChange,
            Some((RecordKind::Role, position(change.role))),
        ),
        Change::Withdrawal { .. } => (Operation::RoleRightWithdraw, None),
        Change::Exception(new) => (
            Operation::StaffRightAdd,
            Some((RecordKind::Staff, new.staff.0)),
        ),
        Change::ExceptionEnd { .. } => (Operation::StaffRightEnd, None),
        Change::Post { staff, .. } => (Operation::StaffPostAdd, Some((RecordKind::Staff, staff.0))),
        Change::Plan { plan, .. } => (
            Operation::RightPlanConfirm,
            Some((RecordKind::RightPlan, plan.0)),
        ),
    };
    hand.db.write(hand.actor, |tx| {
        let event = Event::refused(operation).detail(why);
        let event = match on {
            Some((kind, id)) => event.on(kind, id),
            None => event,
        };
        Ok::<_, Undone>(tx.audited(event, ()))
    })
}
