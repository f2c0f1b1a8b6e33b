//! The list on paper: as many rows as somebody reads, and how many there were.

use axum::http::StatusCode;
use store::{Event, Operation, RecordKind};

use super::form;
use super::model::{Entry, Named, PRINT_ROWS_MAX};
use super::{pages, store as sql, view};
use crate::web::{Answer, Permission, Problem, Visit, download};

/// Prints what the list would show.
pub(super) fn list(visit: &Visit) -> Answer {
    let fonts = match visit.app.fonts() {
        Ok(fonts) => fonts,
        Err(missing) => return Err(without_fonts(visit, missing)),
    };
    let (mut filter, problems) = form::filter(&visit.query);
    if !problems.is_empty() {
        return pages::not_yet(visit, problems);
    }
    filter.before = None;
    filter.sees_abuse = visit.may(Permission::AbuseKeep);
    let (mut entries, names) = pages::read(visit, filter.year, |tx| {
        filter.who = pages::who(visit, tx)?;
        let entries = sql::all_entries(tx, &filter, PRINT_ROWS_MAX + 1)?;
        let names = pages::names(tx, &entries)?;
        Ok((entries, names))
    })?;
    let more = entries.len() > PRINT_ROWS_MAX;
    entries.truncate(PRINT_ROWS_MAX);
    let rows = entries.len();
    let event = Event::done(Operation::AccessLogPrint)
        .about(pages::only(&filter.who))
        .on(
            RecordKind::AccessLog,
            i64::try_from(rows).unwrap_or(i64::MAX),
        )
        .detail(format!("rows={rows} {}", form::used(&visit.query)));
    let db = visit.app.db();
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let report = forms::LogReport {
        title: "アクセスログ".to_owned(),
        record_id: format!("access-log/{rows}"),
        facts: vec![
            ("条件".to_owned(), conditions(visit)),
            ("件数".to_owned(), count(rows, more)),
        ],
        notes: Vec::new(),
        columns: columns(),
        rows: entries.iter().map(|entry| cells(entry, &names)).collect(),
        printed_at: visit.app.clock().now(),
        printed_on: view::now(visit),
        printed_by: visit.signed_in()?.name.clone(),
    };
    answer(forms::log_report(fonts, &report), "access-log.pdf")
}

fn count(rows: usize, more: bool) -> String {
    if more {
        format!("条件に合う記録のうち、新しい{rows}件")
    } else {
        format!("{rows}件（すべて）")
    }
}

/// What was asked for, as it was typed; a person's number does not go on paper a second time.
fn conditions(visit: &Visit) -> String {
    let shown = visit.query.pairs().filter_map(|(name, value)| {
        let value = value.trim();
        let label = match name {
            _ if value.is_empty() => return None,
            "person" => return Some("対象者を指定".to_owned()),
            "staff" => "職員",
            "from" => "から",
            "to" => "まで",
            "menu" => "メニュー",
            "operation" => return Some(format!("操作：{}", view::operation(value))),
            "outcome" => return Some(format!("結果：{}", view::outcome_words(value).1)),
            "terminal" => "端末",
            "record" => return Some(format!("記録：{}", view::record_kind(value))),
            "record_id" => "記録番号",
            "year" => "年",
            _ => return None,
        };
        Some(format!("{label}：{value}"))
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() {
        "なし".to_owned()
    } else {
        shown.join("、")
    }
}

fn columns() -> Vec<forms::Column> {
    [
        ("日時", 21),
        ("職員・所属", 28),
        ("メニュー・操作", 38),
        ("対象・記録", 34),
        ("端末", 22),
        ("結果", 11),
        ("詳細", 24),
    ]
    .into_iter()
    .map(|(label, width)| forms::Column::new(label, width))
    .collect()
}

fn cells(entry: &Entry, names: &[Named]) -> Vec<String> {
    let row = view::row(entry, names);
    vec![
        row.at,
        format!("{}\n{}", row.staff, row.centre),
        format!("{}\n{}", row.menu, row.operation),
        format!("{}\n{}", row.person, row.record),
        row.terminal,
        row.outcome.to_owned(),
        row.detail,
    ]
}

pub(super) fn answer(drawn: Result<forms::Pdf, forms::FormError>, name: &str) -> Answer {
    match drawn {
        Ok(pdf) => Ok(download("application/pdf", name, true, pdf.bytes)),
        Err(error) => {
            log::debug!("access log on paper: {error}");
            Err(Problem::Fault("access log cannot be drawn"))
        }
    }
}

#[derive(askama::Template)]
#[template(path = "features/access_log/unprintable.html")]
struct UnprintablePage {
    shell: crate::web::Shell,
    missing: String,
}

/// The machine has no faces to print with.
pub(super) fn without_fonts(visit: &Visit, missing: &forms::FontsMissing) -> Problem {
    let page = UnprintablePage {
        shell: crate::web::Shell::new(visit, "いまは印刷できません")
            .under(&[("アクセスログ", "/access-log")]),
        missing: missing.to_string(),
    };
    match visit.page_as(StatusCode::SERVICE_UNAVAILABLE, &page) {
        Ok(response) => Problem::Page(Box::new(response)),
        Err(problem) => problem,
    }
}
