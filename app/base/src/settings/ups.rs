//! `[ups]`: which uninterruptible power supplies feed this machine, and when it stops by itself.
//!
//! Invariant: without the section nothing is watched. A threshold that a full battery does not pass is refused: it
//! would stop the machine at the first flicker.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use serde::Deserialize;

/// More than these do not feed one machine.
const UNITS_MAX: usize = 4;
const NAME_CHARS_MAX: usize = 100;
/// What makes `upsmon` shut down and the late shutdown cut the supply's own output.
const STOP: [&str; 3] = ["upsmon", "-c", "fsd"];
const STATE_DIR: &str = "/run/hokatsu-ups";

/// `[ups]`. What is not said keeps its default.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpsSettings {
    /// As NUT names them: `name@host`, with `:port` where that is not 3493.
    pub units: Vec<String>,
    /// So many of them must be on line (or last long enough) for the machine to go on.
    pub required: u8,
    /// The machine stops when the battery is down to so much, percent.
    pub charge_percent: u8,
    /// The machine stops when the battery lasts only so long, seconds.
    pub runtime_seconds: u16,
    /// The machine stops after so long on battery, seconds.
    pub on_battery_seconds: u16,
    /// Shorter outages are nobody's business, seconds.
    pub flicker_seconds: u16,
    /// The program that stops the machine, with its words.
    pub stop: Vec<String>,
    /// Where the watcher tells how it stands; in memory, for it is written every other second.
    pub state_dir: PathBuf,
}

impl Default for UpsSettings {
    fn default() -> Self {
        Self {
            units: vec!["ups@localhost".to_owned()],
            required: 1,
            charge_percent: 30,
            runtime_seconds: 300,
            on_battery_seconds: 600,
            flicker_seconds: 15,
            stop: STOP.map(str::to_owned).to_vec(),
            state_dir: PathBuf::from(STATE_DIR),
        }
    }
}

impl UpsSettings {
    /// What is out of its range, in the operator's words.
    pub(super) fn problem(&self) -> Option<String> {
        if self.units.is_empty() || self.units.len() > UNITS_MAX {
            return Some(format!("units は 1 から {UNITS_MAX} 台までです。"));
        }
        if let Some(name) = self.units.iter().find(|name| !is_name(name)) {
            return Some(format!(
                "UPSの名前「{name}」は「ups@localhost」のように、名前@機器の形で書いてください。"
            ));
        }
        let mut others = self.units.clone();
        others.sort_unstable();
        others.dedup();
        if others.len() < self.units.len() {
            return Some("units に、同じUPSが二度書かれています。".to_owned());
        }
        if self.required == 0 || usize::from(self.required) > self.units.len() {
            let count = self.units.len();
            return Some(format!("required は 1 から {count}（UPSの台数）までです。"));
        }
        let ranges: [(&str, u16, RangeInclusive<u16>); 4] = [
            ("charge_percent", self.charge_percent.into(), 5..=90),
            ("runtime_seconds", self.runtime_seconds, 60..=3_600),
            ("on_battery_seconds", self.on_battery_seconds, 30..=14_400),
            ("flicker_seconds", self.flicker_seconds, 0..=60),
        ];
        let wrong = ranges
            .into_iter()
            .find(|(_, value, range)| !range.contains(value));
        if let Some((name, _, range)) = wrong {
            let (low, high) = range.into_inner();
            return Some(format!("{name} は {low} から {high} までです。"));
        }
        if self.flicker_seconds >= self.on_battery_seconds {
            return Some("flicker_seconds は on_battery_seconds より短くします。".to_owned());
        }
        (self.stop.first().is_none_or(String::is_empty))
            .then(|| "stop に、装置を止めるプログラムを書いてください。".to_owned())
    }
}

/// It is handed to `upsc` as a word: nothing that could be an option, or anything else.
fn is_name(text: &str) -> bool {
    let part = |text: &str, more: &[char]| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
    };
    text.chars().count() <= NAME_CHARS_MAX
        && text.split_once('@').is_some_and(|(name, host)| {
            part(name, &['-', '_', '.']) && part(host, &['-', '.', ':'])
        })
}
