//! What a snapshot must hold: every file with its size and hash, beside the caller's facts.
//!
//! Paths are spelled as the repository spells names: parts joined with `/`, bytes that are not
//! text and control characters escaped, so that any name survives JSON and a terminal.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use rayon::prelude::*;
use ring::digest;
use rustic_core::repofile::{Node, NodeType};
use serde::{Deserialize, Serialize};

use crate::error::BackupError;
use crate::progress::{Progress, Step};
use crate::restore::{MARKER_NAME, PART_NAME};
use crate::run::{Beside, Source};

/// Lies beside the files in every snapshot; a source may not bring a file of this name.
pub const MANIFEST_NAME: &str = "manifest.json";
/// Names at the top of a source that restore and manifest need for themselves.
const RESERVED_NAMES: [&str; 3] = [MANIFEST_NAME, MARKER_NAME, PART_NAME];
const READ_BYTES: usize = 256 * 1024;

/// One file: its size in bytes and the SHA-256 of its content in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    pub size: u64,
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// When the caller froze the source, in the first of the snapshots that show it unchanged.
    pub taken_at: jiff::Timestamp,
    /// What the caller knows about the content, such as row counts and the audit head.
    pub facts: serde_json::Value,
    pub files: BTreeMap<String, FileRecord>,
}

impl Manifest {
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.values().map(|f| f.size).sum()
    }

    /// The files in number; a list longer than 64 bits can count does not fit in memory.
    #[must_use]
    pub fn count(&self) -> u64 {
        u64::try_from(self.files.len()).unwrap_or(u64::MAX)
    }
}

/// Something found in the source; directories have no record.
#[derive(Debug)]
pub(crate) struct Found {
    /// In the snapshot.
    pub(crate) path: PathBuf,
    /// On the disk.
    pub(crate) from: PathBuf,
    pub(crate) key: String,
    pub(crate) metadata: Metadata,
    pub(crate) record: Option<FileRecord>,
}

/// Lists and hashes a source, in the order in which the repository wants its entries. A file that
/// `known` takes as unchanged has the record that it had.
pub(crate) fn scan(
    source: &Source,
    known: impl Fn(&Found) -> Option<FileRecord> + Sync,
    progress: &dyn Progress,
) -> Result<Vec<Found>, BackupError> {
    let mut found = walk(&source.dir, PathBuf::new())?;
    if !found.iter().any(|f| f.metadata.is_file()) {
        return Err(BackupError::SourceEmpty {
            path: source.dir.clone(),
        });
    }
    for beside in &source.beside {
        let more = brought(beside)?;
        let above = beside.to.parent().unwrap_or(Path::new(""));
        let is_there = |path: &Path| found.iter().any(|f| f.path == path);
        let stands = above.as_os_str().is_empty() || is_there(above);
        if !stands || is_there(&beside.to) {
            return Err(BackupError::SourceUnsupported {
                path: beside.to.clone(),
            });
        }
        found.extend(more);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    for one in found.iter_mut().filter(|one| one.metadata.is_file()) {
        one.record = known(one);
    }
    let is_new = |one: &&mut Found| one.metadata.is_file() && one.record.is_none();
    let mut new: Vec<&mut Found> = found.iter_mut().filter(is_new).collect();
    progress.start(Step::Hash, new.iter().map(|f| f.metadata.len()).sum());
    new.par_iter_mut().try_for_each(|one| {
        let record = hash_file(&one.from, progress)?;
        // A disk that fails may end a file early and call that its end.
        if record.size != one.metadata.len() {
            let files = vec![one.path.display().to_string()];
            return Err(BackupError::SourceChanged { files });
        }
        one.record = Some(record);
        Ok(())
    })?;
    Ok(found)
}

/// Size and SHA-256 of a file, read in pieces.
pub(crate) fn hash_file(path: &Path, progress: &dyn Progress) -> Result<FileRecord, BackupError> {
    let at = |e| BackupError::io("read", path, e);
    let mut file = File::open(path).map_err(at)?;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; READ_BYTES];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).map_err(at)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            return Ok(FileRecord {
                size,
                sha256: hex(context),
            });
        };
        context.update(piece);
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        size += bytes;
        progress.advance(bytes);
    }
}

pub(crate) fn hex(context: digest::Context) -> String {
    HEXLOWER.encode(context.finish().as_ref())
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// A name as the repository spells it.
pub(crate) fn escaped(name: &OsStr) -> String {
    Node::new_node(
        name,
        NodeType::File,
        rustic_core::repofile::Metadata::default(),
    )
    .name
}

pub(crate) fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() {
        name.to_owned()
    } else {
        format!("{parent}/{name}")
    }
}

/// Everything below a directory of the disk, under `into` in the snapshot.
fn walk(directory: &Path, into: PathBuf) -> Result<Vec<Found>, BackupError> {
    let mut found = Vec::new();
    let mut dirs = vec![(directory.to_owned(), into)];
    while let Some((full, dir)) = dirs.pop() {
        let at = |e| BackupError::io("list", &full, e);
        for entry in fs::read_dir(&full).map_err(at)? {
            let name = entry.map_err(at)?.file_name();
            let one = look_at(full.join(&name), dir.join(&name))?;
            if one.metadata.is_dir() {
                dirs.push((one.from.clone(), one.path.clone()));
            }
            found.push(one);
        }
    }
    Ok(found)
}

fn look_at(from: PathBuf, path: PathBuf) -> Result<Found, BackupError> {
    let metadata = fs::symlink_metadata(&from);
    let metadata = metadata.map_err(|e| BackupError::io("look at", &from, e))?;
    let names = path.iter().map(escaped);
    let key = names.fold(String::new(), |key, name| join(&key, &name));
    let is_ours = RESERVED_NAMES.contains(&key.as_str());
    if !metadata.is_dir() && (!metadata.is_file() || is_ours) {
        return Err(BackupError::SourceUnsupported { path: from });
    }
    Ok(Found {
        path,
        from,
        key,
        metadata,
        record: None,
    })
}

/// What lies elsewhere, with everything below it.
fn brought(beside: &Beside) -> Result<Vec<Found>, BackupError> {
    let top = look_at(beside.from.clone(), beside.to.clone())?;
    let mut found = if top.metadata.is_dir() {
        walk(&beside.from, beside.to.clone())?
    } else {
        Vec::new()
    };
    found.push(top);
    Ok(found)
}
