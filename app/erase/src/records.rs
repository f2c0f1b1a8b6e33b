//! What is left of an erasure: one file for each time that somebody tried, and where an unfinished one stands.
//!
//! Invariant: of an item the newest record counts. A file that cannot be read is an error and never passed over.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, create_private_dir, sync_dir, write_atomic};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::EraseError;
use crate::plan::Sealed;

/// Of any file of ours, bytes.
const BYTES_MAX: u64 = 4 * 1024 * 1024;
const FORMAT: u16 = 1;
const UNFINISHED: &str = ".unfinished.json";

/// How the caches between us and the disk were kept out when it was read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    /// Every read went around the page cache (`O_DIRECT`).
    Direct,
    /// Buffers were written back and dropped before (`BLKFLSBUF`).
    Flushed,
    /// The system was asked to drop its pages; a file system in memory has nothing behind them.
    Advised,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// Every byte was overwritten and read back as zero.
    Erased,
    /// Something of it may still be there.
    NotErased {
        /// `overwrite` or `verify`.
        step: String,
        /// Units: bytes from the beginning.
        at_byte: u64,
        /// The system's words.
        cause: String,
    },
}

/// What was measured when we erased it ourselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// As the plan has it.
    pub serial: String,
    /// As the plan has it.
    pub model: String,
    /// Where it was at that moment.
    pub device: PathBuf,
    /// A file or a loop device.
    pub image: bool,
    /// Units: bytes.
    pub size_bytes: u64,
    /// LUKS headers of which all keys were destroyed first.
    pub keys_destroyed: u16,
    /// Headers that `cryptsetup` did not take; they were overwritten with everything else.
    pub keys_left: u16,
    /// Passes of zeros over everything.
    pub passes: u16,
    /// Units: bytes.
    pub written_bytes: u64,
    /// Read back as zero; units: bytes.
    pub verified_bytes: u64,
    /// Whether a memory could have answered instead of the disk; nothing when it was not read to the end.
    pub cache: Option<Cache>,
    /// How often it was begun or gone on with.
    pub sittings: u16,
    /// Names and versions.
    pub tools: BTreeMap<String, String>,
    /// How it ended.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What somebody says that was done; nothing of it was measured here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reported {
    /// What was done, in words.
    pub how: String,
    /// Where it was done, or by which firm.
    pub by_whom: String,
    /// Number of the paper that proves it.
    pub proof: String,
}

/// Measured here, or told by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Done {
    /// By [`crate::erase`].
    Measured(Measured),
    /// By whoever did it elsewhere.
    Reported(Reported),
}

/// One item, one time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Of this file.
    pub format: u16,
    /// Of the plan.
    pub plan_id: String,
    /// Of the plan's file.
    pub plan_sha256: String,
    /// Number in the plan.
    pub item: u16,
    /// 担当者.
    pub person: String,
    /// Who stood by.
    pub attendants: Vec<String>,
    /// Why nobody did although somebody was planned.
    pub unattended: Option<String>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// What was done.
    pub done: Done,
}

impl Record {
    /// The beginning of a record about this item, by whom, with whom.
    #[must_use]
    pub fn new(
        (sealed, item): (&Sealed, u16),
        person: &str,
        (began_at, ended_at): (Timestamp, Timestamp),
        done: Done,
    ) -> Self {
        Self {
            format: FORMAT,
            plan_id: sealed.plan.id.clone(),
            plan_sha256: sealed.sha256.clone(),
            item,
            person: person.to_owned(),
            attendants: Vec::new(),
            unattended: None,
            began_at,
            ended_at,
            done,
        }
    }

    /// May a certificate be made of it?
    #[must_use]
    pub fn is_proof(&self) -> bool {
        match &self.done {
            Done::Measured(measured) => {
                measured.outcome == Outcome::Erased
                    && measured.verified_bytes == measured.size_bytes
                    && measured.size_bytes > 0
            }
            Done::Reported(_) => true,
        }
    }

    /// Writes it; the name says item and time, so none takes the place of another.
    ///
    /// # Errors
    /// [`EraseError::Files`], [`EraseError::Refused`] when there is one of this very moment.
    pub fn write(&self, dir: &Path) -> Result<PathBuf, EraseError> {
        create_private_dir(dir)?;
        let at = self.ended_at.strftime("%Y%m%dT%H%M%S%3fZ");
        let path = dir.join(format!("item-{:03}-{at}.json", self.item));
        if path.exists() {
            return Err(EraseError::Refused(
                "同じ時刻の記録があります。もう一度実行してください。".to_owned(),
            ));
        }
        write_atomic(&path, &json(self)?, MODE_PRIVATE)?;
        Ok(path)
    }
}

/// Where an erasure stands that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// Of the plan's file.
    pub plan_sha256: String,
    /// Number in the plan.
    pub item: u16,
    /// Of the device.
    pub serial: String,
    /// Of the device, bytes.
    pub size_bytes: u64,
    /// Everything before this is overwritten and flushed; bytes.
    pub written_bytes: u64,
    /// Headers of which the keys were destroyed.
    pub keys_destroyed: u16,
    /// Headers that were not taken.
    pub keys_left: u16,
    /// When it was begun first.
    pub began_at: Timestamp,
    /// How often it was begun or gone on with.
    pub sittings: u16,
}

impl Unfinished {
    fn place(dir: &Path, item: u16) -> PathBuf {
        dir.join(format!("item-{item:03}{UNFINISHED}"))
    }

    /// Where it stands, if it was begun.
    ///
    /// # Errors
    /// [`EraseError::Unreadable`], [`EraseError::Bent`].
    pub fn read(dir: &Path, item: u16) -> Result<Option<Self>, EraseError> {
        let path = Self::place(dir, item);
        if path.exists() {
            parsed(&path).map(|(value, _)| Some(value))
        } else {
            Ok(None)
        }
    }

    /// Is it the same disk by the same plan?
    #[must_use]
    pub fn goes_on(&self, sealed: &Sealed, serial: &str, size_bytes: u64) -> bool {
        self.plan_sha256 == sealed.sha256
            && self.serial == serial
            && self.size_bytes == size_bytes
            && self.written_bytes <= size_bytes
    }

    pub(crate) fn write(&self, dir: &Path) -> Result<(), EraseError> {
        write_atomic(&Self::place(dir, self.item), &json(self)?, MODE_PRIVATE)?;
        Ok(())
    }

    /// It came to its end, and the record is written.
    ///
    /// # Errors
    /// [`EraseError::Unreadable`] when the file stays, [`EraseError::Files`].
    pub fn remove(dir: &Path, item: u16) -> Result<(), EraseError> {
        let path = Self::place(dir, item);
        match fs::remove_file(&path) {
            Ok(()) => Ok(sync_dir(dir)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(EraseError::Unreadable { path, source }),
        }
    }
}

/// Every record of this plan, with its file and that file's hash; oldest first.
///
/// # Errors
/// [`EraseError::Unreadable`], [`EraseError::Bent`], [`EraseError::Refused`] for a record of another plan.
pub fn read_all(dir: &Path, sealed: &Sealed) -> Result<Vec<(Record, PathBuf, String)>, EraseError> {
    let unreadable = |source| EraseError::Unreadable {
        path: dir.to_owned(),
        source,
    };
    let mut records = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_ours = name.starts_with("item-") && name.ends_with(".json");
        if !is_ours || name.ends_with(UNFINISHED) {
            continue;
        }
        let (record, sha256): (Record, String) = parsed(&path)?;
        if record.plan_sha256 != sealed.sha256 {
            return Err(EraseError::Refused(format!(
                "{} は別の計画の記録です。計画ごとに場所を分けてください。",
                path.display()
            )));
        }
        records.push((record, path, sha256));
    }
    records.sort_by(|a, b| (a.0.ended_at, &a.1).cmp(&(b.0.ended_at, &b.1)));
    Ok(records)
}

/// The newest of an item.
#[must_use]
pub fn latest(
    records: &[(Record, PathBuf, String)],
    item: u16,
) -> Option<&(Record, PathBuf, String)> {
    records
        .iter()
        .rev()
        .find(|(record, ..)| record.item == item)
}

/// 64 hexadecimal digits.
#[must_use]
pub fn sha256_of(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, EraseError> {
    let bent = |source| EraseError::Bent {
        path: PathBuf::new(),
        source,
    };
    let mut bytes = serde_json::to_vec_pretty(value).map_err(bent)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn parsed<T: DeserializeOwned>(path: &Path) -> Result<(T, String), EraseError> {
    let bytes = read_bounded(path)?;
    let value = serde_json::from_slice(&bytes).map_err(|source| EraseError::Bent {
        path: path.to_owned(),
        source,
    })?;
    Ok((value, sha256_of(&bytes)))
}

pub(crate) fn read_bounded(path: &Path) -> Result<Vec<u8>, EraseError> {
    let unreadable = |source| EraseError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    let read = file.take(BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > BYTES_MAX {
        return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
    }
    Ok(bytes)
}
