//! A disk at a mount point: plugged in, pulled, filled, cut off from power, and made to fail.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fuser::{BackgroundSession, Config, MountOption};

use crate::dice::Dice;
use crate::fault::{Fault, Op};
use crate::layer::{Layer, Shared};
pub use crate::tree::Lost;

/// A disk that fails reads it while others write: one thread must not wait for the other.
const THREADS: usize = 4;
/// How often a mount point is asked whether it is free.
const LOOK: Duration = Duration::from_millis(2);
const LOOKS_MAX: u32 = 5_000;

/// A file system in memory at a directory. Unmounted when dropped.
#[derive(Debug)]
pub struct Disk {
    at: PathBuf,
    shared: Arc<Shared>,
    session: Option<BackgroundSession>,
    dead: Arc<AtomicBool>,
}

impl Disk {
    /// An empty one at a directory, which is made when it is not there.
    #[must_use]
    pub fn mount(at: &Path) -> Self {
        std::fs::create_dir_all(at).expect("a mount point");
        let mut disk = Self {
            at: at.to_owned(),
            shared: Shared::empty(),
            session: None,
            dead: Arc::default(),
        };
        disk.plug();
        disk
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.at
    }

    /// These faults and no others, from now on.
    pub fn set(&self, faults: &[Fault]) {
        self.shared.set(faults);
    }

    /// No faults any more; not a disk that is gone or read-only.
    pub fn mend(&self) {
        self.shared.set(&[]);
    }

    /// How often a fault struck since the disk was made.
    #[must_use]
    pub fn hits(&self) -> u64 {
        self.shared.lock().hits()
    }

    /// How often this was asked of it since it was made.
    #[must_use]
    pub fn asked(&self, op: Op) -> u64 {
        self.shared.lock().asked.get(&op).copied().unwrap_or(0)
    }

    /// Every question is refused with ENODEV, as from a device that is gone while its file system is
    /// mounted; or answered again.
    pub fn gone(&self, gone: bool) {
        self.shared.lock().gone = gone;
        self.shared.set(&[]);
    }

    /// Nothing can be changed (EROFS), as after a file system remounted itself; or can again.
    pub fn read_only(&self, read_only: bool) {
        self.shared.lock().read_only = read_only;
    }

    /// So many bytes can still be written, then ENOSPC; nothing: any number.
    pub fn room(&self, bytes: Option<u64>) {
        self.shared.lock().tree.room = bytes;
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shared.lock().tree.bytes()
    }

    /// Everything that is there now survives a power cut.
    pub fn flush(&self) {
        self.shared.lock().tree.flush_all();
    }

    /// Takes it away: an empty mount point is left, and whoever has a file of it open gets errors.
    pub fn pull(&mut self) {
        self.shared.lock().gone = true;
        self.shared.set(&[]);
        self.unmount();
    }

    /// Puts it back, with what was on it.
    pub fn plug(&mut self) {
        self.shared.lock().gone = false;
        if self.session.is_some() {
            return;
        }
        let mut config = Config::default();
        config.mount_options = vec![MountOption::FSName("faults".to_owned())];
        config.n_threads = Some(THREADS);
        self.dead = Arc::default();
        let layer = Layer {
            shared: Arc::clone(&self.shared),
            dead: Arc::clone(&self.dead),
        };
        let mounted = fuser::spawn_mount(layer, &self.at, &config);
        self.session = Some(mounted.expect("mounting needs root and /dev/fuse"));
    }

    /// The power is cut and comes back, with no fault left. Nobody may have a file of it open. With dice, what
    /// was not flushed is there by chance, in blocks of so many bytes; without, none of it is.
    pub fn power_cut(&mut self, dice: Option<(&mut Dice, usize)>) -> Lost {
        self.mend();
        self.unmount();
        let lost = self.shared.lock().tree.cut(dice);
        self.shared.lock().read_only = false;
        self.plug();
        lost
    }

    fn unmount(&mut self) {
        let Some(session) = self.session.take() else {
            return;
        };
        self.dead.store(true, Ordering::SeqCst);
        let place = self.at.to_string_lossy().into_owned();
        // Lazily: files that are still open keep it alive unseen, as those of a pulled disk do.
        assert!(ran("umount", &["-l", &place]), "cannot unmount {place}");
        // Its thread ends when the last of them is closed; nobody waits for that.
        drop(session);
        let mut looks = 0;
        while is_mounted(&place) {
            looks += 1;
            assert!(looks < LOOKS_MAX, "{place} stays mounted");
            std::thread::park_timeout(LOOK);
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.dead.store(true, Ordering::SeqCst);
        self.mend();
        if let Some(session) = self.session.take() {
            let place = self.at.to_string_lossy().into_owned();
            // Not asserted: the test that is ending may be failing already.
            ran("umount", &["-l", &place]);
            drop(session);
        }
    }
}

fn is_mounted(place: &str) -> bool {
    let all = std::fs::read_to_string("/proc/self/mounts").expect("what is mounted");
    all.lines()
        .any(|line| line.split(' ').nth(1) == Some(place))
}

#[expect(
    clippy::disallowed_methods,
    reason = "unmounts a disk of a test, outside what we ship"
)]
fn ran(program: &str, words: &[&str]) -> bool {
    let status = std::process::Command::new(program).args(words).status();
    status.is_ok_and(|status| status.success())
}
