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
fn the_mirror_is_told_as_the_kernel_tells_it() {
    for (degraded, action, words) in [
        ("0", "idle", "2台とも正常"),
        ("0", "check", "2台とも正常（月に一度の読み直し中）"),
        (
            "",
            "",
            "状態を読めません。再起動しても同じなら、保守の会社に連絡",
        ),
        ("1", "recover", "写しを作っています（512 / 2048）"),
        ("1", "idle", "1台だけで動いています。手順書 raid-disk"),
    ] {
        let (root, machine) = machine();
        let md = |name: &str| format!("sys/class/block/md127/md/{name}");
        put(root.path(), &md("degraded"), &format!("{degraded}\n"));
        put(root.path(), &md("sync_action"), &format!("{action}\n"));
        put(root.path(), &md("sync_completed"), "512 / 2048\n");
        let lines = machine.standing(Stage::NoVolume);
        assert!(
            lines.contains(&format!("データディスク: {words}")),
            "{lines:?}"
        );
    }
}

#[test]
fn nothing_but_the_appliance_has_this_menu() {
    let (root, machine) = machine();
    assert!(!machine.is_appliance());
    put(root.path(), "usr/lib/hokatsu/array", "");
    assert!(machine.is_appliance());
}
