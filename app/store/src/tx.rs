//! What a slice may do inside a transaction.

use std::ops::Deref;

use rusqlite::{Connection, Params, Row};

use crate::audit::{Audited, Event};
use crate::error::StoreError;
use crate::scope::Viewer;
use crate::statements;

/// A consistent look at the database through one viewer's eyes.
#[derive(Debug)]
pub struct ReadTx<'c> {
    connection: &'c Connection,
    viewer: &'c Viewer,
}

impl<'c> ReadTx<'c> {
    pub(crate) fn new(connection: &'c Connection, viewer: &'c Viewer) -> Self {
        Self { connection, viewer }
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// [`StoreError::Unscoped`] when the statement reaches past the scoped views; others of SQLite.
    pub fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.prepared(sql, |statement| statement.query_map(params, map)?.collect())
    }

    /// The first row of a query, if there is one.
    ///
    /// # Errors
    /// As [`ReadTx::all`].
    pub fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        map: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        use rusqlite::OptionalExtension as _;
        self.prepared(sql, |statement| statement.query_row(params, map).optional())
    }

    /// One number, as of `select count(*) …`; 0 when there is no row.
    ///
    /// # Errors
    /// As [`ReadTx::all`].
    pub fn count(&self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        Ok(self.one(sql, params, |row| row.get(0))?.unwrap_or(0))
    }

    /// Walks over the rows without keeping them; for what does not fit in memory.
    ///
    /// # Errors
    /// As [`ReadTx::all`], and whatever the visitor returns.
    pub fn each<E: From<StoreError>>(
        &self,
        sql: &str,
        params: impl Params,
        mut visit: impl FnMut(&Row<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self.connection.prepare(sql).map_err(|e| self.error(e))?;
        statements::note_statement(sql);
        let mut rows = statement.query(params).map_err(|e| self.error(e))?;
        while let Some(row) = rows.next().map_err(|e| self.error(e))? {
            visit(row)?;
        }
        Ok(())
    }

    fn prepared<T>(
        &self,
        sql: &str,
        run: impl FnOnce(&mut rusqlite::Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let result = if self.viewer.is_special() {
            // Judged with the system's rights: it must not wait in the cache for somebody else.
            self.connection
                .prepare(sql)
                .and_then(|mut statement| noted(&mut statement, run))
        } else {
            self.connection
                .prepare_cached(sql)
                .and_then(|mut statement| noted(&mut statement, run))
        };
        statements::note_statement(sql);
        result.map_err(|e| self.error(e))
    }

    fn error(&self, error: rusqlite::Error) -> StoreError {
        match self.viewer.take_refused() {
            Some(table) => StoreError::Unscoped { table },
            None => error.into(),
        }
    }
}

/// Runs a statement, and notes it while a run is recorded.
fn noted<T>(
    statement: &mut rusqlite::Statement<'_>,
    run: impl FnOnce(&mut rusqlite::Statement<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let result = run(statement);
    statements::note_run(statement);
    result
}

/// A transaction that may change things. It ends well only with an [`Audited`].
#[derive(Debug)]
pub struct WriteTx<'c> {
    read: ReadTx<'c>,
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

impl<'c> WriteTx<'c> {
    pub(crate) fn new(connection: &'c Connection, viewer: &'c Viewer) -> Self {
        Self {
            read: ReadTx::new(connection, viewer),
        }
    }

    /// Runs one statement; returns the number of rows it changed.
    ///
    /// # Errors
    /// As [`ReadTx::all`].
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.writing(|| {
            self.read
                .prepared(sql, |statement| statement.execute(params))
        })
    }

    /// Lets the authorizer know that a statement writes: its foreign keys look up ids.
    fn writing<T>(&self, run: impl FnOnce() -> T) -> T {
        self.read.viewer.begin_writing();
        let result = run();
        self.read.viewer.end_writing();
        result
    }

    /// Inserts one row; returns its id.
    ///
    /// # Errors
    /// As [`ReadTx::all`].
    pub fn insert(&self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        self.execute(sql, params)?;
        Ok(self.read.connection.last_insert_rowid())
    }

    /// Prepares a statement once and runs it many times: for imports.
    ///
    /// # Errors
    /// As [`ReadTx::all`], and whatever the runner returns.
    pub fn batch<T, E: From<StoreError>>(
        &self,
        sql: &str,
        run: impl FnOnce(&mut Batch<'_, '_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = self.read.connection;
        let statement = self
            .writing(|| connection.prepare(sql))
            .map_err(|e| self.read.error(e))?;
        statements::note_statement(sql);
        run(&mut Batch {
            statement,
            connection,
        })
    }

    /// Ends the transaction's work: `value` is what the caller gets once event and change are saved.
    pub fn audited<T>(&self, event: Event, value: T) -> Audited<T> {
        Audited {
            events: vec![event],
            value,
        }
    }

    /// As [`WriteTx::audited`] for work that touched several records.
    pub fn audited_all<T>(&self, first: Event, others: Vec<Event>, value: T) -> Audited<T> {
        let mut events = vec![first];
        events.extend(others);
        Audited { events, value }
    }
}

/// One statement run many times.
#[derive(Debug)]
pub struct Batch<'s, 'c> {
    statement: rusqlite::Statement<'s>,
    connection: &'c Connection,
}

impl Batch<'_, '_> {
    /// Runs it with these values; returns the id of the row last inserted.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn insert(&mut self, params: impl Params) -> Result<i64, StoreError> {
        self.statement.execute(params)?;
        Ok(self.connection.last_insert_rowid())
    }
}
