//! The vendor's own page: until when, what for, and the way out.

use askama::Template;
use axum::http::StatusCode;

use super::model::GrantId;
use super::{form, pages, store as sql, view};
use crate::web::{Answer, FieldProblem, Problem, Shell, Visit, cookies, redirect, session};

#[derive(Template)]
#[template(path = "features/maintenance/own.html")]
struct OwnPage {
    shell: Shell,
    line: view::Line,
    reason: String,
    problems: Vec<FieldProblem>,
}

impl OwnPage {
    fn of(&self, field: &str) -> &str {
        let mut all = self.problems.iter();
        all.find(|p| p.field == field).map_or("", |p| &p.text)
    }
}

pub(super) fn show(visit: &Visit) -> Answer {
    visit.page(&page(visit, Vec::new())?)
}

fn own(visit: &Visit) -> Result<GrantId, Problem> {
    let window = visit.window.as_ref().ok_or(Problem::WindowShut)?;
    Ok(GrantId(window.grant))
}

fn page(visit: &Visit, problems: Vec<FieldProblem>) -> Result<OwnPage, Problem> {
    let grant = pages::found(visit, own(visit)?)?;
    let now = format!("{:.6}", visit.app.clock().now());
    Ok(OwnPage {
        shell: Shell::new(visit, "保守作業"),
        line: view::line(&grant, &now),
        reason: visit.form.get("reason").to_owned(),
        problems,
    })
}

pub(super) fn end(visit: &Visit) -> Answer {
    let reason = match form::ending(&visit.form, "作業の結果") {
        Ok(reason) => reason,
        Err(problems) => {
            let page = page(visit, problems)?;
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (grant, staff) = (
        pages::found(visit, own(visit)?)?,
        visit.signed_in()?.staff_id,
    );
    let at = visit.app.clock().now();
    let now = format!("{at:.6}");
    visit.app.db().write(&visit.actor, |tx| {
        let event = sql::end(tx, &grant, (staff, &reason), &now)?;
        session::end_all(tx, staff, None, "signed_out", at)?;
        Ok::<_, Problem>(tx.audited(event, ()))
    })?;
    let mut response = redirect("/sign-in?done=signed-out");
    cookies::clear_session(&mut response);
    Ok(response)
}
