//! The page through its own route, with a directory for the machine.

use std::path::Path;

use base::machine::STATE_DIR;
use base::paths::{MODE_PUBLIC, write_atomic};
use tempfile::TempDir;

use crate::app::ServerSettings;
use crate::features::staff::tests::house::House;
use crate::web::Role;

const PAGE: &str = "/conditions";

fn put(root: &Path, path: &str, text: &str) {
    let at = root.join(path);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    write_atomic(&at, text.as_bytes(), MODE_PUBLIC).unwrap();
}

fn array(root: &Path, degraded: &str, action: &str) {
    let md = "sys/class/block/md127/md";
    put(root, &format!("{md}/array_state"), "clean\n");
    put(root, &format!("{md}/degraded"), degraded);
    put(root, &format!("{md}/sync_action"), action);
    put(root, &format!("{md}/sync_completed"), "384 / 1024\n");
}

fn house() -> (TempDir, House) {
    let root = TempDir::new().unwrap();
    array(root.path(), "0", "idle");
    let house = House::with(ServerSettings {
        image: Some("0.1.1".to_owned()),
        machine_root: root.path().to_owned(),
        ..ServerSettings::standard()
    });
    house.add("admin", Role::SystemAdmin, None);
    house.add("nurse", Role::Nurse, Some("0101"));
    (root, house)
}

#[test]
fn administrators_see_each_matter_with_its_time_and_page_and_it_is_in_the_log() {
    let (root, house) = house();
    let smart = r#"{"disk":"data-2","kind":"Health","at":"2026-11-23T03:00:00Z"}"#;
    put(
        root.path(),
        &format!("{STATE_DIR}/smart-data-2-Health.json"),
        smart,
    );
    let admin = house.signed_in("admin");
    let text = admin.get(PAGE).text();
    for words in [
        "2台とも正常です",
        "データディスク2",
        "まもなく壊れる",
        "R8.11.23 12:00",
        "smart-disk",
        "まだ全部を読んでいません",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let entries = "select count(*) from audit_entries where operation = 'machine_view'";
    assert_eq!(house.count(entries), 1);
    let printed = admin.get("/conditions/list.pdf");
    assert!(printed.bytes.starts_with(b"%PDF"), "{}", printed.text());
    let entries = "select count(*) from audit_entries where operation = 'machine_print'";
    assert_eq!(house.count(entries), 1);
    assert_eq!(house.signed_in("nurse").get(PAGE).status, 403);
}

#[test]
fn what_is_broken_stands_above_the_pages_of_administrators_alone() {
    let (root, house) = house();
    let (admin, nurse) = (house.signed_in("admin"), house.signed_in("nurse"));
    assert!(!admin.get("/staff").text().contains("データディスク"));
    let foreign = r#"{"at":"2026-11-23T03:00:00Z","reasons":["ディスク2には何か入っています。触れません。"]}"#;
    let slots = r#"{"0.1.1":{"sound":false,"at":"2026-11-23T03:00:00Z"}}"#;
    array(root.path(), "1", "recover");
    assert!(admin.get("/staff").text().contains("37.5 %"));
    array(root.path(), "1", "idle");
    put(root.path(), &format!("{STATE_DIR}/array.json"), foreign);
    put(root.path(), &format!("{STATE_DIR}/slots.json"), slots);
    let text = admin.get("/staff").text();
    for words in [
        "1台だけで動いています",
        "ディスク2には何か入っています",
        "手順書 raid-disk",
        "動いている版 0.1.1 の中身が壊れています",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!nurse.get("/").text().contains("1台だけ"));
}

#[test]
fn a_machine_that_is_no_appliance_says_so() {
    let house = House::new();
    house.add("admin", Role::SystemAdmin, None);
    let admin = house.signed_in("admin");
    let text = admin.get(PAGE).text();
    assert!(text.contains("装置（アプライアンス）ではない"), "{text}");
    assert_eq!(admin.get("/conditions/list.pdf").status, 303);
}
