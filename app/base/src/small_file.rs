//! Small files of JSON by which one process tells others something: whole or absent, and never half believed.
//!
//! Shape: [`read`] and [`write`]; whoever owns a file names its type and its place.
//! Errors: [`SmallFileError`]. What cannot be read is never taken for a file that is not there.

use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::paths::{PathError, write_atomic};

/// Why a small file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SmallFileError {
    /// The disk of the machine refused.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Somebody else wrote it, or something ate it.
    #[error("{} does not say what it should", path.display())]
    Bent {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// It could not be written.
    #[error("cannot write a small file")]
    Files(#[from] PathError),
}

impl SmallFileError {
    /// What the system said of a file, to be handed to `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }

    fn bent(path: &Path) -> impl FnOnce(serde_json::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Bent { path, source }
    }
}

/// What the file says; nothing when there is none.
///
/// # Errors
/// [`SmallFileError::Io`], [`SmallFileError::Bent`].
pub fn read<T: DeserializeOwned>(file: &Path) -> Result<Option<T>, SmallFileError> {
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(SmallFileError::io(file)(error)),
    };
    let read = serde_json::from_slice(&bytes);
    read.map(Some).map_err(SmallFileError::bent(file))
}

/// Writes it whole or not at all.
///
/// Units: `mode` as for [`write_atomic`].
/// # Errors
/// [`SmallFileError::Files`], [`SmallFileError::Bent`].
pub fn write(file: &Path, value: &impl Serialize, mode: u32) -> Result<(), SmallFileError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(SmallFileError::bent(file))?;
    Ok(write_atomic(file, &bytes, mode)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::MODE_PRIVATE;

    #[test]
    fn a_file_is_read_as_it_was_written_and_a_bent_one_is_no_absent_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("told.json");
        assert_eq!(read::<Vec<u8>>(&file).unwrap(), None);
        write(&file, &[1_u8, 2], MODE_PRIVATE).unwrap();
        assert_eq!(read::<Vec<u8>>(&file).unwrap(), Some(vec![1, 2]));
        write_atomic(&file, b"[1,", MODE_PRIVATE).unwrap();
        let bent = read::<Vec<u8>>(&file);
        assert!(matches!(bent, Err(SmallFileError::Bent { .. })));
        let unreadable = read::<Vec<u8>>(dir.path());
        assert!(matches!(unreadable, Err(SmallFileError::Io { .. })));
    }
}
