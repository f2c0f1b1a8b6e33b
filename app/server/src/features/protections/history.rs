//! Decisions of an invented town's past.

use jiff::Timestamp;
use jiff::civil::Date;
use store::{ReadTx, ResidentId, StaffId, StoreError, WriteTx, params};

use super::asking;
use super::store::{self as sql, NewGrant, Stamp};
use crate::features::approvals;
use crate::web::Problem;

const FLAGGED: &str = "
    select r.id, r.centre_id from residents r
    where r.shielded = 1 and r.resident_state = '1' order by r.id";

/// Somebody the register calls shielded, and her centre. For the system's own work.
///
/// # Errors
/// Those of the store.
pub fn flagged(tx: &ReadTx<'_>) -> Result<Vec<(ResidentId, i64)>, StoreError> {
    tx.all(FLAGGED, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Who works at a centre, or for the city, with this role, by staff id.
///
/// # Errors
/// Those of the store.
pub fn staff_of(
    tx: &ReadTx<'_>,
    role: &str,
    centre: Option<i64>,
) -> Result<Vec<StaffId>, StoreError> {
    let sql =
        "select staff_id from staff_terms where role = ?1 and centre_id is ?2 order by staff_id";
    tx.all(sql, params![role, centre], |row| row.get(0))
}

/// A grant that was asked for; with `agreed_by`, approved as well.
///
/// # Errors
/// Those of the store.
pub fn insert_history(
    tx: &WriteTx<'_>,
    person: ResidentId,
    (staff, asked_by, agreed_by): (StaffId, StaffId, Option<StaffId>),
    (starts_on, ends_on): (Date, Date),
    at: (Timestamp, Date),
) -> Result<(), Problem> {
    let new = NewGrant {
        staff,
        starts_on,
        ends_on,
        urgent: false,
        reason: "担当として毎月の見守りを行うため".to_owned(),
    };
    let ask = asking::request(tx, at.1, &new, true)?;
    let agreed = agreed_by.map(|by| (by, "担当を確認しました"));
    let approval = approvals::insert_history(tx, asked_by, at, &ask, agreed)?;
    let now = format!("{:.6}", at.0);
    let stamp = Stamp {
        by: asked_by,
        at: &now,
    };
    sql::insert_grant(tx, person, (&new, approval), stamp)?;
    Ok(())
}
