//! From a binary and the locked packages to a disk image.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::paths::{MODE_PUBLIC, write_atomic};
use serde::Deserialize;

use crate::child::Spec;
use crate::lock::Lock;
use crate::problem::{Problem, at, unclear};
use crate::room::Room;
use crate::{bill, release, say, store, tree, units};

const LIMIT: Duration = Duration::from_secs(60 * 60);
/// What the product itself says it is.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What one assembly leaves, all of it in one directory.
#[derive(Debug, Clone)]
pub struct Made {
    dir: PathBuf,
    version: String,
}

/// The parts that are compared and shipped.
pub const PARTS: [&str; 5] = ["raw", "root.raw", "root-verity.raw", "esp.raw", "efi"];

impl Made {
    /// What lies in this directory.
    #[must_use]
    pub fn in_dir(dir: PathBuf, version: &str) -> Self {
        Self {
            dir,
            version: version.to_owned(),
        }
    }

    /// Its version, as the names of its files and partitions say it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// One of [`PARTS`], or `manifest`.
    #[must_use]
    pub fn part(&self, end: &str) -> PathBuf {
        let version = &self.version;
        self.dir.join(format!("hokatsu_{version}.{end}"))
    }
}

/// Where `build` leaves its image.
///
/// # Errors
/// [`Problem::NoImage`] before the first build.
pub fn latest(room: &Room) -> Result<Made, Problem> {
    let made = Made::in_dir(room.work().join("out"), VERSION);
    if made.part("raw").exists() {
        Ok(made)
    } else {
        Err(Problem::NoImage)
    }
}

/// The packages an image is built from.
#[must_use]
pub fn lock_file(room: &Room) -> PathBuf {
    room.pins().join("packages.lock")
}

/// Assembles the image in `out` (a name below `target/image/`) from pinned packages alone.
///
/// # Errors
/// What is missing, differs or fails, by name.
pub fn assemble(room: &Room, binary: &Path, out: &str, version: &str) -> Result<Made, Problem> {
    let begun = Instant::now();
    tree::ready(room)?;
    units::hardened(room)?;
    let lock = Lock::read(&lock_file(room))?;
    let repository = store::repository(room, &lock, "repository")?;
    let source = format!(
        "Types: deb\nURIs: file://{}\nSuites: ./\nTrusted: yes\n",
        repository.display()
    );
    let stage = stage(room, binary, &lock)?;
    let made = Made::in_dir(room.empty_dir(out)?, version);
    let mirror = format!("file://{}", repository.display());
    let more = ["--local-mirror", &mirror, "--image-version", version];
    mkosi(room, &made.dir, &source, &more, &stage)?;
    pinned(&made, &lock)?;
    say::line(&format!(
        "assembled in {:.0} s",
        begun.elapsed().as_secs_f64()
    ));
    Ok(made)
}

/// Runs mkosi with this apt source; the log is `target/image/mkosi.log`.
pub(crate) fn mkosi(
    room: &Room,
    out: &Path,
    source: &str,
    more: &[&str],
    stage: &Path,
) -> Result<(), Problem> {
    let sandbox = room.empty_dir("sandbox")?;
    // Under any other name mkosi adds sources of its own.
    let sources = room
        .dir("sandbox/etc/apt/sources.list.d")?
        .join("mkosi.sources");
    write_atomic(&sources, source.as_bytes(), MODE_PUBLIC).map_err(unclear("the file system"))?;
    let workspace = room.empty_dir("workspace")?;
    let source_dir = room.source().to_string_lossy();
    let [out, sandbox, workspace, stage] =
        [out, &sandbox, &workspace, stage].map(|path| path.to_string_lossy().into_owned());
    let mut words = vec![
        "mkosi",
        "--directory",
        &source_dir,
        "--force",
        "--output-directory",
        &out,
        "--workspace-directory",
        &workspace,
        "--sandbox-tree",
        &sandbox,
        "--extra-tree",
        &stage,
        "--repart-offline",
        "yes",
    ];
    words.extend(more);
    words.push("build");
    let log = room.work().join("mkosi.log");
    tree::inside(room, &words, LIMIT).must_logged("mkosi", &log)
}

/// What is not Debian's: the binary, and what the image is made of.
pub(crate) fn stage(room: &Room, binary: &Path, lock: &Lock) -> Result<PathBuf, Problem> {
    if !binary.is_file() {
        return Err(Problem::NoBinary(binary.to_owned()));
    }
    let stage = room.empty_dir("stage")?;
    let program = room.dir("stage/usr/bin")?.join("hokatsu");
    fs::copy(binary, &program).map_err(at(&program, "write"))?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&program, mode).map_err(at(&program, "set the mode of"))?;
    let opener = room.dir("stage/usr/libexec/hokatsu")?.join("disk-opener");
    let source = room.root().join("backup/units/disk-opener");
    fs::copy(&source, &opener).map_err(at(&opener, "write"))?;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&opener, mode).map_err(at(&opener, "set the mode of"))?;
    let path = program.to_string_lossy();
    tree::inside(room, &["strip", "--strip-all", &path], LIMIT).must("strip")?;
    let shared = room.dir("stage/usr/share/hokatsu")?;
    bill::write(room, lock, &shared)?;
    let key = release::public_key(room)?;
    write_atomic(&shared.join("update.pub"), key.as_bytes(), MODE_PUBLIC)
        .map_err(unclear("the file system"))?;
    Ok(stage)
}

#[derive(Deserialize)]
struct Manifest {
    packages: Vec<Installed>,
}

#[derive(Deserialize)]
struct Installed {
    name: String,
    version: String,
}

/// mkosi says what it installed; the lock says what it might.
fn pinned(made: &Made, lock: &Lock) -> Result<(), Problem> {
    let path = made.part("manifest");
    let text = fs::read_to_string(&path).map_err(at(&path, "read"))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(unclear("mkosi's manifest"))?;
    let installed: Vec<(String, String)> = manifest
        .packages
        .into_iter()
        .map(|one| (one.name, one.version))
        .collect();
    let unknown = lock.lacks(&installed);
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Problem::NotLocked(unknown))
    }
}

/// The product, built as CI tests it.
///
/// # Errors
/// When Cargo fails.
pub fn product(room: &Room) -> Result<PathBuf, Problem> {
    say::line("building the product (profile ci)");
    let words = ["cargo", "build", "--workspace", "--bins", "--profile", "ci"];
    Spec::of(&words, LIMIT)
        .inside(room.root())
        .must("cargo build")?;
    Ok(room.root().join("target/ci/hokatsu"))
}

/// Apparent size and what it takes on the disk, MiB, of everything that matters.
///
/// # Errors
/// [`Problem::File`] when a part is not there.
pub fn sizes(made: &Made) -> Result<Vec<String>, Problem> {
    use std::os::unix::fs::MetadataExt as _;
    let mib = |bytes: u64| bytes.div_ceil(1024 * 1024);
    let mut lines = Vec::new();
    for end in PARTS {
        let path = made.part(end);
        let found = fs::metadata(&path).map_err(at(&path, "read"))?;
        lines.push(format!(
            "{end:<16} {:>5} MiB, {:>5} MiB on disk, SHA-256 {}",
            mib(found.len()),
            mib(found.blocks().saturating_mul(512)),
            store::sha256(&path)?
        ));
    }
    Ok(lines)
}
