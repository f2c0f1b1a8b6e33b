//! What is to be decided, one's own requests, all that one sees; one request.

use askama::Template;
use axum::http::StatusCode;
use store::{ReadTx, StoreError};

use super::eligible::{Eyes, kind_of};
use super::model::{Approval, ApprovalId, Changed, Facts, Kind, Look, State};
use super::rules::Terms;
use super::store::{self as sql, Which};
use super::view::{Row, row};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{
    Answer, FieldProblem, Pages, Problem, Shell, Visit, page_asked, problem_of, rows_before,
};

const TABS: [(Which, &str, &str); 3] = [
    (Which::ToDecide, "/approvals", "自分が決める依頼"),
    (Which::Own, "/approvals/own", "自分の依頼"),
    (Which::All, "/approvals/all", "すべて"),
];

struct Tab {
    href: &'static str,
    label: String,
    current: bool,
}

#[derive(Template)]
#[template(path = "features/approvals/list.html")]
struct ListPage {
    shell: Shell,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    empty: &'static str,
    terms: &'static Terms,
    pages: Pages,
}

pub(super) fn eyes(visit: &Visit) -> Result<Eyes, Problem> {
    Eyes::of(visit.signed_in()?, visit.today())
}

pub(super) fn to_decide(visit: &Visit) -> Answer {
    list(visit, Which::ToDecide, "自分が決める依頼はありません。")
}

pub(super) fn own(visit: &Visit) -> Answer {
    list(visit, Which::Own, "自分からの依頼はありません。")
}

pub(super) fn all(visit: &Visit) -> Answer {
    list(visit, Which::All, "依頼はまだありません。")
}

fn list(visit: &Visit, which: Which, empty: &'static str) -> Answer {
    let (eyes, page) = (eyes(visit)?, page_asked(&visit.query));
    let (rows, total, waiting) = visit.app.db().read(&visit.actor, |tx| {
        let place = (ROWS_PER_PAGE, rows_before(page));
        let rows = sql::approvals(tx, (&eyes, which), place)?;
        let total = sql::count(tx, (&eyes, which))?;
        Ok::<_, StoreError>((rows, total, sql::waiting(tx, &eyes)?))
    })?;
    let tabs = TABS.map(|(tab, href, label)| Tab {
        href,
        label: match tab {
            Which::ToDecide => format!("{label}（{}）", waiting.count),
            Which::Own => format!("{label}（決定待ち {}）", waiting.own),
            Which::All => label.to_owned(),
        },
        current: tab == which,
    });
    let here = TABS.iter().find(|(tab, ..)| *tab == which);
    let href = here.map_or("/approvals", |(_, href, _)| *href);
    let today = visit.today();
    visit.page(&ListPage {
        shell: Shell::new(visit, "承認").under(&[]),
        tabs: tabs.into(),
        rows: rows.iter().map(|approval| row(approval, today)).collect(),
        empty,
        terms: Terms::of(today)?,
        pages: Pages::new(href, &visit.query, page, total),
    })
}

/// A request as somebody sees it, and what it is about now.
pub(super) struct Found {
    pub(super) approval: Approval,
    pub(super) kind: &'static Kind,
    pub(super) look: Look,
}

impl Found {
    /// The request of the address.
    pub(super) fn read(visit: &Visit, tx: &ReadTx<'_>) -> Result<Self, Problem> {
        let id = ApprovalId(visit.param("id")?);
        let approval = sql::visible(tx, id, &eyes(visit)?)?.ok_or(Problem::NotFound)?;
        let kind = kind_of(&approval.kind).ok_or(Problem::NotFound)?;
        let look = (kind.look)(tx, &approval.asked(visit.today()))?;
        Ok(Self {
            approval,
            kind,
            look,
        })
    }

    /// What is different since it was asked for. Of what worked at once, then counts.
    pub(super) fn changed(&self) -> Vec<Changed> {
        if self.approval.urgent {
            return Vec::new();
        }
        self.approval.facts.changed(&self.look.facts)
    }
}

#[derive(Template)]
#[template(path = "features/approvals/show.html")]
struct ShowPage {
    shell: Shell,
    row: Row,
    facts: Facts,
    beside: Facts,
    then: &'static str,
    page: Option<String>,
    own_page: Option<String>,
    changed: Vec<Changed>,
    /// Why somebody else has to decide.
    barred: &'static str,
    may_decide: bool,
    may_withdraw: bool,
    urgent: bool,
    reasoned: bool,
    reason: String,
    problems: Vec<FieldProblem>,
    refused: String,
}

impl ShowPage {
    fn of(&self, field: &str) -> &str {
        problem_of(&self.problems, field)
    }

    fn hint(&self) -> &'static str {
        if self.reasoned {
            "承認するときも却下するときも入力してください。アクセスログに残ります。"
        } else {
            "却下のときは必ず入力してください。アクセスログに残ります。"
        }
    }
}

/// The facts that the summary does not say in the same words.
fn shown(approval: &Approval) -> Facts {
    let facts = approval.facts.0.iter();
    let fresh = facts.filter(|(_, value)| *value != approval.summary);
    Facts(fresh.cloned().collect())
}

/// What is wrong: sentences for the fields, or one above the request.
pub(super) enum Wrong {
    Fields(Vec<FieldProblem>),
    Refused(String),
}

pub(super) fn show(visit: &Visit) -> Answer {
    page(visit, StatusCode::OK, Wrong::Fields(Vec::new()))
}

/// The request as it stands now.
pub(super) fn page(visit: &Visit, status: StatusCode, wrong: Wrong) -> Answer {
    let found = visit
        .app
        .db()
        .read(&visit.actor, |tx| Found::read(visit, tx))?;
    let (today, approval) = (visit.today(), &found.approval);
    let (row, state) = (row(approval, today), approval.state(today));
    let own = approval.by == visit.signed_in()?.staff_id;
    let (problems, refused) = match wrong {
        Wrong::Fields(problems) => (problems, String::new()),
        Wrong::Refused(refused) => (Vec::new(), refused),
    };
    let changed = if state.waits() {
        found.changed()
    } else {
        Vec::new()
    };
    let barred = approval.bar.filter(|_| state.waits());
    let page = ShowPage {
        shell: Shell::new(visit, row.label).under(&[("承認", "/approvals")]),
        row,
        facts: shown(approval),
        beside: found.look.beside,
        then: found.kind.then,
        page: found.look.page,
        own_page: found
            .look
            .own_page
            .filter(|_| own && state == State::Approved),
        changed,
        barred: barred.map_or("", super::model::Bar::words),
        may_decide: state.waits() && approval.bar.is_none(),
        may_withdraw: own && state == State::Waiting,
        urgent: approval.urgent,
        reasoned: found.kind.reasoned,
        reason: visit.form.get("reason").to_owned(),
        problems,
        refused,
    };
    visit.page_as(status, &page)
}
