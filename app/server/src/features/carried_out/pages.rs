//! The form of an entry made by hand, and of its correction.

use askama::Template;
use axum::http::StatusCode;
use store::Operation;

use super::form::{FieldProblem, Form, typed_day};
use super::model::{CarriedOutId, Lists, Origin, Record};
use super::records::{self, writable};
use super::registering::{Added, add, created, event};
use super::store::{self as sql, Head};
use super::view::{self, Choice};
use crate::web::{Answer, Fields, Problem, Shell, Typed, Visit, redirect, typed_words};

/// The fields that the door and the pages share, as the templates draw them.
pub(super) struct EntryForm {
    pub(super) submission: String,
    pub(super) problems: Vec<FieldProblem>,
    typed: Fields,
    lists: Lists,
}

impl EntryForm {
    pub(super) fn new(
        visit: &Visit,
        typed: Fields,
        lists: Lists,
        problems: Vec<FieldProblem>,
    ) -> Self {
        Self {
            submission: visit.submission(),
            problems,
            typed,
            lists,
        }
    }

    pub(super) fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }

    pub(super) fn of(&self, field: &str) -> &str {
        let problem = self.problems.iter().find(|p| p.field == field);
        problem.map_or("", |p| p.text.as_str())
    }

    pub(super) fn purposes(&self) -> Vec<Choice> {
        view::choices(
            &self.lists.purposes,
            self.value("purpose"),
            "選んでください",
        )
    }

    pub(super) fn media(&self) -> Vec<Choice> {
        view::choices(&self.lists.media, self.value("medium"), "選んでください")
    }

    pub(super) fn locks(&self, zip: &str) -> Vec<Choice> {
        let chosen = self.value("encrypted");
        [("yes", zip), ("no", "暗号化しない")]
            .into_iter()
            .map(|(value, label)| Choice {
                value: value.to_owned(),
                label: label.to_owned(),
                selected: value == chosen,
            })
            .collect()
    }

    pub(super) fn stays(&self) -> bool {
        self.value("stays") == "1"
    }
}

#[derive(Template)]
#[template(path = "features/carried_out/form.html")]
struct FormPage {
    shell: Shell,
    action: String,
    back: String,
    /// The version that is corrected; nothing for a new entry.
    base_version: Option<i64>,
    form: EntryForm,
}

#[derive(Template)]
#[template(path = "features/carried_out/notice.html")]
struct NoticePage {
    shell: Shell,
    text: String,
    label: String,
    href: String,
    typed: Vec<Typed>,
}

/// A page that says why nothing was saved; what was typed stays readable.
pub(super) fn notice(
    visit: &Visit,
    status: StatusCode,
    title: &str,
    text: &str,
    (label, href): (&str, &str),
) -> Answer {
    let page = NoticePage {
        shell: Shell::new(visit, title).under(&[("持出し台帳", "/carried-out")]),
        text: text.to_owned(),
        label: label.to_owned(),
        href: href.to_owned(),
        // The passphrase is nothing to be read over a shoulder.
        typed: typed_words(visit.form.pairs().filter(|(name, _)| *name != "passphrase")),
    };
    visit.page_as(status, &page)
}

fn lists(visit: &Visit) -> Result<Lists, Problem> {
    let read = |tx: &store::ReadTx<'_>| sql::lists(tx, visit.today());
    Ok(visit.app.db().read(&visit.actor, read)?)
}

fn new_page(visit: &Visit, form: EntryForm) -> FormPage {
    FormPage {
        shell: Shell::new(visit, "持出しを登録する").under(&[("持出し台帳", "/carried-out")]),
        action: "/carried-out".to_owned(),
        back: "/carried-out".to_owned(),
        base_version: None,
        form,
    }
}

pub(super) fn new(visit: &Visit) -> Answer {
    let today = typed_day(visit.today());
    let name = visit.signed_in()?.name.clone();
    let first = [("taken_on", today.as_str()), ("carried_by", name.as_str())];
    let typed = Fields::from_pairs(first.into_iter()).unwrap_or_default();
    let form = EntryForm::new(visit, typed, lists(visit)?, Vec::new());
    visit.page(&new_page(visit, form))
}

pub(super) fn create(visit: &Visit) -> Answer {
    let lists = lists(visit)?;
    let entry = match Form::new(&visit.form, &lists, visit.today()).entry() {
        Ok(entry) => entry,
        Err(problems) => {
            let form = EntryForm::new(visit, visit.form.clone(), lists, problems);
            let page = new_page(visit, form);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let submission = visit.submission();
    let id = visit.app.db().write(&visit.actor, |tx| {
        let head = Head {
            centre_id: visit.actor.centre_id,
            origin: Origin::Manual,
            submission: &submission,
            created_by: Some(staff),
            operator: "",
            now: &now,
        };
        match add(tx, &head, &entry)? {
            Added::New(id) => Ok(tx.audited(created(id, &entry, &lists), id)),
            Added::Before { id, .. } => {
                let again = redirect(&format!("/carried-out/{id}?done=again"));
                Err(Problem::Page(Box::new(again)))
            }
        }
    })?;
    Ok(redirect(&format!("/carried-out/{id}?done=saved")))
}

fn edit_page(visit: &Visit, record: &Record, version: i64, form: EntryForm) -> FormPage {
    let here = format!("/carried-out/{}", record.id);
    let label = format!("番号 {}", record.id);
    let above = [("持出し台帳", "/carried-out"), (&label, here.as_str())];
    FormPage {
        shell: Shell::new(visit, format!("持出し {} を訂正する", record.id)).under(&above),
        action: format!("{here}/versions"),
        back: here,
        base_version: Some(version),
        form,
    }
}

pub(super) fn edit(visit: &Visit) -> Answer {
    let record = records::own(visit)?;
    // An empty form here would be saved as a correction that erases.
    let typed =
        view::typed(&record.entry).ok_or(Problem::Fault("an entry does not fit its form"))?;
    let form = EntryForm::new(visit, typed, lists(visit)?, Vec::new());
    visit.page(&edit_page(visit, &record, record.version, form))
}

pub(super) fn correct(visit: &Visit) -> Answer {
    let record = records::own(visit)?;
    let lists = lists(visit)?;
    let form = || Form::new(&visit.form, &lists, visit.today());
    let base: i64 = visit.form.trimmed("base_version").parse().unwrap_or(0);
    let (entry, reason) = match (form().entry(), form().reason("訂正する理由")) {
        (Ok(entry), Ok(reason)) => (entry, reason),
        (entry, reason) => {
            let problems = [entry.err(), reason.err()].into_iter().flatten().flatten();
            let problems = problems.collect();
            let form = EntryForm::new(visit, visit.form.clone(), lists.clone(), problems);
            let page = edit_page(visit, &record, base, form);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let id = record.id;
    visit.app.db().write(&visit.actor, |tx| {
        let record = writable(visit, tx, id)?;
        if record.entry == entry {
            let again = redirect(&format!("/carried-out/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        if record.version != base {
            return Err(Problem::Page(Box::new(late(visit, id)?)));
        }
        let by = (Some(staff), now.as_str(), reason.as_str());
        sql::insert_version(tx, id, base.saturating_add(1), &entry, by)?;
        let detail = view::differences(&record.entry, &entry, &lists);
        let event = event(Operation::CarryOutCorrect, id);
        let detail = format!("{detail}／理由＝{reason}");
        Ok(tx.audited(event.detail(detail), ()))
    })?;
    Ok(redirect(&format!("/carried-out/{id}?done=corrected")))
}

/// 409: somebody else was faster.
pub(super) fn late(visit: &Visit, id: CarriedOutId) -> Answer {
    notice(
        visit,
        StatusCode::CONFLICT,
        "ほかの人が先に変えました",
        "まだ保存していません。いまの内容を確かめてから、必要ならもう一度入力してください。",
        ("いまの内容を見る", &format!("/carried-out/{id}")),
    )
}
