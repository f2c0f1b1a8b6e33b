//! Which snapshots are kept: a table of cases, and the engine's own rules as a second opinion.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rustic_core::KeepOptions;
use rustic_core::repofile::SnapshotFile;

use super::instant;
use crate::retention::{Ahead, Candidate, Judged, Keep, Remove, Retention, Verdict, plan};

const NOW: &str = "2026-11-29T12:00:00+09:00";
const USUAL: Retention = Retention {
    hourly: 24,
    daily: 7,
    weekly: 5,
    monthly: 12,
    yearly: 10,
    days_max: None,
};
const NONE: Retention = Retention {
    hourly: 0,
    daily: 0,
    weekly: 0,
    monthly: 0,
    yearly: 0,
    days_max: None,
};

fn candidate(at: &str) -> Candidate {
    Candidate {
        id: at.to_owned(),
        taken_at: instant(at),
        is_ours: true,
    }
}

fn judged(times: &[&str], retention: &Retention) -> Vec<Judged> {
    let all = times.iter().map(|at| candidate(at)).collect();
    plan(all, retention, Ahead::Keep, instant(NOW))
}

/// The verdicts, oldest first: what it is kept for, or `-`.
fn said(times: &[&str], retention: &Retention) -> Vec<String> {
    let letter = |keep: &Keep| match keep {
        Keep::Newest => 'n',
        Keep::Hourly => 'h',
        Keep::Daily => 'd',
        Keep::Weekly => 'w',
        Keep::Monthly => 'm',
        Keep::Yearly => 'y',
        Keep::ClockAhead => 'a',
        Keep::NotOurs => 'o',
        Keep::AgeNotBelieved => '?',
    };
    let word = |one: &Judged| match &one.verdict {
        Verdict::Keep(reasons) => reasons.iter().map(letter).collect(),
        Verdict::Remove(_) => "-".to_owned(),
    };
    judged(times, retention).iter().rev().map(word).collect()
}

#[test]
fn a_table_of_cases() {
    let hours = Retention { hourly: 2, ..NONE };
    let days = Retention { daily: 2, ..NONE };
    let weeks = Retention { weekly: 2, ..NONE };
    let months = Retention { monthly: 2, ..NONE };
    let years = Retention { yearly: 2, ..NONE };
    let cases: &[(&str, &Retention, &[&str], &[&str])] = &[
        ("nothing to judge", &USUAL, &[], &[]),
        (
            "the newest stays when nothing is kept",
            &NONE,
            &["2026-11-01T00:00:00+09:00", "2026-11-02T00:00:00+09:00"],
            &["-", "n"],
        ),
        (
            "the last of each hour",
            &hours,
            &[
                "2026-11-29T09:59:00+09:00",
                "2026-11-29T10:00:00+09:00",
                "2026-11-29T10:59:59+09:00",
                "2026-11-29T11:00:00+09:00",
            ],
            &["-", "-", "h", "nh"],
        ),
        (
            "hours without a snapshot do not count",
            &hours,
            &[
                "2026-11-01T09:00:00+09:00",
                "2026-11-10T09:00:00+09:00",
                "2026-11-29T09:00:00+09:00",
            ],
            &["-", "h", "nh"],
        ),
        (
            "the same hour of two days is two hours",
            &hours,
            &["2026-11-28T09:00:00+09:00", "2026-11-29T09:00:00+09:00"],
            &["h", "nh"],
        ),
        (
            "a day begins at midnight in Japan, in the middle of a day in UTC",
            &days,
            &[
                "2026-11-28T14:59:59Z",
                "2026-11-28T15:00:00Z",
                "2026-11-28T23:00:00Z",
            ],
            &["d", "-", "nd"],
        ),
        (
            "no day is longer than another: Japan has no summer time",
            &days,
            &[
                "2026-03-28T23:59:59+09:00",
                "2026-03-29T00:00:00+09:00",
                "2026-10-25T00:00:00+09:00",
            ],
            &["-", "d", "nd"],
        ),
        (
            "a week begins on Monday",
            &weeks,
            &[
                "2026-11-21T09:00:00+09:00",
                "2026-11-22T23:59:59+09:00",
                "2026-11-23T00:00:00+09:00",
            ],
            &["-", "w", "nw"],
        ),
        (
            "a week is one also across New Year",
            &weeks,
            &[
                "2025-12-28T09:00:00+09:00",
                "2025-12-29T09:00:00+09:00",
                "2026-01-01T09:00:00+09:00",
            ],
            &["w", "-", "nw"],
        ),
        (
            "the last day of a month, also in February of a leap year",
            &months,
            &[
                "2024-02-28T23:59:00+09:00",
                "2024-02-29T23:59:59+09:00",
                "2024-03-01T00:00:00+09:00",
            ],
            &["-", "m", "nm"],
        ),
        (
            "the end of a month is Japan's",
            &months,
            &["2026-10-31T14:59:59Z", "2026-10-31T15:00:00Z"],
            &["m", "nm"],
        ),
        (
            "a year ends on 31 December in Japan",
            &years,
            &[
                "2024-12-31T14:59:59Z",
                "2025-12-31T14:59:59Z",
                "2025-12-31T15:00:00Z",
            ],
            &["-", "y", "ny"],
        ),
        (
            "one snapshot can stand for everything",
            &USUAL,
            &["2026-11-29T09:00:00+09:00"],
            &["nhdwmy"],
        ),
        (
            "of one instant one is kept",
            &days,
            &["2026-11-29T09:00:00+09:00", "2026-11-29T00:00:00Z"],
            &["-", "nd"],
        ),
    ];
    for (name, retention, times, wanted) in cases {
        assert_eq!(said(times, retention), *wanted, "{name}");
    }
}

#[test]
fn a_clock_that_jumps_a_year_ahead_or_behind_removes_nothing() {
    let times: Vec<Timestamp> = (0..40)
        .map(|day| instant(NOW) - SignedDuration::from_hours(24 * day))
        .collect();
    let all = || {
        let one = |at: &Timestamp| candidate(&at.to_string());
        times.iter().map(one).collect::<Vec<_>>()
    };
    let keeping = Retention {
        days_max: Some(60),
        ..USUAL
    };
    let year = SignedDuration::from_hours(24 * 365);
    let removed = |now| {
        let plan = plan(all(), &keeping, Ahead::Keep, now);
        plan.iter().filter(|one| one.is_removed()).count()
    };
    let usual = removed(instant(NOW));
    assert!(usual > 0);
    assert_eq!(removed(instant(NOW) + year), usual, "ahead");
    assert_eq!(
        removed(instant(NOW) - year),
        0,
        "behind: all of them are to come"
    );
}

#[test]
fn what_is_older_than_anything_may_be_goes_although_it_is_the_last_of_its_year() {
    let keeping = Retention {
        days_max: Some(90),
        ..USUAL
    };
    let recent = [
        "2026-11-27T09:00:00+09:00",
        "2026-11-28T09:00:00+09:00",
        "2026-11-29T09:00:00+09:00",
    ];
    let old = [
        "2025-12-31T09:00:00+09:00",
        "2026-08-31T11:59:59+09:00",
        "2026-08-31T12:00:00+09:00",
    ];
    let verdicts = said(&[&old[..], &recent[..]].concat(), &keeping);
    assert_eq!(verdicts[..3], ["-", "-", "hdwm"], "90 days to the second");
    let judged = judged(&[&old[..], &recent[..]].concat(), &keeping);
    assert_eq!(
        judged.last().unwrap().verdict,
        Verdict::Remove(Remove::TooOld)
    );
    // Two days with a snapshot are not enough to believe that so much time has passed.
    let verdicts = said(&[&old[..], &recent[1..]].concat(), &keeping);
    assert_eq!(verdicts[0], "hdwmy?");
}

#[test]
fn one_of_a_clock_that_ran_ahead_is_kept_and_named_and_takes_nobodys_place() {
    let times = [
        "2026-11-28T09:00:00+09:00",
        "2026-11-29T11:59:00+09:00",
        "2027-11-29T09:00:00+09:00",
    ];
    assert_eq!(said(&times, &NONE), ["-", "n", "a"]);
    let all = || times.iter().map(|at| candidate(at)).collect::<Vec<_>>();
    let asked = plan(all(), &NONE, Ahead::Remove, instant(NOW));
    assert_eq!(asked[0].verdict, Verdict::Remove(Remove::ClockAhead));
    assert_eq!(asked[1].verdict, Verdict::Keep(vec![Keep::Newest]));
    // When it is all there is, it stays.
    let only = plan(
        vec![candidate(times[2])],
        &NONE,
        Ahead::Remove,
        instant(NOW),
    );
    assert_eq!(only[0].verdict, Verdict::Keep(vec![Keep::ClockAhead]));
    // Ten minutes are within what two clocks may differ by.
    assert_eq!(said(&["2026-11-29T12:10:00+09:00"], &NONE), ["n"]);
}

#[test]
fn one_that_is_not_ours_is_never_removed() {
    let mut all: Vec<Candidate> = ["2026-11-01T09:00:00+09:00", "2026-11-29T09:00:00+09:00"]
        .iter()
        .map(|at| candidate(at))
        .collect();
    all[0].is_ours = false;
    let judged = plan(all, &NONE, Ahead::Remove, instant(NOW));
    assert_eq!(judged[1].verdict, Verdict::Keep(vec![Keep::NotOurs]));
}

/// The engine splits the week at New Year and always counts the oldest; apart from these two it
/// counts as we do.
#[test]
fn within_a_year_the_engine_would_keep_the_same() {
    let mut state = 7_u64;
    let mut random = |below: i64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        i64::try_from(state >> 33).unwrap() % below
    };
    for round in 0..50 {
        let mut times: Vec<Timestamp> = (0..120)
            .map(|_| {
                instant("2026-01-05T00:00:00+09:00")
                    + SignedDuration::from_secs(random(355 * 86_400))
            })
            .collect();
        times.sort();
        times.dedup();
        let number = |value: i64| u16::try_from(value).unwrap();
        let retention = Retention {
            hourly: number(random(5)),
            daily: number(random(5)),
            weekly: number(random(5)),
            monthly: number(random(5)),
            yearly: 1,
            days_max: None,
        };
        let now = instant("2026-12-28T00:00:00+09:00");
        let all = times.iter().map(|at| candidate(&at.to_string())).collect();
        let ours: BTreeMap<String, bool> = plan(all, &retention, Ahead::Keep, now)
            .into_iter()
            .map(|one| (one.taken_at.to_string(), !one.is_removed()))
            .collect();
        let theirs = by_the_engine(&times, &retention);
        let oldest = times.first().unwrap().to_string();
        for (at, kept) in &theirs {
            assert!(
                *at == oldest || ours[at] == *kept,
                "round {round}: {at} {retention:?}"
            );
        }
    }
}

fn by_the_engine(times: &[Timestamp], retention: &Retention) -> BTreeMap<String, bool> {
    let zone = rustic_core::jiff::tz::TimeZone::fixed(rustic_core::jiff::tz::offset(9));
    let snapshots = times.iter().map(|at| SnapshotFile {
        time: crate::source::engine_instant(*at).to_zoned(zone.clone()),
        ..SnapshotFile::default()
    });
    let some = |count: u16| Some(i32::from(count));
    let mut keep = KeepOptions::default();
    keep.keep_last = Some(1);
    keep.keep_hourly = some(retention.hourly);
    keep.keep_daily = some(retention.daily);
    keep.keep_weekly = some(retention.weekly);
    keep.keep_monthly = some(retention.monthly);
    keep.keep_yearly = some(retention.yearly);
    let now = crate::source::engine_instant(instant("2026-12-28T00:00:00+09:00"));
    let now = now.to_zoned(zone.clone());
    keep.apply(snapshots.collect(), &now)
        .unwrap()
        .into_iter()
        .map(|one| (one.snapshot.time.timestamp().to_string(), one.keep))
        .collect()
}
