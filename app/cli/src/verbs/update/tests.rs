//! Which version may follow which, and what is said of a file that may not.

use base::machine::STATE_DIR;
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
    let esp = tempfile::tempdir().unwrap();
    System::of_test(DISK, Version::new(0, 1, 0), esp.path())
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

/// A machine that runs 0.1.1 and has 0.1.0 beside it; both have three tries.
struct Bench {
    root: tempfile::TempDir,
    dir: DataDir,
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for place in ["boot", "data", STATE_DIR, PROVEN] {
            std::fs::create_dir_all(root.path().join(place)).unwrap();
        }
        let dir = DataDir::new(root.path().join("data"));
        let bench = Self { root, dir };
        for kernel in ["hokatsu_0.1.0+3.efi", "hokatsu_0.1.1+3.efi"] {
            bench.put(&format!("boot/{kernel}"), "");
        }
        bench.put(&format!("{PROVEN}/0.1.0"), "");
        leaves(bench.root.path(), &Version::new(0, 1, 0), SCHEMA_VERSION).unwrap();
        bench
    }

    fn put(&self, path: &str, text: &str) {
        let at = self.root.path().join(path);
        write_atomic(&at, text.as_bytes(), MODE_PUBLIC).unwrap();
    }

    fn read(&self, running: bool, other: bool) {
        let at = "2026-12-01T00:00:00Z";
        let text = format!(
            r#"{{"0.1.1":{{"sound":{running},"at":"{at}"}},"0.1.0":{{"sound":{other},"at":"{at}"}}}}"#
        );
        self.put(&format!("{STATE_DIR}/slots.json"), &text);
    }

    fn decides(&self) -> Result<ExitCode, Report> {
        let disk = DISK
            .replace("hokatsu_0.1.0", "hokatsu_0.1.1")
            .replace(
                "\"_empty\", \"partn\": 4",
                "\"hokatsu_0.1.0_verity\", \"partn\": 4",
            )
            .replace(
                "\"_empty\", \"partn\": 5",
                "\"hokatsu_0.1.0\", \"partn\": 5",
            );
        let esp = self.root.path().join("boot");
        let system = System::of_test(&disk, Version::new(0, 1, 1), &esp);
        let voice = Voice::new(false, true);
        let desk = Desk {
            root: self.root.path(),
            dir: &self.dir,
            now: "2026-12-01T01:00:00Z".parse().unwrap(),
            voice: &voice,
        };
        let operator = Operator {
            name: "装置".to_owned(),
            reason: "試験".to_owned(),
        };
        leave_bent(&system, operator, &desk)
    }

    fn next(&self) -> Option<Expected> {
        Expected::read(&next_file(self.root.path())).unwrap()
    }
}

#[test]
fn a_version_that_is_bent_is_left_at_the_next_start_for_one_that_is_sound_and_once() {
    let bench = Bench::new();
    bench.read(false, true);
    bench.decides().unwrap();
    let next = bench.next().unwrap();
    assert_eq!((next.version.as_str(), next.why), ("0.1.0", Why::Bent));
    assert_eq!(Expected::read(&bench.dir.update()).unwrap(), Some(next));
    let boot = bench.root.path().join("boot");
    assert!(boot.join("hokatsu_0.1.1+0-3.efi").exists());
    assert!(boot.join("hokatsu_0.1.0+3.efi").exists());
    bench.decides().unwrap();
    assert!(boot.join("hokatsu_0.1.1+0-3.efi").exists());
}

#[test]
fn nothing_is_left_for_a_version_that_is_not_known_to_be_better() {
    for spoil in [
        "sound",
        "bent too",
        "not proven",
        "another schema",
        "no try left",
    ] {
        let bench = Bench::new();
        bench.read(spoil == "sound", spoil != "bent too");
        let root = bench.root.path();
        match spoil {
            "not proven" => std::fs::remove_file(root.join(PROVEN).join("0.1.0")).unwrap(),
            "another schema" => {
                leaves(root, &Version::new(0, 1, 0), SCHEMA_VERSION - 1).unwrap();
            }
            "no try left" => {
                let boot = root.join("boot");
                let spent = boot.join("hokatsu_0.1.0+0-3.efi");
                std::fs::rename(boot.join("hokatsu_0.1.0+3.efi"), spent).unwrap();
            }
            _ => {}
        }
        let decided = bench.decides();
        assert_eq!(decided.is_ok(), spoil == "sound", "{spoil}");
        assert_eq!(bench.next(), None, "{spoil}");
        assert!(root.join("boot/hokatsu_0.1.1+3.efi").exists(), "{spoil}");
    }
}
