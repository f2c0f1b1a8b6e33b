//! The cases that name the viewer, or all of them for whoever keeps them.

use askama::Template;
use jiff::ToSpan as _;
use store::StoreError;

use super::store::{self as sql, Filter};
use super::{rules, view};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Pages, Permission, Role, Shell, Visit, page_asked, rows_before};

/// Looks at reporters of so many days are listed to whoever supervises.
const LOOKS_DAYS: i64 = 30;

#[derive(Template)]
#[template(path = "features/abuse_cases/list.html")]
struct ListPage {
    shell: Shell,
    tabs: Vec<(&'static str, &'static str, bool)>,
    lines: Vec<view::Line>,
    pages: Pages,
    sealed: Vec<view::SealedWords>,
    looks: Vec<view::LookWords>,
    supervises: bool,
    keeps: bool,
    may_write: bool,
    may_protect: bool,
    looks_days: i64,
}

const TABS: [(&str, &str, Filter); 3] = [
    ("open", "対応中", Filter::Open),
    ("closed", "終結・取下げ", Filter::Closed),
    ("all", "すべて", Filter::All),
];

pub(super) fn page(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    let (today, now) = (visit.today(), visit.app.clock().now());
    let asked = visit.query.trimmed("state");
    let tab = TABS.iter().find(|(code, ..)| *code == asked);
    let (code, _, filter) = tab.unwrap_or(&TABS[0]);
    let page = page_asked(&visit.query);
    let keeps = visit.may(Permission::AbuseKeep);
    let supervises = keeps || staff.role == Role::CentreManager;
    let since = today.saturating_sub(LOOKS_DAYS.days());
    let ((total, found), sealed, looks) = visit.app.db().read(&visit.actor, |tx| {
        let window = (ROWS_PER_PAGE, rows_before(page));
        let looks = if supervises {
            sql::looks(tx, None, since)?
        } else {
            Vec::new()
        };
        let listed = sql::list(tx, *filter, today, window)?;
        Ok::<_, StoreError>((listed, sql::sealed(tx)?, looks))
    })?;
    let mut lines = Vec::new();
    for listed in &found {
        let clocks = rules::clocks(&listed.case)?;
        lines.push(view::line(listed, &clocks, (today, now)));
    }
    visit.page(&ListPage {
        shell: Shell::new(visit, "虐待対応").under(&[]),
        tabs: TABS
            .iter()
            .map(|(value, label, _)| (*value, *label, value == code))
            .collect(),
        lines,
        pages: Pages::new("/abuse-cases", &visit.query, page, total),
        sealed: sealed.iter().map(view::sealed).collect(),
        looks: looks.iter().map(view::look).collect(),
        supervises,
        keeps,
        may_write: visit.may(Permission::AbuseWrite),
        may_protect: visit.may(Permission::ProtectionAdminister),
        looks_days: LOOKS_DAYS,
    })
}
