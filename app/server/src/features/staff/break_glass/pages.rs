//! What happened to the envelopes, and taking note of it.

use askama::Template;
use store::{Event, Operation, RecordKind, StoreError};

use super::{store as sql, view};
use crate::web::{Answer, Problem, Shell, Visit, redirect};

#[derive(Template)]
#[template(path = "features/staff/break_glass/list.html")]
struct ListPage {
    shell: Shell,
    pair: Option<PairWords>,
    lines: Vec<view::Line>,
}

struct PairWords {
    holders: String,
    made: String,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let viewer = visit.signed_in()?.staff_id;
    let (pair, openings) = visit.app.db().read(&visit.actor, |tx| {
        Ok::<_, StoreError>((sql::pair(tx)?, sql::openings(tx, viewer)?))
    })?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "非常用の封筒").under(&[]),
        pair: pair.map(|pair| PairWords {
            holders: pair.holders.join("、"),
            made: format!("{}（{}）", view::moment(&pair.at), pair.prepared_by),
        }),
        lines: openings.iter().map(view::line).collect(),
    })
}

pub(super) fn acknowledge(visit: &Visit) -> Answer {
    let id: i64 = visit.param("id")?;
    let staff = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    let done = visit.app.db().write(&visit.actor, |tx| {
        let done = sql::acknowledge(tx, id, staff, &now)?.ok_or(Problem::NotFound)?;
        let event = Event::done(Operation::BreakGlassAcknowledge).on(RecordKind::BreakGlass, id);
        Ok::<_, Problem>(tx.audited(event, done))
    })?;
    let key = if done { "confirmed" } else { "again" };
    Ok(redirect(&format!("/break-glass?done={key}")))
}
