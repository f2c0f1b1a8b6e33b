//! Durations of one kind of work, and how much work was done in how long.

use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};

/// Longest duration that is told apart from a longer one.
const LONGEST: Duration = Duration::from_secs(3600);
/// Digits kept of every duration.
const DIGITS: u8 = 3;

/// What was measured of one side, ours or the ceiling.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    durations: Histogram<u64>,
    busy: Duration,
    units: u32,
}

impl Series {
    pub(crate) fn new() -> Result<Self, CreationError> {
        Ok(Self {
            durations: Histogram::new_with_bounds(1, nanoseconds(LONGEST), DIGITS)?,
            busy: Duration::ZERO,
            units: 0,
        })
    }

    /// One piece of work: how long it took, how many units (pages, rows) came of it.
    pub(crate) fn add(&mut self, took: Duration, units: u32) {
        self.durations.saturating_record(nanoseconds(took));
        self.busy += took;
        self.units = self.units.saturating_add(units);
    }

    /// Takes in another series that ran before or after this one.
    pub(crate) fn take_in(&mut self, other: &Self) {
        self.durations += &other.durations;
        self.busy += other.busy;
        self.units = self.units.saturating_add(other.units);
    }

    /// Work that several did at once took as long as the clock on the wall says.
    pub(crate) fn took_together(&mut self, wall: Duration) {
        self.busy = wall;
    }

    pub(crate) fn samples(&self) -> u64 {
        self.durations.len()
    }

    /// Nothing when there is no sample.
    pub(crate) fn quantile(&self, part: f64) -> Option<Duration> {
        (self.samples() > 0).then(|| Duration::from_nanos(self.durations.value_at_quantile(part)))
    }

    /// Units a second; nothing when no time passed.
    pub(crate) fn rate(&self) -> Option<f64> {
        let seconds = self.busy.as_secs_f64();
        (seconds > 0.0).then(|| f64::from(self.units) / seconds)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: impl IntoIterator<Item = u64>) -> Series {
        let mut series = Series::new().unwrap();
        for each in milliseconds {
            series.add(Duration::from_millis(each), 2);
        }
        series
    }

    /// Three digits are kept.
    fn about(found: Option<Duration>, milliseconds: f64) -> bool {
        let found = found.unwrap().as_secs_f64() * 1_000.0;
        (found - milliseconds).abs() <= milliseconds / 500.0
    }

    #[test]
    fn half_of_the_work_is_below_the_median_and_one_in_a_hundred_above_p99() {
        let series = of(1..=100);
        assert!(about(series.quantile(0.5), 50.0));
        assert!(about(series.quantile(0.99), 99.0));
    }

    #[test]
    fn no_sample_has_no_quantile_and_no_rate() {
        let series = of([]);
        assert_eq!(series.quantile(0.5), None);
        assert_eq!(series.rate(), None);
    }

    #[test]
    fn rate_is_units_over_the_time_that_was_worked() {
        assert!((of([250, 250]).rate().unwrap() - 8.0).abs() < 0.01);
    }

    #[test]
    fn work_done_at_once_counts_the_wall_and_not_the_sum() {
        let mut series = of([500, 500]);
        series.took_together(Duration::from_millis(500));
        assert!((series.rate().unwrap() - 8.0).abs() < 0.01);
    }

    #[test]
    fn a_series_taken_in_adds_samples_time_and_units() {
        let mut series = of([100]);
        series.take_in(&of([300]));
        assert_eq!(series.samples(), 2);
        assert!((series.rate().unwrap() - 10.0).abs() < 0.01);
    }
}
