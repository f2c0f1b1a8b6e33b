//! SQL about requests and decisions.

use jiff::civil::Date;
use store::{ReadTx, Row, RowResult, StaffId, StoreError, WriteTx, day, params};

use super::model::{Approval, ApprovalId, Ask, Decision, State};

const COLUMNS: &str = "
    select a.id, a.kind, a.payload, a.summary, a.reason, a.requested_by, s.name, a.requested_at,
           a.expires_on, d.decision, d.reason, d.decided_by, w.name, d.recorded_at
    from approvals a join staff s on s.id = a.requested_by
    left join approval_decisions d on d.approval_id = a.id
    left join staff w on w.id = d.decided_by";

/// One request.
pub(super) fn approval(tx: &ReadTx<'_>, id: ApprovalId) -> Result<Option<Approval>, StoreError> {
    tx.one(
        &format!("{COLUMNS} where a.id = ?1"),
        params![id],
        approval_row,
    )
}

/// Requests of these kinds or of this person, undecided ones first, then the newest.
pub(super) fn approvals(
    tx: &ReadTx<'_>,
    (kinds, own): (&[&str], StaffId),
    (limit, offset): (usize, usize),
) -> Result<Vec<Approval>, StoreError> {
    let sql = format!(
        "{COLUMNS} where a.requested_by = ?1 or instr(?2, ',' || a.kind || ',') > 0
         order by d.id is null desc, a.id desc limit ?3 offset ?4"
    );
    let page = [limit, offset].map(|n| i64::try_from(n).unwrap_or(i64::MAX));
    let values = params![own, listed(kinds), page[0], page[1]];
    tx.all(&sql, values, approval_row)
}

/// How many there are.
pub(super) fn count(tx: &ReadTx<'_>, kinds: &[&str], own: StaffId) -> Result<usize, StoreError> {
    let sql = "select count(*) from approvals a
        where a.requested_by = ?1 or instr(?2, ',' || a.kind || ',') > 0";
    let count = tx.count(sql, params![own, listed(kinds)])?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Kind codes are ours and hold no comma.
fn listed(kinds: &[&str]) -> String {
    format!(",{},", kinds.join(","))
}

fn approval_row(row: &Row<'_>) -> RowResult<Approval> {
    let decision: Option<String> = row.get(9)?;
    Ok(Approval {
        id: row.get(0)?,
        kind: row.get(1)?,
        payload: row.get(2)?,
        summary: row.get(3)?,
        reason: row.get(4)?,
        by: row.get(5)?,
        by_name: row.get(6)?,
        at: row.get(7)?,
        expires_on: day(row, 8)?,
        decision: match decision {
            None => None,
            Some(decision) => Some(Decision {
                state: State::of(&decision),
                reason: row.get(10)?,
                by: row.get(11)?,
                by_name: row.get(12)?,
                at: row.get(13)?,
            }),
        },
    })
}

/// The same request of the same person that still waits.
pub(super) fn same_waiting(
    tx: &ReadTx<'_>,
    by: StaffId,
    today: Date,
    ask: &Ask<'_>,
) -> Result<Option<ApprovalId>, StoreError> {
    let sql = "select a.id from approvals a where a.kind = ?1 and a.payload = ?2
        and a.requested_by = ?3 and a.expires_on >= ?4
        and not exists (select 1 from approval_decisions d where d.approval_id = a.id)";
    let values = params![ask.kind.code, ask.payload, by, today.to_string()];
    tx.one(sql, values, |row| row.get(0))
}

/// Writes a request down.
pub(super) fn insert(
    tx: &WriteTx<'_>,
    by: StaffId,
    (now, expires_on): (&str, Date),
    ask: &Ask<'_>,
) -> Result<ApprovalId, StoreError> {
    let sql = "insert into approvals
        (kind, payload, summary, reason, requested_by, requested_at, expires_on)
        values (?, ?, ?, ?, ?, ?, ?)";
    let (kind, last) = (ask.kind.code, expires_on.to_string());
    let values = params![kind, ask.payload, ask.summary, ask.reason, by, now, last];
    Ok(ApprovalId(tx.insert(sql, values)?))
}

/// Writes a decision down.
pub(super) fn decide(
    tx: &WriteTx<'_>,
    id: ApprovalId,
    (decision, reason): (&str, &str),
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into approval_decisions
        (approval_id, decision, reason, decided_by, recorded_at) values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![id, decision, reason, by, now])?;
    Ok(())
}
