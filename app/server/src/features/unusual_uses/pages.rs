//! The day's findings, one of them with its entries, and that it was looked into.

use askama::Template;
use axum::http::StatusCode;
use base::wareki;
use jiff::civil::Date;
use store::{CentreId, Event, Operation, ReadTx, RecordKind, ResidentId, Scope, StaffId};

use super::model::{Finding, Kind, Person, Review, SHOWN_MAX, Thresholds, Use, User, is_reviewed};
use super::{judge, store as sql, view};
use crate::web::{Answer, Permission, Problem, Shell, Visit, redirect};

const NOTE_CHARS_MAX: usize = 500;

/// Everything about one day that the viewer may see.
struct Day {
    day: Date,
    uses: Vec<Use>,
    users: Vec<User>,
    persons: Vec<Person>,
    findings: Vec<Finding>,
    reviews: Vec<Review>,
    limits: Thresholds,
}

struct Count {
    kind: &'static str,
    findings: usize,
    open: usize,
}

#[derive(Template)]
#[template(path = "features/unusual_uses/list.html")]
struct ListPage {
    shell: Shell,
    typed: String,
    problem: &'static str,
    day: String,
    before: String,
    rows: Vec<view::Row>,
    counts: Vec<Count>,
    numbers_only: bool,
    rule: String,
}

#[derive(Template)]
#[template(path = "features/unusual_uses/show.html")]
struct ShowPage {
    shell: Shell,
    row: view::Row,
    day: String,
    entries: Vec<view::EntryLine>,
    all: usize,
    log: Option<String>,
    reviews: Vec<view::ReviewLine>,
    action: String,
    back: String,
    own: bool,
    open: bool,
    count: usize,
    note: String,
    problem: &'static str,
}

fn numbers_only(visit: &Visit) -> bool {
    visit.actor.scope == Scope::Nothing
}

/// Whose staff: of the own centre, or of everybody.
fn centre(visit: &Visit) -> Option<CentreId> {
    match visit.actor.scope {
        Scope::Centre(centre) => Some(centre),
        Scope::Assigned(centre) => centre,
        Scope::City | Scope::Nothing => None,
    }
}

pub(super) fn list(visit: &Visit) -> Answer {
    let typed = visit.query.trimmed("day");
    let asked = if typed.is_empty() {
        Some(visit.today())
    } else {
        let parsed = wareki::parse(typed).ok();
        parsed.and_then(|parsed| parsed.date.full())
    };
    let Some(asked) = asked else {
        let problem = "日付は R8.11.24 や 2026-11-24 のように入力してください";
        let page = list_page(visit, None, problem);
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let db = visit.app.db();
    let day = db.read(&visit.actor, |tx| load(visit, tx, asked))?;
    let detail = format!("day={asked} rows={}", day.findings.len());
    let event = Event::done(Operation::UnusualUseView).detail(detail);
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    visit.page(&list_page(visit, Some(&day), ""))
}

fn list_page(visit: &Visit, day: Option<&Day>, problem: &'static str) -> ListPage {
    let numbers_only = numbers_only(visit);
    let rows = day.filter(|_| !numbers_only).map(|day| {
        let row = |finding| view::row(day.day, finding, &day.users, &day.reviews);
        day.findings.iter().map(row).collect()
    });
    let before = day.and_then(|day| day.day.yesterday().ok());
    ListPage {
        shell: Shell::new(visit, "いつもと違う利用").under(&[]),
        typed: visit.query.get("day").to_owned(),
        problem,
        day: day.map_or_else(String::new, |day| view::day(day.day)),
        before: before.map_or_else(String::new, |day| day.to_string()),
        rows: rows.unwrap_or_default(),
        counts: day.map_or_else(Vec::new, counts),
        numbers_only,
        rule: day.map_or_else(String::new, |day| view::rule(&day.limits)),
    }
}

fn counts(day: &Day) -> Vec<Count> {
    let count = |kind| {
        let of_kind = day.findings.iter().filter(|finding| finding.kind == kind);
        let open = of_kind.clone().filter(|f| !is_reviewed(f, &day.reviews));
        Count {
            kind: view::label(kind),
            open: open.count(),
            findings: of_kind.count(),
        }
    };
    Kind::ALL.into_iter().map(count).collect()
}

fn load(visit: &Visit, tx: &ReadTx<'_>, day: Date) -> Result<Day, Problem> {
    let limits = Thresholds::of(day)?;
    let span = sql::Span::of(day).ok_or(Problem::NotFound)?;
    let uses = sql::uses(tx, &span, centre(visit))?;
    let users = sql::users(tx, &span)?;
    let mut ids: Vec<ResidentId> = uses.iter().filter_map(|one| one.resident).collect();
    ids.sort_unstable();
    ids.dedup();
    let persons = sql::persons(tx, &ids)?;
    Ok(Day {
        day,
        findings: judge::findings(&uses, &users, &persons, &limits),
        reviews: sql::reviews(tx, day)?,
        uses,
        users,
        persons,
        limits,
    })
}

/// The finding of this address; who sees numbers only finds none.
fn find(visit: &Visit, tx: &ReadTx<'_>) -> Result<(Day, Finding), Problem> {
    if numbers_only(visit) {
        return Err(Problem::NotFound);
    }
    let day: Date = visit.param("day")?;
    let kind: String = visit.param("kind")?;
    let kind = Kind::from_code(&kind).ok_or(Problem::NotFound)?;
    let staff = StaffId(visit.param("staff")?);
    let day = load(visit, tx, day)?;
    let mut findings = day.findings.iter();
    let found = findings.find(|finding| finding.kind == kind && finding.staff == staff);
    let found = found.cloned().ok_or(Problem::NotFound)?;
    Ok((day, found))
}

pub(super) fn show(visit: &Visit) -> Answer {
    let db = visit.app.db();
    let (day, finding) = db.read(&visit.actor, |tx| find(visit, tx))?;
    let detail = format!("day={} {}", day.day, finding.kind.code());
    let event = Event::done(Operation::UnusualUseView)
        .on(RecordKind::Staff, finding.staff.0)
        .detail(detail);
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    visit.page(&show_page(visit, &day, &finding, "")?)
}

fn show_page(
    visit: &Visit,
    day: &Day,
    finding: &Finding,
    problem: &'static str,
) -> Result<ShowPage, Problem> {
    let row = view::row(day.day, finding, &day.users, &day.reviews);
    let entries = day
        .uses
        .iter()
        .filter(|one| finding.entries.contains(&one.id));
    let own = visit.signed_in()?.staff_id == finding.staff;
    let log = visit.may(Permission::AccessLogView).then(|| {
        let login = row.login.as_str();
        format!("/access-log?staff={login}&from={0}&to={0}", day.day)
    });
    Ok(ShowPage {
        shell: Shell::new(visit, row.kind).under(&[("いつもと違う利用", "/unusual-uses")]),
        day: view::day(day.day),
        entries: entries
            .take(SHOWN_MAX)
            .map(|one| view::entry(one, &day.persons))
            .collect(),
        all: finding.entries.len(),
        log,
        reviews: day
            .reviews
            .iter()
            .filter(|review| review.is_about(finding))
            .map(view::review)
            .collect(),
        action: format!("{}/reviews", row.href),
        back: format!("/unusual-uses?day={}", day.day),
        own,
        open: !is_reviewed(finding, &day.reviews),
        count: finding.entries.len(),
        note: visit.form.get("note").to_owned(),
        problem,
        row,
    })
}

/// Says that a finding was looked into, with what came out.
pub(super) fn review(visit: &Visit) -> Answer {
    let db = visit.app.db();
    let staff = visit.signed_in()?.staff_id;
    let note = visit.form.trimmed("note");
    let (day, finding) = db.read(&visit.actor, |tx| find(visit, tx))?;
    if finding.staff == staff {
        return Err(Problem::Forbidden);
    }
    // What came in after the page was opened was not looked at.
    let seen = visit.form.trimmed("count") == finding.entries.len().to_string();
    if !seen {
        let text = "開いたあとに記録が増えました。下の一覧をもう一度確かめてください";
        let page = show_page(visit, &day, &finding, text)?;
        return visit.page_as(StatusCode::CONFLICT, &page);
    }
    if note.is_empty() || note.chars().count() > NOTE_CHARS_MAX {
        let text = "確かめたことを500文字までで入力してください";
        let page = show_page(visit, &day, &finding, text)?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let back = format!("/unusual-uses?day={}&done=", day.day);
    if is_reviewed(&finding, &day.reviews) {
        return Ok(redirect(&format!("{back}again")));
    }
    let now = visit.app.clock().now();
    db.write(&visit.actor, |tx| {
        sql::add_review(tx, (day.day, &finding), note, (staff, now))?;
        let detail = format!("day={} {}", day.day, finding.kind.code());
        let event = Event::done(Operation::UnusualUseReview)
            .on(RecordKind::Staff, finding.staff.0)
            .detail(detail);
        Ok::<_, Problem>(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("{back}reviewed")))
}
