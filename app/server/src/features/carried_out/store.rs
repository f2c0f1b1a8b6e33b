//! SQL about the register of what was carried out.

use jiff::civil::Date;
use store::{
    CentreId, ReadTx, Row, RowResult, StaffId, StoreError, Value, WriteTx, day, optional_day,
    params, params_from_iter,
};

use super::form::Ending;
use super::model::{CarriedOutId, Entry, Lists, Origin, Protection, Reach, Record};
use crate::features::masters::codes;

pub(super) fn lists(tx: &ReadTx<'_>, on: Date) -> Result<Lists, StoreError> {
    Ok(Lists {
        purposes: codes(tx, "carried_out_purpose", on)?,
        media: codes(tx, "carried_out_medium", on)?,
    })
}

/// What never changes about an entry.
pub(super) struct Head<'h> {
    pub(super) centre_id: Option<CentreId>,
    pub(super) origin: Origin,
    pub(super) submission: &'h str,
    pub(super) created_by: Option<StaffId>,
    pub(super) operator: &'h str,
    pub(super) now: &'h str,
}

const INSERT: &str = "insert into carried_out
    (centre_id, origin, submission, created_by, operator, created_at)
    values (?1, ?2, ?3, ?4, ?5, ?6)";

pub(super) fn insert(
    tx: &WriteTx<'_>,
    head: &Head<'_>,
    entry: &Entry,
) -> Result<CarriedOutId, StoreError> {
    let values = params![
        head.centre_id,
        head.origin.code(),
        head.submission,
        head.created_by,
        head.operator,
        head.now
    ];
    let id = CarriedOutId(tx.insert(INSERT, values)?);
    insert_version(tx, id, 1, entry, (head.created_by, head.now, ""))?;
    Ok(id)
}

const INSERT_VERSION: &str = "insert into carried_out_versions
    (carried_out_id, version, taken_on, what, persons, purpose, purpose_note, medium, medium_note,
     destination, carried_by, encrypted, protection, due_on, note, recorded_by, recorded_at,
     correction_reason)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";

pub(super) fn insert_version(
    tx: &WriteTx<'_>,
    id: CarriedOutId,
    version: i64,
    entry: &Entry,
    (by, now, reason): (Option<StaffId>, &str, &str),
) -> Result<(), StoreError> {
    let (encrypted, instead) = match &entry.protection {
        Protection::Encrypted => (1, ""),
        Protection::Instead(instead) => (0, instead.as_str()),
    };
    let values = params![
        id,
        version,
        entry.taken_on.to_string(),
        entry.what,
        entry.persons,
        entry.purpose,
        entry.purpose_note,
        entry.medium,
        entry.medium_note,
        entry.destination,
        entry.carried_by,
        encrypted,
        instead,
        entry.due_on.map(|day| day.to_string()),
        entry.note,
        by,
        now,
        reason
    ];
    tx.execute(INSERT_VERSION, values)?;
    Ok(())
}

const BY_SUBMISSION: &str = "select id, created_by, created_at from carried_out
    where submission = ?1";

/// The entry that this form made already: id, by whom, when.
pub(super) fn by_submission(
    tx: &ReadTx<'_>,
    submission: &str,
) -> Result<Option<(CarriedOutId, Option<StaffId>, String)>, StoreError> {
    tx.one(BY_SUBMISSION, params![submission], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })
}

const INSERT_FILE: &str = "insert into carried_out_files
    (carried_out_id, name, sha256, bytes, recorded_at) values (?1, ?2, ?3, ?4, ?5)";

/// A file that was handed over.
#[derive(Debug, Clone)]
pub(super) struct FileRow {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) bytes: i64,
    pub(super) at: String,
}

pub(super) fn insert_file(
    tx: &WriteTx<'_>,
    id: CarriedOutId,
    file: &FileRow,
) -> Result<(), StoreError> {
    let values = params![id, file.name, file.sha256, file.bytes, file.at];
    tx.execute(INSERT_FILE, values)?;
    Ok(())
}

pub(super) fn files(tx: &ReadTx<'_>, id: CarriedOutId) -> Result<Vec<FileRow>, StoreError> {
    let sql = "select name, sha256, bytes, recorded_at from carried_out_files
        where carried_out_id = ?1 order by id";
    tx.all(sql, params![id], |row| {
        Ok(FileRow {
            name: row.get(0)?,
            sha256: row.get(1)?,
            bytes: row.get(2)?,
            at: row.get(3)?,
        })
    })
}

const INSERT_ENDING: &str = "insert into carried_out_endings
    (carried_out_id, kind, ended_on, handled_by, method, certificate, note, recorded_by, recorded_at)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";

pub(super) fn insert_ending(
    tx: &WriteTx<'_>,
    id: CarriedOutId,
    ending: &Ending,
    (by, now): (Option<StaffId>, &str),
) -> Result<(), StoreError> {
    let values = params![
        id,
        ending.kind,
        ending.ended_on.to_string(),
        ending.handled_by,
        ending.method,
        ending.certificate,
        ending.note,
        by,
        now
    ];
    tx.execute(INSERT_ENDING, values)?;
    Ok(())
}

/// A return or disposal that was a mistake.
pub(super) fn insert_reopening(
    tx: &WriteTx<'_>,
    id: CarriedOutId,
    reason: &str,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let values = params![id, "open", None::<String>, "", "", "", reason, by, now];
    tx.execute(INSERT_ENDING, values)?;
    Ok(())
}

/// A return, a disposal, or the taking back of one.
#[derive(Debug, Clone)]
pub(super) struct EndingRow {
    pub(super) kind: String,
    pub(super) ended_on: Option<Date>,
    pub(super) handled_by: String,
    pub(super) method: String,
    pub(super) certificate: String,
    pub(super) note: String,
    pub(super) by: String,
    pub(super) at: String,
}

pub(super) fn endings(tx: &ReadTx<'_>, id: CarriedOutId) -> Result<Vec<EndingRow>, StoreError> {
    let sql = "select e.kind, e.ended_on, e.handled_by, e.method, e.certificate, e.note,
          coalesce(s.name, ''), e.recorded_at
        from carried_out_endings e left join staff s on s.id = e.recorded_by
        where e.carried_out_id = ?1 order by e.id desc";
    tx.all(sql, params![id], |row| {
        Ok(EndingRow {
            kind: row.get(0)?,
            ended_on: optional_day(row, 1)?,
            handled_by: row.get(2)?,
            method: row.get(3)?,
            certificate: row.get(4)?,
            note: row.get(5)?,
            by: row.get(6)?,
            at: row.get(7)?,
        })
    })
}

const INSERT_WITHDRAWAL: &str = "insert into carried_out_withdrawals
    (carried_out_id, reason, recorded_by, recorded_at) values (?1, ?2, ?3, ?4)";

pub(super) fn insert_withdrawal(
    tx: &WriteTx<'_>,
    id: CarriedOutId,
    reason: &str,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    tx.execute(INSERT_WITHDRAWAL, params![id, reason, by, now])?;
    Ok(())
}

/// Reason, by whom, when.
pub(super) fn withdrawal(
    tx: &ReadTx<'_>,
    id: CarriedOutId,
) -> Result<Option<(String, String, String)>, StoreError> {
    let sql = "select w.reason, s.name, w.recorded_at from carried_out_withdrawals w
        join staff s on s.id = w.recorded_by where w.carried_out_id = ?1";
    tx.one(sql, params![id], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })
}

const COLUMNS: &str = "c.id, c.origin, c.created_by, coalesce(s.name, c.operator) as made_by,
    case when c.centre_id is null then null else o.short_name end as centre, c.created_at,
    c.version, c.taken_on, c.what, c.persons, c.purpose, c.purpose_note, c.medium, c.medium_note,
    c.destination, c.carried_by, c.encrypted, c.protection, c.due_on, c.note, c.ending, c.ended_on,
    c.withdrawn";
const FROM: &str = "from carried_out_states c
    left join staff s on s.id = c.created_by
    left join support_centres o on o.id = c.centre_id";

fn record(row: &Row<'_>) -> RowResult<Record> {
    let ending = row.get::<_, Option<String>>("ending")?;
    let ended_on = optional_day(row, "ended_on")?;
    Ok(Record {
        id: row.get("id")?,
        origin: Origin::of(&row.get::<_, String>("origin")?),
        created_by: row.get("created_by")?,
        created_by_name: row.get("made_by")?,
        centre: row.get("centre")?,
        created_at: row.get("created_at")?,
        version: row.get("version")?,
        entry: entry(row)?,
        ending: ending.map(|kind| (kind, ended_on)),
        withdrawn: row.get("withdrawn")?,
    })
}

fn entry(row: &Row<'_>) -> RowResult<Entry> {
    let encrypted: bool = row.get("encrypted")?;
    Ok(Entry {
        taken_on: day(row, "taken_on")?,
        what: row.get("what")?,
        persons: row.get("persons")?,
        purpose: row.get("purpose")?,
        purpose_note: row.get("purpose_note")?,
        medium: row.get("medium")?,
        medium_note: row.get("medium_note")?,
        destination: row.get("destination")?,
        carried_by: row.get("carried_by")?,
        protection: if encrypted {
            Protection::Encrypted
        } else {
            Protection::Instead(row.get("protection")?)
        },
        due_on: optional_day(row, "due_on")?,
        note: row.get("note")?,
    })
}

/// One entry within the reach of whoever asks.
pub(super) fn find(
    tx: &ReadTx<'_>,
    id: CarriedOutId,
    reach: Reach,
) -> Result<Option<Record>, StoreError> {
    let mut wanted = Wanted::within(reach);
    wanted.push("c.id = ?", id.0.into());
    let sql = format!("select {COLUMNS} {FROM} {}", wanted.clause());
    tx.one(&sql, params_from_iter(wanted.values), record)
}

/// A former version with who recorded it, when and why.
#[derive(Debug, Clone)]
pub(super) struct VersionRow {
    pub(super) version: i64,
    pub(super) entry: Entry,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) reason: String,
}

pub(super) fn versions(tx: &ReadTx<'_>, id: CarriedOutId) -> Result<Vec<VersionRow>, StoreError> {
    let sql = "select v.*, coalesce(s.name, '') as by_name from carried_out_versions v
        left join staff s on s.id = v.recorded_by
        where v.carried_out_id = ?1 order by v.version desc";
    tx.all(sql, params![id], |row| {
        Ok(VersionRow {
            version: row.get("version")?,
            entry: entry(row)?,
            by: row.get("by_name")?,
            at: row.get("recorded_at")?,
            reason: row.get("correction_reason")?,
        })
    })
}

/// Conditions of a list, with their values in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    conditions: Vec<&'static str>,
    values: Vec<Value>,
}

impl Wanted {
    pub(super) fn within(reach: Reach) -> Self {
        let mut wanted = Self::default();
        match reach {
            Reach::All => {}
            Reach::Centre(centre) => wanted.push("c.centre_id = ?", centre.0.into()),
            Reach::Own(staff) => wanted.push("c.created_by = ?", staff.0.into()),
        }
        wanted
    }

    pub(super) fn push(&mut self, condition: &'static str, value: Value) {
        self.conditions.push(condition);
        self.values.push(value);
    }

    pub(super) fn also(&mut self, condition: &'static str) {
        self.conditions.push(condition);
    }

    fn clause(&self) -> String {
        if self.conditions.is_empty() {
            String::new()
        } else {
            format!("where {}", self.conditions.join(" and "))
        }
    }
}

/// Still out, with a day by which it should be back.
pub(super) const OUT: &str = "c.withdrawn = 0 and c.due_on is not null
    and coalesce(c.ending, 'open') = 'open'";

/// Newest first; those still out by their day.
pub(super) fn list(
    tx: &ReadTx<'_>,
    wanted: &Wanted,
    order: &str,
    (limit, offset): (usize, usize),
) -> Result<Vec<Record>, StoreError> {
    let number = |number: usize| Value::from(i64::try_from(number).unwrap_or(i64::MAX));
    let mut values = wanted.values.clone();
    values.extend([number(limit), number(offset)]);
    let clause = wanted.clause();
    let sql = format!("select {COLUMNS} {FROM} {clause} order by {order} limit ? offset ?");
    tx.all(&sql, params_from_iter(values), record)
}

pub(super) fn count(tx: &ReadTx<'_>, wanted: &Wanted) -> Result<i64, StoreError> {
    let sql = format!("select count(*) {FROM} {}", wanted.clause());
    tx.count(&sql, params_from_iter(wanted.values.clone()))
}

/// Entries still out after their day.
pub(super) fn overdue(tx: &ReadTx<'_>, reach: Reach, today: Date) -> Result<i64, StoreError> {
    let mut wanted = Wanted::within(reach);
    wanted.also(OUT);
    wanted.push("c.due_on < ?", today.to_string().into());
    count(tx, &wanted)
}

/// Entries still out, overdue or not.
pub(super) fn out(tx: &ReadTx<'_>, reach: Reach) -> Result<i64, StoreError> {
    let mut wanted = Wanted::within(reach);
    wanted.also(OUT);
    count(tx, &wanted)
}
