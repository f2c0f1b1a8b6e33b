//! How long before its end a certificate is told of: dated data (`data/terminals.toml`).

use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;

const DATA: &str = include_str!("../../data/terminals.toml");

/// Without a row for the day nothing is told of; a test keeps the data readable.
static ROWS: LazyLock<Vec<Terms>> = LazyLock::new(|| {
    let data: Result<Data, _> = toml::from_str(DATA);
    data.map(|data| data.certificates).unwrap_or_default()
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    certificates: Vec<Terms>,
}

/// Days before the end, for each sort of certificate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    valid_from: Date,
    /// Of a terminal: from then on it can renew itself.
    pub terminal_days: i32,
    /// Of the service.
    pub server_days: i32,
    /// Of the authority.
    pub authority_days: i32,
    /// Why so many.
    pub source: String,
}

/// What holds on a day.
pub fn on(day: Date) -> Option<&'static Terms> {
    let begun = ROWS.iter().filter(|row| row.valid_from <= day);
    begun.max_by_key(|row| row.valid_from)
}

/// Whole days that are left after `today`; negative when it is over.
pub fn days_left(ends_on: Date, today: Date) -> i32 {
    (ends_on - today).get_days()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_data_are_readable_and_hold_from_their_day_on() {
        assert!(on(date(2026, 3, 31)).is_none());
        let terms = on(date(2026, 4, 1)).unwrap();
        assert!(terms.terminal_days > 0 && terms.server_days > 0 && terms.authority_days > 0);
        assert!(!terms.source.is_empty());
    }

    #[test]
    fn days_are_counted_across_months_and_years() {
        assert_eq!(days_left(date(2027, 1, 31), date(2026, 11, 24)), 68);
        assert_eq!(days_left(date(2026, 11, 24), date(2026, 11, 24)), 0);
        assert_eq!(days_left(date(2026, 11, 23), date(2026, 11, 24)), -1);
    }
}
