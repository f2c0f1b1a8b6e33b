//! All steps on an empty file equal `schema.sql`; a file of any earlier step opens and keeps its chain.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use base::clock::Clock;
use rusqlite::Connection;
use store::{Actor, DataDir, Db, Event, Operation, StoreError};
use tempfile::TempDir;

#[expect(
    clippy::disallowed_methods,
    reason = "looks at the file without our guards"
)]
fn open(path: &std::path::Path) -> Connection {
    Connection::open(path).unwrap()
}

/// Everything the schema says, in an order that does not depend on how it was made.
fn shape(connection: &Connection) -> Vec<(String, String, String)> {
    let sql = "select type, name, sql from sqlite_schema where sql is not null order by type, name";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let text: String = row.get(2)?;
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok((row.get(0)?, row.get(1)?, words.join(" ")))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn all_steps_on_an_empty_file_equal_the_schema() {
    let dir = TempDir::new().unwrap();
    Db::create(&DataDir::new(dir.path()), Clock::system())
        .unwrap()
        .close()
        .unwrap();
    let migrated = shape(&open(&dir.path().join("hokatsu.db")));
    let written = Connection::open_in_memory().unwrap();
    written.execute_batch(store::released_schema()).unwrap();
    assert_eq!(migrated, shape(&written));
}

#[test]
fn every_table_is_strict_and_every_reference_holds() {
    let dir = TempDir::new().unwrap();
    Db::create(&DataDir::new(dir.path()), Clock::system())
        .unwrap()
        .close()
        .unwrap();
    let connection = open(&dir.path().join("hokatsu.db"));
    let loose: Vec<String> = shape(&connection)
        .into_iter()
        .filter(|(kind, _, sql)| kind == "table" && !sql.contains("strict"))
        .map(|(_, name, _)| name)
        .collect();
    assert_eq!(loose, [""; 0]);
    let broken: i64 = connection
        .query_row("select count(*) from pragma_foreign_key_check", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(broken, 0);
}

#[test]
fn a_database_opens_again_and_its_chain_goes_on() {
    let dir = TempDir::new().unwrap();
    let place = DataDir::new(dir.path());
    for number in 1..=3 {
        let db = if number == 1 {
            Db::create(&place, Clock::system()).unwrap()
        } else {
            Db::open(&place, Clock::system()).unwrap()
        };
        db.write(&Actor::system("test"), |tx| {
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
        })
        .unwrap();
        db.close().unwrap();
        let verdict = store::audit::verify(&place, None).unwrap();
        assert_eq!((verdict.entries, verdict.findings), (number, Vec::new()));
    }
}
