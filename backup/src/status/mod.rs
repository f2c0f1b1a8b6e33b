//! Are the repositories well? Every state as a probe: a name, a value with its unit, a threshold, and
//! words.
//!
//! Shape: [`look`] asks a repository and its disk, [`judge`] compares that and the records with the
//! thresholds and reads nothing. Monitoring reads the same probes as JSON.
//! Invariant: what cannot be found out does not hold.

mod change;
mod disks;
mod repository;
mod ways;

use jiff::Timestamp;
use serde::Serialize;

pub use self::change::unusual_since;
pub use self::disks::{Rotated, RotationThresholds, of_disks};
use self::repository::View;
pub use self::ways::{LockedDisk, Shipping, of_disk_sheet, of_sheet, of_shipping};
use crate::due::{self, Clock, Reading, Schedule};
use crate::error::BackupError;
use crate::records::{History, Job, Outcome};
use crate::settings::RepositorySettings;
use crate::{place, snapshots};

const DAY_SECONDS: i64 = 24 * 3_600;

/// From when on something does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    pub run_hours_max: u16,
    pub drill_days_max: u16,
    pub prune_days_max: u16,
    pub growth_factor_max: u16,
    pub free_factor_min: u8,
    pub stock_lock_hours_max: u16,
}

/// A repository as it is found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// When the newest snapshot was taken, and its bytes.
    pub newest: Option<(Timestamp, u64)>,
    pub snapshots: u64,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Bytes that its disk has left; nothing where nobody can tell.
    pub free: Option<u64>,
    /// Age of the oldest lock of the stock tool, hours.
    pub stock_lock_hours: Option<u64>,
}

/// A repository, or what kept us from looking.
#[derive(Debug)]
pub struct Seen {
    pub repository: String,
    /// Whether what nobody needs is deleted from here.
    pub is_pruned_from_here: bool,
    pub found: Result<Found, BackupError>,
}

/// Asks a repository and its disk.
#[must_use]
pub fn look(settings: &RepositorySettings, now: Timestamp) -> Seen {
    Seen {
        repository: settings.name.clone(),
        is_pruned_from_here: settings.location.is_pruned_from_here(),
        found: place::watched(settings, || find(settings, now)),
    }
}

fn find(settings: &RepositorySettings, now: Timestamp) -> Result<Found, BackupError> {
    let all = snapshots::list(settings)?;
    let locks = place::stock_lock_ages(settings, now)?;
    let oldest = locks.into_iter().max();
    Ok(Found {
        newest: all.last().map(|one| (one.taken_at, one.bytes)),
        snapshots: u64::try_from(all.len()).unwrap_or(u64::MAX),
        bytes: place::repository_bytes(settings)?,
        free: place::free(settings)?,
        stock_lock_hours: oldest.map(|age| age.as_secs() / 3_600),
    })
}

/// What the operator reads up when it does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Page {
    BackupFailed,
    PruneFailed,
    DrillFailed,
    ClockWrong,
    DiskFull,
    MassChange,
    DiskRotate,
    DiskForeign,
    ShippingBehind,
    RecoverySheet,
}

/// One state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probe {
    pub name: &'static str,
    pub repository: Option<String>,
    pub holds: bool,
    /// Nothing when it cannot be told.
    pub value: Option<i64>,
    pub unit: &'static str,
    pub threshold: Option<i64>,
    /// For people.
    pub words: String,
    pub runbook: Page,
}

impl Probe {
    /// One that holds, to be filled in.
    fn new(
        name: &'static str,
        repository: Option<&str>,
        unit: &'static str,
        runbook: Page,
    ) -> Self {
        Self {
            name,
            repository: repository.map(str::to_owned),
            holds: true,
            value: None,
            unit,
            threshold: None,
            words: String::new(),
            runbook,
        }
    }
}

/// The states of one repository and what belongs beside them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RepositoryStatus {
    pub repository: String,
    pub newest_at: Option<Timestamp>,
    pub snapshots: Option<u64>,
    pub bytes: Option<u64>,
    pub free_bytes: Option<u64>,
    pub jobs: Vec<JobStatus>,
    pub reading: Reading,
}

/// The last of each kind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JobStatus {
    pub job: Job,
    pub last_ok_at: Option<Timestamp>,
    pub last_not_ok_at: Option<Timestamp>,
    pub last_outcome: Option<Outcome>,
    pub last_seconds: Option<i64>,
    pub next_at: Timestamp,
}

/// Everything at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    pub at: Timestamp,
    pub holds: bool,
    pub clock: Clock,
    pub repositories: Vec<RepositoryStatus>,
    pub probes: Vec<Probe>,
}

impl Status {
    /// The same with more states.
    #[must_use]
    pub fn with(mut self, probes: Vec<Probe>) -> Self {
        self.holds = self.holds && probes.iter().all(|probe| probe.holds);
        self.probes.extend(probes);
        self
    }
}

/// Compares what was seen and remembered with the thresholds.
#[must_use]
pub fn judge(
    seen: &[Seen],
    history: &History,
    schedule: &Schedule,
    thresholds: &Thresholds,
    now: Timestamp,
) -> Status {
    let newest_of = |one: &Seen| one.found.as_ref().ok().and_then(|found| found.newest);
    let newest = seen.iter().filter_map(newest_of).map(|(at, _)| at).max();
    let clock = due::clock(history, schedule, now);
    let mut probes = vec![
        of_clock(clock, schedule),
        of_records(history),
        of_drill(history, thresholds, now),
    ];
    let mut repositories = Vec::new();
    for one in seen {
        let view = View {
            name: &one.repository,
            is_pruned_from_here: one.is_pruned_from_here,
            history,
            thresholds,
            now,
        };
        let reading = due::reading(history, &one.repository, schedule, now);
        match &one.found {
            Ok(found) => probes.extend(view.of_repository(found, newest)),
            Err(error) => probes.push(view.unreachable(error)),
        }
        probes.extend(view.of_jobs(schedule, &reading));
        repositories.push(view.status(one.found.as_ref().ok(), schedule, reading));
    }
    Status {
        at: now,
        holds: probes.iter().all(|probe| probe.holds),
        clock,
        repositories,
        probes,
    }
}

fn of_clock(clock: Clock, schedule: &Schedule) -> Probe {
    let (holds, minutes, words) = match clock {
        Clock::Believed => (true, 0, "時計は記録と合っています。".to_owned()),
        Clock::Behind(minutes) => (
            false,
            -minutes,
            format!("時計が最後の記録より {minutes}分 遅れています。自動の処理は止まっています。"),
        ),
        Clock::Ahead(minutes) => (
            false,
            minutes,
            format!(
                "最後の記録から {}日 空いています。時計が進んでいないか確かめ、正しければ \
                 hokatsu backup run を手で実行してください。自動の処理は止まっています。",
                minutes / (24 * 60)
            ),
        ),
    };
    Probe {
        name: "backup_clock_minutes",
        repository: None,
        holds,
        value: Some(minutes),
        unit: "minutes",
        threshold: Some(i64::from(schedule.clock_jump_days_max) * 24 * 60),
        words,
        runbook: Page::ClockWrong,
    }
}

fn of_records(history: &History) -> Probe {
    let lines = i64::try_from(history.unreadable).unwrap_or(i64::MAX);
    Probe {
        name: "backup_records_unreadable",
        repository: None,
        holds: lines == 0,
        value: Some(lines),
        unit: "lines",
        threshold: Some(0),
        words: if lines == 0 {
            "実行の記録はすべて読めます。".to_owned()
        } else {
            format!("実行の記録に読めない行が {lines}行 あります。ディスクを確かめてください。")
        },
        runbook: Page::BackupFailed,
    }
}

/// The drill goes from one repository to another: its age is one for all of them.
fn of_drill(history: &History, thresholds: &Thresholds, now: Timestamp) -> Probe {
    let mut drills = history
        .records
        .iter()
        .rev()
        .filter(|one| one.job == Job::Drill);
    let last = drills.clone().find(|one| one.is_settled());
    let ok = drills.find(|one| one.outcome == Outcome::Ok);
    let begun = history.records.first();
    let since = ok.or(begun).map(|one| one.ended_at);
    let days = since.map(|at| now.duration_since(at).as_secs() / DAY_SECONDS);
    let most = i64::from(thresholds.drill_days_max);
    let failed = last.is_some_and(|one| one.outcome == Outcome::NotHeld);
    let holds = !failed && days.is_some_and(|days| days <= most);
    let words = match (failed, ok, days) {
        (true, ..) => "最後の復元訓練で、控えが元のとおりに戻りませんでした。".to_owned(),
        (false, Some(_), Some(days)) => format!("最後に合格した復元訓練から {days}日。"),
        _ => "復元訓練はまだ合格していません。".to_owned(),
    };
    Probe {
        name: "backup_drill_age_days",
        repository: None,
        holds,
        value: days,
        unit: "days",
        threshold: Some(most),
        words,
        runbook: Page::DrillFailed,
    }
}
