//! Scanners that work, are silent or say odd things, and signatures as their first line tells them.

use std::path::Path;
use std::time::{Duration, Instant};

use clamd::{FINDING, Mood, STOCK_FINDING, Scripted, Stock, eicar};
use jiff::SignedDuration;

use super::signatures::{DAILY, SignatureError, installed, read};
use super::*;
use crate::paths::{MODE_PUBLIC, write_atomic};

const WAIT: Duration = Duration::from_secs(30);

fn scanner(socket: &Path, dir: &Path) -> Scanner {
    Scanner::new(&AntivirusSettings {
        socket: socket.to_owned(),
        signatures: dir.to_owned(),
        ..AntivirusSettings::default()
    })
}

fn put(dir: &Path, name: &str, header: &str) {
    let dir = dir.join("now");
    std::fs::create_dir_all(&dir).unwrap();
    let text = format!("{header:<512}packed");
    write_atomic(
        &signatures::file_of(&dir, name),
        text.as_bytes(),
        MODE_PUBLIC,
    )
    .unwrap();
}

fn header(version: u32, built: i64) -> String {
    format!("ClamAV-VDB:07 Nov 2026 08-45 -0500:{version}:2067000:90:d41d8cd9:abc:raynman:{built}")
}

#[test]
fn what_is_clean_and_what_is_not_is_told_with_the_signatures_that_say_so() {
    let clamd = Scripted::start(27_800);
    let scanner = scanner(&clamd.socket(), Path::new("/nowhere"));
    let clean = Scan::Clean { signatures: 27_800 };
    assert_eq!(scanner.scan(b"plain", WAIT).unwrap(), clean);
    // More than one piece, with the virus across two of them.
    let mut long = vec![b' '; PIECE_BYTES - 10];
    long.extend(eicar());
    let found = Scan::Found {
        finding: FINDING.to_owned(),
        signatures: 27_800,
    };
    assert_eq!(scanner.scan(&long, WAIT).unwrap(), found);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    write_atomic(&file, &long, MODE_PUBLIC).unwrap();
    assert_eq!(scanner.scan_file(&file).unwrap(), found);
}

#[test]
fn only_a_whole_answer_makes_a_file_clean() {
    let clamd = Scripted::start(1);
    let scanner = scanner(&clamd.socket(), Path::new("/nowhere"));
    for (mood, is_silent) in [
        (Mood::Hangs, true),
        (Mood::Closes, true),
        (Mood::Refuses, false),
        (Mood::Stops, false),
    ] {
        clamd.set(mood);
        let begun = Instant::now();
        let error = scanner.scan(b"x", Duration::from_millis(200)).unwrap_err();
        assert_eq!(
            matches!(error, ScannerError::Silent(_)),
            is_silent,
            "{mood:?}"
        );
        assert!(begun.elapsed() < WAIT, "{mood:?}");
    }
    let gone = super::tests::scanner(Path::new("/nowhere/clamd.ctl"), Path::new("/nowhere"));
    assert!(matches!(
        gone.scan(b"x", WAIT),
        Err(ScannerError::Silent(_))
    ));
    assert!(gone.version().is_err());
}

#[test]
fn an_answer_is_one_short_line_whatever_the_scanner_says() {
    for odd in [
        "",
        "stream: ",
        "OK",
        "stream: ok",
        "a.pdf: OK",
        "stream: X ERROR",
    ] {
        assert!(verdict(odd.as_bytes()).is_err(), "{odd:?}");
    }
    assert_eq!(verdict(b"stream: OK\0").unwrap(), None);
    let said = verdict("stream: Win.\u{1b}[31m山田 FOUND\0".as_bytes()).unwrap();
    assert_eq!(said.unwrap(), "Win.[31m");
}

#[test]
fn signatures_say_their_number_and_their_day() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().join("now");
    assert_eq!(installed(&here).unwrap(), []);
    put(dir.path(), DAILY, &header(27_800, 1_794_000_000));
    put(dir.path(), "main", &header(62, 1_631_795_562));
    let found = installed(&here).unwrap();
    let names: Vec<&str> = found.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["main", DAILY]);
    let daily = read(&here, DAILY).unwrap().unwrap();
    assert_eq!(daily.version, 27_800);
    let after = |hours| daily.built_at + SignedDuration::from_hours(hours);
    assert_eq!(daily.age_days(after(-5)), 0);
    assert_eq!(daily.age_days(after(47)), 1);
    assert!(!daily.is_old(after(35 * 24 + 23)));
    assert!(daily.is_old(after(36 * 24)));
    for bent in ["", "ClamAV-VDB:a:b", "Other:x:1:2:3:4:5:6:1794000000"] {
        put(dir.path(), DAILY, bent);
        assert!(
            matches!(installed(&here), Err(SignatureError::Bent { .. })),
            "{bent}"
        );
    }
}

#[test]
fn health_is_asked_once_a_minute_and_not_at_each_page() {
    let clamd = Scripted::start(5);
    let dir = tempfile::tempdir().unwrap();
    let scanner = scanner(&clamd.socket(), dir.path());
    let first = scanner.health().unwrap();
    assert_eq!((first.daily.clone(), first.answers), (None, true));
    clamd.set(Mood::Closes);
    assert_eq!(scanner.clone().health().unwrap(), first);
}

/// The stock scanner, with a signature of ours; of the real ones there is none here.
#[test]
fn the_stock_scanner_is_understood() {
    let stock = Stock::start("StreamMaxLength 1M");
    let scanner = scanner(&stock.socket(), Path::new("/nowhere"));
    assert_eq!(scanner.version().unwrap(), 0, "signatures without a number");
    let clean = Scan::Clean { signatures: 0 };
    assert_eq!(scanner.scan("訪問の記録".as_bytes(), WAIT).unwrap(), clean);
    let found = Scan::Found {
        finding: STOCK_FINDING.to_owned(),
        signatures: 0,
    };
    assert_eq!(scanner.scan(&eicar(), WAIT).unwrap(), found);
    let large = vec![0; 2 * 1024 * 1024];
    assert!(scanner.scan(&large, WAIT).is_err(), "more than it takes");
    assert_eq!(scanner.scan(b"x", WAIT).unwrap(), clean, "and it goes on");
}
