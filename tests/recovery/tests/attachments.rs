//! Attached files outlive what happens to the machine: kills while they are taken in, a connection cut
//! half-way, a backup brought back on a bare directory. A row never stands without its bytes.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::clock::Clock;
use harness::process::{Client, Server, ended, listen_anywhere};
use store::{Actor, DataDir, Db, Scope, StoreError, check_shelf};
use tempfile::TempDir;

const KILLS: u64 = 25;
/// Longest life of a process after its first acknowledged file, milliseconds.
const LIFE_MS: u64 = 150;
const NURSE: &str = "ch.nurse1";
/// How long a server may take to notice that somebody hung up.
const NOTICED_MAX: Duration = Duration::from_secs(20);

/// A town that was built once, with its settings file.
struct Town {
    data: DataDir,
    site: PathBuf,
    root: TempDir,
}

impl Town {
    fn build() -> Self {
        let root = TempDir::new().unwrap();
        let dir = root.path().join("town");
        let (server, _) = Server::demo(&dir);
        server.kill();
        let site = dir.join("site.toml");
        listen_anywhere(&site);
        Self {
            data: DataDir::new(dir.join("data")),
            site,
            root,
        }
    }

    fn signed_in(&self, base: &str) -> Client {
        let mut client = Client::trusting(self.data.tls().join("ca.pem"));
        assert!(client.sign_in(base, NURSE, &demo::staff::password(NURSE)));
        client
    }

    /// Where files are attached to somebody whom the nurse's centre looks after.
    fn place(&self) -> String {
        let sql = "select min(r.id) from visible_residents r
            join support_centres c on c.id = r.centre_id
            where c.code = '0101' and r.resident_state = '1' and r.shielded = 0";
        format!("/residents/{}/attachments", self.count(sql))
    }

    fn count(&self, sql: &str) -> i64 {
        let db = Db::open(&self.data, Clock::system()).expect("the next start works");
        let city = Actor {
            scope: Scope::City,
            ..Actor::system("test")
        };
        let counted: Result<i64, StoreError> = db.read(&city, |tx| tx.count(sql, []));
        db.close().unwrap();
        counted.unwrap()
    }

    fn hokatsu(&self, words: &[&str]) -> (i32, String, String) {
        let site = self.site.to_str().unwrap();
        ended([&["--site", site], words].concat())
    }
}

/// Every file below a directory: its name there, and its bytes.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(&place).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Attaches one file of its own; true once that was acknowledged, nothing once nobody answers.
fn attach(client: &Client, address: &str, form: u64) -> Option<bool> {
    let text = format!("停電の試験 {form}\n").repeat(2_000);
    let submission = format!("{form:064x}");
    let fields = [("submission", submission.as_str())];
    let answer = client.upload(address, &fields, "試験.txt", text.as_bytes())?;
    assert_eq!(answer.status(), 303, "a good file was refused");
    Some(true)
}

#[test]
fn no_acknowledged_file_is_lost_and_no_row_stands_without_its_bytes() {
    let town = Town::build();
    let place = town.place();
    let before = town.count("select count(*) from visible_attachments");
    let mut acknowledged = 0;
    let mut forms = 0;
    let (server, address) = Server::serve(&town.site);
    let client = town.signed_in(&address);
    server.kill();
    for kill in 0..KILLS {
        let (server, address) = Server::serve(&town.site);
        let target = format!("{address}{place}");
        forms += 1;
        assert!(
            attach(&client, &target, forms).is_some(),
            "after kill {kill}"
        );
        acknowledged += 1;
        // A different moment each time, while the next ones are on their way.
        let moment = kill.wrapping_mul(11_400_714_819_323_198_485) % (LIFE_MS * 1000);
        let killing = std::thread::spawn(move || {
            std::thread::park_timeout(Duration::from_micros(moment));
            server.kill();
        });
        loop {
            forms += 1;
            if attach(&client, &target, forms).is_none() {
                break;
            }
            acknowledged += 1;
        }
        killing.join().unwrap();
        let rows = town.count("select count(*) from visible_attachments") - before;
        assert!(
            rows >= acknowledged,
            "{rows} of {acknowledged} after kill {kill}"
        );
        let found = check_shelf(&town.data.database(), &town.data).unwrap();
        assert!(found.is_sound(), "after kill {kill}: {found:?}");
        let verdict = store::audit::verify(&town.data, None).unwrap();
        assert_eq!(verdict.findings, [], "after kill {kill}");
    }
    println!("kills: {KILLS}, acknowledged files: {acknowledged}, rows without bytes: 0");
    assert!(acknowledged >= i64::try_from(KILLS).unwrap());
}

#[test]
fn a_connection_cut_half_way_leaves_nothing_on_the_disk() {
    let town = Town::build();
    let place = town.place();
    let before = town.count("select count(*) from visible_attachments");
    let known = files(&town.data.attachments());
    let (server, address) = Server::serve(&town.site);
    let client = town.signed_in(&address);
    client.upload_cut(&format!("{address}{place}"), "半分.txt", 3_000_000);
    let waited = Instant::now();
    while files(&town.data.attachments()) != known {
        assert!(waited.elapsed() < NOTICED_MAX, "half a file is left");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    server.kill();
    assert_eq!(
        town.count("select count(*) from visible_attachments"),
        before
    );
}

#[test]
fn a_backup_brings_every_attachment_back_byte_for_byte_on_a_bare_directory() {
    let town = Town::build();
    let source = files(&town.data.attachments());
    assert!(source.len() >= 5, "the town has papers: {}", source.len());
    let (code, _, errors) = town.hokatsu(&["--json", "backup", "run"]);
    assert_eq!(code, 0, "{errors}");
    let bare = town.root.path().join("bare");
    let to = bare.to_str().unwrap();
    let (code, out, errors) = town.hokatsu(&["--json", "restore", "--to", to, "--yes"]);
    assert_eq!(code, 0, "{errors}");
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    let rows = town.count("select count(*) from visible_attachments");
    assert_eq!(told["attachments"]["rows"], rows);
    assert_eq!(files(&DataDir::new(&bare).attachments()), source);
    let (code, _, errors) = ended(["--data", to, "attachments", "check"]);
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn missing_and_bent_bytes_are_named_by_check_and_backup() {
    let town = Town::build();
    let place = town.data.attachments();
    let names: Vec<String> = files(&place).into_keys().collect();
    let (gone, bent) = (place.join(&names[0]), place.join(&names[1]));
    fs::remove_file(&gone).unwrap();
    base::paths::write_atomic(&bent, b"other", base::paths::MODE_PRIVATE).unwrap();
    let (code, out, errors) = town.hokatsu(&["--json", "attachments", "check"]);
    assert_eq!(code, 1, "{errors}");
    assert!(
        errors.contains("runbooks/attachment-damaged.md"),
        "{errors}"
    );
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    let missing = told["missing"].as_array().unwrap().clone();
    assert!(!missing.is_empty() && !told["bent"].as_array().unwrap().is_empty());
    // The backup is made all the same, and says what it lacks.
    let (code, out, errors) = town.hokatsu(&["--json", "backup", "run"]);
    assert_eq!(code, 1, "{errors}");
    let saved: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        saved[0]["attachments_missing"],
        serde_json::Value::from(missing)
    );
    let bare = town.root.path().join("bare");
    let to = bare.to_str().unwrap();
    let (code, _, errors) = town.hokatsu(&["restore", "--to", to, "--yes"]);
    assert_eq!(code, 1, "{errors}");
    assert!(
        errors.contains("中身がありません") && errors.contains("壊れています"),
        "{errors}"
    );
}
