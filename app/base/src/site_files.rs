//! What the programs of the machine read of `site.toml`: address, time, packet filter, disks, each in its own format.
//!
//! Shape: [`files`] are paths below `/run` with their whole content, [`write`] puts them there and takes away those
//! that the site does not ask for. Data disks that were exchanged since are [`remembered`] beside the site file.
//! What is written below `/run` ends with the power: it is made anew at each start.
//! Invariant: only checked values get here ([`Site`]), so that no word of the file means something else to them.
//! Source: docs/decisions/0051-a-real-server.md.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::paths::{MODE_PUBLIC, PathError, write_atomic};
use crate::settings::{MachineDisks, NetworkSettings, Site, TimeSettings, is_serial};

/// Wins over the image's own (`80-wired.network`), whose numbers it has otherwise.
const NETWORK: &str = "systemd/network/70-site.network";
const NAMES: &str = "hokatsu-site/resolv.conf";
const SOURCES: &str = "hokatsu-site/chrony/site.sources";
const SERVED: &str = "hokatsu-site/chrony/site.conf";
const FILTER: &str = "hokatsu-site/site.nft";
/// Before the rules that give a disk its role (`70-hokatsu.rules`).
const DISKS: &str = "udev/rules.d/69-hokatsu-site.rules";
/// Beside the site file, one a line.
const REMEMBERED: &str = "data-disks";
/// Where udev says a disk's number: of SAS, of SATA, NVMe and USB, and with the model before it.
const SERIALS: [&str; 3] = ["ID_SCSI_SERIAL", "ID_SERIAL_SHORT", "ID_SERIAL"];

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Everything.
    All,
    /// Which disks are the machine's, and no more: before there is a data volume.
    Disks,
}

/// Why they could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SiteFilesError {
    /// A file could not be written.
    #[error("cannot tell the machine what the site says")]
    Write(#[from] PathError),
    /// The list of disks is there and cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A file of an earlier site is still there.
    #[error("cannot remove {}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

/// Serial numbers of the data disks as they are today; nothing before one was exchanged.
///
/// # Errors
/// [`SiteFilesError::Read`].
pub fn remembered(site_file: &Path) -> Result<Vec<String>, SiteFilesError> {
    let path = site_file.with_file_name(REMEMBERED);
    let text = match fs::read_to_string(&path) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(SiteFilesError::Read { path, source }),
        Ok(text) => text,
    };
    // A line that is no number would mean something else to udev.
    let numbers = text.lines().filter(|line| is_serial(line));
    Ok(numbers.map(str::to_owned).collect())
}

/// Keeps them: from now on they count, and not those of the site file.
///
/// # Errors
/// [`SiteFilesError::Write`].
pub fn remember(site_file: &Path, serials: &[String]) -> Result<(), SiteFilesError> {
    let text = lines(serials.iter().cloned()).unwrap_or_default();
    let path = site_file.with_file_name(REMEMBERED);
    Ok(write_atomic(&path, text.as_bytes(), MODE_PUBLIC)?)
}

/// Every file of this part, below `/run`; nothing is its content when the site does not ask for it.
#[must_use]
pub fn files(
    site: &Site,
    remembered: &[String],
    part: Part,
) -> BTreeMap<&'static str, Option<String>> {
    let server = &site.server;
    let disks = (DISKS, rules(server.disks.as_ref(), remembered));
    let (network, time) = (server.network.as_ref(), server.time.as_ref());
    match part {
        Part::Disks => BTreeMap::from([disks]),
        Part::All => BTreeMap::from([
            disks,
            (NETWORK, network.map(addresses)),
            (NAMES, network.and_then(names)),
            (SOURCES, time.and_then(sources)),
            (SERVED, time.and_then(served)),
            (FILTER, filter(network, time)),
        ]),
    }
}

/// Writes them below `root`, whose directories are there.
///
/// # Errors
/// [`SiteFilesError`]; what was written before it stays.
pub fn write(
    site: &Site,
    remembered: &[String],
    part: Part,
    root: &Path,
) -> Result<(), SiteFilesError> {
    for (name, content) in files(site, remembered, part) {
        let path = root.join(name);
        match content {
            Some(text) => write_atomic(&path, text.as_bytes(), MODE_PUBLIC)?,
            None => remove(&path)?,
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), SiteFilesError> {
    let Err(source) = fs::remove_file(path) else {
        return Ok(());
    };
    if source.kind() == io::ErrorKind::NotFound {
        return Ok(());
    }
    let path = path.to_owned();
    Err(SiteFilesError::Remove { path, source })
}

fn addresses(network: &NetworkSettings) -> String {
    let mut text = format!(
        "[Match]\nType=ether\nKind=!*\n\n[Network]\nAddress={}\n",
        network.address()
    );
    if let Some(gateway) = network.gateway() {
        text += &format!("Gateway={gateway}\n");
    }
    text += "LinkLocalAddressing=no\nIPv6AcceptRA=no\n";
    text
}

fn names(network: &NetworkSettings) -> Option<String> {
    lines(network.dns().map(|server| format!("nameserver {server}")))
}

fn sources(time: &TimeSettings) -> Option<String> {
    // Four questions at once at the beginning: the time holds within seconds of a start.
    lines(
        time.sources()
            .map(|source| format!("server {source} iburst")),
    )
}

/// The last line: where no source answers, those who ask stay in step with each other.
fn served(time: &TimeSettings) -> Option<String> {
    let allowed = time.serves().map(|network| format!("allow {network}"));
    Some(lines(allowed)? + "port 123\nlocal stratum 10\n")
}

/// What is let through beside what the image lets through for everybody.
fn filter(network: Option<&NetworkSettings>, time: Option<&TimeSettings>) -> Option<String> {
    let mut rules = Vec::new();
    if let Some(network) = network
        && let Some(servers) = set(network.dns())
    {
        rules.push(format!(
            "output ip daddr {servers} meta l4proto {{ tcp, udp }} th dport 53 accept"
        ));
    }
    if let Some(time) = time {
        match time.addresses() {
            Some(addresses) => rules.extend(
                set(addresses.iter())
                    .map(|asked| format!("output ip daddr {asked} udp dport 123 accept")),
            ),
            // A name has the address that its server says today.
            None => rules.push("output udp dport 123 accept".to_owned()),
        }
        rules.extend(
            set(time.serves()).map(|told| format!("input ip saddr {told} udp dport 123 accept")),
        );
    }
    lines(
        rules
            .iter()
            .map(|rule| format!("add rule inet hokatsu {rule}")),
    )
}

fn set<T: ToString>(items: impl Iterator<Item = T>) -> Option<String> {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    (!items.is_empty()).then(|| format!("{{ {} }}", items.join(", ")))
}

fn rules(disks: Option<&MachineDisks>, remembered: &[String]) -> Option<String> {
    let named = disks.map(MachineDisks::data).unwrap_or_default();
    let data = if remembered.is_empty() {
        named
    } else {
        remembered
    };
    let data = data.iter().zip(1..);
    let data = data.map(|(serial, place)| (serial.as_str(), format!("HOKATSU_DATA}}=\"{place}\"")));
    let disk_a = disks.and_then(MachineDisks::disk_a);
    let disk_a = disk_a.map(|serial| (serial, "HOKATSU_DISK_A}=\"1\"".to_owned()));
    let of_a_disk = "SUBSYSTEM==\"block\", ENV{DEVTYPE}==\"disk\"";
    let every = data.chain(disk_a).flat_map(|(serial, role)| {
        SERIALS.map(|key| format!("{of_a_disk}, ENV{{{key}}}==\"{serial}\", ENV{{{role}"))
    });
    lines(every)
}

/// One a line; nothing when there are none.
fn lines(all: impl Iterator<Item = String>) -> Option<String> {
    let text: String = all.map(|line| line + "\n").collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = r#"[server]
listen = "0.0.0.0:443"
[server.network]
address = "192.0.2.10/24"
gateway = "192.0.2.1"
dns = ["192.0.2.2", "192.0.2.3"]
[server.time]
sources = ["192.0.2.1", "198.51.100.1"]
serves = ["192.0.2.0/24", "198.51.100.0/24"]
[server.disks]
data = ["S1", "S2"]
disk_a = "A_1"
[organisation]
name = "和光市"
insurer_no = "112292"
"#;

    fn site(text: &str) -> Site {
        Site::parse(text, Path::new("site.toml")).unwrap()
    }

    fn bare() -> Site {
        let (before, rest) = SITE.split_once("[server.network]").unwrap();
        let (_, after) = rest.split_once("[organisation]").unwrap();
        site(&format!("{before}[organisation]{after}"))
    }

    fn of(site: &Site, name: &str) -> String {
        files(site, &[], Part::All)[name]
            .clone()
            .unwrap_or_default()
    }

    #[test]
    fn each_program_gets_what_it_reads_in_its_own_words() {
        let site = site(SITE);
        assert_eq!(
            of(&site, NETWORK),
            "[Match]\nType=ether\nKind=!*\n\n[Network]\nAddress=192.0.2.10/24\nGateway=192.0.2.1\n\
             LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
        );
        assert_eq!(
            of(&site, NAMES),
            "nameserver 192.0.2.2\nnameserver 192.0.2.3\n"
        );
        assert_eq!(
            of(&site, SOURCES),
            "server 192.0.2.1 iburst\nserver 198.51.100.1 iburst\n"
        );
        assert_eq!(
            of(&site, SERVED),
            "allow 192.0.2.0/24\nallow 198.51.100.0/24\nport 123\nlocal stratum 10\n"
        );
        assert_eq!(
            of(&site, FILTER),
            "add rule inet hokatsu output ip daddr { 192.0.2.2, 192.0.2.3 } \
             meta l4proto { tcp, udp } th dport 53 accept\n\
             add rule inet hokatsu output ip daddr { 192.0.2.1, 198.51.100.1 } udp dport 123 accept\n\
             add rule inet hokatsu input ip saddr { 192.0.2.0/24, 198.51.100.0/24 } udp dport 123 accept\n"
        );
    }

    #[test]
    fn a_disk_is_known_by_each_name_that_udev_has_for_its_number() {
        let rules = of(&site(SITE), DISKS);
        assert_eq!(rules.lines().count(), 9);
        for line in [
            r#"SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ENV{ID_SERIAL_SHORT}=="S1", ENV{HOKATSU_DATA}="1""#,
            r#"SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ENV{ID_SCSI_SERIAL}=="S2", ENV{HOKATSU_DATA}="2""#,
            r#"SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ENV{ID_SERIAL}=="A_1", ENV{HOKATSU_DISK_A}="1""#,
        ] {
            assert!(
                rules.lines().any(|one| one == line),
                "{line} is not in\n{rules}"
            );
        }
    }

    #[test]
    fn who_may_be_anywhere_is_asked_anywhere_and_who_is_not_named_is_not_asked() {
        let named = site(&SITE.replace("198.51.100.1\"", "ntp.example.jp\""));
        assert!(of(&named, FILTER).contains("output udp dport 123 accept"));
        let alone = site(&SITE.replace("serves = [\"192.0.2.0/24\", \"198.51.100.0/24\"]", ""));
        assert_eq!(of(&alone, SERVED), "");
        assert!(!of(&alone, FILTER).contains("input"));
        assert!(files(&bare(), &[], Part::All).values().all(Option::is_none));
    }

    #[test]
    fn what_a_site_no_longer_asks_for_is_gone_and_before_a_volume_there_are_only_disks() {
        let root = tempfile::tempdir().unwrap();
        for dir in ["systemd/network", "hokatsu-site/chrony", "udev/rules.d"] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let there = |name: &str| root.path().join(name).exists();
        write(&site(SITE), &[], Part::Disks, root.path()).unwrap();
        assert!(there(DISKS) && !there(NETWORK));
        write(&site(SITE), &[], Part::All, root.path()).unwrap();
        assert!(
            [NETWORK, NAMES, SOURCES, SERVED, FILTER]
                .into_iter()
                .all(there)
        );
        write(&bare(), &[], Part::All, root.path()).unwrap();
        assert!(
            ![DISKS, NETWORK, NAMES, SOURCES, SERVED, FILTER]
                .into_iter()
                .any(there)
        );
        let nowhere = root.path().join("none");
        assert!(write(&site(SITE), &[], Part::All, &nowhere).is_err());
    }

    #[test]
    fn a_disk_that_was_exchanged_counts_instead_of_the_one_in_the_site_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("site.toml");
        assert!(remembered(&file).unwrap().is_empty());
        let today = ["S1".to_owned(), "S3".to_owned()];
        remember(&file, &today).unwrap();
        let known = remembered(&file).unwrap();
        assert_eq!(known, today);
        let all = files(&site(SITE), &known, Part::All);
        let rules = all[DISKS].as_deref().unwrap();
        assert!(rules.contains("\"S3\"") && rules.contains("\"A_1\"") && !rules.contains("\"S2\""));
        let bent = "S1\n\", RUN+=\"x\n";
        write_atomic(&dir.path().join(REMEMBERED), bent.as_bytes(), MODE_PUBLIC).unwrap();
        assert_eq!(remembered(&file).unwrap(), ["S1"]);
    }
}
