//! Commands beside the running service, and killed in the middle: nobody is sent away, nothing is half,
//! the chain is whole.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base::clock::{Clock, japanese_day};
use harness::process::{Client, Server, ended, hokatsu, prepared};
use jiff::ToSpan as _;
use store::audit::verify;
use store::{Actor, DataDir, Db, Event, Operation, StoreError};
use tempfile::TempDir;

/// Kills of each suite; spread over how long the command lives.
const ROUNDS: u32 = 14;
/// Entries of the year that is archived: enough that each stage lasts longer than a kill takes.
const ENTRIES: i64 = 12_000;

const DISK: [&str; 8] = [
    "carried-out",
    "add",
    "--what",
    "控えのディスク",
    "--persons",
    "3",
    "--destination",
    "金庫",
];

fn words<'w>(site: &'w Path, more: &[&'w str]) -> Vec<&'w str> {
    [&["--json", "--site", site.to_str().unwrap()], more].concat()
}

fn whole(data: &Path) -> i64 {
    let verdict = verify(&DataDir::new(data), None).unwrap();
    assert_eq!(verdict.findings, []);
    verdict.entries
}

fn count(data: &DataDir, sql: &str) -> i64 {
    let db = Db::open_beside(data, Clock::system()).unwrap();
    db.read(&Actor::system("試験"), |tx| tx.count(sql, []))
        .unwrap()
}

#[test]
fn commands_and_staff_work_at_the_same_time() {
    let root = TempDir::new().unwrap();
    let (data, site) = prepared(root.path());
    let (server, base) = Server::serve(&site);
    let mut visitor = Client::trusting(data.join("tls/ca.pem"));
    let before = whole(&data);
    std::thread::scope(|scope| {
        for verb in [&DISK[..], &["audit", "checkpoint"], &["users", "list"]] {
            let site = &site;
            scope.spawn(move || {
                for _ in 0..4 {
                    let (code, _, errors) = ended(words(site, verb));
                    assert_eq!(code, 0, "{verb:?}: {errors}");
                }
            });
        }
        // Each refusal is an entry of the service.
        for _ in 0..6 {
            assert!(!visitor.sign_in(&base, "nobody", "falsch und falsch"));
        }
    });
    drop(server.interrupt());
    assert!(whole(&data) >= before + 12 + 6);
    assert_eq!(
        count(&DataDir::new(&data), "select count(*) from carried_out"),
        4
    );
}

#[test]
fn a_command_killed_in_the_middle_leaves_all_of_it_or_nothing_and_the_service_goes_on() {
    let root = TempDir::new().unwrap();
    let (data, site) = prepared(root.path());
    let (server, base) = Server::serve(&site);
    let mut visitor = Client::trusting(data.join("tls/ca.pem"));
    let begun = Instant::now();
    assert_eq!(ended(words(&site, &DISK)).0, 0);
    let life = begun.elapsed();
    for round in 0..ROUNDS {
        killed_after(&words(&site, &DISK), life * round / ROUNDS);
        assert!(!visitor.sign_in(&base, "nobody", "falsch und falsch"));
        whole(&data);
    }
    drop(server.interrupt());
    let place = DataDir::new(&data);
    let rows = count(&place, "select count(*) from carried_out");
    let versions = count(&place, "select count(*) from carried_out_versions");
    let entries = "select count(*) from audit_entries where operation = 'carry_out'";
    assert_eq!((rows, rows), (versions, count(&place, entries)));
}

/// Starts it and kills it (SIGKILL) so long afterwards, unless it has ended.
fn killed_after(words: &[&str], life: Duration) {
    let mut child = hokatsu(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + life;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        std::thread::park_timeout(left);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A directory whose log has a whole former year, made once and copied for each kill.
struct Log {
    root: TempDir,
    year: i16,
    last: i64,
}

impl Log {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let now = Clock::system().now();
        let then = now.checked_sub((24 * 370).hours()).unwrap();
        let (clock, hand) = Clock::stepped(then);
        let data = DataDir::new(root.path().join("first"));
        let db = Db::create(&data, clock).unwrap();
        let event = |n: i64| Event::done(Operation::SetUp).detail(format!("{n}"));
        let actor = Actor::system("試験");
        // All of them at the same moment: every one is of that year.
        db.write(&actor, |tx| {
            let others = (2..=ENTRIES).map(event).collect();
            Ok::<_, StoreError>(tx.audited_all(event(1), others, ()))
        })
        .unwrap();
        hand.set(now);
        db.write(&actor, |tx| Ok::<_, StoreError>(tx.audited(event(0), ())))
            .unwrap();
        db.close().unwrap();
        Self {
            root,
            year: japanese_day(then).year(),
            last: ENTRIES,
        }
    }

    fn copy(&self, name: &str) -> PathBuf {
        let (from, to) = (self.root.path().join("first"), self.root.path().join(name));
        for part in ["", "keys"] {
            base::paths::create_private_dir(&to.join(part)).unwrap();
            for entry in std::fs::read_dir(from.join(part)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let target = to.join(part).join(path.file_name().unwrap());
                    std::fs::copy(&path, target).unwrap();
                }
            }
        }
        to
    }

    /// The year's entries in the database, and in its file: nothing while that has not its name.
    fn lies(&self, data: &Path) -> (i64, i64) {
        let place = DataDir::new(data);
        let of_year = format!(
            "select count(*) from audit_entries where id <= {}",
            self.last
        );
        let db = Db::open_beside(&place, Clock::system()).unwrap();
        let actor = Actor::system("試験");
        let live = db.read(&actor, |tx| tx.count(&of_year, [])).unwrap();
        let filed = db.read_archive(&actor, self.year, |tx| tx.count(&of_year, []));
        let filed: Result<i64, StoreError> = filed;
        (live, filed.unwrap_or(0))
    }
}

#[test]
fn an_archiving_killed_at_any_stage_loses_no_year_and_the_next_run_ends_it() {
    let log = Log::new();
    let year = log.year.to_string();
    let verb = [
        "audit",
        "archive",
        "--year",
        &year,
        "--yes",
        "--free-gb",
        "0",
    ];
    let run = |data: &Path| {
        let head = ["--data", data.to_str().unwrap()];
        ended([&head[..], &verb].concat())
    };
    let measured = log.copy("measured");
    let begun = Instant::now();
    let (code, _, errors) = run(&measured);
    let life = begun.elapsed();
    assert_eq!(code, 0, "{errors}");
    assert_eq!(log.lies(&measured), (0, log.last));

    let mut seen = std::collections::BTreeSet::new();
    for round in 0..ROUNDS {
        let data = log.copy(&format!("round-{round}"));
        let head = ["--data", data.to_str().unwrap()];
        killed_after(&[&head[..], &verb].concat(), life * (round + 1) / ROUNDS);
        let (live, filed) = log.lies(&data);
        assert!(live == log.last || filed == log.last, "{live} {filed}");
        let file = data.join(format!("audit-archives/audit-{year}.db"));
        let part = file.with_extension("part");
        seen.insert((live == log.last, part.exists(), file.exists(), filed > 0));
        whole(&data);

        // Either it goes on, or it says that it was done before.
        let (code, _, errors) = run(&data);
        assert!(code == 0 || errors.contains("移し終えて"), "{errors}");
        assert_eq!(log.lies(&data), (0, log.last), "round {round}");
        assert!(!part.exists());
        whole(&data);
    }
    assert!(seen.len() > 1, "every kill met the same stage: {seen:?}");
}
