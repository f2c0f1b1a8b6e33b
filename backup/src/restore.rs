//! Files out of a snapshot, one after the other, past whatever is damaged.
//!
//! Shape: list → read pieces → compare with the manifest → rename into place. The engine's own
//! restore needs over a gigabyte of memory and dies on the first flipped byte.
//! Invariant: a file under its own name in the target has the manifest's hash.
//! Interrupted and run again, it keeps what is there already and right.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ring::digest;
use rustic_core::repofile::{BlobType, Node};
use rustic_core::{BlobId, IndexedFullStatus, Repository};

use crate::content::{self, Content, Item};
use crate::error::BackupError;
use crate::manifest::{self, FileRecord, Manifest};
use crate::progress::{Progress, Quiet, Step};
use crate::repository;
use crate::settings::RepositorySettings;
use crate::snapshots::{self, Selector, SnapshotInfo};

/// Lies in the target until every file is back, and holds the snapshot's id.
pub(crate) const MARKER_NAME: &str = ".hokatsu-restore";
/// The one file that is being written.
pub(crate) const PART_NAME: &str = ".hokatsu-restore.part";
/// Left free on the target's file system.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
const PERMISSION_BITS: u32 = 0o777;
const DEFAULT_FILE_MODE: u32 = 0o600;

/// A file that could not be brought back as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub path: String,
    pub reason: DamageReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DamageReason {
    /// The repository no longer has a piece of it, or a flipped byte made one unreadable.
    PieceUnreadable,
    /// All pieces could be read and are not what the manifest says.
    HashDiffers,
    /// The directory it is in cannot be listed, or has lost it.
    NotListed,
}

/// Look at [`RestoreSummary::is_complete`]: a restore with damage is no success.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct RestoreSummary {
    pub snapshot: SnapshotInfo,
    pub files_restored: u64,
    pub bytes_restored: u64,
    /// Files an interrupted run had brought back already.
    pub files_kept: u64,
    pub damaged: Vec<Damage>,
}

impl RestoreSummary {
    /// Whether every file of the snapshot is in the target as it was.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.damaged.is_empty()
    }
}

/// Brings a snapshot's files back into `target`, which is empty, absent, or where a restore of
/// the same snapshot was cut short.
///
/// Shape: damaged files are left out, and named in the summary; the rest is brought back.
/// # Errors
/// Before anything is written: no such snapshot, [`BackupError::TargetUsed`],
/// [`BackupError::NoRoom`], [`BackupError::ManifestUnreadable`]. Later: the target's disk.
pub fn restore_to(
    settings: &RepositorySettings,
    selector: &Selector,
    target: &Path,
    progress: &dyn Progress,
) -> Result<RestoreSummary, BackupError> {
    let opened = repository::open(settings)?;
    let all = snapshots::proven(&opened, settings)?;
    let snapshot = snapshots::select(all, selector, &settings.name)?;
    // Unchecked on purpose: a missing pack must not keep back the files that do not need it.
    let indexed = opened.to_indexed();
    let indexed = indexed.map_err(BackupError::engine("read the index", &settings.name))?;
    let id = snapshots::full_id(&snapshot);
    let Some(manifest) = snapshots::manifest(&indexed, &snapshot) else {
        return Err(BackupError::ManifestUnreadable { snapshot: id });
    };
    let content = content::walk(&indexed, snapshot.tree);
    let state = target_state(target, &id)?;
    let kept = match state {
        Target::Fresh => BTreeSet::new(),
        Target::CutShort => already_there(target, &content, &manifest),
    };
    let needed = manifest.bytes() - kept.iter().map(|key| size_of(&manifest, key)).sum::<u64>();
    refuse_without_room(target, needed)?;
    base::paths::create_private_dir(target)?;
    base::paths::write_atomic(&target.join(MARKER_NAME), id.as_bytes(), 0o600)?;

    progress.start(Step::Restore, needed);
    let mut summary = RestoreSummary {
        snapshot: snapshots::info(&snapshot),
        files_restored: 0,
        bytes_restored: 0,
        files_kept: u64::try_from(kept.len()).unwrap_or(u64::MAX),
        damaged: Vec::new(),
    };
    make_dirs(target, &content)?;
    let job = Job {
        indexed: &indexed,
        target,
        progress,
    };
    for (key, record) in manifest.files.iter().filter(|(key, _)| !kept.contains(key)) {
        let outcome = match content.files.get(key) {
            Some(item) => job.file(item, record)?,
            None => Some(DamageReason::NotListed),
        };
        match outcome {
            Some(reason) => summary.damaged.push(Damage {
                path: key.clone(),
                reason,
            }),
            None => {
                summary.files_restored += 1;
                summary.bytes_restored += record.size;
            }
        }
    }
    finish(target, &content, &summary)?;
    Ok(summary)
}

enum Target {
    Fresh,
    CutShort,
}

fn target_state(target: &Path, id: &str) -> Result<Target, BackupError> {
    let marker = target.join(MARKER_NAME);
    match fs::read_to_string(&marker) {
        Ok(text) if text == id => return Ok(Target::CutShort),
        Ok(_) => {
            return Err(BackupError::TargetUsed {
                path: target.to_owned(),
            });
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(BackupError::io("look into", target, e)),
    }
    match fs::read_dir(target) {
        Ok(mut entries) => match entries.next() {
            None => Ok(Target::Fresh),
            Some(_) => Err(BackupError::TargetUsed {
                path: target.to_owned(),
            }),
        },
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Target::Fresh),
        Err(e) => Err(BackupError::io("look into", target, e)),
    }
}

/// Names in the manifest whose file is in the target with the right hash.
fn already_there<'a>(
    target: &Path,
    content: &Content,
    manifest: &'a Manifest,
) -> BTreeSet<&'a String> {
    let right = |(key, record): &(&String, &FileRecord)| {
        let Some(item) = content.files.get(*key) else {
            return false;
        };
        let path = target.join(&item.path);
        // Unreadable or absent means: not there; it is then restored or named.
        let there = fs::symlink_metadata(&path).is_ok_and(|m| m.is_file());
        there && manifest::hash_file(&path, &Quiet).is_ok_and(|found| found == **record)
    };
    manifest
        .files
        .iter()
        .filter(right)
        .map(|(key, _)| key)
        .collect()
}

fn size_of(manifest: &Manifest, key: &str) -> u64 {
    manifest.files.get(key).map_or(0, |record| record.size)
}

fn refuse_without_room(target: &Path, needed: u64) -> Result<(), BackupError> {
    let existing = target
        .ancestors()
        .find(|p| p.is_dir())
        .unwrap_or(Path::new("."));
    let free = base::paths::free_bytes(existing)?;
    if free < needed.saturating_add(SPARE_BYTES) {
        return Err(BackupError::NoRoom {
            path: target.to_owned(),
            needed,
            free,
        });
    }
    Ok(())
}

fn make_dirs(target: &Path, content: &Content) -> Result<(), BackupError> {
    for dir in &content.dirs {
        let path = target.join(&dir.path);
        fs::create_dir_all(&path).map_err(|e| BackupError::io("make", &path, e))?;
    }
    Ok(())
}

struct Job<'a> {
    indexed: &'a Repository<IndexedFullStatus>,
    target: &'a Path,
    progress: &'a dyn Progress,
}

impl Job<'_> {
    /// Writes one file; what is wrong with the snapshot is an answer, with the target an error.
    fn file(&self, item: &Item, record: &FileRecord) -> Result<Option<DamageReason>, BackupError> {
        let part = self.target.join(PART_NAME);
        let at = |step| {
            let part = part.clone();
            move |e| BackupError::io(step, &part, e)
        };
        let mut file = File::create(&part).map_err(at("make"))?;
        let mut context = digest::Context::new(&digest::SHA256);
        let mut size = 0;
        for id in item.node.content.iter().flatten() {
            let id = BlobId::from(id.into_inner());
            let Ok(piece) = self.indexed.get_blob_cached(&id, BlobType::Data) else {
                return self.discard(&part, DamageReason::PieceUnreadable);
            };
            context.update(&piece);
            let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            size += bytes;
            file.write_all(&piece).map_err(at("write"))?;
            self.progress.advance(bytes);
        }
        if (FileRecord {
            size,
            sha256: manifest::hex(context),
        }) != *record
        {
            return self.discard(&part, DamageReason::HashDiffers);
        }
        let mode = item.node.meta.mode.unwrap_or(DEFAULT_FILE_MODE) & PERMISSION_BITS;
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(at("set the mode of"))?;
        if let Some(time) = modified(&item.node) {
            file.set_modified(time).map_err(at("set the time of"))?;
        }
        let path = self.target.join(&item.path);
        fs::rename(&part, &path).map_err(|e| BackupError::io("rename into place", &path, e))?;
        Ok(None)
    }

    fn discard(
        &self,
        part: &Path,
        reason: DamageReason,
    ) -> Result<Option<DamageReason>, BackupError> {
        fs::remove_file(part).map_err(|e| BackupError::io("remove", part, e))?;
        Ok(Some(reason))
    }
}

fn modified(node: &Node) -> Option<SystemTime> {
    let at = node.meta.mtime?;
    let since = Duration::try_from(at.as_duration()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

/// Flushes the target before the marker goes, so that "done" outlives a power cut; the marker
/// of an incomplete restore stays, and the same command tries the missing files again.
fn finish(target: &Path, content: &Content, summary: &RestoreSummary) -> Result<(), BackupError> {
    for dir in &content.dirs {
        let path = target.join(&dir.path);
        let mode = dir.node.meta.mode.unwrap_or(0o700) & PERMISSION_BITS;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .map_err(|e| BackupError::io("set the mode of", &path, e))?;
    }
    let opened = File::open(target).map_err(|e| BackupError::io("flush", target, e))?;
    rustix::fs::syncfs(&opened).map_err(|e| BackupError::io("flush", target, e.into()))?;
    if summary.is_complete() {
        let marker: PathBuf = target.join(MARKER_NAME);
        fs::remove_file(&marker).map_err(|e| BackupError::io("remove", &marker, e))?;
        base::paths::sync_dir(target)?;
    }
    Ok(())
}
