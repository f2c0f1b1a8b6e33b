//! How long, how many, from when on: dated data.

use std::sync::LazyLock;

use jiff::civil::Date;
use serde::Deserialize;

use crate::web::Problem;

const DATA: &str = include_str!("../../../data/approvals.toml");

/// What holds from a day on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    valid_from: toml::value::Datetime,
    /// Days until a request lapses.
    pub days: u16,
    /// Days within which the second person looks at what worked at once.
    pub urgent_days: u16,
    /// So many days an account is too new for its maker's requests.
    pub account_days: u16,
    /// Persons in a file from which on it needs a second person.
    pub export_persons: usize,
    /// Hours in which an approved file can be fetched.
    pub export_hours: u16,
    /// Percent by which its persons may have become more.
    pub export_more_percent: usize,
    /// Where the numbers come from.
    pub source: String,
    /// The city has not confirmed them.
    pub unconfirmed: bool,
}

#[derive(Deserialize)]
struct TermsFile {
    terms: Vec<Terms>,
}

fn all() -> &'static [Terms] {
    static ALL: LazyLock<Vec<Terms>> = LazyLock::new(|| {
        let file: Result<TermsFile, _> = toml::from_str(DATA);
        file.map(|file| file.terms).unwrap_or_default()
    });
    &ALL
}

impl Terms {
    /// Those of a day.
    ///
    /// # Errors
    /// [`Problem::Fault`] when the data have none for it.
    pub fn of(day: Date) -> Result<&'static Self, Problem> {
        let iso = day.to_string();
        let begun = all().iter().filter(|t| t.valid_from.to_string() <= iso);
        let newest = begun.max_by_key(|terms| terms.valid_from.to_string());
        newest.ok_or(Problem::Fault("no terms of approvals for this day"))
    }

    /// Most persons that may leave when so many were approved.
    pub fn persons_max(&self, approved: usize) -> usize {
        let more = approved.saturating_mul(self.export_more_percent) / 100;
        approved.saturating_add(more)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::Terms;

    #[test]
    fn the_shipped_terms_hold_and_tell_their_source() {
        let terms = Terms::of(date(2026, 11, 24)).unwrap();
        assert!(terms.days > 0 && terms.urgent_days > 0 && terms.account_days > 0);
        assert!(terms.export_persons > 1 && terms.export_hours > 0);
        assert_eq!(terms.persons_max(209), 229);
        assert!(!terms.source.is_empty() && terms.unconfirmed);
        assert!(Terms::of(date(1990, 1, 1)).is_err());
    }
}
