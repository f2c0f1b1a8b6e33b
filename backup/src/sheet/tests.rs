//! Losing a key is harmless, and a rotation that was cut short is ended by the next.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustic_core::KeyOptions;
use tempfile::TempDir;

use super::*;
use crate::{Chunking, init, list};

struct Room {
    dir: TempDir,
    settings: RepositorySettings,
}

impl Room {
    fn new() -> Self {
        Self::with(None)
    }

    fn with(password: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = RepositorySettings {
            name: "A".to_owned(),
            location: dir.path().join("repository").into(),
            password_file: dir.path().join("password"),
            chunking: Chunking::Fixed16KiB,
        };
        if let Some(password) = password {
            put(&settings.password_file, password.as_bytes());
        }
        init(&settings).unwrap();
        Self { dir, settings }
    }

    fn keys(&self) -> usize {
        fs::read_dir(self.settings.location.directory().unwrap().join("keys"))
            .unwrap()
            .count()
    }

    /// Rounds of scrypt before each key file opens.
    fn rounds(&self) -> Vec<u64> {
        let keys = self.settings.location.directory().unwrap().join("keys");
        let entries = fs::read_dir(keys).unwrap();
        let rounds = entries.map(|entry| {
            let text = fs::read(entry.unwrap().path()).unwrap();
            let file: serde_json::Value = serde_json::from_slice(&text).unwrap();
            file["N"].as_u64().unwrap()
        });
        rounds.collect()
    }

    /// As all were before there were light ones: the engine's own key file alone.
    fn stretch(&self) {
        let keys = self.settings.location.directory().unwrap().join("keys");
        let light = fs::read_dir(keys).unwrap().next().unwrap().unwrap().path();
        let opened = repository::open(&self.settings).unwrap();
        let password = repository::password(&self.settings.password_file).unwrap();
        opened.add_key(&password, &KeyOptions::default()).unwrap();
        fs::remove_file(light).unwrap();
    }

    fn file(&self, ending: &str) -> PathBuf {
        self.dir.path().join(format!("password.{ending}"))
    }

    fn rotate(&self) {
        rotate(&[&self.settings], now()).unwrap();
    }

    /// One password opens it, another than before, and nothing is left lying about.
    fn is_rotated_from(&self, before: &str) {
        let after = fs::read_to_string(&self.settings.password_file).unwrap();
        assert_ne!(after, before);
        assert!(list(&self.settings).is_ok());
        let former = prove(&self.settings, before.trim());
        assert!(matches!(former, Err(BackupError::PasswordWrong { .. })));
        assert_eq!(self.keys(), 1);
        assert!(!self.file("new").exists() && !self.file("old").exists());
    }
}

fn put(path: &Path, bytes: &[u8]) {
    base::paths::write_atomic(path, bytes, base::paths::MODE_PRIVATE).unwrap();
}

fn now() -> Timestamp {
    "2026-04-07T03:00:00Z".parse().unwrap()
}

#[test]
fn words_open_without_the_machines_password() {
    let room = Room::new();
    let words = Words::fresh().unwrap().password().unwrap();
    assert!(prove(&room.settings, &words).is_err());
    let slot = add(&room.settings, &words, now()).unwrap();
    fs::remove_file(&room.settings.password_file).unwrap();
    assert_eq!(prove(&room.settings, &words).unwrap().slot, slot);
}

#[test]
fn removed_words_open_nothing_and_the_machine_goes_on() {
    let room = Room::new();
    let words = Words::fresh().unwrap().password().unwrap();
    let slot = add(&room.settings, &words, now()).unwrap();
    remove(&room.settings, &slot, now()).unwrap();
    let shut = prove(&room.settings, &words);
    assert!(matches!(shut, Err(BackupError::PasswordWrong { .. })));
    assert!(list(&room.settings).is_ok());
    // Once more is no error: the first may have been cut short behind it.
    remove(&room.settings, &slot, now()).unwrap();
}

#[test]
fn a_new_password_takes_the_old_ones_place() {
    let room = Room::new();
    let before = fs::read_to_string(&room.settings.password_file).unwrap();
    room.rotate();
    room.is_rotated_from(&before);
}

const STRETCHED: u64 = 1 << 17;
const LIGHT: u64 = 1 << 10;

#[test]
fn only_a_password_that_was_drawn_is_not_stretched() {
    let room = Room::new();
    assert_eq!(room.rounds(), [LIGHT]);
    let words = Words::fresh().unwrap().password().unwrap();
    add(&room.settings, &words, now()).unwrap();
    let mut rounds = room.rounds();
    rounds.sort_unstable();
    assert_eq!(rounds, [LIGHT, STRETCHED]);
    for chosen in ["wako", "A2B3C4D5", "correct horse battery staple"] {
        let room = Room::with(Some(chosen));
        assert_eq!(room.rounds(), [STRETCHED]);
        assert!(list(&room.settings).is_ok());
    }
}

#[test]
fn a_key_file_from_before_there_were_light_ones_opens_and_a_rotation_replaces_it() {
    let room = Room::new();
    room.stretch();
    assert_eq!(room.rounds(), [STRETCHED]);
    assert!(list(&room.settings).is_ok());
    let before = fs::read_to_string(&room.settings.password_file).unwrap();
    room.rotate();
    room.is_rotated_from(&before);
    assert_eq!(room.rounds(), [LIGHT]);
}

/// As after a kill while the repository was made: the password has two key files.
#[test]
fn a_rotation_takes_every_key_file_of_the_old_password() {
    let room = Room::new();
    let opened = repository::open(&room.settings).unwrap();
    let before = repository::password(&room.settings.password_file).unwrap();
    opened.add_key(&before, &KeyOptions::default()).unwrap();
    assert_eq!(room.keys(), 2);
    room.rotate();
    room.is_rotated_from(&before);
}

#[test]
fn a_light_key_file_that_is_bent_opens_nothing_and_is_told() {
    let room = Room::new();
    let keys = room.settings.location.directory().unwrap().join("keys");
    let path = fs::read_dir(&keys).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(7) {
        let mut bent = whole.clone();
        bent[at] ^= 0x10;
        put(&path, &bent);
        // Some bytes are names of what nobody asks for.
        if let Err(error) = list(&room.settings) {
            assert!(!error.in_words().is_empty());
        }
    }
    put(&path, &whole);
    assert!(list(&room.settings).is_ok());
}

#[test]
fn repositories_that_share_a_password_file_get_the_new_one_together() {
    let room = Room::new();
    let before = fs::read_to_string(&room.settings.password_file).unwrap();
    let second = RepositorySettings {
        name: "B".to_owned(),
        location: room.dir.path().join("second").into(),
        ..room.settings.clone()
    };
    init(&second).unwrap();
    rotate(&[&room.settings, &second], now()).unwrap();
    room.is_rotated_from(&before);
    assert!(list(&second).is_ok());
    assert!(prove(&second, before.trim()).is_err());
}

#[test]
fn a_rotation_cut_short_anywhere_is_ended_by_the_next() {
    for stage in 0..5 {
        let room = Room::new();
        let before = fs::read_to_string(&room.settings.password_file).unwrap();
        let (new, old) = (room.file("new"), room.file("old"));
        repository::make_password(&new).unwrap();
        if stage >= 1 {
            admit(&room.settings, &new, now()).unwrap();
        }
        if stage >= 2 {
            fs::hard_link(&room.settings.password_file, &old).unwrap();
        }
        if stage >= 3 {
            fs::rename(&new, &room.settings.password_file).unwrap();
        }
        if stage >= 4 {
            retire(&room.settings, &old, now()).unwrap();
        }
        assert!(
            list(&room.settings).is_ok(),
            "stage {stage}: the machine is locked out"
        );
        room.rotate();
        room.is_rotated_from(&before);
    }
}

fn sheet(number: u32, disks: &[(&str, u8)]) -> Sheet {
    let lock = |(uuid, slot): &(&str, u8)| DiskLock {
        name: "A".to_owned(),
        uuid: (*uuid).to_owned(),
        slot: *slot,
        proven_at: None,
    };
    Sheet {
        number,
        made_at: String::new(),
        holders: Vec::new(),
        is_split: false,
        slots: Vec::new(),
        disks: disks.iter().map(lock).collect(),
        proven_at: None,
    }
}

#[test]
fn a_sheet_takes_the_slot_of_its_number_unless_another_has_it_on_that_disk() {
    let mut sheets = Sheets {
        last: 31,
        sheets: vec![sheet(1, &[("a", 2)]), sheet(31, &[])],
    };
    assert_eq!(sheets.disk_slot(31, "a"), Some(3), "2 is of sheet 1");
    assert_eq!(sheets.disk_slot(31, "b"), Some(2), "another disk");
    assert_eq!(sheets.disk_slot(1, "a"), Some(2), "its own");
    assert_eq!(sheets.disk_slot(29, "a"), Some(30));
    assert_eq!(sheets.disk_slot(30, "a"), Some(1));
    let all = (2..=31).map(|number| sheet(number, &[("a", u8::try_from(number).unwrap() - 1)]));
    sheets.sheets = all.collect();
    assert_eq!(sheets.disk_slot(99, "a"), None, "none is overwritten");
}

#[test]
fn a_list_without_disks_is_read_and_a_sheet_goes_when_it_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("recovery-sheets.json");
    let text = r#"{"last":1,"sheets":[{"number":1,"made_at":"","holders":[],"is_split":false,
        "slots":[],"proven_at":null}]}"#;
    base::paths::write_atomic(&file, text.as_bytes(), 0o600).unwrap();
    let mut sheets = Sheets::read(&file).unwrap();
    sheets.sheets.push(sheet(2, &[("a", 3)]));
    sheets.forget_spent();
    sheets.write(&file).unwrap();
    let numbers = Sheets::read(&file).unwrap().sheets;
    assert_eq!(numbers, [sheet(2, &[("a", 3)])]);
}
