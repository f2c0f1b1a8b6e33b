//! Whether a repository still holds what it says; its findings, and not merely that it ran.

use rustic_core::repofile::Node;
use rustic_core::{CheckOptions, CheckResults, ReadSubsetOption};
use serde::Serialize;

use crate::content;
use crate::error::BackupError;
use crate::place;
use crate::records::Slice;
use crate::repository;
use crate::settings::RepositorySettings;
use crate::snapshots;

/// Of a pack that a run left behind when it was cut short: a prune marks it without knowing what is in it, so
/// the index counts an empty one (a header's 36 bytes). Nobody needs it, and it goes after the time of grace.
const MARKED_UNKNOWN: &str = "marked to delete: true: size computed by index: 36,";

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckDepth {
    /// Index, pack sizes and trees.
    Structure,
    /// Every byte as well.
    AllData,
    /// Every byte of a part of the packs, chosen by their ids: all parts together are all of them.
    Part(Slice),
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Data is lost or at risk; otherwise it is only untidy.
    pub serious: bool,
    /// In the engine's words, with the ids of packs and blobs.
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct CheckSummary {
    pub findings: Vec<Finding>,
    pub snapshots: u64,
}

impl CheckSummary {
    /// Whether nothing serious was found.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.findings.iter().any(|f| f.serious)
    }
}

/// Looks at the whole repository and at every snapshot's manifest.
///
/// Shape: damage is a finding, not an error; look at [`CheckSummary::is_healthy`].
/// # Errors
/// What stopped the check itself: no repository, wrong password, unreadable index.
pub fn check(
    settings: &RepositorySettings,
    depth: CheckDepth,
) -> Result<CheckSummary, BackupError> {
    place::watched(settings, || look(settings, depth))
}

fn look(settings: &RepositorySettings, depth: CheckDepth) -> Result<CheckSummary, BackupError> {
    let opened = repository::open(settings)?;
    let mut options = CheckOptions::default();
    options.read_data = depth != CheckDepth::Structure;
    options.read_data_subset = match depth {
        CheckDepth::Structure | CheckDepth::AllData => ReadSubsetOption::All,
        CheckDepth::Part(slice) => ReadSubsetOption::IdSubSet((slice.number, slice.of)),
    };
    let results = opened.check(options);
    let results = results.map_err(BackupError::engine("check", &settings.name))?;
    let mut findings: Vec<Finding> = results
        .0
        .into_iter()
        .map(|found| {
            let text = found.1.to_string();
            // The level's type is private to the engine; a list of one tells it.
            let is_error = CheckResults(vec![found]).is_ok().is_err();
            Finding {
                serious: is_error && !text.contains(MARKED_UNKNOWN),
                text,
            }
        })
        .collect();
    let proven = snapshots::proven(&opened, settings)?;
    match repository::open_indexed(settings, &opened.key()) {
        Ok(indexed) => {
            for snapshot in &proven {
                findings.extend(against_manifest(&indexed, snapshot));
            }
        }
        Err(e) => findings.push(Finding {
            serious: true,
            text: e.to_string(),
        }),
    }
    let snapshots = u64::try_from(proven.len()).unwrap_or(u64::MAX);
    Ok(CheckSummary {
        findings,
        snapshots,
    })
}

fn against_manifest(
    indexed: &rustic_core::Repository<rustic_core::IndexedFullStatus>,
    snapshot: &rustic_core::repofile::SnapshotFile,
) -> Vec<Finding> {
    let serious = |text| Finding {
        serious: true,
        text,
    };
    let id = snapshots::full_id(snapshot);
    let Some(manifest) = snapshots::manifest(indexed, snapshot) else {
        return vec![serious(format!(
            "snapshot {id}: its manifest cannot be read"
        ))];
    };
    let content = content::walk(indexed, snapshot.tree);
    let has = |key: &String, size: u64| {
        let node: Option<&Node> = content.files.get(key).map(|item| &item.node);
        node.is_some_and(|n| n.meta.size == size)
    };
    let lacking = manifest
        .files
        .iter()
        .filter(|(key, record)| !has(key, record.size));
    lacking
        .map(|(key, _)| serious(format!("snapshot {id}: lacks {key}")))
        .collect()
}
