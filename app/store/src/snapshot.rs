//! Consistent copies of the database, and what to compare them by.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base::paths::MODE_PRIVATE;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::db::connect;
use crate::directory::DataDir;
use crate::error::StoreError;
use crate::tx::ReadTx;

/// Copies `from` to `to` with SQLite's online backup in **one** step: a stepped copy starts over at
/// every write and on a busy afternoon never ends.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source = connect(
        from,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = connect(to, flags)?;
    let backup = Backup::new(&source, &mut target)?;
    match backup.step(-1)? {
        StepResult::Done => {}
        StepResult::More | StepResult::Busy | StepResult::Locked | _ => {
            return Err(StoreError::Busy { waited_ms: 0 });
        }
    }
    drop(backup);
    // A copy that travels alone must not need its log.
    target.pragma_update(None, "journal_mode", "delete")?;
    target.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Rows of every table, by name.
pub(crate) fn row_counts(tx: &ReadTx<'_>) -> Result<Vec<(String, i64)>, StoreError> {
    let names: Vec<String> = tx.all(
        "select name from main.sqlite_schema where type = 'table' and name not like 'sqlite%'
         order by name",
        [],
        |row| row.get(0),
    )?;
    names
        .into_iter()
        .map(|name| {
            // Names come from the schema, not from a user.
            let rows = tx.count(&format!("select count(*) from main.\"{name}\""), [])?;
            Ok((name, rows))
        })
        .collect()
}

/// What a copy of the database must still say after it was carried away and brought back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Facts {
    /// Version of the schema.
    pub schema: i64,
    /// Entries of the access log.
    pub audit_entries: i64,
    /// Hash of the last, hexadecimal.
    pub audit_head: String,
    /// Rows of every table.
    pub rows: std::collections::BTreeMap<String, i64>,
}

/// Copies the database of a directory to `to` and says what the copy holds. Works beside a running
/// service: it disturbs no write. Whether the copy is sound is for the drill to say: one that is not
/// is saved too, it may be the last that there is.
///
/// Not in a process that has this database open: closing a file drops all locks that the process has on it.
/// # Errors
/// [`StoreError::Absent`], those of SQLite and of the target's disk.
pub fn snapshot_of(dir: &DataDir, to: &Path) -> Result<Facts, StoreError> {
    if !dir.database().exists() {
        return Err(StoreError::Absent {
            dir: dir.path().to_path_buf(),
        });
    }
    freeze(&dir.database(), to)?;
    told(opened(to)?)
}

/// Copies the file and its write-ahead log as they lie, which a file system with shared blocks does in
/// milliseconds, and lets SQLite put them together.
///
/// A reading transaction is open meanwhile: nobody folds into the file what came after it, and nobody
/// begins the log anew while the file needs it. With the log, copied after the file, every page is as
/// some transaction left it; one that is cut through is none.
/// Source: <https://www.sqlite.org/walformat.html>, <https://www.sqlite.org/howtocorrupt.html> (2.2).
fn freeze(from: &Path, to: &Path) -> Result<(), StoreError> {
    let disk = StoreError::disk;
    for path in [to.to_owned(), log_of(to)] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(disk(&path, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    // Closed after the connection, whose locks it takes along.
    let file = File::open(from).map_err(|error| disk(from, error))?;
    let reader = connect(
        from,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    reader.execute_batch("begin; select 1 from sqlite_schema limit 1")?;
    copy_file(&file, to)?;
    let log = log_of(from);
    match File::open(&log) {
        Ok(log) => copy_file(&log, &log_of(to))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(disk(&log, error)),
    }
    drop(reader);
    drop(file);
    let copy = opened(to)?;
    // It is read and removed: what has to last is the repository.
    copy.pragma_update(None, "synchronous", "off")?;
    // A copy that travels alone must not need its log.
    copy.pragma_update(None, "journal_mode", "delete")?;
    copy.close().map_err(|(_, error)| error)?;
    Ok(())
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
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

fn opened(database: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(database, flags)
}

/// Reads the facts of a copy that nobody uses, when it holds together: every page, every row, and every
/// index entry by entry.
///
/// # Errors
/// [`StoreError::Foreign`] when it does not; those of SQLite.
pub fn facts_of(database: &Path) -> Result<Facts, StoreError> {
    facts_if(database, "integrity_check")
}

/// As [`facts_of`] without looking up each row in each index, which takes ten times as long as all else:
/// for whoever waits.
///
/// # Errors
/// As [`facts_of`].
pub fn quick_facts_of(database: &Path) -> Result<Facts, StoreError> {
    facts_if(database, "quick_check")
}

fn facts_if(database: &Path, check: &str) -> Result<Facts, StoreError> {
    let connection = opened(database)?;
    let whole: String = connection.pragma_query_value(None, check, |row| row.get(0))?;
    if whole != "ok" {
        return Err(StoreError::Foreign {
            path: database.to_path_buf(),
        });
    }
    told(connection)
}

fn told(mut connection: Connection) -> Result<Facts, StoreError> {
    let viewer = crate::scope::install(&mut connection)?;
    connection.pragma_update(None, "query_only", true)?;
    let schema = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    viewer.set_unscoped();
    let tx = ReadTx::new(&connection, &viewer);
    let rows = row_counts(&tx)?.into_iter().collect();
    let last = "select id, lower(hex(hash)) from audit_entries order by id desc limit 1";
    let head = tx.one(last, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let (audit_entries, audit_head) = head.unwrap_or((0, String::new()));
    Ok(Facts {
        schema,
        audit_entries,
        audit_head,
        rows,
    })
}
