//! Who is in charge of one person: reading it, putting somebody in charge, ending it.

use askama::Template;
use axum::http::StatusCode;
use base::secrecy::Note;
use store::{Audited, CentreId, Event, Operation, ReadTx, RecordKind, ResidentId, Scope, WriteTx};

use super::form::{self, Against, Fitted};
use super::model::{Assignment, Person};
use super::store as sql;
use super::view::{self, AssignmentWords, Choice};
use crate::features::staff::rights::Holder;
use crate::web::days::day_short;
use crate::web::{
    Answer, FieldProblem, Fields, Permission, Problem, Shell, Visit, problem_of, redirect,
};

/// Why a row ends that another replaces.
pub(super) const REPLACED: &str = "担当替え";

/// May the viewer say who is in charge of people of this centre? Whom she was lent, she may not.
fn manages(visit: &Visit, person: &Person) -> bool {
    visit.may(Permission::AssignmentManage)
        && person.writable
        && match visit.actor.scope {
            Scope::City => true,
            Scope::Centre(own) => own == person.centre,
            Scope::Assigned(own) => own.is_none_or(|own| own == person.centre),
            Scope::Nothing => false,
        }
}

/// A person and everybody who is or was in charge.
struct Known {
    person: Person,
    rows: Vec<Assignment>,
    members: Vec<Holder>,
}

impl Known {
    fn read(visit: &Visit, tx: &ReadTx<'_>, id: ResidentId) -> Result<Self, Problem> {
        Ok(Self {
            person: sql::person(tx, id)?.ok_or(Problem::NotFound)?,
            rows: sql::of_person(tx, id)?,
            members: sql::members(tx, visit.today())?,
        })
    }

    /// What a form was opened on: changes whenever a row or an ending is added.
    fn mark(&self) -> String {
        let newest = self.rows.iter().map(|row| row.id).max().unwrap_or(0);
        let ended = self.rows.iter().filter(|row| !row.is_open()).count();
        format!("{newest}-{ended}")
    }

    fn check(&self, visit: &Visit, id: ResidentId) -> Result<Fitted, Vec<FieldProblem>> {
        let against = Against {
            resident: id,
            centre: self.person.centre,
            known: &self.rows,
            members: &self.members,
            today: visit.today(),
        };
        form::check(&visit.form, &against)
    }
}

#[derive(Template)]
#[template(path = "features/assignments/person.html")]
struct PersonPage {
    shell: Shell,
    id: i64,
    name: String,
    kana: String,
    rows: Vec<AssignmentWords>,
    manages: bool,
    members: Vec<Choice>,
    parts: Vec<Choice>,
    starts_on: String,
    ends_on: String,
    reason: String,
    mark: String,
    is_late: bool,
    problems: Vec<FieldProblem>,
}

impl PersonPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

fn typed_or(typed: &Fields, field: &str, other: String) -> String {
    if typed.has(field) {
        typed.get(field).to_owned()
    } else {
        other
    }
}

fn page(visit: &Visit, id: ResidentId, known: &Known, problems: Vec<FieldProblem>) -> PersonPage {
    let (typed, today) = (&visit.form, visit.today());
    let back = format!("/residents/{id}");
    let above = [("住民をさがす", "/residents"), ("個人画面", back.as_str())];
    let (name, kana) = view::person(&known.person);
    let centre: Option<CentreId> = Some(known.person.centre);
    PersonPage {
        shell: Shell::new(visit, "担当").under(&above),
        id: id.0,
        name,
        kana,
        rows: known
            .rows
            .iter()
            .map(|row| view::assignment(row, today))
            .collect(),
        manages: manages(visit, &known.person),
        members: view::members(&known.members, centre, typed.trimmed("staff")),
        parts: view::parts(typed.trimmed("part")),
        starts_on: typed_or(typed, "starts_on", day_short(today)),
        ends_on: typed_or(typed, "ends_on", day_short(today)),
        reason: typed.get("reason").to_owned(),
        mark: known.mark(),
        is_late: false,
        problems,
    }
}

fn resident(visit: &Visit) -> Result<ResidentId, Problem> {
    visit.param("id").map(ResidentId)
}

pub(super) fn of_person(visit: &Visit) -> Answer {
    let id = resident(visit)?;
    let known = visit.app.db().view(&visit.actor, |tx| {
        let known = Known::read(visit, tx, id)?;
        let event = Event::done(Operation::ResidentView)
            .about(id)
            .on(RecordKind::Resident, id.0);
        Ok::<_, Problem>(tx.audited(event.detail("assignments"), known))
    })?;
    visit.page(&page(visit, id, &known, Vec::new()))
}

/// The person with everything about her, once it is certain that the viewer decides about it.
fn decided(visit: &Visit, tx: &ReadTx<'_>, id: ResidentId) -> Result<Known, Problem> {
    let known = Known::read(visit, tx, id)?;
    if manages(visit, &known.person) {
        Ok(known)
    } else {
        Err(Problem::Forbidden)
    }
}

pub(super) fn create(visit: &Visit) -> Answer {
    let id = resident(visit)?;
    visit.app.db().write(&visit.actor, |tx| {
        let known = decided(visit, tx, id)?;
        if visit.form.trimmed("seen") != known.mark() {
            return Err(late(visit, id, &known)?);
        }
        match known.check(visit, id) {
            Ok(fitted) => save(visit, tx, &fitted),
            Err(problems) => Err(shown(
                visit,
                StatusCode::UNPROCESSABLE_ENTITY,
                page(visit, id, &known, problems),
            )?),
        }
    })?;
    Ok(redirect(&format!("/residents/{id}/assignments?done=saved")))
}

fn shown(visit: &Visit, status: StatusCode, page: PersonPage) -> Result<Problem, Problem> {
    let page = visit.page_as(status, &page)?;
    Ok(Problem::Page(Box::new(page)))
}

/// The form was opened before somebody else changed it: 409; the same form twice is one change.
fn late(visit: &Visit, id: ResidentId, known: &Known) -> Result<Problem, Problem> {
    let own = visit.signed_in()?.staff_id;
    let form = &visit.form;
    let says = |row: &Assignment| {
        row.by_id == own
            && row.staff.to_string() == form.trimmed("staff")
            && row.part.code() == form.trimmed("part")
            && row.reason == Note::from(form.trimmed("reason").replace("\r\n", "\n").as_str())
    };
    let newest = known.rows.iter().max_by_key(|row| row.id);
    if newest.is_some_and(says) {
        let again = redirect(&format!("/residents/{id}/assignments?done=again"));
        return Ok(Problem::Page(Box::new(again)));
    }
    let mut page = page(visit, id, known, Vec::new());
    page.is_late = true;
    shown(visit, StatusCode::CONFLICT, page)
}

/// Writes a new row and ends those that it replaces, with one entry each.
fn save(visit: &Visit, tx: &WriteTx<'_>, fitted: &Fitted) -> Result<Audited<()>, Problem> {
    let (first, others) = saved(visit, tx, fitted)?;
    Ok(tx.audited_all(first, others, ()))
}

/// The entry of a new row, and those of the rows that it ends.
pub(super) fn saved(
    visit: &Visit,
    tx: &WriteTx<'_>,
    fitted: &Fitted,
) -> Result<(Event, Vec<Event>), Problem> {
    let (new, by) = (&fitted.new, visit.signed_in()?.staff_id);
    let now = format!("{:.6}", visit.app.clock().now());
    let last = new
        .starts_on
        .yesterday()
        .map_err(|_first_day| Problem::Unreadable)?;
    let mut others = Vec::new();
    for row in &fitted.replaced {
        sql::insert_ending(tx, (*row, last), REPLACED, (by, &now))?;
        let event = Event::done(Operation::AssignEnd)
            .about(new.resident)
            .on(RecordKind::Assignment, *row);
        others.push(event.detail(format!("until={last} replaced")));
    }
    let id = sql::insert(tx, new, (by, &now))?;
    let detail = format!(
        "staff={} part={} from={}",
        new.staff,
        new.part.code(),
        new.starts_on
    );
    let event = Event::done(Operation::Assign)
        .about(new.resident)
        .on(RecordKind::Assignment, id);
    Ok((event.detail(detail), others))
}

pub(super) fn end(visit: &Visit) -> Answer {
    let (id, by): (i64, _) = (visit.param("id")?, visit.signed_in()?.staff_id);
    let now = format!("{:.6}", visit.app.clock().now());
    let person = visit.app.db().write(&visit.actor, |tx| {
        let row = sql::by_id(tx, id)?.ok_or(Problem::NotFound)?;
        let person = row.resident;
        let known = decided(visit, tx, person)?;
        if !row.is_open() {
            let again = redirect(&format!("/residents/{person}/assignments?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        let ended = match form::check_ending(&visit.form, &row, visit.today()) {
            Ok(ended) => ended,
            Err(problems) => {
                let page = page(visit, person, &known, problems);
                return Err(shown(visit, StatusCode::UNPROCESSABLE_ENTITY, page)?);
            }
        };
        sql::insert_ending(tx, (row.id, ended.ends_on), &ended.reason, (by, &now))?;
        let event = Event::done(Operation::AssignEnd)
            .about(person)
            .on(RecordKind::Assignment, row.id)
            .detail(format!("until={}", ended.ends_on));
        Ok(tx.audited(event, person))
    })?;
    Ok(redirect(&format!(
        "/residents/{person}/assignments?done=saved"
    )))
}
