//! The whole tree of processes: the service with staff who write, the shipper, backups and prunes. Any of
//! them is killed at any moment while disk A vanishes, fails and comes back, and sometimes loses power.
//! After each round everything that was acknowledged comes back: from the shipped log, from the array, and
//! from each repository what was there when it was saved.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base::clock::Clock;
use base::shipping::{Line, Request, UNCONFIRMED, machine_dir};
use faults::house::{House, REPOSITORY, Running, SHIPPED, text};
use faults::{Dice, Progress};
use harness::process::Server;
use harness::writing::{WRITERS, Writer, kept, resident_of};
use store::{DataDir, Db};

const ROUNDS: u64 = 50;
const ROUNDS_LONG: u64 = 500;
/// A town is built anew after so many: what has grown in it is not what is tested here.
const ROUNDS_PER_TOWN: u64 = 50;
/// Longest pause between two things that happen.
const PAUSE_MAX: Duration = Duration::from_millis(120);
const PATIENCE: Duration = Duration::from_secs(60);
const THINGS_MAX: u64 = 6;
const REPOSITORIES: [&str; 2] = ["raid", "disk-a"];

/// What staff were told.
#[derive(Debug, Default)]
struct Told {
    /// That these are saved.
    saved: Mutex<BTreeSet<i64>>,
    /// Of these, while no alarm said that work goes on without disk A.
    shipped: Mutex<BTreeSet<i64>>,
    forms: AtomicU64,
}

impl Told {
    fn saved(&self) -> BTreeSet<i64> {
        self.saved.lock().unwrap().clone()
    }
}

/// A town, those who write in it, and what is to come back.
struct Town {
    house: House,
    writers: Vec<Arc<Writer>>,
    told: Arc<Told>,
    /// Records that were there before.
    delivered: BTreeSet<i64>,
    half: i64,
    /// What was acknowledged when the newest backup began that was told to be well.
    backed_up: BTreeSet<i64>,
}

impl Town {
    fn build() -> Self {
        let house = House::town();
        let (delivered, half) = kept(&house.data);
        let db = Db::open(&house.data, Clock::system()).unwrap();
        let residents = WRITERS.map(|(_, centre)| resident_of(&db, centre));
        db.close().unwrap();
        let (server, address) = house.serve();
        let sign_in = |((login, _), resident): ((&str, &str), i64)| {
            let ca = house.data.tls().join("ca.pem");
            Arc::new(Writer::sign_in(ca, &address, login, resident))
        };
        let writers = WRITERS.into_iter().zip(residents).map(sign_in).collect();
        server.kill();
        Self {
            house,
            writers,
            told: Arc::default(),
            delivered,
            half,
            backed_up: BTreeSet::new(),
        }
    }

    /// Waits for that. The alarm of a round before would have the service wait for the disk only each five
    /// seconds, which is longer than it lives.
    fn disk_a_has_everything(&self) {
        let machine = machine_dir(self.house.data.path());
        let mut line = Line::call(&machine).unwrap();
        while !line.ask(&Request::Wait, PATIENCE).unwrap().yes {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        drop(std::fs::remove_file(machine.join(UNCONFIRMED)));
    }

    /// Everybody writes until the service dies.
    fn write(&self, address: &str) -> Vec<std::thread::JoinHandle<()>> {
        let alarm = machine_dir(self.house.data.path()).join(UNCONFIRMED);
        let write = |writer: &Arc<Writer>| {
            let (writer, told) = (Arc::clone(writer), Arc::clone(&self.told));
            let (address, alarm) = (address.to_owned(), alarm.clone());
            std::thread::spawn(move || {
                loop {
                    let form = told.forms.fetch_add(1, Ordering::SeqCst);
                    let Some(id) = writer.write(&address, form) else {
                        return;
                    };
                    assert!(
                        told.saved.lock().unwrap().insert(id),
                        "{id} was given twice"
                    );
                    // The alarm is raised before the answer, and ends once the disk has everything.
                    if !alarm.exists() {
                        told.shipped.lock().unwrap().insert(id);
                    }
                }
            })
        };
        self.writers.iter().map(write).collect()
    }
}

/// What runs in a round; whatever is left of it at the end is killed.
struct Alive {
    server: Option<Server>,
    shipper: Option<Running>,
    /// A backup with what had been acknowledged when it began, or a prune.
    job: Option<(Running, Option<BTreeSet<i64>>)>,
    writing: Vec<std::thread::JoinHandle<()>>,
}

impl Alive {
    /// Something happens. Its name, for whoever looks for what happened before it broke.
    fn something_happens(&mut self, town: &mut Town, dice: &mut Dice) -> &'static str {
        match dice.below(10) {
            0 => {
                drop(self.shipper.take());
                "the shipper is killed"
            }
            1 => {
                drop(self.shipper.take());
                self.shipper = Some(town.house.shipper());
                "the shipper is started anew"
            }
            2 => {
                town.house.disk.pull();
                "disk A is pulled"
            }
            3 => {
                town.house.disk.plug();
                "disk A is plugged in"
            }
            4 => {
                town.house.disk.gone(true);
                "disk A does not answer"
            }
            5 => {
                town.house.disk.gone(false);
                "disk A answers"
            }
            6 => {
                self.job = None;
                "the job is killed"
            }
            7 => {
                self.start(town, &["backup", "prune", "--yes"], false);
                "a prune is started"
            }
            _ => {
                self.start(town, &["backup", "run"], true);
                "a backup is started"
            }
        }
    }

    fn start(&mut self, town: &mut Town, words: &[&str], is_backup: bool) {
        self.job = None;
        let before = is_backup.then(|| town.told.saved());
        self.job = Some((town.house.start(words), before));
    }

    /// A job that came to its end was told to be well, or that something is wrong.
    fn look(&mut self, town: &mut Town) {
        let Some((job, before)) = &mut self.job else {
            return;
        };
        if let (Some(0), Some(before)) = (job.has_ended(), before.take()) {
            town.backed_up = before;
            // Stands for its syncfs, which never reaches such a disk (faults::table has a real one).
            town.house.disk.flush();
        }
    }

    fn everything_is_killed(self) {
        drop(self.job);
        if let Some(server) = self.server {
            server.kill();
        }
        drop(self.shipper);
        for thread in self.writing {
            thread.join().expect("somebody was refused");
        }
    }
}

fn round(town: &mut Town, dice: &mut Dice, counts: &mut Progress) -> Vec<&'static str> {
    let shipper = Some(town.house.shipper());
    town.disk_a_has_everything();
    let (server, address) = town.house.serve();
    let before = town.told.saved().len();
    let writing = town.write(&address);
    while town.told.saved().len() == before {
        std::thread::park_timeout(Duration::from_millis(1));
        let is_over = writing.iter().all(std::thread::JoinHandle::is_finished);
        assert!(!is_over, "nobody can write");
    }
    let mut alive = Alive {
        server: Some(server),
        shipper,
        job: None,
        writing,
    };
    let mut happened = Vec::new();
    for _ in 0..=dice.below(THINGS_MAX) {
        happened.push(alive.something_happens(town, dice));
        dice.moment(PAUSE_MAX);
        alive.look(town);
    }
    alive.everything_is_killed();
    town.house.disk.gone(false);
    town.house.disk.plug();
    if dice.happens(30) {
        let lost = town.house.disk.power_cut(Some((dice, 512)));
        counts.count("power cuts", 1);
        counts.count("bytes that power cuts took", lost.bytes);
        happened.push("disk A loses power");
    }
    happened
}

/// The records of a state that came back; it opens, its log of access is whole and nothing is half.
fn records(town: &Town, data: &DataDir, what: &str) -> BTreeSet<i64> {
    let verdict = store::audit::verify(data, None).unwrap();
    assert_eq!(verdict.findings, [], "{what}");
    let (records, half) = kept(data);
    assert_eq!(half, town.half, "half records: {what}");
    assert!(records.is_superset(&town.delivered), "{what}");
    records
}

fn holds(found: &BTreeSet<i64>, wanted: &BTreeSet<i64>, what: &str) {
    let lost: Vec<&i64> = wanted.difference(found).collect();
    assert_eq!(lost, Vec::<&i64>::new(), "lost: {what}");
}

/// From the shipped log alone, as after the array burned.
fn rebuilt(town: &Town) -> BTreeSet<i64> {
    let to = town.house.fresh("rebuilt");
    let words = ["ship", "rebuild", "--yes", "--to", text(&to)];
    let (code, told, errors) = town.house.run(&words);
    // 1: its end is cut short, or an attachment is missing; what was acknowledged is there all the same.
    assert!(code == 0 || code == 1, "{code} {errors}");
    assert!(told["commit"].is_u64(), "{told} {errors}");
    town.house.lend_keys(&to);
    records(town, &DataDir::new(&to), "rebuilt from the shipped log")
}

fn restored(town: &Town, repository: &str) -> BTreeSet<i64> {
    let to = town.house.fresh("restored");
    let words = [
        "restore",
        "--repository",
        repository,
        "--yes",
        "--to",
        text(&to),
    ];
    let (code, _, errors) = town.house.run(&words);
    assert_eq!(code, 0, "{repository}: {errors}");
    records(town, &DataDir::new(&to), repository)
}

fn everything_comes_back(town: &mut Town, number: u64, counts: &mut Progress) {
    let saved = town.told.saved();
    let shipped = town.told.shipped.lock().unwrap().clone();
    let from_log = rebuilt(town);
    holds(
        &from_log,
        &shipped,
        "acknowledged with disk A, rebuilt from it",
    );
    let data = town.house.data.clone();
    let there = records(town, &data, "on the array");
    holds(&there, &saved, "acknowledged, on the array");
    holds(&there, &from_log, "on disk A, on the array");
    // One repository a round, by turns: as the killed jobs left it, or after a backup over that.
    let repository = REPOSITORIES[usize::try_from(number % 2).unwrap()];
    if number % 4 < 2 {
        let found = restored(town, repository);
        holds(
            &found,
            &town.backed_up,
            "acknowledged before the newest backup",
        );
        holds(&there, &found, "restored, on the array");
        return;
    }
    let (code, _, errors) = town.house.run(&["backup", "run"]);
    assert_eq!(code, 0, "the next backup recovers by itself: {errors}");
    town.house.disk.flush();
    town.backed_up.clone_from(&saved);
    assert_eq!(restored(town, repository), there, "{repository}");
    counts.count("backups over what was killed", 1);
}

#[test]
fn whatever_is_killed_while_disk_a_comes_and_goes_everything_acknowledged_comes_back() {
    let mut progress = Progress::of("kills", ROUNDS, ROUNDS_LONG);
    let mut town: Option<Town> = None;
    while progress.done < progress.rounds {
        let number = progress.done;
        if number.is_multiple_of(ROUNDS_PER_TOWN) {
            town = None;
        }
        let town = town.get_or_insert_with(Town::build);
        // Each round has numbers of its own, so that one that fails is repeated from its town on.
        let mut dice = Dice::of(progress.seed.wrapping_add(number));
        let happened = round(town, &mut dice, &mut progress);
        println!("round {}: {}", number + 1, happened.join(", "));
        everything_comes_back(town, number, &mut progress);
        progress.count("killed trees", 1);
        progress.largest("records acknowledged", town.told.saved().len() as u64);
        let shipped = town.told.shipped.lock().unwrap().len() as u64;
        progress.largest("of these with disk A", shipped);
        progress.round_is_done();
    }
    println!("{:?}, lost: 0", progress.counted);
    assert!(progress.counted("records acknowledged") >= progress.rounds.min(ROUNDS_PER_TOWN));
    assert!(progress.counted("of these with disk A") > 0);
}

/// What the rounds rely on: the shipped log and the repository lie on the disk that fails.
#[test]
fn the_town_ships_and_saves_onto_the_disk_that_fails() {
    let town = Town::build();
    let below = |name: &str| town.house.disk.path().join(name);
    assert!(below(SHIPPED).join(backup::ship::DISK_FILE).exists());
    assert!(below(REPOSITORY).join("config").exists());
    let before = town.house.disk.bytes();
    let (code, _, errors) = town.house.run(&["backup", "run"]);
    assert_eq!(code, 0, "{errors}");
    assert!(town.house.disk.bytes() > before);
    assert!(Path::new("/dev/fuse").exists());
}
