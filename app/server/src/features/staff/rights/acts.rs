//! What an administrator does about rights, whether at a page, at the console or by an approval.

use jiff::civil::Date;
use store::{Audited, Event, Operation, ReadTx, RecordKind, StaffId, StoreError, WriteTx};

use super::administration::Administration;
use super::model::{
    Change, Difference, Exception, NewException, RoleChange, RoleRow, differences,
    makes_administrators, needs_two,
};
use super::{ADMINISTRATORS, plans, store as sql, view};
use crate::features::approvals::{self, Act, ApprovalId, Ask, Halt};
use crate::features::staff::accounts::acts::Hand;
use crate::features::staff::accounts::store as accounts;
use crate::features::staff::accounts::view as words_of;
use crate::web::{Permission, Problem, Role};

/// Why a change was not made; nothing of it is written then.
#[derive(Debug)]
pub enum Refusal {
    /// There is no such row, person or list.
    Absent,
    /// It concerns the administrator's own account.
    Own,
    /// Nobody might administer staff on that day.
    LastAdministrator(Date),
    /// Somebody else changed the same since the form was opened.
    Late,
    /// The same form twice.
    Again,
    /// In words, at this field.
    Words(&'static str, String),
}

/// Refused, or the world is in the way.
#[derive(Debug)]
pub enum Undone {
    /// For a reason of ours.
    Refused(Refusal),
    /// For another.
    Failed(Problem),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Problem> for Undone {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<Refusal> for Undone {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A sentence about a field, as a refusal.
pub(super) fn words(field: &'static str, text: impl Into<String>) -> Undone {
    Refusal::Words(field, text.into()).into()
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It is written.
    Saved,
    /// It waits for a second person.
    Asked(ApprovalId),
}

/// Who writes when, and with whose approval.
#[derive(Debug, Clone, Copy)]
pub struct Stamp<'s> {
    /// `None`: the console.
    pub by: Option<StaffId>,
    /// The approval that a second person gave.
    pub approval: Option<ApprovalId>,
    /// Now, as it is stored.
    pub now: &'s str,
    /// Today in Japan.
    pub today: Date,
}

impl Stamp<'_> {
    /// An entry about a change.
    pub(super) fn event(
        &self,
        operation: Operation,
        (kind, id): (RecordKind, i64),
        detail: String,
    ) -> Event {
        Event::done(operation).on(kind, id).detail(detail)
    }
}

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

/// Shows what a change would do on a day: it is made, compared and undone.
///
/// # Errors
/// As [`perform`], but for `Late` and `Again`.
pub fn preview(hand: &Hand<'_>, change: &Change, on: Date) -> Result<Vec<Difference>, Undone> {
    let now = format!("{:.6}", hand.db.clock().now());
    let stamp = stamp(hand, &now);
    let made = hand
        .db
        .write(hand.actor, |tx| -> Result<Audited<()>, Look> {
            let before = sql::holders(tx, on)?;
            apply_safely(tx, change, &stamp).map_err(Look::Undone)?;
            let after = sql::holders(tx, on)?;
            Err(Look::Seen(differences(&before, &after)))
        });
    match made {
        Err(Look::Seen(differences)) => Ok(differences),
        Err(Look::Undone(undone)) => {
            // A list is looked at again and again while it is entered: that is no try yet.
            if !matches!(change, Change::Plan { .. }) {
                note(hand, change, &undone)?;
            }
            Err(undone)
        }
        Ok(()) => Err(Problem::Fault("a preview was saved").into()),
    }
}

/// How a preview ends: never by saving.
enum Look {
    Seen(Vec<Difference>),
    Undone(Undone),
}

impl From<StoreError> for Look {
    fn from(error: StoreError) -> Self {
        Self::Undone(error.into())
    }
}

fn stamp<'s>(hand: &Hand<'s>, now: &'s str) -> Stamp<'s> {
    Stamp {
        by: hand.actor.staff_id,
        approval: None,
        now,
        today: hand.db.clock().today(),
    }
}

/// Makes a change, or asks for a second person when it concerns administrators.
///
/// # Errors
/// Any [`Refusal`], and the store's.
pub fn perform(hand: &Hand<'_>, change: &Change, seen: &str) -> Result<Done, Undone> {
    let now = format!("{:.6}", hand.db.clock().now());
    let stamp = stamp(hand, &now);
    let made = hand.db.write(hand.actor, |tx| {
        if stand(tx, change)? != seen {
            let again = is_written(tx, change, stamp.by)?;
            return Err(if again { Refusal::Again } else { Refusal::Late }.into());
        }
        if !concerns_administrators(tx, change, stamp.today)? {
            let mut events = apply_safely(tx, change, &stamp)?.into_iter();
            let first = events
                .next()
                .ok_or(Problem::Fault("a change without an entry"))?;
            return Ok(tx.audited_all(first, events.collect(), Done::Saved));
        }
        let by = stamp.by.ok_or_else(|| words("permission", CONSOLE))?;
        refuse_own(tx, change, Some(by))?;
        let (id, event) = ask(tx, change, by, hand)?;
        Ok(tx.audited(event, Done::Asked(id)))
    });
    if let Err(undone) = &made {
        note(hand, change, undone)?;
    }
    made
}

const CONSOLE: &str =
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
    let ask = Ask {
        kind: &ADMINISTRATORS,
        payload,
        summary: summary(tx, change)?,
        reason: change.reason(),
    };
    let clock = hand.db.clock();
    Ok(approvals::ask(tx, by, (clock.now(), clock.today()), &ask)?)
}

/// Does what a second person approved.
pub(super) fn approved(act: &Act<'_, '_>) -> Result<Vec<Event>, Halt> {
    let fault = |_| Problem::Fault("a stored change cannot be read");
    let change: Change = serde_json::from_str(act.payload).map_err(fault)?;
    let asker = sql::holder(act.tx, act.asked_by, act.today)?;
    if !asker.is_some_and(|holder| holder.rights.has(Permission::StaffAdminister)) {
        let text = "依頼した人が、もう職員と権限を変えられません。却下してください。";
        return Err(Halt::Refused(text.to_owned()));
    }
    let stamp = Stamp {
        by: Some(act.asked_by),
        approval: Some(act.id),
        now: act.now,
        today: act.today,
    };
    apply_safely(act.tx, &not_before(change, act.today), &stamp).map_err(|undone| match undone {
        Undone::Failed(problem) => Halt::Failed(problem),
        Undone::Refused(refusal) => Halt::Refused(view::refusal(&refusal)),
    })
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

/// Applies a change; somebody must go on administering staff, and nobody changes her own account.
fn apply_safely(
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

fn refuse_own(tx: &ReadTx<'_>, change: &Change, by: Option<StaffId>) -> Result<(), Undone> {
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
fn position(role: Role) -> i64 {
    let place = (1..).zip(Role::ALL).find(|(_, known)| **known == role);
    place.map_or(0, |(number, _)| number)
}

/// Writes a change of a role; what already holds on its day is no change.
pub(super) fn change_role(
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
    let differs = |s: &&super::model::Step| held.has(s.permission) != s.granted;
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
fn planned(tx: &ReadTx<'_>, id: super::model::RoleRightId, today: Date) -> Result<RoleRow, Undone> {
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
pub(super) fn add_exception(
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
    let wanted = crate::features::staff::accounts::model::Term {
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

/// Does a change make, unmake or touch administrators?
fn concerns_administrators(tx: &ReadTx<'_>, change: &Change, today: Date) -> Result<bool, Undone> {
    let administers = |staff: StaffId, on: Date| -> Result<bool, StoreError> {
        let holder = sql::holder(tx, staff, on)?;
        let is_one = |h: &super::model::Holder| {
            h.role == Role::SystemAdmin.code() || h.rights.has(Permission::StaffAdminister)
        };
        Ok(holder.as_ref().is_some_and(is_one))
    };
    Ok(match change {
        Change::Role(change) => needs_two(change.role, &change.steps),
        Change::Withdrawal { row, .. } => {
            let row = sql::role_row_of(tx, *row)?.ok_or(Refusal::Absent)?;
            let back = super::model::Step {
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

/// Will the second person be asked?
///
/// # Errors
/// [`Refusal::Absent`], and the store's.
pub fn needs_approval(hand: &Hand<'_>, change: &Change) -> Result<bool, Undone> {
    let today = hand.db.clock().today();
    hand.db
        .read(hand.actor, |tx| concerns_administrators(tx, change, today))
}

/// Was exactly this written by the same person: the form sent twice?
fn is_written(tx: &ReadTx<'_>, change: &Change, by: Option<StaffId>) -> Result<bool, Undone> {
    Ok(match change {
        Change::Role(change) => {
            let rows = sql::role_rows(tx)?;
            let written = |step: &super::model::Step| {
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

/// A try that a rule refused is written down.
fn note(hand: &Hand<'_>, change: &Change, undone: &Undone) -> Result<(), Undone> {
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
