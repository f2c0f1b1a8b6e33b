//! A database that is only looked at: what was there before a restore.
//!
//! Shape: read past the scoped views, because nobody is its viewer and it is about to be put away.
//! One of an older schema is copied and the copy is migrated: the former state itself stays as it was.
//! Errors: whatever bends a file; the caller then says that the former state cannot be read.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};

use crate::db::connect;
use crate::error::StoreError;
use crate::migrations;
use crate::scope::{self, Viewer};
use crate::tx::ReadTx;

/// The former state, open for reading.
#[derive(Debug)]
pub struct Former {
    connection: Connection,
    viewer: Arc<Viewer>,
}

impl Former {
    /// Opens a database for looking at it; `scratch` is where a copy may lie that has to be migrated.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Foreign`], and what SQLite says about a bent file.
    pub fn open(database: &Path, scratch: &Path) -> Result<Self, StoreError> {
        let mut connection = connect(database, flags())?;
        if migrations::is_due(&connection)? {
            drop(connection);
            crate::snapshot::copy(database, scratch)?;
            connection = connect(scratch, flags())?;
            migrations::run(&mut connection)?;
        }
        Self::over(connection)
    }

    /// As [`Former::open`] without migrating: tables of later versions are not there. For what every
    /// version has.
    ///
    /// # Errors
    /// As [`Former::open`].
    pub fn look(database: &Path) -> Result<Self, StoreError> {
        let connection = connect(database, flags())?;
        migrations::is_due(&connection)?;
        Self::over(connection)
    }

    fn over(mut connection: Connection) -> Result<Self, StoreError> {
        let viewer = scope::install(&mut connection)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection, viewer })
    }

    /// Rows of every table, by name.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn row_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        self.read(crate::snapshot::row_counts)
    }

    /// Where the access log ends: number, hash in hexadecimal, and instant of its last entry.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn audit_end(&self) -> Result<(i64, String, String), StoreError> {
        let last = "select id, lower(hex(hash)), at from audit_entries order by id desc limit 1";
        let found =
            self.read(|tx| tx.one(last, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))?;
        Ok(found.unwrap_or_default())
    }

    /// Reads everything: the system's own work.
    ///
    /// # Errors
    /// Whatever `f` returns.
    pub fn read<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.viewer.set_unscoped();
        let result = f(&ReadTx::new(&self.connection, &self.viewer));
        self.viewer.clear();
        result
    }

    /// Does the file hold together? A bent one may still be read in part.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn is_whole(&self) -> Result<bool, StoreError> {
        let told: String = self
            .connection
            .pragma_query_value(None, "quick_check", |row| row.get(0))?;
        Ok(told == "ok")
    }
}

/// Tables of a damaged database that do not hold together, by name; `None` when not even their names
/// can be read.
#[must_use]
pub fn damaged_tables(database: &Path) -> Option<Vec<String>> {
    let connection = connect(database, flags()).ok()?;
    let names = "select name from sqlite_schema where type = 'table' and name not like 'sqlite%'
        order by name";
    let mut statement = connection.prepare(names).ok()?;
    let names = statement.query_map([], |row| row.get(0)).ok()?;
    let names: Vec<String> = names.collect::<Result<_, _>>().ok()?;
    let damaged = |name: &String| {
        // The name comes from the schema, not from a user.
        let sql = format!("pragma integrity_check(\"{name}\")");
        let told: Result<String, _> = connection.query_row(&sql, [], |row| row.get(0));
        !told.is_ok_and(|told| told == "ok")
    };
    Some(names.into_iter().filter(damaged).collect())
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}
