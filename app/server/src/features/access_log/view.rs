//! Entries in words.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;
use store::{Operation, Outcome, RecordKind};

use super::model::{Entry, Named, Who};
pub(super) use crate::web::Choice;
use crate::web::veil::is_veiled;
use crate::web::{Fields, Role, Visit};

/// The search form as it was filled in.
pub(super) struct Typed {
    pub(super) person: String,
    pub(super) staff: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) terminal: String,
    pub(super) record_id: String,
    pub(super) operations: Vec<Choice>,
    pub(super) outcomes: Vec<Choice>,
    pub(super) records: Vec<Choice>,
    pub(super) menus: Vec<Choice>,
    pub(super) years: Vec<Choice>,
}

impl Typed {
    /// `menus` of the product and `years` that lie in files of their own.
    pub(super) fn of(query: &Fields, menus: &[&str], years: &[i16], sees_abuse: bool) -> Self {
        let text = |name: &str| query.get(name).to_owned();
        let choice = |field: &str, value: &str, label: &str| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            selected: value == query.trimmed(field),
        };
        let years = years.iter().rev().map(|year| {
            let label = format!("{year}年（別のファイル）");
            choice("year", &year.to_string(), &label)
        });
        Self {
            person: text("person"),
            staff: text("staff"),
            from: text("from"),
            to: text("to"),
            terminal: text("terminal"),
            record_id: text("record_id"),
            operations: Operation::ALL
                .iter()
                .filter(|known| sees_abuse || !is_veiled(known.code()))
                .map(|known| choice("operation", known.code(), known.label()))
                .collect(),
            outcomes: [Outcome::Done, Outcome::Refused]
                .into_iter()
                .map(|known| choice("outcome", known.code(), outcome_words(known.code()).1))
                .collect(),
            records: RecordKind::ALL
                .iter()
                .map(|known| choice("record", known.code(), known.label()))
                .collect(),
            menus: menus
                .iter()
                .map(|menu| choice("menu", menu, menu))
                .collect(),
            years: years.collect(),
        }
    }
}

/// One line of the list.
pub(super) struct Row {
    pub(super) href: String,
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
        href: format!("/access-log/{}", entry.id),
        at: wareki_moment(&entry.at),
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
    ("agent", "代理人からの請求"),
    ("born", "生年月日"),
    ("centre", "センター"),
    ("certifications", "認定"),
    ("changed", "変更"),
    ("consultations", "相談"),
    ("day", "日"),
    ("died", "死亡"),
    ("disclosure", "開示請求"),
    ("entries", "件数"),
    ("entry", "記録"),
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
    ("part", "入力中の候補"),
    ("person", "対象者"),
    ("phone", "電話"),
    ("receipt", "受付番号"),
    ("read", "行数"),
    ("register", "住民記録に合わせる"),
    ("rejected", "不備"),
    ("record", "相談記録"),
    ("residents", "住民"),
    ("rows", "件数"),
    ("self", "本人からの請求"),
    ("sessions", "端末数"),
    ("shield", "支援措置の理由"),
    ("terms", "検索語の印"),
    ("unchanged", "変わらず"),
    ("version", "版"),
    ("year", "年"),
    ("area", "町丁"),
    ("areas", "町丁の数"),
    ("change", "変更番号"),
    ("elders", "65歳以上"),
    ("from", "前"),
    ("on", "日"),
    ("people", "人数"),
    ("role", "課"),
    ("staff", "職員番号"),
    ("to", "後"),
    ("transferred", "担当センターの変更"),
    ("waiting", "次の対応あり"),
    ("certified", "認定あり"),
    ("until", "まで"),
    ("case", "虐待対応の番号"),
    ("consultation", "相談"),
    ("read-only", "閲覧のみ"),
    ("may-write", "記録もできる"),
];

/// `feed=residents read=12` as `データ：住民 行数：12`; terms joined by `+` one by one; what was and
/// what is as `変更前 … → 変更後 …`.
pub(super) fn detail(stored: &str) -> String {
    if let Some(changed) = changed(stored) {
        let rest = changed
            .rest
            .iter()
            .map(|(name, value)| format!("{name}：{value}"));
        let first = format!("変更前 {} → 変更後 {}", changed.before, changed.after);
        return std::iter::once(first)
            .chain(rest)
            .collect::<Vec<_>>()
            .join("、");
    }
    let words = stored.split(' ').map(|part| match part.split_once('=') {
        Some((key, value)) => format!("{}：{}", word(key), each(value)),
        None => each(part),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn word(text: &str) -> String {
    let role = Role::from_code(text).map(Role::label);
    let known = DETAIL_WORDS.iter().find(|(code, _)| *code == text);
    let label = known.map(|(_, label)| *label).or(role);
    label.unwrap_or(text).to_owned()
}

fn each(text: &str) -> String {
    text.split('+').map(word).collect::<Vec<_>>().join("+")
}

/// What a change of rights, masters or accounts says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) before: String,
    pub(super) after: String,
    /// Reason, operator.
    pub(super) rest: Vec<(String, String)>,
}

/// Reads `前＝…／後＝…／理由＝…` and `old=… new=…`.
pub(super) fn changed(stored: &str) -> Option<Changed> {
    let (mut before, mut after, mut rest) = (None, None, Vec::new());
    let wide = stored.contains("前＝") && stored.contains("／後＝");
    let parts: Vec<(&str, &str)> = if wide {
        stored
            .split('／')
            .filter_map(|part| part.split_once('＝'))
            .collect()
    } else if stored.contains("old=") && stored.contains(" new=") {
        stored
            .split(' ')
            .filter_map(|part| part.split_once('='))
            .collect()
    } else {
        return None;
    };
    for (name, value) in parts {
        match name {
            "前" | "old" => before = Some(each(value)),
            "後" | "new" => after = Some(each(value)),
            _ => rest.push((word(name), each(value))),
        }
    }
    Some(Changed {
        before: before?,
        after: after?,
        rest,
    })
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

/// Profession, or role where none is written: what is told of staff to whom names are not.
pub(super) fn job(entry: &Entry) -> String {
    let job = entry.job.clone().filter(|job| !job.is_empty());
    let role = entry
        .role
        .as_deref()
        .and_then(Role::from_code)
        .map(Role::label);
    match (job, role, entry.staff_id) {
        (Some(job), _, _) => job,
        (None, Some(role), _) => role.to_owned(),
        (None, None, Some(_)) => "職員".to_owned(),
        (None, None, None) => "システム".to_owned(),
    }
}

/// A code that this version does not know stays as it is.
pub(super) fn operation(code: &str) -> String {
    Operation::from_code(code).map_or_else(|| code.to_owned(), |known| known.label().to_owned())
}

pub(super) fn record_kind(code: &str) -> String {
    RecordKind::from_code(code).map_or_else(|| code.to_owned(), |known| known.label().to_owned())
}

pub(super) fn record(entry: &Entry) -> String {
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

/// The name of somebody whom the viewer may see.
pub(super) fn name(person: &Named) -> String {
    person.name.reveal().to_owned()
}

/// `R8.11.24 09:00:00`, as lists and paper write a moment of the log.
pub(super) fn wareki_moment(at: &str) -> String {
    moment(at, |day| Wareki::from_date(day).ok().map(Wareki::short))
}

/// `R8.11.24`, or ISO where there is no era.
pub(super) fn wareki_day(day: jiff::civil::Date) -> String {
    Wareki::from_date(day).map_or_else(|_no_era| day.to_string(), Wareki::short)
}

/// The present moment, for paper.
pub(super) fn now(visit: &Visit) -> String {
    wareki_moment(&visit.app.clock().now().to_string())
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
