//! Who comes to us, who left us, and what is still to be handed over.

use askama::Template;
use jiff::ToSpan as _;
use store::{CentreId, ReadTx, Scope, StoreError};

use super::model::{Direction, Stage};
use super::recording;
use super::store::{self as sql, Side};
use super::view::{self, LineWords};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Pages, Shell, Visit, page_asked, rows_before};

struct Tab {
    label: &'static str,
    href: String,
    count: Option<usize>,
    current: bool,
}

#[derive(Template)]
#[template(path = "features/transfers/list.html")]
struct ListPage {
    shell: Shell,
    directions: Vec<Tab>,
    stages: Vec<Tab>,
    rows: Vec<LineWords>,
    pages: Pages,
    overdue: i64,
    receipt_days: i64,
    readable_months: i64,
    empty: &'static str,
}

pub(super) fn page(visit: &Visit) -> Answer {
    let direction = match visit.query.get("direction") {
        "out" => Direction::Out,
        _ => Direction::In,
    };
    let asked = visit.query.get("stage");
    let stage = Stage::ALL.into_iter().find(|stage| stage.code() == asked);
    let stage = stage.unwrap_or(Stage::Open);
    let side = Side {
        centre: visit.actor.centre_id,
        direction,
    };
    let (today, number) = (visit.today(), page_asked(&visit.query));
    let since = today.checked_sub(1.year()).unwrap_or(today);
    let (rules, counts, overdue, rows) = visit.app.db().read(&visit.actor, |tx| {
        let rules = recording::rules(tx, today)?;
        let mut counts = Vec::new();
        for stage in Stage::ALL {
            counts.push((stage, sql::count(tx, side, stage)?));
        }
        let overdue = sql::overdue(tx, side, rules.overdue_before(today))?;
        let window = (ROWS_PER_PAGE, rows_before(number));
        Ok::<_, StoreError>((
            rules,
            counts,
            overdue,
            sql::list(tx, side, stage, since, window)?,
        ))
    })?;
    let shown = counts.iter().find(|(known, _)| *known == stage);
    let total = shown.map_or(0, |(_, count)| *count);
    let whole_city = visit.actor.scope == Scope::City;
    visit.page(&ListPage {
        shell: Shell::new(visit, "引継ぎ").under(&[]),
        directions: if whole_city {
            Vec::new()
        } else {
            directions(direction)
        },
        stages: stages(direction, stage, &counts),
        rows: rows
            .iter()
            .map(|row| view::line(row, rules, today))
            .collect(),
        pages: Pages::new("/transfers", &visit.query, number, total),
        overdue,
        receipt_days: rules.receipt_days,
        readable_months: rules.readable_months,
        empty: view::empty(direction, stage, whole_city),
    })
}

/// Hand-overs to a centre (to any for the city) whose receipt nobody confirmed.
///
/// # Errors
/// [`StoreError`].
pub fn waiting(tx: &ReadTx<'_>, centre: Option<CentreId>) -> Result<i64, StoreError> {
    let side = Side {
        centre,
        direction: Direction::In,
    };
    let count = sql::count(tx, side, Stage::Open)?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

fn code(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "in",
        Direction::Out => "out",
    }
}

fn directions(current: Direction) -> Vec<Tab> {
    [
        (Direction::In, "転入（こちらへ）"),
        (Direction::Out, "転出（こちらから）"),
    ]
    .into_iter()
    .map(|(direction, label)| Tab {
        label,
        href: format!("/transfers?direction={}", code(direction)),
        count: None,
        current: direction == current,
    })
    .collect()
}

fn stages(direction: Direction, current: Stage, counts: &[(Stage, usize)]) -> Vec<Tab> {
    let tab = |(stage, count): &(Stage, usize)| Tab {
        label: view::stage(*stage),
        href: format!(
            "/transfers?direction={}&stage={}",
            code(direction),
            stage.code()
        ),
        count: Some(*count),
        current: *stage == current,
    };
    counts.iter().map(tab).collect()
}
