//! Questions about the machine: what is installed, and may we install.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use crate::environment;
use crate::runner::{self, Spec};
use crate::workspace;

const QUESTION_LIMIT: Duration = Duration::from_secs(60);

/// A program of this name lies where a shell would find it.
pub(crate) fn has_program(name: &str) -> bool {
    environment::program_directories()
        .iter()
        .any(|directory| directory.join(name).is_file())
}

/// Debian's package is installed (fonts have no program to look for).
pub(crate) fn has_package(name: &str) -> bool {
    let arguments = ["-W", "-f", "${db:Status-Status}", name];
    runner::capture(
        &Spec::new("dpkg-query", &arguments, QUESTION_LIMIT),
        &workspace::root(),
    )
    .is_ok_and(|ended| ended.success && ended.output.trim() == "installed")
}

/// Cargo answers to this subcommand; its programs may lie outside `PATH`.
pub(crate) fn has_subcommand(name: &str) -> bool {
    let spec = Spec::new("cargo", &[name, "--version"], QUESTION_LIMIT);
    runner::capture(&spec, &workspace::root()).is_ok_and(|ended| ended.success)
}

/// The machine has apt, the package manager of the Debian releases we support.
pub(crate) fn has_apt() -> bool {
    has_program("apt-get") && has_program("dpkg-query")
}

/// This process may install packages.
pub(crate) fn is_root() -> bool {
    // The owner of /proc/self is the effective user of this process.
    Path::new("/proc/self")
        .metadata()
        .is_ok_and(|metadata| metadata.uid() == 0)
}
