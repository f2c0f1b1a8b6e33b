//! The data directory: what lies where, and who uses it.
//!
//! Shape: `lock` is held by the one service (or by an import), `presence` is shared by every process
//! that has the database open; whoever changes the schema holds it alone. Both are `flock`s, which end
//! with their process.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::MetadataExt as _;
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

    /// The keys that seal what second factors are checked with. Not among [`DataDir::keys`], which go
    /// into backups.
    pub fn factor_keys(&self) -> PathBuf {
        self.0.join("secrets").join("factor.keys")
    }

    /// Finished years of the access log, one read-only database each.
    pub fn audit_archives(&self) -> PathBuf {
        self.0.join("audit-archives")
    }

    /// Signed heads, one JSON object a line, appended daily, at start, stop, backup and by command.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("audit-checkpoints.jsonl")
    }

    /// Bytes of attached files, under their hashes (see `shelf`).
    pub fn attachments(&self) -> PathBuf {
        self.0.join("attachments")
    }

    /// What was put aside after an incident, one signed folder each.
    pub fn evidence(&self) -> PathBuf {
        self.0.join("evidence")
    }

    /// What backups did and how it ended; a room of its own, which writes beside the database.
    pub fn backup_records(&self) -> PathBuf {
        self.0.join("backup-records")
    }

    /// When each repository last took a backup: a JSON object, name to instant.
    pub fn newest_backups(&self) -> PathBuf {
        self.backup_records().join("newest.json")
    }

    /// Which recovery sheets there are, and what each opens; never a word of one.
    pub fn recovery_sheets(&self) -> PathBuf {
        self.keys().join("recovery-sheets.json")
    }

    /// Which disks were enrolled to be carried away, and which of them ended.
    pub fn backup_disks(&self) -> PathBuf {
        self.keys().join("backup-disks.json")
    }

    /// What is done to the disks that are plugged in just now.
    pub fn disks_here(&self) -> PathBuf {
        self.backup_records().join("disks-here.json")
    }

    /// Signed reports of drills: that a backup came back.
    pub fn drill_reports(&self) -> PathBuf {
        self.0.join("drill-reports")
    }

    /// Copies of the past that are looked into just now; gone when nobody uses them, and never in a backup.
    pub fn former_states(&self) -> PathBuf {
        self.0.join("former-states")
    }

    /// The copy of the database that backups are made of, and of which state it is; never in a backup.
    pub(crate) fn frozen(&self) -> PathBuf {
        self.0.join("frozen")
    }

    /// Which version of the appliance should run since its last update.
    pub fn update(&self) -> PathBuf {
        self.0.join("update.json")
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
    /// [`StoreError::InUse`], [`StoreError::NotOwner`]; [`StoreError::Io`] when the directory cannot
    /// be used.
    pub(crate) fn lock(&self) -> Result<DirectoryLock, StoreError> {
        self.owned()?;
        let path = self.lock_file();
        let io = |source| StoreError::Io {
            path: path.clone(),
            source,
        };
        let mut file = lock_file_at(&path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(self.in_use());
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(DirectoryLock {
            service: Some(file),
            presence: self.present()?,
        })
    }

    /// Comes in beside whoever holds the directory. Nobody can while the schema is changed.
    ///
    /// # Errors
    /// As [`DataDir::lock`].
    pub(crate) fn join(&self) -> Result<DirectoryLock, StoreError> {
        self.owned()?;
        Ok(DirectoryLock {
            service: None,
            presence: self.present()?,
        })
    }

    /// Takes the directory away from everybody, the service and commands, without opening what is in
    /// it: for a restore. Root may as well, because it hands everything back to the owner.
    ///
    /// # Errors
    /// As [`DataDir::lock`].
    pub fn hold(&self) -> Result<Hold, StoreError> {
        if !rustix::process::geteuid().is_root() {
            self.owned()?;
        }
        let mut files = Vec::new();
        for path in [self.lock_file(), self.0.join("presence")] {
            let file = lock_file_at(&path)?;
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                return Err(self.in_use());
            }
            files.push(file);
        }
        Ok(Hold { _files: files })
    }

    fn present(&self) -> Result<File, StoreError> {
        let file = lock_file_at(&self.0.join("presence"))?;
        if flock(&file, FlockOperation::NonBlockingLockShared).is_err() {
            return Err(self.in_use());
        }
        Ok(file)
    }

    pub(crate) fn in_use(&self) -> StoreError {
        let owner = std::fs::read_to_string(self.lock_file()).unwrap_or_default();
        let owner = owner.trim();
        StoreError::InUse {
            dir: self.0.clone(),
            owner: if owner.is_empty() { "?" } else { owner }.to_owned(),
        }
    }

    /// Files that root makes here the service could not read afterwards.
    fn owned(&self) -> Result<(), StoreError> {
        let found = std::fs::metadata(&self.0).map_err(|source| StoreError::Io {
            path: self.0.clone(),
            source,
        })?;
        if found.uid() == rustix::process::geteuid().as_raw() {
            return Ok(());
        }
        Err(StoreError::NotOwner {
            dir: self.0.clone(),
        })
    }
}

fn lock_file_at(path: &Path) -> Result<File, StoreError> {
    let io = |source| StoreError::Io {
        path: path.to_path_buf(),
        source,
    };
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false);
    file.open(path).map_err(|e| read_only_or(e, io))
}

/// Waits until nobody else holds the lock of this file (or directory); held until it is dropped.
///
/// # Errors
/// [`StoreError::Io`].
pub(crate) fn in_turn(path: &Path, file: File) -> Result<File, StoreError> {
    let locked = flock(&file, FlockOperation::LockExclusive);
    locked.map_err(|error| StoreError::Io {
        path: path.to_path_buf(),
        source: error.into(),
    })?;
    Ok(file)
}

/// The lock of this directory if nobody else holds it just now; held until it is dropped.
///
/// # Errors
/// [`StoreError::Io`].
pub(crate) fn at_once(path: &Path) -> Result<Option<File>, StoreError> {
    let file = File::open(path).map_err(|source| StoreError::Io {
        path: path.to_path_buf(),
        source,
    })?;
    let free = flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok();
    Ok(free.then_some(file))
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

/// As long as it lives nobody else opens the directory; it goes along when the directory is renamed.
#[derive(Debug)]
pub struct Hold {
    _files: Vec<File>,
}

/// Held as long as the process uses the directory; the kernel lets go when the process ends, also
/// when it is killed, so there is no stale lock to clean.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    service: Option<File>,
    presence: File,
}

impl DirectoryLock {
    /// Is this the one process that serves (or imports)?
    pub(crate) fn is_service(&self) -> bool {
        self.service.is_some()
    }

    /// Does `f` while nobody else has the database open.
    pub(crate) fn alone<T>(
        &self,
        dir: &DataDir,
        f: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if flock(&self.presence, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Err(dir.in_use());
        }
        let done = f();
        let shared = flock(&self.presence, FlockOperation::NonBlockingLockShared);
        shared.or(Err(dir.in_use()))?;
        done
    }
}
