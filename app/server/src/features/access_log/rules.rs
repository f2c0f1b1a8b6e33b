//! What the city decides about reports: dated data, each with its source.

use jiff::civil::Date;
use serde::Deserialize;

use crate::web::Problem;

const DATA: &str = include_str!("../../../data/access_log.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    disclosure: Vec<Disclosure>,
}

/// How a report for a 開示請求 names staff.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Disclosure {
    pub(super) valid_from: Date,
    /// With their names; otherwise organisation and profession only.
    pub(super) staff_names: bool,
    /// The rule behind it.
    pub(super) source: String,
    /// Still to be confirmed by the city.
    pub(super) unconfirmed: bool,
}

/// The rule of a day.
pub(super) fn disclosure(on: Date) -> Result<Disclosure, Problem> {
    let data: Data = toml::from_str(DATA).or(Err(Problem::Fault("access_log.toml")))?;
    let rules = data.disclosure.into_iter();
    rules
        .filter(|rule| rule.valid_from <= on)
        .max_by_key(|rule| rule.valid_from)
        .ok_or(Problem::Fault("no rule about reports on that day"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::disclosure;

    #[test]
    fn names_are_left_out_until_the_city_decides_otherwise() {
        let rule = disclosure(date(2026, 11, 24)).unwrap();
        assert!(!rule.staff_names && rule.unconfirmed);
        assert!(rule.source.contains("第78条"));
        assert!(disclosure(date(2000, 1, 1)).is_err());
    }
}
