//! The nightly drill finds what it is there to find: a row that is gone, a byte that flipped, a snapshot
//! whose facts lie. Killed anywhere, it leaves nothing that the next one does not clear.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backup::records::{Job, Outcome, Records};
use backup::{Chunking, Progress, Quiet, RepositorySettings, Source};
use base::clock::Clock;
use harness::process::{Server, ended, hokatsu, listen_anywhere, prepared_for_backups};
use serde_json::Value;
use store::{DataDir, Facts, facts_of, frozen_of, is_sealed};
use tempfile::TempDir;

const KILLS: u32 = 5;
/// Longest time that a child may outlive the drill that was killed.
const ORPHAN_MAX: Duration = Duration::from_secs(10);

struct Machine {
    data: DataDir,
    site: PathBuf,
    root: TempDir,
}

impl Machine {
    /// An administrator, a repository and one backup. Drills take the newest.
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (data, site) = prepared_for_backups(root.path());
        let machine = Self {
            data: DataDir::new(data),
            site,
            root,
        };
        machine.take_the_newest();
        assert_eq!(machine.json(&["backup", "init"]).0, 0);
        assert_eq!(machine.json(&["backup", "run"]).0, 0);
        machine
    }

    fn take_the_newest(&self) {
        let text = fs::read_to_string(&self.site).unwrap();
        let text = format!("{text}\n[backup.drill]\nolder_one_in = 0\n");
        base::paths::write_atomic(&self.site, text.as_bytes(), 0o600).unwrap();
    }

    fn json(&self, words: &[&str]) -> (i32, Value, String) {
        let site = self.site.to_str().unwrap();
        let (code, out, errors) = ended([&["--json", "--site", site], words].concat());
        let value = serde_json::from_str(&out).unwrap_or(Value::Null);
        (code, value, errors)
    }

    fn repository(&self) -> RepositorySettings {
        RepositorySettings {
            name: "raid".to_owned(),
            location: self.root.path().join("raid").into(),
            password_file: self.root.path().join("password"),
            chunking: Chunking::Fixed16KiB,
        }
    }

    /// The facts of the data in use, and a copy of it that may be bent.
    fn copied(&self, name: &str) -> (Facts, PathBuf) {
        let to = self.root.path().join(name);
        copy(self.data.path(), &to);
        let copied = DataDir::new(&to);
        let frozen = frozen_of(&self.data).unwrap();
        fs::copy(frozen.database, copied.database()).unwrap();
        (frozen.facts, to)
    }

    /// A snapshot of this directory that claims these facts.
    fn saved(&self, dir: &Path, facts: &Facts) {
        let source = Source {
            dir: dir.to_path_buf(),
            beside: Vec::new(),
            label: "hokatsu".to_owned(),
            host: "box".to_owned(),
            taken_at: Clock::system().now(),
            facts: serde_json::to_value(facts).unwrap(),
        };
        let quiet: Arc<dyn Progress> = Arc::new(Quiet);
        backup::run(&self.repository(), &source, &quiet).unwrap();
    }

    /// Nothing of a drill lies in the data directory.
    fn is_clear(&self) -> bool {
        let entries = fs::read_dir(self.data.path()).unwrap();
        let mut names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        !names.any(|name| name.starts_with("drill-scratch-") || name.starts_with("staging-"))
    }
}

fn copy(from: &Path, to: &Path) {
    base::paths::create_private_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

/// As somebody with the stock tool does, past every rule of ours.
#[expect(
    clippy::disallowed_methods,
    reason = "bends a database with the stock tool, outside what we ship"
)]
fn bend(database: &Path, sql: &str) {
    let status = std::process::Command::new("sqlite3")
        .arg(database)
        .arg(sql)
        .status();
    assert!(status.expect("sqlite3 is there").success(), "{sql}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "reads a database with the stock tool, outside what we ship"
)]
fn asked(database: &Path, sql: &str) -> String {
    let output = std::process::Command::new("sqlite3")
        .arg(database)
        .arg(sql)
        .output();
    String::from_utf8(output.expect("sqlite3 is there").stdout).unwrap()
}

fn step<'v>(drilled: &'v Value, name: &str) -> &'v Value {
    let steps = drilled["steps"].as_array().expect("a report with steps");
    let found = steps.iter().find(|step| step["name"] == name);
    assert!(found.is_some(), "no step {name}: {drilled}");
    found.unwrap()
}

#[test]
fn a_town_comes_back_starts_and_lets_somebody_in_and_the_report_is_signed() {
    let root = TempDir::new().unwrap();
    let dir = root.path().join("town");
    let (server, _) = Server::demo(&dir);
    server.kill();
    let town = Machine {
        data: DataDir::new(dir.join("data")),
        site: dir.join("site.toml"),
        root,
    };
    listen_anywhere(&town.site);
    // Beside the service, as at night.
    let (server, _) = Server::serve(&town.site);
    let (code, drilled, errors) = town.json(&["backup", "drill", "--repository", "disk-a"]);
    assert_eq!((code, &drilled["holds"]), (0, &true.into()), "{errors}");
    server.kill();
    for name in ["files", "rows", "chain", "attachments", "bytes", "service"] {
        assert_eq!(step(&drilled, name)["holds"], true, "{drilled}");
    }
    let words = step(&drilled, "bytes")["words"].as_str().unwrap();
    assert!(
        !words.contains(" 0件は"),
        "no attachment was compared: {words}"
    );
    assert!(town.is_clear());
    let report = PathBuf::from(drilled["report"].as_str().unwrap());
    let text = fs::read(&report).unwrap();
    let signature = fs::read(report.with_extension("sig")).unwrap();
    assert!(is_sealed(&town.data.audit_public_key(), &text, &signature).unwrap());
    let signed: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(signed["report"]["snapshot"], drilled["snapshot"]);
    if server::fonts_found().is_ok() {
        assert!(
            fs::read(report.with_extension("pdf"))
                .unwrap()
                .starts_with(b"%PDF")
        );
    }
    let records = fs::read_to_string(town.data.backup_records().join("runs.jsonl")).unwrap();
    let written = [
        &errors,
        &drilled.to_string(),
        &records,
        &String::from_utf8(text).unwrap(),
    ];
    let names = asked(&town.data.database(), "select name from residents");
    let names: Vec<&str> = names
        .lines()
        .filter(|name| name.chars().count() > 2)
        .collect();
    assert!(names.len() > 1_000, "a town has people");
    for name in names {
        assert!(
            !written.iter().any(|text| text.contains(name)),
            "somebody is named"
        );
    }
    // The account that signed in was in the copy alone.
    let facts = facts_of(&town.data.database()).unwrap();
    assert_eq!(
        facts.rows["staff"],
        i64::try_from(demo::staff::all().unwrap().len()).unwrap()
    );
    let (code, status, errors) = town.json(&["backup", "status"]);
    assert_eq!((code, &status["holds"]), (0, &true.into()), "{errors}");
}

#[test]
fn a_row_that_is_gone_from_the_copy_fails_the_drill_and_is_named_by_its_table() {
    let machine = Machine::new();
    let (facts, bent) = machine.copied("bent");
    let sql = "delete from support_centres where id = (select max(id) from support_centres)";
    bend(&DataDir::new(&bent).database(), sql);
    machine.saved(&bent, &facts);
    let (code, drilled, errors) = machine.json(&["backup", "drill"]);
    assert_eq!((code, &drilled["holds"]), (1, &false.into()), "{errors}");
    assert!(errors.contains("runbooks/drill-failed.md"), "{errors}");
    let rows = step(&drilled, "rows");
    assert_eq!(rows["holds"], false);
    assert!(
        rows["words"]
            .as_str()
            .unwrap()
            .contains("support_centres（"),
        "{rows}"
    );
    // What came back is what was saved: only the claim differs.
    assert_eq!(step(&drilled, "files")["holds"], true);
    assert!(machine.is_clear());
    let (code, status, errors) = machine.json(&["backup", "status"]);
    assert_eq!((code, &status["holds"]), (1, &false.into()));
    assert!(errors.contains("元のとおりに戻りませんでした"), "{errors}");
}

#[test]
fn an_entry_that_is_gone_from_the_log_is_found_although_the_facts_were_made_to_fit() {
    let machine = Machine::new();
    let (_, bent) = machine.copied("bent");
    let database = DataDir::new(&bent).database();
    let triggers = "select 'drop trigger \"'||name||'\";' from sqlite_schema where type='trigger'
        and tbl_name='audit_entries'";
    bend(&database, &asked(&database, triggers));
    bend(&database, "delete from audit_entries where id = 2");
    let facts = facts_of(&database).unwrap();
    machine.saved(&bent, &facts);
    let (code, drilled, errors) = machine.json(&["backup", "drill"]);
    assert_eq!(code, 1, "{errors}");
    assert_eq!(step(&drilled, "rows")["holds"], true);
    assert_eq!(step(&drilled, "chain")["holds"], false, "{drilled}");
}

#[test]
fn a_snapshot_whose_facts_lie_fails_the_drill() {
    let machine = Machine::new();
    let (mut facts, copied) = machine.copied("copied");
    facts.audit_head = "00".repeat(32);
    machine.saved(&copied, &facts);
    let (code, drilled, errors) = machine.json(&["backup", "drill"]);
    assert_eq!(code, 1, "{errors}");
    let words = step(&drilled, "rows")["words"].as_str().unwrap();
    assert!(words.contains("アクセスログの末尾"), "{words}");
}

#[test]
fn a_flipped_byte_fails_the_drill_and_the_rolling_read_names_the_pack() {
    let machine = Machine::new();
    let packs = packs(&machine.root.path().join("raid/data"));
    let (pack, _) = packs.iter().max_by_key(|(_, size)| *size).unwrap();
    let mut bytes = fs::read(pack).unwrap();
    bytes[1_000] ^= 1;
    fs::set_permissions(pack, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    base::paths::write_atomic(pack, &bytes, 0o600).unwrap();
    let (code, drilled, errors) = machine.json(&["backup", "drill"]);
    assert_eq!(code, 1, "{errors}");
    assert_eq!(step(&drilled, "files")["holds"], false, "{drilled}");
    let name: String = pack
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .chars()
        .take(8)
        .collect();
    let mut named = false;
    for _ in 0..24 {
        let (code, checked, errors) = machine.json(&["backup", "check", "--slice"]);
        if code == 1 {
            assert!(errors.contains(&name), "{errors}");
            assert_eq!(checked["healthy"], false);
            named = true;
        }
    }
    assert!(named, "24 nights read every pack");
    let (_, status, _) = machine.json(&["backup", "status"]);
    let probes = status["probes"].as_array().unwrap();
    let probe = |name: &str| probes.iter().find(|probe| probe["name"] == name).unwrap();
    assert_eq!(probe("backup_read_damage")["holds"], false);
    assert_eq!(probe("backup_read_slices")["value"], 24);
}

fn packs(dir: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(packs(&path));
        } else {
            let size = fs::metadata(&path).unwrap().len();
            found.push((path, size));
        }
    }
    found
}

#[test]
fn a_drill_that_is_killed_leaves_nothing_that_the_next_one_does_not_clear() {
    let machine = Machine::new();
    let begun = Instant::now();
    assert_eq!(machine.json(&["backup", "drill"]).0, 0);
    let lasts = begun.elapsed();
    for kill in 1..=KILLS {
        let site = machine.site.to_str().unwrap();
        let mut drill = hokatsu(["--site", site, "backup", "drill"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread over its life; the last one while the service stands.
        std::thread::park_timeout(lasts.mul_f64(f64::from(kill) / f64::from(KILLS + 1)));
        drill.kill().unwrap();
        drill.wait().unwrap();
        no_child_is_left(&machine);
    }
    let (code, _, errors) = machine.json(&["backup", "drill"]);
    assert_eq!(code, 0, "{errors}");
    assert!(machine.is_clear());
    let history = Records::at(&machine.data.backup_records()).read().unwrap();
    let cut =
        |one: &&backup::records::Record| one.job == Job::Drill && one.outcome == Outcome::CutShort;
    assert!(
        history.records.iter().filter(cut).count() > 0,
        "{history:?}"
    );
    assert_eq!(history.unreadable, 0);
}

/// The service of a killed drill ends with it.
fn no_child_is_left(machine: &Machine) {
    let waited = Instant::now();
    let in_use = || {
        let entries = fs::read_dir(machine.data.path()).unwrap();
        let scratch = entries.map(|entry| entry.unwrap().path()).filter(|path| {
            path.file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("drill-scratch-")
        });
        scratch.into_iter().any(|path| {
            let lock = fs::File::open(path.join("data/lock"));
            lock.is_ok_and(|lock| lock.try_lock().is_err())
        })
    };
    while in_use() {
        assert!(
            waited.elapsed() < ORPHAN_MAX,
            "a service outlives its drill"
        );
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
