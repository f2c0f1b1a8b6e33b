//! From the second disk back to a database file: base, then every transaction up to the wanted one.
//!
//! Shape: [`plan`] reads and proves everything that is needed and writes nothing; [`perform`] writes the
//! file beside its place, flushes it and gives it its name.
//! Invariant: the file is, byte for byte, what the database was after that transaction. Each record is
//! proven twice, when it is planned and when it is written; a bent one is named and ends it.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use base::paths::{create_private_dir, free_bytes, sync_dir};
use jiff::Timestamp;
use ring::digest::{Context, SHA256};

use super::disk::readable;
use super::error::ShipError;
use super::format::{Hash, Holds, RecordKind, pages};
use super::reading::{Damage, generation_dir, generations, segments, walk};

/// Left free on the disk that is written to, bytes.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;
const READ_BYTES: usize = 256 * 1024;

/// Which state is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The last one.
    Newest,
    /// After this transaction.
    Commit(u64),
    /// After the last transaction that was seen until then.
    At(Timestamp),
}

/// What a rebuild would bring.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The generation it is rebuilt from.
    pub generation: u32,
    pub commit: u64,
    /// When that was seen.
    pub at: Timestamp,
    /// Bytes of the database.
    pub bytes: u64,
    /// Transactions that are laid over the base.
    pub commits: u64,
    /// The clock was set back somewhere in this generation: a time may stand for two transactions.
    pub clock_set_back: bool,
    /// What cannot be read, here and in later generations. What was planned is whole.
    pub damage: Vec<Damage>,
    chain: Hash,
    page_bytes: u32,
    database: Hash,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    pub path: PathBuf,
    pub bytes: u64,
    pub sha256: [u8; 32],
}

/// A transaction that may be the wanted one.
#[derive(Debug, Clone, Copy)]
struct Chosen {
    commit: u64,
    at: Timestamp,
    db_pages: u32,
    chain: Hash,
    counted: u64,
}

/// Goes through the transactions of a generation.
#[derive(Debug, Default)]
struct Search {
    chosen: Option<Chosen>,
    seen: u64,
    latest: Option<Timestamp>,
    clock_set_back: bool,
}

impl Search {
    fn see(&mut self, commit: u64, at: Timestamp, db_pages: u32, chain: &Hash, target: Target) {
        self.clock_set_back |= self.latest.is_some_and(|latest| at < latest);
        self.latest = Some(at);
        let wanted = match target {
            Target::Newest => true,
            Target::Commit(wanted) => commit == wanted,
            Target::At(until) => at <= until,
        };
        if wanted {
            self.chosen = Some(Chosen {
                commit,
                at,
                db_pages,
                chain: *chain,
                counted: self.seen,
            });
        }
        self.seen += 1;
    }
}

/// Looks for the state and proves everything up to it.
///
/// # Errors
/// [`ShipError::NoPoint`], [`ShipError::Damaged`], and those of the disk.
pub fn plan(place: &Path, target: Target) -> Result<Plan, ShipError> {
    let database = readable(place)?.database;
    let mut damage = Vec::new();
    for generation in generations(place)?.into_iter().rev() {
        let dir = generation_dir(place, generation);
        if begins_after(&dir, target)? {
            continue;
        }
        let mut search = Search::default();
        let walked = walk(&dir, &database, |record, _, chain| {
            if let RecordKind::Commit { at, db_pages, .. } = record.kind {
                search.see(record.commit, at, db_pages, chain, target);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let Some(walked) = walked else { continue };
        damage.extend(walked.damage.clone());
        if let Some(chosen) = search.chosen {
            return Ok(Plan {
                generation,
                commit: chosen.commit,
                at: chosen.at,
                bytes: u64::from(chosen.db_pages)
                    .saturating_mul(u64::from(walked.first.page_bytes)),
                commits: chosen.counted,
                clock_set_back: search.clock_set_back,
                damage,
                chain: chosen.chain,
                page_bytes: walked.first.page_bytes,
                database,
            });
        }
        if let (Some(_), Target::Commit(wanted)) = (&walked.damage, target) {
            let whole = walked.last.map(|point| point.commit);
            return Err(ShipError::Damaged { wanted, whole });
        }
    }
    Err(match damage.first() {
        Some(damage) => ShipError::Damaged {
            wanted: damage.first,
            whole: None,
        },
        None => ShipError::NoPoint,
    })
}

/// Does every transaction of a generation come after the wanted one? Said by the heads alone.
fn begins_after(dir: &Path, target: Target) -> Result<bool, ShipError> {
    let all = segments(dir)?;
    let opening = all
        .iter()
        .filter_map(|found| found.as_ref().ok())
        .find(|segment| segment.head.holds == Holds::Commits);
    Ok(opening.is_some_and(|opening| match target {
        Target::Newest => false,
        Target::Commit(wanted) => wanted <= opening.head.after,
        Target::At(until) => until < opening.head.made_at,
    }))
}

/// Writes the database of a plan to `to/name`. `to` is an empty directory, or none yet.
///
/// # Errors
/// [`ShipError::TargetUsed`], [`ShipError::NoRoom`], [`ShipError::Damaged`] when something bent since it
/// was planned, and those of the disks. The name is given to the whole file only.
pub fn perform(place: &Path, plan: &Plan, to: &Path, name: &str) -> Result<Rebuilt, ShipError> {
    let used = match fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(ShipError::io("look at", to, error)),
    };
    if used {
        return Err(ShipError::TargetUsed(to.to_owned()));
    }
    create_private_dir(to)?;
    let (needed, free) = (plan.bytes.saturating_add(SPARE_BYTES), free_bytes(to)?);
    if free < needed {
        let path = to.to_owned();
        return Err(ShipError::NoRoom { path, needed, free });
    }
    let path = to.join(name);
    let at = |step| {
        let path = path.clone();
        move |error| ShipError::io(step, &path, error)
    };
    let mut draft = tempfile::NamedTempFile::new_in(to).map_err(at("make"))?;
    lay(place, plan, draft.as_file())?;
    let sha256 = settle(draft.as_file_mut(), plan.bytes).map_err(at("write"))?;
    draft.persist(&path).map_err(|e| at("name")(e.error))?;
    sync_dir(to)?;
    Ok(Rebuilt {
        path,
        bytes: plan.bytes,
        sha256,
    })
}

/// Lays base and transactions over each other, up to the planned one.
fn lay(place: &Path, plan: &Plan, file: &File) -> Result<(), ShipError> {
    let dir = generation_dir(place, plan.generation);
    let page_bytes = u64::from(plan.page_bytes);
    let bent = || ShipError::Damaged {
        wanted: plan.commit,
        whole: None,
    };
    let at = |error| ShipError::io("write a database below", place, error);
    let mut reached = false;
    let mut length = u64::MAX;
    walk(&dir, &plan.database, |record, body, chain| {
        for (page, data) in pages(body, plan.page_bytes).ok_or_else(bent)? {
            let from = u64::from(page.checked_sub(1).ok_or_else(bent)?);
            file.write_all_at(data, from.saturating_mul(page_bytes))
                .map_err(at)?;
        }
        let RecordKind::Commit { db_pages, .. } = record.kind else {
            return Ok(ControlFlow::Continue(()));
        };
        // Made shorter here and grown again later, what was cut off must not come back.
        let pages = u64::from(db_pages).saturating_mul(page_bytes);
        if pages < length {
            file.set_len(pages).map_err(at)?;
        }
        length = pages;
        reached = *chain == plan.chain;
        Ok(if reached {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })?;
    if reached { Ok(()) } else { Err(bent()) }
}

fn settle(file: &mut File, bytes: u64) -> io::Result<[u8; 32]> {
    file.set_len(bytes)?;
    file.sync_all()?;
    file.rewind()?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else {
            break;
        };
        context.update(piece);
    }
    let mut sha256 = [0; 32];
    for (to, from) in sha256.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    Ok(sha256)
}
