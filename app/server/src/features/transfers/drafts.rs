//! Half-typed words of a hand-over: kept by the script or by a button, shown again, thrown away.

use axum::http::StatusCode;
use store::{ReadTx, StaffId, StoreError, WriteTx, params};

use super::{pages, store as sql};
use crate::web::{Answer, Fields, Problem, Visit, redirect};

/// Drafts that one person may have at the same time; more are refused, none is thrown away.
const DRAFTS_PER_PERSON_MAX: i64 = 200;

fn form(id: i64) -> String {
    format!("/transfers/{id}")
}

/// The viewer's own words at this hand-over, and when they were kept.
pub(super) fn find(
    tx: &ReadTx<'_>,
    staff: StaffId,
    id: i64,
) -> Result<Option<(String, String)>, StoreError> {
    let sql = "select body, saved_at from own_drafts where staff_id = ?1 and form = ?2";
    let found: Option<(String, String)> = tx.one(sql, params![staff, form(id)], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let words = |body: String| {
        let typed = Fields::parse(body.as_bytes()).unwrap_or_default();
        typed.get("note").to_owned()
    };
    Ok(found.map(|(body, at)| (words(body), at)))
}

pub(super) fn forget(tx: &WriteTx<'_>, staff: StaffId, id: i64) -> Result<(), StoreError> {
    let sql = "delete from drafts where staff_id = ?1 and form = ?2";
    tx.execute(sql, params![staff, form(id)]).map(drop)
}

const KEEP: &str = "
    insert into drafts (staff_id, form, body, saved_at) values (?1, ?2, ?3, ?4)
    on conflict (staff_id, form) do update set body = ?3, saved_at = ?4";

/// Keeps (or throws away) what the form holds. The script wants no page, the buttons want one.
pub(super) fn keep(visit: &Visit) -> Answer {
    let (staff, id) = (visit.signed_in()?.staff_id, pages::id_of(visit)?);
    let step = visit.form.get("step");
    let db = visit.app.db();
    let transfer = db.read(&visit.actor, |tx| sql::transfer_of(tx, id))?;
    let transfer = transfer.ok_or(Problem::NotFound)?;
    if Some(transfer.from) != visit.actor.centre_id {
        return Err(Problem::Forbidden);
    }
    let now = format!("{:.6}", visit.app.clock().now());
    db.housekeep(&visit.actor, |tx| {
        if step == "discard" {
            return forget(tx, staff, id).map_err(Problem::from);
        }
        let others = "select count(*) from drafts where staff_id = ?1 and form <> ?2";
        if tx.count(others, params![staff, form(id)])? >= DRAFTS_PER_PERSON_MAX {
            return Err(Problem::TooMany);
        }
        let body = visit.form.query_without("csrf");
        tx.execute(KEEP, params![staff, form(id), body, now])?;
        Ok(())
    })?;
    if matches!(step, "discard" | "keep") {
        return Ok(redirect(&format!("/transfers/{id}")));
    }
    let mut done = redirect("/");
    *done.status_mut() = StatusCode::NO_CONTENT;
    done.headers_mut().clear();
    Ok(done)
}
