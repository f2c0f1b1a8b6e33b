//! SQL about requests and decisions.

use jiff::civil::Date;
use store::{ReadTx, Row, RowResult, StaffId, StoreError, WriteTx, day, params};

use super::eligible::{EYES, Eyes};
use super::model::{Approval, ApprovalId, Ask, Bar, Decision, Facts, State, Urgency};
use super::{Standing, Waiting};

const COLUMNS: &str = "
    select a.id, a.kind, a.payload, a.facts, a.summary, a.reason, a.urgent, a.requested_by, s.name,
           a.requested_at, a.expires_on, d.decision, d.reason, d.decided_by, coalesce(w.name, ''),
           d.recorded_at";
const FROM: &str = "
    from eyes cross join approvals a join staff s on s.id = a.requested_by
    left join approval_decisions d on d.approval_id = a.id
    left join staff w on w.id = d.decided_by";

fn columns(eyes: &Eyes) -> String {
    format!("{EYES} {COLUMNS}, {} {FROM}", eyes.bar)
}

/// One request, if it is one's own or one may know of it.
pub(super) fn visible(
    tx: &ReadTx<'_>,
    id: ApprovalId,
    eyes: &Eyes,
) -> Result<Option<Approval>, StoreError> {
    let sql = format!("{} where a.id = ?5 and {}", columns(eyes), eyes.seen);
    let values = params![
        eyes.staff,
        eyes.centre,
        eyes.today.to_string(),
        eyes.since.to_string(),
        id
    ];
    tx.one(&sql, values, approval_row)
}

/// Which of the requests that somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// Those that she may decide now.
    ToDecide,
    /// Her own.
    Own,
    /// All that she sees.
    All,
}

/// Still to be decided.
const WAITS: &str = "d.id is null and (a.urgent = 1 or a.expires_on >= eyes.today)";

fn matching(eyes: &Eyes, which: Which) -> String {
    match which {
        Which::ToDecide => format!("{WAITS} and {} and ({}) is null", eyes.seen, eyes.bar),
        Which::Own => "a.requested_by = eyes.staff".to_owned(),
        Which::All => eyes.seen.clone(),
    }
}

/// Those to decide with the urgent and the oldest first, others the newest first.
pub(super) fn approvals(
    tx: &ReadTx<'_>,
    (eyes, which): (&Eyes, Which),
    (limit, offset): (usize, usize),
) -> Result<Vec<Approval>, StoreError> {
    let order = match which {
        Which::ToDecide => "a.urgent desc, a.id",
        Which::Own | Which::All => "a.id desc",
    };
    let sql = format!(
        "{} where {} order by {order} limit ?5 offset ?6",
        columns(eyes),
        matching(eyes, which)
    );
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let values = params![
        eyes.staff,
        eyes.centre,
        eyes.today.to_string(),
        eyes.since.to_string(),
        number(limit),
        number(offset)
    ];
    tx.all(&sql, values, approval_row)
}

fn counted<T>(
    tx: &ReadTx<'_>,
    eyes: &Eyes,
    (what, condition): (&str, &str),
    map: impl FnOnce(&Row<'_>) -> RowResult<T>,
) -> Result<Option<T>, StoreError> {
    let sql = format!("{EYES} select {what} {FROM} where {condition}");
    let (today, since) = (eyes.today.to_string(), eyes.since.to_string());
    tx.one(&sql, params![eyes.staff, eyes.centre, today, since], map)
}

/// How many there are.
pub(super) fn count(tx: &ReadTx<'_>, (eyes, which): (&Eyes, Which)) -> Result<usize, StoreError> {
    let condition = matching(eyes, which);
    let count: Option<i64> = counted(tx, eyes, ("count(*)", &condition), |row| row.get(0))?;
    Ok(usize::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// What waits for a person: what she may decide, and what of hers others have not decided.
pub(super) fn waiting(tx: &ReadTx<'_>, eyes: &Eyes) -> Result<Waiting, StoreError> {
    let to_decide = matching(eyes, Which::ToDecide);
    let found = counted(
        tx,
        eyes,
        ("count(*), min(a.requested_at)", &to_decide),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let own = format!("{WAITS} and {}", matching(eyes, Which::Own));
    let own = counted(tx, eyes, ("count(*)", &own), |row| row.get(0))?;
    let (count, oldest) = found.unwrap_or_default();
    Ok(Waiting {
        count,
        oldest,
        own: own.unwrap_or(0),
    })
}

fn approval_row(row: &Row<'_>) -> RowResult<Approval> {
    let decision: Option<String> = row.get(11)?;
    let facts: String = row.get(3)?;
    let bar: Option<String> = row.get(16)?;
    Ok(Approval {
        id: row.get(0)?,
        kind: row.get(1)?,
        payload: row.get(2)?,
        // Facts that cannot be read differ from whatever is true: nothing is approved on them.
        facts: serde_json::from_str(&facts).unwrap_or_else(|_| unreadable()),
        summary: row.get(4)?,
        reason: row.get(5)?,
        urgent: row.get(6)?,
        by: row.get(7)?,
        by_name: row.get(8)?,
        at: row.get(9)?,
        expires_on: day(row, 10)?,
        decision: match decision {
            None => None,
            Some(decision) => Some(Decision {
                state: State::of(&decision),
                reason: row.get(12)?,
                by: row.get(13)?,
                by_name: row.get(14)?,
                at: row.get(15)?,
            }),
        },
        bar: bar.as_deref().map(Bar::of),
    })
}

fn unreadable() -> Facts {
    Facts::new([("依頼のときの状態", "読めません".to_owned())])
}

/// Requests of a person that are looked through for one that still holds.
const OWN_MAX: i64 = 100;

const OWN: &str = "
    select a.id, a.payload, a.urgent, a.expires_on < ?3, d.decision, coalesce(d.recorded_at, ''),
           coalesce(d.reason, ''),
           exists (select 1 from approval_uses u where u.approval_id = a.id)
    from approvals a left join approval_decisions d on d.approval_id = a.id
    where a.requested_by = ?1 and a.kind = ?2 order by a.id desc limit ?4";

/// The newest requests of one kind by one person.
pub(super) fn own(
    tx: &ReadTx<'_>,
    kind: &str,
    by: StaffId,
    today: Date,
) -> Result<Vec<Standing>, StoreError> {
    tx.all(OWN, params![by, kind, today.to_string(), OWN_MAX], |row| {
        let (urgent, over): (bool, bool) = (row.get(2)?, row.get(3)?);
        let decision: Option<String> = row.get(4)?;
        Ok(Standing {
            id: row.get(0)?,
            payload: row.get(1)?,
            state: match decision {
                Some(decision) => State::of(&decision),
                None if urgent => State::Urgent,
                None if over => State::Lapsed,
                None => State::Waiting,
            },
            decided_at: row.get(5)?,
            reason: row.get(6)?,
            used: row.get(7)?,
        })
    })
}

/// What was approved is done; a second time is an error of the table.
pub(super) fn use_up(
    tx: &WriteTx<'_>,
    id: ApprovalId,
    carried_out: i64,
    now: &str,
) -> Result<(), StoreError> {
    let sql = "insert into approval_uses (approval_id, carried_out_id, used_at) values (?, ?, ?)";
    tx.execute(sql, params![id, carried_out, now])?;
    Ok(())
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
    let sql = "insert into approvals (kind, payload, facts, summary, reason, urgent, centre_id,
        requested_by, requested_at, expires_on) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let facts = serde_json::json!(ask.facts).to_string();
    let values = params![
        ask.kind.code,
        ask.payload,
        facts,
        ask.summary,
        ask.reason,
        ask.urgency == Urgency::WorksAlready,
        ask.centre,
        by,
        now,
        expires_on.to_string()
    ];
    Ok(ApprovalId(tx.insert(sql, values)?))
}

/// Writes a decision down; nobody's: it lapsed.
pub(super) fn decide(
    tx: &WriteTx<'_>,
    id: ApprovalId,
    (decision, reason): (&str, &str),
    (by, now): (Option<StaffId>, &str),
) -> Result<(), StoreError> {
    let sql = "insert into approval_decisions
        (approval_id, decision, reason, decided_by, recorded_at) values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![id, decision, reason, by, now])?;
    Ok(())
}

/// What nobody decided in time.
pub(super) fn overdue(tx: &ReadTx<'_>, today: Date) -> Result<Vec<ApprovalId>, StoreError> {
    let sql = "select a.id from approvals a where a.urgent = 0 and a.expires_on < ?1
        and not exists (select 1 from approval_decisions d where d.approval_id = a.id)
        order by a.id";
    tx.all(sql, params![today.to_string()], |row| row.get(0))
}
