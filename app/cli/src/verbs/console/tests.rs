//! How far a machine is, and what is offered then.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::clock::{in_step, source};
use super::exchange::{Candidate, refusal};
use super::machine::{Machine, Stage};
use super::{Act, offered};

fn put(root: &Path, path: &str, text: &str) {
    let at = root.join(path);
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    base::paths::write_atomic(&at, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
}

fn machine() -> (TempDir, Machine) {
    let root = TempDir::new().unwrap();
    let machine = Machine::below(root.path());
    (root, machine)
}

#[test]
fn what_lies_on_the_disks_says_how_far_a_machine_is() {
    let (root, machine) = machine();
    assert_eq!(machine.stage(), Stage::NoVolume);
    put(root.path(), "dev/hokatsu/volume", "");
    assert_eq!(machine.stage(), Stage::Locked);
    fs::create_dir_all(root.path().join("volume/hokatsu")).unwrap();
    assert_eq!(machine.stage(), Stage::Empty);
    put(root.path(), "volume/hokatsu/hokatsu.db", "");
    assert_eq!(machine.stage(), Stage::Unsettled);
    put(root.path(), "etc/hokatsu/site.toml", "");
    assert_eq!(machine.stage(), Stage::Used);
}

#[test]
fn only_a_machine_without_records_is_refilled_and_only_one_with_them_restored() {
    for stage in [
        Stage::NoVolume,
        Stage::Locked,
        Stage::Empty,
        Stage::Unsettled,
        Stage::Used,
    ] {
        let acts = offered(stage);
        let refills = matches!(stage, Stage::Empty | Stage::Unsettled);
        assert_eq!(acts.contains(&Act::Refill), refills);
        assert_eq!(acts.contains(&Act::Restore), stage == Stage::Used);
        assert_eq!(acts.contains(&Act::Undo), stage == Stage::Used);
        assert_eq!(acts.contains(&Act::Update), stage == Stage::Used);
        assert_eq!(acts.contains(&Act::Rollback), stage == Stage::Used);
        assert_eq!(acts.contains(&Act::Exchange), stage == Stage::Used);
        let begins = matches!(stage, Stage::NoVolume | Stage::Empty | Stage::Unsettled);
        assert_eq!(acts.contains(&Act::Stick), begins);
        assert_eq!(acts.contains(&Act::Unlock), stage == Stage::Locked);
        assert!(acts.contains(&Act::PowerOff), "{stage:?}");
        assert!(acts.contains(&Act::Runbooks), "{stage:?}");
    }
}

#[test]
fn what_is_wrong_with_the_parts_stands_above_the_menu() {
    let (root, machine) = machine();
    let release = "IMAGE_ID=hokatsu\nIMAGE_VERSION=0.1.0\n";
    put(root.path(), "etc/os-release", release);
    let md = |degraded: &str, action: &str| {
        for (name, text) in [
            ("degraded", degraded),
            ("sync_action", action),
            ("sync_completed", "512 / 2048"),
        ] {
            put(
                root.path(),
                &format!("sys/class/block/md127/md/{name}"),
                text,
            );
        }
        machine.standing(Stage::NoVolume).join("\n")
    };
    let whole = md("0", "idle");
    assert!(
        whole.contains("装置（版 0.1.0）: ディスクとシステム領域に異常はありません"),
        "{whole}"
    );
    let rebuilding = md("1", "recover");
    assert!(rebuilding.contains("25.0 %"), "{rebuilding}");
    let degraded = md("1", "idle");
    assert!(degraded.contains("1台だけで動いています"), "{degraded}");
    assert!(degraded.contains("手順書 raid-disk"), "{degraded}");
    let file = format!("{}/smart-data-1-Health.json", base::machine::STATE_DIR);
    let text = r#"{"disk":"data-1","kind":"Health","at":"2026-12-01T00:00:00Z"}"#;
    put(root.path(), &file, text);
    assert!(md("0", "idle").contains("手順書 smart-disk"));
}

#[test]
fn nothing_but_the_appliance_has_this_menu() {
    let (root, machine) = machine();
    assert!(!machine.is_appliance());
    put(root.path(), "usr/lib/hokatsu/array", "");
    assert!(machine.is_appliance());
}

#[test]
fn time_is_told_as_chrony_tells_it() {
    let tracking = |reference: &str, source: &str, leap: &str| {
        format!(
            "{reference},{source},3,1796090000.1,-0.000123000,0.0,0.0,1.5,0.0,0.1,0.001,0.002,64.2,{leap}\n"
        )
    };
    for (line, words) in [
        (
            tracking("C0000201", "192.0.2.1", "Normal"),
            "合っています（192.0.2.1、階層 3、ずれ 0.1 ミリ秒）",
        ),
        (
            tracking("00000000", "", "Not synchronised"),
            "合っていません",
        ),
        (tracking("7F7F0101", "", "Normal"), "装置の時計を基準"),
        ("506 Cannot talk to daemon\n".to_owned(), "読めません"),
        (String::new(), "読めません"),
    ] {
        let said = in_step(&line);
        assert!(said.contains(words), "{line}: {said}");
    }
    for (line, words) in [
        (
            "^,*,192.0.2.1,2,6,377,35,0.0001,0.0001,0.01",
            Some("192.0.2.1: 答えます"),
        ),
        (
            "^,?,192.0.2.9,0,8,0,4294967295,0.0,0.0,0.0",
            Some("192.0.2.9: 答えません"),
        ),
        (
            "^,x,192.0.2.8,2,6,377,12,9.0,9.0,0.1",
            Some("信用できません"),
        ),
        ("", None),
    ] {
        let said = source(line);
        assert_eq!(said.is_some(), words.is_some(), "{line}");
        assert!(
            said.unwrap_or_default().contains(words.unwrap_or_default()),
            "{line}"
        );
    }
}

#[test]
fn a_place_is_free_in_a_mirror_that_lacks_a_disk_and_asks_for_one_as_large() {
    let (root, machine) = machine();
    assert_eq!(machine.lacks_a_disk(), None);
    put(root.path(), "sys/class/block/md127/md/degraded", "0\n");
    put(root.path(), "sys/class/block/md127/slaves/sda/size", "");
    put(root.path(), "sys/class/block/sda/size", "1000\n");
    assert_eq!(machine.lacks_a_disk(), None);
    put(root.path(), "sys/class/block/md127/md/degraded", "1\n");
    assert_eq!(machine.lacks_a_disk(), Some(512_000));
    assert_eq!(machine.members(), [Path::new("/dev/sda")]);
}

#[test]
fn a_disk_on_usb_is_none_of_the_machines_and_neither_is_one_that_is_gone() {
    let (root, machine) = machine();
    for (name, place) in [
        ("sda", "pci0000:00/ata1/block/sda"),
        ("sdb", "pci0000:00/usb2/2-1/block/sdb"),
    ] {
        put(root.path(), &format!("sys/devices/{place}/size"), "1");
        let link = root.path().join("sys/class/block").join(name);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(root.path().join("sys/devices").join(place), link).unwrap();
    }
    assert!(!machine.hangs_on_usb(Path::new("/dev/sda")));
    assert!(machine.hangs_on_usb(Path::new("/dev/sdb")));
    assert!(machine.hangs_on_usb(Path::new("/dev/sdc")));
}

#[test]
fn a_disk_that_is_too_small_or_takes_no_writes_is_not_taken() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("disk");
    fs::File::create(&file).unwrap().set_len(1_000).unwrap();
    let found = erase::image(&file).unwrap();
    let mut one = Candidate { found, holds: None };
    assert_eq!(refusal(&one, 1_000), None);
    assert!(refusal(&one, 1_001).unwrap().contains("小さい"));
    one.found.read_only = true;
    assert!(refusal(&one, 1_000).unwrap().contains("書き込めない"));
}
