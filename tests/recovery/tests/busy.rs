//! A backup while records are written: what it froze is some moment after all that was acknowledged before.

use std::sync::atomic::{AtomicBool, Ordering};

use base::clock::Clock;
use harness::process::{ended, prepared_for_backups};
use harness::writing::{add_entry, entries};
use store::{DataDir, Db, facts_of};
use tempfile::TempDir;

const ROUNDS: u32 = 6;
/// The log is folded into the file after so many entries: the file changes under the copying too.
const FOLD_EVERY: u32 = 40;

#[test]
fn what_is_saved_beside_a_busy_writer_is_whole_and_has_all_that_was_acknowledged_before() {
    let root = TempDir::new().unwrap();
    let (data, site) = prepared_for_backups(root.path());
    let command = |words: &[&str]| {
        let site = site.to_str().unwrap();
        let (code, out, errors) = ended([&["--json", "--site", site], words].concat());
        assert_eq!(code, 0, "{words:?}: {out}{errors}");
    };
    command(&["backup", "init"]);
    let db = Db::open(&DataDir::new(data), Clock::system()).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut entries = 0;
            while !stop.load(Ordering::Relaxed) {
                add_entry(&db);
                entries += 1;
                if entries % FOLD_EVERY == 0 {
                    db.settle().unwrap();
                }
            }
            entries
        });
        let stopping = Stopping(&stop);
        for round in 0..ROUNDS {
            let before = entries(&db);
            command(&["backup", "run"]);
            let back = root.path().join(format!("back-{round}"));
            command(&["restore", "--to", back.to_str().unwrap(), "--yes"]);
            // Every index too, and not what the snapshot says of itself.
            let found = facts_of(&DataDir::new(&back).database()).unwrap();
            assert!(found.audit_entries >= before, "{found:?}, {before} before");
        }
        drop(stopping);
        let written = writer.join().unwrap();
        assert!(written > FOLD_EVERY * 2, "nobody was busy: {written}");
    });
}

/// The writer ends with the test, also with one that fails.
struct Stopping<'s>(&'s AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
