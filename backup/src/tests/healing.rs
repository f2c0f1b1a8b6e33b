//! What one repository has lost comes from another that still has it.

use std::fs;

use super::{Room, files_below, flip_byte, noise, put, quiet};
use crate::{
    Chunking, Healed, Quiet, RepositorySettings, RestoreSummary, Selector, init, restore_file,
    restore_healing, run,
};

/// A second repository of the same source, which need not cut alike.
fn second(room: &Room, chunking: Chunking) -> RepositorySettings {
    let settings = RepositorySettings {
        name: "B".to_owned(),
        location: room.dir.path().join("second").into(),
        password_file: room.dir.path().join("second-password"),
        chunking,
    };
    init(&settings).unwrap();
    run(&settings, &room.source, &quiet()).unwrap();
    settings
}

fn restore(room: &Room, others: &[RepositorySettings]) -> RestoreSummary {
    let from = (&room.settings, others);
    restore_healing(from, &Selector::Latest, &room.target(), &Quiet).unwrap()
}

fn whole(room: &Room, names: &[&str]) {
    for name in names {
        let (from, to) = (room.source.dir.join(name), room.target().join(name));
        assert_eq!(fs::read(from).unwrap(), fs::read(to).unwrap(), "{name}");
    }
}

const NAMES: [&str; 3] = ["hokatsu.db", "attachments/1", "attachments/2"];

#[test]
fn a_damaged_piece_comes_from_a_repository_that_cuts_alike() {
    let room = Room::filled();
    room.run().unwrap();
    let other = second(&room, Chunking::Fixed16KiB);
    flip_byte(&room.pack(), 1_000);
    let summary = restore(&room, &[room.settings.clone(), other]);
    assert!(summary.is_complete());
    assert_eq!(summary.healed.len(), 1);
    assert_eq!(summary.healed[0].from, "B");
    whole(&room, &NAMES);
}

#[test]
fn a_damaged_file_comes_from_a_repository_that_cuts_otherwise() {
    let room = Room::filled();
    room.run().unwrap();
    let other = second(&room, Chunking::ContentDefined);
    flip_byte(&room.pack(), 1_000);
    let summary = restore(&room, &[other]);
    assert!(summary.is_complete());
    assert_eq!(summary.healed.len(), 1);
    whole(&room, &NAMES);
}

/// Each has lost another part: together they still have everything.
#[test]
fn two_damaged_repositories_make_one_whole_file() {
    let room = Room::new(Chunking::Fixed16KiB);
    room.put("hokatsu.db", &noise(1, 8_000_000));
    room.run().unwrap();
    let other = second(&room, Chunking::Fixed16KiB);
    let packs = |settings: &RepositorySettings| {
        let mut packs = files_below(&settings.location.directory().unwrap().join("data"));
        packs.sort_by_key(|pack| fs::metadata(pack).unwrap().len());
        packs.pop().unwrap()
    };
    flip_byte(&packs(&room.settings), 1_000);
    flip_byte(&packs(&other), 3_000_000);
    let summary = restore(&room, &[other]);
    assert!(summary.is_complete(), "{:?}", summary.damaged);
    whole(&room, &["hokatsu.db"]);
}

#[test]
fn a_lost_tree_or_manifest_comes_from_the_other_repository() {
    let room = Room::filled();
    room.run().unwrap();
    let other = second(&room, Chunking::Fixed16KiB);
    for pack in files_below(&room.settings.location.directory().unwrap().join("data")) {
        fs::remove_file(pack).unwrap();
    }
    let summary = restore(&room, &[other]);
    assert!(summary.is_complete());
    assert_eq!(summary.healed.len(), 3);
    whole(&room, &NAMES);
}

#[test]
fn what_both_have_lost_is_named_with_its_hash() {
    let room = Room::filled();
    room.run().unwrap();
    let other = second(&room, Chunking::Fixed16KiB);
    for settings in [&room.settings, &other] {
        let mut packs = files_below(&settings.location.directory().unwrap().join("data"));
        packs.sort_by_key(|pack| fs::metadata(pack).unwrap().len());
        flip_byte(packs.last().unwrap(), 1_000);
    }
    let summary = restore(&room, &[other]);
    assert_eq!(summary.damaged.len(), 1);
    assert_eq!(summary.damaged[0].sha256.len(), 64);
}

#[test]
fn one_file_comes_back_alone_and_is_healed_as_well() {
    let room = Room::filled();
    room.run().unwrap();
    let other = second(&room, Chunking::Fixed16KiB);
    for pack in files_below(&room.settings.location.directory().unwrap().join("data")) {
        fs::remove_file(pack).unwrap();
    }
    let others = [other];
    let from = (&room.settings, others.as_slice());
    let wanted = ("attachments/1", room.target());
    let one = restore_file(from, &Selector::Latest, (wanted.0, &wanted.1), &Quiet).unwrap();
    assert_eq!(
        one.healed,
        [Healed {
            path: "attachments/1".to_owned(),
            from: "B".to_owned()
        }]
    );
    let there = fs::read(room.target().join("1")).unwrap();
    assert_eq!(
        there,
        fs::read(room.source.dir.join("attachments/1")).unwrap()
    );
    assert_eq!(fs::read_dir(room.target()).unwrap().count(), 1);
    put(&room.target().join("2"), b"mine");
    let taken = ("attachments/2", room.target());
    let refused = restore_file(from, &Selector::Latest, (taken.0, &taken.1), &Quiet);
    assert!(refused.is_err());
    assert_eq!(fs::read(room.target().join("2")).unwrap(), b"mine");
}
