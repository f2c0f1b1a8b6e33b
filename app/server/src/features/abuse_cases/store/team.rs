//! Who knows of a case, who never does, and the consultations that belong to it.

use std::collections::HashSet;

use jiff::civil::Date;
use store::{CentreId, ReadTx, StaffId, StoreError, WriteTx, params};

use super::{Hand, note};
use crate::features::abuse_cases::model::{Bar, CaseId, Member, Note, Taking};
use crate::features::staff::rights::holders;
use crate::web::{Permission, Role};

const MEMBERS: &str = "
    select m.no, m.staff_id, s.name,
           coalesce((select c.short_name from staff_terms t
                     join support_centres c on c.id = t.centre_id
                     where t.staff_id = m.staff_id order by t.starts_on desc limit 1), '市'),
           m.may_write, m.reads_reporter, m.starts_on, m.ends_on, b.name, m.recorded_at, m.reason,
           e.name, m.ended_at, m.ending_reason
    from visible_abuse_members m
    join staff s on s.id = m.staff_id
    join staff b on b.id = m.recorded_by
    left join staff e on e.id = m.ended_by
    where m.case_id = ?1 order by m.no";

/// Everybody whom the team ever named.
pub(in super::super) fn members(
    tx: &ReadTx<'_>,
    case: CaseId,
    today: Date,
) -> Result<Vec<Member>, StoreError> {
    let mut members = tx.all(MEMBERS, params![case], |row| {
        Ok(Member {
            no: row.get(0)?,
            staff: row.get(1)?,
            name: row.get(2)?,
            office: row.get(3)?,
            may_write: row.get(4)?,
            reads_reporter: row.get(5)?,
            starts_on: store::day(row, 6)?,
            ends_on: store::optional_day(row, 7)?,
            added: Note {
                by: row.get(8)?,
                at: row.get(9)?,
                reason: row.get(10)?,
            },
            ending: note(row, 11)?,
            works: false,
        })
    })?;
    let working = holders(tx, today)?;
    for member in &mut members {
        let mut known = working.iter();
        member.works =
            known.any(|one| one.staff == member.staff && one.rights.has(Permission::AbuseView));
    }
    Ok(members)
}

const MANAGERS: &str = "
    select s.id, s.name from staff_terms t join staff s on s.id = t.staff_id
    where t.role = ?1 and t.centre_id = ?2 and t.starts_on <= ?3
      and (t.ends_on is null or t.ends_on >= ?3)
      and not exists (select 1 from exclusion_marks x
                      where x.staff_id = s.id and x.resident_id = ?4)
    order by s.kana, s.id";

/// The managers of a centre who may be offered as members when a report about somebody is received.
/// Whoever is excluded from her is not offered.
pub(in super::super) fn centre_managers(
    tx: &ReadTx<'_>,
    centre: CentreId,
    resident: Option<store::ResidentId>,
    today: Date,
) -> Result<Vec<(StaffId, String)>, StoreError> {
    let role = Role::CentreManager.code();
    let values = params![role, centre, today.to_string(), resident];
    tx.all(MANAGERS, values, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Staff who are excluded from whom the case is about, or from the carer.
pub(in super::super) fn excluded(
    tx: &ReadTx<'_>,
    case: CaseId,
) -> Result<HashSet<i64>, StoreError> {
    let sql = "select staff_id from visible_abuse_exclusions where case_id = ?1
        union select staff_id from visible_abuse_bars where case_id = ?1 and ended_at is null";
    let found = tx.all(sql, params![case], |row| row.get(0))?;
    Ok(found.into_iter().collect())
}

/// A row of the team.
pub(in super::super) struct NewMember {
    pub(in super::super) staff: StaffId,
    pub(in super::super) may_write: bool,
    pub(in super::super) reads_reporter: bool,
    pub(in super::super) starts_on: Date,
    pub(in super::super) ends_on: Option<Date>,
    pub(in super::super) reason: String,
}

/// Adds a row of the team; returns its number within the case.
pub(in super::super) fn add_member(
    tx: &WriteTx<'_>,
    case: CaseId,
    new: &NewMember,
    hand: Hand<'_>,
) -> Result<i64, StoreError> {
    let sql = "select coalesce(max(no), 0) + 1 from visible_abuse_members where case_id = ?1";
    let no = tx.count(sql, params![case])?;
    insert_member(tx, (case, no), new, hand)?;
    Ok(no)
}

pub(in super::super) fn insert_member(
    tx: &WriteTx<'_>,
    (case, no): (CaseId, i64),
    new: &NewMember,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    let sql = "insert into abuse_members (case_id, no, staff_id, may_write, reads_reporter,
        starts_on, ends_on, reason, recorded_by, recorded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let ends_on = new.ends_on.map(|day| day.to_string());
    let values = params![
        case,
        no,
        new.staff,
        new.may_write,
        new.reads_reporter,
        new.starts_on.to_string(),
        ends_on,
        new.reason,
        by,
        now
    ];
    tx.insert(sql, values).map(drop)
}

/// Is this person on the team today?
pub(in super::super) fn has_member(
    tx: &ReadTx<'_>,
    case: CaseId,
    staff: StaffId,
    today: Date,
) -> Result<bool, StoreError> {
    let sql = "select count(*) from visible_abuse_members where case_id = ?1 and staff_id = ?2
        and ended_at is null and (ends_on is null or ends_on >= ?3)";
    Ok(tx.count(sql, params![case, staff, today.to_string()])? > 0)
}

/// Ends a row of the team; false when there is none that still lasts.
pub(in super::super) fn end_member(
    tx: &WriteTx<'_>,
    (case, no): (CaseId, i64),
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<bool, StoreError> {
    let sql = "insert into abuse_member_endings (member_id, reason, recorded_by, recorded_at)
        select m.id, ?3, ?4, ?5 from visible_abuse_members m
        where m.case_id = ?1 and m.no = ?2 and m.ended_at is null";
    Ok(tx.execute(sql, params![case, no, reason, by, now])? > 0)
}

const BARS: &str = "
    select x.no, x.staff_id, s.name, b.name, x.recorded_at, x.reason, e.name, x.ended_at,
           x.ending_reason
    from visible_abuse_bars x
    join staff s on s.id = x.staff_id
    join staff b on b.id = x.recorded_by
    left join staff e on e.id = x.ended_by
    where x.case_id = ?1 order by x.no";

pub(in super::super) fn bars(tx: &ReadTx<'_>, case: CaseId) -> Result<Vec<Bar>, StoreError> {
    tx.all(BARS, params![case], |row| {
        Ok(Bar {
            no: row.get(0)?,
            staff: row.get(1)?,
            name: row.get(2)?,
            set: Note {
                by: row.get(3)?,
                at: row.get(4)?,
                reason: row.get(5)?,
            },
            ending: note(row, 6)?,
        })
    })
}

pub(in super::super) fn add_bar(
    tx: &WriteTx<'_>,
    case: CaseId,
    staff: StaffId,
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<(), StoreError> {
    let sql = "select coalesce(max(no), 0) + 1 from visible_abuse_bars where case_id = ?1";
    let no = tx.count(sql, params![case])?;
    let sql = "insert into abuse_bars (case_id, no, staff_id, reason, recorded_by, recorded_at)
        values (?, ?, ?, ?, ?, ?)";
    tx.insert(sql, params![case, no, staff, reason, by, now])
        .map(drop)
}

pub(in super::super) fn end_bar(
    tx: &WriteTx<'_>,
    (case, no): (CaseId, i64),
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<bool, StoreError> {
    let sql = "insert into abuse_bar_endings (bar_id, reason, recorded_by, recorded_at)
        select b.id, ?3, ?4, ?5 from visible_abuse_bars b
        where b.case_id = ?1 and b.no = ?2 and b.ended_at is null";
    Ok(tx.execute(sql, params![case, no, reason, by, now])? > 0)
}

const TAKINGS: &str = "
    select t.consultation_id, k.number, b.name, t.recorded_at, t.reason, e.name, t.ended_at,
           t.ending_reason
    from visible_abuse_takings t
    join staff b on b.id = t.recorded_by
    left join staff e on e.id = t.ended_by
    left join visible_consultations k on k.id = t.consultation_id
    where t.case_id = ?1 order by t.id";

/// Consultations that belong to the case, also those that were given back.
pub(in super::super) fn takings(tx: &ReadTx<'_>, case: CaseId) -> Result<Vec<Taking>, StoreError> {
    tx.all(TAKINGS, params![case], |row| {
        Ok(Taking {
            consultation: row.get(0)?,
            number: row.get(1)?,
            taken: Note {
                by: row.get(2)?,
                at: row.get(3)?,
                reason: row.get(4)?,
            },
            ending: note(row, 5)?,
        })
    })
}

/// The consultation with this number (or id) that the viewer sees and that belongs to no case.
pub(in super::super) fn consultation_of(
    tx: &ReadTx<'_>,
    number: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = "select c.id from visible_consultations c where c.number = ?1";
    tx.one(sql, params![number], |row| row.get(0))
}

/// Takes a consultation under the case; false when it belongs to one already.
pub(in super::super) fn take(
    tx: &WriteTx<'_>,
    case: CaseId,
    consultation: i64,
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<bool, StoreError> {
    let taken = "select count(*) from visible_current_consultations c where c.id = ?1 and c.taken";
    if tx.count(taken, params![consultation])? > 0 {
        return Ok(false);
    }
    let sql = "insert into abuse_takings (case_id, consultation_id, reason, recorded_by,
        recorded_at) values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![case, consultation, reason, by, now])?;
    Ok(true)
}

pub(in super::super) fn end_taking(
    tx: &WriteTx<'_>,
    (case, consultation): (CaseId, i64),
    reason: &str,
    (by, now): Hand<'_>,
) -> Result<bool, StoreError> {
    let sql = "insert into abuse_taking_endings (taking_id, reason, recorded_by, recorded_at)
        select t.id, ?3, ?4, ?5 from visible_abuse_takings t
        where t.case_id = ?1 and t.consultation_id = ?2 and t.ended_at is null";
    Ok(tx.execute(sql, params![case, consultation, reason, by, now])? > 0)
}
