//! SQL about plans; nobody's data is in it.

use jiff::civil::Date;
use store::{ReadTx, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::model::{Area, Centre, Change, Counts, Plan, State};

const AREAS: &str = "
    select a.code, a.name, a.centre_id, c.short_name,
           (select max(l.valid_from) from areas l where l.code = a.code), p.id, p.effective_on
    from areas a join support_centres c on c.id = a.centre_id
    left join area_changes p on p.id = (
      select min(m.id) from area_changes m join area_change_areas x on x.change_id = m.id
      where x.area_code = a.code
        and not exists (select 1 from area_change_withdrawals w where w.change_id = m.id)
        and not exists (select 1 from area_change_applications d where d.change_id = m.id))
    where a.valid_from <= ?1 and (a.valid_to is null or a.valid_to >= ?1)
    order by c.code, a.code";

/// The areas that hold on a day.
pub(super) fn areas(tx: &ReadTx<'_>, on: Date) -> Result<Vec<Area>, StoreError> {
    tx.all(AREAS, params![on.to_string()], |row| {
        let planned: Option<i64> = row.get(5)?;
        let day: Option<String> = row.get(6)?;
        Ok(Area {
            code: row.get(0)?,
            name: row.get(1)?,
            centre: row.get(2)?,
            centre_name: row.get(3)?,
            newest_from: row.get(4)?,
            planned: planned.map(|id| (id, read_day(day).unwrap_or_default())),
        })
    })
}

fn read_day(text: Option<String>) -> Option<Date> {
    text.and_then(|text| text.parse().ok())
}

/// Centres that work on a day or will.
pub(super) fn centres(tx: &ReadTx<'_>, on: Date) -> Result<Vec<Centre>, StoreError> {
    let sql = "select id, name, short_name, valid_to from support_centres
        where valid_to is null or valid_to >= ?1 order by code";
    tx.all(sql, params![on.to_string()], |row| {
        Ok(Centre {
            id: row.get(0)?,
            name: row.get(1)?,
            short_name: row.get(2)?,
            valid_to: read_day(row.get(3)?),
        })
    })
}

const CHANGES: &str = "
    select c.id, c.to_centre_id, s.short_name, c.effective_on, c.reason, p.name, c.recorded_at,
           coalesce(q.name, ''), w.recorded_at, coalesce(w.reason, ''),
           a.recorded_at, coalesce(a.people, 0), coalesce(a.elders, 0), coalesce(a.certified, 0),
           coalesce(a.waiting, 0)
    from area_changes c
    join support_centres s on s.id = c.to_centre_id
    join staff p on p.id = c.recorded_by
    left join area_change_withdrawals w on w.change_id = c.id
    left join staff q on q.id = w.recorded_by
    left join area_change_applications a on a.change_id = c.id";

fn change(row: &Row<'_>) -> RowResult<Change> {
    let withdrawn: Option<String> = row.get(8)?;
    let applied: Option<String> = row.get(10)?;
    let state = match (withdrawn, applied) {
        (Some(at), _) => State::Withdrawn {
            by: row.get(7)?,
            at,
            reason: row.get(9)?,
        },
        (None, Some(at)) => State::Applied {
            at,
            counts: Counts {
                people: row.get(11)?,
                elders: row.get(12)?,
                certified: row.get(13)?,
                waiting: row.get(14)?,
            },
        },
        (None, None) => State::Planned,
    };
    Ok(Change {
        id: row.get(0)?,
        to: row.get(1)?,
        to_name: row.get(2)?,
        on: read_day(row.get(3)?).unwrap_or_default(),
        reason: row.get(4)?,
        by: row.get(5)?,
        at: row.get(6)?,
        areas: Vec::new(),
        state,
    })
}

const ITS_AREAS: &str = "
    select x.area_code, coalesce((select a.name from areas a where a.code = x.area_code
                                  order by a.valid_from desc limit 1), x.area_code)
    from area_change_areas x where x.change_id = ?1 order by x.area_code";

fn with_areas(tx: &ReadTx<'_>, change: Change) -> Result<Change, StoreError> {
    let areas = tx.all(ITS_AREAS, params![change.id], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(Change { areas, ..change })
}

/// Plans, those that wait first, then the newest.
pub(super) fn changes(tx: &ReadTx<'_>, limit: i64) -> Result<Vec<Change>, StoreError> {
    let sql = format!(
        "{CHANGES} order by w.id is null and a.id is null desc, c.effective_on desc, c.id desc
         limit ?1"
    );
    let found = tx.all(&sql, params![limit], change)?;
    found
        .into_iter()
        .map(|found| with_areas(tx, found))
        .collect()
}

pub(super) fn change_of(tx: &ReadTx<'_>, id: i64) -> Result<Option<Change>, StoreError> {
    let found = tx.one(&format!("{CHANGES} where c.id = ?1"), params![id], change)?;
    found.map(|found| with_areas(tx, found)).transpose()
}

/// The oldest plan whose day has come.
pub(super) fn next_due(tx: &ReadTx<'_>, today: Date) -> Result<Option<Change>, StoreError> {
    let sql = format!(
        "{CHANGES} where w.id is null and a.id is null and c.effective_on <= ?1
         order by c.effective_on, c.id limit 1"
    );
    let found = tx.one(&sql, params![today.to_string()], change)?;
    found.map(|found| with_areas(tx, found)).transpose()
}

/// A plan that says the same and waits: the same form sent twice.
pub(super) fn same(tx: &ReadTx<'_>, plan: &Plan, by: StaffId) -> Result<Option<i64>, StoreError> {
    let sql = "select c.id from area_changes c
        where c.to_centre_id = ?1 and c.effective_on = ?2 and c.reason = ?3 and c.recorded_by = ?4
          and (select group_concat(x.area_code, '+' order by x.area_code)
               from area_change_areas x where x.change_id = c.id) = ?5
          and not exists (select 1 from area_change_withdrawals w where w.change_id = c.id)
        order by c.id desc limit 1";
    let areas = plan.areas.join("+");
    let values = params![plan.to, plan.on.to_string(), plan.reason, by, areas];
    tx.one(sql, values, |row| row.get(0))
}

pub(super) fn insert(
    tx: &WriteTx<'_>,
    plan: &Plan,
    (by, now): (StaffId, &str),
) -> Result<i64, StoreError> {
    let sql = "insert into area_changes (to_centre_id, effective_on, reason, recorded_by,
        recorded_at) values (?, ?, ?, ?, ?)";
    let values = params![plan.to, plan.on.to_string(), plan.reason, by, now];
    let id = tx.insert(sql, values)?;
    for code in &plan.areas {
        let sql = "insert into area_change_areas (change_id, area_code) values (?, ?)";
        tx.execute(sql, params![id, code])?;
    }
    Ok(id)
}

pub(super) fn insert_withdrawal(
    tx: &WriteTx<'_>,
    id: i64,
    reason: &str,
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql = "insert into area_change_withdrawals (change_id, reason, recorded_by, recorded_at)
        values (?, ?, ?, ?)";
    tx.insert(sql, params![id, reason, by, now]).map(drop)
}

pub(super) fn insert_application(
    tx: &WriteTx<'_>,
    id: i64,
    counts: Counts,
    now: &str,
) -> Result<(), StoreError> {
    let sql = "insert into area_change_applications
        (change_id, people, elders, certified, waiting, recorded_at) values (?, ?, ?, ?, ?, ?)";
    let Counts {
        people,
        elders,
        certified,
        waiting,
    } = counts;
    let values = params![id, people, elders, certified, waiting, now];
    tx.insert(sql, values).map(drop)
}

const HOLDING: &str = "code = ?1 and valid_from < ?2 and (valid_to is null or valid_to >= ?2)";

/// Closes an area's entry on the eve and adds the one that follows; returns the new entry and the
/// centre before. Nothing when no entry holds on the day.
pub(super) fn hand_area(
    tx: &WriteTx<'_>,
    code: &str,
    change: &Change,
    source: &str,
) -> Result<Option<(i64, String)>, StoreError> {
    let on = change.on.to_string();
    let former = format!(
        "select c.short_name from areas a join support_centres c on c.id = a.centre_id
         where a.id = (select id from areas where {HOLDING} order by valid_from desc limit 1)"
    );
    let former = tx.one(&former, params![code, on], |row| row.get::<_, String>(0))?;
    let Some(former) = former else {
        return Ok(None);
    };
    let add = format!(
        "insert into areas (code, name, kana, postal_code, centre_id, valid_from, valid_to, source,
           unconfirmed)
         select code, name, kana, postal_code, ?3, ?2, valid_to, ?4, 0 from areas where {HOLDING}"
    );
    let row = tx.insert(&add, params![code, on, change.to, source])?;
    let eve = change.on.yesterday().unwrap_or(change.on).to_string();
    let close = format!("update areas set valid_to = ?3 where {HOLDING}");
    tx.execute(&close, params![code, on, eve])?;
    Ok(Some((row, former)))
}
