//! The log as a file that Excel opens: UTF-8 with BOM, CRLF, no cell that Excel would calculate.

use std::collections::BTreeSet;

use super::form::{self, FieldProblem};
use super::model::{EXPORT_ROWS_MAX, Entry};
use super::{pages, store as sql, view};
use crate::features::carried_out::door::{self, Goods};
use crate::web::{Answer, Permission, Problem, Visit, excel_csv};

const HEADER: [&str; 14] = [
    "番号",
    "日時",
    "職員ID",
    "職員",
    "所属",
    "メニュー",
    "操作",
    "対象者番号",
    "記録の種類",
    "記録番号",
    "端末",
    "結果",
    "詳細",
    "日時(UTC)",
];
const TOO_MANY: &str = "書き出せるのは一度に200,000件までです。日付で分けて書き出してください";

/// The same entries as the list, all of them. People appear as numbers: a file travels further than
/// a page.
fn goods(visit: &Visit) -> Result<Goods, Problem> {
    let (mut filter, problems) = form::filter(&visit.query);
    if !problems.is_empty() {
        return Err(page(pages::not_yet(visit, problems)));
    }
    filter.before = None;
    filter.sees_abuse = visit.may(Permission::AbuseKeep);
    let entries = pages::read(visit, filter.year, |tx| {
        filter.who = pages::who(visit, tx)?;
        sql::all_entries(tx, &filter, EXPORT_ROWS_MAX.saturating_add(1))
    })?;
    let Some(Written {
        bytes,
        rows,
        persons,
    }) = write(&entries, EXPORT_ROWS_MAX)?
    else {
        let problem = FieldProblem {
            field: "from",
            text: TOO_MANY,
        };
        return Err(page(pages::not_yet(visit, vec![problem])));
    };
    let kept = visit.query.query_without("before");
    Ok(Goods {
        what: "アクセスログ",
        file: "access-log.csv",
        rows,
        persons,
        bytes,
        event: pages::exported(visit, rows),
        back: ("アクセスログ", format!("/access-log?{kept}")),
    })
}

fn page(answer: Answer) -> Problem {
    match answer {
        Ok(page) => Problem::Page(Box::new(page)),
        Err(problem) => problem,
    }
}

/// What would leave; nothing leaves yet.
pub(super) fn ask(visit: &Visit) -> Answer {
    door::ask(visit, &goods(visit)?)
}

/// The file, with its entry in the register of what was carried out.
pub(super) fn give(visit: &Visit) -> Answer {
    door::hand_over(visit, goods(visit)?)
}

/// A file with its number of rows, and of the persons in it.
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: usize,
    pub(super) persons: usize,
}

/// The file; nothing when there are more than `rows_max` rows.
pub(super) fn write(entries: &[Entry], rows_max: usize) -> Result<Option<Written>, Problem> {
    if entries.len() > rows_max {
        return Ok(None);
    }
    let persons: BTreeSet<i64> = entries
        .iter()
        .filter_map(|e| e.resident)
        .map(|id| id.0)
        .collect();
    Ok(Some(Written {
        bytes: excel_csv(HEADER, entries.iter().map(cells))?,
        rows: entries.len(),
        persons: persons.len(),
    }))
}

fn cells(entry: &Entry) -> [String; 14] {
    let number = |value: Option<i64>| value.map_or_else(String::new, |value| value.to_string());
    [
        entry.id.to_string(),
        view::moment(&entry.at, |_| None),
        entry.login.clone().unwrap_or_default(),
        view::staff(entry),
        view::centre(entry),
        entry.menu.clone(),
        view::operation(&entry.operation),
        number(entry.resident.map(|id| id.0)),
        entry
            .record_kind
            .as_deref()
            .map_or_else(String::new, view::record_kind),
        number(entry.record_id),
        entry.terminal.clone(),
        view::outcome_words(&entry.outcome).1.to_owned(),
        entry.detail.clone(),
        entry.at.clone(),
    ]
}
