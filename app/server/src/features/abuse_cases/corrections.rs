//! A correction of what is known, from a named version on; taking a report back.

use askama::Template;
use axum::http::StatusCode;
use store::{Operation, ReadTx};

use super::model::{Case, Known};
use super::pages::{self, FormPage};
use super::{form, store as sql, view};
use crate::web::{Answer, FieldProblem, Fields, Problem, Shell, Visit, problem_of, redirect};

pub(super) fn form(visit: &Visit) -> Answer {
    let case = pages::open(visit, Operation::AbuseView)?;
    pages::open_only(visit, &case)?;
    let typed = view::typed(&case.known);
    visit.page(&edit_page(visit, &case, case.version, typed, Vec::new()))
}

fn edit_page(
    visit: &Visit,
    case: &Case,
    base_version: i64,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> FormPage {
    let (here, today) = (format!("/abuse-cases/{}", case.id), visit.today());
    FormPage {
        shell: pages::shell(visit, case, "受理の内容を訂正する"),
        action: format!("{here}/versions"),
        back: here,
        submission: String::new(),
        base_version,
        correcting: true,
        consultation: String::new(),
        origin: None,
        victim: case
            .victim
            .as_ref()
            .map(|person| view::person(person, today)),
        carer: case
            .carer
            .as_ref()
            .map(|person| view::person(person, today)),
        managers: Vec::new(),
        conflict: None,
        typed,
        problems,
    }
}

fn checked(
    visit: &Visit,
    tx: &ReadTx<'_>,
    case: &Case,
) -> Result<Result<(Known, String), Vec<FieldProblem>>, Problem> {
    let looked = pages::looked(tx, &visit.form, Some(&case.known))?;
    let reporter = pages::readable_reporter(visit, tx, case)?;
    let now = visit.app.clock().now();
    Ok(form::correction(
        &visit.form,
        looked,
        now,
        reporter.as_ref(),
    ))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    let base: i64 = visit.form.trimmed("base_version").parse().unwrap_or(0);
    let case = visit.app.db().write(&visit.actor, |tx| {
        let case = pages::load(visit, tx)?;
        pages::open_only(visit, &case)?;
        let answer = |status: StatusCode, page: FormPage| -> Problem {
            match visit.page_as(status, &page) {
                Ok(page) => Problem::Page(Box::new(page)),
                Err(problem) => problem,
            }
        };
        let (known, reason) = match checked(visit, tx, &case)? {
            Ok(checked) => checked,
            Err(problems) => {
                let page = edit_page(visit, &case, base, visit.form.clone(), problems);
                return Err(answer(StatusCode::UNPROCESSABLE_ENTITY, page));
            }
        };
        if case.version != base {
            return Err(answer(
                StatusCode::CONFLICT,
                raced(visit, tx, &case, &known)?,
            ));
        }
        let version = base.saturating_add(1);
        sql::insert_version(tx, (case.id, version), &known, &reason, (by, &now))?;
        let words = format!("version={version}");
        let event = pages::event_with(Operation::AbuseCorrect, &case, &words);
        // Who stands in it from now on is whom the entry is about.
        Ok(tx.audited(event.about(known.resident.or(case.known.resident)), case.id))
    })?;
    Ok(redirect(&format!("/abuse-cases/{case}?done=corrected")))
}

/// Both versions side by side; the form below holds what was typed and starts from the newest.
fn raced(visit: &Visit, tx: &ReadTx<'_>, case: &Case, typed: &Known) -> Result<FormPage, Problem> {
    let newest = sql::versions(tx, case.id)?;
    let by = newest.first().map_or_else(String::new, |version| {
        let at = view::moment(&version.at);
        format!(
            "{} さんが {at} に第{}版を保存しました。",
            version.by, version.version
        )
    });
    let mut page = edit_page(visit, case, case.version, visit.form.clone(), Vec::new());
    page.shell.title = "ほかの人が先に訂正しました".to_owned();
    page.conflict = Some((by, view::differences(&case.known, typed)));
    Ok(page)
}

#[derive(Template)]
#[template(path = "features/abuse_cases/reason.html")]
pub(super) struct ReasonPage {
    pub(super) shell: Shell,
    pub(super) sentence: &'static str,
    pub(super) action: String,
    pub(super) back: String,
    pub(super) label: &'static str,
    pub(super) button: &'static str,
    pub(super) typed: String,
    pub(super) problems: Vec<FieldProblem>,
}

impl ReasonPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

fn withdrawal_page(visit: &Visit, case: &Case, problems: Vec<FieldProblem>) -> ReasonPage {
    let here = format!("/abuse-cases/{}", case.id);
    ReasonPage {
        shell: pages::shell(visit, case, "受理を取り下げる"),
        sentence: "まちがって受理したとき（同じ通報を二度受理したなど）だけ取り下げます。虐待がなかったときは、\
            取り下げずに、コアメンバー会議で判断して終結します。記録は残り、読むことはできます。",
        action: format!("{here}/withdrawal"),
        back: here,
        label: "取り下げる理由",
        button: "取り下げる",
        typed: visit.form.get("reason").to_owned(),
        problems,
    }
}

pub(super) fn ask(visit: &Visit) -> Answer {
    let case = pages::open(visit, Operation::AbuseView)?;
    pages::open_only(visit, &case)?;
    visit.page(&withdrawal_page(visit, &case, Vec::new()))
}

pub(super) fn withdraw(visit: &Visit) -> Answer {
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    let case = visit.app.db().write(&visit.actor, |tx| {
        let case = pages::load(visit, tx)?;
        pages::open_only(visit, &case)?;
        let reason = match form::reason(&visit.form, "reason", "取り下げる理由") {
            Ok(reason) => reason,
            Err(problems) => {
                let page = withdrawal_page(visit, &case, problems);
                let page = visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)?;
                return Err(Problem::Page(Box::new(page)));
            }
        };
        sql::insert_withdrawal(tx, case.id, &reason, (by, &now))?;
        let event = pages::event(Operation::AbuseWithdraw, case.id, case.known.resident);
        Ok(tx.audited(event, case.id))
    })?;
    Ok(redirect(&format!("/abuse-cases/{case}?done=withdrawn")))
}
