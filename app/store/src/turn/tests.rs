//! Turns that share a commit: one flush for many, and each caller's own luck.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use base::clock::Clock;
use tempfile::TempDir;

use crate::actor::{Actor, Scope};
use crate::audit::{Event, Operation, verify};
use crate::db::{Db, SystemReason};
use crate::directory::DataDir;
use crate::error::StoreError;
use crate::ids::StaffId;

const TOWN: &str = include_str!("../../tests/town.sql");
const OTHERS: i64 = 8;

struct House {
    db: Db,
    dir: TempDir,
    commits: Arc<AtomicI64>,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let db = Db::create(&DataDir::new(dir.path()), Clock::system()).unwrap();
        for sql in TOWN.split(';').filter(|sql| !sql.trim().is_empty()) {
            db.system(&system(), SystemReason::Import, |tx| {
                tx.execute(sql, [])?;
                Ok::<_, StoreError>(tx.audited(Event::done(Operation::Import), ()))
            })
            .unwrap();
        }
        let commits = Arc::new(AtomicI64::new(0));
        let counted = Arc::clone(&commits);
        let mut writer = db.writer_for_tests().take().unwrap();
        let hook = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            false
        };
        writer.line.connection.commit_hook(Some(hook)).unwrap();
        drop(writer);
        Self { db, dir, commits }
    }

    /// The first holds the writer until all the others wait for it.
    fn queue<T: Send>(
        &self,
        first: impl FnOnce() + Send,
        others: impl Fn(i64) -> T + Sync,
    ) -> (Result<(), StoreError>, Vec<thread::Result<T>>) {
        let others = &others;
        thread::scope(|scope| {
            let (begun, told) = std::sync::mpsc::channel();
            let holds = scope.spawn(move || {
                self.db.write(&system(), |tx| {
                    begun.send(()).unwrap();
                    let all = usize::try_from(OTHERS).unwrap();
                    while self.db.writer_for_tests().waiting() < all {
                        thread::yield_now();
                    }
                    first();
                    Ok(tx.audited(Event::done(Operation::SetUp).detail("first"), ()))
                })
            });
            told.recv().unwrap();
            let waiting: Vec<_> = (1..=OTHERS)
                .map(|number| scope.spawn(move || others(number)))
                .collect();
            let done = holds.join().unwrap();
            (
                done,
                waiting.into_iter().map(|other| other.join()).collect(),
            )
        })
    }

    fn entry(&self, number: i64) -> Result<(), StoreError> {
        self.db.write(&system(), |tx| {
            let event = Event::done(Operation::SetUp).detail(format!("other {number}"));
            Ok(tx.audited(event, ()))
        })
    }

    /// Entries of this test, all of them in a whole chain.
    fn entries(self) -> i64 {
        let sql = "select count(*) from audit_entries where operation = 'set_up'";
        let count = self.db.read(&system(), |tx| tx.count(sql, [])).unwrap();
        self.db.close().unwrap();
        let verdict = verify(&DataDir::new(self.dir.path()), None).unwrap();
        assert_eq!(verdict.findings, []);
        count
    }
}

fn system() -> Actor {
    Actor::system("test")
}

#[test]
fn who_waits_shares_a_commit_and_each_has_her_entry() {
    let house = House::new();
    let (first, others) = house.queue(|| (), |number| house.entry(number));
    first.unwrap();
    assert!(others.into_iter().all(|other| other.unwrap().is_ok()));
    let commits = house.commits.load(Ordering::SeqCst);
    assert!(
        (1..=OTHERS).contains(&commits),
        "{commits} commits for {OTHERS} and one"
    );
    assert_eq!(house.entries(), OTHERS + 1);
}

#[test]
fn whose_work_fails_loses_it_alone() {
    let house = House::new();
    let (first, others) = house.queue(
        || (),
        |number| {
            house.db.write(&system(), |tx| {
                tx.execute("update staff set name = name || '!' where id = 1", [])?;
                let event = Event::done(Operation::SetUp);
                if number % 2 == 0 {
                    Ok(tx.audited(event, ()))
                } else {
                    Err(StoreError::Bytes)
                }
            })
        },
    );
    first.unwrap();
    let done = others
        .into_iter()
        .filter(|other| matches!(other, Ok(Ok(()))));
    assert_eq!(i64::try_from(done.count()).unwrap(), OTHERS / 2);
    let sql = "select length(name) from staff where id = 1";
    let marks = house.db.read(&system(), |tx| tx.count(sql, [])).unwrap();
    assert_eq!(marks, 1 + OTHERS / 2);
    assert_eq!(house.entries(), 1 + OTHERS / 2);
}

#[test]
fn nobody_waits_for_ever_when_the_work_of_another_panics() {
    let house = House::new();
    let (first, others) = house.queue(
        || (),
        |number| {
            catch_unwind(AssertUnwindSafe(|| {
                house.db.write(&system(), |tx| {
                    assert_ne!(number, 3, "invented");
                    Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
                })
            }))
        },
    );
    first.unwrap();
    let kept = others
        .into_iter()
        .filter(|other| matches!(other, Ok(Ok(Ok(())))));
    assert_eq!(i64::try_from(kept.count()).unwrap(), OTHERS - 1);
    assert_eq!(house.entries(), OTHERS);
}

#[test]
fn a_commit_that_fails_is_told_to_all_who_shared_it() {
    let house = House::new();
    let (first, others) = house.queue(
        || (),
        |number| {
            house.db.write(&system(), |tx| {
                tx.execute("pragma defer_foreign_keys = on", [])?;
                tx.execute(
                    "insert into exclusion_endings values (?1, 999, 'x', 1, '')",
                    [number],
                )?;
                Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
            })
        },
    );
    let lost = others
        .into_iter()
        .filter(|other| matches!(other, Ok(Err(_))));
    assert_eq!(i64::try_from(lost.count()).unwrap(), OTHERS);
    // She shared the commit of whoever came next.
    assert!(first.is_err());
    house.entry(1).unwrap();
    assert_eq!(house.entries(), 1);
}

#[test]
fn whoever_comes_next_sees_through_eyes_that_know_of_the_change() {
    let house = House::new();
    let nurse = Actor {
        staff_id: Some(StaffId(2)),
        scope: Scope::City,
        ..system()
    };
    let visible = "select count(*) from visible_residents where id = 1";
    let look = || {
        house.db.view(&nurse, |tx| {
            let seen = tx.count(visible, [])?;
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), seen))
        })
    };
    assert_eq!(look().unwrap(), 1);
    let excluded = AtomicI64::new(0);
    let (first, others) = house.queue(
        || (),
        |number| {
            if number == 1 {
                let done = house.db.write(&system(), |tx| {
                    tx.execute(
                        "insert into exclusions values (1, 1, 2, 'x', 'x', 1, '')",
                        [],
                    )?;
                    excluded.store(1, Ordering::SeqCst);
                    Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), 0))
                });
                return done.unwrap();
            }
            house
                .db
                .view(&nurse, |tx| {
                    let seen = tx.count(visible, [])?;
                    let wanted = 1 - excluded.load(Ordering::SeqCst);
                    Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), seen - wanted))
                })
                .unwrap()
        },
    );
    first.unwrap();
    assert!(others.into_iter().all(|other| other.unwrap() == 0));
}
