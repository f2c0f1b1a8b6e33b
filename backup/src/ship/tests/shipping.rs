//! What is shipped comes back, whatever happens to the database's files, the disk and the clock.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;

use base::shipping::State;
use jiff::SignedDuration;
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::{Bench, Model};
use crate::ship::{DatabaseId, ShipError, Target, plan_prune, plan_rebuild, prune};

#[test]
fn every_transaction_is_a_point_that_comes_back_byte_for_byte() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    bench.model.commit(&[1, 2], 4);
    bench.settle(&mut shipper);
    let mut states = vec![(shipper.answer().commit, bench.model.state())];
    for (pages, size) in [(vec![2], 6), (vec![0, 5], 6), (vec![1], 2), (vec![1], 9)] {
        bench.model.commit(&pages, size);
        bench.settle(&mut shipper);
        assert!(shipper.answer().yes);
        states.push((shipper.answer().commit, bench.model.state()));
    }
    assert_eq!(states.len(), 5);
    for (commit, state) in &states {
        assert_eq!(
            &bench.rebuilt(Target::Commit(*commit)),
            &(*commit, state.clone())
        );
    }
    let (newest, state) = bench.rebuilt(Target::Newest);
    assert_eq!(states.last(), Some(&(newest, state)));
    let none = plan_rebuild(bench.place(), Target::Commit(99));
    assert!(matches!(none, Err(ShipError::NoPoint)), "{none:?}");
}

#[test]
fn a_minute_brings_the_last_transaction_until_then() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    bench.settle(&mut shipper);
    bench.model.commit(&[1], 3);
    bench.settle(&mut shipper);
    let mut shown = Vec::new();
    for _ in 0..3 {
        bench.hand.step(SignedDuration::from_mins(10));
        bench.model.commit(&[1], 3);
        bench.settle(&mut shipper);
        shown.push((bench.clock.now(), bench.model.state()));
    }
    for (at, state) in &shown {
        let late = *at + SignedDuration::from_mins(9);
        assert_eq!(&bench.rebuilt(Target::At(late)).1, state);
    }
    let before = "2026-04-06T00:00:00Z".parse().unwrap();
    let none = plan_rebuild(bench.place(), Target::At(before));
    assert!(matches!(none, Err(ShipError::NoPoint)), "{none:?}");
    // Set back: the same minutes once more, and the later one is meant.
    bench.hand.set(shown[0].0);
    bench.model.commit(&[2], 3);
    bench.settle(&mut shipper);
    let plan = plan_rebuild(bench.place(), Target::At(shown[1].0)).unwrap();
    assert!(plan.clock_set_back);
    assert_eq!(bench.performed(&plan), bench.model.state());
}

#[test]
fn a_log_that_begins_anew_is_followed_without_a_new_generation() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    for round in 0..6 {
        for _ in 0..4 {
            bench.model.commit(&[round, round + 3], 8);
        }
        bench.settle(&mut shipper);
        assert!(shipper.may_fold().yes);
        bench.model.fold();
    }
    assert_eq!(bench.generations(), 1);
    assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
}

#[test]
fn a_log_that_grew_past_the_place_is_followed_only_when_it_was_asked_for() {
    for (asked, generations) in [(true, 1), (false, 2)] {
        let mut bench = Bench::new();
        let mut shipper = bench.shipper();
        bench.model.commit(&[1], 3);
        bench.settle(&mut shipper);
        bench.model.commit(&[1], 3);
        bench.settle(&mut shipper);
        if asked {
            assert!(shipper.may_fold().yes);
        }
        bench.model.fold();
        for _ in 0..9 {
            bench.model.commit(&[1, 2], 5);
        }
        bench.settle(&mut shipper);
        assert_eq!(bench.generations(), generations);
        assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
    }
}

#[test]
fn transactions_that_were_folded_unseen_make_a_new_generation_and_the_old_one_stays() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    bench.model.commit(&[1], 3);
    bench.settle(&mut shipper);
    let (seen, old) = (shipper.answer().commit, bench.model.state());
    bench.model.commit(&[2], 4);
    bench.model.fold();
    bench.model.commit(&[3], 5);
    bench.settle(&mut shipper);
    assert_eq!(bench.generations(), 2);
    assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
    assert_eq!(bench.rebuilt(Target::Commit(seen)).1, old);
}

#[test]
fn what_was_given_up_halfway_is_never_shipped() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    bench.model.commit(&[1], 3);
    bench.settle(&mut shipper);
    bench.model.give_up(&[1, 2, 3, 4]);
    bench.settle(&mut shipper);
    assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
    bench.model.commit(&[2], 3);
    bench.settle(&mut shipper);
    bench.model.give_up(&[1, 2, 3, 4]);
    bench.model.fold();
    bench.model.commit(&[1], 3);
    bench.settle(&mut shipper);
    assert_eq!(bench.generations(), 1);
    assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
}

#[test]
fn a_database_that_was_set_back_makes_a_new_generation() {
    for restarted in [false, true] {
        let mut bench = Bench::new();
        let mut shipper = bench.shipper();
        bench.model.commit(&[1], 3);
        bench.settle(&mut shipper);
        let kept = bench.model.keep();
        bench.model.commit(&[2], 4);
        bench.settle(&mut shipper);
        let (ahead, lost) = (shipper.answer().commit, bench.model.state());
        bench.model = Model::set_back(kept);
        if restarted {
            shipper = bench.shipper();
        }
        bench.settle(&mut shipper);
        assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
        bench.model.commit(&[1, 2], 6);
        bench.settle(&mut shipper);
        assert_eq!(bench.generations(), 2);
        assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
        assert_eq!(bench.rebuilt(Target::Commit(ahead)), (ahead, lost));
    }
}

#[test]
fn a_shipper_that_starts_again_goes_on_where_the_disk_stands() {
    let mut bench = Bench::new();
    for round in 0..5 {
        let mut shipper = bench.shipper();
        bench.model.commit(&[round], 4);
        bench.settle(&mut shipper);
        bench.model.commit(&[round + 1], 4);
        // Killed: what it knew is gone.
        drop(shipper);
    }
    bench.settle(&mut bench.shipper());
    assert_eq!(bench.generations(), 1);
    assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
}

#[test]
fn a_disk_that_vanishes_and_returns_catches_up() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    bench.model.commit(&[1], 3);
    bench.settle(&mut shipper);
    let away = bench.root.path().join("away");
    fs::rename(bench.place(), &away).unwrap();
    bench.model.commit(&[2], 3);
    bench.settle(&mut shipper);
    assert_eq!(shipper.answer().state, State::Absent);
    assert!(!shipper.answer().yes && !shipper.may_fold().yes);
    // What is left when a disk is pulled: the empty directory it was mounted on.
    fs::create_dir(bench.place()).unwrap();
    bench.settle(&mut shipper);
    assert_eq!(shipper.answer().state, State::Absent);
    assert_eq!(fs::read_dir(bench.place()).unwrap().count(), 0);
    fs::remove_dir(bench.place()).unwrap();
    fs::rename(&away, bench.place()).unwrap();
    bench.model.commit(&[1], 5);
    bench.settle(&mut shipper);
    assert!(shipper.answer().yes);
    assert_eq!(bench.generations(), 1);
    assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
}

#[test]
fn a_foreign_disk_is_left_untouched() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    bench.model.commit(&[1], 3);
    let other = Bench::new();
    let away = bench.root.path().join("away");
    fs::rename(bench.place(), &away).unwrap();
    for foreign in ["another machine's", "somebody's", "bent"] {
        fs::create_dir(bench.place()).unwrap();
        let file = bench.place().join(crate::ship::DISK_FILE);
        match foreign {
            "another machine's" => {
                fs::copy(other.place().join(crate::ship::DISK_FILE), file)
                    .map(drop)
                    .unwrap();
            }
            "somebody's" => drop(File::create(bench.place().join("photo.jpg")).unwrap()),
            _ => drop(File::create(file).unwrap()),
        }
        bench.settle(&mut shipper);
        assert_eq!(shipper.answer().state, State::Foreign, "{foreign}");
        assert_eq!(fs::read_dir(bench.place()).unwrap().count(), 1, "{foreign}");
        let ShipError::NotOurs(_) = crate::ship::enrol(
            bench.place(),
            &bench.settings.machine,
            DatabaseId::of_key(b"another key"),
            bench.clock.now(),
        )
        .unwrap_err() else {
            panic!("{foreign} was enrolled");
        };
        fs::remove_dir_all(bench.place()).unwrap();
    }
}

#[test]
fn a_base_that_was_cut_short_is_begun_again_and_leaves_nothing() {
    let mut bench = Bench::new();
    bench.model.commit(&[1], 30);
    for records in 0..4 {
        let mut shipper = bench.shipper();
        for _ in 0..records {
            shipper.turn();
        }
        drop(shipper);
    }
    let mut shipper = bench.shipper();
    bench.settle(&mut shipper);
    assert_eq!(bench.generations(), 1);
    assert_eq!(bench.rebuilt(Target::Newest).1, bench.model.state());
}

#[test]
fn a_day_later_a_generation_begins_and_every_transaction_stays_a_point() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    let mut points = Vec::new();
    for _ in 0..6 {
        bench.hand.step(SignedDuration::from_hours(13));
        bench.model.commit(&[1, 2], 7);
        shipper.turn();
        bench.model.commit(&[3], 7);
        bench.settle(&mut shipper);
        points.push((shipper.answer().commit, bench.model.state()));
    }
    assert!(bench.generations() > 2);
    for (commit, state) in points {
        assert_eq!(bench.rebuilt(Target::Commit(commit)), (commit, state));
    }
}

#[test]
fn generations_past_their_days_go_and_every_later_moment_stays() {
    let mut bench = Bench::new();
    let mut shipper = bench.shipper();
    let mut points = Vec::new();
    for _ in 0..8 {
        bench.hand.step(SignedDuration::from_hours(26));
        bench.model.commit(&[1], 4);
        bench.settle(&mut shipper);
        bench.model.commit(&[2], 4);
        bench.settle(&mut shipper);
        points.push((
            bench.clock.now(),
            shipper.answer().commit,
            bench.model.state(),
        ));
    }
    let now = bench.clock.now();
    let plan = plan_prune(&bench.settings, 3, now).unwrap();
    assert!(!plan.removed.is_empty() && plan.kept.len() > 1, "{plan:?}");
    prune(&bench.settings, &plan).unwrap();
    assert_eq!(bench.generations(), plan.kept.len());
    let since = now - SignedDuration::from_hours(72);
    for (at, commit, state) in points {
        let there = plan_rebuild(bench.place(), Target::Commit(commit));
        if at >= since {
            assert_eq!(bench.performed(&there.unwrap()), state);
        }
    }
    let again = plan_prune(&bench.settings, 3, now).unwrap();
    assert_eq!(again.removed, []);
    // A clock a year ahead, or a disk that was away for a year: nothing goes.
    let year = now + SignedDuration::from_hours(24 * 365);
    let later = plan_prune(&bench.settings, 3, year).unwrap();
    assert!(later.stands_still);
    assert_eq!(later.removed, []);
}

/// A log of two generations with their states, for bending.
fn shipped() -> (Bench, Vec<(u64, super::State)>) {
    let mut bench = Bench::new();
    let mut states = Vec::new();
    for round in 0..4 {
        // Segments of their own: each shipper begins one.
        let mut shipper = bench.shipper();
        bench.settle(&mut shipper);
        for _ in 0..3 {
            bench.model.commit(&[round, round + 1], 4 + round);
            bench.settle(&mut shipper);
            states.push((shipper.answer().commit, bench.model.state()));
        }
        if round == 1 {
            bench.model.close();
        }
    }
    assert_eq!(bench.generations(), 2);
    (bench, states)
}

/// Asks for every state: each is either the right one or refused. How many were refused or named.
fn asked_for_all(bench: &Bench, states: &[(u64, super::State)], what: &str) -> usize {
    let mut named = 0;
    for (commit, state) in states {
        match plan_rebuild(bench.place(), Target::Commit(*commit)) {
            Ok(plan) => {
                assert_eq!(
                    &bench.performed(&plan),
                    state,
                    "{what}: transaction {commit}"
                );
                named += usize::from(!plan.damage.is_empty());
            }
            Err(_) => named += 1,
        }
    }
    if let Ok(plan) = plan_rebuild(bench.place(), Target::Newest) {
        let bytes = bench.performed(&plan);
        let right = states.iter().find(|(commit, _)| *commit == plan.commit);
        let is_base = right.is_none();
        assert!(
            is_base || right.is_some_and(|(_, state)| *state == bytes),
            "{what}"
        );
        let newest = states
            .last()
            .is_some_and(|(commit, _)| *commit == plan.commit);
        named += usize::from(!plan.damage.is_empty());
        assert!(
            newest || !plan.damage.is_empty(),
            "{what}: older without a word"
        );
    } else {
        named += 1;
    }
    named
}

#[test]
fn a_bent_byte_anywhere_is_named_or_harmless() {
    let (bench, states) = shipped();
    assert_eq!(asked_for_all(&bench, &states, "whole"), 0);
    let files = bench.files();
    let (mut named, mut bent) = (0, 0);
    for (number, file) in files.iter().enumerate() {
        let bytes = fs::read(file).unwrap();
        // Every byte of a head and the first record's head, then strides that meet every kind of field.
        let places =
            (0..bytes.len()).filter(|at| *at < 300 && at % 13 == number % 13 || at % 211 == 0);
        for at in places {
            let open = File::options().write(true).open(file).unwrap();
            open.write_all_at(&[bytes[at] ^ 0x10], at as u64).unwrap();
            let what = format!("{} byte {at}", file.display());
            named += usize::from(asked_for_all(&bench, &states, &what) > 0);
            bent += 1;
            open.write_all_at(&bytes[at..=at], at as u64).unwrap();
        }
    }
    assert!(bent > 150, "{bent}");
    // Every byte is under a hash that something needs; none is harmless.
    assert_eq!(named, bent);
    assert_eq!(asked_for_all(&bench, &states, "mended"), 0);
}

#[test]
fn a_log_that_is_cut_anywhere_goes_on_and_gives_back_what_stands() {
    let mut cuts = 0;
    for keep in (0_u64..).step_by(61) {
        let mut bench = Bench::new();
        let mut shipper = bench.shipper();
        let mut states = Vec::new();
        for _ in 0..3 {
            bench.model.commit(&[1, 2], 5);
            bench.settle(&mut shipper);
            states.push((shipper.answer().commit, bench.model.state()));
        }
        drop(shipper);
        let last = bench.files().pop().unwrap();
        let open = File::options().write(true).open(&last).unwrap();
        if keep >= open.metadata().unwrap().len() {
            break;
        }
        open.set_len(keep).unwrap();
        if let Ok(plan) = plan_rebuild(bench.place(), Target::Newest) {
            let state = bench.performed(&plan);
            assert!(states.contains(&(plan.commit, state)), "cut at {keep}");
            assert!(!plan.damage.is_empty() || plan.commit < 3, "cut at {keep}");
        }
        // The database's own log still has it all.
        let mut shipper = bench.shipper();
        bench.settle(&mut shipper);
        let newest = bench.rebuilt(Target::Newest);
        assert_eq!(
            newest,
            (shipper.answer().commit, bench.model.state()),
            "cut at {keep}"
        );
        cuts += 1;
    }
    assert!(cuts > 60, "{cuts}");
}

#[derive(Debug, Clone)]
enum Act {
    Commit(Vec<u32>, u32),
    GiveUp(Vec<u32>),
    Fold { asked: bool },
    Close,
    Turn,
    Settle,
    Kill,
    Pull,
    Plug,
    Keep,
    SetBack,
    Clock(i64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let pages = || prop::collection::vec(0_u32..9, 1..5);
    let act = prop_oneof![
        12 => (pages(), 1_u32..12).prop_map(|(pages, size)| Act::Commit(pages, size)),
        2 => pages().prop_map(Act::GiveUp),
        3 => any::<bool>().prop_map(|asked| Act::Fold { asked }),
        1 => proptest::strategy::Just(Act::Close),
        6 => proptest::strategy::Just(Act::Turn),
        3 => proptest::strategy::Just(Act::Settle),
        2 => proptest::strategy::Just(Act::Kill),
        1 => proptest::strategy::Just(Act::Pull),
        2 => proptest::strategy::Just(Act::Plug),
        1 => proptest::strategy::Just(Act::Keep),
        1 => proptest::strategy::Just(Act::SetBack),
        2 => (-90_000_i64..90_000).prop_map(Act::Clock),
    ];
    prop::collection::vec(act, 1..60)
}

proptest! {
    #![proptest_config(Config { cases: 120, failure_persistence: None, ..Config::default() })]

    /// Whatever happens in whatever order: what is said to be durable comes back, and nothing but states
    /// that were committed comes back.
    #[test]
    fn nothing_but_what_was_committed_ever_comes_back(acts in acts()) {
        let mut bench = Bench::new();
        let mut shipper = bench.shipper();
        let away = bench.root.path().join("away");
        let mut committed = vec![bench.model.state()];
        let mut durable = Vec::new();
        let mut kept = None;
        for act in acts {
            match act {
                Act::Commit(pages, size) => {
                    bench.model.commit(&pages, size);
                    committed.push(bench.model.state());
                }
                Act::GiveUp(pages) => bench.model.give_up(&pages),
                Act::Fold { asked } => {
                    // As the service: nobody commits between the question and the folding.
                    if asked && (shipper.turn().again || !shipper.may_fold().yes) {
                        continue;
                    }
                    bench.model.fold();
                }
                Act::Close => bench.model.close(),
                Act::Turn => _ = shipper.turn(),
                Act::Settle => {
                    bench.settle(&mut shipper);
                    if shipper.answer().yes {
                        durable.push((shipper.answer().commit, bench.model.state()));
                    }
                }
                Act::Kill => shipper = bench.shipper(),
                Act::Pull => drop(fs::rename(bench.place(), &away)),
                Act::Plug => drop(fs::rename(&away, bench.place())),
                Act::Keep => kept = Some(bench.model.keep()),
                Act::SetBack => {
                    if let Some(kept) = kept.take() {
                        bench.model = Model::set_back(kept);
                        // The kernel tells of files that are written, also by whoever sets them back.
                        shipper.turn();
                    }
                }
                Act::Clock(seconds) => bench.hand.step(SignedDuration::from_secs(seconds)),
            }
        }
        drop(fs::rename(&away, bench.place()));
        bench.model.commit(&[1], 3);
        bench.settle(&mut shipper);
        assert!(shipper.answer().yes, "{:?}", shipper.answer());
        committed.push(bench.model.state());
        durable.push((shipper.answer().commit, bench.model.state()));
        for (commit, state) in durable {
            assert_eq!(bench.rebuilt(Target::Commit(commit)), (commit, state));
        }
        for commit in 1..=shipper.answer().commit {
            if let Ok(plan) = plan_rebuild(bench.place(), Target::Commit(commit)) {
                assert!(plan.damage.is_empty(), "{:?}", plan.damage);
                let bytes = bench.performed(&plan);
                assert!(committed.contains(&bytes), "transaction {commit} was never committed");
            }
        }
    }
}
