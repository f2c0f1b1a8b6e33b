//! One line of the result: ours, the ceiling of the same run, and what part of it ours reaches.
//!
//! Invariant: a figure with a failed request, without a sample or with a ceiling of zero has a flaw
//! and no share; there is no way to get a number out of it and miss that.

use std::time::Duration;

use hdrhistogram::CreationError;
use serde::Serialize;

use crate::series::Series;

/// Failures of one figure that are told in words; the others are counted.
const TOLD: usize = 3;

/// What went wrong while measuring.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failures {
    count: u32,
    told: Vec<String>,
}

impl Failures {
    pub(crate) fn add(&mut self, what: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.told.len() < TOLD {
            self.told.push(what.into());
        }
    }

    pub(crate) fn take_in(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        let room = TOLD.saturating_sub(self.told.len());
        self.told.extend(other.told.iter().take(room).cloned());
    }
}

/// Both sides of a figure while it is being measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Of which figure, and which part of it.
    pub(crate) name: &'static str,
    pub(crate) case: String,
    /// What the ceiling is.
    pub(crate) ceiling_is: &'static str,
    /// What is counted: `requests`, `rows`, `pages`.
    pub(crate) unit: &'static str,
    pub(crate) ours: Series,
    pub(crate) ceiling: Series,
    pub(crate) failures: Failures,
    /// Bytes, of the process that did our side.
    pub(crate) peak_memory: Option<u64>,
}

impl Measured {
    pub(crate) fn new(
        name: &'static str,
        case: impl Into<String>,
        ceiling_is: &'static str,
        unit: &'static str,
    ) -> Result<Self, CreationError> {
        Ok(Self {
            name,
            case: case.into(),
            ceiling_is,
            unit,
            ours: Series::new()?,
            ceiling: Series::new()?,
            failures: Failures::default(),
            peak_memory: None,
        })
    }

    /// Takes in a part of it.
    pub(crate) fn take_in(&mut self, part: &Self) {
        self.ours.take_in(&part.ours);
        self.ceiling.take_in(&part.ceiling);
        self.failures.take_in(&part.failures);
        self.peak_memory = self.peak_memory.max(part.peak_memory);
    }
}

/// A figure as it is printed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) case: String,
    pub(crate) ceiling_is: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) ours: Side,
    pub(crate) ceiling: Side,
    /// Part of the ceiling that ours reaches; 1 is as fast as bare.
    pub(crate) share: Option<Share>,
    pub(crate) peak_memory_bytes: Option<u64>,
    pub(crate) failed: u32,
    pub(crate) flaws: Vec<String>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Side {
    pub(crate) samples: u64,
    pub(crate) p50_us: Option<f64>,
    pub(crate) p99_us: Option<f64>,
    pub(crate) units_per_second: Option<f64>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Share {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) rate: f64,
}

impl From<Measured> for Figure {
    fn from(measured: Measured) -> Self {
        let flaws = flaws(&measured);
        let share = share(&measured.ours, &measured.ceiling).filter(|_| flaws.is_empty());
        Self {
            name: measured.name,
            case: measured.case,
            ceiling_is: measured.ceiling_is,
            unit: measured.unit,
            ours: side(&measured.ours),
            ceiling: side(&measured.ceiling),
            share,
            peak_memory_bytes: measured.peak_memory,
            failed: measured.failures.count,
            flaws,
        }
    }
}

fn flaws(measured: &Measured) -> Vec<String> {
    let mut flaws = Vec::new();
    let Failures { count, told } = &measured.failures;
    if *count > 0 {
        flaws.push(format!("{count} failed: {}", told.join("; ")));
    }
    for (whose, side) in [("ours", &measured.ours), ("the ceiling", &measured.ceiling)] {
        if side.samples() == 0 {
            flaws.push(format!("{whose} was never measured"));
        } else if !is_above_zero(side) {
            flaws.push(format!("{whose} is zero, and nothing compares with zero"));
        }
    }
    if measured.peak_memory.is_none() {
        flaws.push("peak memory could not be read".to_owned());
    }
    flaws
}

fn is_above_zero(side: &Series) -> bool {
    let slow = side.quantile(0.5).is_some_and(|p50| p50 > Duration::ZERO);
    slow && side.rate().is_some_and(|rate| rate > 0.0)
}

fn share(ours: &Series, ceiling: &Series) -> Option<Share> {
    let faster = |part| {
        let ours = ours.quantile(part)?.as_secs_f64();
        (ours > 0.0).then_some(ceiling.quantile(part)?.as_secs_f64() / ours)
    };
    let rate = ceiling.rate().filter(|rate| *rate > 0.0)?;
    Some(Share {
        p50: faster(0.5)?,
        p99: faster(0.99)?,
        rate: ours.rate()? / rate,
    })
}

fn side(series: &Series) -> Side {
    let microseconds = |part| series.quantile(part).map(|d| d.as_secs_f64() * 1_000_000.0);
    Side {
        samples: series.samples(),
        p50_us: microseconds(0.5),
        p99_us: microseconds(0.99),
        units_per_second: series.rate(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(ours_ms: &[u64], ceiling_ms: &[u64]) -> Measured {
        let mut measured = Measured::new("find", "city", "bare SQL", "requests").unwrap();
        for ms in ours_ms {
            measured.ours.add(Duration::from_millis(*ms), 1);
        }
        for ms in ceiling_ms {
            measured.ceiling.add(Duration::from_millis(*ms), 1);
        }
        measured.peak_memory = Some(1);
        measured
    }

    #[test]
    fn share_says_what_part_of_the_ceiling_is_reached() {
        let share = Figure::from(measured(&[20, 20], &[5, 5])).share.unwrap();
        assert!((share.p50 - 0.25).abs() < 0.001);
        assert!((share.p99 - 0.25).abs() < 0.001);
        assert!((share.rate - 0.25).abs() < 0.001);
    }

    #[test]
    fn a_failed_request_is_a_flaw_with_its_words_and_takes_the_share_away() {
        let mut flawed = measured(&[20], &[5]);
        for each in ["404 on find", "a", "b", "c"] {
            flawed.failures.add(each);
        }
        let figure = Figure::from(flawed);
        assert_eq!(figure.flaws, ["4 failed: 404 on find; a; b"]);
        assert_eq!(figure.failed, 4);
        assert!(figure.share.is_none());
    }

    #[test]
    fn a_ceiling_that_was_never_measured_is_a_flaw() {
        let figure = Figure::from(measured(&[20], &[]));
        assert_eq!(figure.flaws, ["the ceiling was never measured"]);
        assert!(figure.share.is_none());
    }

    #[test]
    fn a_ceiling_without_a_unit_of_work_is_a_flaw() {
        let mut flawed = measured(&[20], &[]);
        flawed.ceiling.add(Duration::from_millis(5), 0);
        let figure = Figure::from(flawed);
        let zero = "the ceiling is zero, and nothing compares with zero";
        assert_eq!(figure.flaws, [zero]);
        assert!(figure.share.is_none());
    }

    #[test]
    fn a_peak_that_could_not_be_read_is_a_flaw() {
        let mut flawed = measured(&[20], &[5]);
        flawed.peak_memory = None;
        assert_eq!(
            Figure::from(flawed).flaws,
            ["peak memory could not be read"]
        );
    }

    #[test]
    fn failures_of_several_clients_are_counted_together() {
        let (mut one, mut two) = (Failures::default(), Failures::default());
        one.add("a");
        two.add("b");
        two.add("c");
        two.add("d");
        one.take_in(&two);
        assert_eq!(one.count, 4);
        assert_eq!(one.told, ["a", "b", "c"]);
    }
}
