//! Keys: the words of the recovery sheet, and the password that the machine holds.
//!
//! Shape: a repository has one master key, locked in by several passwords, each a key file of its own:
//! one that the machine reads from its password file, one of the sheet. Losing either is harmless.
//! [`add`] and [`remove`] are about the sheet's, [`prove`] opens with words alone, [`rotate`] gives the
//! machine a new password, [`let_in`] its first one by the words. [`Held`] is a password on no disk.
//! Invariant: what is removed was replaced by one that opened before.
//! Not here: what is drawn on the sheet (`forms`), who is asked (`cli`).
//! Limit: a new password keeps nobody out who has copied the master key; then a new repository does.
//! Source: docs/decisions/0035-recovery-sheet.md; the restic repository format, "Keys, Encryption and MAC".

mod held;
mod record;
#[cfg(test)]
mod tests;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustic_core::repofile::KeyId;
use rustic_core::{Credentials, OpenStatus, Repository};

pub use held::Held;
pub use record::{DiskLock, Lock, Sheet, Sheets};
pub use words::{SHARES, WORDS, Words, WordsError};

use crate::error::BackupError;
use crate::settings::RepositorySettings;
use crate::{lock, place, repository, snapshots};

/// One password of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The repository, as its configuration names itself.
    pub repository_id: String,
    /// The key file that the password opens.
    pub key_id: String,
}

/// What words alone opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    pub slot: Slot,
    /// Snapshots that could be read with them.
    pub snapshots: usize,
}

/// The words open the repository from now on, beside what opens it already.
///
/// # Errors
/// What keeps the repository shut, and [`BackupError::Locked`].
pub fn add(
    settings: &RepositorySettings,
    password: &str,
    now: Timestamp,
) -> Result<Slot, BackupError> {
    let opened = repository::open(settings)?;
    let _lock = lock::take(settings, "backup sheet", now)?;
    let key = repository::let_in(&opened, settings, password)?;
    repository::flush(settings)?;
    Ok(Slot {
        repository_id: opened.config().id.to_string(),
        key_id: hex(&key),
    })
}

/// Opens the repository with the words alone, and reads its list of snapshots by them.
///
/// # Errors
/// [`BackupError::PasswordWrong`]; what the disk refused.
pub fn prove(settings: &RepositorySettings, password: &str) -> Result<Opened, BackupError> {
    let opened = repository::open_with(settings, &Credentials::password(password))?;
    let snapshots = snapshots::all(&opened, settings)?.len();
    let slot = slot(&opened, settings)?;
    Ok(Opened { slot, snapshots })
}

/// The words let in the password that this machine holds, which is made when there is none: on a bare
/// machine, or where the password file was lost. False: it opened already.
///
/// # Errors
/// As [`prove`] and [`add`].
pub fn let_in(
    settings: &RepositorySettings,
    words: &str,
    now: Timestamp,
) -> Result<bool, BackupError> {
    let by_words = repository::open_with(settings, &Credentials::password(words))?;
    let _lock = lock::take(settings, "backup key admit", now)?;
    repository::make_password(&settings.password_file)?;
    match repository::open(settings) {
        Ok(_) => return Ok(false),
        Err(BackupError::PasswordWrong { .. }) => {}
        Err(error) => return Err(error),
    }
    let password = repository::password(&settings.password_file)?;
    repository::let_in(&by_words, settings, &password)?;
    repository::flush(settings)?;
    repository::open(settings).map(|_| true)
}

/// How a repository names itself.
///
/// # Errors
/// What keeps it shut.
pub fn id(settings: &RepositorySettings) -> Result<String, BackupError> {
    Ok(repository::open(settings)?.config().id.to_string())
}

/// A key file opens nothing any more. Not the one that the machine itself opens with.
///
/// # Errors
/// As [`add`].
pub fn remove(
    settings: &RepositorySettings,
    slot: &Slot,
    now: Timestamp,
) -> Result<(), BackupError> {
    let opened = repository::open_by_slot(settings)?;
    let _lock = lock::take(settings, "backup sheet", now)?;
    delete(&opened, settings, &slot.key_id)
}

fn slot(
    opened: &Repository<OpenStatus>,
    settings: &RepositorySettings,
) -> Result<Slot, BackupError> {
    let key = opened.key_id().as_ref();
    let key = key.ok_or_else(|| BackupError::PasswordWrong {
        name: settings.name.clone(),
    })?;
    Ok(Slot {
        repository_id: opened.config().id.to_string(),
        key_id: hex(key),
    })
}

/// In full: what an id shows of itself is only its beginning.
fn hex(id: &KeyId) -> String {
    id.to_hex().as_str().to_owned()
}

fn delete(
    opened: &Repository<OpenStatus>,
    settings: &RepositorySettings,
    key_id: &str,
) -> Result<(), BackupError> {
    let engine = || BackupError::engine("remove a key", &settings.name);
    let id: KeyId = key_id.parse().map_err(engine())?;
    // Gone already: an earlier run was cut short behind this step.
    if !place::has_key(settings, &hex(&id))? {
        return Ok(());
    }
    opened.delete_key(&id).map_err(engine())?;
    repository::flush(settings)
}

/// Gives the machine a new password for all repositories that share one password file.
///
/// Shape: the new one is written beside the old, opens every repository, takes the old one's place, and
/// only then the old one's keys go. Killed at any moment, one of both opens every repository and the
/// next call ends what was begun.
/// # Errors
/// As [`add`].
pub fn rotate(sharing: &[&RepositorySettings], now: Timestamp) -> Result<(), BackupError> {
    let Some(file) = sharing
        .first()
        .map(|settings| settings.password_file.clone())
    else {
        return Ok(());
    };
    let (new, old) = (beside(&file, "new"), beside(&file, "old"));
    // The old one still there: only its keys are left to be removed.
    if !old.exists() {
        repository::make_password(&new)?;
        for settings in sharing {
            admit(settings, &new, now)?;
        }
        let at = |path: &Path| {
            let path = path.to_owned();
            move |e| BackupError::io("keep the old password in", &path, e)
        };
        fs::hard_link(&file, &old).map_err(at(&old))?;
        fs::rename(&new, &file).map_err(at(&file))?;
        keep_names(&file)?;
    } else if new.exists() {
        // Cut short between the two names: the new one opens everything already.
        let moved = fs::rename(&new, &file);
        moved.map_err(|e| BackupError::io("put the new password in", &file, e))?;
        keep_names(&file)?;
    }
    for settings in sharing {
        retire(settings, &old, now)?;
    }
    let removed = fs::remove_file(&old);
    removed.map_err(|e| BackupError::io("remove the old password", &old, e))
}

/// A name that was made or changed outlives a power cut.
fn keep_names(file: &Path) -> Result<(), BackupError> {
    let dir = file.parent().unwrap_or(Path::new("."));
    Ok(base::paths::sync_dir(dir)?)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// The password in this file opens the repository from now on.
fn admit(settings: &RepositorySettings, file: &Path, now: Timestamp) -> Result<(), BackupError> {
    let with = with(settings, file);
    match repository::open(&with) {
        Ok(_) => return Ok(()),
        Err(BackupError::PasswordWrong { .. }) => {}
        Err(error) => return Err(error),
    }
    let opened = repository::open(settings)?;
    let _lock = lock::take(settings, "backup key rotate", now)?;
    let password = repository::password(file)?;
    repository::let_in(&opened, settings, &password)?;
    repository::flush(settings)?;
    repository::open(&with).map(|_| ())
}

/// The password in this file opens the repository no more, by however many key files.
fn retire(settings: &RepositorySettings, file: &Path, now: Timestamp) -> Result<(), BackupError> {
    let _lock = lock::take(settings, "backup key rotate", now)?;
    let opened = repository::open(settings)?;
    loop {
        let former = match repository::open_by_slot(&with(settings, file)) {
            Ok(former) => slot(&former, settings)?,
            Err(BackupError::PasswordWrong { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        delete(&opened, settings, &former.key_id)?;
    }
}

fn with(settings: &RepositorySettings, file: &Path) -> RepositorySettings {
    RepositorySettings {
        password_file: file.to_owned(),
        ..settings.clone()
    }
}
