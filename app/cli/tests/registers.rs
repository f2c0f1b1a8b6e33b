//! Registers from the console.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::path::Path;

use harness::process::{ended, prepared};
use tempfile::TempDir;

fn run(site: &Path, words: &[&str]) -> (i32, String, String) {
    ended([&["--json", "--site", site.to_str().unwrap()], words].concat())
}

#[test]
fn a_backup_disk_that_leaves_is_registered_and_a_wrong_day_is_told() {
    let root = TempDir::new().unwrap();
    let site = prepared(root.path()).1;
    let disk = [
        "carried-out",
        "add",
        "--what",
        "バックアップディスク 1号",
        "--persons",
        "84677",
        "--destination",
        "市役所 耐火金庫",
        "--operator",
        "保守 次郎",
    ];
    let (code, told, errors) = run(&site, &disk);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(told.trim(), "{\"number\":1}");
    assert!(errors.contains("番号 1"), "{errors}");
    let late = [&disk[..], &["--due", "きのう"]].concat();
    let (code, told, errors) = run(&site, &late);
    assert_eq!((code, told.as_str()), (2, ""), "{errors}");
    assert!(
        errors.contains("due_on: 期限の日付を読めません"),
        "{errors}"
    );
    let (code, _, _) = run(&site, &["audit", "verify"]);
    assert_eq!(code, 0);
}
