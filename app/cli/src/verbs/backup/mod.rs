//! `backup`: repositories are filled, looked after and proven.
//!
//! Shape: one file a verb; [`Keeper`] holds what all of them need. Every job takes the turn of this
//! machine, and leaves a record whatever becomes of it.

mod check;
mod disk;
mod drill;
mod keys;
mod listing;
mod prune;
mod report;
mod run;
mod status;
mod tick;

use std::collections::BTreeMap;
use std::path::Path;

use backup::due::Schedule;
use backup::records::{Job, Outcome, Record, Records};
use backup::retention::Retention;
use backup::{BackupError, PruneRules, RepositorySettings, Turn, repository_bytes};
use base::clock::Clock;
use base::report::{Kind, Report, Runbook};
use base::settings::Site;
use jiff::Timestamp;
use store::{DataDir, Operation, Operator, StoreError};

pub(crate) use check::check;
pub(crate) use disk::disk;
pub(crate) use drill::drill;
pub(crate) use keys::{Desk, key, sheet};
pub(crate) use listing::{init, list};
pub(crate) use prune::prune;
pub(crate) use report::{moment, report};
pub(crate) use run::{run, save};
pub(crate) use status::status;
pub(crate) use tick::tick;

use crate::output::Voice;
use crate::{operator, site};

/// Below the data directory: half a job that a killed process left.
const LEFTOVERS: [&str; 2] = [run::STAGING, drill::SCRATCH];

/// What every job needs.
pub(crate) struct Keeper<'a> {
    pub(crate) site: &'a Site,
    /// The site file itself, which is saved as well.
    pub(crate) file: &'a Path,
    pub(crate) dir: DataDir,
    /// Nobody: the timer.
    pub(crate) operator: Option<Operator>,
    pub(crate) voice: &'a Voice,
    repositories: Vec<RepositorySettings>,
    records: Records,
    tells: bool,
}

impl<'a> Keeper<'a> {
    pub(crate) fn new(
        (site, file): (&'a Site, &'a Path),
        dir: DataDir,
        operator: Option<Operator>,
        voice: &'a Voice,
    ) -> Result<Self, Report> {
        let repositories = site::repositories(site, &dir);
        need_some(&repositories, voice)?;
        let records = Records::at(&dir.backup_records());
        Ok(Self {
            site,
            file,
            dir,
            operator,
            voice,
            repositories,
            records,
            tells: true,
        })
    }

    /// The same for a job inside another, on these repositories: its one JSON object is the other's.
    fn within(&self, repositories: Vec<RepositorySettings>) -> Keeper<'_> {
        Keeper {
            site: self.site,
            file: self.file,
            dir: self.dir.clone(),
            operator: self.operator.clone(),
            voice: self.voice,
            repositories,
            records: self.records.clone(),
            tells: false,
        }
    }

    /// The result for machines, unless somebody else tells it.
    fn result(&self, value: &impl serde::Serialize) -> Result<(), Report> {
        if self.tells {
            self.voice.result(value)
        } else {
            Ok(())
        }
    }

    fn now(&self) -> Timestamp {
        Clock::system().now()
    }

    fn known(&self, name: &str) -> Option<RepositorySettings> {
        let mut all = self.repositories.iter();
        all.find(|one| one.name == name).cloned()
    }

    /// Those that are written to by whoever is asked; a disk of the rotation is when it was plugged in
    /// and compared, by `backup disk run` alone.
    fn resident(&self) -> Vec<RepositorySettings> {
        let all = self.repositories.iter();
        let resident = all.filter(|one| !self.is_rotated(&one.name));
        resident.cloned().collect()
    }

    /// The one that was named, else all that are not in the rotation.
    fn chosen(&self, name: Option<&str>) -> Result<Vec<RepositorySettings>, Report> {
        let Some(name) = name else {
            return Ok(self.resident());
        };
        self.known(name).map(|one| vec![one]).ok_or_else(|| {
            let known: Vec<&str> = self.repositories.iter().map(|r| r.name.as_str()).collect();
            self.voice.say(&format!(
                "その名前の保管先はありません。使えるもの: {}",
                known.join("、")
            ));
            Report::bare(Kind::Usage)
        })
    }

    /// Those that are to be here: a disk that is carried away is, when it is plugged in.
    fn at_home(&self) -> Vec<RepositorySettings> {
        let is_away =
            |one: &&RepositorySettings| self.is_carried_away(&one.name) && !backup::is_here(one);
        let all = self.resident();
        let here = all.iter().filter(|one| !is_away(one));
        here.cloned().collect()
    }

    /// On a disk that takes part in the rotation.
    fn is_rotated(&self, name: &str) -> bool {
        let mut known = self.site.backup.repositories.iter();
        known.any(|one| one.name() == name && site::is_rotated(one))
    }

    fn is_carried_away(&self, name: &str) -> bool {
        let mut known = self.site.backup.repositories.iter();
        known.any(|one| one.name() == name && one.removable.is_some())
    }

    fn rules(&self) -> PruneRules {
        let (kept, prune) = (self.site.backup.retention(), self.site.backup.prune());
        PruneRules {
            retention: Retention {
                hourly: kept.hourly,
                daily: kept.daily,
                weekly: kept.weekly,
                monthly: kept.monthly,
                yearly: kept.yearly,
                days_max: self.site.backup.days_kept,
            },
            grace_hours: prune.grace_hours,
            repack_percent_max: prune.repack_percent_max,
            unused_percent_max: prune.unused_percent_max,
        }
    }

    fn schedule(&self) -> Schedule {
        let schedule = self.site.backup.schedule();
        Schedule {
            drill_hour: schedule.drill_hour,
            prune_weekday: schedule.prune_weekday,
            prune_hour: schedule.prune_hour,
            read_hour: schedule.read_hour,
            read_days: schedule.read_days,
            clock_jump_days_max: self.site.backup.alarm().clock_jump_days_max,
        }
    }

    /// Takes the turn, says what died while it had it, and clears what that left behind.
    fn turn(&self, job: Job, repository: &str) -> Result<Turn, Report> {
        if !self.dir.database().exists() {
            let dir = self.dir.path().to_path_buf();
            return Err(StoreError::Absent { dir }.report());
        }
        let now = self.now();
        let taken = Turn::take(self.records.dir(), job, repository, now);
        let (turn, died) = taken.map_err(Report::from)?;
        if let Some(died) = died {
            self.voice.say(&format!(
                "前の{}は途中で止まっていました。残りを片付けます。",
                died.job.words()
            ));
            self.keep(&died.cut_short(now))?;
        }
        self.sweep()?;
        Ok(turn)
    }

    /// Takes away what no living process can be using: every job that makes such a thing holds the turn.
    fn sweep(&self) -> Result<(), Report> {
        let place = self.dir.path();
        let entries = match std::fs::read_dir(place) {
            Ok(entries) => entries,
            Err(e) => return Err(unprepared(place, e)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| unprepared(place, e))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if !LEFTOVERS.iter().any(|prefix| name.starts_with(prefix)) {
                continue;
            }
            let path = entry.path();
            if is_in_use(&path.join("data/lock")) {
                self.voice
                    .say("前の訓練のサービスがまだ動いているので、その置き場は残します。");
                continue;
            }
            std::fs::remove_dir_all(&path).map_err(|e| unprepared(&path, e))?;
        }
        Ok(())
    }

    fn keep(&self, record: &Record) -> Result<(), Report> {
        self.records.append(record).map_err(Report::from)
    }

    /// Does a job on one repository and leaves its record, however it ends.
    fn recorded<T>(
        &self,
        job: Job,
        repository: &RepositorySettings,
        work: impl FnOnce(&mut Record) -> Result<T, Report>,
    ) -> Result<T, Report> {
        let before = repository_bytes(repository).ok();
        let began_at = self.now();
        let mut record = Record::new(job, &repository.name, began_at, began_at);
        let done = work(&mut record);
        record.ended_at = self.now();
        if let Err(report) = &done {
            record.outcome = Outcome::Failed;
            let advice = report.for_operator().map(|advice| advice.text.to_owned());
            record.said.extend(advice);
        }
        if let (Some(before), Ok(after)) = (before, repository_bytes(repository)) {
            let signed = |bytes| i64::try_from(bytes).unwrap_or(i64::MAX);
            record.bytes = after;
            record.growth = signed(after).saturating_sub(signed(before));
        }
        self.keep(&record)?;
        done
    }

    /// Notes when each of these was last saved, for the banner of the pages.
    fn newest<'r>(
        &self,
        saved: impl Iterator<Item = &'r str>,
        at: Timestamp,
    ) -> Result<(), Report> {
        let path = self.dir.newest_backups();
        // One that cannot be read is written anew: it is a copy of what the records say.
        let text = std::fs::read(&path).unwrap_or_default();
        let mut known: BTreeMap<String, Timestamp> =
            serde_json::from_slice(&text).unwrap_or_default();
        let mut all = site::repositories(self.site, &self.dir);
        all.retain(|one| !self.is_carried_away(&one.name));
        known.retain(|name, _| all.iter().any(|one| one.name == *name));
        for repository in all {
            // Never saved: overdue since it was first tried.
            known
                .entry(repository.name)
                .or_insert(Timestamp::UNIX_EPOCH);
        }
        for name in saved.filter(|name| !self.is_carried_away(name)) {
            known.insert(name.to_owned(), at);
        }
        let bytes = serde_json::to_vec(&known).map_err(|e| Report::new(Kind::Fault, e))?;
        let written = base::paths::write_atomic(&path, &bytes, base::paths::MODE_PRIVATE);
        written.map_err(|e| unprepared(&path, e))
    }

    /// The deed's entry of the access log.
    fn note(&self, detail: &str) -> Result<(), Report> {
        let who = match &self.operator {
            None => "／タイマー",
            Some(_) => "",
        };
        let detail = format!("{detail}{who}");
        operator::note(&self.dir, Operation::Backup, detail, self.operator.clone())
    }
}

/// Several repositories: all of them had their turn before the first failure is told.
fn first_failure<T>(outcomes: Vec<Result<T, Report>>, voice: &Voice) -> Result<Vec<T>, Report> {
    let (mut done, mut first) = (Vec::new(), None);
    for outcome in outcomes {
        match outcome {
            Ok(one) => done.push(one),
            Err(report) if first.is_none() => first = Some(report),
            Err(report) => voice.report(&report),
        }
    }
    first.map_or(Ok(done), Err)
}

/// Does a process hold this lock? The kernel lets go of it when the process ends.
fn is_in_use(lock: &Path) -> bool {
    let Ok(file) = std::fs::File::open(lock) else {
        return false;
    };
    file.try_lock().is_err()
}

fn failed(error: BackupError) -> Report {
    Report::from(error)
}

fn unprepared(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Report {
    Report::new(Kind::BackupTarget, error)
        .operator(
            "バックアップの準備ができませんでした。今までのバックアップは無事です",
            Runbook::BackupFailed,
        )
        .at(path)
}

fn need_some(repositories: &[RepositorySettings], voice: &Voice) -> Result<(), Report> {
    if repositories.is_empty() {
        voice.say("設定ファイルに保管先 [[backup.repositories]] がありません。");
        return Err(Report::bare(Kind::Settings));
    }
    Ok(())
}
