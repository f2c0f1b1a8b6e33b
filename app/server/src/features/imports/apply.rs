//! Writes a plan: all of its files in one transaction, or nothing.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use store::{
    Actor, Db, Event, Operation, RecordKind, ResidentId, StoreError, SystemReason, Value, WriteTx,
    params, params_from_iter,
};

use super::error::ImportError;
use super::index::{self, NameKeys};
use super::model::{Applied, Feed, FilePlan, Plan, Progress, RowPlan};
use super::tables::{self, Sort, Table};
use super::{history, pack, store as sql};
use crate::features::transfers;

/// Rows between two signs of life.
const ROWS_PER_SIGN: usize = 5_000;

/// Applies a plan.
///
/// Shape: one transaction and one audit entry per file; search keys, changes to take note of, and
/// conflicts with what staff corrected are written with it.
/// # Errors
/// [`ImportError::Stale`] when another import happened since the plan was made; otherwise the
/// store's. After an error the database is as it was.
pub fn apply(
    db: &Db,
    actor: &Actor,
    plan: Plan,
    progress: &mut dyn FnMut(Progress),
) -> Result<Applied, ImportError> {
    let now = db.clock().now();
    db.system(actor, SystemReason::Import, |tx| {
        if sql::stamp(tx)? != plan.stamp {
            return Err(ImportError::Stale);
        }
        let at = run_time(tx, now)?;
        let mut applied = Applied {
            imports: Vec::new(),
            written: 0,
            conflicts: 0,
        };
        let today = db.clock().today();
        let mut events = Vec::new();
        for mut file in plan.files {
            let import = sql::insert_import(tx, &file, actor.staff_id, &at)?;
            let step = format!("{} を書いています", file.summary.file);
            let mut sign = |done: usize, total: usize| {
                let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
                progress(Progress {
                    step: step.clone(),
                    done: number(done),
                    total: number(total),
                });
            };
            match tables::table(file.summary.feed) {
                Some(table) => {
                    applied.conflicts += write(tx, table, (import, &at), &mut file, &mut sign)?
                }
                None => history::insert(tx, import, &file.rows, &at, &mut sign)?,
            }
            applied.written += u64::try_from(file.rows.len()).unwrap_or(u64::MAX);
            applied.imports.push(import);
            let stamp = (actor.staff_id, at.as_str());
            let transferred = transfers::record_import(tx, import, today, stamp)?;
            events.push(event(import, &file, transferred));
        }
        let first = events.remove(0);
        Ok(tx.audited_all(first, events, applied))
    })
}

/// The time that names a run: never that of another, also when the clock stood or stepped back.
fn run_time(tx: &WriteTx<'_>, now: Timestamp) -> Result<String, StoreError> {
    let last = tx.one("select max(applied_at) from imports", [], |row| {
        row.get::<_, Option<String>>(0)
    })?;
    let last: Option<Timestamp> = last.flatten().and_then(|text| text.parse().ok());
    let next = last.and_then(|last| last.checked_add(SignedDuration::from_micros(1)).ok());
    Ok(format!("{:.6}", next.map_or(now, |next| next.max(now))))
}

fn event(import: i64, file: &FilePlan, transferred: usize) -> Event {
    let c = &file.summary.counts;
    let mut detail = format!(
        "feed={} read={} new={} changed={} moved={} died={} left={} unchanged={} rejected={}",
        file.summary.feed.code(),
        c.read,
        c.new,
        c.changed,
        c.moved,
        c.died,
        c.left,
        c.unchanged,
        c.rejected
    );
    if transferred > 0 {
        detail.push_str(&format!(" transferred={transferred}"));
    }
    Event::done(Operation::Import)
        .on(RecordKind::Import, import)
        .detail(detail)
}

type Sign<'s> = &'s mut dyn FnMut(usize, usize);

fn write(
    tx: &WriteTx<'_>,
    table: &Table,
    (import, at): (i64, &str),
    file: &mut FilePlan,
    sign: Sign<'_>,
) -> Result<u64, StoreError> {
    let feed = file.summary.feed;
    let ids = Ids::load(tx, table)?;
    let (new, changed): (Vec<_>, Vec<_>) = file.rows.iter_mut().partition(|row| row.id.is_none());
    note(tx, table, feed, import, changed.iter().map(|row| &**row))?;
    if feed == Feed::Residents {
        keep_shields(tx, table, changed.iter().map(|row| &**row), at)?;
    }
    tx.batch(&tables::update(table), |batch| {
        for row in &changed {
            let mut values = ids.values(table, row);
            values.extend([
                Value::Integer(import),
                row.id.map_or(Value::Null, Value::Integer),
            ]);
            batch.insert(params_from_iter(values))?;
        }
        Ok::<_, StoreError>(())
    })?;
    let total = new.len();
    let mut new = new;
    tx.batch(&tables::insert(table), |batch| {
        for (done, row) in new.iter_mut().enumerate() {
            if done.is_multiple_of(ROWS_PER_SIGN) {
                sign(done, total);
            }
            let mut values = ids.values(table, row);
            values.push(Value::Integer(import));
            row.id = Some(batch.insert(params_from_iter(values))?);
        }
        Ok::<_, StoreError>(())
    })?;
    note(tx, table, feed, import, new.iter().map(|row| &**row))?;
    if feed != Feed::Residents {
        sign(total, total);
        return Ok(0);
    }
    index_new(tx, table, &new)?;
    for row in &changed {
        index::reindex(tx, ResidentId(row.id.unwrap_or_default()))?;
    }
    sign(total, total);
    conflicts(tx, table, import, &changed)
}

// Once, however often the register drops and takes up the flag before somebody confirms.
const KEEP_SHIELD: &str = "
    insert into shields (resident_id, kind, planned_until, reason, recorded_at)
    select r.id, 'register', r.shielded_until, '住民記録から外れました', ?2 from residents r
    where r.id = ?1 and r.shielded = 1 and not exists
      (select 1 from shields s where s.resident_id = r.id and s.kind = 'register'
       and not exists (select 1 from shield_endings e where e.shield_id = s.id))";

/// Whom the register no longer calls shielded stays so until the city has confirmed the end
/// (domain §6.9 (7)): a mistake in a file must not show an address.
fn keep_shields<'r>(
    tx: &WriteTx<'_>,
    table: &Table,
    changed: impl Iterator<Item = &'r RowPlan>,
    at: &str,
) -> Result<(), StoreError> {
    for row in changed {
        if column(table, row, "shielded") == "0" {
            tx.execute(KEEP_SHIELD, params![row.id, at])?;
        }
    }
    Ok(())
}

/// Row by row what is about to change (with the former values) or was added.
fn note<'r>(
    tx: &WriteTx<'_>,
    table: &Table,
    feed: Feed,
    import: i64,
    rows: impl Iterator<Item = &'r RowPlan>,
) -> Result<(), StoreError> {
    let sql = format!(
        "insert into resident_changes
           (import_id, feed, resident_id, record_id, kind, fields, before)
         select ?1, ?2, {}, t.id, ?4, ?5, case ?4 when 'new' then null else {} end
         from {} t where t.id = ?3",
        table.resident,
        tables::as_json(table),
        table.name
    );
    tx.batch(&sql, |batch| {
        for row in rows {
            batch.insert(params![
                import,
                feed.code(),
                row.id,
                row.kind.code(),
                &*row.fields
            ])?;
        }
        Ok(())
    })
}

/// Ids of what rows name by their numbers.
struct Ids(HashMap<Box<str>, i64>);

impl Ids {
    fn load(tx: &WriteTx<'_>, table: &Table) -> Result<Self, StoreError> {
        let has = |sort| table.columns.iter().any(|(_, known)| *known == sort);
        let sql = match (has(Sort::Resident), has(Sort::Insured)) {
            (true, _) => "select addressee_no, id from residents",
            (false, true) => "select insured_no, id from insured_persons",
            (false, false) => return Ok(Self(HashMap::new())),
        };
        let mut ids = HashMap::new();
        tx.each(sql, [], |row| {
            ids.insert(row.get::<_, String>(0)?.into_boxed_str(), row.get(1)?);
            Ok::<_, StoreError>(())
        })?;
        Ok(Self(ids))
    }

    fn values(&self, table: &Table, row: &RowPlan) -> Vec<Value> {
        let mut values = Vec::with_capacity(table.columns.len() + 2);
        for ((_, sort), text) in table.columns.iter().zip(pack::unpack(&row.row)) {
            values.push(match sort {
                Sort::Resident | Sort::Insured => text
                    .and_then(|text| self.0.get(text))
                    .map_or(Value::Null, |id| Value::Integer(*id)),
                Sort::Text | Sort::MaybeText | Sort::Int | Sort::MaybeInt => {
                    tables::value(*sort, text)
                }
            });
        }
        values
    }
}

fn column<'r>(table: &Table, row: &'r RowPlan, name: &str) -> &'r str {
    let pairs = table.columns.iter().zip(pack::unpack(&row.row));
    pairs
        .into_iter()
        .find(|((known, _), _)| *known == name)
        .and_then(|(_, value)| value)
        .unwrap_or("")
}

fn index_new(tx: &WriteTx<'_>, table: &Table, rows: &[&mut RowPlan]) -> Result<(), StoreError> {
    tx.batch(index::INSERT_NAME, |batch| {
        for row in rows {
            for NameKeys {
                kind,
                keys: [kana, given, loose, given_loose, kanji],
            } in index::names(|name| column(table, row, name))
            {
                batch.insert(params![
                    row.id,
                    kind,
                    kana,
                    given,
                    loose,
                    given_loose,
                    kanji
                ])?;
            }
        }
        Ok::<_, StoreError>(())
    })?;
    tx.batch(index::INSERT_PLACE, |batch| {
        for row in rows {
            let (phone, address) =
                index::place(column(table, row, "phone"), column(table, row, "address"));
            batch.insert(params![row.id, phone, address])?;
        }
        Ok(())
    })
}

const HOLDING: &str = "select c.id, c.resident_id, c.field, c.value from resident_corrections c
    where not exists (select 1 from resident_correction_endings e where e.correction_id = c.id)";

/// Where the register now says something new about what staff corrected.
fn conflicts(
    tx: &WriteTx<'_>,
    table: &Table,
    import: i64,
    changed: &[&mut RowPlan],
) -> Result<u64, StoreError> {
    let rows: HashMap<i64, &RowPlan> = changed
        .iter()
        .filter_map(|row| row.id.map(|id| (id, &**row)))
        .collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let holding = tx.all(HOLDING, [], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
        ))
    })?;
    let mut found = 0;
    for (correction, resident, field, typed) in holding {
        let Some(row) = rows.get(&resident) else {
            continue;
        };
        let name = if field == "centre" {
            "centre_id"
        } else {
            field.as_str()
        };
        let register = column(table, row, name);
        let agrees = match name {
            // Staff's is stored as digits, the register's as delivered.
            "phone" => base::text::digits(register) == base::text::digits(&typed),
            _ => register == typed,
        };
        if row.fields.split(',').any(|changed| changed == name) && !agrees {
            tx.execute(
                "insert into import_conflicts
                   (import_id, resident_id, correction_id, register_value)
                 values (?, ?, ?, ?)",
                params![import, resident, correction, register],
            )?;
            found += 1;
        }
    }
    Ok(found)
}
