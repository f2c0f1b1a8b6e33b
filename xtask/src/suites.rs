//! The suites: what each asks, what it needs, which commands answer.
//!
//! Every suite builds with the profile `ci` and selects the whole workspace, also where it runs
//! tests of one package only: Cargo then chooses the same features each time and compiles once.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::need::Need;
use crate::runner::Spec;
use crate::workspace;

/// One suite.
#[derive(Debug)]
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    /// The question that it answers, as style.md puts it.
    pub(crate) question: &'static str,
    pub(crate) needs: Vec<Need>,
    pub(crate) steps: Vec<Spec>,
}

/// A suite that is a crate of its own under `tests/`.
struct Room {
    package: &'static str,
    question: &'static str,
    needs: &'static [Need],
    /// Of `.config/nextest.toml`.
    profile: &'static str,
}

/// One red test does not hide the others.
const CI: &str = "ci";
/// The same, alone on the machine and with longer limits.
const PATIENT: &str = "patient";

const ROOMS: [Room; 5] = [
    Room {
        package: "access",
        question: "every route × role × scope answers as the table says",
        needs: &[Need::Nextest, Need::Compiler],
        profile: CI,
    },
    Room {
        package: "migrations",
        question: "each released database opens, migrates, keeps its audit chain",
        needs: &[Need::Nextest, Need::Compiler, Need::Sqlite],
        profile: CI,
    },
    Room {
        package: "journeys",
        question: "staff can do the day's work in a browser, by keyboard, in Japanese",
        needs: &[
            Need::Nextest,
            Need::Compiler,
            Need::Chromium,
            Need::Fonts,
            Need::Node,
            Need::JourneyPackages,
            Need::Poppler,
        ],
        profile: PATIENT,
    },
    Room {
        package: "recovery",
        question: "killed at any moment: nothing half, nothing acknowledged is lost",
        needs: &[Need::Nextest, Need::Compiler, Need::Restic, Need::Sqlite],
        profile: PATIENT,
    },
    Room {
        package: "faults",
        question: "disks fail, fill, lie, bend and vanish: nothing acknowledged is lost",
        needs: &[Need::Nextest, Need::Compiler, Need::BrittleDisks],
        profile: PATIENT,
    },
];

/// Whole machines want an image; most of what is asked of them takes half an hour and more, which the everyday run has
/// not.
const MACHINES: &str = "machines";
/// What is asked of them each time.
const EVERYDAY_MACHINE: &str = "standing";

/// Long enough for a first build on two cores, short enough to notice a build that hangs.
const BUILD_LIMIT: Duration = Duration::from_secs(60 * 60);
const CHECK_LIMIT: Duration = Duration::from_secs(5 * 60);
const TEST_LIMIT: Duration = Duration::from_secs(45 * 60);
/// The big numbers of `--long` may run for a day.
const LONG_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How large the numbers of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Everyday,
    Long,
}

/// The suites of this workspace, in the order in which they run: what answers soonest comes first.
pub(crate) fn all(packages: &BTreeSet<String>, size: Size) -> Vec<Suite> {
    let mut suites = vec![
        format(),
        tidy(size),
        lint(),
        deny(),
        build(),
        units(packages, size),
    ];
    suites.push(compile_fail());
    let rooms = ROOMS.iter().filter(|room| packages.contains(room.package));
    suites.extend(rooms.map(|room| self::room(room, size)));
    if packages.contains(MACHINES) {
        suites.push(machines(size));
    }
    suites
}

fn format() -> Suite {
    Suite {
        name: "format",
        question: "the code is formatted",
        needs: Vec::new(),
        steps: vec![cargo("fmt --all --check -- --files-with-diff", CHECK_LIMIT)],
    }
}

/// The crates that are compiled already when `cargo xtask` runs, so their tests answer first.
const HOUSE: [&str; 2] = ["tidy", "xtask"];

/// In the `dev` profile and both crates at once: that is how `cargo xtask` itself was compiled.
fn tidy(size: Size) -> Suite {
    Suite {
        name: "tidy",
        question: "the rules of the house hold; every check has its failing example",
        needs: vec![Need::Nextest],
        steps: vec![sized(
            cargo(
                "nextest run --profile ci --package tidy --package xtask",
                CHECK_LIMIT,
            ),
            size,
        )],
    }
}

/// With the profile of the build: procedural macros and build scripts are then compiled once.
fn lint() -> Suite {
    Suite {
        name: "lint",
        question: "no warning anywhere",
        needs: vec![Need::Compiler],
        steps: vec![cargo(
            "clippy --workspace --all-targets --profile ci -- --deny warnings",
            BUILD_LIMIT,
        )],
    }
}

fn deny() -> Suite {
    Suite {
        name: "deny",
        question: "licences, sources and banned crates (advisories: not checked: no database)",
        needs: vec![Need::Deny],
        steps: vec![cargo(
            "deny check --hide-inclusion-graph bans licenses sources",
            CHECK_LIMIT,
        )],
    }
}

fn build() -> Suite {
    Suite {
        name: "build",
        question: "the product and every test compile",
        needs: vec![Need::Nextest, Need::Compiler],
        steps: vec![
            cargo("build --workspace --bins --profile ci", BUILD_LIMIT),
            cargo(
                "nextest run --no-run --workspace --cargo-profile ci",
                BUILD_LIMIT,
            ),
        ],
    }
}

fn units(packages: &BTreeSet<String>, size: Size) -> Suite {
    let rooms = ROOMS.iter().map(|room| room.package);
    let elsewhere = rooms.chain(HOUSE).chain([MACHINES]);
    let mut filter = "all()".to_owned();
    for package in elsewhere.filter(|package| packages.contains(*package)) {
        filter.push_str(&format!(" - package(={package})"));
    }
    Suite {
        name: "units",
        question: "each crate and slice keeps its promises",
        needs: vec![
            Need::Nextest,
            Need::Compiler,
            Need::Bucket,
            Need::Disks,
            Need::Fonts,
            Need::Offsite,
            Need::Poppler,
            Need::Restic,
            Need::SevenZip,
            Need::SignIn,
            Need::Ups,
            Need::Antivirus,
        ],
        steps: vec![nextest(CI, &filter, size)],
    }
}

/// Doc tests: examples compile, and what must not compile (`compile_fail` blocks) does not.
fn compile_fail() -> Suite {
    Suite {
        name: "compile-fail",
        question: "examples compile; an unaudited write or a printed name does not",
        needs: vec![Need::Compiler],
        steps: vec![cargo("test --doc --workspace --profile ci", BUILD_LIMIT)],
    }
}

fn room(room: &Room, size: Size) -> Suite {
    Suite {
        name: room.package,
        question: room.question,
        needs: room.needs.to_vec(),
        steps: vec![nextest(
            room.profile,
            &format!("package(={})", room.package),
            size,
        )],
    }
}

fn machines(size: Size) -> Suite {
    let mut filter = format!("package(={MACHINES})");
    if size == Size::Everyday {
        filter.push_str(&format!(" & binary(={EVERYDAY_MACHINE})"));
    }
    Suite {
        name: MACHINES,
        question: "two images of one binary are the same bytes; a whole machine serves, and survives",
        needs: vec![
            Need::Nextest,
            Need::Compiler,
            Need::ImageTools,
            Need::Chromium,
            Need::Fonts,
            Need::Node,
            Need::JourneyPackages,
            Need::Poppler,
        ],
        steps: vec![
            cargo("build --workspace --bins --profile ci", BUILD_LIMIT),
            images(),
            nextest(PATIENT, &filter, size),
        ],
    }
}

/// With the program of the build: Cargo would choose other features for one package alone, and compile anew.
fn images() -> Spec {
    let built = |name: &str| {
        let path = workspace::root().join("target/ci").join(name);
        path.to_string_lossy().into_owned()
    };
    let words = ["reproduce", "--or-present", "--binary", &built("hokatsu")];
    Spec::new(&built("appliance"), &words, BUILD_LIMIT)
}

fn nextest(profile: &str, filter: &str, size: Size) -> Spec {
    let words = "nextest run --workspace --cargo-profile ci --no-tests pass";
    let mut spec = cargo(words, TEST_LIMIT);
    let options = ["--profile", profile, "--filterset", filter];
    spec.arguments.extend(options.map(str::to_owned));
    sized(spec, size)
}

fn sized(spec: Spec, size: Size) -> Spec {
    match size {
        Size::Everyday => spec,
        Size::Long => Spec {
            limit: LONG_LIMIT,
            ..spec
        }
        .with("HOKATSU_LONG", "1"),
    }
}

fn cargo(words: &str, limit: Duration) -> Spec {
    let words: Vec<&str> = words.split_whitespace().collect();
    Spec::new("cargo", &words, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(packages: &[&str]) -> Vec<&'static str> {
        let packages = packages.iter().map(ToString::to_string).collect();
        all(&packages, Size::Everyday)
            .iter()
            .map(|suite| suite.name)
            .collect()
    }

    #[test]
    fn a_room_that_does_not_exist_yet_is_absent() {
        assert!(!names(&["base", "store"]).contains(&"journeys"));
        assert!(names(&["base", "journeys"]).contains(&"journeys"));
    }

    #[test]
    fn no_test_runs_in_two_suites() {
        let packages = ["access", "base", "tidy"]
            .iter()
            .map(ToString::to_string)
            .collect();
        let line = units(&packages, Size::Everyday).steps[0].line();
        assert!(line.ends_with("--filterset 'all() - package(=access) - package(=tidy)'"));
    }

    #[test]
    fn one_machine_is_asked_each_time_all_of_them_when_there_is_time_and_none_is_a_unit() {
        let packages = BTreeSet::from([MACHINES.to_owned()]);
        let asked = |size| {
            let last = all(&packages, size).pop().unwrap();
            assert_eq!(last.name, MACHINES);
            last.steps.last().unwrap().line()
        };
        let everyday = format!("'package(={MACHINES}) & binary(={EVERYDAY_MACHINE})'");
        assert!(asked(Size::Everyday).ends_with(&everyday));
        assert!(asked(Size::Long).ends_with(&format!("--filterset 'package(={MACHINES})'")));
        let line = units(&packages, Size::Everyday).steps[0].line();
        assert!(line.ends_with("--filterset 'all() - package(=machines)'"));
    }

    #[test]
    fn only_a_long_run_tells_the_suites_so() {
        let packages = BTreeSet::new();
        assert!(
            units(&packages, Size::Everyday).steps[0]
                .variables
                .is_empty()
        );
        assert_eq!(
            units(&packages, Size::Long).steps[0].variables,
            [("HOKATSU_LONG", "1")]
        );
    }
}
