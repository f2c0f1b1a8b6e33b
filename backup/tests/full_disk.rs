//! A disk without room, on a real file system of a few megabytes; mounting it needs root.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup::{
    BackupError, Chunking, Progress, Quiet, RepositorySettings, Selector, Source, init, list,
    restore_to, run,
};

const DISK_BYTES: &str = "size=6m";

/// Unmounted on drop, also when the test fails.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mounted(at: PathBuf) -> Self {
        fs::create_dir(&at).unwrap();
        let options = [
            "-t",
            "tmpfs",
            "-o",
            DISK_BYTES,
            "tmpfs",
            at.to_str().unwrap(),
        ];
        assert!(ran("mount", &options), "cannot mount a small tmpfs");
        Self(at)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        ran("umount", &[self.0.to_str().unwrap_or_default()]);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "mounts a disk for a test, outside what we ship"
)]
fn ran(program: &str, arguments: &[&str]) -> bool {
    std::process::Command::new(program)
        .args(arguments)
        .status()
        .is_ok_and(|s| s.success())
}

fn put(path: &Path, seed: u64, length: usize) {
    let mut state = seed;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
    .take(length)
    .collect();
    File::create(path).unwrap().write_all(&bytes).unwrap();
}

#[test]
fn a_full_disk_is_told_as_such_and_the_earlier_snapshot_still_comes_back() {
    let root = rustix::process::geteuid().is_root();
    assert!(
        root,
        "mounting a small disk needs root: run this suite as root"
    );
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mounted(dir.path().join("disk"));
    let settings = RepositorySettings {
        name: "A".to_owned(),
        path: disk.0.join("repository"),
        password_file: dir.path().join("password"),
        chunking: Chunking::Fixed16KiB,
    };
    let mut source = Source {
        dir: dir.path().join("source"),
        beside: Vec::new(),
        label: "db".to_owned(),
        host: "box".to_owned(),
        taken_at: "2026-04-07T03:00:00Z".parse().unwrap(),
        facts: serde_json::Value::Null,
    };
    let quiet: Arc<dyn Progress> = Arc::new(Quiet);
    fs::create_dir(&source.dir).unwrap();
    put(&source.dir.join("small"), 1, 100_000);
    init(&settings).unwrap();
    run(&settings, &source, &quiet).unwrap();

    put(&source.dir.join("large"), 2, 12_000_000);
    source.taken_at += jiff::SignedDuration::from_hours(1);
    let error = run(&settings, &source, &quiet).unwrap_err();
    assert!(error.is_disk_full(), "{error:?}");
    assert_eq!(list(&settings).unwrap().len(), 1);
    let target = dir.path().join("target");
    let restored = restore_to(&settings, &Selector::Latest, &target, &Quiet).unwrap();
    assert!(restored.is_complete());

    let no_room = restore_to(&settings, &Selector::Latest, &disk.0.join("target"), &Quiet);
    assert!(matches!(no_room, Err(BackupError::NoRoom { .. })));
    assert!(!disk.0.join("target").exists());
}
