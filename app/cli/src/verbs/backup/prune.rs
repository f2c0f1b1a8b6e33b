//! `backup prune`: plan, show, perform, measure.

use std::process::ExitCode;

use backup::records::{Job, Outcome};
use backup::retention::{Ahead, Judged, Keep, Remove, Verdict};
use backup::{PrunePlan, PruneSummary, RepositorySettings, plan_prune};
use base::clock::japan;
use base::report::{Kind, Report};
use serde::Serialize;

use super::{Keeper, failed, first_failure};
use crate::arguments::PruneArguments;

#[derive(Serialize)]
struct Pruned {
    dry_run: bool,
    plans: Vec<PrunePlan>,
    done: Vec<PruneSummary>,
}

pub(crate) fn prune(asked: &PruneArguments, keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let mut repositories = keeper.chosen(asked.repository.as_deref())?;
    if asked.repository.is_none() {
        // Those are looked after at the other end.
        repositories.retain(|one| one.location.is_pruned_from_here());
    }
    if let Some(disk) = repositories.iter().find(|one| keeper.is_rotated(&one.name)) {
        keeper.voice.say(&format!(
            "「{}」は持ち出すディスクです。つないだときに、hokatsu backup disk run が片付けます。",
            disk.name
        ));
        return Err(Report::bare(Kind::Usage));
    }
    let ahead = if asked.drop_ahead {
        Ahead::Remove
    } else {
        Ahead::Keep
    };
    let rules = keeper.rules();
    let mut plans = Vec::new();
    let (mut planned, mut unplanned) = (Vec::new(), Vec::new());
    for repository in &repositories {
        match plan_prune(repository, &rules, ahead, keeper.now()) {
            Ok(plan) => {
                show(&plan, keeper);
                plans.push(plan);
                planned.push(repository);
            }
            // One that is away does not keep the others from being pruned.
            Err(error) => unplanned.push((repository, failed(error))),
        }
    }
    let mut done = Vec::new();
    if asked.dry_run {
        let errors = unplanned
            .into_iter()
            .map(|(_, report)| Err::<(), _>(report));
        first_failure(errors.collect(), keeper.voice)?;
    } else {
        if !planned.is_empty() {
            keeper.voice.confirm("片付けますか。", asked.yes)?;
        }
        let _turn = keeper.turn(Job::Prune, &names(&repositories))?;
        let mut outcomes = Vec::new();
        for (repository, report) in unplanned {
            outcomes.push(keeper.recorded(Job::Prune, repository, |_| Err(report)));
        }
        let each = planned.into_iter().zip(&plans);
        outcomes.extend(each.map(|(repository, plan)| perform(repository, plan, keeper)));
        done = first_failure(outcomes, keeper.voice)?;
        let removed: u64 = done.iter().map(|one| one.snapshots_removed).sum();
        keeper.note(&format!(
            "backup prune／保管先＝{}／消した控え＝{removed}件",
            names(&repositories)
        ))?;
    }
    let healthy = done.iter().all(PruneSummary::is_healthy);
    keeper.result(&Pruned {
        dry_run: asked.dry_run,
        plans,
        done,
    })?;
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn names(repositories: &[RepositorySettings]) -> String {
    let names: Vec<&str> = repositories.iter().map(|one| one.name.as_str()).collect();
    names.join("、")
}

fn perform(
    repository: &RepositorySettings,
    plan: &PrunePlan,
    keeper: &Keeper<'_>,
) -> Result<PruneSummary, Report> {
    keeper.recorded(Job::Prune, repository, |record| {
        let done = backup::prune(repository, &keeper.rules(), plan, keeper.now());
        let done = done.map_err(failed)?;
        keeper.voice.say(&format!(
            "保管先「{}」を片付けました。控え {}件を残し、{}件を消しました。{}MB から {}MB になり、\
             {}MB は猶予のあとで消えます。",
            done.repository,
            done.snapshots_kept,
            done.snapshots_removed,
            megabytes(done.bytes_before),
            megabytes(done.bytes_after),
            megabytes(done.bytes_marked),
        ));
        for finding in done.findings.iter().filter(|one| one.serious) {
            keeper.voice.say(&finding.text);
            record.said.push(finding.text.clone());
        }
        if !done.is_healthy() {
            record.outcome = Outcome::NotHeld;
            keeper
                .voice
                .say("片付けたあとの検査に異常があります。手順書: runbooks/prune-failed.md");
        }
        Ok(done)
    })
}

fn megabytes(bytes: u64) -> u64 {
    bytes / 1_000_000
}

fn show(plan: &PrunePlan, keeper: &Keeper<'_>) {
    let voice = keeper.voice;
    voice.say(&format!(
        "保管先「{}」の控え {}件のうち {}件を消します。",
        plan.repository,
        plan.snapshots.len(),
        plan.removed().count()
    ));
    for one in &plan.snapshots {
        voice.say(&line(one));
    }
    voice.say(&format!(
        "不要になる {}MB に印を付け、猶予の過ぎた {}MB を消し、{}MB を詰め直します。",
        megabytes(plan.bytes_marked),
        megabytes(plan.bytes_deleted),
        megabytes(plan.bytes_repacked)
    ));
    if plan.repacking_left_out {
        voice.say("空きが少ないので、詰め直しは見送ります。");
    }
    if plan.snapshots.iter().any(is_kept_ahead) {
        voice.say(
            "未来の時刻の控えは残します。時計が進んでいたときのものと確かめたら、\
             --drop-ahead を付けて消せます。手順書: runbooks/clock-wrong.md",
        );
    }
}

fn is_kept_ahead(one: &Judged) -> bool {
    matches!(&one.verdict, Verdict::Keep(reasons) if reasons.contains(&Keep::ClockAhead))
}

fn line(one: &Judged) -> String {
    let at = one.taken_at.to_zoned_datetime(japan());
    let at = at.strftime("%Y-%m-%d %H:%M:%S");
    let id: String = one.id.chars().take(8).collect();
    match &one.verdict {
        Verdict::Keep(reasons) => {
            let reasons: Vec<&str> = reasons.iter().copied().map(why_kept).collect();
            format!("  残す {at} {id} {}", reasons.join("、"))
        }
        Verdict::Remove(reason) => format!("  消す {at} {id} {}", why_removed(*reason)),
    }
}

fn why_kept(reason: Keep) -> &'static str {
    match reason {
        Keep::Newest => "最新",
        Keep::Hourly => "時",
        Keep::Daily => "日",
        Keep::Weekly => "週",
        Keep::Monthly => "月",
        Keep::Yearly => "年",
        Keep::ClockAhead => "未来の時刻（時計が進んでいた）",
        Keep::NotOurs => "ほかの道具で取ったもの",
        Keep::AgeNotBelieved => "保存期間を過ぎているが、時計を確かめるまで残す",
    }
}

fn why_removed(reason: Remove) -> &'static str {
    match reason {
        Remove::Superseded => "もっと新しい控えがある",
        Remove::TooOld => "保存期間（days_kept）を過ぎた",
        Remove::ClockAhead => "未来の時刻（指定により）",
    }
}
