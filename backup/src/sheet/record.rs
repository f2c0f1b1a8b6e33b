//! Which sheets there are: numbers, holders, key files; never a word of one.

use std::path::Path;

use base::paths::{MODE_PRIVATE, write_atomic};
use serde::{Deserialize, Serialize};

use super::Slot;
use crate::error::BackupError;

/// Every sheet that may still open something, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheets {
    /// Number of the last sheet ever made.
    pub last: u32,
    pub sheets: Vec<Sheet>,
}

/// One sheet, or the shares of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// As printed on it.
    pub number: u32,
    /// UTC.
    pub made_at: String,
    pub holders: Vec<String>,
    /// Three papers of which two open.
    pub is_split: bool,
    pub slots: Vec<Lock>,
    /// When its words were typed from the paper and opened everything, UTC.
    pub proven_at: Option<String>,
}

/// What a sheet opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Name of the repository in the settings.
    pub repository: String,
    pub repository_id: String,
    pub key_id: String,
}

impl Lock {
    /// The key file of it.
    #[must_use]
    pub fn slot(&self) -> Slot {
        Slot {
            repository_id: self.repository_id.clone(),
            key_id: self.key_id.clone(),
        }
    }
}

impl Sheets {
    /// What the file says; nothing when there is none.
    ///
    /// # Errors
    /// [`BackupError::Io`], [`BackupError::Json`].
    pub fn read(file: &Path) -> Result<Self, BackupError> {
        match std::fs::read(file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(BackupError::io("read", file, error)),
        }
    }

    /// # Errors
    /// [`BackupError::Files`].
    pub fn write(&self, file: &Path) -> Result<(), BackupError> {
        let bytes = serde_json::to_vec_pretty(self)?;
        Ok(write_atomic(file, &bytes, MODE_PRIVATE)?)
    }

    /// The newest whose words were tried.
    #[must_use]
    pub fn proven(&self) -> Option<&Sheet> {
        self.sheets
            .iter()
            .rev()
            .find(|sheet| sheet.proven_at.is_some())
    }
}
