//! Did much more change than usual? What a program that encrypts or rewrites everything cannot hide: what
//! a run adds to a repository is what changed since the one before.
//!
//! Invariant: judged by the runs before it alone, so that the answer about a run stays the same later.

use jiff::Timestamp;

use crate::records::{History, Job, Outcome, Record};

/// Runs of the past that a median is made of.
const RUNS_OF_MEDIAN: usize = 48;
/// Fewer have no median worth comparing with.
const RUNS_OF_MEDIAN_MIN: usize = 8;
/// A run that adds less than this is never unusual.
const GROWTH_BYTES_USUAL: i64 = 64 * 1024 * 1024;

/// What one run added, and what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) growth: i64,
    /// Of the runs before; nothing when they are too few.
    pub(super) median: Option<i64>,
    /// From when on it is unusual.
    pub(super) most: Option<i64>,
}

impl Change {
    pub(super) fn is_usual(&self) -> bool {
        self.most.is_none_or(|most| self.growth <= most)
    }
}

/// The newest run of a repository that ended well; 0 when there is none.
pub(super) fn last(history: &History, repository: &str, factor: u16) -> Change {
    let runs = runs(history, repository);
    judged(&runs, runs.len().saturating_sub(1), factor)
}

/// When a run since then first found unusually much changed, in whichever repository.
#[must_use]
pub fn unusual_since(history: &History, factor: u16, since: Timestamp) -> Option<Timestamp> {
    let mut names: Vec<&str> = history
        .records
        .iter()
        .map(|one| one.repository.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    let first = |name: &&str| {
        let runs = runs(history, name);
        let placed = runs.iter().enumerate();
        let recent = placed.filter(|(_, run)| run.ended_at >= since);
        let unusual = recent.filter(|(place, _)| !judged(&runs, *place, factor).is_usual());
        unusual.map(|(_, run)| run.began_at).min()
    };
    names.iter().filter_map(first).min()
}

fn runs<'h>(history: &'h History, repository: &str) -> Vec<&'h Record> {
    let mine = |one: &&Record| {
        one.job == Job::Run && one.repository == repository && one.outcome == Outcome::Ok
    };
    history.records.iter().filter(mine).collect()
}

fn judged(runs: &[&Record], place: usize, factor: u16) -> Change {
    let growth = runs.get(place).map_or(0, |one| one.growth);
    let before = runs.get(..place).unwrap_or_default();
    let past = before.iter().rev().take(RUNS_OF_MEDIAN);
    let mut past: Vec<i64> = past.map(|one| one.growth).collect();
    past.sort_unstable();
    let median = past.get(past.len() / 2).copied();
    let median = median.filter(|_| past.len() >= RUNS_OF_MEDIAN_MIN);
    let most = |median: i64| {
        median
            .saturating_mul(i64::from(factor))
            .max(GROWTH_BYTES_USUAL)
    };
    Change {
        growth,
        median,
        most: median.map(most),
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const MEGABYTE: i64 = 1_000_000;

    /// A run an hour, each adding so many megabytes.
    fn history(growths: &[i64]) -> (History, Vec<Timestamp>) {
        let begun: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
        let mut history = History::default();
        let mut times = Vec::new();
        for (hour, growth) in growths.iter().enumerate() {
            let hours = i64::try_from(hour).unwrap();
            let at = begun
                .checked_add(SignedDuration::from_hours(hours))
                .unwrap();
            let mut record = Record::new(Job::Run, "raid", at, at);
            record.growth = growth * MEGABYTE;
            history.records.push(record);
            times.push(at);
        }
        (history, times)
    }

    #[test]
    fn a_rewrite_is_unusual_and_stays_so_when_quiet_hours_follow() {
        let mut growths = vec![2; 20];
        growths.push(900);
        growths.extend([2; 30]);
        let (history, times) = history(&growths);
        assert_eq!(unusual_since(&history, 10, times[0]), Some(times[20]));
        assert_eq!(unusual_since(&history, 10, times[21]), None);
        assert!(last(&history, "raid", 10).is_usual());
    }

    #[test]
    fn a_first_fill_and_a_busy_day_are_not() {
        let mut growths = vec![900, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        growths.push(60);
        let (history, times) = history(&growths);
        assert_eq!(unusual_since(&history, 10, times[0]), None);
    }
}
