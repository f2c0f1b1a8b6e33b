//! Disks that are ours: enrolled, saved to, carried away, released.

use std::fs;

use backup::records::Outcome;
use base::disks::State;
use harness::process::hokatsu;
use serde_json::Value;

use super::machine::{Machine, ran};

#[test]
fn a_disk_is_enrolled_saved_to_read_back_entered_and_free_to_go() {
    let machine = Machine::new();
    let device = machine.formatted("image-b");
    let (code, _, errors) = machine.disk(&["enrol", "disk-b", "--dry-run"], &device);
    assert_eq!(code, 0, "{errors}");
    assert!(
        !machine.data.backup_disks().exists(),
        "a plan changes nothing"
    );
    let (code, enrolled, errors) = machine.disk(&["enrol", "disk-b", "--yes"], &device);
    assert_eq!((code, &enrolled["name"]), (0, &"disk-b".into()), "{errors}");
    assert!(machine.is_shut());
    let (code, visited, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("抜かないでください"), "{errors}");
    assert!(errors.contains("取り外してよい状態です"), "{errors}");
    assert!(
        visited["bytes_read"].as_u64().unwrap() > 10_000,
        "{visited}"
    );
    assert!(machine.is_shut());
    assert_eq!(fs::read_to_string(machine.path("lamp")).unwrap(), "10");
    assert_eq!(
        fs::read_to_string(machine.path("console")).unwrap(),
        "\u{7}"
    );
    assert_eq!(machine.state(&device), Some(State::Free));
    assert_eq!(machine.listed("disk-b")["place"], "here");
    assert_eq!(machine.visits(), [("disk-b".to_owned(), Outcome::Ok)]);

    let (code, left, errors) = machine.disk(&["unplugged"], &device);
    assert_eq!((code, &left), (0, &"disk-b".into()), "{errors}");
    assert_eq!(machine.state(&device), None);
    assert_eq!(machine.listed("disk-b")["place"], "away");
    assert_eq!(machine.entries("backup disk run／保管先＝disk-b"), 1);
    assert_eq!(
        machine.entries("backup disk unplugged／ディスク＝disk-b"),
        1
    );
    assert_eq!(machine.failing(), [""; 0]);

    // Back again: its entry ends, the next one begins, and only what changed is added.
    let (code, again, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 0, "{errors}");
    assert!(
        errors.contains("戻ったことを、持出し台帳に記録"),
        "{errors}"
    );
    assert!(again["bytes_read"].as_u64() < visited["bytes_read"].as_u64());
    assert_ne!(again["snapshot"], visited["snapshot"]);
    assert_eq!(machine.listed("disk-b")["snapshot"], again["snapshot"]);

    // Without the machine's list, from the disk alone.
    let opener = machine.path("opener");
    let opener = opener.to_str().unwrap();
    let (at, key) = (device.0.to_str().unwrap(), machine.path("keys/luks"));
    ran(opener, &["open", at, "b", key.to_str().unwrap()]);
    ran(opener, &["mount", "b", "read"]);
    let (code, checked, errors) =
        machine.json(&["backup", "check", "--repository", "disk-b", "--read-data"]);
    assert_eq!((code, &checked["healthy"]), (0, &true.into()), "{errors}");
    let to = machine.path("restored");
    let words = [
        "restore",
        "--repository",
        "disk-b",
        "--yes",
        "--to",
        to.to_str().unwrap(),
    ];
    let (code, _, errors) = machine.json(&words);
    assert_eq!(code, 0, "{errors}");
    assert!(to.join("hokatsu.db").exists() && to.join("keys/backup-disks.json").exists());
    ran(opener, &["unmount", "b"]);
    ran(opener, &["close", "b"]);
    assert!(machine.is_shut());
}

#[test]
fn two_disks_at_once_take_turns_and_backup_run_leaves_both_alone() {
    let machine = Machine::new();
    let (b, c) = (
        machine.enrolled("disk-b", "image-b"),
        machine.enrolled("disk-c", "image-c"),
    );
    let runs = [&b, &c].map(|device| {
        let site = machine.site.to_str().unwrap();
        let device = device.0.to_str().unwrap();
        let mut command = hokatsu(["--site", site, "backup", "disk", "run", "--device", device]);
        command.spawn().unwrap()
    });
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    assert!(machine.is_shut());
    assert_eq!(machine.visits().len(), 4);
    let (code, saved, errors) = machine.json(&["backup", "run"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(saved.as_array().unwrap().len(), 1, "{saved}");
    let words = ["backup", "prune", "--repository", "disk-b", "--yes"];
    assert_eq!(machine.json(&words).0, 2);
    for device in [&b, &c] {
        assert_eq!(machine.disk(&["unplugged"], device).0, 0);
    }
    assert_eq!(machine.failing(), [""; 0]);
}

#[test]
fn a_released_and_a_lost_disk_are_never_opened_again_and_their_keys_are_named() {
    let machine = Machine::new();
    let device = machine.enrolled("disk-b", "image-b");
    let (code, _, errors) = machine.json(&["backup", "disk", "release", "disk-b"]);
    assert_eq!(code, 2, "nobody to ask: {errors}");
    let words = ["backup", "disk", "release", "disk-b", "--lost", "--yes"];
    let (code, released, errors) = machine.json(&words);
    assert_eq!(code, 0, "{errors}");
    assert!(
        released["key_file"]
            .as_str()
            .unwrap()
            .ends_with("keys/luks")
    );
    assert!(errors.contains("personal-data-incident.md"), "{errors}");
    let before = machine.hash("image-b");
    for words in [&["run"][..], &["run", "--despite"]] {
        let (code, _, errors) = machine.disk(words, &device);
        assert_eq!(code, 1, "{errors}");
        assert!(errors.contains("紛失としたディスク「disk-b」"), "{errors}");
    }
    let (code, _, errors) = machine.disk(&["enrol", "disk-b", "--yes"], &device);
    assert!(
        code == 2 && errors.contains("登録されたことがあります"),
        "{errors}"
    );
    assert_eq!(machine.hash("image-b"), before);
    let entries =
        |what: &str| machine.entries(&format!("backup disk {what}／ディスク＝disk-b／番号"));
    assert_eq!((entries("enrol"), entries("release")), (1, 1));
    // A new one takes its name.
    drop(device);
    fs::remove_file(machine.path("keys/b")).unwrap();
    drop(machine.enrolled("disk-b", "new-b"));
    assert_eq!(machine.listed("disk-b")["how"], Value::Null);
}
