//! Whose history a repository goes on with: an old server that returns is told from the one that
//! took over.
//!
//! Shape: every restore in place begins a lineage, a growing number and a random token. A database
//! keeps all that it grew out of or took over ([`Lineage`] rows, in the facts of each snapshot); a
//! repository knows the newest that reached it, from the snapshots and from a mark, because the old server
//! may come back before the new one has made its first backup. The mark is a small file with a code of its
//! own; where there can be no such file, a copy of the newest snapshot that tells of it and is never listed.
//! Invariant: [`crate::run`] adds nothing for a history that lacks what the repository knows.
//! Errors: [`BackupError::Fenced`].
//! Source: docs/decisions/0033-restore-in-place.md.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use ring::hmac;
use rustic_core::repofile::{MasterKey, SnapshotFile, StringList};
use rustic_core::{Credentials, OpenStatus, Repository};
use serde::{Deserialize, Serialize};

use crate::error::BackupError;
use crate::place::{self, Memory};
use crate::repository;
use crate::settings::RepositorySettings;
use crate::snapshots::{self, Description};

/// Ours is a line; a longer file is not ours and is not read into memory.
const FILE_BYTES_MAX: u64 = 1_000;
/// Keeps the code from being taken for one of something else.
const PURPOSE: &str = "hokatsu lineage 1";
/// What a snapshot is called that is a mark and nothing else.
const MARK: &str = "hokatsu-lineage";
/// Where the facts of a snapshot keep the history, oldest first.
pub(crate) const FACT: &str = "lineages";

/// One beginning: after a restore, or after taking one back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// Grows with each; 0 is the time before the first.
    pub epoch: i64,
    /// Drawn at random: two machines that were both restored have different ones.
    pub token: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marked {
    lineage: Lineage,
    code: String,
}

/// The newest lineage that has reached a repository, if any has.
///
/// # Errors
/// What stopped the repository from being opened or read.
pub fn known(settings: &RepositorySettings) -> Result<Option<Lineage>, BackupError> {
    let opened = repository::open(settings)?;
    let all = snapshots::proven(&opened, settings)?;
    newest_known((settings, &opened.key()), &all)
}

/// Tells a repository who goes on: from now on an older history adds nothing to it.
///
/// # Errors
/// What stopped the repository from being opened, and its disk.
pub fn mark(settings: &RepositorySettings, lineage: &Lineage) -> Result<(), BackupError> {
    let key = repository::open(settings)?.key();
    write(settings, &key, lineage)
}

fn write(
    settings: &RepositorySettings,
    key: &MasterKey,
    lineage: &Lineage,
) -> Result<(), BackupError> {
    match place::memory(settings) {
        Memory::File(path) => write_file(&path, key, lineage),
        Memory::Snapshot => write_snapshot(settings, key, lineage),
    }
}

fn write_file(path: &Path, key: &MasterKey, lineage: &Lineage) -> Result<(), BackupError> {
    let marked = Marked {
        code: code(key, lineage),
        lineage: lineage.clone(),
    };
    let mut line = serde_json::to_vec(&marked)?;
    line.push(b'\n');
    base::paths::write_atomic(path, &line, base::paths::MODE_PRIVATE)?;
    // Root may restore; whoever backs up must be able to read it.
    if rustix::process::geteuid().is_root() {
        let at = |e| BackupError::io("hand over", path, e);
        let owner = fs::metadata(path.parent().unwrap_or(path)).map_err(at)?;
        chown(path, Some(owner.uid()), Some(owner.gid())).map_err(at)?;
    }
    Ok(())
}

/// Is it a mark, and no point in time?
pub(crate) fn is_mark(snapshot: &SnapshotFile) -> bool {
    snapshot.tags.contains(MARK)
}

/// All snapshots, marks among them. By key: deriving it from the password again costs a second.
fn with_marks(
    settings: &RepositorySettings,
    key: &MasterKey,
) -> Result<(Repository<OpenStatus>, Vec<SnapshotFile>), BackupError> {
    let opened = repository::open_with(settings, &Credentials::Masterkey(key.clone()))?;
    let all = opened.get_all_snapshots();
    let all = all.map_err(BackupError::engine("list the snapshots", &settings.name))?;
    Ok((opened, all))
}

fn write_snapshot(
    settings: &RepositorySettings,
    key: &MasterKey,
    lineage: &Lineage,
) -> Result<(), BackupError> {
    let (opened, mut all) = with_marks(settings, key)?;
    let told = |one: &SnapshotFile| history_of(one).pop();
    let (marks, points): (Vec<_>, Vec<_>) = all.drain(..).partition(is_mark);
    // Its own snapshots tell it, and of an older time no mark is needed.
    let known = |one: &SnapshotFile| told(one).as_ref() == Some(lineage);
    let newest = points.iter().max_by_key(|one| snapshots::taken_at(one));
    // An empty one has no history that an older one could spoil.
    let Some(newest) = newest else { return Ok(()) };
    if !points.iter().chain(&marks).any(known) {
        let mut mark = newest.clone();
        mark.tags = StringList::default();
        mark.tags.add(MARK.to_owned());
        mark.label = MARK.to_owned();
        let facts = serde_json::json!({ FACT: [lineage] });
        mark.description = Some(serde_json::to_string(&Description::only(facts))?);
        let saved = opened.save_snapshots(vec![mark]);
        saved.map_err(BackupError::engine("leave a mark", &settings.name))?;
    }
    // Each keeps data from being pruned, so none stays longer than it is needed.
    let old: Vec<_> = marks.iter().filter(|one| !known(one)).collect();
    remove(&opened, settings, &old)?;
    if points.iter().any(known) {
        let spoken_for: Vec<_> = marks.iter().filter(|one| known(one)).collect();
        remove(&opened, settings, &spoken_for)?;
    }
    Ok(())
}

fn remove(
    opened: &Repository<OpenStatus>,
    settings: &RepositorySettings,
    marks: &[&SnapshotFile],
) -> Result<(), BackupError> {
    if marks.is_empty() || !settings.location.is_pruned_from_here() {
        return Ok(());
    }
    let ids: Vec<_> = marks.iter().map(|one| one.id).collect();
    let removed = opened.delete_snapshots(&ids);
    removed.map_err(BackupError::engine("remove a mark", &settings.name))
}

fn history_of(snapshot: &SnapshotFile) -> Vec<Lineage> {
    snapshots::describe(snapshot).map_or_else(Vec::new, |told| history(&told.facts))
}

/// Refuses a history (of a snapshot's facts) that lacks what the repository knows.
pub(crate) fn refuse_older(
    (settings, key): (&RepositorySettings, &MasterKey),
    earlier: &[SnapshotFile],
    facts: &serde_json::Value,
) -> Result<(), BackupError> {
    let Some(known) = newest_known((settings, key), earlier)? else {
        return Ok(());
    };
    let own = history(facts);
    if own.contains(&known) {
        return Ok(());
    }
    Err(BackupError::Fenced {
        name: settings.name.clone(),
        known: known.epoch,
        own: own.last().map_or(0, |lineage| lineage.epoch),
    })
}

/// After a snapshot was saved: the file follows, so that it says what the newest snapshot says.
pub(crate) fn follow(
    (settings, key): (&RepositorySettings, &MasterKey),
    facts: &serde_json::Value,
) -> Result<(), BackupError> {
    match history(facts).last() {
        Some(newest) => {
            let marked = marked(settings, key)?;
            let is_told = match place::memory(settings) {
                Memory::File(_) => marked.as_ref() == Some(newest),
                // The snapshot that was just saved tells it; a mark is taken away.
                Memory::Snapshot => marked.is_none(),
            };
            if is_told {
                Ok(())
            } else {
                write(settings, key, newest)
            }
        }
        None => Ok(()),
    }
}

fn newest_known(
    (settings, key): (&RepositorySettings, &MasterKey),
    earlier: &[SnapshotFile],
) -> Result<Option<Lineage>, BackupError> {
    let told = earlier.iter().filter_map(|snapshot| {
        let facts = snapshots::describe(snapshot)?.facts;
        history(&facts).pop()
    });
    let all = told.chain(marked(settings, key)?);
    Ok(all.max_by_key(|lineage| lineage.epoch))
}

/// The lineages that facts tell of, oldest first; facts from before there were any tell of none.
pub(crate) fn history(facts: &serde_json::Value) -> Vec<Lineage> {
    let told = facts.get(FACT).cloned();
    let mut all: Vec<Lineage> = told
        .and_then(|told| serde_json::from_value(told).ok())
        .unwrap_or_default();
    all.sort_by_key(|lineage| lineage.epoch);
    all
}

/// What the mark says.
fn marked(settings: &RepositorySettings, key: &MasterKey) -> Result<Option<Lineage>, BackupError> {
    match place::memory(settings) {
        Memory::File(path) => marked_by_file(&path, key),
        Memory::Snapshot => {
            let (_, all) = with_marks(settings, key)?;
            let marks = all.iter().filter(|one| is_mark(one));
            let told = marks.filter_map(|one| history_of(one).pop());
            Ok(told.max_by_key(|lineage| lineage.epoch))
        }
    }
}

/// What the file says. One that is bent or of another repository says nothing: the snapshots do.
fn marked_by_file(path: &Path, key: &MasterKey) -> Result<Option<Lineage>, BackupError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(BackupError::io("read", path, e)),
    };
    let mut text = Vec::new();
    let read = file.take(FILE_BYTES_MAX).read_to_end(&mut text);
    read.map_err(|e| BackupError::io("read", path, e))?;
    let Ok(marked) = serde_json::from_slice::<Marked>(&text) else {
        return Ok(None);
    };
    let is_own = marked.code == code(key, &marked.lineage);
    Ok(is_own.then_some(marked.lineage))
}

/// Only who opens the repository can make one. By its own key, which outlives a change of passwords.
fn code(key: &MasterKey, lineage: &Lineage) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key.encrypt);
    let text = format!("{PURPOSE}\n{}\n{}", lineage.epoch, lineage.token);
    let tag = hmac::sign(&key, text.as_bytes());
    data_encoding::HEXLOWER.encode(tag.as_ref())
}
