//! Which sheets there are: numbers, holders, key files; never a word of one.

use std::path::Path;

use base::paths::{MODE_PRIVATE, write_atomic};
use serde::{Deserialize, Serialize};

use super::Slot;
use crate::error::BackupError;

/// Slots of a LUKS header that sheets take, from 1; the others are of key files.
const DISK_SLOTS: u32 = 30;

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
    /// Disks that its words open, or may open: noted before it is done.
    #[serde(default)]
    pub disks: Vec<DiskLock>,
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

/// A slot in the LUKS header of a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskLock {
    /// As on its label.
    pub name: String,
    /// UUID of its LUKS header.
    pub uuid: String,
    pub slot: u8,
    /// When the words were typed from the paper and opened it, UTC.
    #[serde(default)]
    pub proven_at: Option<String>,
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

    /// The sheet of this number.
    pub fn numbered(&mut self, number: u32) -> Option<&mut Sheet> {
        self.sheets.iter_mut().find(|sheet| sheet.number == number)
    }

    /// A slot of this disk's header for a sheet: the one that was noted, else by its number, or the next
    /// that no other sheet takes.
    #[must_use]
    pub fn disk_slot(&self, number: u32, uuid: &str) -> Option<u8> {
        let of_disk = self.sheets.iter().flat_map(|sheet| {
            let locks = sheet.disks.iter().filter(|lock| lock.uuid == uuid);
            locks.map(|lock| (sheet.number, lock.slot))
        });
        let taken: Vec<(u32, u8)> = of_disk.collect();
        if let Some((_, noted)) = taken.iter().find(|(of, _)| *of == number) {
            return Some(*noted);
        }
        let all = (0..DISK_SLOTS).map(|next| (number % DISK_SLOTS + next) % DISK_SLOTS + 1);
        let mut all = all.filter_map(|slot| u8::try_from(slot).ok());
        all.find(|slot| !taken.iter().any(|(_, used)| used == slot))
    }

    /// Sheets that open nothing any more are forgotten.
    pub fn forget_spent(&mut self) {
        let opens = |sheet: &Sheet| !sheet.slots.is_empty() || !sheet.disks.is_empty();
        self.sheets.retain(opens);
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
