//! Are the repositories well? Every state as a probe: a name, a value with its unit, a threshold, and
//! words.
//!
//! Shape: [`look`] asks a repository and its disk, [`judge`] compares that and the records with the
//! thresholds and reads nothing. Monitoring reads the same probes as JSON.
//! Invariant: what cannot be found out does not hold.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::due::{self, Clock, Reading, Schedule};
use crate::error::BackupError;
use crate::records::{History, Job, Outcome, Record, Slice};
use crate::settings::RepositorySettings;
use crate::{prune, snapshots};

/// Runs of the past that a median is made of.
const RUNS_OF_MEDIAN: usize = 48;
/// Fewer have no median worth comparing with.
const RUNS_OF_MEDIAN_MIN: usize = 8;
/// A run that adds less than this is never unusual.
const GROWTH_BYTES_USUAL: i64 = 64 * 1024 * 1024;
/// A repository that lost more than a tenth between two jobs of ours was touched by somebody else.
const SHRUNK_PERCENT_MAX: u64 = 10;
const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;

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
    /// Bytes that its disk has left.
    pub free: u64,
    /// Age of the oldest lock of the stock tool, hours.
    pub stock_lock_hours: Option<u64>,
}

/// A repository, or what kept us from looking.
#[derive(Debug)]
pub struct Seen {
    pub repository: String,
    pub found: Result<Found, BackupError>,
}

/// Asks a repository and its disk.
#[must_use]
pub fn look(settings: &RepositorySettings, now: Timestamp) -> Seen {
    Seen {
        repository: settings.name.clone(),
        found: find(settings, now),
    }
}

fn find(settings: &RepositorySettings, now: Timestamp) -> Result<Found, BackupError> {
    let all = snapshots::list(settings)?;
    let locks = prune::stock_lock_ages(settings, now)?;
    let oldest = locks.into_iter().max();
    Ok(Found {
        newest: all.last().map(|one| (one.taken_at, one.bytes)),
        snapshots: u64::try_from(all.len()).unwrap_or(u64::MAX),
        bytes: prune::bytes_of(&settings.path)?,
        free: base::paths::free_bytes(Path::new(&settings.path))?,
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

struct View<'a> {
    name: &'a str,
    history: &'a History,
    thresholds: &'a Thresholds,
    now: Timestamp,
}

impl View<'_> {
    fn probe(&self, name: &'static str, unit: &'static str, runbook: Page) -> Probe {
        Probe {
            name,
            repository: Some(self.name.to_owned()),
            holds: true,
            value: None,
            unit,
            threshold: None,
            words: String::new(),
            runbook,
        }
    }

    fn unreachable(&self, error: &BackupError) -> Probe {
        Probe {
            holds: false,
            value: Some(0),
            threshold: Some(1),
            words: format!("保管先「{}」を開けません: {}", self.name, error.in_words()),
            ..self.probe("backup_reachable", "yes", Page::BackupFailed)
        }
    }

    fn of_repository(&self, found: &Found, newest: Option<Timestamp>) -> Vec<Probe> {
        vec![
            Probe {
                value: Some(1),
                threshold: Some(1),
                words: format!("保管先「{}」を開けます。", self.name),
                ..self.probe("backup_reachable", "yes", Page::BackupFailed)
            },
            self.age(found),
            self.lag(found, newest),
            self.free(found),
            self.stock_lock(found),
            self.shrunk(found),
        ]
    }

    fn age(&self, found: &Found) -> Probe {
        let most = i64::from(self.thresholds.run_hours_max);
        let seconds = found
            .newest
            .map(|(at, _)| self.now.duration_since(at).as_secs());
        let hours = seconds.map(|seconds| seconds / HOUR_SECONDS);
        // One that is to come says nothing about the last hours.
        let holds = seconds.is_some_and(|seconds| (-600..=most * HOUR_SECONDS).contains(&seconds));
        let words = match hours {
            None => format!("保管先「{}」にはまだ控えがありません。", self.name),
            Some(hours) if hours < 0 => format!(
                "保管先「{}」の最新の控えは未来の時刻です。時計が進んでいたときのものです。",
                self.name
            ),
            Some(hours) => format!("保管先「{}」の最新の控えから {hours}時間。", self.name),
        };
        let runbook = match hours {
            Some(hours) if hours < 0 => Page::ClockWrong,
            Some(_) | None => Page::BackupFailed,
        };
        Probe {
            holds,
            value: hours,
            threshold: Some(most),
            words,
            ..self.probe("backup_age_hours", "hours", runbook)
        }
    }

    fn lag(&self, found: &Found, newest: Option<Timestamp>) -> Probe {
        let most = i64::from(self.thresholds.run_hours_max);
        let own = found.newest.map(|(at, _)| at);
        let behind = own
            .zip(newest)
            .map(|(own, newest)| newest.duration_since(own));
        let hours = behind.map(|behind| behind.as_secs() / HOUR_SECONDS);
        Probe {
            holds: hours.is_none_or(|hours| hours <= most),
            value: hours,
            threshold: Some(most),
            words: format!(
                "保管先「{}」は、いちばん新しい保管先より {}時間 遅れています。",
                self.name,
                hours.unwrap_or(0)
            ),
            ..self.probe("backup_lag_hours", "hours", Page::BackupFailed)
        }
    }

    fn free(&self, found: &Found) -> Probe {
        let bytes = found.newest.map_or(0, |(_, bytes)| bytes);
        let least = bytes.saturating_mul(u64::from(self.thresholds.free_factor_min));
        Probe {
            holds: found.free >= least,
            value: i64::try_from(found.free).ok(),
            threshold: i64::try_from(least).ok(),
            words: format!(
                "保管先「{}」の空きは {}MB、必要なのは {}MB。",
                self.name,
                found.free / 1_000_000,
                least / 1_000_000
            ),
            ..self.probe("backup_free_bytes", "bytes", Page::DiskFull)
        }
    }

    fn stock_lock(&self, found: &Found) -> Probe {
        let most = i64::from(self.thresholds.stock_lock_hours_max);
        let hours = found.stock_lock_hours.and_then(|h| i64::try_from(h).ok());
        Probe {
            holds: hours.is_none_or(|hours| hours <= most),
            value: hours,
            threshold: Some(most),
            words: match hours {
                None => format!("保管先「{}」に restic のロックはありません。", self.name),
                Some(hours) => format!(
                    "保管先「{}」に {hours}時間前からの restic のロックがあります。",
                    self.name
                ),
            },
            ..self.probe("backup_stock_lock_hours", "hours", Page::PruneFailed)
        }
    }

    /// Less than our last job left there: somebody else deleted.
    fn shrunk(&self, found: &Found) -> Probe {
        let mut newest_first = self.history.records.iter().rev();
        let known = newest_first.find(|one| one.repository == self.name && one.bytes > 0);
        let before = known.map_or(found.bytes, |one| one.bytes);
        let lost = before.saturating_sub(found.bytes);
        let percent = lost.saturating_mul(100) / before.max(1);
        Probe {
            holds: percent <= SHRUNK_PERCENT_MAX,
            value: i64::try_from(percent).ok(),
            threshold: i64::try_from(SHRUNK_PERCENT_MAX).ok(),
            words: format!(
                "保管先「{}」は、最後の処理のあとより {percent}% 小さくなっています。",
                self.name
            ),
            ..self.probe("backup_shrunk_percent", "percent", Page::BackupFailed)
        }
    }

    fn of_jobs(&self, schedule: &Schedule, reading: &Reading) -> Vec<Probe> {
        vec![
            self.failures(Job::Run, "backup_run_failures", Page::BackupFailed),
            self.failures(Job::Prune, "backup_prune_failures", Page::PruneFailed),
            self.growth(),
            self.prune_age(),
            self.read(schedule, reading),
            self.damage(reading),
        ]
    }

    /// How often it did not end well since it last did.
    fn failures(&self, job: Job, name: &'static str, runbook: Page) -> Probe {
        let mine = |one: &&Record| one.job == job && one.repository == self.name;
        let newest_first = self.history.records.iter().rev().filter(mine);
        let failed = newest_first.take_while(|one| one.outcome != Outcome::Ok);
        let failed: Vec<&Record> = failed.collect();
        let count = i64::try_from(failed.len()).unwrap_or(i64::MAX);
        let words = match failed.first().map(|one| one.outcome) {
            None => format!("保管先「{}」の{}は終わっています。", self.name, job.words()),
            Some(outcome) => format!(
                "保管先「{}」の{}が {count}回 続けて終わっていません（最後は{}）。",
                self.name,
                job.words(),
                how(outcome)
            ),
        };
        Probe {
            holds: count == 0,
            value: Some(count),
            threshold: Some(0),
            words,
            ..self.probe(name, "times", runbook)
        }
    }

    fn growth(&self) -> Probe {
        let mine = |one: &&Record| {
            one.job == Job::Run && one.repository == self.name && one.outcome == Outcome::Ok
        };
        let mut newest_first = self.history.records.iter().rev().filter(mine);
        let last = newest_first.next().map_or(0, |one| one.growth);
        let past = newest_first.take(RUNS_OF_MEDIAN).map(|one| one.growth);
        let mut past: Vec<i64> = past.collect();
        past.sort_unstable();
        let median = past.get(past.len() / 2).copied();
        let median = median.filter(|_| past.len() >= RUNS_OF_MEDIAN_MIN);
        let factor = i64::from(self.thresholds.growth_factor_max);
        let most = median.map(|median| median.saturating_mul(factor).max(GROWTH_BYTES_USUAL));
        Probe {
            holds: most.is_none_or(|most| last <= most),
            value: Some(last),
            threshold: most,
            words: format!(
                "保管先「{}」の最後の控えで増えたのは {}kB（いつもは {}kB）。",
                self.name,
                last / 1_000,
                median.unwrap_or(0) / 1_000
            ),
            ..self.probe("backup_growth_bytes", "bytes", Page::BackupFailed)
        }
    }

    fn prune_age(&self) -> Probe {
        let ok = |one: &Record| one.outcome == Outcome::Ok;
        let pruned = self.history.last(Job::Prune, self.name, ok);
        let mut oldest_first = self.history.records.iter();
        let begun = oldest_first.find(|one| one.repository == self.name);
        let since = pruned.or(begun).map(|one| one.ended_at);
        let days = since.map(|at| self.now.duration_since(at).as_secs() / DAY_SECONDS);
        let most = i64::from(self.thresholds.prune_days_max);
        Probe {
            holds: days.is_none_or(|days| days <= most),
            value: days,
            threshold: Some(most),
            words: match (pruned, days) {
                (Some(_), Some(days)) => format!(
                    "保管先「{}」で最後に終わった不要データの整理から {days}日。",
                    self.name
                ),
                _ => format!("保管先「{}」の不要データの整理はまだです。", self.name),
            },
            ..self.probe("backup_prune_age_days", "days", Page::PruneFailed)
        }
    }

    /// Slices that were not read in time; a new repository has as many nights as there are slices.
    fn read(&self, schedule: &Schedule, reading: &Reading) -> Probe {
        let mut oldest_first = self.history.records.iter();
        let begun = oldest_first.find(|one| one.repository == self.name);
        let window = SignedDuration::from_hours(i64::from(schedule.read_days) * 24);
        let is_new = begun.is_none_or(|one| self.now.duration_since(one.ended_at) <= window);
        let missing = reading.slices.saturating_sub(reading.slices_read);
        Probe {
            holds: is_new || missing == 0,
            value: Some(i64::from(reading.slices_read)),
            threshold: Some(i64::from(reading.slices)),
            words: format!(
                "保管先「{}」は、この{}日で {}のうち{}を読み直しました。",
                self.name, schedule.read_days, reading.slices, reading.slices_read
            ),
            ..self.probe("backup_read_slices", "slices", Page::BackupFailed)
        }
    }

    /// Slices whose last reading found damage.
    fn damage(&self, reading: &Reading) -> Probe {
        let last = |number: u32| {
            let of = reading.slices;
            due::last_reading(self.history, self.name, Slice { number, of })
        };
        let bad = (0..reading.slices)
            .filter_map(last)
            .filter(|one| one.outcome == Outcome::NotHeld)
            .count();
        let bad = i64::try_from(bad).unwrap_or(i64::MAX);
        Probe {
            holds: bad == 0,
            value: Some(bad),
            threshold: Some(0),
            words: if bad == 0 {
                format!(
                    "保管先「{}」の読み直しで壊れた所は見つかっていません。",
                    self.name
                )
            } else {
                format!(
                    "保管先「{}」の読み直しで壊れた所が見つかっています（{bad}か所の区分）。",
                    self.name
                )
            },
            ..self.probe("backup_read_damage", "slices", Page::BackupFailed)
        }
    }

    fn status(
        &self,
        found: Option<&Found>,
        schedule: &Schedule,
        reading: Reading,
    ) -> RepositoryStatus {
        let job = |job: Job| {
            let last = |wanted: fn(&Record) -> bool| self.history.last(job, self.name, wanted);
            let newest = last(|_| true);
            JobStatus {
                job,
                last_ok_at: last(|one| one.outcome == Outcome::Ok).map(|one| one.ended_at),
                last_not_ok_at: last(|one| one.outcome != Outcome::Ok).map(|one| one.ended_at),
                last_outcome: newest.map(|one| one.outcome),
                last_seconds: newest.map(|one| one.ended_at.duration_since(one.began_at).as_secs()),
                next_at: due::next_turn(job, schedule, self.now),
            }
        };
        RepositoryStatus {
            repository: self.name.to_owned(),
            newest_at: found.and_then(|found| found.newest).map(|(at, _)| at),
            snapshots: found.map(|found| found.snapshots),
            bytes: found.map(|found| found.bytes),
            free_bytes: found.map(|found| found.free),
            jobs: Job::ALL.into_iter().map(job).collect(),
            reading,
        }
    }
}

fn how(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "成功",
        Outcome::NotHeld => "異常あり",
        Outcome::Failed => "失敗",
        Outcome::CutShort => "途中で停止",
    }
}
