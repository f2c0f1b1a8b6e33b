//! The list: parse, look up, write down the look, answer.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, ResidentId, Scope, StoreError};

use super::form::{self, FieldProblem};
use super::model::{Filter, Sought, Who};
use super::{store as sql, view};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Permission, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/access_log/list.html")]
struct ListPage {
    shell: Shell,
    typed: view::Typed,
    problems: Vec<FieldProblem>,
    rows: Vec<view::Row>,
    empty: &'static str,
    newest: Option<String>,
    older: Option<String>,
    export: Option<String>,
    sees_people: bool,
}

impl ListPage {
    fn of(&self, field: &str) -> &'static str {
        self.problems
            .iter()
            .find(|problem| problem.field == field)
            .map_or("", |p| p.text)
    }
}

pub(super) fn list(visit: &Visit) -> Answer {
    let (filter, problems) = form::filter(&visit.query);
    if problems.is_empty() {
        shown(visit, filter)
    } else {
        not_yet(visit, problems)
    }
}

/// The form again, with what is wrong; nothing was looked at.
pub(super) fn not_yet(visit: &Visit, problems: Vec<FieldProblem>) -> Answer {
    let page = ListPage {
        problems,
        ..page(visit)
    };
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn shown(visit: &Visit, mut filter: Filter) -> Answer {
    let db = visit.app.db();
    let (mut entries, names, who) = db.read(&visit.actor, |tx| {
        filter.who = who(visit, tx)?;
        let entries = sql::entries(tx, &filter, ROWS_PER_PAGE + 1)?;
        let mut ids: Vec<ResidentId> = entries.iter().filter_map(|e| e.resident).collect();
        ids.sort_unstable();
        ids.dedup();
        Ok::<_, StoreError>((entries, sql::names(tx, &ids)?, filter.who.clone()))
    })?;
    // The look is written down before anything is shown; the search itself runs on a reading
    // connection, so that a long one keeps nobody from saving.
    let about = match &who.resident {
        Sought::These(found) => found.first().copied().filter(|_| found.len() == 1),
        Sought::Anybody | Sought::Nobody => None,
    };
    let event = Event::done(Operation::AccessLogView).about(about);
    let event = event.detail(form::used(&visit.query));
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let more = entries.len() > ROWS_PER_PAGE;
    entries.truncate(ROWS_PER_PAGE);
    let last = entries.last().filter(|_| more).map(|entry| entry.id);
    let kept = visit.query.query_without("before");
    visit.page(&ListPage {
        rows: entries
            .iter()
            .map(|entry| view::row(entry, &names))
            .collect(),
        empty: view::empty(&who),
        newest: filter.before.map(|_| format!("/access-log?{kept}")),
        older: last.map(|id| format!("/access-log?{kept}{}before={id}", joint(&kept))),
        ..page(visit)
    })
}

fn joint(query: &str) -> &'static str {
    if query.is_empty() { "" } else { "&" }
}

fn page(visit: &Visit) -> ListPage {
    let kept = visit.query.query_without("before");
    ListPage {
        shell: Shell::new(visit, "アクセスログ").under(&[]),
        typed: view::Typed::of(&visit.query),
        problems: Vec::new(),
        rows: Vec::new(),
        empty: "",
        newest: None,
        older: None,
        export: visit
            .may(Permission::AccessLogExport)
            .then(|| format!("/access-log/export?{kept}")),
        sees_people: visit.actor.scope != Scope::Nothing,
    }
}

/// Looks up whom the words mean. Whoever sees nobody searches by the number in the log.
pub(super) fn who(visit: &Visit, tx: &ReadTx<'_>) -> Result<Who, StoreError> {
    let person: String = base::text::kana_key(visit.query.trimmed("person")).to_uppercase();
    let staff = visit.query.trimmed("staff");
    let resident = if person.is_empty() {
        Sought::Anybody
    } else if visit.actor.scope == Scope::Nothing {
        Sought::of(person.parse().map(ResidentId).into_iter().collect())
    } else {
        Sought::of(sql::residents(tx, &person)?)
    };
    let staff = if staff.is_empty() {
        Sought::Anybody
    } else {
        Sought::of(sql::staff(tx, staff)?)
    };
    Ok(Who { resident, staff })
}

/// The event of taking the log out, with the number of rows.
pub(super) fn exported(visit: &Visit, rows: usize) -> Event {
    Event::done(Operation::AccessLogExport)
        .on(
            RecordKind::AccessLog,
            i64::try_from(rows).unwrap_or(i64::MAX),
        )
        .detail(format!("rows={rows} {}", form::used(&visit.query)))
}
