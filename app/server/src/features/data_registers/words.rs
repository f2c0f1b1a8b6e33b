//! Days and moments in words, and choices of menus.

use base::clock::japan;
use base::wareki::{self, Wareki};
use jiff::Timestamp;
use jiff::civil::Date;

/// R8.11.24.
pub(super) fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

/// The same from a stored day.
pub(super) fn stored_day(iso: &str) -> String {
    iso.parse().map_or_else(|_| iso.to_owned(), day)
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

/// A day as people type it; `今日` is today.
pub(super) fn read_day(typed: &str, today: Date) -> Option<Date> {
    if typed == "今日" {
        Some(today)
    } else {
        wareki::parse(typed).ok().and_then(|read| read.date.full())
    }
}

/// Old and new of a field, cut for the access log.
pub(super) fn change(label: &str, old: &str, new: &str) -> String {
    let brief = |value: &str| -> String {
        let short: String = value.chars().take(60).collect();
        let more = if short.len() < value.len() { "…" } else { "" };
        let plain = if short.is_empty() {
            "（なし）"
        } else {
            &short
        };
        format!("{plain}{more}").replace('\n', " ")
    };
    format!("{label}：{}→{}", brief(old), brief(new))
}
