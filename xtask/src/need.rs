//! What a suite needs from the machine, how to see that it is there, and how it gets there.

use std::path::{Path, PathBuf};

use crate::machine;
use crate::workspace;

const JOURNEYS: &str = "tests/journeys";

/// One thing that a suite cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    Chromium,
    Fonts,
    Restic,
    Offsite,
    Bucket,
    Disks,
    Poppler,
    SevenZip,
    Sqlite,
    SignIn,
    Node,
    Compiler,
    Nextest,
    Deny,
    JourneyPackages,
    BrittleDisks,
    ImageTools,
    Ups,
    Antivirus,
}

/// How a need is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Debian packages of these names.
    Apt(&'static [&'static str]),
    /// `cargo install --locked` of this crate; it compiles for minutes.
    Cargo(&'static str),
    /// `npm ci` in this directory.
    Npm(&'static str),
    /// A package of the Python index, in a directory of its own below `target`.
    Python(&'static str),
}

const FONTS: &[&str] = &[
    "fonts-ipamj-mincho",
    "fonts-morisawa-bizud-gothic",
    "fonts-morisawa-bizud-mincho",
];

/// A header that the key is tried on, and the file system behind it.
const DISKS: &[&str] = &["cryptsetup-bin", "xfsprogs"];

/// `rclone` speaks the protocol from both ends; the server of SSH; and what makes a place for Python packages.
const OFFSITE: &[&str] = &["rclone", "openssh-client", "openssh-server", "python3-venv"];

/// The same everywhere, as far as its own word goes.
const BUCKET: &str = "moto[server]==5.2.5";

/// The program of bubblewrap is `bwrap`; the others are named as their packages.
const IMAGE_TOOLS: &[&str] = &["bubblewrap", "curl", "mmdebstrap"];

/// Each package brings the program of its name.
const SIGN_IN: &[&str] = &["curl", "oathtool", "openssl"];

/// What asks; the server with the driver.
const UPS: &[&str] = &["nut-client", "nut-server"];

/// What scans; what checks signatures.
const ANTIVIRUS: &[&str] = &["clamav", "clamav-daemon"];

impl Need {
    pub(crate) const ALL: [Need; 19] = [
        Need::Chromium,
        Need::Fonts,
        Need::Restic,
        Need::Offsite,
        Need::Bucket,
        Need::Disks,
        Need::Poppler,
        Need::SevenZip,
        Need::Sqlite,
        Need::SignIn,
        Need::Node,
        Need::Compiler,
        Need::Nextest,
        Need::Deny,
        Need::JourneyPackages,
        Need::BrittleDisks,
        Need::ImageTools,
        Need::Ups,
        Need::Antivirus,
    ];

    /// What it is for, in the words of the person who asks why it gets installed.
    pub(crate) fn purpose(self) -> &'static str {
        match self {
            Need::Chromium => "the browser of the journeys",
            Need::Fonts => "Japanese on screens and forms, and names with 外字",
            Need::Restic => "reads our backups as the operator's last resort would",
            Need::Offsite => "servers that hold a repository off-site",
            Need::Bucket => "a store that answers as S3 does",
            Need::Disks => "makes encrypted disks that are plugged in",
            Need::Poppler => "reads back the printed PDF and the code on it",
            Need::SevenZip => "opens what was carried out, as a PC of the city would",
            Need::Sqlite => "looks at database files from outside",
            Need::SignIn => "shows certificates and codes as terminals and telephones do",
            Need::Node => "runs the journeys",
            Need::Compiler => "SQLite and zstd are compiled from C",
            Need::Nextest => "runs the tests",
            Need::Deny => "checks licences, sources and banned crates",
            Need::JourneyPackages => "Playwright and axe-core for the journeys",
            Need::BrittleDisks => "disks that fail when told: root, /dev/fuse, loop devices, XFS",
            Need::ImageTools => "makes and enters the tree with the tools of the image",
            Need::Ups => "a power supply whose outages are invented",
            Need::Antivirus => "the scanner of viruses, with a signature of the test",
        }
    }

    pub(crate) fn source(self) -> Source {
        match self {
            Need::Chromium => Source::Apt(&["chromium"]),
            Need::Fonts => Source::Apt(FONTS),
            Need::Restic => Source::Apt(&["restic"]),
            Need::Offsite => Source::Apt(OFFSITE),
            Need::Bucket => Source::Python(BUCKET),
            Need::Disks => Source::Apt(DISKS),
            Need::Poppler => Source::Apt(&["poppler-utils", "zbar-tools"]),
            Need::SevenZip => Source::Apt(&["7zip"]),
            Need::Sqlite => Source::Apt(&["sqlite3"]),
            Need::SignIn => Source::Apt(SIGN_IN),
            Need::Node => Source::Apt(&["nodejs", "npm"]),
            Need::Compiler => Source::Apt(&["gcc", "libc6-dev", "pkg-config"]),
            Need::Nextest => Source::Cargo("cargo-nextest"),
            Need::Deny => Source::Cargo("cargo-deny"),
            Need::JourneyPackages => Source::Npm(JOURNEYS),
            Need::BrittleDisks => Source::Apt(&["xfsprogs"]),
            Need::ImageTools => Source::Apt(IMAGE_TOOLS),
            Need::Ups => Source::Apt(UPS),
            Need::Antivirus => Source::Apt(ANTIVIRUS),
        }
    }

    pub(crate) fn is_met(self) -> bool {
        match self {
            Need::Chromium => machine::has_program("chromium"),
            Need::Fonts => FONTS.iter().all(|package| machine::has_package(package)),
            Need::Restic => machine::has_program("restic"),
            Need::Offsite => OFFSITE.iter().all(|package| machine::has_package(package)),
            Need::Bucket => python_program("moto_server").is_some_and(|program| program.is_file()),
            Need::Disks => DISKS.iter().all(|package| machine::has_package(package)),
            Need::Poppler => machine::has_program("pdftotext") && machine::has_program("zbarimg"),
            Need::SevenZip => machine::has_program("7zz") || machine::has_program("7z"),
            Need::Sqlite => machine::has_program("sqlite3"),
            Need::SignIn => SIGN_IN.iter().all(|program| machine::has_program(program)),
            Need::Node => machine::has_program("node") && machine::has_program("npm"),
            Need::Compiler => machine::has_program("cc") && machine::has_program("pkg-config"),
            Need::Nextest => machine::has_subcommand("nextest"),
            Need::Deny => machine::has_subcommand("deny"),
            Need::JourneyPackages => journey_packages_are_those_of_the_lock_file(),
            Need::ImageTools => machine::has_program("bwrap") && machine::has_program("mmdebstrap"),
            Need::Ups => UPS.iter().all(|package| machine::has_package(package)),
            Need::Antivirus => ANTIVIRUS
                .iter()
                .all(|package| machine::has_package(package)),
            // The programs can be installed; devices and rights are the machine's.
            Need::BrittleDisks => {
                let devices = ["/dev/fuse", "/dev/loop-control"];
                machine::is_root()
                    && devices.iter().all(|device| Path::new(device).exists())
                    && machine::has_program("mkfs.xfs")
                    && machine::has_program("xfs_io")
            }
        }
    }
}

/// Where packages of the Python index lie.
pub(crate) fn python_place() -> Option<PathBuf> {
    let target = workspace::target().ok()?;
    Some(target.join("test-tools").join("python"))
}

fn python_program(name: &str) -> Option<PathBuf> {
    Some(python_place()?.join("bin").join(name))
}

/// npm notes what it installed in `.package-lock.json`; it is stale when the lock file is newer.
fn journey_packages_are_those_of_the_lock_file() -> bool {
    let room = workspace::root().join(JOURNEYS);
    let written = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    let Ok(lock) = written(&room.join("package-lock.json")) else {
        return true; // Nothing to install before there are journeys.
    };
    written(&room.join("node_modules/.package-lock.json")).is_ok_and(|installed| installed >= lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_is_in_the_list_of_all_once() {
        let mut all = Need::ALL.to_vec();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), Need::ALL.len());
    }

    #[test]
    fn no_two_needs_install_the_same_thing() {
        for (place, need) in Need::ALL.iter().enumerate() {
            assert!(
                Need::ALL[place + 1..]
                    .iter()
                    .all(|other| other.source() != need.source())
            );
        }
    }
}
