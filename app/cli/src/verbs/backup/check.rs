//! `backup check`: do the repositories hold what they say? All of it, or tonight's part.

use std::process::ExitCode;

use backup::due::reading;
use backup::records::{Job, Outcome, Slice};
use backup::{CheckDepth, Finding, RepositorySettings};
use base::report::Report;
use serde::Serialize;

use super::{Keeper, failed, first_failure};
use crate::arguments::CheckArguments;

#[derive(Serialize)]
struct Checked {
    repository: String,
    snapshots: u64,
    slice: Option<Slice>,
    healthy: bool,
    findings: Vec<Finding>,
}

#[derive(Serialize)]
struct All {
    healthy: bool,
    repositories: Vec<Checked>,
}

pub(crate) fn check(asked: &CheckArguments, keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let repositories = keeper.chosen(asked.repository.as_deref())?;
    let each = repositories.iter();
    let outcomes: Vec<Result<Checked, Report>> = if asked.slice || asked.read_data {
        let _turn = keeper.turn(Job::Check, "")?;
        let read = |one| read(one, asked.slice, keeper);
        each.map(read).collect()
    } else {
        let look = |one| looked(one, CheckDepth::Structure, keeper);
        each.map(look).collect()
    };
    let repositories = first_failure(outcomes, keeper.voice)?;
    let healthy = repositories.iter().all(|one| one.healthy);
    if !healthy {
        keeper
            .voice
            .say("異常が見つかりました。手順書: runbooks/backup-failed.md");
    }
    keeper.result(&All {
        healthy,
        repositories,
    })?;
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Everything, or the part that was read longest ago.
fn read(
    repository: &RepositorySettings,
    only_a_slice: bool,
    keeper: &Keeper<'_>,
) -> Result<Checked, Report> {
    let schedule = keeper.schedule();
    let history = keeper.records.read().map_err(failed)?;
    let standing = reading(&history, &repository.name, &schedule, keeper.now());
    let slice = only_a_slice.then_some(Slice {
        number: standing.next,
        of: standing.slices,
    });
    keeper.recorded(Job::Check, repository, |record| {
        record.slice = slice;
        let checked = looked(
            repository,
            slice.map_or(CheckDepth::AllData, CheckDepth::Part),
            keeper,
        )?;
        if !checked.healthy {
            record.outcome = Outcome::NotHeld;
        }
        let serious = checked.findings.iter().filter(|one| one.serious);
        record.said.extend(serious.map(|one| one.text.clone()));
        if let Some(Slice { number, of }) = slice {
            keeper.voice.say(&format!(
                "保管先「{}」の {of}区分のうち {}番目を読み直しました。",
                repository.name,
                number + 1
            ));
        }
        Ok(checked)
    })
}

fn looked(
    repository: &RepositorySettings,
    depth: CheckDepth,
    keeper: &Keeper<'_>,
) -> Result<Checked, Report> {
    let summary = backup::check(repository, depth).map_err(failed)?;
    let healthy = summary.is_healthy();
    for finding in &summary.findings {
        let how = if finding.serious { "異常" } else { "注意" };
        keeper
            .voice
            .say(&format!("{how}（{}）: {}", repository.name, finding.text));
    }
    if healthy {
        keeper.voice.say(&format!(
            "保管先「{}」の控え {}件に異常はありません。",
            repository.name, summary.snapshots
        ));
    }
    Ok(Checked {
        repository: repository.name.clone(),
        snapshots: summary.snapshots,
        slice: match depth {
            CheckDepth::Part(slice) => Some(slice),
            CheckDepth::Structure | CheckDepth::AllData => None,
        },
        healthy,
        findings: summary.findings,
    })
}
