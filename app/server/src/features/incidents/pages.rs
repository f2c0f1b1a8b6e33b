//! The list, a new incident, one incident.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, RecordKind, StoreError};

use super::model::{Incident, IncidentId, Known, TextKind};
use super::store::{self as sql, Sight};
use super::{form, rules, view};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{
    Answer, FieldProblem, Fields, Pages, Permission, Problem, Shell, Visit, page_asked, redirect,
    rows_before, submission,
};

/// What of the incidents this person sees.
pub(super) fn sight(visit: &Visit) -> Sight {
    if visit.may(Permission::IncidentManage) {
        Sight::City
    } else {
        visit.actor.centre_id.map_or(Sight::Nothing, Sight::Centre)
    }
}

#[derive(Template)]
#[template(path = "features/incidents/list.html")]
struct ListPage {
    shell: Shell,
    lines: Vec<view::Line>,
    pages: Pages,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let (page, sight) = (page_asked(&visit.query), sight(visit));
    let (total, found) = visit.app.db().read(&visit.actor, |tx| {
        sql::list(tx, sight, ROWS_PER_PAGE, rows_before(page))
    })?;
    let mut lines = Vec::new();
    for incident in &found {
        lines.push(view::line(
            incident,
            &rules::clocks(incident)?,
            visit.today(),
        ));
    }
    visit.page(&ListPage {
        shell: Shell::new(visit, "事故対応").under(&[]),
        lines,
        pages: Pages::new("/incidents", &visit.query, page, total),
    })
}

/// The form of what is known, for a new incident and for a correction.
#[derive(Template)]
#[template(path = "features/incidents/form.html")]
pub(super) struct FormPage {
    pub(super) shell: Shell,
    pub(super) action: String,
    pub(super) back: String,
    pub(super) submission: String,
    pub(super) base_version: i64,
    pub(super) correcting: bool,
    pub(super) typed: Fields,
    pub(super) kinds: Vec<view::Choice>,
    pub(super) criteria: Vec<view::CriterionBox>,
    pub(super) assessed: bool,
    pub(super) problems: Vec<FieldProblem>,
}

impl FormPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        told(&self.problems, field)
    }
}

pub(super) fn told<'p>(problems: &'p [FieldProblem], field: &str) -> &'p str {
    let mut all = problems.iter();
    all.find(|p| p.field == field).map_or("", |p| &p.text)
}

/// The form with these fields in it.
pub(super) fn form_page(shell: Shell, typed: Fields, problems: Vec<FieldProblem>) -> FormPage {
    let chosen: Vec<_> = typed
        .all("criteria")
        .filter_map(super::model::Criterion::from_code)
        .collect();
    FormPage {
        shell,
        action: "/incidents".to_owned(),
        back: "/incidents".to_owned(),
        submission: submission(&typed),
        base_version: 0,
        correcting: false,
        kinds: view::kinds(typed.trimmed("kind")),
        criteria: view::criteria(&chosen),
        assessed: typed.has("assessed"),
        typed,
        problems,
    }
}

fn new_shell(visit: &Visit) -> Shell {
    Shell::new(visit, "事故を報告する").under(&[("事故対応", "/incidents")])
}

pub(super) fn new(visit: &Visit) -> Answer {
    let today = view::day(visit.today());
    let start = [("known_on", today.as_str())];
    let typed = Fields::from_pairs(start.into_iter()).unwrap_or_default();
    visit.page(&form_page(new_shell(visit), typed, Vec::new()))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let known = match form::known(&visit.form, visit.today()) {
        Ok(known) => known,
        Err(problems) => {
            let page = form_page(new_shell(visit), visit.form.clone(), problems);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let by = visit.signed_in()?.staff_id;
    let (now, token) = (now(visit), submission(&visit.form));
    let sight = sight(visit);
    let centre = visit.actor.centre_id;
    let id = visit.app.db().write(&visit.actor, |tx| {
        // The same form twice: nothing is written, and the first one is shown.
        if let Some(id) = sql::by_submission(tx, sight, &token)? {
            let first = redirect(&format!("/incidents/{id}?done=again"));
            return Err(Problem::Page(Box::new(first)));
        }
        let id = sql::insert(tx, centre, &token, (by, &now))?;
        sql::insert_version(tx, (id, 1), &known, "", (by, &now))?;
        let event = Event::done(Operation::IncidentReport).on(RecordKind::Incident, id.0);
        Ok(tx.audited(event.detail(in_log(None, &known)), id))
    })?;
    Ok(redirect(&format!("/incidents/{id}?done=saved")))
}

pub(super) fn now(visit: &Visit) -> String {
    format!("{:.6}", visit.app.clock().now())
}

/// What a judgement was and is: the log holds no text of it.
pub(super) fn in_log(before: Option<&Known>, after: &Known) -> String {
    let words = |known: &Known| {
        let codes: Vec<&str> = known.criteria.iter().map(|one| one.label()).collect();
        let judged = if !known.assessed {
            "未判断".to_owned()
        } else if codes.is_empty() {
            "該当なし".to_owned()
        } else {
            codes.join("・")
        };
        let persons = known
            .persons
            .map_or("不明".to_owned(), |count| count.to_string());
        format!("{judged}・知った日{}・人数{persons}", known.known_on)
    };
    let before = before.map_or("なし".to_owned(), words);
    format!("前＝{before}／後＝{}", words(after))
}

#[derive(Template)]
#[template(path = "features/incidents/show.html")]
struct ShowPage {
    shell: Shell,
    id: i64,
    css: &'static str,
    state: &'static str,
    closed: bool,
    centre: String,
    reported: String,
    corrected: Option<String>,
    facts: Vec<(&'static str, String)>,
    judged_css: &'static str,
    judged: String,
    clocks: Vec<view::ClockWords>,
    steps: Vec<view::StepWords>,
    texts: Vec<view::TextLink>,
    kept: Vec<view::KeptWords>,
    evidence_dir: String,
    manages: bool,
    step_kinds: Vec<view::Choice>,
    submission: String,
    typed: Fields,
    today: String,
    problems: Vec<FieldProblem>,
}

impl ShowPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn day(&self, field: &str) -> &str {
        let typed = self.typed.get(field);
        if typed.is_empty() { &self.today } else { typed }
    }

    fn of(&self, field: &str) -> &str {
        told(&self.problems, field)
    }
}

/// The incident of the address, or 404.
pub(super) fn found(visit: &Visit) -> Result<Incident, Problem> {
    let id = visit.param("id").map(IncidentId)?;
    let sight = sight(visit);
    let found = visit
        .app
        .db()
        .read(&visit.actor, |tx| sql::find(tx, sight, id))?;
    found.ok_or(Problem::NotFound)
}

pub(super) fn show(visit: &Visit) -> Answer {
    let incident = found(visit)?;
    let event = Event::done(Operation::IncidentView).on(RecordKind::Incident, incident.id.0);
    let db = visit.app.db();
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    visit.page(&show_page(visit, &incident, Vec::new())?)
}

/// 422: the incident's page with what is wrong with one of its forms.
pub(super) fn not_yet(visit: &Visit, incident: &Incident, problems: Vec<FieldProblem>) -> Answer {
    let page = show_page(visit, incident, problems)?;
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn show_page(
    visit: &Visit,
    incident: &Incident,
    problems: Vec<FieldProblem>,
) -> Result<ShowPage, Problem> {
    let manages = visit.may(Permission::IncidentManage);
    let (texts, kept) = visit.app.db().read(&visit.actor, |tx| {
        let mut links = Vec::new();
        for kind in TextKind::ALL {
            let versions = sql::texts(tx, incident.id, *kind)?;
            let newest = versions
                .first()
                .map(|text| (text.version, text.at.as_str()));
            links.push(view::text_link(*kind, newest));
        }
        Ok::<_, StoreError>((links, sql::evidence(tx, incident.id)?))
    })?;
    let (css, state) = view::state(incident);
    let (judged_css, judged) = view::judgement(incident);
    let clocks = if incident.known.must_report() == Some(false) {
        Vec::new()
    } else {
        rules::clocks(incident)?
    };
    let title = format!("事故 {}：{}", incident.id, incident.known.title);
    Ok(ShowPage {
        shell: Shell::new(visit, title).under(&[("事故対応", "/incidents")]),
        id: incident.id.0,
        css,
        state,
        closed: incident.is_closed(),
        centre: view::centre(incident),
        reported: format!(
            "{}（{}）",
            incident.reported_by,
            view::moment(&incident.reported_at)
        ),
        corrected: incident.corrected.as_ref().map(|c| {
            format!(
                "第{}版　{}（{}）：{}",
                incident.version,
                c.by,
                view::moment(&c.at),
                c.reason
            )
        }),
        facts: view::facts(incident),
        judged_css,
        judged,
        clocks: clocks
            .iter()
            .map(|c| view::clock_words(c, visit.today()))
            .collect(),
        steps: incident.steps.iter().map(view::step).collect(),
        texts: if manages { texts } else { Vec::new() },
        kept: if manages {
            kept.iter().map(view::kept).collect()
        } else {
            Vec::new()
        },
        evidence_dir: visit.app.db().dir().evidence().display().to_string(),
        manages,
        step_kinds: view::step_kinds(visit.form.trimmed("step_kind")),
        submission: submission(&visit.form),
        typed: visit.form.clone(),
        today: view::day(visit.today()),
        problems,
    })
}

#[derive(Template)]
#[template(path = "features/incidents/late.html")]
struct LatePage {
    shell: Shell,
    id: i64,
    sentence: String,
    kept: Vec<(String, String)>,
}

/// 409: somebody was faster, or it is closed. What was typed stays readable.
pub(super) fn late(visit: &Visit, id: IncidentId, sentence: String) -> Problem {
    let typed = crate::web::typed_words(visit.form.pairs());
    let page = LatePage {
        shell: Shell::new(visit, "保存していません").under(&[("事故対応", "/incidents")]),
        id: id.0,
        sentence,
        kept: typed
            .into_iter()
            .map(|text| (format!("typed-{}", text.number), text.words))
            .collect(),
    };
    match visit.page_as(StatusCode::CONFLICT, &page) {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    }
}

/// What is closed does not change before it is reopened.
pub(super) fn open_only(visit: &Visit, incident: &Incident) -> Result<(), Problem> {
    if incident.is_closed() {
        let text = "この事故は終結しています。続けるときは、市の担当者が再開してください。";
        return Err(late(visit, incident.id, text.to_owned()));
    }
    Ok(())
}
