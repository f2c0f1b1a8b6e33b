//! Steps of a case.

use store::{ReadTx, Row, RowResult, StoreError, WriteTx, params};

use super::{Hand, note};
use crate::features::abuse_cases::model::{
    CaseId, ClosingReason, Judgement, Method, Power, Safety, Severity, Step, StepWords, Urgent,
};
use crate::web::coded::optional;

/// Steps of one case; one a day for ten years.
const STEPS_MAX: i64 = 4_000;

const STEPS: &str = "
    select t.no, t.kind, t.held_on, t.held_at, t.persons, t.method, t.safety, t.manager,
           t.judgement, t.urgent, t.severity, t.policy, t.roles, t.next_review_on, t.power,
           t.closing_reason, t.note, s.name, t.recorded_at, t.corrects, t.correction_reason,
           t.corrected_by, w.name, t.withdrawn_at, t.withdrawal_reason
    from visible_abuse_steps t join staff s on s.id = t.staff_id
    left join staff w on w.id = t.withdrawn_by
    where t.case_id = ?1 order by t.no limit ?2";

pub(super) fn of(tx: &ReadTx<'_>, case: CaseId) -> Result<Vec<Step>, StoreError> {
    tx.all(STEPS, params![case, STEPS_MAX], step)
}

fn step(row: &Row<'_>) -> RowResult<Step> {
    Ok(Step {
        no: row.get(0)?,
        words: words(row)?,
        by: row.get(17)?,
        at: row.get(18)?,
        corrects: row.get(19)?,
        correction_reason: row.get(20)?,
        corrected_by: row.get(21)?,
        withdrawal: note(row, 22)?,
    })
}

fn words(row: &Row<'_>) -> RowResult<StepWords> {
    Ok(StepWords {
        kind: row.get(1)?,
        held_on: store::day(row, 2)?,
        held_at: row.get(3)?,
        persons: row.get(4)?,
        method: optional(row, 5)?,
        safety: optional(row, 6)?,
        manager: row.get(7)?,
        judgement: optional(row, 8)?,
        urgent: optional(row, 9)?,
        severity: optional(row, 10)?,
        policy: row.get(11)?,
        roles: row.get(12)?,
        next_review_on: store::optional_day(row, 13)?,
        power: optional(row, 14)?,
        closing_reason: optional(row, 15)?,
        note: row.get(16)?,
    })
}

/// Did this form leave a step before?
pub(in super::super) fn step_of(
    tx: &ReadTx<'_>,
    submission: &str,
) -> Result<Option<CaseId>, StoreError> {
    let sql = "select case_id from visible_abuse_steps where submission = ?1";
    tx.one(sql, params![submission], |row| row.get(0).map(CaseId))
}

/// Adds a step, `corrects` names the one in whose place it stands.
///
/// # Errors
/// [`StoreError`].
pub fn insert_step(
    tx: &WriteTx<'_>,
    (case, no): (CaseId, i64),
    words: &StepWords,
    corrects: Option<(i64, &str)>,
    submission: &str,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    tx.insert(
        "insert into abuse_steps (case_id, no, kind, held_on, held_at, persons, method, safety,
           manager, judgement, urgent, severity, policy, roles, next_review_on, power,
           closing_reason, note, corrects, correction_reason, submission, staff_id, recorded_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            case,
            no,
            words.kind.code(),
            words.held_on.to_string(),
            words.held_at,
            words.persons,
            words.method.map_or("", Method::code),
            words.safety.map_or("", Safety::code),
            words.manager,
            words.judgement.map_or("", Judgement::code),
            words.urgent.map_or("", Urgent::code),
            words.severity.map_or("", Severity::code),
            words.policy,
            words.roles,
            words.next_review_on.map(|day| day.to_string()),
            words.power.map_or("", Power::code),
            words.closing_reason.map_or("", ClosingReason::code),
            words.note,
            corrects.map(|(no, _)| no),
            corrects.map_or("", |(_, reason)| reason),
            submission,
            by,
            now
        ],
    )?;
    Ok(())
}

pub(in super::super) fn insert_step_withdrawal(
    tx: &WriteTx<'_>,
    (case, no): (CaseId, i64),
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    let sql = "insert into abuse_step_withdrawals (case_id, step_no, reason, staff_id, recorded_at)
        values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![case, no, reason, by, now]).map(drop)
}
