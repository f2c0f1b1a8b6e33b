//! Package files kept by their SHA-256, and the small repository that apt sees instead of the archive.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::paths::{MODE_PUBLIC, write_atomic};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::archive::Archive;
use crate::child::Spec;
use crate::lock::{Lock, Package};
use crate::problem::{Problem, at, unclear};
use crate::room::Room;
use crate::say;

const LIMIT: Duration = Duration::from_secs(60);
/// Bytes read at once when hashing.
const CHUNK: usize = 1024 * 1024;

/// The SHA-256 of a file, in hex.
///
/// # Errors
/// [`Problem::File`] when it cannot be read.
pub fn sha256(path: &Path) -> Result<String, Problem> {
    let file = fs::File::open(path).map_err(at(path, "read"))?;
    sha256_of(file).map_err(at(path, "read"))
}

/// The same of whatever is read to its end.
pub(crate) fn sha256_of(mut from: impl Read) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = from.read(&mut chunk)?;
        if read == 0 {
            return Ok(HEXLOWER.encode(&hash.finalize()));
        }
        hash.update(chunk.get(..read).unwrap_or_default());
    }
}

/// A package file that lies somewhere: what it is, and a copy of it in the store.
///
/// # Errors
/// When it cannot be read, is no package, or cannot be kept.
pub fn keep(room: &Room, file: &Path) -> Result<Package, Problem> {
    let path = file.to_string_lossy();
    let words = [
        "dpkg-deb",
        "--field",
        &path,
        "Package",
        "Version",
        "Architecture",
    ];
    let said = Spec::of(&words, LIMIT).must("dpkg-deb")?;
    let field = |name: &str| {
        let value = said.lines().find_map(|line| line.strip_prefix(name));
        value.unwrap_or_default().trim().to_owned()
    };
    let package = Package {
        name: field("Package:"),
        version: field("Version:"),
        architecture: field("Architecture:"),
        sha256: sha256(file)?,
    };
    let kept = place(room, &package)?;
    if !kept.exists() {
        let half = kept.with_extension("half");
        fs::copy(file, &half).map_err(at(&half, "write"))?;
        fs::rename(&half, &kept).map_err(at(&kept, "write"))?;
    }
    Ok(package)
}

fn place(room: &Room, package: &Package) -> Result<PathBuf, Problem> {
    Ok(room.dir("debs")?.join(format!("{}.deb", package.sha256)))
}

/// Everything the lock names is in the store afterwards; what is missing comes from the archive.
///
/// # Errors
/// [`Problem::Gone`] and [`Problem::OtherBytes`] name the package.
pub fn fetch(room: &Room, lock: &Lock) -> Result<(), Problem> {
    let mut missing = Vec::new();
    for package in &lock.packages {
        if !place(room, package)?.exists() {
            missing.push(package);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    say::line(&format!("{} packages come from the archive", missing.len()));
    let landing = room.empty_dir("landing")?;
    Archive::ask(room)?.download(&missing, &landing, &room.dir("debs")?)?;
    for package in missing {
        let file = landing.join(package.file_name());
        let found = sha256(&file)?;
        if found != package.sha256 {
            return Err(Problem::OtherBytes {
                name: package.to_string(),
                found,
                locked: package.sha256.clone(),
            });
        }
        let kept = place(room, package)?;
        fs::rename(&file, &kept).map_err(at(&kept, "write"))?;
    }
    Ok(())
}

/// A repository of exactly what the lock names; apt and mmdebstrap read it as `file:` with suite `./`.
///
/// # Errors
/// When something is not in the store and not to be had, or the file system refuses.
pub fn repository(room: &Room, lock: &Lock, name: &str) -> Result<PathBuf, Problem> {
    fetch(room, lock)?;
    let dir = room.empty_dir(name)?;
    let mut index = String::new();
    for package in &lock.packages {
        let kept = place(room, package)?;
        let file = package.file_name();
        let link = dir.join(&file);
        fs::hard_link(&kept, &link).map_err(at(&link, "link"))?;
        let bytes = fs::metadata(&kept).map_err(at(&kept, "read"))?.len();
        index.push_str(control(&kept)?.trim_end());
        let sha256 = &package.sha256;
        index.push_str(&format!(
            "\nFilename: ./{file}\nSize: {bytes}\nSHA256: {sha256}\n\n"
        ));
    }
    write(&dir.join("Packages"), &index)?;
    Ok(dir)
}

/// What a package says of itself; kept beside it, since asking takes longer than everything else here.
fn control(kept: &Path) -> Result<String, Problem> {
    let beside = kept.with_extension("control");
    if let Ok(text) = fs::read_to_string(&beside) {
        return Ok(text);
    }
    let path = kept.to_string_lossy();
    let text = Spec::of(&["dpkg-deb", "--field", &path], LIMIT).must("dpkg-deb")?;
    write(&beside, &text)?;
    Ok(text)
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    write_atomic(path, text.as_bytes(), MODE_PUBLIC).map_err(unclear("the file system"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_hashed_over_the_border_of_a_chunk() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let bytes = vec![7; CHUNK + 1];
        write_atomic(&path, &bytes, MODE_PUBLIC).unwrap();
        let whole = HEXLOWER.encode(&Sha256::digest(&bytes));
        assert_eq!(sha256(&path).unwrap(), whole);
    }
}
