//! Incidents in words.

use std::collections::BTreeSet;

use base::secrecy::PersonName;
use base::wareki::Wareki;
use jiff::civil::Date;
use store::{Operation, ResidentId};

use super::model::{CLOSED, Criterion, Incident, Kind, REOPENED, Step, StepKind, TextKind};
use super::rules::Clock;
use super::store::{Kept, Touched};
pub(super) use crate::web::banner::moment;
use crate::web::veil;

/// R8.11.24.
pub(super) fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

fn stored_day(iso: &str) -> String {
    iso.parse().map_or_else(|_| iso.to_owned(), day)
}

/// One choice of a list or one box.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: String,
    pub(super) selected: bool,
}

pub(super) fn kinds(chosen: &str) -> Vec<Choice> {
    let known = Kind::ALL.iter().map(|kind| (kind.code(), kind.label()));
    choices(std::iter::once(("", "選んでください")).chain(known), chosen)
}

pub(super) fn step_kinds(chosen: &str) -> Vec<Choice> {
    let known = StepKind::ALL.iter().map(|kind| (kind.code(), kind.label()));
    choices(std::iter::once(("", "選んでください")).chain(known), chosen)
}

fn choices<'c>(known: impl Iterator<Item = (&'static str, &'c str)>, chosen: &str) -> Vec<Choice> {
    known
        .map(|(value, label)| Choice {
            value,
            label: label.to_owned(),
            selected: value == chosen,
        })
        .collect()
}

/// One box of the four, with what it means here.
pub(super) struct CriterionBox {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) selected: bool,
}

pub(super) fn criteria(chosen: &[Criterion]) -> Vec<CriterionBox> {
    let one = |criterion: &Criterion| CriterionBox {
        value: criterion.code(),
        label: criterion.label(),
        hint: criterion.hint(),
        selected: chosen.contains(criterion),
    };
    Criterion::ALL.iter().map(one).collect()
}

/// One incident of the list.
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) title: String,
    pub(super) kind: &'static str,
    pub(super) centre: String,
    pub(super) known_on: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    pub(super) next: String,
    pub(super) next_css: &'static str,
}

pub(super) fn line(incident: &Incident, clocks: &[Clock], today: Date) -> Line {
    let (css, state) = state(incident);
    let waiting = clocks.iter().filter(|clock| clock.done_on.is_none());
    let next = waiting.min_by_key(|clock| clock.due_on.unwrap_or(Date::MAX));
    let next =
        next.filter(|_| !incident.is_closed() && incident.known.must_report() != Some(false));
    let (next_css, next) = next.map_or(("", String::new()), |clock| {
        let words = clock_words(clock, today);
        (
            words.css,
            format!("{}：{} {}", words.label, words.due, words.left),
        )
    });
    Line {
        id: incident.id.0,
        title: incident.known.title.clone(),
        kind: incident.known.kind.label(),
        centre: centre(incident),
        known_on: day(incident.known.known_on),
        css,
        state,
        next,
        next_css,
    }
}

pub(super) fn centre(incident: &Incident) -> String {
    incident.centre.clone().unwrap_or_else(|| "市".to_owned())
}

pub(super) fn state(incident: &Incident) -> (&'static str, &'static str) {
    if incident.is_closed() {
        ("ok", "終結")
    } else if incident.known.must_report().is_none() {
        ("warn", "判断待ち")
    } else {
        ("warn", "対応中")
    }
}

/// One clock of the page.
pub(super) struct ClockWords {
    pub(super) label: String,
    pub(super) due: String,
    pub(super) css: &'static str,
    pub(super) left: String,
    pub(super) source: String,
    pub(super) unconfirmed: bool,
}

pub(super) fn clock_words(clock: &Clock, today: Date) -> ClockWords {
    let due = clock
        .due_on
        .map_or_else(|| "速やかに".to_owned(), |due| format!("{}まで", day(due)));
    let days = clock
        .due_on
        .map(|due| today.until(due).map_or(i32::MAX, |span| span.get_days()));
    let (css, left) = match (&clock.done_on, days) {
        (Some(done), _) => ("ok", format!("済み（{}）", stored_day(done))),
        (None, Some(days)) if days < 0 => ("error solid", format!("{}日超過", -days)),
        (None, Some(0)) => ("error", "今日まで".to_owned()),
        (None, Some(days)) => {
            let urgent = clock.warn_on.is_some_and(|warn| today >= warn);
            (
                if urgent { "warn" } else { "info" },
                format!("あと{days}日"),
            )
        }
        (None, None) => ("warn", "まだ".to_owned()),
    };
    ClockWords {
        label: clock.label.clone(),
        due,
        css,
        left,
        source: clock.source.clone(),
        unconfirmed: clock.unconfirmed,
    }
}

/// One step of the timeline.
pub(super) struct StepWords {
    pub(super) held_on: String,
    pub(super) kind: String,
    pub(super) note: String,
    pub(super) by: String,
}

pub(super) fn step(step: &Step) -> StepWords {
    let label = match step.kind.as_str() {
        CLOSED => "終結",
        REOPENED => "再開",
        code => StepKind::from_code(code).map_or("その他", StepKind::label),
    };
    StepWords {
        held_on: stored_day(&step.held_on),
        kind: label.to_owned(),
        note: step.note.clone(),
        by: format!("{}（{}）", step.by, moment(&step.at)),
    }
}

/// Label and text of what is known, for the page.
pub(super) fn facts(incident: &Incident) -> Vec<(&'static str, String)> {
    let known = &incident.known;
    let told = |text: &str| {
        if text.is_empty() {
            "―".to_owned()
        } else {
            text.to_owned()
        }
    };
    vec![
        ("何が起きたか", known.kind.label().to_owned()),
        ("知った日", day(known.known_on)),
        ("起きた日時", told(&known.happened)),
        ("概要", known.summary.clone()),
        ("個人情報の項目", told(&known.items)),
        (
            "本人の数",
            known
                .persons
                .map_or_else(|| "不明".to_owned(), |count| format!("{count}人")),
        ),
        ("原因", told(&known.cause)),
        ("二次被害", told(&known.secondary)),
        ("本人への対応", told(&known.response)),
        ("公表", told(&known.publication)),
        ("再発防止", told(&known.prevention)),
        ("その他", told(&known.other)),
    ]
}

/// What the four boxes say.
pub(super) fn judgement(incident: &Incident) -> (&'static str, String) {
    match incident.known.must_report() {
        None => (
            "warn",
            "まだ判断していません。当たるものがあるとして、期限を数えています。".to_owned(),
        ),
        Some(false) => (
            "",
            "どれにも当たりません。法律の報告の義務はありません（任意の報告はできます）。"
                .to_owned(),
        ),
        Some(true) => {
            let labels: Vec<&str> = incident.known.criteria.iter().map(|c| c.label()).collect();
            (
                "error",
                format!("報告と通知が必要です：{}", labels.join("、")),
            )
        }
    }
}

/// Which texts there are, with the way to them.
pub(super) struct TextLink {
    pub(super) code: &'static str,
    pub(super) label: &'static str,
    pub(super) state: String,
}

pub(super) fn text_link(kind: TextKind, newest: Option<(i64, &str)>) -> TextLink {
    TextLink {
        code: kind.code(),
        label: kind.label(),
        state: newest.map_or_else(
            || "下書き（まだ保存していません）".to_owned(),
            |(version, at)| format!("第{version}版（{}）", moment(at)),
        ),
    }
}

/// One folder of evidence.
pub(super) struct KeptWords {
    pub(super) folder: String,
    pub(super) reason: String,
    pub(super) span: String,
    pub(super) size: String,
    pub(super) sum: String,
    pub(super) by: String,
}

pub(super) fn kept(kept: &Kept) -> KeptWords {
    KeptWords {
        folder: kept.folder.clone(),
        reason: kept.reason.clone(),
        span: format!(
            "{}～{}",
            stored_day(&kept.first_on),
            stored_day(&kept.last_on)
        ),
        size: format!("ログ{}件、{}MB", kept.rows, kept.bytes / 1_000_000),
        sum: kept.sums_sha256.clone(),
        by: format!("{}（{}）", kept.by, moment(&kept.at)),
    }
}

/// One line of the list of touched records.
pub(super) struct TouchedWords {
    pub(super) resident: i64,
    pub(super) person: String,
    pub(super) named: bool,
    pub(super) staff: String,
    pub(super) login: String,
    pub(super) count: i64,
    pub(super) first_at: String,
    pub(super) last_at: String,
    pub(super) operations: String,
}

pub(super) fn touched(row: &Touched, names: &[(ResidentId, PersonName)]) -> TouchedWords {
    let name = names.iter().find(|(id, _)| *id == row.resident);
    let label =
        |code: String| Operation::from_code(&code).map_or(code, |known| known.label().to_owned());
    // Entries about abuse cases tell their readers no more here than in the log.
    let shown = row.operations.split(',');
    let shown = shown.map(|code| veil::shown(code.to_owned(), true));
    let operations: BTreeSet<String> = shown.map(label).collect();
    TouchedWords {
        resident: row.resident.0,
        person: name.map_or_else(
            || format!("対象者番号 {}", row.resident),
            |(_, name)| name.reveal().to_owned(),
        ),
        named: name.is_some(),
        staff: row.staff.clone(),
        login: row.login.clone(),
        count: row.count,
        first_at: moment(&row.first_at),
        last_at: moment(&row.last_at),
        operations: operations.into_iter().collect::<Vec<_>>().join("、"),
    }
}
