//! SQL about assignments, through the scoped views.

use jiff::civil::Date;
use store::{
    ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, day, optional_day, params,
};

use super::model::{Assignment, Ending, Line, Load, Part, Person};
use crate::features::staff::rights::{Holder, holders};
use crate::web::Permission;

pub(super) fn person(tx: &ReadTx<'_>, id: ResidentId) -> Result<Option<Person>, StoreError> {
    let sql = "select name, kana, centre_id, writable from visible_residents where id = ?1";
    tx.one(sql, params![id], |row| {
        Ok(Person {
            name: row.get::<_, String>(0)?.into(),
            kana: row.get::<_, String>(1)?.into(),
            centre: row.get(2)?,
            writable: row.get(3)?,
        })
    })
}

const ASSIGNMENTS: &str = "
    select a.id, a.resident_id, a.staff_id, s.name, a.part, a.starts_on, a.reason, b.name,
           a.recorded_by, a.recorded_at, a.ends_on, a.ending_reason, e.name, a.ended_at
    from visible_assignments a
    join staff s on s.id = a.staff_id
    join staff b on b.id = a.recorded_by
    left join staff e on e.id = a.ended_by";

fn assignment(row: &Row<'_>) -> RowResult<Assignment> {
    let ends_on = optional_day(row, 10)?;
    let ending = match ends_on {
        Some(ends_on) => Some(Ending {
            ends_on,
            reason: row.get::<_, String>(11)?.into(),
            by: row.get(12)?,
            at: row.get(13)?,
        }),
        None => None,
    };
    Ok(Assignment {
        id: row.get(0)?,
        resident: row.get(1)?,
        staff: row.get(2)?,
        staff_name: row.get(3)?,
        part: row.get(4)?,
        starts_on: day(row, 5)?,
        reason: row.get::<_, String>(6)?.into(),
        by: row.get(7)?,
        by_id: row.get(8)?,
        at: row.get(9)?,
        ending,
    })
}

/// Everybody who is, was or will be in charge of a person, the newest first.
pub(super) fn of_person(
    tx: &ReadTx<'_>,
    person: ResidentId,
) -> Result<Vec<Assignment>, StoreError> {
    let sql =
        format!("{ASSIGNMENTS} where a.resident_id = ?1 order by a.starts_on desc, a.id desc");
    tx.all(&sql, params![person], assignment)
}

pub(super) fn by_id(tx: &ReadTx<'_>, id: i64) -> Result<Option<Assignment>, StoreError> {
    tx.one(
        &format!("{ASSIGNMENTS} where a.id = ?1"),
        params![id],
        assignment,
    )
}

/// Everybody at work on a day who may open people of some centre.
pub(super) fn members(tx: &ReadTx<'_>, on: Date) -> Result<Vec<Holder>, StoreError> {
    let mut members = holders(tx, on)?;
    members.retain(|member| member.rights.has(Permission::ResidentView));
    Ok(members)
}

/// Somebody put in charge, checked.
#[derive(Debug, Clone)]
pub struct NewAssignment {
    /// Of whom.
    pub resident: ResidentId,
    /// Who.
    pub staff: StaffId,
    /// As what.
    pub part: Part,
    /// First day.
    pub starts_on: Date,
    /// Why.
    pub reason: String,
}

/// Puts somebody in charge; returns the id. What it replaces is ended by [`insert_ending`].
///
/// # Errors
/// [`StoreError`].
pub fn insert(
    tx: &WriteTx<'_>,
    new: &NewAssignment,
    (by, now): (StaffId, &str),
) -> Result<i64, StoreError> {
    let sql = "insert into assignments
        (resident_id, staff_id, part, starts_on, reason, recorded_by, recorded_at)
        values (?, ?, ?, ?, ?, ?, ?)";
    let values = params![
        new.resident,
        new.staff,
        new.part.code(),
        new.starts_on.to_string(),
        new.reason,
        by,
        now
    ];
    tx.insert(sql, values)
}

pub(super) fn insert_ending(
    tx: &WriteTx<'_>,
    (id, ends_on): (i64, Date),
    reason: &str,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into assignment_endings
        (assignment_id, ends_on, reason, recorded_by, recorded_at) values (?, ?, ?, ?, ?)";
    tx.insert(sql, params![id, ends_on.to_string(), reason, by, now])
        .map(drop)
}

/// Whose people a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Of(StaffId),
    /// Those whose main member of staff works here no more, or for another centre.
    Orphaned,
}

/// Of everybody in charge today; `?1` is today.
const LASTING: &str = "
    from visible_assignments a
    join visible_residents r on r.id = a.resident_id
    join staff s on s.id = a.staff_id
    join support_centres c on c.id = r.centre_id
    where (a.ends_on is null or a.ends_on >= ?1)";

/// Has a post today at which she could look after the person.
const AT_WORK: &str = "exists (
      select 1 from staff_terms t
      where t.staff_id = a.staff_id and t.starts_on <= ?1 and (t.ends_on is null or t.ends_on >= ?1)
        and (t.centre_id is null or t.centre_id = r.centre_id))";

fn condition(whose: Whose) -> (String, StaffId) {
    match whose {
        Whose::Of(staff) => ("a.staff_id = ?2".to_owned(), staff),
        Whose::Orphaned => (
            format!("?2 = 0 and a.part = 'main' and r.resident_state = '1' and not {AT_WORK}"),
            StaffId(0),
        ),
    }
}

const COLUMNS: &str = "
    select a.id, a.resident_id, r.name, r.kana, r.born_on, r.centre_id, c.short_name, a.part, s.name,
           a.starts_on, a.ends_on, r.resident_state = '1',
           (select max(k.received_on) from visible_current_consultations k
            where k.resident_id = r.id and k.withdrawn = 0),
           (select min(k.next_due_on) from visible_current_consultations k
            where k.resident_id = r.id and k.withdrawn = 0 and k.followed_up = 0)";

/// Part of a list, by reading of the name; with the number of all.
pub(super) fn list(
    tx: &ReadTx<'_>,
    whose: Whose,
    today: Date,
    (limit, before): (usize, usize),
) -> Result<(Vec<Line>, usize), StoreError> {
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let (today, (condition, staff)) = (today.to_string(), condition(whose));
    let sql =
        format!("{COLUMNS} {LASTING} and {condition} order by r.kana, r.id limit ?3 offset ?4");
    let values = params![today, staff, number(limit), number(before)];
    let lines = tx.all(&sql, values, line)?;
    let sql = format!("select count(*) {LASTING} and {condition}");
    let all = tx.count(&sql, params![today, staff])?;
    Ok((lines, usize::try_from(all).unwrap_or_default()))
}

/// How many people somebody is in charge of today, as the list of the own shows them.
///
/// # Errors
/// [`StoreError`].
pub fn people_of(tx: &ReadTx<'_>, staff: StaffId, today: Date) -> Result<i64, StoreError> {
    let (condition, staff) = condition(Whose::Of(staff));
    let sql =
        format!("select count(distinct r.id) {LASTING} and a.starts_on <= ?1 and {condition}");
    tx.count(&sql, params![today.to_string(), staff])
}

fn line(row: &Row<'_>) -> RowResult<Line> {
    Ok(Line {
        assignment: row.get(0)?,
        resident: row.get(1)?,
        name: row.get::<_, String>(2)?.into(),
        kana: row.get::<_, String>(3)?.into(),
        // Registers know people of whom only the year is known.
        born_on: row
            .get::<_, Option<String>>(4)?
            .and_then(|day| day.parse().ok()),
        centre: row.get(5)?,
        centre_name: row.get(6)?,
        part: row.get(7)?,
        staff_name: row.get(8)?,
        starts_on: day(row, 9)?,
        ends_on: optional_day(row, 10)?,
        is_living: row.get(11)?,
        last_record: optional_day(row, 12)?,
        next_due_on: optional_day(row, 13)?,
    })
}

const LOADS: &str = "
    select a.staff_id, s.name, count(*), exists (
      select 1 from staff_terms t where t.staff_id = a.staff_id and t.starts_on <= ?1
        and (t.ends_on is null or t.ends_on >= ?1))";

/// Who is in charge of how many of the people whom the viewer sees.
pub(super) fn loads(tx: &ReadTx<'_>, today: Date) -> Result<Vec<Load>, StoreError> {
    let sql = format!("{LOADS} {LASTING} group by a.staff_id order by s.kana, s.id");
    tx.all(&sql, params![today.to_string()], |row| {
        Ok(Load {
            staff: row.get(0)?,
            name: row.get(1)?,
            count: row.get(2)?,
            is_here: row.get(3)?,
        })
    })
}

/// The name of somebody of the staff.
pub(super) fn staff_name(tx: &ReadTx<'_>, id: StaffId) -> Result<Option<String>, StoreError> {
    tx.one("select name from staff where id = ?1", params![id], |row| {
        row.get(0)
    })
}
