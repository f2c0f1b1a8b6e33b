//! One record: as it stands, and as it stood.

use askama::Template;
use axum::http::StatusCode;
use store::{Event, Operation, ReadTx, RecordKind};

use super::model::{ConsultationId, Record};
use super::store as sql;
use super::view::{self, Fact, PersonWords, StepWords, Tag, VersionWords};
use crate::features::attachments::{Card, Owner};
use crate::web::{Answer, Permission, Problem, Shell, Typed, Visit, typed_words};

/// The record of this address, or nothing for whoever may not see it.
pub(super) fn load(tx: &ReadTx<'_>, id: ConsultationId) -> Result<Record, Problem> {
    sql::record(tx, id)?.ok_or(Problem::NotFound)
}

/// Opens the record of this address and leaves the entry.
pub(super) fn open(visit: &Visit, operation: Operation) -> Result<Record, Problem> {
    let id: ConsultationId = visit.param("id")?;
    visit.app.db().view(&visit.actor, |tx| {
        let record = load(tx, id)?;
        let shielded = record.person.as_ref().is_some_and(|p| p.shielded);
        let event = Event::done(operation)
            .about(record.resident_id)
            .on(RecordKind::Consultation, id.0)
            .detail(if shielded { "shield=record" } else { "" });
        Ok(tx.audited(event, record))
    })
}

#[derive(Template)]
#[template(path = "features/consultations/show.html")]
struct ShowPage {
    shell: Shell,
    id: ConsultationId,
    may_write: bool,
    may_receive: bool,
    /// Where its former states are; empty for whoever may not see them.
    former: String,
    taken: bool,
    state: Tag,
    urgency: Tag,
    corrected: String,
    person: Option<PersonWords>,
    elsewhere: bool,
    unknown: String,
    facts: Vec<Fact>,
    texts: Vec<Fact>,
    next: Option<NextWords>,
    awaits_action: bool,
    follow_ups: Vec<StepWords>,
    withdrawal: Option<StepWords>,
    versions: Vec<VersionWords>,
    attached: Option<Card>,
}

struct NextWords {
    what: String,
    on: String,
    due: Option<Tag>,
}

pub(super) fn show(visit: &Visit) -> Answer {
    let record = open(visit, Operation::ConsultationView)?;
    let (today, entry) = (visit.today(), &record.current.entry);
    let (facts, texts) = split(view::facts(&view::typed(entry), &record.lists, today));
    let open = record.withdrawal.is_none();
    let may_write = open && record.writable && visit.may(Permission::ConsultationWrite);
    let asked = !entry.next_action.is_empty() || entry.next_due_on.is_some();
    let count = record.former.len();
    let attached = visit.app.db().read(&visit.actor, |tx| {
        Card::read(visit, tx, Owner::Consultation(record.id), may_write)
    })?;
    visit.page(&ShowPage {
        shell: Shell::new(visit, format!("相談 {}", record.number))
            .under(&[("相談記録", "/consultations")]),
        id: record.id,
        may_write,
        may_receive: open && visit.may(Permission::AbuseWrite),
        former: if visit.may(Permission::FormerStateUse) {
            format!("/consultations/{}/former-state", record.id)
        } else {
            String::new()
        },
        taken: record.taken,
        state: view::state(!open, record.lists.closes(&entry.outcome)),
        urgency: view::urgency(
            &entry.urgency,
            record.lists.label("urgency", &entry.urgency),
        ),
        corrected: if count == 0 {
            String::new()
        } else {
            format!("訂正あり（{count}回）")
        },
        person: record
            .person
            .as_ref()
            .map(|person| view::person(person, today)),
        elsewhere: record.resident_id.is_some() && record.person.is_none(),
        unknown: [entry.client_name.as_str(), entry.client_note.as_str()]
            .join(" ")
            .trim()
            .to_owned(),
        facts: with_origin(&record, facts),
        texts,
        next: asked.then(|| NextWords {
            what: entry.next_action.clone(),
            on: entry.next_due_on.map(view::day_short).unwrap_or_default(),
            due: entry
                .next_due_on
                .filter(|_| record.awaits_action())
                .map(|day| view::due(day, today)),
        }),
        awaits_action: record.awaits_action() && may_write,
        follow_ups: record.follow_ups.iter().map(view::step).collect(),
        withdrawal: record.withdrawal.as_ref().map(view::step),
        versions: view::versions(&record, today),
        attached,
    })
}

/// Short facts and the long texts; what is empty or shown elsewhere is left out.
fn split(facts: Vec<Fact>) -> (Vec<Fact>, Vec<Fact>) {
    let shown_elsewhere = [
        "urgency",
        "next_action",
        "next_due_on",
        "client_name",
        "client_note",
    ];
    facts
        .into_iter()
        .filter(|fact| !fact.text.is_empty() && !shown_elsewhere.contains(&fact.field))
        .partition(|fact| !matches!(fact.field, "content" | "response"))
}

fn with_origin(record: &Record, mut facts: Vec<Fact>) -> Vec<Fact> {
    let by = format!("{}（{}）", record.written_by, record.centre);
    facts.push(Fact {
        field: "written_by",
        label: "記録者",
        text: by,
    });
    facts
}

#[derive(Template)]
#[template(path = "features/consultations/version.html")]
struct VersionPage {
    shell: Shell,
    id: ConsultationId,
    is_current: bool,
    withdrawn: bool,
    by: String,
    at: String,
    reason: String,
    facts: Vec<Fact>,
    texts: Vec<Fact>,
    differences: Vec<view::Difference>,
}

pub(super) fn version(visit: &Visit) -> Answer {
    let number: i64 = visit.param("version")?;
    let id: ConsultationId = visit.param("id")?;
    let record = visit.app.db().view(&visit.actor, |tx| {
        let record = load(tx, id)?;
        record.version(number).ok_or(Problem::NotFound)?;
        let event = Event::done(Operation::ConsultationView)
            .about(record.resident_id)
            .on(RecordKind::Consultation, id.0)
            .detail(format!("version={number}"));
        Ok::<_, Problem>(tx.audited(event, record))
    })?;
    let version = record.version(number).ok_or(Problem::NotFound)?;
    let today = visit.today();
    let facts = view::facts(&view::typed(&version.entry), &record.lists, today);
    let now = view::facts(&view::typed(&record.current.entry), &record.lists, today);
    let differences = view::differences(&facts, &now);
    let shown = facts.into_iter().filter(|fact| !fact.text.is_empty());
    let (facts, texts) = shown.partition(|f: &Fact| !matches!(f.field, "content" | "response"));
    let here = format!("/consultations/{id}");
    let above = [
        ("相談記録", "/consultations"),
        (record.number.as_str(), here.as_str()),
    ];
    visit.page(&VersionPage {
        shell: Shell::new(visit, format!("相談 {} 第{number}版", record.number)).under(&above),
        id,
        is_current: number == record.current.version,
        withdrawn: record.withdrawal.is_some(),
        by: version.recorded_by.clone(),
        at: view::moment(&version.recorded_at),
        reason: version.reason.clone(),
        facts,
        texts,
        differences,
    })
}

#[derive(Template)]
#[template(path = "features/consultations/notice.html")]
struct NoticePage {
    shell: Shell,
    text: String,
    href: String,
    typed: Vec<Typed>,
}

/// 403: the viewer may read about this person and not write, with whatever was typed.
pub(super) fn read_only(visit: &Visit, href: &str) -> Answer {
    notice(
        visit,
        StatusCode::FORBIDDEN,
        "閲覧だけできる方です",
        "この方は、いまの担当ではないため（他センターへ移ったか、閲覧のみの指定です）、記録を書けません。\
         保存していません。伝えたいことは、担当センターか引継ぎ書へお願いします。",
        href,
    )
}

/// 409: the section of the city writes about the cases that were referred to it.
pub(super) fn nobody_named(visit: &Visit) -> Answer {
    notice(
        visit,
        StatusCode::CONFLICT,
        "紹介された方の画面から記録してください",
        "地域共生推進課では、紹介された方について相談を記録できます。その方の個人画面を開き、\
         「相談を記録する」を押してください。保存していません。",
        "/",
    )
}

/// What stands in the way of writing a record, as a page.
pub(super) fn objection(visit: &Visit, record: &Record) -> Result<(), Problem> {
    if record.writable {
        return Ok(());
    }
    let href = format!("/consultations/{}", record.id);
    Err(Problem::Page(Box::new(read_only(visit, &href)?)))
}

/// A page that says why not, with whatever was typed.
pub(super) fn notice(
    visit: &Visit,
    status: StatusCode,
    title: &str,
    text: &str,
    href: &str,
) -> Answer {
    visit.page_as(
        status,
        &NoticePage {
            shell: Shell::new(visit, title).under(&[("相談記録", "/consultations")]),
            text: text.to_owned(),
            href: href.to_owned(),
            typed: typed_words(visit.form.pairs()),
        },
    )
}
