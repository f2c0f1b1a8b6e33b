//! What is decided and what waits; one person; one row.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, ResidentId, StaffId};

use super::model::{Colleague, Exclusion, Grant, Person, Shield, state};
use super::store::{self as sql, Wanted};
use super::view::{self, Choice, Line, PersonWords};
use crate::features::masters::{self, Code};
use crate::web::{Answer, FieldProblem, Fields, Problem, Shell, Visit, redirect};

const ABOVE: (&str, &str) = ("閲覧制限", "/protections");

#[derive(Template)]
#[template(path = "features/protections/overview.html")]
struct OverviewPage {
    shell: Shell,
    number: String,
    problems: Vec<FieldProblem>,
    waiting: Vec<Line>,
    lifting: Vec<Line>,
    grants: Vec<Line>,
    shields: Vec<Line>,
    exclusions: Vec<Line>,
}

/// Everything that holds or waits; with `number`, on to that person.
pub(super) fn overview(visit: &Visit) -> Answer {
    let typed = base::text::kanji_key(visit.query.trimmed("number"));
    let (found, lists) = visit.app.db().view(&visit.actor, |tx| {
        let found = if typed.is_empty() {
            None
        } else {
            sql::by_number(tx, &typed)?
        };
        let lists = (
            sql::grants(tx, Wanted::Open)?,
            sql::shields(tx, Wanted::Open)?,
            sql::exclusions(tx, Wanted::Open)?,
        );
        let event = Event::done(Operation::ProtectionView);
        Ok::<_, Problem>(tx.audited(event, (found, lists)))
    })?;
    if let Some(found) = found {
        return Ok(redirect(&format!("/protections/residents/{found}")));
    }
    let mut problems = Vec::new();
    if !typed.is_empty() {
        let text = "この番号の人は見つかりません。番号を確かめてください。".to_owned();
        let field = "number";
        problems.push(FieldProblem { field, text });
    }
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    visit.page_as(status, &overview_page(visit, problems, &lists))
}

fn overview_page(
    visit: &Visit,
    problems: Vec<FieldProblem>,
    (grants, shields, exclusions): &(Vec<Grant>, Vec<Shield>, Vec<Exclusion>),
) -> OverviewPage {
    let today = visit.today();
    let grants_where = |wanted: fn(super::model::State) -> bool| -> Vec<Line> {
        let fits = grants.iter().filter(|grant| wanted(state(grant, today)));
        fits.map(|grant| view::grant(grant, today)).collect()
    };
    let shields_where = |of_register: bool| -> Vec<Line> {
        let fits = shields.iter().filter(|s| s.of_register == of_register);
        fits.map(view::shield).collect()
    };
    OverviewPage {
        shell: Shell::new(visit, "閲覧制限").under(&[]),
        number: visit.query.get("number").to_owned(),
        problems,
        waiting: grants_where(|state| state.waits()),
        grants: grants_where(|state| state.is_open() && !state.waits()),
        lifting: shields_where(true),
        shields: shields_where(false),
        exclusions: exclusions.iter().map(view::exclusion).collect(),
    }
}

#[derive(Template)]
#[template(path = "features/protections/person.html")]
struct PersonPage {
    shell: Shell,
    person: PersonWords,
    typed: Fields,
    problems: Vec<FieldProblem>,
    grants: Vec<Line>,
    shields: Vec<Line>,
    exclusions: Vec<Line>,
    grant_staff: Vec<Choice>,
    exclusion_staff: Vec<Choice>,
    relations: Vec<Choice>,
}

impl PersonPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

/// Everything about one person that a page or a form needs.
pub(super) struct File {
    pub(super) person: Person,
    pub(super) grants: Vec<Grant>,
    pub(super) shields: Vec<Shield>,
    pub(super) exclusions: Vec<Exclusion>,
    pub(super) colleagues: Vec<Colleague>,
    /// Who is in charge of her today.
    pub(super) assigned: Vec<StaffId>,
    pub(super) relations: Vec<Code>,
}

/// The person of the address; whoever is excluded from her meets nobody.
pub(super) fn file(visit: &Visit, tx: &ReadTx<'_>, id: ResidentId) -> Result<File, Problem> {
    let person = sql::person(tx, id)?.ok_or(Problem::NotFound)?;
    Ok(File {
        person,
        grants: sql::grants(tx, Wanted::Of(id))?,
        shields: sql::shields(tx, Wanted::Of(id))?,
        exclusions: sql::exclusions(tx, Wanted::Of(id))?,
        colleagues: sql::colleagues(tx, visit.today())?,
        assigned: sql::assigned(tx, id, visit.today())?,
        relations: masters::codes(tx, "exclusion_relation", visit.today())?,
    })
}

pub(super) fn person(visit: &Visit) -> Answer {
    person_page(visit, StatusCode::OK, Vec::new())
}

/// The page of one person, with what was typed into one of its forms.
pub(super) fn person_page(
    visit: &Visit,
    status: StatusCode,
    problems: Vec<FieldProblem>,
) -> Answer {
    let id = ResidentId(visit.param("id")?);
    let file = visit.app.db().view(&visit.actor, |tx| {
        let file = file(visit, tx, id)?;
        let event = Event::done(Operation::ProtectionView).about(id);
        Ok::<_, Problem>(tx.audited(event, file))
    })?;
    let (typed, today) = (&visit.form, visit.today());
    let page = PersonPage {
        shell: Shell::new(visit, "閲覧制限：一人").under(&[ABOVE]),
        person: view::person(&file.person, &file.shields, today),
        grants: file.grants.iter().map(|g| view::grant(g, today)).collect(),
        shields: file.shields.iter().map(view::shield).collect(),
        exclusions: file.exclusions.iter().map(view::exclusion).collect(),
        grant_staff: view::colleagues(&file.colleagues, typed.trimmed("grant_staff")),
        exclusion_staff: view::colleagues(&file.colleagues, typed.trimmed("exclusion_staff")),
        relations: view::relations(&file.relations, typed.trimmed("exclusion_relation")),
        typed: prefilled(visit),
        problems,
    };
    visit.page_as(status, &page)
}

/// What was typed; the way here from an abuse case brings a reason along that does not tell of the case:
/// more people read shields than know of it.
fn prefilled(visit: &Visit) -> Fields {
    let comes = visit.query.get("reason") == "separated" && visit.form.pairs().next().is_none();
    let reason = [(
        "shield_reason",
        "本人の安全のため、居所を知られないようにする",
    )];
    let reason = Fields::from_pairs(reason.into_iter()).filter(|_| comes);
    reason.unwrap_or_else(|| visit.form.clone())
}

#[derive(Template)]
#[template(path = "features/protections/row.html")]
struct RowPage {
    shell: Shell,
    line: Line,
    problems: Vec<FieldProblem>,
    typed: Fields,
    /// Where the second person decides, and where it can be taken back; `None`: it is decided.
    request: Option<String>,
    ending: Option<String>,
    ending_label: &'static str,
}

impl RowPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

fn row_page(visit: &Visit, title: &str, line: Line, problems: Vec<FieldProblem>) -> RowPage {
    let person = format!("/protections/residents/{}", line.resident);
    RowPage {
        shell: Shell::new(visit, title).under(&[ABOVE, ("一人", &person)]),
        line,
        problems,
        typed: visit.form.clone(),
        request: None,
        ending: None,
        ending_label: "終了する",
    }
}

fn status(problems: &[FieldProblem]) -> StatusCode {
    if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}

/// The row of the address with its entry of being looked at.
fn looked<T>(
    visit: &Visit,
    read: impl FnOnce(&ReadTx<'_>, Wanted) -> Result<Vec<T>, store::StoreError>,
    resident: impl FnOnce(&T) -> ResidentId,
) -> Result<T, Problem> {
    let id: i64 = visit.param("id")?;
    visit.app.db().view(&visit.actor, |tx| {
        let row = read(tx, Wanted::Id(id))?.pop().ok_or(Problem::NotFound)?;
        let event = Event::done(Operation::ProtectionView)
            .about(resident(&row))
            .on(RecordKind::Protection, id);
        Ok::<_, Problem>(tx.audited(event, row))
    })
}

pub(super) fn grant(visit: &Visit) -> Answer {
    grant_page(visit, Vec::new())
}

pub(super) fn grant_page(visit: &Visit, problems: Vec<FieldProblem>) -> Answer {
    let grant = looked(visit, sql::grants, |g| g.made.resident)?;
    let today = visit.today();
    let state = state(&grant, today);
    let status = status(&problems);
    let (id, approval) = (grant.made.id, grant.approval);
    let page = RowPage {
        request: grant
            .decision
            .is_none()
            .then(|| format!("/approvals/{approval}")),
        ending: state
            .can_end()
            .then(|| format!("/protections/grants/{id}/ending")),
        ending_label: "許可を終える",
        ..row_page(visit, "閲覧許可", view::grant(&grant, today), problems)
    };
    visit.page_as(status, &page)
}

pub(super) fn shield(visit: &Visit) -> Answer {
    shield_page(visit, Vec::new())
}

pub(super) fn shield_page(visit: &Visit, problems: Vec<FieldProblem>) -> Answer {
    let shield = looked(visit, sql::shields, |s| s.made.resident)?;
    let open = shield.made.ending.is_none();
    let status = status(&problems);
    let page = RowPage {
        ending: open.then(|| format!("/protections/shields/{}/ending", shield.made.id)),
        ending_label: "解除を確認する",
        ..row_page(visit, "支援措置", view::shield(&shield), problems)
    };
    visit.page_as(status, &page)
}

pub(super) fn exclusion(visit: &Visit) -> Answer {
    exclusion_page(visit, Vec::new())
}

pub(super) fn exclusion_page(visit: &Visit, problems: Vec<FieldProblem>) -> Answer {
    let exclusion = looked(visit, sql::exclusions, |x| x.made.resident)?;
    let open = exclusion.made.ending.is_none();
    let status = status(&problems);
    let page = RowPage {
        ending: open.then(|| format!("/protections/exclusions/{}/ending", exclusion.made.id)),
        ending_label: "除外を終える",
        ..row_page(visit, "職員の除外", view::exclusion(&exclusion), problems)
    };
    visit.page_as(status, &page)
}
