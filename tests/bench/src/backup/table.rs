//! The comparison, for people and for machines.

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::child::Ran;

/// All tools on one set.
#[derive(Debug, Serialize)]
pub(crate) struct Comparison {
    /// What there is to save, after two days of work.
    pub(crate) bytes: u64,
    pub(crate) rows: Vec<Row>,
}

/// One tool. Bytes are what its repository grew by.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) tool: &'static str,
    pub(crate) version: String,
    pub(crate) first_seconds: f64,
    pub(crate) unchanged_seconds: Samples,
    pub(crate) day_seconds: f64,
    pub(crate) restore_seconds: f64,
    pub(crate) one_file_seconds: Samples,
    pub(crate) check_seconds: f64,
    pub(crate) first_bytes: u64,
    pub(crate) unchanged_bytes: u64,
    pub(crate) day_bytes: u64,
    /// A second day, saved each hour: all runs together, nothing pruned.
    pub(crate) hours_seconds: Option<f64>,
    pub(crate) hours_bytes: Option<u64>,
    pub(crate) peak_memory_bytes: Option<u64>,
}

/// A short step, several times, in seconds.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(super) fn add(&mut self, seconds: f64) {
        self.0.push(seconds);
        self.0.sort_by(f64::total_cmp);
    }

    /// The median, and in brackets the least and the most.
    fn told(&self) -> String {
        let (least, most) = (self.0.first(), self.0.last());
        let median = self.0.get(self.0.len() / 2);
        match (median, least, most) {
            (Some(median), Some(least), Some(most)) => {
                format!("{median:.2} ({least:.2}-{most:.2})")
            }
            (None, _, _) | (_, None, _) | (_, _, None) => "-".to_owned(),
        }
    }
}

impl Row {
    pub(super) fn of(tool: &'static str, version: String) -> Self {
        Self {
            tool,
            version,
            first_seconds: 0.0,
            unchanged_seconds: Samples::default(),
            day_seconds: 0.0,
            restore_seconds: 0.0,
            one_file_seconds: Samples::default(),
            check_seconds: 0.0,
            first_bytes: 0,
            unchanged_bytes: 0,
            day_bytes: 0,
            hours_seconds: None,
            hours_bytes: None,
            peak_memory_bytes: None,
        }
    }

    pub(super) fn met(&mut self, ran: &Ran) {
        self.peak_memory_bytes = self.peak_memory_bytes.max(ran.peak_memory_bytes);
    }

    /// What is known so far, in the order of the table.
    pub(super) fn told(&self) -> String {
        self.cells().join(" | ")
    }

    fn cells(&self) -> [String; 13] {
        let seconds = |seconds: f64| format!("{seconds:.2}");
        let none = || "-".to_owned();
        [
            self.tool.to_owned(),
            seconds(self.first_seconds),
            self.unchanged_seconds.told(),
            seconds(self.day_seconds),
            seconds(self.restore_seconds),
            self.one_file_seconds.told(),
            seconds(self.check_seconds),
            megabytes(self.first_bytes),
            megabytes(self.unchanged_bytes),
            megabytes(self.day_bytes),
            self.hours_seconds.map_or_else(none, seconds),
            self.hours_bytes.map_or_else(none, megabytes),
            self.peak_memory_bytes
                .map_or_else(none, crate::report::mebibytes),
        ]
    }
}

impl Comparison {
    /// The table, and who the tools are.
    pub(crate) fn lines(&self) -> String {
        let mut table = Table::new();
        table.load_style(presets::ASCII_MARKDOWN).set_header([
            "tool",
            "first s",
            "unchanged s",
            "day s",
            "restore s",
            "one file s",
            "check s",
            "first MB",
            "unchanged MB",
            "day MB",
            "24 hours s",
            "24 hours MB",
            "peak MiB",
        ]);
        for row in &self.rows {
            table.add_row(row.cells());
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let mut text = format!("backup of {} MB\n{table}\n", megabytes(self.bytes));
        for row in &self.rows {
            text.push_str(&format!("{}: {}\n", row.tool, row.version));
        }
        text
    }
}

fn megabytes(bytes: u64) -> String {
    let kilobytes = u32::try_from(bytes / 1000).unwrap_or(u32::MAX);
    format!("{:.1}", f64::from(kilobytes) / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_samples_the_median_counts_and_the_ends_are_told() {
        let mut samples = Samples::default();
        assert_eq!(samples.told(), "-");
        for seconds in [0.9, 0.2, 0.4, 0.3, 0.5] {
            samples.add(seconds);
        }
        assert_eq!(samples.told(), "0.40 (0.20-0.90)");
    }

    #[test]
    fn a_tool_that_replaces_what_it_kept_shows_no_hours() {
        let mut row = Row::of("cp", "9.1".to_owned());
        row.day_bytes = 1_500_000;
        let comparison = Comparison {
            bytes: 2_040_000_000,
            rows: vec![row],
        };
        let text = comparison.lines();
        assert!(text.contains("backup of 2040.0 MB"), "{text}");
        assert!(text.contains("| 1.5 |") || text.contains("1.5 |"), "{text}");
        assert!(text.contains("cp: 9.1"), "{text}");
    }
}
