//! SQL about the access log.

use base::clock::japan;
use jiff::civil::Date;
use store::{
    Operation, Outcome, ReadTx, ResidentId, Row, RowResult, StaffId, StoreError, Value, params,
    params_from_iter,
};

use super::model::{Entry, Filter, Found, Named, STAFF_FOUND_MAX, Sought, WALK_MAX};
use crate::web::veil;

/// A statement with its values.
pub(super) struct Query {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
    /// Where the search ends early.
    pub(super) looked_to: Option<i64>,
}

const COLUMNS: &str = "select e.id, e.at, e.staff_id, s.login, s.name, e.centre_id, c.short_name,
      e.menu, e.operation, e.resident_id, e.record_kind, e.record_id, e.terminal, e.outcome,
      e.detail, p.job, p.role
    from audit_entries e
    left join staff s on s.id = e.staff_id
    left join support_centres c on c.id = e.centre_id
    left join staff_posts p on p.id = (
      select t.id from staff_terms t where t.staff_id = e.staff_id
        and t.starts_on <= date(e.at, '+9 hours')
        and (t.ends_on is null or t.ends_on >= date(e.at, '+9 hours'))
      order by t.id desc limit 1)
    where e.id between ? and ?";

/// The newest entries that fit, at most `limit`.
pub(super) fn entries(tx: &ReadTx<'_>, filter: &Filter, limit: usize) -> Result<Found, StoreError> {
    let Some(query) = query(tx, filter, limit)? else {
        return Ok(Found::default());
    };
    let entries = tx.all(&query.sql, params_from_iter(query.values), entry)?;
    let entries = read_by(entries, filter.sees_abuse);
    // A full page ends where it ends.
    let looked_to = query.looked_to.filter(|_| entries.len() < limit);
    Ok(Found { entries, looked_to })
}

/// As [`entries`], looking as far back as it takes: for files and reports.
pub(super) fn all_entries(
    tx: &ReadTx<'_>,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    let mut filter = filter.clone();
    let mut all = Vec::new();
    loop {
        let found = entries(tx, &filter, limit.saturating_sub(all.len()))?;
        all.extend(found.entries);
        match found.looked_to {
            Some(_) if all.len() < limit => filter.before = found.looked_to,
            Some(_) | None => return Ok(all),
        }
    }
}

/// One thing that an entry must have, with an index that lists such entries by position.
struct Condition {
    /// `e.menu = ?`, as the index wants it.
    sql: &'static str,
    /// Its index is by groups of positions (migration 0028).
    grouped: bool,
    /// What may stand in the marks: one of these.
    choices: Vec<Vec<Value>>,
}

impl Condition {
    /// Asked row by row: the `+` keeps SQLite from the index.
    fn beside(&self) -> (String, Vec<Value>) {
        let one = self.sql.replace("e.", "+e.");
        let all = vec![one; self.choices.len()].join(" or ");
        let values = self.choices.iter().flatten().cloned().collect();
        (format!("({all})"), values)
    }

    /// The positions of the entries within the range that one choice fits.
    fn positions(&self, choice: &[Value], (first, last): Range) -> (String, Vec<Value>) {
        let ends = [Value::from(first), Value::from(last)];
        let own = self.sql.replace("e.", "a.");
        let (from, groups) = if self.grouped {
            (GROUPED, &ends[..])
        } else {
            (PLAIN, &[][..])
        };
        let sql = format!("select a.id from {from} {own} and a.id between ? and ?");
        let values = groups.iter().chain(choice).chain(&ends);
        (sql, values.cloned().collect())
    }

    /// The position of the last of [`WALK_MAX`] entries within the range; nothing when there are
    /// fewer.
    fn reach(&self, tx: &ReadTx<'_>, range: Range) -> Result<Option<i64>, StoreError> {
        let each = WALK_MAX / i64::try_from(self.choices.len().max(1)).unwrap_or(WALK_MAX);
        let mut reached: Option<i64> = None;
        for choice in &self.choices {
            let (positions, values) = self.positions(choice, range);
            let sql = format!("{positions} order by a.id desc limit 1 offset {each}");
            let at = tx.one(&sql, params_from_iter(values), |row| row.get(0))?;
            reached = reached.max(at);
        }
        Ok(reached)
    }
}

const PLAIN: &str = "audit_entries a where";
/// Every group within the range, then what the index lists in it.
const GROUPED: &str = "(with recursive groups (n) as (
        select max(?, (select min(id) from audit_entries)) >> 16 union all
        select n + 1 from groups where n < min(?, (select max(id) from audit_entries)) >> 16)
      select n from groups) g
    cross join audit_entries a where a.id >> 16 = g.n and";

/// First and last position.
type Range = (i64, i64);

/// Builds the statement; nothing when nobody can fit.
///
/// Of all conditions the one drives whose index reaches furthest back within [`WALK_MAX`] entries;
/// the others are looked up row by row.
pub(super) fn query(
    tx: &ReadTx<'_>,
    filter: &Filter,
    limit: usize,
) -> Result<Option<Query>, StoreError> {
    let range = range(tx, filter)?;
    let Some(mut conditions) = conditions(filter) else {
        return Ok(None);
    };
    let mut best: Option<(usize, Option<i64>)> = None;
    for (at, condition) in conditions.iter().enumerate() {
        let reach = condition.reach(tx, range)?;
        if best.is_none_or(|(_, known)| reach < known) {
            best = Some((at, reach));
        }
        if reach.is_none() {
            break;
        }
    }
    let low = best.and_then(|(_, reach)| reach);
    let first = low.unwrap_or(range.0);
    let mut query = Query {
        sql: COLUMNS.to_owned(),
        values: vec![first.into(), range.1.into()],
        looked_to: low,
    };
    if let Some((at, _)) = best {
        query.drive(&conditions.remove(at), (first, range.1));
    }
    for condition in &conditions {
        let (sql, values) = condition.beside();
        query.and(&sql, values);
    }
    if let Some(half) = under_veil(filter) {
        query.and(half, Vec::new());
    }
    // Nearly every entry is done: no index of that is walked.
    if filter.outcome == Some(Outcome::Done) {
        query.and("+e.outcome = 'done'", Vec::new());
    }
    query.sql.push_str(" order by e.id desc limit ?");
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    query.values.push(limit.into());
    Ok(Some(query))
}

/// The entries as their reader meets them.
fn read_by(entries: Vec<Entry>, sees_abuse: bool) -> Vec<Entry> {
    let shown = |entry: Entry| if sees_abuse { entry } else { entry.veiled() };
    entries.into_iter().map(shown).collect()
}

/// Codes that such a filter looks among: what stands under the veil counts as what is shown for it.
/// Nothing: it asks for what this reader never meets.
fn operations(filter: &Filter) -> Option<Option<Vec<Vec<Value>>>> {
    let Some(asked) = filter.operation else {
        return Some(None);
    };
    let code = |operation: Operation| vec![Value::from(operation.code().to_owned())];
    if filter.sees_abuse {
        return Some(Some(vec![code(asked)]));
    }
    if veil::is_veiled(asked.code()) {
        return None;
    }
    let veiled = [veil::OF_PERSON, veil::OF_NOBODY];
    let stands_for = veiled.iter().any(|veil| veil.operation == asked);
    let hidden = veil::veiled().filter(|_| stands_for).map(code);
    Some(Some(std::iter::once(code(asked)).chain(hidden).collect()))
}

/// As [`operations`].
fn menus(filter: &Filter) -> Option<Option<Vec<Vec<Value>>>> {
    let Some(asked) = filter.menu.as_deref() else {
        return Some(None);
    };
    let text = |menu: &str| vec![Value::from(menu.to_owned())];
    if filter.sees_abuse {
        return Some(Some(vec![text(asked)]));
    }
    if asked == veil::ABUSE_MENU {
        return None;
    }
    let veiled = [veil::OF_PERSON, veil::OF_NOBODY];
    let stands_for = veiled.iter().any(|veil| veil.menu == asked);
    let hidden = stands_for.then(|| text(veil::ABUSE_MENU));
    Some(Some(std::iter::once(text(asked)).chain(hidden).collect()))
}

/// Of what stands under the veil, the half that is shown as what was asked for: with a person or
/// without.
fn under_veil(filter: &Filter) -> Option<&'static str> {
    const OURS: &str = "+e.menu <> '虐待対応'";
    const NAMED: &str = "(+e.menu <> '虐待対応' or +e.resident_id is not null)";
    const UNNAMED: &str = "(+e.menu <> '虐待対応' or +e.resident_id is null)";
    let shown = |veil: veil::Veil| {
        filter.operation == Some(veil.operation) || filter.menu.as_deref() == Some(veil.menu)
    };
    match (shown(veil::OF_PERSON), shown(veil::OF_NOBODY)) {
        _ if filter.sees_abuse => None,
        (true, false) => Some(NAMED),
        (false, true) => Some(UNNAMED),
        (true, true) => Some(OURS),
        (false, false) => None,
    }
}

fn conditions(filter: &Filter) -> Option<Vec<Condition>> {
    let residents = ids(&filter.who.resident, |id| id.0)?;
    let staff = ids(&filter.who.staff, |id| id.0)?;
    let text = |value: &str| vec![vec![Value::from(value.to_owned())]];
    let record = filter
        .record
        .map(|(kind, id)| vec![vec![kind.code().to_owned().into(), id.into()]]);
    let refused = (filter.outcome == Some(Outcome::Refused)).then(|| vec![Vec::new()]);
    let grouped = [
        ("e.resident_id = ?", residents),
        ("e.record_kind = ? and e.record_id = ?", record),
    ];
    let plain = [
        ("e.outcome = 'refused'", refused),
        ("e.staff_id = ?", staff),
        ("e.terminal = ?", filter.terminal.as_deref().map(text)),
        ("e.operation = ?", operations(filter)?),
        ("e.menu = ?", menus(filter)?),
    ];
    let condition = |grouped, (sql, choices): (_, Option<_>)| {
        let choices = choices?;
        Some(Condition {
            sql,
            grouped,
            choices,
        })
    };
    let grouped = grouped.into_iter().filter_map(|one| condition(true, one));
    let plain = plain.into_iter().filter_map(|one| condition(false, one));
    Some(grouped.chain(plain).collect())
}

/// Ids to look among; `None` inside: any; `None` outside: nobody fits.
fn ids<T>(sought: &Sought<T>, id: impl Fn(&T) -> i64) -> Option<Option<Vec<Vec<Value>>>> {
    match sought {
        Sought::Anybody => Some(None),
        Sought::These(found) => Some(Some(found.iter().map(|one| vec![id(one).into()]).collect())),
        Sought::Nobody => None,
    }
}

impl Query {
    /// Walks the index of this condition. Several choices are as many walks, and a grouped index is one
    /// for each group; their positions are put in order: at most [`WALK_MAX`] of them.
    fn drive(&mut self, condition: &Condition, range: Range) {
        if let ([values], false) = (condition.choices.as_slice(), condition.grouped) {
            self.and(condition.sql, values.clone());
            return;
        }
        let walks = condition.choices.iter();
        let walks = walks.map(|choice| condition.positions(choice, range));
        let (parts, values): (Vec<String>, Vec<Vec<Value>>) = walks.unzip();
        self.and(
            &format!("e.id in ({})", parts.join(" union all ")),
            values.concat(),
        );
    }

    fn and(&mut self, sql: &str, values: Vec<Value>) {
        self.sql.push_str(" and ");
        self.sql.push_str(sql);
        self.values.extend(values);
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
        job: row.get(15)?,
        role: row.get(16)?,
    })
}

/// One entry, with its hash.
pub(super) fn one(
    tx: &ReadTx<'_>,
    id: i64,
    sees_abuse: bool,
) -> Result<Option<(Entry, Vec<u8>)>, StoreError> {
    let sql = format!("{COLUMNS} limit 1");
    let Some(entry) = tx.one(&sql, params![id, id], entry)? else {
        return Ok(None);
    };
    let hash = "select hash from audit_entries where id = ?1";
    let hash = tx.one(hash, params![id], |row| row.get(0))?;
    let entry = if sees_abuse { entry } else { entry.veiled() };
    Ok(hash.map(|hash| (entry, hash)))
}

/// How far from an entry others of the same transaction are looked for.
const NEAR: i64 = 50;

/// Entries of the same moment by the same person: one transaction, or two that nobody could tell
/// apart.
pub(super) fn together(
    tx: &ReadTx<'_>,
    with: &Entry,
    sees_abuse: bool,
) -> Result<Vec<Entry>, StoreError> {
    let sql = format!("{COLUMNS} and e.at = ? and e.staff_id is ? and e.id <> ? order by e.id");
    let (low, high) = (with.id.saturating_sub(NEAR), with.id.saturating_add(NEAR));
    let values = params![low, high, with.at, with.staff_id, with.id];
    Ok(read_by(tx.all(&sql, values, entry)?, sees_abuse))
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
