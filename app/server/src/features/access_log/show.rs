//! One entry: everything it says, what it changed, and what was written in the same moment.

use askama::Template;
use store::{Event, Operation, RecordKind};

use super::{pages, store as sql, view};
use crate::web::{Answer, Permission, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/access_log/show.html")]
struct ShowPage {
    shell: Shell,
    row: view::Row,
    job: String,
    record_href: String,
    changed: Option<view::Changed>,
    hash: String,
    together: Vec<view::Row>,
    year_query: String,
}

pub(super) fn page(visit: &Visit) -> Answer {
    let id: i64 = visit.param("id")?;
    let year: Option<i16> = visit.query.trimmed("year").parse().ok();
    let sees_abuse = visit.may(Permission::AbuseKeep);
    let found = pages::read(visit, year, |tx| {
        let Some((entry, hash)) = sql::one(tx, id, sees_abuse)? else {
            return Ok(None);
        };
        let together = sql::together(tx, &entry, sees_abuse)?;
        let mut all = vec![entry.clone()];
        all.extend(together.iter().cloned());
        Ok(Some((entry, hash, together, pages::names(tx, &all)?)))
    })?;
    let (entry, hash, together, names) = found.ok_or(Problem::NotFound)?;
    let event = Event::done(Operation::AccessLogView)
        .about(entry.resident)
        .on(RecordKind::AccessLog, id)
        .detail(format!("entry={id}"));
    let db = visit.app.db();
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let record = entry.record_kind.as_deref().unwrap_or_default();
    let number = entry.record_id.unwrap_or_default();
    visit.page(&ShowPage {
        shell: Shell::new(visit, format!("記録 {id}")).under(&[("アクセスログ", "/access-log")]),
        job: view::job(&entry),
        record_href: format!("/access-log?record={record}&record_id={number}"),
        changed: view::changed(&entry.detail),
        hash: data_encoding::HEXLOWER.encode(&hash),
        together: together.iter().map(|e| view::row(e, &names)).collect(),
        row: view::row(&entry, &names),
        year_query: year.map_or_else(String::new, |year| format!("?year={year}")),
    })
}
