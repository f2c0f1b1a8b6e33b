//! SQL about holdings; the shipped ones stand beside the stored ones.

use store::{CentreId, ReadTx, Row, RowResult, StaffId, StoreError, WriteTx, params};

use super::model::{FIELDS, HoldingKey, Reach, Words, shipped};

/// One holding as it stands.
#[derive(Debug, Clone)]
pub(super) struct Holding {
    /// Nothing: shipped, and nobody changed its words yet.
    pub(super) id: Option<i64>,
    pub(super) shipped_key: Option<String>,
    pub(super) centre_id: Option<CentreId>,
    pub(super) centre: Option<String>,
    pub(super) version: i64,
    pub(super) words: Words,
    /// Day and reason.
    pub(super) ended: Option<(String, String)>,
    /// Our own words, which the city has not confirmed.
    pub(super) unconfirmed: bool,
}

impl Holding {
    /// Its part of the address.
    pub(super) fn key(&self) -> String {
        match (self.id, &self.shipped_key) {
            (Some(id), _) => id.to_string(),
            (None, Some(key)) => key.clone(),
            (None, None) => String::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        let [name, ..] = &self.words;
        name
    }
}

/// One version with who recorded it, when and why.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) version: i64,
    pub(super) words: Words,
    pub(super) by: Option<String>,
    pub(super) at: String,
    pub(super) reason: String,
}

fn columns(prefix: &str) -> String {
    FIELDS
        .map(|field| format!("{prefix}{}", field.name))
        .join(", ")
}

fn words(row: &Row<'_>) -> RowResult<Words> {
    let mut words = Words::default();
    for (place, field) in words.iter_mut().zip(FIELDS) {
        *place = row.get(field.name)?;
    }
    Ok(words)
}

fn select() -> String {
    format!(
        "select h.id, h.shipped_key, h.centre_id, o.short_name as centre, v.version, {},
           e.ended_on, e.reason as ending_reason
         from data_holdings h
         join data_holding_versions v on v.holding_id = h.id
           and v.version = (select max(l.version) from data_holding_versions l
                            where l.holding_id = h.id)
         left join data_holding_endings e on e.holding_id = h.id
         left join support_centres o on o.id = h.centre_id
         where (?1 is null or h.centre_id is null or h.centre_id = ?1)",
        columns("v.")
    )
}

fn holding(row: &Row<'_>) -> RowResult<Holding> {
    let ended_on: Option<String> = row.get("ended_on")?;
    let reason: Option<String> = row.get("ending_reason")?;
    Ok(Holding {
        id: row.get("id")?,
        shipped_key: row.get("shipped_key")?,
        centre_id: row.get("centre_id")?,
        centre: row.get("centre")?,
        version: row.get("version")?,
        words: words(row)?,
        ended: ended_on.zip(reason),
        unconfirmed: false,
    })
}

/// Everything within reach: the shipped ones first, then by name.
pub(super) fn list(tx: &ReadTx<'_>, reach: Reach) -> Result<Vec<Holding>, StoreError> {
    let sql = format!(
        "{} order by e.id is not null, h.shipped_key is null, h.id",
        select()
    );
    let stored = tx.all(&sql, params![reach.centre()], holding)?;
    let known = |key: &str| stored.iter().any(|h| h.shipped_key.as_deref() == Some(key));
    let untouched = shipped().iter().filter(|row| !known(&row.key));
    let mut all: Vec<Holding> = untouched.map(of_shipped).collect();
    all.extend(stored);
    Ok(all)
}

fn of_shipped(row: &super::model::Shipped) -> Holding {
    Holding {
        id: None,
        shipped_key: Some(row.key.clone()),
        centre_id: None,
        centre: None,
        version: 1,
        words: row.words.clone(),
        ended: None,
        unconfirmed: row.unconfirmed,
    }
}

/// The holding of an address, within reach.
pub(super) fn find(
    tx: &ReadTx<'_>,
    key: &HoldingKey,
    reach: Reach,
) -> Result<Option<Holding>, StoreError> {
    match key {
        HoldingKey::Stored(id) => {
            let sql = format!("{} and h.id = ?2", select());
            tx.one(&sql, params![reach.centre(), id], holding)
        }
        HoldingKey::Shipped(key) => {
            let sql = format!("{} and h.shipped_key = ?2", select());
            let stored = tx.one(&sql, params![reach.centre(), key], holding)?;
            let row = shipped().iter().find(|row| row.key == *key);
            Ok(stored.or_else(|| row.map(of_shipped)))
        }
    }
}

pub(super) fn versions(tx: &ReadTx<'_>, id: i64) -> Result<Vec<Version>, StoreError> {
    let sql = format!(
        "select v.version, {}, s.name as by_name, v.recorded_at, v.reason
         from data_holding_versions v left join staff s on s.id = v.recorded_by
         where v.holding_id = ?1 order by v.version desc",
        columns("v.")
    );
    tx.all(&sql, params![id], |row| {
        Ok(Version {
            version: row.get("version")?,
            words: words(row)?,
            by: row.get("by_name")?,
            at: row.get("recorded_at")?,
            reason: row.get("reason")?,
        })
    })
}

const BY_SUBMISSION: &str = "select id from data_holdings where submission = ?1";

pub(super) fn by_submission(tx: &ReadTx<'_>, submission: &str) -> Result<Option<i64>, StoreError> {
    tx.one(BY_SUBMISSION, params![submission], |row| row.get(0))
}

/// Who writes, when, and the token of the form.
pub(super) struct Hand<'h> {
    pub(super) staff: StaffId,
    pub(super) now: &'h str,
    pub(super) submission: &'h str,
}

pub(super) fn insert(
    tx: &WriteTx<'_>,
    centre: Option<CentreId>,
    shipped_key: Option<&str>,
    hand: &Hand<'_>,
) -> Result<i64, StoreError> {
    let sql =
        "insert into data_holdings (centre_id, shipped_key, submission, created_by, created_at)
        values (?1, ?2, ?3, ?4, ?5)";
    tx.insert(
        sql,
        params![centre, shipped_key, hand.submission, hand.staff, hand.now],
    )
}

pub(super) fn insert_version(
    tx: &WriteTx<'_>,
    id: i64,
    version: i64,
    words: &Words,
    (by, now, reason): (Option<StaffId>, &str, &str),
) -> Result<(), StoreError> {
    let [
        name,
        purpose,
        items,
        source,
        place,
        users,
        responsible,
        started,
        rest @ ..,
    ] = words;
    let [retention, outsourcing, note] = rest;
    let sql = format!(
        "insert into data_holding_versions
           (holding_id, version, {}, recorded_by, recorded_at, reason)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        columns("")
    );
    let values = params![
        id,
        version,
        name,
        purpose,
        items,
        source,
        place,
        users,
        responsible,
        started,
        retention,
        outsourcing,
        note,
        by,
        now,
        reason
    ];
    tx.execute(&sql, values)?;
    Ok(())
}

pub(super) fn insert_ending(
    tx: &WriteTx<'_>,
    id: i64,
    (ended_on, reason): (&str, &str),
    (by, now): (StaffId, &str),
) -> Result<(), StoreError> {
    let sql =
        "insert into data_holding_endings (holding_id, ended_on, reason, recorded_by, recorded_at)
        values (?1, ?2, ?3, ?4, ?5)";
    tx.execute(sql, params![id, ended_on, reason, by, now])?;
    Ok(())
}
