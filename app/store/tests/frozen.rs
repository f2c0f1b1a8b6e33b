//! The copy that backups are made of: the same as long as nothing was committed, and never older.
//! (Beside a service: tests/recovery/tests/quiet.rs.)

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use base::clock::Clock;
use store::{Actor, DataDir, Db, Event, Frozen, Operation, StoreError, frozen_of};
use tempfile::TempDir;

const ROUNDS: i64 = 60;

fn written(dir: &DataDir) {
    let db = Db::open(dir, Clock::system()).unwrap();
    let entry = Event::done(Operation::SetUp);
    let done = db.write(&Actor::system("test"), |tx| {
        Ok::<_, StoreError>(tx.audited(entry, ()))
    });
    done.unwrap();
    db.close().unwrap();
}

fn made() -> (TempDir, DataDir) {
    let root = TempDir::new().unwrap();
    let dir = DataDir::new(root.path());
    Db::create(&dir, Clock::system()).unwrap().close().unwrap();
    (root, dir)
}

fn stamp(frozen: &Frozen) -> (u64, i64, i64) {
    let copy = fs::metadata(&frozen.database).unwrap();
    (copy.ino(), copy.mtime(), copy.mtime_nsec())
}

#[test]
fn it_is_kept_until_something_is_committed_however_soon_that_is() {
    let (_root, dir) = made();
    let mut before = frozen_of(&dir).unwrap();
    for round in 0..ROUNDS {
        let again = frozen_of(&dir).unwrap();
        assert_eq!(stamp(&again), stamp(&before), "round {round}: made anew");
        written(&dir);
        let after = frozen_of(&dir).unwrap();
        let more = after.facts.audit_entries - before.facts.audit_entries;
        assert_eq!(more, 1, "round {round}: an older state");
        before = after;
    }
}

#[test]
fn one_that_somebody_bent_or_that_is_of_another_start_is_made_anew() {
    let (_root, dir) = made();
    let first = frozen_of(&dir).unwrap();
    let whole = fs::read(&first.database).unwrap();
    bent(&first.database, &whole);
    let second = frozen_of(&dir).unwrap();
    assert_eq!(fs::read(&second.database).unwrap(), whole);

    let note = second.database.with_file_name("state.json");
    let kept = fs::read_to_string(&note).unwrap();
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let boot = boot.trim();
    assert!(kept.contains(boot));
    bent(&note, kept.replace(boot, "another").as_bytes());
    let kept = stamp(&second);
    assert_ne!(stamp(&frozen_of(&dir).unwrap()), kept);
}

#[test]
fn without_a_database_nothing_is_frozen() {
    let root = TempDir::new().unwrap();
    let told = frozen_of(&DataDir::new(root.path())).unwrap_err();
    assert!(matches!(told, StoreError::Absent { .. }));
}

#[expect(
    clippy::disallowed_methods,
    reason = "stands for somebody who does not keep to the rules"
)]
fn bent(path: &Path, bytes: &[u8]) {
    fs::write(path, [bytes, b" "].concat()).unwrap();
}
