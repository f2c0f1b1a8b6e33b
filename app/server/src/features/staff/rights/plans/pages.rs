//! The lists, one list with its difference, and what is done to it.

use askama::Template;
use axum::http::StatusCode;
use store::StoreError;

use super::acts::Editor;
use super::model::{Line, LineId, Plan, State};
use super::{store as sql, view};
use crate::features::staff::accounts::form::{FieldProblem, Form as PostForm};
use crate::features::staff::accounts::view::{self as words, Choice};
use crate::features::staff::accounts::{centres, list_all};
use crate::features::staff::rights::acts::{self, Refusal, Undone};
use crate::features::staff::rights::exceptions::{directions, permissions};
use crate::features::staff::rights::form::Form;
use crate::features::staff::rights::hand;
use crate::features::staff::rights::model::{Change, PlanId};
use crate::features::staff::rights::roles::after;
use crate::features::staff::rights::view::{self as rights, DifferenceWords};
use crate::web::{Answer, Fields, Permission, Problem, Shell, Visit, redirect};

#[derive(Template)]
#[template(path = "features/staff/rights/plans/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Row>,
    typed: Fields,
    problems: Vec<FieldProblem>,
    may_change: bool,
}

struct Row {
    id: i64,
    title: String,
    from: String,
    lines: usize,
    state: &'static str,
    css: &'static str,
    made: String,
}

impl ListPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

fn list_page(visit: &Visit, problems: Vec<FieldProblem>) -> Result<ListPage, Problem> {
    let plans = visit.app.db().read(&visit.actor, sql::plans)?;
    let today = visit.today();
    let row = |plan: &Plan| {
        let (state, css) = view::state(plan.state(today));
        Row {
            id: plan.id.0,
            title: plan.title.clone(),
            from: words::day(plan.starts_on),
            lines: plan.lines.len(),
            state,
            css,
            made: rights::stamp(&plan.made),
        }
    };
    Ok(ListPage {
        shell: Shell::new(visit, "年度切替").under(&[("権限", "/rights")]),
        rows: plans.iter().map(row).collect(),
        typed: visit.form.clone(),
        problems,
        may_change: visit.may(Permission::StaffAdminister),
    })
}

pub(super) fn list(visit: &Visit) -> Answer {
    visit.page(&list_page(visit, Vec::new())?)
}

fn editor(visit: &Visit) -> Result<Editor<'_>, Problem> {
    Ok(Editor {
        hand: hand(visit),
        by: visit.signed_in()?.staff_id,
        now: format!("{:.6}", visit.app.clock().now()),
        today: visit.today(),
    })
}

pub(super) fn create(visit: &Visit) -> Answer {
    let (title, starts_on) = match Form::new(&visit.form, visit.today()).plan() {
        Ok(checked) => checked,
        Err(problems) => {
            let page = list_page(visit, problems)?;
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    match editor(visit)?.create(&title, starts_on) {
        Ok(id) => Ok(redirect(&format!("/rights/plans/{id}"))),
        Err(Undone::Failed(problem)) => Err(problem),
        Err(Undone::Refused(refusal)) => {
            log::debug!("unexpected refusal: {refusal:?}");
            Err(Problem::Fault("a new list was refused"))
        }
    }
}

#[derive(Template)]
#[template(path = "features/staff/rights/plans/show.html")]
struct ShowPage {
    shell: Shell,
    id: i64,
    from: String,
    state: &'static str,
    css: &'static str,
    stand: String,
    lines: Vec<LineWords>,
    last: Option<(String, String)>,
    differences: Vec<DifferenceWords>,
    /// Why it could not be confirmed as it stands.
    obstacle: String,
    needs_approval: bool,
    editable: bool,
    revocable: bool,
    problems: Vec<FieldProblem>,
    typed: Fields,
    /// Which form is shown.
    line: &'static str,
    tabs: Vec<Choice>,
    staff: Vec<Choice>,
    roles: Vec<Choice>,
    centres: Vec<Choice>,
    permissions: Vec<Choice>,
    directions: Vec<Choice>,
}

struct LineWords {
    id: i64,
    text: String,
    made: String,
}

impl ShowPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

fn plan_of(visit: &Visit) -> Result<Plan, Problem> {
    let id = PlanId(visit.param("id")?);
    let plan = visit.app.db().read(&visit.actor, |tx| sql::plan(tx, id))?;
    plan.ok_or(Problem::NotFound)
}

fn confirmation(plan: &Plan, reason: &str) -> Change {
    Change::Plan {
        plan: plan.id,
        stand: plan.stand.clone(),
        reason: reason.to_owned(),
    }
}

const LINES: [(&str, &str); 4] = [
    ("post", "異動"),
    ("leave", "退職"),
    ("role", "役割の権限"),
    ("exception", "人の例外"),
];

/// The kind of line that was typed or asked for; without either a move.
fn line_asked(visit: &Visit) -> &'static str {
    let asked = match visit.form.trimmed("line") {
        "" => visit.query.trimmed("add"),
        typed => typed,
    };
    LINES
        .iter()
        .find(|(known, _)| *known == asked)
        .map_or("post", |(known, _)| known)
}

/// Everybody who could move.
fn staff(visit: &Visit) -> Result<Vec<Choice>, Problem> {
    let today = visit.today();
    let chosen = visit.form.trimmed("staff");
    let own = visit.signed_in()?.staff_id;
    let lines = visit
        .app
        .db()
        .read(&visit.actor, |tx| list_all(tx, today))?;
    let known = lines
        .iter()
        .filter(|line| line.state != "ended" && line.id != own);
    let choice = |line: &crate::features::staff::accounts::Line| Choice {
        value: line.login.clone(),
        label: format!("{}（{}）", line.name, words::line(line).role),
        selected: line.login == chosen,
    };
    let none = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    };
    Ok(std::iter::once(none).chain(known.map(choice)).collect())
}

fn show_page(visit: &Visit, plan: &Plan, problems: Vec<FieldProblem>) -> Result<ShowPage, Problem> {
    let (today, typed) = (visit.today(), &visit.form);
    let state = plan.state(today);
    let (label, css) = view::state(state);
    let (lines, centres) = visit.app.db().read(&visit.actor, |tx| {
        let lines: Result<Vec<LineWords>, StoreError> = plan
            .lines
            .iter()
            .map(|entered| {
                Ok(LineWords {
                    id: entered.id.0,
                    text: view::line(tx, &entered.line)?,
                    made: rights::stamp(&entered.made),
                })
            })
            .collect();
        Ok::<_, StoreError>((lines?, centres(tx, plan.starts_on)?))
    })?;
    let may_change = visit.may(Permission::StaffAdminister);
    let editable = may_change && state == State::Draft;
    let (differences, obstacle, needs_approval) = looked_at(visit, plan, editable)?;
    let last = plan.last_step.as_ref();
    Ok(ShowPage {
        shell: Shell::new(visit, plan.title.clone())
            .under(&[("権限", "/rights"), ("年度切替", "/rights/plans")]),
        id: plan.id.0,
        from: words::day(plan.starts_on),
        state: label,
        css,
        stand: plan.stand.clone(),
        lines,
        last: last.map(|(_, written)| (rights::stamp(written), written.reason.clone())),
        differences,
        obstacle,
        needs_approval,
        editable,
        revocable: may_change && matches!(state, State::Draft | State::Confirmed | State::Missed),
        problems,
        line: line_asked(visit),
        tabs: words::choices(LINES.into_iter(), line_asked(visit)),
        staff: staff(visit)?,
        roles: words::roles(typed.trimmed("role"), "選んでください"),
        centres: words::centres(&centres, typed.trimmed("centre"), &[("", words::CITY)]),
        permissions: permissions(typed.trimmed("permission")),
        directions: directions(typed.trimmed("granted")),
        typed: typed.clone(),
    })
}

/// What confirming would do, or why it could not be done.
fn looked_at(
    visit: &Visit,
    plan: &Plan,
    editable: bool,
) -> Result<(Vec<DifferenceWords>, String, bool), Problem> {
    if !editable || plan.lines.is_empty() {
        return Ok((Vec::new(), String::new(), false));
    }
    let (hand, change) = (hand(visit), confirmation(plan, "確認"));
    let looked = acts::preview(&hand, &change, plan.starts_on)
        .and_then(|seen| Ok((seen, acts::needs_approval(&hand, &change)?)));
    match looked {
        Ok((seen, needs)) => Ok((rights::differences(&seen), String::new(), needs)),
        Err(Undone::Failed(problem)) => Err(problem),
        Err(Undone::Refused(refusal)) => Ok((Vec::new(), rights::refusal(&refusal), false)),
    }
}

pub(super) fn show(visit: &Visit) -> Answer {
    visit.page(&show_page(visit, &plan_of(visit)?, Vec::new())?)
}

fn refuse(visit: &Visit, status: StatusCode, problems: Vec<FieldProblem>) -> Answer {
    let page = show_page(visit, &plan_of(visit)?, problems)?;
    visit.page_as(status, &page)
}

/// What was typed as one line.
fn line(visit: &Visit, plan: &Plan) -> Result<Result<Line, Vec<FieldProblem>>, Problem> {
    let (fields, today) = (&visit.form, visit.today());
    let (centres, lines) = visit.app.db().read(&visit.actor, |tx| {
        Ok::<_, StoreError>((centres(tx, plan.starts_on)?, list_all(tx, today)?))
    })?;
    let typed = fields.trimmed("staff");
    let staff = lines
        .iter()
        .find(|line| line.login == typed)
        .map(|line| line.id);
    let staff = staff.ok_or_else(|| {
        vec![FieldProblem {
            field: "staff",
            text: "職員を選んでください。".to_owned(),
        }]
    });
    Ok(match fields.trimmed("line") {
        "post" => staff.and_then(|staff| {
            let place = PostForm::new(fields, &centres, today).place()?;
            Ok(Line::Post {
                staff,
                role: place.role,
                centre: place.centre.map(|centre| centre.code),
                job: place.job,
            })
        }),
        "leave" => staff.map(|staff| Line::Leave { staff }),
        "role" => {
            let checked = Form::new(fields, today).role_step();
            checked.map(|(role, step)| Line::Role { role, step })
        }
        "exception" => staff.and_then(|staff| {
            let (step, ends_on) = Form::new(fields, today).exception_of(plan.starts_on)?;
            Ok(Line::Exception {
                staff,
                step,
                ends_on,
            })
        }),
        _ => Err(vec![FieldProblem {
            field: "line",
            text: "何を加えるかを選んでください。".to_owned(),
        }]),
    })
}

pub(super) fn add(visit: &Visit) -> Answer {
    let plan = plan_of(visit)?;
    let line = match line(visit, &plan)? {
        Ok(line) => line,
        Err(problems) => return refuse(visit, StatusCode::UNPROCESSABLE_ENTITY, problems),
    };
    // The next line is most likely of the same kind.
    let key = format!("line-added&add={}", line_asked(visit));
    told(visit, plan.id, editor(visit)?.add(plan.id, &line), &key)
}

pub(super) fn remove(visit: &Visit) -> Answer {
    let (plan, line) = (plan_of(visit)?, LineId(visit.param("line")?));
    told(
        visit,
        plan.id,
        editor(visit)?.remove(plan.id, line),
        "line-removed",
    )
}

/// 409: the list is shown as it is now.
const CHANGED: &str = "確かめたあとで、ほかの管理者がこの一覧を変えました。\
    いまの一覧をもう一度確かめてください。";

fn told(visit: &Visit, id: PlanId, done: Result<(), Undone>, key: &str) -> Answer {
    let here = |key: &str| Ok(redirect(&format!("/rights/plans/{id}?done={key}")));
    match done {
        Ok(()) => here(key),
        Err(Undone::Failed(problem)) => Err(problem),
        Err(Undone::Refused(Refusal::Again)) => here("again"),
        Err(Undone::Refused(Refusal::Absent)) => Err(Problem::NotFound),
        Err(Undone::Refused(refusal)) => {
            let status = match refusal {
                Refusal::Late => StatusCode::CONFLICT,
                Refusal::Own => StatusCode::FORBIDDEN,
                Refusal::Absent
                | Refusal::Again
                | Refusal::LastAdministrator(_)
                | Refusal::Words(..) => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let text = if matches!(refusal, Refusal::Late) {
                CHANGED.to_owned()
            } else {
                rights::refusal(&refusal)
            };
            refuse(
                visit,
                status,
                vec![FieldProblem {
                    field: "reason",
                    text,
                }],
            )
        }
    }
}

pub(super) fn confirm(visit: &Visit) -> Answer {
    let plan = plan_of(visit)?;
    let reason = match Form::new(&visit.form, visit.today()).only_reason() {
        Ok(reason) => reason,
        Err(problems) => return refuse(visit, StatusCode::UNPROCESSABLE_ENTITY, problems),
    };
    let seen = visit.form.get("seen");
    let change = confirmation(&plan, &reason);
    match acts::perform(&hand(visit), &change, seen) {
        Ok(done) => Ok(after(
            done,
            &format!("/rights/plans/{}", plan.id),
            "plan-confirmed",
        )),
        Err(undone) => told(visit, plan.id, Err(undone), ""),
    }
}

pub(super) fn withdraw(visit: &Visit) -> Answer {
    let plan = plan_of(visit)?;
    let reason = match Form::new(&visit.form, visit.today()).only_reason() {
        Ok(reason) => reason,
        Err(problems) => return refuse(visit, StatusCode::UNPROCESSABLE_ENTITY, problems),
    };
    let done = editor(visit)?.withdraw(plan.id, &reason);
    told(visit, plan.id, done, "rights-plan-withdrawn")
}
