//! Real file systems: what `syncfs` promised survives a power cut, which is the one promise of the engine's
//! repositories that never reaches a disk of our own making. XFS in a file, and its own way to be cut off.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use backup::{
    BackupError, CheckDepth, Chunking, Progress, Quiet, RepositorySettings, Selector, Source, Step,
    check, init, list, restore_to, run,
};
use faults::Dice;
use jiff::SignedDuration;
use tempfile::TempDir;

/// The least that XFS is made of.
const IMAGE_BYTES: u64 = 320 * 1024 * 1024;
const FILE_BYTES: usize = 300_000;

#[expect(
    clippy::disallowed_methods,
    reason = "makes, mounts and cuts off a disk of a test, outside what we ship"
)]
fn ran(program: &str, words: &[&str]) {
    let done = Command::new(program).args(words).output();
    let done = done.expect("xfsprogs and root: cargo xtask setup");
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{program} {words:?}: {told}");
}

/// A disk with XFS on it.
struct Xfs {
    image: PathBuf,
    at: PathBuf,
}

impl Xfs {
    fn new(below: &Path) -> Self {
        let (image, at) = (below.join("image"), below.join("xfs"));
        File::create(&image).unwrap().set_len(IMAGE_BYTES).unwrap();
        fs::create_dir(&at).unwrap();
        ran("mkfs.xfs", &["-q", image.to_str().unwrap()]);
        let disk = Self { image, at };
        disk.mount();
        disk
    }

    fn mount(&self) {
        let (image, at) = (self.image.to_str().unwrap(), self.at.to_str().unwrap());
        ran("mount", &["-o", "loop", image, at]);
    }

    fn unmount(&self) {
        ran("umount", &[self.at.to_str().unwrap()]);
    }

    /// Nothing that is not on the device is written any more, the log neither.
    fn cut(&self) {
        ran(
            "xfs_io",
            &["-x", "-c", "shutdown", self.at.to_str().unwrap()],
        );
    }

    fn comes_back(&self) {
        self.unmount();
        self.mount();
    }

    fn remount(&self, how: &str) {
        ran("mount", &["-o", how, self.at.to_str().unwrap()]);
    }
}

impl Drop for Xfs {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.unmount();
            return;
        }
        // Whatever is wrong was told already.
        let at = self.at.to_string_lossy().into_owned();
        drop(std::panic::catch_unwind(|| ran("umount", &["-l", &at])));
    }
}

struct Room {
    settings: RepositorySettings,
    source: Source,
    disk: Xfs,
    dice: Dice,
    dir: TempDir,
}

impl Room {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let disk = Xfs::new(dir.path());
        let settings = RepositorySettings {
            name: "A".to_owned(),
            location: disk.at.join("repository").into(),
            password_file: dir.path().join("password"),
            chunking: Chunking::Fixed16KiB,
        };
        init(&settings).unwrap();
        let source = Source {
            dir: dir.path().join("source"),
            beside: Vec::new(),
            label: "db".to_owned(),
            host: "box".to_owned(),
            taken_at: "2026-04-07T03:00:00Z".parse().unwrap(),
            facts: serde_json::json!({}),
        };
        fs::create_dir(&source.dir).unwrap();
        Self {
            settings,
            source,
            disk,
            dice: Dice::of(1),
            dir,
        }
    }

    /// Other bytes than before, an hour later.
    fn changes(&mut self) {
        let bytes: Vec<u8> = std::iter::repeat_with(|| self.dice.below(256))
            .filter_map(|byte| u8::try_from(byte).ok())
            .take(FILE_BYTES)
            .collect();
        let mut file = File::create(self.source.dir.join("file")).unwrap();
        file.write_all(&bytes).unwrap();
        self.source.taken_at += SignedDuration::from_hours(1);
    }

    fn run(&self) -> Result<backup::SnapshotSummary, BackupError> {
        run(
            &self.settings,
            &self.source,
            &(Arc::new(Quiet) as Arc<dyn Progress>),
        )
    }

    /// The newest snapshot brings back what the source is.
    fn is_saved(&self) {
        let to = self.dir.path().join("back");
        let back = restore_to(&self.settings, &Selector::Latest, &to, &Quiet).unwrap();
        assert!(back.is_complete(), "{:?}", back.damaged);
        let read = |dir: &Path| fs::read(dir.join("file")).unwrap();
        assert!(read(&to) == read(&self.source.dir), "other bytes came back");
        fs::remove_dir_all(to).unwrap();
    }
}

#[test]
fn what_a_backup_said_is_saved_survives_a_power_cut_right_after() {
    let mut room = Room::new();
    for cut in 1..=4 {
        room.changes();
        room.run().unwrap();
        // Not flushed by anybody: shows that the cut takes what was not.
        let mut witness = File::create(room.disk.at.join("witness")).unwrap();
        witness.write_all(b"gone").unwrap();
        room.disk.cut();
        drop(witness);
        room.disk.comes_back();
        let left = fs::read(room.disk.at.join("witness")).unwrap_or_default();
        assert_eq!(left, b"", "nothing is lost by this cut");
        assert_eq!(list(&room.settings).unwrap().len(), cut);
        room.is_saved();
    }
    assert!(
        check(&room.settings, CheckDepth::AllData)
            .unwrap()
            .is_healthy()
    );
}

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Begins(Step),
    /// The first pieces were handed over.
    Saving,
}

struct CutAt(Moment, PathBuf, AtomicBool);

impl CutAt {
    fn comes(&self, moment: Moment) {
        if moment == self.0 && !self.2.swap(true, Ordering::SeqCst) {
            ran(
                "xfs_io",
                &["-x", "-c", "shutdown", self.1.to_str().unwrap()],
            );
        }
    }
}

impl Progress for CutAt {
    fn start(&self, step: Step, _bytes: u64) {
        self.comes(Moment::Begins(step));
    }

    fn advance(&self, _bytes: u64) {
        self.comes(Moment::Saving);
    }
}

#[test]
fn a_power_cut_at_any_step_of_a_backup_costs_no_earlier_one_and_the_next_goes_well() {
    let mut room = Room::new();
    room.changes();
    room.run().unwrap();
    for step in [
        Moment::Begins(Step::Hash),
        Moment::Begins(Step::Save),
        Moment::Saving,
    ] {
        room.changes();
        let cutting: Arc<dyn Progress> =
            Arc::new(CutAt(step, room.disk.at.clone(), AtomicBool::new(false)));
        let before = list(&room.settings).unwrap().len();
        let cut = run(&room.settings, &room.source, &cutting);
        assert!(cut.is_err(), "{step:?}: saved on a disk without power");
        room.disk.comes_back();
        let left = list(&room.settings).unwrap().len();
        assert_eq!(left, before, "{step:?}");
        room.run().unwrap();
        room.is_saved();
    }
    assert!(
        check(&room.settings, CheckDepth::AllData)
            .unwrap()
            .is_healthy()
    );
}

#[test]
fn a_disk_that_is_full_at_any_step_or_read_only_is_told_and_nothing_earlier_is_lost() {
    let mut room = Room::new();
    room.changes();
    room.run().unwrap();
    for left in [0, 8_192, 65_536, 200_000] {
        room.changes();
        let before = list(&room.settings).unwrap().len();
        let filler = fill(&room.disk.at, left);
        let error = room.run().unwrap_err();
        assert!(error.is_disk_full(), "{left} bytes left: {error:?}");
        fs::remove_file(filler).unwrap();
        assert_eq!(list(&room.settings).unwrap().len(), before);
        room.run().unwrap();
        room.is_saved();
    }
    room.disk.remount("remount,ro");
    room.changes();
    let error = room.run().unwrap_err();
    assert!(
        error.in_words().contains("ディスクの読み書きができず"),
        "{error:?}"
    );
    room.disk.remount("remount,rw");
    room.run().unwrap();
    room.is_saved();
}

/// Takes all of a disk but so many bytes.
fn fill(disk: &Path, left: u64) -> PathBuf {
    let path = disk.join("filler");
    let mut file = File::create(&path).unwrap();
    for size in [1 << 20, 4_096, 1] {
        let bytes = vec![0_u8; size];
        while file.write_all(&bytes).is_ok() {}
    }
    // A disk without room refuses this too.
    drop(file.sync_all());
    let length = file.metadata().unwrap().len();
    file.set_len(length.saturating_sub(left)).unwrap();
    path
}
