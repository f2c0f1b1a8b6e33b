//! The form of a check: every item of the list of today.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, RecordKind};

use super::form::{FieldProblem, Form};
use super::inspections::{self as sql, Inspection, ItemResult, Outcome};
use super::model::{CheckList, list_on};
use super::words::day;
use crate::web::{Answer, Fields, Problem, Shell, Visit, redirect};

struct Choice {
    value: &'static str,
    label: &'static str,
    selected: bool,
}

struct ItemInput {
    code: String,
    text: String,
    clause: String,
    css: &'static str,
    choices: Vec<Choice>,
    remark: String,
    due: String,
    result_problem: String,
    remark_problem: String,
    due_problem: String,
}

#[derive(Template)]
#[template(path = "features/data_registers/inspection_form.html")]
struct FormPage {
    shell: Shell,
    submission: String,
    list_from: String,
    source: String,
    interval: String,
    typed: Fields,
    items: Vec<ItemInput>,
    problems: Vec<FieldProblem>,
}

impl FormPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

fn problem_of<'p>(problems: &'p [FieldProblem], field: &str) -> &'p str {
    let problem = problems.iter().find(|p| p.field == field);
    problem.map_or("", |p| p.text.as_str())
}

fn page(visit: &Visit, list: &CheckList, typed: Fields, problems: Vec<FieldProblem>) -> FormPage {
    let unconfirmed = list.unconfirmed;
    let items = list.items.iter().map(|item| {
        let name = |part: &str| format!("{part}_{}", item.code);
        let chosen = typed.get(&name("result"));
        ItemInput {
            code: item.code.clone(),
            text: item.text.clone(),
            clause: item.clause.clone(),
            css: if item.unconfirmed { "warn" } else { "" },
            choices: Outcome::ALL
                .iter()
                .map(|known| Choice {
                    value: known.code(),
                    label: known.label(),
                    selected: known.code() == chosen,
                })
                .collect(),
            remark: typed.get(&name("remark")).to_owned(),
            due: typed.get(&name("due")).to_owned(),
            result_problem: problem_of(&problems, &name("result")).to_owned(),
            remark_problem: problem_of(&problems, &name("remark")).to_owned(),
            due_problem: problem_of(&problems, &name("due")).to_owned(),
        }
    });
    FormPage {
        shell: Shell::new(visit, "点検を記録する").under(&[("定期点検", "/inspections")]),
        submission: visit.submission(),
        list_from: list.key(),
        source: if unconfirmed {
            format!("{}（項目と間隔は未確認）", list.source)
        } else {
            list.source.clone()
        },
        interval: list.interval_words(),
        items: items.collect(),
        typed,
        problems,
    }
}

fn list_today(visit: &Visit) -> Result<&'static CheckList, Problem> {
    list_on(visit.today()).ok_or(Problem::Fault("no list for inspections"))
}

pub(super) fn new(visit: &Visit) -> Answer {
    let list = list_today(visit)?;
    let today = visit.today();
    let (on, next) = (day(today), day(list.next(today)));
    let name = visit.signed_in()?.name.clone();
    let first = [
        ("checked_on", on.as_str()),
        ("checker", &name),
        ("next_due_on", &next),
    ];
    let typed = Fields::from_pairs(first.into_iter()).unwrap_or_default();
    visit.page(&page(visit, list, typed, Vec::new()))
}

fn checked(visit: &Visit, list: &CheckList) -> Result<Inspection, Vec<FieldProblem>> {
    let mut form = Form::new(&visit.form, visit.today());
    let checked_on = form.past("checked_on", "点検した日");
    let checker = form.must("checker", "点検した人");
    let next_due_on = form.day("next_due_on", "次の点検の期限");
    if next_due_on <= checked_on {
        form.bad(
            "next_due_on",
            "次の点検の期限は、点検した日より後にしてください。",
        );
    }
    let results = list.items.iter().map(|item| {
        let name = |part: &str| format!("{part}_{}", item.code);
        let outcome = Outcome::of(visit.form.trimmed(&name("result")));
        if outcome.is_none() {
            let text = format!("項目{}の結果を選んでください。", item.code);
            form.bad(&name("result"), text);
        }
        let outcome = outcome.unwrap_or(Outcome::None);
        let remark = form.text(&name("remark"), &format!("項目{}の所見", item.code));
        let bad = outcome == Outcome::Bad;
        if bad && remark.is_empty() {
            let text = format!("項目{}：不備の内容を入力してください。", item.code);
            form.bad(&name("remark"), text);
        }
        let due = format!("項目{}の是正の期限", item.code);
        ItemResult {
            item: item.code.clone(),
            outcome,
            remark,
            fix_due_on: bad.then(|| form.day(&name("due"), &due)),
        }
    });
    let results = results.collect();
    let inspection = Inspection {
        checked_on,
        checker,
        next_due_on,
        list_from: list.key(),
        note: form.text("note", "総評"),
        results,
    };
    form.done(inspection)
}

pub(super) fn create(visit: &Visit) -> Answer {
    let list = list_today(visit)?;
    let inspection = match checked(visit, list) {
        Ok(inspection) => inspection,
        Err(problems) => {
            let page = page(visit, list, visit.form.clone(), problems);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let submission = visit.submission();
    let id = visit.app.db().write(&visit.actor, |tx| {
        if let Some(id) = sql::by_submission(tx, &submission)? {
            let again = redirect(&format!("/inspections/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        let centre = visit.actor.centre_id;
        let id = sql::insert(tx, centre, &inspection, (staff, &now, &submission))?;
        let bad = inspection
            .results
            .iter()
            .filter(|r| r.outcome == Outcome::Bad);
        let detail = format!(
            "点検日＝{}／不備＝{}／次の期限＝{}",
            inspection.checked_on,
            bad.count(),
            inspection.next_due_on
        );
        let event = Event::done(Operation::InspectionWrite).on(RecordKind::Inspection, id);
        Ok(tx.audited(event.detail(detail), id))
    })?;
    Ok(redirect(&format!("/inspections/{id}?done=saved")))
}
