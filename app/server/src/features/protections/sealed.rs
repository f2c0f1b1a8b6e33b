//! 封緘名簿: all the shielded by number and name, behind a reason, so that hidden is not forgotten.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation};

use super::model::SEALED_REASONS;
use super::store as sql;
use super::view::{self, Choice, SealedWords};
use crate::web::{Answer, FieldProblem, Problem, Shell, Visit};

#[derive(Template)]
#[template(path = "features/protections/sealed.html")]
struct SealedPage {
    shell: Shell,
    problems: Vec<FieldProblem>,
    reasons: Vec<Choice>,
    /// `None`: not opened.
    rows: Option<Vec<SealedWords>>,
}

impl SealedPage {
    fn problem(&self) -> &str {
        self.problems.first().map_or("", |p| p.text.as_str())
    }
}

fn page(visit: &Visit, problems: Vec<FieldProblem>, rows: Option<Vec<SealedWords>>) -> SealedPage {
    SealedPage {
        shell: Shell::new(visit, "封緘名簿").under(&[("閲覧制限", "/protections")]),
        problems,
        reasons: view::fixed(SEALED_REASONS, visit.form.trimmed("sealed_reason")),
        rows,
    }
}

pub(super) fn door(visit: &Visit) -> Answer {
    visit.page(&page(visit, Vec::new(), None))
}

pub(super) fn open(visit: &Visit) -> Answer {
    let typed = visit.form.trimmed("sealed_reason");
    let Some((reason, _)) = SEALED_REASONS.iter().find(|(code, _)| *code == typed) else {
        let (field, text) = ("sealed_reason", "開く理由を選んでください。".to_owned());
        let page = page(visit, vec![FieldProblem { field, text }], None);
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let today = visit.today();
    let rows = visit.app.db().view(&visit.actor, |tx| {
        let rows = sql::sealed(tx, today)?;
        let event = Event::done(Operation::SealedListView)
            .detail(format!("reason={reason} rows={}", rows.len()));
        Ok::<_, Problem>(tx.audited(event, rows))
    })?;
    let rows = rows.iter().map(|row| view::sealed(row, today)).collect();
    visit.page(&page(visit, Vec::new(), Some(rows)))
}
