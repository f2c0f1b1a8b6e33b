//! Losing a key is harmless, and a rotation that was cut short is ended by the next.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;
use crate::{Chunking, init, list};

struct Room {
    dir: TempDir,
    settings: RepositorySettings,
}

impl Room {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = RepositorySettings {
            name: "A".to_owned(),
            location: dir.path().join("repository").into(),
            password_file: dir.path().join("password"),
            chunking: Chunking::Fixed16KiB,
        };
        init(&settings).unwrap();
        Self { dir, settings }
    }

    fn keys(&self) -> usize {
        fs::read_dir(self.settings.location.directory().unwrap().join("keys"))
            .unwrap()
            .count()
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
