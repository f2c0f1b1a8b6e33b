//! `backup tick`: does what is due. A timer calls it every few minutes; it is the only schedule there
//! is, so what was missed is made up for by whichever call comes next.

use std::process::ExitCode;

use backup::due::{Clock, Due, clock, due};
use backup::records::Job;
use base::clock::japan;
use base::report::{Kind, Report, Runbook};
use serde::Serialize;

use super::{Keeper, check, drill, failed, prune, run};
use crate::arguments::{CheckArguments, DrillArguments, PruneArguments, TickArguments};

#[derive(Serialize)]
struct Ticked {
    clock: Clock,
    due: Vec<Due>,
    done: Vec<Done>,
}

#[derive(Serialize)]
struct Done {
    job: Job,
    /// As the verb by itself would have ended.
    exit_code: u8,
}

pub(crate) fn tick(asked: &TickArguments, keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let history = keeper.records.read().map_err(failed)?;
    let schedule = keeper.schedule();
    let now = keeper.now();
    let clock = clock(&history, &schedule, now);
    if clock != Clock::Believed {
        return Err(not_believed(clock));
    }
    let here = keeper.at_home();
    let names: Vec<String> = here.iter().map(|one| one.name.clone()).collect();
    let mut due = due(&names, &history, &schedule, now);
    due.retain(|one| !here.is_empty() && asked.takes(one.job));
    let keeps_all = |name: &String| {
        let mut mine = here.iter().filter(|one| one.name == *name);
        mine.any(|one| !one.location.is_pruned_from_here())
    };
    due.retain(|one| one.job != Job::Prune || !one.repository.as_ref().is_some_and(keeps_all));
    for one in &due {
        let since = one.since.to_zoned_datetime(japan());
        keeper.voice.say(&format!(
            "{}{}: {}から",
            one.job.words(),
            one.repository
                .as_ref()
                .map_or(String::new(), |name| format!("（{name}）")),
            since.strftime("%Y-%m-%d %H:%M")
        ));
    }
    let mut done = Vec::new();
    if !asked.dry_run {
        for job in jobs(&due) {
            match perform(job, &due, keeper) {
                // The timer comes again; what runs is doing what is due, or goes first.
                Err(report) if is_busy(&report) => break,
                Ok(exit_code) => done.push(Done { job, exit_code }),
                Err(report) => {
                    keeper.voice.report(&report);
                    let exit_code = report.exit_code();
                    done.push(Done { job, exit_code });
                }
            }
        }
    }
    let worst = done.iter().map(|one| one.exit_code).max().unwrap_or(0);
    keeper.result(&Ticked { clock, due, done })?;
    Ok(ExitCode::from(worst))
}

fn jobs(due: &[Due]) -> Vec<Job> {
    let mut jobs: Vec<Job> = due.iter().map(|one| one.job).collect();
    jobs.dedup();
    jobs
}

pub(super) fn is_busy(report: &Report) -> bool {
    let cause = report.cause().and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(backup::BackupError::JobRunning { .. }))
}

/// The exit code of the job as a verb; its one JSON object is left out for ours.
fn perform(job: Job, due: &[Due], keeper: &Keeper<'_>) -> Result<u8, Report> {
    let is_due = |name: &str| {
        let mut mine = due.iter().filter(|one| one.job == job);
        mine.any(|one| one.repository.as_deref().is_none_or(|place| place == name))
    };
    let mut repositories = keeper.at_home();
    repositories.retain(|one| is_due(&one.name));
    let keeper = keeper.within(repositories);
    let ended = match job {
        Job::Run => run(&keeper),
        Job::Drill => drill(&DrillArguments::default(), &keeper),
        Job::Check => check(&CheckArguments::tonight(), &keeper),
        Job::Prune => prune(&PruneArguments::agreed(), &keeper),
        // Never due: a disk comes when somebody brings it, a restore when somebody wants it.
        Job::Disk | Job::Restore => Ok(ExitCode::SUCCESS),
    };
    Ok(u8::from(ended? != ExitCode::SUCCESS))
}

pub(super) fn not_believed(clock: Clock) -> Report {
    let words = match clock {
        Clock::Believed => "時計は合っています",
        Clock::Behind(_) => {
            "時計が最後の記録より遅れているので、何もしていません。時計を確かめてください"
        }
        Clock::Ahead(_) => {
            "最後の記録から日が空きすぎているので、何もしていません。時計が正しければ、\
             hokatsu backup run を手で実行してください"
        }
    };
    Report::bare(Kind::CheckFailed).operator(words, Runbook::ClockWrong)
}
