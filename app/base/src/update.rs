//! Which version of the appliance should run since the last update, and which one does.
//!
//! Shape: the console writes the file when it has put a version into the other slot; pages compare it with what the
//! system says of itself. A version that does not come up is left by the boot loader, and nobody would notice.
//! Source: docs/decisions/0048-update-bundle.md.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::paths::{MODE_PRIVATE, PathError, write_atomic};

/// What the running system says of itself; elsewhere than on an appliance it names no image.
const RELEASE: &str = "etc/os-release";

/// Why it could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The disk refused.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// Somebody else wrote it.
    #[error("{} is not what an update leaves", path.display())]
    Bent {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// It could not be written.
    #[error("cannot write what should run")]
    Files(#[from] PathError),
}

/// The version that should run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// That one.
    pub version: String,
    /// The one before it.
    pub before: String,
    /// When it was put there.
    pub at: Timestamp,
}

impl Expected {
    /// Nothing before the first update.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn read(file: &Path) -> Result<Option<Self>, UpdateError> {
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = file.to_path_buf();
                return Err(UpdateError::Io { path, source });
            }
        };
        let read = serde_json::from_slice(&bytes);
        read.map(Some).map_err(|source| UpdateError::Bent {
            path: file.to_path_buf(),
            source,
        })
    }

    /// Whole or not at all.
    ///
    /// # Errors
    /// [`UpdateError::Files`].
    pub fn write(&self, file: &Path) -> Result<(), UpdateError> {
        let bytes = serde_json::to_vec(self).map_err(|source| UpdateError::Bent {
            path: file.to_path_buf(),
            source,
        })?;
        Ok(write_atomic(file, &bytes, MODE_PRIVATE)?)
    }
}

/// The version of the image that runs; nothing where no image of ours does.
#[must_use]
pub fn running(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join(RELEASE)).ok()?;
    let told = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(value.trim_matches('"').to_owned())
    };
    told("IMAGE_ID=").filter(|image| image == "hokatsu")?;
    told("IMAGE_VERSION=")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_should_run_is_read_as_it_was_written_and_nothing_before() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("update.json");
        assert_eq!(Expected::read(&file).unwrap(), None);
        let expected = Expected {
            version: "0.2.0".to_owned(),
            before: "0.1.0".to_owned(),
            at: "2026-04-07T03:00:00Z".parse().unwrap(),
        };
        expected.write(&file).unwrap();
        assert_eq!(Expected::read(&file).unwrap(), Some(expected));
        write_atomic(&file, b"{", MODE_PRIVATE).unwrap();
        assert!(matches!(
            Expected::read(&file),
            Err(UpdateError::Bent { .. })
        ));
    }

    #[test]
    fn only_an_image_of_ours_names_a_version() {
        let root = tempfile::tempdir().unwrap();
        let release = root.path().join(RELEASE);
        assert_eq!(running(root.path()), None);
        std::fs::create_dir(root.path().join("etc")).unwrap();
        write_atomic(&release, b"ID=debian\nVERSION_ID=\"12\"\n", MODE_PRIVATE).unwrap();
        assert_eq!(running(root.path()), None);
        let ours = b"ID=debian\nIMAGE_ID=hokatsu\nIMAGE_VERSION=\"0.2.0\"\n";
        write_atomic(&release, ours, MODE_PRIVATE).unwrap();
        assert_eq!(running(root.path()).as_deref(), Some("0.2.0"));
    }
}
