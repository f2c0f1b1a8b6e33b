//! Every state of every matter, on directories that say what a machine's would.

use tempfile::TempDir;

use super::*;
use crate::paths::{MODE_PUBLIC, write_atomic};
use crate::update::Why;

const RUNS: &str = "0.1.1";

fn put(root: &Path, path: &str, text: &str) {
    let at = root.join(path);
    std::fs::create_dir_all(at.parent().unwrap()).unwrap();
    write_atomic(&at, text.as_bytes(), MODE_PUBLIC).unwrap();
}

fn state(root: &Path, name: &str, text: &str) {
    put(root, &format!("{STATE_DIR}/{name}"), text);
}

fn md(root: &Path, degraded: &str, action: &str, completed: &str) {
    for (name, text) in [
        ("degraded", degraded),
        ("sync_action", action),
        ("sync_completed", completed),
        ("array_state", "clean"),
    ] {
        put(
            root,
            &format!("sys/class/block/md127/md/{name}"),
            &format!("{text}\n"),
        );
    }
}

fn look(root: &Path) -> Machine {
    Machine::look(root, RUNS, &root.join("update.json"))
}

fn about(root: &Path, matter: &str) -> Condition {
    let all = look(root).conditions;
    let mut found = all.into_iter().filter(|one| one.matter.contains(matter));
    let one = found.next().unwrap();
    assert_eq!(found.next(), None, "{matter}");
    one
}

fn expected(version: &str, before: &str, why: Why) -> Expected {
    Expected {
        version: version.to_owned(),
        before: before.to_owned(),
        at: "2026-11-24T00:00:00Z".parse().unwrap(),
        why,
    }
}

fn reading(version: &str, sound: bool) -> String {
    format!(r#""{version}":{{"sound":{sound},"at":"2026-11-30T18:00:00Z"}}"#)
}

#[test]
fn every_state_of_the_array_is_told_with_its_percentage() {
    let cases = [
        (
            ("0", "idle", "none"),
            Array::Whole { mismatches: 0 },
            Grade::Sound,
            "正常です。",
        ),
        (
            ("0", "check", "384 / 1024"),
            Array::Checking {
                permille: Some(375),
            },
            Grade::Sound,
            "37.5 %",
        ),
        (
            ("0", "resync", "delayed"),
            Array::Resyncing { permille: None },
            Grade::Sound,
            "そろえています）",
        ),
        (
            ("1", "recover", "384 / 1024"),
            Array::Rebuilding {
                permille: Some(375),
            },
            Grade::Notice,
            "37.5 %",
        ),
        (
            ("1", "idle", "none"),
            Array::Degraded,
            Grade::Bad,
            "1台だけ",
        ),
        (
            ("1", "frozen", "none"),
            Array::Degraded,
            Grade::Bad,
            "1台だけ",
        ),
        (
            ("", "", ""),
            Array::Unreadable,
            Grade::Bad,
            "状態を読めません",
        ),
    ];
    for ((degraded, action, completed), array, grade, words) in cases {
        let root = TempDir::new().unwrap();
        md(root.path(), degraded, action, completed);
        assert_eq!(look(root.path()).array, array);
        let told = about(root.path(), "鏡");
        assert_eq!(told.grade, grade, "{}", told.text);
        assert!(told.text.contains(words), "{}", told.text);
        let page = (grade > Grade::Sound).then_some(Runbook::RaidDisk);
        assert_eq!(told.runbook, page);
    }
}

#[test]
fn an_array_that_is_not_there_or_not_started_says_why() {
    let root = TempDir::new().unwrap();
    assert_eq!(look(root.path()).array, Array::Absent);
    md(root.path(), "", "", "");
    put(
        root.path(),
        "sys/class/block/md127/md/array_state",
        "inactive\n",
    );
    state(
        root.path(),
        ARRAY,
        r#"{"at":"2026-12-01T00:00:00Z","reasons":["2台は別々のアレイのものです。どちらにも触れません。"]}"#,
    );
    assert_eq!(look(root.path()).array, Array::Inactive);
    let told = about(root.path(), "鏡");
    assert!(
        told.text.ends_with("どちらにも触れません。"),
        "{}",
        told.text
    );
    assert!(!look(root.path()).holds());
    // What was said while a disk was missing is no news of a whole array.
    md(root.path(), "0", "idle", "none");
    assert_eq!(about(root.path(), "鏡").text, "2台とも正常です。");
    put(
        root.path(),
        "sys/class/block/md127/md/mismatch_cnt",
        "128\n",
    );
    let told = about(root.path(), "鏡");
    assert!(told.grade == Grade::Unclear && told.text.contains("128セクタ"));
}

#[test]
fn a_version_that_was_read_is_told_with_its_time_and_one_that_was_not_is_unclear() {
    let root = TempDir::new().unwrap();
    md(root.path(), "0", "idle", "none");
    assert_eq!(about(root.path(), "システム領域").grade, Grade::Unclear);
    let both = format!("{{{},{}}}", reading(RUNS, true), reading("0.1.0", false));
    state(root.path(), "slots.json", &both);
    let own = about(root.path(), "版 0.1.1");
    assert_eq!((own.grade, own.at.is_some()), (Grade::Sound, true));
    let other = about(root.path(), "版 0.1.0");
    assert_eq!(other.grade, Grade::Bad);
    assert!(other.text.contains("そのまま使えます"), "{}", other.text);
    // Written over since.
    let next = expected("0.1.2", RUNS, Why::Update);
    small_file::write(&next_file(root.path()), &next, MODE_PUBLIC).unwrap();
    let all = look(root.path());
    assert!(all.holds());
    assert_eq!(all.next.as_deref(), Some("0.1.2"));
    let runs = about(root.path(), "装置の版");
    assert!(runs.text.contains("次の起動から版 0.1.2"), "{}", runs.text);
}

#[test]
fn a_running_version_that_is_bent_says_what_the_next_start_takes_or_that_there_is_nothing() {
    let root = TempDir::new().unwrap();
    let both = format!("{{{},{}}}", reading(RUNS, false), reading("0.1.0", true));
    state(root.path(), "slots.json", &both);
    let told = about(root.path(), "版 0.1.1");
    assert_eq!(
        (told.grade, told.runbook),
        (Grade::Bad, Some(Runbook::Update))
    );
    assert!(
        told.text.contains("代わりに動かせる版がありません"),
        "{}",
        told.text
    );
    let next = expected("0.1.0", RUNS, Why::Bent);
    small_file::write(&next_file(root.path()), &next, MODE_PUBLIC).unwrap();
    let told = about(root.path(), "版 0.1.1");
    assert!(
        told.text.contains("次の起動から版 0.1.0 で動きます"),
        "{}",
        told.text
    );
}

#[test]
fn which_version_runs_is_told_with_the_reason_that_it_is_not_another() {
    let root = TempDir::new().unwrap();
    assert_eq!(about(root.path(), "装置の版").grade, Grade::Sound);
    for (should, grade, words) in [
        (
            expected(RUNS, "0.1.0", Why::Update),
            Grade::Sound,
            "版 0.1.1 で動いています",
        ),
        (
            expected(RUNS, "0.1.2", Why::Operator),
            Grade::Sound,
            "版 0.1.1 で動いています",
        ),
        (
            expected(RUNS, "0.1.2", Why::Bent),
            Grade::Notice,
            "版 0.1.2 の中身が壊れていたため",
        ),
        (
            expected("0.1.2", RUNS, Why::Update),
            Grade::Notice,
            "装置の更新（版 0.1.2）は起動できず",
        ),
        (
            expected("0.1.0", RUNS, Why::Bent),
            Grade::Notice,
            "版 0.1.0 に替えましたが起動できず",
        ),
    ] {
        should.write(&root.path().join("update.json")).unwrap();
        let told = about(root.path(), "装置の版");
        assert_eq!(told.grade, grade);
        assert!(told.text.contains(words), "{}", told.text);
    }
}

#[test]
fn a_disk_that_tells_of_its_end_is_bad_and_one_that_is_watched_is_sound() {
    let root = TempDir::new().unwrap();
    assert_eq!(about(root.path(), "自己診断").grade, Grade::Unclear);
    let said = |disk: &str, kind: &str| {
        let text = format!(r#"{{"disk":"{disk}","kind":"{kind}","at":"2026-12-01T03:00:00Z"}}"#);
        state(root.path(), &format!("smart-{disk}-{kind}.json"), &text);
    };
    said("data-1", "EmailTest");
    said("data-2", "EmailTest");
    assert_eq!(about(root.path(), "データディスク1").grade, Grade::Sound);
    for (kind, grade) in [
        ("Health", Grade::Bad),
        ("CurrentPendingSector", Grade::Bad),
        ("SelfTest", Grade::Bad),
        ("Temperature", Grade::Notice),
        ("FailedReadSmartData", Grade::Notice),
    ] {
        said("data-2", kind);
        let told = about(root.path(), "データディスク2");
        assert_eq!(
            (told.grade, told.runbook),
            (grade, Some(Runbook::SmartDisk))
        );
        let file = format!("{STATE_DIR}/smart-data-2-{kind}.json");
        std::fs::remove_file(root.path().join(file)).unwrap();
    }
    assert_eq!(about(root.path(), "データディスク2").grade, Grade::Sound);
}

#[test]
fn a_bent_file_is_told_and_hides_nothing_else() {
    let root = TempDir::new().unwrap();
    md(root.path(), "1", "idle", "none");
    for name in [ARRAY, NEXT, "slots.json", "smart-data-1-Health.json"] {
        state(root.path(), name, "{");
    }
    put(root.path(), "update.json", "[]");
    let all = look(root.path());
    let unread = all
        .conditions
        .iter()
        .filter(|one| one.text.contains("を読めません（"));
    assert_eq!(unread.count(), 5);
    assert_eq!(about(root.path(), "鏡").grade, Grade::Bad);
    let alarms: Vec<_> = all.alarms().collect();
    assert_eq!(alarms.len(), 1, "{alarms:?}");
}

#[test]
fn disk_a_is_known_by_the_name_of_its_partition() {
    let root = TempDir::new().unwrap();
    put(
        root.path(),
        "sys/class/block/sdb1/uevent",
        "DEVTYPE=partition\nPARTNAME=esp\n",
    );
    assert!(!look(root.path()).disk_a);
    put(
        root.path(),
        "sys/class/block/sdc1/uevent",
        "PARTN=1\nPARTNAME=hokatsu-disk-a\n",
    );
    assert!(look(root.path()).disk_a);
}
