//! Files out of a snapshot, one after the other, past whatever is damaged.
//!
//! Shape: list → read pieces → compare with the manifest → rename into place. The engine's own
//! restore needs over a gigabyte of memory and dies on the first flipped byte. What is damaged here is
//! looked for in the other repositories ([`others`]), piece by piece and then file by file.
//! Invariant: a file under its own name in the target has the manifest's hash, wherever it came from.
//! Interrupted and run again, it keeps what is there already and right.

mod ahead;
mod job;
mod one;
mod others;
mod salvage;
mod speed;
mod target;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

pub use one::restore_file;
pub use salvage::salvage_file;
pub use speed::{Speed, measure};

use crate::content::{self, Content};
use crate::error::BackupError;
use crate::manifest::{FileRecord, Manifest};
use crate::place;
use crate::progress::{Progress, Step};
use crate::repository;
use crate::restore::job::{Job, Layout, Outcome};
use crate::restore::others::Others;
use crate::restore::target::Target;
use crate::settings::RepositorySettings;
use crate::snapshots::{self, Selector, SnapshotInfo};

/// Lies in the target until every file is back, and holds the snapshot's id.
pub(crate) const MARKER_NAME: &str = ".hokatsu-restore";
/// The one file that is being written.
pub(crate) const PART_NAME: &str = ".hokatsu-restore.part";
const PERMISSION_BITS: u32 = 0o777;

/// A file that could not be brought back as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    pub path: String,
    /// What its content was called; attachments are found by it.
    pub sha256: String,
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

/// A file of which this repository had lost something, and which is whole all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healed {
    pub path: String,
    /// The name of the repository that had it.
    pub from: String,
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
    /// Damaged here, and fetched from another repository.
    pub healed: Vec<Healed>,
}

impl RestoreSummary {
    /// Whether every file of the snapshot is in the target as it was.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.damaged.is_empty()
    }

    fn of(snapshot: SnapshotInfo, kept: usize) -> Self {
        Self {
            snapshot,
            files_restored: 0,
            bytes_restored: 0,
            files_kept: u64::try_from(kept).unwrap_or(u64::MAX),
            damaged: Vec::new(),
            healed: Vec::new(),
        }
    }

    fn add(&mut self, path: &str, record: &FileRecord, outcome: Outcome) {
        let reason = match outcome {
            Outcome::Damaged(reason) => {
                self.damaged.push(Damage {
                    path: path.to_owned(),
                    sha256: record.sha256.clone(),
                    reason,
                });
                return;
            }
            Outcome::Whole => None,
            Outcome::HealedFrom(name) => Some(name),
        };
        self.files_restored += 1;
        self.bytes_restored += record.size;
        if let Some(from) = reason {
            let path = path.to_owned();
            self.healed.push(Healed { path, from });
        }
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
    restore_healing((settings, &[]), selector, target, progress)
}

/// As [`restore_to`]; what is damaged is looked for in the other repositories, by its hash.
///
/// # Errors
/// As [`restore_to`]. A repository among the others that does not open heals nothing.
pub fn restore_healing(
    (settings, others): (&RepositorySettings, &[RepositorySettings]),
    selector: &Selector,
    target: &Path,
    progress: &dyn Progress,
) -> Result<RestoreSummary, BackupError> {
    place::watched(settings, || {
        restore((settings, others), selector, target, progress)
    })
}

fn restore(
    (settings, others): (&RepositorySettings, &[RepositorySettings]),
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
    let others = Others::of(others, settings, snapshots::taken_at(&snapshot));
    let own = snapshots::manifest(&indexed, &snapshot);
    let Some(manifest) = own.or_else(|| others.manifest_of(&snapshot)) else {
        return Err(BackupError::ManifestUnreadable { snapshot: id });
    };
    let content = content::walk(&indexed, snapshot.tree);
    let kept = match target::state(target, &id)? {
        Target::Fresh => BTreeSet::new(),
        Target::CutShort => target::already_there(target, &content, &manifest),
    };
    let needed = manifest.bytes() - kept.iter().map(|key| size_of(&manifest, key)).sum::<u64>();
    target::refuse_without_room(target, needed)?;
    base::paths::create_private_dir(target)?;
    base::paths::write_atomic(&target.join(MARKER_NAME), id.as_bytes(), 0o600)?;

    progress.start(Step::Restore, needed);
    let mut summary = RestoreSummary::of(snapshots::info(&snapshot), kept.len());
    make_dirs(target, &content)?;
    let job = Job {
        indexed: &indexed,
        others: &others,
        target,
        layout: Layout::AsSaved,
        progress,
    };
    for (key, record) in manifest.files.iter().filter(|(key, _)| !kept.contains(key)) {
        let outcome = job.file((key, record), content.files.get(key))?;
        summary.add(key, record, outcome);
    }
    finish(target, &content, &summary)?;
    Ok(summary)
}

fn size_of(manifest: &Manifest, key: &str) -> u64 {
    manifest.files.get(key).map_or(0, |record| record.size)
}

fn make_dirs(target: &Path, content: &Content) -> Result<(), BackupError> {
    for dir in &content.dirs {
        let path = target.join(&dir.path);
        fs::create_dir_all(&path).map_err(|e| BackupError::io("make", &path, e))?;
    }
    Ok(())
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
