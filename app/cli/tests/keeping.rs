//! Repositories that look after themselves, through the command: what is due, once; never two at once;
//! not by a clock that cannot be believed; plans that change nothing.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::fs;
use std::path::{Path, PathBuf};

use backup::Turn;
use backup::records::{Job, Outcome, Record, Records};
use base::clock::Clock;
use harness::process::{Client, Server, ended, prepared_for_backups};
use jiff::SignedDuration;
use serde_json::Value;
use store::DataDir;
use tempfile::TempDir;

struct Machine {
    data: DataDir,
    site: PathBuf,
    _root: TempDir,
}

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (data, site) = prepared_for_backups(root.path());
        let machine = Self {
            data: DataDir::new(data),
            site,
            _root: root,
        };
        assert_eq!(machine.json(&["backup", "init"]).0, 0);
        machine
    }

    fn json(&self, words: &[&str]) -> (i32, Value, String) {
        let site = self.site.to_str().unwrap();
        let (code, out, errors) = ended([&["--json", "--site", site], words].concat());
        assert!(out.lines().count() <= 1, "one object: {out}");
        let value = serde_json::from_str(&out).unwrap_or(Value::Null);
        (code, value, errors)
    }

    fn records(&self) -> Records {
        Records::at(&self.data.backup_records())
    }

    fn jobs(&self) -> Vec<(Job, Outcome)> {
        let history = self.records().read().unwrap();
        let each = history.records.iter().map(|one| (one.job, one.outcome));
        each.collect()
    }

    fn snapshots(&self) -> usize {
        let (code, listed, errors) = self.json(&["backup", "list"]);
        assert_eq!(code, 0, "{errors}");
        listed.as_array().unwrap().len()
    }
}

#[test]
fn a_new_machine_does_everything_by_itself_and_then_rests() {
    let machine = Machine::new();
    let (code, planned, _) = machine.json(&["backup", "tick", "--dry-run"]);
    assert_eq!((code, planned["due"].as_array().unwrap().len()), (0, 4));
    let only = ["backup", "tick", "--dry-run", "--only", "prune"];
    let (code, planned, _) = machine.json(&only);
    assert_eq!((code, &planned["due"][0]["job"]), (0, &"prune".into()));
    assert_eq!(planned["due"].as_array().unwrap().len(), 1);
    assert_eq!(machine.jobs(), [], "a plan does nothing");
    let (code, ticked, errors) = machine.json(&["backup", "tick"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(ticked["done"].as_array().unwrap().len(), 4);
    let wanted = [Job::Run, Job::Drill, Job::Check, Job::Prune].map(|job| (job, Outcome::Ok));
    assert_eq!(machine.jobs(), wanted);
    let (code, status, errors) = machine.json(&["backup", "status"]);
    assert_eq!((code, &status["holds"]), (0, &true.into()), "{errors}");
    let to = machine.data.path().join("../paper");
    let (code, report, errors) = machine.json(&["backup", "report", "--to", to.to_str().unwrap()]);
    if server::fonts_found().is_ok() {
        assert_eq!(code, 0, "{errors}");
        assert_eq!(
            (&report["drills"], &report["not_well"]),
            (&1.into(), &0.into())
        );
        let pdf = fs::read(report["file"].as_str().unwrap()).unwrap();
        assert!(pdf.starts_with(b"%PDF"));
    } else {
        assert!(code == 3 && errors.contains("書体がない"), "{errors}");
    }
    // Another hour may begin between the two calls.
    let (_, again, errors) = machine.json(&["backup", "tick"]);
    let due = again["due"].as_array().unwrap();
    assert!(due.iter().all(|one| one["job"] == "run"), "{errors}");
}

#[test]
fn the_report_of_a_drill_is_proven_by_the_stock_tool_and_one_changed_letter_is_found() {
    let machine = Machine::new();
    assert_eq!(machine.json(&["backup", "run"]).0, 0);
    let (code, drilled, errors) = machine.json(&["backup", "drill", "--repository", "raid"]);
    assert_eq!(code, 0, "{errors}");
    let report = PathBuf::from(drilled["report"].as_str().unwrap());
    assert!(openssl_verifies(&report));
    let text = fs::read_to_string(&report).unwrap();
    put(
        &report,
        text.replacen("\"holds\":true", "\"holds\":false", 1)
            .as_bytes(),
    );
    assert!(!openssl_verifies(&report));
}

#[expect(
    clippy::disallowed_methods,
    reason = "checks a signature with the stock tool, outside what we ship"
)]
fn openssl_verifies(report: &Path) -> bool {
    let key = report.with_file_name("audit-public.pem");
    let output = std::process::Command::new("openssl")
        .args(["pkeyutl", "-verify", "-pubin", "-rawin", "-inkey"])
        .arg(key)
        .arg("-in")
        .arg(report)
        .arg("-sigfile")
        .arg(report.with_extension("sig"))
        .output();
    output.unwrap().status.success()
}

#[test]
fn a_clock_that_is_not_believed_stops_the_timer_until_somebody_does_it_by_hand() {
    let machine = Machine::new();
    assert_eq!(machine.json(&["backup", "tick"]).0, 0);
    let year = SignedDuration::from_hours(24 * 365);
    let now = Clock::system().now();
    for (at, words) in [
        (now + year, "遅れている"),
        (now - year, "日が空きすぎている"),
    ] {
        let record = Record::new(Job::Run, "raid", at, at);
        machine.records().append(&record).unwrap();
        let before = (machine.jobs().len(), machine.snapshots());
        let (code, _, errors) = machine.json(&["backup", "tick"]);
        assert_eq!(code, 1, "{errors}");
        assert!(
            errors.contains(words) && errors.contains("runbooks/clock-wrong.md"),
            "{errors}"
        );
        assert_eq!(
            (machine.jobs().len(), machine.snapshots()),
            before,
            "it did something"
        );
        let (code, status, _) = machine.json(&["backup", "status"]);
        let probes = status["probes"].as_array().unwrap().iter();
        let failing: Vec<_> = probes.filter(|one| one["holds"] == false).collect();
        assert_eq!(
            (code, &failing[0]["name"]),
            (1, &"backup_clock_minutes".into())
        );
        assert_eq!(machine.json(&["backup", "run"]).0, 0);
        assert_eq!(machine.json(&["backup", "tick", "--dry-run"]).0, 0);
    }
}

#[test]
fn while_one_job_runs_the_timer_waits_and_a_person_is_told_which() {
    let machine = Machine::new();
    assert_eq!(machine.json(&["backup", "run"]).0, 0);
    let now = Clock::system().now();
    let dir = machine.data.backup_records();
    let (turn, _) = Turn::take(&dir, Job::Prune, "raid", now).unwrap();
    let (code, ticked, errors) = machine.json(&["backup", "tick"]);
    assert_eq!(
        (code, ticked["done"].as_array().unwrap().len()),
        (0, 0),
        "{errors}"
    );
    for verb in [
        &["run"][..],
        &["drill"],
        &["check", "--slice"],
        &["prune", "--yes"],
    ] {
        let (code, _, errors) = machine.json(&[&["backup"], verb].concat());
        assert_eq!(code, 3, "{verb:?}: {errors}");
        assert!(
            errors.contains("不要データの整理、pid "),
            "{verb:?}: {errors}"
        );
    }
    drop(turn);
    assert_eq!(machine.json(&["backup", "drill"]).0, 0);
}

#[test]
fn what_a_killed_run_left_is_cleared_by_the_next_and_told() {
    let machine = Machine::new();
    let left = machine.data.path().join("staging-abcdef/attachments");
    fs::create_dir_all(&left).unwrap();
    let records = machine.data.backup_records();
    fs::create_dir_all(&records).unwrap();
    let doing = r#"{"job":"run","repository":"raid","since":"2026-11-29T03:00:00Z","pid":1}"#;
    put(&records.join("turn"), doing.as_bytes());
    let (code, _, errors) = machine.json(&["backup", "run"]);
    assert_eq!(code, 0, "{errors}");
    assert!(
        errors.contains("前のバックアップは途中で止まっていました"),
        "{errors}"
    );
    assert!(!left.exists());
    let wanted = [(Job::Run, Outcome::CutShort), (Job::Run, Outcome::Ok)];
    assert_eq!(machine.jobs(), wanted);
}

fn put(path: &Path, bytes: &[u8]) {
    base::paths::write_atomic(path, bytes, 0o600).unwrap();
}

#[test]
fn a_prune_shows_what_goes_asks_and_does_it() {
    let machine = Machine::new();
    let text = fs::read_to_string(&machine.site).unwrap();
    let few = "\n[backup.retention]\nhourly = 1\ndaily = 1\nweekly = 1\nmonthly = 1\nyearly = 1\n";
    put(&machine.site, format!("{text}{few}").as_bytes());
    for _ in 0..3 {
        assert_eq!(machine.json(&["backup", "run"]).0, 0);
    }
    let (code, plan, errors) = machine.json(&["backup", "prune", "--dry-run"]);
    assert_eq!((code, &plan["dry_run"]), (0, &true.into()), "{errors}");
    let removed = errors.lines().filter(|line| line.contains("消す 20"));
    assert_eq!(removed.count(), 2, "{errors}");
    assert!(
        errors.contains("残す 20") && errors.contains("最新、時、日、週、月、年"),
        "{errors}"
    );
    let (code, _, errors) = machine.json(&["backup", "prune"]);
    assert_eq!(code, 2, "nobody to ask: {errors}");
    assert_eq!(machine.snapshots(), 3);
    let (code, pruned, errors) = machine.json(&["backup", "prune", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(pruned["done"][0]["snapshots_removed"], 2);
    assert_eq!(machine.snapshots(), 1);
    assert_eq!(machine.jobs().last(), Some(&(Job::Prune, Outcome::Ok)));
    let (code, _, errors) = machine.json(&["backup", "check", "--read-data"]);
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn a_repository_that_is_gone_keeps_no_other_from_its_backup() {
    let machine = Machine::new();
    let text = fs::read_to_string(&machine.site).unwrap();
    // First in the file, and not there.
    let gone = "[[backup.repositories]]\nname = \"disk-a\"\npath = \"/nowhere/disk-a\"\n\
                password_file = \"/nowhere/password\"\n\n[[backup.repositories]]";
    put(
        &machine.site,
        text.replacen("[[backup.repositories]]", gone, 1).as_bytes(),
    );
    let (code, _, errors) = machine.json(&["backup", "run"]);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("保管先「raid」に保存しました"), "{errors}");
    let wanted = [(Job::Run, Outcome::Failed), (Job::Run, Outcome::Ok)];
    assert_eq!(machine.jobs(), wanted);
    let (code, status, errors) = machine.json(&["backup", "status"]);
    assert_eq!((code, &status["holds"]), (1, &false.into()));
    assert!(errors.contains("保管先「disk-a」を開けません"), "{errors}");
    let newest = fs::read_to_string(machine.data.newest_backups()).unwrap();
    assert!(
        newest.contains("\"disk-a\":\"1970-01-01T00:00:00Z\""),
        "{newest}"
    );
}

#[test]
fn a_disk_that_is_carried_away_is_neither_due_nor_an_alarm_until_it_is_plugged_in() {
    let machine = Machine::new();
    let root = machine.data.path().parent().unwrap().to_path_buf();
    let text = fs::read_to_string(&machine.site).unwrap();
    let disk = format!(
        "\n[[backup.repositories]]\nname = \"disk-b\"\npath = \"{0}/disk-b\"\n\
         password_file = \"{0}/disk-b.password\"\n[backup.repositories.removable]\n\
         label = \"B\"\ndestination = \"金庫\"\ncarried_by = \"試験 係長\"\ndays_out = 7\n",
        root.display()
    );
    put(&machine.site, format!("{text}{disk}").as_bytes());
    let (code, _, errors) = machine.json(&["backup", "tick"]);
    assert_eq!(code, 0, "{errors}");
    let (code, status, errors) = machine.json(&["backup", "status"]);
    assert_eq!((code, &status["holds"]), (0, &true.into()), "{errors}");
    assert!(
        !fs::read_to_string(machine.data.newest_backups())
            .unwrap()
            .contains("disk-b")
    );
    // Plugged in: made here as `backup init` makes it on a new disk.
    let settings = backup::RepositorySettings {
        name: "disk-b".to_owned(),
        location: root.join("disk-b").into(),
        password_file: root.join("disk-b.password"),
        chunking: backup::Chunking::Fixed16KiB,
    };
    backup::init(&settings).unwrap();
    let (_, planned, _) = machine.json(&["backup", "tick", "--dry-run", "--only", "run"]);
    let due = planned["due"].as_array().unwrap();
    assert!(
        due.iter().any(|one| one["repository"] == "disk-b"),
        "{planned}"
    );
}

#[test]
fn administrators_read_above_every_page_that_no_backup_was_taken() {
    let machine = Machine::new();
    let ca = machine.data.tls().join("ca.pem");
    let (server, base) = Server::serve(&machine.site);
    let (code, told, errors) = machine.json(&["users", "reset", "admin", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    let mut client = Client::trusting(ca);
    assert!(client.sign_in(&base, "admin", told["password"].as_str().unwrap()));
    let (_, page) = client.get(&format!("{base}/password"));
    let said = "バックアップはまだ一度も取れていません";
    let first = page.contains(said);
    assert_eq!(machine.json(&["backup", "run"]).0, 0);
    let (_, page) = client.get(&format!("{base}/password"));
    assert!(first && !page.contains(said), "{page}");
    drop(server);
}
