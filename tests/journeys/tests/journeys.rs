//! A real server with an invented town, a real browser, one walk for each day's work.
//!
//! Each test is one file in `journeys/`. It has a town of its own, so that no walk sees what
//! another one left, and the walks may run in any order or at once.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use tempfile::TempDir;

/// An invented town is made, imported and backed up before its server listens.
const START_MAX: Duration = Duration::from_secs(120);

macro_rules! journeys {
    ($($name:ident)*) => {
        const JOURNEYS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                walk(stringify!($name));
            }
        )*
    };
}

journeys! {
    a_caller_about_somebody_unknown_is_recorded_corrected_and_withdrawn
    a_locked_screen_keeps_the_typed_words
    a_person_of_another_centre_answers_centre_and_telephone_only
    a_security_key_is_the_second_factor
    every_page_of_every_role_is_accessible_and_fits
    signing_out_leaves_nothing_on_the_screen
    something_withdrawn_and_a_damaged_file_come_back_and_nobody_elses
    the_checks_of_every_page_notice_what_they_look_for
    the_due_follow_up_of_my_day_is_completed
    the_phone_rings_and_the_keyboard_does_the_rest
    the_system_administrator_finds_who_did_what
    the_work_is_done_without_javascript
    typed_words_survive_a_session_that_ended
}

/// Journeys whose town has settings of its own, appended to its site file.
const SETTINGS: &[(&str, &str)] = &[(
    "a_security_key_is_the_second_factor",
    "\n[sign_in.second_factor]\nsocial_worker = [\"webauthn\"]\n",
)];

#[test]
fn every_journey_in_the_directory_has_its_test() {
    let entries = std::fs::read_dir(room().join("journeys")).unwrap();
    let files: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let tests: BTreeSet<String> = JOURNEYS.iter().map(ToString::to_string).collect();
    assert_eq!(files, tests);
}

fn room() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The running demonstration; it ends with the test.
struct Town {
    server: Child,
    dir: TempDir,
    /// What `hokatsu demo --json` said: address, CA, logins.
    said: String,
}

impl Town {
    /// The town of a journey: made once, and started again where it has settings of its own.
    fn of(journey: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let Some((_, settings)) = SETTINGS.iter().find(|(name, _)| *name == journey) else {
            return Self::open(dir);
        };
        let mut made = Self::open(dir);
        let dir = std::mem::replace(&mut made.dir, TempDir::new().unwrap());
        drop(made);
        let site = dir.path().join("town/site.toml");
        let text = std::fs::read_to_string(&site).unwrap();
        let text = format!("{text}{settings}");
        base::paths::write_atomic(&site, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
        Self::open(dir)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the suite starts a server that outlives the call"
    )]
    fn open(dir: TempDir) -> Self {
        let mut server = Command::new(binary())
            .args(["demo", "--size", "small", "--listen", "127.0.0.1:0"])
            .args(["--json", "--quiet", "--dir"])
            .arg(dir.path().join("town"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(lines.next()));
        let said = receiver.recv_timeout(START_MAX).ok().flatten();
        let mut town = Self {
            server,
            dir,
            said: String::new(),
        };
        // The server ends with `town`, also when it never said where it listens.
        town.said = said.expect("hokatsu demo prints one line of JSON").unwrap();
        town
    }

    fn ca_file(&self) -> PathBuf {
        let said: serde_json::Value = serde_json::from_str(&self.said).unwrap();
        PathBuf::from(said.get("ca_file").unwrap().as_str().unwrap())
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    // target/<profile>/deps/journeys-… lies two below the binary's directory.
    let binary = test
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("hokatsu");
    assert!(binary.exists(), "{} is not built", binary.display());
    binary
}

/// Walks one journey in a town of its own.
fn walk(journey: &str) {
    let town = Town::of(journey);
    journeys::walk(journey, &town.said, &town.ca_file(), town.dir.path());
}
