//! Records of jobs, whose turn it is, what is due.

use std::fs::{self, File};
use std::io::Write as _;

use jiff::{SignedDuration, Timestamp};

use super::instant;
use crate::due::{Clock, Schedule, clock, due, next_turn, reading};
use crate::records::{History, Job, Outcome, Record, Records, Slice};
use crate::{BackupError, Turn};

const SCHEDULE: Schedule = Schedule {
    drill_hour: 1,
    prune_weekday: 7,
    prune_hour: 3,
    read_hour: 4,
    read_days: 28,
    clock_jump_days_max: 14,
};
/// Sunday.
const NOW: &str = "2026-11-29T12:34:56+09:00";

fn record(job: Job, repository: &str, began: &str, outcome: Outcome) -> Record {
    let began = instant(began);
    Record {
        outcome,
        ..Record::new(
            job,
            repository,
            began,
            began + SignedDuration::from_secs(90),
        )
    }
}

fn history(records: &[Record]) -> History {
    History {
        records: records.to_vec(),
        unreadable: 0,
    }
}

#[test]
fn records_come_back_in_the_order_of_the_deeds_whatever_the_clock_said() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::at(&dir.path().join("records"));
    assert_eq!(records.read().unwrap(), History::default());
    let ahead = record(Job::Run, "raid", "2027-11-29T12:00:00+09:00", Outcome::Ok);
    let right = record(Job::Run, "raid", NOW, Outcome::Failed);
    records.append(&ahead).unwrap();
    records.append(&right).unwrap();
    assert_eq!(records.read().unwrap().records, [ahead, right]);
}

#[test]
fn a_torn_line_is_nobodys_record_and_the_next_append_drops_it() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::at(dir.path());
    let one = record(Job::Run, "raid", NOW, Outcome::Ok);
    records.append(&one).unwrap();
    let path = dir.path().join("runs.jsonl");
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(b"{\"job\":\"run\",\"repo").unwrap();
    let read = records.read().unwrap();
    assert_eq!((read.records.len(), read.unreadable), (1, 0));
    records.append(&one).unwrap();
    let read = records.read().unwrap();
    assert_eq!((read.records.len(), read.unreadable), (2, 0));
}

#[test]
fn a_line_that_is_none_is_counted_and_hides_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::at(dir.path());
    let one = record(Job::Drill, "raid", NOW, Outcome::Ok);
    records.append(&one).unwrap();
    let path = dir.path().join("runs.jsonl");
    let mut file = File::options().append(true).open(&path).unwrap();
    file.write_all(b"\0\0\0\0\n").unwrap();
    records.append(&one).unwrap();
    let read = records.read().unwrap();
    assert_eq!((read.records.len(), read.unreadable), (2, 1));
}

#[test]
fn what_a_record_says_is_cut_to_what_fits() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::at(dir.path());
    let mut one = record(Job::Check, "raid", NOW, Outcome::NotHeld);
    one.said = vec!["長".repeat(5_000); 50];
    records.append(&one).unwrap();
    let read = records.read().unwrap().records.remove(0);
    assert_eq!((read.said.len(), read.said[0].chars().count()), (20, 300));
}

#[test]
fn a_long_file_is_put_aside_and_still_read() {
    let dir = tempfile::tempdir().unwrap();
    let records = Records::at(dir.path());
    let one = record(Job::Run, "raid", NOW, Outcome::Ok);
    let line = serde_json::to_string(&one).unwrap() + "\n";
    let many = 17 * 1024 * 1024 / line.len();
    let path = dir.path().join("runs.jsonl");
    super::put(&path, line.repeat(many).as_bytes());
    records
        .append(&record(Job::Prune, "raid", NOW, Outcome::Ok))
        .unwrap();
    let read = records.read().unwrap();
    assert_eq!(read.records.len(), many + 1);
    assert_eq!(read.records.last().unwrap().job, Job::Prune);
    assert!(fs::metadata(&path).unwrap().len() < 1_000);
}

#[test]
fn one_has_the_turn_and_the_other_is_told_who() {
    let dir = tempfile::tempdir().unwrap();
    let (held, died) = Turn::take(dir.path(), Job::Drill, "raid", instant(NOW)).unwrap();
    assert_eq!(died, None);
    let refused = Turn::take(dir.path(), Job::Run, "raid", instant(NOW)).unwrap_err();
    let BackupError::JobRunning { doing: Some(doing) } = refused else {
        panic!("{refused:?}")
    };
    assert_eq!((doing.job, doing.pid), (Job::Drill, std::process::id()));
    drop(held);
    let (_, died) = Turn::take(dir.path(), Job::Run, "raid", instant(NOW)).unwrap();
    assert_eq!(died, None, "it ended in order");
}

#[test]
fn whoever_comes_after_one_that_died_is_told_what_it_did() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"{"job":"prune","repository":"raid","since":"2026-11-29T03:00:00+09:00","pid":1}"#;
    super::put(&dir.path().join("turn"), text.as_bytes());
    let (_turn, died) = Turn::take(dir.path(), Job::Run, "", instant(NOW)).unwrap();
    let died = died.unwrap();
    assert_eq!((died.job, died.repository.as_str()), (Job::Prune, "raid"));
}

fn due_of(records: &[Record], now: &str) -> Vec<(Job, Option<String>)> {
    let names = ["raid".to_owned(), "disk-a".to_owned()];
    let due = due(&names, &history(records), &SCHEDULE, instant(now));
    due.into_iter()
        .map(|one| (one.job, one.repository))
        .collect()
}

/// Everything done lately, but for one.
fn all_but(job: Job, one: Option<Record>) -> Vec<Record> {
    let mut records = Vec::new();
    for kind in Job::ALL {
        for name in ["raid", "disk-a"] {
            if kind != job {
                records.push(record(kind, name, "2026-11-29T12:10:00+09:00", Outcome::Ok));
            }
        }
    }
    records.extend(one);
    records
}

#[test]
fn a_new_machine_does_everything_once_runs_first() {
    let all = due_of(&[], NOW);
    assert_eq!(all[0], (Job::Run, Some("raid".to_owned())));
    assert_eq!(all[1], (Job::Run, Some("disk-a".to_owned())));
    assert_eq!(all[2], (Job::Drill, None), "of all repositories one");
    assert_eq!(all.len(), 7);
    assert_eq!(due_of(&all_but(Job::Run, None), NOW).len(), 2);
}

#[test]
fn what_is_due_when() {
    use Outcome::{CutShort, Failed, NotHeld, Ok};
    let cases: &[(&str, Job, &str, Outcome, &str, bool)] = &[
        (
            "this hour's run is made",
            Job::Run,
            "2026-11-29T12:00:00+09:00",
            Ok,
            NOW,
            false,
        ),
        (
            "the last hour's is not this one's",
            Job::Run,
            "2026-11-29T11:59:59+09:00",
            Ok,
            NOW,
            true,
        ),
        (
            "a day without power is made up for once",
            Job::Run,
            "2026-11-28T11:00:00+09:00",
            Ok,
            NOW,
            true,
        ),
        (
            "what failed is tried again",
            Job::Run,
            "2026-11-29T12:10:00+09:00",
            Failed,
            NOW,
            true,
        ),
        (
            "but not at once",
            Job::Run,
            "2026-11-29T12:30:00+09:00",
            Failed,
            NOW,
            false,
        ),
        (
            "nor what died",
            Job::Run,
            "2026-11-29T12:30:00+09:00",
            CutShort,
            NOW,
            false,
        ),
        (
            "a drill this night",
            Job::Drill,
            "2026-11-29T01:00:00+09:00",
            Ok,
            NOW,
            false,
        ),
        (
            "a drill last night",
            Job::Drill,
            "2026-11-28T23:00:00+09:00",
            Ok,
            NOW,
            true,
        ),
        (
            "before its hour the night before counts",
            Job::Drill,
            "2026-11-28T01:30:00+09:00",
            Ok,
            "2026-11-29T00:59:59+09:00",
            false,
        ),
        (
            "from its hour on it is due",
            Job::Drill,
            "2026-11-28T01:30:00+09:00",
            Ok,
            "2026-11-29T01:00:00+09:00",
            true,
        ),
        (
            "one that was not passed is told, not repeated",
            Job::Drill,
            "2026-11-29T01:10:00+09:00",
            NotHeld,
            NOW,
            false,
        ),
        (
            "one that failed is repeated after two hours",
            Job::Drill,
            "2026-11-29T10:30:00+09:00",
            Failed,
            NOW,
            true,
        ),
        (
            "pruned on Sunday",
            Job::Prune,
            "2026-11-29T03:00:00+09:00",
            Ok,
            NOW,
            false,
        ),
        (
            "pruned a week ago",
            Job::Prune,
            "2026-11-22T03:00:00+09:00",
            Ok,
            NOW,
            true,
        ),
        (
            "on Saturday not yet",
            Job::Prune,
            "2026-11-22T03:00:00+09:00",
            Ok,
            "2026-11-28T23:59:59+09:00",
            false,
        ),
        (
            "a Sunday without power is made up for on Wednesday",
            Job::Prune,
            "2026-11-15T03:00:00+09:00",
            Ok,
            "2026-11-25T09:00:00+09:00",
            true,
        ),
        (
            "a slice this night",
            Job::Check,
            "2026-11-29T04:00:00+09:00",
            Ok,
            NOW,
            false,
        ),
        (
            "a slice last night",
            Job::Check,
            "2026-11-29T03:59:59+09:00",
            Ok,
            NOW,
            true,
        ),
        (
            "a day begins in Japan",
            Job::Check,
            "2026-11-28T19:00:00Z",
            Ok,
            NOW,
            false,
        ),
    ];
    for (name, job, began, outcome, now, wanted) in cases {
        let mut done = all_but(*job, None);
        for place in ["raid", "disk-a"] {
            done.push(record(*job, place, began, *outcome));
        }
        let found = due_of(&done, now);
        let found = found.iter().any(|(due, _)| due == job);
        assert_eq!(found, *wanted, "{name}");
    }
}

#[test]
fn one_repository_that_failed_is_due_alone() {
    let mut done = all_but(Job::Prune, None);
    done.push(record(
        Job::Prune,
        "raid",
        "2026-11-29T03:00:00+09:00",
        Outcome::Ok,
    ));
    done.push(record(
        Job::Prune,
        "disk-a",
        "2026-11-29T03:10:00+09:00",
        Outcome::Failed,
    ));
    assert_eq!(
        due_of(&done, NOW),
        [(Job::Prune, Some("disk-a".to_owned()))]
    );
}

#[test]
fn the_next_turn_is_the_coming_hour_night_or_sunday() {
    let next = |job| next_turn(job, &SCHEDULE, instant(NOW));
    assert_eq!(next(Job::Run), instant("2026-11-29T13:00:00+09:00"));
    assert_eq!(next(Job::Drill), instant("2026-11-30T01:00:00+09:00"));
    assert_eq!(next(Job::Check), instant("2026-11-30T04:00:00+09:00"));
    assert_eq!(next(Job::Prune), instant("2026-12-06T03:00:00+09:00"));
}

#[test]
fn a_clock_is_believed_near_the_last_record_only() {
    let done = |at: &str| history(&[record(Job::Run, "raid", at, Outcome::Ok)]);
    let seen = |at: &str| clock(&done(at), &SCHEDULE, instant(NOW));
    assert_eq!(
        clock(&History::default(), &SCHEDULE, instant(NOW)),
        Clock::Believed
    );
    assert_eq!(seen("2026-11-29T12:30:00+09:00"), Clock::Believed);
    assert_eq!(
        seen("2026-11-29T12:40:00+09:00"),
        Clock::Believed,
        "set right by minutes"
    );
    assert_eq!(
        seen("2026-11-16T12:40:00+09:00"),
        Clock::Believed,
        "two weeks without power"
    );
    assert!(
        matches!(seen("2027-11-29T12:30:00+09:00"), Clock::Behind(minutes) if minutes > 500_000)
    );
    assert!(
        matches!(seen("2025-11-29T12:30:00+09:00"), Clock::Ahead(minutes) if minutes > 500_000)
    );
    // The last deed counts, not the latest time: whoever did it by hand saw the clock.
    let both = [
        record(Job::Run, "raid", "2027-11-29T12:30:00+09:00", Outcome::Ok),
        record(
            Job::Run,
            "raid",
            "2026-11-29T12:30:00+09:00",
            Outcome::Failed,
        ),
    ];
    assert_eq!(
        clock(&history(&both), &SCHEDULE, instant(NOW)),
        Clock::Believed
    );
}

#[test]
fn every_slice_has_its_night_and_what_was_missed_comes_first() {
    let of = SCHEDULE.slices();
    assert_eq!(of, 24, "four nights of 28 may be missed");
    let mut done = Vec::new();
    let mut night: Timestamp = instant("2026-10-01T04:00:00+09:00");
    let mut read = std::collections::BTreeSet::new();
    for _ in 0..of {
        let standing = reading(&history(&done), "raid", &SCHEDULE, night);
        assert!(read.insert(standing.next), "twice while others wait");
        let mut one = record(Job::Check, "raid", &night.to_string(), Outcome::Ok);
        one.slice = Some(Slice {
            number: standing.next,
            of,
        });
        done.push(one);
        night += SignedDuration::from_hours(24);
    }
    let standing = reading(&history(&done), "raid", &SCHEDULE, night);
    assert_eq!((standing.slices_read, standing.next), (24, 0));
    assert_eq!(
        standing.oldest_read_at,
        Some(instant("2026-10-01T04:00:00+09:00"))
    );
    let later = night + SignedDuration::from_hours(24 * 6);
    let standing = reading(&history(&done), "raid", &SCHEDULE, later);
    assert_eq!(standing.slices_read, 22, "two are older than 28 days");
    // Whoever reads everything has read every slice.
    let mut all = done.clone();
    all.push(record(Job::Check, "raid", &later.to_string(), Outcome::Ok));
    let standing = reading(&history(&all), "raid", &SCHEDULE, later);
    assert_eq!(
        (standing.slices_read, standing.oldest_read_at),
        (24, Some(later))
    );
    // One that could not be read is still to be read; another repository's is another's.
    done.last_mut().unwrap().outcome = Outcome::Failed;
    let standing = reading(&history(&done), "raid", &SCHEDULE, night);
    assert_eq!((standing.slices_read, standing.next), (23, 23));
    assert_eq!(
        reading(&history(&done), "disk-a", &SCHEDULE, night).slices_read,
        0
    );
}
