//! `backup`: gathers what a bare machine needs and hands it to the repositories.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use backup::{Beside, Progress, Quiet, RepositorySettings, SnapshotInfo, Source};
use base::clock::Clock;
use base::report::{Kind, Report, Runbook};
use base::settings::Site;
use serde::Serialize;
use server::features::carried_out::{Console, Disk, FieldProblem, keep_disk};
use server::web::Problem;
use store::{
    Actor, DataDir, Db, Operation, Operator, StoreError, SystemReason, copy_shelf, snapshot_of,
};

use crate::output::Voice;
use crate::{operator, site};

const RUN: &str = "コマンド backup run";

#[derive(Serialize)]
struct Saved {
    repository: String,
    snapshot: String,
    files: u64,
    bytes: u64,
    bytes_added: u64,
    audit_head: String,
    /// Attachments whose bytes are gone; everything else was saved.
    attachments_missing: Vec<i64>,
}

#[derive(Serialize)]
struct Listed {
    repository: String,
    snapshot: String,
    taken_at: String,
    files: u64,
    bytes: u64,
}

pub(crate) fn init(
    repositories: &[RepositorySettings],
    dir: &DataDir,
    operator: Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    need_some(repositories, voice)?;
    let names: Vec<&str> = repositories.iter().map(|r| r.name.as_str()).collect();
    // Before it is done: of several, the first may be made and the second fail.
    let detail = format!("backup init／保管先＝{}", names.join("、"));
    operator::note(dir, Operation::Backup, detail, Some(operator))?;
    for repository in repositories {
        let made = backup::init(repository).map_err(Report::from)?;
        voice.say(&format!(
            "保管先「{}」を作りました（{}）。",
            repository.name, made.repository_id
        ));
    }
    voice.result(&names)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn run(
    site: &Site,
    dir: &DataDir,
    file: &Path,
    operator: Option<Operator>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let repositories = site::repositories(site);
    need_some(&repositories, voice)?;
    let (saved, missing) = save(&repositories, dir, file, voice)?;
    let names: Vec<&str> = repositories.iter().map(|r| r.name.as_str()).collect();
    let who = if operator.is_none() {
        "／タイマー"
    } else {
        ""
    };
    let lacks = if missing == 0 {
        String::new()
    } else {
        format!("／中身のない添付ファイル＝{missing}件")
    };
    let detail = format!("backup run／保管先＝{}{lacks}{who}", names.join("、"));
    operator::note(dir, Operation::Backup, detail, operator.clone())?;
    voice.result(&saved)?;
    let entered = disks(site, dir, operator.as_ref(), voice)?;
    // Saved, and yet not well: a timer that ends with 0 would be believed.
    Ok(if entered && missing == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Enters the disks that leave in the register; false when the settings have words that it refuses.
fn disks(
    site: &Site,
    dir: &DataDir,
    operator: Option<&Operator>,
    voice: &Voice,
) -> Result<bool, Report> {
    let repositories = site.backup.repositories.iter();
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
    let (actor, name) = match operator {
        Some(operator) => (operator::actor(RUN, operator), operator.name.as_str()),
        None => (Actor::system(RUN), "バックアップのタイマー"),
    };
    let mut all_fit = true;
    for (repository, disk) in leaving {
        let console = Console {
            db: &db,
            actor: &actor,
            operator: name,
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

fn told(repository: &str, problems: &[FieldProblem], voice: &Voice) {
    voice.say(&format!(
        "控えは取りましたが、保管先「{repository}」を持出し台帳に載せられません。\
         設定ファイルの [backup.repositories.removable] を直し、もう一度実行してください。"
    ));
    for problem in problems {
        voice.say(&format!("{}: {}", problem.field, problem.text));
    }
}

pub(crate) fn list(repositories: &[RepositorySettings], voice: &Voice) -> Result<ExitCode, Report> {
    need_some(repositories, voice)?;
    let mut all = Vec::new();
    for repository in repositories {
        for snapshot in backup::list(repository).map_err(Report::from)? {
            all.push(listed(repository, &snapshot, voice));
        }
    }
    voice.result(&all)?;
    Ok(ExitCode::SUCCESS)
}

fn listed(repository: &RepositorySettings, snapshot: &SnapshotInfo, voice: &Voice) -> Listed {
    let taken_at = snapshot
        .taken_at_in_japan()
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string();
    let (files, bytes) = (snapshot.files, snapshot.bytes);
    voice.say(&format!(
        "{} {} {} {files}個 {bytes}バイト",
        repository.name, snapshot.id, taken_at
    ));
    Listed {
        repository: repository.name.clone(),
        snapshot: snapshot.id.clone(),
        taken_at,
        files,
        bytes,
    }
}

/// One snapshot into every repository, each made by itself: damage must not travel. Beside what was
/// saved: how many attachments have lost their bytes.
pub(crate) fn save(
    repositories: &[RepositorySettings],
    dir: &DataDir,
    site: &Path,
    voice: &Voice,
) -> Result<(Vec<impl Serialize + use<>>, usize), Report> {
    let staging = tempfile::Builder::new()
        .prefix("backup-")
        .tempdir_in(dir.path())
        .map_err(|e| unprepared(dir.path(), e))?;
    let (facts, missing, beside) = gather(dir, site, staging.path(), voice)?;
    let head = facts.audit_head.clone();
    let facts = serde_json::to_value(&facts).map_err(|e| Report::new(Kind::Fault, e))?;
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
    let quiet: Arc<dyn Progress> = Arc::new(Quiet);
    let mut saved = Vec::new();
    for repository in repositories {
        let done = backup::run(repository, &source, &quiet).map_err(Report::from)?;
        voice.say(&format!(
            "保管先「{}」に保存しました。{}個、{}バイト（増えた分 {}バイト）",
            repository.name, done.snapshot.files, done.snapshot.bytes, done.bytes_added
        ));
        saved.push(Saved {
            repository: repository.name.clone(),
            snapshot: done.snapshot.id,
            files: done.snapshot.files,
            bytes: done.snapshot.bytes,
            bytes_added: done.bytes_added,
            audit_head: head.clone(),
            attachments_missing: missing.clone(),
        });
    }
    Ok((saved, missing.len()))
}

/// Everything a bare machine needs, in the layout of a data directory: copied, or named where it lies.
fn gather(
    dir: &DataDir,
    site: &Path,
    to: &Path,
    voice: &Voice,
) -> Result<(store::Facts, Vec<i64>, Vec<Beside>), Report> {
    let staged = DataDir::new(to);
    // The rows first, then the bytes that they name: what is attached meanwhile is in the next one.
    let mut facts = snapshot_of(dir, &staged.database()).map_err(StoreError::report)?;
    let mut missing = copy_shelf(&staged.database(), dir, &staged).map_err(StoreError::report)?;
    if !missing.is_empty() {
        // Perhaps they were erased in between, rows and bytes: then newer rows do not name them.
        facts = snapshot_of(dir, &staged.database()).map_err(StoreError::report)?;
        missing = copy_shelf(&staged.database(), dir, &staged).map_err(StoreError::report)?;
    }
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
    files.push((dir.checkpoints(), staged.checkpoints()));
    if site.exists() {
        files.push((site.to_path_buf(), to.join("site.toml")));
    }
    for (from, into) in files {
        std::fs::copy(&from, &into).map_err(|e| unprepared(&from, e))?;
    }
    Ok((facts, missing, evidence(dir, &staged)?))
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

fn unprepared(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Report {
    Report::new(Kind::BackupTarget, error)
        .operator(
            "バックアップの準備ができませんでした。今までのバックアップは無事です",
            Runbook::BackupFailed,
        )
        .at(path)
}

pub(crate) fn need_some(repositories: &[RepositorySettings], voice: &Voice) -> Result<(), Report> {
    if repositories.is_empty() {
        voice.say("設定ファイルに保管先 [[backup.repositories]] がありません。");
        return Err(Report::bare(Kind::Settings));
    }
    Ok(())
}
