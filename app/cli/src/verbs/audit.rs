//! `audit`: is the access log whole?

use std::path::Path;
use std::process::ExitCode;

use base::clock::Clock;
use base::report::Report;
use serde::Serialize;
use server::features::access_log;
use store::{DataDir, Db, Event, Operation, Operator, StoreError};

use crate::operator;
use crate::output::Voice;

#[derive(Serialize)]
struct Verified {
    whole: bool,
    entries: i64,
    head: String,
    checkpoints: usize,
    findings: Vec<String>,
}

pub(crate) fn verify(
    dir: &DataDir,
    against: Option<&Path>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let verdict = store::audit::verify(dir, against).map_err(StoreError::report)?;
    let findings: Vec<String> = verdict.findings.iter().map(access_log::words).collect();
    for finding in &findings {
        voice.say(finding);
    }
    let whole = findings.is_empty();
    let entries = verdict.entries;
    voice.say(&if whole {
        format!(
            "アクセスログは完全です。{entries}件、署名つき記録{}件と一致しました。",
            verdict.checkpoints
        )
    } else {
        format!(
            "アクセスログに{}か所の異常があります。手順書: runbooks/audit-broken.md",
            findings.len()
        )
    });
    let (head, checkpoints) = (verdict.head, verdict.checkpoints);
    voice.result(&Verified {
        whole,
        entries,
        head,
        checkpoints,
        findings,
    })?;
    Ok(if whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

pub(crate) fn checkpoint(
    dir: &DataDir,
    operator: Option<Operator>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let db = Db::open(dir, Clock::system()).map_err(StoreError::report)?;
    if let Some(operator) = operator {
        let actor = operator::actor("コマンド audit checkpoint", &operator);
        db.write(&actor, |tx| {
            Ok(tx.audited(Event::done(Operation::ConsoleUse), ()))
        })
        .map_err(StoreError::report)?;
    }
    let checkpoint = db.checkpoint_audit().map_err(StoreError::report)?;
    voice.say(&format!(
        "{}件までに署名しました。末尾 {}",
        checkpoint.entries, checkpoint.hash
    ));
    voice.result(&checkpoint)?;
    Ok(ExitCode::SUCCESS)
}
