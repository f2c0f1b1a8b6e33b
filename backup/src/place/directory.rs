//! A repository in a directory of a mounted disk.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use rustic_backend::LocalBackend;
use rustic_core::WriteBackend;

use crate::error::BackupError;

/// What the engine calls a file it has not finished writing.
const LEFTOVER_SUFFIX: &str = "-tmp-";
/// Where the stock tool keeps its locks.
const STOCK_LOCKS: &str = "locks";

pub(super) fn backend(path: &Path, name: &str) -> Result<Arc<dyn WriteBackend>, BackupError> {
    let Some(text) = path.to_str() else {
        return Err(BackupError::PathNotText {
            path: path.to_owned(),
        });
    };
    let local = LocalBackend::new(text, []);
    let local = local.map_err(BackupError::engine("reach the disk", name))?;
    Ok(Arc::new(local))
}

pub(super) fn has_repository(path: &Path) -> bool {
    path.join("config").is_file()
}

pub(super) fn refuse_used(path: &Path) -> Result<(), BackupError> {
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            Some(_) => Err(BackupError::Used {
                path: path.to_owned(),
            }),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(BackupError::io("look into", path, e)),
    }
}

pub(super) fn sweep(path: &Path) -> Result<u64, BackupError> {
    let mut swept = 0;
    let mut dirs = vec![path.to_owned()];
    while let Some(dir) = dirs.pop() {
        let at = |e| BackupError::io("list", &dir, e);
        for entry in fs::read_dir(&dir).map_err(at)? {
            let entry = entry.map_err(at)?;
            if entry.file_type().map_err(at)?.is_dir() {
                dirs.push(entry.path());
            } else if entry
                .file_name()
                .to_string_lossy()
                .ends_with(LEFTOVER_SUFFIX)
            {
                let path = entry.path();
                fs::remove_file(&path).map_err(|e| BackupError::io("remove", &path, e))?;
                swept += 1;
            }
        }
    }
    Ok(swept)
}

/// The engine flushes each file but not the directories that name them.
pub(super) fn flush(path: &Path) -> Result<(), BackupError> {
    let at = |e| BackupError::io("flush", path, e);
    let dir = File::open(path).map_err(at)?;
    rustix::fs::syncfs(&dir).map_err(|e| at(e.into()))
}

pub(super) fn stock_lock_ages(path: &Path, now: Timestamp) -> Result<Vec<Duration>, BackupError> {
    let place = path.join(STOCK_LOCKS);
    let at = |e| BackupError::io("list", &place, e);
    let entries = match fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(at(e)),
    };
    let mut ages = Vec::new();
    for entry in entries {
        // The stock tool may take its lock away meanwhile.
        let Ok(metadata) = entry.map_err(at)?.metadata() else {
            continue;
        };
        let modified = metadata.modified().map_err(at)?;
        // A time to come is a lock of this moment.
        let since = modified.duration_since(SystemTime::UNIX_EPOCH);
        let now = Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
        ages.push(now.saturating_sub(since.unwrap_or_default()));
    }
    Ok(ages)
}

/// Bytes of every file below a directory.
pub(super) fn bytes_of(dir: &Path) -> Result<u64, BackupError> {
    let mut bytes = 0_u64;
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        let at = |e| BackupError::io("list", &dir, e);
        for entry in fs::read_dir(&dir).map_err(at)? {
            let entry = entry.map_err(at)?;
            // What is deleted while it is listed counts for nothing.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                dirs.push(entry.path());
            } else {
                bytes = bytes.saturating_add(metadata.len());
            }
        }
    }
    Ok(bytes)
}
