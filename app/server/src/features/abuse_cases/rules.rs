//! The clocks as dated data, and what they say of one case.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::model::{Case, StepKind};
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
    label: String,
    types: Vec<String>,
    warn_hours: i64,
    due_hours: i64,
    valid_from: toml::value::Datetime,
    source: String,
    unconfirmed: bool,
}

/// One clock of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) label: String,
    /// From here on it is urgent.
    pub(super) warn_at: Timestamp,
    pub(super) due_at: Timestamp,
    pub(super) done_at: Option<Timestamp>,
    pub(super) source: String,
    pub(super) unconfirmed: bool,
}

fn after(from: Timestamp, hours: i64) -> Timestamp {
    from.checked_add(SignedDuration::from_hours(hours))
        .unwrap_or(from)
}

/// The clocks that run for a case; none once it was withdrawn.
pub(super) fn clocks(case: &Case) -> Result<Vec<Clock>, Problem> {
    let rules: Rules = toml::from_str(include_str!("rules.toml"))
        .or(Err(Problem::Fault("the clocks of a case cannot be read")))?;
    let reported = case.known.reported();
    let day = case.known.reported_on.to_string();
    let holds = |rule: &&Rule| {
        let begun = rule.valid_from.to_string() <= day;
        let fits = rule.types.iter().any(|t| t == case.known.case_type.code());
        begun && fits && case.withdrawal.is_none()
    };
    let clocks = rules.clocks.iter().filter(holds).map(|rule| Clock {
        label: rule.label.clone(),
        warn_at: after(reported, rule.warn_hours),
        due_at: after(reported, rule.due_hours),
        done_at: if rule.kind == "safety" {
            case.safe_at()
        } else {
            StepKind::from_code(&rule.kind).and_then(|kind| case.first(kind))
        },
        source: rule.source.clone(),
        unconfirmed: rule.unconfirmed,
    });
    Ok(clocks.collect())
}
