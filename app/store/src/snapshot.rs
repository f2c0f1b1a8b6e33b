//! Copies of the database, and what to compare them by.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::db::connect;
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

/// A copy to be read, by whoever holds it alone.
pub(crate) fn opened(database: &Path) -> Result<Connection, StoreError> {
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

pub(crate) fn told(mut connection: Connection) -> Result<Facts, StoreError> {
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
