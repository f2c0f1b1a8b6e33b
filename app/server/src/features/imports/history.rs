//! Consultations of the old system: written once, as first versions without a writer of ours.

use std::collections::HashMap;

use store::{StoreError, WriteTx, params};

use super::model::RowPlan;
use super::{pack, tables};

/// Rows between two signs of life.
const ROWS_PER_SIGN: usize = 2_000;

const VERSION: &str = "insert into consultation_versions (consultation_id, version, received_on,
    started_at, ended_at, minutes, channel, caller_kind, caller_name, caller_relation,
    caller_contact, client_name, client_note, urgency, content, response, referred_to, outcome,
    closing_reason, next_action, next_due_on, recorded_by, recorded_at, correction_reason)
    values (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', ?, ?, ?, ?, ?, ?, '', ?, ?, ?, '')";

/// What marks a record as brought by an import; it is unique, and undo finds it by this.
pub(super) fn submission(import: i64, number: &str) -> String {
    format!("import-{import}-{number}")
}

struct Masters {
    centres: HashMap<String, i64>,
    staff: HashMap<String, i64>,
    residents: HashMap<String, i64>,
}

fn pairs(tx: &WriteTx<'_>, sql: &str) -> Result<HashMap<String, i64>, StoreError> {
    let rows = tx.all(sql, [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
    })?;
    Ok(rows.into_iter().collect())
}

pub(super) fn insert(
    tx: &WriteTx<'_>,
    import: i64,
    rows: &[RowPlan],
    at: &str,
    sign: &mut dyn FnMut(usize, usize),
) -> Result<(), StoreError> {
    let masters = Masters {
        centres: pairs(tx, "select code, id from support_centres")?,
        staff: pairs(tx, "select login, id from staff")?,
        residents: pairs(tx, "select addressee_no, id from residents")?,
    };
    let get = |row: &RowPlan, name: &str| -> Option<String> {
        let pairs = tables::CONSULTATION.iter().zip(pack::unpack(&row.row));
        let found = pairs.into_iter().find(|((known, _), _)| *known == name);
        found.and_then(|(_, value)| value).map(str::to_owned)
    };
    let mut heads = Vec::with_capacity(rows.len());
    tx.batch(
        "insert into consultations (number, centre_id, submission, created_by, created_at)
         values (?, ?, ?, null, ?)",
        |batch| {
            for (done, row) in rows.iter().enumerate() {
                if done.is_multiple_of(ROWS_PER_SIGN) {
                    sign(done, rows.len());
                }
                let number = get(row, "number").unwrap_or_default();
                let centre = get(row, "centre_code").and_then(|code| masters.centres.get(&code));
                heads.push(batch.insert(params![
                    number,
                    centre,
                    submission(import, &number),
                    at
                ])?);
            }
            Ok::<_, StoreError>(())
        },
    )?;
    tx.batch(
        "insert into consultation_clients (consultation_id, resident_id, staff_id, recorded_at)
         values (?, ?, null, ?)",
        |batch| {
            for (row, id) in rows.iter().zip(&heads) {
                let client =
                    get(row, "addressee_no").and_then(|number| masters.residents.get(&number));
                if let Some(client) = client {
                    batch.insert(params![id, client, at])?;
                }
            }
            Ok::<_, StoreError>(())
        },
    )?;
    let mut versions = Vec::with_capacity(rows.len());
    tx.batch(VERSION, |batch| {
        for (row, id) in rows.iter().zip(&heads) {
            let text = |name| get(row, name).unwrap_or_default();
            let minutes: Option<i64> = get(row, "minutes").and_then(|text| text.parse().ok());
            let writer = get(row, "recorded_by").and_then(|login| masters.staff.get(&login));
            versions.push(batch.insert(params![
                id,
                text("received_on"),
                text("started_at"),
                text("ended_at"),
                minutes,
                text("channel"),
                text("caller_kind"),
                text("caller_name"),
                text("caller_relation"),
                text("caller_contact"),
                text("urgency"),
                text("content"),
                text("response"),
                text("referred_to"),
                text("outcome"),
                text("closing_reason"),
                get(row, "next_due_on"),
                writer,
                at
            ])?);
        }
        Ok::<_, StoreError>(())
    })?;
    codes(
        tx,
        "insert into consultation_categories (version_id, category) values (?, ?)",
        &versions,
        rows,
        &|row| get(row, "categories"),
    )?;
    codes(
        tx,
        "insert into consultation_responses (version_id, kind) values (?, ?)",
        &versions,
        rows,
        &|row| get(row, "responses"),
    )?;
    sign(rows.len(), rows.len());
    Ok(())
}

fn codes(
    tx: &WriteTx<'_>,
    sql: &str,
    versions: &[i64],
    rows: &[RowPlan],
    get: &dyn Fn(&RowPlan) -> Option<String>,
) -> Result<(), StoreError> {
    tx.batch(sql, |batch| {
        for (row, version) in rows.iter().zip(versions) {
            let packed = get(row).unwrap_or_default();
            for code in packed.split(',').filter(|code| !code.is_empty()) {
                batch.insert(params![version, code])?;
            }
        }
        Ok(())
    })
}
