//! Corrections: a new version with its reason, from a named version on.

use axum::http::StatusCode;
use base::number::my_number_like;
use store::{Event, Operation, RecordKind};

use super::drafts::{self, FormKey};
use super::form::{self, Checked, FieldProblem};
use super::model::{ConsultationId, REASON_CHARS_MAX, Record};
use super::pages::FormPage;
use super::records::{self, load};
use super::{conflict, store as sql, view};
use crate::web::{Answer, Fields, Problem, Shell, Visit, redirect};

pub(super) fn edit(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?.staff_id;
    let record = records::open(visit, Operation::ConsultationView)?;
    if record.withdrawal.is_some() {
        return withdrawn(visit, &record);
    }
    records::objection(visit, &record)?;
    let key = FormKey::Edit(record.id);
    let draft = visit
        .app
        .db()
        .read(&visit.actor, |tx| drafts::find(tx, staff, &key))?;
    match draft {
        Some(draft) if visit.query.get("draft") == "1" => {
            // The draft names the version it was started from: a newer one shows as 409 on saving.
            let base = draft
                .typed
                .get("base_version")
                .parse()
                .unwrap_or(record.current.version);
            let page = edit_page(visit, &record, base, draft.typed, Vec::new());
            visit.page(&page)
        }
        Some(draft) => drafts::offer(visit, &key, draft, &record.lists),
        None => {
            let typed = view::typed(&record.current.entry);
            visit.page(&edit_page(
                visit,
                &record,
                record.current.version,
                typed,
                Vec::new(),
            ))
        }
    }
}

fn withdrawn(visit: &Visit, record: &Record) -> Answer {
    records::notice(
        visit,
        StatusCode::CONFLICT,
        "取り下げた記録は直せません",
        "この相談は取り下げられています。内容は読めますが、訂正・取下げ・対象者の登録はできません。保存していません。",
        &format!("/consultations/{}", record.id),
    )
}

fn edit_page(
    visit: &Visit,
    record: &Record,
    base_version: i64,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> FormPage {
    let here = format!("/consultations/{}", record.id);
    let title = format!("相談 {} を訂正する", record.number);
    let above = [
        ("相談記録", "/consultations"),
        (record.number.as_str(), here.as_str()),
    ];
    FormPage {
        shell: Shell::new(visit, title).under(&above),
        action: format!("{here}/versions"),
        draft_key: FormKey::Edit(record.id).text(),
        submission: String::new(),
        base_version,
        person: record
            .person
            .as_ref()
            .map(|person| view::person(person, visit.today())),
        problems,
        typed,
        lists: record.lists.clone(),
        corrects: true,
        kept: visit.query.get("kept") == "1",
        conflict: None,
        back: here,
    }
}

pub(super) fn create(visit: &Visit) -> Answer {
    let id: ConsultationId = visit.param("id")?;
    let staff = visit.signed_in()?.staff_id;
    let base: i64 = visit.form.trimmed("base_version").parse().unwrap_or(0);
    let record = visit.app.db().read(&visit.actor, |tx| load(tx, id))?;
    if record.withdrawal.is_some() {
        return withdrawn(visit, &record);
    }
    records::objection(visit, &record)?;
    let (Checked { entry, numbers }, reason) = match check(visit, &record) {
        Ok(checked) => checked,
        Err(problems) => {
            let page = edit_page(visit, &record, base, visit.form.clone(), problems);
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let now = format!("{:.6}", visit.app.clock().now());
    let stale = visit.app.db().write(&visit.actor, |tx| {
        let record = load(tx, id)?;
        if record.withdrawal.is_some() {
            return Err(Problem::Page(Box::new(withdrawn(visit, &record)?)));
        }
        records::objection(visit, &record)?;
        if record.current.version != base {
            let page = edit_page(visit, &record, base, visit.form.clone(), Vec::new());
            return Err(Problem::Page(Box::new(conflict::page(
                visit, &record, page,
            )?)));
        }
        sql::insert_version(tx, id, base + 1, &entry, (staff, &now, &reason))?;
        drafts::forget(tx, staff, &FormKey::Edit(id))?;
        let event = Event::done(Operation::ConsultationCorrect)
            .about(record.resident_id)
            .on(RecordKind::Consultation, id.0)
            .detail(match &numbers {
                Some(numbers) => format!("version={} {numbers}", base + 1),
                None => format!("version={}", base + 1),
            });
        Ok(tx.audited(event, ()))
    });
    stale?;
    Ok(redirect(&format!("/consultations/{id}?done=corrected")))
}

fn check(visit: &Visit, record: &Record) -> Result<(Checked, String), Vec<FieldProblem>> {
    let reason = form::plain_text(visit.form.trimmed("reason"));
    let mut problems = Vec::new();
    if let Some(text) = reason_problem(&reason, "訂正の理由") {
        problems.push(FieldProblem {
            field: "reason",
            text,
        });
    }
    match form::check(&visit.form, &record.lists, visit.today()) {
        Ok(checked) if problems.is_empty() => Ok((checked, reason)),
        Ok(_) => Err(problems),
        Err(others) => {
            problems.extend(others);
            Err(problems)
        }
    }
}

/// What is wrong with a reason that was asked for.
pub(super) fn reason_problem(reason: &str, label: &str) -> Option<String> {
    if reason.is_empty() {
        return Some(format!("{label}を入力してください。"));
    }
    if my_number_like(reason) {
        return Some("マイナンバー（個人番号）に見える数字は記録できません。".to_owned());
    }
    let over = reason.chars().count() > REASON_CHARS_MAX;
    over.then(|| format!("{label}は1,000文字までです。"))
}
