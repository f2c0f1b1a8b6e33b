//! The two places for a version on the system disk, and what the boot loader finds.
//!
//! Shape: a slot is a root and its hashes, named by their labels; a version can be started while its kernel image
//! lies on the ESP, with the number of tries that it has left in its name.
//! Source: `image/mkosi.repart`, `image/mkosi.extra/usr/lib/systemd/system/slot-good.service`;
//! <https://systemd.io/AUTOMATIC_BOOT_ASSESSMENT/>.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::command::{self, Spec};
use base::report::{Kind, Report};
use base::update::running;
use bundle::{Bundle, BundleError, Part, Which, sha256_of};
use rustix::fs::{Advice, fadvise, syncfs};
use semver::Version;
use serde::Deserialize;

use super::unwritten;

/// Of the discoverable partitions: a root for x86-64, and the hashes of one.
const ROOT: &str = "4f68bce3-e8cd-4db1-96e7-fbcaf984b709";
const ROOT_VERITY: &str = "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5";
const EMPTY: &str = "_empty";
const NAME: &str = "hokatsu_";
const TRIES: u32 = 3;
const KERNELS: &str = "boot/EFI/Linux";
const ASK_MAX: Duration = Duration::from_secs(60);
const COLUMNS: &str = "PATH,PKNAME,PARTLABEL,PARTTYPE,PARTN,SIZE";

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    pub(super) path: PathBuf,
    number: u32,
    bytes: u64,
    label: String,
}

/// A place for a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    root: Partition,
    verity: Partition,
    /// Nothing when it is empty, or was left half written.
    pub(super) version: Option<Version>,
}

/// A kernel image that the boot loader finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kernel {
    pub(super) version: Version,
    /// Tries left; none: the boot loader takes it only when there is nothing else.
    pub(super) left: u32,
    path: PathBuf,
}

/// The system disk.
#[derive(Debug, Clone)]
pub(super) struct System {
    disk: PathBuf,
    pub(super) slots: Vec<Slot>,
    pub(super) running: Version,
    pub(super) kernels: Vec<Kernel>,
    esp: PathBuf,
}

#[derive(Deserialize)]
struct Told {
    blockdevices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    path: PathBuf,
    pkname: Option<PathBuf>,
    partlabel: Option<String>,
    parttype: Option<String>,
    partn: Option<u32>,
    size: u64,
}

impl System {
    /// # Errors
    /// When this machine has no such disk, or two of them.
    pub(super) fn look(root: &Path) -> Result<Self, Report> {
        let spec = Spec::new("lsblk", ASK_MAX).args(["--json", "--list", "--bytes", "--paths"]);
        let spec = spec.args(["--output", COLUMNS]);
        let output = command::run(&spec).and_then(|output| output.success(&spec));
        let said = output.map_err(|e| Report::new(Kind::Child, e))?.stdout;
        let running = running(root).and_then(|version| Version::parse(&version).ok());
        let running = running.ok_or_else(|| strange("the release names no version"))?;
        let (disk, slots) = laid_out(&said.text(), &running)?;
        let esp = root.join(KERNELS);
        Ok(Self {
            disk,
            slots,
            running,
            kernels: Kernel::all(&esp)?,
            esp,
        })
    }

    /// The slot that does not run.
    pub(super) fn idle(&self) -> Option<&Slot> {
        let mut others = self.slots.iter();
        others.find(|slot| slot.version.as_ref() != Some(&self.running))
    }

    /// Another version that could be started.
    pub(super) fn other(&self) -> Option<&Kernel> {
        let idle = self.idle()?.version.as_ref()?;
        self.kernels.iter().find(|one| one.version == *idle)
    }

    #[cfg(test)]
    pub(super) fn of_test(said: &str, running: Version, esp: &Path) -> Self {
        let (disk, slots) = laid_out(said, &running).unwrap();
        Self {
            disk,
            slots,
            running,
            kernels: Kernel::all(esp).unwrap(),
            esp: esp.to_owned(),
        }
    }

    /// Is there room for every part?
    pub(super) fn takes(&self, slot: &Slot, bundle: &Bundle) -> bool {
        let manifest = bundle.manifest();
        manifest.root.bytes <= slot.root.bytes && manifest.root_verity.bytes <= slot.verity.bytes
    }

    /// Writes a version into the idle slot.
    ///
    /// Shape: first its old name and kernel image go, then come the parts, each read back from the disk, then the
    /// names, and last the kernel image. Cut off anywhere, the version that runs is untouched and is what starts.
    /// # Errors
    /// What was refused; the slot is empty then.
    pub(super) fn write(&self, bundle: &Bundle, mut told: impl FnMut(u64)) -> Result<(), Report> {
        let slot = self
            .idle()
            .ok_or_else(|| strange("there is no idle slot"))?;
        let manifest = bundle.manifest();
        for old in self
            .kernels
            .iter()
            .filter(|one| one.version != self.running)
        {
            fs::remove_file(&old.path).map_err(|e| unwritten(&old.path, e))?;
        }
        self.flush_esp()?;
        for partition in [&slot.verity, &slot.root] {
            self.name(partition, EMPTY, None)?;
        }
        let parts = [(Which::RootVerity, &slot.verity), (Which::Root, &slot.root)];
        for (which, partition) in parts {
            pour(bundle, which, &partition.path, &mut told)?;
        }
        let version = &manifest.version;
        let names = [
            (
                &slot.verity,
                format!("{NAME}{version}_verity"),
                &manifest.root_verity,
            ),
            (&slot.root, format!("{NAME}{version}"), &manifest.root),
        ];
        for (partition, name, part) in names {
            self.name(partition, &name, part.uuid.as_deref())?;
        }
        self.kernel(bundle, &mut told)
    }

    fn kernel(&self, bundle: &Bundle, told: &mut impl FnMut(u64)) -> Result<(), Report> {
        let version = &bundle.manifest().version;
        // The boot loader knows files by their ending.
        let half = self.esp.join(format!("{NAME}{version}.half"));
        pour(bundle, Which::Kernel, &half, told)?;
        let whole = self.esp.join(format!("{NAME}{version}+{TRIES}.efi"));
        fs::rename(&half, &whole).map_err(|e| unwritten(&whole, e))?;
        self.flush_esp()
    }

    /// From the next start on the other version: this one has no tries left.
    ///
    /// # Errors
    /// What the ESP refused.
    pub(super) fn turn_back(&self) -> Result<(), Report> {
        let own = self
            .kernels
            .iter()
            .filter(|one| one.version == self.running);
        for kernel in own {
            let spent = format!("{NAME}{}+0-{TRIES}.efi", kernel.version);
            let to = self.esp.join(spent);
            fs::rename(&kernel.path, &to).map_err(|e| unwritten(&to, e))?;
        }
        self.flush_esp()
    }

    /// The table is of a disk in use: nothing but names changes, so nobody has to read it again.
    fn name(&self, partition: &Partition, label: &str, uuid: Option<&str>) -> Result<(), Report> {
        let (disk, number) = (
            self.disk.display().to_string(),
            partition.number.to_string(),
        );
        let label = ("--part-label", label);
        let all = [Some(label), uuid.map(|uuid| ("--part-uuid", uuid))];
        for (option, value) in all.into_iter().flatten() {
            let spec = Spec::new("sfdisk", ASK_MAX)
                .args(["--quiet", "--no-reread", "--no-tell-kernel", "--force"])
                .args([option, &disk, &number, value]);
            let output = command::run(&spec).and_then(|output| output.success(&spec));
            output.map_err(|e| Report::new(Kind::Child, e))?;
        }
        Ok(())
    }

    fn flush_esp(&self) -> Result<(), Report> {
        let dir = File::open(&self.esp).map_err(|e| unwritten(&self.esp, e))?;
        syncfs(&dir).map_err(|e| unwritten(&self.esp, e.into()))
    }
}

impl Kernel {
    fn all(esp: &Path) -> Result<Vec<Self>, Report> {
        let entries = fs::read_dir(esp).map_err(|e| unwritten(esp, e))?;
        let all = entries.flatten();
        let mut kernels: Vec<Self> = all.filter_map(|entry| Self::of(&entry.path())).collect();
        kernels.sort_by(|one, other| one.version.cmp(&other.version));
        Ok(kernels)
    }

    /// `hokatsu_0.2.0+3.efi`, `hokatsu_0.2.0+1-2.efi`.
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let told = name.strip_prefix(NAME)?.strip_suffix(".efi")?;
        let (version, tries) = told.split_once('+')?;
        let left = tries.split('-').next()?;
        Some(Self {
            version: Version::parse(version).ok()?,
            left: left.parse().ok()?,
            path: path.to_owned(),
        })
    }
}

/// Nothing of ours is strange by chance: somebody has to look.
pub(super) fn strange(what: &'static str) -> Report {
    let report = Report::new(Kind::Disk, io::Error::other(what));
    report.operator(
        "システムディスクの区画が、この装置のものと違います。何も変えていません。保守の会社に連絡してください",
        base::report::Runbook::Update,
    )
}

/// The disk that the running version lies on, and its slots in the order of the table.
fn laid_out(said: &str, running: &Version) -> Result<(PathBuf, Vec<Slot>), Report> {
    let told: Told = serde_json::from_str(said).map_err(|e| Report::new(Kind::Child, e))?;
    let label = format!("{NAME}{running}");
    let mut own = told
        .blockdevices
        .iter()
        .filter(|one| one.partlabel.as_deref() == Some(&label));
    let disk = own.next().and_then(|one| one.pkname.clone());
    let disk = disk.ok_or_else(|| strange("no partition of the running version"))?;
    if own.next().is_some() {
        return Err(strange("two disks with the running version"));
    }
    let of_kind = |kind: &str| {
        let here = told.blockdevices.iter();
        let here = here.filter(|one| one.pkname.as_ref() == Some(&disk));
        let here = here.filter(|one| one.parttype.as_deref() == Some(kind));
        let mut found: Vec<Partition> = here
            .filter_map(|one| {
                Some(Partition {
                    path: one.path.clone(),
                    number: one.partn?,
                    bytes: one.size,
                    label: one.partlabel.clone().unwrap_or_default(),
                })
            })
            .collect();
        found.sort_by_key(|one| one.number);
        found
    };
    let pairs = of_kind(ROOT).into_iter().zip(of_kind(ROOT_VERITY));
    let slots: Vec<Slot> = pairs
        .map(|(root, verity)| {
            let version = root.label.strip_prefix(NAME);
            let version = version.and_then(|text| Version::parse(text).ok());
            let version = version.filter(|one| verity.label == format!("{NAME}{one}_verity"));
            Slot {
                root,
                verity,
                version,
            }
        })
        .collect();
    if slots.len() == 2 {
        Ok((disk, slots))
    } else {
        Err(strange("not two slots"))
    }
}

/// Writes a part, and reads it back from the device.
fn pour(
    bundle: &Bundle,
    which: Which,
    to: &Path,
    told: &mut impl FnMut(u64),
) -> Result<(), Report> {
    let part: &Part = bundle.manifest().part(which);
    let mut open = OpenOptions::new();
    // The kernel image is a file, of which a longer half may be left.
    let is_file = which == Which::Kernel;
    open.write(true).create(is_file).truncate(is_file);
    let mut file = open.open(to).map_err(|e| unwritten(to, e))?;
    let done = bundle.unpack(which, &mut file, told);
    done.map_err(|error| match error {
        BundleError::Written(cause) => unwritten(to, cause),
        other @ (BundleError::Io(_)
        | BundleError::NotOne
        | BundleError::NoKey
        | BundleError::Signature
        | BundleError::Unclear(_)
        | BundleError::Format(_)
        | BundleError::OtherMachine
        | BundleError::Damaged(_)) => super::refused(&other),
    })?;
    let flushed = file.flush().and_then(|()| file.sync_all());
    flushed.map_err(|e| unwritten(to, e))?;
    // What is read next comes from the device and not from memory.
    let dropped = fadvise(&file, 0, None, Advice::DontNeed);
    dropped.map_err(|e| unwritten(to, e.into()))?;
    let read = File::open(to).map_err(|e| unwritten(to, e))?;
    let found = sha256_of(read, part.bytes).map_err(|e| unwritten(to, e))?;
    if found == part.sha256 {
        return Ok(());
    }
    Err(unwritten(
        to,
        io::Error::other("read back, it is not what was written"),
    ))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const DISK: &str = r#"{"blockdevices": [
        {"path": "/dev/vda", "pkname": null, "partlabel": null, "parttype": null, "partn": null,
         "size": 2690000000},
        {"path": "/dev/vda1", "pkname": "/dev/vda", "partlabel": "esp", "partn": 1,
         "parttype": "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "size": 536870912},
        {"path": "/dev/vda2", "pkname": "/dev/vda", "partlabel": "hokatsu_0.1.0_verity", "partn": 2,
         "parttype": "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "size": 67108864},
        {"path": "/dev/vda3", "pkname": "/dev/vda", "partlabel": "hokatsu_0.1.0", "partn": 3,
         "parttype": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "size": 1073741824},
        {"path": "/dev/vda4", "pkname": "/dev/vda", "partlabel": "_empty", "partn": 4,
         "parttype": "2c7357ed-ebd2-46d9-aec1-23d437ec2bf5", "size": 67108864},
        {"path": "/dev/vda5", "pkname": "/dev/vda", "partlabel": "_empty", "partn": 5,
         "parttype": "4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "size": 1073741824}
    ]}"#;

    fn version() -> Version {
        Version::new(0, 1, 0)
    }

    #[test]
    fn the_disk_of_the_running_version_has_two_slots_and_one_is_idle() {
        let (disk, slots) = laid_out(DISK, &version()).unwrap();
        assert_eq!(disk, Path::new("/dev/vda"));
        let versions: Vec<_> = slots.iter().map(|slot| slot.version.clone()).collect();
        assert_eq!(versions, [Some(version()), None]);
        assert_eq!(slots[1].root.path, Path::new("/dev/vda5"));
        assert_eq!((slots[1].verity.number, slots[1].root.number), (4, 5));
    }

    #[test]
    fn a_half_named_slot_counts_as_empty() {
        let half = DISK.replace(
            "\"_empty\", \"partn\": 5",
            "\"hokatsu_0.2.0\", \"partn\": 5",
        );
        let (_, slots) = laid_out(&half, &version()).unwrap();
        assert_eq!(slots[1].version, None);
    }

    #[test]
    fn another_disk_with_the_same_version_or_without_slots_is_refused() {
        let twice = DISK.replace("\"esp\"", "\"hokatsu_0.1.0\"");
        assert!(laid_out(&twice, &version()).is_err());
        assert!(laid_out(DISK, &Version::new(0, 9, 0)).is_err());
        let one = DISK.replace("\"partn\": 5", "\"partn\": null");
        assert!(laid_out(&one, &version()).is_err());
    }

    #[test]
    fn a_kernel_tells_its_version_and_tries_by_its_name() {
        let told =
            |name: &str| Kernel::of(Path::new(name)).map(|one| (one.version.to_string(), one.left));
        assert_eq!(
            told("/b/hokatsu_0.1.0+3.efi"),
            Some(("0.1.0".to_owned(), 3))
        );
        assert_eq!(told("hokatsu_0.1.1+1-2.efi"), Some(("0.1.1".to_owned(), 1)));
        assert_eq!(told("hokatsu_0.1.1+0-3.efi"), Some(("0.1.1".to_owned(), 0)));
        for other in [
            "hokatsu_0.1.1.half",
            "hokatsu_x+3.efi",
            "linux+3.efi",
            "hokatsu_0.1.1.efi",
        ] {
            assert_eq!(told(other), None, "{other}");
        }
    }
}
