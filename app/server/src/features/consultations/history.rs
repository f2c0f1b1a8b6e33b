//! Records that the old system delivers: added as they are, without an audit entry of their own.
//! The import that calls this writes one entry for the whole file.

use store::{CentreId, ResidentId, StaffId, StoreError, WriteTx, params};

use super::entry::Entry;
use super::store::{
    INSERT_CATEGORY, INSERT_CLIENT, INSERT_CONSULTATION, INSERT_RESPONSE, INSERT_VERSION,
};

/// One delivered record.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    /// 相談番号 of the old system; unique.
    pub number: String,
    /// `None`: taken by the city.
    pub centre_id: Option<CentreId>,
    /// Whom it is about, when known.
    pub resident_id: Option<ResidentId>,
    /// Who wrote it, when they still work here.
    pub written_by: Option<StaffId>,
    /// When it was written; UTC, ISO with `Z`.
    pub recorded_at: String,
    /// What it says.
    pub entry: Entry,
}

/// Adds one delivered record; returns its id. For many, [`insert_history_all`] is faster.
///
/// # Errors
/// [`StoreError`], among them a number that is there already.
pub fn insert_history(tx: &WriteTx<'_>, row: &HistoryRow) -> Result<i64, StoreError> {
    insert_history_all(tx, std::slice::from_ref(row)).map(|ids| ids.first().copied().unwrap_or(0))
}

/// Adds delivered records, one table after the other with each statement prepared once; returns
/// their ids in order.
///
/// # Errors
/// As [`insert_history`].
pub fn insert_history_all(tx: &WriteTx<'_>, rows: &[HistoryRow]) -> Result<Vec<i64>, StoreError> {
    let ids = insert_heads(tx, rows)?;
    let versions = insert_versions(tx, rows, &ids)?;
    tx.batch(INSERT_CLIENT, |clients| {
        for (row, id) in rows.iter().zip(&ids) {
            if let Some(resident) = row.resident_id {
                clients.insert(params![id, resident, row.written_by, row.recorded_at])?;
            }
        }
        Ok::<_, StoreError>(())
    })?;
    insert_codes(
        tx,
        INSERT_CATEGORY,
        rows.iter().map(|row| &row.entry.categories),
        &versions,
    )?;
    insert_codes(
        tx,
        INSERT_RESPONSE,
        rows.iter().map(|row| &row.entry.responses),
        &versions,
    )?;
    Ok(ids)
}

fn insert_heads(tx: &WriteTx<'_>, rows: &[HistoryRow]) -> Result<Vec<i64>, StoreError> {
    tx.batch(INSERT_CONSULTATION, |heads| {
        rows.iter()
            .map(|row| {
                let (by, at) = (row.written_by, &row.recorded_at);
                let submission = format!("history {}", row.number);
                let assigned: Option<i64> = None;
                heads.insert(params![
                    assigned,
                    row.number,
                    row.centre_id,
                    submission,
                    by,
                    at
                ])
            })
            .collect()
    })
}

fn insert_versions(
    tx: &WriteTx<'_>,
    rows: &[HistoryRow],
    ids: &[i64],
) -> Result<Vec<i64>, StoreError> {
    tx.batch(INSERT_VERSION, |versions| {
        rows.iter()
            .zip(ids)
            .map(|(row, id)| {
                let e = &row.entry;
                versions.insert(params![
                    id,
                    1,
                    e.received_on.to_string(),
                    e.started_at,
                    e.ended_at,
                    e.minutes,
                    e.channel,
                    e.caller_kind,
                    e.caller_name,
                    e.caller_relation,
                    e.caller_contact,
                    e.client_name,
                    e.client_note,
                    e.urgency,
                    e.content,
                    e.response,
                    e.referred_to,
                    e.outcome,
                    e.closing_reason,
                    e.next_action,
                    e.next_due_on.map(|day| day.to_string()),
                    row.written_by,
                    row.recorded_at,
                    ""
                ])
            })
            .collect()
    })
}

fn insert_codes<'r>(
    tx: &WriteTx<'_>,
    sql: &str,
    codes: impl Iterator<Item = &'r Vec<String>>,
    versions: &[i64],
) -> Result<(), StoreError> {
    tx.batch(sql, |batch| {
        for (codes, version) in codes.zip(versions) {
            for code in codes {
                batch.insert(params![version, code])?;
            }
        }
        Ok(())
    })
}
