//! A disk without room, on a real file system of a few megabytes; mounting it needs root.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use backup::retention::{Ahead, Retention};
use backup::{
    BackupError, CheckDepth, Chunking, Progress, PruneRules, Quiet, RepositorySettings, Selector,
    Source, check, init, list, plan_prune, prune, restore_to, run,
};

const DISK_BYTES: &str = "size=6m";
/// A prune wants room for its indexes before it begins.
const PRUNED_DISK_BYTES: &str = "size=48m";

/// Unmounted on drop, also when the test fails.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mounted(at: PathBuf, size: &str) -> Self {
        fs::create_dir(&at).unwrap();
        let options = ["-t", "tmpfs", "-o", size, "tmpfs", at.to_str().unwrap()];
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
    let disk = SmallDisk::mounted(dir.path().join("disk"), DISK_BYTES);
    let settings = RepositorySettings {
        name: "A".to_owned(),
        location: disk.0.join("repository").into(),
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

/// Six hours of two megabytes each, of which two are kept.
fn six_hours(dir: &Path, disk: &SmallDisk) -> (RepositorySettings, jiff::Timestamp) {
    let settings = RepositorySettings {
        name: "A".to_owned(),
        location: disk.0.join("repository").into(),
        password_file: dir.join("password"),
        chunking: Chunking::Fixed16KiB,
    };
    let mut source = Source {
        dir: dir.join("source"),
        beside: Vec::new(),
        label: "db".to_owned(),
        host: "box".to_owned(),
        taken_at: "2026-04-07T03:00:00Z".parse().unwrap(),
        facts: serde_json::json!({}),
    };
    let quiet: Arc<dyn Progress> = Arc::new(Quiet);
    fs::create_dir(&source.dir).unwrap();
    init(&settings).unwrap();
    for hour in 1..=6 {
        put(&source.dir.join("file"), hour, 2_000_000);
        run(&settings, &source, &quiet).unwrap();
        source.taken_at += jiff::SignedDuration::from_hours(1);
    }
    (settings, source.taken_at)
}

const RULES: PruneRules = PruneRules {
    retention: Retention {
        hourly: 2,
        daily: 0,
        weekly: 0,
        monthly: 0,
        yearly: 0,
        days_max: None,
    },
    grace_hours: 0,
    repack_percent_max: 100,
    unused_percent_max: 1,
};

#[test]
fn a_disk_without_room_for_an_index_is_not_pruned_and_nothing_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mounted(dir.path().join("disk"), PRUNED_DISK_BYTES);
    let (settings, now) = six_hours(dir.path(), &disk);
    let plan = plan_prune(&settings, &RULES, Ahead::Keep, now).unwrap();
    assert_eq!(plan.removed().count(), 4);
    put(&disk.0.join("filler"), 99, 24_000_000);
    let error = prune(&settings, &RULES, &plan, now).unwrap_err();
    assert!(
        matches!(error, BackupError::NoRoomToPrune { .. }),
        "{error:?}"
    );
    assert_eq!(list(&settings).unwrap().len(), 6);
    fs::remove_file(disk.0.join("filler")).unwrap();
    prune(&settings, &RULES, &plan, now).unwrap();
}

#[test]
fn a_disk_that_fills_up_while_it_is_pruned_loses_no_snapshot_that_was_to_stay() {
    let dir = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mounted(dir.path().join("disk"), PRUNED_DISK_BYTES);
    let (settings, now) = six_hours(dir.path(), &disk);
    let plan = plan_prune(&settings, &RULES, Ahead::Keep, now).unwrap();
    // Room enough when it is asked for, and taken by somebody else at once after that.
    let filling = fill_when_snapshots_go(&settings, disk.0.join("filler"));
    let outcome = prune(&settings, &RULES, &plan, now);
    filling.join().unwrap();
    if let Err(error) = &outcome {
        assert!(error.is_disk_full(), "{error:?}");
    }
    let left = list(&settings).unwrap();
    assert_eq!(
        left.len(),
        2,
        "those that were to go went first: {outcome:?}"
    );
    for (one, hour) in left.iter().zip([5, 6]) {
        let target = dir.path().join(format!("hour-{hour}"));
        let id = Selector::Id(one.id.clone());
        let done = restore_to(&settings, &id, &target, &Quiet).unwrap();
        assert!(done.is_complete(), "{:?}", done.damaged);
        put(&dir.path().join("wanted"), hour, 2_000_000);
        let wanted = fs::read(dir.path().join("wanted")).unwrap();
        assert!(fs::read(target.join("file")).unwrap() == wanted);
    }
    fs::remove_file(disk.0.join("filler")).unwrap();
    for _ in 0..2 {
        let plan = plan_prune(&settings, &RULES, Ahead::Keep, now).unwrap();
        prune(&settings, &RULES, &plan, now).unwrap();
    }
    assert!(check(&settings, CheckDepth::AllData).unwrap().is_healthy());
}

/// Takes every byte of the disk once the first snapshot is gone.
fn fill_when_snapshots_go(
    settings: &RepositorySettings,
    filler: PathBuf,
) -> std::thread::JoinHandle<()> {
    let snapshots = settings.location.directory().unwrap().join("snapshots");
    let count = move || fs::read_dir(&snapshots).unwrap().count();
    std::thread::spawn(move || {
        while count() == 6 {
            std::thread::yield_now();
        }
        let mut file = File::create(filler).unwrap();
        for size in [1 << 20, 4_096, 1] {
            while file.write_all(&vec![0_u8; size]).is_ok() {}
        }
    })
}
