//! The copy of the database that backups are made of.
//!
//! It is kept: while nobody commits anything, the next one is this one, down to its inode and time, and
//! nothing of it is read again. [`State`] tells. What is not surely the same is copied anew; after a start
//! of the machine that is everything, so that the copy need not outlive a power cut.
//!
//! Not in a process that has this database open: closing a file drops all locks that the process has on it.
//! Source: <https://www.sqlite.org/walformat.html> (the index of the log),
//! <https://www.sqlite.org/howtocorrupt.html> (2.2).

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use data_encoding::HEXLOWER;
use rusqlite::OpenFlags;
use serde::{Deserialize, Serialize};

use crate::db::connect;
use crate::directory::DataDir;
use crate::error::StoreError;
use crate::snapshot::{Facts, opened, told};

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// The kernel notes times of files in steps: within one, two states have the same.
const STEP_MAX: Duration = Duration::from_millis(20);
/// Of the head of the log's index, which is there twice: its length, and where in it stand number of pages,
/// checksum over all of them, and the salts of this log.
const HEAD: usize = 48;
const COMMITTED: std::ops::Range<usize> = 16..40;

/// A copy that nobody uses, and what it holds.
#[derive(Debug)]
pub struct Frozen {
    /// To be read or linked, never written to.
    pub database: PathBuf,
    /// Read from the copy.
    pub facts: Facts,
}

/// By what a state of the database is known again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    file: Stamp,
    /// What was committed to the log; nothing when there is none.
    log: Option<String>,
}

/// A file and when it was last written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

/// Lies beside the copy.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// Of which start of the machine.
    boot: String,
    of: State,
    size: u64,
    written: (i64, i64),
    facts: Facts,
}

/// The database of a directory as it is now. Works beside a running service: it disturbs no write.
/// Whether the copy is sound is for the drill to say: one that is not is saved too, it may be the last
/// that there is.
///
/// # Errors
/// [`StoreError::Absent`], those of SQLite and of the disk.
pub fn frozen_of(dir: &DataDir) -> Result<Frozen, StoreError> {
    let database = place(dir).0;
    match kept(dir) {
        Some(facts) => Ok(Frozen { database, facts }),
        None => frozen_anew(dir),
    }
}

/// As [`frozen_of`], whatever was kept.
///
/// # Errors
/// As [`frozen_of`].
pub fn frozen_anew(dir: &DataDir) -> Result<Frozen, StoreError> {
    if !dir.database().exists() {
        let dir = dir.path().to_path_buf();
        return Err(StoreError::Absent { dir });
    }
    let (database, note) = place(dir);
    create_private_dir(&dir.frozen())?;
    for path in [&note, &database, &log_of(&database)] {
        gone(path)?;
    }
    let of = freeze(&dir.database(), &database)?;
    let facts = told(opened(&database)?)?;
    let boot = fs::read_to_string(BOOT_ID);
    let copy = fs::metadata(&database).map_err(|error| StoreError::disk(&database, error))?;
    if let (Some(of), Ok(boot)) = (of, boot) {
        let facts = facts.clone();
        let (size, written) = (copy.len(), written(&copy));
        let kept = Kept {
            boot,
            of,
            size,
            written,
            facts,
        };
        let bytes = serde_json::to_vec(&kept).map_err(|source| StoreError::Io {
            path: note.clone(),
            source: source.into(),
        })?;
        write_atomic(&note, &bytes, MODE_PRIVATE)?;
    }
    Ok(Frozen { database, facts })
}

/// The copy, and what it is a copy of.
fn place(dir: &DataDir) -> (PathBuf, PathBuf) {
    let place = dir.frozen();
    (place.join("hokatsu.db"), place.join("state.json"))
}

fn gone(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::disk(path, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The facts of the copy that is there when the database is still in the state that it shows. Whatever
/// cannot be read is a reason for a new one, which says what is wrong.
fn kept(dir: &DataDir) -> Option<Facts> {
    let (database, note) = place(dir);
    let kept: Kept = serde_json::from_slice(&fs::read(note).ok()?).ok()?;
    let copy = fs::metadata(database).ok()?;
    let untouched = copy.len() == kept.size && written(&copy) == kept.written;
    let same_boot = fs::read_to_string(BOOT_ID).ok()? == kept.boot;
    let source = dir.database();
    let mut index = File::open(index_of(&source)).ok();
    let file = fs::metadata(&source).ok()?;
    let now = State::of(&source, &file, index.as_mut())?;
    (same_boot && untouched && now == kept.of).then_some(kept.facts)
}

/// Copies the file and its write-ahead log as they lie, which a file system with shared blocks does in
/// milliseconds, and lets SQLite put them together. Returns the state that the copy shows, if it can be
/// told from the next.
///
/// A reading transaction is open meanwhile: nobody folds into the file what came after it, and nobody
/// begins the log anew while the file needs it. With the log, copied after the file, every page is as
/// some transaction left it; one that is cut through is none.
fn freeze(from: &Path, to: &Path) -> Result<Option<State>, StoreError> {
    let disk = StoreError::disk;
    // Both closed after the connection, whose locks they take along.
    let file = File::open(from).map_err(|error| disk(from, error))?;
    let mut index;
    let reader = connect(
        from,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    reader.execute_batch("begin; select 1 from sqlite_schema limit 1")?;
    let metadata = file.metadata().map_err(|error| disk(from, error))?;
    // Before the copy: what is committed meanwhile is in the copy, perhaps, and makes the next one new.
    index = File::open(index_of(from)).ok();
    let is_past = lies_back(&metadata);
    let state = State::of(from, &metadata, index.as_mut()).filter(|_| is_past);
    copy_file(&file, to)?;
    let log = log_of(from);
    match File::open(&log) {
        Ok(log) => copy_file(&log, &log_of(to))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(disk(&log, error)),
    }
    drop(reader);
    drop((file, index));
    let copy = opened(to)?;
    // What has to last is the repository.
    copy.pragma_update(None, "synchronous", "off")?;
    // A copy that travels alone must not need its log.
    copy.pragma_update(None, "journal_mode", "delete")?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(state)
}

/// Will whatever is written from now on be told by the file's time? Waits for it; a file of the future
/// never is.
fn lies_back(file: &Metadata) -> bool {
    let age = || file.modified().ok()?.elapsed().ok();
    if age().is_some_and(|age| age < STEP_MAX) {
        std::thread::park_timeout(STEP_MAX);
    }
    age().is_some_and(|age| age >= STEP_MAX)
}

impl State {
    /// Nothing when the log cannot be read for certain.
    fn of(database: &Path, file: &Metadata, index: Option<&mut File>) -> Option<Self> {
        let log = match fs::metadata(log_of(database)) {
            Ok(log) if log.len() > 0 => Some(committed(index?)?),
            Ok(_) => None,
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => return None,
        };
        let file = Stamp {
            device: file.dev(),
            inode: file.ino(),
            size: file.len(),
            written: written(file),
            changed: (file.ctime(), file.ctime_nsec()),
        };
        Some(Self { file, log })
    }
}

/// The end of the log: a commit changes it. Nothing while somebody is writing it.
fn committed(index: &mut File) -> Option<String> {
    let mut heads = [0; HEAD * 2];
    index.read_exact(&mut heads).ok()?;
    let (one, other) = heads.split_at(HEAD);
    (one == other).then(|| HEXLOWER.encode(one.get(COMMITTED).unwrap_or_default()))
}

fn written(file: &Metadata) -> (i64, i64) {
    (file.mtime(), file.mtime_nsec())
}

fn copy_file(mut from: &File, to: &Path) -> Result<(), StoreError> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(MODE_PRIVATE);
    let target = options.open(to);
    let copied = target.and_then(|mut target| io::copy(&mut from, &mut target));
    copied
        .map(drop)
        .map_err(|error| StoreError::disk(to, error))
}

fn log_of(database: &Path) -> PathBuf {
    beside(database, "-wal")
}

fn index_of(database: &Path) -> PathBuf {
    beside(database, "-shm")
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(end);
    name.into()
}
