//! What nobody needs any more leaves a repository: planned, shown, performed, measured.
//!
//! Shape: [`plan_prune`] looks and changes nothing; [`prune`] removes the snapshots of a plan and then
//! the data that no snapshot needs.
//! Invariant: data is marked in one prune and deleted in a later one, when the grace period is over
//! and still no snapshot needs it. So whoever reads goes on reading, and a prune that is killed
//! anywhere leaves every remaining snapshot whole.
//! Errors: as [`crate::run`]; [`BackupError::StockToolActive`] when somebody works with `restic`.
//! Source: docs/decisions/0034-repositories-that-look-after-themselves.md.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use rustic_core::repofile::{SnapshotFile, SnapshotId};
use rustic_core::{LimitOption, OpenStatus, PruneOptions, PrunePlan as EnginePlan, Repository};
use serde::Serialize;

use crate::check::{self, CheckDepth, Finding};
use crate::error::BackupError;
use crate::retention::{self, Ahead, Candidate, Judged, Retention};
use crate::settings::RepositorySettings;
use crate::{adopt, lock, place, repository, snapshots};

/// Left free whatever is repacked: indexes are written anew before old ones go.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
/// The stock tool refreshes its lock every five minutes and takes one of this age for dead.
const STOCK_LOCK_LIVES: Duration = Duration::from_secs(30 * 60);

/// What is kept, and how much is moved at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneRules {
    pub retention: Retention,
    /// Hours between mark and deletion; 0 is the next prune, never this one.
    pub grace_hours: u16,
    /// At most so much of the repository is written anew in one go, percent.
    pub repack_percent_max: u8,
    /// So much that nobody needs may stay in packs that are needed, percent below 100.
    pub unused_percent_max: u8,
}

/// What a prune would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrunePlan {
    pub repository: String,
    /// Newest first.
    pub snapshots: Vec<Judged>,
    /// Bytes that are marked now and deleted after the grace period.
    pub bytes_marked: u64,
    /// Bytes whose grace period is over.
    pub bytes_deleted: u64,
    /// Bytes that are written anew to get rid of what lies between them.
    pub bytes_repacked: u64,
    /// There is too little room to write anything anew; the rest is done.
    pub repacking_left_out: bool,
}

impl PrunePlan {
    /// The snapshots that go.
    pub fn removed(&self) -> impl Iterator<Item = &Judged> {
        self.snapshots.iter().filter(|one| one.is_removed())
    }
}

/// What a prune did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PruneSummary {
    pub repository: String,
    pub snapshots_kept: u64,
    pub snapshots_removed: u64,
    /// Bytes of all files of the repository.
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub bytes_marked: u64,
    pub bytes_repacked: u64,
    /// Half-written files of a killed job that were removed first.
    pub leftovers_removed: u64,
    /// What a look at index, packs and trees found afterwards.
    pub findings: Vec<Finding>,
}

impl PruneSummary {
    /// Whether everything that remains was found whole.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.findings.iter().any(|one| one.serious)
    }
}

/// Looks what a prune would do at this moment.
///
/// # Errors
/// What stopped the repository from being read.
pub fn plan_prune(
    settings: &RepositorySettings,
    rules: &PruneRules,
    ahead: Ahead,
    now: Timestamp,
) -> Result<PrunePlan, BackupError> {
    place::watched(settings, || plan(settings, rules, ahead, now))
}

fn plan(
    settings: &RepositorySettings,
    rules: &PruneRules,
    ahead: Ahead,
    now: Timestamp,
) -> Result<PrunePlan, BackupError> {
    refuse_where_all_is_kept(settings)?;
    let opened = repository::open(settings)?;
    let all = snapshots::proven(&opened, settings)?;
    let judged = retention::plan(candidates(&all), &rules.retention, ahead, now);
    let removed = ids_of(&all, &judged);
    let room = room(settings, &opened)?;
    let mut options = options(rules, room);
    options.ignore_snaps = removed;
    let engine = opened.prune_plan(&options);
    let engine = engine.map_err(BackupError::engine("plan the prune", &settings.name))?;
    let (bytes_marked, bytes_deleted, bytes_repacked) = sizes(&engine);
    Ok(PrunePlan {
        repository: settings.name.clone(),
        snapshots: judged,
        bytes_marked,
        bytes_deleted,
        bytes_repacked,
        repacking_left_out: room == Room::Little,
    })
}

/// Performs a plan: its snapshots go first, then what none of the others needs.
///
/// Shape: afterwards index, packs and trees are looked at; see [`PruneSummary::is_healthy`].
/// # Errors
/// [`BackupError::Locked`], [`BackupError::StockToolActive`], [`BackupError::NoRoomToPrune`] before anything
/// is changed; later what the disk or the engine refused. What remains is whole all the same.
pub fn prune(
    settings: &RepositorySettings,
    rules: &PruneRules,
    plan: &PrunePlan,
    now: Timestamp,
) -> Result<PruneSummary, BackupError> {
    place::watched(settings, || {
        let pruned = perform(settings, rules, plan, now)?;
        adopt::settled(settings)?;
        Ok(pruned)
    })
}

fn perform(
    settings: &RepositorySettings,
    rules: &PruneRules,
    plan: &PrunePlan,
    now: Timestamp,
) -> Result<PruneSummary, BackupError> {
    refuse_where_all_is_kept(settings)?;
    let opened = repository::open(settings)?;
    let _lock = lock::take(settings, "backup prune", now)?;
    refuse_beside_the_stock_tool(settings, now)?;
    let room = room(settings, &opened)?;
    let leftovers_removed = adopt::sweep(settings, &opened.key())?;
    let bytes_before = place::repository_bytes(settings)?;
    let all = snapshots::proven(&opened, settings)?;
    let removed = ids_of(&all, &plan.snapshots);
    if !removed.is_empty() {
        let gone = opened.delete_snapshots(&removed);
        gone.map_err(BackupError::engine("remove snapshots", &settings.name))?;
        // A snapshot whose name came back after a power cut would miss what is deleted below.
        repository::flush(settings)?;
    }
    let options = options(rules, room);
    let engine = opened.prune_plan(&options);
    let engine = engine.map_err(BackupError::engine("plan the prune", &settings.name))?;
    let (bytes_marked, _, bytes_repacked) = sizes(&engine);
    let pruned = opened.prune(&options, engine);
    pruned.map_err(BackupError::engine("prune", &settings.name))?;
    repository::flush(settings)?;
    let after = check::check(settings, CheckDepth::Structure)?;
    Ok(PruneSummary {
        repository: settings.name.clone(),
        snapshots_kept: after.snapshots,
        snapshots_removed: count(removed.len()),
        bytes_before,
        bytes_after: place::repository_bytes(settings)?,
        bytes_marked,
        bytes_repacked,
        leftovers_removed,
        findings: after.findings,
    })
}

fn refuse_where_all_is_kept(settings: &RepositorySettings) -> Result<(), BackupError> {
    if settings.location.is_pruned_from_here() {
        return Ok(());
    }
    Err(BackupError::AppendOnly {
        name: settings.name.clone(),
    })
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn candidates(all: &[SnapshotFile]) -> Vec<Candidate> {
    let candidate = |snapshot: &SnapshotFile| Candidate {
        id: snapshots::full_id(snapshot),
        taken_at: snapshots::taken_at(snapshot),
        is_ours: snapshots::describe(snapshot).is_some(),
    };
    all.iter().map(candidate).collect()
}

/// Of the snapshots that are there, those that the plan removes; it knows no others.
fn ids_of(all: &[SnapshotFile], judged: &[Judged]) -> Vec<SnapshotId> {
    let removed = judged.iter().filter(|one| one.is_removed());
    let removed: BTreeSet<&str> = removed.map(|one| one.id.as_str()).collect();
    let there = all
        .iter()
        .filter(|snapshot| removed.contains(snapshots::full_id(snapshot).as_str()));
    there.map(|snapshot| snapshot.id).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Enough,
    /// For an index, and not for packs.
    Little,
}

/// Every index may be written anew before an old one goes; packs only where there is room.
fn room(
    settings: &RepositorySettings,
    opened: &Repository<OpenStatus>,
) -> Result<Room, BackupError> {
    // Where nobody can tell, the place itself refuses what does not fit.
    let Some((index, free)) = place::index_and_free(settings)? else {
        return Ok(Room::Enough);
    };
    let needed = index.saturating_add(SPARE_BYTES);
    if free < needed {
        return Err(BackupError::NoRoomToPrune {
            path: place::disk(settings)?.to_owned(),
            needed,
            free,
        });
    }
    let pack = u64::from(opened.config().datapack_size.unwrap_or_default());
    let packs = pack.saturating_mul(PACKS_OPEN);
    Ok(if free < needed.saturating_add(packs) {
        Room::Little
    } else {
        Room::Enough
    })
}

/// Packs that are being written while old ones are still there.
const PACKS_OPEN: u64 = 16;

fn options(rules: &PruneRules, room: Room) -> PruneOptions {
    let mut options = PruneOptions::default();
    let repack = match room {
        Room::Enough => u64::from(rules.repack_percent_max),
        Room::Little => 0,
    };
    options.max_repack = LimitOption::Percentage(repack);
    options.max_unused = LimitOption::Percentage(u64::from(rules.unused_percent_max));
    options.keep_pack = rustic_core::jiff::Span::new();
    options.keep_delete = rustic_core::jiff::Span::new().hours(i64::from(rules.grace_hours));
    options.instant_delete = false;
    options.early_delete_index = false;
    options.fast_repack = false;
    options.repack_uncompressed = false;
    options.repack_all = false;
    options.repack_cacheable_only = Some(false);
    options.no_resize = false;
    options
}

/// Marked, deleted and repacked bytes.
fn sizes(plan: &EnginePlan) -> (u64, u64, u64) {
    let sum = plan.stats.size_sum();
    let marked = sum
        .remove
        .saturating_add(sum.repack)
        .saturating_add(plan.stats.size_unref);
    (
        marked,
        plan.stats.size_to_delete.remove,
        sum.repack.saturating_sub(sum.repackrm),
    )
}

/// Its readers hold a lock that the engine does not look at.
fn refuse_beside_the_stock_tool(
    settings: &RepositorySettings,
    now: Timestamp,
) -> Result<(), BackupError> {
    let youngest = place::stock_lock_ages(settings, now)?.into_iter().min();
    match youngest {
        Some(age) if age < STOCK_LOCK_LIVES => Err(BackupError::StockToolActive {
            name: settings.name.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}
