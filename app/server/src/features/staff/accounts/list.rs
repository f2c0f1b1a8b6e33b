//! Everybody who works here, will, or did.

use askama::Template;
use base::text::kana_display;
use jiff::civil::Date;
use store::{ReadTx, StoreError};

use super::store::{self as sql, Line, Wanted};
use super::view::{self, Choice, LineWords};
use crate::features::staff::model::may_try;
use crate::features::staff::store as staff_sql;
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Fields, Pages, Permission, Shell, Visit, page_asked, rows_before};

#[derive(Template)]
#[template(path = "features/staff/accounts/list.html")]
struct ListPage {
    shell: Shell,
    text: String,
    centres: Vec<Choice>,
    roles: Vec<Choice>,
    states: Vec<Choice>,
    rows: Vec<Row>,
    pages: Pages,
    may_change: bool,
}

struct Row {
    line: LineWords,
    waits: bool,
}

const STATES: [(&str, &str); 4] = [
    ("", "すべて"),
    ("current", "在職"),
    ("planned", "予定"),
    ("ended", "終了"),
];

/// What the query wants; a leaver is shown only when asked for.
fn wanted(query: &Fields) -> Wanted {
    let state = if query.has("state") {
        query.trimmed("state")
    } else {
        "current"
    };
    let spaceless = |c: &char| !c.is_whitespace();
    let text: String = query.trimmed("text").chars().filter(spaceless).collect();
    let kana = kana_display(&text);
    Wanted {
        centre: query.trimmed("centre").to_owned(),
        role: query.trimmed("role").to_owned(),
        state: state.to_owned(),
        kana: kana.chars().filter(spaceless).collect(),
        text,
        before: String::new(),
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    let (wanted, page, today) = (
        wanted(&visit.query),
        page_asked(&visit.query),
        visit.today(),
    );
    let (centres, total, rows) = visit.app.db().read(&visit.actor, |tx| {
        let lines = sql::lines(tx, &wanted, today, (ROWS_PER_PAGE, rows_before(page)))?;
        let rows: Result<Vec<Row>, StoreError> =
            lines.iter().map(|line| row(visit, tx, line)).collect();
        Ok::<_, StoreError>((
            sql::centres(tx, Date::MIN)?,
            sql::count(tx, &wanted, today)?,
            rows?,
        ))
    })?;
    let first = [("", "すべて"), ("city", view::CITY)];
    visit.page(&ListPage {
        shell: Shell::new(visit, "職員").under(&[]),
        text: visit.query.get("text").to_owned(),
        centres: view::centres(&centres, &wanted.centre, &first),
        roles: view::roles(&wanted.role, "すべて"),
        states: view::choices(STATES.into_iter(), &wanted.state),
        rows,
        pages: Pages::new("/staff", &visit.query, page, total),
        may_change: visit.may(Permission::StaffAdminister),
    })
}

fn row(visit: &Visit, tx: &ReadTx<'_>, line: &Line) -> Result<Row, StoreError> {
    let subject = staff_sql::login_subject(&line.login);
    let (failures, last) = staff_sql::failures(tx, &subject)?;
    let rules = visit.app.settings().sign_in.guessing;
    Ok(Row {
        line: view::line(line),
        waits: !may_try(rules, failures, last, visit.app.clock().now()),
    })
}
