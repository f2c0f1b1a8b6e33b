//! Whether a repository still holds what it says; its findings, and not merely that it ran.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rustic_core::repofile::Node;
use rustic_core::{CheckOptions, CheckResults, ReadSubsetOption, RusticResult};
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
    let (results, broke_off) = asked(|options| opened.check(options), options);
    let results = results.map_err(BackupError::engine("check", &settings.name))?;
    let mut findings: Vec<Finding> = broke_off.into_iter().collect();
    let found = results.0.into_iter().map(|found| {
        let text = found.1.to_string();
        // The level's type is private to the engine; a list of one tells it.
        let is_error = CheckResults(vec![found]).is_ok().is_err();
        Finding {
            serious: is_error && !text.contains(MARKED_UNKNOWN),
            text,
        }
    });
    findings.extend(found);
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

/// What the engine finds, and what is to be told beside it.
///
/// Behind a tree that cannot be read the engine waits a tenth of a second for its threads to let go of the index
/// and then panics (0.13.0, `index still in use`; a busy machine takes longer). It was about to read the packs that
/// it knew to be needed, which after such a tree are none: the look without reading finds the same.
fn asked(
    check: impl Fn(CheckOptions) -> RusticResult<CheckResults>,
    mut options: CheckOptions,
) -> (RusticResult<CheckResults>, Option<Finding>) {
    if let Ok(results) = catch_unwind(AssertUnwindSafe(|| check(options))) {
        return (results, None);
    }
    options.read_data = false;
    let text = "the check broke off at a damaged tree: no data was read".to_owned();
    let serious = true;
    (check(options), Some(Finding { serious, text }))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(read_data: bool) -> CheckOptions {
        let mut options = CheckOptions::default();
        options.read_data = read_data;
        options
    }

    #[test]
    fn an_engine_that_gives_up_before_the_data_is_asked_without_it_and_that_is_serious() {
        let gives_up = |options: CheckOptions| {
            assert!(!options.read_data, "index still in use");
            Ok(CheckResults(Vec::new()))
        };
        let (results, finding) = asked(gives_up, reading(true));
        assert!(results.unwrap().0.is_empty());
        assert!(finding.is_some_and(|finding| finding.serious));
        let (_, finding) = asked(gives_up, reading(false));
        assert_eq!(finding, None);
    }
}
