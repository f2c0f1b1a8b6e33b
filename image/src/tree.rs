//! The tool tree: a directory with Debian 13 and the programs that make and run the image.
//!
//! mmdebstrap makes it, bubblewrap enters it (mkosi wants a real `pivot_root`). mkosi, mkfs, QEMU and the
//! firmware are then those of `tools.lock`, whatever the machine that builds has.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::paths::{MODE_PUBLIC, write_atomic};

use crate::archive::SUITE;
use crate::child::Spec;
use crate::lock::Lock;
use crate::problem::{Problem, at, unclear};
use crate::room::Room;
use crate::{say, store};

/// What is asked for; what those need is in `tools.lock`.
pub const TOOLS: [&str; 20] = [
    "binutils",
    "ca-certificates",
    "cpio",
    "cryptsetup-bin",
    "debian-archive-keyring",
    "dosfstools",
    "erofs-utils",
    "fdisk",
    "kmod",
    "mkosi",
    "mtools",
    "ovmf",
    "qemu-system-x86",
    "qemu-utils",
    "swtpm",
    "systemd",
    "systemd-boot-efi",
    "systemd-repart",
    "systemd-ukify",
    "zstd",
];
const STAMP: &str = "tree.stamp";
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// Its lock file.
#[must_use]
pub fn lock_file(room: &Room) -> PathBuf {
    room.pins().join("tools.lock")
}

/// The tree, made anew when `tools.lock` is another than that of the last time.
///
/// # Errors
/// When a package is not to be had or mmdebstrap fails.
pub fn ready(room: &Room) -> Result<PathBuf, Problem> {
    let lock = lock_file(room);
    let wanted = store::sha256(&lock)?;
    let stamp = room.work().join(STAMP);
    let tree = room.work().join("tree");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(tree);
    }
    say::line("making the tool tree (a minute or two, once per tools.lock)");
    let repository = store::repository(room, &Lock::read(&lock)?, "repository-tools")?;
    let source = format!("deb [trusted=yes] file:{} ./", repository.display());
    if stamp.exists() {
        fs::remove_file(&stamp).map_err(at(&stamp, "remove"))?;
    }
    bootstrap(room, &tree, &source)?;
    write_atomic(&stamp, wanted.as_bytes(), MODE_PUBLIC).map_err(unclear("the file system"))?;
    Ok(tree)
}

/// Runs mmdebstrap; `source` is a file of apt sources or one line of them.
pub(crate) fn bootstrap(room: &Room, tree: &Path, source: &str) -> Result<(), Problem> {
    if tree.exists() {
        fs::remove_dir_all(tree).map_err(at(tree, "empty"))?;
    }
    let include = format!("--include={}", TOOLS.join(","));
    let (tree, log) = (tree.to_string_lossy(), room.work().join("tree.log"));
    let words = [
        "nice",
        "mmdebstrap",
        "--variant=apt",
        // Lets the steps inside the tree read a repository that lies outside.
        "--hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount",
        &include,
        SUITE,
        &tree,
        source,
    ];
    Spec::of(&words, LIMIT).must_logged("mmdebstrap", &log)
}

/// A program of the tree, run in it; it sees the room, and of the rest of the machine its devices.
#[must_use]
pub fn inside(room: &Room, words: &[&str], limit: Duration) -> Spec {
    let tree = room.work().join("tree");
    let (tree, work) = (tree.to_string_lossy(), room.work().to_string_lossy());
    let source = room.source().to_string_lossy();
    let enter = [
        "nice",
        "bwrap",
        "--die-with-parent",
        "--cap-add",
        "ALL",
        "--bind",
        &tree,
        "/",
        "--dev-bind",
        "/dev",
        "/dev",
        "--proc",
        "/proc",
        "--ro-bind",
        "/sys",
        "/sys",
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/run",
        "--bind",
        &work,
        &work,
        "--ro-bind",
        &source,
        &source,
        "--setenv",
        "PATH",
        "/usr/sbin:/usr/bin:/sbin:/bin",
        "--setenv",
        "LC_ALL",
        "C.UTF-8",
        "--setenv",
        "HOME",
        "/root",
        "--chdir",
        &work,
        "--",
    ];
    let line = enter.iter().chain(words).map(ToString::to_string).collect();
    Spec::new(line, limit)
}
