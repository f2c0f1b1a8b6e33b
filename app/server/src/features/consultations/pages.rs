//! The form for a new record, and saving it.

use askama::Template;
use axum::http::StatusCode;
use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};
use store::{Event, Operation, RecordKind, ResidentId};

use super::drafts::{self, FormKey};
use super::form::{self, Checked, FieldProblem};
use super::model::{Lists, Person, number};
use super::view::{self, Choice, PersonWords};
use super::{conflict::Conflict, records, store as sql};
use crate::web::{Answer, Fields, Problem, Shell, Visit, redirect};

/// Longest submission token that is believed, bytes.
const SUBMISSION_BYTES_MAX: usize = 100;

#[derive(Template)]
#[template(path = "features/consultations/form.html")]
pub(super) struct FormPage {
    pub(super) shell: Shell,
    pub(super) action: String,
    pub(super) back: String,
    pub(super) draft_key: String,
    pub(super) submission: String,
    pub(super) base_version: i64,
    pub(super) person: Option<PersonWords>,
    pub(super) problems: Vec<FieldProblem>,
    pub(super) typed: Fields,
    pub(super) lists: Lists,
    pub(super) corrects: bool,
    pub(super) kept: bool,
    pub(super) conflict: Option<Conflict>,
}

impl FormPage {
    fn of(&self, field: &str) -> &str {
        self.problems
            .iter()
            .find(|p| p.field == field)
            .map_or("", |p| p.text.as_str())
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    fn boxes(&self, field: &str) -> Vec<Choice> {
        view::choices(&self.lists, field, &self.typed, "")
    }

    /// Was something typed that passes as a マイナンバー?
    fn asks_number_kind(&self) -> bool {
        !self.value("number_kind").is_empty() || !self.of("number_kind").is_empty()
    }

    fn options(&self, field: &str) -> Vec<Choice> {
        view::choices(&self.lists, field, &self.typed, "選んでください")
    }
}

pub(super) fn new(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?.staff_id;
    let resident = resident_of(&visit.query)?;
    if no_one_named(visit, resident) {
        return records::nobody_named(visit);
    }
    let key = FormKey::New(resident);
    let (person, lists, draft) = visit.app.db().read(&visit.actor, |tx| {
        let person = known_person(tx, resident)?;
        let draft = drafts::find(tx, staff, &key)?;
        Ok::<_, Problem>((person, sql::lists(tx, visit.today())?, draft))
    })?;
    writable(visit, person.as_ref())?;
    match draft {
        Some(draft) if visit.query.get("draft") == "1" => visit.page(&new_page(
            visit,
            person.as_ref(),
            lists,
            draft.typed,
            Vec::new(),
        )),
        Some(draft) => drafts::offer(visit, &key, draft, &lists),
        None => {
            let today = view::today_typed(visit.today());
            let received = std::iter::once(("received_on", today.as_str()));
            let typed = Fields::from_pairs(received).unwrap_or_default();
            visit.page(&new_page(visit, person.as_ref(), lists, typed, Vec::new()))
        }
    }
}

/// The person the form is opened for; outside the scope there is nobody.
fn known_person(
    tx: &store::ReadTx<'_>,
    resident: Option<ResidentId>,
) -> Result<Option<Person>, Problem> {
    match resident {
        Some(id) => Ok(Some(sql::person(tx, id)?.ok_or(Problem::NotFound)?)),
        None => Ok(None),
    }
}

/// Only read, not written about: 403 with what was typed.
fn writable(visit: &Visit, person: Option<&Person>) -> Result<(), Problem> {
    let Some(person) = person.filter(|person| !person.writable) else {
        return Ok(());
    };
    let page = records::read_only(visit, &format!("/residents/{}", person.id))?;
    Err(Problem::Page(Box::new(page)))
}

/// Whoever sees nobody but whom she was given writes about nobody else.
fn no_one_named(visit: &Visit, resident: Option<ResidentId>) -> bool {
    resident.is_none() && !visit.may_record_anybody()
}

fn resident_of(fields: &Fields) -> Result<Option<ResidentId>, Problem> {
    match fields.trimmed("resident") {
        "" => Ok(None),
        text => text
            .parse()
            .map(|id| Some(ResidentId(id)))
            .or(Err(Problem::NotFound)),
    }
}

fn new_page(
    visit: &Visit,
    person: Option<&Person>,
    lists: Lists,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> FormPage {
    let shell = Shell::new(visit, "相談を記録する").under(&[("相談記録", "/consultations")]);
    let known = typed.trimmed("submission").to_owned();
    FormPage {
        shell,
        action: "/consultations".to_owned(),
        back: person.map_or_else(
            || "/consultations".to_owned(),
            |p| format!("/residents/{}", p.id),
        ),
        draft_key: FormKey::New(person.map(|person| person.id)).text(),
        submission: if is_token(&known) {
            known
        } else {
            fresh_submission(visit)
        },
        base_version: 0,
        person: person.map(|person| view::person(person, visit.today())),
        problems,
        typed,
        lists,
        corrects: false,
        kept: visit.query.get("kept") == "1",
        conflict: None,
    }
}

/// One per opened form. Hashed: what is stored must not be a valid cross-site token.
fn fresh_submission(visit: &Visit) -> String {
    HEXLOWER.encode(digest(&SHA256, visit.csrf().as_bytes()).as_ref())
}

fn is_token(text: &str) -> bool {
    (32..=SUBMISSION_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn create(visit: &Visit) -> Answer {
    let resident = resident_of(&visit.form)?;
    if no_one_named(visit, resident) {
        return records::nobody_named(visit);
    }
    let (person, lists) = visit.app.db().read(&visit.actor, |tx| {
        Ok::<_, Problem>((known_person(tx, resident)?, sql::lists(tx, visit.today())?))
    })?;
    writable(visit, person.as_ref())?;
    let Checked { entry, numbers } = match form::check(&visit.form, &lists, visit.today()) {
        Ok(checked) => checked,
        Err(problems) => {
            let page = new_page(visit, person.as_ref(), lists, visit.form.clone(), problems);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let staff = visit.signed_in()?;
    let now = format!("{:.6}", visit.app.clock().now());
    let typed = visit.form.trimmed("submission");
    let submission = if is_token(typed) {
        typed.to_owned()
    } else {
        fresh_submission(visit)
    };
    let id = visit.app.db().write(&visit.actor, |tx| {
        if let Some(first) = sql::by_submission(tx, &submission)? {
            let again = redirect(&format!("/consultations/{first}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        // Asked again here: between the check and now she may have moved out of the scope.
        writable(visit, known_person(tx, resident)?.as_ref())?;
        let next = sql::next_id(tx)?;
        let head = sql::Head {
            id: next,
            number: &number(visit.today(), next),
            centre_id: visit.actor.centre_id,
            submission: &submission,
            created_by: staff.staff_id,
            now: &now,
        };
        let id = sql::insert_head(tx, &head)?;
        if let Some(resident) = resident {
            sql::insert_client(tx, id, resident, staff.staff_id, &now)?;
        }
        sql::insert_version(tx, id, 1, &entry, (staff.staff_id, &now, ""))?;
        drafts::forget(tx, staff.staff_id, &FormKey::New(resident))?;
        let event = Event::done(Operation::ConsultationCreate);
        let event = event.detail(numbers.as_deref().unwrap_or(""));
        Ok(tx.audited(event.about(resident).on(RecordKind::Consultation, id.0), id))
    })?;
    Ok(redirect(&format!("/consultations/{id}?done=saved")))
}
