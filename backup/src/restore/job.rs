//! One file out of its pieces.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use ring::digest;
use rustic_core::repofile::Node;
use rustic_core::{BlobId, IndexedFullStatus, Repository};

use crate::content::Item;
use crate::error::BackupError;
use crate::manifest::{self, FileRecord};
use crate::progress::Progress;
use crate::restore::ahead;
use crate::restore::others::Others;
use crate::restore::{DamageReason, PART_NAME, PERMISSION_BITS};

const DEFAULT_FILE_MODE: u32 = 0o600;

/// Where a file goes below the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    AsSaved,
    /// Without the directories above it.
    NameAlone,
}

/// How it went with one file.
pub(super) enum Outcome {
    Whole,
    /// This repository had not all of it; the named one had.
    HealedFrom(String),
    Damaged(DamageReason),
}

pub(super) struct Job<'a> {
    pub(super) indexed: &'a Repository<IndexedFullStatus>,
    pub(super) others: &'a Others<'a>,
    pub(super) target: &'a Path,
    pub(super) layout: Layout,
    pub(super) progress: &'a dyn Progress,
}

/// Where the pieces of a file are read first.
#[derive(Clone, Copy)]
struct Reading<'r> {
    repository: &'r Repository<IndexedFullStatus>,
    /// Whole files of another repository count as healed from it.
    name: Option<&'r str>,
}

impl Job<'_> {
    /// Writes one file; what is wrong with the snapshot is an answer, with the target an error.
    pub(super) fn file(
        &self,
        (key, record): (&str, &FileRecord),
        item: Option<&Item>,
    ) -> Result<Outcome, BackupError> {
        let own = Reading {
            repository: self.indexed,
            name: None,
        };
        let first = match item {
            Some(item) => self.read(own, item, record)?,
            None => Outcome::Damaged(DamageReason::NotListed),
        };
        let Outcome::Damaged(reason) = first else {
            return Ok(first);
        };
        // The other one may have cut the same bytes in another way.
        if let Some((other, found)) = self.others.same_content(key, record) {
            let theirs = Reading {
                repository: &other.indexed,
                name: Some(&other.name),
            };
            // It lies where this snapshot has it, whatever the other one calls it.
            let same_name = found.key == key;
            let path = match item {
                Some(item) => Some(item.path.clone()),
                None => same_name.then_some(found.path),
            };
            if let Some(path) = path {
                let node = found.node;
                let healed = self.read(theirs, &Item { path, node }, record)?;
                if !matches!(healed, Outcome::Damaged(_)) {
                    return Ok(healed);
                }
            }
        }
        Ok(Outcome::Damaged(reason))
    }

    fn read(
        &self,
        from: Reading<'_>,
        item: &Item,
        record: &FileRecord,
    ) -> Result<Outcome, BackupError> {
        let part = self.target.join(PART_NAME);
        let at = |step| {
            let part = part.clone();
            move |e| BackupError::io(step, &part, e)
        };
        let mut file = File::create(&part).map_err(at("make"))?;
        let mut context = digest::Context::new(&digest::SHA256);
        let mut size = 0;
        let mut healer = from.name.map(str::to_owned);
        let mut write = |piece: &[u8]| {
            context.update(piece);
            let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            size += bytes;
            self.progress.advance(bytes);
            file.write_all(piece).map_err(at("write"))
        };
        let ids = item.node.content.iter().flatten();
        let ids: Vec<BlobId> = ids.map(|id| BlobId::from(id.into_inner())).collect();
        let whole = ahead::in_order(from.repository, &ids, record.size, |id, piece| {
            if let Some(piece) = piece {
                write(piece)?;
            } else if let Some((name, piece)) = self.others.piece(id) {
                healer = Some(name);
                write(piece.as_ref())?;
            } else {
                return Ok(false);
            }
            Ok(true)
        })?;
        if !whole {
            return discard(&part, DamageReason::PieceUnreadable);
        }
        if (FileRecord {
            size,
            sha256: manifest::hex(context),
        }) != *record
        {
            return discard(&part, DamageReason::HashDiffers);
        }
        let mode = item.node.meta.mode.unwrap_or(DEFAULT_FILE_MODE) & PERMISSION_BITS;
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(at("set the mode of"))?;
        if let Some(time) = modified(&item.node) {
            file.set_modified(time).map_err(at("set the time of"))?;
        }
        let path = match self.layout {
            Layout::AsSaved => self.target.join(&item.path),
            Layout::NameAlone => self.target.join(item.path.file_name().unwrap_or_default()),
        };
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(|e| BackupError::io("make", above, e))?;
        }
        fs::rename(&part, &path).map_err(|e| BackupError::io("rename into place", &path, e))?;
        Ok(healer.map_or(Outcome::Whole, Outcome::HealedFrom))
    }
}

fn discard(part: &Path, reason: DamageReason) -> Result<Outcome, BackupError> {
    fs::remove_file(part).map_err(|e| BackupError::io("remove", part, e))?;
    Ok(Outcome::Damaged(reason))
}

fn modified(node: &Node) -> Option<SystemTime> {
    let at = node.meta.mtime?;
    let since = Duration::try_from(at.as_duration()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}
