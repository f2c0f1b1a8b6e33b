//! What was erased and came back with an older state goes again.
//!
//! Two persons decided it then, on a list that the former state still has; nobody decides anew.

use store::{Event, Operation, ReadTx, ResidentId, StoreError, WriteTx, params};

use super::erasing::erase;
use super::kinds::{Kind, kind};

/// One record that the former state had erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The form that asked for it.
    submission: String,
    class: String,
    record: i64,
    number: String,
}

const LISTED: &str = "
    select r.submission, r.class, x.record_id, x.number, r.id, d.kept from disposal_requests r
    join disposals d on d.request_id = r.id
    join disposal_request_records x on x.request_id = r.id
    order by r.id, x.record_id";

/// Everything that was erased in a state: what stood on a list and was not kept after all.
///
/// # Errors
/// [`StoreError`].
pub fn erased(tx: &ReadTx<'_>) -> Result<Vec<Erased>, StoreError> {
    let listed = tx.all(LISTED, [], |row| {
        let one = Erased {
            submission: row.get(0)?,
            class: row.get(1)?,
            record: row.get(2)?,
            number: row.get(3)?,
        };
        Ok((one, row.get::<_, i64>(4)?, row.get::<_, i64>(5)?))
    })?;
    let mut gone = Vec::new();
    for (one, request, kept) in listed {
        if kept == 0 || is_gone(tx, &one, request)? {
            gone.push(one);
        }
    }
    Ok(gone)
}

/// Of a list of which something was kept: was this one erased?
fn is_gone(tx: &ReadTx<'_>, one: &Erased, request: i64) -> Result<bool, StoreError> {
    let named = kind(&one.class).and_then(|kind| kind.record);
    if let Some(named) = named {
        let sql = "select count(*) from audit_entries where operation = ?1 and record_kind = ?2
            and record_id = ?3 and detail = ?4";
        let detail = format!("廃棄の申請 {request}");
        let values = params![Operation::Disposal.code(), named.code(), one.record, detail];
        return Ok(tx.count(sql, values)? > 0);
    }
    match one.class.as_str() {
        "abuse_cases" => is_absent(tx, "select count(*) from abuse_cases where id = ?1", one),
        "drafts" => is_absent(tx, "select count(*) from drafts where id = ?1", one),
        _ => Ok(false),
    }
}

fn is_absent(tx: &ReadTx<'_>, sql: &str, one: &Erased) -> Result<bool, StoreError> {
    Ok(tx.count(sql, params![one.record])? == 0)
}

/// How it went with one record.
#[derive(Debug)]
pub enum Again {
    /// It never came back.
    NotThere,
    /// Erased again: its entry, and the bytes that its files named.
    Erased(Box<Event>, Vec<String>),
    /// It is there, but not as it was when it was decided: somebody has to look.
    LeftOver,
}

/// Erases a record again that came back as it was when two persons decided it.
///
/// # Errors
/// [`StoreError`].
pub fn erase_again(tx: &WriteTx<'_>, one: &Erased) -> Result<Again, StoreError> {
    let before = "select count(*) from disposal_requests r
        join disposals d on d.request_id = r.id where r.submission = ?1";
    if tx.count(before, params![one.submission])? > 0 {
        return Ok(Again::NotThere);
    }
    let Some(kind) = kind(&one.class) else {
        return Ok(Again::LeftOver);
    };
    let Some(resident) = ripe(tx, kind, one)? else {
        return Ok(Again::LeftOver);
    };
    let bytes = erase(tx, kind, one.record)?;
    let event = Event::done(Operation::Disposal).about(resident);
    let event = match kind.record {
        Some(named) => event.on(named, one.record),
        None => event,
    };
    let event = event.detail("復元で戻った記録を再び廃棄");
    Ok(Again::Erased(Box::new(event), bytes))
}

/// Whom it is about, when a record of this number is there and nothing waits for it.
fn ripe(
    tx: &ReadTx<'_>,
    kind: &Kind,
    one: &Erased,
) -> Result<Option<Option<ResidentId>>, StoreError> {
    let sql = format!(
        "select resident_id, number from ({}) where id = ?1",
        kind.ripe
    );
    let found: Option<(Option<ResidentId>, String)> = tx.one(&sql, params![one.record], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let same = found.filter(|(_, number)| kind.number(one.record, number.clone()) == one.number);
    Ok(same.map(|(resident, _)| resident))
}
