//! SQL about incidents. Every statement asks for the viewer's part of them.

use base::clock::japan;
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{
    CentreId, ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, day, params,
    params_from_iter,
};

use super::model::{
    Corrected, Criterion, Incident, IncidentId, Kind, Known, Step, TOUCHED_MAX, TextKind,
};

/// Whose incidents somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Those of everybody.
    City,
    /// Those of one centre.
    Centre(CentreId),
    /// None.
    Nothing,
}

impl Sight {
    fn key(self) -> i64 {
        match self {
            Self::City => 0,
            Self::Centre(id) => id.0,
            Self::Nothing => -1,
        }
    }
}

const SEEN: &str = "(?1 = 0 or i.centre_id = ?1)";

const COLUMNS: &str = "
    select i.id, c.short_name, r.name, i.recorded_at, v.version, v.title, v.kind, v.known_on,
           v.happened, v.summary, v.items, v.persons, v.cause, v.secondary, v.response,
           v.publication, v.prevention, v.other, v.criteria, v.assessed, w.name, v.recorded_at,
           v.correction_reason
    from incidents i
    join incident_versions v on v.incident_id = i.id and v.version =
      (select max(l.version) from incident_versions l where l.incident_id = i.id)
    join staff r on r.id = i.reported_by
    join staff w on w.id = v.recorded_by
    left join support_centres c on c.id = i.centre_id";

fn incident(row: &Row<'_>) -> RowResult<Incident> {
    let version: i64 = row.get(4)?;
    let corrected = if version > 1 {
        Some(Corrected {
            by: row.get(20)?,
            at: row.get(21)?,
            reason: row.get(22)?,
        })
    } else {
        None
    };
    Ok(Incident {
        id: row.get(0)?,
        centre: row.get(1)?,
        reported_by: row.get(2)?,
        reported_at: row.get(3)?,
        version,
        known: known(row)?,
        corrected,
        steps: Vec::new(),
    })
}

fn known(row: &Row<'_>) -> RowResult<Known> {
    let (kind, criteria): (String, String) = (row.get(6)?, row.get(18)?);
    Ok(Known {
        title: row.get(5)?,
        kind: Kind::from_code(&kind).unwrap_or(Kind::Feared),
        known_on: day(row, 7)?,
        happened: row.get(8)?,
        summary: row.get(9)?,
        items: row.get(10)?,
        persons: row.get(11)?,
        cause: row.get(12)?,
        secondary: row.get(13)?,
        response: row.get(14)?,
        publication: row.get(15)?,
        prevention: row.get(16)?,
        other: row.get(17)?,
        criteria: criteria
            .split(',')
            .filter_map(Criterion::from_code)
            .collect(),
        assessed: row.get(19)?,
    })
}

fn steps(tx: &ReadTx<'_>, id: IncidentId) -> Result<Vec<Step>, StoreError> {
    let sql = "select t.kind, t.held_on, t.note, s.name, t.recorded_at from incident_steps t
        join staff s on s.id = t.staff_id where t.incident_id = ?1 order by t.id";
    tx.all(sql, params![id], |row| {
        Ok(Step {
            kind: row.get(0)?,
            held_on: row.get(1)?,
            note: row.get(2)?,
            by: row.get(3)?,
            at: row.get(4)?,
        })
    })
}

/// One incident with its steps.
pub(super) fn find(
    tx: &ReadTx<'_>,
    sight: Sight,
    id: IncidentId,
) -> Result<Option<Incident>, StoreError> {
    let sql = format!("{COLUMNS} where {SEEN} and i.id = ?2");
    let found = tx.one(&sql, params![sight.key(), id], incident)?;
    let Some(found) = found else { return Ok(None) };
    let steps = steps(tx, id)?;
    Ok(Some(Incident { steps, ..found }))
}

/// Newest first, with their steps.
pub(super) fn list(
    tx: &ReadTx<'_>,
    sight: Sight,
    limit: usize,
    before: usize,
) -> Result<(usize, Vec<Incident>), StoreError> {
    let (limit, before) = (
        i64::try_from(limit).unwrap_or(i64::MAX),
        i64::try_from(before).unwrap_or(i64::MAX),
    );
    let sql = format!("{COLUMNS} where {SEEN} order by i.id desc limit ?2 offset ?3");
    let rows = tx.all(&sql, params![sight.key(), limit, before], incident)?;
    let mut found = Vec::new();
    for row in rows {
        let steps = steps(tx, row.id)?;
        found.push(Incident { steps, ..row });
    }
    let count = format!("select count(*) from incidents i where {SEEN}");
    let total = tx.count(&count, params![sight.key()])?;
    Ok((usize::try_from(total).unwrap_or_default(), found))
}

/// The incident that a form made before.
pub(super) fn by_submission(
    tx: &ReadTx<'_>,
    sight: Sight,
    submission: &str,
) -> Result<Option<IncidentId>, StoreError> {
    let sql = format!("select i.id from incidents i where {SEEN} and i.submission = ?2");
    tx.one(&sql, params![sight.key(), submission], |row| row.get(0))
}

/// Who writes, when.
pub(super) type Hand<'h> = (StaffId, &'h str);

pub(super) fn insert(
    tx: &WriteTx<'_>,
    centre: Option<CentreId>,
    submission: &str,
    (by, now): Hand<'_>,
) -> Result<IncidentId, StoreError> {
    let id = tx.insert(
        "insert into incidents (centre_id, submission, reported_by, recorded_at)
         values (?, ?, ?, ?)",
        params![centre, submission, by, now],
    )?;
    Ok(IncidentId(id))
}

pub(super) fn insert_version(
    tx: &WriteTx<'_>,
    (id, version): (IncidentId, i64),
    known: &Known,
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    let criteria: Vec<&str> = known.criteria.iter().map(|one| one.code()).collect();
    tx.insert(
        "insert into incident_versions (incident_id, version, title, kind, known_on, happened,
           summary, items, persons, cause, secondary, response, publication, prevention, other,
           criteria, assessed, recorded_by, recorded_at, correction_reason)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            id,
            version,
            known.title,
            known.kind.code(),
            known.known_on.to_string(),
            known.happened,
            known.summary,
            known.items,
            known.persons,
            known.cause,
            known.secondary,
            known.response,
            known.publication,
            known.prevention,
            known.other,
            criteria.join(","),
            known.assessed,
            by,
            now,
            reason
        ],
    )?;
    Ok(())
}

/// Adds a step; false when this form did before.
pub(super) fn insert_step(
    tx: &WriteTx<'_>,
    id: IncidentId,
    (kind, held_on, note): (&str, Date, &str),
    submission: &str,
    (by, now): Hand<'_>,
) -> Result<bool, StoreError> {
    let done = tx.execute(
        "insert into incident_steps
           (incident_id, kind, held_on, note, submission, staff_id, recorded_at)
         values (?, ?, ?, ?, ?, ?, ?) on conflict (submission) do nothing",
        params![id, kind, held_on.to_string(), note, submission, by, now],
    )?;
    Ok(done > 0)
}

/// Did this form leave a step before?
pub(super) fn step_of(tx: &ReadTx<'_>, submission: &str) -> Result<bool, StoreError> {
    let sql = "select count(*) from incident_steps where submission = ?1";
    Ok(tx.count(sql, params![submission])? > 0)
}

/// A worded text.
pub(super) struct Worded {
    pub(super) version: i64,
    pub(super) body: String,
    pub(super) by: String,
    pub(super) at: String,
}

const TEXTS: &str = "select t.version, t.body, s.name, t.recorded_at from incident_texts t
    join staff s on s.id = t.recorded_by
    where t.incident_id = ?1 and t.kind = ?2 order by t.version desc";

/// All versions of a text, newest first.
pub(super) fn texts(
    tx: &ReadTx<'_>,
    id: IncidentId,
    kind: TextKind,
) -> Result<Vec<Worded>, StoreError> {
    tx.all(TEXTS, params![id, kind.code()], |row| {
        Ok(Worded {
            version: row.get(0)?,
            body: row.get(1)?,
            by: row.get(2)?,
            at: row.get(3)?,
        })
    })
}

pub(super) fn insert_text(
    tx: &WriteTx<'_>,
    id: IncidentId,
    (kind, version, body): (TextKind, i64, &str),
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    tx.insert(
        "insert into incident_texts (incident_id, kind, version, body, recorded_by, recorded_at)
         values (?, ?, ?, ?, ?, ?)",
        params![id, kind.code(), version, body, by, now],
    )?;
    Ok(())
}

/// A folder that was put aside.
pub(super) struct Kept {
    pub(super) folder: String,
    pub(super) reason: String,
    pub(super) first_on: String,
    pub(super) last_on: String,
    pub(super) rows: i64,
    pub(super) bytes: i64,
    pub(super) sums_sha256: String,
    pub(super) by: String,
    pub(super) at: String,
}

pub(super) fn evidence(tx: &ReadTx<'_>, id: IncidentId) -> Result<Vec<Kept>, StoreError> {
    let sql = "select e.folder, e.reason, e.first_on, e.last_on, e.rows, e.bytes, e.sums_sha256,
          s.name, e.recorded_at from incident_evidence e
        join staff s on s.id = e.staff_id where e.incident_id = ?1 order by e.id desc";
    tx.all(sql, params![id], |row| {
        Ok(Kept {
            folder: row.get(0)?,
            reason: row.get(1)?,
            first_on: row.get(2)?,
            last_on: row.get(3)?,
            rows: row.get(4)?,
            bytes: row.get(5)?,
            sums_sha256: row.get(6)?,
            by: row.get(7)?,
            at: row.get(8)?,
        })
    })
}

pub(super) fn evidence_of(tx: &ReadTx<'_>, submission: &str) -> Result<bool, StoreError> {
    let sql = "select count(*) from incident_evidence where submission = ?1";
    Ok(tx.count(sql, params![submission])? > 0)
}

pub(super) fn insert_evidence(
    tx: &WriteTx<'_>,
    id: IncidentId,
    kept: &Kept,
    submission: &str,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    tx.insert(
        "insert into incident_evidence (incident_id, folder, reason, first_on, last_on, rows, bytes,
           sums_sha256, submission, staff_id, recorded_at)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (submission) do nothing",
        params![
            id,
            kept.folder,
            kept.reason,
            kept.first_on,
            kept.last_on,
            kept.rows,
            kept.bytes,
            kept.sums_sha256,
            submission,
            by,
            now
        ],
    )?;
    Ok(())
}

/// The instants between which days of Japan lie, as stored.
fn instants((first, last): (Date, Date)) -> (String, String) {
    let midnight = |day: Date| {
        let at = japan().to_timestamp(day.at(0, 0, 0, 0));
        at.map_or_else(|_| day.to_string(), |at| format!("{at:.6}"))
    };
    (midnight(first), midnight(last.saturating_add(1.day())))
}

/// One entry of the log as evidence: fields as they are stored.
pub(super) type LogRow = [String; 12];

const LOG: &str = "select e.id, e.at, coalesce(s.login, ''), coalesce(e.staff_id, ''),
      coalesce(e.centre_id, ''), e.menu, e.operation, coalesce(e.resident_id, ''),
      coalesce(e.record_kind || ' ' || e.record_id, ''), e.terminal, e.outcome, e.detail
    from audit_entries e left join staff s on s.id = e.staff_id
    where e.at >= ?1 and e.at < ?2 order by e.id";

/// The log of some days; at most `limit` rows and one.
pub(super) fn log(
    tx: &ReadTx<'_>,
    span: (Date, Date),
    limit: usize,
) -> Result<Vec<LogRow>, StoreError> {
    let (from, to) = instants(span);
    let limit = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let sql = format!("{LOG} limit ?3");
    tx.all(&sql, params![from, to, limit], |row| {
        let mut cells = LogRow::default();
        for (position, cell) in cells.iter_mut().enumerate() {
            *cell = match row.get_ref(position)? {
                store::ValueRef::Integer(number) => number.to_string(),
                store::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                store::ValueRef::Null | store::ValueRef::Real(_) | store::ValueRef::Blob(_) => {
                    String::new()
                }
            };
        }
        Ok(cells)
    })
}

/// Somebody's record, and who of the staff touched it.
pub(super) struct Touched {
    pub(super) resident: ResidentId,
    pub(super) staff: String,
    pub(super) login: String,
    pub(super) count: i64,
    pub(super) first_at: String,
    pub(super) last_at: String,
    pub(super) operations: String,
}

const TOUCHED: &str = "
    select e.resident_id, coalesce(s.name, 'システム'), coalesce(s.login, ''), count(*), min(e.at),
           max(e.at), group_concat(distinct e.operation)
    from audit_entries e left join staff s on s.id = e.staff_id
    where e.at >= ?1 and e.at < ?2 and e.resident_id is not null
      and (?3 = '' or s.login = ?3) and (?4 = 0 or e.resident_id = ?4)
    group by e.resident_id, e.staff_id order by e.resident_id, min(e.at) limit ?5";

/// Whose records were touched by whom on these days.
pub(super) fn touched(
    tx: &ReadTx<'_>,
    span: (Date, Date),
    login: &str,
    resident: i64,
) -> Result<Vec<Touched>, StoreError> {
    let (from, to) = instants(span);
    let limit = i64::try_from(TOUCHED_MAX).unwrap_or(i64::MAX);
    tx.all(TOUCHED, params![from, to, login, resident, limit], |row| {
        Ok(Touched {
            resident: row.get(0)?,
            staff: row.get(1)?,
            login: row.get(2)?,
            count: row.get(3)?,
            first_at: row.get(4)?,
            last_at: row.get(5)?,
            operations: row.get(6)?,
        })
    })
}

/// Names of those whom the viewer may see.
pub(super) fn names(
    tx: &ReadTx<'_>,
    ids: &[ResidentId],
) -> Result<Vec<(ResidentId, base::secrecy::PersonName)>, StoreError> {
    let mut found = Vec::new();
    for some in ids.chunks(500) {
        let marks = vec!["?"; some.len()].join(", ");
        let sql = format!("select id, name from visible_residents where id in ({marks})");
        found.extend(tx.all(&sql, params_from_iter(some), |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?.into()))
        })?);
    }
    Ok(found)
}
