//! Files that are whole or absent, and directories nobody else can look into.
//!
//! Invariant: a crash at any point leaves the old file or the new one. The order is: temporary
//! file in the same directory, mode, fsync, rename, fsync of the directory; without the last
//! step a power cut can bring the old name back.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::report::Runbook;

/// Readable and writable by the owner alone.
pub const MODE_PRIVATE: u32 = 0o600;
/// Readable by everybody: nothing secret.
pub const MODE_PUBLIC: u32 = 0o644;
/// A directory only its owner may enter.
const MODE_PRIVATE_DIR: u32 = 0o700;

/// What the file system refused.
#[derive(Debug, thiserror::Error)]
#[error("cannot {step} {}", path.display())]
pub struct PathError {
    step: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl PathError {
    /// The file or directory it happened to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The page that helps, where the cause is one we know.
    #[must_use]
    pub fn runbook(&self) -> Option<Runbook> {
        let kind = self.source.kind();
        if matches!(
            kind,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        ) {
            Some(Runbook::DiskFull)
        } else if kind == io::ErrorKind::ReadOnlyFilesystem {
            Some(Runbook::DiskReadOnly)
        } else {
            None
        }
    }

    /// The system's own error.
    #[must_use]
    pub fn io(&self) -> &io::Error {
        &self.source
    }
}

/// Writes `bytes` to `path` so that a reader finds the old content or the new, never a part.
///
/// Shape: the directory must exist; a symbolic link at `path` is replaced, not followed.
/// Units: `mode` are permission bits such as [`MODE_PRIVATE`], set whatever the umask is.
/// # Errors
/// [`PathError`] with the step that failed; `path` is then as it was before.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), PathError> {
    let dir = parent(path);
    let at = |step| move |source| failed(step, path, source);
    let mut file = tempfile::Builder::new()
        .prefix(".tmp-")
        .permissions(Permissions::from_mode(mode & MODE_PRIVATE_DIR))
        .tempfile_in(dir)
        .map_err(at("make a temporary file for"))?;
    file.write_all(bytes).map_err(at("write"))?;
    let whole = file.as_file();
    whole
        .set_permissions(Permissions::from_mode(mode))
        .map_err(at("set the mode of"))?;
    whole.sync_all().map_err(at("flush"))?;
    file.persist(path)
        .map_err(|e| failed("rename into place", path, e.error))?;
    sync_dir(dir)
}

/// Flushes a directory, so that names made or renamed in it outlive a power cut.
/// # Errors
/// [`PathError`] when it cannot be opened or flushed.
pub fn sync_dir(dir: &Path) -> Result<(), PathError> {
    let open = File::open(dir).map_err(|e| failed("open the directory", dir, e))?;
    open.sync_all()
        .map_err(|e| failed("flush the directory", dir, e))
}

/// Makes `dir` and what is missing above it, each for its owner alone, and flushes the names.
///
/// Shape: a directory that is already there keeps its content; its mode is tightened to 0700.
/// # Errors
/// [`PathError`] when something else has that name, or the file system refuses.
pub fn create_private_dir(dir: &Path) -> Result<(), PathError> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(MODE_PRIVATE_DIR).create(dir);
    made.map_err(|e| failed("make the directory", dir, e))?;
    fs::set_permissions(dir, Permissions::from_mode(MODE_PRIVATE_DIR))
        .map_err(|e| failed("set the mode of", dir, e))?;
    sync_dir(dir)?;
    sync_dir(parent(dir))
}

/// Bytes an ordinary account can still write on the file system that holds `path`.
/// # Errors
/// [`PathError`] when `path` does not exist or cannot be asked.
pub fn free_bytes(path: &Path) -> Result<u64, PathError> {
    let asked = rustix::fs::statvfs(path);
    let room = asked.map_err(|e| failed("ask for free space at", path, e.into()))?;
    Ok(room.f_bavail.saturating_mul(room.f_frsize))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        Some(_) | None => Path::new("."),
    }
}

fn failed(step: &'static str, path: &Path, source: io::Error) -> PathError {
    PathError {
        step,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_file_is_replaced_whole_with_the_mode_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("site.toml");
        write_atomic(&path, b"old and longer", MODE_PUBLIC).unwrap();
        write_atomic(&path, b"new", MODE_PRIVATE).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o600);
        write_atomic(&path, b"new", 0o664).unwrap();
        assert_eq!(mode(&path), 0o664);
    }

    #[test]
    fn a_failed_write_leaves_no_temporary_file_and_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("taken");
        fs::create_dir(&path).unwrap();
        let error = write_atomic(&path, b"x", MODE_PRIVATE).unwrap_err();
        assert_eq!(error.path(), path);
        assert_eq!(names(dir.path()), ["taken"]);
    }

    #[test]
    fn a_link_is_replaced_and_what_it_points_at_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        write_atomic(&target, b"kept", MODE_PRIVATE).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        write_atomic(&link, b"new", MODE_PRIVATE).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"kept");
        assert!(!fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_missing_directory_is_an_error_that_names_the_path_and_keeps_the_cause() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none").join("file");
        let error = write_atomic(&path, b"x", MODE_PRIVATE).unwrap_err();
        assert!(error.to_string().ends_with("none/file"));
        assert_eq!(error.io().kind(), io::ErrorKind::NotFound);
        assert_eq!(error.runbook(), None);
    }

    #[test]
    fn a_full_disk_and_a_read_only_one_each_name_their_runbook() {
        let error = |kind: io::ErrorKind| failed("write", Path::new("/x"), kind.into());
        assert_eq!(
            error(io::ErrorKind::StorageFull).runbook(),
            Some(Runbook::DiskFull)
        );
        let read_only = error(io::ErrorKind::ReadOnlyFilesystem);
        assert_eq!(read_only.runbook(), Some(Runbook::DiskReadOnly));
    }

    #[test]
    fn a_private_directory_is_private_with_everything_made_above_it() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a").join("b");
        create_private_dir(&deep).unwrap();
        assert_eq!((mode(&deep), mode(&dir.path().join("a"))), (0o700, 0o700));
        fs::set_permissions(&deep, Permissions::from_mode(0o755)).unwrap();
        create_private_dir(&deep).unwrap();
        assert_eq!(mode(&deep), 0o700);
    }

    #[test]
    fn free_space_is_told_in_bytes_and_only_for_what_exists() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_bytes(dir.path()).unwrap() > 1024);
        assert!(free_bytes(&dir.path().join("none")).is_err());
    }
}
