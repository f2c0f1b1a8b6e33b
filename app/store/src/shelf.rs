//! The shelf: bytes that belong to rows, kept under their hash below the data directory.
//!
//! Shape: `attachments/ab/abcd…` (SHA-256, hexadecimal), equal bytes once. [`Shelf::part`] takes bytes
//! into a temporary file beside them, [`Part::finish`] flushes it, [`Shelf::place`] gives it its name.
//! Invariant: bytes are placed and removed only while the one writing connection is held, and placed
//! before the row that names them is committed. A row therefore never stands without its bytes,
//! whatever is cut short; the other way round, bytes without a row are swept once they are old.
//! Limits: the caller says how much of the disk stays free for the records themselves.
//! Source: docs/decisions/0026-attachments.md.

use std::collections::HashSet;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use base::paths::{MODE_PRIVATE, create_private_dir, free_bytes, sync_dir};
use base::shipping::machine_dir;
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{Context, SHA256, digest};
use rusqlite::OpenFlags;
use tempfile::{NamedTempFile, TempPath};

use crate::db::{Db, connect};
use crate::directory::DataDir;
use crate::error::StoreError;
use crate::shipping::ship_bytes;
use crate::tx::{ReadTx, WriteTx};
use crate::{Actor, params};

/// Bytes that no row names, and half-taken files, are left alone for so long.
const SWEEP_AGE: SignedDuration = SignedDuration::from_hours(24);
const PART_PREFIX: &str = ".part-";
const READ_BYTES: usize = 256 * 1024;

/// Where the bytes of a data directory lie.
#[derive(Debug, Clone)]
pub struct Shelf(PathBuf, PathBuf);

/// A file that is still being taken in; gone when dropped.
pub struct Part {
    file: NamedTempFile,
    context: Context,
    bytes: u64,
    /// Where the shipper of commits is asked.
    machine: PathBuf,
}

impl std::fmt::Debug for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Part");
        shown.field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// A file that was taken in whole and has no place yet; gone when dropped.
#[derive(Debug)]
pub struct Whole {
    path: Mutex<Option<TempPath>>,
    sha256: String,
    bytes: u64,
}

impl Part {
    /// Takes one more piece.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] and others of the disk.
    pub fn write(&mut self, piece: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all(piece)
            .map_err(|error| StoreError::disk(self.file.path(), error))?;
        self.context.update(piece);
        self.bytes = self.bytes.saturating_add(length(piece.len()));
        Ok(())
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where it is being taken in: for whoever looks into it before it is kept.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Flushes it to the disk, and to the second one when commits are shipped: before any row names it.
    ///
    /// # Errors
    /// As [`Part::write`].
    pub fn finish(self) -> Result<Whole, StoreError> {
        let (file, path) = self.file.into_parts();
        file.sync_all()
            .map_err(|error| StoreError::disk(&path, error))?;
        let sha256 = self.context.finish();
        ship_bytes(&self.machine, sha256.as_ref(), &path);
        Ok(Whole {
            path: Mutex::new(Some(path)),
            sha256: HEXLOWER.encode(sha256.as_ref()),
            bytes: self.bytes,
        })
    }
}

impl Whole {
    /// SHA-256 of the bytes, hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How many there are.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes, as long as they were not placed.
    ///
    /// # Errors
    /// [`StoreError::Bytes`] afterwards, and those of the disk.
    pub fn read(&self) -> Result<Vec<u8>, StoreError> {
        let path = self.path.lock().unwrap_or_else(PoisonError::into_inner);
        let path = path.as_ref().ok_or(StoreError::Bytes)?;
        fs::read(path).map_err(|error| StoreError::disk(path, error))
    }
}

impl Shelf {
    /// The shelf of a data directory; nothing is touched yet.
    pub fn of(dir: &DataDir) -> Self {
        Self(dir.attachments(), machine_dir(dir.path()))
    }

    /// Begins to take in a file; `spare` bytes of the disk are not for files.
    ///
    /// # Errors
    /// [`StoreError::DiskFull`] when there is no more room than that.
    pub fn part(&self, spare: u64) -> Result<Part, StoreError> {
        if !self.0.is_dir() {
            create_private_dir(&self.0).map_err(refused_path)?;
        }
        if free_bytes(&self.0)? < spare {
            return Err(StoreError::DiskFull);
        }
        let file = tempfile::Builder::new()
            .prefix(PART_PREFIX)
            .permissions(Permissions::from_mode(MODE_PRIVATE))
            .tempfile_in(&self.0)
            .map_err(|error| StoreError::disk(&self.0, error))?;
        Ok(Part {
            file,
            context: Context::new(&SHA256),
            bytes: 0,
            machine: self.1.clone(),
        })
    }

    /// Gives a file its place, inside the transaction that names it. Bytes that are there already are
    /// replaced by their equals: they are fresh then, and whole.
    ///
    /// # Errors
    /// [`StoreError::Bytes`] when it was placed before, and those of the disk.
    pub fn place(&self, _held: &WriteTx<'_>, whole: &Whole) -> Result<(), StoreError> {
        let mut path = whole.path.lock().unwrap_or_else(PoisonError::into_inner);
        let path = path.take().ok_or(StoreError::Bytes)?;
        let target = self.at(&whole.sha256)?;
        let dir = target.parent().unwrap_or(&self.0);
        if !dir.is_dir() {
            create_private_dir(dir).map_err(refused_path)?;
        }
        path.persist(&target)
            .map_err(|error| StoreError::disk(&target, error.error))?;
        sync_dir(dir).map_err(refused_path)
    }

    /// The bytes of a hash, once it is certain that they are those.
    ///
    /// # Errors
    /// [`StoreError::Bytes`] when they are missing or bent.
    pub fn read(&self, sha256: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.at(sha256)?;
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(StoreError::Bytes),
            Err(error) => return Err(StoreError::disk(&path, error)),
        };
        let found = HEXLOWER.encode(digest(&SHA256, &bytes).as_ref());
        if found == sha256 {
            Ok(bytes)
        } else {
            Err(StoreError::Bytes)
        }
    }

    /// Where the bytes of a hash lie; what is no hash lies nowhere.
    fn at(&self, sha256: &str) -> Result<PathBuf, StoreError> {
        let plain = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let first = sha256.get(..2).ok_or(StoreError::Bytes)?;
        if sha256.len() == 64 && sha256.bytes().all(plain) {
            Ok(self.0.join(first).join(sha256))
        } else {
            Err(StoreError::Bytes)
        }
    }

    /// Everything on the shelf that was last touched before this moment: half-taken files, and bytes.
    fn older_than(&self, moment: Timestamp) -> Result<(Vec<PathBuf>, Vec<String>), StoreError> {
        let (mut parts, mut hashes) = (Vec::new(), Vec::new());
        for (name, path) in entries(&self.0)? {
            if name.starts_with(PART_PREFIX) {
                if is_older(&path, moment)? {
                    parts.push(path);
                }
            } else if path.is_dir() {
                for (name, path) in entries(&path)? {
                    if is_older(&path, moment)? {
                        hashes.push(name);
                    }
                }
            }
        }
        Ok((parts, hashes))
    }

    fn remove(&self, _held: &WriteTx<'_>, sha256: &str) -> Result<(), StoreError> {
        let path = self.at(sha256)?;
        if !path.exists() {
            return Ok(());
        }
        gone(&path)?;
        let dir = path.parent().unwrap_or(&self.0);
        sync_dir(dir).map_err(refused_path)
    }
}

fn gone(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::disk(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Names and paths in a directory; none when it is not there.
fn entries(dir: &Path) -> Result<Vec<(String, PathBuf)>, StoreError> {
    let listed = match fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::disk(dir, error)),
    };
    listed
        .map(|entry| {
            let entry = entry.map_err(|error| StoreError::disk(dir, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            Ok((name, entry.path()))
        })
        .collect()
}

fn is_older(path: &Path, moment: Timestamp) -> Result<bool, StoreError> {
    let touched = match fs::metadata(path).and_then(|found| found.modified()) {
        Ok(touched) => touched,
        // Placed or dropped since it was listed.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StoreError::disk(path, error)),
    };
    Ok(Timestamp::try_from(touched).is_ok_and(|at| at < moment))
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn refused_path(error: base::paths::PathError) -> StoreError {
    StoreError::of_disk(error.io().kind()).unwrap_or(StoreError::Path(error))
}

const KEPT: &str = "select sha256 from kept_bytes";
const IS_KEPT: &str = "select count(*) from kept_bytes where sha256 = ?1";

impl Db {
    /// The shelf of this database.
    pub fn shelf(&self) -> Shelf {
        Shelf::of(self.dir())
    }

    /// Removes what lies on the shelf for a day and belongs to no row; how many half-taken files and
    /// how many whole ones. Nobody loses what is about to be named: taking in lasts minutes, placing
    /// makes bytes fresh, and both are asked again while the writer is held.
    ///
    /// # Errors
    /// Those of SQLite and of the disk.
    pub fn sweep_shelf(&self, actor: &Actor) -> Result<(usize, usize), StoreError> {
        let shelf = self.shelf();
        let before = self
            .clock()
            .now()
            .checked_sub(SWEEP_AGE)
            .unwrap_or(Timestamp::UNIX_EPOCH);
        let (parts, old) = shelf.older_than(before)?;
        let kept: HashSet<String> = self.read(actor, |tx| {
            Ok::<_, StoreError>(tx.all(KEPT, [], |row| row.get(0))?.into_iter().collect())
        })?;
        for part in &parts {
            gone(part)?;
        }
        let mut removed = 0;
        for hash in old.iter().filter(|hash| !kept.contains(*hash)) {
            let Ok(path) = shelf.at(hash) else {
                log::error!("a file on the shelf of attachments is none of ours and was left");
                continue;
            };
            self.housekeep(actor, |tx| {
                if tx.count(IS_KEPT, params![hash])? == 0 && is_older(&path, before)? {
                    shelf.remove(tx, hash)?;
                    removed += 1;
                }
                Ok::<_, StoreError>(())
            })?;
        }
        Ok((parts.len(), removed))
    }

    /// Removes these bytes now, but those that a row still names: after their rows were erased.
    ///
    /// # Errors
    /// As [`Db::sweep_shelf`].
    pub fn forget_bytes(&self, actor: &Actor, hashes: &[String]) -> Result<(), StoreError> {
        let shelf = self.shelf();
        self.housekeep(actor, |tx| {
            for hash in hashes {
                if tx.count(IS_KEPT, params![hash])? == 0 {
                    shelf.remove(tx, hash)?;
                }
            }
            Ok::<_, StoreError>(())
        })
    }
}

/// How the bytes of a data directory stand against its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShelfCheck {
    /// Rows looked at.
    pub rows: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// Attachments whose bytes are missing.
    pub missing: Vec<i64>,
    /// Attachments whose bytes are not what they were.
    pub bent: Vec<i64>,
}

impl ShelfCheck {
    /// Every row has its bytes.
    pub fn is_sound(&self) -> bool {
        self.missing.is_empty() && self.bent.is_empty()
    }
}

/// Reads every file that a row of this database names and compares it with its hash. `database` may be
/// a copy; the bytes are those of `dir`. Takes no lock and disturbs no write.
///
/// # Errors
/// Those of SQLite; what is wrong with the bytes is an answer.
pub fn check_shelf(database: &Path, dir: &DataDir) -> Result<ShelfCheck, StoreError> {
    let shelf = Shelf::of(dir);
    let mut check = ShelfCheck::default();
    for (id, sha256) in named(database)? {
        check.rows += 1;
        match hash_of(&shelf.at(&sha256)?) {
            Ok((found, bytes)) if found == sha256 => {
                check.bytes = check.bytes.saturating_add(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => check.missing.push(id),
            Ok(_) | Err(_) => check.bent.push(id),
        }
    }
    Ok(check)
}

/// Brings the bytes that this copy of the database names from `from` to `to`: as further names of the
/// same files where the file system allows it, since they never change. What is not there is told.
///
/// # Errors
/// Those of SQLite and of the target's disk.
pub fn copy_shelf(database: &Path, from: &DataDir, to: &DataDir) -> Result<Vec<i64>, StoreError> {
    let (from, to) = (Shelf::of(from), Shelf::of(to));
    let mut missing = Vec::new();
    for (id, sha256) in named(database)? {
        let (source, target) = (from.at(&sha256)?, to.at(&sha256)?);
        if target.exists() {
            continue;
        }
        let dir = target.parent().unwrap_or(&to.0);
        // Made durable each time it is asked for, which for every file would be the longest of all.
        if !dir.is_dir() {
            create_private_dir(dir).map_err(refused_path)?;
        }
        let done = fs::hard_link(&source, &target).or_else(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                Err(error)
            } else {
                fs::copy(&source, &target).map(drop)
            }
        });
        match done {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(id),
            Err(error) => return Err(StoreError::disk(&target, error)),
        }
    }
    Ok(missing)
}

fn named(database: &Path) -> Result<Vec<(i64, String)>, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(database, flags)?;
    let viewer = crate::scope::install(&mut connection)?;
    connection.pragma_update(None, "query_only", true)?;
    viewer.set_unscoped();
    let tx = ReadTx::new(&connection, &viewer);
    let sql = "select id, sha256 from attachments order by id";
    tx.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn hash_of(path: &Path) -> io::Result<(String, u64)> {
    let mut file = File::open(path)?;
    let mut context = Context::new(&SHA256);
    let (mut buffer, mut bytes) = (vec![0; READ_BYTES], 0_u64);
    loop {
        let read = file.read(&mut buffer)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            return Ok((HEXLOWER.encode(context.finish().as_ref()), bytes));
        };
        context.update(piece);
        bytes = bytes.saturating_add(length(read));
    }
}
