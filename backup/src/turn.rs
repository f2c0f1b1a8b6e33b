//! One job at a time on this machine, and who has the turn.
//!
//! Shape: `flock` on a file beside the records, which ends with its process; its content names the
//! job. A job that ends in order takes its name away: a name without a lock is one that died, and
//! whoever comes next is told.
//! Not here: the lock of each repository ([`crate::run`] and [`crate::prune`] take it), which keeps
//! two machines apart.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::BackupError;
use crate::records::Job;

const NAME: &str = "turn";
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

/// Held while a job runs; let go on drop, and by the kernel when the process dies.
#[derive(Debug)]
pub struct Turn {
    file: File,
}

impl Turn {
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
        base::paths::create_private_dir(dir)?;
        let path = dir.join(NAME);
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options
            .open(&path)
            .map_err(|e| BackupError::io("open the lock", &path, e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(BackupError::JobRunning {
                    doing: named(&mut file),
                });
            }
            Err(TryLockError::Error(e)) => return Err(BackupError::io("lock", &path, e)),
        }
        let died = named(&mut file);
        let mut turn = Self { file };
        turn.name(job, repository, now)
            .map_err(|e| BackupError::io("write the lock", &path, e))?;
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

fn named(file: &mut File) -> Option<Doing> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(BYTES_MAX).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
