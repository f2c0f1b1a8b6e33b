//! SQL about windows.

use store::{
    Actor, Db, Event, Operation, ReadTx, RecordKind, Row, RowResult, StaffId, StoreError, WriteTx,
    params,
};

use super::model::{Ending, Grant, GrantId, NewGrant, Person, Request};
use crate::web::{Problem, Role, window};

const PEOPLE: &str = "
    select s.id, s.login, s.name from staff s
    join staff_terms p on p.staff_id = s.id
    where p.role = ?1 and (p.ends_on is null or p.ends_on >= ?2) and p.starts_on <= ?2
    order by s.kana, s.id";

/// Who of the vendor has an account today.
pub(super) fn people(tx: &ReadTx<'_>, today: &str) -> Result<Vec<Person>, StoreError> {
    tx.all(PEOPLE, params![Role::Vendor.code(), today], |row| {
        Ok(Person {
            id: row.get(0)?,
            login: row.get(1)?,
            name: row.get(2)?,
        })
    })
}

const GRANTS: &str = "
    select g.id, g.staff_id, s.login, s.name, g.purpose, g.starts_at, g.ends_at, b.name,
           g.recorded_at, e.reason, w.name, e.recorded_at,
           (select count(*) from maintenance_requests r where r.grant_id = g.id)
    from maintenance_grants g
    join staff s on s.id = g.staff_id
    join staff b on b.id = g.granted_by
    left join maintenance_endings e on e.grant_id = g.id
    left join staff w on w.id = e.ended_by";

fn row(row: &Row<'_>) -> RowResult<Grant> {
    let reason: Option<String> = row.get(9)?;
    let ending = match reason {
        Some(reason) => Some(Ending {
            reason,
            by: row.get(10)?,
            at: row.get(11)?,
        }),
        None => None,
    };
    Ok(Grant {
        id: row.get(0)?,
        staff: row.get(1)?,
        login: row.get(2)?,
        name: row.get(3)?,
        purpose: row.get(4)?,
        starts_at: row.get(5)?,
        ends_at: row.get(6)?,
        granted_by: row.get(7)?,
        recorded_at: row.get(8)?,
        ending,
        requests: row.get(12)?,
    })
}

/// Newest first.
pub(super) fn grants(
    tx: &ReadTx<'_>,
    limit: usize,
    before: usize,
) -> Result<(i64, Vec<Grant>), StoreError> {
    let page = (
        i64::try_from(limit).unwrap_or(i64::MAX),
        i64::try_from(before).unwrap_or(i64::MAX),
    );
    let sql = format!("{GRANTS} order by g.id desc limit ?1 offset ?2");
    let rows = tx.all(&sql, params![page.0, page.1], row)?;
    Ok((
        tx.count("select count(*) from maintenance_grants", [])?,
        rows,
    ))
}

pub(super) fn find(tx: &ReadTx<'_>, id: GrantId) -> Result<Option<Grant>, StoreError> {
    tx.one(&format!("{GRANTS} where g.id = ?1"), params![id], row)
}

/// Opens a window. The same form twice is the same window: the second value says so.
///
/// # Errors
/// [`Problem`] of the store.
pub fn grant(db: &Db, actor: &Actor, new: &NewGrant) -> Result<(GrantId, bool), Problem> {
    let now = format!("{:.6}", db.clock().now());
    let (starts_at, ends_at) = (
        format!("{:.6}", new.starts_at),
        format!("{:.6}", new.ends_at),
    );
    let known = "select id from maintenance_grants where submission = ?1";
    let made = db.write(actor, |tx| {
        if let Some(id) = tx.one(known, params![new.submission], |row| row.get(0))? {
            return Err(Double::Known(id));
        }
        let id = tx.insert(
            "insert into maintenance_grants
               (staff_id, purpose, starts_at, ends_at, submission, granted_by, recorded_at)
             values (?, ?, ?, ?, ?, ?, ?)",
            params![
                new.staff,
                new.purpose,
                starts_at,
                ends_at,
                new.submission,
                actor.staff_id,
                now
            ],
        )?;
        let text = format!(
            "職員番号＝{}／期間＝{}～{}／目的＝{}",
            new.staff,
            crate::web::banner::moment(&starts_at),
            crate::web::banner::moment(&ends_at),
            new.purpose
        );
        let event = Event::done(Operation::MaintenanceGrant).on(RecordKind::Maintenance, id);
        Ok(tx.audited(event.detail(text), GrantId(id)))
    });
    match made {
        Ok(id) => Ok((id, false)),
        Err(Double::Known(id)) => Ok((id, true)),
        Err(Double::Failed(error)) => Err(error.into()),
    }
}

/// Why nothing was written.
enum Double {
    /// This form made one before.
    Known(GrantId),
    /// The world.
    Failed(StoreError),
}

impl From<StoreError> for Double {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

/// Ends a window now.
pub(super) fn end(
    tx: &WriteTx<'_>,
    grant: &Grant,
    (by, reason): (StaffId, &str),
    now: &str,
) -> Result<Event, StoreError> {
    tx.insert(
        "insert into maintenance_endings (grant_id, reason, ended_by, recorded_at)
         values (?, ?, ?, ?)",
        params![grant.id, reason, by, now],
    )?;
    let text = format!(
        "終わり：前＝{}／後＝{}／理由＝{reason}",
        crate::web::banner::moment(&grant.ends_at),
        crate::web::banner::moment(now)
    );
    let event = Event::done(Operation::MaintenanceEnd).on(RecordKind::Maintenance, grant.id.0);
    Ok(event.detail(text))
}

const REQUESTS: &str = "select at, terminal, method, path, typed, allowed, id
    from maintenance_requests where grant_id = ?1 order by id limit ?2 offset ?3";

/// What was asked for in a window, in order.
pub(super) fn requests(
    tx: &ReadTx<'_>,
    id: GrantId,
    limit: usize,
    before: usize,
) -> Result<Vec<Request>, StoreError> {
    let page = (
        i64::try_from(limit).unwrap_or(i64::MAX),
        i64::try_from(before).unwrap_or(i64::MAX),
    );
    tx.all(REQUESTS, params![id, page.0, page.1], |row| {
        Ok(Request {
            at: row.get(0)?,
            terminal: row.get(1)?,
            method: row.get(2)?,
            path: row.get(3)?,
            typed: row.get(4)?,
            allowed: row.get(5)?,
            id: row.get(6)?,
        })
    })
}

const MARKS: &str = "select detail from audit_entries
    where record_kind = ?1 and record_id = ?2 and operation = ?3 order by id";

/// What the access log says about the requests of a window: number and checksum.
pub(super) fn marks(tx: &ReadTx<'_>, id: GrantId) -> Result<Vec<(i64, String)>, StoreError> {
    let (kind, operation) = (
        RecordKind::Maintenance.code(),
        Operation::MaintenanceRequest.code(),
    );
    let details = tx.all(MARKS, params![kind, id, operation], |row| {
        row.get::<_, String>(0)
    })?;
    let marks = details.iter().filter_map(|detail| window::marked(detail));
    Ok(marks.map(|(id, sum)| (id, sum.to_owned())).collect())
}
