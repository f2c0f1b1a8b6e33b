//! One writer per repository: the engine has no locks of its own.
//!
//! Shape: `flock` on a file inside the repository (of one elsewhere: of this machine), so that it ends with
//! its process and never goes stale; its content names the owner for the message, and is not the lock.
//! Readers take none: writers only ever add.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};

use jiff::Timestamp;

use crate::error::BackupError;
use crate::place;
use crate::settings::RepositorySettings;

/// An owner's line is short; a longer file is not ours and is not read into memory.
const OWNER_BYTES_MAX: u64 = 200;

/// Held while a repository is written to; released on drop and when the process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

pub(crate) fn take(
    settings: &RepositorySettings,
    verb: &str,
    now: Timestamp,
) -> Result<Lock, BackupError> {
    let path = place::lock_file(settings)?;
    let mut options = File::options();
    let file = options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let mut file = file.map_err(|e| BackupError::io("open the lock", &path, e))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(BackupError::Locked {
                name: settings.name.clone(),
                owner: owner_of(&mut file),
            });
        }
        Err(TryLockError::Error(e)) => return Err(BackupError::io("lock", &path, e)),
    }
    let since = now
        .to_zoned_datetime(base::clock::japan())
        .strftime("%Y-%m-%d %H:%M:%S");
    let line = format!("{verb}, pid {}, since {since} JST\n", std::process::id());
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(line.as_bytes()))
        .map_err(|e| BackupError::io("write the lock", &path, e))?;
    Ok(Lock { _file: file })
}

fn owner_of(file: &mut File) -> String {
    let mut line = String::new();
    match file.take(OWNER_BYTES_MAX).read_to_string(&mut line) {
        Ok(_) if !line.trim().is_empty() => line.trim().to_owned(),
        // Between lock and write the owner is nameless; the lock holds all the same.
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}
