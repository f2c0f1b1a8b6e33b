//! The clocks as dated data, and what they say of one incident.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Deserialize;

use super::model::{Criterion, Incident, StepKind};
use crate::web::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    clocks: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    kind: String,
    #[serde(default)]
    wrongful: bool,
    label: String,
    days: Option<i32>,
    warn_days: Option<i32>,
    valid_from: toml::value::Datetime,
    valid_to: Option<toml::value::Datetime>,
    source: String,
    unconfirmed: bool,
}

/// One clock of one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) label: String,
    /// Last day; nothing says only "promptly".
    pub(super) due_on: Option<Date>,
    /// From here on it is urgent.
    pub(super) warn_on: Option<Date>,
    pub(super) done_on: Option<String>,
    pub(super) source: String,
    pub(super) unconfirmed: bool,
}

fn day(stored: &toml::value::Datetime) -> Option<Date> {
    stored.to_string().parse().ok()
}

/// The clocks that run for an incident that must be reported.
pub(super) fn clocks(incident: &Incident) -> Result<Vec<Clock>, Problem> {
    let rules: Rules = toml::from_str(include_str!("rules.toml"))
        .or(Err(Problem::Fault("the clocks of the law cannot be read")))?;
    let known_on = incident.known.known_on;
    let wrongful = incident.known.meets(Criterion::Wrongful);
    let nth =
        |days: Option<i32>| days.map(|days| known_on.saturating_add(days.saturating_sub(1).days()));
    let holds = |rule: &&Rule| {
        let begun = day(&rule.valid_from).is_some_and(|from| from <= known_on);
        let ended = rule
            .valid_to
            .as_ref()
            .and_then(day)
            .is_some_and(|to| to < known_on);
        let fits = rule.kind != "final" || rule.wrongful == wrongful;
        begun && !ended && fits
    };
    let clocks = rules.clocks.iter().filter(holds).map(|rule| Clock {
        label: rule.label.clone(),
        due_on: nth(rule.days),
        warn_on: nth(rule.warn_days),
        done_on: StepKind::from_code(&rule.kind)
            .and_then(|kind| incident.done_on(kind))
            .map(str::to_owned),
        source: rule.source.clone(),
        unconfirmed: rule.unconfirmed,
    });
    Ok(clocks.collect())
}
