//! The page on which an administrator takes back a lost telephone or key.

use askama::Template;
use axum::http::StatusCode;
use base::text::graphemes;
use store::{Operation, ReadTx};

use super::acts::{self, Undone};
use super::form::{FieldProblem, REASON_CHARS_MAX};
use super::pages::{account, back, for_form, hand, own, shell_of, unexpected};
use super::posts::{is_own, refused_own};
use crate::features::staff::factors::{self, store as sql};
use crate::web::{Answer, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/staff/accounts/factor_reset.html")]
struct ResetPage {
    shell: Shell,
    id: i64,
    held: String,
    any: bool,
    reason: String,
    problems: Vec<FieldProblem>,
}

impl ResetPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }
}

fn page(visit: &Visit, problems: Vec<FieldProblem>) -> Result<ResetPage, Problem> {
    let account = account(visit)?;
    let read = |tx: &ReadTx<'_>| sql::held(tx, account.id);
    let held = visit.app.db().read(&visit.actor, read)?;
    Ok(ResetPage {
        shell: shell_of(visit, &account, "本人確認の方法の取消し"),
        id: account.id.0,
        held: factors::words(&held),
        any: !held.is_empty(),
        reason: visit.form.get("reason").to_owned(),
        problems,
    })
}

pub(super) fn ask(visit: &Visit) -> Answer {
    if is_own(visit, account(visit)?.id)? {
        return own(visit);
    }
    visit.page(&page(visit, Vec::new())?)
}

pub(super) fn reset(visit: &Visit) -> Answer {
    let account = account(visit)?;
    if is_own(visit, account.id)? {
        return refused_own(visit, Operation::SecondFactorReset, account.id);
    }
    let plain = |c: &char| !c.is_control();
    let reason: String = visit.form.trimmed("reason").chars().filter(plain).collect();
    if reason.is_empty() || graphemes(&reason) > REASON_CHARS_MAX {
        let problem = FieldProblem {
            field: "reason",
            text: format!("理由を{REASON_CHARS_MAX}文字までで入力してください。"),
        };
        let page = page(visit, vec![problem])?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    match acts::reset_factors(&hand(visit), account.id, &reason) {
        Ok(true) => Ok(back(account.id, "factor-reset")),
        Ok(false) => Ok(back(account.id, "again")),
        Err(undone) => Err(refusal(visit, undone)?),
    }
}

fn refusal(visit: &Visit, undone: Undone) -> Result<Problem, Problem> {
    Ok(unexpected(&for_form(visit, undone)?))
}
