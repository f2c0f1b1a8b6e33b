//! SQL about what is due, and about requests.

use jiff::civil::Date;
use store::{ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::model::State;
use crate::features::approvals::{self, ApprovalId};

const CLOSED: &str = "(c.withdrawn = 1 or c.outcome in (select k.code from codes k
      where k.list = 'consultation_outcome' and k.label like '終結%'))
    and (c.withdrawn = 1 or c.followed_up = 1 or (c.next_action = '' and c.next_due_on is null))
    and c.received_on < ?1 and c.taken = 0";

/// How many records of a class are due. Residents' records through the scoped views.
pub(super) fn count(tx: &ReadTx<'_>, class: &str, limit: Date) -> Result<i64, StoreError> {
    let sql = match class {
        "consultations" => {
            format!("select count(*) from visible_current_consultations c where {CLOSED}")
        }
        "access_log" => "select count(*) from audit_entries where at < ?1".to_owned(),
        "carried_out" => "select count(*) from carried_out_states c
            where (c.withdrawn = 1 or c.due_on is null or c.ending in ('returned', 'disposed'))
              and coalesce(c.ended_on, c.taken_on) < ?1"
            .to_owned(),
        "inspections" => "select count(*) from inspections where checked_on < ?1".to_owned(),
        "abuse_cases" => "select count(*) from visible_abuse_cases c
            join visible_abuse_steps s on s.case_id = c.id and s.no = (
              select max(l.no) from visible_abuse_steps l
              where l.case_id = c.id and l.kind in ('closing', 'reopening')
                and l.withdrawn_at is null and l.corrected_by is null)
            where s.kind = 'closing' and s.held_on < ?1"
            .to_owned(),
        "imports" => "select count(*) from imports where applied_at < ?1".to_owned(),
        _ => return Ok(0),
    };
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
    limit: Date,
    (most, offset): (usize, usize),
) -> Result<Vec<Due>, StoreError> {
    let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let sql = format!(
        "select c.id, c.number, c.received_on from visible_current_consultations c
         where {CLOSED} order by c.received_on, c.id limit ?2 offset ?3"
    );
    let values = params![limit.to_string(), number(most), number(offset)];
    tx.all(&sql, values, |row| {
        Ok(Due {
            id: row.get(0)?,
            number: row.get(1)?,
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

// The same question as CLOSED, of one record, asked by the system itself: between approval and
// erasure somebody may have corrected it.
const STILL_DUE: &str = "select k.resident_id from consultations c
    join consultation_versions v on v.consultation_id = c.id
      and v.version = (select max(l.version) from consultation_versions l
                       where l.consultation_id = c.id)
    left join consultation_clients k on k.consultation_id = c.id
      and k.id = (select max(l.id) from consultation_clients l where l.consultation_id = c.id)
    left join consultation_withdrawals w on w.consultation_id = c.id
    where c.id = ?2 and v.received_on < ?1
      -- What belongs to an abuse case is kept as long as the case.
      and not exists (select 1 from abuse_takings t where t.consultation_id = c.id
                      and not exists (select 1 from abuse_taking_endings e where e.taking_id = t.id))
      and (w.id is not null or v.outcome in (select k.code from codes k
             where k.list = 'consultation_outcome' and k.label like '終結%'))
      and (w.id is not null or (v.next_action = '' and v.next_due_on is null)
           or exists (select 1 from consultation_follow_ups f
                join consultation_versions o
                  on o.consultation_id = f.consultation_id and o.version = f.version
                where f.consultation_id = c.id and o.next_action = v.next_action
                  and o.next_due_on is v.next_due_on))";

/// Records of a request.
pub(super) fn records(tx: &ReadTx<'_>, id: i64) -> Result<Vec<i64>, StoreError> {
    let sql = "select record_id from disposal_request_records where request_id = ?1
        order by record_id";
    tx.all(sql, params![id], |row| row.get(0))
}

/// Whom a record is about, when it is still due; outside: it is not.
pub(super) fn still_due(
    tx: &ReadTx<'_>,
    record: i64,
    limit: Date,
) -> Result<Option<Option<ResidentId>>, StoreError> {
    tx.one(STILL_DUE, params![limit.to_string(), record], |row| {
        row.get(0)
    })
}

/// Everything that a consultation said and whom it was about. Its head stays: number, centre, who
/// wrote it and when, so that the number is never given to another.
const ERASE: [&str; 7] = [
    "delete from consultation_categories where version_id in
       (select id from consultation_versions where consultation_id = ?1)",
    "delete from consultation_responses where version_id in
       (select id from consultation_versions where consultation_id = ?1)",
    "delete from consultation_follow_ups where consultation_id = ?1",
    "delete from consultation_withdrawals where consultation_id = ?1",
    "delete from consultation_clients where consultation_id = ?1",
    "delete from consultation_versions where consultation_id = ?1",
    "delete from drafts where form = '/consultations/' || ?1 || '/edit'",
];

pub(super) fn erase(tx: &WriteTx<'_>, record: i64) -> Result<(), StoreError> {
    for statement in ERASE {
        tx.execute(statement, params![record])?;
    }
    Ok(())
}
