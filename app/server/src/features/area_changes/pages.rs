//! Planning a change, looking at it, taking it back.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, StoreError};

use super::model::{Area, Centre, Change, Counts, Plan};
use super::view::{self, ChangeWords, Choice, Group, Row};
use super::{form, moving, store as sql};
use crate::web::{
    Answer, Checked, FieldProblem, Fields, Permission, Problem, Shell, Typed, Visit, problem_of,
    redirect, typed_words,
};

/// Plans on the list; older ones are in the access log.
const LISTED_MAX: i64 = 200;
const ABOVE: (&str, &str) = ("件数とマスタ", "/overview");
const LIST: (&str, &str) = ("受持ち区域の変更", "/area-changes");

#[derive(Template)]
#[template(path = "features/area_changes/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<ChangeWords>,
    may_change: bool,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let read = |tx: &ReadTx<'_>| sql::changes(tx, LISTED_MAX);
    let changes = visit.app.db().read(&visit.actor, read)?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "受持ち区域の変更").under(&[ABOVE]),
        rows: changes
            .iter()
            .map(|change| view::change(change, visit.today()))
            .collect(),
        may_change: visit.may(Permission::AreaAdminister),
    })
}

/// What would move, beside the form that asks for it.
struct Preview {
    key: String,
    rows: Vec<Row>,
    total: Counts,
}

#[derive(Template)]
#[template(path = "features/area_changes/form.html")]
struct FormPage {
    shell: Shell,
    groups: Vec<Group>,
    centres: Vec<Choice>,
    typed: Fields,
    problems: Vec<FieldProblem>,
    preview: Option<Preview>,
}

impl FormPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

/// Areas and centres of today.
struct Known {
    areas: Vec<Area>,
    centres: Vec<Centre>,
}

impl Known {
    fn read(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let today = visit.today();
        Ok(Self {
            areas: sql::areas(tx, today)?,
            centres: sql::centres(tx, today)?,
        })
    }

    fn check(&self, visit: &Visit) -> Result<Plan, Vec<FieldProblem>> {
        form::check(&visit.form, &self.areas, &self.centres, visit.today())
    }

    fn page(&self, visit: &Visit, problems: Vec<FieldProblem>) -> FormPage {
        FormPage {
            shell: Shell::new(visit, "区域の変更を予定する").under(&[ABOVE, LIST]),
            groups: view::groups(&self.areas, &visit.form),
            centres: view::centres(&self.centres, &visit.form),
            typed: visit.form.clone(),
            problems,
            preview: None,
        }
    }

    fn refuse(&self, visit: &Visit, problems: Vec<FieldProblem>) -> Answer {
        let page = self.page(visit, problems);
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    }
}

pub(super) fn new(visit: &Visit) -> Answer {
    let read = |tx: &ReadTx<'_>| Known::read(visit, tx);
    let known = visit.app.db().read(&visit.actor, read)?;
    visit.page(&known.page(visit, Vec::new()))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?.staff_id;
    let db = visit.app.db();
    let known = db.read(&visit.actor, |tx| Known::read(visit, tx))?;
    let plan = match known.check(visit) {
        Ok(plan) => plan,
        Err(problems) => return refused(visit, &known, problems),
    };
    if visit.form.get("step") != "save" || visit.form.get("shown") != plan.key() {
        return preview(visit, &known, &plan);
    }
    let now = format!("{:.6}", visit.app.clock().now());
    let id = db.write(&visit.actor, |tx| {
        // Asked again here: between the check and now somebody may have planned the same area.
        let known = Known::read(visit, tx)?;
        let plan = match known.check(visit) {
            Ok(plan) => plan,
            Err(problems) => {
                let page = known.refuse(visit, problems)?;
                return Err(Problem::Page(Box::new(page)));
            }
        };
        let id = sql::insert(tx, &plan, (staff, &now))?;
        let centre = known.centres.iter().find(|centre| centre.id == plan.to);
        let areas = known.areas.iter().filter(|a| plan.areas.contains(&a.code));
        let detail = format!(
            "area={} to={} on={}",
            areas
                .map(|area| format!("{}（{}）", area.name, area.centre_name))
                .collect::<Vec<_>>()
                .join("+"),
            centre.map_or("", |centre| centre.short_name.as_str()),
            plan.on
        );
        let event = Event::done(Operation::AreaChangePlan).on(RecordKind::AreaChange, id);
        Ok(tx.audited(event.detail(detail), id))
    })?;
    Ok(redirect(&format!("/area-changes/{id}?done=planned")))
}

/// 422; but the same form sent twice is one plan.
fn refused(visit: &Visit, known: &Known, problems: Vec<FieldProblem>) -> Answer {
    let staff = visit.signed_in()?.staff_id;
    // Its own plan is what now stands in the way of each of its areas.
    let free = Known {
        areas: known
            .areas
            .iter()
            .map(|area| Area {
                planned: None,
                ..area.clone()
            })
            .collect(),
        centres: known.centres.clone(),
    };
    if let Ok(plan) = free.check(visit) {
        let read = |tx: &ReadTx<'_>| sql::same(tx, &plan, staff);
        if let Some(id) = visit.app.db().read(&visit.actor, read)? {
            return Ok(redirect(&format!("/area-changes/{id}?done=again")));
        }
    }
    known.refuse(visit, problems)
}

fn preview(visit: &Visit, known: &Known, plan: &Plan) -> Answer {
    let moves = moving::preview(&visit.app, &plan.areas, plan.to, visit.today())?;
    let mut page = known.page(visit, Vec::new());
    page.preview = Some(Preview {
        key: plan.key(),
        rows: view::rows(&moves),
        total: moving::total(&moves),
    });
    visit.page(&page)
}

#[derive(Template)]
#[template(path = "features/area_changes/show.html")]
struct ShowPage {
    shell: Shell,
    change: ChangeWords,
    rows: Vec<Row>,
    total: Counts,
    may_withdraw: bool,
    reason: String,
    problems: Vec<FieldProblem>,
}

impl ShowPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

fn change(visit: &Visit) -> Result<Change, Problem> {
    let id: i64 = visit.param("id")?;
    let read = |tx: &ReadTx<'_>| sql::change_of(tx, id);
    visit
        .app
        .db()
        .read(&visit.actor, read)?
        .ok_or(Problem::NotFound)
}

fn page(visit: &Visit, change: &Change, problems: Vec<FieldProblem>) -> Result<ShowPage, Problem> {
    let today = visit.today();
    let may_withdraw = change.can_be_withdrawn(today) && visit.may(Permission::AreaAdminister);
    let moves = if change.can_be_withdrawn(today) {
        moving::preview(&visit.app, &change.codes(), change.to, today)?
    } else {
        Vec::new()
    };
    Ok(ShowPage {
        shell: Shell::new(visit, format!("受持ち区域の変更 {}", change.id)).under(&[ABOVE, LIST]),
        change: view::change(change, today),
        rows: view::rows(&moves),
        total: moving::total(&moves),
        may_withdraw,
        reason: visit.form.get("reason").to_owned(),
        problems,
    })
}

pub(super) fn show(visit: &Visit) -> Answer {
    visit.page(&page(visit, &change(visit)?, Vec::new())?)
}

#[derive(Template)]
#[template(path = "features/area_changes/late.html")]
struct LatePage {
    shell: Shell,
    id: i64,
    typed: Vec<Typed>,
}

pub(super) fn withdraw(visit: &Visit) -> Answer {
    let (known, staff) = (change(visit)?, visit.signed_in()?.staff_id);
    let mut checks = Checked::new(&visit.form);
    let reason = checks.reason("reason", "取りやめる理由");
    let reason = match checks.ended(Some(reason)) {
        Ok(reason) => reason,
        Err(problems) => {
            let page = page(visit, &known, problems)?;
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let now = format!("{:.6}", visit.app.clock().now());
    let id = known.id;
    visit.app.db().write(&visit.actor, |tx| {
        let change = sql::change_of(tx, id)?.ok_or(Problem::NotFound)?;
        if matches!(change.state, super::model::State::Withdrawn { .. }) {
            let again = redirect(&format!("/area-changes/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        if !change.can_be_withdrawn(visit.today()) {
            return Err(Problem::Page(Box::new(late(visit, id)?)));
        }
        sql::insert_withdrawal(tx, id, &reason, (staff, &now))?;
        let event = Event::done(Operation::AreaChangeWithdraw).on(RecordKind::AreaChange, id);
        let detail = format!("to={} on={}", change.to_name, change.on);
        Ok(tx.audited(event.detail(detail), ()))
    })?;
    Ok(redirect(&format!("/area-changes/{id}?done=plan-withdrawn")))
}

/// 409: the day has come.
fn late(visit: &Visit, id: i64) -> Answer {
    let words = visit.form.pairs().filter(|(name, _)| *name == "reason");
    let page = LatePage {
        shell: Shell::new(visit, "もう取りやめられません").under(&[ABOVE, LIST]),
        id,
        typed: typed_words(words),
    };
    visit.page_as(StatusCode::CONFLICT, &page)
}
