//! One line for every job that ran: what, when, how long, how it ended, how much it moved.
//!
//! Shape: [`Records`] is a directory with `runs.jsonl`, appended to and never edited; past
//! [`BYTES_MAX`] it becomes `runs.1.jsonl` and a new one begins. The order is that of the deeds, also
//! when the clock jumped in between.
//! Invariant: no personal data: names of repositories, ids, counts, bytes, words of our own.
//! A line that a power cut tore is dropped by the next append; one that cannot be read is counted.
//! Not here: what is made of it ([`crate::status`], [`crate::due`]).

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::BackupError;

const FILE: &str = "runs.jsonl";
const EARLIER: &str = "runs.1.jsonl";
/// About three years of an hour's two runs.
const BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What a record says of itself, sentences and characters each.
const SAID_MAX: usize = 20;
const SAID_CHARS_MAX: usize = 300;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    Run,
    Prune,
    /// A slice of the rolling read, or the whole.
    Check,
    Drill,
    /// A disk that is carried away was plugged in. Never due: it comes when it comes.
    Disk,
    /// An older state is put in the place of the present one. Never due.
    Restore,
}

impl Job {
    /// What a timer does, in this order.
    pub const ALL: [Self; 4] = [Self::Run, Self::Drill, Self::Check, Self::Prune];

    /// As operators call it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Run => "バックアップ",
            Self::Prune => "不要データの整理",
            Self::Check => "読み直し検査",
            Self::Drill => "復元訓練",
            Self::Disk => "持ち出すディスクへの控え",
            Self::Restore => "復元",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Ok,
    /// It ran to its end and what it asked about does not hold.
    NotHeld,
    /// Something was in the way.
    Failed,
    /// Its process died: told by whoever came next.
    CutShort,
}

/// A part of the rolling read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// From 0.
    pub number: u32,
    pub of: u32,
}

/// One job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub job: Job,
    /// Nothing when it was cut short before one was chosen.
    pub repository: String,
    pub began_at: Timestamp,
    pub ended_at: Timestamp,
    pub outcome: Outcome,
    /// Bytes of all files of the repository afterwards; 0 when they cannot be counted.
    #[serde(default)]
    pub bytes: u64,
    /// By how much they grew (or, below 0, shrank).
    #[serde(default)]
    pub growth: i64,
    #[serde(default)]
    pub snapshot: Option<String>,
    /// Of a check: nothing is all of them.
    #[serde(default)]
    pub slice: Option<Slice>,
    /// Findings, ids of packs, what was in the way.
    #[serde(default)]
    pub said: Vec<String>,
}

impl Record {
    /// A job that began and ended at these times and has nothing to tell yet.
    #[must_use]
    pub fn new(job: Job, repository: &str, began_at: Timestamp, ended_at: Timestamp) -> Self {
        Self {
            job,
            repository: repository.to_owned(),
            began_at,
            ended_at,
            outcome: Outcome::Ok,
            bytes: 0,
            growth: 0,
            snapshot: None,
            slice: None,
            said: Vec::new(),
        }
    }

    /// It is over and need not be tried again before its next turn.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self.outcome, Outcome::Ok | Outcome::NotHeld)
    }
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// In the order in which they ended.
    pub records: Vec<Record>,
    /// Lines that are none.
    pub unreadable: u64,
}

impl History {
    /// The newest record of a job on a repository that `wanted` says yes to.
    pub fn last(
        &self,
        job: Job,
        repository: &str,
        wanted: impl Fn(&Record) -> bool,
    ) -> Option<&Record> {
        let mut newest_first = self.records.iter().rev();
        newest_first.find(|one| one.job == job && one.repository == repository && wanted(one))
    }
}

/// The directory of the records.
#[derive(Debug, Clone)]
pub struct Records(PathBuf);

impl Records {
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self(dir.to_path_buf())
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// Appends a record; it is on the disk when this returns.
    ///
    /// # Errors
    /// What the disk refused.
    pub fn append(&self, record: &Record) -> Result<(), BackupError> {
        base::paths::create_private_dir(&self.0)?;
        let path = self.0.join(FILE);
        let at = |step| {
            let path = path.clone();
            move |e| BackupError::io(step, &path, e)
        };
        let mut record = record.clone();
        record.said.truncate(SAID_MAX);
        for said in &mut record.said {
            *said = said.chars().take(SAID_CHARS_MAX).collect();
        }
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        self.begin_anew_when_long(&path)?;
        let mut options = File::options();
        let options = options.read(true).create(true).append(true);
        let mut file = options.open(&path).map_err(at("open"))?;
        file.lock().map_err(at("lock"))?;
        drop_torn_line(&mut file).map_err(at("mend"))?;
        file.write_all(&line).map_err(at("write"))?;
        file.sync_data().map_err(at("flush"))?;
        base::paths::sync_dir(&self.0)?;
        Ok(())
    }

    fn begin_anew_when_long(&self, path: &Path) -> Result<(), BackupError> {
        let long = fs::metadata(path).is_ok_and(|found| found.len() > BYTES_MAX);
        if long {
            let earlier = self.0.join(EARLIER);
            fs::rename(path, earlier).map_err(|e| BackupError::io("put aside", path, e))?;
        }
        Ok(())
    }

    /// Everything that is remembered.
    ///
    /// # Errors
    /// What the disk refused; a directory that is not there holds no records.
    pub fn read(&self) -> Result<History, BackupError> {
        let mut history = History::default();
        for name in [EARLIER, FILE] {
            let path = self.0.join(name);
            let bytes = match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => return Err(BackupError::io("read", &path, e)),
            };
            let whole = bytes.iter().rposition(|byte| *byte == b'\n');
            let whole = bytes.get(..whole.unwrap_or(0)).unwrap_or_default();
            for line in whole.split(|byte| *byte == b'\n') {
                match serde_json::from_slice(line) {
                    Ok(record) => history.records.push(record),
                    Err(_) if line.is_empty() => {}
                    Err(_) => history.unreadable += 1,
                }
            }
        }
        Ok(history)
    }
}

/// What a power cut left behind the last whole line; nobody was told that it had been written.
fn drop_torn_line(file: &mut File) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n');
    let whole = whole.map_or(0, |at| at + 1);
    if whole < bytes.len() {
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
    }
    Ok(())
}
