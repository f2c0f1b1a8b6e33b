//! The disks of this machine, as `lsblk` tells them, and what uses each.

use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base::command::{Spec, run};
use serde::Deserialize;

use crate::error::EraseError;
use crate::plan::Device;

/// A disk that answers no more keeps lsblk waiting.
const LISTING_MAX: Duration = Duration::from_secs(60);
const COLUMNS: &str =
    "NAME,PATH,TYPE,SIZE,MODEL,SERIAL,ROTA,RO,FSTYPE,PARTLABEL,MOUNTPOINTS,MAJ:MIN";
const LUKS: &str = "crypto_LUKS";
/// Where the data volume is mounted, and what is bound from it.
const DATA_PLACES: [&str; 2] = ["/volume", "/var/lib/hokatsu"];
const BACKUP_PLACES: [&str; 2] = ["/srv/", "/run/hokatsu/disks/"];

/// What a disk is for, by what lies on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The system, which holds nobody's data.
    System,
    /// Half of the array with the data volume.
    Data,
    /// Repositories or shipped commits.
    Backup,
    /// A file that stands for a disk.
    Image,
    /// Nothing on it says so.
    Unknown,
}

impl Role {
    /// 項目, unless the operator says it better.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::System => "システム（個人情報なし）",
            Self::Data => {
                "相談・ケアプラン等の記録、住民情報、添付ファイル、アクセスログ、設定と鍵"
            }
            Self::Backup => "上記の控え（バックアップ、逐次複製）",
            Self::Image | Self::Unknown => "内容は申請者が確認する",
        }
    }
}

/// A disk that is here.
#[derive(Debug, Clone)]
pub struct Found {
    /// As the plan will hold it.
    pub device: Device,
    /// What it is for.
    pub role: Role,
    /// What uses it at this moment, in Japanese; nobody when there is none.
    pub users: Vec<String>,
    /// It takes no writes.
    pub read_only: bool,
    /// Whatever on it has a LUKS header: itself, or its partitions.
    pub locked: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Listing {
    blockdevices: Vec<Node>,
}

#[derive(Debug, Clone, Deserialize)]
struct Node {
    path: PathBuf,
    #[serde(rename = "type")]
    kind: String,
    size: Option<u64>,
    model: Option<String>,
    serial: Option<String>,
    rota: bool,
    ro: bool,
    fstype: Option<String>,
    partlabel: Option<String>,
    #[serde(default)]
    mountpoints: Vec<Option<String>>,
    #[serde(rename = "maj:min")]
    number: String,
    #[serde(default)]
    children: Vec<Node>,
}

impl Node {
    /// This one and everything on it.
    fn all(&self) -> Vec<&Node> {
        let below = self.children.iter().flat_map(Node::all);
        std::iter::once(self).chain(below).collect()
    }

    fn mounts(&self) -> impl Iterator<Item = &str> {
        self.mountpoints.iter().flatten().map(String::as_str)
    }

    fn users(&self) -> Vec<String> {
        let mut users = Vec::new();
        for node in self.all() {
            for at in node.mounts() {
                let what = if at == "[SWAP]" {
                    "スワップ".to_owned()
                } else {
                    format!("{at} にマウント中")
                };
                users.push(format!("{}（{what}）", node.path.display()));
            }
            for child in node.children.iter().filter(|child| child.kind != "part") {
                users.push(format!("{}（{}）", child.path.display(), child.kind));
            }
        }
        // The same array or volume is told once for each disk below it.
        users.sort();
        users.dedup();
        users
    }

    fn role(&self) -> Role {
        let all = self.all();
        let labelled = |label: &str| {
            all.iter()
                .any(|one| one.partlabel.as_deref() == Some(label))
        };
        let has = |fstype: &str| all.iter().any(|one| one.fstype.as_deref() == Some(fstype));
        let mounted =
            |wanted: &dyn Fn(&str) -> bool| all.iter().any(|one| one.mounts().any(wanted));
        if labelled("hokatsu-volume")
            || has("linux_raid_member")
            || mounted(&|at| DATA_PLACES.contains(&at))
        {
            Role::Data
        } else if labelled("hokatsu-disk-a")
            || mounted(&|at| BACKUP_PLACES.iter().any(|place| at.starts_with(place)))
        {
            Role::Backup
        } else if has("DM_verity_hash") || mounted(&|at| matches!(at, "/" | "/usr" | "/boot")) {
            Role::System
        } else {
            Role::Unknown
        }
    }

    fn found(self) -> Found {
        let of = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
        let all = self.all();
        // What lies deeper is on an array or in another container, which must be closed first anyway.
        let parts = self.children.iter().filter(|child| child.kind == "part");
        let locked = std::iter::once(&self).chain(parts);
        let locked = locked.filter(|one| one.fstype.as_deref() == Some(LUKS));
        let locked: Vec<PathBuf> = locked.map(|one| one.path.clone()).collect();
        let encrypted = all.iter().any(|one| one.fstype.as_deref() == Some(LUKS));
        Found {
            device: Device {
                path: self.path.clone(),
                model: of(&self.model),
                serial: of(&self.serial),
                size_bytes: self.size.unwrap_or(0),
                rotational: Some(self.rota),
                encrypted: Some(encrypted),
                image: false,
            },
            role: self.role(),
            users: self.users(),
            read_only: self.ro,
            locked,
        }
    }
}

fn listing(device: Option<&Path>) -> Result<Vec<Node>, EraseError> {
    let spec = Spec::new("lsblk", LISTING_MAX)
        .args(["--json", "--bytes", "--output", COLUMNS])
        .args(device);
    let output = run(&spec)?.success(&spec)?;
    let listing = serde_json::from_slice(&output.stdout.bytes);
    let listing: Listing = listing.map_err(|source| EraseError::Output {
        program: "lsblk",
        source,
    })?;
    Ok(listing.blockdevices)
}

/// Every disk of this machine that holds anything at all.
///
/// # Errors
/// [`EraseError::Tool`], [`EraseError::Output`].
pub fn disks() -> Result<Vec<Found>, EraseError> {
    let nodes = listing(None)?.into_iter();
    let disks = nodes.filter(|node| node.kind == "disk" && node.size.unwrap_or(0) > 0);
    Ok(disks.map(Node::found).collect())
}

/// A file that stands for a disk, or a loop device. Its number is that of the file: another file of the
/// same name has another one.
///
/// # Errors
/// [`EraseError::Device`], [`EraseError::Refused`] for anything else than these two.
pub fn image(path: &Path) -> Result<Found, EraseError> {
    let at = |source| EraseError::Device {
        path: path.to_owned(),
        source,
    };
    let path = fs::canonicalize(path).map_err(at)?;
    let told = fs::metadata(&path).map_err(at)?;
    if told.is_file() {
        return file(path, &told);
    }
    let mut nodes = if told.file_type().is_block_device() {
        listing(Some(&path))?
    } else {
        Vec::new()
    };
    let node = nodes.pop().filter(|node| node.kind == "loop");
    let node = node.ok_or_else(|| {
        EraseError::Refused(format!(
            "{} は、ファイルでもループ装置でもありません。--image は使えません。",
            path.display()
        ))
    })?;
    let number = format!("loop-{}", node.number.trim());
    let mut found = node.found();
    found.device.serial = number;
    found.device.image = true;
    found.role = Role::Image;
    Ok(found)
}

fn file(path: PathBuf, told: &fs::Metadata) -> Result<Found, EraseError> {
    let spec = Spec::new("losetup", LISTING_MAX)
        .args(["--noheadings", "--output", "NAME", "--associated"])
        .arg(&path);
    let loops = run(&spec)?.success(&spec)?.stdout.text();
    let users = loops.lines().map(str::trim).filter(|line| !line.is_empty());
    let users = users.map(|name| format!("{name}（ループ装置）")).collect();
    let spec = Spec::new("cryptsetup", LISTING_MAX)
        .arg("isLuks")
        .arg(&path);
    let locked = run(&spec)?.status.success();
    Ok(Found {
        device: Device {
            path: path.clone(),
            model: String::new(),
            serial: format!("file-{}-{}", told.dev(), told.ino()),
            size_bytes: told.len(),
            rotational: None,
            encrypted: Some(locked),
            image: true,
        },
        role: Role::Image,
        users,
        read_only: told.permissions().readonly(),
        locked: locked.then_some(path).into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An appliance: system, one half of the array with the volume opened, disk A, a stick without a number.
    const APPLIANCE: &str = r#"{"blockdevices": [
      {"path":"/dev/sda","type":"disk","size":64000000000,"model":"SSD","serial":"S1 ","rota":false,"ro":false,
       "fstype":null,"partlabel":null,"mountpoints":[null],"maj:min":"8:0","children":[
         {"path":"/dev/sda1","type":"part","size":1,"model":null,"serial":null,"rota":false,"ro":false,
          "fstype":"DM_verity_hash","partlabel":"root-verity","mountpoints":[null],"maj:min":"8:1"}]},
      {"path":"/dev/sdb","type":"disk","size":4000000000000,"model":"HDD","serial":"D1","rota":true,"ro":false,
       "fstype":"linux_raid_member","partlabel":null,"mountpoints":[null],"maj:min":"8:16","children":[
         {"path":"/dev/md127","type":"raid1","size":1,"model":null,"serial":null,"rota":true,"ro":false,
          "fstype":null,"partlabel":null,"mountpoints":[null],"maj:min":"9:127","children":[
            {"path":"/dev/md127p1","type":"part","size":1,"model":null,"serial":null,"rota":true,"ro":false,
             "fstype":"crypto_LUKS","partlabel":"hokatsu-volume","mountpoints":[null],"maj:min":"259:0","children":[
               {"path":"/dev/mapper/volume","type":"crypt","size":1,"model":null,"serial":null,"rota":true,
                "ro":false,"fstype":"xfs","partlabel":null,"mountpoints":["/volume","/var/lib/hokatsu"],
                "maj:min":"253:0"}]}]}]},
      {"path":"/dev/sdc","type":"disk","size":2000000000000,"model":"USB","serial":"A1","rota":true,"ro":false,
       "fstype":null,"partlabel":null,"mountpoints":[null],"maj:min":"8:32","children":[
         {"path":"/dev/sdc1","type":"part","size":1,"model":null,"serial":null,"rota":true,"ro":false,
          "fstype":"crypto_LUKS","partlabel":"hokatsu-disk-a","mountpoints":[null],"maj:min":"8:33"}]},
      {"path":"/dev/sdd","type":"disk","size":8000000000,"model":null,"serial":null,"rota":false,"ro":true,
       "fstype":null,"partlabel":null,"mountpoints":["[SWAP]"],"maj:min":"8:48"}]}"#;

    fn appliance() -> Vec<Found> {
        let listing: Listing = serde_json::from_str(APPLIANCE).unwrap();
        listing.blockdevices.into_iter().map(Node::found).collect()
    }

    #[test]
    fn each_disk_of_an_appliance_is_known_by_what_lies_on_it() {
        let roles: Vec<Role> = appliance().iter().map(|found| found.role).collect();
        assert_eq!(
            roles,
            [Role::System, Role::Data, Role::Backup, Role::Unknown]
        );
    }

    #[test]
    fn an_open_volume_is_told_by_everything_that_uses_its_disk() {
        assert_eq!(
            appliance()[1].users,
            [
                "/dev/mapper/volume（/var/lib/hokatsu にマウント中）",
                "/dev/mapper/volume（/volume にマウント中）",
                "/dev/mapper/volume（crypt）",
                "/dev/md127（raid1）",
            ]
        );
        assert_eq!(appliance()[2].users, [""; 0]);
        assert_eq!(appliance()[3].users, ["/dev/sdd（スワップ）"]);
    }

    #[test]
    fn the_header_of_a_partition_is_found_and_one_inside_an_array_is_not_reached() {
        let found = appliance();
        assert_eq!(found[2].locked, [PathBuf::from("/dev/sdc1")]);
        assert!(found[1].locked.is_empty());
        assert_eq!(found[1].device.encrypted, Some(true));
        assert_eq!(found[0].device.serial, "S1");
        assert!(found[3].read_only && found[3].device.serial.is_empty());
    }

    #[test]
    fn what_is_neither_a_file_nor_a_loop_device_is_no_image() {
        let error = image(Path::new("/dev/null")).unwrap_err();
        assert!(matches!(error, EraseError::Refused(_)), "{error}");
    }
}
