//! 〇〇に何が見え、何ができるか、なぜ: one person on a chosen day.

use askama::Template;
use axum::http::StatusCode;
use base::wareki;
use jiff::civil::Date;
use store::{ReadTx, StaffId, StoreError};

use super::model::{Exception, Holder, RoleRow};
use super::{store as sql, view};
use crate::features::staff::accounts::form::FieldProblem;
use crate::features::staff::accounts::model::State;
use crate::features::staff::accounts::view as words;
use crate::web::rights::{Ground, Source, grounds};
use crate::web::{Answer, Permission, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/staff/rights/person.html")]
struct PersonPage {
    shell: Shell,
    id: i64,
    typed: String,
    day: String,
    place: String,
    scope: String,
    works: bool,
    lines: Vec<Line>,
    exceptions: Vec<ExceptionWords>,
    may_change: bool,
    problems: Vec<FieldProblem>,
}

struct Line {
    group: &'static str,
    /// Lines of the group when this is its first one, else 0.
    span: usize,
    label: &'static str,
    may: bool,
    why: String,
}

struct ExceptionWords {
    id: i64,
    step: String,
    term: String,
    state: &'static str,
    css: &'static str,
    made: String,
    reason: String,
    ending: Option<(String, String)>,
    open: bool,
}

struct Known {
    name: String,
    holder: Option<Holder>,
    grounds: Vec<Ground>,
    rows: Vec<RoleRow>,
    exceptions: Vec<Exception>,
}

fn known(tx: &ReadTx<'_>, id: StaffId, on: Date) -> Result<Option<Known>, StoreError> {
    let Some(name) = view::name_of(tx, id)? else {
        return Ok(None);
    };
    let holder = sql::holder(tx, id, on)?;
    let grounds = match &holder {
        Some(holder) => grounds(tx, Some(id), &holder.role, on)?,
        None => Vec::new(),
    };
    Ok(Some(Known {
        name,
        holder,
        grounds,
        rows: sql::role_rows(tx)?,
        exceptions: sql::exceptions(tx, id)?,
    }))
}

/// The day asked for; without one, today.
fn day_asked(visit: &Visit) -> Result<Date, FieldProblem> {
    let typed = visit.query.trimmed("on");
    if typed.is_empty() {
        return Ok(visit.today());
    }
    let parsed = wareki::parse(typed).ok();
    parsed
        .and_then(|p| p.date.full())
        .ok_or_else(|| FieldProblem {
            field: "on",
            text: "日は R8.11.24 や 2026-11-24 のように入力してください。".to_owned(),
        })
}

pub(super) fn page(visit: &Visit) -> Answer {
    let id = StaffId(visit.param("id")?);
    let (on, problems) = match day_asked(visit) {
        Ok(day) => (day, Vec::new()),
        Err(problem) => (visit.today(), vec![problem]),
    };
    let known = visit.app.db().read(&visit.actor, |tx| known(tx, id, on))?;
    let known = known.ok_or(Problem::NotFound)?;
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = page_of(visit, (id, on), &known, problems)?;
    visit.page_as(status, &page)
}

fn page_of(
    visit: &Visit,
    (id, on): (StaffId, Date),
    known: &Known,
    problems: Vec<FieldProblem>,
) -> Result<PersonPage, Problem> {
    let staff = format!("/staff/{id}");
    let holder = known.holder.as_ref();
    let is_own = visit.signed_in()?.staff_id == id;
    let today = visit.today();
    Ok(PersonPage {
        shell: Shell::new(visit, format!("{}に見えるもの・できること", known.name))
            .under(&[("職員", "/staff"), (&known.name, &staff)]),
        id: id.0,
        typed: visit.query.get("on").to_owned(),
        day: words::day(on),
        place: holder.map_or_else(
            || "この日の所属はありません。サインインできません。".to_owned(),
            |h| {
                format!(
                    "{}　{}",
                    view::centre_name(h.centre.as_ref()),
                    words::role(&h.role)
                )
            },
        ),
        scope: holder
            .map(|h| view::scope(h.scope, &h.role, h.centre.as_ref()))
            .unwrap_or_default(),
        works: holder.is_some(),
        lines: lines(known),
        exceptions: known
            .exceptions
            .iter()
            .rev()
            .map(|e| exception(e, today))
            .collect(),
        may_change: visit.may(Permission::StaffAdminister) && !is_own,
        problems,
    })
}

fn lines(known: &Known) -> Vec<Line> {
    let mut last = "";
    let line = |permission: Permission| {
        let group = permission.group();
        let first = group != last;
        last = group;
        let size = Permission::grantable()
            .filter(|p| p.group() == group)
            .count();
        Line {
            group,
            span: if first { size } else { 0 },
            label: permission.label(),
            may: known
                .holder
                .as_ref()
                .is_some_and(|h| h.rights.has(permission)),
            why: why(known, permission),
        }
    };
    Permission::grantable().map(line).collect()
}

/// What decides about a permission: the last row that speaks about it, and what it overrules.
fn why(known: &Known, permission: Permission) -> String {
    let mut speaking = known.grounds.iter().filter(|g| g.permission == permission);
    let of_role = speaking
        .clone()
        .rfind(|g| matches!(g.source, Source::Role(_)));
    match speaking.next_back() {
        None => "この日の権限の表にありません。".to_owned(),
        Some(ground) if matches!(ground.source, Source::Exception(_)) => format!(
            "{}（役割では{}）",
            reason(known, ground),
            view::may(of_role.is_some_and(|row| row.granted))
        ),
        Some(ground) => reason(known, ground),
    }
}

fn reason(known: &Known, ground: &Ground) -> String {
    match ground.source {
        Source::Role(id) => {
            let row = known.rows.iter().find(|row| row.id.0 == id);
            row.map_or_else(String::new, |row| {
                let role = row.role.label();
                if row.is_shipped {
                    return format!("役割「{role}」：出荷時の表");
                }
                format!(
                    "役割「{role}」の変更：{}から（{}、理由：{}）",
                    words::day(row.starts_on),
                    view::stamp(&row.made),
                    row.made.reason
                )
            })
        }
        Source::Exception(id) => {
            let found = known.exceptions.iter().find(|e| e.id.0 == id);
            found.map_or_else(String::new, |e| {
                format!(
                    "個人の例外：{}（{}、理由：{}）",
                    view::term(e.term),
                    view::stamp(&e.made),
                    e.made.reason
                )
            })
        }
    }
}

fn exception(known: &Exception, today: Date) -> ExceptionWords {
    let state = known.term.state(today);
    let (label, css) = match state {
        State::Current => ("有効", "ok"),
        State::Planned => ("予定", "info"),
        State::Ended => ("終了", ""),
        State::Cancelled => ("取りやめ", ""),
    };
    ExceptionWords {
        id: known.id.0,
        step: view::step(known.step),
        term: view::term(known.term),
        state: label,
        css,
        made: view::stamp(&known.made),
        reason: known.made.reason.clone(),
        ending: known
            .ending
            .as_ref()
            .map(|e| (view::stamp(e), e.reason.clone())),
        open: matches!(state, State::Current | State::Planned),
    }
}
