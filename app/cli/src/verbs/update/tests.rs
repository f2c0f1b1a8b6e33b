//! Which version may follow which, and what is said of a file that may not.

use base::paths::write_atomic;
use bundle::{FORMAT, MACHINE, Part};

use super::slots::tests::DISK;
use super::*;

fn part() -> Part {
    Part {
        bytes: 1,
        sha256: String::new(),
        uuid: None,
    }
}

fn manifest(version: &str, schema: i64) -> Manifest {
    Manifest {
        format: FORMAT,
        machine: MACHINE.to_owned(),
        version: Version::parse(version).unwrap(),
        schema,
        root: part(),
        root_verity: part(),
        kernel: part(),
    }
}

fn system() -> System {
    System::of_test(DISK, Version::new(0, 1, 0))
}

fn told(report: &Report) -> String {
    report.for_operator().unwrap().text.to_owned()
}

#[test]
fn only_a_newer_version_follows_and_only_one_that_came_up_whole_is_left() {
    let proven = tempfile::tempdir().unwrap();
    let may = |version: &str, schema: i64| {
        may_follow(&manifest(version, schema), &system(), proven.path())
            .map_err(|report| told(&report))
    };
    assert!(
        may("0.1.1", SCHEMA_VERSION)
            .unwrap_err()
            .contains("起動の合否")
    );
    write_atomic(&proven.path().join("0.1.0"), b"", MODE_PUBLIC).unwrap();
    may("0.1.1", SCHEMA_VERSION).unwrap();
    may("0.2.0-rc.1", SCHEMA_VERSION + 1).unwrap();
    assert!(
        may("0.1.0", SCHEMA_VERSION)
            .unwrap_err()
            .contains("もう動いています")
    );
    assert!(
        may("0.0.9", SCHEMA_VERSION)
            .unwrap_err()
            .contains("rollback")
    );
    assert!(
        may("0.1.0-rc.1", SCHEMA_VERSION)
            .unwrap_err()
            .contains("より古い")
    );
    assert!(
        may("0.1.1", SCHEMA_VERSION - 1)
            .unwrap_err()
            .contains("今の形の記録")
    );
}

#[test]
fn the_plan_says_when_there_is_no_way_back_without_a_backup() {
    let system = system();
    let slot = system.idle().unwrap();
    let plan = |schema| planned(&manifest("0.1.1", schema), &system, slot);
    assert!(!plan(SCHEMA_VERSION).point_of_no_return);
    assert!(plan(SCHEMA_VERSION + 1).point_of_no_return);
    assert_eq!(plan(SCHEMA_VERSION).replaces, None);
}

#[test]
fn every_reason_says_that_nothing_was_changed_and_what_to_do() {
    let all = [
        BundleError::Io(io::Error::other("gone")),
        BundleError::NotOne,
        BundleError::NoKey,
        BundleError::Signature,
        BundleError::Format(2),
        BundleError::OtherMachine,
        BundleError::Damaged("root.zst"),
    ];
    for error in all {
        let report = refused(&error);
        assert_eq!(report.exit_code(), 2);
        let text = told(&report);
        assert!(text.ends_with("何も変えていません"), "{text}");
    }
}

#[test]
fn what_a_version_leaves_is_known_when_somebody_wants_to_go_back() {
    let root = tempfile::tempdir().unwrap();
    let version = Version::new(0, 1, 0);
    assert_eq!(schema_of(root.path(), &version).unwrap(), None);
    leaves(root.path(), &version, 26).unwrap();
    assert_eq!(schema_of(root.path(), &version).unwrap(), Some(26));
}
