//! Whose history a repository goes on with: an old server that returns is told from the one that
//! took over.
//!
//! Shape: every restore in place begins a lineage, a growing number and a random token. A database
//! keeps all that it grew out of or took over ([`Lineage`] rows, in the facts of each snapshot); a
//! repository knows the newest that reached it, from the snapshots and from a small file with a code
//! of its own, because the old server may come back before the new one has made its first backup.
//! Invariant: [`crate::run`] adds nothing for a history that lacks what the repository knows.
//! Errors: [`BackupError::Fenced`].
//! Source: docs/decisions/0033-restore-in-place.md.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, chown};

use ring::hmac;
use rustic_core::repofile::{MasterKey, SnapshotFile};
use serde::{Deserialize, Serialize};

use crate::error::BackupError;
use crate::repository;
use crate::settings::RepositorySettings;
use crate::snapshots;

const FILE_NAME: &str = "hokatsu.lineage";
/// Ours is a line; a longer file is not ours and is not read into memory.
const FILE_BYTES_MAX: u64 = 1_000;
/// Keeps the code from being taken for one of something else.
const PURPOSE: &str = "hokatsu lineage 1";
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
    let marked = Marked {
        code: code(key, lineage),
        lineage: lineage.clone(),
    };
    let mut line = serde_json::to_vec(&marked)?;
    line.push(b'\n');
    let path = settings.path.join(FILE_NAME);
    base::paths::write_atomic(&path, &line, base::paths::MODE_PRIVATE)?;
    // Root may restore; whoever backs up must be able to read it.
    if rustix::process::geteuid().is_root() {
        let at = |e| BackupError::io("hand over", &path, e);
        let owner = fs::metadata(&settings.path).map_err(at)?;
        chown(&path, Some(owner.uid()), Some(owner.gid())).map_err(at)?;
    }
    Ok(())
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
        Some(newest) if marked(settings, key)?.as_ref() != Some(newest) => {
            write(settings, key, newest)
        }
        Some(_) | None => Ok(()),
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

/// What the file says. One that is bent or of another repository says nothing: the snapshots do.
fn marked(settings: &RepositorySettings, key: &MasterKey) -> Result<Option<Lineage>, BackupError> {
    let path = settings.path.join(FILE_NAME);
    let file = match fs::File::open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(BackupError::io("read", &path, e)),
    };
    let mut text = Vec::new();
    let read = file.take(FILE_BYTES_MAX).read_to_end(&mut text);
    read.map_err(|e| BackupError::io("read", &path, e))?;
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
