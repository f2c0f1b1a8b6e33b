//! A town whose disk A is one that fails when told: commits are shipped there, and one of its two
//! repositories lies there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use harness::process::{Server, ended, hokatsu, listen_anywhere, prepared_for_backups};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{DataDir, switch_shipping};
use tempfile::TempDir;

use crate::disk::Disk;

/// A process that is killed, as by a power cut, when it is dropped.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Its exit code once it has ended by itself; nothing while it runs.
    pub fn has_ended(&mut self) -> Option<i32> {
        let ended = self.0.try_wait().expect("it can be waited for")?;
        ended.code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails when it is gone already, and that is what is wanted.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A machine: its data, the array that they lie on, and disk A.
#[derive(Debug)]
pub struct House {
    /// Disks are unmounted before their mount points go with `root`.
    pub disk: Disk,
    /// Nothing: an ordinary directory.
    pub array: Option<Disk>,
    pub data: DataDir,
    pub site: PathBuf,
    pub root: TempDir,
}

/// Below the disk: where commits are shipped to, and the repository.
pub const SHIPPED: &str = "shipping";
pub const REPOSITORY: &str = "repository";

impl House {
    /// The demonstration's town; nobody runs yet. In `sync` mode nobody is told that a change is saved before
    /// the disk has it, as long as the disk may come back.
    #[must_use]
    pub fn town() -> Self {
        let root = TempDir::new().expect("a temporary directory");
        let town = root.path().join("town");
        let (server, _) = Server::demo(&town);
        server.kill();
        let disk = Disk::mount(&root.path().join("disk-a"));
        let made = town.join("repositories/disk-a");
        let repository = disk.path().join(REPOSITORY);
        copied(&made, &repository).expect("a repository can be copied");
        fs::remove_dir_all(&made).expect("nobody uses it");
        let site = town.join("site.toml");
        listen_anywhere(&site);
        let quoted = |path: &Path| format!("\"{}\"", path.display());
        let text = fs::read_to_string(&site).expect("the settings");
        let text = text.replace(&quoted(&made), &quoted(&repository));
        Self::shipping(root, disk, (&town.join("data"), &site), &text)
    }

    /// A first data directory without a town, and two repositories that hold nothing.
    #[must_use]
    pub fn bare() -> Self {
        Self::prepared(TempDir::new().expect("a temporary directory"), None)
    }

    /// The same, with an array that fails when told as well.
    #[must_use]
    pub fn brittle() -> Self {
        let root = TempDir::new().expect("a temporary directory");
        let array = Disk::mount(&root.path().join("array"));
        Self::prepared(root, Some(array))
    }

    fn prepared(root: TempDir, array: Option<Disk>) -> Self {
        let above = array.as_ref().map_or(root.path(), Disk::path);
        let (data, site) = prepared_for_backups(above);
        let disk = Disk::mount(&root.path().join("disk-a"));
        let text = fs::read_to_string(&site).expect("the settings");
        let text = format!(
            "{text}\n[[backup.repositories]]\nname = \"disk-a\"\npath = \"{}\"\npassword_file = \"{}\"\n",
            disk.path().join(REPOSITORY).display(),
            data.with_file_name("password").display(),
        );
        let mut house = Self::shipping(root, disk, (&data, &site), &text);
        house.array = array;
        let (code, _, errors) = house.run(&["backup", "init"]);
        assert_eq!(code, 0, "{errors}");
        house.disk.flush();
        house
    }

    fn shipping(root: TempDir, disk: Disk, (data, site): (&Path, &Path), text: &str) -> Self {
        let shipped = disk.path().join(SHIPPED);
        fs::create_dir(&shipped).expect("an empty directory");
        let text = format!(
            "{text}\n[backup.shipping]\npath = \"{}\"\nmode = \"sync\"\nsync_wait_ms_max = 30000\n",
            shipped.display()
        );
        let private = base::paths::MODE_PRIVATE;
        base::paths::write_atomic(site, text.as_bytes(), private).expect("settings");
        let house = Self {
            data: DataDir::new(data),
            site: site.to_path_buf(),
            disk,
            array: None,
            root,
        };
        switch_shipping(&house.data, true).expect("shipping can be switched on");
        let (code, _, errors) = house.run(&["ship", "enrol", "--yes"]);
        assert_eq!(code, 0, "{errors}");
        house.disk.flush();
        house
    }

    /// Where a directory of this name would lie, empty of what was there before.
    #[must_use]
    pub fn fresh(&self, name: &str) -> PathBuf {
        let place = self.root.path().join(name);
        if place.exists() {
            fs::remove_dir_all(&place).expect("nobody uses it");
        }
        place
    }

    fn words<'w>(&'w self, words: &[&'w str]) -> Vec<&'w str> {
        let site = self.site.to_str().expect("a plain path");
        [&["--json", "--site", site], words].concat()
    }

    /// `hokatsu` to its end: exit code, what machines read, what people read.
    #[must_use]
    pub fn run(&self, words: &[&str]) -> (i32, Value, String) {
        let (code, out, errors) = ended(self.words(words));
        (code, serde_json::from_str(&out).unwrap_or_default(), errors)
    }

    /// `hokatsu` beside us.
    #[must_use]
    pub fn start(&self, words: &[&str]) -> Running {
        let mut command = hokatsu(self.words(words));
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn();
        Running(child.expect("the command starts"))
    }

    /// The shipper, once it answers.
    #[must_use]
    pub fn shipper(&self) -> Running {
        let mut command = hokatsu(self.words(&["ship", "run"]));
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::piped()).spawn();
        let mut child = child.expect("the command starts");
        let errors = child.stderr.take().expect("its errors");
        let shipper = Running(child);
        let mut lines = BufReader::new(errors).lines().map_while(Result::ok);
        let begun = lines.any(|line| line.contains("逐次複製を始めました"));
        assert!(begun, "the shipper did not start");
        // Keeps reading, or the process would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        shipper
    }

    /// The service and its address.
    #[must_use]
    pub fn serve(&self) -> (Server, String) {
        Server::serve(&self.site)
    }

    /// The keys of the town beside a database that was rebuilt, so that it opens.
    pub fn lend_keys(&self, to: &Path) {
        copied(&self.data.keys(), &DataDir::new(to).keys()).expect("keys can be copied");
    }
}

/// Copies a directory with everything below it. Sockets are left out: nobody listens at a copy.
///
/// # Errors
/// Those of the file systems.
pub fn copied(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copied(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// What [`hashes`] finds.
pub type Hashes = BTreeMap<PathBuf, [u8; 32]>;

/// Every file below a directory with its SHA-256, by its path there.
///
/// # Errors
/// Those of the file system.
pub fn hashes(dir: &Path) -> io::Result<Hashes> {
    let mut found = Hashes::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(place) = open.pop() {
        for entry in fs::read_dir(&place)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let hash = Sha256::digest(fs::read(&path)?).into();
                let name = path.strip_prefix(dir).unwrap_or(&path);
                found.insert(name.to_path_buf(), hash);
            }
        }
    }
    Ok(found)
}

/// A path as a word of a command.
#[must_use]
pub fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}
