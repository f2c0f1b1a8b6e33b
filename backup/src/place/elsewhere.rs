//! A repository at the other end of a network.
//!
//! Shape: what a server cannot hold for us lies in a directory of this machine: the lock, since when a lock
//! of the stock tool is there, and which small files were seen whole.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustic_core::WriteBackend;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::BackupError;
use crate::manifest::sha256;
use crate::offsite::{Backend, Client, Offsite, OffsiteError, Problem};
use crate::settings::{Location, RepositorySettings};

/// Letters of a name that tells repositories apart.
const NAME_CHARS: usize = 16;
/// All that a repository consists of.
const DIRECTORIES: [&str; 5] = ["data", "index", "keys", "locks", "snapshots"];
/// A half one of these keeps the whole repository shut.
const SMALL: [&str; 2] = ["index", "snapshots"];

fn failed(settings: &RepositorySettings) -> impl Fn(OffsiteError) -> BackupError {
    let name = settings.name.clone();
    move |source| BackupError::Offsite {
        name: name.clone(),
        source,
    }
}

fn client(settings: &RepositorySettings) -> Result<Arc<Client>, BackupError> {
    match &settings.location {
        Location::Offsite(offsite) => offsite.client().map_err(failed(settings)),
        Location::Directory(path) => Err(BackupError::NotThere {
            name: settings.name.clone(),
            path: path.clone(),
        }),
    }
}

pub(super) fn backend(settings: &RepositorySettings) -> Result<Arc<dyn WriteBackend>, BackupError> {
    Ok(Arc::new(Backend(client(settings)?)))
}

pub(super) fn refuse_absent(settings: &RepositorySettings) -> Result<(), BackupError> {
    let there = client(settings)?.size("config").map_err(failed(settings))?;
    there.map(drop).ok_or_else(|| {
        let text = settings.location.for_restic();
        failed(settings)(OffsiteError::new(Problem::NoRepository, text))
    })
}

pub(super) fn refuse_used(settings: &RepositorySettings) -> Result<(), BackupError> {
    let client = client(settings)?;
    let mut used = client.size("config").map_err(failed(settings))?.is_some();
    for directory in ["keys", "snapshots"] {
        used = used
            || match client.list(directory) {
                Ok(files) => !files.is_empty(),
                Err(error) if error.problem() == Problem::NoRepository => false,
                Err(error) => return Err(failed(settings)(error)),
            };
    }
    if used {
        let path = settings.location.for_restic().into();
        return Err(BackupError::Used { path });
    }
    Ok(())
}

pub(super) fn has_key(settings: &RepositorySettings, id: &str) -> Result<bool, BackupError> {
    let there = client(settings)?.size(&format!("keys/{id}"));
    Ok(there.map_err(failed(settings))?.is_some())
}

pub(super) fn bytes(settings: &RepositorySettings) -> Result<u64, BackupError> {
    let client = client(settings)?;
    let mut bytes = 0_u64;
    for directory in DIRECTORIES {
        for file in client.list(directory).map_err(failed(settings))? {
            bytes = bytes.saturating_add(file.size);
        }
    }
    Ok(bytes)
}

/// A killed process may leave half a file under its name where the server writes in place (SFTP). Each
/// file is called by its hash, so one that was never seen whole and is not is such a leftover.
pub(super) fn sweep(settings: &RepositorySettings, offsite: &Offsite) -> Result<u64, BackupError> {
    let whole: BTreeSet<String> = read(offsite, "whole");
    let (mut seen, mut swept) = (BTreeSet::new(), 0);
    for directory in SMALL {
        let files = client(settings)?
            .list(directory)
            .map_err(failed(settings))?;
        for file in files {
            let path = format!("{directory}/{}", file.name);
            if whole.contains(&path) || !removed_as_half(settings, directory, &file.name)? {
                seen.insert(path);
            } else {
                swept += 1;
            }
        }
    }
    write(offsite, "whole", &seen)?;
    Ok(swept)
}

/// Whether a file was not what its name says, and is gone now.
pub(super) fn removed_as_half(
    settings: &RepositorySettings,
    directory: &str,
    name: &str,
) -> Result<bool, BackupError> {
    let client = client(settings)?;
    let path = format!("{directory}/{name}");
    let bytes = client.read(&path).map_err(failed(settings))?;
    // Where nothing can be removed, the check tells of it.
    if sha256(&bytes) == name || !settings.location.is_pruned_from_here() {
        return Ok(false);
    }
    log::warn!("off-site: {path} is half a file and is removed");
    client.remove(&path).map_err(failed(settings))?;
    Ok(true)
}

/// The protocol tells no times, so a lock is as old as we have known it.
pub(super) fn stock_lock_ages(
    settings: &RepositorySettings,
    offsite: &Offsite,
    now: Timestamp,
) -> Result<Vec<Duration>, BackupError> {
    let there = client(settings)?.list("locks").map_err(failed(settings))?;
    let known: BTreeMap<String, Timestamp> = read(offsite, "locks");
    let since = |name: &String| known.get(name).copied().unwrap_or(now);
    let all: BTreeMap<String, Timestamp> = there
        .into_iter()
        .map(|file| (since(&file.name), file.name))
        .map(|(since, name)| (name, since))
        .collect();
    if all != known {
        write(offsite, "locks", &all)?;
    }
    let age = |since: &Timestamp| Duration::try_from(now.duration_since(*since));
    Ok(all.values().map(|at| age(at).unwrap_or_default()).collect())
}

/// A file of this machine about one repository elsewhere.
pub(super) fn state_file(offsite: &Offsite, what: &str) -> Result<PathBuf, BackupError> {
    let dir = offsite.state();
    if !dir.is_dir() {
        base::paths::create_private_dir(dir)?;
        owned_as_above(dir)?;
    }
    let mut name = sha256(offsite.for_restic().as_bytes());
    name.truncate(NAME_CHARS);
    Ok(dir.join(format!("{name}.{what}")))
}

/// Root may restore; whoever backs up must be able to write here afterwards.
fn owned_as_above(path: &Path) -> Result<(), BackupError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let at = |e| BackupError::io("hand over", path, e);
    let above = std::fs::metadata(path.parent().unwrap_or(path)).map_err(at)?;
    chown(path, Some(above.uid()), Some(above.gid())).map_err(at)
}

/// What is remembered; a memory that is gone or bent is begun anew.
fn read<T: DeserializeOwned + Default>(offsite: &Offsite, what: &str) -> T {
    let text = state_file(offsite, what).map(std::fs::read);
    let text = text.ok().and_then(Result::ok).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn write<T: Serialize>(offsite: &Offsite, what: &str, value: &T) -> Result<(), BackupError> {
    let path = state_file(offsite, what)?;
    let bytes = serde_json::to_vec(value)?;
    base::paths::write_atomic(&path, &bytes, base::paths::MODE_PRIVATE)?;
    owned_as_above(&path)
}
