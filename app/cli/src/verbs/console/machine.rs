//! What the appliance is made of, and how it is.
//!
//! Source of its paths and units: `image/mkosi.extra` (docs/decisions/0042-appliance-image.md).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::command::{self, Spec};
use base::machine::Condition;
use base::report::Report;
use base::settings::Site;
use indicatif::HumanBytes;
use store::DataDir;

use super::acts::failed;

/// Only the appliance has it.
const MARK: &str = "usr/lib/hokatsu/array";
/// The data directory under the name that can be exchanged: what is mounted at `/var/lib/hokatsu` cannot.
const DATA: &str = "volume/hokatsu";
const SITE: &str = "etc/hokatsu/site.toml";
const LOCKED_VOLUME: &str = "dev/hokatsu/volume";
const DISK_A: &str = "dev/disk/by-partlabel/hokatsu-disk-a";
/// Where a disk is mounted that the words of a sheet opened.
const OPENED: &str = "run/hokatsu/disks/sheet";
const STICK: &str = "dev/hokatsu/stick";
const BLOCK: &str = "sys/class/block";
/// The service and what works beside it, in the order in which they are started.
pub(super) const UNITS: [&str; 4] = [
    "hokatsu.service",
    "hokatsu-ship.service",
    "hokatsu-backup.timer",
    "hokatsu-prune.timer",
];
/// What a start can fail at without anybody hearing of it but here.
const FAILED: [(&str, &str); 3] = [
    (
        "disks-of-stick.service",
        "USBメモリの site.toml を使えません。「USBメモリの site.toml を確かめる」を選びます（手順書 first-boot）。",
    ),
    (
        "hokatsu-first-boot.service",
        "初期設定が終わっていません。「USBメモリの site.toml を確かめる」を選びます（手順書 first-boot）。",
    ),
    (
        "hokatsu-site.service",
        "アドレスと時刻が、site.toml のとおりになっていません。「状態をくわしく見る」を選びます（手順書 first-boot）。",
    ),
];
const ASK_MAX: Duration = Duration::from_secs(20);

/// How far this machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The data disks hold nothing that can be used.
    NoVolume,
    /// There is a data volume that the machine does not open by itself.
    Locked,
    /// There is a data volume, and no record on it.
    Empty,
    /// Records came back from another machine, and this one is not set up for them yet.
    Unsettled,
    /// It holds records.
    Used,
}

/// The machine below this directory.
pub(super) struct Machine {
    root: PathBuf,
}

impl Machine {
    pub(super) fn here() -> Self {
        Self::below(Path::new("/"))
    }

    pub(super) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn is_appliance(&self) -> bool {
        self.at(MARK).exists()
    }

    pub(super) fn data(&self) -> DataDir {
        DataDir::new(self.at(DATA))
    }

    pub(super) fn site_file(&self) -> PathBuf {
        self.at(SITE)
    }

    pub(super) fn disk_a(&self) -> PathBuf {
        self.at(DISK_A)
    }

    /// A stick with the name that the product knows.
    pub(super) fn stick(&self) -> Option<PathBuf> {
        let stick = self.at(STICK);
        stick.exists().then_some(stick)
    }

    pub(super) fn locked_volume(&self) -> PathBuf {
        self.at(LOCKED_VOLUME)
    }

    pub(super) fn stage(&self) -> Stage {
        let data = self.data();
        if data.database().exists() && self.site_file().exists() {
            Stage::Used
        } else if data.database().exists() {
            Stage::Unsettled
        } else if data.path().exists() {
            // A restore that was cut short right at the exchange of names is one as well.
            Stage::Empty
        } else if self.locked_volume().exists() {
            Stage::Locked
        } else {
            Stage::NoVolume
        }
    }

    /// The repository of a disk that the words opened.
    pub(super) fn opened_repository(&self) -> Option<PathBuf> {
        let mut entries = fs::read_dir(self.at(OPENED)).ok()?.flatten();
        let found = entries.find(|entry| entry.path().join("config").is_file());
        found.map(|entry| entry.path())
    }

    /// What people have to know before they choose, a line each.
    pub(super) fn standing(&self, stage: Stage) -> Vec<String> {
        let mut lines = vec![match stage {
            Stage::NoVolume => {
                "データ領域がありません。データディスクを確かめてください（手順書 raid-disk）。"
                    .to_owned()
            }
            Stage::Locked => {
                "データ領域を、この装置のTPMでは開けません。復旧シートのことばで開きます。"
                    .to_owned()
            }
            Stage::Unsettled => {
                "記録は戻っていますが、設定が途中です。もう一度「ディスクAから戻す」を選びます。"
                    .to_owned()
            }
            Stage::Empty => "この装置には、まだ記録がありません。".to_owned(),
            Stage::Used => self.service(),
        }];
        if stage == Stage::Empty {
            lines.push(
                "新しく始めるには、site.toml の入ったUSBメモリ（名前 HOKATSU）を挿します。"
                    .to_owned(),
            );
        }
        lines.extend(self.condition());
        lines.extend(self.room());
        let disk_a = if self.disk_a().exists() {
            "つながっています"
        } else {
            "つながっていません"
        };
        lines.push(format!("ディスクA: {disk_a}"));
        lines.extend(
            FAILED
                .iter()
                .filter(|(unit, _)| is_failed(unit))
                .map(|(_, words)| (*words).to_owned()),
        );
        lines
    }

    fn service(&self) -> String {
        let active = is_active("hokatsu.service");
        let name = match Site::read(&self.site_file()) {
            Ok(site) => site.organisation.name,
            Err(problem) => problem.to_string(),
        };
        let how = if active {
            "動いています"
        } else {
            "止まっています"
        };
        format!("サービス（{name}）: {how}")
    }

    /// Where the kernel tells of the mirror.
    fn md(&self) -> Option<PathBuf> {
        let entries = fs::read_dir(self.at(BLOCK)).ok()?;
        let mut arrays = entries.flatten().map(|entry| entry.path().join("md"));
        arrays.find(|md| md.is_dir())
    }

    /// The disks of the mirror that are there.
    pub(super) fn members(&self) -> Vec<PathBuf> {
        let below = self.md().map(|md| md.with_file_name("slaves"));
        let entries = below.and_then(|below| fs::read_dir(below).ok());
        let names = entries.into_iter().flatten().flatten();
        names
            .map(|entry| Path::new("/dev").join(entry.file_name()))
            .collect()
    }

    /// Bytes that a disk must have to take the free place of the mirror; nothing when there is none.
    pub(super) fn lacks_a_disk(&self) -> Option<u64> {
        let md = self.md()?;
        let number = |path: PathBuf| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
        if number(md.join("degraded"))? == 0 {
            return None;
        }
        let sizes = self.members().into_iter().filter_map(|disk| {
            // The kernel counts in pieces of 512 bytes, whatever the disk does.
            number(self.at(BLOCK).join(disk.file_name()?).join("size"))?.checked_mul(512)
        });
        sizes.min()
    }

    /// Outside of the machine: a stick, a disk that is carried away, one that was taken out before.
    pub(super) fn hangs_on_usb(&self, disk: &Path) -> bool {
        let name = disk.file_name().unwrap_or_default();
        // Without a place it is not one that could be meant.
        let place = fs::canonicalize(self.at(BLOCK).join(name)).unwrap_or_else(|_| "/usb".into());
        place
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with("usb"))
    }

    /// What is wrong with its parts and its versions; all of it is told by "状態をくわしく見る".
    fn condition(&self) -> Vec<String> {
        let Some(running) = base::update::running(&self.root) else {
            return Vec::new();
        };
        let parts = base::machine::Machine::look(&self.root, &running, &self.data().update());
        let told = |one: &Condition| {
            let page = one.runbook.map_or("", |page| page.stem());
            format!("{}: {} 手順書 {page}", one.matter, one.text)
        };
        let lines: Vec<String> = parts.alarms().map(told).collect();
        if lines.is_empty() {
            return vec![format!(
                "装置（版 {running}）: ディスクとシステム領域に異常はありません"
            )];
        }
        lines
    }

    fn room(&self) -> Option<String> {
        let data = self.data();
        if !data.path().exists() {
            return None;
        }
        let free = base::paths::free_bytes(data.path()).ok()?;
        Some(format!("データ領域の空き: {}", HumanBytes(free)))
    }
}

pub(in crate::verbs) fn is_active(unit: &str) -> bool {
    is("is-active", unit)
}

fn is_failed(unit: &str) -> bool {
    is("is-failed", unit)
}

fn is(state: &str, unit: &str) -> bool {
    let spec = Spec::new("systemctl", ASK_MAX).args(["--quiet", state, unit]);
    command::run(&spec).is_ok_and(|output| output.status.success())
}

/// Tells the machine's own manager.
///
/// # Errors
/// When it says no.
pub(super) fn systemctl(words: &[&str], limit: Duration) -> Result<(), Report> {
    // Else it asks on this terminal for whatever any disk wants, and does not come back.
    let spec = Spec::new("systemctl", limit)
        .arg("--no-ask-password")
        .args(words);
    let output = command::run(&spec).map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(std::io::Error::other(format!(
        "systemctl {} ended with {}",
        words.join(" "),
        output.status
    ))))
}
