//! It came back, or it was destroyed; or that was a mistake.

use askama::Template;
use axum::http::StatusCode;
use store::{Operation, WriteTx};

use super::form::{FieldProblem, Form, typed_day};
use super::model::{CarriedOutId, Lists, Record, State};
use super::pages::late;
use super::records::{self, writable};
use super::registering::event;
use super::store as sql;
use super::view::{self, Choice, Fact};
use crate::web::{Answer, Fields, Problem, Shell, Visit, redirect};

#[derive(Template)]
#[template(path = "features/carried_out/ending.html")]
struct EndingPage {
    shell: Shell,
    id: CarriedOutId,
    facts: Vec<Fact>,
    /// It ended already: this form takes that back.
    reopens: bool,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl EndingPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn kinds(&self) -> Vec<Choice> {
        let chosen = self.value("kind");
        let kinds = [
            ("returned", "返却した（戻ってきた）"),
            ("disposed", "廃棄した"),
        ];
        let choice = |(value, label): (&str, &str)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            selected: value == chosen,
        };
        kinds.into_iter().map(choice).collect()
    }
}

fn has_ended(visit: &Visit, record: &Record) -> bool {
    matches!(
        record.state(visit.today()),
        State::Returned | State::Disposed
    )
}

fn page(
    visit: &Visit,
    record: &Record,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> Result<EndingPage, Problem> {
    let here = format!("/carried-out/{}", record.id);
    let label = format!("番号 {}", record.id);
    let reopens = has_ended(visit, record);
    let title = if reopens {
        "返却・廃棄を取り消す"
    } else {
        "返却・廃棄を記録する"
    };
    let lists = records::reading(visit, |tx| sql::lists(tx, record.entry.taken_on))?;
    let kept = [
        "持ち出した日",
        "持ち出したもの",
        "媒体",
        "持出し先",
        "返却・廃棄の期限",
    ];
    let facts = view::facts(&record.entry, &lists);
    Ok(EndingPage {
        shell: Shell::new(visit, title).under(&[("持出し台帳", "/carried-out"), (&label, &here)]),
        id: record.id,
        facts: facts
            .into_iter()
            .filter(|fact| kept.contains(&fact.label))
            .collect(),
        reopens,
        typed,
        problems,
    })
}

pub(super) fn form(visit: &Visit) -> Answer {
    let record = records::own(visit)?;
    let today = typed_day(visit.today());
    let name = visit.signed_in()?.name.clone();
    let first = [("ended_on", today.as_str()), ("handled_by", name.as_str())];
    let typed = Fields::from_pairs(first.into_iter()).unwrap_or_default();
    visit.page(&page(visit, &record, typed, Vec::new())?)
}

pub(super) fn create(visit: &Visit) -> Answer {
    let record = records::own(visit)?;
    let none = Lists::default();
    let form = Form::new(&visit.form, &none, visit.today());
    let refuse = |problems| {
        let page = page(visit, &record, visit.form.clone(), problems)?;
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    if visit.form.get("kind") == "open" {
        return match form.reason("取り消す理由") {
            Ok(reason) => reopen(visit, record.id, &reason),
            Err(problems) => refuse(problems),
        };
    }
    let ending = match form.ending(record.entry.taken_on) {
        Ok(ending) => ending,
        Err(problems) => return refuse(problems),
    };
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let id = record.id;
    visit.app.db().write(&visit.actor, |tx| {
        let (old, _) = state(visit, tx, id, Ends::First)?;
        sql::insert_ending(tx, id, &ending, (Some(staff), &now))?;
        let what = if ending.kind == "disposed" {
            "廃棄"
        } else {
            "返却"
        };
        let detail = format!(
            "状態：{old}→{what}／日＝{}／した人＝{}／方法＝{}／証明書＝{}",
            ending.ended_on, ending.handled_by, ending.method, ending.certificate
        );
        Ok::<_, Problem>(tx.audited(event(Operation::CarryOutEnd, id).detail(detail), ()))
    })?;
    Ok(redirect(&format!(
        "/carried-out/{id}?done=carried-out-ended"
    )))
}

fn reopen(visit: &Visit, id: CarriedOutId, reason: &str) -> Answer {
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let (old, _) = state(visit, tx, id, Ends::Back)?;
        sql::insert_reopening(tx, id, reason, (staff, &now))?;
        let detail = format!("状態：{old}→持出し中／理由＝{reason}");
        Ok::<_, Problem>(tx.audited(event(Operation::CarryOutEnd, id).detail(detail), ()))
    })?;
    Ok(redirect(&format!(
        "/carried-out/{id}?done=carried-out-reopened"
    )))
}

/// What a step needs to find: still out, or ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    First,
    Back,
}

/// The entry and its state in words; 409 when somebody else was faster.
fn state(
    visit: &Visit,
    tx: &WriteTx<'_>,
    id: CarriedOutId,
    step: Ends,
) -> Result<(&'static str, Record), Problem> {
    let record = writable(visit, tx, id)?;
    if has_ended(visit, &record) == (step == Ends::First) {
        return Err(Problem::Page(Box::new(late(visit, id)?)));
    }
    Ok((view::state(record.state(visit.today())).1, record))
}
