//! What was approved is erased, record by record, in one transaction with its own record.

use axum::http::StatusCode;
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{Event, Operation, StoreError, SystemReason, WriteTx, params};

use super::kinds::{Kind, kind};
use super::model::{State, rules_on};
use super::requests::{event, late, page_as};
use super::store as sql;
use crate::features::attachments;
use crate::web::{Answer, Problem, Visit, redirect};

/// When the last backup that holds what is erased today is gone.
fn backups_forget_on(visit: &Visit) -> Option<Date> {
    let days = visit.app.settings().backup_days_kept?;
    Some(visit.today().saturating_add(i64::from(days).days()))
}

/// Erases one record with its files and whatever goes along with it; which bytes they named.
pub(super) fn erase(tx: &WriteTx<'_>, kind: &Kind, record: i64) -> Result<Vec<String>, StoreError> {
    let mut bytes = Vec::new();
    if let Some((others, other)) = kind.along {
        for id in tx.all(others, params![record], |row| row.get(0))? {
            bytes.extend(erase(tx, other, id)?);
        }
    }
    bytes.extend(attachments::erase(tx, kind.attached, record)?);
    sql::erase(tx, record, &kind.erasing)?;
    Ok(bytes)
}

pub(super) fn create(visit: &Visit) -> Answer {
    let id: i64 = visit.param("id")?;
    let staff = visit.signed_in()?.staff_id;
    let found = visit.app.db().read(&visit.actor, |tx| sql::find(tx, id))?;
    let request = found.ok_or(Problem::NotFound)?;
    if visit.form.get("confirmed") != "1" {
        let problem = "元に戻せないことを確かめて、印をつけてください。";
        return page_as(visit, StatusCode::UNPROCESSABLE_ENTITY, problem);
    }
    // By the rule and the day of today: a rule that became longer since the approval counts.
    let today = visit.today();
    let rules = rules_on(today);
    let rule = rules.iter().find(|rule| rule.class == request.class);
    let limit = rule.ok_or(Problem::NotFound)?.limit(today);
    let kind = kind(&request.class).ok_or(Problem::NotFound)?;
    let now = format!("{:.6}", visit.app.clock().now());
    let forget_on = backups_forget_on(visit);
    let db = visit.app.db();
    let bytes = db.system(&visit.actor, SystemReason::Disposal, |tx| {
        let request = sql::find(tx, id)?.ok_or(Problem::NotFound)?;
        if request.state() != State::Approved {
            return Err(late(visit));
        }
        let mut erased = Vec::new();
        let mut kept: i64 = 0;
        let mut bytes = Vec::new();
        for record in sql::records(tx, id)? {
            let Some(resident) = sql::still_due(tx, record, (kind, limit))? else {
                kept = kept.saturating_add(1);
                continue;
            };
            bytes.extend(erase(tx, kind, record)?);
            let event = Event::done(Operation::Disposal).about(resident);
            let event = match kind.record {
                Some(named) => event.on(named, record),
                None => event,
            };
            erased.push(event.detail(format!("廃棄の申請 {id}")));
        }
        let disposed = i64::try_from(erased.len()).unwrap_or(i64::MAX);
        sql::insert_disposal(
            tx,
            id,
            (disposed, kept),
            (kind.erasing.method(), forget_on),
            (staff, &now),
        )?;
        let detail = format!("状態：承認済み→廃棄済み／廃棄＝{disposed}／残した＝{kept}");
        Ok(tx.audited_all(event(id).detail(detail), erased, bytes))
    })?;
    // Only now: cut short here, the daily sweeps find what no row names any more.
    db.sweep_disposed()?;
    db.forget_bytes(&visit.actor, &bytes)?;
    // The write-ahead log still holds the old pages until it is folded in.
    db.settle()?;
    Ok(redirect(&format!("/disposals/{id}?done=disposed")))
}
