//! Correcting what is known: a version more, the former ones stay.

use axum::http::StatusCode;
use store::{Event, Operation, RecordKind};

use super::model::{Incident, Known};
use super::pages::{FormPage, form_page, found, in_log, late, now, open_only, sight};
use super::{form as typed, store as sql, view};
use crate::web::{Answer, FieldProblem, Fields, Problem, Shell, Visit, redirect};

pub(super) fn form(visit: &Visit) -> Answer {
    let incident = found(visit)?;
    open_only(visit, &incident)?;
    let fields = fields(&incident.known);
    visit.page(&page(visit, &incident, fields, Vec::new()))
}

/// What is known, as the form sends it.
fn fields(known: &Known) -> Fields {
    let (known_on, persons) = (
        view::day(known.known_on),
        known
            .persons
            .map(|count| count.to_string())
            .unwrap_or_default(),
    );
    let mut pairs = vec![
        ("title", known.title.as_str()),
        ("kind", known.kind.code()),
        ("known_on", known_on.as_str()),
        ("happened", &known.happened),
        ("summary", &known.summary),
        ("items", &known.items),
        ("persons", persons.as_str()),
        ("cause", &known.cause),
        ("secondary", &known.secondary),
        ("response", &known.response),
        ("publication", &known.publication),
        ("prevention", &known.prevention),
        ("other", &known.other),
    ];
    pairs.extend(known.criteria.iter().map(|one| ("criteria", one.code())));
    // The box says "none of them".
    if known.must_report() == Some(false) {
        pairs.push(("assessed", "1"));
    }
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}

fn page(
    visit: &Visit,
    incident: &Incident,
    fields: Fields,
    problems: Vec<FieldProblem>,
) -> FormPage {
    let here = format!("/incidents/{}", incident.id);
    let shell = Shell::new(visit, format!("事故 {} を訂正する", incident.id))
        .under(&[("事故対応", "/incidents"), ("この事故", &here)]);
    let base: Option<i64> = fields.trimmed("base_version").parse().ok();
    FormPage {
        action: format!("{here}/versions"),
        back: here,
        base_version: base.unwrap_or(incident.version),
        correcting: true,
        ..form_page(shell, fields, problems)
    }
}

pub(super) fn create(visit: &Visit) -> Answer {
    let incident = found(visit)?;
    open_only(visit, &incident)?;
    let (known, reason) = match typed::correction(&visit.form, visit.today()) {
        Ok(checked) => checked,
        Err(problems) => {
            let page = page(visit, &incident, visit.form.clone(), problems);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let by = visit.signed_in()?.staff_id;
    let (base, now, sight) = (visit.form.trimmed("base_version"), now(visit), sight(visit));
    let id = incident.id;
    let again = visit.app.db().write(&visit.actor, |tx| {
        let newest = sql::find(tx, sight, id)?.ok_or(Problem::NotFound)?;
        let event = Event::done(Operation::IncidentCorrect).on(RecordKind::Incident, id.0);
        if base != newest.version.to_string() {
            return if newest.known == known {
                Ok(tx.audited(event.detail("同じ内容"), true))
            } else {
                Err(overtaken(visit, &newest))
            };
        }
        sql::insert_version(tx, (id, newest.version + 1), &known, &reason, (by, &now))?;
        let text = format!("{}／理由＝{reason}", in_log(Some(&newest.known), &known));
        Ok(tx.audited(event.detail(text), false))
    })?;
    let done = if again { "again" } else { "corrected" };
    Ok(redirect(&format!("/incidents/{id}?done={done}")))
}

fn overtaken(visit: &Visit, newest: &Incident) -> Problem {
    let sentence = newest.corrected.as_ref().map_or_else(
        || "開いた画面が古くなっています。".to_owned(),
        |c| {
            format!(
                "{} さんが {} に訂正しました：{}",
                c.by,
                view::moment(&c.at),
                c.reason
            )
        },
    );
    late(visit, newest.id, sentence)
}
