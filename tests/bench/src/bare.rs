//! The ceilings: SQLite as fast as it goes, without scope guard, audit chain, pool or pages.
//!
//! Shape: a [`Bare`] connection has the pragmas of `store::Db` and the very views of `scope.sql`, so
//! that it can repeat word for word what a page asked. What it does not have is what the product
//! adds: the authorizer, the chained and signed entry, the pool, HTTP, the template.

use std::io::Read;
use std::path::Path;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, params_from_iter};
use store::Scope;

use crate::predicate::views_without;
use crate::problem::Problem;

/// The doors themselves, so that a new view is in the ceiling at once.
const VIEWS: &str = include_str!("../../../app/store/src/scope.sql");
/// As many statements as the store keeps prepared.
const STATEMENTS_KEPT: usize = 256;

/// As wide as an entry of the access log.
const ENTRIES: &str = "
    create table if not exists scratch.entries (
      id integer primary key, at text, staff_id integer, centre_id integer, menu text,
      operation text, resident_id integer, record_kind text, record_id integer, terminal text,
      outcome text, detail text, hash blob) strict";
const ENTER: &str = "
    insert into scratch.entries (at, staff_id, centre_id, menu, operation, resident_id, terminal,
                                 outcome, detail, hash)
    values ('2026-11-20T00:00:00.000000Z', 1, 1, '個人画面', 'resident.view', 1, '127.0.0.1',
            'done', '', zeroblob(32))";

/// A warm connection of our own.
#[derive(Debug)]
pub(crate) struct Bare {
    connection: Connection,
}

impl Bare {
    /// Looks at the database with these eyes; `scratch` (on the same disk) takes what it inserts.
    pub(crate) fn beside(
        database: &Path,
        scope: Scope,
        scratch: &Path,
    ) -> Result<Self, rusqlite::Error> {
        let bare = Self::looking(database, scope, VIEWS)?;
        let scratch = scratch.display().to_string();
        bare.connection.execute("attach ?1 as scratch", [scratch])?;
        bare.connection.execute_batch(
            "pragma scratch.journal_mode = wal; pragma scratch.synchronous = full;",
        )?;
        bare.connection.execute_batch(ENTRIES)?;
        Ok(bare)
    }

    /// Looks with these eyes through views that do not ask the predicate.
    pub(crate) fn without_scope(database: &Path, scope: Scope) -> Result<Self, rusqlite::Error> {
        Self::looking(database, scope, &views_without(VIEWS, scope))
    }

    fn looking(database: &Path, scope: Scope, views: &str) -> Result<Self, rusqlite::Error> {
        let bare = Self::open(database)?;
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
        let sees = move |centre: Option<i64>, shielded: bool| match scope {
            Scope::Nothing | Scope::Assigned(_) => false,
            Scope::City => !shielded,
            Scope::Centre(own) => centre == Some(own.0) && !shielded,
        };
        bare.connection
            .create_scalar_function("in_scope", 3, flags, move |context| {
                Ok(sees(context.get(1)?, context.get(2)?))
            })?;
        bare.connection
            .create_scalar_function("record_in_scope", 6, flags, move |context| {
                let shielded: Option<bool> = context.get(3)?;
                let shielded = shielded.unwrap_or_default();
                Ok(sees(context.get(2)?, shielded) || sees(context.get(4)?, shielded))
            })?;
        bare.connection
            .create_scalar_function("is_shielded", 2, flags, |context| context.get::<i64>(1))?;
        for (name, arguments) in [
            ("viewer_staff", 0),
            ("may_inquire", 0),
            ("may_protect", 0),
            ("sees_city", 0),
            ("is_excluded", 1),
            ("writable", 2),
            ("keeps_abuse", 0),
            ("in_abuse_case", 3),
            ("writes_abuse_case", 1),
            ("reads_abuse_reporter", 1),
            ("may_meet", 2),
            ("record_taken", 1),
        ] {
            bare.connection
                .create_scalar_function(name, arguments, flags, |_| Ok(0_i64))?;
        }
        bare.connection
            .create_scalar_function("record_open", 1, flags, |_| Ok(1_i64))?;
        bare.connection.execute_batch(views)?;
        Ok(bare)
    }

    /// Opens a file, new or not, with the pragmas of `store::Db`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the ceiling is what the store adds nothing to"
    )]
    pub(crate) fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        let connection = Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(None, "cache_size", -32_768)?;
        Ok(Self { connection })
    }

    /// Repeats recorded questions in one transaction; how many rows came.
    pub(crate) fn ask(&self, questions: &[String]) -> Result<u32, rusqlite::Error> {
        self.connection.execute_batch("begin")?;
        let rows = self.rows(questions);
        self.connection.execute_batch("commit")?;
        rows
    }

    /// As [`Bare::ask`], with one entry inserted and committed.
    pub(crate) fn ask_and_enter(&self, questions: &[String]) -> Result<u32, rusqlite::Error> {
        self.connection.execute_batch("begin")?;
        let rows = self.rows(questions)?;
        self.connection.prepare_cached(ENTER)?.execute([])?;
        self.connection.execute_batch("commit")?;
        Ok(rows)
    }

    fn rows(&self, questions: &[String]) -> Result<u32, rusqlite::Error> {
        let mut found: u32 = 0;
        for question in questions {
            let mut statement = self.connection.prepare_cached(question)?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {
                found = found.saturating_add(1);
            }
        }
        Ok(found)
    }

    /// A table of text columns.
    pub(crate) fn make_table(&self, name: &str, columns: usize) -> Result<(), rusqlite::Error> {
        let columns = (0..columns)
            .map(|n| format!("c{n} text"))
            .collect::<Vec<_>>();
        let sql = format!("create table {name} ({}) strict", columns.join(", "));
        self.connection.execute_batch(&sql)
    }

    /// Inserts one row and commits.
    pub(crate) fn insert(&self, table: &str, row: &[&str]) -> Result<(), rusqlite::Error> {
        self.connection.execute_batch("begin immediate")?;
        self.connection
            .prepare_cached(&insertion(table, row.len()))?
            .execute(params_from_iter(row))?;
        self.connection.execute_batch("commit")
    }

    /// Inserts all rows of a file by one prepared statement and commits once; how many there were.
    pub(crate) fn insert_all(
        &self,
        table: &str,
        columns: usize,
        reader: &mut csv::Reader<impl Read>,
    ) -> Result<u32, Problem> {
        self.connection.execute_batch("begin immediate")?;
        let mut statement = self.connection.prepare_cached(&insertion(table, columns))?;
        let (mut row, mut rows) = (csv::StringRecord::new(), 0_u32);
        while reader.read_record(&mut row)? {
            statement.execute(params_from_iter(row.iter()))?;
            rows = rows.saturating_add(1);
        }
        self.connection.execute_batch("commit")?;
        Ok(rows)
    }
}

fn insertion(table: &str, columns: usize) -> String {
    format!(
        "insert into {table} values ({})",
        vec!["?"; columns].join(", ")
    )
}

/// What of a recording only reads: the rest (a session touched, a record inserted) cannot be
/// repeated as it was.
pub(crate) fn questions(recorded: Vec<String>) -> Vec<String> {
    let asks = |sql: &String| {
        let sql = sql.trim_start().to_lowercase();
        sql.starts_with("select") || sql.starts_with("with")
    };
    recorded.into_iter().filter(asks).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_questions_are_repeated() {
        let recorded = [
            "\n    select 1",
            "update sessions set a = 1",
            "with a as (select 1) select * from a",
        ];
        let kept = questions(recorded.map(str::to_owned).to_vec());
        assert_eq!(kept.len(), 2);
    }

    #[test]
    fn the_bare_connection_commits_as_durably_as_the_store() {
        let dir = tempfile::TempDir::new().unwrap();
        let bare = Bare::open(&dir.path().join("bare.db")).unwrap();
        let synchronous: i64 = bare
            .connection
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .unwrap();
        let journal: String = bare
            .connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!((synchronous, journal.as_str()), (2, "wal"));
    }

    #[test]
    fn rows_are_inserted_and_counted() {
        let dir = tempfile::TempDir::new().unwrap();
        let bare = Bare::open(&dir.path().join("bare.db")).unwrap();
        bare.make_table("feed", 2).unwrap();
        bare.insert("feed", &["a", "b"]).unwrap();
        let mut reader = csv::Reader::from_reader("x,y\nc,d\ne,f\n".as_bytes());
        assert_eq!(bare.insert_all("feed", 2, &mut reader).unwrap(), 2);
        assert_eq!(bare.ask(&["select * from feed".to_owned()]).unwrap(), 3);
    }
}
