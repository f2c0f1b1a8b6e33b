//! A damaged file with zeros where its pieces are lost, to see what of it is still there.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use rustic_core::repofile::BlobType;
use rustic_core::{BlobId, DataId};

use crate::content;
use crate::error::BackupError;
use crate::place;
use crate::repository::{self, FIXED_CHUNK_BYTES};
use crate::restore::others::Others;
use crate::restore::target;
use crate::settings::RepositorySettings;
use crate::snapshots::{self, Selector};

/// Writes what can be read of one file of a snapshot into a new file; how many bytes of it are zeros
/// in the place of what is lost. Nothing when not even its list of pieces is left.
///
/// # Errors
/// The target's disk, and what stopped the repository from being opened.
pub fn salvage_file(
    (settings, others): (&RepositorySettings, &[RepositorySettings]),
    selector: &Selector,
    (wanted, to): (&str, &Path),
) -> Result<Option<u64>, BackupError> {
    place::watched(settings, || {
        salvage((settings, others), selector, (wanted, to))
    })
}

fn salvage(
    (settings, others): (&RepositorySettings, &[RepositorySettings]),
    selector: &Selector,
    (wanted, to): (&str, &Path),
) -> Result<Option<u64>, BackupError> {
    let opened = repository::open(settings)?;
    let all = snapshots::proven(&opened, settings)?;
    let snapshot = snapshots::select(all, selector, &settings.name)?;
    let indexed = opened.to_indexed();
    let indexed = indexed.map_err(BackupError::engine("read the index", &settings.name))?;
    let others = Others::of(others, settings, snapshots::taken_at(&snapshot));
    let mut content = content::walk(&indexed, snapshot.tree);
    let Some(item) = content.files.remove(wanted) else {
        return Ok(None);
    };
    target::refuse_without_room(to, item.node.meta.size)?;
    let mut file = File::create(to).map_err(|e| BackupError::io("make", to, e))?;
    let mut lost = 0;
    for id in item.node.content.iter().flatten() {
        let blob = BlobId::from((*id).into_inner());
        let written = if let Ok(piece) = indexed.get_blob_cached(&blob, BlobType::Data) {
            file.write_all(&piece)
        } else if let Some((_, piece)) = others.piece(&blob) {
            file.write_all(piece.as_ref())
        } else {
            let length = length_of(&indexed, id);
            lost += u64::try_from(length).unwrap_or(u64::MAX);
            file.write_all(&vec![0; length])
        };
        written.map_err(|e| BackupError::io("write", to, e))?;
    }
    // The last piece of a file is shorter than it is thought when the index lost it, too.
    file.set_len(item.node.meta.size)
        .map_err(|e| BackupError::io("write", to, e))?;
    Ok(Some(lost))
}

fn length_of(
    indexed: &rustic_core::Repository<rustic_core::IndexedFullStatus>,
    id: &DataId,
) -> usize {
    let known = indexed.get_index_entry(id).ok();
    let length = known.map(|entry| u64::from(entry.location.data_length()));
    usize::try_from(length.unwrap_or(FIXED_CHUNK_BYTES)).unwrap_or(0)
}
