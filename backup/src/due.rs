//! What is due, by the records of what was done and nothing else.
//!
//! Shape: each job has its times (the beginning of every hour, a night's hour, a weekday's hour, all in
//! Japan). A job is due when it did not end since the last of these; so one that was missed, because
//! the machine was off or busy, is made up for once, whenever the timer next comes.
//! Invariant: a clock that is not believed makes nothing due ([`Clock`]).

use jiff::civil::{DateTime, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::Serialize;

use crate::records::{History, Job, Record, Slice};

/// What failed is tried again after so long.
const RUN_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(15);
const OTHERS_AGAIN_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// A record may end so much later than the clock shows now: it was set right by this much.
const BEHIND_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);
/// Nights that may be missed while every pack is still read in time.
const NIGHTS_SPARE: u8 = 4;

/// When what is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    pub drill_hour: u8,
    /// 1 Monday to 7 Sunday.
    pub prune_weekday: u8,
    pub prune_hour: u8,
    pub read_hour: u8,
    /// Within so many days every pack was read.
    pub read_days: u8,
    /// Days that a clock may be ahead of the last record.
    pub clock_jump_days_max: u16,
}

impl Schedule {
    /// Parts of the rolling read: one a night, with a few nights to spare.
    #[must_use]
    pub fn slices(&self) -> u32 {
        u32::from(self.read_days.saturating_sub(NIGHTS_SPARE).max(1))
    }
}

/// May the clock be believed?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state", content = "minutes")]
pub enum Clock {
    Believed,
    /// It is before the end of the last record, by so many minutes.
    Behind(i64),
    /// So many minutes ahead of the last record: the machine was off for long, or the clock jumped.
    Ahead(i64),
}

/// Compares the clock with what was done last. Whoever does a job by hand vouches for it: that job's
/// record is then the last.
#[must_use]
pub fn clock(history: &History, schedule: &Schedule, now: Timestamp) -> Clock {
    let Some(last) = history.records.last() else {
        return Clock::Believed;
    };
    let since = now.duration_since(last.ended_at);
    let most = SignedDuration::from_hours(i64::from(schedule.clock_jump_days_max) * 24);
    if since < -BEHIND_TOLERANCE {
        Clock::Behind(since.abs().as_mins())
    } else if since > most {
        Clock::Ahead(since.as_mins())
    } else {
        Clock::Believed
    }
}

/// A job whose time has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    pub job: Job,
    /// The drill takes one by chance.
    pub repository: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// Everything that is due now, in the order in which it is to be done.
#[must_use]
pub fn due(
    repositories: &[String],
    history: &History,
    schedule: &Schedule,
    now: Timestamp,
) -> Vec<Due> {
    let mut due = Vec::new();
    for job in Job::ALL {
        let turn = last_turn(job, schedule, now);
        let places: Vec<Option<&String>> = match job {
            Job::Drill => vec![None],
            Job::Run | Job::Check | Job::Prune | Job::Disk | Job::Restore => {
                repositories.iter().map(Some).collect()
            }
        };
        for place in places {
            let mine = |one: &&Record| {
                one.job == job && place.is_none_or(|place| one.repository == *place)
            };
            if is_due(history.records.iter().rev().find(mine), job, turn, now) {
                due.push(Due {
                    job,
                    repository: place.cloned(),
                    since: turn,
                });
            }
        }
    }
    due
}

fn is_due(last: Option<&Record>, job: Job, turn: Timestamp, now: Timestamp) -> bool {
    let Some(last) = last else { return true };
    if last.is_settled() {
        return last.began_at < turn;
    }
    let again_after = match job {
        Job::Run => RUN_AGAIN_AFTER,
        Job::Check | Job::Drill | Job::Prune | Job::Disk | Job::Restore => OTHERS_AGAIN_AFTER,
    };
    now.duration_since(last.ended_at) >= again_after
}

/// When this job comes next after `now`, apart from what is due already.
#[must_use]
pub fn next_turn(job: Job, schedule: &Schedule, now: Timestamp) -> Timestamp {
    let step = match job {
        Job::Run => SignedDuration::from_hours(1),
        Job::Check | Job::Drill | Job::Disk | Job::Restore => SignedDuration::from_hours(24),
        Job::Prune => SignedDuration::from_hours(7 * 24),
    };
    // No hour of Japan's is left out or doubled, so a day is always this long.
    last_turn(job, schedule, now)
        .saturating_add(step)
        .unwrap_or(now)
}

fn last_turn(job: Job, schedule: &Schedule, now: Timestamp) -> Timestamp {
    let local = base::clock::japan().to_datetime(now);
    let turn = match job {
        Job::Run => Some(local.date().at(local.hour(), 0, 0, 0)),
        Job::Drill => daily(local, schedule.drill_hour),
        Job::Check => daily(local, schedule.read_hour),
        // Never asked for: no timer does it.
        Job::Disk | Job::Restore => None,
        Job::Prune => weekly(local, schedule.prune_weekday, schedule.prune_hour),
    };
    let turn = turn.and_then(|turn| base::clock::japan().to_timestamp(turn).ok());
    turn.unwrap_or(now)
}

fn daily(local: DateTime, hour: u8) -> Option<DateTime> {
    let today = local.date().at(i8::try_from(hour).ok()?, 0, 0, 0);
    if today <= local {
        Some(today)
    } else {
        today.checked_sub(1.day()).ok()
    }
}

fn weekly(local: DateTime, weekday: u8, hour: u8) -> Option<DateTime> {
    let wanted = Weekday::from_monday_one_offset(i8::try_from(weekday).ok()?).ok()?;
    let mut turn = daily(local, hour)?;
    while turn.weekday() != wanted {
        turn = turn.checked_sub(1.day()).ok()?;
    }
    Some(turn)
}

/// How the rolling read of a repository stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reading {
    pub slices: u32,
    /// Read within the days that are allowed.
    pub slices_read: u32,
    /// When the one that was read longest ago was read; nothing while one never was.
    pub oldest_read_at: Option<Timestamp>,
    /// The one that is next.
    pub next: u32,
}

/// The last time that this slice was read, by itself or with all the others.
pub(crate) fn last_reading<'h>(
    history: &'h History,
    repository: &str,
    wanted: Slice,
) -> Option<&'h Record> {
    history.last(Job::Check, repository, |one| {
        one.is_settled() && one.slice.is_none_or(|slice| slice == wanted)
    })
}

/// Which of so many slices is next, whenever there is an opportunity: one that was never read, else
/// the one that was read longest ago.
#[must_use]
pub fn next_slice(history: &History, repository: &str, of: u32) -> Slice {
    let read_at = |number: u32| {
        let wanted = Slice { number, of };
        last_reading(history, repository, wanted).map(|one| one.began_at)
    };
    let number = (0..of).min_by_key(|number| (read_at(*number), *number));
    Slice {
        number: number.unwrap_or(0),
        of,
    }
}

/// Which slice is next: one that was never read, else the one that was read longest ago.
#[must_use]
pub fn reading(
    history: &History,
    repository: &str,
    schedule: &Schedule,
    now: Timestamp,
) -> Reading {
    let of = schedule.slices();
    let read_at = |number: u32| {
        let wanted = Slice { number, of };
        last_reading(history, repository, wanted).map(|one| one.began_at)
    };
    let slices: Vec<(Option<Timestamp>, u32)> = (0..of).map(|n| (read_at(n), n)).collect();
    let since = SignedDuration::from_hours(i64::from(schedule.read_days) * 24);
    let fresh = |at: &Timestamp| now.duration_since(*at) <= since;
    let read = slices
        .iter()
        .filter_map(|(at, _)| *at)
        .filter(fresh)
        .count();
    let oldest = slices.iter().min().copied();
    Reading {
        slices: of,
        slices_read: u32::try_from(read).unwrap_or(u32::MAX),
        oldest_read_at: oldest.and_then(|(at, _)| at),
        next: oldest.map_or(0, |(_, number)| number),
    }
}
