//! The states of one repository: what its disk says, and what its records say.

use jiff::{SignedDuration, Timestamp};

use super::{DAY_SECONDS, Found, JobStatus, Page, Probe, RepositoryStatus, Thresholds, change};
use crate::due::{self, Reading, Schedule};
use crate::error::BackupError;
use crate::records::{History, Job, Outcome, Record, Slice};

/// A repository that lost more than a tenth between two jobs of ours was touched by somebody else.
const SHRUNK_PERCENT_MAX: u64 = 10;
const HOUR_SECONDS: i64 = 3_600;

/// A repository with what it is judged by.
pub(super) struct View<'a> {
    pub(super) name: &'a str,
    pub(super) is_pruned_from_here: bool,
    pub(super) history: &'a History,
    pub(super) thresholds: &'a Thresholds,
    pub(super) now: Timestamp,
}

impl View<'_> {
    fn probe(&self, name: &'static str, unit: &'static str, runbook: Page) -> Probe {
        Probe::new(name, Some(self.name), unit, runbook)
    }

    pub(super) fn unreachable(&self, error: &BackupError) -> Probe {
        Probe {
            holds: false,
            value: Some(0),
            threshold: Some(1),
            words: format!("保管先「{}」を開けません: {}", self.name, error.in_words()),
            ..self.probe("backup_reachable", "yes", Page::BackupFailed)
        }
    }

    pub(super) fn of_repository(&self, found: &Found, newest: Option<Timestamp>) -> Vec<Probe> {
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
        // Nobody can tell elsewhere; that it is full is told by the run that finds it so.
        let Some(free) = found.free else {
            return Probe {
                words: format!("保管先「{}」の空きは、ここからは分かりません。", self.name),
                ..self.probe("backup_free_bytes", "bytes", Page::DiskFull)
            };
        };
        Probe {
            holds: free >= least,
            value: i64::try_from(free).ok(),
            threshold: i64::try_from(least).ok(),
            words: format!(
                "保管先「{}」の空きは {}MB、必要なのは {}MB。",
                self.name,
                free / 1_000_000,
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

    pub(super) fn of_jobs(&self, schedule: &Schedule, reading: &Reading) -> Vec<Probe> {
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
        let change = change::last(self.history, self.name, self.thresholds.growth_factor_max);
        Probe {
            holds: change.is_usual(),
            value: Some(change.growth),
            threshold: change.most,
            words: format!(
                "保管先「{}」の最後の控えで増えたのは {}kB（いつもは {}kB）。",
                self.name,
                change.growth / 1_000,
                change.median.unwrap_or(0) / 1_000
            ),
            ..self.probe("backup_growth_bytes", "bytes", Page::MassChange)
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
        if !self.is_pruned_from_here {
            return Probe {
                words: format!("保管先「{}」は、保管先の側で片付けます。", self.name),
                ..self.probe("backup_prune_age_days", "days", Page::PruneFailed)
            };
        }
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

    pub(super) fn status(
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
            free_bytes: found.and_then(|found| found.free),
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
