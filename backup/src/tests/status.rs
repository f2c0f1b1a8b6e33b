//! Each state by itself: what makes a probe fail, and that nothing else does.

use jiff::SignedDuration;

use super::{Room, instant, put};
use crate::due::Schedule;
use crate::records::{History, Job, Outcome, Record, Slice};
use crate::status::{Found, Probe, Seen, Status, Thresholds, judge, look};
use crate::{BackupError, RepositorySettings};

const NOW: &str = "2026-11-29T12:34:56+09:00";
const SCHEDULE: Schedule = Schedule {
    drill_hour: 1,
    prune_weekday: 7,
    prune_hour: 3,
    read_hour: 4,
    read_days: 28,
    clock_jump_days_max: 14,
};
const THRESHOLDS: Thresholds = Thresholds {
    run_hours_max: 3,
    drill_days_max: 2,
    prune_days_max: 10,
    growth_factor_max: 10,
    free_factor_min: 2,
    stock_lock_hours_max: 1,
};
const GB: u64 = 1_000_000_000;

/// Two repositories that are well, with a month behind them.
struct World {
    seen: Vec<Seen>,
    history: History,
}

impl World {
    fn well() -> Self {
        let found = || Found {
            newest: Some((instant("2026-11-29T12:00:00+09:00"), 2 * GB)),
            snapshots: 50,
            bytes: 3 * GB,
            free: Some(100 * GB),
            stock_lock_hours: None,
        };
        let seen = ["raid", "disk-a"].map(|name| Seen {
            is_pruned_from_here: true,
            repository: name.to_owned(),
            found: Ok(found()),
        });
        let mut world = Self {
            seen: seen.into(),
            history: History::default(),
        };
        for name in ["raid", "disk-a"] {
            for night in (0..30).rev() {
                world.done(Job::Run, name, 24 * night);
                let slice = Slice {
                    number: u32::try_from(29 - night).unwrap() % 24,
                    of: 24,
                };
                world.done(Job::Check, name, 24 * night).slice = Some(slice);
            }
            world.done(Job::Prune, name, 30);
            world.done(Job::Drill, name, 11);
            world.done(Job::Run, name, 0);
        }
        world
    }

    /// A job that ended well so many hours ago.
    fn done(&mut self, job: Job, repository: &str, hours_ago: i64) -> &mut Record {
        let at = instant(NOW) - SignedDuration::from_hours(hours_ago);
        let began = at - SignedDuration::from_mins(5);
        self.history.records.push(Record {
            bytes: 3 * GB,
            growth: 1_000_000,
            ..Record::new(job, repository, began, at)
        });
        self.history.records.last_mut().unwrap()
    }

    fn found(&mut self) -> &mut Found {
        self.seen[0].found.as_mut().unwrap()
    }

    fn without(&mut self, job: Job) {
        self.history.records.retain(|one| one.job != job);
    }

    fn judged(&self) -> Status {
        judge(
            &self.seen,
            &self.history,
            &SCHEDULE,
            &THRESHOLDS,
            instant(NOW),
        )
    }

    /// What does not hold, with its repository.
    fn failing(&self) -> Vec<(&'static str, Option<String>)> {
        let status = self.judged();
        let failing: Vec<&Probe> = status.probes.iter().filter(|one| !one.holds).collect();
        assert_eq!(status.holds, failing.is_empty());
        assert!(failing.iter().all(|one| !one.words.is_empty()));
        failing
            .iter()
            .map(|one| (one.name, one.repository.clone()))
            .collect()
    }
}

#[test]
fn two_repositories_that_are_well_make_every_probe_hold() {
    let world = World::well();
    assert_eq!(world.failing(), []);
    let status = world.judged();
    let mut names: Vec<_> = status
        .probes
        .iter()
        .map(|one| (one.name, &one.repository))
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(
        (names.len(), count),
        (3 + 2 * 12, 3 + 2 * 12),
        "a probe stands twice"
    );
    assert_eq!(status.repositories[0].reading.slices_read, 24);
    let run = &status.repositories[0].jobs[0];
    assert_eq!((run.job, run.last_seconds), (Job::Run, Some(300)));
}

#[test]
fn a_new_machine_that_took_its_first_backup_is_well() {
    let mut world = World::well();
    world.history.records.clear();
    world.done(Job::Run, "raid", 0);
    world.done(Job::Run, "disk-a", 0);
    assert_eq!(world.failing(), []);
}

#[test]
fn each_state_fails_its_own_probe_and_no_other() {
    type Change = fn(&mut World);
    let raid = || Some("raid".to_owned());
    let cases: &[(&str, Change, &str, Option<String>)] = &[
        (
            "the newest backup is old everywhere",
            |world| {
                for seen in &mut world.seen {
                    let found = seen.found.as_mut().unwrap();
                    found.newest = Some((instant("2026-11-29T08:00:00+09:00"), GB));
                }
                world.seen.pop();
            },
            "backup_age_hours",
            raid(),
        ),
        (
            "there is none yet",
            |world| world.found().newest = None,
            "backup_age_hours",
            raid(),
        ),
        (
            "the newest is of a clock that ran ahead",
            |world| {
                world.seen.pop();
                world.found().newest = Some((instant("2027-11-29T08:00:00+09:00"), GB));
            },
            "backup_age_hours",
            raid(),
        ),
        (
            "the disk has too little room",
            |world| world.found().free = Some(3 * GB),
            "backup_free_bytes",
            raid(),
        ),
        (
            "a stock tool left its lock",
            |world| world.found().stock_lock_hours = Some(30),
            "backup_stock_lock_hours",
            raid(),
        ),
        (
            "somebody else deleted",
            |world| world.found().bytes = 2 * GB,
            "backup_shrunk_percent",
            raid(),
        ),
        (
            "the last run failed",
            |world| world.done(Job::Run, "raid", 0).outcome = Outcome::Failed,
            "backup_run_failures",
            raid(),
        ),
        (
            "the last run died",
            |world| world.done(Job::Run, "raid", 0).outcome = Outcome::CutShort,
            "backup_run_failures",
            raid(),
        ),
        (
            "the last prune failed",
            |world| world.done(Job::Prune, "raid", 0).outcome = Outcome::Failed,
            "backup_prune_failures",
            raid(),
        ),
        (
            "the last prune found damage",
            |world| {
                world.done(Job::Prune, "raid", 0).outcome = Outcome::NotHeld;
            },
            "backup_prune_failures",
            raid(),
        ),
        (
            "no prune for 52 days",
            |world| {
                world
                    .history
                    .records
                    .retain(|one| one.job != Job::Prune || one.repository != "raid");
            },
            "backup_prune_age_days",
            raid(),
        ),
        (
            "the last run grew out of all measure",
            |world| {
                world.done(Job::Run, "raid", 0).growth = 100_000_000;
            },
            "backup_growth_bytes",
            raid(),
        ),
        (
            "the drill was not passed",
            |world| world.done(Job::Drill, "raid", 0).outcome = Outcome::NotHeld,
            "backup_drill_age_days",
            None,
        ),
        (
            "no drill for days",
            |world| {
                world.without(Job::Drill);
            },
            "backup_drill_age_days",
            None,
        ),
        (
            "packs have not been read for long",
            |world| {
                let mut slices = world
                    .history
                    .records
                    .iter_mut()
                    .filter(|one| one.job == Job::Check && one.repository == "raid");
                // Both of its readings.
                let (first, again) = (slices.next().unwrap(), slices.nth(23).unwrap());
                for one in [first, again] {
                    one.outcome = Outcome::Failed;
                }
            },
            "backup_read_slices",
            raid(),
        ),
        (
            "the rolling read found damage",
            |world| {
                let slice = Some(Slice { number: 7, of: 24 });
                let record = world.done(Job::Check, "raid", 0);
                (record.slice, record.outcome) = (slice, Outcome::NotHeld);
            },
            "backup_read_damage",
            raid(),
        ),
        (
            "a line of the records cannot be read",
            |world| world.history.unreadable = 1,
            "backup_records_unreadable",
            None,
        ),
        (
            "the clock is behind",
            |world| {
                world.done(Job::Run, "disk-a", -24);
            },
            "backup_clock_minutes",
            None,
        ),
    ];
    for (name, change, probe, repository) in cases {
        let mut world = World::well();
        change(&mut world);
        assert_eq!(world.failing(), [(*probe, repository.clone())], "{name}");
    }
}

#[test]
fn damage_is_told_until_a_later_reading_finds_none() {
    let mut world = World::well();
    let record = world.done(Job::Check, "raid", 3);
    (record.slice, record.outcome) = (Some(Slice { number: 7, of: 24 }), Outcome::NotHeld);
    assert_eq!(world.failing().len(), 1);
    world.done(Job::Check, "raid", 2).slice = Some(Slice { number: 8, of: 24 });
    assert_eq!(
        world.failing().len(),
        1,
        "another slice says nothing about it"
    );
    world.done(Job::Check, "raid", 1);
    assert_eq!(world.failing(), [], "everything was read");
}

#[test]
fn one_repository_that_falls_behind_the_other_is_late_and_lags() {
    let mut world = World::well();
    world.found().newest = Some((instant("2026-11-29T06:00:00+09:00"), 2 * GB));
    let names: Vec<_> = world.failing().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["backup_age_hours", "backup_lag_hours"]);
}

#[test]
fn a_repository_that_cannot_be_opened_says_so_in_the_place_of_everything_else() {
    let mut world = World::well();
    world.seen[0].found = Err(BackupError::NotThere {
        name: "raid".to_owned(),
        path: "/media/raid".into(),
    });
    let failing = world.failing();
    assert_eq!(failing, [("backup_reachable", Some("raid".to_owned()))]);
    let status = world.judged();
    let said = status.probes.iter().find(|one| !one.holds).unwrap();
    assert!(
        said.words.contains("ディスクの接続とマウント"),
        "{}",
        said.words
    );
    assert_eq!(status.repositories[0].bytes, None);
}

#[test]
fn a_machine_that_was_off_for_long_does_nothing_until_somebody_looks() {
    let mut world = World::well();
    for one in &mut world.history.records {
        one.ended_at -= SignedDuration::from_hours(24 * 60);
        one.began_at -= SignedDuration::from_hours(24 * 60);
    }
    let names: Vec<_> = world.failing().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"backup_clock_minutes"), "{names:?}");
}

#[test]
fn looking_at_a_real_repository_finds_its_newest_its_bytes_and_a_lock_of_the_stock_tool() {
    let room = Room::filled();
    room.run().unwrap();
    let now = room.source.taken_at;
    let found = look(&room.settings, now).found.unwrap();
    assert_eq!(found.newest, Some((now, 350_000)));
    assert!(found.bytes > 350_000 && found.free.unwrap() > 0);
    assert_eq!((found.snapshots, found.stock_lock_hours), (1, None));
    put(
        &room
            .settings
            .location
            .directory()
            .unwrap()
            .join("locks/abc"),
        b"lock",
    );
    let found = look(&room.settings, now).found.unwrap();
    assert_eq!(found.stock_lock_hours, Some(0));
    let gone = RepositorySettings {
        location: room.dir.path().join("gone").into(),
        ..room.settings.clone()
    };
    assert!(matches!(
        look(&gone, now).found,
        Err(BackupError::NotThere { .. })
    ));
}
