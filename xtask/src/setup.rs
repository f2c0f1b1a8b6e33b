//! `setup`: everything that the suites need on Debian 12 or 13, installed once.
//!
//! Says what is missing and why it is wanted, then installs just that. Run again, it finds nothing
//! to do. Where it may not install (no root, no apt) it prints the command to type.

use std::path::Path;
use std::time::Duration;

use crate::need::{self, Need, Source};
use crate::runner::{self, Spec};
use crate::{Problem, Verdict, machine, say, workspace};

const APT_LIMIT: Duration = Duration::from_secs(20 * 60);
const CARGO_LIMIT: Duration = Duration::from_secs(45 * 60);
const NPM_LIMIT: Duration = Duration::from_secs(10 * 60);
const PYTHON_LIMIT: Duration = Duration::from_secs(10 * 60);

/// `cargo xtask setup`.
pub(crate) fn everything() -> Result<Verdict, Problem> {
    let missing = meet(&Need::ALL);
    if missing.is_empty() {
        say::line("setup: everything is there");
        return Ok(Verdict::Holds);
    }
    for need in &missing {
        say::line(&format!(
            "setup: still missing: {need:?} ({})",
            need.purpose()
        ));
    }
    Ok(Verdict::DoesNotHold)
}

/// Installs what is missing of `needs`; returns what is missing even then.
pub(crate) fn meet(needs: &[Need]) -> Vec<Need> {
    let missing: Vec<Need> = needs
        .iter()
        .copied()
        .filter(|need| !need.is_met())
        .collect();
    for need in &missing {
        say::line(&format!("setup: missing: {need:?}: {}", need.purpose()));
    }
    install_debian_packages(&missing);
    for need in &missing {
        match need.source() {
            Source::Apt(_) => {}
            Source::Cargo(name) => install_subcommand(name),
            Source::Npm(directory) => install_node_packages(directory),
            Source::Python(package) => install_python_package(package),
        }
    }
    missing.into_iter().filter(|need| !need.is_met()).collect()
}

fn install_debian_packages(missing: &[Need]) {
    let packages = debian_packages(missing);
    if packages.is_empty() {
        return;
    }
    let [update, install] = apt_commands(&packages);
    if !machine::has_apt() {
        say::line(&format!(
            "setup: this is no Debian; please install: {}",
            packages.join(" ")
        ));
        return;
    }
    if !machine::is_root() {
        say::line("setup: only root may install packages; please type:");
        say::line(&format!(
            "  sudo {} && sudo {}",
            update.line(),
            install.line()
        ));
        return;
    }
    attempt(&update, &workspace::root());
    attempt(&install, &workspace::root());
}

fn debian_packages(missing: &[Need]) -> Vec<&'static str> {
    let mut packages: Vec<&'static str> = Vec::new();
    for need in missing {
        if let Source::Apt(names) = need.source() {
            packages.extend(names);
        }
    }
    packages
}

fn apt_commands(packages: &[&str]) -> [Spec; 2] {
    // Another apt at work (unattended-upgrades on a fresh machine) is waited for.
    let wait = "DPkg::Lock::Timeout=300";
    let update = Spec::new("apt-get", &["-o", wait, "update"], APT_LIMIT);
    let mut arguments = vec!["-o", wait, "install", "--yes", "--no-install-recommends"];
    arguments.extend(packages);
    let install = Spec::new("apt-get", &arguments, APT_LIMIT);
    [update, install.with("DEBIAN_FRONTEND", "noninteractive")]
}

fn install_subcommand(name: &str) {
    let spec = Spec::new(
        "cargo",
        &["install", "--locked", "--quiet", name],
        CARGO_LIMIT,
    );
    say::line(&format!(
        "setup: compiling {name}; this takes minutes, once per machine"
    ));
    attempt(&spec, &workspace::root());
}

fn install_node_packages(directory: &str) {
    if !machine::has_program("npm") {
        return; // Reported as a missing need of its own.
    }
    let spec = Spec::new("npm", &["ci", "--no-audit", "--no-fund"], NPM_LIMIT);
    attempt(&spec, &workspace::root().join(directory));
}

fn install_python_package(package: &str) {
    let Some(place) = need::python_place() else {
        return; // Reported as a missing need of its own.
    };
    let shown = place.display().to_string();
    let root = workspace::root();
    let made = Spec::new("/usr/bin/python3", &["-m", "venv", &shown], PYTHON_LIMIT);
    attempt(&made, &root);
    let pip = place.join("bin/pip").display().to_string();
    let spec = Spec::new(&pip, &["install", "--quiet", package], PYTHON_LIMIT);
    attempt(&spec, &root);
}

/// Tries to install something. What fails is said, and the rest goes on: whether a need is met is
/// asked of the machine afterwards, not of the installer's exit code.
fn attempt(spec: &Spec, directory: &Path) {
    if let Err(problem) = runner::show(spec, directory) {
        say::problem(&problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_missing_packages_are_in_the_command() {
        let [_, install] = apt_commands(&debian_packages(&[Need::Nextest, Need::Sqlite]));
        assert_eq!(
            install.line(),
            "apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends sqlite3"
        );
    }

    #[test]
    fn nothing_missing_asks_for_no_package() {
        assert!(debian_packages(&[]).is_empty());
    }
}
