//! Registers from the console.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::path::Path;

use base::clock::Clock;
use harness::process::{ended, prepared, prepared_for_backups};
use jiff::ToSpan as _;
use store::{Actor, DataDir, Db, Event, Operation, StoreError, params};
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

/// A machine whose only repository lies on a disk that is carried away.
fn with_a_disk(root: &Path, words: &str) -> (std::path::PathBuf, std::path::PathBuf) {
    let (data, site) = prepared_for_backups(root);
    let text = std::fs::read_to_string(&site).unwrap();
    let text = format!("{text}[backup.repositories.removable]\n{words}");
    base::paths::write_atomic(&site, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
    (data, site)
}

const DISK: &str = "label = \"BK-01\"\ndestination = \"市役所 耐火金庫\"\n\
    carried_by = \"長寿あんしん課 情報担当\"\ndays_out = 14\n";

fn rows(data: &Path, sql: &str) -> Vec<String> {
    let db = Db::open_beside(&DataDir::new(data), Clock::system()).unwrap();
    let read = db.read(&Actor::system("試験"), |tx| {
        tx.all(sql, [], |row| row.get::<_, String>(0))
    });
    read.map_err(|e: StoreError| e).unwrap()
}

#[test]
fn a_backup_onto_a_disk_that_leaves_enters_it_renews_it_and_sees_it_come_back() {
    let root = TempDir::new().unwrap();
    let (data, site) = with_a_disk(root.path(), DISK);
    assert_eq!(run(&site, &["backup", "init"]).0, 0);
    let backup = || {
        let (code, _, errors) = run(&site, &["backup", "run"]);
        assert_eq!(code, 0, "{errors}");
        errors
    };
    assert!(backup().contains("持出し台帳の番号 1"));
    let told = "select what || '／' || persons || '／' || medium || '／' || medium_note || '／'
        || destination || '／' || carried_by || '／' || encrypted || '／'
        || cast(julianday(due_on) - julianday(taken_on) as integer) from carried_out_states
        where ending is null";
    let entry = "バックアップのディスク「raid」／0／02／BK-01／市役所 耐火金庫／長寿あんしん課 情報担当／1／14";
    assert_eq!(rows(&data, told), [entry]);
    // The same night again: nothing to say.
    assert!(backup().contains("持出し台帳の番号 1"));
    let versions = "select cast(count(*) as text) from carried_out_versions";
    assert_eq!(rows(&data, versions), ["1"]);

    let aged = |days: i64| {
        let db = Db::open(&DataDir::new(&data), Clock::system()).unwrap();
        let day = Clock::system()
            .today()
            .saturating_sub(days.days())
            .to_string();
        db.write(&Actor::system("試験"), |tx| {
            let sql = "update carried_out_versions set taken_on = ?1";
            tx.execute(sql, params![day])?;
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
        })
        .unwrap();
        db.close().unwrap();
    };
    aged(3);
    assert!(
        backup().contains("持出し台帳の番号 1"),
        "still the same stay"
    );
    assert_eq!(rows(&data, versions), ["2"]);
    assert_eq!(rows(&data, told), [entry]);
    aged(20);
    assert!(
        backup().contains("持出し台帳の番号 2"),
        "it was away and is back"
    );
    assert_eq!(rows(&data, told), [entry]);
    let back = "select kind || '／' || handled_by from carried_out_endings";
    assert_eq!(rows(&data, back), ["returned／試験 操作者"]);
    let log = "select operation from audit_entries where record_kind = 'carried_out'
        and menu = 'コマンド backup run' order by id";
    assert_eq!(
        rows(&data, log),
        [
            "carry_out",
            "carry_out_correct",
            "carry_out",
            "carry_out_end"
        ]
    );
    assert_eq!(run(&site, &["audit", "verify"]).0, 0);
}

#[test]
fn a_disk_whose_words_the_register_refuses_is_backed_up_and_told() {
    let root = TempDir::new().unwrap();
    let (data, site) = with_a_disk(root.path(), &DISK.replace("市役所 耐火金庫", " "));
    assert_eq!(run(&site, &["backup", "init"]).0, 0);
    let (code, saved, errors) = run(&site, &["backup", "run"]);
    assert_eq!(code, 1, "{errors}");
    assert!(saved.contains("\"repository\":\"raid\""), "{saved}");
    assert!(
        errors.contains("控えは取りましたが") && errors.contains("destination: 持出し先"),
        "{errors}"
    );
    assert_eq!(rows(&data, "select what from carried_out_states"), [""; 0]);
    for days in ["0", "3651"] {
        let root = TempDir::new().unwrap();
        let words = DISK.replace("14", days);
        let site = with_a_disk(root.path(), &words).1;
        let (code, _, errors) = run(&site, &["backup", "list"]);
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains("days_out"), "{errors}");
    }
}
