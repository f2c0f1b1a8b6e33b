//! Giving a person to others, ending it, and what was given to oneself.

use askama::Template;
use axum::http::StatusCode;
use store::{CentreId, Event, Operation, ReadTx, RecordKind, ResidentId, Scope, StaffId, WriteTx};

use super::form::{self, Against, MONTHS_MAX};
use super::model::{Grant, NewGrant, Person, Whom};
use super::store as sql;
use super::view::{self, Choice, GivenWords, GrantWords};
use crate::features::staff::rights::{Holder, holders};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{
    Answer, Checked, FieldProblem, Fields, Pages, Problem, Shell, Typed, Visit, page_asked,
    problem_of, redirect, rows_before, typed_words,
};

fn resident(visit: &Visit) -> Result<ResidentId, Problem> {
    visit.param("id").map(ResidentId)
}

/// The city and the centre that looks after her give her to others; whom she is lent to does not.
fn may_give(visit: &Visit, centre: CentreId) -> bool {
    match visit.actor.scope {
        Scope::City => true,
        Scope::Centre(own) => own == centre,
        Scope::Assigned(_) | Scope::Nothing => false,
    }
}

/// A person and everybody she was given to.
struct Known {
    person: Person,
    grants: Vec<Grant>,
    members: Vec<Holder>,
}

impl Known {
    fn read(visit: &Visit, tx: &ReadTx<'_>, id: ResidentId) -> Result<Self, Problem> {
        let person = sql::person(tx, id)?.ok_or(Problem::NotFound)?;
        if !may_give(visit, person.centre) {
            return Err(only_lent(visit, &format!("/residents/{id}")));
        }
        Ok(Self {
            person,
            grants: sql::grants(tx, id)?,
            members: holders(tx, visit.today())?,
        })
    }

    fn check(&self, visit: &Visit, id: ResidentId) -> Result<NewGrant, Vec<FieldProblem>> {
        let against = Against {
            resident: id,
            centre: self.person.centre,
            grants: &self.grants,
            members: &self.members,
            today: visit.today(),
        };
        form::check(&visit.form, &against)
    }
}

#[derive(Template)]
#[template(path = "features/case_grants/person.html")]
struct PersonPage {
    shell: Shell,
    id: i64,
    name: String,
    kana: String,
    section: &'static str,
    rows: Vec<GrantWords>,
    is_referred: bool,
    members: Vec<Choice>,
    access: Vec<Choice>,
    months_max: i64,
    typed: Fields,
    starts_on: String,
    problems: Vec<FieldProblem>,
}

impl PersonPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

fn page(visit: &Visit, id: ResidentId, known: &Known, problems: Vec<FieldProblem>) -> PersonPage {
    let (typed, today) = (&visit.form, visit.today());
    let back = format!("/residents/{id}");
    let above = [("住民をさがす", "/residents"), ("個人画面", back.as_str())];
    let (name, kana) = view::person(&known.person);
    let section = Whom::Section(super::model::SECTION);
    let typed_start = typed.get("starts_on");
    PersonPage {
        shell: Shell::new(visit, "紹介・個別の指定").under(&above),
        id: id.0,
        name,
        kana,
        section: super::model::SECTION.label(),
        rows: known
            .grants
            .iter()
            .map(|grant| view::grant(grant, today))
            .collect(),
        is_referred: known
            .grants
            .iter()
            .any(|g| g.lasts(today) && g.is_to(section)),
        members: view::members(&known.members, known.person.centre, typed.trimmed("staff")),
        access: view::access(typed.trimmed("access")),
        months_max: MONTHS_MAX,
        starts_on: if typed.has("starts_on") {
            typed_start.to_owned()
        } else {
            crate::web::days::day_short(today)
        },
        typed: typed.clone(),
        problems,
    }
}

pub(super) fn of_person(visit: &Visit) -> Answer {
    let id = resident(visit)?;
    let known = visit.app.db().view(&visit.actor, |tx| {
        let known = Known::read(visit, tx, id)?;
        let event = Event::done(Operation::ResidentView)
            .about(id)
            .on(RecordKind::Resident, id.0);
        Ok::<_, Problem>(tx.audited(event.detail("case-grants"), known))
    })?;
    visit.page(&page(visit, id, &known, Vec::new()))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let (id, staff) = (resident(visit)?, visit.signed_in()?.staff_id);
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let known = Known::read(visit, tx, id)?;
        match known.check(visit, id) {
            Ok(new) => save(tx, &new, (staff, &now)),
            Err(problems) => Err(refused(visit, id, (known, problems), staff)?),
        }
    })?;
    Ok(redirect(&format!(
        "/residents/{id}/case-grants?done=shared"
    )))
}

fn save(
    tx: &WriteTx<'_>,
    new: &NewGrant,
    stamp: (StaffId, &str),
) -> Result<store::Audited<()>, Problem> {
    let grant = sql::insert(tx, new, stamp)?;
    let whom = match new.whom {
        Whom::Section(role) => format!("role={}", role.code()),
        Whom::Staff(id) => format!("staff={id}"),
    };
    let until = new.ends_on.map(|day| format!(" until={day}"));
    let access = if new.may_write {
        "may-write"
    } else {
        "read-only"
    };
    let detail = format!(
        "{whom} from={}{} {access}",
        new.starts_on,
        until.unwrap_or_default()
    );
    let event = Event::done(Operation::CaseGrant)
        .about(new.resident)
        .on(RecordKind::CaseGrant, grant);
    Ok(tx.audited(event.detail(detail), ()))
}

/// 422; but the same form sent twice is one grant.
fn refused(
    visit: &Visit,
    id: ResidentId,
    (known, problems): (Known, Vec<FieldProblem>),
    staff: StaffId,
) -> Result<Problem, Problem> {
    let free = Known {
        grants: Vec::new(),
        person: known.person.clone(),
        members: known.members.clone(),
    };
    if let Ok(new) = free.check(visit, id) {
        let today = visit.today();
        let mut lasting = known.grants.iter().filter(|grant| grant.lasts(today));
        if lasting.any(|grant| grant.says(&new, staff)) {
            let again = redirect(&format!("/residents/{id}/case-grants?done=again"));
            return Ok(Problem::Page(Box::new(again)));
        }
    }
    let page = page(visit, id, &known, problems);
    let page = visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)?;
    Ok(Problem::Page(Box::new(page)))
}

pub(super) fn end(visit: &Visit) -> Answer {
    let (grant, staff): (i64, _) = (visit.param("id")?, visit.signed_in()?.staff_id);
    let mut checks = Checked::new(&visit.form);
    let reason = checks.reason("ending_reason", "終わらせる理由");
    let reason = checks.ended(Some(reason));
    let now = format!("{:.6}", visit.app.clock().now());
    let person = visit.app.db().write(&visit.actor, |tx| {
        let grant = sql::grant_of(tx, grant)?.ok_or(Problem::NotFound)?;
        let person = grant.resident;
        let known = Known::read(visit, tx, person)?;
        let back = format!("/residents/{person}/case-grants?done=again");
        if grant.ending.is_some() {
            return Err(Problem::Page(Box::new(redirect(&back))));
        }
        let reason = match &reason {
            Ok(reason) => reason,
            Err(problems) => {
                let page = page(visit, person, &known, problems.clone());
                let page = visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)?;
                return Err(Problem::Page(Box::new(page)));
            }
        };
        sql::insert_ending(tx, grant.id, reason, (staff, &now))?;
        let event = Event::done(Operation::CaseGrantEnd)
            .about(person)
            .on(RecordKind::CaseGrant, grant.id);
        Ok(tx.audited(event, person))
    })?;
    let back = format!("/residents/{person}/case-grants?done=share-ended");
    Ok(redirect(&back))
}

#[derive(Template)]
#[template(path = "features/case_grants/notice.html")]
struct NoticePage {
    shell: Shell,
    href: String,
    typed: Vec<Typed>,
}

/// 403: she is visible because somebody gave her to the viewer, or for a while after she moved.
fn only_lent(visit: &Visit, href: &str) -> Problem {
    let words = visit
        .form
        .pairs()
        .filter(|(name, _)| name.ends_with("reason"));
    let page = NoticePage {
        shell: Shell::new(visit, "この操作はできません").under(&[("住民をさがす", "/residents")]),
        href: href.to_owned(),
        typed: typed_words(words),
    };
    match visit.page_as(StatusCode::FORBIDDEN, &page) {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

#[derive(Template)]
#[template(path = "features/case_grants/mine.html")]
struct MinePage {
    shell: Shell,
    rows: Vec<GivenWords>,
    pages: Pages,
}

pub(super) fn mine(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    let whose = (staff.staff_id, staff.role.code());
    let number = page_asked(&visit.query);
    let window = (ROWS_PER_PAGE, rows_before(number));
    let (rows, total) = visit.app.db().read(&visit.actor, |tx| {
        sql::given(tx, whose, visit.today(), window)
    })?;
    visit.page(&MinePage {
        shell: Shell::new(visit, "紹介された方・個別に担当する方").under(&[]),
        rows: rows.iter().map(view::given).collect(),
        pages: Pages::new("/case-grants", &visit.query, number, total),
    })
}
