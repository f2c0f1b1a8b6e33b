//! Where the room's sources lie, and where below `target/` what is made of them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::problem::{Problem, at};

/// The two places.
#[derive(Debug, Clone)]
pub struct Room {
    source: PathBuf,
    work: PathBuf,
    pins: PathBuf,
}

impl Room {
    /// The room that this program was compiled in.
    #[must_use]
    pub fn here() -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).to_owned();
        let root = source.parent().unwrap_or(&source);
        Self {
            work: root.join("target/image"),
            pins: source.clone(),
            source,
        }
    }

    /// The same room with lock files that lie elsewhere.
    #[must_use]
    pub fn pinned_by(&self, pins: PathBuf) -> Self {
        Self {
            pins,
            ..self.clone()
        }
    }

    /// The repository.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.source.parent().unwrap_or(&self.source)
    }

    /// `image/`: configuration and units.
    #[must_use]
    pub fn source(&self) -> &Path {
        &self.source
    }

    /// Where the lock files lie; `image/` for whatever is shipped.
    #[must_use]
    pub fn pins(&self) -> &Path {
        &self.pins
    }

    /// `target/image/`: everything in it can be made again.
    #[must_use]
    pub fn work(&self) -> &Path {
        &self.work
    }

    /// A directory below `target/image/`, made if it is not there.
    ///
    /// # Errors
    /// [`Problem::File`] when it cannot be made.
    pub fn dir(&self, name: &str) -> Result<PathBuf, Problem> {
        let path = self.work.join(name);
        fs::create_dir_all(&path).map_err(at(&path, "make the directory"))?;
        Ok(path)
    }

    /// The same, empty.
    ///
    /// # Errors
    /// [`Problem::File`] when it cannot be emptied or made.
    pub fn empty_dir(&self, name: &str) -> Result<PathBuf, Problem> {
        let path = self.work.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(at(&path, "empty"))?;
        }
        self.dir(name)
    }
}
