//! One byte of everything that is to survive is bent: of both repositories' kinds of files and of the shipped
//! log. Each bent byte is harmless, or its file is repaired from the other side, or it is named. Never does
//! a wrong byte come back, and nothing panics.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::collections::BTreeMap;
use std::fs;
use std::panic;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use backup::ship::{Target, plan_rebuild, rebuild};
use backup::{
    CheckDepth, Chunking, Quiet, RepositorySettings, Selector, check, restore_healing, restore_to,
};
use base::clock::Clock;
use base::shipping::{Line, Request, machine_dir};
use faults::house::{Hashes, hashes, text};
use faults::{Dice, Progress};
use harness::process::{ended, prepared_for_backups};
use store::{Actor, DataDir, Db, Event, Operation, StoreError, switch_shipping};
use tempfile::TempDir;

const FLIPS: u64 = 500;
const FLIPS_LONG: u64 = 10_000;
/// All that is bent, together, bytes.
const BYTES_MAX: u64 = 20 * 1024 * 1024;
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
/// In any thread; the engine has threads of its own.
static PANICS: AtomicU64 = AtomicU64::new(0);
/// Those with which the engine ends threads that nobody listens to any more (`TreeStreamerOnce`, when a tree
/// before was bent). Their work is lost to nobody; the command keeps quiet about them. And the one that the check
/// catches (`index still in use`): what is not caught ends this test by itself.
static ENGINE_THREADS_ENDED: AtomicU64 = AtomicU64::new(0);

/// How a bent byte came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Everything comes back, and nothing is said.
    Harmless,
    /// Nothing of the newest snapshot is touched; a look at the whole repository names it.
    Found,
    /// What it touched came from the other repository, and the restore says so.
    Repaired,
    /// Named; it does not come back from here.
    Named,
}

/// What is bent.
#[derive(Debug, Clone)]
struct Victim {
    kind: &'static str,
    path: PathBuf,
}

struct Room {
    root: TempDir,
    /// Of the first one every file is a victim, by turns.
    repositories: [RepositorySettings; 2],
    shipped: PathBuf,
    /// What the newest snapshot is to bring back.
    saved: Hashes,
    /// What each transaction is to bring back, as far as it was asked for.
    rebuilt: BTreeMap<u64, [u8; 32]>,
    victims: Vec<Victim>,
}

fn put(path: &Path, bytes: &[u8]) {
    base::paths::write_atomic(path, bytes, base::paths::MODE_PRIVATE).unwrap();
}

/// A first data directory with a log of access, a few files on the shelf, two snapshots and a shipped log.
fn room() -> Room {
    let root = TempDir::new().unwrap();
    let (data, site) = prepared_for_backups(root.path());
    let data = DataDir::new(data);
    let shipped = root.path().join("shipped");
    fs::create_dir(&shipped).unwrap();
    let of = |name: &str| RepositorySettings {
        name: name.to_owned(),
        location: root.path().join(name).into(),
        password_file: root.path().join("password"),
        chunking: Chunking::Fixed16KiB,
    };
    let repositories = [of("raid"), of("disk-a")];
    let told = fs::read_to_string(&site).unwrap();
    let told = format!(
        "{told}\n[[backup.repositories]]\nname = \"disk-a\"\npath = \"{}\"\npassword_file = \"{}\"\n\
         \n[backup.shipping]\npath = \"{}\"\n",
        repositories[1].location.directory().unwrap().display(),
        repositories[1].password_file.display(),
        shipped.display()
    );
    put(&site, told.as_bytes());
    let run = |words: &[&str]| {
        let (code, _, errors) = ended([&["--site", text(&site)], words].concat());
        assert_eq!(code, 0, "{errors}");
    };
    switch_shipping(&data, true).unwrap();
    run(&["ship", "enrol", "--yes"]);
    run(&["backup", "init"]);
    let mut command = harness::process::hokatsu(["--site", text(&site), "ship", "run"]);
    let mut shipper = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let write = |entries: u32| {
        let db = Db::open(&data, Clock::system()).unwrap();
        for _ in 0..entries {
            let done: Result<(), StoreError> = db.write(&Actor::system("試験"), |tx| {
                Ok(tx.audited(Event::done(Operation::SetUp), ()))
            });
            done.unwrap();
        }
        db.close().unwrap();
    };
    write(1);
    let begun = std::time::Instant::now();
    let shipped_all = || {
        let line = Line::call(&machine_dir(data.path()));
        let asked = line.and_then(|mut line| line.ask(&Request::Wait, PATIENCE));
        asked.is_ok_and(|answer| answer.yes)
    };
    let wait = || {
        while !shipped_all() {
            assert!(begun.elapsed() < PATIENCE, "nothing is shipped");
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
    };
    wait();
    // What is written before the shipper follows begins the log and is no transaction in it.
    write(40);
    wait();
    run(&["backup", "run"]);
    write(30);
    wait();
    run(&["backup", "run"]);
    shipper.kill().unwrap();
    shipper.wait().unwrap();
    let to = root.path().join("whole");
    let whole = restore_to(&repositories[0], &Selector::Latest, &to, &Quiet).unwrap();
    assert!(whole.is_complete());
    let mut room = Room {
        saved: hashes(&to).unwrap(),
        root,
        repositories,
        shipped,
        rebuilt: BTreeMap::new(),
        victims: Vec::new(),
    };
    room.victims = victims(&room);
    room
}

fn victims(room: &Room) -> Vec<Victim> {
    let repository = room.repositories[0].location.directory().unwrap();
    let kind_of = |name: &Path| {
        let first = name.components().next().unwrap();
        match first.as_os_str().to_str().unwrap() {
            "data" => "pack",
            "index" => "index",
            "snapshots" => "snapshot",
            "keys" => "key",
            "config" => "config",
            _ => "beside",
        }
    };
    let mut all = Vec::new();
    for name in hashes(repository).unwrap().into_keys() {
        let (kind, path) = (kind_of(&name), repository.join(name));
        all.push(Victim { kind, path });
    }
    for name in hashes(&room.shipped).unwrap().into_keys() {
        let kind = if name.extension().is_some_and(|end| end == "segment") {
            "segment"
        } else {
            "enrolment"
        };
        all.push(Victim {
            kind,
            path: room.shipped.join(name),
        });
    }
    // Nothing can be bent in a file without a byte.
    all.retain(|victim| fs::metadata(&victim.path).unwrap().len() > 0);
    let bytes: u64 = all
        .iter()
        .map(|v| fs::metadata(&v.path).unwrap().len())
        .sum();
    assert!(bytes <= BYTES_MAX, "{bytes} bytes");
    all
}

impl Room {
    /// A file of a kind, each kind as often as another: most bytes are in packs and segments, and most of what
    /// can go wrong is not.
    fn chosen(&self, dice: &mut Dice) -> Victim {
        let mut kinds: Vec<&str> = self.victims.iter().map(|victim| victim.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        // What holds the data is bent more often.
        kinds.extend(["pack", "pack", "segment", "segment", "index"]);
        let kind = kinds[dice.index(kinds.len())];
        let of_kind: Vec<&Victim> = self.victims.iter().filter(|v| v.kind == kind).collect();
        of_kind[dice.index(of_kind.len())].clone()
    }

    fn fresh(&self, name: &str) -> PathBuf {
        let place = self.root.path().join(name);
        if place.exists() {
            fs::remove_dir_all(&place).unwrap();
        }
        place
    }

    fn outcome(&mut self, victim: &Victim, is_alone: bool) -> Outcome {
        match victim.kind {
            "segment" | "enrolment" => self.of_the_log(victim),
            _ => self.of_the_repository(victim, is_alone),
        }
    }

    /// Brought back with the help of the other one, and looked at byte by byte; by turns from it alone too.
    fn of_the_repository(&self, victim: &Victim, is_alone: bool) -> Outcome {
        let [bent, other] = &self.repositories;
        let others = if is_alone {
            &[][..]
        } else {
            std::slice::from_ref(other)
        };
        let place = self.fresh("restored");
        let restored = restore_healing((bent, others), &Selector::Latest, &place, &Quiet);
        // An older snapshot may be the bent one, or what only a later backup needs.
        let checked = check(bent, CheckDepth::AllData);
        let is_found = checked.map_or(true, |found| !found.findings.is_empty());
        let Ok(summary) = restored else {
            return Outcome::Named;
        };
        let lacking: Vec<&str> = summary.damaged.iter().map(|d| d.path.as_str()).collect();
        self.is_right(&place, &lacking, victim);
        match (summary.damaged.is_empty(), summary.healed.is_empty()) {
            (false, _) => Outcome::Named,
            (true, false) => Outcome::Repaired,
            (true, true) if is_found => Outcome::Found,
            (true, true) => Outcome::Harmless,
        }
    }

    /// What came back is what was saved, except for what was said to be damaged.
    fn is_right(&self, place: &Path, lacking: &[&str], victim: &Victim) {
        let mut found = hashes(place).unwrap();
        found.retain(|name, _| !text(name).starts_with(".hokatsu-restore"));
        let mut wanted = self.saved.clone();
        wanted.retain(|name, _| !lacking.contains(&text(name)));
        assert_eq!(found, wanted, "{victim:?}");
    }

    fn of_the_log(&mut self, victim: &Victim) -> Outcome {
        let plan = match plan_rebuild(&self.shipped, Target::Newest) {
            Ok(plan) => plan,
            Err(_) => return Outcome::Named,
        };
        let to = self.fresh("rebuilt");
        let Ok(done) = rebuild(&self.shipped, &plan, &to, "hokatsu.db") else {
            return Outcome::Named;
        };
        let wanted = self.rebuilt.get(&plan.commit);
        assert_eq!(Some(&done.sha256), wanted, "{victim:?}, {}", plan.commit);
        let newest = self.rebuilt.keys().next_back();
        if plan.damage.is_empty() {
            assert_eq!(Some(&plan.commit), newest, "lost in silence: {victim:?}");
            return Outcome::Harmless;
        }
        Outcome::Named
    }

    /// What each transaction of the whole log brings back.
    fn rebuild_each(&mut self) {
        let newest = plan_rebuild(&self.shipped, Target::Newest).unwrap();
        for commit in 1..=newest.commit {
            let Ok(plan) = plan_rebuild(&self.shipped, Target::Commit(commit)) else {
                continue;
            };
            let to = self.fresh("each");
            let done = rebuild(&self.shipped, &plan, &to, "hokatsu.db").unwrap();
            self.rebuilt.insert(commit, done.sha256);
        }
        assert!(self.rebuilt.len() > 60, "{}", self.rebuilt.len());
    }
}

fn count_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |told| {
        let file = told.location().map_or("", |at| at.file());
        let is_unheard =
            file.ends_with("src/blob/tree.rs") && std::thread::current().name().is_none();
        let is_caught = file.ends_with("src/index.rs") && file.contains("rustic_core");
        if is_unheard || is_caught {
            ENGINE_THREADS_ENDED.fetch_add(1, Ordering::SeqCst);
            return;
        }
        PANICS.fetch_add(1, Ordering::SeqCst);
        before(told);
    }));
}

#[test]
fn any_bent_byte_is_harmless_repaired_or_named_and_no_wrong_byte_comes_back() {
    let mut progress = Progress::of("flips", FLIPS, FLIPS_LONG);
    let mut room = room();
    room.rebuild_each();
    count_panics();
    let begun = std::time::Instant::now();
    while progress.done < progress.rounds {
        let mut dice = Dice::of(progress.seed.wrapping_add(progress.done));
        let victim = room.chosen(&mut dice);
        let whole = fs::read(&victim.path).unwrap();
        let mut bent = whole.clone();
        let (at, bit) = (dice.index(bent.len()), dice.below(8));
        bent[at] ^= 1 << bit;
        fs::File::create(&victim.path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &bent))
            .unwrap();
        let outcome = room.outcome(&victim, progress.done.is_multiple_of(4));
        let place = victim.path.strip_prefix(room.root.path()).unwrap();
        let panics = PANICS.load(Ordering::SeqCst);
        assert_eq!(panics, 0, "{} at {at}, bit {bit}", place.display());
        fs::File::create(&victim.path)
            .and_then(|mut file| std::io::Write::write_all(&mut file, &whole))
            .unwrap();
        progress.count(&format!("{}: {outcome:?}", victim.kind), 1);
        progress.round_is_done();
    }
    println!("{:#?}, wrong bytes: 0, panics: 0", progress.counted);
    let ended = ENGINE_THREADS_ENDED.load(Ordering::SeqCst);
    println!(
        "in {:?}; threads of the engine that ended unheard: {ended}",
        begun.elapsed()
    );
    let of = |kind: &str| {
        let all = progress
            .counted
            .iter()
            .filter(|(what, _)| what.starts_with(kind));
        all.map(|(_, count)| count).sum::<u64>()
    };
    for kind in [
        "pack",
        "index",
        "snapshot",
        "key",
        "config",
        "segment",
        "enrolment",
    ] {
        assert!(of(kind) > 0, "no {kind} was bent");
    }
    // What is bent in a pack is in a pack of the other repository too, whole.
    assert!(progress.counted("pack: Repaired") > 0);
}
