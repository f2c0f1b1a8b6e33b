//! The search form: what was typed, checked and kept for showing again.

use base::wareki;
use jiff::civil::Date;
use store::{Operation, Outcome, RecordKind};

use super::model::Filter;
use crate::web::Fields;

/// Names of the form's fields, in their order.
pub(super) const FIELDS: [&str; 11] = [
    "person",
    "staff",
    "from",
    "to",
    "menu",
    "operation",
    "outcome",
    "terminal",
    "record",
    "record_id",
    "year",
];
/// Longest menu, and name of a terminal.
const WORD_CHARS_MAX: usize = 100;

/// Why a field is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FieldProblem {
    pub(super) field: &'static str,
    pub(super) text: &'static str,
}

/// Reads the form. Problems come with whatever could be read.
pub(super) fn filter(query: &Fields) -> (Filter, Vec<FieldProblem>) {
    let mut problems = Vec::new();
    let from = day(query, "from", &mut problems);
    let to = day(query, "to", &mut problems);
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        let text = "「まで」は「から」と同じ日か後の日にしてください";
        problems.push(FieldProblem { field: "to", text });
    }
    let operation = query.trimmed("operation");
    let outcome = query.trimmed("outcome");
    let filter = Filter {
        from,
        to,
        operation: Operation::from_code(operation),
        outcome: [Outcome::Done, Outcome::Refused]
            .into_iter()
            .find(|o| o.code() == outcome),
        menu: word(query, "menu"),
        terminal: word(query, "terminal"),
        record: record(query, &mut problems),
        year: query.trimmed("year").parse().ok(),
        before: query.trimmed("before").parse().ok(),
        ..Filter::default()
    };
    if filter.operation.is_none() && !operation.is_empty() {
        problems.push(FieldProblem {
            field: "operation",
            text: "操作を一覧から選んでください",
        });
    }
    if filter.outcome.is_none() && !outcome.is_empty() {
        problems.push(FieldProblem {
            field: "outcome",
            text: "結果を一覧から選んでください",
        });
    }
    (filter, problems)
}

fn word(query: &Fields, field: &str) -> Option<String> {
    let typed = query.trimmed(field);
    let word: String = typed.chars().take(WORD_CHARS_MAX).collect();
    (!word.is_empty()).then_some(word)
}

/// A record is a kind and a number: the number alone means another thing in each kind.
fn record(query: &Fields, problems: &mut Vec<FieldProblem>) -> Option<(RecordKind, i64)> {
    let (kind, typed) = (query.trimmed("record"), query.trimmed("record_id"));
    let mut wrong = |field, text| problems.push(FieldProblem { field, text });
    let number = base::text::kanji_key(typed).parse::<i64>().ok();
    match (RecordKind::from_code(kind), number) {
        (Some(kind), Some(number)) => return Some((kind, number)),
        (None, _) if !kind.is_empty() => wrong("record", "記録の種類を一覧から選んでください"),
        (None, _) if !typed.is_empty() => wrong("record", "記録の種類も選んでください"),
        (Some(_), None) => wrong("record_id", "記録番号を数字で入力してください"),
        (None, _) => {}
    }
    None
}

pub(super) fn day(
    query: &Fields,
    field: &'static str,
    problems: &mut Vec<FieldProblem>,
) -> Option<Date> {
    let typed = query.trimmed(field);
    if typed.is_empty() {
        return None;
    }
    let day = wareki::parse(typed)
        .ok()
        .and_then(|parsed| parsed.date.full());
    if day.is_none() {
        let text = "日付は R8.11.24 や 2026-11-24 のように入力してください";
        problems.push(FieldProblem { field, text });
    }
    day
}

/// The fields that were used, for the log's own entry: names, never what they hold.
pub(super) fn used(query: &Fields) -> String {
    let used: Vec<&str> = FIELDS
        .into_iter()
        .filter(|field| !query.trimmed(field).is_empty())
        .collect();
    if used.is_empty() {
        "fields=-".to_owned()
    } else {
        format!("fields={}", used.join(","))
    }
}
