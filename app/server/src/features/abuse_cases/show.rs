//! One case: what is known, what is due, what was done, who knows.

use askama::Template;
use axum::http::StatusCode;
use jiff::civil::Date;
use store::{Operation, ReadTx};

use super::model::{Case, StepKind};
use super::store as sql;
use super::view::{self, Fact, PersonWords, Tag};
use super::{pages, rules};
use crate::web::{Answer, FieldProblem, Fields, Permission, Problem, Shell, Visit, problem_of};

#[derive(Template)]
#[template(path = "features/abuse_cases/show.html")]
struct ShowPage {
    shell: Shell,
    id: i64,
    stage: Tag,
    withdrawal: Option<String>,
    victim: Option<PersonWords>,
    victim_words: String,
    carer: String,
    carer_link: Option<i64>,
    facts: Vec<Fact>,
    received: String,
    version: i64,
    clocks: Vec<view::ClockWords>,
    review: Option<(String, Tag)>,
    steps: Vec<view::StepLine>,
    kinds: Vec<(&'static str, &'static str)>,
    city_kinds: Vec<(&'static str, &'static str)>,
    team: Vec<view::MemberWords>,
    reporter: String,
    reporter_readable: bool,
    looks: Vec<view::LookWords>,
    origin: Option<(i64, String)>,
    takings: Vec<view::TakingWords>,
    versions: Vec<view::VersionWords>,
    writes: bool,
    closed: bool,
    keeps: bool,
    /// Whose shield this viewer may set.
    shield_of: Option<i64>,
    facility: bool,
    /// Where its former states are, for whoever may look at them.
    former: Option<String>,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl ShowPage {
    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    let case = pages::open(visit, Operation::AbuseView)?;
    let page = visit.app.db().read(&visit.actor, |tx| {
        show_page(visit, tx, &case, Fields::default(), Vec::new())
    })?;
    visit.page(&page)
}

/// 422: the case's page with what is wrong with one of its forms.
pub(super) fn not_yet(
    visit: &Visit,
    tx: &ReadTx<'_>,
    case: &Case,
    problems: Vec<FieldProblem>,
) -> Problem {
    let page = show_page(visit, tx, case, visit.form.clone(), problems);
    let page = page.and_then(|page| visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page));
    match page {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

/// Steps that the viewer may add now: those of everybody, and those of the city.
type Kinds = (
    Vec<(&'static str, &'static str)>,
    Vec<(&'static str, &'static str)>,
);

fn kinds(case: &Case, keeps: bool) -> Kinds {
    let closed = case.is_closed();
    let fits = StepKind::ALL.iter().filter(|kind| {
        let now = (**kind == StepKind::Reopening) == closed;
        now && kind.fits(case.known.case_type, keeps)
    });
    let (city, all): (Vec<StepKind>, Vec<StepKind>) = fits.partition(|kind| kind.is_of_city());
    let words = |kinds: Vec<StepKind>| kinds.iter().map(|k| (k.code(), k.label())).collect();
    (words(all), words(city))
}

fn show_page(
    visit: &Visit,
    tx: &ReadTx<'_>,
    case: &Case,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> Result<ShowPage, Problem> {
    let (today, now) = (visit.today(), visit.app.clock().now());
    let keeps = visit.may(Permission::AbuseKeep);
    let writes = case.writable && case.withdrawal.is_none() && visit.may(Permission::AbuseWrite);
    let (kinds, city_kinds) = kinds(case, keeps);
    let team = sql::members(tx, case.id, today)?;
    let looks = sql::looks(tx, Some(case.id), Date::MIN)?;
    let known = view::facts(&case.known);
    let full = known.into_iter().filter(|fact| !fact.text.is_empty());
    let mut steps: Vec<_> = case.steps.iter().collect();
    steps.sort_by_key(|step| (step.words.held(), step.no));
    let open = case.is_open();
    Ok(ShowPage {
        shell: Shell::new(visit, format!("虐待対応 {}", case.id.number()))
            .under(&[("虐待対応", "/abuse-cases")]),
        id: case.id.0,
        stage: view::stage(case),
        withdrawal: case.withdrawal.as_ref().map(view::noted),
        victim: case
            .victim
            .as_ref()
            .map(|person| view::person(person, today)),
        victim_words: view::victim(case),
        carer: view::carer(case, today),
        carer_link: case
            .carer
            .as_ref()
            .filter(|person| person.reachable)
            .map(|person| person.id.0),
        facts: full.collect(),
        received: format!(
            "{}（{}）　{}",
            case.received_by,
            view::centre(case),
            view::moment(&case.recorded_at)
        ),
        version: case.version,
        clocks: rules::clocks(case)?
            .iter()
            .map(|clock| view::clock(clock, now))
            .collect(),
        review: view::review(case, today),
        steps: steps
            .into_iter()
            .map(|step| {
                let theirs = keeps || !step.words.kind.is_of_city();
                view::step(step, writes && (open || keeps) && theirs)
            })
            .collect(),
        kinds,
        city_kinds,
        team: team
            .iter()
            .filter(|member| member.lasts(today))
            .map(|member| view::member(member, today))
            .collect(),
        reporter: view::reporter_state(case),
        reporter_readable: case.reporter.readable && visit.may(Permission::AbuseReporterRead),
        looks: looks.iter().map(view::look).collect(),
        origin: case.origin.clone(),
        takings: sql::takings(tx, case.id)?
            .iter()
            .map(view::taking)
            .collect(),
        versions: view::versions(&sql::versions(tx, case.id)?),
        writes,
        closed: case.is_closed(),
        keeps,
        shield_of: case
            .victim
            .as_ref()
            .filter(|_| visit.may(Permission::ProtectionAdminister))
            .map(|person| person.id.0),
        former: visit
            .may(Permission::FormerStateUse)
            .then(|| format!("/abuse-cases/{}/former-state", case.id)),
        facility: case.known.case_type == super::model::CaseType::Facility,
        typed,
        problems,
    })
}
