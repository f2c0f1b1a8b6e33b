//! One job at a time on this machine, and who has the turn.
//!
//! Shape: `flock` on a file beside the records, which ends with its process; its content names the
//! job. A job that ends in order takes its name away: a name without a lock is one that died, and
//! whoever comes next is told.
//! Not here: the lock of each repository ([`crate::run`] and [`crate::prune`] take it), which keeps
//! two machines apart.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::BackupError;
use crate::records::{Job, Outcome, Record};

/// A name is short; what is longer is not ours.
const BYTES_MAX: u64 = 1_000;

/// What somebody is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doing {
    pub job: Job,
    /// One of several is named when its turn comes.
    pub repository: String,
    pub since: Timestamp,
    pub pid: u32,
}

impl Doing {
    /// What, by which process, since when: for people.
    #[must_use]
    pub fn words(&self) -> String {
        let since = self.since.to_zoned_datetime(base::clock::japan());
        let since = since.strftime("%Y-%m-%d %H:%M:%S");
        format!("{}、pid {}、{since}から", self.job.words(), self.pid)
    }

    /// The record of a job that died, told by whoever came next.
    #[must_use]
    pub fn cut_short(&self, now: Timestamp) -> Record {
        let mut record = Record::new(self.job, &self.repository, self.since, now);
        record.outcome = Outcome::CutShort;
        record
    }
}

/// Held while a job runs; let go on drop, and by the kernel when the process dies.
#[derive(Debug)]
pub struct Turn {
    file: File,
}

impl Turn {
    /// The file, beside the records. It is of the directory that it lies in: a copy says nothing.
    pub const NAME: &str = "turn";

    /// Takes the turn; and what died with it, if something did.
    ///
    /// # Errors
    /// [`BackupError::JobRunning`] with its name, and what the disk refused.
    pub fn take(
        dir: &Path,
        job: Job,
        repository: &str,
        now: Timestamp,
    ) -> Result<(Self, Option<Doing>), BackupError> {
        let (mut file, path) = opened(dir)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(BackupError::JobRunning {
                    doing: named(&mut file),
                });
            }
            Err(TryLockError::Error(e)) => return Err(BackupError::io("lock", &path, e)),
        }
        Self::begin((file, &path), job, repository, now)
    }

    /// The same, once whoever has the turn is done. Its process can be ended, and so can this one: that is for
    /// people to decide, who know what is urgent.
    ///
    /// # Errors
    /// What the disk refused.
    pub fn wait(
        dir: &Path,
        job: Job,
        repository: &str,
        now: impl Fn() -> Timestamp,
    ) -> Result<(Self, Option<Doing>), BackupError> {
        let (file, path) = opened(dir)?;
        file.lock().map_err(|e| BackupError::io("lock", &path, e))?;
        Self::begin((file, &path), job, repository, now())
    }

    fn begin(
        (mut file, path): (File, &Path),
        job: Job,
        repository: &str,
        now: Timestamp,
    ) -> Result<(Self, Option<Doing>), BackupError> {
        let died = named(&mut file);
        let mut turn = Self { file };
        turn.name(job, repository, now)
            .map_err(|e| BackupError::io("write the lock", path, e))?;
        Ok((turn, died))
    }

    /// Says what is being done from now on.
    fn name(&mut self, job: Job, repository: &str, since: Timestamp) -> std::io::Result<()> {
        let doing = Doing {
            job,
            repository: repository.to_owned(),
            since,
            pid: std::process::id(),
        };
        let line = serde_json::to_vec(&doing)?;
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(&line)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // Left behind, the name would tell of a death that did not happen; that is all.
        if let Err(error) = self.file.set_len(0) {
            log::warn!("the name of a finished job stays behind: {error}");
        }
    }
}

fn opened(dir: &Path) -> Result<(File, PathBuf), BackupError> {
    base::paths::create_private_dir(dir)?;
    let path = dir.join(Turn::NAME);
    let mut options = File::options();
    let options = options.read(true).write(true).create(true).truncate(false);
    let file = options
        .open(&path)
        .map_err(|e| BackupError::io("open the lock", &path, e))?;
    Ok((file, path))
}

fn named(file: &mut File) -> Option<Doing> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
