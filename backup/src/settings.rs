//! Where repositories are and how they cut files; read once at start, from `site.toml`.

use std::path::{Path, PathBuf};

use crate::offsite::Offsite;

/// One repository. Each is independent of the others, so damage does not travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositorySettings {
    /// What the operator calls it: the words on the disk's label.
    pub name: String,
    pub location: Location,
    /// Holds the password on its first line; the password itself is in no setting.
    pub password_file: PathBuf,
    pub chunking: Chunking,
}

/// Where a repository lies. What follows from it is decided in [`crate::place`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A directory of a mounted disk.
    Directory(PathBuf),
    /// At the other end of a network.
    Offsite(Offsite),
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::Directory(path)
    }
}

impl Location {
    /// The directory, when it is one of this machine.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) => Some(path),
            Self::Offsite(_) => None,
        }
    }

    /// As a stock `restic` takes it behind `-r`; holds no secret.
    #[must_use]
    pub fn for_restic(&self) -> String {
        match self {
            Self::Directory(path) => path.display().to_string(),
            Self::Offsite(offsite) => offsite.for_restic(),
        }
    }

    /// Whether what nobody needs any more is deleted from here.
    #[must_use]
    pub fn is_pruned_from_here(&self) -> bool {
        match self {
            Self::Directory(_) => true,
            Self::Offsite(offsite) => !offsite.is_append_only(),
        }
    }
}

/// How files are cut into pieces; fixed when the repository is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunking {
    /// For a database file, whose pages change in place: a day grows to a fifth of the default.
    Fixed16KiB,
    /// For everything else.
    ContentDefined,
}
