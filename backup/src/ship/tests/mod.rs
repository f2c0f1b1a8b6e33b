//! Shipping against an invented SQLite that does everything the real one may do to its two files.

mod format;
mod model;
mod shipping;

use std::fs;
use std::path::{Path, PathBuf};

use base::clock::{Clock, ClockHand};
use jiff::SignedDuration;
use tempfile::TempDir;

use self::model::{Model, State, state_of};
use super::{DatabaseId, ShipSettings, Shipper, Target, enrol, plan_rebuild, rebuild};

/// A database, a second disk, and a clock.
struct Bench {
    root: TempDir,
    model: Model,
    clock: Clock,
    hand: ClockHand,
    settings: ShipSettings,
}

impl Bench {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (data, place) = (root.path().join("data"), root.path().join("disk"));
        fs::create_dir(&data).unwrap();
        fs::create_dir(&place).unwrap();
        let (clock, hand) = Clock::stepped("2026-04-07T00:00:00Z".parse().unwrap());
        let settings = ShipSettings {
            database: data.join("hokatsu.db"),
            database_id: DatabaseId::of_key(b"a key"),
            machine: data.join("shipping"),
            place,
            generation_hours: 24,
        };
        let model = Model::new(&settings.database);
        let bench = Self {
            root,
            model,
            clock,
            hand,
            settings,
        };
        bench.enrol();
        bench
    }

    fn enrol(&self) {
        let ShipSettings { place, machine, .. } = &self.settings;
        enrol(place, machine, self.settings.database_id, self.clock.now()).unwrap();
    }

    fn shipper(&self) -> Shipper {
        Shipper::new(self.settings.clone(), self.clock.clone())
    }

    fn place(&self) -> &Path {
        &self.settings.place
    }

    /// Turns until there is nothing more to do.
    fn settle(&self, shipper: &mut Shipper) {
        for _ in 0..10_000 {
            self.hand.step(SignedDuration::from_millis(1));
            if !shipper.turn().again {
                return;
            }
        }
        panic!("it never comes to an end");
    }

    /// The database as it was; the number of the transaction.
    fn rebuilt(&self, target: Target) -> (u64, State) {
        let plan = plan_rebuild(self.place(), target).unwrap();
        (plan.commit, self.performed(&plan))
    }

    fn performed(&self, plan: &super::RebuildPlan) -> State {
        let to = self.root.path().join("rebuilt");
        let done = rebuild(self.place(), plan, &to, "hokatsu.db").unwrap();
        let bytes = fs::read(&done.path).unwrap();
        fs::remove_dir_all(&to).unwrap();
        state_of(&bytes)
    }

    /// Every file of the log, in order.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for generation in fs::read_dir(self.place()).unwrap() {
            let path = generation.unwrap().path();
            if path.is_dir() {
                let within = fs::read_dir(path).unwrap();
                files.extend(within.map(|entry| entry.unwrap().path()));
            }
        }
        files.sort();
        files
    }

    fn generations(&self) -> usize {
        super::reading::generations(self.place()).unwrap().len()
    }
}
