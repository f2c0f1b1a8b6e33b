//! The page of one hand-over: what is known, what the former centre says, and the receipt.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, RecordKind};

use super::model::{Opened, TEMPLATE, Transfer};
use super::view::{self, ContactWords, HeadWords, NoteWords};
use super::{drafts, recording, store as sql};
use crate::web::{
    Answer, FieldProblem, Problem, Shell, Typed, Visit, problem_of, redirect, typed_words,
};

/// The hand-over of the address.
pub(super) fn id_of(visit: &Visit) -> Result<i64, Problem> {
    visit.param("id")
}

/// Opens a hand-over and leaves the entry.
pub(super) fn open(visit: &Visit, id: i64, operation: Operation) -> Result<Opened, Problem> {
    visit.app.db().view(&visit.actor, |tx| {
        let opened = sql::opened(tx, id)?.ok_or(Problem::NotFound)?;
        let event = Event::done(operation)
            .about(opened.transfer.resident)
            .on(RecordKind::Transfer, id);
        Ok(tx.audited(event, opened))
    })
}

#[derive(Template)]
#[template(path = "features/transfers/show.html")]
pub(super) struct ShowPage {
    shell: Shell,
    id: i64,
    head: HeadWords,
    notes: Vec<NoteWords>,
    contacts: Vec<ContactWords>,
    may_note: bool,
    may_receive: bool,
    /// What the form of the note starts with.
    typed: String,
    seen: i64,
    draft: Option<String>,
    problems: Vec<FieldProblem>,
    pub(super) is_late: bool,
}

impl ShowPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

/// The page; `typed` is what the form of the note held when it was refused.
pub(super) fn page(
    visit: &Visit,
    opened: &Opened,
    typed: Option<&str>,
    problems: Vec<FieldProblem>,
) -> Result<ShowPage, Problem> {
    let (today, staff) = (visit.today(), visit.signed_in()?.staff_id);
    let transfer = &opened.transfer;
    let (rules, draft) = visit.app.db().read(&visit.actor, |tx| {
        Ok::<_, Problem>((
            recording::rules(tx, today)?,
            drafts::find(tx, staff, transfer.id)?,
        ))
    })?;
    let draft = draft.filter(|_| typed.is_none());
    let kept = draft.as_ref().map(|(words, _)| words.as_str());
    Ok(ShowPage {
        shell: Shell::new(visit, "引継ぎ書").under(&[("引継ぎ", "/transfers")]),
        id: transfer.id,
        head: view::head(opened, rules, today),
        notes: opened.notes.iter().map(view::note).collect(),
        contacts: opened
            .contacts
            .iter()
            .map(|contact| view::contact(contact, today))
            .collect(),
        may_note: transfer.holds && Some(transfer.from) == visit.actor.centre_id,
        may_receive: transfer.holds
            && transfer.received.is_none()
            && Some(transfer.to) == visit.actor.centre_id,
        typed: view::start(opened, typed.or(kept), TEMPLATE),
        seen: opened.seen(),
        draft: draft.map(|(_, at)| view::moment(&at)),
        problems,
        is_late: false,
    })
}

pub(super) fn show(visit: &Visit) -> Answer {
    let opened = open(visit, id_of(visit)?, Operation::TransferView)?;
    visit.page(&page(visit, &opened, None, Vec::new())?)
}

/// The new centre has read it; whoever comes second is told who was first.
pub(super) fn receive(visit: &Visit) -> Answer {
    let (id, staff) = (id_of(visit)?, visit.signed_in()?.staff_id);
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let transfer = sql::transfer_of(tx, id)?.ok_or(Problem::NotFound)?;
        if Some(transfer.to) != visit.actor.centre_id {
            return Err(not_ours(visit, "受領は、新しい担当センターが記録します。"));
        }
        if transfer.received.is_some() {
            let again = redirect(&format!("/transfers/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        if !transfer.holds {
            return Err(over(visit, &transfer));
        }
        sql::insert_receipt(tx, id, (staff, &now))?;
        let event = Event::done(Operation::TransferReceive)
            .about(transfer.resident)
            .on(RecordKind::Transfer, id);
        Ok(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/transfers/{id}?done=received")))
}

#[derive(Template)]
#[template(path = "features/transfers/notice.html")]
struct NoticePage {
    shell: Shell,
    text: String,
    href: String,
    typed: Vec<Typed>,
}

/// A page that says why not, with whatever was typed.
pub(super) fn notice(visit: &Visit, status: StatusCode, title: &str, text: &str) -> Problem {
    let words = visit.form.pairs().filter(|(name, _)| *name == "note");
    let page = NoticePage {
        shell: Shell::new(visit, title).under(&[("引継ぎ", "/transfers")]),
        text: text.to_owned(),
        href: id_of(visit)
            .map_or_else(|_| "/transfers".to_owned(), |id| format!("/transfers/{id}")),
        typed: typed_words(words),
    };
    match visit.page_as(status, &page) {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

/// 403: the other centre does that.
pub(super) fn not_ours(visit: &Visit, text: &str) -> Problem {
    let text = format!("{text}何も変わっていません。");
    notice(visit, StatusCode::FORBIDDEN, "この操作はできません", &text)
}

/// 409: she moved on, or the move was taken back.
pub(super) fn over(visit: &Visit, transfer: &Transfer) -> Problem {
    let text = if transfer.taken_back {
        "この担当の変更は取り消されました。引継ぎはいりません。保存していません。"
    } else {
        "この方は、その後さらに別のセンターへ移りました。新しい引継ぎを開いてください。保存していません。"
    };
    notice(
        visit,
        StatusCode::CONFLICT,
        "この引継ぎは終わっています",
        text,
    )
}
