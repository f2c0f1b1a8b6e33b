//! An update of the appliance as one file: what it says of itself, who signed that, and its parts.
//!
//! Shape: a tar of `manifest.json`, `manifest.json.minisig` and the parts, each by zstd. The manifest names every
//! part by length and SHA-256, so the one signature covers all of it. [`Bundle::open`] believes nothing before the
//! signature; [`Bundle::verify`] reads every part through; [`Bundle::unpack`] gives one, and counts it again.
//! Invariant: of what is not signed, no more is read than its limit.
//! Not here: which version may follow which, and where parts are written (`cli`); how a bundle is made (`image`).
//! Source: docs/decisions/0048-update-bundle.md.
#![deny(missing_docs)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use minisign_verify::{PublicKey, Signature};
use ring::digest::{Context, SHA256};
use semver::Version;
use serde::{Deserialize, Serialize};

/// Of the file's name.
pub const EXTENSION: &str = "hokatsu-update";
/// What a machine must be to take it.
pub const MACHINE: &str = "hokatsu-x86-64";
/// How the manifest is written; another number is for a newer program.
pub const FORMAT: u32 = 1;
/// The first entry of the file.
pub const MANIFEST: &str = "manifest.json";
/// The second.
pub const SIGNATURE: &str = "manifest.json.minisig";

/// Both are a few lines.
const SIGNED_BYTES_MAX: u64 = 64 * 1024;
const CHUNK: usize = 1024 * 1024;

/// What a bundle says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// [`MACHINE`].
    pub machine: String,
    /// Of the image in it.
    pub version: Version,
    /// The number of the database that it leaves behind.
    pub schema: i64,
    /// The verified root.
    pub root: Part,
    /// Its hashes.
    pub root_verity: Part,
    /// The kernel image, which vouches for both.
    pub kernel: Part,
}

/// One part as it lies on the disk, unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its length.
    pub bytes: u64,
    /// In hexadecimal, small letters.
    pub sha256: String,
    /// The number that its partition has to bear; a kernel image is a file and has none.
    pub uuid: Option<String>,
}

/// Which part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The verified root.
    Root,
    /// Its hashes.
    RootVerity,
    /// The kernel image.
    Kernel,
}

impl Which {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Root, Self::RootVerity, Self::Kernel];

    /// What the entry is called in the file.
    #[must_use]
    pub fn entry(self) -> &'static str {
        match self {
            Self::Root => "root.zst",
            Self::RootVerity => "root-verity.zst",
            Self::Kernel => "kernel.zst",
        }
    }
}

impl Manifest {
    /// What it says of a part.
    #[must_use]
    pub fn part(&self, which: Which) -> &Part {
        match which {
            Which::Root => &self.root,
            Which::RootVerity => &self.root_verity,
            Which::Kernel => &self.kernel,
        }
    }

    /// Bytes of all parts.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        Which::ALL
            .iter()
            .fold(0, |sum, which| sum.saturating_add(self.part(*which).bytes))
    }
}

/// Why a file is no update for this machine.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The file, or the medium it lies on.
    #[error("cannot read the bundle")]
    Io(#[from] io::Error),
    /// What a part is written to.
    #[error("cannot write a part")]
    Written(#[source] io::Error),
    /// It begins with something else than a manifest.
    #[error("not a bundle")]
    NotOne,
    /// The key that signatures are held against cannot be read.
    #[error("no key to check the signature with")]
    NoKey,
    /// Nobody signed it, or somebody else did, or it was changed afterwards.
    #[error("not signed by the key of this machine")]
    Signature,
    /// It was signed and is no manifest.
    #[error("a manifest that cannot be read")]
    Unclear(#[source] serde_json::Error),
    /// A newer program has to read it.
    #[error("a manifest of format {0}")]
    Format(u32),
    /// It is for something else.
    #[error("for a machine of another kind")]
    OtherMachine,
    /// Half copied, or damaged on its way.
    #[error("{0} is missing or not what was signed")]
    Damaged(&'static str),
}

/// A signed bundle.
#[derive(Debug)]
pub struct Bundle {
    path: PathBuf,
    manifest: Manifest,
}

impl Bundle {
    /// Reads the manifest, once its signature holds.
    ///
    /// Shape: `key` is the text of a minisign public key.
    /// # Errors
    /// All but [`BundleError::Damaged`], which [`Bundle::verify`] tells.
    pub fn open(path: &Path, key: &str) -> Result<Self, BundleError> {
        let mut archive = tar::Archive::new(File::open(path)?);
        let mut entries = archive.entries()?;
        let mut signed = |name: &str| -> Result<Vec<u8>, BundleError> {
            let Some(Ok(entry)) = entries.next() else {
                return Err(BundleError::NotOne);
            };
            if entry.path_bytes() != name.as_bytes() || entry.size() > SIGNED_BYTES_MAX {
                return Err(BundleError::NotOne);
            }
            let mut bytes = Vec::new();
            entry.take(SIGNED_BYTES_MAX).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let text = signed(MANIFEST)?;
        let signature = signed(SIGNATURE).map_err(|error| match error {
            BundleError::NotOne => BundleError::Signature,
            other @ (BundleError::Io(_)
            | BundleError::Written(_)
            | BundleError::NoKey
            | BundleError::Signature
            | BundleError::Unclear(_)
            | BundleError::Format(_)
            | BundleError::OtherMachine
            | BundleError::Damaged(_)) => other,
        })?;
        let Ok(key) = PublicKey::decode(key.trim()) else {
            return Err(BundleError::NoKey);
        };
        let signature = String::from_utf8_lossy(&signature);
        let Ok(signature) = Signature::decode(&signature) else {
            return Err(BundleError::Signature);
        };
        if key.verify(&text, &signature, false).is_err() {
            return Err(BundleError::Signature);
        }
        Ok(Self {
            path: path.to_owned(),
            manifest: read(&text)?,
        })
    }

    /// What was signed.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Reads every part through; `read` is told of the bytes.
    ///
    /// # Errors
    /// [`BundleError::Damaged`] with the first part that is not what was signed.
    pub fn verify(&self, mut read: impl FnMut(u64)) -> Result<(), BundleError> {
        for which in Which::ALL {
            self.unpack(which, &mut io::sink(), &mut read)?;
        }
        Ok(())
    }

    /// Writes one part, and holds what was written against the manifest.
    ///
    /// # Errors
    /// [`BundleError::Damaged`], with what was written up to there; [`BundleError::Written`].
    pub fn unpack(
        &self,
        which: Which,
        to: &mut impl Write,
        read: &mut impl FnMut(u64),
    ) -> Result<(), BundleError> {
        let damaged = BundleError::Damaged(which.entry());
        let part = self.manifest.part(which);
        let mut archive = tar::Archive::new(File::open(&self.path)?);
        for entry in archive.entries()? {
            let Ok(entry) = entry else {
                return Err(damaged);
            };
            if entry.path_bytes() != which.entry().as_bytes() {
                continue;
            }
            let unpacked = zstd::Decoder::new(entry)?.take(part.bytes.saturating_add(1));
            let (bytes, sha256) = poured(unpacked, to, read, which)?;
            return if bytes == part.bytes && sha256 == part.sha256 {
                Ok(())
            } else {
                Err(damaged)
            };
        }
        Err(damaged)
    }
}

fn read(text: &[u8]) -> Result<Manifest, BundleError> {
    /// All that is asked before the rest is understood.
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let head: Head = serde_json::from_slice(text).map_err(BundleError::Unclear)?;
    if head.format != FORMAT {
        return Err(BundleError::Format(head.format));
    }
    let manifest: Manifest = serde_json::from_slice(text).map_err(BundleError::Unclear)?;
    if manifest.machine == MACHINE {
        Ok(manifest)
    } else {
        Err(BundleError::OtherMachine)
    }
}

fn poured(
    mut from: impl Read,
    to: &mut impl Write,
    told: &mut impl FnMut(u64),
    which: Which,
) -> Result<(u64, String), BundleError> {
    let mut hash = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0_u64;
    loop {
        let read = match from.read(&mut chunk) {
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            // What zstd cannot read is not what was signed; a medium that fails says so itself.
            Err(e) if e.raw_os_error().is_some() => return Err(BundleError::Io(e)),
            Err(_) => return Err(BundleError::Damaged(which.entry())),
        };
        let Some(piece) = chunk.get(..read).filter(|piece| !piece.is_empty()) else {
            return Ok((bytes, HEXLOWER.encode(hash.finish().as_ref())));
        };
        hash.update(piece);
        to.write_all(piece).map_err(BundleError::Written)?;
        let length = u64::try_from(read).unwrap_or_default();
        bytes = bytes.saturating_add(length);
        told(length);
    }
}

/// SHA-256 of a file or device, of its first `bytes`, in hexadecimal.
///
/// # Errors
/// What cannot be read.
pub fn sha256_of(from: impl Read, bytes: u64) -> io::Result<String> {
    let mut hash = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK];
    let mut from = from.take(bytes);
    loop {
        let read = from.read(&mut chunk)?;
        let Some(piece) = chunk.get(..read).filter(|piece| !piece.is_empty()) else {
            return Ok(HEXLOWER.encode(hash.finish().as_ref()));
        };
        hash.update(piece);
    }
}

#[cfg(test)]
mod tests;
