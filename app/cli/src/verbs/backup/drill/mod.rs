//! `backup drill`: a backup is brought back beside everything, looked at, started, signed in to, and
//! taken away again; a signed report says how it went.
//!
//! Shape: [`chance`] chooses, [`examine`] compares, [`probe`] starts the real service on the copy,
//! [`paper`] writes the report. What does not hold is an answer (exit 1); what is in the way of the
//! drill itself is an error.
//! Invariant: nothing here opens the data in use but to compare attachments byte for byte; the account
//! that signs in exists in the copy alone; no line of a resident's record leaves it.
//! Source: docs/decisions/0034-repositories-that-look-after-themselves.md.

mod chance;
mod examine;
mod paper;
mod probe;

use std::path::PathBuf;
use std::process::ExitCode;

use backup::records::{Job, Outcome, Record};
use backup::{Quiet, RepositorySettings, Selector, SnapshotInfo, list, restore_to};
use base::report::{Kind, Report, Runbook};
use jiff::Timestamp;
use serde::Serialize;
use store::{DataDir, Facts, StoreError};

use super::{Keeper, failed, unprepared};
use crate::arguments::DrillArguments;

/// Below the data directory, with six letters behind it, while a drill lasts.
pub(super) const SCRATCH: &str = "drill-scratch-";
/// The copy is migrated, which may write it anew; and the data in use keeps room to grow.
const SPARE_BYTES: u64 = 256 * 1024 * 1024;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Step {
    name: &'static str,
    holds: bool,
    /// For people; counts and ids of our own.
    words: String,
}

impl Step {
    fn new(name: &'static str, holds: bool, words: impl Into<String>) -> Self {
        Self {
            name,
            holds,
            words: words.into(),
        }
    }
}

/// The report: what is signed, printed and shown.
#[derive(Debug, Clone, Serialize)]
struct Drilled {
    repository: String,
    snapshot: String,
    taken_at: Timestamp,
    bytes: u64,
    files: u64,
    began_at: Timestamp,
    ended_at: Timestamp,
    operator: Option<String>,
    version: &'static str,
    steps: Vec<Step>,
    holds: bool,
}

#[derive(Serialize)]
struct Told<'d> {
    #[serde(flatten)]
    drilled: &'d Drilled,
    report: PathBuf,
}

pub(crate) fn drill(asked: &DrillArguments, keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let repositories = match &asked.repository {
        Some(name) => keeper.chosen(Some(name))?,
        None => keeper.at_home(),
    };
    let _turn = keeper.turn(Job::Drill, asked.repository.as_deref().unwrap_or(""))?;
    let chance = chance::number()?;
    let repository = chance::one_of(&repositories, chance).ok_or_else(|| {
        Report::bare(Kind::BackupTarget).operator(
            "いまつながっている保管先がありません。ディスクの接続とマウントを確かめてください",
            Runbook::BackupFailed,
        )
    })?;
    let older_one_in = keeper.site.backup.drill().older_one_in;
    let files = asked.files.unwrap_or(keeper.site.backup.drill().files);
    let done = keeper.recorded(Job::Drill, repository, |record| {
        let all = list(repository).map_err(failed)?;
        let chosen = chance::snapshot(all, older_one_in, chance);
        let chosen = chosen.ok_or_else(|| nothing_to_practise(repository))?;
        record.snapshot = Some(chosen.id.clone());
        let drilled = performed(&chosen, repository, files, keeper)?;
        if !drilled.holds {
            record.outcome = Outcome::NotHeld;
        }
        tell(record, &drilled);
        let report = paper::write(&drilled, keeper)?;
        Ok((drilled, report))
    });
    let (drilled, report) = done?;
    paper::forget_old(keeper)?;
    keeper.note(&format!(
        "backup drill／保管先＝{}／控え＝{}／結果＝{}",
        drilled.repository,
        drilled.snapshot,
        if drilled.holds { "合格" } else { "不合格" }
    ))?;
    keeper.voice.say(if drilled.holds {
        "復元訓練に合格しました。"
    } else {
        "復元訓練に合格しませんでした。手順書: runbooks/drill-failed.md"
    });
    keeper.result(&Told {
        drilled: &drilled,
        report,
    })?;
    Ok(if drilled.holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn tell(record: &mut Record, drilled: &Drilled) {
    let failed = drilled.steps.iter().filter(|step| !step.holds);
    record.said.extend(failed.map(|step| step.words.clone()));
}

fn nothing_to_practise(repository: &RepositorySettings) -> Report {
    Report::bare(Kind::Restore)
        .operator(
            "この保管先には、訓練に使える控えがまだありません。hokatsu backup run で取ってください",
            Runbook::BackupFailed,
        )
        .at(&repository.name)
}

fn performed(
    chosen: &SnapshotInfo,
    repository: &RepositorySettings,
    files: u16,
    keeper: &Keeper<'_>,
) -> Result<Drilled, Report> {
    let began_at = keeper.now();
    refuse_without_room(chosen, keeper)?;
    let scratch = tempfile::Builder::new()
        .prefix(SCRATCH)
        .tempdir_in(keeper.dir.path())
        .map_err(|e| unprepared(keeper.dir.path(), e))?;
    let copy = DataDir::new(scratch.path().join("data"));
    keeper.voice.say(&format!(
        "保管先「{}」の {} の控えで訓練します。",
        repository.name,
        chosen.taken_at_in_japan().strftime("%Y-%m-%d %H:%M:%S")
    ));
    let selector = Selector::Id(chosen.id.clone());
    let mut steps = Vec::new();
    match restore_to(repository, &selector, copy.path(), &Quiet) {
        Ok(done) => {
            steps.push(examine::files(&done));
            steps.extend(compared(chosen, &copy, files, keeper));
        }
        // What cannot be read back is what the drill is there to find.
        Err(error) if is_of_the_copy(&error) => {
            steps.push(Step::new("files", false, error.in_words()));
        }
        Err(error) => return Err(failed(error)),
    }
    if steps.iter().all(|step| step.holds) {
        let insurer_no = keeper.site.organisation.insurer_no();
        steps.push(probe::sign_in(scratch.path(), &copy, insurer_no));
    } else {
        let words = "前の項目が合わないので、起動していません。";
        steps.push(Step::new("service", false, words));
    }
    for step in &steps {
        let mark = if step.holds { "合" } else { "否" };
        keeper.voice.say(&format!("{mark} {}", step.words));
    }
    if let Err(error) = scratch.close() {
        keeper
            .voice
            .say("訓練の置き場を片付けられません。次の訓練が片付けます。");
        log::warn!("the scratch of a drill stays behind: {error}");
    }
    Ok(Drilled {
        repository: repository.name.clone(),
        snapshot: chosen.id.clone(),
        taken_at: chosen.taken_at,
        bytes: chosen.bytes,
        files: chosen.files,
        began_at,
        ended_at: keeper.now(),
        operator: keeper.operator.as_ref().map(|who| who.name.clone()),
        version: env!("CARGO_PKG_VERSION"),
        holds: steps.iter().all(|step| step.holds),
        steps,
    })
}

fn compared(chosen: &SnapshotInfo, copy: &DataDir, files: u16, keeper: &Keeper<'_>) -> Vec<Step> {
    let wanted: Option<Facts> = serde_json::from_value(chosen.facts.clone()).ok();
    vec![
        examine::rows(copy, wanted.as_ref()),
        examine::chain(copy),
        examine::attachments(copy),
        examine::bytes(copy, &keeper.dir, usize::from(files)),
    ]
}

fn is_of_the_copy(error: &backup::BackupError) -> bool {
    matches!(error, backup::BackupError::ManifestUnreadable { .. })
}

fn refuse_without_room(chosen: &SnapshotInfo, keeper: &Keeper<'_>) -> Result<(), Report> {
    let place = keeper.dir.path();
    let needed = chosen.bytes.saturating_mul(2).saturating_add(SPARE_BYTES);
    let free = base::paths::free_bytes(place).map_err(|e| unprepared(place, e))?;
    if free >= needed {
        return Ok(());
    }
    let path = place.to_path_buf();
    Err(failed(backup::BackupError::NoRoom { path, needed, free }))
}

/// A failure of the store while the copy is looked at: the copy is not what it should be.
fn unreadable(name: &'static str, error: &StoreError) -> Step {
    log::debug!("a drill: {name}: {error}");
    Step::new(name, false, "戻したデータベースを読めません。")
}
