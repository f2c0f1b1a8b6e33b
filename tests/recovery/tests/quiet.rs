//! Backups beside a service while nobody works: the copy of the database stays the one that it is, and
//! whatever is committed is in the next.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base::clock::Clock;
use harness::process::{ended, hokatsu, prepared_for_backups};
use harness::writing::{add_entry, entries};
use store::{DataDir, Db, facts_of};
use tempfile::TempDir;

struct House {
    root: TempDir,
    data: PathBuf,
    site: PathBuf,
}

impl House {
    fn command(&self, words: &[&str]) {
        let site = self.site.to_str().unwrap();
        let (code, out, errors) = ended([&["--json", "--site", site], words].concat());
        assert_eq!(code, 0, "{words:?}: {out}{errors}");
    }

    /// Which copy the last run was made of.
    fn copy(&self) -> (u64, i64) {
        let copy = self.data.join("frozen").join("hokatsu.db");
        let copy = std::fs::metadata(copy).unwrap();
        (copy.ino(), copy.mtime_nsec())
    }

    /// The timer's run.
    fn saved(&self) -> (u64, i64) {
        let mut timer = hokatsu([OsStr::new("--site"), self.site.as_os_str()]);
        timer.args(["backup", "run"]);
        timer
            .env_remove("HOKATSU_OPERATOR")
            .env_remove("HOKATSU_REASON");
        assert!(timer.status().unwrap().success());
        self.copy()
    }

    fn entries_saved(&self, back: &str) -> i64 {
        let back = self.root.path().join(back);
        self.command(&["restore", "--to", back.to_str().unwrap(), "--yes"]);
        facts_of(&DataDir::new(&back).database())
            .unwrap()
            .audit_entries
    }

    fn repository_bytes(&self) -> u64 {
        bytes(&self.root.path().join("raid"))
    }
}

fn bytes(place: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(place) else {
        return std::fs::metadata(place).unwrap().len();
    };
    entries.map(|entry| bytes(&entry.unwrap().path())).sum()
}

#[test]
fn what_nobody_changed_is_not_copied_again_and_what_was_committed_is_always_saved() {
    let root = TempDir::new().unwrap();
    let (data, site) = prepared_for_backups(root.path());
    let house = House { root, data, site };
    house.command(&["backup", "init"]);
    // Again: what is there already is not made anew, and that is no failure.
    house.command(&["backup", "init"]);
    let db = Db::open(&DataDir::new(&house.data), Clock::system()).unwrap();

    // The first of a day has an entry in the log.
    house.saved();
    db.take_notes().unwrap();
    let quiet = house.saved();
    let before = house.repository_bytes();
    assert_eq!(
        db.take_notes().unwrap(),
        0,
        "a quiet run changed the database"
    );
    assert_eq!(house.saved(), quiet, "copied again");
    assert!(house.repository_bytes() > before, "no snapshot");

    // In the log, in the file, in a log that began anew, by somebody who left.
    add_entry(&db);
    let written = house.saved();
    assert_ne!(written, quiet, "not copied again");
    assert_eq!(house.entries_saved("log"), entries(&db));
    assert_eq!(house.saved(), written);

    db.settle().unwrap();
    add_entry(&db);
    house.saved();
    assert_eq!(house.entries_saved("anew"), entries(&db));

    db.close().unwrap();
    let left = house.saved();
    assert_eq!(house.saved(), left);
    let db = Db::open(&DataDir::new(&house.data), Clock::system()).unwrap();
    add_entry(&db);
    let known = entries(&db);
    db.close().unwrap();
    assert_ne!(house.saved(), left);
    assert_eq!(house.entries_saved("left"), known);

    // With a name it is a deed, which the log tells of.
    let by = [
        "--operator",
        "架空 操作",
        "--reason",
        "試験",
        "backup",
        "run",
    ];
    house.command(&by);
    let db = Db::open(&DataDir::new(&house.data), Clock::system()).unwrap();
    assert!(entries(&db) > known, "a deed without an entry");
    db.close().unwrap();
}
