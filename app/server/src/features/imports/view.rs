//! Words for imports: the plan on the console, the pages.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;

use super::model::{Feed, FileSummary};
use super::store::Import;

/// A plan of one file in Japanese.
pub(super) fn plan_lines(file: &FileSummary) -> Vec<String> {
    let c = &file.counts;
    let mut lines = vec![
        format!("{}（{}、{}）", file.file, file.feed.label(), file.encoding),
        format!(
            "  {}行: 新しい {}、変更 {}、転居 {}、転出など {}、死亡 {}、\
             変わらない {}、ファイルにない {}",
            c.read, c.new, c.changed, c.moved, c.left, c.died, c.unchanged, c.absent
        ),
    ];
    if c.warned + c.rejected > 0 {
        let found: Vec<String> = file
            .findings
            .iter()
            .map(|(id, n)| format!("{id} {n}"))
            .collect();
        lines.push(format!(
            "  注意 {}行、読めない {}行（{}）",
            c.warned,
            c.rejected,
            found.join("、")
        ));
    }
    for path in file.rejects_file.iter().chain(&file.warnings_file) {
        lines.push(format!("  一覧: {}", path.display()));
    }
    lines
}

/// An instant as staff read it.
pub(super) fn time(at: &str) -> String {
    let Ok(at) = at.parse::<Timestamp>() else {
        return at.to_owned();
    };
    let local = japan().to_datetime(at);
    let day =
        Wareki::from_date(local.date()).map_or_else(|_| local.date().to_string(), Wareki::short);
    format!("{day} {:02}:{:02}", local.hour(), local.minute())
}

pub(super) struct Line {
    pub(super) id: i64,
    pub(super) at: String,
    pub(super) feed: &'static str,
    pub(super) by: String,
    pub(super) read: i64,
    pub(super) changes: i64,
    pub(super) rejected: i64,
    pub(super) undone: Option<String>,
}

pub(super) fn line(import: &Import) -> Line {
    let [read, _, _, rejected, new, changed, moved, died, _, _] = import.counts;
    Line {
        id: import.id,
        at: time(&import.at),
        feed: Feed::from_code(&import.feed).map_or("（不明）", Feed::label),
        by: import.by.clone().unwrap_or_else(|| "システム".to_owned()),
        read,
        changes: new + changed + moved + died,
        rejected,
        undone: import.undone_at.as_deref().map(time),
    }
}

pub(super) struct Counter {
    pub(super) css: &'static str,
    pub(super) label: &'static str,
    pub(super) count: i64,
}

pub(super) fn counters(import: &Import) -> Vec<Counter> {
    let [
        read,
        loaded,
        warned,
        rejected,
        new,
        changed,
        moved,
        died,
        unchanged,
        absent,
    ] = import.counts;
    let counter = |css, label, count| Counter { css, label, count };
    vec![
        counter("", "読んだ行", read),
        counter("ok", "取り込んだ行", loaded),
        counter("ok", "新しい", new),
        counter("info", "変更", changed),
        counter("info", "転居・転出", moved),
        counter("info", "死亡", died),
        counter("", "変わらない", unchanged),
        counter("", "ファイルにない", absent),
        counter("warn", "注意つき", warned),
        counter("error", "読めない行", rejected),
    ]
}

/// A changed column as staff call it.
pub fn field(name: &str) -> &str {
    match name {
        "household_no" => "世帯番号",
        "relationship" | "relationship_code" => "続柄",
        "name" => "氏名",
        "kana" => "氏名カナ",
        "alias_name" | "alias_kana" => "通称",
        "latin_name" => "英字氏名",
        "former_surname" => "旧氏",
        "born_on" | "born_text" => "生年月日",
        "sex" => "性別",
        "resident_state" => "住民状態",
        "postal_code" => "郵便番号",
        "area_code" | "address" => "住所",
        "building" => "方書",
        "phone" => "電話番号",
        "centre_id" => "担当センター",
        "event_on" | "event_code" => "異動日・事由",
        "moved_from" => "転入前住所",
        "moved_to" => "転出先住所",
        "died_on" => "死亡日",
        "shielded" | "shielded_until" => "支援措置",
        "is_head" => "世帯主",
        "level" => "要介護状態区分",
        "valid_from" | "valid_to" => "認定有効期間",
        "lost_on" | "lost_reason" => "資格喪失",
        "acquired_on" | "acquired_reason" => "資格取得",
        "copay_percent" => "負担割合",
        "applying" => "申請中",
        other => other,
    }
}

/// What a change is called.
pub fn kind(code: &str) -> &'static str {
    match code {
        "moved" => "転居",
        "died" => "死亡",
        "left" => "転出など",
        "new" => "新しい",
        _ => "変更",
    }
}

/// Columns by how often they changed, most first.
pub(super) fn field_counts(groups: &[(String, i64)]) -> Vec<(String, i64)> {
    let mut sums = std::collections::BTreeMap::<&str, i64>::new();
    for (fields, count) in groups {
        let mut labels: Vec<&str> = fields.split(',').map(field).collect();
        labels.sort_unstable();
        labels.dedup();
        for label in labels {
            *sums.entry(label).or_default() += count;
        }
    }
    let mut all: Vec<_> = sums
        .into_iter()
        .map(|(label, count)| (label.to_owned(), count))
        .collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    all
}
