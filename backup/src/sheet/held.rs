//! A password that is on no disk: in memory of this process, under a name that only it can open.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use rustix::fs::{MemfdFlags, memfd_create};

use crate::error::BackupError;

/// As long as this lives, [`Held::path`] is a password file like any other.
#[derive(Debug)]
pub struct Held {
    file: File,
}

impl Held {
    /// # Errors
    /// What the kernel refused.
    pub fn of(password: &str) -> Result<Self, BackupError> {
        let at = |e| BackupError::io("hold in memory", "password".as_ref(), e);
        let made = memfd_create("password", MemfdFlags::CLOEXEC);
        let mut file = made.map(File::from).map_err(|e| at(e.into()))?;
        file.write_all(password.as_bytes()).map_err(at)?;
        Ok(Self { file })
    }

    /// Where this process reads it; for every other it is nothing.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }
}
