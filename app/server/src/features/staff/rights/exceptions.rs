//! Exceptions of one person: given with a last day, ended early, taken back before they begin.

use askama::Template;
use axum::http::StatusCode;
use store::{StaffId, StoreError};

use super::acts::{self, Refusal, Undone};
use super::form::Form;
use super::model::{Change, Exception, ExceptionId, NewException};
use super::roles::{Preview, after};
use super::{hand, store as sql, view};
use crate::features::staff::accounts::form::FieldProblem;
use crate::features::staff::accounts::view::{self as words, Choice};
use crate::web::{Answer, Fields, Permission, Problem, Shell, Visit, redirect};

/// Permissions for a form.
pub(super) fn permissions(chosen: &str) -> Vec<Choice> {
    let known = Permission::grantable().map(|p| Choice {
        value: p.code().to_owned(),
        label: format!("{}：{}", p.group(), p.label()),
        selected: p.code() == chosen,
    });
    let none = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    };
    std::iter::once(none).chain(known).collect()
}

pub(super) fn directions(chosen: &str) -> Vec<Choice> {
    let known = [("yes", "できるようにする"), ("no", "できなくする")];
    words::choices(known.into_iter(), chosen)
}

/// The person of the address.
struct Person {
    id: StaffId,
    name: String,
    stand: String,
}

fn person(visit: &Visit) -> Result<Person, Problem> {
    let id = StaffId(visit.param("id")?);
    let (name, stand) = visit.app.db().read(&visit.actor, |tx| {
        Ok::<_, StoreError>((view::name_of(tx, id)?, sql::stand_of(tx, id)?))
    })?;
    let name = name.ok_or(Problem::NotFound)?;
    Ok(Person { id, name, stand })
}

fn shell(visit: &Visit, person: &Person, title: &str) -> Shell {
    let staff = format!("/staff/{}", person.id);
    let rights = format!("{staff}/rights");
    let above = [
        ("職員", "/staff"),
        (person.name.as_str(), staff.as_str()),
        ("見えるもの・できること", rights.as_str()),
    ];
    Shell::new(visit, format!("{}：{title}", person.name)).under(&above)
}

fn is_own(visit: &Visit, id: StaffId) -> Result<bool, Problem> {
    Ok(visit.signed_in()?.staff_id == id)
}

#[derive(Template)]
#[template(path = "features/staff/rights/exception.html")]
struct NewPage {
    shell: Shell,
    id: i64,
    seen: String,
    shown: String,
    typed: Fields,
    problems: Vec<FieldProblem>,
    permissions: Vec<Choice>,
    directions: Vec<Choice>,
    preview: Option<Preview>,
}

impl NewPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

fn new_page(visit: &Visit, person: &Person, problems: Vec<FieldProblem>) -> NewPage {
    let typed = &visit.form;
    let asked = if typed.has("permission") {
        typed.trimmed("permission")
    } else {
        visit.query.trimmed("permission")
    };
    NewPage {
        shell: shell(visit, person, "権限の例外"),
        id: person.id.0,
        seen: if typed.has("seen") {
            typed.get("seen").to_owned()
        } else {
            person.stand.clone()
        },
        shown: typed.get("shown").to_owned(),
        permissions: permissions(asked),
        directions: directions(typed.trimmed("granted")),
        typed: typed.clone(),
        problems,
        preview: None,
    }
}

#[derive(Template)]
#[template(path = "features/staff/accounts/own.html")]
struct OwnPage {
    shell: Shell,
}

fn own(visit: &Visit) -> Answer {
    let shell = Shell::new(visit, "自分のアカウントは変えられません");
    let shell = shell.under(&[("職員", "/staff")]);
    visit.page_as(StatusCode::FORBIDDEN, &OwnPage { shell })
}

pub(super) fn new(visit: &Visit) -> Answer {
    let person = person(visit)?;
    if is_own(visit, person.id)? {
        return own(visit);
    }
    visit.page(&new_page(visit, &person, Vec::new()))
}

fn shown_key(new: &NewException) -> String {
    let sign = if new.step.granted { '+' } else { '-' };
    let last = new.ends_on.map(|day| day.to_string()).unwrap_or_default();
    format!(
        "{sign}{}:{}:{last}",
        new.step.permission.code(),
        new.starts_on
    )
}

pub(super) fn create(visit: &Visit) -> Answer {
    let person = person(visit)?;
    let new = match Form::new(&visit.form, visit.today()).exception(person.id) {
        Ok(new) => new,
        Err(_) if is_own(visit, person.id)? => return own(visit),
        Err(problems) => return refuse(visit, &person, problems),
    };
    let (key, from, line) = (shown_key(&new), new.starts_on, view::step(new.step));
    let change = Change::Exception(new);
    let hand = hand(visit);
    if visit.form.get("shown") == key {
        let place = format!("/staff/{}/rights", person.id);
        return match acts::perform(&hand, &change, visit.form.get("seen")) {
            Ok(done) => Ok(after(done, &place, "exception-added")),
            Err(undone) => told(visit, &person, undone),
        };
    }
    let looked = acts::preview(&hand, &change, from)
        .and_then(|differences| Ok((differences, acts::needs_approval(&hand, &change)?)));
    let (differences, needs_approval) = match looked {
        Ok(looked) => looked,
        Err(undone) => return told(visit, &person, undone),
    };
    visit.page(&NewPage {
        shown: key,
        preview: Some(Preview {
            from: words::day(from),
            steps: vec![line],
            differences: view::differences(&differences),
            needs_approval,
        }),
        ..new_page(visit, &person, Vec::new())
    })
}

fn refuse(visit: &Visit, person: &Person, problems: Vec<FieldProblem>) -> Answer {
    let page = new_page(visit, person, problems);
    visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// The refusal, if it is the form's own to show; those that look the same everywhere are a page.
fn common(visit: &Visit, person: &Person, undone: Undone) -> Result<Refusal, Problem> {
    let page = |answer: Answer| match answer {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    };
    let again = || redirect(&format!("/staff/{}/rights?done=again", person.id));
    match undone {
        Undone::Failed(problem) => Err(problem),
        Undone::Refused(Refusal::Absent) => Err(Problem::NotFound),
        Undone::Refused(Refusal::Own) => Err(page(own(visit))),
        Undone::Refused(Refusal::Again) => Err(page(Ok(again()))),
        Undone::Refused(Refusal::Late) => Err(page(late(visit, person))),
        Undone::Refused(refusal) => Ok(refusal),
    }
}

fn told(visit: &Visit, person: &Person, undone: Undone) -> Answer {
    let refusal = common(visit, person, undone)?;
    refuse(visit, person, vec![sentence(&refusal, "permission")])
}

fn sentence(refusal: &Refusal, fallback: &'static str) -> FieldProblem {
    FieldProblem {
        field: view::field_of(refusal, fallback),
        text: view::refusal(refusal),
    }
}

#[derive(Template)]
#[template(path = "features/staff/rights/exception_late.html")]
struct LatePage {
    shell: Shell,
    theirs: Vec<(String, String)>,
    typed: Vec<crate::web::Typed>,
    href: String,
}

/// 409: another administrator changed this person's exceptions; both are shown.
fn late(visit: &Visit, person: &Person) -> Answer {
    let known = visit
        .app
        .db()
        .read(&visit.actor, |tx| sql::exceptions(tx, person.id))?;
    let line = |e: &Exception| {
        let newest = e.ending.as_ref().unwrap_or(&e.made);
        (
            view::exception_line(e),
            format!("{}：{}", view::stamp(newest), newest.reason),
        )
    };
    let words = ["starts_on", "ends_on", "reason"];
    let pairs = visit.form.pairs().filter(|(name, _)| words.contains(name));
    let page = LatePage {
        shell: shell(visit, person, "ほかの管理者が先に変えました"),
        theirs: known.iter().rev().map(line).collect(),
        typed: crate::web::typed_words(pairs),
        href: format!("/staff/{}/rights", person.id),
    };
    visit.page_as(StatusCode::CONFLICT, &page)
}

#[derive(Template)]
#[template(path = "features/staff/rights/exception_ending.html")]
struct EndingPage {
    shell: Shell,
    id: i64,
    exception: i64,
    line: String,
    seen: String,
    kinds: Vec<Choice>,
    typed: Fields,
    problems: Vec<FieldProblem>,
}

impl EndingPage {
    fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

/// The exception of the address, if it is this person's.
fn exception(visit: &Visit, person: &Person) -> Result<Exception, Problem> {
    let id = ExceptionId(visit.param("exception")?);
    let known = visit
        .app
        .db()
        .read(&visit.actor, |tx| sql::exception(tx, id))?;
    known
        .filter(|e| e.staff == person.id)
        .ok_or(Problem::NotFound)
}

fn ending_page(
    visit: &Visit,
    (person, known): (&Person, &Exception),
    problems: Vec<FieldProblem>,
) -> EndingPage {
    let typed = &visit.form;
    let now = if known.term.starts_on > visit.today() {
        "予定を取りやめる"
    } else {
        "すぐ終える（今日から無効）"
    };
    let kinds = [("now", now), ("day", "最後の日を早める")];
    EndingPage {
        shell: shell(visit, person, "例外を終える"),
        id: person.id.0,
        exception: known.id.0,
        line: view::exception_line(known),
        seen: if typed.has("seen") {
            typed.get("seen").to_owned()
        } else {
            person.stand.clone()
        },
        kinds: words::choices(kinds.into_iter(), typed.trimmed("kind")),
        typed: typed.clone(),
        problems,
    }
}

pub(super) fn ending(visit: &Visit) -> Answer {
    let person = person(visit)?;
    if is_own(visit, person.id)? {
        return own(visit);
    }
    let known = exception(visit, &person)?;
    visit.page(&ending_page(visit, (&person, &known), Vec::new()))
}

pub(super) fn end(visit: &Visit) -> Answer {
    let person = person(visit)?;
    let known = exception(visit, &person)?;
    let refuse = |problems| {
        let page = ending_page(visit, (&person, &known), problems);
        visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    let (ends_on, reason) = match Form::new(&visit.form, visit.today()).ending(known.term.starts_on)
    {
        Ok(checked) => checked,
        Err(problems) => return refuse(problems),
    };
    let exception = known.id;
    let change = Change::ExceptionEnd {
        exception,
        ends_on,
        reason,
    };
    let place = format!("/staff/{}/rights", person.id);
    match acts::perform(&hand(visit), &change, visit.form.get("seen")) {
        Ok(done) => Ok(after(done, &place, "exception-ended")),
        Err(undone) => {
            let refusal = common(visit, &person, undone)?;
            refuse(vec![sentence(&refusal, "kind")])
        }
    }
}
