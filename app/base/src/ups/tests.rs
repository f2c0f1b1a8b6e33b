//! What is decided from what supplies say, and what is told of it.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::settings::UpsSettings;

const POLL: Duration = Duration::from_secs(2);

fn settings() -> UpsSettings {
    UpsSettings::default()
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn said(status: &str, charge: u8, runtime: u32) -> Option<Reading> {
    Reading::parse(&format!(
        "ups.status: {status}\nbattery.charge: {charge}\nbattery.runtime: {runtime}\n"
    ))
}

/// A single supply, asked every other second.
struct One {
    engine: Engine,
    now: Duration,
}

impl One {
    fn new() -> Self {
        Self {
            engine: Engine::new(&settings()),
            now: Duration::ZERO,
        }
    }

    fn hears(&mut self, reading: Option<Reading>) -> State {
        self.now += POLL;
        self.engine.step(self.now, &[reading])
    }

    fn hears_for(&mut self, long: u64, reading: &Option<Reading>) -> State {
        let until = self.now + seconds(long);
        let mut state = self.hears(reading.clone());
        while self.now < until {
            state = self.hears(reading.clone());
        }
        state
    }
}

fn left(state: State) -> u64 {
    match state {
        State::OnBattery { seconds_left, .. } => seconds_left,
        State::OnLine
        | State::Flicker
        | State::ShuttingDown { .. }
        | State::Silent
        | State::Testing => panic!("{state:?}"),
    }
}

fn stops(state: State, limit: Limit) {
    assert_eq!(state, State::ShuttingDown { limit });
}

#[test]
fn an_answer_is_read_with_its_flags_and_numbers_and_a_driver_that_starts_is_none() {
    let text = "Init SSL without certificate database\nbattery.charge: 87.5\nbattery.runtime: 1800\n\
                ups.load: 34\nups.status: OB DISCHRG LB RB\nups.test.result: Done and passed\n";
    let reading = Reading::parse(text).unwrap();
    assert!(reading.is(Flag::OnBattery) && reading.is(Flag::LowBattery));
    assert!(reading.is(Flag::ReplaceBattery) && !reading.is(Flag::OnLine));
    assert_eq!(reading.charge_percent, Some(87));
    assert_eq!(reading.runtime_seconds, Some(1800));
    assert_eq!(reading.load_percent, Some(34));
    assert!(!reading.tests_by_word);
    assert_eq!(Reading::parse("ups.status: WAIT\n"), None);
    assert_eq!(Reading::parse("Error: Data stale\n"), None);
    let odd = Reading::parse("ups.status: OL\nbattery.charge: -3\nbattery.runtime: x\n").unwrap();
    assert_eq!((odd.charge_percent, odd.runtime_seconds), (None, None));
}

#[test]
fn a_flicker_is_nobodys_business_and_leaves_nothing_behind() {
    let mut one = One::new();
    assert_eq!(one.hears(said("OL", 100, 3000)), State::OnLine);
    assert_eq!(one.hears_for(12, &said("OB", 100, 3000)), State::Flicker);
    assert_eq!(one.hears(said("OL", 100, 3000)), State::OnLine);
    // Of the earlier one nothing is counted.
    assert_eq!(one.hears_for(12, &said("OB", 100, 3000)), State::Flicker);
}

#[test]
fn whichever_threshold_is_first_stops_the_machine() {
    let mut by_time = One::new();
    let state = by_time.hears_for(590, &said("OB", 100, 5000));
    assert_eq!(left(state), 12);
    stops(by_time.hears_for(12, &said("OB", 100, 5000)), Limit::Time);

    let mut by_charge = One::new();
    by_charge.hears_for(30, &said("OB", 60, 5000));
    // The second half of what 60 % last; the first is wanted for stopping.
    assert_eq!(left(by_charge.hears(said("OB", 60, 700))), 350);
    by_charge.hears(said("OB", 30, 5000));
    stops(by_charge.hears(said("OB", 30, 5000)), Limit::Battery);

    let mut by_runtime = One::new();
    let state = by_runtime.hears_for(30, &said("OB", 100, 420));
    assert_eq!(left(state), 120);
    by_runtime.hears(said("OB", 90, 299));
    stops(by_runtime.hears(said("OB", 90, 299)), Limit::Battery);
}

#[test]
fn a_supply_that_says_nothing_of_its_battery_still_has_the_clock_and_its_own_warning() {
    let bare = Reading::parse("ups.status: OB\n");
    let mut one = One::new();
    assert_eq!(left(one.hears_for(100, &bare)), 502);
    stops(
        one.hears(Reading::parse("ups.status: OB LB\n")),
        Limit::LowBattery,
    );
}

#[test]
fn a_number_that_is_low_once_stops_nothing() {
    let mut one = One::new();
    one.hears_for(30, &said("OB", 90, 3000));
    one.hears(said("OB", 0, 0));
    let state = one.hears(said("OB", 90, 3000));
    assert!(matches!(state, State::OnBattery { .. }), "{state:?}");
}

#[test]
fn a_battery_that_warns_stops_at_once_but_not_while_it_is_tested_or_charged() {
    let mut one = One::new();
    assert_eq!(one.hears(said("OL LB", 10, 100)), State::OnLine);
    assert_eq!(one.hears(said("OB LB CAL", 10, 100)), State::Testing);
    assert_eq!(one.hears(said("OB LB TEST", 10, 100)), State::Testing);
    stops(one.hears(said("OB LB", 10, 100)), Limit::LowBattery);
}

#[test]
fn a_calibration_of_hours_stops_nothing_and_a_test_told_in_words_for_some_minutes() {
    let mut one = One::new();
    let state = one.hears_for(7200, &said("OB DISCHRG CAL", 20, 200));
    assert_eq!(state, State::Testing);
    let mut by_word = said("OB DISCHRG", 100, 3000);
    if let Some(reading) = &mut by_word {
        reading.tests_by_word = true;
    }
    let mut one = One::new();
    assert_eq!(one.hears_for(590, &by_word), State::Testing);
    // The words stayed behind.
    stops(one.hears_for(620, &by_word), Limit::Time);
}

#[test]
fn a_lost_cable_is_told_and_stops_nothing_whatever_it_said_before() {
    let mut one = One::new();
    assert_eq!(one.hears_for(86_400, &None), State::Silent);
    assert_eq!(one.hears(said("OL LB", 5, 60)), State::OnLine);
    assert_eq!(one.hears_for(86_400, &None), State::Silent);
    assert_eq!(one.hears(said("OL", 100, 3000)), State::OnLine);
}

#[test]
fn one_that_falls_silent_on_battery_goes_on_emptying() {
    let mut one = One::new();
    let before = left(one.hears_for(30, &said("OB", 90, 500)));
    let state = one.hears_for(60, &None);
    assert_eq!(left(state), before - 60);
    stops(one.hears_for(before, &None), Limit::Battery);
    let mut back = One::new();
    back.hears_for(30, &said("OB", 90, 500));
    back.hears_for(60, &None);
    assert_eq!(back.hears(said("OL", 80, 400)), State::OnLine);
}

#[test]
fn what_was_decided_is_not_taken_back() {
    let mut one = One::new();
    stops(one.hears(said("FSD OL", 100, 3000)), Limit::Forced);
    stops(one.hears_for(60, &said("OL", 100, 3000)), Limit::Forced);
    stops(one.hears(None), Limit::Forced);
}

#[test]
fn of_several_so_many_must_last_as_are_required() {
    let two = |required: u8| {
        Engine::new(&UpsSettings {
            units: vec!["a@localhost".to_owned(), "b@localhost".to_owned()],
            required,
            ..settings()
        })
    };
    let (line, battery) = (said("OL", 100, 3000), said("OB", 100, 3000));
    let empty = said("OB LB", 5, 60);
    let mut one_of_two = two(1);
    let now = seconds(100);
    assert_eq!(
        one_of_two.step(now, &[empty.clone(), line.clone()]),
        State::OnLine
    );
    assert_eq!(
        one_of_two.step(now, &[empty.clone(), battery.clone()]),
        State::Flicker
    );
    stops(
        one_of_two.step(now, &[empty.clone(), empty.clone()]),
        Limit::LowBattery,
    );
    let mut both = two(2);
    assert_eq!(
        both.step(now, &[line.clone(), battery.clone()]),
        State::Flicker
    );
    let mut quiet = two(2);
    assert_eq!(quiet.step(now, &[line.clone(), None]), State::Silent);
    stops(
        both.step(now, &[line.clone(), empty.clone()]),
        Limit::LowBattery,
    );
    // One that never answered holds nothing up, and stops nothing by itself.
    let mut silent = two(1);
    assert_eq!(silent.step(now, &[None, line]), State::OnLine);
    assert_eq!(silent.step(now, &[None, battery]), State::Flicker);
    stops(silent.step(now, &[None, empty]), Limit::LowBattery);
}

#[test]
fn a_watcher_that_is_started_anew_does_not_count_from_the_beginning() {
    let mut one = One::new();
    let state = one.hears_for(400, &said("OB", 100, 5000));
    let known = one.engine.on_battery(one.now);
    let late = seconds(1000);
    let mut next = Engine::new(&settings()).resumed(late, &known, &state);
    assert_eq!(left(next.step(late, &[said("OB", 100, 5000)])), 202);
    let decided = State::ShuttingDown { limit: Limit::Time };
    let mut next = Engine::new(&settings()).resumed(late, &[None], &decided);
    stops(next.step(late, &[said("OL", 100, 5000)]), Limit::Time);
}

fn told(state: State, at: &str) -> Told {
    Told {
        at: at.parse().unwrap(),
        state,
        stop: Stop::NotYet,
        units: vec![Unit {
            name: "ups@localhost".to_owned(),
            reading: said("OB LB", 80, 1200),
            on_battery_seconds: Some(30),
        }],
    }
}

#[test]
fn what_is_real_goes_before_a_training_and_an_old_file_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let now = "2026-11-30T09:00:10Z".parse().unwrap();
    let battery = State::OnBattery {
        seconds: 30,
        seconds_left: 500,
        limit: Limit::Time,
    };
    assert_eq!(Seen::look(dir.path(), now).unwrap(), Seen::default());
    let training = told(battery, "2026-11-30T09:00:10Z");
    training.write_training(dir.path()).unwrap();
    let line = told(State::OnLine, "2026-11-30T09:00:08Z");
    line.write(dir.path()).unwrap();
    let seen = Seen::look(dir.path(), now).unwrap();
    assert_eq!(seen.shown(), Some((&training, true)));
    assert!(!seen.is_outage());
    let real = told(battery, "2026-11-30T09:00:00Z");
    real.write(dir.path()).unwrap();
    let seen = Seen::look(dir.path(), now).unwrap();
    assert_eq!(seen.shown(), Some((&real, false)));
    assert_eq!(real.seconds_left(now), Some(490));
    let later = "2026-11-30T09:00:26Z".parse().unwrap();
    assert_eq!(Seen::look(dir.path(), later).unwrap(), Seen::default());
    // A clock that was set back.
    let earlier = "2026-11-30T08:00:00Z".parse().unwrap();
    assert_eq!(Seen::look(dir.path(), earlier).unwrap(), Seen::default());
    end_training(dir.path()).unwrap();
    end_training(dir.path()).unwrap();
    crate::paths::write_atomic(&dir.path().join("state.json"), b"{", 0o600).unwrap();
    assert!(matches!(
        Seen::look(dir.path(), now),
        Err(SmallFileError::Bent { .. })
    ));
}

/// One answer (or none) of a supply, with what it may say of its battery.
fn answer(statuses: &'static [&'static str]) -> impl Strategy<Value = Option<Reading>> {
    let said = (prop::sample::select(statuses), 0..=100_u8, 0..=4000_u32);
    prop::option::weighted(
        0.8,
        said.prop_map(|(status, charge, runtime)| {
            Reading::parse(&format!(
                "ups.status: {status}\nbattery.charge: {charge}\nbattery.runtime: {runtime}\n"
            ))
            .unwrap()
        }),
    )
}

const HARMLESS: &[&str] = &[
    "OL",
    "OL LB",
    "OL CHRG RB",
    "OB CAL LB",
    "OB TEST",
    "OFF",
    "BYPASS",
];
const ANY: &[&str] = &[
    "OL", "OB", "OB LB", "OL LB", "OB CAL", "OB RB", "OFF", "FSD OB",
];
const BATTERY: &[&str] = &["OB", "OB RB OVER", "OB DISCHRG"];

proptest! {
    #[test]
    fn without_a_word_of_battery_nothing_ever_stops(
        answers in prop::collection::vec(answer(HARMLESS), 1..600)
    ) {
        let mut one = One::new();
        for reading in answers {
            let state = one.hears(reading);
            prop_assert!(
                matches!(state, State::OnLine | State::Silent | State::Testing),
                "{:?}", state
            );
        }
    }

    #[test]
    fn outages_shorter_than_a_flicker_never_stop(
        outages in prop::collection::vec(prop::collection::vec(answer(BATTERY), 1..7), 1..60)
    ) {
        let mut one = One::new();
        for outage in outages {
            for reading in outage {
                let state = one.hears(reading);
                prop_assert!(matches!(state, State::Flicker | State::Silent), "{:?}", state);
            }
            prop_assert_eq!(one.hears(said("OL", 5, 10)), State::OnLine);
        }
    }

    #[test]
    fn on_battery_or_silent_since_it_ends_at_the_latest_when_the_clock_says(
        answers in prop::collection::vec(answer(BATTERY), 301)
    ) {
        let mut one = One::new();
        one.hears(said("OB", 100, 4000));
        let mut state = State::OnLine;
        for reading in answers {
            state = one.hears(reading);
            if let State::OnBattery { seconds, seconds_left, .. } = state {
                prop_assert!(seconds + seconds_left <= 600, "{:?}", state);
            }
        }
        prop_assert!(matches!(state, State::ShuttingDown { .. }), "{:?}", state);
    }

    #[test]
    fn once_decided_it_stays_decided(
        answers in prop::collection::vec(prop::collection::vec(answer(ANY), 3), 1..400),
        required in 1..=3_u8,
    ) {
        let mut engine = Engine::new(&UpsSettings {
            units: ["a", "b", "c"].map(|name| format!("{name}@localhost")).to_vec(),
            required,
            ..settings()
        });
        let (mut now, mut decided) = (Duration::ZERO, None);
        for readings in answers {
            now += POLL;
            let state = engine.step(now, &readings);
            if let Some(decided) = decided {
                prop_assert_eq!(state, decided);
            }
            if let State::ShuttingDown { .. } = state {
                decided = Some(state);
            }
        }
    }

    #[test]
    fn any_text_is_an_answer_or_none(text in ".{0,300}", name in "[a-z.]{0,20}") {
        let _answer = Reading::parse(&text);
        let _named = Reading::parse(&format!("ups.status: OL\n{name}: {text}"));
    }
}
