//! Pieces of a file in their order, read ahead on all cores.
//!
//! Reading a piece is decrypting, unpacking and hashing it; writing one is little beside that. While one
//! window of pieces is written, the next is read.

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use rustic_core::repofile::BlobType;
use rustic_core::{BlobId, IndexedFullStatus, Repository};

use crate::error::BackupError;

/// Bytes of a window, about; two are in memory.
const WINDOW_BYTES: u64 = 4 * 1024 * 1024;
/// The largest pieces are 8 MiB, so that a window of them is 16.
const WINDOW_PIECES_MIN: usize = 2;

/// Calls `take` with each piece, or with nothing where it cannot be read, until it says no.
///
/// True: it took all. `size` is that of the file.
pub(super) fn in_order(
    repository: &Repository<IndexedFullStatus>,
    ids: &[BlobId],
    size: u64,
    mut take: impl FnMut(&BlobId, Option<&[u8]>) -> Result<bool, BackupError>,
) -> Result<bool, BackupError> {
    let read = |window: &[BlobId]| {
        let pieces = window
            .par_iter()
            .map(|id| repository.get_blob_cached(id, BlobType::Data).ok());
        pieces.collect::<Vec<_>>()
    };
    let mut windows = ids.chunks(pieces_at_once(ids.len(), size));
    let mut window = windows.next();
    let mut pieces = window.map(read);
    while let (Some(now), Some(whole)) = (window, pieces.take()) {
        let next = windows.next();
        let mut goes_on = Ok(true);
        rayon::in_place_scope(|scope| {
            scope.spawn(|_| pieces = next.map(read));
            for (id, piece) in now.iter().zip(&whole) {
                goes_on = take(id, piece.as_deref());
                if !matches!(goes_on, Ok(true)) {
                    break;
                }
            }
        });
        if !goes_on? {
            return Ok(false);
        }
        window = next;
    }
    Ok(true)
}

fn pieces_at_once(pieces: usize, size: u64) -> usize {
    let pieces = u64::try_from(pieces).unwrap_or(u64::MAX).max(1);
    let average = size.div_ceil(pieces).max(1);
    usize::try_from(WINDOW_BYTES / average)
        .unwrap_or(usize::MAX)
        .max(WINDOW_PIECES_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_about_the_same_bytes_however_a_file_was_cut() {
        assert_eq!(pieces_at_once(1_000, 1_000 * 16 * 1024), 256);
        assert_eq!(pieces_at_once(10, 10 * 1024 * 1024), 4);
        assert_eq!(pieces_at_once(10, 80 * 1024 * 1024), 2);
        assert_eq!(pieces_at_once(0, 0), 4 * 1024 * 1024);
    }
}
