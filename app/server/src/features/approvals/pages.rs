//! What waits, one request, the decision.

use askama::Template;
use axum::http::StatusCode;
use base::clock::japan;
use base::number::my_number_like;
use base::text::graphemes;
use base::wareki::Wareki;
use jiff::Timestamp;
use jiff::civil::Date;
use store::{Audited, Event, Operation, RecordKind, StoreError, WriteTx};

use super::model::{Act, Approval, ApprovalId, Halt, Kind, State};
use super::store as sql;
use crate::features::approval_kinds;
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{
    Answer, Pages, Problem, Shell, SignedIn, Visit, page_asked, redirect, rows_before,
};

/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 200;

struct Row {
    id: i64,
    label: &'static str,
    summary: String,
    reason: String,
    asked: String,
    until: String,
    state: &'static str,
    css: &'static str,
    decided: String,
    decided_reason: String,
}

impl Row {
    /// Old, new, day: one under the other.
    fn parts(&self) -> Vec<&str> {
        self.summary.split('／').collect()
    }
}

fn kind_of(code: &str) -> Option<&'static Kind> {
    approval_kinds().into_iter().find(|kind| kind.code == code)
}

/// Kinds about which this person may decide.
fn decidable(staff: &SignedIn) -> Vec<&'static str> {
    let kinds = approval_kinds().into_iter();
    let own = kinds.filter(|kind| staff.rights.has(kind.permission));
    own.map(|kind| kind.code).collect()
}

fn row(approval: &Approval, today: Date) -> Row {
    let (state, css) = approval.state(today).words();
    let decision = approval.decision.as_ref();
    Row {
        id: approval.id.0,
        label: kind_of(&approval.kind).map_or("（この版にない種類）", |kind| kind.label),
        summary: approval.summary.clone(),
        reason: approval.reason.clone(),
        asked: format!("{} {}", moment(&approval.at), approval.by_name),
        until: day(approval.expires_on),
        state,
        css,
        decided: decision
            .map(|decision| format!("{} {}", moment(&decision.at), decision.by_name))
            .unwrap_or_default(),
        decided_reason: decision.map(|d| d.reason.clone()).unwrap_or_default(),
    }
}

fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

fn moment(stored: &str) -> String {
    stored.parse::<Timestamp>().map_or_else(
        |_| stored.to_owned(),
        |at| {
            let local = japan().to_datetime(at);
            format!(
                "{} {:02}:{:02}",
                day(local.date()),
                local.hour(),
                local.minute()
            )
        },
    )
}

#[derive(Template)]
#[template(path = "features/approvals/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Row>,
    pages: Pages,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    let (kinds, page) = (decidable(staff), page_asked(&visit.query));
    let (rows, total) = visit.app.db().read(&visit.actor, |tx| {
        let place = (ROWS_PER_PAGE, rows_before(page));
        let rows = sql::approvals(tx, (&kinds, staff.staff_id), place)?;
        Ok::<_, StoreError>((rows, sql::count(tx, &kinds, staff.staff_id)?))
    })?;
    let today = visit.today();
    visit.page(&ListPage {
        shell: Shell::new(visit, "承認").under(&[]),
        rows: rows.iter().map(|approval| row(approval, today)).collect(),
        pages: Pages::new("/approvals", &visit.query, page, total),
    })
}

#[derive(Template)]
#[template(path = "features/approvals/show.html")]
struct ShowPage {
    shell: Shell,
    row: Row,
    own: bool,
    waiting: bool,
    reason: String,
    problem: String,
    refused: String,
}

/// The request of the address, if it is one's own or of a kind that one may decide about.
fn approval(visit: &Visit) -> Result<Approval, Problem> {
    let staff = visit.signed_in()?;
    let id = ApprovalId(visit.param("id")?);
    let found = visit
        .app
        .db()
        .read(&visit.actor, |tx| sql::approval(tx, id))?;
    let found = found.filter(|approval| {
        approval.by == staff.staff_id || decidable(staff).contains(&approval.kind.as_str())
    });
    found.ok_or(Problem::NotFound)
}

fn show_page(visit: &Visit, approval: &Approval) -> Result<ShowPage, Problem> {
    let row = row(approval, visit.today());
    Ok(ShowPage {
        shell: Shell::new(visit, row.label).under(&[("承認", "/approvals")]),
        own: visit.signed_in()?.staff_id == approval.by,
        waiting: approval.state(visit.today()) == State::Waiting,
        row,
        reason: visit.form.get("reason").to_owned(),
        problem: String::new(),
        refused: String::new(),
    })
}

pub(super) fn show(visit: &Visit) -> Answer {
    visit.page(&show_page(visit, &approval(visit)?)?)
}

/// What the form decided, and why.
fn decision(visit: &Visit) -> Result<(State, String), &'static str> {
    let one_line = |c: char| if c.is_control() { ' ' } else { c };
    let reason: String = visit.form.trimmed("reason").chars().map(one_line).collect();
    if my_number_like(&reason) {
        return Err("マイナンバー（個人番号）に見える数字は記録できません。");
    }
    if graphemes(&reason) > REASON_CHARS_MAX {
        return Err("理由は200文字までです。");
    }
    match visit.form.trimmed("decision") {
        "approve" => Ok((State::Approved, reason)),
        "withdraw" => Ok((State::Withdrawn, reason)),
        "refuse" if reason.is_empty() => Err("却下の理由を入力してください。"),
        "refuse" => Ok((State::Refused, reason)),
        _ => Err("承認か却下かを選んでください。"),
    }
}

/// How a decision ended, beside being done.
enum Missed {
    /// Nobody decides about her own request.
    Own,
    /// Somebody else was faster, or it ran out.
    Late,
    /// The act cannot be done any more.
    Halted(String),
    Failed(Problem),
}

impl From<StoreError> for Missed {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Halt> for Missed {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Refused(words) => Self::Halted(words),
            Halt::Failed(problem) => Self::Failed(problem),
        }
    }
}

pub(super) fn decide(visit: &Visit) -> Answer {
    let asked = approval(visit)?;
    let (state, reason) = match decision(visit) {
        Ok(decision) => decision,
        Err(problem) => {
            let page = ShowPage {
                problem: problem.to_owned(),
                ..show_page(visit, &asked)?
            };
            return visit.page_as(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let staff = visit.signed_in()?;
    let done = match state {
        State::Withdrawn => "approval-withdrawn",
        State::Approved => "approved",
        State::Refused | State::Waiting | State::Expired => "approval-refused",
    };
    let here = |key: &str| redirect(&format!("/approvals/{}?done={key}", asked.id));
    let result = visit.app.db().write(&visit.actor, |tx| {
        perform(visit, staff, tx, asked.id, (state, &reason))
    });
    match result {
        Ok(()) => Ok(here(done)),
        Err(Missed::Failed(problem)) => Err(problem),
        Err(Missed::Own) => {
            note_own(visit, asked.id)?;
            say(
                visit,
                &asked,
                StatusCode::FORBIDDEN,
                "自分の依頼は承認できません。ほかの人に依頼してください。",
            )
        }
        Err(Missed::Halted(words)) => say(visit, &asked, StatusCode::UNPROCESSABLE_ENTITY, &words),
        Err(Missed::Late) => {
            let now = approval(visit)?;
            let mine = |d: &super::model::Decision| d.by == staff.staff_id && d.state == state;
            if now.decision.as_ref().is_some_and(mine) {
                return Ok(here("again"));
            }
            say(
                visit,
                &now,
                StatusCode::CONFLICT,
                "この依頼は、もう決まっているか、期限が過ぎています。",
            )
        }
    }
}

fn say(visit: &Visit, approval: &Approval, status: StatusCode, words: &str) -> Answer {
    let page = ShowPage {
        refused: words.to_owned(),
        ..show_page(visit, approval)?
    };
    visit.page_as(status, &page)
}

/// Decides in one transaction; what is approved is done in it.
fn perform(
    visit: &Visit,
    staff: &SignedIn,
    tx: &WriteTx<'_>,
    id: ApprovalId,
    (state, reason): (State, &str),
) -> Result<Audited<()>, Missed> {
    let fault = || Missed::Failed(Problem::NotFound);
    let asked = sql::approval(tx, id)?.ok_or_else(fault)?;
    let today = visit.today();
    if asked.state(today) != State::Waiting {
        return Err(Missed::Late);
    }
    // Whoever asked may take it back, and nothing else; nobody else may take it back.
    if (asked.by == staff.staff_id) != (state == State::Withdrawn) {
        return Err(Missed::Own);
    }
    let code = state.code().ok_or_else(fault)?;
    let kind = kind_of(&asked.kind).ok_or_else(fault)?;
    let now = format!("{:.6}", visit.app.clock().now());
    sql::decide(tx, id, (code, reason), (staff.staff_id, &now))?;
    let others = if state == State::Approved {
        (kind.run)(&Act {
            tx,
            id,
            payload: &asked.payload,
            asked_by: asked.by,
            approved_by: staff.staff_id,
            today,
            now: &now,
        })?
    } else {
        Vec::new()
    };
    let detail = format!(
        "{}：{}／判断＝{}／理由＝{reason}",
        kind.label,
        asked.summary,
        state.words().0
    );
    let event = Event::done(Operation::ApprovalDecide).on(RecordKind::Approval, id.0);
    Ok(tx.audited_all(event.detail(detail), others, ()))
}

fn note_own(visit: &Visit, id: ApprovalId) -> Result<(), Problem> {
    visit.app.db().write(&visit.actor, |tx| {
        let event = Event::refused(Operation::ApprovalDecide).on(RecordKind::Approval, id.0);
        Ok(tx.audited(event.detail("自分の依頼"), ()))
    })
}
