//! Making repositories and saving into them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use super::{At, NOON, Room, files_below, flip_byte, instant, noise, put, quiet};
use crate::snapshots::UNPROVEN_TAG;
use crate::{
    BackupError, Beside, CheckDepth, Chunking, Progress, Step, check, init, list, lock, repository,
    run,
};

#[test]
fn the_first_snapshot_reads_every_file_and_is_listed_with_its_facts_in_japanese_time() {
    let room = Room::filled();
    let summary = room.run().unwrap();
    assert_eq!(summary.files_read, 3);
    let listed = list(&room.settings).unwrap();
    assert_eq!(listed, [summary.snapshot]);
    assert_eq!((listed[0].files, listed[0].bytes), (3, 350_000));
    assert_eq!(listed[0].facts["residents"], 3);
    assert!(
        listed[0]
            .taken_at_in_japan()
            .to_string()
            .starts_with("2026-04-07T12:00:00+09:00")
    );
}

#[test]
fn an_unchanged_source_makes_a_second_snapshot_without_reading_a_file() {
    let mut room = Room::filled();
    room.run().unwrap();
    room.later(1);
    let second = room.run().unwrap();
    assert_eq!((second.files_read, second.bytes_added), (0, 0));
    assert_eq!(second.snapshot.facts["residents"], 3);
    assert_eq!(second.snapshot.files, 3);
    assert_eq!(list(&room.settings).unwrap().len(), 2);
    assert!(room.restore().unwrap().is_complete());
    let checked = check(&room.settings, CheckDepth::AllData).unwrap();
    assert!(checked.is_healthy(), "{:?}", checked.findings);
}

/// Each of these is a change, though no byte of what was there before is another.
#[test]
fn a_snapshot_is_repeated_only_when_nothing_at_all_changed() {
    type Change = fn(&mut Room);
    let changes: [(&str, Change); 6] = [
        ("facts", |room| room.source.facts["residents"] = 4.into()),
        ("a file more", |room| room.put("attachments/3", b"")),
        ("a file less", |room| {
            fs::remove_file(room.source.dir.join("attachments/2")).unwrap();
        }),
        ("a directory more", |room| {
            fs::create_dir(room.source.dir.join("another")).unwrap();
        }),
        ("a directory less", |room| {
            fs::remove_dir(room.source.dir.join("empty")).unwrap();
        }),
        ("who may read it", |room| {
            let mode = fs::Permissions::from_mode(0o640);
            fs::set_permissions(room.source.dir.join("attachments/1"), mode).unwrap();
        }),
    ];
    for (what, change) in changes {
        let mut room = Room::filled();
        room.run().unwrap();
        change(&mut room);
        room.later(1);
        let trees = || {
            let opened = repository::open(&room.settings).unwrap();
            let all = opened.get_all_snapshots().unwrap();
            let trees = all.iter().map(|one| one.tree.to_string());
            trees.collect::<std::collections::BTreeSet<_>>().len()
        };
        room.run().unwrap();
        assert_eq!(trees(), 2, "{what}");
        assert!(room.restore().unwrap().is_complete(), "{what}");
    }
}

#[test]
fn a_file_that_is_written_anew_with_the_same_bytes_is_no_change() {
    let mut room = Room::filled();
    room.run().unwrap();
    fs::remove_file(room.source.dir.join("attachments/1")).unwrap();
    room.put("attachments/1", &noise(2, 50_000));
    room.later(1);
    assert_eq!(room.run().unwrap().bytes_added, 0);
    // It is hashed, so that one of other bytes is none.
    fs::remove_file(room.source.dir.join("attachments/1")).unwrap();
    room.put("attachments/1", &noise(3, 50_000));
    room.later(1);
    assert_eq!(room.run().unwrap().files_read, 1);
}

#[test]
fn a_file_that_the_disk_bent_since_is_kept_as_it_was_saved() {
    let mut room = Room::filled();
    room.run().unwrap();
    let path = room.source.dir.join("attachments/1");
    let before = fs::metadata(&path).unwrap().modified().unwrap();
    flip_byte(&path, 7);
    let bent = fs::File::options().write(true).open(&path).unwrap();
    bent.set_modified(before).unwrap();
    room.later(1);
    assert_eq!(room.run().unwrap().files_read, 0);
    assert!(room.restore().unwrap().is_complete());
    let back = fs::read(room.target().join("attachments/1")).unwrap();
    assert_eq!(back, noise(2, 50_000));
    // One that was written to is another file.
    flip_byte(&path, 8);
    room.later(1);
    assert_eq!(room.run().unwrap().files_read, 1);
}

#[test]
fn files_that_are_linked_into_the_source_anew_are_not_read_and_their_directory_not_written_again() {
    let mut room = Room::filled();
    for file in 0..300 {
        room.put(&format!("attachments/shelf/{file}"), &noise(file, 2_000));
    }
    room.run().unwrap();
    let (old, new) = (room.source.dir.clone(), room.dir.path().join("anew"));
    for path in files_below(&old) {
        let target = new.join(path.strip_prefix(&old).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::hard_link(path, target).unwrap();
    }
    fs::create_dir(new.join("empty")).unwrap();
    room.source.dir = new;
    room.later(1);
    let again = room.run().unwrap();
    assert_eq!((again.files_read, again.bytes_added), (0, 0));
    // With one file more: that, the manifest and the directories above them.
    room.put("one", b"more");
    room.later(1);
    let more = room.run().unwrap();
    assert_eq!(more.files_read, 1);
    assert!(more.bytes_added < 40_000, "{}", more.bytes_added);
    assert!(room.restore().unwrap().is_complete());
}

#[test]
fn a_second_snapshot_of_the_same_instant_is_proven_too() {
    let room = Room::filled();
    room.run().unwrap();
    room.put("hokatsu.db", &noise(4, 300_000));
    assert_eq!(room.run().unwrap().files_read, 3);
    assert_eq!(list(&room.settings).unwrap().len(), 2);
}

#[test]
fn one_changed_page_adds_little_more_than_one_chunk() {
    let mut room = Room::filled();
    room.run().unwrap();
    let mut bytes = noise(1, 300_000);
    bytes[150_000] ^= 1;
    room.put("hokatsu.db", &bytes);
    room.later(1);
    let changed = room.run().unwrap();
    assert_eq!(changed.files_read, 1);
    assert!(
        (16_384..40_000).contains(&changed.bytes_added),
        "{}",
        changed.bytes_added
    );
}

#[test]
fn a_made_password_file_is_private_and_a_used_directory_is_refused() {
    let room = Room::new(Chunking::ContentDefined);
    let mode = fs::metadata(&room.settings.password_file)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(
        init(&room.settings),
        Err(BackupError::Used { .. })
    ));
}

#[test]
fn a_file_that_vanishes_between_listing_and_reading_fails_the_run_and_leaves_no_snapshot() {
    let room = Room::filled();
    let gone = room.source.dir.join("attachments/1");
    let hook: Arc<dyn Progress> = Arc::new(At(Step::Save, move || fs::remove_file(&gone).unwrap()));
    let error = run(&room.settings, &room.source, &hook).unwrap_err();
    let BackupError::SourceChanged { files } = error else {
        panic!("{error:?}")
    };
    assert_eq!(files, ["attachments/1"]);
    assert!(list(&room.settings).unwrap().is_empty());
}

#[test]
fn a_file_that_changes_while_it_is_saved_fails_the_run_even_with_the_same_size() {
    let room = Room::filled();
    let path = room.source.dir.join("hokatsu.db");
    let change = move || put(&path, &noise(9, 300_000));
    let hook: Arc<dyn Progress> = Arc::new(At(Step::Save, change));
    let error = run(&room.settings, &room.source, &hook).unwrap_err();
    let BackupError::SourceChanged { files } = error else {
        panic!("{error:?}")
    };
    assert_eq!(files, ["hokatsu.db"]);
    assert!(list(&room.settings).unwrap().is_empty());
}

#[test]
fn an_empty_source_and_a_missing_one_and_a_link_in_one_are_refused() {
    let mut room = Room::new(Chunking::Fixed16KiB);
    assert!(matches!(room.run(), Err(BackupError::SourceEmpty { .. })));
    std::os::unix::fs::symlink("/etc/hosts", room.source.dir.join("link")).unwrap();
    assert!(matches!(
        room.run(),
        Err(BackupError::SourceUnsupported { .. })
    ));
    room.source.dir.push("none");
    assert!(matches!(room.run(), Err(BackupError::Io { .. })));
    assert!(list(&room.settings).unwrap().is_empty());
}

#[test]
fn a_wrong_password_is_told_as_such() {
    let room = Room::filled();
    put(&room.settings.password_file, b"something else\n");
    assert!(matches!(room.run(), Err(BackupError::PasswordWrong { .. })));
}

#[test]
fn a_disk_that_is_not_there_is_told_as_such_and_gets_no_lock_file() {
    let mut room = Room::filled();
    room.settings.location = room.dir.path().join("unmounted").into();
    fs::create_dir(room.settings.location.directory().unwrap()).unwrap();
    assert!(matches!(room.run(), Err(BackupError::NotThere { .. })));
    assert_eq!(
        fs::read_dir(room.settings.location.directory().unwrap())
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn a_second_writer_is_refused_and_told_who_is_writing() {
    let room = Room::filled();
    let held = lock::take(&room.settings, "backup prune", instant(NOON)).unwrap();
    let error = room.run().unwrap_err();
    let BackupError::Locked { owner, .. } = error else {
        panic!("{error:?}")
    };
    assert!(owner.starts_with("backup prune, pid "), "{owner}");
    assert!(owner.ends_with("since 2026-04-07 12:00:00 JST"), "{owner}");
    drop(held);
    room.run().unwrap();
}

#[test]
fn a_clock_behind_the_newest_snapshot_is_refused() {
    let mut room = Room::filled();
    room.run().unwrap();
    room.later(-1);
    assert!(matches!(room.run(), Err(BackupError::ClockBehind { .. })));
    assert_eq!(list(&room.settings).unwrap().len(), 1);
}

#[test]
fn leftovers_of_a_killed_run_are_removed() {
    let room = Room::filled();
    let leftover = room
        .settings
        .location
        .directory()
        .unwrap()
        .join("data/ab/abcd-tmp-");
    put(&leftover, b"half");
    assert_eq!(room.run().unwrap().leftovers_removed, 1);
    assert!(!leftover.exists());
}

#[test]
fn check_finds_nothing_in_a_sound_repository_and_names_the_pack_with_a_flipped_byte() {
    let room = Room::filled();
    run(&room.settings, &room.source, &quiet()).unwrap();
    assert_eq!(
        check(&room.settings, CheckDepth::AllData).unwrap().findings,
        []
    );
    let pack = room.pack();
    super::flip_byte(&pack, 1_000);
    let found = check(&room.settings, CheckDepth::AllData).unwrap();
    assert!(!found.is_healthy());
    let name = pack.file_name().unwrap().to_str().unwrap();
    let id: String = name.chars().take(8).collect();
    assert!(
        found.findings.iter().any(|f| f.text.contains(&id)),
        "{:?}",
        found.findings
    );
}

#[test]
fn what_a_killed_run_left_unproven_is_not_listed_and_the_next_run_removes_it() {
    let mut room = Room::filled();
    room.run().unwrap();
    let opened = repository::open(&room.settings).unwrap();
    let mut left = opened.get_all_snapshots().unwrap().remove(0);
    left.tags.add(UNPROVEN_TAG.to_owned());
    opened.save_snapshots(vec![left]).unwrap();
    assert_eq!(opened.get_all_snapshots().unwrap().len(), 2);
    assert_eq!(list(&room.settings).unwrap().len(), 1);
    room.later(1);
    room.run().unwrap();
    assert_eq!(opened.get_all_snapshots().unwrap().len(), 2);
    assert_eq!(list(&room.settings).unwrap().len(), 2);
}

#[test]
fn what_lies_beside_the_source_is_read_there_and_comes_back_in_its_place() {
    let mut room = Room::filled();
    let elsewhere = room.dir.path().join("elsewhere");
    put(&elsewhere.join("folder/deep/a"), b"evidence");
    put(&elsewhere.join("single"), b"one file");
    let beside = |from: &str, to: &str| Beside {
        from: elsewhere.join(from),
        to: PathBuf::from(to),
    };
    room.source.beside = vec![beside("folder", "empty/folder"), beside("single", "single")];
    room.run().unwrap();
    assert!(room.restore().unwrap().is_complete());
    let read = |name: &str| fs::read(room.target().join(name)).unwrap();
    assert_eq!(read("empty/folder/deep/a"), b"evidence");
    assert_eq!(read("single"), b"one file");
    assert_eq!(read("hokatsu.db"), noise(1, 300_000));

    room.later(1);
    for wrong in [
        beside("folder", "attachments"),
        beside("folder", "nowhere/folder"),
        beside("single", "manifest.json"),
        beside("gone", "gone"),
    ] {
        room.source.beside = vec![wrong];
        room.run().unwrap_err();
    }
}

/// Killed behind the packs and before the index: the next snapshot must not rest on packs that no index names.
#[test]
fn packs_that_a_killed_run_left_without_an_index_are_named_before_anything_rests_on_them() {
    let mut room = Room::filled();
    room.run().unwrap();
    let repository = room.settings.location.directory().unwrap().to_owned();
    let there = |dir: &str| files_below(&repository.join(dir));
    let before = [there("index"), there("snapshots")].concat();
    room.put("large", &noise(77, 300_000));
    room.later(1);
    room.run().unwrap();
    for left in [there("index"), there("snapshots")].concat() {
        if !before.contains(&left) {
            fs::remove_file(left).unwrap();
        }
    }
    drop(fs::remove_file(repository.join("hokatsu.settled")));
    room.later(1);
    room.run().unwrap();
    let checked = check(&room.settings, CheckDepth::AllData).unwrap();
    assert!(checked.is_healthy(), "{:?}", checked.findings);
}
