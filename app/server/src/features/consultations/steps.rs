//! Steps on a record that change no word of it: withdrawal, whom it is about, next action done.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, RecordKind, ResidentId, WriteTx};

use super::corrections::reason_problem;
use super::form::{FieldProblem, plain_text};
use super::model::{ConsultationId, Record};
use super::records::{self, load};
use super::store as sql;
use super::view::{self, PersonWords};
use crate::web::{Answer, Problem, Shell, Visit, redirect};

#[derive(Template)]
#[template(path = "features/consultations/withdrawal.html")]
struct WithdrawalPage {
    shell: Shell,
    id: ConsultationId,
    received_on: String,
    who: String,
    reason: String,
    problems: Vec<FieldProblem>,
}

impl WithdrawalPage {
    fn of(&self, field: &str) -> &str {
        self.problems
            .iter()
            .find(|p| p.field == field)
            .map_or("", |p| p.text.as_str())
    }
}

pub(super) fn withdrawal_form(visit: &Visit) -> Answer {
    let record = records::open(visit, Operation::ConsultationView)?;
    if record.withdrawal.is_some() {
        return frozen(visit, &record);
    }
    records::objection(visit, &record)?;
    visit.page(&withdrawal_page(visit, &record, "", Vec::new()))
}

fn withdrawal_page(
    visit: &Visit,
    record: &Record,
    reason: &str,
    problems: Vec<FieldProblem>,
) -> WithdrawalPage {
    let here = format!("/consultations/{}", record.id);
    let above = [
        ("相談記録", "/consultations"),
        (record.number.as_str(), here.as_str()),
    ];
    let person = record
        .person
        .as_ref()
        .map(|person| view::person(person, visit.today()));
    WithdrawalPage {
        shell: Shell::new(visit, format!("相談 {} を取り下げる", record.number)).under(&above),
        id: record.id,
        received_on: view::day_long(record.current.entry.received_on),
        who: person.map_or_else(|| "特定されていません".to_owned(), |person| person.name),
        reason: reason.to_owned(),
        problems,
    }
}

fn frozen(visit: &Visit, record: &Record) -> Answer {
    records::notice(
        visit,
        StatusCode::CONFLICT,
        "この相談は取り下げられています",
        "取り下げた記録は、読むことだけができます。何も変わっていません。",
        &format!("/consultations/{}", record.id),
    )
}

pub(super) fn withdraw(visit: &Visit) -> Answer {
    let id: ConsultationId = visit.param("id")?;
    let staff = visit.signed_in()?.staff_id;
    let reason = plain_text(visit.form.trimmed("reason"));
    if let Some(text) = reason_problem(&reason, "取り下げる理由") {
        let record = visit.app.db().read(&visit.actor, |tx| load(tx, id))?;
        let problems = vec![FieldProblem {
            field: "reason",
            text,
        }];
        let page = withdrawal_page(visit, &record, visit.form.get("reason"), problems);
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let record = writable(visit, tx, id)?;
        sql::insert_withdrawal(tx, id, &reason, staff, &now)?;
        let event = event(Operation::ConsultationWithdraw, &record);
        Ok::<_, Problem>(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/consultations/{id}?done=withdrawn")))
}

/// The record, when it may still be changed.
fn writable(visit: &Visit, tx: &WriteTx<'_>, id: ConsultationId) -> Result<Record, Problem> {
    let record = load(tx, id)?;
    if record.withdrawal.is_some() {
        return Err(Problem::Page(Box::new(frozen(visit, &record)?)));
    }
    records::objection(visit, &record)?;
    Ok(record)
}

fn event(operation: Operation, record: &Record) -> Event {
    Event::done(operation)
        .about(record.resident_id)
        .on(RecordKind::Consultation, record.id.0)
}

#[derive(Template)]
#[template(path = "features/consultations/client.html")]
struct ClientPage {
    shell: Shell,
    id: ConsultationId,
    told: String,
    now: Option<PersonWords>,
    query: String,
    asked: bool,
    found: Vec<PersonWords>,
    problem: String,
}

pub(super) fn client_form(visit: &Visit) -> Answer {
    let record = records::open(visit, Operation::ConsultationView)?;
    if record.withdrawal.is_some() {
        return frozen(visit, &record);
    }
    records::objection(visit, &record)?;
    visit.page(&client_page(visit, &record, "")?)
}

fn client_page(visit: &Visit, record: &Record, problem: &str) -> Result<ClientPage, Problem> {
    let query = visit.query.trimmed("number").to_owned();
    // Only the digits count, whatever their width; an insured number may begin with H.
    let number: String = match query.strip_prefix(['H', 'h', 'Ｈ']) {
        Some(rest) => format!("H{}", base::text::digits(rest)),
        None => base::text::digits(&query),
    };
    let found = if number.is_empty() {
        Vec::new()
    } else {
        visit
            .app
            .db()
            .read(&visit.actor, |tx| sql::people_by_number(tx, &number))?
    };
    let here = format!("/consultations/{}", record.id);
    let above = [
        ("相談記録", "/consultations"),
        (record.number.as_str(), here.as_str()),
    ];
    let entry = &record.current.entry;
    Ok(ClientPage {
        shell: Shell::new(visit, "対象者を登録する").under(&above),
        id: record.id,
        told: [entry.client_name.as_str(), entry.client_note.as_str()]
            .join(" ")
            .trim()
            .to_owned(),
        now: record
            .person
            .as_ref()
            .map(|person| view::person(person, visit.today())),
        asked: !query.is_empty(),
        query,
        found: found
            .iter()
            .map(|person| view::person(person, visit.today()))
            .collect(),
        problem: problem.to_owned(),
    })
}

pub(super) fn identify(visit: &Visit) -> Answer {
    let id: ConsultationId = visit.param("id")?;
    let staff = visit.signed_in()?.staff_id;
    let chosen = visit.form.trimmed("resident").parse().ok().map(ResidentId);
    let Some(chosen) = chosen else {
        let record = visit.app.db().read(&visit.actor, |tx| load(tx, id))?;
        let page = client_page(visit, &record, "番号でさがして、一人を選んでください。")?;
        return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
    };
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let record = writable(visit, tx, id)?;
        let person = sql::person(tx, chosen)?.ok_or(Problem::NotFound)?;
        if !person.writable {
            let href = format!("/consultations/{id}/client");
            return Err(Problem::Page(Box::new(records::read_only(visit, &href)?)));
        }
        if record.resident_id == Some(chosen) {
            let again = redirect(&format!("/consultations/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        sql::insert_client(tx, id, chosen, staff, &now)?;
        let event = event(Operation::ConsultationIdentify, &record).about(chosen);
        Ok(tx.audited(event, ()))
    })?;
    Ok(redirect(&format!("/consultations/{id}?done=identified")))
}

pub(super) fn follow_up(visit: &Visit) -> Answer {
    let id: ConsultationId = visit.param("id")?;
    let staff = visit.signed_in()?.staff_id;
    let note = plain_text(visit.form.trimmed("note"));
    if let Some(text) = reason_problem(&note, "したこと") {
        let here = format!("/consultations/{id}");
        // The record itself must be visible before anything is said about it.
        visit.app.db().read(&visit.actor, |tx| load(tx, id))?;
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return records::notice(visit, status, "したことを入力してください", &text, &here);
    }
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let record = writable(visit, tx, id)?;
        if !record.awaits_action() {
            let again = redirect(&format!("/consultations/{id}?done=again"));
            return Err(Problem::Page(Box::new(again)));
        }
        sql::insert_follow_up(tx, id, record.current.version, &note, (staff, &now))?;
        Ok(tx.audited(event(Operation::ConsultationFollowUp, &record), ()))
    })?;
    Ok(redirect(&format!("/consultations/{id}?done=followed-up")))
}
