//! The result: a table for people on stderr, one JSON object for machines on stdout.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this module is the way out"
)]

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::backup::{Comparison, Lag};
use crate::city::CityFacts;
use crate::figure::{Figure, Side};
use crate::machine::Machine;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// Everything that a run found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) city: CityFacts,
    pub(crate) figures: Vec<Figure>,
    /// Tools for backups, side by side.
    pub(crate) comparison: Option<Comparison>,
    pub(crate) lags: Vec<Lag>,
    /// Figures that could not be measured at all, each with its reason.
    pub(crate) problems: Vec<String>,
}

impl Report {
    /// Every request was answered, every ceiling is there.
    pub(crate) fn holds(&self) -> bool {
        self.problems.is_empty() && self.flaws().next().is_none()
    }

    fn flaws(&self) -> impl Iterator<Item = String> {
        self.figures.iter().flat_map(|figure| {
            let whose = format!("{} ({})", figure.name, figure.case);
            figure
                .flaws
                .iter()
                .map(move |flaw| format!("{whose}: {flaw}"))
        })
    }

    /// For people.
    fn lines(&self) -> String {
        let machine = &self.machine;
        let changed = if machine.changed { " with changes" } else { "" };
        let memory = machine
            .memory_bytes
            .map_or_else(|| "?".to_owned(), mebibytes);
        let mut text = format!(
            "{} cores ({}), {memory} MiB, profile {}, commit {}{changed}\n{} residents\n{}\n",
            machine.cores,
            machine.processor,
            machine.profile,
            machine.commit,
            self.city.residents,
            table(&self.figures),
        );
        for figure in first_of_each(&self.figures) {
            text.push_str(&format!(
                "{}: the ceiling is {}\n",
                figure.name, figure.ceiling_is
            ));
        }
        if let Some(comparison) = &self.comparison {
            text.push_str(&comparison.lines());
        }
        for lag in &self.lags {
            text.push_str(&lag.line());
        }
        for wrong in self.problems.iter().cloned().chain(self.flaws()) {
            text.push_str(&format!("does not hold: {wrong}\n"));
        }
        text
    }
}

/// Writes it out.
pub(crate) fn write(report: &Report, json: bool) -> Result<(), serde_json::Error> {
    eprintln!("\n{}", report.lines());
    if json {
        println!("{}", serde_json::to_string(report)?);
    }
    Ok(())
}

/// What happens just now.
pub(crate) fn progress(text: &str) {
    eprintln!("{text}");
}

fn first_of_each(figures: &[Figure]) -> impl Iterator<Item = &Figure> {
    let mut named = Vec::new();
    figures.iter().filter(move |figure| {
        let new = !named.contains(&figure.name);
        named.push(figure.name);
        new
    })
}

fn table(figures: &[Figure]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header([
        "figure",
        "case",
        "samples",
        "p50 ms",
        "p99 ms",
        "bare p50",
        "bare p99",
        "share p50",
        "share p99",
        "unit",
        "per s",
        "bare per s",
        "share",
        "peak MiB",
        "failed",
    ]);
    for figure in figures {
        table.add_row(row(figure));
    }
    for (column, place) in table.column_iter_mut().zip(0_usize..) {
        if place > 1 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn row(figure: &Figure) -> [String; 15] {
    let share = figure.share.as_ref();
    let percent = |part: Option<f64>| part.map_or_else(none, |p| format!("{:.1} %", p * 100.0));
    let Side { samples, .. } = figure.ours;
    [
        figure.name.to_owned(),
        figure.case.clone(),
        samples.to_string(),
        milliseconds(figure.ours.p50_us),
        milliseconds(figure.ours.p99_us),
        milliseconds(figure.ceiling.p50_us),
        milliseconds(figure.ceiling.p99_us),
        percent(share.map(|share| share.p50)),
        percent(share.map(|share| share.p99)),
        figure.unit.to_owned(),
        per_second(figure.ours.units_per_second),
        per_second(figure.ceiling.units_per_second),
        percent(share.map(|share| share.rate)),
        figure.peak_memory_bytes.map_or_else(none, mebibytes),
        figure.failed.to_string(),
    ]
}

fn none() -> String {
    "-".to_owned()
}

fn milliseconds(microseconds: Option<f64>) -> String {
    microseconds.map_or_else(none, |us| format!("{:.2}", us / 1_000.0))
}

fn per_second(rate: Option<f64>) -> String {
    rate.map_or_else(none, |rate| format!("{rate:.0}"))
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    let kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    format!("{:.0}", f64::from(kibibytes) * 1024.0 / MEBIBYTE)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::figure::Measured;

    fn report(measured: Vec<Measured>) -> Report {
        Report {
            machine: Machine {
                cores: 2,
                processor: "invented".to_owned(),
                memory_bytes: Some(2 * 1024 * 1024),
                profile: "release".to_owned(),
                debug_assertions: false,
                commit: "abc".to_owned(),
                changed: false,
            },
            city: CityFacts {
                residents: 84_677,
                built_in_seconds: None,
                build_peak_memory_bytes: None,
            },
            figures: measured.into_iter().map(Figure::from).collect(),
            comparison: None,
            lags: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn whole(ours_ms: u64, ceiling_ms: u64) -> Measured {
        let mut measured = Measured::new("find", "city", "bare SQL", "requests").unwrap();
        measured.ours.add(Duration::from_millis(ours_ms), 1);
        measured.ceiling.add(Duration::from_millis(ceiling_ms), 1);
        measured.peak_memory = Some(3 * 1024 * 1024);
        measured
    }

    #[test]
    fn a_whole_run_holds_and_shows_shares() {
        let report = report(vec![whole(20, 5)]);
        assert!(report.holds());
        let text = report.lines();
        assert!(text.contains("25.0 %"), "{text}");
        assert!(text.contains("find: the ceiling is bare SQL"), "{text}");
        assert!(!text.contains("does not hold"), "{text}");
    }

    #[test]
    fn one_failed_request_in_one_figure_makes_the_run_not_hold_and_is_told() {
        let mut failed = whole(20, 5);
        failed.failures.add("/residents answered 500");
        let report = report(vec![whole(20, 5), failed]);
        assert!(!report.holds());
        let text = report.lines();
        let told = "does not hold: find (city): 1 failed: /residents answered 500";
        assert!(text.contains(told), "{text}");
    }

    #[test]
    fn a_ceiling_of_nothing_makes_the_run_not_hold_and_shows_no_share() {
        let mut unmeasured = Measured::new("save", "city", "bare", "requests").unwrap();
        unmeasured.ours.add(Duration::from_millis(5), 1);
        unmeasured.peak_memory = Some(1);
        let report = report(vec![unmeasured]);
        assert!(!report.holds());
        assert!(!report.lines().contains('%'));
        let json = serde_json::to_value(&report).unwrap();
        assert!(json["figures"][0]["share"].is_null());
        assert_eq!(
            json["figures"][0]["flaws"][0],
            "the ceiling was never measured"
        );
    }

    #[test]
    fn a_figure_that_could_not_be_measured_makes_the_run_not_hold() {
        let mut report = report(vec![whole(20, 5)]);
        report.problems.push("clients: port taken".to_owned());
        assert!(!report.holds());
        assert!(
            report
                .lines()
                .contains("does not hold: clients: port taken")
        );
    }
}
