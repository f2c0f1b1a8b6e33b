//! Viruses as the command itself meets them, with the stock scanner and a signature of the test.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, write_atomic};
use clamd::{STOCK_FINDING, Stock, eicar};
use harness::process::{ended, prepared};
use serde_json::Value;
use tempfile::TempDir;

/// A site whose scanner listens there.
fn site(root: &Path, socket: &Path) -> PathBuf {
    let (_, site) = prepared(root);
    let text = std::fs::read_to_string(&site).unwrap();
    let text = format!(
        "{text}\n[antivirus]\nsocket = \"{}\"\nsignatures = \"signatures\"\nrestart = [\"true\"]\n",
        socket.display()
    );
    write_atomic(&site, text.as_bytes(), MODE_PRIVATE).unwrap();
    std::fs::create_dir(root.join("signatures")).unwrap();
    site
}

fn run(site: &Path, words: &[&str]) -> (i32, String, String) {
    ended([&["--json", "--site", site.to_str().unwrap()], words].concat())
}

#[test]
fn how_it_stands_is_told_and_a_scanner_without_days_is_not_well() {
    let root = TempDir::new().unwrap();
    let stock = Stock::start("");
    let site = site(root.path(), &stock.socket());
    let (code, out, errors) = run(&site, &["antivirus", "status"]);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("導入されていません"), "{errors}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["answers"], true);
    assert_eq!(told["signatures"], Value::Array(Vec::new()));
    drop(stock);
    let (code, out, errors) = run(&site, &["antivirus", "status"]);
    assert_eq!(code, 1, "{errors}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["answers"], false);
}

#[test]
fn a_feed_with_a_virus_is_not_read() {
    let root = TempDir::new().unwrap();
    let stock = Stock::start("");
    let site = site(root.path(), &stock.socket());
    let feed = root.path().join("feed.csv");
    write_atomic(&feed, &eicar(), MODE_PRIVATE).unwrap();
    let words = ["import", "residents", "--yes", feed.to_str().unwrap()];
    let (code, _, errors) = run(&site, &words);
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains(STOCK_FINDING), "{errors}");
    assert!(errors.contains("virus-found"), "{errors}");
    drop(stock);
    let (_, _, errors) = run(&site, &words);
    assert!(errors.contains("検査せずに進みます"), "{errors}");
}

#[test]
fn what_nobody_signed_is_refused_and_leaves_nothing_behind() {
    let root = TempDir::new().unwrap();
    let site = site(root.path(), Path::new("/nowhere/clamd.ctl"));
    let stick = root.path().join("stick");
    std::fs::create_dir(&stick).unwrap();
    for name in ["main.cvd", "daily.cvd"] {
        let text = "ClamAV-VDB:07 Nov 2026 08-45 -0500:27800:1:90:d41d8cd9:abc:nobody:1794000000";
        write_atomic(&stick.join(name), text.as_bytes(), MODE_PRIVATE).unwrap();
    }
    let words = ["antivirus", "update", "--yes", stick.to_str().unwrap()];
    let (code, _, errors) = run(&site, &words);
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("署名が正しくない"), "{errors}");
    let left = std::fs::read_dir(root.path().join("signatures")).unwrap();
    assert_eq!(left.count(), 0);
}
