//! `backup check`: do the repositories hold what they say? All of it, or tonight's part.

use std::process::ExitCode;

use backup::due::{Reading, reading};
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
    let outcomes = if asked.slice {
        let _turn = keeper.turn(Job::Check, "")?;
        let each = repositories.iter().map(|one| read_slice(one, keeper));
        each.collect::<Vec<_>>()
    } else {
        let depth = if asked.read_data {
            CheckDepth::AllData
        } else {
            CheckDepth::Structure
        };
        let each = repositories.iter().map(|one| looked(one, depth, keeper));
        each.collect()
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

/// The part that was read longest ago.
fn read_slice(repository: &RepositorySettings, keeper: &Keeper<'_>) -> Result<Checked, Report> {
    let schedule = keeper.schedule();
    let history = keeper.records.read().map_err(failed)?;
    let standing = reading(&history, &repository.name, &schedule, keeper.now());
    let slice = Slice {
        number: standing.next,
        of: standing.slices,
    };
    keeper.recorded(Job::Check, repository, |record| {
        record.slice = Some(slice);
        let checked = looked(repository, CheckDepth::Part(slice), keeper)?;
        if !checked.healthy {
            record.outcome = Outcome::NotHeld;
        }
        let serious = checked.findings.iter().filter(|one| one.serious);
        record.said.extend(serious.map(|one| one.text.clone()));
        let Reading { slices, .. } = standing;
        keeper.voice.say(&format!(
            "保管先「{}」の {slices}区分のうち {}番目を読み直しました。",
            repository.name,
            slice.number + 1
        ));
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
