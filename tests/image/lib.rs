//! What whole machines do: the suites are in `tests/`. They want an image (`cargo xtask image build`), which
//! `cargo xtask test` makes for them. `standing` runs every time, the others take minutes to hours and run with
//! `--long` alone.
//!
//! Shape: [`Town`] moves into a machine of the image, [`Guest`] is one that does what it is asked. There is no way
//! in: the firmware hands over a unit ([`appliance::trial`]) that reads a small disk, the desk, on which the suite lays
//! one script after the other.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a suite that cannot set itself up must stop at once and say where"
)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use appliance::boot::{OFF_MAX, SERVES_MAX, Trial, blank, prepare_as};
use appliance::room::Room;
use appliance::vm::{Machine, Parts};
use appliance::{assemble, trial};
use base::clock::Clock;
use harness::process::{Client, Server};
use harness::writing::{WRITERS, Writer, kept, resident_of};
use store::{DataDir, Db};
use tempfile::TempDir;

/// Of both data disks; small, so that a mirror of it takes seconds.
pub const DISK_BYTES: u64 = 1024 * 1024 * 1024;
/// Holds all that a machine has, as one archive.
pub const ARCHIVE_BYTES: u64 = 256 * 1024 * 1024;
/// What a page may take on emulated processors, milliseconds.
const PAGE_MS_MAX: u64 = 60_000;
/// One script on the desk, bytes.
const SCRIPT_BYTES: usize = 4096;

/// A town moves in, and the mirror is whole.
const MOVES_IN: &str = r#"
until_it_is systemctl --quiet is-active hokatsu.service
systemctl stop hokatsu.service
find /var/lib/hokatsu -mindepth 1 -delete
tar -C /var/lib/hokatsu -xf /dev/disk/by-id/virtio-town
chown -R hokatsu:hokatsu /var/lib/hokatsu
systemctl start hokatsu.service
say service $(systemctl is-active hokatsu.service)
md=/sys/class/block/$(basename $(readlink -f /dev/hokatsu/array))
is_whole() { [ "$(cat $md/md/degraded) $(cat $md/md/sync_action)" = "0 idle" ]; }
until_it_is is_whole
say array $(cat $md/md/degraded) $(cat $md/md/sync_action)
sync
"#;
/// Does what lies on the desk, once: a first line with its number, the script, a last line with its number again.
const OBEYS: &str = r##"
number=0
say ready now
while :; do
  dd if=/dev/disk/by-id/virtio-desk iflag=direct bs=4096 count=1 2>/dev/null | tr -d '\0' >/run/asked
  read -r hash asked </run/asked || asked=0
  if [ "$asked" = "$number" ] || [ "$(tail -n 1 /run/asked)" != "# end $asked" ]; then
    sleep 0.2
    continue
  fi
  number=$asked
  answer=$(. /run/asked 2>&1)
  say did $number: $? $answer
done
"##;

/// A town on this machine, as it moves into a virtual one.
#[derive(Debug)]
pub struct Town {
    dir: TempDir,
    /// Records that were there before.
    pub delivered: BTreeSet<i64>,
    /// How many of them are there by half.
    pub half: i64,
    residents: [i64; 2],
    /// What the demonstration said of itself: logins, authority, address.
    said: serde_json::Value,
}

impl Town {
    /// The demonstration's.
    #[must_use]
    pub fn build() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let (server, said) = Server::demo(dir.path());
        server.kill();
        let data = DataDir::new(dir.path().join("data"));
        let (delivered, half) = kept(&data);
        let db = Db::open(&data, Clock::system()).expect("the town opens");
        let residents = WRITERS.map(|(_, centre)| resident_of(&db, centre));
        db.close().expect("the town closes");
        Self {
            dir,
            delivered,
            half,
            residents,
            said,
        }
    }

    /// What the demonstration said of itself, of a machine that answers there.
    #[must_use]
    pub fn said_at(&self, address: &str) -> String {
        let mut said = self.said.clone();
        let all = said.as_object_mut().expect("an object");
        all.insert("url".to_owned(), address.into());
        all.insert("wait_ms".to_owned(), PAGE_MS_MAX.into());
        said.to_string()
    }

    /// Who vouches for its server.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.dir.path().join("data/tls/ca.pem")
    }

    /// Staff who write.
    #[must_use]
    pub fn sign_in(&self, address: &str) -> Vec<Arc<Writer>> {
        let sign_in = |((login, _), resident): ((&str, &str), i64)| {
            Arc::new(Writer::sign_in(self.authority(), address, login, resident))
        };
        let all = WRITERS.into_iter().zip(self.residents);
        all.map(sign_in).collect()
    }

    /// Moves into a machine of the last image with these settings, which is switched off then.
    #[must_use]
    pub fn moved_in(&self, room: &Room, site: &str) -> Trial {
        let made = assemble::latest(room).expect("`cargo xtask image build` makes an image");
        let all = prepare_as(room, &made.part("raw"), site).expect("a machine");
        self.moved_into(room, all)
    }

    /// The same of a machine that is prepared already.
    #[must_use]
    pub fn moved_into(&self, room: &Room, mut all: Trial) -> Trial {
        let vm = room.dir("vm").expect("a directory");
        for disk in all.parts.data.iter().flatten() {
            blank(disk, DISK_BYTES).expect("a disk");
        }
        let (script, disk) = (vm.join("moves-in.smbios"), vm.join("town.raw"));
        trial::hand_over(MOVES_IN, &script).expect("a script");
        self.packed(&disk);
        let first = Parts {
            trial: Some(script),
            more: vec![("town", disk)],
            log: vm.join("console-town.log"),
            ..all.parts.clone()
        };
        let mut machine = Machine::start(room, &first).expect("a machine");
        let ended = machine.wait("the town to move in", 2 * SERVES_MAX, |machine| {
            Ok(trial::has_ended(machine).then_some(()))
        });
        ended.expect("it moves in");
        let told = |name: &str| trial::found(&machine, name).expect("its word");
        assert_eq!(
            (told("service"), told("array")),
            ("active".to_owned(), "0 idle".to_owned())
        );
        machine.power_off(OFF_MAX).expect("it goes off");
        all.parts.stick = None;
        all
    }

    /// Waits for this machine to serve; its address, and seconds since it was started.
    #[must_use]
    pub fn served_by(&self, machine: &mut Machine) -> (String, f64) {
        let address = format!("https://localhost:{}", machine.port);
        let mut client = Client::trusting(self.authority());
        let page = format!("{address}/sign-in");
        let second = machine.wait("the sign-in page", SERVES_MAX, |machine| {
            Ok(client.trusts(&page).then(|| machine.second()))
        });
        (address, second.expect("it serves"))
    }

    /// The records on a disk that a machine packed: none by half, none of before gone, the log of access whole.
    #[must_use]
    pub fn records(&self, disk: &Path) -> BTreeSet<i64> {
        let dir = TempDir::new().expect("a temporary directory");
        unpacked(disk, dir.path());
        let data = DataDir::new(dir.path());
        let verdict = store::audit::verify(&data, None).expect("the log of access");
        assert_eq!(verdict.findings, []);
        let (records, half) = kept(&data);
        assert_eq!(half, self.half, "half records");
        store::facts_of(&dir.path().join("hokatsu.db")).expect("every page is whole");
        assert!(records.is_superset(&self.delivered));
        records
    }

    fn packed(&self, disk: &Path) {
        let mut archive = tar::Builder::new(File::create(disk).expect("a disk"));
        let data = self.dir.path().join("data");
        archive.append_dir_all(".", data).expect("the town");
        let file = archive.into_inner().expect("the archive's end");
        file.set_len(ARCHIVE_BYTES).expect("a disk");
    }
}

/// A machine that does what lies on its desk.
pub struct Guest {
    /// It runs.
    pub machine: Machine,
    desk: PathBuf,
    asked: u64,
}

impl Guest {
    /// Starts it, with what its scripts may call; `is_bare`: without data disks, and nothing is started for them.
    #[must_use]
    pub fn start(room: &Room, parts: &Parts, functions: &str, is_bare: bool) -> Self {
        let vm = room.dir("vm").expect("a directory");
        let (script, desk) = (vm.join("obeys.smbios"), vm.join("desk.raw"));
        blank(&desk, 1024 * 1024).expect("a desk");
        let whole = format!("{functions}{OBEYS}");
        let handed = if is_bare {
            trial::instead(&whole, &script)
        } else {
            trial::hand_over(&whole, &script)
        };
        handed.expect("a script");
        let mut parts = parts.clone();
        parts.trial = Some(script);
        parts.more.push(("desk", desk.clone()));
        let mut machine = Machine::start(room, &parts).expect("a machine");
        let ready = machine.wait("a machine that obeys", SERVES_MAX, |machine| {
            Ok(trial::found(machine, "ready"))
        });
        ready.expect("it obeys");
        Self {
            machine,
            desk,
            asked: 0,
        }
    }

    /// Lays a script on its desk and waits until it is done: exit code and what it said, in one line.
    pub fn does(&mut self, script: &str, limit: Duration) -> String {
        self.asked += 1;
        let number = self.asked;
        let mut bytes = format!("# {number}\n{script}\n# end {number}\n").into_bytes();
        assert!(bytes.len() <= SCRIPT_BYTES, "too long for the desk");
        bytes.resize(SCRIPT_BYTES, 0);
        let desk = File::options().write(true).open(&self.desk);
        let laid = desk.and_then(|desk| desk.write_all_at(&bytes, 0));
        laid.expect("the desk");
        let mark = format!("did {number}:");
        let done = self
            .machine
            .wait(&mark, limit, |machine| Ok(trial::found(machine, &mark)));
        done.expect("it answers")
    }

    /// The same of what has to succeed: what it said.
    pub fn must(&mut self, script: &str, limit: Duration) -> String {
        let answer = self.does(script, limit);
        let (code, said) = answer.split_once(' ').unwrap_or((&answer, ""));
        assert_eq!(code, "0", "{script}: {answer}");
        said.to_owned()
    }
}

/// Stops the service and packs its data onto the disk `out`.
pub const PACKS: &str = r#"
packs() {
  systemctl stop hokatsu.service && tar -C /var/lib/hokatsu -cf /dev/disk/by-id/virtio-out . && sync
}
"#;

/// What a machine packed onto a disk.
pub fn unpacked(disk: &Path, to: &Path) {
    let archive = File::open(disk).expect("a disk");
    tar::Archive::new(archive).unpack(to).expect("an archive");
    assert!(
        fs::read_dir(to).is_ok_and(|mut all| all.next().is_some()),
        "{} holds nothing",
        disk.display()
    );
}
