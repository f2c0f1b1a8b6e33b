//! How far a machine is, and what is offered then.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

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
