//! Pruning is killed at moments spread over its life: every snapshot that remains comes back as it was,
//! a stock tool finds nothing wrong, and the next prune ends what the killed ones began.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backup::{
    CheckDepth, Chunking, Progress, Quiet, RepositorySettings, Selector, Source, check, list,
    restore_to,
};
use harness::process::{ended, hokatsu, prepared_for_backups};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

const KILLS: u32 = 12;
const KILLS_LONG: u32 = 300;
const FILE_BYTES: usize = 400_000;

struct Room {
    root: TempDir,
    site: PathBuf,
    settings: RepositorySettings,
    /// When the next snapshot is taken.
    next: Timestamp,
    count: u64,
}

impl Room {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (_, site) = prepared_for_backups(root.path());
        let text = fs::read_to_string(&site).unwrap();
        let few = "\n[backup.retention]\nhourly = 2\ndaily = 1\nweekly = 0\nmonthly = 0\nyearly = 0\n\
                   [backup.prune]\nrepack_percent_max = 100\nunused_percent_max = 1\n";
        base::paths::write_atomic(&site, format!("{text}{few}").as_bytes(), 0o600).unwrap();
        let settings = RepositorySettings {
            name: "raid".to_owned(),
            location: root.path().join("raid").into(),
            password_file: root.path().join("password"),
            chunking: Chunking::Fixed16KiB,
        };
        backup::init(&settings).unwrap();
        Self {
            root,
            site,
            settings,
            next: "2026-04-07T00:00:00Z".parse().unwrap(),
            count: 0,
        }
    }

    /// Files that overlap with those of other hours, so that packs are needed in part.
    fn save_some(&mut self, snapshots: u32) {
        let quiet: Arc<dyn Progress> = Arc::new(Quiet);
        for _ in 0..snapshots {
            let dir = self.root.path().join("source");
            fs::create_dir_all(&dir).unwrap();
            for file in 0..3_u64 {
                let seed = self.count / (file + 1) * 10 + file;
                put(&dir.join(format!("file-{file}")), &noise(seed, FILE_BYTES));
            }
            let source = Source {
                dir,
                beside: Vec::new(),
                label: "hokatsu".to_owned(),
                host: "box".to_owned(),
                taken_at: self.next,
                facts: serde_json::json!({ "count": self.count }),
            };
            backup::run(&self.settings, &source, &quiet).unwrap();
            self.next += SignedDuration::from_hours(1);
            self.count += 1;
        }
    }

    fn prune(&self) -> std::process::Command {
        let site = self.site.to_str().unwrap();
        let mut command = hokatsu(["--site", site, "backup", "prune", "--yes"]);
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn every_snapshot_comes_back(&self, after: u32) {
        for one in list(&self.settings).unwrap() {
            let target = self.root.path().join("back");
            let id = Selector::Id(one.id.clone());
            let done = restore_to(&self.settings, &id, &target, &Quiet).unwrap();
            assert!(done.is_complete(), "after kill {after}: {:?}", done.damaged);
            let count = one.facts["count"].as_u64().unwrap();
            for file in 0..3_u64 {
                let bytes = fs::read(target.join(format!("file-{file}"))).unwrap();
                let wanted = noise(count / (file + 1) * 10 + file, FILE_BYTES);
                assert!(
                    bytes == wanted,
                    "after kill {after}: hour {count}, file {file}"
                );
            }
            fs::remove_dir_all(&target).unwrap();
        }
        let found = check(&self.settings, CheckDepth::AllData).unwrap();
        assert!(
            found.is_healthy(),
            "after kill {after}: {:?}",
            found.findings
        );
    }
}

fn put(path: &Path, bytes: &[u8]) {
    base::paths::write_atomic(path, bytes, 0o600).unwrap();
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8))
        .flat_map(|_| next())
        .take(length)
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "runs a stock tool, outside anything we ship"
)]
fn stock_tool_agrees(settings: &RepositorySettings) {
    let output = std::process::Command::new("restic")
        .args(["--no-cache", "check", "--read-data", "-r"])
        .arg(settings.location.directory().unwrap())
        .arg("--password-file")
        .arg(&settings.password_file)
        .output()
        .expect("restic is not installed: run `cargo xtask setup`");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "restic check: {errors}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "xtask hands `--long` down this way"
)]
fn kills() -> u32 {
    if std::env::var("HOKATSU_LONG").is_ok() {
        KILLS_LONG
    } else {
        KILLS
    }
}

#[test]
fn killed_anywhere_a_prune_leaves_every_snapshot_that_remains_whole() {
    let mut room = Room::new();
    room.save_some(6);
    let begun = Instant::now();
    assert!(room.prune().status().unwrap().success());
    let lasts = begun.elapsed();
    let kills = kills();
    for kill in 0..kills {
        room.save_some(2);
        let before = list(&room.settings).unwrap().len();
        let mut pruning = room.prune().spawn().unwrap();
        let part = f64::from(kill % KILLS + 1) / f64::from(KILLS);
        std::thread::park_timeout(lasts.mul_f64(part).min(Duration::from_secs(30)));
        // Fails when it has ended already, which is a moment like any other.
        drop(pruning.kill());
        pruning.wait().unwrap();
        assert!((2..=before).contains(&list(&room.settings).unwrap().len()));
        room.every_snapshot_comes_back(kill);
    }
    stock_tool_agrees(&room.settings);
    let site = room.site.to_str().unwrap();
    let (code, _, errors) = ended(["--site", site, "backup", "prune", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    room.every_snapshot_comes_back(kills);
    stock_tool_agrees(&room.settings);
}
