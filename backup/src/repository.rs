//! The repository on its disk: made, opened, swept of leftovers, flushed.
//!
//! Source: the restic repository format, version 2: zstd, readable by restic 0.14 and later.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use rustic_backend::LocalBackend;
use rustic_core::repofile::{Chunker, MasterKey};
use rustic_core::{
    ConfigOptions, Credentials, IndexedFullStatus, KeyOptions, OpenStatus, Repository,
    RepositoryBackends, RepositoryOptions,
};

use crate::error::BackupError;
use crate::settings::{Chunking, RepositorySettings};

/// 32 random bytes are 52 letters and digits without 0, 1, 8 or 9, which people misread.
const PASSWORD_BYTES: usize = 32;
/// What the engine calls a file it has not finished writing.
const LEFTOVER_SUFFIX: &str = "-tmp-";
const REPOSITORY_FORMAT: u32 = 2;
/// Fast and near the default's ratio; the appliance has two cores.
const ZSTD_LEVEL: i32 = 3;
/// Four of the database's pages: a changed page costs no more than this.
pub(crate) const FIXED_CHUNK_BYTES: u64 = 16 * 1024;
/// Small packs: a day's scattered pages must not drag old packs along at prune.
const FIXED_PACK_BYTES: u64 = 4 * 1024 * 1024;
const CHUNK_BYTES: u64 = 1024 * 1024;
const CHUNK_BYTES_MIN: u64 = 512 * 1024;
const CHUNK_BYTES_MAX: u64 = 8 * 1024 * 1024;
const PACK_BYTES: u64 = 32 * 1024 * 1024;

/// What [`init`] made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitSummary {
    pub repository_id: String,
    /// Whether the password file was made; otherwise the one there was used.
    pub password: PasswordOrigin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordOrigin {
    Made,
    Found,
}

/// Makes an encrypted repository in a directory that is empty or absent.
///
/// Shape: the password file is made (0600, random) when there is none; an existing one is used
/// as it is. The repository is opened again with what the file holds before this returns.
/// # Errors
/// [`BackupError::Used`] when anything is there; otherwise what the disk or engine refused.
pub fn init(settings: &RepositorySettings) -> Result<InitSummary, BackupError> {
    refuse_used(&settings.path)?;
    base::paths::create_private_dir(&settings.path)?;
    let password = make_password(&settings.password_file)?;
    let credentials = credentials(settings)?;
    let options = config_options(settings.chunking);
    unopened(settings)?
        .init(&credentials, &KeyOptions::default(), &options)
        .map_err(BackupError::engine("make the repository", &settings.name))?;
    flush(settings)?;
    let opened = open(settings)?;
    Ok(InitSummary {
        repository_id: opened.config().id.to_string(),
        password,
    })
}

pub(crate) fn open(settings: &RepositorySettings) -> Result<Repository<OpenStatus>, BackupError> {
    refuse_absent(settings)?;
    open_with(settings, &credentials(settings)?)
}

/// As [`open`], by something else than what the password file holds.
pub(crate) fn open_with(
    settings: &RepositorySettings,
    credentials: &Credentials,
) -> Result<Repository<OpenStatus>, BackupError> {
    refuse_absent(settings)?;
    let opened = unopened(settings)?.open(credentials);
    let opened = opened.map_err(BackupError::engine("open", &settings.name))?;
    refuse_newer(opened.config().version, settings)?;
    Ok(opened)
}

/// The engine reads on and would take what it does not know for something else.
fn refuse_newer(found: u32, settings: &RepositorySettings) -> Result<(), BackupError> {
    if found > REPOSITORY_FORMAT {
        return Err(BackupError::NewerFormat {
            name: settings.name.clone(),
            found,
            known: REPOSITORY_FORMAT,
        });
    }
    Ok(())
}

fn refuse_absent(settings: &RepositorySettings) -> Result<(), BackupError> {
    if settings.path.join("config").is_file() {
        return Ok(());
    }
    Err(BackupError::NotThere {
        name: settings.name.clone(),
        path: settings.path.clone(),
    })
}

/// Opened with its index, and with every pack the index names present in its full size.
pub(crate) fn open_indexed(
    settings: &RepositorySettings,
    key: &MasterKey,
) -> Result<Repository<IndexedFullStatus>, BackupError> {
    // By key: deriving it from the password again costs a second of scrypt each time.
    let opened = unopened(settings)?.open(&Credentials::Masterkey(key.clone()));
    let indexed = opened.and_then(Repository::to_indexed_checked);
    indexed.map_err(BackupError::engine("read the index", &settings.name))
}

/// Removes files that a killed run left half written; they are no part of any snapshot.
pub(crate) fn sweep(settings: &RepositorySettings) -> Result<u64, BackupError> {
    let mut swept = 0;
    let mut dirs = vec![settings.path.clone()];
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

/// Waits until the whole file system of the repository is on its device.
///
/// The engine flushes each file but not the directories that name them.
pub(crate) fn flush(settings: &RepositorySettings) -> Result<(), BackupError> {
    let at = |e| BackupError::io("flush", &settings.path, e);
    let dir = File::open(&settings.path).map_err(at)?;
    rustix::fs::syncfs(&dir).map_err(|e| at(e.into()))
}

fn refuse_used(path: &Path) -> Result<(), BackupError> {
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

/// A password of its own in a file that is not there yet.
pub(crate) fn make_password(path: &Path) -> Result<PasswordOrigin, BackupError> {
    if path
        .try_exists()
        .map_err(|e| BackupError::io("look for", path, e))?
    {
        return Ok(PasswordOrigin::Found);
    }
    let mut random = [0_u8; PASSWORD_BYTES];
    if SystemRandom::new().fill(&mut random).is_err() {
        return Err(BackupError::NoRandom);
    }
    let mut line = BASE32_NOPAD.encode(&random);
    line.push('\n');
    base::paths::write_atomic(path, line.as_bytes(), base::paths::MODE_PRIVATE)?;
    Ok(PasswordOrigin::Made)
}

fn credentials(settings: &RepositorySettings) -> Result<Credentials, BackupError> {
    password(&settings.password_file).map(Credentials::password)
}

/// What a password file holds.
pub(crate) fn password(path: &Path) -> Result<String, BackupError> {
    let text = fs::read_to_string(path).map_err(|e| BackupError::io("read", path, e))?;
    // The first line without its end: what `restic --password-file` takes.
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        Some(_) | None => Err(BackupError::PasswordEmpty {
            path: path.to_owned(),
        }),
    }
}

fn unopened(settings: &RepositorySettings) -> Result<Repository<()>, BackupError> {
    let engine = BackupError::engine;
    let Some(path) = settings.path.to_str() else {
        return Err(BackupError::PathNotText {
            path: settings.path.clone(),
        });
    };
    let local = LocalBackend::new(path, []).map_err(engine("reach the disk", &settings.name))?;
    let backends = RepositoryBackends::new(Arc::new(local), None);
    // A cache would be a second copy of names and sizes outside the encrypted disk.
    let options = RepositoryOptions::default().no_cache(true);
    Repository::new(&options, &backends).map_err(engine("reach the disk", &settings.name))
}

fn config_options(chunking: Chunking) -> ConfigOptions {
    let mut options = ConfigOptions::default();
    options.set_version = Some(REPOSITORY_FORMAT);
    options.set_compression = Some(ZSTD_LEVEL);
    options.set_append_only = Some(false);
    options.set_extra_verify = Some(true);
    match chunking {
        Chunking::Fixed16KiB => {
            options.set_chunker = Some(Chunker::FixedSize);
            options.set_chunk_size.get_or_insert_default().0 = FIXED_CHUNK_BYTES;
            options.set_datapack_size.get_or_insert_default().0 = FIXED_PACK_BYTES;
            options.set_datapack_growfactor = Some(0);
        }
        Chunking::ContentDefined => {
            options.set_chunker = Some(Chunker::Rabin);
            options.set_chunk_size.get_or_insert_default().0 = CHUNK_BYTES;
            options.set_chunk_min_size.get_or_insert_default().0 = CHUNK_BYTES_MIN;
            options.set_chunk_max_size.get_or_insert_default().0 = CHUNK_BYTES_MAX;
            options.set_datapack_size.get_or_insert_default().0 = PACK_BYTES;
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_of_a_newer_format_is_refused_by_its_number() {
        let settings = RepositorySettings {
            name: "A".to_owned(),
            path: "/nowhere".into(),
            password_file: "/nowhere".into(),
            chunking: Chunking::Fixed16KiB,
        };
        assert!(refuse_newer(1, &settings).is_ok() && refuse_newer(2, &settings).is_ok());
        assert!(matches!(
            refuse_newer(3, &settings),
            Err(BackupError::NewerFormat {
                found: 3,
                known: 2,
                ..
            })
        ));
    }
}
