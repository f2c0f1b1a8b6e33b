//! A repository off-site beside one on a disk, by settings alone and through the command: one that is away
//! keeps nothing else from being done, and the sheet says how a stock tool gets at it.
//!
//! Needs `rclone` and `pdftotext`, which `cargo xtask setup` installs; without them this fails.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base::paths::{MODE_PRIVATE, write_atomic};
use harness::process::{ended, prepared_for_backups};
use serde_json::Value;
use tempfile::TempDir;

const PASSWORD: &str = "a-login-of-the-test";

#[expect(
    clippy::disallowed_methods,
    reason = "runs stock tools, outside anything we ship"
)]
fn program(name: &str) -> Command {
    Command::new(name)
}

/// A machine with two repositories, and the stock server that has one of them.
struct Machine {
    root: TempDir,
    data: PathBuf,
    site: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (data, site) = prepared_for_backups(root.path());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let login = root.path().join("login");
        write_atomic(&login, PASSWORD.as_bytes(), MODE_PRIVATE).unwrap();
        let settings = fs::read_to_string(&site).unwrap();
        let text = format!(
            "{settings}\n[[backup.repositories]]\nname = \"遠隔地\"\npassword_file = \"offsite.password\"\n\
             [backup.repositories.rest]\nurl = \"http://127.0.0.1:{port}/\"\nuser = \"wako\"\n\
             login_file = \"login\"\n"
        );
        write_atomic(&site, text.as_bytes(), MODE_PRIVATE).unwrap();
        let mut machine = Self {
            root,
            data,
            site,
            port,
            server: None,
        };
        machine.begin();
        machine
    }

    fn begin(&mut self) {
        let child = program("rclone")
            .args(["serve", "restic", "--user", "wako", "--pass", PASSWORD])
            .arg("--addr")
            .arg(format!("127.0.0.1:{}", self.port))
            .arg(self.root.path().join("server"))
            .env("RCLONE_CONFIG", "")
            .stderr(Stdio::null())
            .spawn();
        self.server = Some(child.expect("rclone is not installed: run `cargo xtask setup`"));
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30));
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    fn end(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(server.kill());
            drop(server.wait());
        }
    }

    fn run(&self, words: &[&str]) -> (i32, Value, String) {
        let site = self.site.display().to_string();
        let (code, out, errors) = ended([&["--json", "--site", &site], words].concat());
        assert!(!errors.contains(PASSWORD) && !out.contains(PASSWORD));
        (code, serde_json::from_str(&out).unwrap_or_default(), errors)
    }

    fn well(&self, words: &[&str]) -> Value {
        let (code, out, errors) = self.run(words);
        assert_eq!(code, 0, "{words:?}: {errors}");
        out
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.end();
    }
}

fn probe<'s>(status: &'s Value, name: &str, repository: &str) -> &'s Value {
    let probes = status["probes"].as_array().unwrap();
    let mine = |one: &&Value| one["name"] == name && one["repository"] == repository;
    probes.iter().find(mine).unwrap_or(&Value::Null)
}

#[test]
fn everything_is_done_with_it_and_one_that_is_away_hinders_nothing_else() {
    let mut machine = Machine::new();
    machine.well(&["backup", "init"]);
    let ticked = machine.well(&["backup", "tick"]);
    assert_eq!(ticked["done"].as_array().unwrap().len(), 4);
    machine.well(&["backup", "drill", "--repository", "遠隔地"]);
    machine.well(&["backup", "check", "--read-data"]);
    let status = machine.well(&["backup", "status"]);
    assert_eq!(status["holds"], true);
    let free = probe(&status, "backup_free_bytes", "遠隔地");
    assert_eq!(
        (&free["holds"], &free["value"]),
        (&true.into(), &Value::Null)
    );
    let to = machine.root.path().join("one");
    let only = [
        "restore",
        "--yes",
        "--repository",
        "遠隔地",
        "--only",
        "hokatsu.db",
        "--to",
    ];
    machine.well(&[&only[..], &[to.to_str().unwrap()]].concat());
    let all = machine.root.path().join("all");
    let whole = [
        "restore",
        "--yes",
        "--repository",
        "遠隔地",
        "--to",
        all.to_str().unwrap(),
    ];
    machine.well(&whole);
    assert!(all.exists() && to.exists());

    machine.end();
    let (code, _, errors) = machine.run(&["backup", "run"]);
    assert!(
        code == 3 && errors.contains("遠隔地の保管先に届きません"),
        "{errors}"
    );
    assert!(errors.contains("runbooks/backup-offsite.md"), "{errors}");
    assert!(errors.contains("保管先「raid」に保存しました"), "{errors}");
    let (code, _, errors) = machine.run(&["backup", "prune", "--yes"]);
    assert!(
        code == 3 && errors.contains("保管先「raid」を片付けました"),
        "{errors}"
    );
    let (code, status, errors) = machine.run(&["backup", "status"]);
    assert_eq!((code, &status["holds"]), (1, &false.into()), "{errors}");
    assert_eq!(probe(&status, "backup_reachable", "遠隔地")["holds"], false);
    assert_eq!(probe(&status, "backup_reachable", "raid")["holds"], true);
    assert_eq!(probe(&status, "backup_run_failures", "遠隔地")["value"], 1);
    machine.begin();
    machine.well(&["backup", "run"]);
    machine.well(&["backup", "prune", "--yes"]);
    assert_eq!(machine.well(&["backup", "status"])["holds"], true);
}

#[test]
fn the_sheet_says_where_a_stock_tool_finds_it_and_opens_it() {
    let machine = Machine::new();
    machine.well(&["backup", "init"]);
    machine.well(&["backup", "run"]);
    let paper = TempDir::new_in("/dev/shm").unwrap();
    let to = paper.path().join("sheet").display().to_string();
    let made = machine.well(&[
        "backup",
        "sheet",
        "--yes",
        "--to",
        &to,
        "--holder",
        "保管 一",
    ]);
    let file = made["files"].as_array().unwrap().first().unwrap();
    let pdf = program("pdftotext")
        .arg("-raw")
        .arg(file.as_str().unwrap())
        .arg("-")
        .output();
    let pdf = pdf.expect("pdftotext is not installed: run `cargo xtask setup`");
    let text = String::from_utf8(pdf.stdout).unwrap();
    // A long word may be broken where there is a place of no width.
    let is_shown = |letter: &char| !letter.is_whitespace() && *letter != '\u{200b}';
    let text: String = text.chars().filter(is_shown).collect();
    let command = format!(
        "restic-rrest:http://127.0.0.1:{}/restorelatest",
        machine.port
    );
    assert!(text.contains(&command), "{text}");
    assert!(!text.contains(PASSWORD));
    assert!(machine.data.join("keys/recovery-sheets.json").exists());
}
