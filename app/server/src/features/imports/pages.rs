//! The list of imports, and one of them.

use askama::Template;

use super::{store as sql, view};
use crate::web::{Answer, Permission, Problem, Shell, Visit};

/// Imports on one page.
const PER_PAGE: i64 = 50;
/// Residents linked from one import.
const LINKS_MAX: i64 = 200;

#[derive(Template)]
#[template(path = "features/imports/list.html")]
struct ListPage {
    shell: Shell,
    lines: Vec<view::Line>,
    total: i64,
    newer: Option<i64>,
    older: Option<i64>,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let page: i64 = visit
        .query
        .get("page")
        .parse()
        .unwrap_or(1)
        .clamp(1, 10_000);
    let (total, imports) = visit.app.db().read(&visit.actor, |tx| {
        let offset = (page - 1) * PER_PAGE;
        Ok::<_, Problem>((sql::total(tx)?, sql::list(tx, PER_PAGE, offset)?))
    })?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "取込み").under(&[]),
        lines: imports.iter().map(view::line).collect(),
        total,
        newer: (page > 1).then_some(page - 1),
        older: (page * PER_PAGE < total).then_some(page + 1),
    })
}

struct Link {
    id: i64,
    kind: &'static str,
}

#[derive(Template)]
#[template(path = "features/imports/show.html")]
struct ShowPage {
    shell: Shell,
    line: view::Line,
    encoding: String,
    bytes: i64,
    counters: Vec<view::Counter>,
    fields: Vec<(String, i64)>,
    links: Vec<Link>,
}

pub(super) fn show(visit: &Visit) -> Answer {
    let id: i64 = visit.param("id")?;
    let may_view = visit.may(Permission::ResidentView);
    let (import, fields, changed) = visit.app.db().read(&visit.actor, |tx| {
        let import = sql::find(tx, id)?.ok_or(Problem::NotFound)?;
        let changed = if may_view {
            sql::changed(tx, id, LINKS_MAX)?
        } else {
            Vec::new()
        };
        Ok::<_, Problem>((import, sql::fields(tx, id)?, changed))
    })?;
    visit.page(&ShowPage {
        shell: Shell::new(visit, format!("取込み {id}")).under(&[("取込み", "/imports")]),
        counters: view::counters(&import),
        fields: view::field_counts(&fields),
        links: changed
            .into_iter()
            .map(|(id, kind)| Link {
                id,
                kind: view::kind(&kind),
            })
            .collect(),
        line: view::line(&import),
        encoding: import.encoding,
        bytes: import.bytes,
    })
}
