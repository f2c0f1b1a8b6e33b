//! An entry made by mistake: it stays readable and counts no more.

use askama::Template;
use axum::http::StatusCode;
use store::Operation;

use super::form::{FieldProblem, Form};
use super::model::{CarriedOutId, Lists, Record};
use super::records::{self, writable};
use super::registering::event;
use super::store as sql;
use super::view::{self, Fact};
use crate::web::{Answer, Problem, Shell, Visit, redirect};

#[derive(Template)]
#[template(path = "features/carried_out/withdrawal.html")]
struct WithdrawalPage {
    shell: Shell,
    id: CarriedOutId,
    facts: Vec<Fact>,
    reason: String,
    problems: Vec<FieldProblem>,
}

impl WithdrawalPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }
}

fn page(
    visit: &Visit,
    record: &Record,
    problems: Vec<FieldProblem>,
) -> Result<WithdrawalPage, Problem> {
    let here = format!("/carried-out/{}", record.id);
    let label = format!("番号 {}", record.id);
    let lists = records::reading(visit, |tx| sql::lists(tx, record.entry.taken_on))?;
    let above = [("持出し台帳", "/carried-out"), (&label, here.as_str())];
    Ok(WithdrawalPage {
        shell: Shell::new(visit, format!("持出し {} を取り下げる", record.id)).under(&above),
        id: record.id,
        facts: view::facts(&record.entry, &lists),
        reason: visit.form.get("reason").to_owned(),
        problems,
    })
}

pub(super) fn form(visit: &Visit) -> Answer {
    let record = records::own(visit)?;
    visit.page(&page(visit, &record, Vec::new())?)
}

pub(super) fn create(visit: &Visit) -> Answer {
    let record = records::own(visit)?;
    let none = Lists::default();
    let reason = match Form::new(&visit.form, &none, visit.today()).reason("取り下げる理由")
    {
        Ok(reason) => reason,
        Err(problems) => {
            let page = page(visit, &record, problems)?;
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let id = record.id;
    visit.app.db().write(&visit.actor, |tx| {
        let record = writable(visit, tx, id)?;
        sql::insert_withdrawal(tx, id, &reason, (staff, &now))?;
        let (_, old) = view::state(record.state(visit.today()));
        let detail = format!("状態：{old}→取下げ／理由＝{reason}");
        let event = event(Operation::CarryOutWithdraw, id).detail(detail);
        Ok::<_, Problem>(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/carried-out/{id}?done=withdrawn")))
}
