//! The second person of a file with the data of many (`approvals`): is one needed, what is asked.
//!
//! Shape: a file is known by its name and the address it comes from, query included, kept as a digest:
//! a query may hold somebody's number, and a request names no resident. Approved, it can be fetched by
//! whoever asked, once, within hours, as long as hardly more persons are in it.

use askama::Template;
use axum::http::StatusCode;
use data_encoding::HEXLOWER;
use jiff::{Timestamp, ToSpan as _};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use store::{ReadTx, StaffId, StoreError, WriteTx, params};

use super::door::Goods;
use super::model::CarriedOutId;
use crate::features::approvals::rules::Terms;
use crate::features::approvals::{
    self, Act, ApprovalId, Ask, Asked, Facts, Halt, Kind, Look, Standing, State, Urgency,
};
use crate::web::days::moment;
use crate::web::{
    Answer, Checked, FieldProblem, Permission, Problem, Role, Shell, Visit, problem_of, redirect,
};

/// Longest purpose, characters.
const PURPOSE_CHARS_MAX: usize = 200;
/// Keys of a query that may hold whom it is about.
const NAMING: [&str; 5] = ["person", "q", "name", "number", "phone"];

/// A file with the data of many persons shall leave.
pub static EXPORTS: Kind = Kind {
    code: "export",
    label: "多人数の個人情報の持出し",
    permission: Permission::CarriedOutManage,
    then: "承認すると、依頼した人が、決まった時間のうちに1回だけ受け取れます。",
    reasoned: false,
    seen: "1",
    gains: "0",
    look,
    run,
};

/// The file as it was asked for.
#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    key: String,
    /// Back to the file; without its query when that may name somebody.
    link: String,
    what: String,
    rows: usize,
    persons: usize,
}

impl Wanted {
    fn of(visit: &Visit, goods: &Goods) -> Self {
        let query = visit.query.query_without("done");
        let address = format!("{}?{query}", visit.path);
        let key = digest(&SHA256, format!("{}\n{address}", goods.file).as_bytes());
        let names = |key: &&str| !visit.query.trimmed(key).is_empty();
        Self {
            key: HEXLOWER.encode(key.as_ref()),
            link: if query.is_empty() || NAMING.iter().any(names) {
                visit.path.clone()
            } else {
                address
            },
            what: goods.what.to_owned(),
            rows: goods.rows,
            persons: goods.persons,
        }
    }

    fn read(payload: &str) -> Result<Self, Problem> {
        let fault = |_| Problem::Fault("a stored file cannot be read");
        serde_json::from_str(payload).map_err(fault)
    }

    fn facts(&self, post: String) -> Facts {
        Facts::new([
            ("件数", format!("{}件", self.rows)),
            ("人数", format!("{}人分の個人情報", self.persons)),
            ("依頼した人の所属", post),
        ])
    }
}

const POST: &str = "
    select coalesce(c.short_name, '市'), t.role from staff_terms t
    left join support_centres c on c.id = t.centre_id
    where t.staff_id = ?1 and t.starts_on <= ?2 and (t.ends_on is null or t.ends_on >= ?2)
    order by t.starts_on desc limit 1";

/// Where somebody works on a day.
fn post(tx: &ReadTx<'_>, staff: StaffId, on: jiff::civil::Date) -> Result<String, StoreError> {
    let found: Option<(String, String)> = tx.one(POST, params![staff, on.to_string()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    Ok(found.map_or_else(
        || "在職していません".to_owned(),
        |(centre, role)| {
            let known = Role::from_code(&role).map(Role::label);
            format!("{centre} {}", known.unwrap_or(&role))
        },
    ))
}

/// May the file leave?
pub(super) enum Gate {
    /// Few persons, or approved: then by which request, and until when.
    Open(Option<Pass>),
    Shut(Shut),
}

/// A request that lets one file out.
pub(super) struct Pass {
    id: ApprovalId,
    pub(super) words: String,
}

/// Why it does not leave yet.
pub(super) struct Shut {
    persons_min: usize,
    hours: u16,
    /// What became of the newest request, and where it stands.
    last: Option<(&'static str, String, ApprovalId)>,
    waits: bool,
}

/// Asks what stands between the file and the door.
pub(super) fn gate(visit: &Visit, tx: &ReadTx<'_>, goods: &Goods) -> Result<Gate, Problem> {
    let today = visit.today();
    let terms = Terms::of(today)?;
    if goods.persons < terms.export_persons {
        return Ok(Gate::Open(None));
    }
    let (key, now) = (Wanted::of(visit, goods).key, visit.app.clock().now());
    let mut last = None;
    for standing in approvals::own(tx, &EXPORTS, visit.signed_in()?.staff_id, today)? {
        let wanted = Wanted::read(&standing.payload)?;
        if wanted.key != key {
            continue;
        }
        match pass(&standing, &wanted, goods, (terms, now)) {
            Ok(pass) => return Ok(Gate::Open(Some(pass))),
            Err(words) => last = last.or(Some((words, standing))),
        }
    }
    Ok(Gate::Shut(Shut {
        persons_min: terms.export_persons,
        hours: terms.export_hours,
        waits: last.as_ref().is_some_and(|(_, s)| s.state.waits()),
        last: last.map(|((css, words), standing)| (css, words, standing.id)),
    }))
}

/// The way out by one request, or why it is none, with the class of the sentence.
fn pass(
    standing: &Standing,
    wanted: &Wanted,
    goods: &Goods,
    (terms, now): (&Terms, Timestamp),
) -> Result<Pass, (&'static str, String)> {
    let told = |css, words: &str| Err((css, words.to_owned()));
    match standing.state {
        State::Waiting | State::Urgent => {
            return told("info", "承認を待っています。承認されるまで受け取れません。");
        }
        State::Refused => {
            let words = format!("前の依頼は却下されました。理由：{}", standing.reason);
            return Err(("warn", words));
        }
        State::Withdrawn => return told("info", "前の依頼は取り下げられています。"),
        State::Lapsed => return told("warn", "前の依頼は、決まらないまま期限が切れました。"),
        State::Approved if standing.used => {
            return told(
                "info",
                "承認された1回は、受け取り済みです。また持ち出すときは、改めて依頼します。",
            );
        }
        State::Approved => {}
    }
    let until = standing.decided_at.parse::<Timestamp>().ok();
    let until = until.and_then(|at| at.checked_add(i64::from(terms.export_hours).hours()).ok());
    let Some(until) = until.filter(|until| now <= *until) else {
        let words = format!("承認から{}時間を過ぎました。", terms.export_hours);
        return Err(("warn", words));
    };
    if goods.persons > terms.persons_max(wanted.persons) {
        let words = format!(
            "承認のあとで人数が増えました（承認のとき{}人、いま{}人）。改めて依頼します。",
            wanted.persons, goods.persons
        );
        return Err(("warn", words));
    }
    Ok(Pass {
        id: standing.id,
        words: format!(
            "承認されています。{} まで、1回受け取れます。",
            moment(&until.to_string())
        ),
    })
}

#[derive(Template)]
#[template(path = "features/carried_out/asking.html")]
struct AskingPage {
    shell: Shell,
    action: String,
    back: String,
    what: &'static str,
    rows: usize,
    persons: usize,
    shut: Shut,
    purpose: String,
    submission: String,
    problems: Vec<FieldProblem>,
}

impl AskingPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }
}

/// What stands in the way, and the form to ask.
pub(super) fn page(
    visit: &Visit,
    goods: &Goods,
    shut: Shut,
    (status, problems): (StatusCode, Vec<FieldProblem>),
) -> Answer {
    let (label, href) = &goods.back;
    let page = AskingPage {
        shell: Shell::new(visit, format!("{}を持ち出す", goods.what)).under(&[(label, href)]),
        action: super::door::action(visit),
        back: href.clone(),
        what: goods.what,
        rows: goods.rows,
        persons: goods.persons,
        shut,
        purpose: visit.form.get("purpose_words").to_owned(),
        submission: visit.submission(),
        problems,
    };
    visit.page_as(status, &page)
}

/// Asks for a second person; what waits already is shown.
pub(super) fn create(visit: &Visit, goods: &Goods) -> Answer {
    let gate = visit
        .app
        .db()
        .read(&visit.actor, |tx| gate(visit, tx, goods))?;
    let shut = match gate {
        Gate::Open(_) => return Ok(redirect(&super::door::action(visit))),
        Gate::Shut(shut) => shut,
    };
    if let Some((_, _, id)) = shut.last.as_ref().filter(|_| shut.waits) {
        return Ok(redirect(&format!("/approvals/{id}?done=again")));
    }
    let mut form = Checked::new(&visit.form);
    let purpose = form.line("purpose_words", "目的", PURPOSE_CHARS_MAX);
    let purpose = match form.ended(Some(purpose)) {
        Ok(purpose) => purpose,
        Err(problems) => {
            let wrong = (StatusCode::UNPROCESSABLE_ENTITY, problems);
            return page(visit, goods, shut, wrong);
        }
    };
    let id = visit.app.db().write(&visit.actor, |tx| {
        let (id, event) = asked(visit, tx, goods, &purpose)?;
        Ok::<_, Problem>(tx.audited(event, id))
    })?;
    Ok(redirect(&format!("/approvals/{id}?done=approval-asked")))
}

fn asked(
    visit: &Visit,
    tx: &WriteTx<'_>,
    goods: &Goods,
    purpose: &str,
) -> Result<(ApprovalId, store::Event), Problem> {
    let (by, today) = (visit.signed_in()?.staff_id, visit.today());
    let wanted = Wanted::of(visit, goods);
    let fault = |_| Problem::Fault("a file cannot be written as JSON");
    let ask = Ask {
        kind: &EXPORTS,
        payload: serde_json::to_string(&wanted).map_err(fault)?,
        facts: wanted.facts(post(tx, by, today)?),
        summary: format!("{}／人数＝{}人分", goods.what, goods.persons),
        reason: purpose,
        urgency: Urgency::Waits,
        centre: visit.actor.centre_id,
    };
    approvals::ask_once(tx, by, (visit.app.clock().now(), today), &ask)
}

/// Inside the transaction that writes the entry: by which request the file leaves is written down.
pub(super) fn take(
    visit: &Visit,
    tx: &WriteTx<'_>,
    goods: &Goods,
    (entry, now): (CarriedOutId, &str),
) -> Result<(), Problem> {
    match gate(visit, tx, goods)? {
        Gate::Open(None) => Ok(()),
        Gate::Open(Some(pass)) => Ok(approvals::use_up(tx, pass.id, entry.0, now)?),
        Gate::Shut(shut) => {
            let page = page(visit, goods, shut, (StatusCode::CONFLICT, Vec::new()))?;
            Err(Problem::Page(Box::new(page)))
        }
    }
}

const TAKEN: &str = "select used_at, carried_out_id from approval_uses where approval_id = ?1";

fn look(tx: &ReadTx<'_>, asked: &Asked<'_>) -> Result<Look, Problem> {
    let wanted = Wanted::read(asked.payload)?;
    let taken: Option<(String, i64)> = tx.one(TAKEN, params![asked.id], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let taken = taken.map(|(at, entry)| format!("{}（持出し台帳 {entry}）", moment(&at)));
    Ok(Look {
        facts: wanted.facts(post(tx, asked.by, asked.today)?),
        beside: Facts::new([("受取り", taken.unwrap_or_else(|| "まだです".to_owned()))]),
        own_page: Some(wanted.link),
        ..Look::default()
    })
}

/// From now on it can be fetched.
fn run(_: &Act<'_, '_>) -> Result<Vec<store::Event>, Halt> {
    Ok(Vec::new())
}
