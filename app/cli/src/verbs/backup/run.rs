//! `backup run`: gathers what a bare machine needs and hands it to the repositories.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use backup::records::{Job, Outcome};
use backup::{Beside, Progress, Quiet, RepositorySettings, Source};
use base::clock::{Clock, japanese_day};
use base::report::{Kind, Report};
use serde::Serialize;
use server::features::carried_out::{Console, Disk, FieldProblem, disk_returned, keep_disk};
use server::web::Problem;
use store::{
    Actor, DataDir, Db, Frozen, StoreError, SystemReason, copy_shelf, frozen_anew, frozen_of,
};

use super::{Keeper, failed, first_failure, unprepared};
use crate::operator;
use crate::output::Voice;
use crate::verbs::restore;

const RUN: &str = "コマンド backup run";
/// Below the data directory, with six letters behind it, while a run lasts.
pub(super) const STAGING: &str = "staging-";

#[derive(Serialize)]
pub(super) struct Saved {
    repository: String,
    pub(super) snapshot: String,
    files: u64,
    bytes: u64,
    bytes_added: u64,
    audit_head: String,
    /// Attachments whose bytes are gone; everything else was saved.
    attachments_missing: Vec<i64>,
}

pub(crate) fn run(keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let (dir, voice) = (&keeper.dir, keeper.voice);
    restore::refuse_unfinished(dir)?;
    let repositories = &keeper.resident();
    let names: Vec<&str> = repositories.iter().map(|one| one.name.as_str()).collect();
    let _turn = keeper.turn(Job::Run, &names.join("、"))?;
    let is_told = keeper.operator.is_none() && saved_today(keeper)?;
    let gathered = gather(dir, keeper.file, voice);
    let gathered = match gathered {
        Ok(gathered) => gathered,
        // Whatever was in the way, each repository has gone without.
        Err(report) => return Err(none_saved(report, keeper)),
    };
    let each = repositories.iter().map(|one| {
        keeper.recorded(Job::Run, one, |record| {
            let saved = gathered.save_into(one, voice)?;
            record.snapshot = Some(saved.snapshot.clone());
            Ok(saved)
        })
    });
    let outcomes: Vec<Result<Saved, Report>> = each.collect();
    let saved: Vec<&Saved> = outcomes
        .iter()
        .filter_map(|one| one.as_ref().ok())
        .collect();
    let at = gathered.source.taken_at;
    keeper.newest(saved.iter().map(|one| one.repository.as_str()), at)?;
    let all_is_well = saved.len() == names.len() && gathered.missing.is_empty();
    if !(saved.is_empty() || all_is_well && is_told) {
        keeper.note(&told_of(&saved, &names, gathered.missing.len()))?;
    }
    let saved = first_failure(outcomes, voice)?;
    keeper.result(&saved)?;
    let entered = entered(keeper)?;
    // Saved, and yet not well: a timer that ends with 0 would be believed.
    Ok(if entered && gathered.missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Has the timer saved something today? Its first run of a day has an entry in the access log, and one
/// that does not go well; the others have their records alone. An entry each would be a change of the
/// database each, so that a quiet night would be saved every hour anew.
fn saved_today(keeper: &Keeper<'_>) -> Result<bool, Report> {
    let today = japanese_day(keeper.now());
    let history = keeper.records.read().map_err(failed)?;
    let mut records = history.records.iter().rev();
    Ok(records.any(|one| {
        one.job == Job::Run && one.outcome == Outcome::Ok && japanese_day(one.ended_at) == today
    }))
}

fn none_saved(report: Report, keeper: &Keeper<'_>) -> Report {
    let text = report.for_operator().map(|advice| advice.text.to_owned());
    for repository in &keeper.resident() {
        let kept = keeper.recorded(Job::Run, repository, |record| {
            record.said.extend(text.clone());
            Err::<(), Report>(Report::bare(report.kind()))
        });
        // The first failure is the one to tell.
        drop(kept);
    }
    report
}

fn told_of(saved: &[&Saved], names: &[&str], missing: usize) -> String {
    let done: Vec<&str> = saved.iter().map(|one| one.repository.as_str()).collect();
    let not: Vec<&str> = names
        .iter()
        .copied()
        .filter(|one| !done.contains(one))
        .collect();
    let mut detail = format!("backup run／保管先＝{}", done.join("、"));
    if !not.is_empty() {
        detail.push_str(&format!("／失敗＝{}", not.join("、")));
    }
    if missing > 0 {
        detail.push_str(&format!("／中身のない添付ファイル＝{missing}件"));
    }
    detail
}

/// Enters the disks that leave in the register; false when the settings have words that it refuses.
pub(super) fn entered(keeper: &Keeper<'_>) -> Result<bool, Report> {
    let (dir, voice) = (&keeper.dir, keeper.voice);
    let ours = |name: &str| keeper.repositories.iter().any(|one| one.name == name);
    let repositories = keeper.site.backup.repositories.iter();
    let repositories = repositories.filter(|known| ours(known.name()));
    let leaving = repositories.filter_map(|known| Some((known.name(), known.removable.as_ref()?)));
    let leaving: Vec<_> = leaving.collect();
    if leaving.is_empty() {
        return Ok(true);
    }
    let db = Db::open_beside(dir, Clock::system()).map_err(StoreError::report)?;
    let counted = "select count(*) from residents where resident_state <> '0'";
    let read = |tx: &store::ReadTx<'_>| tx.count(counted, []);
    let persons = db.system_read(SystemReason::Backup, read);
    let persons = persons.map_err(StoreError::report)?;
    let (actor, name) = who(keeper);
    let mut all_fit = true;
    for (repository, disk) in leaving {
        let console = Console {
            db: &db,
            actor: &actor,
            operator: &name,
            submission: repository,
        };
        let disk = Disk {
            repository,
            medium: &disk.medium,
            label: &disk.label,
            destination: &disk.destination,
            carried_by: &disk.carried_by,
            days_out: disk.days_out(),
            persons,
        };
        match keep_disk(console, &disk).map_err(Problem::report)? {
            Ok(kept) => voice.say(&format!(
                "保管先「{repository}」は持ち出すディスクです。持出し台帳の番号 {}。",
                kept.id()
            )),
            Err(problems) => {
                all_fit = false;
                told(repository, &problems, voice);
            }
        }
    }
    db.close().map_err(StoreError::report)?;
    Ok(all_fit)
}

/// A disk that was carried away is here again: its entry ends.
pub(super) fn returned(keeper: &Keeper<'_>, repository: &str) -> Result<(), Report> {
    let db = Db::open_beside(&keeper.dir, Clock::system()).map_err(StoreError::report)?;
    let (actor, name) = who(keeper);
    let console = Console {
        db: &db,
        actor: &actor,
        operator: &name,
        submission: repository,
    };
    if disk_returned(console, repository).map_err(Problem::report)? {
        keeper.voice.say(&format!(
            "ディスク「{repository}」が戻ったことを、持出し台帳に記録しました。"
        ));
    }
    db.close().map_err(StoreError::report)
}

fn who(keeper: &Keeper<'_>) -> (Actor, String) {
    match &keeper.operator {
        Some(operator) => (operator::actor(RUN, operator), operator.name.clone()),
        None => (Actor::system(RUN), "バックアップのタイマー".to_owned()),
    }
}

fn told(repository: &str, problems: &[FieldProblem], voice: &Voice) {
    voice.say(&format!(
        "控えは取りましたが、保管先「{repository}」を持出し台帳に載せられません。\
         設定ファイルの [backup.repositories.removable] を直し、もう一度実行してください。"
    ));
    for problem in problems {
        voice.say(&format!("{}: {}", problem.field, problem.text));
    }
}

/// One snapshot into every repository, each made by itself: damage must not travel.
pub(crate) fn save(
    repositories: &[RepositorySettings],
    dir: &DataDir,
    site: &Path,
    voice: &Voice,
) -> Result<(), Report> {
    let gathered = gather(dir, site, voice)?;
    for repository in repositories {
        gathered.save_into(repository, voice)?;
    }
    Ok(())
}

/// Everything a bare machine needs, in the layout of a data directory: copied, or named where it lies.
pub(super) struct Gathered {
    pub(super) source: Source,
    audit_head: String,
    /// Attachments whose bytes are gone.
    missing: Vec<i64>,
    /// Removed when the last repository has it.
    _staging: tempfile::TempDir,
}

impl Gathered {
    pub(super) fn save_into(
        &self,
        repository: &RepositorySettings,
        voice: &Voice,
    ) -> Result<Saved, Report> {
        let quiet: Arc<dyn Progress> = Arc::new(Quiet);
        let done = backup::run(repository, &self.source, &quiet).map_err(failed)?;
        voice.say(&format!(
            "保管先「{}」に保存しました。{}個、{}バイト（増えた分 {}バイト）",
            repository.name, done.snapshot.files, done.snapshot.bytes, done.bytes_added
        ));
        Ok(Saved {
            repository: repository.name.clone(),
            snapshot: done.snapshot.id,
            files: done.snapshot.files,
            bytes: done.snapshot.bytes,
            bytes_added: done.bytes_added,
            audit_head: self.audit_head.clone(),
            attachments_missing: self.missing.clone(),
        })
    }
}

pub(super) fn gather(dir: &DataDir, site: &Path, voice: &Voice) -> Result<Gathered, Report> {
    let staging = tempfile::Builder::new()
        .prefix(STAGING)
        .tempdir_in(dir.path())
        .map_err(|e| unprepared(dir.path(), e))?;
    let (facts, missing, beside) = staged(dir, site, staging.path(), voice)?;
    let audit_head = facts.audit_head.clone();
    let told = restore::facts::of(facts, &DataDir::new(staging.path()).database())?;
    let facts = serde_json::to_value(&told).map_err(|e| Report::new(Kind::Fault, e))?;
    let source = Source {
        dir: staging.path().to_path_buf(),
        beside,
        label: "hokatsu".to_owned(),
        host: rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned(),
        taken_at: Clock::system().now(),
        facts,
    };
    Ok(Gathered {
        source,
        audit_head,
        missing,
        _staging: staging,
    })
}

fn staged(
    dir: &DataDir,
    site: &Path,
    to: &Path,
    voice: &Voice,
) -> Result<(store::Facts, Vec<i64>, Vec<Beside>), Report> {
    let staged = DataDir::new(to);
    // The signed ends of the log before the log: one that is signed meanwhile is of entries to come.
    let (signed, into) = (dir.checkpoints(), staged.checkpoints());
    if signed.exists() {
        copied_whole(&signed, &into).map_err(|e| uncopied(&signed, e))?;
    }
    // The rows first, then the bytes that they name: what is attached meanwhile is in the next one.
    let attached = |frozen: &Frozen| copy_shelf(&frozen.database, dir, &staged);
    let mut frozen = frozen_of(dir).map_err(StoreError::report)?;
    let mut missing = attached(&frozen).map_err(StoreError::report)?;
    if !missing.is_empty() {
        // Perhaps they were erased in between, rows and bytes: then newer rows do not name them.
        frozen = frozen_anew(dir).map_err(StoreError::report)?;
        missing = attached(&frozen).map_err(StoreError::report)?;
    }
    // Linked: one that is still the last run's keeps what the engine knows it by.
    let (from, into) = (&frozen.database, staged.database());
    std::fs::hard_link(from, &into).map_err(|e| unprepared(from, e))?;
    if !missing.is_empty() {
        let numbers: Vec<String> = missing.iter().map(i64::to_string).collect();
        voice.say(&format!(
            "添付ファイル {}件の中身がありません（番号 {}）。ほかは保存します。手順書: runbooks/attachment-damaged.md",
            missing.len(),
            numbers.join("、")
        ));
    }
    let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
    let whole = [
        (dir.keys(), staged.keys()),
        (dir.tls(), staged.tls()),
        (dir.audit_archives(), staged.audit_archives()),
        (dir.drill_reports(), staged.drill_reports()),
    ];
    for (from, into) in whole {
        if from.exists() {
            base::paths::create_private_dir(&into).map_err(|e| unprepared(&into, e))?;
            let entries = std::fs::read_dir(&from).map_err(|e| unprepared(&from, e))?;
            for entry in entries {
                let entry = entry.map_err(|e| unprepared(&from, e))?;
                files.push((entry.path(), into.join(entry.file_name())));
            }
        }
    }
    if site.exists() {
        files.push((site.to_path_buf(), to.join("site.toml")));
    }
    for (from, into) in files {
        copied_whole(&from, &into).map_err(|e| uncopied(&from, e))?;
    }
    Ok((frozen.facts, missing, evidence(dir, &staged)?))
}

/// A disk that fails may end a file early and call that its end: half a key would be saved as if it were one.
fn copied_whole(from: &Path, into: &Path) -> std::io::Result<()> {
    let wanted = std::fs::metadata(from)?.len();
    // More is right: some of these are added to.
    if std::fs::copy(from, into)? < wanted {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

/// Copies lie on the disk of the data: when that is full, it is said as everywhere.
fn uncopied(from: &Path, error: std::io::Error) -> Report {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    if matches!(error.kind(), StorageFull | QuotaExceeded) {
        return StoreError::DiskFull.report();
    }
    unprepared(from, error)
}

/// Folders of evidence, each as large as the database: read where they lie. They appear whole and
/// never change; what begins with a dot is still being made.
fn evidence(dir: &DataDir, staged: &DataDir) -> Result<Vec<Beside>, Report> {
    let place = dir.evidence();
    if !place.exists() {
        return Ok(Vec::new());
    }
    let into = staged.evidence();
    base::paths::create_private_dir(&into).map_err(|e| unprepared(&into, e))?;
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(&place).map_err(|e| unprepared(&place, e))? {
        let entry = entry.map_err(|e| unprepared(&place, e))?;
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with('.') {
            let above = place.file_name().unwrap_or_default();
            folders.push(Beside {
                from: entry.path(),
                to: Path::new(above).join(name),
            });
        }
    }
    Ok(folders)
}
