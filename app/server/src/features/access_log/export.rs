//! The log as a file that Excel opens: UTF-8 with BOM, CRLF, no cell that Excel would calculate.

use store::{ReadTx, StoreError};

use super::form::{self, FieldProblem};
use super::model::{EXPORT_ROWS_MAX, Entry};
use super::{pages, store as sql, view};
use crate::web::{Answer, Problem, Visit, download, excel_csv};

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
pub(super) fn csv(visit: &Visit) -> Answer {
    let (mut filter, problems) = form::filter(&visit.query);
    if !problems.is_empty() {
        return pages::not_yet(visit, problems);
    }
    filter.before = None;
    let db = visit.app.db();
    let file = db.read(&visit.actor, |tx| {
        filter.who = pages::who(visit, tx)?;
        write(tx, &filter, EXPORT_ROWS_MAX)
    })?;
    let Some((bytes, rows)) = file else {
        return pages::not_yet(
            visit,
            vec![FieldProblem {
                field: "from",
                text: TOO_MANY,
            }],
        );
    };
    let event = pages::exported(visit, rows);
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let name = format!("access-log-{}.csv", visit.today().strftime("%Y%m%d"));
    Ok(download("text/csv; charset=utf-8", &name, false, bytes))
}

/// The file and its number of rows; nothing when there are more than `rows_max`.
pub(super) fn write(
    tx: &ReadTx<'_>,
    filter: &super::model::Filter,
    rows_max: usize,
) -> Result<Option<(Vec<u8>, usize)>, Problem> {
    let entries = sql::entries(tx, filter, rows_max.saturating_add(1)).map_err(store_problem)?;
    if entries.len() > rows_max {
        return Ok(None);
    }
    let bytes = excel_csv(HEADER, entries.iter().map(cells))?;
    Ok(Some((bytes, entries.len())))
}

fn store_problem(error: StoreError) -> Problem {
    error.into()
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
