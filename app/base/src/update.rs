//! Which version of the appliance should run since the last update, and which one does.
//!
//! Shape: the console writes the file when it has put a version into the other slot; pages compare it with what the
//! system says of itself. A version that does not come up is left by the boot loader, and nobody would notice.
//! Source: docs/decisions/0048-update-bundle.md.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::paths::MODE_PRIVATE;
use crate::small_file::{self, SmallFileError};

/// What the running system says of itself; elsewhere than on an appliance it names no image.
const RELEASE: &str = "etc/os-release";

/// Why another version is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It was put in as an update; also what older versions wrote, which named no reason.
    #[default]
    Update,
    /// Somebody wanted the one before back.
    Operator,
    /// Blocks of the one before are bent.
    Bent,
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
    /// Why.
    #[serde(default)]
    pub why: Why,
}

impl Expected {
    /// Nothing before the first update.
    ///
    /// # Errors
    /// As [`small_file::read`].
    pub fn read(file: &Path) -> Result<Option<Self>, SmallFileError> {
        small_file::read(file)
    }

    /// Whole or not at all.
    ///
    /// # Errors
    /// As [`small_file::write`].
    pub fn write(&self, file: &Path) -> Result<(), SmallFileError> {
        small_file::write(file, self, MODE_PRIVATE)
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
    use crate::paths::write_atomic;

    #[test]
    fn what_should_run_is_read_as_it_was_written_and_nothing_before() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("update.json");
        assert_eq!(Expected::read(&file).unwrap(), None);
        let expected = Expected {
            version: "0.2.0".to_owned(),
            before: "0.1.0".to_owned(),
            at: "2026-04-07T03:00:00Z".parse().unwrap(),
            why: Why::Bent,
        };
        expected.write(&file).unwrap();
        assert_eq!(Expected::read(&file).unwrap(), Some(expected));
        let older = br#"{"version":"2","before":"1","at":"2026-04-07T03:00:00Z"}"#;
        write_atomic(&file, older, MODE_PRIVATE).unwrap();
        assert_eq!(Expected::read(&file).unwrap().unwrap().why, Why::Update);
        write_atomic(&file, b"{", MODE_PRIVATE).unwrap();
        assert!(matches!(
            Expected::read(&file),
            Err(SmallFileError::Bent { .. })
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
