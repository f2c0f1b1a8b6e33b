//! The data directory: what lies where, and that only one process holds it.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use crate::error::StoreError;

/// Paths inside one data directory. The layout is part of the backup's promise: whoever restores
/// these files has everything.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// A data directory at `path`; nothing is touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.0.join("hokatsu.db")
    }

    /// Private keys (mode 0700).
    pub fn keys(&self) -> PathBuf {
        self.0.join("keys")
    }

    /// The key that signs the audit head, PKCS#8 DER.
    pub fn audit_key(&self) -> PathBuf {
        self.keys().join("audit.pk8")
    }

    /// Its public half, hexadecimal: what `audit verify` needs on another machine.
    pub fn audit_public_key(&self) -> PathBuf {
        self.keys().join("audit.pub")
    }

    /// The key of the marks that stand in the log for what was looked for.
    pub(crate) fn audit_term_key(&self) -> PathBuf {
        self.keys().join("audit-terms.key")
    }

    /// Finished years of the access log, one read-only database each.
    pub fn audit_archives(&self) -> PathBuf {
        self.0.join("audit-archives")
    }

    /// Signed heads, one JSON object a line, appended daily, at start, stop, backup and by command.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("audit-checkpoints.jsonl")
    }

    /// What was put aside after an incident, one signed folder each.
    pub fn evidence(&self) -> PathBuf {
        self.0.join("evidence")
    }

    /// What was done at the console and is not in the access log yet, one file a deed.
    pub fn console_notes(&self) -> PathBuf {
        self.0.join("console-notes")
    }

    /// TLS material: `ca.pem`, `server.pem`, `server.key`.
    pub fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    fn lock_file(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// Takes the directory for this process, or says who has it.
    ///
    /// # Errors
    /// [`StoreError::InUse`]; [`StoreError::Io`] when the directory cannot be used.
    pub(crate) fn lock(&self) -> Result<DirectoryLock, StoreError> {
        let path = self.lock_file();
        let io = |source| StoreError::Io {
            path: path.clone(),
            source,
        };
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| read_only_or(e, io))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            let mut owner = String::new();
            let known = file.read_to_string(&mut owner).is_ok() && !owner.trim().is_empty();
            let owner = if known {
                owner.trim().to_owned()
            } else {
                "?".to_owned()
            };
            return Err(StoreError::InUse {
                dir: self.0.clone(),
                owner,
            });
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(DirectoryLock(file))
    }
}

fn read_only_or(
    error: std::io::Error,
    io: impl FnOnce(std::io::Error) -> StoreError,
) -> StoreError {
    if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem {
        StoreError::ReadOnly
    } else {
        io(error)
    }
}

/// Held as long as the process uses the directory; the kernel lets go when the process ends, also
/// when it is killed, so there is no stale lock to clean.
#[derive(Debug)]
pub(crate) struct DirectoryLock(#[expect(dead_code, reason = "held, never read")] File);
