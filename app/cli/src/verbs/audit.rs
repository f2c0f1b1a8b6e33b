//! `audit`: is the access log whole, where does it stand, which years lie apart?

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use base::clock::Clock;
use base::report::{Kind, Report};
use serde::Serialize;
use server::features::access_log;
use store::audit::{ArchivePlan, ArchiveRefusal, Extent, Verdict, verify_extent};
use store::{Actor, DataDir, Db, Event, Operation, Operator, StoreError};

use crate::arguments::ArchiveArguments;
use crate::operator;
use crate::output::Voice;

const CHECKPOINT: &str = "コマンド audit checkpoint";
const GB: u64 = 1_000_000_000;
/// What somebody types from a few sheets; more is no sheet.
const TYPED_BYTES_MAX: u64 = 1_000_000;

#[derive(Serialize)]
struct Verified {
    whole: bool,
    entries: i64,
    walked: i64,
    archives: usize,
    head: String,
    checkpoints: usize,
    findings: Vec<String>,
}

pub(crate) fn verify(
    dir: &DataDir,
    against: Option<&Path>,
    live_only: bool,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let extent = if live_only {
        Extent::LiveOnly
    } else {
        Extent::Everything
    };
    let typed = match against {
        Some(path) if path == Path::new("-") => Some(from_input(voice)?),
        Some(_) | None => None,
    };
    let against = typed.as_ref().map(|file| file.path()).or(against);
    let verdict = verify_extent(dir, against, extent).map_err(StoreError::report)?;
    let findings: Vec<String> = verdict.findings.iter().map(access_log::words).collect();
    for finding in &findings {
        voice.say(finding);
    }
    voice.say(&said(&verdict));
    let whole = findings.is_empty();
    voice.result(&Verified {
        whole,
        entries: verdict.entries,
        walked: verdict.walked,
        archives: verdict.archives,
        head: verdict.head,
        checkpoints: verdict.checkpoints,
        findings,
    })?;
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// What is typed or piped in, as a file.
fn from_input(voice: &Voice) -> Result<tempfile::NamedTempFile, Report> {
    voice.say("紙の署名つき記録の1行目から5行目を打ち込み、最後に Ctrl+D を押してください。");
    let failed = |error| Report::new(Kind::InputFile, error);
    let mut file = tempfile::NamedTempFile::new().map_err(failed)?;
    let mut input = std::io::stdin().lock().take(TYPED_BYTES_MAX);
    std::io::copy(&mut input, &mut file).map_err(failed)?;
    Ok(file)
}

fn said(verdict: &Verdict) -> String {
    let (walked, checkpoints) = (verdict.walked, verdict.checkpoints);
    if verdict.findings.is_empty() {
        format!("アクセスログは完全です。{walked}件、署名つき記録{checkpoints}件と一致しました。")
    } else {
        format!(
            "アクセスログに{}か所の異常があります。手順書: runbooks/audit-broken.md",
            verdict.findings.len()
        )
    }
}

pub(crate) fn checkpoint(
    dir: &DataDir,
    operator: Option<Operator>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let db = Db::open_beside(dir, Clock::system()).map_err(StoreError::report)?;
    let (detail, actor) = match &operator {
        Some(operator) => ("", operator::actor(CHECKPOINT, operator)),
        None => ("タイマー", Actor::system(CHECKPOINT)),
    };
    let event = Event::done(Operation::CheckpointSign).detail(detail);
    db.write(&actor, |tx| Ok(tx.audited(event, ())))
        .map_err(StoreError::report)?;
    let checkpoint = db.checkpoint_audit().map_err(StoreError::report)?;
    voice.say(&format!(
        "{}件までに署名しました。末尾 {}",
        checkpoint.entries, checkpoint.hash
    ));
    voice.result(&checkpoint)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct Archived {
    year: i16,
    first: i64,
    last: i64,
    file: String,
    done: bool,
}

/// Plan, show, perform.
pub(crate) fn archive(
    asked: &ArchiveArguments,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let db = Db::open_beside(dir, Clock::system()).map_err(StoreError::report)?;
    let room = u64::from(asked.free_gb).saturating_mul(GB);
    if !asked.dry_run {
        let swept = db.sweep_archived().map_err(StoreError::report)?;
        if swept > 0 {
            voice.say(&format!(
                "前に途中で終わった移動の残り{swept}件を片付けました。"
            ));
        }
    }
    let plan = db.plan_archive(asked.year, room).map_err(|error| {
        if let StoreError::Archive(ArchiveRefusal::EarlierYear(first)) = &error {
            voice.say(&format!("{first}年の記録が残っています。"));
        }
        error.report()
    })?;
    voice.say(&planned(&plan));
    if !asked.dry_run {
        voice.confirm("移しますか。", asked.yes)?;
        let (year, entries) = (plan.year, plan.entries());
        let event =
            Event::done(Operation::AccessLogArchive).detail(format!("year={year} rows={entries}"));
        let actor = operator::actor("コマンド audit archive", operator);
        db.archive_audit(&actor, &plan, event)
            .map_err(StoreError::report)?;
        db.close().map_err(StoreError::report)?;
        voice.say(&format!(
            "{year}年の{entries}件を {} に移しました。控えにも入ります。`hokatsu audit verify` で確かめられます。",
            plan.file.display()
        ));
    }
    voice.result(&Archived {
        year: plan.year,
        first: plan.first_id,
        last: plan.last_id,
        file: plan.file.display().to_string(),
        done: !asked.dry_run,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn planned(plan: &ArchivePlan) -> String {
    format!(
        "{}年の{}件（{}番から{}番）を {} に移します。作業に約{}MBを使い、今の空きは{}MBです。",
        plan.year,
        plan.entries(),
        plan.first_id,
        plan.last_id,
        plan.file.display(),
        plan.bytes_needed / 1_000_000,
        plan.bytes_free / 1_000_000,
    )
}
