//! The form, and the reply to what was asked with it.

use askama::Template;
use axum::http::StatusCode;
use jiff::Timestamp;
use store::{CentreId, Event, Operation, StaffId, WriteTx};

use super::form::{self, FieldProblem};
use super::model::{Inquiry, Match, Reply, possible_again};
use super::store as sql;
use super::view::{self, CentreWords, Choice};
use crate::features::masters::{self, Code};
use crate::web::{Answer, Fields, Problem, Shell, Visit};

/// The list of reasons in `data/codes.toml`.
const REASONS: &str = "inquiry_reason";

#[derive(Template)]
#[template(path = "features/inquiries/form.html")]
struct FormPage {
    shell: Shell,
    left: String,
    typed: Fields,
    reasons: Vec<Choice>,
    problems: Vec<FieldProblem>,
}

impl FormPage {
    fn of(&self, field: &str) -> &str {
        self.problems
            .iter()
            .find(|p| p.field == field)
            .map_or("", |p| p.text)
    }

    fn value(&self, field: &str) -> &str {
        self.typed.get(field)
    }
}

#[derive(Template)]
#[template(path = "features/inquiries/reply.html")]
struct ReplyPage {
    shell: Shell,
    own: Vec<i64>,
    centres: Vec<CentreWords>,
    may_write: bool,
}

#[derive(Template)]
#[template(path = "features/inquiries/too_many.html")]
struct TooManyPage {
    shell: Shell,
    again_at: String,
}

pub(super) fn new(visit: &Visit) -> Answer {
    form_page(visit, StatusCode::OK, Fields::default(), Vec::new())
}

fn form_page(
    visit: &Visit,
    status: StatusCode,
    typed: Fields,
    problems: Vec<FieldProblem>,
) -> Answer {
    let staff = visit.signed_in()?.staff_id;
    let now = visit.app.clock().now();
    let (asked, reasons) = visit.app.db().read(&visit.actor, |tx| {
        let asked = sql::asked_at(tx, staff, now)?;
        Ok::<_, Problem>((asked, masters::codes(tx, REASONS, visit.today())?))
    })?;
    let page = FormPage {
        shell: Shell::new(visit, "照会").under(&[]),
        left: view::left(asked.len()),
        reasons: view::reasons(&reasons, typed.trimmed("reason")),
        typed,
        problems,
    };
    visit.page_as(status, &page)
}

pub(super) fn create(visit: &Visit) -> Answer {
    let reasons: Vec<Code> = visit.app.db().read(&visit.actor, |tx| {
        masters::codes(tx, REASONS, visit.today())
    })?;
    let inquiry = match form::check(&visit.form, &reasons) {
        Ok(inquiry) => inquiry,
        Err(problems) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return form_page(visit, status, visit.form.clone(), problems);
        }
    };
    let staff = visit.signed_in()?.staff_id;
    let now = visit.app.clock().now();
    // Count and entry in one transaction: two at once cannot both be the twentieth.
    let reply = visit
        .app
        .db()
        .write(&visit.actor, |tx| ask(tx, &inquiry, staff, now))?;
    match reply {
        Reply::Told { own, centres } => visit.page(&ReplyPage {
            shell: Shell::new(visit, "照会の結果").under(&[("照会", "/inquiries")]),
            own: own.iter().map(|id| id.0).collect(),
            centres: centres.iter().map(view::centre).collect(),
            may_write: visit.may_record_anybody(),
        }),
        Reply::TooMany(at) => visit.page_as(
            StatusCode::TOO_MANY_REQUESTS,
            &TooManyPage {
                shell: Shell::new(visit, "照会の回数の上限です").under(&[("照会", "/inquiries")]),
                again_at: view::again_at(at),
            },
        ),
    }
}

fn ask(
    tx: &WriteTx<'_>,
    inquiry: &Inquiry,
    staff: StaffId,
    now: Timestamp,
) -> Result<store::Audited<Reply>, Problem> {
    let detail = inquiry.detail();
    if let Some(at) = possible_again(&sql::asked_at(tx, staff, now)?) {
        let event = Event::refused(Operation::ResidentInquiry).detail(detail);
        return Ok(tx.audited(event, Reply::TooMany(at)));
    }
    let matches = sql::matches(tx, &inquiry.key)?;
    let reply = reply(tx, &matches)?;
    let entry = |detail: &str| Event::done(Operation::ResidentInquiry).detail(detail);
    let first = entry(&detail).about(matches.first().map(|m| m.resident));
    let others = matches
        .iter()
        .skip(1)
        .map(|m| entry(&format!("also {detail}")).about(m.resident))
        .collect();
    Ok(tx.audited_all(first, others, reply))
}

/// Own people by their page, others by the centre; of the shielded nothing at all.
fn reply(tx: &WriteTx<'_>, matches: &[Match]) -> Result<Reply, Problem> {
    let (own, others): (Vec<&Match>, Vec<&Match>) = matches.iter().partition(|m| m.visible);
    let mut asked: Vec<CentreId> = Vec::new();
    let mut centres = Vec::new();
    for id in others.iter().filter_map(|m| m.centre) {
        if !asked.contains(&id) {
            asked.push(id);
            centres.extend(sql::centre(tx, id)?);
        }
    }
    Ok(Reply::Told {
        own: own.iter().map(|m| m.resident).collect(),
        centres,
    })
}
