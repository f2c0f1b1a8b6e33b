//! Where repositories are and how they cut files; read once at start, from `site.toml`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Every repository this machine writes to; each is independent, so damage does not travel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub repositories: Vec<RepositorySettings>,
}

/// One repository on a mounted disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositorySettings {
    /// What the operator calls it: the words on the disk's label.
    pub name: String,
    pub path: PathBuf,
    /// Holds the password on its first line; the password itself is in no setting.
    pub password_file: PathBuf,
    pub chunking: Chunking,
}

/// How files are cut into pieces; fixed when the repository is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chunking {
    /// For a database file, whose pages change in place: a day grows to a fifth of the default.
    #[serde(rename = "fixed-16-kib")]
    Fixed16KiB,
    /// For everything else.
    ContentDefined,
}

impl Settings {
    /// The repository of that name.
    #[must_use]
    pub fn repository(&self, name: &str) -> Option<&RepositorySettings> {
        self.repositories.iter().find(|r| r.name == name)
    }
}
