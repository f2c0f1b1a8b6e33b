//! The power goes while staff write. A machine of the image is killed, and started again; then one writes onto disks of
//! which every write and every flush is kept, and a second machine opens what a power cut might have left of them
//! at other moments ([`appliance::writes`]): array, lock and file system as the image has them, the records by our
//! own code. What was acknowledged before that moment has to be there.
//!
//! The second machine never restarts: its disks are exchanged beneath it, one state after the other.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use appliance::boot::{SERVES_MAX, SITE, Trial, blank};
use appliance::child::Spec;
use appliance::room::Room;
use appliance::vm::{Machine, Parts};
use appliance::writes::Log;
use faults::{Dice, Progress};
use harness::writing::Writer;
use machines::{ARCHIVE_BYTES, DISK_BYTES, Guest, Town};

const STATES: u64 = 50;
const STATES_LONG: u64 = 300;
/// Real kills before them.
const KILLS: u64 = 5;
/// After the first acknowledgement staff write on for less than so many milliseconds before a kill.
const KILL_MS_MAX: u64 = 20_000;
/// How long they write while everything is kept.
const WRITING: Duration = Duration::from_secs(45);
/// Fewer would say little.
const ACKNOWLEDGED_MIN: usize = 30;
/// Between two looks at how far the logs are.
const LOOK: Duration = Duration::from_millis(7);
/// The second machine takes a state.
const TAKE_MAX: Duration = Duration::from_secs(10 * 60);
const COPY_MAX: Duration = Duration::from_secs(5 * 60);
/// Of a hundred states so many are of a moment at which something was not flushed.
const UNSURE_PERCENT: u64 = 85;
/// Of a hundred writes that were not flushed so many are left.
const KEPT_PERCENT: [u64; 3] = [0, 50, 95];

/// The machine's own way to its records, by its own programs, but for the mount, which is somewhere else.
const TAKES: &str = r#"
disk() { echo /dev/disk/by-id/virtio-$1; }
mkdir -p /run/cut /dev/hokatsu
ln -sfn $(disk cut-1) /dev/hokatsu/data-1
ln -sfn $(disk cut-2) /dev/hokatsu/data-2
opened() { i=0; until [ -b /dev/mapper/volume ]; do i=$((i + 1)); [ $i -lt 600 ] || return 1; sleep 0.2; done; }
take() {
  blockdev --flushbufs $(disk cut-1) && blockdev --flushbufs $(disk cut-2) || return 1
  /usr/lib/hokatsu/array && opened || return 2
  mount -t xfs -o nodev,nosuid,noexec,noatime /dev/mapper/volume /run/cut || return 3
  tar -C /run/cut/hokatsu -cf $(disk out) . || return 4
  sync
}
leave() {
  ! mountpoint --quiet /run/cut || umount /run/cut || return 5
  systemctl stop systemd-cryptsetup@volume.service
  mdadm --stop /dev/md/hokatsu || return 6
}
"#;

/// What was seen at a moment: how long the logs were, and who had just been told that a record is saved.
#[derive(Debug, Clone, Copy)]
struct Moment {
    lengths: [u64; 2],
    acknowledged: Option<i64>,
}

/// Everything that was seen, in its order.
#[derive(Debug, Default)]
struct Seen {
    logs: Option<[PathBuf; 2]>,
    moments: Mutex<Vec<Moment>>,
    is_over: AtomicBool,
    forms: AtomicU64,
}

impl Seen {
    fn look(&self, acknowledged: Option<i64>) {
        // Under the lock, so that in this order the logs only grow.
        let mut moments = self.moments.lock().unwrap();
        let length = |log: &PathBuf| fs::metadata(log).unwrap().len();
        let lengths = self
            .logs
            .as_ref()
            .map_or([0; 2], |logs| logs.each_ref().map(length));
        moments.push(Moment {
            lengths,
            acknowledged,
        });
    }

    fn acknowledged(&self) -> BTreeSet<i64> {
        let moments = self.moments.lock().unwrap();
        moments.iter().filter_map(|one| one.acknowledged).collect()
    }
}

/// Everybody writes until nobody answers.
fn write(writers: &[Arc<Writer>], address: &str, seen: &Arc<Seen>) -> Vec<JoinHandle<()>> {
    let write = |writer: &Arc<Writer>| {
        let (writer, seen, address) = (Arc::clone(writer), Arc::clone(seen), address.to_owned());
        std::thread::spawn(move || {
            loop {
                let form = seen.forms.fetch_add(1, Ordering::SeqCst);
                let Some(id) = writer.write(&address, form) else {
                    return;
                };
                seen.look(Some(id));
            }
        })
    };
    writers.iter().map(write).collect()
}

fn wait_for_the_first(seen: &Seen) {
    let begun = Instant::now();
    while seen.acknowledged().is_empty() {
        assert!(begun.elapsed() < SERVES_MAX, "nobody can write");
        std::thread::park_timeout(LOOK);
    }
}

/// Looks again and again at how long the logs are.
fn look_on(seen: &Arc<Seen>) -> JoinHandle<()> {
    let seen = Arc::clone(seen);
    std::thread::spawn(move || {
        while !seen.is_over.load(Ordering::SeqCst) {
            seen.look(None);
            std::thread::park_timeout(LOOK);
        }
    })
}

fn copied(from: &Path, to: &Path) {
    let (from, to) = (from.to_string_lossy(), to.to_string_lossy());
    // In place: a machine has it open.
    let words = ["cp", "--sparse=always", &from, &to];
    Spec::of(&words, COPY_MAX).must("cp").unwrap();
}

/// Two disks of a machine whose power went.
fn both(vm: &Path, name: &str) -> [PathBuf; 2] {
    ["1", "2"].map(|place| vm.join(format!("{name}-{place}.raw")))
}

/// The second machine.
struct Inspector {
    guest: Guest,
    out: PathBuf,
}

impl Inspector {
    fn start(room: &Room, all: &Trial) -> Self {
        let vm = room.dir("vm").unwrap();
        let [one, two] = both(&vm, "cut");
        let out = vm.join("out.raw");
        for (disk, bytes) in [
            (&one, DISK_BYTES),
            (&two, DISK_BYTES),
            (&out, ARCHIVE_BYTES),
        ] {
            blank(disk, bytes).unwrap();
        }
        let parts = Parts {
            data: [None, None],
            more: vec![("cut-1", one), ("cut-2", two), ("out", out.clone())],
            log: vm.join("console-cuts-inspector.log"),
            ..all.parts.clone()
        };
        Self {
            guest: Guest::start(room, &parts, TAKES, true),
            out,
        }
    }

    /// What comes back of the disks that lie ready; nothing half, the log of access whole, every page whole.
    fn records(&mut self, town: &Town, what: &str) -> BTreeSet<i64> {
        let answer = self.guest.does(SCRIPT, TAKE_MAX);
        assert!(answer.ends_with("taken 0 left 0"), "{what}: {answer}");
        println!("{what}: taken");
        town.records(&self.out)
    }
}

fn holds(found: &BTreeSet<i64>, wanted: &BTreeSet<i64>, what: &str) {
    let lost: Vec<&i64> = wanted.difference(found).collect();
    assert_eq!(lost, Vec::<&i64>::new(), "lost: {what}");
}

/// What the second machine is asked. Of what fails the kernel's last words are kept on its console.
const SCRIPT: &str = r#"
take
taken=$?
leave
left=$?
[ $taken$left = 00 ] || dmesg | tail -n 40 | sed 's/^/cut: /' >/dev/console
echo taken $taken left $left
"#;

/// A machine that is killed again and again.
struct Life<'r> {
    room: &'r Room,
    town: &'r Town,
    all: Trial,
    vm: PathBuf,
    writers: Vec<Arc<Writer>>,
    /// What staff were told that it is saved.
    saved: BTreeSet<i64>,
    runs: u64,
}

impl Life<'_> {
    /// Starts it, lets staff write for so long after the first of them was told, and kills it as a process is killed.
    fn written(&mut self, writes: Option<&[PathBuf; 2]>, long: Duration) -> Vec<Moment> {
        self.runs += 1;
        let parts = Parts {
            writes: writes.cloned(),
            log: self.vm.join(format!("console-cuts-{}.log", self.runs)),
            ..self.all.parts.clone()
        };
        let mut machine = Machine::start(self.room, &parts).unwrap();
        let (address, second) = self.town.served_by(&mut machine);
        if self.writers.is_empty() {
            self.writers = self.town.sign_in(&address);
        }
        let seen = Arc::new(Seen {
            logs: writes.cloned(),
            // No form is sent twice.
            forms: AtomicU64::new(self.runs << 32),
            ..Seen::default()
        });
        let writing = write(&self.writers, &address, &seen);
        wait_for_the_first(&seen);
        let looking = look_on(&seen);
        let begun = Instant::now();
        while begun.elapsed() < long {
            std::thread::park_timeout(long.saturating_sub(begun.elapsed()));
        }
        seen.is_over.store(true, Ordering::SeqCst);
        looking.join().unwrap();
        drop(machine);
        for thread in writing {
            thread.join().expect("somebody was refused");
        }
        let acknowledged = seen.acknowledged();
        println!(
            "run {}: serves after {second:.0} s, {} records acknowledged",
            self.runs,
            acknowledged.len()
        );
        self.saved.extend(acknowledged);
        seen.moments.lock().unwrap().clone()
    }

    /// Its disks, as they are now.
    fn disks(&self, name: &str) -> [PathBuf; 2] {
        let copies = both(&self.vm, name);
        for (from, to) in self.all.parts.data.iter().flatten().zip(&copies) {
            copied(from, to);
        }
        copies
    }
}

/// Of one run: what the disks were before, what they were told, what was seen, and who had been told what before.
struct Kept {
    before: [PathBuf; 2],
    logs: [Log; 2],
    moments: Vec<Moment>,
    saved: BTreeSet<i64>,
}

impl Kept {
    /// What may be left at a moment, when of a hundred writes that were not flushed so many are: writes lost and torn,
    /// and how many flushes had come to their end.
    fn cut(
        &self,
        cut: &[PathBuf; 2],
        moment: Moment,
        percent: u64,
        dice: &mut Dice,
    ) -> (u64, u64, usize) {
        let (mut lost, mut torn, mut flushes) = (0, 0, 0);
        for (place, log) in self.logs.iter().enumerate() {
            copied(&self.before[place], &cut[place]);
            let count = log.until(moment.lengths[place]);
            let left = log.cut(count, percent, |most| dice.below(most));
            left.onto(&cut[place]).unwrap();
            lost += left.lost;
            torn += left.torn;
            flushes += log.flushes(count);
        }
        (lost, torn, flushes)
    }

    /// Moments at which either disk had been told something that it might forget.
    fn unsure(&self) -> Vec<usize> {
        let is_unsure = |moment: &Moment| {
            let both = self.logs.iter().zip(moment.lengths);
            both.into_iter()
                .any(|(log, length)| log.unsure(log.until(length)) > 0)
        };
        let all = self.moments.iter().enumerate();
        all.filter(|(_, moment)| is_unsure(moment))
            .map(|(at, _)| at)
            .collect()
    }

    /// What staff had been told by then.
    fn told(&self, moment: Moment) -> BTreeSet<i64> {
        let is_before = |one: &&Moment| (0..2).all(|log| one.lengths[log] <= moment.lengths[log]);
        let before = self.moments.iter().filter(is_before);
        before.filter_map(|one| one.acknowledged).collect()
    }
}

#[test]
fn whenever_the_power_goes_everything_acknowledged_is_there() {
    let mut progress = Progress::of("cuts", STATES, STATES_LONG);
    let mut dice = Dice::of(progress.seed.wrapping_add(progress.done));
    let room = Room::here();
    let vm = room.dir("vm").unwrap();
    let town = Town::build();
    let mut life = Life {
        all: town.moved_in(&room, SITE),
        room: &room,
        town: &town,
        vm: vm.clone(),
        writers: Vec::new(),
        saved: BTreeSet::new(),
        runs: 0,
    };
    let mut killed = Vec::new();
    for kill in 1..=KILLS {
        let long = Duration::from_millis(dice.below(KILL_MS_MAX));
        life.written(None, long);
        killed.push((life.disks(&format!("kill-{kill}")), life.saved.clone()));
    }
    let before = life.disks("before");
    let saved = life.saved.clone();
    let logs = ["1", "2"].map(|place| vm.join(format!("writes-{place}.log")));
    for log in &logs {
        blank(log, 0).unwrap();
    }
    let kept = Kept {
        moments: life.written(Some(&logs), WRITING),
        before,
        logs: logs.each_ref().map(|log| Log::read(log).unwrap()),
        saved,
    };
    let acknowledged = life.saved.len() - kept.saved.len();
    assert!(acknowledged >= ACKNOWLEDGED_MIN, "{acknowledged} records");

    let cut = both(&vm, "cut");
    let mut inspector = Inspector::start(&room, &life.all);
    for ((copies, wanted), kill) in killed.iter().zip(1..) {
        for (from, to) in copies.iter().zip(&cut) {
            copied(from, to);
            fs::remove_file(from).unwrap();
        }
        let what = format!("kill {kill}");
        holds(&inspector.records(&town, &what), wanted, &what);
        println!("{what}: {} acknowledged, all there", wanted.len());
    }
    let unsure = kept.unsure();
    assert!(!unsure.is_empty(), "everything is flushed at every moment");
    println!(
        "{} moments, at {} of them something was not flushed",
        kept.moments.len(),
        unsure.len()
    );
    let mut flushes_seen = BTreeSet::new();
    while progress.done < progress.rounds {
        let at = if dice.happens(UNSURE_PERCENT) {
            unsure[dice.index(unsure.len())]
        } else {
            dice.index(kept.moments.len())
        };
        let moment = kept.moments[at];
        let percent = KEPT_PERCENT[dice.index(KEPT_PERCENT.len())];
        let (lost, torn, flushes) = kept.cut(&cut, moment, percent, &mut dice);
        let told = kept.told(moment);
        let wanted = told.union(&kept.saved).copied().collect();
        let what = format!("moment {at}: {flushes} flushes, {lost} writes lost, {torn} torn");
        holds(&inspector.records(&town, &what), &wanted, &what);
        println!(
            "state {}, {what}: {} acknowledged, all there",
            progress.done + 1,
            told.len()
        );
        flushes_seen.insert(flushes);
        progress.count("writes lost", lost);
        progress.count("writes torn", torn);
        progress.largest("records acknowledged", told.len() as u64);
        progress.round_is_done();
    }
    println!("{:?}, of {acknowledged} records; lost: 0", progress.counted);
    assert!(
        progress.counted("writes lost") > 0,
        "no state lacks anything"
    );
    assert!(
        progress.counted("records acknowledged") > 0,
        "all states are empty"
    );
    assert!(flushes_seen.len() > 1, "all states are one");

    // Would it be noticed? Both disks said that they had flushed, and had not.
    let moment = *kept.moments.last().expect("a moment");
    let told = kept.told(moment);
    let lying = Kept {
        logs: kept.logs.map(Log::lying),
        ..kept
    };
    lying.cut(&cut, moment, 0, &mut dice);
    let found = inspector.records(&town, "disks that lie");
    let lost = told.difference(&found).count();
    assert_eq!(lost, told.len());
    println!("disks that lie about their flushes: {lost} records lost, and noticed");
}
