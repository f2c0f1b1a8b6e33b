//! The store's promises on a real file: scope, chain, lock, monotonic time.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use base::clock::Clock;
use store::audit::{Finding, verify};
use store::{
    Actor, CentreId, DataDir, Db, Event, Operation, Scope, StoreError, SystemReason, params,
};
use tempfile::TempDir;

const CENTRE: &str = "insert into support_centres
    (id, code, name, short_name, phone, valid_from, source, unconfirmed)
    values (?1, ?1, 'センター', 'セ', '', '2026-04-01', 'test', 0)";
const RESIDENT: &str =
    "insert into residents (id, addressee_no, household_no, relationship, name, kana,
    alias_name, alias_kana, latin_name, former_surname, born_on, born_text, sex, resident_kind,
    resident_state, postal_code, area_code, address, building, phone, centre_id, event_code,
    moved_from, moved_to, nationality, shielded, has_gaiji, import_id)
    values (?1, ?1, '1', '', 'x', 'x', '', '', '', '', '1940-01-01', '', '1', '1', '1', '', '', '',
    '', '', ?2, '', '', '', '', ?3, 0, 1)";
const IMPORT: &str = "insert into imports values
    (1, 'residents', '', 0, 'utf-8', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, '2026-04-01')";

fn fresh() -> (TempDir, Db) {
    let dir = TempDir::new().unwrap();
    let db = Db::create(&DataDir::new(dir.path()), Clock::system()).unwrap();
    (dir, db)
}

fn centre(id: i64) -> Actor {
    Actor {
        scope: Scope::Centre(CentreId(id)),
        ..Actor::system("test")
    }
}

/// Residents 1 (centre 1), 2 (centre 2), 3 (centre 1, shielded).
fn populate(db: &Db) {
    db.system(&Actor::system("test"), SystemReason::Import, |tx| {
        tx.execute(CENTRE, params![1])?;
        tx.execute(CENTRE, params![2])?;
        tx.execute(IMPORT, [])?;
        for (id, centre, shielded) in [(1, 1, 0), (2, 2, 0), (3, 1, 1)] {
            tx.execute(RESIDENT, params![id, centre, shielded])?;
        }
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::Import), ()))
    })
    .unwrap();
}

fn visible(db: &Db, actor: &Actor) -> Vec<i64> {
    let sql = "select id from visible_residents order by id";
    db.read(actor, |tx| tx.all(sql, [], |row| row.get(0)))
        .unwrap()
}

fn entry(db: &Db, detail: &str) {
    db.write(&Actor::system("test"), |tx| {
        let event = Event::done(Operation::SetUp).detail(detail);
        Ok::<_, StoreError>(tx.audited(event, ()))
    })
    .unwrap();
}

#[test]
fn each_viewer_sees_exactly_their_scope() {
    let (_dir, db) = fresh();
    populate(&db);
    assert_eq!(visible(&db, &centre(1)), [1]);
    assert_eq!(visible(&db, &centre(2)), [2]);
    assert_eq!(
        visible(
            &db,
            &Actor {
                scope: Scope::City,
                ..Actor::system("t")
            }
        ),
        [1, 2],
        "a shielded person opens to those named only"
    );
    assert_eq!(visible(&db, &Actor::system("t")), [0_i64; 0]);
}

#[test]
fn a_statement_past_the_views_is_refused_for_everybody() {
    let (_dir, db) = fresh();
    populate(&db);
    let city = Actor {
        scope: Scope::City,
        ..Actor::system("t")
    };
    for sql in [
        "select count(*) from residents",
        "select count(*) from main.residents",
        "select r.id from visible_residents v join residents r on r.id = v.id",
    ] {
        let result: Result<i64, StoreError> = db.read(&city, |tx| tx.count(sql, []));
        let Err(StoreError::Unscoped { table }) = result else {
            panic!("{sql}: {result:?}")
        };
        assert_eq!(table, "residents");
    }
}

#[test]
fn people_are_added_to_but_not_edited_by_staff() {
    let (_dir, db) = fresh();
    populate(&db);
    let city = Actor {
        scope: Scope::City,
        ..Actor::system("t")
    };
    let result = db.write(&city, |tx| {
        tx.execute("delete from residents", [])?;
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    assert!(
        matches!(result, Err(StoreError::Unscoped { .. })),
        "{result:?}"
    );
    assert_eq!(visible(&db, &city), [1, 2]);
}

#[test]
fn housekeeping_reaches_no_record() {
    let (_dir, db) = fresh();
    let result = db.housekeep(&Actor::system("t"), |tx| tx.execute(CENTRE, params![1]));
    assert!(
        matches!(result, Err(StoreError::Unscoped { .. })),
        "{result:?}"
    );
}

#[test]
fn a_second_process_is_told_that_the_directory_is_in_use() {
    let (dir, _db) = fresh();
    let second = Db::open(&DataDir::new(dir.path()), Clock::system());
    assert!(matches!(second, Err(StoreError::InUse { .. })));
}

#[test]
fn a_command_beside_the_service_goes_on_where_the_chain_stands_and_so_does_the_service() {
    let (dir, db) = fresh();
    let beside = Db::open_beside(&DataDir::new(dir.path()), Clock::system()).unwrap();
    for round in 0..3 {
        entry(&db, &format!("service {round}"));
        entry(&beside, &format!("command {round}"));
        beside.checkpoint_audit().unwrap();
        db.checkpoint_audit().unwrap();
    }
    let verdict = verify(db.dir(), None).unwrap();
    assert_eq!((verdict.entries, verdict.findings), (6, vec![]));
}

#[test]
fn many_who_write_at_once_from_two_sides_make_one_chain() {
    let (dir, db) = fresh();
    let beside = Db::open_beside(&DataDir::new(dir.path()), Clock::system()).unwrap();
    std::thread::scope(|scope| {
        for side in [&db, &beside, &db, &beside] {
            scope.spawn(move || (0..25).for_each(|n| entry(side, &format!("{n}"))));
        }
    });
    let verdict = verify(db.dir(), None).unwrap();
    assert_eq!((verdict.entries, verdict.findings), (100, vec![]));
}

#[test]
fn what_a_command_changes_about_who_sees_whom_holds_for_the_service_at_once() {
    let (dir, db) = fresh();
    populate(&db);
    assert_eq!(visible(&db, &centre(1)), [1]);
    let beside = Db::open_beside(&DataDir::new(dir.path()), Clock::system()).unwrap();
    let person = "insert into staff values (1, 'a', 'a', 'a', '2026-04-01')";
    let shield = "insert into shields values (1, 1, 'city', null, 'x', 1, '2026-04-01')";
    beside
        .system(&Actor::system("test"), SystemReason::Import, |tx| {
            tx.execute(person, [])?;
            tx.execute(shield, [])?;
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::ShieldSet), ()))
        })
        .unwrap();
    assert_eq!(visible(&db, &centre(1)), [0_i64; 0]);
}

#[test]
fn a_log_rolled_back_beneath_the_service_takes_no_further_entry() {
    let (dir, db) = fresh();
    entry(&db, "first");
    let beside = Db::open_beside(&DataDir::new(dir.path()), Clock::system()).unwrap();
    entry(&beside, "second");
    let old = beside.checkpoint_audit().unwrap();
    entry(&db, "third");
    let rolled = format!(
        "delete from audit_entries where id = 3;
         update audit_head set entries = 2, hash = x'{}', signature = x'{}'",
        old.hash, old.signature
    );
    tamper(&dir, &rolled);
    let next = db.write(&Actor::system("t"), |tx| {
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    });
    assert!(matches!(next, Err(StoreError::AuditHead)), "{next:?}");
}

#[test]
fn a_later_schema_is_refused_and_left_alone() {
    let (dir, db) = fresh();
    db.close().unwrap();
    tamper(&dir, "pragma user_version = 999");
    let opened = Db::open(&DataDir::new(dir.path()), Clock::system());
    assert!(matches!(opened, Err(StoreError::Newer { found: 999, .. })));
}

#[test]
fn an_error_in_a_write_leaves_neither_change_nor_entry() {
    let (dir, db) = fresh();
    let result: Result<(), StoreError> = db.write(&Actor::system("t"), |tx| {
        tx.execute(CENTRE, params![1])?;
        Err(StoreError::DiskFull)
    });
    assert!(matches!(result, Err(StoreError::DiskFull)));
    let centres = db.read(&Actor::system("t"), |tx| {
        tx.count("select count(*) from support_centres", [])
    });
    assert_eq!(
        centres.map_err(|error: StoreError| error.to_string()),
        Ok(0)
    );
    db.close().unwrap();
    assert_eq!(verify(&DataDir::new(dir.path()), None).unwrap().entries, 0);
}

#[test]
fn order_stays_when_the_clock_steps_back() {
    let dir = TempDir::new().unwrap();
    let (clock, hand) = Clock::stepped("2026-11-23T10:00:00Z".parse().unwrap());
    let db = Db::create(&DataDir::new(dir.path()), clock).unwrap();
    entry(&db, "first");
    hand.set("2025-01-01T00:00:00Z".parse().unwrap());
    entry(&db, "second");
    let sql = "select at from audit_entries order by id";
    let at: Vec<String> = db
        .read(&Actor::system("t"), |tx| tx.all(sql, [], |row| row.get(0)))
        .map_err(|e: StoreError| e)
        .unwrap();
    assert_eq!(at[0], at[1]);
}

/// Opens the file as somebody with the stock tool would, without our guards.
#[expect(clippy::disallowed_methods, reason = "plays the part of an attacker")]
fn tamper(dir: &TempDir, sql: &str) {
    let connection = rusqlite::Connection::open(dir.path().join("hokatsu.db")).unwrap();
    let drop =
        "drop trigger if exists audit_entries_keep; drop trigger if exists audit_entries_freeze;";
    connection.execute_batch(&format!("{drop} {sql}")).unwrap();
}

fn findings_after(sql: &str) -> Vec<Finding> {
    let (dir, db) = fresh();
    for number in 0..10 {
        entry(&db, &format!("entry {number}"));
    }
    db.close().unwrap();
    let whole = verify(&DataDir::new(dir.path()), None).unwrap();
    assert_eq!(
        (whole.entries, whole.findings.as_slice()),
        (10, [].as_slice())
    );
    tamper(&dir, sql);
    verify(&DataDir::new(dir.path()), None).unwrap().findings
}

#[test]
fn a_changed_byte_is_found_and_named() {
    let found = findings_after("update audit_entries set detail = 'entry X' where id = 4");
    assert_eq!(found, [Finding::Changed { id: 4 }]);
}

#[test]
fn a_deleted_row_is_found_and_named() {
    let found = findings_after("delete from audit_entries where id in (4, 5)");
    assert_eq!(found, [Finding::Missing { from: 4, to: 5 }]);
}

#[test]
fn a_deleted_row_with_the_rest_renumbered_is_found() {
    let found = findings_after(
        "delete from audit_entries where id = 4; update audit_entries set id = id - 1 where id > 4",
    );
    assert!(found.contains(&Finding::Changed { id: 4 }), "{found:?}");
    assert!(
        found.contains(&Finding::Truncated {
            found: 9,
            signed: 10
        }),
        "{found:?}"
    );
}

#[test]
fn two_swapped_rows_are_found_and_named() {
    let found = findings_after(
        "update audit_entries set id = 99 where id = 4; update audit_entries set id = 4 where id = 5;
         update audit_entries set id = 5 where id = 99",
    );
    assert_eq!(found, [Finding::Swapped { id: 4, with: 5 }]);
}

#[test]
fn a_cut_tail_is_found_and_named() {
    let found = findings_after("delete from audit_entries where id > 7");
    assert!(
        found.contains(&Finding::Truncated {
            found: 7,
            signed: 10
        }),
        "{found:?}"
    );
}

#[test]
fn a_cut_tail_with_a_head_written_to_fit_is_found() {
    let found = findings_after(
        "delete from audit_entries where id > 7; update audit_head set entries = 7,
         hash = (select hash from audit_entries where id = 7)",
    );
    assert!(found.contains(&Finding::HeadForged), "{found:?}");
}

#[test]
fn a_log_that_was_bent_does_not_open_for_writing() {
    let (dir, db) = fresh();
    entry(&db, "one");
    entry(&db, "two");
    db.close().unwrap();
    tamper(&dir, "delete from audit_entries where id = 2");
    let opened = Db::open(&DataDir::new(dir.path()), Clock::system());
    assert!(matches!(opened, Err(StoreError::AuditHead)));
}

#[test]
fn a_snapshot_is_whole_and_carries_the_same_head() {
    let (dir, db) = fresh();
    populate(&db);
    let copy = TempDir::new().unwrap();
    db.snapshot(&copy.path().join("hokatsu.db")).unwrap();
    std::fs::create_dir(copy.path().join("keys")).unwrap();
    std::fs::copy(
        dir.path().join("keys/audit.pub"),
        copy.path().join("keys/audit.pub"),
    )
    .unwrap();
    let head = |dir: &TempDir| verify(&DataDir::new(dir.path()), None).unwrap();
    let (here, there) = (head(&dir), head(&copy));
    assert_eq!((here.head, here.entries), (there.head, there.entries));
    assert_eq!(there.findings, []);
}

#[test]
fn a_checkpoint_torn_by_a_power_cut_stops_neither_the_check_nor_the_next_start() {
    let (dir, db) = fresh();
    entry(&db, "a");
    db.close().unwrap();
    let place = DataDir::new(dir.path());
    let before = std::fs::read(place.checkpoints()).unwrap();
    let torn = [&before[..], b"{\"at\":\"2026-11-2"].concat();
    base::paths::write_atomic(&place.checkpoints(), &torn, 0o600).unwrap();
    let verdict = store::audit::verify(&place, None).unwrap();
    assert_eq!(verdict.findings, []);
    Db::open(&place, Clock::system()).unwrap().close().unwrap();
    let after = std::fs::read(place.checkpoints()).unwrap();
    assert_eq!(after[..before.len()], before[..]);
    let verdict = store::audit::verify(&place, None).unwrap();
    assert_eq!((verdict.findings, verdict.checkpoints), (vec![], 4));
}

#[test]
fn a_damaged_database_names_the_tables_that_do_not_hold_together() {
    const PAGE: usize = 4096;
    let (dir, db) = fresh();
    populate(&db);
    db.close().unwrap();
    let path = DataDir::new(dir.path()).database();
    assert_eq!(store::damaged_tables(&path), Some(Vec::new()));
    let whole = std::fs::read(&path).unwrap();
    let copy = dir.path().join("damaged.db");
    let mut named = 0;
    for page in (2..whole.len() / PAGE).rev().step_by(7) {
        let mut bytes = whole.clone();
        bytes
            .iter_mut()
            .skip(page * PAGE)
            .take(PAGE)
            .for_each(|byte| *byte = 0x5a);
        base::paths::write_atomic(&copy, &bytes, base::paths::MODE_PRIVATE).unwrap();
        // Pages of the schema itself leave nothing to name; a page of an index or a table names one.
        if let Some(tables) = store::damaged_tables(&copy) {
            assert!(tables.len() <= 2, "page {page}: {tables:?}");
            named += tables.len();
        }
    }
    assert!(named > 3, "{named}");
}
