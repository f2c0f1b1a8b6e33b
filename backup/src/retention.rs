//! Which snapshots are kept, as a value: each with its reason, decided by nothing but the list, the
//! rules and the time.
//!
//! Shape: of the newest so many hours, days, weeks, months and years that *have* a snapshot, the last
//! one of each is kept. Counting what is there, and not back from now, a clock that jumps removes
//! nothing. Days begin at midnight in Japan, weeks on Monday (ISO 8601), whatever zone a snapshot was
//! written in.
//! Invariant: the newest is never removed; one of a clock that ran ahead only when that is asked for;
//! one that is not ours never.
//! Source: 0011 on the engine; docs/decisions/0034 on why its own rules are not used.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Two machines' clocks may differ by so much without one of them having run ahead.
const AHEAD_TOLERANCE: SignedDuration = SignedDuration::from_mins(10);
/// Days with a snapshot, of the last fourteen, before an age is believed: a clock that jumped has one.
const BELIEVED_DAYS_MIN: usize = 3;
const BELIEVED_WITHIN: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub hourly: u16,
    pub daily: u16,
    pub weekly: u16,
    pub monthly: u16,
    pub yearly: u16,
    /// Older than so many days is removed whatever else holds: what disposal of records relies on.
    pub days_max: Option<u32>,
}

/// What is done with snapshots of a time that has not come yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    Keep,
    /// The operator has seen them and wants them gone.
    Remove,
}

/// A snapshot as the plan sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub id: String,
    pub taken_at: Timestamp,
    /// Written by a run of ours; a stock tool's has no description of ours.
    pub is_ours: bool,
}

/// Why a snapshot is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    Newest,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
    /// Its time has not come yet: a clock ran ahead when it was made.
    ClockAhead,
    /// Somebody else's.
    NotOurs,
    /// It would be too old, but too few days have snapshots to believe the clock.
    AgeNotBelieved,
}

/// Why a snapshot is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Remove {
    /// Every hour, day, week, month and year that is kept has a later one.
    Superseded,
    /// Older than anything may be kept.
    TooOld,
    /// Of a clock that ran ahead, and asked for.
    ClockAhead,
}

/// What is to become of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Keep(Vec<Keep>),
    Remove(Remove),
}

/// A snapshot with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Judged {
    pub id: String,
    pub taken_at: Timestamp,
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Judged {
    #[must_use]
    pub fn is_removed(&self) -> bool {
        matches!(self.verdict, Verdict::Remove(_))
    }
}

/// Judges every snapshot; the answer is newest first.
#[must_use]
pub fn plan(
    mut snapshots: Vec<Candidate>,
    retention: &Retention,
    ahead: Ahead,
    now: Timestamp,
) -> Vec<Judged> {
    snapshots.sort_by(|a, b| (b.taken_at, &b.id).cmp(&(a.taken_at, &a.id)));
    let limit = now.saturating_add(AHEAD_TOLERANCE).unwrap_or(now);
    let is_ahead = |one: &Candidate| one.taken_at > limit;
    let believed = is_believed(&snapshots, now);
    let newest = snapshots.iter().find(|one| one.is_ours && !is_ahead(one));
    let newest = newest.map(|one| one.id.clone());
    let mut slots = Slots::new(retention);
    let judge = |one: Candidate| {
        let verdict = if !one.is_ours {
            Verdict::Keep(vec![Keep::NotOurs])
        } else if is_ahead(&one) {
            // Without any other, it is the newest there is.
            match (ahead, &newest) {
                (Ahead::Remove, Some(_)) => Verdict::Remove(Remove::ClockAhead),
                (Ahead::Remove, None) | (Ahead::Keep, _) => Verdict::Keep(vec![Keep::ClockAhead]),
            }
        } else {
            let reasons = slots.take(one.taken_at);
            if newest.as_ref() == Some(&one.id) {
                Verdict::Keep([&[Keep::Newest], &reasons[..]].concat())
            } else {
                of_past(reasons, too_old(&one, retention, now), believed)
            }
        };
        Judged {
            id: one.id,
            taken_at: one.taken_at,
            verdict,
        }
    };
    snapshots.into_iter().map(judge).collect()
}

fn of_past(mut reasons: Vec<Keep>, too_old: bool, believed: bool) -> Verdict {
    if too_old && believed {
        return Verdict::Remove(Remove::TooOld);
    }
    if reasons.is_empty() {
        return Verdict::Remove(Remove::Superseded);
    }
    if too_old {
        reasons.push(Keep::AgeNotBelieved);
    }
    Verdict::Keep(reasons)
}

fn too_old(one: &Candidate, retention: &Retention, now: Timestamp) -> bool {
    let age = now.duration_since(one.taken_at);
    let most = |days: u32| SignedDuration::from_hours(i64::from(days) * 24);
    retention.days_max.is_some_and(|days| age > most(days))
}

/// A clock that jumped years ahead would make everything too old: it is believed once several days
/// near it have snapshots, by when somebody has read that it jumped.
fn is_believed(snapshots: &[Candidate], now: Timestamp) -> bool {
    let near = |one: &&Candidate| {
        let age = now.duration_since(one.taken_at);
        one.is_ours && !age.is_negative() && age <= BELIEVED_WITHIN
    };
    let days: BTreeSet<_> = snapshots
        .iter()
        .filter(near)
        .map(|one| base::clock::japanese_day(one.taken_at))
        .collect();
    days.len() >= BELIEVED_DAYS_MIN
}

/// The year and what within it.
type Slot = (i16, i16, i8);

/// Hours, or days, or …: how many are still to be filled, and the last one that was.
struct Kind {
    reason: Keep,
    left: u16,
    last: Option<Slot>,
    slot_of: fn(DateTime) -> Slot,
}

struct Slots([Kind; 5]);

impl Slots {
    fn new(retention: &Retention) -> Self {
        let hour = |at: DateTime| (at.year(), at.day_of_year(), at.hour());
        let day = |at: DateTime| (at.year(), at.day_of_year(), 0);
        let week = |at: DateTime| {
            let week = at.date().iso_week_date();
            (week.year(), 0, week.week())
        };
        let month = |at: DateTime| (at.year(), 0, at.month());
        let year = |at: DateTime| (at.year(), 0, 0);
        let kind = |reason, left, slot_of: fn(DateTime) -> Slot| Kind {
            reason,
            left,
            last: None,
            slot_of,
        };
        Self([
            kind(Keep::Hourly, retention.hourly, hour),
            kind(Keep::Daily, retention.daily, day),
            kind(Keep::Weekly, retention.weekly, week),
            kind(Keep::Monthly, retention.monthly, month),
            kind(Keep::Yearly, retention.yearly, year),
        ])
    }

    /// What this snapshot is kept for; they come newest first, so the last of each hour comes first.
    fn take(&mut self, taken_at: Timestamp) -> Vec<Keep> {
        let at = base::clock::japan().to_datetime(taken_at);
        let mut reasons = Vec::new();
        for kind in &mut self.0 {
            let slot = Some((kind.slot_of)(at));
            if kind.left > 0 && kind.last != slot {
                kind.last = slot;
                kind.left -= 1;
                reasons.push(kind.reason);
            }
        }
        reasons
    }
}
