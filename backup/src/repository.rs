//! The repository: made, opened, wherever it lies ([`crate::place`]).
//!
//! Source: the restic repository format, version 2: zstd, readable by restic 0.14 and later.

use std::fs;
use std::path::Path;

use rustic_core::repofile::{Chunker, KeyId, MasterKey};
use rustic_core::{
    ConfigOptions, Credentials, IndexedFullStatus, KeyOptions, OpenStatus, Repository,
    RepositoryOptions,
};

use crate::error::BackupError;
pub(crate) use crate::place::flush;
use crate::settings::{Chunking, RepositorySettings};
use crate::{machine_key, place};

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
    place::watched(settings, || init_here(settings))
}

fn init_here(settings: &RepositorySettings) -> Result<InitSummary, BackupError> {
    place::prepare(settings)?;
    let password = make_password(&settings.password_file)?;
    let credentials = credentials(settings)?;
    let options = config_options(settings.chunking);
    let made = unopened(settings)?
        .init(&credentials, &KeyOptions::default(), &options)
        .map_err(BackupError::engine("make the repository", &settings.name))?;
    lighten(&made, settings)?;
    flush(settings)?;
    let opened = open(settings)?;
    Ok(InitSummary {
        repository_id: opened.config().id.to_string(),
        password,
    })
}

pub(crate) fn open(settings: &RepositorySettings) -> Result<Repository<OpenStatus>, BackupError> {
    place::refuse_absent(settings)?;
    let password = password(&settings.password_file)?;
    let credentials = match machine_key::find(settings, &password) {
        Some(key) => Credentials::Masterkey(key),
        None => Credentials::password(password),
    };
    open_with(settings, &credentials)
}

/// As [`open`], by the engine alone: it knows then which key file it was, and refuses to delete that one.
pub(crate) fn open_by_slot(
    settings: &RepositorySettings,
) -> Result<Repository<OpenStatus>, BackupError> {
    place::refuse_absent(settings)?;
    open_with(settings, &credentials(settings)?)
}

/// Lets a password into a repository that is open, and tells by which key file.
pub(crate) fn let_in(
    opened: &Repository<OpenStatus>,
    settings: &RepositorySettings,
    password: &str,
) -> Result<KeyId, BackupError> {
    if machine_key::is_drawn(password) {
        return machine_key::add(settings, &opened.key(), password);
    }
    let key = opened.add_key(password, &KeyOptions::default());
    key.map_err(BackupError::engine("add a key", &settings.name))
}

/// The engine knows one sort of key file; a password that was drawn gets the light one instead.
fn lighten(
    made: &Repository<OpenStatus>,
    settings: &RepositorySettings,
) -> Result<(), BackupError> {
    let password = password(&settings.password_file)?;
    let Some(heavy) = made.key_id().filter(|_| machine_key::is_drawn(&password)) else {
        return Ok(());
    };
    machine_key::add(settings, &made.key(), &password)?;
    // A server may keep everything, whatever the settings say: there both stay, and the light one is found first.
    if settings.location.directory().is_some() {
        let opened = open(settings)?;
        let removed = opened.delete_key(&heavy);
        removed.map_err(BackupError::engine("remove a key", &settings.name))?;
    }
    Ok(())
}

/// As [`open`], by something else than what the password file holds.
pub(crate) fn open_with(
    settings: &RepositorySettings,
    credentials: &Credentials,
) -> Result<Repository<OpenStatus>, BackupError> {
    place::refuse_absent(settings)?;
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

/// A password of its own in a file that is not there yet.
pub(crate) fn make_password(path: &Path) -> Result<PasswordOrigin, BackupError> {
    if path
        .try_exists()
        .map_err(|e| BackupError::io("look for", path, e))?
    {
        return Ok(PasswordOrigin::Found);
    }
    let mut line = machine_key::draw()?;
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
    let backends = place::backends(settings)?;
    // A cache would be a second copy of names and sizes outside the encrypted disk.
    let options = RepositoryOptions::default().no_cache(true);
    Repository::new(&options, &backends)
        .map_err(BackupError::engine("reach the disk", &settings.name))
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
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_repository_of_a_newer_format_is_refused_by_its_number() {
        let settings = RepositorySettings {
            name: "A".to_owned(),
            location: PathBuf::from("/nowhere").into(),
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
