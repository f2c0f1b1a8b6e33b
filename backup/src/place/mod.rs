//! What depends on where a repository lies, decided here and nowhere else: a directory of a mounted disk
//! ([`directory`]) or a place at the other end of a network ([`elsewhere`]).
//!
//! Invariant: only this machine writes to a place elsewhere, so its lock is a file of this machine; two
//! machines that write to one are told apart by [`crate::lineage`].

mod directory;
mod elsewhere;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rustic_core::RepositoryBackends;

use crate::error::BackupError;
use crate::settings::{Location, RepositorySettings};

/// For the engine.
pub(crate) fn backends(settings: &RepositorySettings) -> Result<RepositoryBackends, BackupError> {
    let backend = match &settings.location {
        Location::Directory(path) => directory::backend(path, &settings.name)?,
        Location::Offsite(_) => elsewhere::backend(settings)?,
    };
    Ok(RepositoryBackends::new(backend, None))
}

/// Is a repository here? A disk that is not mounted has none.
pub(crate) fn refuse_absent(settings: &RepositorySettings) -> Result<(), BackupError> {
    match &settings.location {
        Location::Directory(path) if directory::has_repository(path) => Ok(()),
        Location::Directory(path) => Err(BackupError::NotThere {
            name: settings.name.clone(),
            path: path.clone(),
        }),
        Location::Offsite(_) => elsewhere::refuse_absent(settings),
    }
}

/// Whether a disk that is carried away is plugged in; what lies elsewhere is where it always is.
#[must_use]
pub fn is_here(settings: &RepositorySettings) -> bool {
    let directory = settings.location.directory();
    directory.is_none_or(directory::has_repository)
}

/// Makes room for a new repository where there is nothing.
pub(crate) fn prepare(settings: &RepositorySettings) -> Result<(), BackupError> {
    match &settings.location {
        Location::Directory(path) => {
            directory::refuse_used(path)?;
            Ok(base::paths::create_private_dir(path)?)
        }
        Location::Offsite(_) => elsewhere::refuse_used(settings),
    }
}

/// The directory of a disk, for what is done to disks alone.
pub(crate) fn disk(settings: &RepositorySettings) -> Result<&Path, BackupError> {
    let directory = settings.location.directory();
    directory.ok_or_else(|| BackupError::NoDisk {
        name: settings.name.clone(),
    })
}

/// The file that is locked while the repository is written to.
pub(crate) fn lock_file(settings: &RepositorySettings) -> Result<PathBuf, BackupError> {
    match &settings.location {
        Location::Directory(path) => Ok(path.join("hokatsu.lock")),
        Location::Offsite(offsite) => elsewhere::state_file(offsite, "lock"),
    }
}

/// Removes files that a killed run left half written; they are no part of any snapshot.
pub(crate) fn sweep(settings: &RepositorySettings) -> Result<u64, BackupError> {
    match &settings.location {
        Location::Directory(path) => directory::sweep(path),
        Location::Offsite(offsite) => elsewhere::sweep(settings, offsite),
    }
}

/// Whether a pack that no index names was half a file, and is gone now. On a disk none is half: it gets its
/// name when it is whole.
pub(crate) fn removed_as_half(
    settings: &RepositorySettings,
    pack: &str,
) -> Result<bool, BackupError> {
    match &settings.location {
        Location::Directory(_) => Ok(false),
        Location::Offsite(_) => elsewhere::removed_as_half(settings, "data", pack),
    }
}

/// The file that is there while every job of ours came to its end.
pub(crate) fn settled_file(settings: &RepositorySettings) -> Result<PathBuf, BackupError> {
    match &settings.location {
        Location::Directory(path) => Ok(path.join("hokatsu.settled")),
        Location::Offsite(offsite) => elsewhere::state_file(offsite, "settled"),
    }
}

/// Waits until all that was written is on its device. A server has answered when it was.
pub(crate) fn flush(settings: &RepositorySettings) -> Result<(), BackupError> {
    match &settings.location {
        Location::Directory(path) => directory::flush(path),
        Location::Offsite(_) => Ok(()),
    }
}

/// Bytes of all files of a repository.
///
/// # Errors
/// What the disk or the network refused.
pub fn repository_bytes(settings: &RepositorySettings) -> Result<u64, BackupError> {
    match &settings.location {
        Location::Directory(path) => directory::bytes_of(path),
        Location::Offsite(_) => elsewhere::bytes(settings),
    }
}

/// Bytes of its indexes, and bytes that are free; nothing where nobody can tell.
pub(crate) fn index_and_free(
    settings: &RepositorySettings,
) -> Result<Option<(u64, u64)>, BackupError> {
    let Location::Directory(path) = &settings.location else {
        return Ok(None);
    };
    let index = directory::bytes_of(&path.join("index"))?;
    Ok(Some((index, base::paths::free_bytes(path)?)))
}

/// Bytes that its disk has left; nothing where nobody can tell.
pub(crate) fn free(settings: &RepositorySettings) -> Result<Option<u64>, BackupError> {
    let directory = settings.location.directory();
    let free = directory.map(base::paths::free_bytes).transpose();
    Ok(free?)
}

/// How old each lock of the stock tool is.
pub(crate) fn stock_lock_ages(
    settings: &RepositorySettings,
    now: Timestamp,
) -> Result<Vec<Duration>, BackupError> {
    match &settings.location {
        Location::Directory(path) => directory::stock_lock_ages(path, now),
        Location::Offsite(offsite) => elsewhere::stock_lock_ages(settings, offsite, now),
    }
}

/// Where a repository remembers who goes on with it.
pub(crate) enum Memory {
    /// A small file of its own.
    File(PathBuf),
    /// The protocol has room for nothing but what a repository consists of: a snapshot of its own.
    Snapshot,
}

pub(crate) fn memory(settings: &RepositorySettings) -> Memory {
    match &settings.location {
        Location::Directory(path) => Memory::File(path.join("hokatsu.lineage")),
        Location::Offsite(_) => Memory::Snapshot,
    }
}

/// Whether a key file of that name is there.
pub(crate) fn has_key(settings: &RepositorySettings, id: &str) -> Result<bool, BackupError> {
    match &settings.location {
        Location::Directory(path) => Ok(path.join("keys").join(id).exists()),
        Location::Offsite(_) => elsewhere::has_key(settings, id),
    }
}

/// Does a job. Was the line lost meanwhile, or did the place refuse something, that is what is told: an
/// error behind it, or a finding, says nothing about the repository.
pub(crate) fn watched<T>(
    settings: &RepositorySettings,
    work: impl FnOnce() -> Result<T, BackupError>,
) -> Result<T, BackupError> {
    let Location::Offsite(offsite) = &settings.location else {
        return work();
    };
    let before = offsite.problems();
    // The engine panics when an answer is an error while it reads trees by several threads (0.13.0,
    // `index still in use`).
    let done = catch_unwind(AssertUnwindSafe(work));
    match (offsite.problem_since(before), done) {
        (Some(source), _) => Err(BackupError::Offsite {
            name: settings.name.clone(),
            source,
        }),
        (None, Ok(done)) => done,
        (None, Err(panic)) => resume_unwind(panic),
    }
}
