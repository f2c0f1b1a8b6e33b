//! `[backup.shipping]`: every commit to a second disk.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

/// Longest that a member of staff waits for the second disk, milliseconds.
const WAIT_MS: std::ops::RangeInclusive<u32> = 10..=30_000;
/// Longest that SQLite's log grows while the second disk is away, MiB.
const LOG_MIB: std::ops::RangeInclusive<u32> = 16..=16_384;
const GENERATION_HOURS: std::ops::RangeInclusive<u16> = 1..=24 * 31;
const DAYS_KEPT: std::ops::RangeInclusive<u16> = 1..=3_650;

/// When a change is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShippingMode {
    /// Once it is in the database; the second disk has it milliseconds later.
    Async,
    /// Once the second disk has it too. When that takes longer than `sync_wait_ms_max`, work goes on as with
    /// `async`, an alarm says so, and waiting begins again when the disk is back.
    Sync,
}

/// The section. What is not said keeps its default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippingSettings {
    /// The place on the second disk, enrolled by `hokatsu ship enrol`.
    pub path: PathBuf,
    /// The encrypted disk (LUKS) that the place lies on.
    device: Option<Spanned<PathBuf>>,
    /// The file that opens it.
    key_file: Option<Spanned<PathBuf>>,
    #[serde(default = "mode")]
    /// When a change is acknowledged.
    pub mode: ShippingMode,
    #[serde(default = "wait_ms")]
    sync_wait_ms_max: Spanned<u32>,
    #[serde(default = "log_mib")]
    log_mib_max: Spanned<u32>,
    #[serde(default = "generation_hours")]
    generation_hours: Spanned<u16>,
    #[serde(default = "days_kept")]
    days_kept: Spanned<u16>,
}

fn mode() -> ShippingMode {
    ShippingMode::Async
}

fn wait_ms() -> Spanned<u32> {
    Spanned::new(0..0, 2_000)
}

fn log_mib() -> Spanned<u32> {
    Spanned::new(0..0, 256)
}

fn generation_hours() -> Spanned<u16> {
    Spanned::new(0..0, 24)
}

fn days_kept() -> Spanned<u16> {
    Spanned::new(0..0, 14)
}

impl ShippingSettings {
    /// In `sync` mode nobody waits longer for the second disk, milliseconds.
    #[must_use]
    pub fn sync_wait_ms_max(&self) -> u32 {
        *self.sync_wait_ms_max.get_ref()
    }

    /// While the second disk is away, SQLite's log is kept for it up to this size, bytes. Beyond that the
    /// disk gets a new base when it is back.
    #[must_use]
    pub fn log_bytes_max(&self) -> u64 {
        u64::from(*self.log_mib_max.get_ref()) * 1024 * 1024
    }

    /// A generation is followed by the next after so many hours.
    #[must_use]
    pub fn generation_hours(&self) -> u16 {
        *self.generation_hours.get_ref()
    }

    /// Points in time are kept for so many days.
    #[must_use]
    pub fn days_kept(&self) -> u16 {
        *self.days_kept.get_ref()
    }

    /// The encrypted disk that the place lies on, and the file that opens it.
    #[must_use]
    pub fn disk(&self) -> Option<(&Path, &Path)> {
        let device = self.device.as_ref()?.get_ref();
        Some((device, self.key_file.as_ref()?.get_ref()))
    }

    /// Paths are relative to the directory of the file; a device is always named in full.
    pub(super) fn anchor(&mut self, place: impl Fn(&mut PathBuf)) {
        place(&mut self.path);
        self.key_file
            .iter_mut()
            .for_each(|key| place(key.get_mut()));
    }

    fn disk_problem(&self) -> Option<(std::ops::Range<usize>, String)> {
        let half = match (&self.device, &self.key_file) {
            (Some(device), Some(_)) if device.get_ref().starts_with("/dev") => return None,
            (None, None) => return None,
            (Some(device), Some(_)) => (device, "device は、/dev/ で始まる装置の名前です。"),
            (Some(half), None) | (None, Some(half)) => (
                half,
                "[backup.shipping] の device と key_file は、両方を書くか、どちらも書きません。",
            ),
        };
        Some((half.0.span(), half.1.to_owned()))
    }

    /// What is wrong, and where. `backup_days` is what `[backup] days_kept` promises.
    pub(super) fn problem(
        &self,
        backup_days: Option<u32>,
    ) -> Option<(std::ops::Range<usize>, String)> {
        if let Some(problem) = self.disk_problem() {
            return Some(problem);
        }
        let between =
            |name: &str, from: u32, to: u32| format!("{name} は {from} から {to} までです。");
        if !WAIT_MS.contains(&self.sync_wait_ms_max()) {
            let reason = between("sync_wait_ms_max", *WAIT_MS.start(), *WAIT_MS.end());
            return Some((self.sync_wait_ms_max.span(), reason));
        }
        if !LOG_MIB.contains(self.log_mib_max.get_ref()) {
            let reason = between("log_mib_max", *LOG_MIB.start(), *LOG_MIB.end());
            return Some((self.log_mib_max.span(), reason));
        }
        for (name, value, range) in [
            ("generation_hours", &self.generation_hours, GENERATION_HOURS),
            ("days_kept", &self.days_kept, DAYS_KEPT),
        ] {
            if !range.contains(value.get_ref()) {
                let (from, to) = (u32::from(*range.start()), u32::from(*range.end()));
                return Some((value.span(), between(name, from, to)));
            }
        }
        // What was disposed of is in the shipped log as well, until its generation is gone.
        if backup_days.is_some_and(|days| u32::from(self.days_kept()) > days) {
            let reason = "[backup.shipping] days_kept は、[backup] days_kept より長くできません。\
                          廃棄した記録がその日を過ぎても残るからです。";
            return Some((self.days_kept.span(), reason.to_owned()));
        }
        None
    }
}
