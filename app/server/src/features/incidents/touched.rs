//! Whose records were touched by whom on some days.

use std::collections::BTreeSet;

use askama::Template;
use axum::http::StatusCode;
use base::secrecy::PersonName;
use store::{Event, Operation, RecordKind, ResidentId, StoreError};

use super::model::{Incident, SPAN_DAYS_MAX, TOUCHED_MAX};
use super::pages::{found, told};
use super::store::Touched;
use super::{form, store as sql, view};
use crate::features::carried_out::door::{self, Goods};
use crate::web::{Answer, FieldProblem, Fields, Problem, Shell, Visit, excel_csv};

const HEADER: [&str; 7] = [
    "対象者番号",
    "職員ID",
    "職員",
    "回数",
    "最初",
    "最後",
    "操作",
];

#[derive(Template)]
#[template(path = "features/incidents/touched.html")]
struct TouchedPage {
    shell: Shell,
    id: i64,
    typed: Fields,
    asked: bool,
    rows: Vec<view::TouchedWords>,
    persons: usize,
    cut: bool,
    rows_max: usize,
    csv: String,
    problems: Vec<FieldProblem>,
}

impl TouchedPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        told(&self.problems, field)
    }
}

/// What was touched in the span asked for, whose names the viewer may see, and the entry about the look.
type Found = (Vec<Touched>, Vec<(ResidentId, PersonName)>, Event);

fn look(visit: &Visit, incident: &Incident) -> Result<Result<Found, Vec<FieldProblem>>, Problem> {
    let span = match form::span(&visit.query, SPAN_DAYS_MAX) {
        Ok(span) => span,
        Err(problems) => return Ok(Err(problems)),
    };
    let login = visit.query.trimmed("login").to_lowercase();
    let resident = base::text::digits(visit.query.trimmed("person"))
        .parse()
        .unwrap_or(0);
    let db = visit.app.db();
    let (rows, names) = db.read(&visit.actor, |tx| {
        let rows = sql::touched(tx, span, &login, resident)?;
        let mut ids: Vec<ResidentId> = rows.iter().map(|row| row.resident).collect();
        ids.dedup();
        let names = sql::names(tx, &ids)?;
        Ok::<_, StoreError>((rows, names))
    })?;
    let text = format!("期間＝{}～{}／件数＝{}", span.0, span.1, rows.len());
    let event = Event::done(Operation::IncidentTouched).on(RecordKind::Incident, incident.id.0);
    Ok(Ok((rows, names, event.detail(text))))
}

pub(super) fn page(visit: &Visit) -> Answer {
    let incident = found(visit)?;
    if !visit.query.has("first_on") {
        let day = view::day(incident.known.known_on);
        let start = [("first_on", day.as_str()), ("last_on", day.as_str())];
        let typed = Fields::from_pairs(start.into_iter()).unwrap_or_default();
        return visit.page(&empty(visit, &incident, typed, Vec::new()));
    }
    let (rows, names, event) = match look(visit, &incident)? {
        Ok(found) => found,
        Err(problems) => {
            let page = empty(visit, &incident, visit.query.clone(), problems);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    // Written down before anybody is shown.
    let db = visit.app.db();
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let mut persons: Vec<ResidentId> = rows.iter().map(|row| row.resident).collect();
    persons.dedup();
    visit.page(&TouchedPage {
        asked: true,
        cut: rows.len() >= TOUCHED_MAX,
        persons: persons.len(),
        rows: rows.iter().map(|row| view::touched(row, &names)).collect(),
        ..empty(visit, &incident, visit.query.clone(), Vec::new())
    })
}

fn empty(
    visit: &Visit,
    incident: &Incident,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> TouchedPage {
    let here = format!("/incidents/{}", incident.id);
    TouchedPage {
        shell: Shell::new(visit, "触れられた記録")
            .under(&[("事故対応", "/incidents"), ("この事故", &here)]),
        id: incident.id.0,
        csv: format!("{here}/touched/export?{}", typed.query_without("page")),
        typed,
        asked: false,
        rows: Vec::new(),
        persons: 0,
        cut: false,
        rows_max: TOUCHED_MAX,
        problems,
    }
}

/// People as numbers: a file travels further than a page.
fn goods(visit: &Visit) -> Result<Goods, Problem> {
    let incident = found(visit)?;
    let (rows, _, event) = match look(visit, &incident)? {
        Ok(found) => found,
        Err(problems) => {
            let page = empty(visit, &incident, visit.query.clone(), problems);
            let page = visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)?;
            return Err(Problem::Page(Box::new(page)));
        }
    };
    let persons: BTreeSet<ResidentId> = rows.iter().map(|row| row.resident).collect();
    let cells = rows.iter().map(|row| {
        let words = view::touched(row, &[]);
        [
            words.resident.to_string(),
            words.login,
            words.staff,
            words.count.to_string(),
            words.first_at,
            words.last_at,
            words.operations,
        ]
    });
    let here = format!("/incidents/{}/touched", incident.id);
    Ok(Goods {
        what: "触れられた記録の一覧",
        file: "incident-touched.csv",
        rows: rows.len(),
        persons: persons.len(),
        bytes: excel_csv(HEADER, cells)?,
        event,
        back: (
            "触れられた記録",
            format!("{here}?{}", visit.query.query_without("page")),
        ),
    })
}

/// What would leave; nothing leaves yet.
pub(super) fn ask(visit: &Visit) -> Answer {
    door::ask(visit, &goods(visit)?)
}

/// The file, with its entry in the register of what was carried out.
pub(super) fn give(visit: &Visit) -> Answer {
    door::hand_over(visit, goods(visit)?)
}
