//! `lock`: the only verb that takes whatever the archive has today.
//!
//! What is pinned is what was used: the packages that mmdebstrap installed into a tree, and the files that
//! mkosi asked for while it made an image and its initrd.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::archive::Archive;
use crate::lock::{Lock, Package};
use crate::problem::{Problem, at};
use crate::room::Room;
use crate::{assemble, say, store, tree};

const LIMIT: Duration = Duration::from_secs(60);
const HEAD: &str =
    "# name, version, architecture, SHA-256 of the package; written by `cargo xtask image lock`\n";

/// Writes both lock files anew.
///
/// # Errors
/// When the archive, mmdebstrap or mkosi fails.
pub fn refresh(room: &Room, binary: &Path) -> Result<(), Problem> {
    let archive = Archive::ask(room)?;
    tools(room, &archive)?;
    tree::ready(room)?;
    let sources = archive.sources_file();
    let sources = fs::read_to_string(&sources).map_err(at(&sources, "read"))?;
    let (cache, out) = (room.empty_dir("lock-cache")?, room.empty_dir("out-lock")?);
    let none = Lock::none();
    let stage = assemble::stage(room, binary, &none)?;
    let cache_dir = cache.to_string_lossy();
    let more = [
        "--package-cache-dir",
        &cache_dir,
        "--image-version",
        assemble::VERSION,
    ];
    assemble::mkosi(room, &out, &sources, &more, &stage)?;
    let packages = keep_all(room, &cache.join("cache/apt/archives"))?;
    told(
        "packages.lock",
        &packages,
        Lock::write(&assemble::lock_file(room), HEAD, packages.clone())?,
    );
    for dir in [cache, out] {
        fs::remove_dir_all(&dir).map_err(at(&dir, "remove"))?;
    }
    Ok(())
}

fn tools(room: &Room, archive: &Archive) -> Result<(), Problem> {
    say::line("making a tool tree of the present versions");
    let fresh = room.work().join("tree-lock");
    tree::bootstrap(room, &fresh, &archive.sources_file().to_string_lossy())?;
    let admin = format!("--admindir={}", fresh.join("var/lib/dpkg").display());
    let words = [
        "dpkg-query",
        &admin,
        "--show",
        "--showformat",
        "${Package}\t${Version}\t${Architecture}\n",
    ];
    let said = crate::child::Spec::of(&words, LIMIT).must("dpkg-query")?;
    let installed: Vec<Package> = said.lines().filter_map(installed).collect();
    let landing = room.empty_dir("landing")?;
    let wanted: Vec<&Package> = installed.iter().collect();
    archive.download(&wanted, &landing, &room.dir("debs")?)?;
    let packages = keep_all(room, &landing)?;
    told(
        "tools.lock",
        &packages,
        Lock::write(&tree::lock_file(room), HEAD, packages.clone())?,
    );
    fs::remove_dir_all(&fresh).map_err(at(&fresh, "remove"))
}

fn installed(line: &str) -> Option<Package> {
    let mut fields = line.split('\t').map(str::to_owned);
    Some(Package {
        name: fields.next()?,
        version: fields.next()?,
        architecture: fields.next()?,
        sha256: String::new(),
    })
}

fn keep_all(room: &Room, dir: &Path) -> Result<Vec<Package>, Problem> {
    let mut packages = Vec::new();
    for entry in fs::read_dir(dir).map_err(at(dir, "read"))? {
        let path = entry.map_err(at(dir, "read"))?.path();
        if path.extension().is_some_and(|end| end == "deb") {
            packages.push(store::keep(room, &path)?);
        }
    }
    Ok(packages)
}

fn told(file: &str, packages: &[Package], changed: usize) {
    say::line(&format!(
        "{file}: {} packages, {changed} lines are other than before",
        packages.len()
    ));
}
