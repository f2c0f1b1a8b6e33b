//! `backup disk run`: what happens to a disk that was plugged in.
//!
//! Shape: recognised → opened → compared, read-only → saved to → tidied → shut, opened again and read
//! back → shut: free to go. Each step leaves its record; whatever goes wrong, the disk is shut and it is
//! said what was not saved.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use backup::disks::{DiskError, Mark, Mode, Written};
use backup::due::{Clock, clock, next_slice};
use backup::records::{Job, Outcome, Record};
use backup::retention::Ahead;
use backup::{CheckDepth, Turn, plan_prune};
use base::disks::{Disk, Disks, Saved, State};
use base::report::{Kind, Report, Runbook};
use serde::Serialize;
use store::{StoreError, is_sealed};

use super::doubts::{answered, doubts};
use super::enrol::MARK_KIND;
use super::opened::Opened;
use super::stranger::{Stranger, refused};
use super::tell::tell;
use super::{Kept, Rotation, listed};
use crate::arguments::DiskRunArguments;
use crate::verbs::backup::run::{entered, gather, returned};
use crate::verbs::backup::{failed, tick};
use crate::verbs::restore;

/// So long a disk waits while another job runs: a drill of a large town ends within it.
const TURN_WAIT_MAX: Duration = Duration::from_secs(2 * 3_600);
const TURN_LOOK_EACH: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct Visited {
    name: String,
    snapshot: String,
    /// Files and bytes that were read back from the device.
    files_read: u64,
    bytes_read: u64,
    /// Put aside because somebody said so.
    doubts: usize,
    /// Its unneeded data were tidied away.
    pruned: bool,
    /// It stands in the register.
    registered: bool,
}

pub(super) fn run(asked: &DiskRunArguments, rotation: &Rotation<'_>) -> Result<ExitCode, Report> {
    let device = asked.device.as_path();
    restore::refuse_unfinished(&rotation.keeper.dir)?;
    let identity = match rotation.opener.identify(device) {
        Ok(identity) => identity,
        Err(DiskError::Unrecognised(_)) => {
            return refused(rotation, device, "", &Stranger::Unknown);
        }
        Err(error) => return Err(error.into()),
    };
    let mut always = rotation.settings.always_here.iter();
    if always.any(|uuid| *uuid == identity.uuid) {
        let words = "いつもつないでおくディスクです。ここでは何もしません。";
        rotation.keeper.voice.say(words);
        rotation.keeper.result(&None::<Visited>)?;
        return Ok(ExitCode::SUCCESS);
    }
    let disks = rotation.disks()?;
    let known = disks.with_uuid(&identity.uuid).cloned();
    let stranger = match &known {
        None => Some(Stranger::Unknown),
        Some(disk) if disk.ended.is_some() => Some(Stranger::Ended(disk.clone())),
        Some(_) if rotation.opener.alike(&identity.uuid)?.len() > 1 => Some(Stranger::Doubled),
        Some(_) => None,
    };
    match (known, stranger) {
        (Some(disk), None) => visit(rotation, (device, &disk), asked.despite),
        (_, stranger) => {
            let stranger = stranger.unwrap_or(Stranger::Unknown);
            refused(rotation, device, &identity.uuid, &stranger)
        }
    }
}

fn visit(
    rotation: &Rotation<'_>,
    (device, disk): (&Path, &Disk),
    despite: bool,
) -> Result<ExitCode, Report> {
    let name = disk.name.as_str();
    let on = (device, Some(name));
    let words = format!("ディスク「{name}」に控えを取っています。抜かないでください。");
    tell(rotation, on, State::Working, &words)?;
    match visited(rotation, (device, disk), despite) {
        Ok(done) => {
            let words = format!(
                "ディスク「{name}」は取り外してよい状態です。控えを取り、読み直して確かめました。"
            );
            tell(rotation, on, State::Free, &words)?;
            rotation.keeper.result(&done)?;
            Ok(ExitCode::from(u8::from(!(done.pruned && done.registered))))
        }
        Err(report) => {
            let words = format!(
                "ディスク「{name}」に新しい控えを取れませんでした。前の控えは残っています。取り外してかまいません。"
            );
            tell(rotation, on, State::Refused, &words)?;
            Err(report)
        }
    }
}

fn visited(
    rotation: &Rotation<'_>,
    (device, disk): (&Path, &Disk),
    despite: bool,
) -> Result<Visited, Report> {
    let keeper = rotation.keeper;
    let kept = rotation.kept(&disk.name)?;
    let _turn = turn(rotation, &disk.name)?;
    let began = keeper.now();
    let mut record = Record::new(Job::Disk, &disk.name, began, began);
    let done = believed(rotation, despite).and_then(|()| {
        let mut opened = ours(rotation, (device, disk), &kept)?;
        let done = on_disk(rotation, (&mut opened, disk), &kept, despite);
        // What could not be done is told first; a disk that cannot be shut then, too.
        let shut = opened.close().map_err(Report::from);
        done.and_then(|done| shut.map(|()| done))
    });
    record.ended_at = keeper.now();
    match &done {
        Ok(done) => record.snapshot = Some(done.snapshot.clone()),
        Err(report) => {
            record.outcome = Outcome::Failed;
            let advice = report.for_operator().map(|advice| advice.text.to_owned());
            record.said.extend(advice);
        }
    }
    keeper.keep(&record)?;
    let done = done?;
    let saved = Saved {
        at: record.ended_at,
        taken_at: done.taken_at,
        snapshot: done.snapshot,
    };
    finished(rotation, disk, saved.clone())?;
    let registered = entered(&keeper.within(vec![kept.repository]))?;
    Ok(Visited {
        name: disk.name.clone(),
        snapshot: saved.snapshot,
        files_read: done.files_read,
        bytes_read: done.bytes_read,
        doubts: done.doubts,
        pruned: done.pruned,
        registered,
    })
}

fn finished(rotation: &Rotation<'_>, disk: &Disk, saved: Saved) -> Result<(), Report> {
    let save = |disks: &mut Disks| {
        let known = disks.active_mut(&disk.name);
        if let Some(known) = known.filter(|known| known.mark == disk.mark) {
            known.saved = Some(saved);
            known.left_at = None;
        }
    };
    Disks::change(&rotation.keeper.dir.backup_disks(), save).map_err(listed)
}

/// The turn of this machine; whoever stands beside a disk is told what it waits for.
fn turn(rotation: &Rotation<'_>, name: &str) -> Result<Turn, Report> {
    let keeper = rotation.keeper;
    let since = Instant::now();
    let mut is_told = false;
    loop {
        match keeper.turn(Job::Disk, name) {
            Err(report) if tick::is_busy(&report) && since.elapsed() < TURN_WAIT_MAX => {
                if !is_told {
                    keeper
                        .voice
                        .say("ほかの控えの処理が終わるのを待っています。抜かないでください。");
                    is_told = true;
                }
                std::thread::sleep(TURN_LOOK_EACH);
            }
            taken => return taken,
        }
    }
}

fn believed(rotation: &Rotation<'_>, despite: bool) -> Result<(), Report> {
    let keeper = rotation.keeper;
    let history = keeper.records.read().map_err(failed)?;
    match clock(&history, &keeper.schedule(), keeper.now()) {
        Clock::Believed => Ok(()),
        Clock::Behind(_) | Clock::Ahead(_) if despite => Ok(()),
        doubted @ (Clock::Behind(_) | Clock::Ahead(_)) => Err(tick::not_believed(doubted)),
    }
}

/// Opened, and its mark is the one that we left there. Until then nothing is written, no journal either.
fn ours<'r>(
    rotation: &'r Rotation<'_>,
    (device, disk): (&Path, &Disk),
    kept: &Kept,
) -> Result<Opened<'r>, Report> {
    let mut opened = Opened::open(&rotation.opener, device, &kept.place, &kept.key)?;
    opened.mount(Mode::Look)?;
    let found = Mark::read(opened.top())?;
    let key = rotation.keeper.dir.audit_public_key();
    let holds = match &found {
        None => false,
        Some(found) => {
            let kind = format!("{{\"hokatsu\":\"{MARK_KIND} 1\",");
            let (mark, text) = (&found.mark, &found.text);
            mark.mark == disk.mark
                && mark.uuid == disk.uuid
                && mark.name == disk.name
                && text.starts_with(kind.as_bytes())
                && is_sealed(&key, text, &found.signature).map_err(StoreError::report)?
        }
    };
    if holds {
        return Ok(opened);
    }
    opened.close()?;
    let words = format!(
        "ディスク「{}」の印が、登録したときのものではありません。何も書かずに閉じました。",
        disk.name
    );
    Err(Report::bare(Kind::CheckFailed)
        .operator(words, Runbook::DiskForeign)
        .at(device))
}

struct Done {
    snapshot: String,
    taken_at: jiff::Timestamp,
    files_read: u64,
    bytes_read: u64,
    doubts: usize,
    pruned: bool,
}

fn on_disk(
    rotation: &Rotation<'_>,
    (opened, disk): (&mut Opened<'_>, &Disk),
    kept: &Kept,
    despite: bool,
) -> Result<Done, Report> {
    let (keeper, repository) = (rotation.keeper, &kept.repository);
    // It is in the house: whatever comes of this visit, nobody needs to wait for it.
    if disk.left_at.is_some() {
        returned(keeper, &disk.name)?;
    }
    let gathered = gather(&keeper.dir, keeper.file, keeper.voice)?;
    opened.mount(Mode::Read)?;
    let doubts = doubts(rotation, disk, kept, &gathered)?;
    if !doubts.is_empty() {
        answered(rotation, disk, &doubts, despite)?;
    }
    opened.mount(Mode::Write)?;
    let written = Written::before(repository).map_err(failed)?;
    let saved = keeper.recorded(Job::Run, repository, |record| {
        let saved = gathered.save_into(repository, keeper.voice)?;
        record.snapshot = Some(saved.snapshot.clone());
        Ok(saved)
    })?;
    keeper.note(&format!("backup disk run／保管先＝{}", disk.name))?;
    let pruned = pruned(rotation, kept);
    opened.mount(Mode::Read)?;
    let (files_read, bytes_read) = read_back(rotation, kept, &written)?;
    Ok(Done {
        snapshot: saved.snapshot,
        taken_at: gathered.source.taken_at,
        files_read,
        bytes_read,
        doubts: doubts.len(),
        pruned,
    })
}

/// A disk that comes once a week keeps as many hours, days and weeks as have a snapshot. What is marked
/// now is deleted at a later visit. That it could not be tidied makes no backup worse: it is said.
fn pruned(rotation: &Rotation<'_>, kept: &Kept) -> bool {
    let (keeper, repository) = (rotation.keeper, &kept.repository);
    let done = keeper.recorded(Job::Prune, repository, |record| {
        let (rules, now) = (keeper.rules(), keeper.now());
        let plan = plan_prune(repository, &rules, Ahead::Keep, now).map_err(failed)?;
        let done = backup::prune(repository, &rules, &plan, now).map_err(failed)?;
        if !done.is_healthy() {
            record.outcome = Outcome::NotHeld;
            record
                .said
                .extend(done.findings.iter().map(|one| one.text.clone()));
        }
        Ok(done.is_healthy())
    });
    match done {
        Ok(healthy) => healthy,
        Err(report) => {
            keeper.voice.report(&report);
            false
        }
    }
}

/// What this visit wrote, from the device; and the part of the rest that was read longest ago.
fn read_back(
    rotation: &Rotation<'_>,
    kept: &Kept,
    written: &Written,
) -> Result<(u64, u64), Report> {
    let (keeper, repository) = (rotation.keeper, &kept.repository);
    let history = keeper.records.read().map_err(failed)?;
    let of = u32::from(rotation.settings.read_visits);
    let slice = next_slice(&history, &repository.name, of);
    keeper.recorded(Job::Check, repository, |record| {
        record.slice = Some(slice);
        let read = written.read_back(repository).map_err(failed)?;
        let checked = backup::check(repository, CheckDepth::Part(slice)).map_err(failed)?;
        let serious = checked.findings.iter().filter(|one| one.serious);
        let mut wrong: Vec<String> = read.wrong;
        wrong.extend(serious.map(|one| one.text.clone()));
        if wrong.is_empty() {
            return Ok((read.files, read.bytes));
        }
        record.said.clone_from(&wrong);
        let words = format!(
            "書いた控えを読み直すと、{}か所が書いたとおりではありません。このディスクを信用せず、替えてください。",
            wrong.len()
        );
        Err(Report::bare(Kind::CheckFailed).operator(words, Runbook::DiskDoubtful))
    })
}
