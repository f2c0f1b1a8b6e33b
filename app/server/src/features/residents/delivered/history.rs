//! Rows of one feed as they were: what an import replaced is kept as JSON (`resident_changes.before`), so a
//! row at a moment is what the next import after it replaced, else today's.
//!
//! Limits: while an import stood that was taken back later, and before an import whose kept rows were
//! disposed of, nobody knows; a row that an import gave to another person counts as hers from the start.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use store::{ReadTx, ResidentId, StoreError, params};

use crate::features::imports::Feed;

/// A row by column, as the database has it.
pub(super) type Row = Map<String, Value>;

/// What one feed writes, and through which view it is read.
pub(super) struct Source {
    pub(super) feed: Feed,
    view: &'static str,
    /// Column that says whose row it is.
    person: &'static str,
    pub(super) columns: &'static [&'static str],
}

pub(super) const REGISTER: Source = Source {
    feed: Feed::Residents,
    view: "visible_residents",
    person: "id",
    columns: &[
        "addressee_no",
        "household_no",
        "relationship",
        "resident_state",
    ],
};

pub(super) const HOUSEHOLDS: Source = Source {
    feed: Feed::Households,
    view: "visible_household_members",
    person: "resident_id",
    columns: &["resident_id", "relationship", "is_head", "removed_on"],
};

pub(super) const INSURED: Source = Source {
    feed: Feed::Insured,
    view: "visible_insured_persons",
    person: "resident_id",
    columns: &[
        "resident_id",
        "insured_no",
        "insurer_no",
        "category",
        "acquired_on",
        "acquired_reason",
        "lost_on",
        "lost_reason",
        "domicile_exception",
        "facility_name",
        "card_issued_on",
        "applying",
        "copay_percent",
        "on_welfare",
    ],
};

pub(super) const CERTIFICATIONS: Source = Source {
    feed: Feed::Certifications,
    view: "visible_certifications",
    person: "resident_id",
    columns: &[
        "insured_person_id",
        "history_no",
        "applied_on",
        "application_kind",
        "state",
        "decided_on",
        "level",
        "valid_from",
        "valid_to",
        "bedridden_level",
        "dementia_level",
        "limit_units",
        "planner_kind",
        "planner_office_no",
        "notified_on",
    ],
};

/// Nobody knows what was there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unknown;

/// An import that changed one of her rows.
struct Change {
    record: i64,
    at: String,
    undone_at: Option<String>,
    /// Nothing when the row was new.
    before: Option<String>,
}

/// Does it lie after the moment? Without one nothing does.
pub(super) fn is_after(stored: &str, at: Option<Timestamp>) -> bool {
    at.is_some_and(|at| stored.parse::<Timestamp>().is_ok_and(|own| own > at))
}

const CHANGES: &str = "
    select c.record_id, i.applied_at, u.recorded_at, c.before from visible_resident_changes c
    join imports i on i.id = c.import_id left join import_undos u on u.import_id = i.id
    where c.resident_id = ?1 and c.feed = ?2 order by c.id";

/// Her rows of a feed at a moment, by their ids.
pub(super) fn rows(
    tx: &ReadTx<'_>,
    source: &Source,
    person: ResidentId,
    at: Option<Timestamp>,
) -> Result<Result<BTreeMap<i64, Row>, Unknown>, StoreError> {
    let mut rows = BTreeMap::new();
    for (id, json) in tx.all(&current(source), params![person], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })? {
        match serde_json::from_str(&json) {
            Ok(row) => rows.insert(id, row),
            Err(_) => return Ok(Err(Unknown)),
        };
    }
    let Some(moment) = at else {
        return Ok(Ok(rows));
    };
    if is_before(moment, forgotten(tx, source.feed)?.as_deref()) {
        return Ok(Err(Unknown));
    }
    let changes = tx.all(CHANGES, params![person, source.feed.code()], |row| {
        Ok(Change {
            record: row.get(0)?,
            at: row.get(1)?,
            undone_at: row.get(2)?,
            before: row.get(3)?,
        })
    })?;
    let stood = |one: &Change| {
        let undone = one.undone_at.as_deref();
        undone.is_some_and(|undone| !is_after(&one.at, at) && is_after(undone, at))
    };
    if changes.iter().any(stood) {
        return Ok(Err(Unknown));
    }
    // Newest first, so that the first one after the moment has the last word.
    for change in changes.iter().rev().filter(|one| is_after(&one.at, at)) {
        match &change.before {
            None => drop(rows.remove(&change.record)),
            Some(json) => match serde_json::from_str::<Row>(json) {
                Ok(row) => drop(rows.insert(change.record, row)),
                Err(_) => return Ok(Err(Unknown)),
            },
        }
    }
    let theirs = |row: &Row| {
        let whose = row.get("resident_id").and_then(Value::as_i64);
        whose.is_some_and(|whose| whose != person.0)
    };
    rows.retain(|_, row| !theirs(row));
    Ok(Ok(rows))
}

fn current(source: &Source) -> String {
    let pairs: Vec<String> = source
        .columns
        .iter()
        .map(|name| format!("'{name}', t.{name}"))
        .collect();
    let (view, person) = (source.view, source.person);
    let pairs = pairs.join(", ");
    format!("select t.id, json_object({pairs}) from {view} t where t.{person} = ?1")
}

const FORGOTTEN: &str = "
    select max(i.applied_at) from disposals d join disposal_requests q on q.id = d.request_id
    join disposal_request_records k on k.request_id = q.id join imports i on i.id = k.record_id
    where q.class = 'imports' and i.feed = ?1";

/// Until when what imports of a feed replaced was disposed of.
pub(in crate::features::residents) fn forgotten(
    tx: &ReadTx<'_>,
    feed: Feed,
) -> Result<Option<String>, StoreError> {
    let found = tx.one(FORGOTTEN, params![feed.code()], |row| row.get(0))?;
    Ok(found.flatten())
}

/// Is the moment before an instant that is stored?
pub(in crate::features::residents) fn is_before(moment: Timestamp, stored: Option<&str>) -> bool {
    stored.is_some_and(|stored| is_after(stored, Some(moment)))
}

/// What a row says in a column; empty when it says nothing.
pub(super) fn text(row: &Row, column: &str) -> String {
    match row.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(given)) => u8::from(*given).to_string(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Array(_) | Value::Object(_)) => String::new(),
    }
}
