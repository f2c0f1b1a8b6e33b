//! One snapshot of one directory, proven before it counts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use rustic_core::repofile::{MasterKey, SnapshotFile, SnapshotId};
use rustic_core::{BackupOptions, IndexedFullStatus, Open, Repository, SnapshotOptions};

use crate::before::Before;
use crate::error::BackupError;
use crate::manifest::{self, FileRecord, Found, MANIFEST_NAME, Manifest};
use crate::progress::{Progress, Step};
use crate::settings::RepositorySettings;
use crate::snapshots::{self, Description, SnapshotInfo, UNPROVEN_TAG};
use crate::{adopt, content, lineage, lock, place, repository, source};

/// What the snapshot's root is called in a stock tool's listing.
const PATH_SHOWN: &str = "/";

/// A directory of files that do not change while they are read.
#[derive(Debug, Clone)]
pub struct Source {
    pub dir: PathBuf,
    /// Files and directories that lie elsewhere and are read there, not copied first.
    pub beside: Vec<Beside>,
    /// What sort of snapshot this is, such as `db` or `files`.
    pub label: String,
    pub host: String,
    /// When the directory was frozen; becomes the snapshot's time.
    pub taken_at: Timestamp,
    /// What the caller knows about the content: row counts, audit head. No personal data.
    pub facts: serde_json::Value,
}

/// Something outside [`Source::dir`] that belongs into the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// A file or a directory; it does not change while it is read.
    pub from: PathBuf,
    /// Where it stands in the snapshot; the directory above it is in [`Source::dir`].
    pub to: PathBuf,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotSummary {
    pub snapshot: SnapshotInfo,
    /// Bytes the repository grew by, compressed.
    pub bytes_added: u64,
    /// Files the engine had to read, the manifest not counted; the rest were unchanged.
    pub files_read: u64,
    /// Half-written files of a killed run that were removed first.
    pub leftovers_removed: u64,
}

/// Saves one snapshot and compares what the repository holds with what lay in the source.
///
/// When this returns `Ok` the snapshot is whole and flushed to its device.
/// # Errors
/// [`BackupError::SourceChanged`] when a file vanished, changed or could not be read, and then
/// no snapshot is left; [`BackupError::NotKept`] when the repository does not give it back, nor is it then;
/// [`BackupError::ClockBehind`], [`BackupError::Fenced`],
/// [`BackupError::Locked`] and what is wrong with the source before anything is written.
pub fn run(
    settings: &RepositorySettings,
    source: &Source,
    progress: &Arc<dyn Progress>,
) -> Result<SnapshotSummary, BackupError> {
    place::watched(settings, || {
        let saved = save(settings, source, progress)?;
        adopt::settled(settings)?;
        Ok(saved)
    })
}

fn save(
    settings: &RepositorySettings,
    source: &Source,
    progress: &Arc<dyn Progress>,
) -> Result<SnapshotSummary, BackupError> {
    // Opened before the lock, so that a disk that is not mounted gets no lock file.
    let key = repository::open(settings)?.key();
    let _lock = lock::take(settings, "backup run", source.taken_at)?;
    let leftovers_removed = adopt::sweep(settings, &key)?;
    let indexed = repository::open_indexed(settings, &key)?;
    let earlier = without_unproven(&indexed, settings)?;
    refuse_clock_behind(&earlier, source.taken_at)?;
    lineage::refuse_older((settings, &key), &earlier, &source.facts)?;
    let before = Before::find(&indexed, &earlier, source);
    let found = manifest::scan(
        source,
        |one| before.as_ref()?.record(one),
        progress.as_ref(),
    )?;
    if let Some(before) = &before
        && before.is_still(&indexed, &found, &source.facts)
    {
        let snapshot = repeat(&indexed, (settings, &key), source, before)?;
        return Ok(SnapshotSummary {
            snapshot,
            bytes_added: 0,
            files_read: 0,
            leftovers_removed,
        });
    }
    let manifest = manifest_of(&found, source);

    let bytes = serde_json::to_vec(&manifest)?;
    let own = FileRecord {
        size: length(&bytes),
        sha256: manifest::sha256(&bytes),
    };
    let description = serde_json::to_string(&Description {
        files: manifest.count(),
        bytes: manifest.bytes(),
        manifest_sha256: own.sha256.clone(),
        facts: source.facts.clone(),
    })?;
    let mut draft = draft(settings, source)?;
    draft.description = Some(description);
    draft.tags.add(UNPROVEN_TAG.to_owned());
    progress.start(Step::Save, manifest.bytes());
    let tree = source::Tree::new(source.taken_at, found, bytes, Arc::clone(progress));
    let saved = indexed
        .archive(
            &options(before.as_ref()),
            &tree,
            draft,
            &[PathBuf::from(PATH_SHOWN)],
        )
        .map_err(BackupError::engine("save the snapshot", &settings.name))?;

    let mut expected = manifest.files;
    expected.insert(MANIFEST_NAME.to_owned(), own);
    let read = tree.read();
    let known = before.map_or_else(BTreeMap::new, Before::into_records);
    let saved_content = repository::open_indexed(settings, &key)?;
    let wrong = differences(&saved_content, &saved, &expected, &read, &known);
    if let Some(error) = wrong.into_error(settings) {
        remove(&indexed, settings, &[saved.id])?;
        return Err(error);
    }
    let bytes_added = saved.summary.as_ref().map_or(0, |s| s.data_added_packed);
    let snapshot = prove(&indexed, settings, saved)?;
    lineage::follow((settings, &key), &source.facts)?;
    repository::flush(settings)?;
    let files_read = u64::try_from(read.len())
        .unwrap_or(u64::MAX)
        .saturating_sub(1);
    Ok(SnapshotSummary {
        snapshot,
        bytes_added,
        files_read,
        leftovers_removed,
    })
}

/// The snapshots so far; what a killed run left unproven is removed.
fn without_unproven<S: Open>(
    opened: &Repository<S>,
    settings: &RepositorySettings,
) -> Result<Vec<SnapshotFile>, BackupError> {
    let (unproven, proven): (Vec<_>, Vec<_>) = snapshots::all(opened, settings)?
        .into_iter()
        .partition(snapshots::is_unproven);
    let ids: Vec<SnapshotId> = unproven.iter().map(|s| s.id).collect();
    if !ids.is_empty() {
        remove(opened, settings, &ids)?;
    }
    Ok(proven)
}

fn remove<S: Open>(
    opened: &Repository<S>,
    settings: &RepositorySettings,
    ids: &[SnapshotId],
) -> Result<(), BackupError> {
    // There its mark goes on keeping it out of every list.
    if !settings.location.is_pruned_from_here() {
        return Ok(());
    }
    let removed = opened.delete_snapshots(ids);
    removed.map_err(BackupError::engine(
        "remove an unproven snapshot",
        &settings.name,
    ))
}

/// A clock set back would file today's snapshot under the past, and one from a clock that ran
/// ahead would be kept for ever as the newest.
fn refuse_clock_behind(earlier: &[SnapshotFile], now: Timestamp) -> Result<(), BackupError> {
    match earlier.last().map(snapshots::taken_at) {
        Some(newest) if now < newest => Err(BackupError::ClockBehind {
            newest: newest.to_string(),
            now: now.to_string(),
        }),
        Some(_) | None => Ok(()),
    }
}

fn manifest_of(found: &[Found], source: &Source) -> Manifest {
    let files = found
        .iter()
        .filter_map(|f| Some((f.key.clone(), f.record.clone()?)))
        .collect();
    Manifest {
        taken_at: source.taken_at,
        facts: source.facts.clone(),
        files,
    }
}

/// Nothing changed: the tree before is this one's too, and nothing is written but its name and time. That the
/// repository holds it was asked by [`Before::is_still`], so there is nothing left to prove.
fn repeat(
    indexed: &Repository<IndexedFullStatus>,
    (settings, key): (&RepositorySettings, &MasterKey),
    source: &Source,
    before: &Before,
) -> Result<SnapshotInfo, BackupError> {
    let was = &before.snapshot;
    let mut again = draft(settings, source)?;
    again.description.clone_from(&was.description);
    again.tree = was.tree;
    again.paths = was.paths.clone();
    again.parent = Some(was.id);
    again.parents = vec![was.id];
    let saved = name(indexed, settings, again)?;
    lineage::follow((settings, key), &source.facts)?;
    repository::flush(settings)?;
    Ok(saved)
}

fn draft(settings: &RepositorySettings, source: &Source) -> Result<SnapshotFile, BackupError> {
    let options = SnapshotOptions::default()
        .host(source.host.clone())
        .label(source.label.clone())
        // The engine's default is the process's command line, paths and all.
        .command("hokatsu backup run".to_owned())
        .to_snapshot();
    let mut draft =
        options.map_err(BackupError::engine("describe the snapshot", &settings.name))?;
    draft.time = engine_time(source.taken_at);
    Ok(draft)
}

fn engine_time(at: Timestamp) -> rustic_core::jiff::Zoned {
    let zone = rustic_core::jiff::tz::TimeZone::fixed(rustic_core::jiff::tz::offset(9));
    source::engine_instant(at).to_zoned(zone)
}

fn options(before: Option<&Before>) -> BackupOptions {
    let mut options = BackupOptions::default().no_scan(true);
    options.parent_opts.force = before.is_none();
    options.parent_opts.parents = before
        .iter()
        .map(|before| before.snapshot.id.to_hex().as_str().to_owned())
        .collect();
    options.parent_opts.skip_if_unchanged = false;
    options.parent_opts.ignore_ctime = false;
    options
}

/// Files of which the repository does not hold exactly what the manifest says, by whose fault that is.
#[derive(Debug, Default)]
struct Differences {
    /// Other bytes were read than before, or the file vanished or appeared.
    changed: Vec<String>,
    /// The right ones were read, and the repository does not give them back.
    not_kept: Vec<String>,
}

impl Differences {
    fn into_error(self, settings: &RepositorySettings) -> Option<BackupError> {
        if !self.changed.is_empty() {
            let files = self.changed;
            return Some(BackupError::SourceChanged { files });
        }
        (!self.not_kept.is_empty()).then(|| BackupError::NotKept {
            name: settings.name.clone(),
            files: self.not_kept.len(),
        })
    }
}

fn differences(
    saved_content: &Repository<IndexedFullStatus>,
    saved: &SnapshotFile,
    expected: &BTreeMap<String, FileRecord>,
    read: &BTreeMap<String, FileRecord>,
    known: &BTreeMap<String, FileRecord>,
) -> Differences {
    let mut content = content::walk(saved_content, saved.tree);
    let all_is_listed = content.unreadable.is_empty();
    let mut wrong = Differences {
        changed: Vec::new(),
        not_kept: std::mem::take(&mut content.unreadable),
    };
    for (key, record) in expected {
        let Some(item) = content.files.remove(key) else {
            // Otherwise its directory cannot be read, which says nothing of the file.
            if all_is_listed {
                wrong.changed.push(key.clone());
            }
            continue;
        };
        // A file the engine skipped is the predecessor's, which was compared when it was saved.
        let bytes_seen = read.get(key).or_else(|| known.get(key));
        if bytes_seen != Some(record) {
            wrong.changed.push(key.clone());
        } else if content::stored_length(saved_content, &item.node) != Some(record.size) {
            wrong.not_kept.push(key.clone());
        }
    }
    wrong.changed.extend(content.files.into_keys());
    wrong
}

/// Takes the mark off: saved under its final id first, so that a cut leaves one too many.
fn prove<S: Open>(
    opened: &Repository<S>,
    settings: &RepositorySettings,
    mut saved: SnapshotFile,
) -> Result<SnapshotInfo, BackupError> {
    let unproven = saved.id;
    // Flushed before the name that promises it, or a power cut could keep the promise alone.
    repository::flush(settings)?;
    saved.tags = Default::default();
    let proven = name(opened, settings, saved)?;
    remove(opened, settings, &[unproven])?;
    Ok(proven)
}

/// Saves a snapshot that counts, under the id that its own content gives it.
fn name<S: Open>(
    opened: &Repository<S>,
    settings: &RepositorySettings,
    snapshot: SnapshotFile,
) -> Result<SnapshotInfo, BackupError> {
    let (time, tree) = (snapshot.time.timestamp(), snapshot.tree);
    opened
        .save_snapshots(vec![snapshot])
        .map_err(BackupError::engine("save the snapshot", &settings.name))?;
    let proven = snapshots::proven(opened, settings)?;
    let own = proven
        .iter()
        .rev()
        .find(|s| s.tree == tree && s.time.timestamp() == time);
    own.map(snapshots::info)
        .ok_or_else(|| BackupError::NoSnapshot {
            name: settings.name.clone(),
            wanted: "just saved".to_owned(),
        })
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}
