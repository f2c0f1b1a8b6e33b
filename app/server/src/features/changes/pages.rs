//! What waits for staff: list, confirm, decide.

use askama::Template;
use axum::http::StatusCode;
use store::{StoreError, SystemReason};

use super::model::{ChangeId, ConflictId, Decision, Earlier};
use super::{store as sql, view};
use crate::web::{Answer, Problem, Shell, Visit, redirect};

/// Changes on one page; also as many as can be confirmed at once.
const PER_PAGE: i64 = 50;
/// Conflicts shown; the next appear when these are decided.
const CONFLICTS_MAX: i64 = 50;

const KINDS: &[(&str, &str)] = &[
    ("", "すべて"),
    ("moved", "転居"),
    ("died", "死亡"),
    ("left", "転出など"),
    ("changed", "変更"),
];

struct Tab {
    label: &'static str,
    href: String,
    count: i64,
    current: bool,
}

struct FormProblem {
    field: &'static str,
    text: &'static str,
}

#[derive(Template)]
#[template(path = "features/changes/list.html")]
struct ListPage {
    shell: Shell,
    tabs: Vec<Tab>,
    changes: Vec<view::ChangeLine>,
    conflicts: Vec<view::ConflictLine>,
    problems: Vec<FormProblem>,
    newer: Option<String>,
    older: Option<String>,
}

pub(super) fn list(visit: &Visit) -> Answer {
    visit.page(&page(visit, Vec::new())?)
}

fn page(visit: &Visit, problems: Vec<FormProblem>) -> Result<ListPage, Problem> {
    let kind = visit.query.get("kind");
    let kind = KINDS
        .iter()
        .find(|(known, _)| *known == kind)
        .map_or("", |(known, _)| known);
    let number: i64 = visit
        .query
        .get("page")
        .parse()
        .unwrap_or(1)
        .clamp(1, 100_000);
    let (counts, changes, conflicts) = visit.app.db().read(&visit.actor, |tx| {
        Ok::<_, StoreError>((
            sql::counts(tx)?,
            sql::changes(tx, kind, PER_PAGE, (number - 1) * PER_PAGE)?,
            sql::conflicts(tx, CONFLICTS_MAX)?,
        ))
    })?;
    let count = |wanted: &str| -> i64 {
        counts
            .iter()
            .filter(|(k, _)| wanted.is_empty() || k == wanted)
            .map(|(_, n)| n)
            .sum()
    };
    let href = |page: i64| format!("/changes?kind={kind}&page={page}");
    Ok(ListPage {
        shell: Shell::new(visit, "異動と食い違い").under(&[]),
        tabs: KINDS
            .iter()
            .map(|(code, label)| Tab {
                label,
                href: format!("/changes?kind={code}"),
                count: count(code),
                current: *code == kind,
            })
            .collect(),
        changes: changes.iter().map(view::change).collect(),
        conflicts: conflicts.iter().map(view::conflict).collect(),
        problems,
        newer: (number > 1).then(|| href(number - 1)),
        older: (number * PER_PAGE < count(kind)).then(|| href(number + 1)),
    })
}

#[derive(Template)]
#[template(path = "features/changes/late.html")]
struct LatePage {
    shell: Shell,
    sentences: Vec<String>,
}

/// 403: whoever only reads a person takes note of nothing for her.
fn read_only(visit: &Visit) -> Problem {
    let sentence = "いまの担当ではない方（他センターへ移った方など）が入っています。\
        異動の確認と食い違いの判断は、担当センターが行います。何も保存していません。";
    let page = LatePage {
        shell: Shell::new(visit, "閲覧だけできる方です").under(&[("異動と食い違い", "/changes")]),
        sentences: vec![sentence.to_owned()],
    };
    match visit.page_as(StatusCode::FORBIDDEN, &page) {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    }
}

/// 409: somebody was faster; nothing of this request was saved.
fn late(visit: &Visit, earlier: &[Earlier]) -> Problem {
    let page = LatePage {
        shell: Shell::new(visit, "ほかの人が先に済ませています")
            .under(&[("異動と食い違い", "/changes")]),
        sentences: earlier.iter().map(view::earlier).collect(),
    };
    match visit.page_as(StatusCode::CONFLICT, &page) {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    }
}

pub(super) fn confirm_one(visit: &Visit) -> Answer {
    confirm(visit, &[visit.param("id").map(ChangeId)?])
}

pub(super) fn confirm_all(visit: &Visit) -> Answer {
    let mut ids = Vec::new();
    for text in visit.form.all("change") {
        ids.push(ChangeId(
            text.parse().map_err(|_not_a_number| Problem::NotFound)?,
        ));
    }
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        let nothing = FormProblem {
            field: "changes",
            text: "確認する異動を選んでください。",
        };
        return visit.page_as(
            StatusCode::UNPROCESSABLE_ENTITY,
            &page(visit, vec![nothing])?,
        );
    }
    if i64::try_from(ids.len()).is_ok_and(|count| count > PER_PAGE) {
        return Err(Problem::TooLarge);
    }
    confirm(visit, &ids)
}

fn confirm(visit: &Visit, ids: &[ChangeId]) -> Answer {
    let by = visit.signed_in()?.staff_id;
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let mut earlier = Vec::new();
        let mut events = Vec::new();
        for id in ids {
            let (resident, writable) = sql::resident_of(tx, *id)?.ok_or(Problem::NotFound)?;
            if !writable {
                return Err(read_only(visit));
            }
            match sql::confirmed(tx, *id)? {
                Some(before) => earlier.push(before),
                None => events.push(sql::confirm(tx, *id, resident, by, &now)?),
            }
        }
        if !earlier.is_empty() {
            return Err(late(visit, &earlier));
        }
        let mut events = events.into_iter();
        let first = events.next().ok_or(Problem::NotFound)?;
        Ok(tx.audited_all(first, events.collect(), ()))
    })?;
    Ok(redirect("/changes?done=confirmed"))
}

pub(super) fn decide(visit: &Visit) -> Answer {
    let id = visit.param("id").map(ConflictId)?;
    let by = visit.signed_in()?.staff_id;
    let db = visit.app.db();
    // Seen through the viewer's eyes first: outside the scope there is no conflict.
    let (about, writable) = db.read(&visit.actor, |tx| {
        sql::conflict(tx, id)?.ok_or(Problem::NotFound)
    })?;
    if !writable {
        return Err(read_only(visit));
    }
    let Some(decision) = Decision::from_code(visit.form.get("decision")) else {
        let nothing = FormProblem {
            field: "conflicts",
            text: "どちらの値を残すか選んでください。",
        };
        return visit.page_as(
            StatusCode::UNPROCESSABLE_ENTITY,
            &page(visit, vec![nothing])?,
        );
    };
    let now = format!("{:.6}", visit.app.clock().now());
    db.system(&visit.actor, SystemReason::Reindex, |tx| {
        if let Some(before) = sql::decided(tx, id)? {
            return Err(late(visit, &[before]));
        }
        Ok(sql::decide(tx, id, about, decision, by, &now)?)
    })?;
    Ok(redirect("/changes?done=decided"))
}
