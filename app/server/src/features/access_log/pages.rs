//! The list: parse, look up, write down the look, answer.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, ResidentId, Scope, StoreError};

use super::form::{self, FieldProblem};
use super::model::{Entry, Filter, Named, Sought, WALK_MAX, Who};
use super::{store as sql, view};
use crate::app::App;
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::veil::ABUSE_MENU;
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
    /// Where the search goes on that looked at enough for one page.
    farther: Option<String>,
    walked: i64,
    export: Option<String>,
    paper: Option<String>,
    year_query: String,
    discloses: bool,
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
        paper: None,
        export: None,
        ..page(visit)?
    };
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn shown(visit: &Visit, mut filter: Filter) -> Answer {
    filter.sees_abuse = visit.may(Permission::AbuseKeep);
    let db = visit.app.db();
    let year = filter.year;
    let (found, names, who) = read(visit, year, |tx| {
        filter.who = who(visit, tx)?;
        let found = sql::entries(tx, &filter, ROWS_PER_PAGE + 1)?;
        let names = names(tx, &found.entries)?;
        Ok((found, names, filter.who.clone()))
    })?;
    // The look is written down before anything is shown; the search itself runs on a reading
    // connection, so that a long one keeps nobody from saving.
    let event = Event::done(Operation::AccessLogView).about(only(&who));
    let event = event.detail(form::used(&visit.query));
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let mut entries = found.entries;
    let more = entries.len() > ROWS_PER_PAGE;
    entries.truncate(ROWS_PER_PAGE);
    let last = entries.last().filter(|_| more).map(|entry| entry.id);
    let kept = visit.query.query_without("before");
    let before = |id: i64| format!("/access-log?{kept}{}before={id}", joint(&kept));
    visit.page(&ListPage {
        rows: entries
            .iter()
            .map(|entry| view::row(entry, &names))
            .collect(),
        empty: view::empty(&who),
        newest: filter.before.map(|_| format!("/access-log?{kept}")),
        older: last.map(before),
        farther: found.looked_to.map(before),
        ..page(visit)?
    })
}

/// Reads the database, or in its place the file of an archived year.
pub(super) fn read<T>(
    visit: &Visit,
    year: Option<i16>,
    f: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>,
) -> Result<T, Problem> {
    let db = visit.app.db();
    let Some(year) = year else {
        return Ok(db.read(&visit.actor, f)?);
    };
    if !db.audit_cuts()?.iter().any(|cut| cut.year == year) {
        return Err(Problem::NotFound);
    }
    Ok(db.read_archive(&visit.actor, year, f)?)
}

/// Names of the people of these entries whom the viewer may see.
pub(super) fn names(tx: &ReadTx<'_>, entries: &[Entry]) -> Result<Vec<Named>, StoreError> {
    let mut ids: Vec<ResidentId> = entries.iter().filter_map(|e| e.resident).collect();
    ids.sort_unstable();
    ids.dedup();
    sql::names(tx, &ids)
}

/// The one person that was looked for.
pub(super) fn only(who: &Who) -> Option<ResidentId> {
    match &who.resident {
        Sought::These(found) => found.first().copied().filter(|_| found.len() == 1),
        Sought::Anybody | Sought::Nobody => None,
    }
}

fn joint(query: &str) -> &'static str {
    if query.is_empty() { "" } else { "&" }
}

fn page(visit: &Visit) -> Result<ListPage, Problem> {
    let kept = visit.query.query_without("before");
    let years: Vec<i16> = visit
        .app
        .db()
        .audit_cuts()?
        .iter()
        .map(|c| c.year)
        .collect();
    let year = visit.query.trimmed("year");
    let sees_abuse = visit.may(Permission::AbuseKeep);
    Ok(ListPage {
        shell: Shell::new(visit, "アクセスログ").under(&[]),
        typed: view::Typed::of(&visit.query, &menus(visit), &years, sees_abuse),
        problems: Vec::new(),
        rows: Vec::new(),
        empty: "",
        newest: None,
        older: None,
        farther: None,
        walked: WALK_MAX,
        export: visit
            .may(Permission::AccessLogExport)
            .then(|| format!("/access-log/export?{kept}")),
        paper: Some(format!("/access-log/list.pdf?{kept}")),
        year_query: if year.is_empty() {
            String::new()
        } else {
            format!("?{}", only_year(year))
        },
        discloses: visit.may(Permission::AccessLogDisclose),
        sees_people: visit.actor.scope != Scope::Nothing,
    })
}

fn only_year(year: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("year", year)
        .finish()
}

/// The menus as the log names them, each once, in the order of the product.
fn menus(visit: &Visit) -> Vec<&'static str> {
    let mut menus = Vec::new();
    for route in App::routes().table() {
        let hidden = route.menu == ABUSE_MENU && !visit.may(Permission::AbuseKeep);
        if !hidden && !menus.contains(&route.menu) {
            menus.push(route.menu);
        }
    }
    menus
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
