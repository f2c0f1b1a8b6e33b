//! Entries in words.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;
use jiff::civil::Date;

use super::form::typed_day;
use super::model::{Entry, Lists, Origin, Protection, Record, State};
use super::store::{EndingRow, FileRow, VersionRow};
use crate::features::masters::Code;
pub(super) use crate::web::Choice;
use crate::web::Fields;

/// A list as a menu; the first line asks to choose.
pub(super) fn choices(list: &[Code], chosen: &str, first: &str) -> Vec<Choice> {
    let asks = std::iter::once(("", first));
    let known = list.iter().map(|k| (k.code.as_str(), k.label.as_str()));
    asks.chain(known)
        .map(|(value, label)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            selected: value == chosen,
        })
        .collect()
}

/// R8.11.24.
pub(super) fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

/// R8.11.24 16:40, from a stored instant.
pub(super) fn moment(stored: &str) -> String {
    stored.parse::<Timestamp>().map_or_else(
        |_| stored.to_owned(),
        |at| {
            let local = japan().to_datetime(at);
            let time = format!("{:02}:{:02}", local.hour(), local.minute());
            format!("{} {time}", day(local.date()))
        },
    )
}

/// Label and colour of a state.
pub(super) fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Open => ("info", "持出し中"),
        State::Overdue => ("error solid", "期限切れ"),
        State::Given => ("", "渡したまま"),
        State::Returned => ("ok", "返却済み"),
        State::Disposed => ("ok", "廃棄済み"),
        State::Withdrawn => ("", "取下げ"),
    }
}

/// Name of whoever made the entry, also at the console.
pub(super) fn maker(record: &Record) -> String {
    match record.origin {
        Origin::Export | Origin::Manual => record.created_by_name.clone(),
        Origin::Command => format!("{}（コマンド）", record.created_by_name),
    }
}

/// One line of the list, of the file and of the print.
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) taken_on: String,
    pub(super) what: String,
    pub(super) persons: String,
    pub(super) purpose: String,
    pub(super) medium: String,
    pub(super) destination: String,
    pub(super) carried_by: String,
    pub(super) maker: String,
    pub(super) centre: String,
    pub(super) protection: String,
    pub(super) due: String,
    pub(super) late: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    pub(super) ended: String,
    pub(super) note: String,
    pub(super) row_css: &'static str,
}

pub(super) fn line(record: &Record, lists: &Lists, today: Date) -> Line {
    let entry = &record.entry;
    let now = record.state(today);
    let (css, label) = state(now);
    let ended = record.ending.as_ref().and_then(|(_, on)| *on);
    Line {
        id: record.id.0,
        taken_on: day(entry.taken_on),
        what: entry.what.clone(),
        persons: entry.persons.to_string(),
        purpose: with(lists.purpose(&entry.purpose), &entry.purpose_note),
        medium: with(lists.medium(&entry.medium), &entry.medium_note),
        destination: entry.destination.clone(),
        carried_by: entry.carried_by.clone(),
        maker: maker(record),
        centre: record.centre.clone().unwrap_or_else(|| "市".to_owned()),
        protection: protection(entry),
        due: entry.due_on.map_or_else(|| "なし".to_owned(), day),
        late: late(now, entry, today),
        css,
        state: label,
        ended: ended.map(day).unwrap_or_default(),
        note: entry.note.clone(),
        row_css: if matches!(now, State::Withdrawn) {
            "off"
        } else {
            ""
        },
    }
}

fn with(label: String, note: &str) -> String {
    if note.is_empty() {
        label
    } else {
        format!("{label}：{note}")
    }
}

fn protection(entry: &Entry) -> String {
    match &entry.protection {
        Protection::Encrypted => "暗号化あり".to_owned(),
        Protection::Instead(instead) => format!("暗号化なし：{instead}"),
    }
}

fn due(entry: &Entry) -> String {
    entry
        .due_on
        .map_or_else(|| "なし（渡したまま）".to_owned(), day)
}

fn late(state: State, entry: &Entry, today: Date) -> String {
    match (state, entry.due_on) {
        (State::Overdue, Some(due)) => {
            let days = due.until(today).map_or(0, |span| span.get_days());
            format!("{days}日超過")
        }
        _ => String::new(),
    }
}

/// Label and value of one field.
pub(super) struct Fact {
    pub(super) label: &'static str,
    pub(super) value: String,
}

/// Every field of an entry, in the order of the form.
pub(super) fn facts(entry: &Entry, lists: &Lists) -> Vec<Fact> {
    let fact = |label, value: String| Fact { label, value };
    vec![
        fact("持ち出した日", day(entry.taken_on)),
        fact("持ち出したもの", entry.what.clone()),
        fact("人数", format!("{}人", entry.persons)),
        fact(
            "目的",
            with(lists.purpose(&entry.purpose), &entry.purpose_note),
        ),
        fact(
            "媒体",
            with(lists.medium(&entry.medium), &entry.medium_note),
        ),
        fact("持出し先", entry.destination.clone()),
        fact("持ち出す人", entry.carried_by.clone()),
        fact("保護", protection(entry)),
        fact("返却・廃棄の期限", due(entry)),
        fact("備考", said(&entry.note)),
    ]
}

/// Nothing said is told as such.
fn said(text: &str) -> String {
    if text.is_empty() {
        "―".to_owned()
    } else {
        text.to_owned()
    }
}

/// What differs, old and new, for the access log.
pub(super) fn differences(old: &Entry, new: &Entry, lists: &Lists) -> String {
    let pairs = facts(old, lists).into_iter().zip(facts(new, lists));
    let changed: Vec<String> = pairs
        .filter(|(old, new)| old.value != new.value)
        .map(|(old, new)| format!("{}：{}→{}", old.label, brief(&old.value), brief(&new.value)))
        .collect();
    changed.join("／")
}

/// So much of a value is told in the access log, characters; the whole stands in the versions.
const BRIEF_CHARS: usize = 60;

fn brief(value: &str) -> String {
    let short: String = value.chars().take(BRIEF_CHARS).collect();
    let more = if short.len() < value.len() { "…" } else { "" };
    let plain = if short.is_empty() {
        "（なし）"
    } else {
        &short
    };
    format!("{plain}{more}").replace('\n', " ")
}

/// An entry as the form would have sent it: to correct it.
pub(super) fn typed(entry: &Entry) -> Option<Fields> {
    let taken_on = typed_day(entry.taken_on);
    let persons = entry.persons.to_string();
    let due_on = entry.due_on.map(typed_day).unwrap_or_default();
    let (encrypted, instead) = match &entry.protection {
        Protection::Encrypted => ("yes", ""),
        Protection::Instead(instead) => ("no", instead.as_str()),
    };
    let pairs = [
        ("taken_on", taken_on.as_str()),
        ("what", &entry.what),
        ("persons", &persons),
        ("purpose", &entry.purpose),
        ("purpose_note", &entry.purpose_note),
        ("medium", &entry.medium),
        ("medium_note", &entry.medium_note),
        ("destination", &entry.destination),
        ("carried_by", &entry.carried_by),
        ("encrypted", encrypted),
        ("protection", instead),
        ("due_on", &due_on),
        ("stays", if entry.due_on.is_none() { "1" } else { "" }),
        ("note", &entry.note),
    ];
    Fields::from_pairs(pairs.into_iter())
}

/// A file as it was handed over.
pub(super) struct FileWords {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) bytes: String,
    pub(super) at: String,
}

pub(super) fn file(row: &FileRow) -> FileWords {
    FileWords {
        name: row.name.clone(),
        sha256: row.sha256.clone(),
        bytes: row.bytes.to_string(),
        at: moment(&row.at),
    }
}

/// A return, a disposal, or the taking back of one.
pub(super) struct EndingWords {
    pub(super) at: String,
    pub(super) by: String,
    pub(super) kind: &'static str,
    pub(super) facts: Vec<Fact>,
}

pub(super) fn ending(row: &EndingRow) -> EndingWords {
    let kind = match row.kind.as_str() {
        "returned" => "返却",
        "disposed" => "廃棄",
        _ => "返却・廃棄の取消し",
    };
    let taken_back = row.kind == "open";
    let facts = [
        ("日", row.ended_on.map(day).unwrap_or_default()),
        ("した人", row.handled_by.clone()),
        ("方法", row.method.clone()),
        ("証明書の番号", row.certificate.clone()),
        (if taken_back { "理由" } else { "備考" }, row.note.clone()),
    ];
    EndingWords {
        at: moment(&row.at),
        by: row.by.clone(),
        kind,
        facts: facts
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(label, value)| Fact { label, value })
            .collect(),
    }
}

/// A former version.
pub(super) struct VersionWords {
    pub(super) version: i64,
    pub(super) at: String,
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) facts: Vec<Fact>,
}

pub(super) fn version(row: &VersionRow, lists: &Lists) -> VersionWords {
    VersionWords {
        version: row.version,
        at: moment(&row.at),
        by: row.by.clone(),
        reason: row.reason.clone(),
        facts: facts(&row.entry, lists),
    }
}
