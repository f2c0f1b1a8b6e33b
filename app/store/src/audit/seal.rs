//! Signatures over the chain's head, inside the database and beside it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rusqlite::{Connection, OptionalExtension as _};
use serde::{Deserialize, Serialize};

use crate::audit::chain::Hash;
use crate::directory::{DataDir, in_turn};
use crate::error::StoreError;

const FINGERPRINT_CHARS: usize = 16;

/// How many entries there are, and the hash of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) entries: i64,
    pub(crate) hash: Hash,
}

impl Head {
    fn message(&self) -> Vec<u8> {
        let mut message = b"hokatsu audit head 1".to_vec();
        message.extend_from_slice(&self.entries.to_be_bytes());
        message.extend_from_slice(&self.hash);
        message
    }

    /// The head that the database holds, with its signature.
    pub(crate) fn stored(connection: &Connection) -> Result<Option<(Self, Vec<u8>)>, StoreError> {
        let sql = "select entries, hash, signature from audit_head";
        let mut statement = connection.prepare_cached(sql)?;
        let row = statement.query_row([], |row| {
            let (entries, hash) = (row.get(0)?, row.get(1)?);
            Ok((Self { entries, hash }, row.get(2)?))
        });
        Ok(row.optional()?)
    }

    /// How many entries the stored head knows of.
    pub(crate) fn entries(connection: &Connection) -> Result<i64, StoreError> {
        let mut statement = connection.prepare_cached("select entries from audit_head")?;
        let entries = statement.query_row([], |row| row.get(0)).optional()?;
        Ok(entries.unwrap_or(0))
    }
}

/// The private key, which never leaves its file but for this process's memory.
#[derive(Debug)]
pub(crate) struct Signer(Ed25519KeyPair);

impl Signer {
    pub(crate) fn load(dir: &DataDir) -> Result<Self, StoreError> {
        let path = dir.audit_key();
        let bytes = std::fs::read(&path).map_err(|source| StoreError::Io {
            path: path.clone(),
            source,
        })?;
        let pair = Ed25519KeyPair::from_pkcs8(&bytes);
        pair.map(Self).or(Err(StoreError::AuditKey { path }))
    }

    pub(crate) fn sign(&self, head: &Head) -> Vec<u8> {
        self.sign_bytes(&head.message())
    }

    pub(crate) fn sign_bytes(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).as_ref().to_vec()
    }

    /// Signs the list of a folder of evidence, which says on its first line what it is.
    pub(crate) fn sign_list(&self, list: &[u8]) -> Vec<u8> {
        self.0.sign(list).as_ref().to_vec()
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().to_vec())
    }
}

/// What proves a signature. Its hexadecimal form stands in `keys/audit.pub` and in every checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicKey(Vec<u8>);

impl PublicKey {
    pub(crate) fn load(path: &Path) -> Result<Self, StoreError> {
        let text = std::fs::read_to_string(path).map_err(|source| StoreError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        let bytes = HEXLOWER.decode(text.trim().as_bytes());
        bytes.map(Self).or(Err(StoreError::AuditKey {
            path: path.to_path_buf(),
        }))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn verifies_list(&self, list: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(list, signature)
            .is_ok()
    }

    pub(crate) fn verifies(&self, head: &Head, signature: &[u8]) -> bool {
        self.verifies_bytes(&head.message(), signature)
    }

    pub(crate) fn verifies_bytes(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0)
            .verify(message, signature)
            .is_ok()
    }

    /// What people compare: the first 16 hexadecimal digits of its SHA-256.
    fn fingerprint(&self) -> String {
        let hash = digest(&SHA256, &self.0);
        let hex = HEXLOWER.encode(hash.as_ref());
        hex.chars().take(FINGERPRINT_CHARS).collect()
    }
}

/// The fingerprint of a directory's public key, for paper.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::AuditKey`] when there is no usable key.
pub fn key_fingerprint(dir: &DataDir) -> Result<String, StoreError> {
    Ok(PublicKey::load(&dir.audit_public_key())?.fingerprint())
}

/// Makes the signing key of a new data directory.
pub(crate) fn create_key(dir: &DataDir) -> Result<(), StoreError> {
    let failed = || StoreError::AuditKey {
        path: dir.audit_key(),
    };
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).or(Err(failed()))?;
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).or(Err(failed()))?;
    let public = HEXLOWER.encode(pair.public_key().as_ref());
    for (path, bytes) in [
        (dir.audit_key(), document.as_ref()),
        (dir.audit_public_key(), public.as_bytes()),
    ] {
        base::paths::write_atomic(&path, bytes, base::paths::MODE_PRIVATE)?;
    }
    Ok(())
}

/// A signed head that can be printed, sent away and compared later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// When it was signed, UTC.
    pub at: String,
    /// Number of entries.
    pub entries: i64,
    /// Hash of the last, hexadecimal.
    pub hash: String,
    /// Ed25519 over both, hexadecimal.
    pub signature: String,
}

impl Checkpoint {
    pub(crate) fn new(head: &Head, signer: &Signer, now: Timestamp) -> Self {
        Self {
            at: format!("{now:.6}"),
            entries: head.entries,
            hash: HEXLOWER.encode(&head.hash),
            signature: HEXLOWER.encode(&signer.sign(head)),
        }
    }

    /// Does `f` while no other process appends to the file.
    pub(crate) fn in_turn<T>(
        path: &Path,
        f: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|source| StoreError::Io {
            path: path.to_path_buf(),
            source,
        })?;
        let held = in_turn(path, file)?;
        let done = f();
        drop(held);
        done
    }

    /// Appends it as one line; the line is on the disk when this returns.
    pub(crate) fn append_to(&self, path: &Path) -> Result<(), StoreError> {
        let io = |source| StoreError::Io {
            path: path.to_path_buf(),
            source,
        };
        let mut line = serde_json::to_vec(self).map_err(|e| io(e.into()))?;
        line.push(b'\n');
        drop_torn_line(path).map_err(io)?;
        let mut file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(io)?;
        file.write_all(&line).map_err(io)?;
        file.sync_data().map_err(io)
    }

    /// When it was signed.
    pub fn instant(&self) -> Option<Timestamp> {
        self.at.parse().ok()
    }

    /// All checkpoints of a file, oldest first. A last line without its end is what a power cut
    /// left of an append that nobody was told had worked; it counts for nothing.
    ///
    /// # Errors
    /// [`StoreError::Io`] when it cannot be read or a line is no checkpoint.
    pub fn read_all(path: &Path) -> Result<Vec<Self>, StoreError> {
        let io = |source| StoreError::Io {
            path: path.to_path_buf(),
            source,
        };
        let text = std::fs::read_to_string(path).map_err(io)?;
        Self::lines(&text, path)
    }

    /// As [`Checkpoint::read_all`], from what was read already.
    pub(crate) fn lines(text: &str, path: &Path) -> Result<Vec<Self>, StoreError> {
        let io = |source| StoreError::Io {
            path: path.to_path_buf(),
            source,
        };
        let whole = text.rfind('\n').map_or(0, |at| at + 1);
        text.get(..whole)
            .unwrap_or_default()
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| serde_json::from_str(line).map_err(|e| io(e.into())))
            .collect()
    }

    pub(crate) fn head(&self) -> Option<Head> {
        let bytes = HEXLOWER.decode(self.hash.as_bytes()).ok()?;
        Some(Head {
            entries: self.entries,
            hash: bytes.try_into().ok()?,
        })
    }

    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let signature = HEXLOWER.decode(self.signature.as_bytes());
        match (self.head(), signature) {
            (Some(head), Ok(signature)) => key.verifies(&head, &signature),
            _ => false,
        }
    }
}

/// Takes away what a power cut left behind the last whole line.
fn drop_torn_line(path: &Path) -> std::io::Result<()> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n');
    let whole = whole.map_or(0, |at| at + 1);
    if whole < bytes.len() {
        let file = File::options().write(true).open(path)?;
        file.set_len(u64::try_from(whole).unwrap_or(u64::MAX))?;
    }
    Ok(())
}
