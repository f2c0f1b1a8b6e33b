//! Evidence: a folder that says what the data and the log were at one moment, with a signature.
//!
//! Shape: the folder is laid out as a data directory (`hokatsu.db`, `keys/audit.pub`,
//! `audit-checkpoints.jsonl`), so that `hokatsu --data FOLDER audit verify` reads it; beside them
//! stand the caller's files, `SHA256SUMS` (as `sha256sum --check` reads it), its Ed25519 signature
//! and the public key as PEM, so that stock tools check it without us.
//! Invariant: the folder appears under its name only when it is whole.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, create_private_dir, sync_dir, write_atomic};
use data_encoding::{BASE64, HEXLOWER};
use ring::digest::{Context, SHA256};

use crate::audit::{PublicKey, Signer};
use crate::db::Db;
use crate::directory::DataDir;
use crate::error::StoreError;

const SUMS: &str = "SHA256SUMS";
const SIGNATURE: &str = "SHA256SUMS.sig";
const PEM: &str = "audit-public.pem";
/// Keeps a signed list from being taken for a signed head of the chain.
const FIRST_LINE: &str = "# hokatsu evidence 1";
/// What stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preserved {
    /// Bytes of all files.
    pub bytes: u64,
    /// SHA-256 of the signed list, hexadecimal.
    pub sums_sha256: String,
}

/// Puts the database, the checkpoints and `files` (name and content) aside as `folder` below the
/// evidence of the data directory.
///
/// # Errors
/// [`StoreError::DiskFull`] and others of the disk; nothing is left under the name then.
pub fn preserve(db: &Db, folder: &str, files: &[(&str, Vec<u8>)]) -> Result<Preserved, StoreError> {
    let place = db.dir().evidence();
    create_private_dir(&place)?;
    let draft = place.join(format!(".{folder}"));
    if draft.exists() {
        std::fs::remove_dir_all(&draft).map_err(io(&draft))?;
    }
    create_private_dir(&draft)?;
    let written = fill(db, &draft, files);
    let done = written.and_then(|preserved| {
        let target = place.join(folder);
        std::fs::rename(&draft, &target).map_err(io(&target))?;
        sync_dir(&place)?;
        Ok(preserved)
    });
    if done.is_err() {
        drop(std::fs::remove_dir_all(&draft));
    }
    done
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    let path = path.to_path_buf();
    move |source| StoreError::Io {
        path: path.clone(),
        source,
    }
}

fn fill(db: &Db, draft: &Path, files: &[(&str, Vec<u8>)]) -> Result<Preserved, StoreError> {
    let (from, to) = (db.dir(), DataDir::new(draft));
    // First the mark that the chain has come so far, then the copy, which holds at least that.
    db.checkpoint_audit()?;
    create_private_dir(&to.keys())?;
    let public = std::fs::read(from.audit_public_key()).map_err(io(draft))?;
    write_atomic(&to.audit_public_key(), &public, MODE_PRIVATE)?;
    let checkpoints = std::fs::read(from.checkpoints()).map_err(io(draft))?;
    write_atomic(&to.checkpoints(), &checkpoints, MODE_PRIVATE)?;
    db.snapshot(&to.database())?;
    let private = std::fs::Permissions::from_mode(MODE_PRIVATE);
    std::fs::set_permissions(to.database(), private).map_err(io(draft))?;
    for (name, bytes) in files {
        write_atomic(&draft.join(name), bytes, MODE_PRIVATE)?;
    }
    let signer = Signer::load(from)?;
    write_atomic(
        &draft.join(PEM),
        pem(&signer.public()).as_bytes(),
        MODE_PRIVATE,
    )?;
    let mut names = vec![
        "audit-checkpoints.jsonl",
        PEM,
        "hokatsu.db",
        "keys/audit.pub",
    ];
    names.extend(files.iter().map(|(name, _)| *name));
    names.sort_unstable();
    let (mut list, mut bytes) = (format!("{FIRST_LINE}\n"), 0);
    for name in names {
        let (sum, length) = sum_of(&draft.join(name))?;
        list.push_str(&format!("{sum}  {name}\n"));
        bytes += length;
    }
    write_atomic(&draft.join(SUMS), list.as_bytes(), MODE_PRIVATE)?;
    let signature = signer.sign_list(list.as_bytes());
    write_atomic(&draft.join(SIGNATURE), &signature, MODE_PRIVATE)?;
    Ok(Preserved {
        bytes,
        sums_sha256: sum_of(&draft.join(SUMS))?.0,
    })
}

pub(crate) fn pem(key: &PublicKey) -> String {
    let body = BASE64.encode(&[&SPKI[..], key.bytes()].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

/// SHA-256 and length of a file, read in pieces: a database does not fit in memory.
fn sum_of(path: &Path) -> Result<(String, u64), StoreError> {
    let mut file = File::open(path).map_err(io(path))?;
    let mut context = Context::new(&SHA256);
    let mut piece = vec![0; 1 << 16];
    let mut length = 0;
    loop {
        let read = file.read(&mut piece).map_err(io(path))?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        context.update(bytes);
        length += u64::try_from(read).unwrap_or_default();
    }
    Ok((HEXLOWER.encode(context.finish().as_ref()), length))
}

/// What does not fit in a folder of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// The list is not signed by this key.
    Signature,
    /// A file is not what it was.
    Changed(String),
    /// A file is gone.
    Missing(String),
    /// A file that nobody signed.
    Added(String),
    /// A line of the list cannot be read.
    List,
}

/// Checks a folder against a public key (the machine's `audit.pub`); without one against its own,
/// which proves only that the folder is whole.
///
/// # Errors
/// [`StoreError::Io`] when the list, the signature or the key cannot be read.
pub fn check(folder: &Path, key: Option<&Path>) -> Result<Vec<Flaw>, StoreError> {
    let own = DataDir::new(folder).audit_public_key();
    let key = PublicKey::load(key.unwrap_or(&own))?;
    let list = std::fs::read(folder.join(SUMS)).map_err(io(folder))?;
    let signature = std::fs::read(folder.join(SIGNATURE)).map_err(io(folder))?;
    let text = String::from_utf8_lossy(&list);
    let mut flaws = Vec::new();
    if !text.starts_with(FIRST_LINE) || !key.verifies_list(&list, &signature) {
        flaws.push(Flaw::Signature);
    }
    let mut known = vec![SUMS.to_owned(), SIGNATURE.to_owned()];
    for line in text.lines().skip(1) {
        let Some((sum, name)) = line.split_once("  ").filter(|(_, n)| is_plain(n)) else {
            flaws.push(Flaw::List);
            continue;
        };
        known.push(name.to_owned());
        let path = folder.join(name);
        if !path.is_file() {
            flaws.push(Flaw::Missing(name.to_owned()));
        } else if sum_of(&path)?.0 != sum {
            flaws.push(Flaw::Changed(name.to_owned()));
        }
    }
    for name in names_below(folder)? {
        if !known.contains(&name) {
            flaws.push(Flaw::Added(name));
        }
    }
    Ok(flaws)
}

fn is_plain(name: &str) -> bool {
    !name.starts_with('/') && !name.split('/').any(|part| matches!(part, "" | "." | ".."))
}

/// Files of the folder and of the folders in it, one level deep: there are no deeper ones.
fn names_below(folder: &Path) -> Result<Vec<String>, StoreError> {
    let mut names = Vec::new();
    let mut places: Vec<(PathBuf, String)> = vec![(folder.to_path_buf(), String::new())];
    while let Some((place, before)) = places.pop() {
        for entry in std::fs::read_dir(&place).map_err(io(&place))? {
            let entry = entry.map_err(io(&place))?;
            let name = format!("{before}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                places.push((entry.path(), format!("{name}/")));
            } else {
                names.push(name);
            }
        }
    }
    names.sort();
    Ok(names)
}
