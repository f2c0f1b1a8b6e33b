//! Commits on a second disk: a real writer and a real shipper are killed at random moments, the disk is
//! pulled and filled, and whatever comes back is, byte for byte, what the database was.
//!
//! The writer is this very program, started again as a process of its own: the store writes, and each
//! entry it was told is saved comes out as a line. This process never touches the database's files while
//! it has the database open.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base::clock::Clock;
use base::shipping::{Line, Request, State, UNCONFIRMED, machine_dir};
use harness::process::{ended, hokatsu, prepared};
use store::{
    Actor, DataDir, Db, Event, Operation, ShippingPolicy, StoreError, facts_of, switch_shipping,
};
use tempfile::TempDir;

/// Rounds in CI, and with `--long`.
const ROUNDS: u64 = 24;
const ROUNDS_LONG: u64 = 1_000;
/// Longest life of a pair after its first entry, milliseconds.
const LIFE_MS: u64 = 150;
const PATIENCE: Duration = Duration::from_secs(60);
/// Says to this program that it is the writer: `async` or `sync`, and where the data are.
const ROLE: &str = "HOKATSU_TEST_WRITER";

fn entry(db: &Db) -> Result<(), StoreError> {
    db.write(&Actor::system("試験"), |tx| {
        Ok(tx.audited(Event::done(Operation::SetUp), ()))
    })
}

fn entries(db: &Db) -> i64 {
    let sql = "select max(id) from audit_entries";
    let read: Result<i64, StoreError> = db.read(&Actor::system("試験"), |tx| tx.count(sql, []));
    read.unwrap()
}

fn policy(mode: &str) -> ShippingPolicy {
    ShippingPolicy {
        wait_max: (mode == "sync").then_some(PATIENCE),
        log_bytes_max: 64 * 1024 * 1024,
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a process that is told by its variables what it is to do"
)]
fn role() -> Option<(String, DataDir)> {
    let told = std::env::var(ROLE).ok()?;
    let (mode, data) = told.split_once(':')?;
    Some((mode.to_owned(), DataDir::new(data)))
}

/// Not a test but the writer, when it is started as such.
#[test]
fn writer() {
    let Some((mode, data)) = role() else { return };
    let mut db = Db::open(&data, Clock::system()).unwrap();
    db.ship(policy(&mode));
    let mut out = std::io::stdout();
    loop {
        entry(&db).unwrap();
        writeln!(out, "\nsaved {}", entries(&db)).unwrap();
        out.flush().unwrap();
    }
}

/// A process that is killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A writer at work; what it was told is saved comes as it is told, with the moment.
struct Writer {
    process: Running,
    saved: mpsc::Receiver<(i64, Instant)>,
}

struct Bench {
    root: TempDir,
    data: DataDir,
    site: PathBuf,
    place: PathBuf,
}

impl Bench {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let place = root.path().join("disk");
        fs::create_dir(&place).unwrap();
        Self::at(root, place)
    }

    fn at(root: TempDir, place: PathBuf) -> Self {
        let (data, site) = prepared(root.path());
        let text = fs::read_to_string(&site).unwrap();
        let text = format!(
            "{text}\n[backup.shipping]\npath = \"{}\"\n",
            place.display()
        );
        base::paths::write_atomic(&site, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
        let data = DataDir::new(data);
        switch_shipping(&data, true).unwrap();
        let bench = Self {
            root,
            data,
            site,
            place,
        };
        let (code, _, errors) = bench.command(["ship", "enrol", "--yes"]);
        assert_eq!(code, 0, "{errors}");
        bench
    }

    fn command<S: AsRef<OsStr>>(
        &self,
        words: impl IntoIterator<Item = S>,
    ) -> (i32, serde_json::Value, String) {
        let site = [
            OsStr::new("--json"),
            OsStr::new("--site"),
            self.site.as_os_str(),
        ];
        let words: Vec<S> = words.into_iter().collect();
        let words = words.iter().map(AsRef::as_ref);
        let (code, out, errors) = ended(site.into_iter().chain(words));
        (code, serde_json::from_str(&out).unwrap_or_default(), errors)
    }

    /// A shipper, once it answers.
    fn shipper(&self) -> Running {
        let words = [OsStr::new("--site"), self.site.as_os_str()];
        let words = words.into_iter().chain(["ship", "run"].map(OsStr::new));
        let mut child = hokatsu(words).stderr(Stdio::piped()).spawn().unwrap();
        let errors = child.stderr.take().unwrap();
        let shipper = Running(child);
        let mut lines = BufReader::new(errors).lines().map_while(Result::ok);
        let begun = lines.any(|line| line.contains("逐次複製を始めました"));
        assert!(begun, "the shipper did not start");
        // Keeps reading, or the process would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        shipper
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "starts this program as the writer"
    )]
    fn writer(&self, mode: &str) -> Writer {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["writer", "--exact", "--nocapture"]);
        command.env(ROLE, format!("{mode}:{}", self.data.path().display()));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, saved) = mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let told = line.strip_prefix("saved ");
                let told = told.map(|id| (id.parse().unwrap(), Instant::now()));
                if told.is_some_and(|told| sender.send(told).is_err()) {
                    return;
                }
            }
        });
        Writer {
            process: Running(child),
            saved,
        }
    }

    fn ask(&self, request: Request) -> base::shipping::Answer {
        let mut line = Line::call(&machine_dir(self.data.path())).unwrap();
        line.ask(&request, PATIENCE).unwrap()
    }

    /// Waits until the shipper stands so.
    fn stands(&self, state: State) {
        let begun = Instant::now();
        while self.ask(Request::Status).state != state {
            assert!(
                begun.elapsed() < PATIENCE,
                "never {state:?}: {:?}",
                self.ask(Request::Status)
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// A state that the disk gives back whole: its file and its last entry.
    fn rebuilt(&self, more: &[&str]) -> (PathBuf, i64) {
        let (code, file, entries) = self.rebuilt_as_it_is(more);
        assert_eq!(code, 0);
        (file, entries)
    }

    /// The same from a disk whose shipper was killed while it wrote: 1 says that its end is cut short.
    fn rebuilt_as_it_is(&self, more: &[&str]) -> (i32, PathBuf, i64) {
        let to = self.root.path().join("rebuilt");
        drop(fs::remove_dir_all(&to));
        let words = ["ship", "rebuild", "--yes", "--to", to.to_str().unwrap()];
        let (code, _, errors) = self.command(words.iter().chain(more));
        let file = to.join("hokatsu.db");
        assert!(file.exists(), "{code} {errors}");
        // A copy is looked at: looking may touch the file.
        let looked_at = to.join("looked-at.db");
        fs::copy(&file, &looked_at).unwrap();
        (code, file, facts_of(&looked_at).unwrap().audit_entries)
    }

    /// The database as it is, folded into one file by SQLite itself. Nobody has it open.
    fn folded(&self) -> Vec<u8> {
        let copy = DataDir::new(self.root.path().join("folded"));
        drop(fs::remove_dir_all(copy.path()));
        fs::create_dir(copy.path()).unwrap();
        fs::create_dir(copy.keys()).unwrap();
        for entry in fs::read_dir(self.data.keys()).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), copy.keys().join(entry.file_name())).unwrap();
        }
        for name in ["hokatsu.db", "hokatsu.db-wal"] {
            fs::copy(self.data.path().join(name), copy.path().join(name)).unwrap();
        }
        drop(Db::open_beside(&copy, Clock::system()).unwrap());
        assert!(!copy.path().join("hokatsu.db-wal").exists());
        fs::read(copy.database()).unwrap()
    }
}

/// Numbers that look like chance and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the runner says how large the numbers are, and whoever repeats a run with which seed"
)]
fn numbers() -> (u64, u64) {
    let rounds = if std::env::var("HOKATSU_LONG").is_ok() {
        ROUNDS_LONG
    } else {
        ROUNDS
    };
    let now = u64::try_from(Clock::system().now().as_nanosecond() & 0xffff_ffff).unwrap();
    let seed = std::env::var("HOKATSU_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    (rounds, seed.unwrap_or(now) | 1)
}

/// What the writer was told, up to now.
fn heard(writer: &Writer, told: &mut Vec<(i64, Instant)>) {
    told.extend(writer.saved.try_iter());
}

#[test]
fn what_comes_back_after_any_kill_is_what_was_committed() {
    let (rounds, seed) = numbers();
    println!("seed: {seed} (HOKATSU_SEED repeats it)");
    let mut dice = Dice(seed);
    let bench = Bench::new();
    let away = bench.root.path().join("away");
    let mut behind_ms_max = 0;
    let mut saved = 0;
    for round in 0..rounds {
        let mut shipper = Some(bench.shipper());
        let writer = bench.writer("async");
        let first = writer.saved.recv_timeout(PATIENCE).expect("an entry");
        let mut told = vec![first];
        let moment = |dice: &mut Dice| {
            std::thread::park_timeout(Duration::from_micros(dice.below(LIFE_MS * 1_000)));
        };
        moment(&mut dice);
        match dice.below(4) {
            0 => fs::rename(&bench.place, &away).unwrap(),
            1 => drop(shipper.take()),
            2 => {
                drop(shipper.take());
                moment(&mut dice);
                shipper = Some(bench.shipper());
            }
            _ => {}
        }
        moment(&mut dice);
        heard(&writer, &mut told);
        let was_there = shipper.is_some() && bench.place.exists();
        drop(shipper);
        let killed = Instant::now();
        drop(writer.process);
        if away.exists() {
            fs::rename(&away, &bench.place).unwrap();
        }
        // Right away: a state that was committed, and how far it is behind when nothing was in the way.
        let (code, shown, _) = bench.command(["ship", "rebuild", "--dry-run", "--to", "/nowhere"]);
        assert!(
            code == 0 || code == 1 || round == 0,
            "round {round}: {shown}"
        );
        if code <= 1 {
            let (_, _, there) = bench.rebuilt_as_it_is(&[]);
            let missing = told.iter().find(|(id, _)| *id > there);
            if let (true, Some((_, at))) = (was_there, missing) {
                behind_ms_max = behind_ms_max.max(killed.duration_since(*at).as_millis());
            }
        }
        // With the shipper back: all of it, byte for byte.
        let shipper = bench.shipper();
        let answer = bench.ask(Request::Wait);
        assert!(answer.yes, "round {round}: {answer:?}");
        drop(shipper);
        let (file, there) = bench.rebuilt(&[]);
        let last = told.last().map_or(0, |(id, _)| *id);
        assert!(
            there >= last,
            "round {round}: {last} was saved, {there} came back"
        );
        let same = fs::read(file).unwrap() == bench.folded();
        assert!(same, "round {round}: other bytes than SQLite has");
        saved = there;
    }
    println!("rounds: {rounds}, entries: {saved}, behind at most: {behind_ms_max} ms");
    assert!(
        saved > i64::try_from(rounds).unwrap(),
        "too little was written: {saved}"
    );
}

#[test]
fn in_sync_mode_everything_that_was_acknowledged_is_on_the_disk() {
    let bench = Bench::new();
    let (rounds, seed) = numbers();
    println!("seed: {seed} (HOKATSU_SEED repeats it)");
    let mut dice = Dice(seed);
    let mut saved = 0;
    for round in 0..rounds / 4 {
        let shipper = bench.shipper();
        let writer = bench.writer("sync");
        let mut told = vec![writer.saved.recv_timeout(PATIENCE).expect("an entry")];
        std::thread::park_timeout(Duration::from_micros(dice.below(LIFE_MS * 1_000)));
        drop(writer.process);
        drop(shipper);
        told.extend(writer.saved.iter());
        let alarm = machine_dir(bench.data.path()).join(UNCONFIRMED);
        assert!(!alarm.exists(), "round {round}: nobody was waited for");
        let (_, _, there) = bench.rebuilt_as_it_is(&[]);
        let last = told.last().map_or(0, |(id, _)| *id);
        assert!(
            there >= last,
            "round {round}: {last} was acknowledged, {there} came back"
        );
        saved = last;
    }
    println!("rounds: {}, acknowledged: {saved}, lost: 0", rounds / 4);
}

#[test]
fn without_a_shipper_sync_mode_goes_on_with_an_alarm_that_ends_when_it_is_back() {
    let bench = Bench::new();
    let shipper = bench.shipper();
    let mut db = Db::open(&bench.data, Clock::system()).unwrap();
    db.ship(ShippingPolicy {
        wait_max: Some(Duration::from_secs(5)),
        ..policy("sync")
    });
    let alarm = machine_dir(bench.data.path()).join(UNCONFIRMED);
    entry(&db).unwrap();
    assert!(!alarm.exists());
    drop(shipper);
    entry(&db).unwrap();
    assert!(alarm.exists());
    let (code, status, errors) = bench.command(["ship", "status"]);
    assert_eq!(code, 1, "{errors}");
    assert_eq!(status["well"], false);
    assert_eq!(status["state"], serde_json::Value::Null);
    assert!(!status["unconfirmed_since"].is_null(), "{status}");
    assert!(errors.contains("runbooks/shipping-behind.md"), "{errors}");
    let _shipper = bench.shipper();
    let begun = Instant::now();
    while alarm.exists() {
        entry(&db).unwrap();
        assert!(begun.elapsed() < PATIENCE, "the alarm never ends");
    }
    let (code, status, errors) = bench.command(["ship", "status"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(status["behind_commits"], 0);
    assert!(status["unconfirmed_since"].is_null(), "{status}");
}

#[test]
fn a_shipper_that_was_started_anew_is_asked_again_and_an_alarm_of_before_ends() {
    let bench = Bench::new();
    let alarm = machine_dir(bench.data.path()).join(UNCONFIRMED);
    let open = || {
        let mut db = Db::open(&bench.data, Clock::system()).unwrap();
        db.ship(policy("sync"));
        db
    };
    let shipper = bench.shipper();
    let db = open();
    entry(&db).unwrap();
    drop(shipper);
    // The line of before leads nowhere any more; that is no reason to go on without the disk.
    let shipper = bench.shipper();
    entry(&db).unwrap();
    assert!(!alarm.exists(), "nobody called the new shipper");
    drop(shipper);
    entry(&db).unwrap();
    assert!(alarm.exists());
    db.close().unwrap();
    // The service is started anew, and the disk has everything.
    let _shipper = bench.shipper();
    let db = open();
    entry(&db).unwrap();
    assert!(!alarm.exists(), "the alarm outlives its cause");
}

#[test]
fn the_log_is_folded_only_when_the_disk_has_it_and_over_its_limit_in_any_case() {
    let bench = Bench::new();
    let log = bench.data.path().join("hokatsu.db-wal");
    let mut db = Db::open(&bench.data, Clock::system()).unwrap();
    db.ship(ShippingPolicy {
        wait_max: None,
        log_bytes_max: 24 * 1024 * 1024,
    });
    let length = || fs::metadata(&log).unwrap().len();
    // Nobody ships: the log grows past the 4 MB at which it would be folded, up to its limit.
    while length() < 20 * 1024 * 1024 {
        entry(&db).unwrap();
    }
    for _ in 0..2_000 {
        entry(&db).unwrap();
    }
    let limit = length();
    assert!(limit < 30 * 1024 * 1024, "{limit}");
    // With a shipper it is folded long before.
    let shipper = bench.shipper();
    assert!(bench.ask(Request::Wait).yes);
    let before = bench.ask(Request::Status);
    for _ in 0..2_000 {
        entry(&db).unwrap();
    }
    assert_eq!(length(), limit, "it grew although it was folded");
    let after = bench.ask(Request::Wait);
    assert!(
        after.yes && after.commit >= before.commit + 2_000,
        "{after:?}"
    );
    let first: PathBuf = bench.place.join("generation-000002");
    assert!(!first.exists(), "folding made a new generation");
    let last = entries(&db);
    db.close().unwrap();
    drop(shipper);
    assert_eq!(bench.rebuilt(&[]).1, last);
    // A clean stop and a start are no reason for a new generation either.
    let _shipper = bench.shipper();
    let db = Db::open(&bench.data, Clock::system()).unwrap();
    entry(&db).unwrap();
    assert!(bench.ask(Request::Wait).yes);
    assert!(!first.exists(), "a new start made a new generation");
}

#[test]
fn any_moment_comes_back_and_the_log_of_access_says_who_asked() {
    let bench = Bench::new();
    let _shipper = bench.shipper();
    let db = Db::open(&bench.data, Clock::system()).unwrap();
    entry(&db).unwrap();
    let first = bench.ask(Request::Wait);
    let then = entries(&db);
    for _ in 0..5 {
        entry(&db).unwrap();
    }
    let last = bench.ask(Request::Wait);
    let now = entries(&db);
    db.close().unwrap();
    let number = first.commit.to_string();
    assert_eq!(bench.rebuilt(&["--commit", &number]).1, then);
    let moment = first.at.unwrap().to_string();
    assert_eq!(bench.rebuilt(&["--at", &moment]).1, then);
    assert!(bench.rebuilt(&[]).1 >= now);
    let beyond = (last.commit + 1_000).to_string();
    let to = bench.root.path().join("none");
    let words = [
        "ship",
        "rebuild",
        "--commit",
        &beyond,
        "--to",
        to.to_str().unwrap(),
    ];
    let (code, _, errors) = bench.command(words);
    assert_eq!(code, 3, "{errors}");
    assert!(!to.exists());
    let db = Db::open(&bench.data, Clock::system()).unwrap();
    let sql = "select count(*) from audit_entries where operation = 'restore' and detail like 'ship rebuild%'";
    let found: Result<i64, StoreError> = db.read(&Actor::system("試験"), |tx| tx.count(sql, []));
    assert_eq!(found.unwrap(), 3);
}

#[test]
fn a_moment_and_a_file_are_fetched_for_looking_into_and_to_no_other_place() {
    let bench = Bench::new();
    let _shipper = bench.shipper();
    let db = Db::open(&bench.data, Clock::system()).unwrap();
    let mut part = db.shelf().part(0).unwrap();
    part.write("届いた写真".as_bytes()).unwrap();
    let hash = part.finish().unwrap().sha256().to_owned();
    entry(&db).unwrap();
    let first = bench.ask(Request::Wait);
    let then = entries(&db);
    entry(&db).unwrap();
    bench.ask(Request::Wait);
    let (code, points, errors) = bench.command(["timemachine", "points"]);
    assert_eq!(code, 0, "{errors}");
    assert!(!points["shipped"]["oldest"].is_null(), "{points}");
    let copies = bench.data.former_states();
    let (copy, file) = (copies.join("1"), copies.join("2"));
    for dir in [&copies, &copy, &file] {
        base::paths::create_private_dir(dir).unwrap();
    }
    let at = first.at.unwrap().to_string();
    let fetch = |into: &Path| {
        let into = into.to_str().unwrap();
        bench.command(["timemachine", "fetch", "--shipped", &at, "--into", into])
    };
    let (code, _, errors) = fetch(&copy);
    assert_eq!(code, 0, "{errors}");
    let found = facts_of(&copy.join("hokatsu.db")).unwrap();
    assert_eq!(found.audit_entries, then);
    let elsewhere = bench.root.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    assert_eq!(fetch(&elsewhere).0, 2);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    let into = file.to_str().unwrap();
    let words = ["timemachine", "bytes", "--sha256", &hash, "--into", into];
    let (code, _, errors) = bench.command(words);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(
        fs::read(file.join("bytes")).unwrap(),
        "届いた写真".as_bytes()
    );
}

#[test]
fn bytes_are_on_the_second_disk_before_any_row_names_them() {
    let bench = Bench::new();
    let shipper = bench.shipper();
    let db = Db::open(&bench.data, Clock::system()).unwrap();
    entry(&db).unwrap();
    let take = |text: &str| {
        let mut part = db.shelf().part(0).unwrap();
        part.write(text.as_bytes()).unwrap();
        part.finish().unwrap()
    };
    let below = |root: &Path, hash: &str| {
        root.join("attachments")
            .join(hash.get(..2).unwrap())
            .join(hash)
    };
    let first = take("届いた写真");
    let there = below(&bench.place, first.sha256());
    assert_eq!(fs::read(&there).unwrap(), "届いた写真".as_bytes());
    // Nobody ships: it is taken in all the same, and brought later. No row ever named the first.
    drop(shipper);
    let second = take("ディスクのない間に");
    assert!(!below(&bench.place, second.sha256()).exists());
    let on_shelf = below(bench.data.path(), second.sha256());
    fs::create_dir_all(on_shelf.parent().unwrap()).unwrap();
    let bytes = second.read().unwrap();
    File::create(&on_shelf).unwrap().write_all(&bytes).unwrap();
    let _shipper = bench.shipper();
    let begun = Instant::now();
    let aside = below(&bench.place.join("gone"), first.sha256());
    let caught_up = || below(&bench.place, second.sha256()).exists() && aside.exists();
    while !caught_up() {
        assert!(begun.elapsed() < PATIENCE, "it is never brought");
        std::thread::park_timeout(Duration::from_millis(10));
    }
    assert!(!there.exists());
    let (code, _, errors) = bench.command(["ship", "prune", "--yes"]);
    assert_eq!(code, 0, "{errors}");
    assert!(aside.exists(), "points in time still need it");
}

/// A file system of its own; unmounted on drop, also when the test fails.
struct SmallDisk(PathBuf);

impl Drop for SmallDisk {
    fn drop(&mut self) {
        ran("umount", &[self.0.to_str().unwrap_or_default()]);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "mounts a disk for a test, outside what we ship"
)]
fn ran(program: &str, words: &[&str]) -> bool {
    let status = Command::new(program).args(words).status();
    status.is_ok_and(|status| status.success())
}

fn mounted(at: &Path) -> SmallDisk {
    fs::create_dir(at).unwrap();
    let place = at.to_str().unwrap();
    assert!(
        ran("mount", &["-t", "tmpfs", "-o", "size=32m", "tmpfs", place]),
        "mounting a small disk needs root: run this suite as root"
    );
    SmallDisk(at.to_owned())
}

#[test]
fn a_full_disk_stops_shipping_and_nothing_else() {
    let root = TempDir::new().unwrap();
    let place = root.path().join("disk");
    let disk = mounted(&place);
    let bench = Bench::at(root, place);
    let shipper = bench.shipper();
    let db = Db::open(&bench.data, Clock::system()).unwrap();
    entry(&db).unwrap();
    assert!(bench.ask(Request::Wait).yes);
    let filler = disk.0.join("filler");
    let mut file = File::create(&filler).unwrap();
    for size in [1 << 20, 4_096, 1] {
        let bytes = vec![0_u8; size];
        while file.write_all(&bytes).is_ok() {}
    }
    for _ in 0..50 {
        entry(&db).unwrap();
    }
    bench.stands(State::Full);
    // Its room is given back once nobody has it open.
    drop(file);
    fs::remove_file(filler).unwrap();
    bench.stands(State::Following);
    assert!(bench.ask(Request::Wait).yes);
    let last = entries(&db);
    db.close().unwrap();
    drop(shipper);
    assert_eq!(bench.rebuilt(&[]).1, last);
    drop(disk);
}

#[test]
fn a_commit_is_on_the_second_disk_within_milliseconds() {
    let bench = Bench::new();
    let _shipper = bench.shipper();
    let db = Db::open(&bench.data, Clock::system()).unwrap();
    entry(&db).unwrap();
    let mut line = Line::call(&machine_dir(bench.data.path())).unwrap();
    assert!(line.ask(&Request::Wait, PATIENCE).unwrap().yes);
    let mut bare = File::create(bench.place.join("bare")).unwrap();
    let bytes = vec![7_u8; 40_000];
    let (mut shipped, mut flushed) = (Vec::new(), Vec::new());
    for _ in 0..400 {
        entry(&db).unwrap();
        let begun = Instant::now();
        assert!(line.ask(&Request::Wait, PATIENCE).unwrap().yes);
        shipped.push(begun.elapsed());
        let begun = Instant::now();
        bare.write_all(&bytes).unwrap();
        bare.sync_data().unwrap();
        flushed.push(begun.elapsed());
    }
    // Beside a database that is not shipped, by turns: a busy machine is busy for both.
    let other = TempDir::new().unwrap();
    let (alone, _) = prepared(other.path());
    let alone = Db::open(&DataDir::new(alone), Clock::system()).unwrap();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        for (db, saved) in [(&db, &mut with), (&alone, &mut without)] {
            for _ in 0..50 {
                let begun = Instant::now();
                entry(db).unwrap();
                saved.push(begun.elapsed());
            }
        }
    }
    for (what, mut times) in [
        ("commit to the second disk, after the first has it", shipped),
        ("40,000 bytes and fdatasync there", flushed),
        ("commit, with a shipper", with),
        ("commit, without one", without),
    ] {
        times.sort_unstable();
        let ms = |share: usize| times[times.len() * share / 100].as_secs_f64() * 1e3;
        let all: Duration = times.iter().sum();
        let mean = all.as_secs_f64() * 1e3 / times.len() as f64;
        println!(
            "{what}: p50 {:.2} ms, p99 {:.2} ms, mean {mean:.2} ms",
            ms(50),
            ms(99)
        );
        assert!(ms(50) < 1_000.0, "{what} takes a second");
    }
}
