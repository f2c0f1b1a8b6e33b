//! Days and instants as staff read them.

use base::wareki::Wareki;
use jiff::Timestamp;
use jiff::civil::Date;

/// 令和8年11月24日.
pub(crate) fn day_long(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::long)
}

/// R8.11.24.
pub(crate) fn day_short(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

/// R8.11.24 16:40, from a stored instant; what cannot be read stays as it is.
pub(crate) fn moment(stored: &str) -> String {
    let Ok(at) = stored.parse::<Timestamp>() else {
        return stored.to_owned();
    };
    let local = base::clock::japan().to_datetime(at);
    let day = day_short(local.date());
    format!("{day} {:02}:{:02}", local.hour(), local.minute())
}
