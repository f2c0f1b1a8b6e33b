//! The log against somebody who has the machine and its key, and against a kill half-way.

use std::path::PathBuf;

use base::clock::{Clock, ClockHand};
use jiff::SignedDuration;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::audit::chain::{EntryRow, GENESIS};
use crate::audit::cut::Cut;
use crate::audit::seal::{Head, Signer};
use crate::audit::{
    ArchiveRefusal, Checkpoint, Extent, Finding, paper_lines, verify, verify_extent,
};
use crate::{Actor, DataDir, Db, Event, Operation, StoreError};

struct Place {
    dir: TempDir,
    db: Option<Db>,
    clock: Clock,
    hand: ClockHand,
}

impl Place {
    /// Ten entries on each of 30 December 2024 to 3 January 2025, 09:00 in Japan.
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (clock, hand) = Clock::stepped("2024-12-30T00:00:00Z".parse().unwrap());
        let db = Db::create(&DataDir::new(dir.path()), clock.clone()).unwrap();
        let place = Self {
            dir,
            db: Some(db),
            clock,
            hand,
        };
        for day in 0..5 {
            for number in 0..10 {
                place.enter(&format!("day {day} entry {number}"));
            }
            place.hand.step(SignedDuration::from_hours(24));
        }
        place
    }

    fn db(&self) -> &Db {
        self.db.as_ref().unwrap()
    }

    fn data(&self) -> DataDir {
        DataDir::new(self.dir.path())
    }

    fn enter(&self, detail: &str) {
        let event = Event::done(Operation::SetUp).detail(detail);
        self.db()
            .write(&actor(), |tx| Ok::<_, StoreError>(tx.audited(event, ())))
            .unwrap();
    }

    fn reopen(&mut self) {
        self.db.take().unwrap().close().unwrap();
        self.db = Some(Db::open(&self.data(), self.clock.clone()).unwrap());
    }

    fn findings(&self) -> Vec<Finding> {
        verify(&self.data(), None).unwrap().findings
    }

    fn archive(&self, year: i16) -> Result<Cut, StoreError> {
        let plan = self.db().plan_archive(year, 0)?;
        let event = Event::done(Operation::AccessLogArchive);
        self.db().archive_audit(&actor(), &plan, event)
    }

    fn sheet(&self, checkpoint: &Checkpoint) -> PathBuf {
        let day = base::clock::japanese_day(checkpoint.instant().unwrap());
        let lines = paper_lines(day, checkpoint.entries, &checkpoint.hash);
        let typed: Vec<String> = lines
            .iter()
            .map(|line| {
                let row = format!("{} {} {}", line.number, line.groups.join(" "), line.check);
                row.to_uppercase()
            })
            .collect();
        let path = self.dir.path().join("typed.txt");
        base::paths::write_atomic(&path, typed.join("\n").as_bytes(), 0o600).unwrap();
        path
    }
}

fn actor() -> Actor {
    Actor::system("試験")
}

/// Opens a file as root does, past our guards.
#[expect(clippy::disallowed_methods, reason = "plays the part of an attacker")]
fn raw(path: PathBuf) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "drop trigger if exists audit_entries_keep; drop trigger if exists audit_entries_freeze;
             drop trigger if exists audit_cuts_freeze; drop trigger if exists audit_cuts_keep;",
        )
        .unwrap();
    connection
}

/// Root with the key: changes one entry, hashes everything anew, signs the head and every checkpoint.
fn rewrite_history(data: &DataDir, sql: &str) {
    let connection = raw(data.database());
    connection.execute_batch(sql).unwrap();
    let mut statement = connection
        .prepare("select * from audit_entries order by id")
        .unwrap();
    let entries: Vec<EntryRow> = statement
        .query_map([], |row| Ok(EntryRow::read(row)?.0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let signer = Signer::load(data).unwrap();
    let (mut hash, mut hashes) = (GENESIS, Vec::new());
    for entry in &entries {
        hash = entry.hash(&hash);
        hashes.push(hash);
        let sql = "update audit_entries set hash = ?2 where id = ?1";
        connection.execute(sql, (entry.id, hash)).unwrap();
    }
    let head = Head {
        entries: entries.last().unwrap().id,
        hash,
    };
    let sql = "update audit_head set entries = ?1, hash = ?2, signature = ?3";
    let signed = (head.entries, head.hash, signer.sign(&head));
    connection.execute(sql, signed).unwrap();
    let path = data.checkpoints();
    let old = Checkpoint::read_all(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    for checkpoint in old {
        let entries = checkpoint.entries;
        let before = usize::try_from(entries).unwrap().checked_sub(1);
        let hash = before.map_or(GENESIS, |before| hashes[before]);
        let at = checkpoint.instant().unwrap();
        Checkpoint::new(&Head { entries, hash }, &signer, at)
            .append_to(&path)
            .unwrap();
    }
}

#[test]
fn a_day_rewritten_with_the_machines_key_is_found_by_the_sheet_alone() {
    let mut place = Place::new();
    let checkpoint = place.db().checkpoint_audit().unwrap();
    let sheet = place.sheet(&checkpoint);
    place.enter("after the sheet was printed");
    place.db.take().unwrap().close().unwrap();
    let data = place.data();
    let honest = verify(&data, Some(&sheet)).unwrap();
    assert_eq!((honest.findings, honest.checkpoints), (vec![], 1));

    rewrite_history(
        &data,
        "update audit_entries set detail = 'nothing of note' where id = 23",
    );
    let plain = verify(&data, None).unwrap();
    assert_eq!(plain.findings, [], "root signed everything anew");
    assert_eq!(plain.entries, 51);
    let against = verify(&data, Some(&sheet)).unwrap();
    let differs = Finding::CheckpointDiffers {
        at: "2025-01-04".to_owned(),
        entries: 50,
    };
    assert_eq!(against.findings, [differs]);
}

#[test]
fn a_mistyped_sheet_is_a_mistake_and_no_finding() {
    let place = Place::new();
    let checkpoint = place.db().checkpoint_audit().unwrap();
    let sheet = place.sheet(&checkpoint);
    let typed = std::fs::read_to_string(&sheet).unwrap();
    let third = typed.lines().nth(2).unwrap();
    let letter = third.chars().nth(4).unwrap();
    let wrong = if letter == '0' { "1" } else { "0" };
    let mistyped = third.replacen(letter, wrong, 1);
    let typed = typed.replacen(third, &mistyped, 1);
    base::paths::write_atomic(&sheet, typed.as_bytes(), 0o600).unwrap();
    let result = verify(&place.data(), Some(&sheet));
    assert!(
        matches!(result, Err(StoreError::TypedLine { line: 3, .. })),
        "{result:?}"
    );
}

#[test]
fn a_checkpoint_is_written_once_a_day() {
    let place = Place::new();
    let count = || place.db().checkpoints().unwrap().len();
    let before = count();
    assert!(place.db().checkpoint_daily().unwrap().is_some());
    assert!(place.db().checkpoint_daily().unwrap().is_none());
    place.hand.step(SignedDuration::from_hours(24));
    assert!(place.db().checkpoint_daily().unwrap().is_some());
    place.hand.step(SignedDuration::from_hours(-48));
    assert!(place.db().checkpoint_daily().unwrap().is_none());
    assert_eq!(count(), before + 2);
}

#[test]
fn an_archived_year_stays_part_of_the_chain() {
    let mut place = Place::new();
    let cut = place.archive(2024).unwrap();
    assert_eq!((cut.first_id, cut.last_id), (1, 20));
    place.enter("life goes on");
    let whole = verify(&place.data(), None).unwrap();
    assert_eq!(
        (whole.findings, whole.walked, whole.archives),
        (vec![], 52, 1)
    );
    let live = verify_extent(&place.data(), None, Extent::LiveOnly).unwrap();
    assert_eq!((live.findings, live.walked, live.entries), (vec![], 32, 52));
    place.reopen();
    place.enter("and after a restart");
    assert_eq!(place.findings(), []);
}

#[test]
fn the_sheet_of_an_archived_day_is_still_compared() {
    let place = Place::new();
    let sheet = place.sheet(&place.db().checkpoint_audit().unwrap());
    place.hand.step(SignedDuration::from_hours(24 * 400));
    place.enter("a year later");
    place.archive(2024).unwrap();
    place.archive(2025).unwrap();
    assert_eq!(verify(&place.data(), Some(&sheet)).unwrap().findings, []);
    let file = place.data().audit_archives().join("audit-2025.db");
    std::fs::remove_file(&file).unwrap();
    let missing = [Finding::ArchiveMissing { year: 2025 }];
    assert_eq!(
        verify(&place.data(), Some(&sheet)).unwrap().findings,
        missing
    );
}

#[test]
fn a_missing_or_bent_archive_is_named() {
    let place = Place::new();
    place.archive(2024).unwrap();
    let file = place.data().audit_archives().join("audit-2024.db");
    raw(file.clone())
        .execute_batch("update audit_entries set detail = 'x' where id = 7")
        .unwrap();
    assert_eq!(place.findings(), [Finding::Changed { id: 7 }]);
    raw(file.clone())
        .execute_batch("delete from audit_entries where id > 15")
        .unwrap();
    assert!(
        place
            .findings()
            .contains(&Finding::ArchiveBent { year: 2024 })
    );
    std::fs::remove_file(&file).unwrap();
    assert_eq!(place.findings(), [Finding::ArchiveMissing { year: 2024 }]);
    let live = verify_extent(&place.data(), None, Extent::LiveOnly).unwrap();
    assert_eq!(live.findings, []);
}

#[test]
fn a_cut_that_was_moved_is_forged() {
    let place = Place::new();
    place.archive(2024).unwrap();
    raw(place.data().database())
        .execute_batch("update audit_cuts set last_id = 21")
        .unwrap();
    let found = place.findings();
    assert!(
        found.contains(&Finding::CutForged { year: 2024 }),
        "{found:?}"
    );
}

#[test]
fn entries_are_kept_but_for_what_a_cut_names() {
    let place = Place::new();
    place.archive(2024).unwrap();
    let delete = |id: i64| {
        place.db().write(&actor(), |tx| {
            tx.execute("delete from audit_entries where id = ?1", [id])?;
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
        })
    };
    assert!(delete(21).is_err());
    assert_eq!(place.findings(), []);
}

#[test]
fn what_a_kill_left_behind_is_made_anew_and_nothing_is_lost() {
    let mut place = Place::new();
    let dir = place.data().audit_archives();
    std::fs::create_dir(&dir).unwrap();
    // Killed while copying, and in another run after the rename.
    for name in ["audit-2024.part", "audit-2024.db"] {
        base::paths::write_atomic(&dir.join(name), b"half", 0o400).unwrap();
    }
    place.reopen();
    assert_eq!(place.findings(), []);
    place.archive(2024).unwrap();
    let whole = verify(&place.data(), None).unwrap();
    assert_eq!((whole.findings, whole.walked), (vec![], 51));
    assert!(!dir.join("audit-2024.part").exists());
}

#[test]
fn a_year_is_archived_when_it_is_over_in_its_turn_and_with_room_left() {
    let place = Place::new();
    let why = |result: Result<_, StoreError>| match result {
        Err(StoreError::Archive(why)) => why,
        other => panic!("{other:?}"),
    };
    let plan = |year| place.db().plan_archive(year, 0);
    assert_eq!(why(plan(2025)), ArchiveRefusal::NotOver);
    assert_eq!(why(plan(2023)), ArchiveRefusal::Empty);
    let room = place.db().plan_archive(2024, u64::MAX);
    assert_eq!(why(room), ArchiveRefusal::TooLittleSpace);
    place.hand.step(SignedDuration::from_hours(24 * 400));
    assert_eq!(why(plan(2025)), ArchiveRefusal::EarlierYear(2024));
    place.archive(2024).unwrap();
    assert_eq!(why(plan(2024)), ArchiveRefusal::Empty);
}

#[test]
fn a_bent_year_is_not_archived() {
    let place = Place::new();
    raw(place.data().database())
        .execute_batch("update audit_entries set detail = 'x' where id = 7")
        .unwrap();
    let result = place.archive(2024);
    assert!(matches!(result, Err(StoreError::AuditHead)), "{result:?}");
    assert!(place.db().audit_cuts().unwrap().is_empty());
}

#[test]
fn an_archived_year_is_read_in_the_place_of_the_log() {
    let place = Place::new();
    place.archive(2024).unwrap();
    let sql = "select count(*) from audit_entries";
    let live = place.db().read(&actor(), |tx| tx.count(sql, []));
    let archived = place
        .db()
        .read_archive(&actor(), 2024, |tx| tx.count(sql, []));
    let counts: (Result<i64, StoreError>, Result<i64, StoreError>) = (live, archived);
    assert!(matches!(counts, (Ok(31), Ok(20))), "{counts:?}");
    let none = place
        .db()
        .read_archive(&actor(), 2023, |tx| tx.count(sql, []));
    assert!(matches!(none, Err(StoreError::Absent { .. })), "{none:?}");
}

#[test]
fn equal_words_have_equal_marks_that_differ_from_house_to_house() {
    let (one, other) = (Place::new(), Place::new());
    let mark = one.db().term_mark("ヤマダ");
    assert_eq!(mark, one.db().term_mark("ヤマダ"));
    assert_ne!(mark, one.db().term_mark("ヤマタ"));
    assert_ne!(mark, other.db().term_mark("ヤマダ"));
    assert!(mark.len() == 10 && mark.chars().all(|c| c.is_ascii_hexdigit()));
}
