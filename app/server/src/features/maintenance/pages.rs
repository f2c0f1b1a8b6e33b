//! The city's side: which doors are open, opening one, what was typed behind it, shutting it.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, RecordKind};

use super::comparing::compare;
use super::model::{Grant, GrantId, Person, Seal};
use super::{form, store as sql, view};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{
    Answer, FieldProblem, Pages, Permission, Problem, Shell, Visit, page_asked, redirect,
    rows_before, session, submission, window,
};

#[derive(Template)]
#[template(path = "features/maintenance/list.html")]
struct ListPage {
    shell: Shell,
    lines: Vec<view::Line>,
    pages: Pages,
    may_open: bool,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let page = page_asked(&visit.query);
    let read = |tx: &store::ReadTx<'_>| sql::grants(tx, ROWS_PER_PAGE, rows_before(page));
    let (total, grants) = visit.app.db().read(&visit.actor, read)?;
    let total = usize::try_from(total).unwrap_or_default();
    let now = now(visit);
    visit.page(&ListPage {
        shell: Shell::new(visit, "保守作業").under(&[]),
        lines: grants.iter().map(|grant| view::line(grant, &now)).collect(),
        pages: Pages::new("/maintenance", &visit.query, page, total),
        may_open: visit.may(Permission::MaintenanceGrant),
    })
}

fn now(visit: &Visit) -> String {
    format!("{:.6}", visit.app.clock().now())
}

#[derive(Template)]
#[template(path = "features/maintenance/new.html")]
struct NewPage {
    shell: Shell,
    people: Vec<view::Choice>,
    purpose: String,
    starts_on: String,
    starts_time: String,
    hours: String,
    hours_max: i64,
    submission: String,
    problems: Vec<FieldProblem>,
}

impl NewPage {
    fn hours_hint(&self) -> String {
        format!("何時間か。1から{}まで。", self.hours_max)
    }

    fn of(&self, field: &str) -> &str {
        told(&self.problems, field)
    }
}

fn told<'p>(problems: &'p [FieldProblem], field: &str) -> &'p str {
    let mut all = problems.iter();
    all.find(|p| p.field == field).map_or("", |p| &p.text)
}

fn people(visit: &Visit) -> Result<Vec<Person>, Problem> {
    let today = visit.today().to_string();
    let read = |tx: &store::ReadTx<'_>| sql::people(tx, &today);
    Ok(visit.app.db().read(&visit.actor, read)?)
}

pub(super) fn new(visit: &Visit) -> Answer {
    visit.page(&new_page(visit, Vec::new())?)
}

fn new_page(visit: &Visit, problems: Vec<FieldProblem>) -> Result<NewPage, Problem> {
    let typed = &visit.form;
    let hours = typed.get("hours");
    Ok(NewPage {
        shell: Shell::new(visit, "保守作業を許可する").under(&[("保守作業", "/maintenance")]),
        people: view::people(&people(visit)?, typed.trimmed("staff")),
        purpose: typed.get("purpose").to_owned(),
        starts_on: typed.get("starts_on").to_owned(),
        starts_time: typed.get("starts_time").to_owned(),
        hours: if hours.is_empty() { "2" } else { hours }.to_owned(),
        hours_max: visit.app.settings().maintenance_hours_max,
        submission: submission(typed),
        problems,
    })
}

pub(super) fn create(visit: &Visit) -> Answer {
    let hours_max = visit.app.settings().maintenance_hours_max;
    let at = visit.app.clock().now();
    let new = match form::grant(&visit.form, &people(visit)?, hours_max, at) {
        Ok(new) => new,
        Err(problems) => {
            let page = new_page(visit, problems)?;
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (id, known) = sql::grant(visit.app.db(), &visit.actor, &new)?;
    let done = if known { "again" } else { "granted" };
    Ok(redirect(&format!("/maintenance/{id}?done={done}")))
}

#[derive(Template)]
#[template(path = "features/maintenance/show.html")]
struct ShowPage {
    shell: Shell,
    line: view::Line,
    steps: Vec<view::Step>,
    differences: Vec<String>,
    /// Records whose year of the access log is not there.
    unread: usize,
    wrong: usize,
    pages: Pages,
    live: bool,
    reason: String,
    problems: Vec<FieldProblem>,
}

impl ShowPage {
    fn of(&self, field: &str) -> &str {
        told(&self.problems, field)
    }
}

/// The window, or 404.
pub(super) fn found(visit: &Visit, id: GrantId) -> Result<Grant, Problem> {
    let read = |tx: &store::ReadTx<'_>| sql::find(tx, id);
    let found = visit.app.db().read(&visit.actor, read)?;
    found.ok_or(Problem::NotFound)
}

pub(super) fn show(visit: &Visit) -> Answer {
    let id = visit.param("id").map(GrantId)?;
    let page = show_page(visit, id, Vec::new())?;
    let event = Event::done(Operation::MaintenanceView).on(RecordKind::Maintenance, id.0);
    let event = match page.differences.len() {
        0 => event,
        _ => event.detail(format!("照合の違い＝{}", page.wrong)),
    };
    let db = visit.app.db();
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    visit.page(&page)
}

fn show_page(visit: &Visit, id: GrantId, problems: Vec<FieldProblem>) -> Result<ShowPage, Problem> {
    let grant = found(visit, id)?;
    let page = page_asked(&visit.query);
    let (requests, comparison) = compare(visit, &grant)?;
    let shown = requests.iter().skip(rows_before(page)).take(ROWS_PER_PAGE);
    let total = usize::try_from(grant.requests).unwrap_or_default();
    let now = now(visit);
    Ok(ShowPage {
        shell: Shell::new(visit, format!("保守作業 {id}")).under(&[("保守作業", "/maintenance")]),
        line: view::line(&grant, &now),
        steps: shown
            .map(|request| view::step(request, comparison.of(request)))
            .collect(),
        differences: view::differences(&comparison),
        unread: comparison.count(Seal::Unread),
        wrong: comparison.wrong(),
        pages: Pages::new(&format!("/maintenance/{id}"), &visit.query, page, total),
        live: grant.is_live(&now) && visit.may(Permission::MaintenanceGrant),
        reason: visit.form.get("reason").to_owned(),
        problems,
    })
}

#[derive(Template)]
#[template(path = "features/maintenance/late.html")]
struct LatePage {
    shell: Shell,
    id: i64,
    sentence: String,
}

pub(super) fn end(visit: &Visit) -> Answer {
    let id = visit.param("id").map(GrantId)?;
    let reason = match form::ending(&visit.form, "終わらせる理由") {
        Ok(reason) => reason,
        Err(problems) => {
            let page = show_page(visit, id, problems)?;
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let by = visit.signed_in()?.staff_id;
    let at = visit.app.clock().now();
    let now = format!("{at:.6}");
    visit.app.db().write(&visit.actor, |tx| {
        let grant = sql::find(tx, id)?.ok_or(Problem::NotFound)?;
        if !grant.is_live(&now) {
            return Err(late(visit, &grant, &now));
        }
        let event = sql::end(tx, &grant, (by, &reason), &now)?;
        // Another window of the same person keeps her in.
        if window::open_for(tx, grant.staff, at)?.is_none() {
            session::end_all(tx, grant.staff, None, "administrator", at)?;
        }
        Ok(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/maintenance/{id}?done=window-ended")))
}

/// 409: it was over already.
fn late(visit: &Visit, grant: &Grant, now: &str) -> Problem {
    let line = view::line(grant, now);
    let page = LatePage {
        shell: Shell::new(visit, "もう終わっています").under(&[("保守作業", "/maintenance")]),
        id: line.id,
        sentence: line
            .ending
            .unwrap_or_else(|| format!("{} に、許可した時間が過ぎました。", line.ends_at)),
    };
    match visit.page_as(StatusCode::CONFLICT, &page) {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    }
}
