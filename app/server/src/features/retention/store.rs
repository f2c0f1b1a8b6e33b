//! SQL about what is due, and about requests.

use jiff::civil::Date;
use store::{ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::kinds::{Erasing, Kind};
use super::model::State;
use crate::features::approvals::{self, ApprovalId};

/// How many records of a class are due.
pub(super) fn count(tx: &ReadTx<'_>, kind: &Kind, limit: Date) -> Result<i64, StoreError> {
    let sql = format!("select count(*) from ({}) where day < ?1", kind.ripe);
    tx.count(&sql, params![limit.to_string()])
}

/// A record that is due: its number and its day, nothing of what it says.
#[derive(Debug, Clone)]
pub(super) struct Due {
    pub(super) id: i64,
    pub(super) number: String,
    pub(super) day: String,
}

/// Oldest first.
pub(super) fn due(
    tx: &ReadTx<'_>,
    (kind, limit): (&Kind, Date),
    (most, offset): (usize, usize),
) -> Result<Vec<Due>, StoreError> {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let sql = format!(
        "select id, number, day from ({}) where day < ?1 order by day, id limit ?2 offset ?3",
        kind.ripe
    );
    let values = params![limit.to_string(), number(most), number(offset)];
    tx.all(&sql, values, |row| {
        Ok(Due {
            id: row.get(0)?,
            number: kind.number(row.get(0)?, row.get(1)?),
            day: row.get(2)?,
        })
    })
}

pub(super) fn by_submission(tx: &ReadTx<'_>, submission: &str) -> Result<Option<i64>, StoreError> {
    let sql = "select id from disposal_requests where submission = ?1";
    tx.one(sql, params![submission], |row| row.get(0))
}

/// What is asked for.
pub(super) struct NewRequest<'n> {
    pub(super) class: &'n str,
    pub(super) due_on: Date,
    pub(super) rule: &'n str,
    pub(super) submission: &'n str,
}

pub(super) fn insert_request(
    tx: &WriteTx<'_>,
    new: &NewRequest<'_>,
    records: &[Due],
    (approval, now): (ApprovalId, &str),
) -> Result<i64, StoreError> {
    let sql = "insert into disposal_requests (class, due_on, rule, submission, approval_id,
        recorded_at) values (?1, ?2, ?3, ?4, ?5, ?6)";
    let due_on = new.due_on.to_string();
    let values = params![new.class, due_on, new.rule, new.submission, approval, now];
    let id = tx.insert(sql, values)?;
    let sql = "insert into disposal_request_records (request_id, record_id, number)
        values (?1, ?2, ?3)";
    for record in records {
        tx.execute(sql, params![id, record.id, record.number])?;
    }
    Ok(id)
}

/// A request with what became of it.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) id: i64,
    pub(super) class: String,
    pub(super) due_on: String,
    pub(super) rule: String,
    pub(super) reason: String,
    pub(super) approval: ApprovalId,
    pub(super) requester: String,
    pub(super) recorded_at: String,
    pub(super) records: i64,
    /// What was decided, reason, by whom, when.
    pub(super) decision: Option<(approvals::State, String, String, String)>,
    pub(super) disposal: Option<Disposal>,
}

/// What was done.
#[derive(Debug, Clone)]
pub(super) struct Disposal {
    pub(super) disposed: i64,
    pub(super) kept: i64,
    pub(super) method: String,
    pub(super) backups_forget_on: Option<String>,
    pub(super) by: String,
    pub(super) at: String,
}

impl Request {
    pub(super) fn state(&self) -> State {
        use approvals::State as Decided;
        match (&self.disposal, self.decision.as_ref().map(|d| d.0)) {
            (Some(_), _) => State::Disposed,
            (None, Some(Decided::Approved)) => State::Approved,
            (None, Some(Decided::Refused)) => State::Refused,
            (None, Some(Decided::Withdrawn)) => State::Withdrawn,
            (None, Some(Decided::Lapsed)) => State::Lapsed,
            (None, Some(Decided::Waiting | Decided::Urgent) | None) => State::Requested,
        }
    }
}

const REQUESTS: &str = "select r.id, r.class, r.due_on, r.rule, q.reason, r.approval_id,
      s.name as requester, r.recorded_at,
      (select count(*) from disposal_request_records x where x.request_id = r.id) as records,
      d.decision, d.reason as decision_reason, t.name as decider, d.recorded_at as decided_at,
      p.disposed, p.kept, p.method, p.backups_forget_on, u.name as disposer,
      p.recorded_at as disposed_at
    from disposal_requests r
    join approvals q on q.id = r.approval_id
    join staff s on s.id = q.requested_by
    left join approval_decisions d on d.approval_id = r.approval_id
    left join staff t on t.id = d.decided_by
    left join disposals p on p.request_id = r.id
    left join staff u on u.id = p.disposed_by";

fn request(row: &Row<'_>) -> RowResult<Request> {
    let text = |name: &str| {
        row.get::<_, Option<String>>(name)
            .map(Option::unwrap_or_default)
    };
    let decision: Option<String> = row.get("decision")?;
    let disposed: Option<i64> = row.get("disposed")?;
    let decided = (
        text("decision_reason")?,
        text("decider")?,
        text("decided_at")?,
    );
    let done = Disposal {
        disposed: disposed.unwrap_or_default(),
        kept: row.get::<_, Option<i64>>("kept")?.unwrap_or_default(),
        method: text("method")?,
        backups_forget_on: row.get("backups_forget_on")?,
        by: text("disposer")?,
        at: text("disposed_at")?,
    };
    Ok(Request {
        id: row.get("id")?,
        class: row.get("class")?,
        due_on: row.get("due_on")?,
        rule: row.get("rule")?,
        reason: row.get("reason")?,
        approval: row.get("approval_id")?,
        requester: row.get("requester")?,
        recorded_at: row.get("recorded_at")?,
        records: row.get("records")?,
        decision: decision.map(|d| (approvals::State::of(&d), decided.0, decided.1, decided.2)),
        disposal: disposed.map(|_| done),
    })
}

/// The newest ones: one or two a year.
pub(super) fn requests(tx: &ReadTx<'_>) -> Result<Vec<Request>, StoreError> {
    let sql = format!("{REQUESTS} order by r.id desc limit 200");
    tx.all(&sql, [], request)
}

/// That of a request to a second person.
pub(super) fn asked_for(
    tx: &ReadTx<'_>,
    approval: ApprovalId,
) -> Result<Option<Request>, StoreError> {
    let sql = format!("{REQUESTS} where r.approval_id = ?1");
    tx.one(&sql, params![approval], request)
}

pub(super) fn find(tx: &ReadTx<'_>, id: i64) -> Result<Option<Request>, StoreError> {
    let sql = format!("{REQUESTS} where r.id = ?1");
    tx.one(&sql, params![id], request)
}

/// Numbers of the records that a request asks for.
pub(super) fn numbers(tx: &ReadTx<'_>, id: i64) -> Result<Vec<String>, StoreError> {
    let sql =
        "select number from disposal_request_records where request_id = ?1 order by record_id";
    tx.all(sql, params![id], |row| row.get(0))
}

pub(super) fn insert_disposal(
    tx: &WriteTx<'_>,
    id: i64,
    (disposed, kept): (i64, i64),
    (method, forget_on): (&str, Option<Date>),
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into disposals (request_id, disposed, kept, method, backups_forget_on,
          disposed_by, recorded_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let forget_on = forget_on.map(|day| day.to_string());
    tx.execute(sql, params![id, disposed, kept, method, forget_on, by, now])?;
    Ok(())
}

/// Records of a request.
pub(super) fn records(tx: &ReadTx<'_>, id: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "select record_id from disposal_request_records where request_id = ?1
        order by record_id";
    tx.all(sql, params![id], |row| row.get(0))
}

/// Whom a record is about, when it is still due; outside: it is not. Between approval and erasure
/// somebody may have corrected it.
pub(super) fn still_due(
    tx: &ReadTx<'_>,
    record: i64,
    (kind, limit): (&Kind, Date),
) -> Result<Option<Option<ResidentId>>, StoreError> {
    let sql = format!(
        "select resident_id from ({}) where id = ?2 and day < ?1",
        kind.ripe
    );
    tx.one(&sql, params![limit.to_string(), record], |row| row.get(0))
}

/// The file of an archived year goes after the commit ([`store::Db::sweep_disposed`]): what is here
/// is the entry, which the caller writes.
pub(super) fn erase(tx: &WriteTx<'_>, record: i64, erasing: &Erasing) -> Result<(), StoreError> {
    match erasing {
        Erasing::Rows(statements) => statements
            .iter()
            .try_for_each(|statement| tx.execute(statement, params![record]).map(drop)),
        Erasing::ArchivedYear => Ok(()),
    }
}

/// Requests in which a record of this number stands, newest first.
pub(super) fn of_number(tx: &ReadTx<'_>, number: &str) -> Result<Vec<Request>, StoreError> {
    let sql = format!(
        "{REQUESTS} where exists (select 1 from disposal_request_records n
           where n.request_id = r.id and n.number = ?1) order by r.id desc limit 200"
    );
    tx.all(&sql, params![number], request)
}

/// Folders of evidence that were put aside before a moment: each holds a copy of everything.
pub(super) fn evidence_before(tx: &ReadTx<'_>, at: &str) -> Result<i64, StoreError> {
    let sql = "select count(*) from incident_evidence where recorded_at < ?1";
    tx.count(sql, params![at])
}
