//! How fast a repository gives its bytes away, measured on the snapshot that somebody means.

use std::time::{Duration, Instant};

use rustic_core::BlobId;
use rustic_core::repofile::BlobType;

use crate::content;
use crate::error::BackupError;
use crate::repository;
use crate::settings::RepositorySettings;
use crate::snapshots::{self, Selector};

/// Read for this long at most, or so many bytes: the plan is to come at once.
const TIME_MAX: Duration = Duration::from_millis(700);
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes that were read, and how long that took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Speed {
    pub bytes: u64,
    pub took: Duration,
}

impl Speed {
    /// Bytes a second; nothing when too little was read to say.
    #[must_use]
    pub fn per_second(&self) -> Option<u64> {
        let micros = u64::try_from(self.took.as_micros()).ok()?;
        self.bytes.saturating_mul(1_000_000).checked_div(micros)
    }
}

/// Reads the largest file of a snapshot for a moment.
///
/// # Errors
/// No such snapshot, and what stopped the repository from being opened.
pub fn measure(settings: &RepositorySettings, selector: &Selector) -> Result<Speed, BackupError> {
    let opened = repository::open(settings)?;
    let all = snapshots::proven(&opened, settings)?;
    let snapshot = snapshots::select(all, selector, &settings.name)?;
    let indexed = opened.to_indexed();
    let indexed = indexed.map_err(BackupError::engine("read the index", &settings.name))?;
    let content = content::walk(&indexed, snapshot.tree);
    let largest = content
        .files
        .values()
        .max_by_key(|item| item.node.meta.size);
    let started = Instant::now();
    let mut bytes = 0;
    let pieces = largest.and_then(|item| item.node.content.as_ref());
    for id in pieces.into_iter().flatten() {
        if started.elapsed() > TIME_MAX || bytes > BYTES_MAX {
            break;
        }
        let id = BlobId::from(id.into_inner());
        // What cannot be read costs time as well, and is told when it is restored.
        let piece = indexed.get_blob_cached(&id, BlobType::Data);
        let length = piece.map_or(0, |piece| piece.len());
        bytes += u64::try_from(length).unwrap_or(u64::MAX);
    }
    Ok(Speed {
        bytes,
        took: started.elapsed(),
    })
}
