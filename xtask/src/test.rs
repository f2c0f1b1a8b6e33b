//! `test`: runs the suites, then says what each took and how it ended.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::count::{self, Count};
use crate::need::Need;
use crate::suites::{self, Size, Suite};
use crate::{Problem, Verdict, environment, runner, say, setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run this suite only; may be given several times.
    #[arg(long, value_name = "SUITE")]
    only: Vec<String>,
    /// The big numbers: hours, not for CI.
    #[arg(long)]
    long: bool,
}

/// How a suite ended.
#[derive(Debug)]
enum Outcome {
    Ran(Count),
    /// It needs something that this machine has not.
    Skipped(String),
}

struct Row {
    name: &'static str,
    took: Duration,
    outcome: Outcome,
}

/// `cargo xtask test`.
pub(crate) fn run(arguments: &Arguments) -> Result<Verdict, Problem> {
    let size = if arguments.long {
        Size::Long
    } else {
        Size::Everyday
    };
    let suites = chosen(suites::all(&workspace::packages()?, size), &arguments.only)?;
    let missing = setup::meet(&needs(&suites));
    let mut rows = Vec::new();
    for suite in &suites {
        say::heading(&format!("{}: {}", suite.name, suite.question));
        let started = Instant::now();
        let outcome = outcome(suite, &missing)?;
        let row = Row {
            name: suite.name,
            took: started.elapsed(),
            outcome,
        };
        say::line(&row.line());
        rows.push(row);
    }
    Ok(conclude(&rows))
}

fn chosen(suites: Vec<Suite>, only: &[String]) -> Result<Vec<Suite>, Problem> {
    let known = suites.iter().map(|suite| suite.name).collect::<Vec<_>>();
    if let Some(name) = only.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Problem::UnknownSuite {
            name: name.clone(),
            known: known.join(", "),
        });
    }
    let wanted = |suite: &Suite| only.is_empty() || only.iter().any(|name| name == suite.name);
    Ok(suites.into_iter().filter(wanted).collect())
}

fn needs(suites: &[Suite]) -> Vec<Need> {
    let needs: BTreeSet<Need> = suites
        .iter()
        .flat_map(|suite| suite.needs.clone())
        .collect();
    needs.into_iter().collect()
}

fn outcome(suite: &Suite, missing: &[Need]) -> Result<Outcome, Problem> {
    let lacking: Vec<&Need> = suite
        .needs
        .iter()
        .filter(|need| missing.contains(need))
        .collect();
    if !lacking.is_empty() {
        return Ok(Outcome::Skipped(format!(
            "missing on this machine: {lacking:?}"
        )));
    }
    let mut total = Count::default();
    for step in &suite.steps {
        let count = match runner::show(step, &workspace::root()) {
            Ok(ended) => count::of(&ended),
            Err(problem) => {
                say::problem(&problem);
                Count::ONE_FAILED
            }
        };
        total = total.plus(count);
        if count.failed > 0 {
            break; // The next step of a suite builds on this one.
        }
    }
    Ok(Outcome::Ran(total))
}

fn conclude(rows: &[Row]) -> Verdict {
    say::heading("suites");
    for row in rows {
        say::line(&row.line());
    }
    let minutes = minutes(rows.iter().map(|row| row.took).sum());
    // In CI a suite that did not run is a failure: nobody reads a remark there.
    let skip = if environment::is_ci() {
        Count::ONE_FAILED
    } else {
        Count::default()
    };
    let total = rows
        .iter()
        .map(|row| row.count(skip))
        .fold(Count::default(), Count::plus);
    say::line(&format!("{:<14} {minutes:>6} min", "total"));
    say::line(&last_line(total));
    if total.failed == 0 {
        Verdict::Holds
    } else {
        Verdict::DoesNotHold
    }
}

/// The line that machines look for.
fn last_line(total: Count) -> String {
    format!("{} passed, {} failed", total.passed, total.failed)
}

fn minutes(took: Duration) -> String {
    format!("{:.1}", took.as_secs_f64() / 60.0)
}

impl Row {
    fn line(&self) -> String {
        let said = match &self.outcome {
            Outcome::Ran(Count { passed, failed: 0 }) => format!("{passed} passed"),
            Outcome::Ran(Count { passed, failed }) => format!("{passed} passed, {failed} FAILED"),
            Outcome::Skipped(reason) => format!("skipped: {reason}"),
        };
        format!("{:<14} {:>6} min  {said}", self.name, minutes(self.took))
    }

    fn count(&self, skip: Count) -> Count {
        match self.outcome {
            Outcome::Ran(count) => count,
            Outcome::Skipped(_) => skip,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(outcome: Outcome) -> Row {
        Row {
            name: "units",
            took: Duration::from_secs(90),
            outcome,
        }
    }

    #[test]
    fn a_row_names_minutes_and_failures() {
        let row = row(Outcome::Ran(Count {
            passed: 3,
            failed: 1,
        }));
        assert_eq!(row.line(), "units             1.5 min  3 passed, 1 FAILED");
    }

    #[test]
    fn the_last_line_has_the_form_that_machines_look_for() {
        assert_eq!(
            last_line(Count {
                passed: 412,
                failed: 0
            }),
            "412 passed, 0 failed"
        );
    }

    #[test]
    fn a_skip_counts_as_what_this_run_makes_of_skips() {
        let skipped = row(Outcome::Skipped(
            "missing on this machine: [Restic]".to_owned(),
        ));
        assert_eq!(skipped.count(Count::ONE_FAILED), Count::ONE_FAILED);
        let ran = row(Outcome::Ran(Count::ONE_PASSED));
        assert_eq!(ran.count(Count::ONE_FAILED), Count::ONE_PASSED);
    }

    #[test]
    fn an_unknown_suite_is_refused_with_the_known_ones() {
        let suites = suites::all(&BTreeSet::new(), Size::Everyday);
        let problem = chosen(suites, &["unit".to_owned()]).unwrap_err();
        assert_eq!(
            problem.to_string(),
            "no suite is called 'unit'; there are: format, tidy, lint, deny, build, units, \
             compile-fail"
        );
    }
}
