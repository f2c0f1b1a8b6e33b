//! Changing what a role may do: at once for everybody of that job, from a day on.

use askama::Template;
use axum::http::StatusCode;
use jiff::civil::Date;
use store::StoreError;

use super::acts::{self, Done, Refusal, Undone};
use super::form::Form;
use super::matrix::{PlannedWords, planned_words};
use super::model::{Change, RoleChange, RoleRightId, RoleRow};
use super::view::{self, DifferenceWords};
use super::{hand, store as sql};
use crate::features::staff::accounts::form::FieldProblem;
use crate::features::staff::accounts::view as words;
use crate::web::{Answer, Fields, Permission, Problem, Rights, Role, Shell, Visit, redirect};

/// A box of the form.
struct Choice {
    code: &'static str,
    label: &'static str,
    checked: bool,
    /// What holds now, where the box says something else.
    now: Option<&'static str>,
}

struct Group {
    name: &'static str,
    boxes: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "features/staff/rights/role.html")]
struct RolePage {
    shell: Shell,
    code: &'static str,
    label: &'static str,
    seen: String,
    shown: String,
    as_of: String,
    groups: Vec<Group>,
    typed: Fields,
    problems: Vec<FieldProblem>,
    preview: Option<Preview>,
    planned: Vec<PlannedWords>,
    past: Vec<PlannedWords>,
}

/// What would happen, before it is saved.
pub(super) struct Preview {
    pub(super) from: String,
    pub(super) steps: Vec<String>,
    pub(super) differences: Vec<DifferenceWords>,
    pub(super) needs_approval: bool,
}

impl RolePage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

/// The role of the address; one that does not exist is not there.
fn role(visit: &Visit) -> Result<Role, Problem> {
    let code: String = visit.param("role")?;
    Role::from_code(&code).ok_or(Problem::NotFound)
}

/// The rights as the form showed them: on the day it was opened.
fn shown(visit: &Visit, role: Role) -> Result<(Rights, Date), Problem> {
    let opened = visit
        .form
        .trimmed("as_of")
        .parse()
        .unwrap_or_else(|_| visit.today());
    let read = visit
        .app
        .db()
        .read(&visit.actor, |tx| view::held_by_role(tx, role, opened));
    Ok((read?, opened))
}

fn page(visit: &Visit, role: Role, problems: Vec<FieldProblem>) -> Result<RolePage, Problem> {
    let (typed, today) = (&visit.form, visit.today());
    let (held, opened) = shown(visit, role)?;
    let (stand, rows) = visit.app.db().read(&visit.actor, |tx| {
        Ok::<_, StoreError>((sql::stand_of_role(tx, role)?, sql::role_rows(tx)?))
    })?;
    let is_sent = typed.has("seen");
    let own = |row: &&RoleRow| row.role == role && !row.is_shipped;
    let (planned, past): (Vec<&RoleRow>, Vec<&RoleRow>) = rows
        .iter()
        .filter(own)
        .partition(|row| row.starts_on > today);
    Ok(RolePage {
        shell: Shell::new(visit, format!("{}：権限を変える", role.label()))
            .under(&[("権限", "/rights")]),
        code: role.code(),
        label: role.label(),
        seen: if is_sent {
            typed.get("seen").to_owned()
        } else {
            stand
        },
        shown: typed.get("shown").to_owned(),
        as_of: opened.to_string(),
        groups: groups(typed, is_sent, &held),
        typed: typed.clone(),
        problems,
        preview: None,
        planned: planned.iter().map(|row| planned_words(row)).collect(),
        past: past.iter().rev().map(|row| planned_words(row)).collect(),
    })
}

fn groups(typed: &Fields, is_sent: bool, held: &Rights) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for permission in Permission::grantable() {
        let code = permission.code();
        let checked = if is_sent {
            typed.all("may").any(|may| may == code)
        } else {
            held.has(permission)
        };
        let differs = checked != held.has(permission);
        let choice = Choice {
            code,
            label: permission.label(),
            checked,
            now: differs.then(|| view::may(held.has(permission))),
        };
        match groups
            .iter_mut()
            .find(|group| group.name == permission.group())
        {
            Some(group) => group.boxes.push(choice),
            None => groups.push(Group {
                name: permission.group(),
                boxes: vec![choice],
            }),
        }
    }
    groups
}

pub(super) fn form(visit: &Visit) -> Answer {
    visit.page(&page(visit, role(visit)?, Vec::new())?)
}

/// How a form remembers what its preview was about.
fn shown_key(change: &RoleChange) -> String {
    let sign = |step: &super::model::Step| {
        format!(
            "{}{}",
            if step.granted { '+' } else { '-' },
            step.permission.code()
        )
    };
    let steps: Vec<String> = change.steps.iter().map(sign).collect();
    format!("{}:{}", change.starts_on, steps.join(","))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let role = role(visit)?;
    let (held, _) = shown(visit, role)?;
    let change = match Form::new(&visit.form, visit.today()).role_change(role, &held) {
        Ok(change) => change,
        Err(problems) => return refuse(visit, role, problems),
    };
    let (key, steps, from) = (shown_key(&change), change.steps.clone(), change.starts_on);
    let change = Change::Role(change);
    let hand = hand(visit);
    if visit.form.get("shown") == key {
        return match acts::perform(&hand, &change, visit.form.get("seen")) {
            Ok(done) => Ok(after(done, "/rights", "rights-changed")),
            Err(undone) => told(visit, role, undone),
        };
    }
    let differences = match acts::preview(&hand, &change, from) {
        Ok(differences) => differences,
        Err(undone) => return told(visit, role, undone),
    };
    let needs_approval = match acts::needs_approval(&hand, &change) {
        Ok(needs) => needs,
        Err(undone) => return told(visit, role, undone),
    };
    visit.page(&RolePage {
        shown: key,
        preview: Some(Preview {
            from: words::day(from),
            steps: steps.iter().map(|step| view::step(*step)).collect(),
            differences: view::differences(&differences),
            needs_approval,
        }),
        ..page(visit, role, Vec::new())?
    })
}

/// Where to go once a change was made or asked for.
pub(super) fn after(done: Done, place: &str, key: &str) -> crate::web::Response {
    match done {
        Done::Saved => redirect(&format!("{place}?done={key}")),
        Done::Asked(id) => redirect(&format!("/approvals/{id}?done=approval-asked")),
    }
}

fn refuse(visit: &Visit, role: Role, problems: Vec<FieldProblem>) -> Answer {
    let page = page(visit, role, problems)?;
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn told(visit: &Visit, role: Role, undone: Undone) -> Answer {
    match undone {
        Undone::Failed(problem) => Err(problem),
        Undone::Refused(Refusal::Absent) => Err(Problem::NotFound),
        Undone::Refused(Refusal::Again) => Ok(redirect("/rights?done=again")),
        Undone::Refused(Refusal::Late) => late(visit, role),
        Undone::Refused(refusal) => refuse(
            visit,
            role,
            vec![FieldProblem {
                field: view::field_of(&refusal, "may"),
                text: view::refusal(&refusal),
            }],
        ),
    }
}

#[derive(Template)]
#[template(path = "features/staff/rights/late.html")]
struct LatePage {
    shell: Shell,
    theirs: Vec<PlannedWords>,
    mine: Vec<String>,
    starts_on: String,
    reason: String,
    href: String,
}

/// 409: another administrator was faster; both versions are shown.
fn late(visit: &Visit, role: Role) -> Answer {
    let (held, _) = shown(visit, role)?;
    let rows = visit.app.db().read(&visit.actor, sql::role_rows)?;
    let seen = visit
        .form
        .get("seen")
        .split('-')
        .next()
        .and_then(|id| id.parse().ok());
    let newer = |row: &&RoleRow| row.role == role && row.id.0 > seen.unwrap_or(0);
    let wanted = Form::new(&visit.form, visit.today()).role_change(role, &held);
    let steps = wanted.map(|change| change.steps).unwrap_or_default();
    let page = LatePage {
        shell: Shell::new(
            visit,
            format!("{}：ほかの管理者が先に変えました", role.label()),
        )
        .under(&[("権限", "/rights")]),
        theirs: rows.iter().filter(newer).map(planned_words).collect(),
        mine: steps.iter().map(|step| view::step(*step)).collect(),
        starts_on: visit.form.get("starts_on").to_owned(),
        reason: visit.form.get("reason").to_owned(),
        href: format!("/rights/roles/{}", role.code()),
    };
    visit.page_as(StatusCode::CONFLICT, &page)
}

/// Takes a planned change back.
pub(super) fn withdraw(visit: &Visit) -> Answer {
    let row = RoleRightId(visit.param("id")?);
    let known = visit
        .app
        .db()
        .read(&visit.actor, |tx| sql::role_row_of(tx, row))?;
    let Some(known) = known else {
        // Taken back already, by whomever: there is nothing left to do.
        return Ok(redirect("/rights?done=again"));
    };
    let reason = match Form::new(&visit.form, visit.today()).only_reason() {
        Ok(reason) => reason,
        Err(problems) => return refuse(visit, known.role, problems),
    };
    let change = Change::Withdrawal { row, reason };
    let hand = hand(visit);
    let seen = visit
        .app
        .db()
        .read(&visit.actor, |tx| acts::stand(tx, &change));
    let done = seen.and_then(|seen| acts::perform(&hand, &change, &seen));
    match done {
        Ok(done) => Ok(after(done, "/rights", "right-withdrawn")),
        Err(undone) => told(visit, known.role, undone),
    }
}
