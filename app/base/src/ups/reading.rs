//! What one supply said, as NUT's `upsc` prints it.
//!
//! Source: NUT developer guide, "Status data" and "Variables" (names and words of `ups.status`).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// One word of `ups.status` that we act on; others (charging, trimming) change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Flag {
    /// `OL`: mains.
    OnLine,
    /// `OB`: battery.
    OnBattery,
    /// `LB`: the supply itself says that its battery is nearly empty.
    LowBattery,
    /// `RB`: the battery must be replaced.
    ReplaceBattery,
    /// `OVER`: more is plugged into it than it can feed.
    Overload,
    /// `OFF`: its output is off.
    Off,
    /// `BYPASS`: mains go past its battery.
    Bypass,
    /// `TEST`: it tries its battery.
    Test,
    /// `CAL`: it measures its battery by emptying it.
    Calibration,
    /// `FSD`: whoever minds it has decided to stop all machines behind it.
    ForcedShutdown,
}

impl Flag {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "OL" => Self::OnLine,
            "OB" => Self::OnBattery,
            "LB" => Self::LowBattery,
            "RB" => Self::ReplaceBattery,
            "OVER" => Self::Overload,
            "OFF" => Self::Off,
            "BYPASS" => Self::Bypass,
            "TEST" => Self::Test,
            "CAL" => Self::Calibration,
            "FSD" => Self::ForcedShutdown,
            _ => return None,
        })
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Its state.
    pub flags: BTreeSet<Flag>,
    /// Battery charge, percent.
    pub charge_percent: Option<u8>,
    /// How long the battery lasts, by the supply's own estimate, seconds.
    pub runtime_seconds: Option<u32>,
    /// Load, percent of what it can feed.
    pub load_percent: Option<u16>,
    /// It says in words only that a test runs: some drivers know no flag for it.
    pub tests_by_word: bool,
}

impl Reading {
    /// What `upsc NAME` printed; nothing when it names no state, as while a driver starts.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut reading = Self::default();
        let mut has_state = false;
        for line in text.lines() {
            let Some((name, value)) = line.split_once(": ") else {
                continue;
            };
            let value = value.trim();
            match name {
                "ups.status" => {
                    has_state = value.split_whitespace().any(|word| word != "WAIT");
                    reading.flags = value.split_whitespace().filter_map(Flag::of).collect();
                }
                "battery.charge" => reading.charge_percent = whole(value, 100),
                "battery.runtime" => reading.runtime_seconds = whole(value, 7 * 86_400),
                "ups.load" => reading.load_percent = whole(value, 1_000),
                "ups.test.result" => {
                    reading.tests_by_word = value.to_ascii_lowercase().starts_with("in progress");
                }
                _ => {}
            }
        }
        has_state.then_some(reading)
    }

    /// Does it say so?
    #[must_use]
    pub fn is(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }
}

/// `87`, `87.0` and `087` are 87. What is negative or beyond belief is no answer.
fn whole<T: TryFrom<u32>>(text: &str, most: u32) -> Option<T> {
    let whole = text.split('.').next()?.parse::<u32>().ok()?;
    (whole <= most).then(|| T::try_from(whole).ok()).flatten()
}
