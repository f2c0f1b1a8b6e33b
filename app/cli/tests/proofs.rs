//! What proves something months later: a sheet of paper against a rewritten log, evidence out of a backup.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::fs;
use std::path::Path;

use base::clock::Clock;
use harness::process::{ended, prepared, prepared_for_backups};
use store::{DataDir, Db};
use tempfile::TempDir;

fn run(site: &Path, words: &[&str]) -> (i32, serde_json::Value, String) {
    let head = ["--json", "--site", site.to_str().unwrap()];
    let (code, out, errors) = ended([&head, words].concat());
    let value = serde_json::from_str(&out).unwrap_or(serde_json::Value::Null);
    (code, value, errors)
}

fn copied(from: &Path, to: &Path) {
    base::paths::create_private_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copied(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Whoever has the machine goes back to the morning and lets the same day happen again without the
/// deed: every hash fits, every signature is of the real key, and the checkpoint is made anew, too.
#[test]
fn a_day_that_was_rewritten_with_the_machines_own_key_is_found_by_the_paper_alone() {
    let root = TempDir::new().unwrap();
    let (data, site) = prepared(root.path());
    let morning = root.path().join("morning");
    copied(&data, &morning);

    assert_eq!(run(&site, &["users", "list"]).0, 0);
    let (code, signed, errors) = run(&site, &["audit", "checkpoint"]);
    assert_eq!(code, 0, "{errors}");
    let entries = signed["entries"].as_i64().unwrap();
    let hash = signed["hash"].as_str().unwrap();
    let lines = store::audit::paper_lines(Clock::system().today(), entries, hash);
    let rows: Vec<String> = lines
        .iter()
        .map(|line| format!("{} {} {}", line.number, line.groups.join(" "), line.check))
        .collect();
    let sheet = root.path().join("typed.txt");
    base::paths::write_atomic(&sheet, rows.join("\n").as_bytes(), 0o600).unwrap();
    let against = ["audit", "verify", "--against", sheet.to_str().unwrap()];
    let (code, verdict, errors) = run(&site, &against);
    assert_eq!((code, &verdict["checkpoints"]), (0, &1.into()), "{errors}");

    fs::remove_dir_all(&data).unwrap();
    fs::rename(&morning, &data).unwrap();
    let to = root.path().join("reports");
    let other = ["users", "report", "--to", to.to_str().unwrap()];
    assert_eq!(run(&site, &other).0, 0);
    let (code, again, _) = run(&site, &["audit", "checkpoint"]);
    assert_eq!((code, &again["entries"]), (0, &signed["entries"]));
    assert_ne!(again["hash"], signed["hash"]);
    let (code, _, errors) = run(&site, &["audit", "verify"]);
    assert_eq!(code, 0, "the machine itself finds nothing: {errors}");
    let (code, verdict, errors) = run(&site, &against);
    assert_eq!((code, &verdict["whole"]), (1, &false.into()), "{errors}");
    let told = format!("署名した{entries}件までの記録と、今の記録が違います");
    assert!(errors.contains(&told), "{errors}");
    assert!(errors.contains("runbooks/audit-broken.md"), "{errors}");
}

#[test]
fn evidence_is_in_every_backup_and_comes_back_as_it_was() {
    let root = TempDir::new().unwrap();
    let (data, site) = prepared_for_backups(root.path());
    let db = Db::open(&DataDir::new(&data), Clock::system()).unwrap();
    let files = [("incident.txt", "事故 1\n".as_bytes().to_vec())];
    store::evidence::preserve(&db, "incident-1-1", &files).unwrap();
    db.close().unwrap();
    // One that is still being made, as another process leaves it.
    base::paths::create_private_dir(&data.join("evidence/.incident-2-1")).unwrap();
    assert_eq!(run(&site, &["backup", "init"]).0, 0);
    let (code, _, errors) = run(&site, &["backup", "run"]);
    assert_eq!(code, 0, "{errors}");
    let to = root.path().join("restored");
    let (code, restored, errors) = run(&site, &["restore", "--yes", "--to", to.to_str().unwrap()]);
    assert_eq!((code, &restored["equal"]), (0, &true.into()), "{errors}");
    assert!(!to.join("evidence/.incident-2-1").exists());
    let folder = to.join("evidence/incident-1-1");
    let key = data.join("keys/audit.pub");
    let verify = [
        "incident",
        "verify",
        folder.to_str().unwrap(),
        "--key",
        key.to_str().unwrap(),
    ];
    let (code, verdict, errors) = run(&site, &verify);
    assert_eq!((code, &verdict["whole"]), (0, &true.into()), "{errors}");
    assert_eq!(
        fs::read(folder.join("incident.txt")).unwrap(),
        files[0].1.as_slice()
    );
}
