//! Debian 13 as this machine's own apt would get it: which mirror that is stays the machine's business.
//!
//! apt runs with directories of its own, so that nothing of Debian 13 reaches the machine that builds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use base::paths::{MODE_PUBLIC, write_atomic};

use crate::child::Spec;
use crate::lock::Package;
use crate::problem::{Problem, unclear};
use crate::room::Room;

/// Debian 13.
pub const SUITE: &str = "trixie";
/// Beside Debian itself what network cards and processors load into themselves: no free software, and the machine
/// does not run well without it.
const COMPONENTS: &str = "main non-free-firmware";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const LIMIT: Duration = Duration::from_secs(30 * 60);
/// Packages asked for in one call: a command line has an end.
const AT_ONCE: usize = 100;

/// An apt that knows Debian 13 and nothing else.
#[derive(Debug)]
pub struct Archive {
    dir: PathBuf,
}

impl Archive {
    /// Asks this machine's apt for its mirror, and that mirror for what it has today.
    ///
    /// # Errors
    /// [`Problem::NoMirror`] when this machine's apt names none; what apt says when it fails.
    pub fn ask(room: &Room) -> Result<Self, Problem> {
        let dir = room.dir("apt")?;
        for below in ["apt/lists/partial", "apt/archives/partial", "apt/parts"] {
            room.dir(below)?;
        }
        write(&dir.join("parts/debian.sources"), &sources()?)?;
        write(&dir.join("status"), "")?;
        let archive = Self { dir };
        archive.apt("apt-get", &["update"]).must("apt-get update")?;
        Ok(archive)
    }

    /// What mmdebstrap and mkosi are to read.
    ///
    /// # Errors
    /// [`Problem::File`] when it cannot be read back.
    pub fn sources_file(&self) -> PathBuf {
        self.dir.join("parts/debian.sources")
    }

    /// Brings these versions into `into`; those that the archive has no more are named.
    ///
    /// # Errors
    /// [`Problem::Gone`], or what apt says.
    pub fn download(&self, wanted: &[&Package], into: &Path, store: &Path) -> Result<(), Problem> {
        let gone = self.gone(wanted)?;
        if !gone.is_empty() {
            return Err(Problem::Gone {
                names: gone,
                store: store.to_owned(),
            });
        }
        for some in wanted.chunks(AT_ONCE) {
            let names: Vec<String> = some.iter().map(|one| one.to_string()).collect();
            let mut words = vec!["download"];
            words.extend(names.iter().map(String::as_str));
            self.apt("apt-get", &words)
                .inside(into)
                .must("apt-get download")?;
        }
        Ok(())
    }

    fn gone(&self, wanted: &[&Package]) -> Result<Vec<String>, Problem> {
        let mut words = vec!["madison"];
        words.extend(wanted.iter().map(|one| one.name.as_str()));
        let said = self.apt("apt-cache", &words).must("apt-cache madison")?;
        let present: Vec<(&str, &str)> = said
            .lines()
            .filter_map(|line| {
                let mut fields = line.split('|').map(str::trim);
                Some((fields.next()?, fields.next()?))
            })
            .collect();
        let missing = wanted
            .iter()
            .filter(|one| !present.contains(&(&one.name, &one.version)));
        Ok(missing
            .map(|one| format!("{} {}", one.name, one.version))
            .collect())
    }

    fn apt(&self, program: &str, words: &[&str]) -> Spec {
        let options = [
            "APT::Architecture=amd64".to_owned(),
            "APT::Sandbox::User=root".to_owned(),
            "Dir::Etc::SourceList=/dev/null".to_owned(),
            format!("Dir::Etc::SourceParts={}", self.dir.join("parts").display()),
            "Dir::Etc::PreferencesParts=/dev/null".to_owned(),
            format!("Dir::State::Lists={}", self.dir.join("lists").display()),
            format!("Dir::State::Status={}", self.dir.join("status").display()),
            format!("Dir::Cache={}", self.dir.display()),
        ];
        let mut line = vec![program.to_owned()];
        line.extend(
            options
                .into_iter()
                .flat_map(|option| ["-o".to_owned(), option]),
        );
        line.extend(words.iter().map(ToString::to_string));
        Spec::new(line, LIMIT)
    }
}

fn write(path: &Path, text: &str) -> Result<(), Problem> {
    write_atomic(path, text.as_bytes(), MODE_PUBLIC).map_err(unclear("the file system"))
}

/// The apt source of Debian 13, from the mirrors of whatever Debian this machine runs.
fn sources() -> Result<String, Problem> {
    let words = [
        "apt-get",
        "indextargets",
        "--format",
        "$(SITE) $(ORIGIN) $(COMPONENT)",
        "Created-By: Packages",
    ];
    let said = Spec::of(&words, LIMIT).must("apt-get indextargets")?;
    sources_from(&said).ok_or(Problem::NoMirror)
}

fn sources_from(said: &str) -> Option<String> {
    let sites = || {
        said.lines()
            .filter_map(|line| line.strip_suffix(" Debian main"))
    };
    let stanza = |site: &str, suites: &str| {
        format!(
            "Types: deb\nURIs: {site}\nSuites: {suites}\nComponents: {COMPONENTS}\n\
             Signed-By: {KEYRING}\n"
        )
    };
    let main = sites().find(|site| !site.contains("security"))?;
    let mut text = stanza(main, &format!("{SUITE} {SUITE}-updates"));
    if let Some(security) = sites().find(|site| site.contains("security")) {
        text.push('\n');
        text.push_str(&stanza(security, &format!("{SUITE}-security")));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sources_are_the_mirrors_of_this_machine_for_another_release() {
        let said = "http://a.example/tools Tools main\nhttp://b.example/debian Debian main\n\
                    http://b.example/debian-security Debian main\n";
        let text = sources_from(said).unwrap();
        assert!(text.contains("URIs: http://b.example/debian\nSuites: trixie trixie-updates\n"));
        assert!(text.contains("URIs: http://b.example/debian-security\nSuites: trixie-security\n"));
        assert!(text.contains("Components: main non-free-firmware\n"));
        assert!(!text.contains("a.example"));
    }

    #[test]
    fn without_a_mirror_of_debian_there_are_no_sources() {
        assert_eq!(sources_from("http://a.example/tools Tools main\n"), None);
    }
}
