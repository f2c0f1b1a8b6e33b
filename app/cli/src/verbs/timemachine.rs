//! `timemachine`: copies of the past for the service, which looks into them (`features/former_states`).
//!
//! Invariant: a process of its own, so that the service holds neither repositories nor the memory they take,
//! and never reads a database by path but a copy. What is fetched is residents' data: it goes below the data
//! directory's place for such copies and nowhere else; the service writes down who asked, and removes it.
//! Source: docs/decisions/0036-former-states.md.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use backup::ship::{Target, plan_rebuild, rebuild, standing};
use backup::{BackupError, Progress, RepositorySettings, Selector, SnapshotInfo, Step};
use base::report::{Kind, Report, Runbook};
use base::settings::Site;
use jiff::Timestamp;
use serde::Serialize;
use store::{DataDir, Former, Shelf, StoreError};

use crate::arguments::{BytesArguments, FetchArguments};
use crate::output::Voice;
use crate::verbs::restore::facts::Told;
use crate::verbs::{moment, ship};

const DATABASE: &str = "hokatsu.db";
/// What older databases become before they are looked into.
const MIGRATED: &str = "migrated.db";
/// What a fetched file is called: its own name is in the database.
const FILE: &str = "bytes";
/// Progress is told in so many parts.
const PARTS: u64 = 100;

#[derive(Serialize)]
struct Points {
    snapshots: Vec<Moment>,
    shipped: Option<Shipped>,
    failed: Vec<String>,
}

#[derive(Serialize)]
struct Moment {
    repository: String,
    snapshot: String,
    at: Timestamp,
    bytes: u64,
    /// The program it takes, when this one is too old.
    wants: Option<String>,
}

#[derive(Serialize)]
struct Shipped {
    oldest: Timestamp,
    newest: Timestamp,
}

#[derive(Serialize)]
struct Fetched {
    at: Timestamp,
    bytes: u64,
}

/// Which moments there are; a repository that does not open is named and hides no other.
pub(crate) fn points(
    (site, repositories): (&Site, &[RepositorySettings]),
    dir: &DataDir,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let mut told = Points {
        snapshots: Vec::new(),
        shipped: None,
        failed: Vec::new(),
    };
    for repository in repositories {
        match backup::list(repository) {
            Ok(all) => told
                .snapshots
                .extend(all.into_iter().map(|one| of_snapshot(repository, one))),
            Err(error) => {
                voice.report(&error.into());
                told.failed.push(repository.name.clone());
            }
        }
    }
    if site.backup.shipping.is_some() {
        let settings = ship::settings(site, dir, voice)?;
        match standing(&settings) {
            Ok(found) => {
                let reach = found.oldest.zip(found.newest);
                told.shipped = reach.map(|(oldest, (_, newest))| Shipped { oldest, newest });
            }
            Err(error) => {
                voice.report(&error.into());
                told.failed.push("逐次複製".to_owned());
            }
        }
    }
    for one in &told.snapshots {
        voice.say(&format!("{}  {}", one.at, one.repository));
    }
    if let Some(reach) = &told.shipped {
        voice.say(&format!(
            "逐次複製: {} から {} まで",
            reach.oldest, reach.newest
        ));
    }
    voice.result(&told)?;
    Ok(ExitCode::from(u8::from(
        !told.failed.is_empty() && told.snapshots.is_empty(),
    )))
}

fn of_snapshot(repository: &RepositorySettings, one: SnapshotInfo) -> Moment {
    let facts: Option<Told> = serde_json::from_value(one.facts).ok();
    Moment {
        repository: repository.name.clone(),
        snapshot: one.id,
        at: one.taken_at,
        bytes: one.bytes,
        wants: facts.filter(Told::is_newer).map(|told| told.wants()),
    }
}

/// Fetches the database of a moment, proven whole and of today's schema.
pub(crate) fn fetch(
    asked: &FetchArguments,
    (site, repositories): (&Site, &[RepositorySettings]),
    dir: &DataDir,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    inside(dir, &asked.into, voice)?;
    let at = match (&asked.repository, &asked.snapshot, &asked.shipped) {
        (Some(name), Some(snapshot), None) => {
            saved((name, snapshot), repositories, &asked.into, voice)?
        }
        (None, None, Some(at)) => {
            let place = &ship::shipping(site, voice)?.path;
            shipped(moment(at, voice)?, place, &asked.into, voice)?
        }
        _ => {
            voice
                .say("--repository と --snapshot の組か、--shipped のどちらかを指定してください。");
            return Err(Report::bare(Kind::Usage));
        }
    };
    let database = asked.into.join(DATABASE);
    brought_up(&database, &asked.into.join(MIGRATED))?;
    let bytes = std::fs::metadata(&database).map_or(0, |found| found.len());
    voice.result(&Fetched { at, bytes })?;
    Ok(ExitCode::SUCCESS)
}

/// Residents' data go nowhere else: the service removes what is there.
fn inside(dir: &DataDir, into: &Path, voice: &Voice) -> Result<(), Report> {
    let place = dir.former_states();
    if into.parent() == Some(place.as_path()) && into.is_dir() {
        return Ok(());
    }
    voice.say(
        "--into は、データディレクトリの former-states の中のディレクトリでなければなりません。\
               別の場所に戻すには hokatsu restore --to を使ってください。",
    );
    Err(Report::bare(Kind::Usage))
}

fn saved(
    (name, snapshot): (&str, &str),
    repositories: &[RepositorySettings],
    into: &Path,
    voice: &Voice,
) -> Result<Timestamp, Report> {
    let known = repositories
        .iter()
        .find(|repository| repository.name == name);
    let Some(repository) = known else {
        voice.say("その名前の保管先はありません。");
        return Err(Report::bare(Kind::Usage));
    };
    let from = (repository, repositories);
    let selector = Selector::Id(snapshot.to_owned());
    let lines = Lines::new(voice);
    let done = backup::restore_file(from, &selector, (DATABASE, into), &lines)?;
    if done.is_complete() {
        return Ok(done.snapshot.taken_at);
    }
    Err(Report::bare(Kind::Restore).operator(
        "控えの中のデータベースが壊れています。ほかの保管先か、ひとつ前の控えを選んでください",
        Runbook::RestoreFailed,
    ))
}

fn shipped(at: Timestamp, place: &Path, into: &Path, voice: &Voice) -> Result<Timestamp, Report> {
    let plan = plan_rebuild(place, Target::At(at))?;
    voice.say(&format!("progress 0/{}", plan.bytes));
    let done = rebuild(place, &plan, into, DATABASE)?;
    voice.say(&format!("progress {}/{}", done.bytes, plan.bytes));
    Ok(plan.at)
}

/// One of an older schema is brought up on the copy; a newer one is refused with what to install.
fn brought_up(database: &Path, migrated: &Path) -> Result<(), Report> {
    let former = Former::open(database, migrated).map_err(StoreError::report)?;
    let whole = former.is_whole().map_err(StoreError::report)?;
    drop(former);
    if !whole {
        return Err(Report::bare(Kind::Restore).operator(
            "取り出したデータベースが壊れています。ほかの控えを選んでください",
            Runbook::RestoreFailed,
        ));
    }
    if migrated.exists() {
        std::fs::rename(migrated, database).map_err(|error| {
            Report::new(Kind::Disk, error).operator(
                "取り出したデータベースの名前を変えられません",
                Runbook::RestoreFailed,
            )
        })?;
    }
    Ok(())
}

/// Fetches the bytes of one attachment by their hash: from the second disk, else out of the newest backup
/// that has them whole.
pub(crate) fn bytes(
    asked: &BytesArguments,
    (site, repositories): (&Site, &[RepositorySettings]),
    dir: &DataDir,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    inside(dir, &asked.into, voice)?;
    let to = asked.into.join(FILE);
    if let Some(settings) = &site.backup.shipping {
        for place in [
            settings.path.clone(),
            settings.path.join(backup::ship::SHELF_GONE),
        ] {
            let shelf = Shelf::of(&DataDir::new(place));
            if let Ok(found) = shelf.read(&asked.sha256) {
                return written(&to, &found, voice);
            }
        }
    }
    let Some(first) = asked.sha256.get(..2) else {
        voice.say("--sha256 は16進数64けたです。");
        return Err(Report::bare(Kind::Usage));
    };
    let wanted = format!("attachments/{first}/{}", asked.sha256);
    for repository in repositories {
        let from = (repository, repositories);
        match out_of(from, (&wanted, &asked.into), voice) {
            Ok(true) => {
                let found = asked.into.join(&asked.sha256);
                return std::fs::rename(found, &to)
                    .map(|()| ExitCode::SUCCESS)
                    .map_err(|error| Report::new(Kind::Disk, error));
            }
            Ok(false) => {}
            // One disk that is away must not hide the others.
            Err(report) => voice.report(&report),
        }
    }
    voice.say(
        "どの保管先にも、壊れていない中身がありません。手順書: runbooks/attachment-damaged.md",
    );
    Ok(ExitCode::from(1))
}

/// A backup that was taken after the damage lacks the file; then older ones are asked, farther and farther.
fn out_of(
    from: (&RepositorySettings, &[RepositorySettings]),
    wanted: (&str, &Path),
    voice: &Voice,
) -> Result<bool, Report> {
    let mut newest_first = backup::list(from.0)?;
    newest_first.reverse();
    let mut steps = 0..;
    let mut place = 0;
    while let Some(snapshot) = newest_first.get(place) {
        let selector = Selector::Id(snapshot.id.clone());
        match backup::restore_file(from, &selector, wanted, &Lines::new(voice)) {
            Ok(done) if done.is_complete() => return Ok(true),
            Ok(_) | Err(BackupError::NoFile { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        place += 1_usize << steps.next().unwrap_or(0_u32).min(16);
    }
    Ok(false)
}

fn written(to: &Path, bytes: &[u8], voice: &Voice) -> Result<ExitCode, Report> {
    base::paths::write_atomic(to, bytes, base::paths::MODE_PRIVATE)
        .map_err(|error| Report::new(Kind::Disk, error))?;
    voice.say("逐次複製のディスクから取り出しました。");
    Ok(ExitCode::SUCCESS)
}

/// Progress as lines that the service reads.
struct Lines {
    voice: Voice,
    done: AtomicU64,
    total: AtomicU64,
}

impl Lines {
    fn new(voice: &Voice) -> Self {
        Self {
            voice: *voice,
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
        }
    }
}

impl Progress for Lines {
    fn start(&self, _step: Step, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        self.voice.say(&format!("progress 0/{bytes}"));
    }

    fn advance(&self, bytes: u64) {
        let total = self.total.load(Ordering::Relaxed).max(1);
        let before = self.done.fetch_add(bytes, Ordering::Relaxed);
        let part = |done: u64| done.saturating_mul(PARTS).checked_div(total);
        let done = before.saturating_add(bytes);
        if part(before) != part(done) {
            self.voice.say(&format!("progress {done}/{total}"));
        }
    }
}
