//! What a visit wrote, read back from the device.
//!
//! Shape: every file of a repository is called by the SHA-256 of its bytes, so what is new since
//! [`Written::before`] proves itself. The caller unmounts and mounts in between: then nothing of it is
//! in the machine's memory any more. (The disk's own memory may still hold it.)

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::BackupError;
use crate::manifest::hash_file;
use crate::place;
use crate::progress::Quiet;
use crate::settings::RepositorySettings;

const HASH_CHARS: usize = 64;
/// Files that prove themselves lie in these.
const DIRECTORIES: [&str; 4] = ["data", "index", "keys", "snapshots"];

/// The files of a repository at a moment.
#[derive(Debug)]
pub struct Written {
    before: BTreeSet<PathBuf>,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    pub files: u64,
    pub bytes: u64,
    /// Files whose bytes are not what their name says.
    pub wrong: Vec<String>,
}

impl Written {
    /// Remembers what is there.
    ///
    /// # Errors
    /// What the disk refused.
    pub fn before(settings: &RepositorySettings) -> Result<Self, BackupError> {
        let before = files(place::disk(settings)?)?.into_iter().collect();
        Ok(Self { before })
    }

    /// Reads everything that came since.
    ///
    /// # Errors
    /// What the disk refused: a file that cannot be read at all is named by the error.
    pub fn read_back(&self, settings: &RepositorySettings) -> Result<ReadBack, BackupError> {
        let mut read = ReadBack {
            files: 0,
            bytes: 0,
            wrong: Vec::new(),
        };
        for file in files(place::disk(settings)?)? {
            if self.before.contains(&file) {
                continue;
            }
            let record = hash_file(&file, &Quiet)?;
            read.files += 1;
            read.bytes += record.size;
            let name = name_of(&file);
            if name != record.sha256 {
                read.wrong.push(name);
            }
        }
        Ok(read)
    }
}

fn name_of(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn files(repository: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = Vec::new();
    let mut dirs: Vec<PathBuf> = DIRECTORIES
        .iter()
        .map(|name| repository.join(name))
        .collect();
    while let Some(dir) = dirs.pop() {
        let at = |e| BackupError::io("list", &dir, e);
        for entry in fs::read_dir(&dir).map_err(at)? {
            let entry = entry.map_err(at)?;
            if entry.file_type().map_err(at)?.is_dir() {
                dirs.push(entry.path());
            } else if name_of(&entry.path()).len() == HASH_CHARS {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
