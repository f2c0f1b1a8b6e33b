//! What stands on an enrolled disk: whose it is and which, signed by the machine.
//!
//! Not here: the signature itself, which is made with the key of the access log (`store`).

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use base::paths::{MODE_PRIVATE, write_atomic};
use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::error::DiskError;

/// At the top of the disk.
pub const MARK_NAME: &str = "hokatsu-disk.json";
/// Ed25519 over the bytes of the mark's file.
pub const SIGNATURE_NAME: &str = "hokatsu-disk.sig";
const BYTES_MAX: u64 = 4_096;

/// What the machine wrote on a disk when it was enrolled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Name of the repository.
    pub name: String,
    /// A random number, hexadecimal.
    pub mark: String,
    /// UUID of the device that it was written to: a copied file is no disk.
    pub uuid: String,
    pub enrolled_at: Timestamp,
}

/// A mark with the bytes that were signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub mark: Mark,
    pub text: Vec<u8>,
    pub signature: Vec<u8>,
}

/// The signed text as [`Mark`] lies in it.
#[derive(Deserialize)]
struct Sealed {
    report: Mark,
}

impl Mark {
    /// A mark for a new disk.
    ///
    /// # Errors
    /// [`DiskError::NoRandom`].
    pub fn draw(name: &str, uuid: &str, now: Timestamp) -> Result<Self, DiskError> {
        let mut mark = [0_u8; 16];
        let drawn = SystemRandom::new().fill(&mut mark);
        drawn.map_err(|ring::error::Unspecified| DiskError::NoRandom)?;
        Ok(Self {
            name: name.to_owned(),
            mark: HEXLOWER.encode(&mark),
            uuid: uuid.to_owned(),
            enrolled_at: now,
        })
    }

    /// Writes the signed text and its signature to the top of a disk.
    ///
    /// # Errors
    /// [`DiskError::Io`].
    pub fn write(top: &Path, text: &[u8], signature: &[u8]) -> Result<(), DiskError> {
        for (name, bytes) in [(SIGNATURE_NAME, signature), (MARK_NAME, text)] {
            let path = top.join(name);
            let written = write_atomic(&path, bytes, MODE_PRIVATE);
            written.map_err(|e| DiskError::io("write", &path, io::Error::other(e)))?;
        }
        Ok(())
    }

    /// The mark on a disk; nothing when there is none, or none that can be
    /// read. Whether the signature holds is for the caller to ask.
    ///
    /// # Errors
    /// [`DiskError::Io`].
    pub fn read(top: &Path) -> Result<Option<Found>, DiskError> {
        let (Some(text), Some(signature)) = (
            bytes_of(&top.join(MARK_NAME))?,
            bytes_of(&top.join(SIGNATURE_NAME))?,
        ) else {
            return Ok(None);
        };
        let sealed: Option<Sealed> = serde_json::from_slice(&text).ok();
        Ok(sealed.map(|sealed| Found {
            mark: sealed.report,
            text,
            signature,
        }))
    }

    /// Whether nothing lies on a disk but what a new file system has.
    ///
    /// # Errors
    /// [`DiskError::Io`].
    pub fn is_empty(top: &Path) -> Result<bool, DiskError> {
        let at = |e| DiskError::io("list", top, e);
        for entry in fs::read_dir(top).map_err(at)? {
            if entry.map_err(at)?.file_name() != "lost+found" {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn bytes_of(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(DiskError::io("read", path, error)),
    };
    let mut bytes = Vec::new();
    let read = file.take(BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|e| DiskError::io("read", path, e))?;
    Ok(Some(bytes))
}
