//! Which generations are past their time: a plan that is shown, and its performance.
//!
//! Invariant: the newest state and every point in time of the last days stay. When nothing was shipped for
//! as long as that, nothing is removed: either the clock is wrong, or what is there is all there is.

use jiff::{SignedDuration, Timestamp};

use super::disk::ours;
use super::error::ShipError;
use super::format::Holds;
use super::reading::{Ending, bytes_of, ending, generation_dir, generations, segments};
use super::shelf::forget;
use super::shipper::ShipSettings;
use super::writing::discard;

/// A generation that would go, or stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aged {
    pub generation: u32,
    /// Its first point in time.
    pub from: Timestamp,
    /// Where the next begins; none for the newest.
    pub until: Option<Timestamp>,
    pub bytes: u64,
}

/// What would be removed, and what stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrunePlan {
    pub kept: Vec<Aged>,
    pub removed: Vec<Aged>,
    /// Nothing was shipped for longer than points in time are kept.
    pub stands_still: bool,
    /// Attachments that are no longer on the shelf since before this moment go too.
    pub before: Option<Timestamp>,
}

/// Looks, and touches nothing.
///
/// # Errors
/// [`ShipError::NoDisk`], [`ShipError::NotOurs`], and those of the disk.
pub fn plan(
    settings: &ShipSettings,
    days_kept: u16,
    now: Timestamp,
) -> Result<PrunePlan, ShipError> {
    let ShipSettings { place, machine, .. } = settings;
    let identity = ours(place, machine, settings.database_id)?;
    let mut whole = Vec::new();
    let mut newest_at = None;
    for generation in generations(place)? {
        let dir = generation_dir(place, generation);
        // A base that is just being copied is no state yet, and nobody's successor.
        let Ending::Open(tail) = ending(&dir, &identity.database)? else {
            continue;
        };
        newest_at = newest_at.max(Some(tail.at));
        let all = segments(&dir)?;
        let mut heads = all.iter().filter_map(|found| found.as_ref().ok());
        let opening = heads.find(|segment| segment.head.holds == Holds::Commits);
        let from = opening.map_or(tail.began_at, |segment| segment.head.made_at);
        whole.push((generation, from, bytes_of(&dir)?));
    }
    let age = SignedDuration::from_hours(24 * i64::from(days_kept));
    let before = now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let mut plan = PrunePlan {
        stands_still: newest_at.is_some_and(|at| at < before),
        ..PrunePlan::default()
    };
    plan.before = (!plan.stands_still).then_some(before);
    for (index, (generation, from, bytes)) in whole.iter().enumerate() {
        let until = whole.get(index + 1).map(|(_, next, _)| *next);
        let aged = Aged {
            generation: *generation,
            from: *from,
            until,
            bytes: *bytes,
        };
        if until.is_some_and(|until| until <= before) && !plan.stands_still {
            plan.removed.push(aged);
        } else {
            plan.kept.push(aged);
        }
    }
    Ok(plan)
}

/// Removes what the plan names, oldest first.
///
/// # Errors
/// Those of the disk; what was removed until then is gone.
pub fn perform(settings: &ShipSettings, plan: &PrunePlan) -> Result<(), ShipError> {
    let ShipSettings { place, machine, .. } = settings;
    ours(place, machine, settings.database_id)?;
    for aged in &plan.removed {
        discard(place, aged.generation)?;
    }
    if let Some(before) = plan.before {
        forget(place, before)?;
    }
    Ok(())
}
