//! SQL about the access log.

use base::clock::japan;
use jiff::civil::Date;
use store::{
    ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, Value, params, params_from_iter,
};

use super::model::{Entry, Filter, Named, STAFF_FOUND_MAX, Sought};

/// A statement with its values.
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

const COLUMNS: &str = "select e.id, e.at, e.staff_id, s.login, s.name, e.centre_id, c.short_name,
      e.menu, e.operation, e.resident_id, e.record_kind, e.record_id, e.terminal, e.outcome, e.detail
    from audit_entries e
    left join staff s on s.id = e.staff_id
    left join support_centres c on c.id = e.centre_id
    where e.id between ? and ?";

/// The newest entries that fit, at most `limit`.
pub(super) fn entries(
    tx: &ReadTx<'_>,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    let Some(query) = query(tx, filter, limit)? else {
        return Ok(Vec::new());
    };
    tx.all(&query.sql, params_from_iter(query.values), entry)
}

/// Builds the statement; nothing when nobody can fit.
pub(super) fn query(
    tx: &ReadTx<'_>,
    filter: &Filter,
    limit: usize,
) -> Result<Option<Query>, StoreError> {
    let (first, last) = range(tx, filter)?;
    let mut query = Query {
        sql: COLUMNS.to_owned(),
        values: vec![first.into(), last.into()],
    };
    let residents = ids(&filter.who.resident, |id| id.0);
    let staff = ids(&filter.who.staff, |id| id.0);
    let (Some(residents), Some(staff)) = (residents, staff) else {
        return Ok(None);
    };
    // A person's entries are few. One member of staff has an index in the order of the page; several
    // would have to be sorted, which took 1.6 s over a million entries, so the page's order is walked
    // (the `+` keeps SQLite from the index).
    let by_staff = residents.is_none() && staff.as_ref().is_some_and(|ids| ids.len() == 1);
    query.among("e.resident_id", residents);
    query.among(
        if by_staff {
            "e.staff_id"
        } else {
            "+e.staff_id"
        },
        staff,
    );
    if let Some(operation) = filter.operation {
        query.sql.push_str(" and e.operation = ?");
        query.values.push(operation.code().to_owned().into());
    }
    if let Some(outcome) = filter.outcome {
        query.sql.push_str(" and e.outcome = ?");
        query.values.push(outcome.code().to_owned().into());
    }
    query.sql.push_str(" order by e.id desc limit ?");
    query
        .values
        .push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    Ok(Some(query))
}

/// Ids to look among; `None` inside: any; `None` outside: nobody fits.
fn ids<T>(sought: &Sought<T>, id: impl Fn(&T) -> i64) -> Option<Option<Vec<i64>>> {
    match sought {
        Sought::Anybody => Some(None),
        Sought::These(found) => Some(Some(found.iter().map(id).collect())),
        Sought::Nobody => None,
    }
}

impl Query {
    fn among(&mut self, column: &str, ids: Option<Vec<i64>>) {
        let Some(ids) = ids else { return };
        let marks = vec!["?"; ids.len()].join(", ");
        self.sql.push_str(&format!(" and {column} in ({marks})"));
        self.values.extend(ids.into_iter().map(Value::from));
    }
}

/// First and last position of the days asked for. Time never runs backwards along the chain, so
/// days are a range of positions, and every search walks one index in the order of the page.
fn range(tx: &ReadTx<'_>, filter: &Filter) -> Result<(i64, i64), StoreError> {
    let first = match filter.from.and_then(midnight) {
        Some(from) => first_since(tx, &from)?.unwrap_or(i64::MAX),
        None => 1,
    };
    let after = filter
        .to
        .and_then(|to| to.tomorrow().ok())
        .and_then(midnight);
    let end = match after {
        Some(after) => first_since(tx, &after)?.unwrap_or(i64::MAX),
        None => i64::MAX,
    };
    let end = filter.before.map_or(end, |before| before.min(end));
    Ok((first, end.saturating_sub(1)))
}

const FIRST_SINCE: &str = "select id from audit_entries where at >= ?1 order by at, id limit 1";

fn first_since(tx: &ReadTx<'_>, at: &str) -> Result<Option<i64>, StoreError> {
    tx.one(FIRST_SINCE, params![at], |row| row.get(0))
}

/// Midnight in Japan as the log writes time.
fn midnight(day: Date) -> Option<String> {
    let at = japan().to_timestamp(day.at(0, 0, 0, 0)).ok()?;
    Some(format!("{at:.6}"))
}

fn entry(row: &Row<'_>) -> RowResult<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        at: row.get(1)?,
        staff_id: row.get(2)?,
        login: row.get(3)?,
        staff_name: row.get(4)?,
        centre_id: row.get(5)?,
        centre: row.get(6)?,
        menu: row.get(7)?,
        operation: row.get(8)?,
        resident: row.get(9)?,
        record_kind: row.get(10)?,
        record_id: row.get(11)?,
        terminal: row.get(12)?,
        outcome: row.get(13)?,
        detail: row.get(14)?,
    })
}

const RESIDENTS: &str = "
    select id from visible_residents where addressee_no = ?1
    union
    select resident_id from visible_insured_persons where insured_no in (?1, ?2)";

/// People with this insured number or addressee number whom the viewer may see.
pub(super) fn residents(tx: &ReadTx<'_>, number: &str) -> Result<Vec<ResidentId>, StoreError> {
    // Full-width digits and spaces are typed; Excel drops the zeros in front of an insured number.
    let number = base::text::kanji_key(number);
    let padded = format!("{number:0>10}");
    tx.all(RESIDENTS, params![number, padded], |row| row.get(0))
}

const STAFF: &str = "select id from staff
    where login = ?1 or instr(replace(replace(name, ' ', ''), '　', ''), ?2) > 0
    order by id limit ?3";

/// Staff with this ID, or with this in their name.
pub(super) fn staff(tx: &ReadTx<'_>, word: &str) -> Result<Vec<StaffId>, StoreError> {
    let name: String = word.chars().filter(|c| !c.is_whitespace()).collect();
    tx.all(
        STAFF,
        params![word.to_lowercase(), name, STAFF_FOUND_MAX],
        |row| row.get(0),
    )
}

/// The names of those whom the viewer may see.
pub(super) fn names(tx: &ReadTx<'_>, ids: &[ResidentId]) -> Result<Vec<Named>, StoreError> {
    let marks = vec!["?"; ids.len()].join(", ");
    let sql = format!("select id, name from visible_residents where id in ({marks})");
    tx.all(&sql, params_from_iter(ids), |row| {
        Ok(Named {
            id: row.get(0)?,
            name: row.get::<_, String>(1)?.into(),
        })
    })
}
