//! What the former centre hands over in words.

use axum::http::StatusCode;
use store::{Event, Operation, RecordKind};

use super::model::{NOTE_CHARS_MAX, Opened};
use super::{drafts, pages, store as sql, view};
use crate::web::{Answer, Checked, Problem, Visit, redirect};

pub(super) fn create(visit: &Visit) -> Answer {
    let (id, staff) = (pages::id_of(visit)?, visit.signed_in()?.staff_id);
    let opened = pages::open(visit, id, Operation::TransferView)?;
    allowed(visit, &opened)?;
    let mut checks = Checked::new(&visit.form);
    let text = checks.text("note", "引継ぎ内容", NOTE_CHARS_MAX);
    let text = match checks.ended(Some(text)) {
        Ok(text) => text,
        Err(problems) => {
            let page = pages::page(visit, &opened, Some(visit.form.get("note")), problems)?;
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let opened = sql::opened(tx, id)?.ok_or(Problem::NotFound)?;
        allowed(visit, &opened)?;
        if view::says(&opened, &text) {
            let again = redirect(&format!("/transfers/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        if visit.form.get("seen") != opened.seen().to_string() {
            return Err(late(visit, &opened));
        }
        sql::insert_note(tx, id, &text, (staff, &now))?;
        drafts::forget(tx, staff, id)?;
        let event = Event::done(Operation::TransferNote)
            .about(opened.transfer.resident)
            .on(RecordKind::Transfer, id);
        Ok(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/transfers/{id}?done=noted")))
}

/// Only the centre she left hands over, and only to the one she is at now.
fn allowed(visit: &Visit, opened: &Opened) -> Result<(), Problem> {
    let transfer = &opened.transfer;
    if Some(transfer.from) != visit.actor.centre_id {
        return Err(pages::not_ours(
            visit,
            "引継ぎ内容は、前の担当センターが書きます。",
        ));
    }
    if transfer.holds {
        Ok(())
    } else {
        Err(pages::over(visit, transfer))
    }
}

/// 409: a colleague was faster; both texts are on the page, and the form holds what was typed.
fn late(visit: &Visit, opened: &Opened) -> Problem {
    let typed = visit.form.get("note");
    let drawn = pages::page(visit, opened, Some(typed), Vec::new()).and_then(|mut page| {
        page.is_late = true;
        visit.page_as(StatusCode::CONFLICT, &page)
    });
    drawn.map_or_else(|problem| problem, |page| Problem::Page(Box::new(page)))
}
