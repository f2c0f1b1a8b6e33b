//! Coming back from a snapshot.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Room, flip_byte, noise, put};
use crate::{
    BackupError, CheckDepth, DamageReason, Progress, Quiet, Selector, Step, check, restore_to,
};

/// Dies after so many bytes, as a killed process would.
struct CutAfter {
    bytes: u64,
    seen: AtomicU64,
}

impl Progress for CutAfter {
    fn start(&self, _step: Step, _bytes: u64) {}
    fn advance(&self, bytes: u64) {
        assert!(
            self.seen.fetch_add(bytes, Ordering::Relaxed) < self.bytes,
            "cut"
        );
    }
}

#[test]
fn restored_files_are_byte_equal_with_mode_and_time_and_empty_directories() {
    let room = Room::filled();
    room.run().unwrap();
    let summary = room.restore().unwrap();
    assert!(summary.is_complete());
    assert_eq!(
        (summary.files_restored, summary.bytes_restored),
        (3, 350_000)
    );
    for name in ["hokatsu.db", "attachments/1", "attachments/2"] {
        let (from, to) = (room.source.dir.join(name), room.target().join(name));
        assert_eq!(fs::read(&from).unwrap(), fs::read(&to).unwrap(), "{name}");
        let (from, to) = (fs::metadata(from).unwrap(), fs::metadata(to).unwrap());
        assert_eq!(from.permissions(), to.permissions(), "{name}");
        assert_eq!(from.modified().unwrap(), to.modified().unwrap(), "{name}");
    }
    assert!(room.target().join("empty").is_dir());
    assert_eq!(fs::read_dir(room.target()).unwrap().count(), 3);
}

#[test]
fn a_name_that_is_not_utf_8_comes_back_with_the_same_bytes() {
    let room = Room::filled();
    let name = OsStr::from_bytes(b"\x83\x65\x83\x58\x83\x67\n\"\\.txt");
    put(&room.source.dir.join(name), b"cp932");
    room.run().unwrap();
    assert!(room.restore().unwrap().is_complete());
    assert_eq!(fs::read(room.target().join(name)).unwrap(), b"cp932");
    assert!(
        check(&room.settings, CheckDepth::AllData)
            .unwrap()
            .is_healthy()
    );
}

#[test]
fn a_flipped_byte_costs_the_file_it_is_in_which_is_named_and_the_rest_comes_back() {
    let room = Room::filled();
    room.run().unwrap();
    flip_byte(&room.pack(), 1_000);
    let summary = room.restore().unwrap();
    assert!(!summary.is_complete());
    assert_eq!(summary.damaged.len(), 1);
    let damaged = &summary.damaged[0];
    assert_eq!(damaged.reason, DamageReason::PieceUnreadable);
    assert!(!room.target().join(&damaged.path).exists());
    assert_eq!(summary.files_restored, 2);
}

#[test]
fn a_missing_pack_is_damage_and_not_a_refusal() {
    let room = Room::filled();
    room.run().unwrap();
    let pack = room.pack();
    let aside = room.dir.path().join("aside");
    fs::rename(&pack, &aside).unwrap();
    match room.restore() {
        // The manifest may lie in the same pack as the data.
        Err(BackupError::ManifestUnreadable { .. }) => {}
        other => assert!(!other.unwrap().is_complete()),
    }
    fs::rename(&aside, &pack).unwrap();
    assert!(room.restore().unwrap().is_complete());
}

#[test]
fn a_restore_cut_short_goes_on_and_keeps_what_is_right_and_replaces_what_is_not() {
    let room = Room::filled();
    room.put("z", &noise(3, 100_000));
    room.run().unwrap();
    let cut = CutAfter {
        bytes: 250_000,
        seen: AtomicU64::new(0),
    };
    let target = room.target();
    let first = AssertUnwindSafe(|| restore_to(&room.settings, &Selector::Latest, &target, &cut));
    assert!(catch_unwind(first).is_err());
    assert!(target.join("attachments/1").exists());
    assert!(!target.join("z").exists());
    put(&target.join("attachments/2"), b"not empty any more");

    let second = room.restore().unwrap();
    assert!(second.is_complete());
    assert_eq!((second.files_kept, second.files_restored), (1, 3));
    for name in ["hokatsu.db", "attachments/1", "attachments/2", "z"] {
        let (from, to) = (room.source.dir.join(name), target.join(name));
        assert_eq!(fs::read(from).unwrap(), fs::read(to).unwrap(), "{name}");
    }
    assert!(matches!(
        room.restore(),
        Err(BackupError::TargetUsed { .. })
    ));
}

#[test]
fn a_target_with_a_file_in_it_is_refused_and_left_alone() {
    let room = Room::filled();
    room.run().unwrap();
    put(&room.target().join("mine"), b"mine");
    assert!(matches!(
        room.restore(),
        Err(BackupError::TargetUsed { .. })
    ));
    assert_eq!(fs::read_dir(room.target()).unwrap().count(), 1);
}

#[test]
fn a_snapshot_is_chosen_by_instant_and_by_the_beginning_of_its_id() {
    let mut room = Room::filled();
    let first = room.run().unwrap().snapshot;
    room.put("hokatsu.db", b"changed");
    room.later(2);
    let second = room.run().unwrap().snapshot;
    let at = Selector::At(first.taken_at + jiff::SignedDuration::from_hours(1));
    let old = restore_to(&room.settings, &at, &room.dir.path().join("old"), &Quiet).unwrap();
    assert_eq!(old.snapshot.id, first.id);
    let id = Selector::Id(second.id.chars().take(12).collect());
    let new = restore_to(&room.settings, &id, &room.dir.path().join("new"), &Quiet).unwrap();
    assert_eq!(new.snapshot.id, second.id);
    let before = Selector::At(first.taken_at - jiff::SignedDuration::from_hours(1));
    let none = restore_to(
        &room.settings,
        &before,
        &room.dir.path().join("none"),
        &Quiet,
    );
    assert!(matches!(none, Err(BackupError::NoSnapshot { .. })));
    assert!(!room.dir.path().join("none").exists());
}
