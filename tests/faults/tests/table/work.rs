//! The machine that goes through the table: it commits, ships, saves, looks and brings back while a disk
//! fails, and says what came of it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base::clock::Clock;
use base::shipping::{Answer, Line, Request, State, machine_dir};
use faults::house::{House, Running, text};
use faults::{Dice, Disk};
use store::{Actor, DataDir, Db, Event, Operation, ShippingPolicy, StoreError, facts_of};

use crate::Came;
use crate::cells::{At, Cell, During, Trouble};

const PATIENCE: Duration = Duration::from_secs(60);
/// Entries that are written while something is wrong.
const ENTRIES: u32 = 6;
/// Kept by the rules of this machine, so that there is something to prune.
const RULES: &str = "\n[backup.retention]\nhourly = 1\ndaily = 1\nweekly = 0\nmonthly = 0\nyearly = 0\n\
    [backup.prune]\nrepack_percent_max = 100\nunused_percent_max = 1\n";

pub(crate) struct Machine {
    house: House,
    /// The last entry that was acknowledged.
    last: i64,
    dice: Dice,
}

fn entry(db: &Db) -> Result<i64, StoreError> {
    let actor = Actor::system("試験");
    db.write(&actor, |tx| {
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    })?;
    let sql = "select max(id) from audit_entries";
    db.read(&actor, |tx| tx.count(sql, []))
}

impl Machine {
    pub(crate) fn new() -> Self {
        let house = House::brittle();
        let told = std::fs::read_to_string(&house.site).unwrap();
        let private = base::paths::MODE_PRIVATE;
        base::paths::write_atomic(&house.site, format!("{told}{RULES}").as_bytes(), private)
            .unwrap();
        let mut machine = Self {
            house,
            last: 0,
            dice: Dice::of(1),
        };
        machine.commit_some();
        let (code, _, errors) = machine.house.run(&["backup", "run"]);
        assert_eq!(code, 0, "{errors}");
        machine.everything_is_flushed();
        machine
    }

    fn disk(&self, at: At) -> &Disk {
        if at.is_on_array() {
            self.house.array.as_ref().unwrap()
        } else {
            &self.house.disk
        }
    }

    fn disk_mut(&mut self, at: At) -> &mut Disk {
        if at.is_on_array() {
            self.house.array.as_mut().unwrap()
        } else {
            &mut self.house.disk
        }
    }

    fn everything_is_flushed(&self) {
        self.house.disk.flush();
        self.disk(At::Data).flush();
    }

    fn open(&self) -> Result<Db, StoreError> {
        let mut db = Db::open(&self.house.data, Clock::system())?;
        db.ship(ShippingPolicy {
            wait_max: Some(Duration::from_secs(5)),
            ..ShippingPolicy::default()
        });
        Ok(db)
    }

    fn commit_some(&mut self) {
        let db = self.open().unwrap();
        for _ in 0..ENTRIES {
            self.last = entry(&db).unwrap();
        }
        db.close().unwrap();
    }

    fn begins(&mut self, cell: &Cell) {
        match cell.trouble {
            Trouble::Faults(faults) => self.disk(cell.at).set(faults),
            Trouble::Room(bytes) => self.disk(cell.at).room(Some(bytes)),
            Trouble::ReadOnly => self.disk(cell.at).read_only(true),
            Trouble::Gone => self.disk(cell.at).gone(true),
            Trouble::Pulled => self.disk_mut(cell.at).pull(),
            Trouble::Lied => {
                let lie = faults::Fault::always(faults::Op::Flush, faults::What::Lie);
                self.disk(cell.at).set(&[lie]);
            }
            Trouble::Cut | Trouble::CutByChance => {}
        }
    }

    fn ends(&mut self, at: At) {
        let disk = self.disk_mut(at);
        disk.mend();
        disk.room(None);
        disk.read_only(false);
        disk.gone(false);
        disk.plug();
    }

    /// The power goes, when this is what the cell is about. Nobody has a file open.
    fn power(&mut self, cell: &Cell) {
        let mut dice = self.dice.clone();
        let disk = self.disk_mut(cell.at);
        match cell.trouble {
            Trouble::Cut | Trouble::Lied => {
                disk.power_cut(None);
            }
            Trouble::CutByChance => {
                disk.power_cut(Some((&mut dice, 512)));
            }
            Trouble::Faults(_)
            | Trouble::Room(_)
            | Trouble::ReadOnly
            | Trouble::Gone
            | Trouble::Pulled => {}
        }
        self.dice = dice;
    }

    /// How often a fault struck so far.
    pub(crate) fn hits(&self, at: At) -> u64 {
        self.disk(at).hits()
    }

    pub(crate) fn goes_through(&mut self, cell: &Cell) -> (Came, String) {
        match cell.during {
            During::Commit => self.commits(cell),
            During::Ship => self.ships(cell),
            During::Run => {
                // Of an unchanged source little is written.
                self.commit_some();
                self.commands(cell, &["backup", "run"])
            }
            During::Prune => {
                // Something to prune: two of the same hour.
                self.commit_some();
                let (code, _, errors) = self.house.run(&["backup", "run"]);
                assert_eq!(code, 0, "{errors}");
                let words = ["backup", "prune", "--repository", "disk-a", "--yes"];
                self.commands(cell, &words)
            }
            During::Check => {
                let words = ["backup", "check", "--repository", "disk-a", "--read-data"];
                self.commands(cell, &words)
            }
            During::Restore => {
                let to = self.restored();
                let words = [
                    "restore",
                    "--repository",
                    "disk-a",
                    "--yes",
                    "--to",
                    text(&to),
                ];
                self.commands(cell, &words)
            }
            During::Drill => self.commands(cell, &["backup", "drill", "--repository", "disk-a"]),
        }
    }

    fn restored(&self) -> PathBuf {
        self.disk(At::Scratch).path().join("restored")
    }

    fn commits(&mut self, cell: &Cell) -> (Came, String) {
        let shipped = self.house.shipper();
        let db = self.open().unwrap();
        self.begins(cell);
        let mut refused = 0;
        let mut told = String::new();
        for _ in 0..ENTRIES {
            match entry(&db) {
                Ok(last) => self.last = last,
                Err(error) => {
                    refused += 1;
                    told = base::report::chain(&error);
                }
            }
        }
        drop(shipped);
        if matches!(
            cell.trouble,
            Trouble::Cut | Trouble::CutByChance | Trouble::Lied
        ) {
            // Whoever has it open can do nothing more, as without power.
            self.disk(cell.at).gone(true);
        }
        drop(db);
        self.power(cell);
        self.ends(cell.at);
        let lost = self.lost();
        let came = Came {
            code: if refused > 0 { 3 } else { 0 },
            lost,
            wrong: !self.is_whole(),
            recovers: self.recovers(),
        };
        (came, told)
    }

    /// Acknowledged entries that are not in the database; what a lying disk lost comes from the shipped log.
    fn lost(&mut self) -> i64 {
        let there = self.there();
        let lost = (self.last - there).max(0);
        if lost > 0 {
            let from_log = self.rebuilt();
            assert!(
                from_log >= self.last,
                "sync: {} was acknowledged, {from_log} on disk A",
                self.last
            );
            self.last = there;
        }
        lost
    }

    fn there(&self) -> i64 {
        let db = self.open().unwrap();
        let sql = "select max(id) from audit_entries";
        let read: Result<i64, StoreError> =
            db.read(&Actor::system("試験"), |tx| tx.count(sql, []));
        db.close().unwrap();
        read.unwrap()
    }

    fn is_whole(&self) -> bool {
        let verdict = store::audit::verify(&self.house.data, None).unwrap();
        verdict.findings.is_empty()
    }

    /// Without anybody's help the next entry is written and shipped.
    fn recovers(&mut self) -> bool {
        let shipper = self.house.shipper();
        let before = self.last;
        self.commit_some();
        let is_shipped = self.is_shipped();
        drop(shipper);
        self.everything_is_flushed();
        self.last > before && is_shipped && self.rebuilt() >= self.last
    }

    fn is_shipped(&self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if self.ask(&Request::Wait).is_some_and(|answer| answer.yes) {
                return true;
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        false
    }

    fn ask(&self, request: &Request) -> Option<Answer> {
        let line = Line::call(&machine_dir(self.house.data.path()));
        line.and_then(|mut line| line.ask(request, PATIENCE)).ok()
    }

    /// The last entry that the shipped log gives back.
    fn rebuilt(&self) -> i64 {
        let to = self.house.fresh("rebuilt");
        let words = ["ship", "rebuild", "--yes", "--to", text(&to)];
        let (code, _, errors) = self.house.run(&words);
        if code != 0 && code != 1 {
            return -1;
        }
        assert!(!errors.contains("panicked"), "{errors}");
        facts_of(&DataDir::new(to).database())
            .unwrap()
            .audit_entries
    }

    fn ships(&mut self, cell: &Cell) -> (Came, String) {
        let shipper: Running = self.house.shipper();
        assert!(self.is_shipped());
        let db = self.open().unwrap();
        self.last = entry(&db).unwrap();
        let durable = self.last;
        self.begins(cell);
        for _ in 0..ENTRIES {
            // Without the disk work goes on.
            self.last = entry(&db).unwrap();
        }
        let state = self.ask(&Request::Wait).map(|answer| answer.state);
        db.close().unwrap();
        drop(shipper);
        self.power(cell);
        self.ends(cell.at);
        // What was durable comes back from this disk alone.
        let follows = state == Some(State::Following);
        let wanted = if follows { self.last } else { durable };
        let came = Came {
            code: if follows { 0 } else { 3 },
            lost: (wanted - self.rebuilt()).max(0),
            wrong: false,
            recovers: self.recovers(),
        };
        (came, format!("disk-a: {state:?}"))
    }

    fn commands(&mut self, cell: &Cell, words: &[&str]) -> (Came, String) {
        let to = self.restored();
        self.begins(cell);
        let (code, _, told) = self.house.run(words);
        self.ends(cell.at);
        let mut wrong = false;
        if cell.during == During::Restore && code == 0 {
            wrong = !self.is_what_was_saved(&to);
            std::fs::remove_dir_all(&to).unwrap();
        }
        let mut errors = String::new();
        let recovers = (0..cell.tries).any(|_| {
            let (again, _, told) = self.house.run(words);
            errors = told;
            again == 0
        });
        if cell.during == During::Restore {
            wrong |= recovers && !self.is_what_was_saved(&to);
            std::fs::remove_dir_all(&to).unwrap();
        }
        self.everything_is_flushed();
        let came = Came {
            code,
            lost: 0,
            wrong,
            recovers,
        };
        let told = if recovers {
            told
        } else {
            format!("{told}\nthen: {errors}")
        };
        (came, told)
    }

    /// Everything acknowledged is in both repositories and in the shipped log, whatever they went through.
    pub(crate) fn everything_is_there(&mut self) {
        assert!(self.recovers());
        let (code, _, errors) = self.house.run(&["backup", "run"]);
        assert_eq!(code, 0, "{errors}");
        for repository in ["raid", "disk-a"] {
            let to = self.house.fresh("looked-at");
            let words = [
                "restore",
                "--repository",
                repository,
                "--yes",
                "--to",
                text(&to),
            ];
            let (code, _, errors) = self.house.run(&words);
            assert_eq!(code, 0, "{errors}");
            let verdict = store::audit::verify(&DataDir::new(&to), None).unwrap();
            assert_eq!(verdict.findings, [], "{repository}");
            let facts = facts_of(&DataDir::new(to).database()).unwrap();
            assert!(facts.audit_entries >= self.last, "{repository}");
            let words = ["backup", "check", "--repository", repository, "--read-data"];
            let (code, _, errors) = self.house.run(&words);
            assert_eq!(code, 0, "{errors}");
        }
    }

    fn is_what_was_saved(&self, to: &Path) -> bool {
        let verdict = store::audit::verify(&DataDir::new(to), None).unwrap();
        let there = facts_of(&DataDir::new(to).database())
            .unwrap()
            .audit_entries;
        verdict.findings.is_empty() && there > 0
    }
}
