//! From readings to a decision. No clock, no files, no programs: the time is handed in.
//!
//! Invariant: a machine is stopped only while a supply said that it is on battery (or forced) and has not said since
//! that it is on line. Silence alone, a test or a calibration stop nothing. Once decided it stays decided: what
//! follows (the supply's output is cut) cannot be taken back.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::reading::{Flag, Reading};
use crate::settings::UpsSettings;

/// A test that is told in words alone is believed for so long: words may stay behind when it is over.
const TEST_BY_WORD_MAX: Duration = Duration::from_secs(600);
/// A low charge or runtime must be said twice: some supplies say 0 once while they switch over.
const SECOND_LOOK: Duration = Duration::from_secs(1);

/// Which threshold is, or was, the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// The longest time on battery.
    Time,
    /// Charge or runtime.
    Battery,
    /// The supply itself says that its battery is nearly empty.
    LowBattery,
    /// Whoever minds the supply stops everything behind it.
    Forced,
}

/// How the machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum State {
    /// Enough supplies are on line.
    OnLine,
    /// Not enough, for less than is worth a word.
    Flicker,
    /// Not enough, for longer.
    OnBattery {
        /// For so long, seconds.
        seconds: u64,
        /// Until the first threshold, seconds, as far as can be said.
        seconds_left: u64,
        /// That threshold.
        limit: Limit,
    },
    /// A threshold was reached.
    ShuttingDown {
        /// Which.
        limit: Limit,
    },
    /// Not enough answer, and none that does is on battery.
    Silent,
    /// A supply tries or measures its battery.
    Testing,
}

/// When a supply reaches its threshold, and which.
type End = (Duration, Limit);

#[derive(Debug, Clone, Default)]
struct Unit {
    is_silent: bool,
    is_testing: bool,
    was_low: bool,
    test_by_word_since: Option<Duration>,
    battery_since: Option<Duration>,
    /// As it said last, also when it has fallen silent since: its battery empties all the same.
    end: Option<End>,
}

/// Remembers since when, and decides.
#[derive(Debug, Clone)]
pub struct Engine {
    on_battery_max: Duration,
    flicker: Duration,
    charge_percent: u8,
    runtime: Duration,
    required: usize,
    units: Vec<Unit>,
    outage_since: Option<Duration>,
    decided: Option<Limit>,
}

impl Engine {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(settings: &UpsSettings) -> Self {
        let seconds = |count: u16| Duration::from_secs(count.into());
        Self {
            on_battery_max: seconds(settings.on_battery_seconds),
            flicker: seconds(settings.flicker_seconds),
            charge_percent: settings.charge_percent,
            runtime: seconds(settings.runtime_seconds),
            required: settings.required.into(),
            units: vec![Unit::default(); settings.units.len()],
            outage_since: None,
            decided: None,
        }
    }

    /// Takes over what an earlier one knew: since when each supply is on battery, and what was decided. A watcher
    /// that was started anew must not count from the beginning.
    #[must_use]
    pub fn resumed(
        mut self,
        now: Duration,
        on_battery: &[Option<Duration>],
        state: &State,
    ) -> Self {
        for (unit, since) in self.units.iter_mut().zip(on_battery) {
            let since = since.map(|long| now.saturating_sub(long));
            unit.battery_since = since;
            unit.end = since.map(|since| (since.saturating_add(self.on_battery_max), Limit::Time));
            self.outage_since = [self.outage_since, since].into_iter().flatten().min();
        }
        if let State::ShuttingDown { limit } = state {
            self.decided = Some(*limit);
        }
        self
    }

    /// Hears what each supply said (nothing: no answer), in the order of the settings. `now` never goes back.
    pub fn step(&mut self, now: Duration, readings: &[Option<Reading>]) -> State {
        let mut units = std::mem::take(&mut self.units);
        for (unit, reading) in units.iter_mut().zip(readings) {
            match reading {
                None => {
                    unit.is_silent = true;
                    unit.is_testing = false;
                }
                Some(reading) => self.hear(unit, now, reading),
            }
        }
        self.units = units;
        self.decide(now)
    }

    /// For how long each supply is on battery, in the order of the settings.
    #[must_use]
    pub fn on_battery(&self, now: Duration) -> Vec<Option<Duration>> {
        let long = |unit: &Unit| unit.battery_since.map(|since| now.saturating_sub(since));
        self.units.iter().map(long).collect()
    }

    fn hear(&self, unit: &mut Unit, now: Duration, reading: &Reading) {
        unit.is_silent = false;
        unit.is_testing = tests(unit, now, reading);
        let is_forced = reading.is(Flag::ForcedShutdown);
        let is_on_battery = reading.is(Flag::OnBattery) && !unit.is_testing;
        if !is_on_battery && !is_forced {
            unit.battery_since = None;
            unit.end = None;
            unit.was_low = false;
            return;
        }
        let since = *unit.battery_since.get_or_insert(now);
        unit.end = Some(if is_forced {
            (now, Limit::Forced)
        } else if reading.is(Flag::LowBattery) {
            (now, Limit::LowBattery)
        } else {
            self.end(unit, now, since, reading)
        });
    }

    fn end(&self, unit: &mut Unit, now: Duration, since: Duration, reading: &Reading) -> End {
        let by_time = (since.saturating_add(self.on_battery_max), Limit::Time);
        let left = self.battery_left(reading);
        let is_low = left == Some(Duration::ZERO);
        let second_look = if is_low && !unit.was_low {
            SECOND_LOOK
        } else {
            Duration::ZERO
        };
        unit.was_low = is_low;
        let by_battery = left.map(|left| {
            let at = now.saturating_add(left).saturating_add(second_look);
            (at, Limit::Battery)
        });
        let (at, limit) = by_battery.map_or(by_time, |by_battery| by_battery.min(by_time));
        (at.max(since.saturating_add(self.flicker)), limit)
    }

    /// Until charge or runtime is down to its threshold, by what the supply says of itself; nothing when it says
    /// neither, or a charge alone that is still above.
    fn battery_left(&self, reading: &Reading) -> Option<Duration> {
        let runtime = reading.runtime_seconds.map(u64::from);
        let by_runtime =
            runtime.map(|runtime| Duration::from_secs(runtime).saturating_sub(self.runtime));
        let (charge, threshold) = (reading.charge_percent, u64::from(self.charge_percent));
        let by_charge = charge.map(u64::from).and_then(|charge| {
            let above = charge.saturating_sub(threshold);
            if above == 0 {
                return Some(Duration::ZERO);
            }
            // The runtime is what all of the charge lasts.
            let of_all = runtime?.saturating_mul(above).checked_div(charge)?;
            // Above it is above it, if by less than a second.
            Some(Duration::from_secs(of_all.max(1)))
        });
        [by_runtime, by_charge].into_iter().flatten().min()
    }

    fn decide(&mut self, now: Duration) -> State {
        let Some((at, limit)) = self.first_end() else {
            self.outage_since = None;
            return self.decided.map_or_else(
                || self.without_outage(),
                |limit| State::ShuttingDown { limit },
            );
        };
        let since = *self.outage_since.get_or_insert(now);
        if at <= now {
            self.decided.get_or_insert(limit);
        }
        if let Some(limit) = self.decided {
            return State::ShuttingDown { limit };
        }
        let long = now.saturating_sub(since);
        if long < self.flicker {
            return State::Flicker;
        }
        State::OnBattery {
            seconds: long.as_secs(),
            seconds_left: at.saturating_sub(now).as_secs(),
            limit,
        }
    }

    /// When fewer than the required number are left; nothing while that many are on line. A silent one goes with
    /// the worst that answers: where the power fails it rarely fails for one alone.
    fn first_end(&self) -> Option<End> {
        let worst = self.units.iter().filter_map(|unit| unit.end).min();
        let mut ends: Vec<Option<End>> = self
            .units
            .iter()
            .map(|unit| unit.end.or(if unit.is_silent { worst } else { None }))
            .collect();
        // Those that last longest first; nothing at all lasts longer than any.
        ends.sort_unstable_by_key(|end| (end.is_some(), end.map(std::cmp::Reverse)));
        ends.get(self.required.checked_sub(1)?).copied().flatten()
    }

    fn without_outage(&self) -> State {
        let answering = self.units.iter().filter(|unit| !unit.is_silent).count();
        if answering < self.required {
            State::Silent
        } else if self.units.iter().any(|unit| unit.is_testing) {
            State::Testing
        } else {
            State::OnLine
        }
    }
}

fn tests(unit: &mut Unit, now: Duration, reading: &Reading) -> bool {
    let by_word = if reading.tests_by_word {
        let since = *unit.test_by_word_since.get_or_insert(now);
        now.saturating_sub(since) < TEST_BY_WORD_MAX
    } else {
        unit.test_by_word_since = None;
        false
    };
    let tests: BTreeSet<Flag> = [Flag::Test, Flag::Calibration].into();
    by_word || !reading.flags.is_disjoint(&tests)
}
