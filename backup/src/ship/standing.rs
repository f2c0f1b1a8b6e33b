//! How far shipping has come, read from the files alone: works when no shipper runs.

use std::path::Path;

use base::paths::free_bytes;
use jiff::Timestamp;

use super::disk::ours;
use super::error::ShipError;
use super::reading::{Ending, bytes_of, ending, generation_dir, generations, segments};
use super::shipper::{ShipSettings, log_path};
use super::wal::{Position, Wal};

/// How the second disk stands, and what it has not got yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The last transaction on the disk, and when it was seen.
    pub newest: Option<(u64, Timestamp)>,
    /// Since when there are points in time.
    pub oldest: Option<Timestamp>,
    pub generations: usize,
    /// Of all generations.
    pub bytes: u64,
    /// Free on the disk.
    pub free_bytes: u64,
    /// What the disk has not got; nothing when that cannot be told without a new base.
    pub pending: Option<Pending>,
}

/// What is in SQLite's log and not on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending {
    pub commits: u64,
    pub bytes: u64,
}

/// Looks, and touches nothing.
///
/// # Errors
/// [`ShipError::NoDisk`], [`ShipError::NotOurs`], and those of the disks.
pub fn standing(settings: &ShipSettings) -> Result<Standing, ShipError> {
    let ShipSettings { place, machine, .. } = settings;
    let identity = ours(place, machine, settings.database_id)?;
    let mut standing = Standing {
        newest: None,
        oldest: None,
        generations: 0,
        bytes: 0,
        free_bytes: free_bytes(place)?,
        pending: None,
    };
    for generation in generations(place)? {
        let dir = generation_dir(place, generation);
        standing.generations += 1;
        standing.bytes = standing.bytes.saturating_add(bytes_of(&dir)?);
        if standing.oldest.is_none() {
            let all = segments(&dir)?;
            let first = all.iter().find_map(|found| found.as_ref().ok());
            standing.oldest = first.map(|segment| segment.head.made_at);
        }
        if let Ending::Open(tail) = ending(&dir, &identity.database)? {
            standing.newest = Some((tail.commit, tail.at));
            standing.pending = pending(&settings.database, tail.position)?;
        }
    }
    Ok(standing)
}

fn pending(database: &Path, from: Position) -> Result<Option<Pending>, ShipError> {
    let path = log_path(database);
    let at = |error| ShipError::io("read", &path, error);
    let Some(wal) = Wal::open(&path).map_err(at)? else {
        return Ok(None);
    };
    let Some(header) = wal.header().map_err(at)? else {
        return Ok(None);
    };
    let mut from = if from.is_in(&header) && wal.still_holds(&header, &from).map_err(at)? {
        from
    } else if from.precedes(&header) {
        Position::start_of(&header)
    } else {
        return Ok(None);
    };
    let mut pending = Pending::default();
    while let Some(commit) = wal.commit_after(&header, from).map_err(at)? {
        let bytes = header
            .offset(commit.end.frames)
            .saturating_sub(header.offset(from.frames));
        pending.bytes = pending.bytes.saturating_add(bytes);
        pending.commits += 1;
        from = commit.end;
    }
    Ok(Some(pending))
}
