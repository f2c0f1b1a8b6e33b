//! A person in words: what all parts of the page share.

mod cards;
mod head;
mod origin;
mod timeline;

pub(super) use cards::{
    CertificationWords, ContactWords, InsuranceWords, MemberWords, certification, contact,
    insurance, member,
};
pub(super) use head::{Head, Warning, head, warnings};
pub(super) use origin::origin;
pub(super) use timeline::{TimelineWords, timeline};

use base::clock::japan;
use base::wareki::{Wareki, age_on};
use jiff::Timestamp;
use jiff::civil::Date;

use super::model::ShieldReason;

/// 昭和12年3月4日.
fn day_long(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::long)
}

/// R8.11.24.
fn day_short(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

fn day_or_empty(day: Option<Date>) -> String {
    day.map(day_short).unwrap_or_default()
}

/// R8.11.24 16:40, from a stored instant.
pub(in crate::features::residents) fn moment(stored: &str) -> String {
    let Ok(at) = stored.parse::<Timestamp>() else {
        return stored.to_owned();
    };
    let local = japan().to_datetime(at);
    let day = day_short(local.date());
    format!("{day} {:02}:{:02}", local.hour(), local.minute())
}

/// A telephone number in groups: `0484610000` becomes `048-461-0000`. What was delivered with
/// its groups, or is no number, stays as it is.
pub(in crate::features::residents) fn phone_grouped(stored: &str) -> String {
    let digits = stored.bytes().all(|byte| byte.is_ascii_digit());
    let (first, second) = match (stored.len(), stored.get(..2), stored.get(..4)) {
        (11, _, Some("0800")) => (4, 7),
        (11, ..) => (3, 7),
        (10, _, Some("0120" | "0570")) => (4, 7),
        (10, Some("03" | "06"), _) => (2, 6),
        (10, ..) => (3, 6),
        _ => return stored.to_owned(),
    };
    let parts = (
        stored.get(..first),
        stored.get(first..second),
        stored.get(second..),
    );
    match parts {
        (Some(area), Some(office), Some(line)) if digits => format!("{area}-{office}-{line}"),
        _ => stored.to_owned(),
    }
}

fn sex(code: &str) -> &'static str {
    match code {
        "1" => "男性",
        "2" => "女性",
        _ => "性別不明",
    }
}

fn age(born_on: Option<Date>, on: Date) -> String {
    born_on
        .and_then(|born| age_on(born, on))
        .map_or_else(|| "年齢不明".to_owned(), |age| format!("{age}歳"))
}

/// A choice of a list.
pub(super) struct Choice {
    pub(super) value: &'static str,
    pub(super) label: &'static str,
    pub(super) selected: bool,
}

pub(super) fn reasons() -> Vec<Choice> {
    ShieldReason::ALL
        .iter()
        .map(|reason| Choice {
            value: reason.code(),
            label: reason.label(),
            selected: false,
        })
        .collect()
}

/// A coloured word.
pub(super) struct Tag {
    pub(super) css: &'static str,
    pub(super) label: String,
}

fn period(from: Option<Date>, to: Option<Date>) -> String {
    match (from, to) {
        (None, None) => String::new(),
        (from, to) => format!("{}～{}", day_or_empty(from), day_or_empty(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::phone_grouped;

    #[test]
    fn a_telephone_number_is_read_in_groups() {
        for (stored, shown) in [
            ("0484610000", "048-461-0000"),
            ("0300001111", "03-0000-1111"),
            ("09000001111", "090-0000-1111"),
            ("0120000111", "0120-000-111"),
            ("08000001111", "0800-000-1111"),
            ("048-461-0000", "048-461-0000"),
            ("", ""),
            ("なし（携帯）", "なし（携帯）"),
            ("0484610000x", "0484610000x"),
        ] {
            assert_eq!(phone_grouped(stored), shown, "{stored}");
        }
    }
}
