//! Which snapshots there are, and which one a person means.
//!
//! A snapshot is first saved as unproven and only renamed when [`crate::run`] has compared it;
//! unproven ones are never listed.

use jiff::{Timestamp, ZonedDateTime};
use rustic_core::repofile::{Node, NodeType, SnapshotFile};
use rustic_core::{IndexedFullStatus, Open, Repository};
use serde::{Deserialize, Serialize};

use crate::error::BackupError;
use crate::lineage;
use crate::manifest::{MANIFEST_NAME, Manifest, sha256};
use crate::repository;
use crate::settings::RepositorySettings;

/// Marks a snapshot whose comparison is still to come.
pub(crate) const UNPROVEN_TAG: &str = "unproven";

/// Which snapshot to restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    Latest,
    /// A full id or the beginning of one.
    Id(String),
    /// The newest that is not after this instant.
    At(Timestamp),
}

#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotInfo {
    pub id: String,
    pub label: String,
    pub host: String,
    pub taken_at: Timestamp,
    /// Bytes of all files before compression.
    pub bytes: u64,
    pub files: u64,
    pub facts: serde_json::Value,
}

impl SnapshotInfo {
    /// The instant as people here read it.
    #[must_use]
    pub fn taken_at_in_japan(&self) -> ZonedDateTime {
        self.taken_at.to_zoned_datetime(base::clock::japan())
    }
}

/// Kept in the snapshot's own description, so that listing reads no data.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    pub(crate) manifest_sha256: String,
    pub(crate) facts: serde_json::Value,
}

impl Description {
    /// Of something that has no files of its own.
    pub(crate) fn only(facts: serde_json::Value) -> Self {
        Self {
            files: 0,
            bytes: 0,
            manifest_sha256: String::new(),
            facts,
        }
    }
}

/// Every whole snapshot, oldest first.
/// # Errors
/// What stopped the repository from being opened or read.
pub fn list(settings: &RepositorySettings) -> Result<Vec<SnapshotInfo>, BackupError> {
    let opened = repository::open(settings)?;
    Ok(proven(&opened, settings)?.iter().map(info).collect())
}

pub(crate) fn all<S: Open>(
    opened: &Repository<S>,
    settings: &RepositorySettings,
) -> Result<Vec<SnapshotFile>, BackupError> {
    let all = opened.get_all_snapshots();
    let mut all = all.map_err(BackupError::engine("list the snapshots", &settings.name))?;
    all.retain(|s| !lineage::is_mark(s));
    all.sort_by_key(taken_at);
    Ok(all)
}

pub(crate) fn proven<S: Open>(
    opened: &Repository<S>,
    settings: &RepositorySettings,
) -> Result<Vec<SnapshotFile>, BackupError> {
    let mut all = all(opened, settings)?;
    all.retain(|s| !is_unproven(s));
    Ok(all)
}

pub(crate) fn is_unproven(snapshot: &SnapshotFile) -> bool {
    snapshot.tags.contains(UNPROVEN_TAG)
}

pub(crate) fn taken_at(snapshot: &SnapshotFile) -> Timestamp {
    let at = snapshot.time.timestamp();
    Timestamp::from_nanosecond(at.as_nanosecond()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// All 64 digits; the engine's own `Display` shows eight.
pub(crate) fn full_id(snapshot: &SnapshotFile) -> String {
    snapshot.id.to_hex().as_str().to_owned()
}

pub(crate) fn describe(snapshot: &SnapshotFile) -> Option<Description> {
    serde_json::from_str(snapshot.description.as_deref()?).ok()
}

pub(crate) fn info(snapshot: &SnapshotFile) -> SnapshotInfo {
    let description = describe(snapshot);
    SnapshotInfo {
        id: full_id(snapshot),
        label: snapshot.label.clone(),
        host: snapshot.hostname.clone(),
        taken_at: taken_at(snapshot),
        bytes: description.as_ref().map_or(0, |d| d.bytes),
        files: description.as_ref().map_or(0, |d| d.files),
        facts: description.map_or(serde_json::Value::Null, |d| d.facts),
    }
}

pub(crate) fn select(
    snapshots: Vec<SnapshotFile>,
    selector: &Selector,
    name: &str,
) -> Result<SnapshotFile, BackupError> {
    let mut newest_first = snapshots.into_iter().rev();
    let (chosen, wanted) = match selector {
        Selector::Latest => (newest_first.next(), "latest".to_owned()),
        Selector::At(at) => (newest_first.find(|s| taken_at(s) <= *at), at.to_string()),
        Selector::Id(id) => {
            let mut matching = newest_first.filter(|s| full_id(s).starts_with(id.as_str()));
            let first = matching.next();
            // An abbreviation of two snapshots means neither.
            let only = if matching.next().is_none() {
                first
            } else {
                None
            };
            (only, id.clone())
        }
    };
    chosen.ok_or_else(|| BackupError::NoSnapshot {
        name: name.to_owned(),
        wanted,
    })
}

/// The snapshot's manifest, if it can be read and is the one the snapshot was saved with.
pub(crate) fn manifest(
    indexed: &Repository<IndexedFullStatus>,
    snapshot: &SnapshotFile,
) -> Option<Manifest> {
    let root = indexed.get_tree(&snapshot.tree).ok()?;
    let node = root.nodes.iter().find(|n| n.name == MANIFEST_NAME)?;
    let bytes = small_file(indexed, node)?;
    let expected = describe(snapshot)?.manifest_sha256;
    if sha256(&bytes) != expected {
        return None;
    }
    serde_json::from_slice(&bytes).ok()
}

fn small_file(indexed: &Repository<IndexedFullStatus>, node: &Node) -> Option<Vec<u8>> {
    if node.node_type != NodeType::File {
        return None;
    }
    let mut bytes = Vec::new();
    for id in node.content.as_ref()? {
        let id = rustic_core::BlobId::from(id.into_inner());
        let blob = indexed
            .get_blob_cached(&id, rustic_core::repofile::BlobType::Data)
            .ok()?;
        bytes.extend_from_slice(&blob);
    }
    Some(bytes)
}
