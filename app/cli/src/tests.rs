//! Every subcommand that clap knows stands in one table, with what it leaves in the access log. A new
//! one without a row fails here, and so does one that changes something without saying who and why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base::clock::{Clock, japanese_day};
use clap::CommandFactory as _;
use demo::town::{Size, generate};
use harness::process::{OPERATOR, ended, hokatsu, prepared_for_backups};
use jiff::ToSpan as _;
use server::features::staff::break_glass;
use store::{Actor, DataDir, Db, Event, Operation, StoreError};
use tempfile::TempDir;

use crate::arguments::Arguments;

/// What a subcommand is to the access log.
enum Trace {
    /// Changes something or reads people: an entry with who and why, and nothing without them.
    Deed(Operation),
    /// A timer starts it too: an entry in any case, with who and why when somebody said so.
    Timed(Operation),
    /// Only reads what names nobody: leaves nothing, asks nobody. Why that is so.
    Looks(&'static str),
    /// Not run here. Why.
    Apart(&'static str),
}

use Trace::{Apart, Deed, Looks, Timed};

/// The table. In the order in which they can be run one after another.
const TABLE: &[(&str, Trace)] = &[
    (
        "demo",
        Apart("makes an invented town in a place of its own"),
    ),
    (
        "serve",
        Apart("the service: whoever does something through it signs in"),
    ),
    ("init", Deed(Operation::StaffAdd)),
    (
        "ups watch",
        Apart("a process of its own, as the service is; app/cli/tests/ups.rs"),
    ),
    (
        "ups status",
        Looks("charge and minutes of a battery; without one it says so"),
    ),
    (
        "ups simulate",
        Apart("shows an invented outage and changes no record; app/cli/tests/ups.rs"),
    ),
    (
        "site check",
        Looks("addresses, time and disks that the site file names"),
    ),
    (
        "site render",
        Apart("writes for the programs of the appliance; app/cli/tests/site.rs"),
    ),
    (
        "antivirus status",
        Looks("days of signatures; without a scanner it says so"),
    ),
    (
        "antivirus update",
        Apart(
            "needs signatures of their maker; app/cli/src/verbs/antivirus/tests.rs, tests/antivirus.rs",
        ),
    ),
    (
        "console",
        Apart("starts the others, which ask who types, on the appliance alone"),
    ),
    (
        "runbook",
        Looks("pages that everybody may read, out of the binary"),
    ),
    (
        "update status",
        Apart("asks the disk of the appliance, which no test has"),
    ),
    (
        "update apply",
        Apart("leaves two notes; writes to the disk of the appliance, which no test has"),
    ),
    (
        "update rollback",
        Apart("leaves a note; renames on the disk of the appliance, which no test has"),
    ),
    ("import residents", Deed(Operation::Import)),
    ("import undo", Deed(Operation::ImportUndo)),
    (
        "audit verify",
        Looks("numbers and hashes, also of a copy on another machine"),
    ),
    ("audit checkpoint", Timed(Operation::CheckpointSign)),
    ("audit archive", Deed(Operation::AccessLogArchive)),
    (
        "incident verify",
        Looks("hashes of a folder, also on another machine"),
    ),
    ("backup init", Deed(Operation::Backup)),
    ("backup run", Timed(Operation::Backup)),
    ("backup sheet", Deed(Operation::Backup)),
    (
        "backup key prove",
        Apart("needs the words of a paper; app/cli/tests/recovery_sheet.rs"),
    ),
    (
        "backup key admit",
        Apart("needs the words of a paper; app/cli/tests/bare_machine.rs"),
    ),
    ("backup key rotate", Deed(Operation::Backup)),
    (
        "backup list",
        Looks("days and sizes of encrypted snapshots"),
    ),
    ("backup prune", Timed(Operation::Backup)),
    ("backup drill", Timed(Operation::Backup)),
    (
        "backup report",
        Apart("draws paper, for which fonts are needed; app/cli/tests/keeping.rs"),
    ),
    (
        "backup status",
        Looks("ages, sizes and results of jobs that name nobody"),
    ),
    (
        "status",
        Looks("how the machine, its disks and its supply are, and when backups were made"),
    ),
    (
        "backup tick",
        Apart("each job that is due leaves its own entry; app/cli/tests/keeping.rs"),
    ),
    (
        "backup check",
        Looks("packs that are encrypted, and whether they are whole"),
    ),
    (
        "backup disk enrol",
        Apart("needs a disk; app/cli/tests/disks looks for its entry"),
    ),
    (
        "backup disk run",
        Apart("needs a disk; app/cli/tests/disks looks for its entry"),
    ),
    (
        "backup disk unplugged",
        Apart("needs a disk; app/cli/tests/disks looks for its entry"),
    ),
    (
        "backup disk release",
        Apart("needs a disk; app/cli/tests/disks looks for its entry"),
    ),
    (
        "backup disk list",
        Looks("names and numbers of disks, days, and whether each is away"),
    ),
    (
        "attachments check",
        Looks("numbers of records and hashes of files"),
    ),
    ("restore", Deed(Operation::Restore)),
    (
        "restore unlock",
        Apart("on a bare machine, whose log is not back yet; app/cli/tests/disks"),
    ),
    ("ship enrol", Deed(Operation::Backup)),
    ("ship prune", Timed(Operation::Backup)),
    (
        "ship run",
        Apart("a process of its own, as the service is; tests/recovery/tests/ship.rs"),
    ),
    (
        "ship status",
        Apart("says how a shipper stands, and reads nobody; tests/recovery/tests/ship.rs"),
    ),
    (
        "ship rebuild",
        Apart("needs what a shipper wrote; tests/recovery/tests/ship.rs looks for its entry"),
    ),
    (
        "restore list",
        Looks("names of directories, days, numbers of lineages"),
    ),
    ("restore undo", Deed(Operation::Restore)),
    ("restore take-over", Deed(Operation::Restore)),
    (
        "timemachine points",
        Apart("days of snapshots for the service; it names nobody and opens nothing"),
    ),
    (
        "timemachine fetch",
        Apart(
            "the service calls it for somebody signed in and writes her entry; features/former_states",
        ),
    ),
    (
        "timemachine bytes",
        Apart(
            "the service calls it for somebody signed in and writes her entry; features/former_states",
        ),
    ),
    ("users list", Deed(Operation::ConsoleUse)),
    ("users add", Deed(Operation::StaffAdd)),
    ("users reset", Deed(Operation::PasswordReset)),
    ("users grant", Deed(Operation::StaffRightAdd)),
    ("users disable", Deed(Operation::StaffPostEnd)),
    (
        "users break-glass prepare",
        Deed(Operation::BreakGlassPrepare),
    ),
    ("users break-glass open", Deed(Operation::BreakGlassOpen)),
    (
        "users password-cost",
        Looks("measures this machine, reads nothing"),
    ),
    ("users report", Deed(Operation::StaffReport)),
    (
        "certificates check",
        Looks("days of the machine's own certificates"),
    ),
    (
        "certificates renew-server",
        Deed(Operation::CertificateRenew),
    ),
    (
        "certificates renew-authority",
        Deed(Operation::CertificateRenew),
    ),
    (
        "factor-keys check",
        Looks("names of keys and how many enrolments they open"),
    ),
    ("factor-keys rotate", Deed(Operation::FactorKeyRotate)),
    (
        "factor-keys take-back",
        Apart("takes nothing back while every key is there; app/cli/tests/sign_in.rs"),
    ),
    ("carried-out add", Deed(Operation::CarryOut)),
    (
        "erase plan",
        Apart("draws paper, for which fonts are needed; app/cli/tests/erase looks for its entry"),
    ),
    (
        "erase run",
        Apart("needs a disk and an agreed plan; app/cli/tests/erase looks for its entry"),
    ),
    (
        "erase record",
        Apart("needs an agreed plan; app/cli/tests/erase looks for its entry"),
    ),
    (
        "erase certificate",
        Apart("needs records of a plan; app/cli/tests/erase looks for its entry"),
    ),
];

fn leaves(command: &clap::Command, before: &str, found: &mut BTreeSet<String>) {
    for sub in command.get_subcommands() {
        let name = format!("{before}{}", sub.get_name());
        if sub.has_subcommands() {
            leaves(sub, &format!("{name} "), found);
        }
        // One that does something by itself stands beside those below it.
        if !sub.is_subcommand_required_set() {
            assert!(found.insert(name), "two of one name");
        }
    }
}

#[test]
fn every_subcommand_stands_in_the_table_and_nothing_else_does() {
    let mut known = BTreeSet::new();
    leaves(&Arguments::command(), "", &mut known);
    let rows: BTreeSet<String> = TABLE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(rows.len(), TABLE.len(), "a row stands twice");
    let missing: Vec<_> = known.difference(&rows).collect();
    assert!(
        missing.is_empty(),
        "without a row in the table: {missing:?}"
    );
    let gone: Vec<_> = rows.difference(&known).collect();
    assert!(gone.is_empty(), "rows of no subcommand: {gone:?}");
    for (name, trace) in TABLE {
        if let Looks(why) | Apart(why) = trace {
            assert!(!why.is_empty(), "{name}");
        }
    }
}

/// A machine with an administrator, a log that reaches into last year, and what the verbs ask for.
struct Machine {
    root: TempDir,
    site: PathBuf,
    data: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (data, site) = prepared_for_backups(root.path());
        let delivered = root.path().join("delivered");
        fs::create_dir(&delivered).unwrap();
        generate(Size::Small, 1, harness::TODAY, &delivered).unwrap();
        Self { root, site, data }
    }

    fn place(&self, name: &str) -> String {
        self.root.path().join(name).display().to_string()
    }

    /// The words of a row, with what it needs prepared.
    fn words(&self, name: &str) -> Vec<String> {
        let today = Clock::system().today().to_string();
        let rest: Vec<String> = match name {
            "init" => self.pointed("fresh", &["--admin", "boss", "--admin-name", "管理 者"]),
            "import residents" => {
                let (rejects, files) = (self.place(""), self.place("delivered"));
                owned(&["--yes", "--rejects", &rejects, &files])
            }
            "import undo" | "backup prune" => owned(&["--yes"]),
            "certificates renew-server" | "certificates renew-authority" | "factor-keys rotate" => {
                owned(&["--yes"])
            }
            "audit archive" => {
                let year = self.log_of_last_year().to_string();
                self.pointed("old", &["--year", &year, "--yes", "--free-gb", "0"])
            }
            "incident verify" => owned(&[&self.evidence()]),
            "backup sheet" => owned(&["--yes", "--to", "/dev/shm/hokatsu-table", "--holder", "甲"]),
            "backup key rotate" => owned(&["--yes"]),
            "ship enrol" => {
                self.given_a_second_disk();
                owned(&["--yes"])
            }
            "ship prune" => owned(&["--yes"]),
            "restore" => owned(&["--yes", "--to", &self.place("restored")]),
            "restore undo" => {
                self.brought_back();
                owned(&["--yes"])
            }
            "restore take-over" => owned(&["--yes"]),
            "users add" => owned(&[
                "--login",
                "hanako",
                "--name",
                "架空 花子",
                "--kana",
                "カクウ ハナコ",
                "--role",
                "nurse",
                "--job",
                "保健師",
                "--centre",
                "0101",
                "--from",
                &today,
            ]),
            "users reset" => owned(&["hanako", "--yes"]),
            "users grant" => owned(&[
                "hanako",
                "--permission",
                "access_log_view",
                "--from",
                &today,
                "--until",
                &today,
                "--yes",
            ]),
            "users disable" => owned(&["hanako", "--on", &today, "--yes"]),
            "users break-glass prepare" => owned(&[
                "--first",
                "課長 甲",
                "--second",
                "部長 乙",
                "--to",
                &self.place("paper"),
                "--yes",
            ]),
            "users break-glass open" => self.opening(),
            "users report" => owned(&["--to", &self.place("reports")]),
            "carried-out add" => owned(&[
                "--what",
                "控えのディスク",
                "--persons",
                "3",
                "--destination",
                "金庫",
            ]),
            _ => Vec::new(),
        };
        name.split(' ').map(str::to_owned).chain(rest).collect()
    }

    /// Not before it is asked for: a second disk that nothing is shipped to is a state that does not hold.
    fn given_a_second_disk(&self) {
        let text = fs::read_to_string(&self.site).unwrap();
        if text.contains("[backup.shipping]") {
            return;
        }
        let disk = self.place("disk");
        fs::create_dir(&disk).unwrap();
        let text = format!("{text}\n[backup.shipping]\npath = \"{disk}\"\n");
        private(&self.site, text.as_bytes());
    }

    /// Words for another data directory than the machine's.
    fn pointed(&self, directory: &str, words: &[&str]) -> Vec<String> {
        let place = self.place(directory);
        [&["--data", place.as_str()], words]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    fn log_of_last_year(&self) -> i16 {
        let now = Clock::system().now();
        let then = now.checked_sub((24 * 370).hours()).unwrap();
        let place = DataDir::new(self.place("old"));
        if !place.database().exists() {
            let (clock, hand) = Clock::stepped(then);
            let db = Db::create(&place, clock).unwrap();
            let entry = || Event::done(Operation::SetUp);
            for at in [then, now] {
                hand.set(at);
                db.write(&Actor::system("試験"), |tx| {
                    Ok::<_, StoreError>(tx.audited(entry(), ()))
                })
                .unwrap();
            }
            db.close().unwrap();
        }
        japanese_day(then).year()
    }

    fn evidence(&self) -> String {
        let db = Db::open(&DataDir::new(&self.data), Clock::system()).unwrap();
        if !self.data.join("evidence/incident-1-1").exists() {
            store::evidence::preserve(&db, "incident-1-1", &[]).unwrap();
        }
        db.close().unwrap();
        self.data
            .join("evidence/incident-1-1")
            .display()
            .to_string()
    }

    /// There is something to put back only behind a restore in place.
    fn brought_back(&self) {
        let words = owned(&["restore", "--yes", "--repository", "raid"]);
        let (code, errors) = self.by_somebody(&words);
        assert_eq!(code, 0, "{errors}");
    }

    fn opening(&self) -> Vec<String> {
        let db = Db::open_beside(&DataDir::new(&self.data), Clock::system()).unwrap();
        let made = break_glass::prepare(&db, &Actor::system("試験"), ["課長 甲", "部長 乙"]);
        let files = made.unwrap().map(|envelope| {
            let file = self
                .root
                .path()
                .join(format!("secret-{}", envelope.position));
            private(&file, envelope.secret.as_bytes());
            file.display().to_string()
        });
        db.close().unwrap();
        owned(&[
            "--login",
            "admin",
            "--first",
            "課長 甲",
            "--second",
            "部長 乙",
            "--first-secret-file",
            &files[0],
            "--second-secret-file",
            &files[1],
            "--yes",
        ])
    }

    /// The directory that a row writes to.
    fn log_of(&self, name: &str) -> DataDir {
        match name {
            "init" => DataDir::new(self.place("fresh")),
            "audit archive" => DataDir::new(self.place("old")),
            _ => DataDir::new(&self.data),
        }
    }

    /// Entries of this kind, those with who and why, and all.
    fn entries(&self, name: &str, operation: Operation) -> (i64, i64, i64) {
        let place = self.log_of(name);
        if !place.database().exists() {
            return (0, 0, 0);
        }
        let db = Db::open(&place, Clock::system()).unwrap();
        let count = |condition: &str| {
            let sql = format!("select count(*) from audit_entries where {condition}");
            db.read(&Actor::system("試験"), |tx| tx.count(&sql, []))
                .map_err(|error: StoreError| error)
                .unwrap()
        };
        let of = format!("operation = '{}' and outcome = 'done'", operation.code());
        let named = format!("{of} and detail like '%操作者＝{OPERATOR}／操作の理由＝試験'");
        let found = (count(&of), count(&named), count("1"));
        db.close().unwrap();
        found
    }

    /// Runs it by nobody: no name, no reason, no terminal.
    fn by_nobody(&self, words: &[String]) -> (i32, String) {
        let mut command = hokatsu(words);
        command
            .env_remove("HOKATSU_OPERATOR")
            .env_remove("HOKATSU_REASON");
        command.env("HOKATSU_SITE", &self.site).stdin(Stdio::null());
        let output = command.output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), errors)
    }

    fn by_somebody(&self, words: &[String]) -> (i32, String) {
        let site = self.site.display().to_string();
        let all = ["--site".to_owned(), site].into_iter();
        let (code, _, errors) = ended(all.chain(words.iter().cloned()));
        (code, errors)
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn private(path: &Path, bytes: &[u8]) {
    base::paths::write_atomic(path, bytes, base::paths::MODE_PRIVATE).unwrap();
}

#[test]
fn what_changes_something_says_who_and_why_and_what_only_looks_leaves_nothing() {
    let machine = Machine::new();
    for (name, trace) in TABLE {
        match trace {
            Apart(_) => {}
            Deed(operation) => a_deed(&machine, name, *operation),
            Timed(operation) => a_timed_one(&machine, name, *operation),
            Looks(_) => {
                let words = machine.words(name);
                let before = machine.entries(name, Operation::ConsoleUse).2;
                let (code, errors) = machine.by_nobody(&words);
                assert_eq!(code, 0, "{name}: {errors}");
                let after = machine.entries(name, Operation::ConsoleUse).2;
                assert_eq!(before, after, "{name} left an entry");
            }
        }
    }
}

fn a_deed(machine: &Machine, name: &str, operation: Operation) {
    let words = machine.words(name);
    let before = machine.entries(name, operation);
    let (code, errors) = machine.by_nobody(&words);
    assert_eq!(code, 2, "{name} by nobody: {errors}");
    assert!(
        errors.contains("--operator 氏名 --reason 理由"),
        "{name}: {errors}"
    );
    let still = machine.entries(name, operation);
    assert_eq!(before, still, "{name} by nobody left something");
    let (code, errors) = machine.by_somebody(&words);
    // 1: the town delivers rows that are left out on purpose.
    let well = code == 0 || (code == 1 && name == "import residents");
    assert!(well, "{name}: {code} {errors}");
    let after = machine.entries(name, operation);
    assert!(after.0 > before.0, "{name} left no entry of {operation:?}");
    let added = (after.0 - before.0, after.1 - before.1);
    assert_eq!(added.0, added.1, "{name}: an entry without who and why");
}

fn a_timed_one(machine: &Machine, name: &str, operation: Operation) {
    let words = machine.words(name);
    let before = machine.entries(name, operation);
    // First: of the timer's runs of a day one has an entry.
    let (code, errors) = machine.by_nobody(&words);
    assert_eq!(code, 0, "{name} by its timer: {errors}");
    let timed = machine.entries(name, operation);
    assert_eq!(
        (timed.0, timed.1),
        (before.0 + 1, before.1),
        "{name} by its timer"
    );
    let (code, errors) = machine.by_somebody(&words);
    assert_eq!(code, 0, "{name}: {errors}");
    let named = machine.entries(name, operation);
    assert_eq!((named.0, named.1), (timed.0 + 1, timed.1 + 1), "{name}");
}
