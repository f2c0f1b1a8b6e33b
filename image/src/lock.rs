//! Which packages go in: name, version, architecture and SHA-256, one package a line, sorted.
//!
//! Two files: `packages.lock` for the image (its initrd included), `tools.lock` for the tree that makes it,
//! since another mkfs writes other bytes.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use base::paths::{MODE_PUBLIC, write_atomic};

use crate::problem::{Problem, at, unclear};

/// One package of one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Debian's name.
    pub name: String,
    /// With its epoch, if it has one.
    pub version: String,
    /// `amd64` or `all`.
    pub architecture: String,
    /// Of the package file, in hex.
    pub sha256: String,
}

/// As apt wants to be asked.
impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.version)
    }
}

impl Package {
    /// The name of its file, as Debian's archive has it.
    #[must_use]
    pub fn file_name(&self) -> String {
        let version = self.version.replace(':', "%3a");
        format!("{}_{version}_{}.deb", self.name, self.architecture)
    }

    fn line(&self) -> String {
        [&self.name, &self.version, &self.architecture, &self.sha256]
            .map(String::as_str)
            .join("\t")
    }
}

/// A lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    path: PathBuf,
    /// Sorted by name.
    pub packages: Vec<Package>,
}

impl Lock {
    /// Nothing is pinned: for the build that finds out what to pin.
    #[must_use]
    pub(crate) fn none() -> Self {
        Self {
            path: PathBuf::new(),
            packages: Vec::new(),
        }
    }

    /// Reads it; lines that begin with `#` are for people.
    ///
    /// # Errors
    /// [`Problem::File`], or [`Problem::LockLine`] for a line that is none.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        let text = fs::read_to_string(path).map_err(at(path, "read"))?;
        let mut packages = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            packages.push(parsed(line).ok_or_else(|| Problem::LockLine {
                path: path.to_owned(),
                line: number,
            })?);
        }
        Ok(Self {
            path: path.to_owned(),
            packages,
        })
    }

    /// Writes it anew; says how many lines are other than before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(path: &Path, head: &str, mut packages: Vec<Package>) -> Result<usize, Problem> {
        packages.sort();
        packages.dedup();
        let before: BTreeSet<Package> = match Self::read(path) {
            Ok(lock) => lock.packages.into_iter().collect(),
            Err(Problem::File { .. }) => BTreeSet::new(),
            Err(problem) => return Err(problem),
        };
        let after: BTreeSet<Package> = packages.iter().cloned().collect();
        let lines: Vec<String> = packages.iter().map(Package::line).collect();
        let text = format!("{head}{}\n", lines.join("\n"));
        write_atomic(path, text.as_bytes(), MODE_PUBLIC).map_err(unclear("the file system"))?;
        Ok(before.symmetric_difference(&after).count())
    }

    /// Those of `installed` (name and version) that this lock does not name.
    #[must_use]
    pub fn lacks(&self, installed: &[(String, String)]) -> Vec<String> {
        let known: BTreeSet<(&str, &str)> = self
            .packages
            .iter()
            .map(|one| (one.name.as_str(), one.version.as_str()))
            .collect();
        let unknown = installed
            .iter()
            .filter(|(name, version)| !known.contains(&(name.as_str(), version.as_str())));
        unknown
            .map(|(name, version)| format!("{name} {version}"))
            .collect()
    }
}

fn parsed(line: &str) -> Option<Package> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, version, architecture, sha256] = fields.as_slice() else {
        return None;
    };
    let hex = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'/')
    };
    (hex && plain(name) && plain(version) && plain(architecture)).then(|| Package {
        name: (*name).to_owned(),
        version: (*version).to_owned(),
        architecture: (*architecture).to_owned(),
        sha256: (*sha256).to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: "amd64".to_owned(),
            sha256: "0a".repeat(32),
        }
    }

    #[test]
    fn what_is_written_is_read_back_sorted_and_changes_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("packages.lock");
        let two = vec![package("udev", "257"), package("bash", "5.2")];
        assert_eq!(Lock::write(&path, "# why\n", two).unwrap(), 2);
        let names: Vec<String> = Lock::read(&path)
            .unwrap()
            .packages
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(names, ["bash=5.2", "udev=257"]);
        let newer = vec![package("udev", "258"), package("bash", "5.2")];
        assert_eq!(Lock::write(&path, "# why\n", newer).unwrap(), 2);
    }

    #[test]
    fn a_line_that_is_none_is_named_by_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("packages.lock");
        for bad in ["bash\t5.2\tamd64\tnothing", "bash 5.2", "../x\t1\tall\t0"] {
            let text = format!("# head\n{bad}\n");
            write_atomic(&path, text.as_bytes(), MODE_PUBLIC).unwrap();
            assert!(
                matches!(Lock::read(&path), Err(Problem::LockLine { line: 2, .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_package_of_another_version_is_not_locked() {
        let lock = Lock {
            path: PathBuf::new(),
            packages: vec![package("bash", "5.2")],
        };
        let installed = [("bash", "5.2"), ("bash", "5.3"), ("zsh", "1")]
            .map(|(name, version)| (name.to_owned(), version.to_owned()));
        assert_eq!(lock.lacks(&installed), ["bash 5.3", "zsh 1"]);
    }

    #[test]
    fn an_epoch_is_written_as_the_archive_writes_it() {
        assert_eq!(
            package("dbus", "1:2.0-1").file_name(),
            "dbus_1%3a2.0-1_amd64.deb"
        );
    }
}
