//! SQL about grants, through the scoped views.

use jiff::civil::Date;
use store::{ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::model::{Given, Grant, NewGrant, Person, Whom};

fn day(text: Option<String>) -> Option<Date> {
    text.and_then(|text| text.parse().ok())
}

pub(super) fn person(tx: &ReadTx<'_>, id: ResidentId) -> Result<Option<Person>, StoreError> {
    let sql = "select name, kana, centre_id from visible_residents where id = ?1";
    tx.one(sql, params![id], |row| {
        Ok(Person {
            name: row.get::<_, String>(0)?.into(),
            kana: row.get::<_, String>(1)?.into(),
            centre: row.get(2)?,
        })
    })
}

const GRANTS: &str = "
    select g.id, g.resident_id, g.role, g.staff_id, coalesce(s.name, ''),
           coalesce((select c.short_name from staff_terms t join support_centres c on c.id = t.centre_id
                     where t.staff_id = g.staff_id order by t.starts_on desc limit 1), '市'),
           g.may_write, g.starts_on, g.ends_on, g.reason, b.name, g.recorded_by, g.recorded_at,
           e.name, g.ended_at, g.ending_reason
    from visible_case_grants g
    join staff b on b.id = g.recorded_by
    left join staff s on s.id = g.staff_id
    left join staff e on e.id = g.ended_by";

fn grant(row: &Row<'_>) -> RowResult<Grant> {
    let ended: Option<String> = row.get(14)?;
    let ending = match ended {
        Some(at) => Some((row.get(13)?, at, row.get::<_, String>(15)?.into())),
        None => None,
    };
    Ok(Grant {
        id: row.get(0)?,
        resident: row.get(1)?,
        role: row.get(2)?,
        staff: row.get(3)?,
        staff_name: row.get(4)?,
        staff_centre: row.get(5)?,
        may_write: row.get(6)?,
        starts_on: day(row.get(7)?).unwrap_or_default(),
        ends_on: day(row.get(8)?),
        reason: row.get::<_, String>(9)?.into(),
        by: row.get(10)?,
        by_id: row.get(11)?,
        at: row.get(12)?,
        ending,
    })
}

/// To whom a person was given, newest first.
pub(super) fn grants(tx: &ReadTx<'_>, person: ResidentId) -> Result<Vec<Grant>, StoreError> {
    let sql = format!("{GRANTS} where g.resident_id = ?1 order by g.id desc");
    tx.all(&sql, params![person], grant)
}

pub(super) fn grant_of(tx: &ReadTx<'_>, id: i64) -> Result<Option<Grant>, StoreError> {
    tx.one(&format!("{GRANTS} where g.id = ?1"), params![id], grant)
}

/// Gives a person to a section or to one member of staff; returns the id.
///
/// # Errors
/// [`StoreError`].
pub fn insert(
    tx: &WriteTx<'_>,
    new: &NewGrant,
    (by, now): (StaffId, &str),
) -> Result<i64, StoreError> {
    let sql = "insert into case_grants (resident_id, role, staff_id, may_write, starts_on, ends_on,
        reason, recorded_by, recorded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (role, staff) = match new.whom {
        Whom::Section(role) => (Some(role.code()), None),
        Whom::Staff(id) => (None, Some(id)),
    };
    let ends_on = new.ends_on.map(|day| day.to_string());
    tx.insert(
        sql,
        params![
            new.resident,
            role,
            staff,
            new.may_write,
            new.starts_on.to_string(),
            ends_on,
            new.reason,
            by,
            now
        ],
    )
}

pub(super) fn insert_ending(
    tx: &WriteTx<'_>,
    id: i64,
    reason: &str,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into case_grant_endings (grant_id, reason, recorded_by, recorded_at)
        values (?, ?, ?, ?)";
    tx.insert(sql, params![id, reason, by, now]).map(drop)
}

const GIVEN: &str = "
    from visible_case_grants g
    join visible_residents r on r.id = g.resident_id
    join support_centres c on c.id = r.centre_id
    where (g.staff_id = ?1 or g.role = ?2) and g.ended_at is null and g.starts_on <= ?3
      and (g.ends_on is null or g.ends_on >= ?3)";

/// Who was given to a member of staff or to her section, the newest first; with the number of all.
///
/// # Errors
/// [`StoreError`].
pub fn given(
    tx: &ReadTx<'_>,
    (staff, role): (StaffId, &str),
    today: Date,
    (limit, before): (usize, usize),
) -> Result<(Vec<Given>, usize), StoreError> {
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let today = today.to_string();
    let sql = format!(
        "select g.resident_id, r.name, r.kana, g.role is not null, g.may_write, g.starts_on,
                g.ends_on, g.reason, c.short_name
         {GIVEN} order by g.starts_on desc, g.id desc limit ?4 offset ?5"
    );
    let values = params![staff, role, today, number(limit), number(before)];
    let rows = tx.all(&sql, values, |row| {
        Ok(Given {
            resident: row.get(0)?,
            name: row.get::<_, String>(1)?.into(),
            kana: row.get::<_, String>(2)?.into(),
            is_referral: row.get(3)?,
            may_write: row.get(4)?,
            starts_on: day(row.get(5)?).unwrap_or_default(),
            ends_on: day(row.get(6)?),
            reason: row.get::<_, String>(7)?.into(),
            centre: row.get(8)?,
        })
    })?;
    let all = tx.count(
        &format!("select count(*) {GIVEN}"),
        params![staff, role, today],
    )?;
    Ok((rows, usize::try_from(all).unwrap_or_default()))
}
