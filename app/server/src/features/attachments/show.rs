//! One attachment: what is known about it, its content in the browser, and the way out.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind};

use super::form::TITLE_CHARS_MAX;
use super::list::may_open;
use super::model::{Attachment, AttachmentId, Holder, Version};
use super::scans;
use super::store as sql;
use super::view::{self, Choice, HolderWords, RowWords, VersionWords};
use crate::features::carried_out::door::{self, Goods};
use crate::features::masters::{self, Code};
use crate::features::residents::ShieldReason;
use crate::web::{
    Answer, FieldProblem, Fields, Permission, Problem, Shell, Visit, opened, problem_of, redirect,
};

/// One attachment with everything that its page shows.
pub(super) struct Known {
    pub(super) row: Attachment,
    pub(super) holder: Holder,
    pub(super) versions: Vec<Version>,
    pub(super) number_kinds: Vec<Code>,
}

impl Known {
    /// The attachment of this address; nothing outside the scope.
    pub(super) fn read(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, Problem> {
        let id: AttachmentId = visit.param("id")?;
        let row = load(visit, tx)?;
        Ok(Self {
            holder: sql::holder(tx, row.owner)?.ok_or(Problem::NotFound)?,
            versions: sql::versions(tx, id)?,
            number_kinds: masters::codes(tx, "number_kind", visit.today())?,
            row,
        })
    }

    /// What is said about it may be changed, and it may be withdrawn, by this viewer.
    pub(super) fn may_write(&self, visit: &Visit) -> bool {
        self.row.writable && self.row.withdrawal.is_none() && visit.may(Permission::AttachmentWrite)
    }
}

fn load(visit: &Visit, tx: &ReadTx<'_>) -> Result<Attachment, Problem> {
    let row = sql::find(tx, visit.param("id")?)?.ok_or(Problem::NotFound)?;
    may_open(visit, row.owner)?;
    Ok(row)
}

/// The entry about this attachment.
pub(super) fn event(operation: Operation, row: &Attachment) -> Event {
    Event::done(operation)
        .about(row.person)
        .on(RecordKind::Attachment, row.id.0)
}

#[derive(Template)]
#[template(path = "features/attachments/show.html")]
pub(super) struct ShowPage {
    shell: Shell,
    row: RowWords,
    file_name: String,
    holder: HolderWords,
    back: String,
    /// The browser shows it.
    shown: bool,
    shielded: bool,
    may_write: bool,
    may_export: bool,
    /// Where its former states are; empty for whoever may not see them.
    former: String,
    reasons: Vec<Choice>,
    versions: Vec<VersionWords>,
    base_version: i64,
    title: String,
    note: String,
    title_max: usize,
    typed: Fields,
    number_kinds: Vec<Choice>,
    /// Somebody was faster.
    pub(super) late: bool,
    problems: Vec<FieldProblem>,
}

impl ShowPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }

    fn asks_number_kind(&self) -> bool {
        !self.typed.trimmed("number_kind").is_empty() || !self.of("number_kind").is_empty()
    }

    /// A form that came back stands open.
    fn is_open(&self, field: &str) -> bool {
        self.typed.has(field) || self.late
    }
}

pub(super) fn page_of(visit: &Visit, known: &Known, problems: Vec<FieldProblem>) -> ShowPage {
    let (row, typed) = (&known.row, visit.form.clone());
    let (list, (title, note)) = (row.owner.list(), view::said(row));
    let typed_or = |field: &str, other: &str| {
        if typed.has(field) {
            typed.get(field).to_owned()
        } else {
            other.to_owned()
        }
    };
    let kind = row.kind();
    let path = row.owner.path();
    let parent = if known.holder.number.is_empty() {
        "個人画面"
    } else {
        known.holder.number.as_str()
    };
    let above = [(parent, path.as_str()), ("添付ファイル", list.as_str())];
    ShowPage {
        // The title stays in the browser's history: no name.
        shell: Shell::new(visit, format!("添付ファイル {}", row.id)).under(&above),
        row: view::row(visit, row),
        file_name: view::file_name(row),
        holder: view::holder(&known.holder),
        back: list.clone(),
        shown: kind.is_some_and(|kind| kind.shown),
        shielded: row.shielded,
        may_write: known.may_write(visit),
        former: if visit.may(Permission::FormerStateUse) {
            format!("/attachments/{}/former-state", row.id)
        } else {
            String::new()
        },
        may_export: row.withdrawal.is_none()
            && row.finding().is_none()
            && visit.may(Permission::CarriedOutRecord),
        reasons: view::reasons(typed.trimmed("shield_reason")),
        versions: view::versions(&known.versions, row),
        base_version: row.version,
        title: typed_or("title", title),
        note: typed_or("note", note),
        title_max: TITLE_CHARS_MAX,
        number_kinds: view::number_kinds(&known.number_kinds, typed.trimmed("number_kind")),
        typed,
        late: false,
        problems,
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    let known = visit.app.db().view(&visit.actor, |tx| {
        let known = Known::read(visit, tx)?;
        let event = event(Operation::AttachmentView, &known.row).detail("details");
        Ok::<_, Problem>(tx.audited(event, known))
    })?;
    visit.page(&page_of(visit, &known, Vec::new()))
}

/// What a look at the content found; each is written down.
enum Look {
    Open(Box<Attachment>),
    /// Under 支援措置, and no reason was given.
    Shielded(Box<Known>),
    /// It was withdrawn, or a virus was found in it.
    Closed(Box<Known>),
}

fn look(visit: &Visit, reason: Option<ShieldReason>) -> Result<Look, Problem> {
    visit.app.db().view(&visit.actor, |tx| {
        let row = load(visit, tx)?;
        let refused = |why: &str| {
            Event::refused(Operation::AttachmentView)
                .about(row.person)
                .on(RecordKind::Attachment, row.id.0)
                .detail(why)
        };
        if row.withdrawal.is_some() {
            let known = Box::new(Known::read(visit, tx)?);
            return Ok(tx.audited(refused("withdrawn"), Look::Closed(known)));
        }
        if let Some(finding) = row.finding() {
            let known = Box::new(Known::read(visit, tx)?);
            let detail = format!("virus={finding}");
            return Ok(tx.audited(refused(&detail), Look::Closed(known)));
        }
        if row.shielded && reason.is_none() {
            let known = Box::new(Known::read(visit, tx)?);
            return Ok(tx.audited(refused("shield=no-reason"), Look::Shielded(known)));
        }
        let why = reason.filter(|_| row.shielded);
        let detail = why.map_or_else(
            || "content".to_owned(),
            |reason| format!("content shield={}", reason.code()),
        );
        let event = event(Operation::AttachmentView, &row).detail(detail);
        Ok(tx.audited(event, Look::Open(Box::new(row))))
    })
}

/// The content in the browser's window. Of a person under 支援措置 it takes the reason of the page.
pub(super) fn file(visit: &Visit) -> Answer {
    shown(visit, None)
}

pub(super) fn file_with_reason(visit: &Visit) -> Answer {
    let reason = ShieldReason::from_code(visit.form.trimmed("shield_reason"));
    shown(visit, reason)
}

fn shown(visit: &Visit, reason: Option<ShieldReason>) -> Answer {
    let row = match look(visit, reason)? {
        Look::Open(row) => row,
        Look::Closed(known) => {
            let page = page_of(visit, &known, Vec::new());
            return visit.page_as(StatusCode::CONFLICT, &page);
        }
        Look::Shielded(known) => {
            let missing = FieldProblem {
                field: "shield_reason",
                text: "開く理由を選んでください。".to_owned(),
            };
            let page = page_of(visit, &known, vec![missing]);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    match row.kind().filter(|kind| kind.shown) {
        Some(kind) => {
            let bytes = visit.app.db().shelf().read(&row.sha256)?;
            scans::admit(visit, &row, &bytes)?;
            Ok(opened(&kind.content_type, &kind.file, kind.boxed, bytes))
        }
        None => Ok(redirect(&format!("/attachments/{}/export", row.id))),
    }
}

/// The page that says why nobody opens it (any more).
pub(super) fn closed(visit: &Visit) -> Result<Problem, Problem> {
    let db = visit.app.db();
    let known = db.read(&visit.actor, |tx| Known::read(visit, tx))?;
    let page = page_of(visit, &known, Vec::new());
    let page = visit.page_as(StatusCode::CONFLICT, &page)?;
    Ok(Problem::Page(Box::new(page)))
}

/// The file on its way out; with its bytes once it goes.
fn goods(visit: &Visit, with_bytes: bool) -> Result<Goods, Problem> {
    if !visit.may(Permission::CarriedOutRecord) {
        return Err(Problem::Forbidden);
    }
    let row = visit.app.db().read(&visit.actor, |tx| load(visit, tx))?;
    if row.withdrawal.is_some() || row.finding().is_some() {
        return Err(closed(visit)?);
    }
    let file = row.kind().map_or("attachment.bin", |kind| &kind.file);
    let bytes = if with_bytes {
        let bytes = visit.app.db().shelf().read(&row.sha256)?;
        scans::admit(visit, &row, &bytes)?;
        bytes
    } else {
        Vec::new()
    };
    let shield = if row.shielded { " shield=door" } else { "" };
    let detail = format!("{} bytes={}{shield}", row.owner.words(), row.bytes);
    Ok(Goods {
        what: "添付ファイル",
        file,
        rows: 1,
        persons: 1,
        bytes,
        event: event(Operation::AttachmentExport, &row).detail(detail),
        back: ("添付ファイル", format!("/attachments/{}", row.id)),
    })
}

pub(super) fn ask(visit: &Visit) -> Answer {
    door::ask(visit, &goods(visit, false)?)
}

pub(super) fn give(visit: &Visit) -> Answer {
    door::hand_over(visit, goods(visit, true)?)
}
