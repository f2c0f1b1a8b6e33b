//! Everything attached to a person or a consultation, and the form that attaches more.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind, ResidentId, WriteTx};

use super::form::{self, Adding, Against, TITLE_CHARS_MAX};
use super::model::{Attachment, Holder, Owner};
use super::store::{self as sql, New};
use super::view::{self, Choice, HolderWords, RowWords};
use crate::features::masters::{self, Code};
use crate::web::limits::UPLOAD_FILES_MAX;
use crate::web::{
    Answer, Content, FieldProblem, Fields, Permission, Problem, Shell, Visit, problem_of, redirect,
};

/// What a page about attachments is made of.
struct Known {
    holder: Holder,
    rows: Vec<Attachment>,
    number_kinds: Vec<Code>,
}

impl Known {
    fn read(visit: &Visit, tx: &ReadTx<'_>, owner: Owner) -> Result<Self, Problem> {
        Ok(Self {
            holder: sql::holder(tx, owner)?.ok_or(Problem::NotFound)?,
            rows: sql::of_owner(tx, owner)?,
            number_kinds: masters::codes(tx, "number_kind", visit.today())?,
        })
    }
}

#[derive(Template)]
#[template(path = "features/attachments/list.html")]
struct ListPage {
    shell: Shell,
    holder: HolderWords,
    action: String,
    rows: Vec<RowWords>,
    /// Why nothing can be attached here, or nothing.
    closed: &'static str,
    may_add: bool,
    may_go_back: bool,
    accept: String,
    size_max: String,
    files_max: usize,
    title_max: usize,
    submission: String,
    typed: Fields,
    number_kinds: Vec<Choice>,
    problems: Vec<FieldProblem>,
}

impl ListPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    /// One sentence for each file that is wrong.
    fn of_files(&self) -> impl Iterator<Item = &str> {
        let files = self.problems.iter().filter(|p| p.field == "files");
        files.map(|problem| problem.text.as_str())
    }

    /// Was something found that passes as a マイナンバー?
    fn asks_number_kind(&self) -> bool {
        !self.value("number_kind").is_empty() || !self.of("number_kind").is_empty()
    }
}

fn page(visit: &Visit, known: &Known, problems: Vec<FieldProblem>) -> ListPage {
    let (owner, typed) = (known.holder.owner, visit.form.clone());
    let path = owner.path();
    let above = match owner {
        Owner::Resident(_) => [("住民をさがす", "/residents"), ("個人画面", path.as_str())],
        Owner::Consultation(_) => [
            ("相談記録", "/consultations"),
            (known.holder.number.as_str(), path.as_str()),
        ],
    };
    let closed = form::closed(&known.holder).unwrap_or_default();
    ListPage {
        shell: Shell::new(visit, "添付ファイル").under(&above),
        holder: view::holder(&known.holder),
        action: owner.list(),
        rows: view::rows(visit, &known.rows),
        may_add: closed.is_empty() && visit.may(Permission::AttachmentWrite),
        may_go_back: visit.may(Permission::FormerStateUse),
        closed,
        accept: super::kinds::accepted(),
        size_max: view::size(visit.app.settings().upload_bytes_max),
        files_max: UPLOAD_FILES_MAX,
        title_max: TITLE_CHARS_MAX,
        submission: visit.submission(),
        number_kinds: view::number_kinds(&known.number_kinds, typed.trimmed("number_kind")),
        typed,
        problems,
    }
}

fn resident(visit: &Visit) -> Result<Owner, Problem> {
    may_open(visit, Owner::Resident(visit.param("id").map(ResidentId)?))
}

fn consultation(visit: &Visit) -> Result<Owner, Problem> {
    may_open(visit, Owner::Consultation(visit.param("id")?))
}

/// What is attached is opened by whoever may open what it is attached to.
pub(super) fn may_open(visit: &Visit, owner: Owner) -> Result<Owner, Problem> {
    let permission = match owner {
        Owner::Resident(_) => Permission::ResidentView,
        Owner::Consultation(_) => Permission::ConsultationView,
    };
    if visit.may(permission) {
        Ok(owner)
    } else {
        Err(Problem::Forbidden)
    }
}

pub(super) fn of_resident(visit: &Visit) -> Answer {
    of_owner(visit, resident(visit)?)
}

pub(super) fn of_consultation(visit: &Visit) -> Answer {
    of_owner(visit, consultation(visit)?)
}

fn of_owner(visit: &Visit, owner: Owner) -> Answer {
    let known = visit.app.db().view(&visit.actor, |tx| {
        let known = Known::read(visit, tx, owner)?;
        let event = match owner {
            Owner::Resident(id) => {
                Event::done(Operation::ResidentView).on(RecordKind::Resident, id.0)
            }
            Owner::Consultation(id) => {
                Event::done(Operation::ConsultationView).on(RecordKind::Consultation, id.0)
            }
        };
        let event = event.about(known.holder.person).detail("attachments");
        Ok::<_, Problem>(tx.audited(event, known))
    })?;
    visit.page(&page(visit, &known, Vec::new()))
}

pub(super) fn add_to_resident(visit: &Visit) -> Answer {
    add(visit, resident(visit)?)
}

pub(super) fn add_to_consultation(visit: &Visit) -> Answer {
    add(visit, consultation(visit)?)
}

fn add(visit: &Visit, owner: Owner) -> Answer {
    let read = |tx: &ReadTx<'_>| Known::read(visit, tx, owner);
    let known = visit.app.db().read(&visit.actor, read)?;
    open_to(visit, &known)?;
    let submission = visit.submission();
    let saved = |tx: &ReadTx<'_>| sql::was_saved(tx, &submission);
    if visit.app.db().read(&visit.actor, saved)? {
        return Ok(again(owner));
    }
    note_infected(visit, &known)?;
    let against = Against {
        number_kinds: &known.number_kinds,
        known: &known.rows,
        bytes_max: visit.app.settings().upload_bytes_max,
    };
    let adding = match form::adding(&visit.form, &visit.files, &against)? {
        Ok(adding) => adding,
        Err(problems) => {
            let page = page(visit, &known, problems);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    save(visit, owner, &adding, &submission)?;
    let unscanned =
        visit.app.scanner().is_some() && adding.files.iter().any(|file| file.clean_by.is_none());
    let done = if unscanned {
        "attached-unscanned"
    } else {
        "attached"
    };
    Ok(redirect(&format!("{}?done={done}", owner.list())))
}

/// Who tried to bring in which virus is known afterwards, whatever becomes of the form.
fn note_infected(visit: &Visit, known: &Known) -> Result<(), Problem> {
    let mut events: Vec<Event> = Vec::new();
    for upload in &visit.files {
        if let Content::Infected { finding } = &upload.content {
            let detail = format!("{} virus={finding}", known.holder.owner.words());
            let event = Event::refused(Operation::AttachmentAdd).about(known.holder.person);
            events.push(event.detail(detail));
        }
    }
    let Some(first) = events.pop() else {
        return Ok(());
    };
    visit
        .app
        .db()
        .view(&visit.actor, |tx| Ok(tx.audited_all(first, events, ())))
}

fn again(owner: Owner) -> crate::web::Response {
    redirect(&format!("{}?done=again", owner.list()))
}

/// 403 or 409, with what was typed, when nothing can be attached here (any more).
fn open_to(visit: &Visit, known: &Known) -> Result<(), Problem> {
    if form::closed(&known.holder).is_none() {
        return Ok(());
    }
    let status = if known.holder.withdrawn {
        StatusCode::CONFLICT
    } else {
        StatusCode::FORBIDDEN
    };
    let page = visit.page_as(status, &page(visit, known, Vec::new()))?;
    Err(Problem::Page(Box::new(page)))
}

/// Bytes first, then the rows that name them, in one transaction: all files of the form, or none.
fn save(visit: &Visit, owner: Owner, adding: &Adding<'_>, submission: &str) -> Result<(), Problem> {
    let now = format!("{:.6}", visit.app.clock().now());
    let shelf = visit.app.db().shelf();
    visit.app.db().write(&visit.actor, |tx| {
        // Asked again: between the check and now somebody may have been faster.
        let known = Known::read(visit, tx, owner)?;
        open_to(visit, &known)?;
        if sql::was_saved(tx, submission)? {
            return Err(Problem::Page(Box::new(again(owner))));
        }
        if let Some(text) = already(&known, adding) {
            let field = "files";
            let page = page(visit, &known, vec![FieldProblem { field, text }]);
            let page = visit.page_as(StatusCode::CONFLICT, &page)?;
            return Err(Problem::Page(Box::new(page)));
        }
        let mut events = added(visit, tx, (owner, adding), (submission, &now))?;
        for file in &adding.files {
            shelf.place(tx, file.whole)?;
        }
        for event in &mut events {
            *event = event.clone().about(known.holder.person);
        }
        let first = events.pop().ok_or(Problem::Unreadable)?;
        Ok(tx.audited_all(first, events, ()))
    })
}

/// Somebody attached the same bytes since the form was checked.
fn already(known: &Known, adding: &Adding<'_>) -> Option<String> {
    let mut files = adding.files.iter();
    files.find_map(|file| form::attached_before(&known.rows, file.whole.sha256(), &file.name))
}

/// The rows; the entry of each.
fn added(
    visit: &Visit,
    tx: &WriteTx<'_>,
    (owner, adding): (Owner, &Adding<'_>),
    (submission, now): (&str, &str),
) -> Result<Vec<Event>, Problem> {
    let by = visit.signed_in()?.staff_id;
    let mut events = Vec::new();
    for (position, file) in adding.files.iter().enumerate() {
        let new = New {
            owner,
            sha256: file.whole.sha256(),
            bytes: file.whole.bytes(),
            kind: &file.kind.code,
            file_name: &file.name,
            title: &adding.said.title,
            note: &adding.said.note,
            submission,
            position,
            clean_by: file.clean_by,
        };
        let id = sql::insert(tx, &new, (visit.actor.centre_id, by, now))?;
        let numbers = adding.said.numbers.as_deref().unwrap_or_default();
        let detail = format!(
            "{} kind={} bytes={} {numbers}",
            owner.words(),
            new.kind,
            new.bytes
        );
        let event = Event::done(Operation::AttachmentAdd).on(RecordKind::Attachment, id.0);
        events.push(event.detail(detail.trim_end()));
    }
    Ok(events)
}
