//! Who reported it: asked for with a reason, shown once, written down.

use askama::Template;
use axum::http::StatusCode;
use store::Operation;

use super::model::{Case, LookReason, Reporter};
use super::view::{self, Choice};
use super::{form, pages, store as sql};
use crate::web::coded::Choices as _;
use crate::web::{Answer, FieldProblem, Fields, Problem, Shell, Visit, problem_of, redirect};

#[derive(Template)]
#[template(path = "features/abuse_cases/reporter.html")]
struct ReporterPage {
    shell: Shell,
    id: i64,
    state: String,
    /// Nothing before the reason.
    shown: Option<view::ReporterWords>,
    base_version: i64,
    may_change: bool,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl ReporterPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }

    fn reasons(&self) -> Vec<Choice> {
        view::choices(
            LookReason::choices(),
            "look_reason",
            &self.typed,
            "選んでください",
        )
    }
}

/// Who reported it is not even asked for by whoever may not know.
fn readable(case: &Case) -> Result<(), Problem> {
    if case.reporter.readable {
        Ok(())
    } else {
        Err(Problem::NotFound)
    }
}

fn page(
    visit: &Visit,
    case: &Case,
    shown: Option<&Reporter>,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> ReporterPage {
    ReporterPage {
        shell: pages::shell(visit, case, "通報者"),
        id: case.id.0,
        state: view::reporter_state(case),
        shown: shown.map(view::reporter),
        base_version: case.reporter.version,
        may_change: case.writable && case.withdrawal.is_none(),
        typed,
        problems,
    }
}

pub(super) fn ask(visit: &Visit) -> Answer {
    let case = pages::open(visit, Operation::AbuseView)?;
    readable(&case)?;
    visit.page(&page(visit, &case, None, Fields::default(), Vec::new()))
}

fn answer(visit: &Visit, status: StatusCode, page: &ReporterPage) -> Problem {
    match visit.page_as(status, page) {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

pub(super) fn show(visit: &Visit) -> Answer {
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    let (case, reporter) = visit.app.db().write(&visit.actor, |tx| {
        let case = pages::load(visit, tx)?;
        readable(&case)?;
        let (reason, note) = match form::look(&visit.form) {
            Ok(checked) => checked,
            Err(problems) => {
                let page = page(visit, &case, None, visit.form.clone(), problems);
                return Err(answer(visit, StatusCode::UNPROCESSABLE_ENTITY, &page));
            }
        };
        let reporter = sql::newest_reporter(tx, case.id)?.ok_or(Problem::NotFound)?;
        sql::insert_look(tx, case.id, (reason.code(), &note), (by, &now))?;
        let words = format!("理由＝{}", reason.label());
        let event = pages::event_with(Operation::AbuseReporterView, &case, &words);
        Ok(tx.audited(event, (case, reporter)))
    })?;
    let typed = view::typed_reporter(&reporter);
    visit.page(&page(visit, &case, Some(&reporter), typed, Vec::new()))
}

pub(super) fn correct(visit: &Visit) -> Answer {
    let (by, now) = (visit.signed_in()?.staff_id, pages::now(visit));
    let base: i64 = visit.form.trimmed("base_version").parse().unwrap_or(0);
    let id = visit.app.db().write(&visit.actor, |tx| {
        let case = pages::load(visit, tx)?;
        readable(&case)?;
        pages::writable(visit, &case)?;
        let new = match form::reporter_only(&visit.form) {
            Ok(new) => new,
            Err(problems) => {
                let typed = visit.form.clone();
                let shown = Reporter::default();
                let page = page(visit, &case, Some(&shown), typed, problems);
                return Err(answer(visit, StatusCode::UNPROCESSABLE_ENTITY, &page));
            }
        };
        if case.reporter.version != base {
            let same = sql::newest_reporter(tx, case.id)?.is_some_and(|known| known == new);
            if same {
                let again = redirect(&format!("/abuse-cases/{}?done=again", case.id));
                return Err(Problem::Page(Box::new(again)));
            }
            let text = "ほかの人が先に通報者を直しました。理由を選んで、いまの内容を見てください。";
            return Err(pages::late(visit, &case, text));
        }
        sql::save_reporter(tx, case.id, base, &new, (by, &now))?;
        let event = pages::event(
            Operation::AbuseReporterCorrect,
            case.id,
            case.known.resident,
        );
        Ok(tx.audited(event, case.id))
    })?;
    Ok(redirect(&format!("/abuse-cases/{id}?done=corrected")))
}
