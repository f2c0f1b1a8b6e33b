//! Records → words for the templates.

use base::secrecy::{Note, PersonName};
use base::wareki::{self, Wareki, age_on};
use jiff::Timestamp;
use jiff::civil::Date;

use super::entry::Entry;
use super::form::read_day;
use super::model::{Lists, Person, Record, Step, Version, level_label};
pub(super) use crate::web::Choice;
use crate::web::Fields;

/// 令和8年11月24日.
pub(super) fn day_long(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::long)
}

/// R8.11.24.
pub(super) fn day_short(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

/// A stored day (ISO) as R8.11.24; what is none stays as it is.
pub(super) fn iso_short(iso: &str) -> String {
    iso.parse().map_or_else(|_| iso.to_owned(), day_short)
}

/// R8.11.24 16:40, from a stored instant.
pub(super) fn moment(stored: &str) -> String {
    match stored.parse::<Timestamp>() {
        Ok(at) => {
            let local = base::clock::japan().to_datetime(at);
            format!(
                "{} {:02}:{:02}",
                day_short(local.date()),
                local.hour(),
                local.minute()
            )
        }
        Err(_) => iso_short(stored),
    }
}

/// The choices of a field; `empty` is the label of the first, empty one.
pub(super) fn choices(lists: &Lists, field: &str, chosen: &Fields, empty: &str) -> Vec<Choice> {
    let first = Choice {
        value: String::new(),
        label: empty.to_owned(),
        selected: false,
    };
    let first = (!empty.is_empty()).then_some(first);
    let codes = lists.of(field).iter().map(|known| Choice {
        value: known.code.clone(),
        label: known.label.clone(),
        selected: chosen.all(field).any(|code| code == known.code),
    });
    first.into_iter().chain(codes).collect()
}

/// The person above the form.
#[derive(Clone)]
pub(super) struct PersonWords {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) about: String,
    pub(super) address: String,
    pub(super) insured_no: String,
}

/// In the place of the address of somebody under 支援措置.
const SHIELDED_ADDRESS: &str = "支援措置の方です（住所・電話は個人画面で）";

pub(super) fn person(person: &Person, today: Date) -> PersonWords {
    PersonWords {
        id: person.id.0,
        name: person.name.reveal().to_owned(),
        kana: person.kana.reveal().to_owned(),
        about: format!("{}・{}", age(person, today), sex(&person.sex)),
        address: if person.shielded {
            SHIELDED_ADDRESS.to_owned()
        } else {
            person.address.reveal().to_owned()
        },
        insured_no: person.insured_no.clone().unwrap_or_default(),
    }
}

fn age(person: &Person, today: Date) -> String {
    let born = person.born_on.parse::<Date>().ok();
    born.and_then(|born| age_on(born, today))
        .map_or_else(|| "年齢不明".to_owned(), |age| format!("{age}歳"))
}

fn sex(code: &str) -> &'static str {
    match code {
        "1" => "男性",
        "2" => "女性",
        _ => "性別不明",
    }
}

/// One line of a record in words.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) field: &'static str,
    pub(super) label: &'static str,
    pub(super) text: String,
}

const LABELS: &[(&str, &str)] = &[
    ("received_on", "受付日"),
    ("started_at", "開始時刻"),
    ("ended_at", "終了時刻"),
    ("minutes", "所要時間（分）"),
    ("channel", "相談方法"),
    ("caller_kind", "相談者"),
    ("caller_name", "相談者の氏名"),
    ("caller_relation", "続柄"),
    ("caller_contact", "相談者の連絡先"),
    ("client_name", "対象者の名前（聞き取り）"),
    ("client_note", "対象者の手がかり"),
    ("urgency", "緊急度"),
    ("categories", "相談種別"),
    ("content", "相談内容"),
    ("responses", "対応"),
    ("response", "対応内容"),
    ("referred_to", "紹介先・つなぎ先"),
    ("outcome", "帰結"),
    ("closing_reason", "終結理由"),
    ("next_action", "次にすること"),
    ("next_due_on", "期限"),
];

/// Every field of the form.
pub(super) fn fields() -> impl Iterator<Item = &'static str> {
    LABELS.iter().map(|(field, _)| *field)
}

/// What a field is called; empty for what is none.
pub(super) fn label(field: &str) -> &'static str {
    let known = LABELS.iter().find(|(known, _)| *known == field);
    known.map_or("", |(_, label)| label)
}

/// The same in every field?
pub(super) fn says_the_same(one: &Fields, other: &Fields) -> bool {
    fields().all(|field| one.all(field).eq(other.all(field)))
}

/// Her name, for whoever draws it.
pub(super) fn name_of(person: &Person) -> Note {
    Note::from(person.name.reveal())
}

/// Whom a record was about.
pub(super) fn client(identified: bool, name: Option<&PersonName>) -> Note {
    match (identified, name) {
        (false, _) => Note::from(""),
        (true, Some(name)) => Note::from(name.reveal()),
        (true, None) => Note::from("担当の範囲外の方、またはもういない方"),
    }
}

/// A note as the database has it.
pub(super) fn words_of(note: &Note) -> &str {
    note.reveal()
}

/// 有効 or 取下げ.
pub(super) fn standing(withdrawn: bool) -> Note {
    Note::from(if withdrawn { "取下げ" } else { "有効" })
}

/// All fields in words, whether typed or saved; the empty ones too, so that two can be compared.
pub(super) fn facts(fields: &Fields, lists: &Lists, today: Date) -> Vec<Fact> {
    LABELS
        .iter()
        .map(|(field, label)| Fact {
            field,
            label,
            text: words(fields, lists, field, today),
        })
        .collect()
}

fn words(fields: &Fields, lists: &Lists, field: &str, today: Date) -> String {
    match field {
        "received_on" | "next_due_on" => {
            let typed = fields.trimmed(field);
            read_day(typed, today).map_or_else(|| typed.to_owned(), day_long)
        }
        "content" | "response" => super::form::plain_text(fields.get(field)),
        _ if lists.of(field).is_empty() => fields.trimmed(field).to_owned(),
        _ => {
            let mut codes: Vec<&str> = fields.all(field).filter(|code| !code.is_empty()).collect();
            codes.sort_unstable();
            codes
                .iter()
                .map(|code| lists.label(field, code))
                .collect::<Vec<_>>()
                .join("、")
        }
    }
}

/// What two versions say about one field.
#[derive(Clone)]
pub(super) struct Difference {
    pub(super) label: &'static str,
    pub(super) before: String,
    pub(super) after: String,
}

/// The fields that differ.
pub(super) fn differences(before: &[Fact], after: &[Fact]) -> Vec<Difference> {
    before
        .iter()
        .zip(after)
        .filter(|(before, after)| before.text != after.text)
        .map(|(before, after)| Difference {
            label: before.label,
            before: or_dash(&before.text),
            after: or_dash(&after.text),
        })
        .collect()
}

fn or_dash(text: &str) -> String {
    if text.is_empty() {
        "（空欄）".to_owned()
    } else {
        text.to_owned()
    }
}

/// A saved version as the form would have typed it.
pub(super) fn typed(entry: &Entry) -> Fields {
    let minutes = entry
        .minutes
        .map(|minutes| minutes.to_string())
        .unwrap_or_default();
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("received_on", &day_short(entry.received_on))
        .append_pair("started_at", &entry.started_at)
        .append_pair("ended_at", &entry.ended_at)
        .append_pair("minutes", &minutes)
        .append_pair("channel", &entry.channel)
        .append_pair("caller_kind", &entry.caller_kind)
        .append_pair("caller_name", &entry.caller_name)
        .append_pair("caller_relation", &entry.caller_relation)
        .append_pair("caller_contact", &entry.caller_contact)
        .append_pair("client_name", &entry.client_name)
        .append_pair("client_note", &entry.client_note)
        .append_pair("urgency", &entry.urgency)
        .append_pair("content", &entry.content)
        .append_pair("response", &entry.response)
        .append_pair("referred_to", &entry.referred_to)
        .append_pair("outcome", &entry.outcome)
        .append_pair("closing_reason", &entry.closing_reason)
        .append_pair("next_action", &entry.next_action)
        .append_pair(
            "next_due_on",
            &entry.next_due_on.map(day_short).unwrap_or_default(),
        );
    for category in &entry.categories {
        form.append_pair("categories", category);
    }
    for kind in &entry.responses {
        form.append_pair("responses", kind);
    }
    Fields::parse(form.finish().as_bytes()).unwrap_or_default()
}

/// A coloured word.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub(super) css: &'static str,
    pub(super) label: String,
}

/// 取下げ, 終結 or 対応中.
pub(super) fn state(withdrawn: bool, closed: bool) -> Tag {
    let (css, label) = match (withdrawn, closed) {
        (true, _) => ("", "取下げ"),
        (false, true) => ("ok", "終結"),
        (false, false) => ("info", "対応中"),
    };
    Tag {
        css,
        label: label.to_owned(),
    }
}

/// The urgency; A and B stand out.
pub(super) fn urgency(code: &str, label: String) -> Tag {
    let css = match code {
        "A" => "error solid",
        "B" => "warn",
        _ => "",
    };
    Tag { css, label }
}

/// How a due day stands to today.
pub(super) fn due(day: Date, today: Date) -> Tag {
    let days = today
        .until(day)
        .map(|span| span.get_days())
        .unwrap_or_default();
    let (css, label) = match days {
        ..0 => ("error solid", format!("{}日超過", -days)),
        0 => ("warn", "今日".to_owned()),
        _ => ("", format!("あと{days}日")),
    };
    Tag { css, label }
}

/// One version in the history of a record.
pub(super) struct VersionWords {
    pub(super) version: i64,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) reason: String,
    pub(super) differences: Vec<Difference>,
    pub(super) is_current: bool,
}

/// All versions, newest first, each with what it changed.
pub(super) fn versions(record: &Record, today: Date) -> Vec<VersionWords> {
    let all: Vec<&Version> = std::iter::once(&record.current)
        .chain(&record.former)
        .collect();
    let facts_of = |version: &Version| facts(&typed(&version.entry), &record.lists, today);
    let before = all.iter().skip(1).map(|v| Some(facts_of(v))).chain([None]);
    all.iter()
        .zip(before)
        .map(|(version, before)| VersionWords {
            version: version.version,
            by: version.recorded_by.clone(),
            at: moment(&version.recorded_at),
            reason: version.reason.clone(),
            differences: before
                .map(|b| differences(&b, &facts_of(version)))
                .unwrap_or_default(),
            is_current: version.version == record.current.version,
        })
        .collect()
}

/// A withdrawal or a done follow-up in words.
pub(super) struct StepWords {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) words: String,
}

pub(super) fn step(step: &Step) -> StepWords {
    StepWords {
        by: step.by.clone(),
        at: moment(&step.at),
        words: step.words.clone(),
    }
}

/// Everything of a record as the slip prints it.
pub(super) fn slip(
    record: &Record,
    printed: (Timestamp, &str),
    today: Date,
) -> forms::ConsultationSlip {
    let (printed_at, printed_by) = printed;
    let (entry, lists) = (&record.current.entry, &record.lists);
    let local = base::clock::japan().to_datetime(printed_at);
    let corrected = std::iter::once(&record.current)
        .chain(&record.former)
        .filter(|v| v.version > 1);
    let mut corrections: Vec<forms::Correction> = corrected
        .map(|version| forms::Correction {
            version: format!("第{}版", version.version),
            by: version.recorded_by.clone(),
            at: moment(&version.recorded_at),
            reason: version.reason.clone(),
        })
        .collect();
    corrections.reverse();
    forms::ConsultationSlip {
        centre: record.centre.clone(),
        record_no: record.number.clone(),
        record_id: format!("{} 第{}版", record.number, record.current.version),
        printed_at,
        printed_on: format!(
            "{} {}:{:02}",
            day_long(local.date()),
            local.hour(),
            local.minute()
        ),
        printed_by: printed_by.to_owned(),
        person: slip_person(record, today),
        reception: forms::Reception {
            held: format!("{} {}", day_long(entry.received_on), times(entry))
                .trim()
                .to_owned(),
            minutes: entry.minutes.map(|minutes| format!("{minutes}分")),
            channel: lists.label("channel", &entry.channel),
            received_by: record.written_by.clone(),
        },
        caller: forms::Caller {
            kind: some(&lists.label("caller_kind", &entry.caller_kind)),
            name: some(&entry.caller_name),
            relation: some(&entry.caller_relation),
            contact: some(&entry.caller_contact),
        },
        consultation: slip_consultation(entry, lists),
        corrections,
        withdrawal: record.withdrawal.as_ref().map(|step| forms::Withdrawal {
            by: step.by.clone(),
            at: moment(&step.at),
            reason: step.words.clone(),
        }),
    }
}

fn slip_consultation(entry: &Entry, lists: &Lists) -> forms::Consultation {
    let labels = |field: &str, codes: &[String]| -> Vec<String> {
        codes.iter().map(|code| lists.label(field, code)).collect()
    };
    let next = forms::NextContact {
        on: entry
            .next_due_on
            .map_or_else(|| "期限なし".to_owned(), day_long),
        what: some(&entry.next_action),
    };
    let asked = entry.next_due_on.is_some() || !entry.next_action.is_empty();
    forms::Consultation {
        topics: labels("categories", &entry.categories),
        urgency: some(&lists.label("urgency", &entry.urgency)),
        content: entry.content.clone(),
        response: entry.response.clone(),
        response_kinds: labels("responses", &entry.responses),
        referred_to: some(&entry.referred_to),
        outcome: some(&outcome(entry, lists)),
        next: asked.then_some(next),
    }
}

/// 終結（解決）, or the outcome alone.
pub(super) fn outcome(entry: &Entry, lists: &Lists) -> String {
    let outcome = lists.label("outcome", &entry.outcome);
    let reason = lists.label("closing_reason", &entry.closing_reason);
    if reason.is_empty() {
        outcome
    } else {
        format!("{outcome}（{reason}）")
    }
}

/// 10:05～10:30.
pub(super) fn times(entry: &Entry) -> String {
    match (entry.started_at.as_str(), entry.ended_at.as_str()) {
        ("", "") => String::new(),
        (from, to) => format!("{from}～{to}"),
    }
}

fn slip_person(record: &Record, today: Date) -> Option<forms::Person> {
    let Some(person) = &record.person else {
        let told = some(&record.current.entry.client_name);
        return told.map(|name| forms::Person {
            name: Some(format!("{name}（聞き取り・未特定）")),
            ..forms::Person::default()
        });
    };
    let born = person.born_on.parse::<Date>().ok();
    let period = |from: &Option<String>, to: &Option<String>| {
        let show = |day: &Option<String>| day.as_deref().map(iso_short).unwrap_or_default();
        (from.is_some() || to.is_some()).then(|| format!("{}～{}", show(from), show(to)))
    };
    Some(forms::Person {
        name: some(person.name.reveal()),
        kana: some(person.kana.reveal()),
        born: born.map(|born| format!("{}（{}）", day_long(born), age(person, today))),
        sex: Some(sex(&person.sex).to_owned()),
        address: some(person.address.reveal().trim()),
        phone: some(person.phone.reveal()),
        insured_no: person.insured_no.clone(),
        certification: person.certification.as_ref().map(|(level, from, to)| {
            forms::Certification {
                level: level_label(level).to_owned(),
                period: period(from, to),
            }
        }),
    })
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// 元年 and the like: the day a form starts with.
pub(super) fn today_typed(today: Date) -> String {
    wareki::Wareki::from_date(today).map_or_else(|_| today.to_string(), Wareki::short)
}

/// Whom a row of the list is about.
pub(super) fn who(
    name: Option<&base::secrecy::PersonName>,
    identified: bool,
    told: &base::secrecy::PersonName,
) -> String {
    match (name, identified, told.reveal()) {
        (Some(name), ..) => name.reveal().to_owned(),
        (None, true, _) => "担当の範囲外の方".to_owned(),
        (None, false, "") => "不明".to_owned(),
        (None, false, told) => format!("{told}（未特定）"),
    }
}
