//! Rules and days; no I/O.

use std::sync::LazyLock;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

const RULES: &str = include_str!("../../../data/retention.toml");

/// Records of one request. More are asked for in several.
pub(super) const RECORDS_MAX: usize = 2_000;

/// How long the records of a class are kept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) class: String,
    pub(super) label: String,
    pub(super) begins: String,
    pub(super) years: i64,
    pub(super) ground: String,
    pub(super) source: String,
    valid_from: toml::value::Datetime,
    #[serde(default)]
    pub(super) unconfirmed: bool,
}

#[derive(Deserialize)]
struct RulesFile {
    rules: Vec<Rule>,
}

fn all() -> &'static [Rule] {
    static ALL: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let file: Result<RulesFile, _> = toml::from_str(RULES);
        file.map(|file| file.rules).unwrap_or_default()
    });
    &ALL
}

/// The rules that hold on a day, in the order of the file.
pub(super) fn rules_on(day: Date) -> Vec<&'static Rule> {
    let iso = day.to_string();
    let holds = |rule: &&Rule| rule.valid_from.to_string() <= iso;
    let newest = |rule: &&'static Rule| {
        let later = all().iter().filter(holds).filter(|other| {
            other.class == rule.class && other.valid_from.to_string() > rule.valid_from.to_string()
        });
        later.count() == 0
    };
    all().iter().filter(holds).filter(newest).collect()
}

impl Rule {
    /// Records whose day lies before this one are due on `on`: the fiscal year of their day ended,
    /// and `years` of fiscal years after it.
    pub(super) fn limit(&self, on: Date) -> Date {
        fiscal_year(on).saturating_sub(self.years.years())
    }

    /// As it is written down with a request.
    pub(super) fn words(&self) -> String {
        let mark = if self.unconfirmed {
            "（未確認）"
        } else {
            ""
        };
        format!(
            "{}の翌年度4月1日から{}年。根拠：{}{mark}",
            self.begins, self.years, self.ground
        )
    }
}

/// The 1 April on or before a day.
fn fiscal_year(day: Date) -> Date {
    let this = Date::new(day.year(), 4, 1).unwrap_or(day);
    if day < this {
        this.saturating_sub(1.years())
    } else {
        this
    }
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Requested,
    Approved,
    Refused,
    Withdrawn,
    Lapsed,
    Disposed,
}

impl State {
    pub(super) const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Requested => ("warn", "承認待ち"),
            Self::Approved => ("info", "承認済み・廃棄前"),
            Self::Refused => ("", "却下"),
            Self::Withdrawn => ("", "取下げ"),
            Self::Lapsed => ("", "期限切れ"),
            Self::Disposed => ("ok", "廃棄済み"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{fiscal_year, rules_on};

    #[test]
    fn a_record_is_due_when_its_years_after_its_own_fiscal_year_are_over() {
        let rules = rules_on(date(2026, 11, 24));
        let rule = rules.iter().find(|r| r.class == "consultations").unwrap();
        // Received in the fiscal year 2020, which ended on 2021-03-31: kept until 2026-03-31.
        assert_eq!(rule.limit(date(2026, 4, 1)), date(2021, 4, 1));
        assert_eq!(rule.limit(date(2026, 3, 31)), date(2020, 4, 1));
        assert_eq!(fiscal_year(date(2026, 1, 1)), date(2025, 4, 1));
    }

    #[test]
    fn every_rule_tells_ground_and_source_and_each_class_has_one_rule_a_day() {
        let rules = rules_on(date(2026, 11, 24));
        let classes: std::collections::BTreeSet<_> = rules.iter().map(|r| &r.class).collect();
        assert_eq!((rules.len(), classes.len()), (10, 10));
        for rule in rules {
            assert!(rule.years > 0 && !rule.ground.is_empty() && !rule.source.is_empty());
        }
        assert!(rules_on(date(1990, 1, 1)).is_empty());
    }
}
