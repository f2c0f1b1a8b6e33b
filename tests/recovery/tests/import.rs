//! An import that is killed at any moment leaves the old state or the new one, never a mixture.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use base::clock::Clock;
use demo::town::{Size, generate};
use harness::TODAY;
use harness::process::{ended, hokatsu};
use store::{DataDir, Db};
use tempfile::TempDir;

/// Kills in CI, and with `--long`.
const KILLS: u32 = 24;
const KILLS_LONG: u32 = 400;

#[expect(
    clippy::disallowed_methods,
    reason = "the runner says how large the numbers are"
)]
fn kills() -> u32 {
    if std::env::var("HOKATSU_LONG").is_ok() {
        KILLS_LONG
    } else {
        KILLS
    }
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copied(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Rows of every table but the log itself, which also tells of each start.
fn state(data: &Path) -> Vec<(String, i64)> {
    let db = Db::open(&DataDir::new(data), Clock::system()).expect("the next start works");
    let mut counts = db.row_counts().unwrap();
    counts.retain(|(table, _)| !table.starts_with("audit_"));
    drop(db);
    let verdict = store::audit::verify(&DataDir::new(data), None).unwrap();
    assert_eq!(verdict.findings, []);
    counts
}

/// The words of an import into this directory.
fn import(data: &Path, delivered: &Path, rejects: &Path) -> Vec<PathBuf> {
    let words: [&Path; 8] = [
        "--data".as_ref(),
        data,
        "import".as_ref(),
        "residents".as_ref(),
        "--yes".as_ref(),
        "--rejects".as_ref(),
        rejects,
        delivered,
    ];
    words.map(Path::to_path_buf).to_vec()
}

#[test]
fn a_killed_import_leaves_the_old_state_or_the_new_one() {
    let root = TempDir::new().unwrap();
    let delivered = root.path().join("delivered");
    fs::create_dir(&delivered).unwrap();
    generate(Size::Small, 1, TODAY, &delivered).unwrap();
    let fresh = root.path().join("fresh");
    let init = [
        "--data",
        fresh.to_str().unwrap(),
        "init",
        "--admin",
        "a",
        "--admin-name",
        "管理 者",
    ];
    let (code, _, errors) = ended(init);
    assert_eq!(code, 0, "{errors}");
    let old = state(&fresh);

    let whole = root.path().join("whole");
    copied(&fresh, &whole);
    let begun = Instant::now();
    let (code, _, errors) = ended(import(&whole, &delivered, root.path()));
    let took = begun.elapsed();
    // 1: the town delivers rows that are left out on purpose.
    assert!(matches!(code, 0 | 1), "{errors}");
    let new = state(&whole);
    assert_ne!(old, new);

    let (mut olds, mut news) = (0, 0);
    for kill in 0..kills() {
        let place = root.path().join(format!("kill-{kill}"));
        copied(&fresh, &place);
        let mut child = hokatsu(import(&place, &delivered, root.path()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Spread over the whole run and a little beyond, so that both states are met.
        std::thread::park_timeout(moment(took, kill));
        child.kill().unwrap();
        child.wait().unwrap();
        match state(&place) {
            found if found == old => olds += 1,
            found if found == new => news += 1,
            found => panic!("a mixture after kill {kill}: {found:?}, old {old:?}, new {new:?}"),
        }
        fs::remove_dir_all(&place).unwrap();
    }
    println!(
        "kills: {}, old state: {olds}, new state: {news}, mixtures: 0",
        kills()
    );
    assert!(olds > 0, "no kill came before the end");
}

fn moment(took: Duration, kill: u32) -> Duration {
    took.mul_f64(1.2 * f64::from(kill + 1) / f64::from(kills()))
}
