//! A machine with two disks of its settings, and block devices that are plugged in and pulled out.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use backup::records::{Job, Outcome, Records};
use base::clock::Clock;
use base::disks::{Here, State};
use harness::process::{ended, hokatsu, prepared_for_backups};
use serde_json::Value;
use store::{Actor, DataDir, Db, Event, Operation, StoreError, SystemReason, params};
use tempfile::TempDir;

const OPENER: &str = include_str!("../../../../backup/units/disk-opener");
/// A disk that was pulled is gone within this.
const GONE_MAX: Duration = Duration::from_secs(10);
/// Smallest that mkfs.xfs makes, and the header; sparse.
pub(crate) const DISK_BYTES: u64 = 340 * 1024 * 1024;
/// Where `cryptsetup luksFormat` lets the data begin.
pub(crate) const HEADER_BYTES: u64 = 16 * 1024 * 1024;

/// `cryptsetup` without a device mapper: the key is tried in earnest, then a loop device shows what lies
/// behind the header. Slots of the header are its own work; only they are made in less time.
const CRYPTSETUP: &str = r#"#!/bin/sh
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
case "$1 ${2:-}" in
"open --test-passphrase" | luksDump* | luksKillSlot*) exec cryptsetup "$@" ;;
luksAddKey*)
  shift
  exec cryptsetup luksAddKey --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$@"
  ;;
esac
case $1 in
open)
  cryptsetup open --test-passphrase --type luks2 --key-file "$5" "$6"
  [ ! -e MAPPER/fail ] || { rm MAPPER/fail; echo "Device is gone." >&2; exit 4; }
  ln -s "$(losetup --show -f -o 16777216 "$6")" "MAPPER/$7"
  ;;
close)
  loop=$(readlink "MAPPER/$2")
  rm "MAPPER/$2"
  # A loop device keeps that it is read-only for whoever takes it next.
  blockdev --setrw "$loop"
  losetup -d "$loop"
  ;;
esac
"#;

/// Before a step of the opener: the visit that called it is killed, when that was asked for. After the
/// disk was mounted: it is pulled, as far as a file system can tell.
const TRAP: &str = r#"
step="${1:-} ${3:-}"
[ "${1:-}" = open ] && step="open"
# As often as it stands there.
due() {
  [ -e "ROOT/$1" ] && [ "$(head -n 1 "ROOT/$1")" = "$step" ] || return 1
  sed -i 1d "ROOT/$1"
  [ ! -s "ROOT/$1" ] && rm "ROOT/$1"
}
if due kill; then
  kill -9 "$PPID"
  exit 9
fi
pulled_out() {
  if [ "$1" = mount ] && due pull; then xfs_io -x -c shutdown "$BASE/$2"; fi
}
trap 'pulled_out "$@"' EXIT
"#;

/// As many people as `n` counts, below an import of theirs.
pub(crate) const PEOPLE: &str = "insert into residents (id, addressee_no, household_no, relationship, name, kana,
    alias_name, alias_kana, latin_name, former_surname, born_on, born_text, sex, resident_kind,
    resident_state, postal_code, area_code, address, building, phone, centre_id, event_code,
    moved_from, moved_to, nationality, shielded, has_gaiji, import_id)
  select id, '9' || id, '5' || id, '本人', '架空', 'カクウ', '', '', '', '', '1940-01-01', '', '1', '1',
    '1', '', '', '', '', '', (select min(id) from support_centres), '', '', '', '', 0, 0, 1 from n";
const IMPORT: &str =
    "insert or ignore into imports values (1, 'residents', '', 0, 'utf-8', 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, null, '2026-11-24')";

pub(crate) struct Machine {
    root: TempDir,
    pub(crate) data: DataDir,
    pub(crate) site: PathBuf,
}

impl Machine {
    /// With two disks of the settings, `disk-b` and `disk-c`, of which none is enrolled.
    pub(crate) fn new() -> Self {
        Self::with(&["b", "c"])
    }

    pub(crate) fn with(rotated: &[&str]) -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "loop devices and mounts need root: run this suite as root"
        );
        let root = TempDir::new().unwrap();
        let (data, site) = prepared_for_backups(root.path());
        let machine = Self {
            data: DataDir::new(data),
            site,
            root,
        };
        fs::create_dir(machine.path("mapper")).unwrap();
        let place = |name| machine.path(name).display().to_string();
        let opener = OPENER
            .replacen(
                "BASE=/run/hokatsu/disks",
                &format!("BASE={}", place("disks")),
                1,
            )
            .replacen(
                "MAPPER=/dev/mapper",
                &format!("MAPPER={}", place("mapper")),
                1,
            )
            .replacen(
                "CRYPTSETUP=cryptsetup",
                &format!("CRYPTSETUP={}", place("cryptsetup")),
                1,
            )
            .replacen(
                "KEYS=/var/lib/hokatsu/",
                &format!("KEYS={}/", place("keys")),
                1,
            );
        let trap = TRAP.replace("ROOT", machine.root.path().to_str().unwrap());
        machine.program(
            "opener",
            &opener.replacen("words=$#", &format!("{trap}\nwords=$#"), 1),
        );
        machine.program(
            "cryptsetup",
            &CRYPTSETUP.replace("MAPPER", &place("mapper")),
        );
        fs::create_dir(machine.path("keys")).unwrap();
        machine.put("keys/luks", b"the key of both");
        for signal in ["lamp", "console"] {
            machine.put(signal, b"");
        }
        machine.settings(rotated);
        machine
    }

    fn settings(&self, rotated: &[&str]) {
        let mut text = fs::read_to_string(&self.site).unwrap();
        for name in rotated {
            text.push_str(&format!(
                "\n[[backup.repositories]]\nname = \"disk-{name}\"\n\
                 path = \"disks/{name}/hokatsu\"\npassword_file = \"keys/{name}\"\n\
                 [backup.repositories.removable]\nlabel = \"{name}\"\ndestination = \"中央公民館\"\n\
                 carried_by = \"係の者\"\ndays_out = 14\nkey_file = \"keys/luks\"\n"
            ));
        }
        text.push_str(&format!(
            "\n[backup.disks]\nopener = [\"{}\"]\nread_visits = 2\n\
             [[backup.disks.signals]]\npath = \"{}\"\nworking = \"1\"\nfree = \"0\"\nrefused = \"2\"\n\
             [[backup.disks.signals]]\npath = \"{}\"\nfree = \"\\u0007\"\n",
            self.path("opener").display(),
            self.path("lamp").display(),
            self.path("console").display()
        ));
        base::paths::write_atomic(&self.site, text.as_bytes(), 0o600).unwrap();
        assert_eq!(self.json(&["backup", "init"]).0, 0);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        base::paths::write_atomic(&self.path(name), bytes, 0o600).unwrap();
    }

    pub(crate) fn program(&self, name: &str, text: &str) {
        self.put(name, text.as_bytes());
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn json(&self, words: &[&str]) -> (i32, Value, String) {
        let site = self.site.to_str().unwrap();
        let (code, out, errors) = ended([&["--json", "--site", site], words].concat());
        assert!(out.lines().count() <= 1, "one object: {out}");
        let value = serde_json::from_str(&out).unwrap_or(Value::Null);
        (code, value, errors)
    }

    pub(crate) fn disk(&self, words: &[&str], device: &Device) -> (i32, Value, String) {
        let device = ["--device", device.0.to_str().unwrap()];
        self.json(&[&["backup", "disk"], words, &device].concat())
    }

    /// A visit that does not get to its end; what it said, and whether a signal ended it.
    pub(crate) fn killed(&self, device: &Device) -> (String, bool) {
        let site = self.site.to_str().unwrap();
        let device = device.0.to_str().unwrap();
        let mut visit = hokatsu(["--site", site, "backup", "disk", "run", "--device", device]);
        let output = visit.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (said, output.status.code().is_none())
    }

    /// A formatted disk that is plugged in.
    pub(crate) fn formatted(&self, image: &str) -> Device {
        self.encrypted(image);
        let path = self.path(image);
        let offset = HEADER_BYTES.to_string();
        let inner = ran(
            "losetup",
            &["--show", "-f", "-o", &offset, path.to_str().unwrap()],
        );
        ran("mkfs.xfs", &["-q", &inner]);
        ran("losetup", &["-d", &inner]);
        self.plugged(image)
    }

    /// A disk with a LUKS header and nothing behind it, not plugged in.
    pub(crate) fn encrypted(&self, image: &str) {
        let path = self.path(image);
        File::create(&path).unwrap().set_len(DISK_BYTES).unwrap();
        let text = path.to_str().unwrap();
        let key = self.path("keys/luks");
        let format = "luksFormat --batch-mode --type luks2 --pbkdf pbkdf2 \
                      --pbkdf-force-iterations 1000 --key-file";
        let words: Vec<&str> = format.split_whitespace().collect();
        ran(
            "cryptsetup",
            &[&words[..], &[key.to_str().unwrap(), text]].concat(),
        );
    }

    pub(crate) fn plugged(&self, image: &str) -> Device {
        let path = self.path(image);
        let device = ran("losetup", &["--show", "-f", path.to_str().unwrap()]);
        Device(PathBuf::from(device))
    }

    pub(crate) fn people(&self, sql: &str) {
        let db = Db::open_beside(&self.data, Clock::system()).unwrap();
        let done = db.system(&Actor::system("試験"), SystemReason::Demo, |tx| {
            tx.execute(IMPORT, [])?;
            tx.execute(sql, [])?;
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
        });
        done.unwrap();
    }

    /// Entries of the access log whose detail begins like this and says who did it; the timer says so.
    pub(crate) fn entries(&self, detail: &str) -> i64 {
        let db = Db::open_beside(&self.data, Clock::system()).unwrap();
        db.take_notes().unwrap();
        let sql = "select count(*) from audit_entries where instr(detail, ?1) = 1
            and (detail like '%操作者＝試験%操作の理由＝試験' or detail like '%／タイマー%')";
        let found = db.system_read(SystemReason::Backup, |tx| tx.count(sql, params![detail]));
        found.unwrap()
    }

    /// Enrolled, with a first backup.
    pub(crate) fn enrolled(&self, name: &str, image: &str) -> Device {
        let device = self.formatted(image);
        let (code, _, errors) = self.disk(&["enrol", name, "--yes"], &device);
        assert_eq!(code, 0, "{errors}");
        let (code, _, errors) = self.disk(&["run"], &device);
        assert_eq!(code, 0, "{errors}");
        device
    }

    /// The disk behind the header, mounted by hand while `look` looks.
    pub(crate) fn by_hand<T>(
        &self,
        device: &Device,
        how: &str,
        look: impl FnOnce(&Path) -> T,
    ) -> T {
        let offset = HEADER_BYTES.to_string();
        let device = device.0.to_str().unwrap();
        let inner = ran("losetup", &["--show", "-f", "-o", &offset, device]);
        let inner = Device(PathBuf::from(inner));
        let at = self.path("by-hand");
        fs::create_dir_all(&at).unwrap();
        ran(
            "mount",
            &["-o", how, inner.0.to_str().unwrap(), at.to_str().unwrap()],
        );
        let seen = look(&at);
        ran("umount", &[at.to_str().unwrap()]);
        seen
    }

    /// At the so-and-so-many-th time that a visit takes this step, it is killed or its disk is pulled.
    pub(crate) fn at_step(&self, what: &str, step: &str, time: usize) {
        self.put(what, format!("{step}\n").repeat(time).as_bytes());
    }

    pub(crate) fn hash(&self, image: &str) -> String {
        ran("sha256sum", &[self.path(image).to_str().unwrap()])
    }

    pub(crate) fn listed(&self, name: &str) -> Value {
        let (code, listed, errors) = self.json(&["backup", "disk", "list"]);
        assert_eq!(code, 0, "{errors}");
        let all = listed.as_array().unwrap().iter();
        all.rev().find(|one| one["name"] == name).unwrap().clone()
    }

    pub(crate) fn visits(&self) -> Vec<(String, Outcome)> {
        let records = Records::at(&self.data.backup_records()).read().unwrap();
        let visits = records
            .records
            .into_iter()
            .filter(|one| one.job == Job::Disk);
        visits.map(|one| (one.repository, one.outcome)).collect()
    }

    pub(crate) fn failing(&self) -> Vec<String> {
        let (_, status, _) = self.json(&["backup", "status"]);
        let probes = status.get("probes").and_then(Value::as_array);
        let probes = probes.unwrap().iter();
        let disks = probes.filter(|one| one["name"].as_str().unwrap().starts_with("backup_disk"));
        disks
            .filter(|one| one["holds"] == false)
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    }

    pub(crate) fn state(&self, device: &Device) -> Option<State> {
        let here = Here::read(&self.data.disks_here()).unwrap();
        here.get(device.0.to_str().unwrap()).map(|one| one.state)
    }

    pub(crate) fn is_shut(&self) -> bool {
        let mapped = fs::read_dir(self.path("mapper")).unwrap().count();
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        mapped == 0 && !mounts.contains(self.path("disks").to_str().unwrap())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for name in ["b", "c", "sheet"] {
            quiet(
                "umount",
                &["-q", self.path("disks").join(name).to_str().unwrap()],
            );
            let mapped = self.path("mapper").join(format!("hokatsu-{name}"));
            if let Ok(inner) = fs::read_link(mapped) {
                quiet("blockdev", &["--setrw", inner.to_str().unwrap()]);
                quiet("losetup", &["-d", inner.to_str().unwrap()]);
            }
        }
    }
}

/// Pulled out when dropped.
pub(crate) struct Device(pub(crate) PathBuf);

impl Drop for Device {
    fn drop(&mut self) {
        quiet("blockdev", &["--setrw", self.0.to_str().unwrap()]);
        quiet("losetup", &["-d", self.0.to_str().unwrap()]);
        // While somebody else looks through all disks it is still there.
        let name = self.0.file_name().unwrap();
        let file = Path::new("/sys/block").join(name).join("loop/backing_file");
        let begun = Instant::now();
        while file.exists() && begun.elapsed() < GONE_MAX {
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "makes block devices for a test, outside what we ship"
)]
pub(crate) fn ran(program: &str, words: &[&str]) -> String {
    let output = std::process::Command::new(program).args(words).output();
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {words:?}: {errors}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// For taking down: what is gone already is as good.
#[expect(
    clippy::disallowed_methods,
    reason = "takes block devices of a test away, outside what we ship"
)]
pub(crate) fn quiet(program: &str, words: &[&str]) {
    drop(std::process::Command::new(program).args(words).output());
}
