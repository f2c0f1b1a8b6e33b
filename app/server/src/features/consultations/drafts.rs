//! Half-typed words: kept by the script every few seconds or by a button, offered back, thrown away.

use askama::Template;
use axum::http::StatusCode;
use store::{ReadTx, ResidentId, StaffId, StoreError, WriteTx, params};

use super::model::{ConsultationId, Lists};
use super::view::{self, Fact};
use crate::web::{Answer, Fields, Problem, Shell, Visit, redirect};

/// Drafts that one person may have at the same time; more are refused, none is thrown away.
const DRAFTS_PER_PERSON_MAX: i64 = 200;

/// Which form a draft belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormKey {
    /// A new record, for a person or for somebody unknown.
    New(Option<ResidentId>),
    /// The correction of a record.
    Edit(ConsultationId),
}

impl FormKey {
    /// As the form sends it.
    pub(super) fn text(self) -> String {
        match self {
            Self::New(None) => "new".to_owned(),
            Self::New(Some(resident)) => format!("new-{resident}"),
            Self::Edit(id) => format!("edit-{id}"),
        }
    }

    /// The page of the form, also the key in the table.
    fn address(self) -> String {
        match self {
            Self::New(None) => "/consultations/new".to_owned(),
            Self::New(Some(resident)) => format!("/consultations/new?resident={resident}"),
            Self::Edit(id) => format!("/consultations/{id}/edit"),
        }
    }

    fn address_with(self, query: &str) -> String {
        let address = self.address();
        let joint = if address.contains('?') { '&' } else { '?' };
        format!("{address}{joint}{query}")
    }

    fn read(text: &str) -> Option<Self> {
        match text.split_once('-') {
            None => (text == "new").then_some(Self::New(None)),
            Some(("new", id)) => id.parse().ok().map(|id| Self::New(Some(ResidentId(id)))),
            Some(("edit", id)) => id.parse().ok().map(|id| Self::Edit(ConsultationId(id))),
            Some(_) => None,
        }
    }
}

/// What was kept.
pub(super) struct Draft {
    pub(super) typed: Fields,
    pub(super) saved_at: String,
}

/// The viewer's own draft at this form.
pub(super) fn find(
    tx: &ReadTx<'_>,
    staff: StaffId,
    key: &FormKey,
) -> Result<Option<Draft>, StoreError> {
    let sql = "select body, saved_at from own_drafts where staff_id = ?1 and form = ?2";
    let found: Option<(String, String)> = tx.one(sql, params![staff, key.address()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(found.map(|(body, saved_at)| Draft {
        typed: Fields::parse(body.as_bytes()).unwrap_or_default(),
        saved_at,
    }))
}

/// The form was saved, or its words are not wanted.
pub(super) fn forget(tx: &WriteTx<'_>, staff: StaffId, key: &FormKey) -> Result<(), StoreError> {
    let sql = "delete from drafts where staff_id = ?1 and form = ?2";
    tx.execute(sql, params![staff, key.address()]).map(|_| ())
}

const KEEP: &str = "
    insert into drafts (staff_id, form, body, saved_at) values (?1, ?2, ?3, ?4)
    on conflict (staff_id, form) do update set body = ?3, saved_at = ?4";

/// Keeps (or throws away) what a form holds. The script wants no page, the buttons want one.
pub(super) fn keep(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?.staff_id;
    let key = FormKey::read(visit.form.get("draft_key")).ok_or(Problem::NotFound)?;
    let step = visit.form.get("step");
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().housekeep(&visit.actor, |tx| {
        if step == "discard" {
            return forget(tx, staff, &key).map_err(Problem::from);
        }
        let others = "select count(*) from drafts where staff_id = ?1 and form <> ?2";
        if tx.count(others, params![staff, key.address()])? >= DRAFTS_PER_PERSON_MAX {
            return Err(Problem::TooMany);
        }
        let body = visit.form.query_without("csrf");
        tx.execute(KEEP, params![staff, key.address(), body, now])?;
        Ok(())
    })?;
    match step {
        "discard" => Ok(redirect(&key.address())),
        "keep" => Ok(redirect(&key.address_with("draft=1&kept=1"))),
        _ => {
            let mut done = redirect("/");
            *done.status_mut() = StatusCode::NO_CONTENT;
            done.headers_mut().clear();
            Ok(done)
        }
    }
}

#[derive(Template)]
#[template(path = "features/consultations/draft_offer.html")]
struct OfferPage {
    shell: Shell,
    saved_at: String,
    draft_key: String,
    go_on: String,
    facts: Vec<Fact>,
}

/// Asks first: a fresh form would overwrite the kept words as soon as somebody types.
pub(super) fn offer(visit: &Visit, key: &FormKey, draft: Draft, lists: &Lists) -> Answer {
    let above = [("相談記録", "/consultations")];
    let facts = view::facts(&draft.typed, lists, visit.today());
    visit.page(&OfferPage {
        shell: Shell::new(visit, "下書きがあります").under(&above),
        saved_at: view::moment(&draft.saved_at),
        draft_key: key.text(),
        go_on: key.address_with("draft=1"),
        facts: facts
            .into_iter()
            .filter(|fact| !fact.text.is_empty())
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::{ConsultationId, FormKey, ResidentId};

    #[test]
    fn a_key_comes_back_as_it_went_and_nothing_else_is_one() {
        for key in [
            FormKey::New(None),
            FormKey::New(Some(ResidentId(12))),
            FormKey::Edit(ConsultationId(5)),
        ] {
            assert_eq!(FormKey::read(&key.text()), Some(key));
        }
        for bad in ["", "new-", "edit", "edit-x", "//elsewhere", "new-1-2"] {
            assert_eq!(FormKey::read(bad), None, "{bad}");
        }
    }
}
