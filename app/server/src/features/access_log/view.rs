//! Entries in words.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;
use store::{Operation, Outcome, RecordKind};

use super::model::{Entry, Named, Who};
use crate::web::{Fields, Role};

/// One choice of a list.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
    pub(super) selected: bool,
}

/// The search form as it was filled in.
pub(super) struct Typed {
    pub(super) person: String,
    pub(super) staff: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) operations: Vec<Choice>,
    pub(super) outcomes: Vec<Choice>,
}

impl Typed {
    pub(super) fn of(query: &Fields) -> Self {
        let text = |name: &str| query.get(name).to_owned();
        let (operation, outcome) = (query.trimmed("operation"), query.trimmed("outcome"));
        let choice = |value, label, chosen: &str| Choice {
            value,
            label,
            selected: value == chosen,
        };
        Self {
            person: text("person"),
            staff: text("staff"),
            from: text("from"),
            to: text("to"),
            operations: Operation::ALL
                .iter()
                .map(|known| choice(known.code(), known.label(), operation))
                .collect(),
            outcomes: [Outcome::Done, Outcome::Refused]
                .into_iter()
                .map(|known| choice(known.code(), outcome_words(known.code()).1, outcome))
                .collect(),
        }
    }
}

/// One line of the list.
pub(super) struct Row {
    pub(super) at: String,
    pub(super) staff: String,
    pub(super) login: String,
    pub(super) centre: String,
    pub(super) menu: String,
    pub(super) operation: String,
    pub(super) person: String,
    pub(super) person_href: Option<String>,
    pub(super) record: String,
    pub(super) terminal: String,
    pub(super) css: &'static str,
    pub(super) outcome: &'static str,
    pub(super) detail: String,
}

pub(super) fn row(entry: &Entry, names: &[Named]) -> Row {
    let named = names.iter().find(|named| Some(named.id) == entry.resident);
    let person = match (entry.resident, named) {
        (None, _) if entry.record_kind.is_some() => String::new(),
        (None, _) => "―".to_owned(),
        (Some(_), Some(named)) => named.name.reveal().to_owned(),
        (Some(id), None) => format!("対象者番号 {id}"),
    };
    let (css, outcome) = outcome_words(&entry.outcome);
    Row {
        at: moment(&entry.at, |day| {
            Wareki::from_date(day).ok().map(Wareki::short)
        }),
        staff: staff(entry),
        login: entry.login.clone().unwrap_or_default(),
        centre: centre(entry),
        menu: entry.menu.clone(),
        operation: operation(&entry.operation),
        person,
        person_href: named.map(|named| format!("/residents/{}", named.id)),
        record: record(entry),
        terminal: entry.terminal.clone(),
        css,
        outcome,
        detail: detail(&entry.detail),
    }
}

/// What details are stored as, and what staff read. The stored words never change, so that a log of
/// years is one log; a word that is not here stays as it is.
const DETAIL_WORDS: &[(&str, &str)] = &[
    ("address", "住所"),
    ("born", "生年月日"),
    ("centre", "センター"),
    ("certifications", "認定"),
    ("changed", "変更"),
    ("consultations", "相談"),
    ("died", "死亡"),
    ("feed", "データ"),
    ("households", "世帯"),
    ("insured", "資格"),
    ("kana", "カナ"),
    ("kanji", "漢字"),
    ("keep", "訂正を残す"),
    ("left", "転出など"),
    ("list", "絞り込みだけ"),
    ("moved", "転居"),
    ("my_number", "12けたの数字"),
    ("name", "カナ氏名と生年月日"),
    ("new", "新規"),
    ("no-reason", "まだ選ばれていません"),
    ("number", "番号"),
    ("phone", "電話"),
    ("read", "行数"),
    ("register", "住民記録に合わせる"),
    ("rejected", "不備"),
    ("record", "相談記録"),
    ("residents", "住民"),
    ("rows", "件数"),
    ("sessions", "端末数"),
    ("shield", "支援措置の理由"),
    ("unchanged", "変わらず"),
    ("version", "版"),
];

/// `feed=residents read=12` as `データ：住民 行数：12`; terms joined by `+` one by one.
pub(super) fn detail(stored: &str) -> String {
    let word = |text: &str| -> String {
        let role = Role::from_code(text).map(Role::label);
        let known = DETAIL_WORDS.iter().find(|(code, _)| *code == text);
        let label = known.map(|(_, label)| *label).or(role);
        label.unwrap_or(text).to_owned()
    };
    let each = |text: &str| text.split('+').map(word).collect::<Vec<_>>().join("+");
    let words = stored.split(' ').map(|part| match part.split_once('=') {
        Some((key, value)) => format!("{}：{}", word(key), each(value)),
        None => each(part),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What stands where there are no rows.
pub(super) fn empty(who: &Who) -> &'static str {
    if who.resident.is_nobody() {
        "この番号の人は見つかりません。番号を確かめてください。"
    } else if who.staff.is_nobody() {
        "この職員は見つかりません。職員IDか氏名の一部を入力してください。"
    } else {
        "条件に合う記録はありません。"
    }
}

pub(super) fn staff(entry: &Entry) -> String {
    match (&entry.staff_name, entry.staff_id) {
        (Some(name), _) => name.clone(),
        (None, Some(id)) => format!("職員番号 {id}"),
        (None, None) => "システム".to_owned(),
    }
}

pub(super) fn centre(entry: &Entry) -> String {
    match (&entry.centre, entry.centre_id, entry.staff_id) {
        (Some(name), _, _) => name.clone(),
        (None, Some(id), _) => format!("センター番号 {id}"),
        (None, None, Some(_)) => "市".to_owned(),
        (None, None, None) => "―".to_owned(),
    }
}

/// A code that this version does not know stays as it is.
pub(super) fn operation(code: &str) -> String {
    Operation::from_code(code).map_or_else(|| code.to_owned(), |known| known.label().to_owned())
}

pub(super) fn record_kind(code: &str) -> String {
    RecordKind::from_code(code).map_or_else(|| code.to_owned(), |known| known.label().to_owned())
}

fn record(entry: &Entry) -> String {
    match (&entry.record_kind, entry.record_id) {
        (Some(kind), Some(id)) => format!("{} {id}", record_kind(kind)),
        (Some(kind), None) => record_kind(kind),
        (None, _) => String::new(),
    }
}

pub(super) fn outcome_words(code: &str) -> (&'static str, &'static str) {
    if code == Outcome::Done.code() {
        ("ok", "済み")
    } else {
        ("warn", "断り")
    }
}

/// Japanese time; the day as `day` writes it, or ISO.
pub(super) fn moment(at: &str, day: impl FnOnce(jiff::civil::Date) -> Option<String>) -> String {
    let Ok(instant) = at.parse::<Timestamp>() else {
        return at.to_owned();
    };
    let local = japan().to_datetime(instant);
    let date = day(local.date()).unwrap_or_else(|| local.date().to_string());
    format!(
        "{date} {:02}:{:02}:{:02}",
        local.hour(),
        local.minute(),
        local.second()
    )
}
