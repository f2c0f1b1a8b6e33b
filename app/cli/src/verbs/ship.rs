//! `ship`: every commit to a second disk, how that stands, and the way back.
//!
//! Invariant: none of these opens the database with SQLite in the process that reads its files.

use std::path::Path;
use std::process::ExitCode;

use backup::records::Records;
use backup::ship::{
    DatabaseId, Place, RebuildPlan, SHELF_GONE, Service, ShipError, ShipSettings, Shipper,
    Standing, Target, enrol as enrol_disk, look_at_place, plan_prune, plan_rebuild,
    prune as perform_prune, rebuild as perform_rebuild, standing,
};
use backup::status::{Shipping, unusual_since};
use base::clock::{Clock, japan};
use base::report::{Kind, Report, Runbook};
use base::settings::{ShippingMode, ShippingSettings, Site};
use base::shipping::{Answer, Line, Request, State, UNCONFIRMED, machine_dir};
use data_encoding::HEXLOWER;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{DataDir, Operation, Operator, StoreError, copy_shelf};

use crate::arguments::RebuildArguments;
use crate::operator;
use crate::output::Voice;
use crate::verbs::moment;
use crate::verbs::stopping::at_signal;

/// How long a shipper has to say how it stands.
const ANSWER_MAX: std::time::Duration = std::time::Duration::from_secs(5);
/// As it is called for machines.
const SYNC: &str = "sync";

#[derive(Serialize)]
struct Enrolled {
    path: String,
    enrolled_at: Timestamp,
}

#[derive(Serialize)]
struct Status {
    path: String,
    mode: &'static str,
    /// As the shipper says; nothing when none runs.
    state: Option<State>,
    since: Option<Timestamp>,
    copied: Option<(u64, u64)>,
    commit: Option<u64>,
    at: Option<Timestamp>,
    oldest: Option<Timestamp>,
    behind_commits: Option<u64>,
    behind_bytes: Option<u64>,
    /// At most: the oldest commit that is missing came after the last one that is there.
    behind_ms_max: Option<i64>,
    generations: usize,
    bytes: u64,
    free_bytes: u64,
    /// In `sync` mode: since when changes are acknowledged without the second disk.
    unconfirmed_since: Option<Timestamp>,
    well: bool,
}

#[derive(Serialize)]
struct Pruned {
    removed: Vec<u32>,
    kept: Vec<u32>,
    bytes: u64,
}

#[derive(Serialize)]
struct Rebuilt {
    to: String,
    commit: u64,
    at: Timestamp,
    generation: u32,
    bytes: u64,
    sha256: String,
    damaged: usize,
    /// Attachments whose bytes are not on the disk.
    attachments_missing: Vec<i64>,
}

/// The section of the site file.
pub(crate) fn shipping<'s>(site: &'s Site, voice: &Voice) -> Result<&'s ShippingSettings, Report> {
    site.backup.shipping.as_ref().ok_or_else(|| {
        voice.say("設定ファイルに [backup.shipping] がありません。path に逐次複製のディスクの場所を書いてください。");
        Report::bare(Kind::Settings)
    })
}

pub(crate) fn settings(site: &Site, dir: &DataDir, voice: &Voice) -> Result<ShipSettings, Report> {
    let named = shipping(site, voice)?;
    let key = dir.audit_public_key();
    let public = std::fs::read(&key).map_err(|error| {
        Report::new(Kind::DataDirectory, error)
            .operator(
                "データディレクトリがまだないか、読めません。--data を確かめてください",
                Runbook::ShippingBehind,
            )
            .at(&key)
    })?;
    Ok(ShipSettings {
        database: dir.database(),
        database_id: DatabaseId::of_key(&public),
        place: named.path.clone(),
        machine: machine_dir(dir.path()),
        generation_hours: named.generation_hours(),
    })
}

pub(crate) fn enrol(
    yes: bool,
    site: &Site,
    dir: &DataDir,
    operator: Option<Operator>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let settings = settings(site, dir, voice)?;
    let place = settings.place.display();
    match look_at_place(&settings.place).map_err(Report::from)? {
        Place::Empty => voice.say(&format!(
            "{place} を、このデータの逐次複製のディスクとして登録します。"
        )),
        Place::Enrolled(_) => voice.say(&format!(
            "{place} は登録済みです。このデータのものなら、続きから使います。"
        )),
        Place::Missing => return Err(ShipError::NoDisk(settings.place.clone()).into()),
        Place::Other => return Err(ShipError::NotOurs(settings.place.clone()).into()),
    }
    let Some(operator) = operator else {
        return Ok(ExitCode::SUCCESS);
    };
    voice.confirm("登録しますか。", yes)?;
    let detail = format!("ship enrol／場所＝{place}");
    operator::note(dir, Operation::Backup, detail, Some(operator))?;
    let now = Clock::system().now();
    let ShipSettings { place, machine, .. } = &settings;
    let done = enrol_disk(place, machine, settings.database_id, now).map_err(Report::from)?;
    voice.say("登録しました。hokatsu ship run が複製を始めます。");
    voice.result(&Enrolled {
        path: place.display().to_string(),
        enrolled_at: done.enrolled_at,
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn run(site: &Site, dir: &DataDir, voice: &Voice) -> Result<ExitCode, Report> {
    let settings = settings(site, dir, voice)?;
    let place = settings.place.display().to_string();
    let service = Service::open(Shipper::new(settings, Clock::system())).map_err(Report::from)?;
    let stopper = service.stopper();
    // After the turn it is in.
    at_signal(move || stopper.stop())?;
    voice.say(&format!("逐次複製を始めました（{place}）。"));
    service.run();
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn status(site: &Site, dir: &DataDir, voice: &Voice) -> Result<ExitCode, Report> {
    let status = found(site, dir, voice)?;
    say(&status, voice);
    voice.result(&status)?;
    Ok(if status.well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// How it stands, for the states that are watched.
pub(crate) fn look(site: &Site, dir: &DataDir, voice: &Voice) -> Result<Shipping, Report> {
    let status = found(site, dir, voice)?;
    Ok(Shipping {
        state: status.state.zip(status.since),
        behind_ms: status.behind_ms_max,
        unconfirmed_since: status.unconfirmed_since.filter(|_| status.mode == SYNC),
    })
}

fn found(site: &Site, dir: &DataDir, voice: &Voice) -> Result<Status, Report> {
    let settings = settings(site, dir, voice)?;
    let mode = match shipping(site, voice)?.mode {
        ShippingMode::Async => "async",
        ShippingMode::Sync => SYNC,
    };
    // Asked first: what it ships meanwhile is then seen in the files.
    let answer = Line::call(&settings.machine)
        .and_then(|mut line| line.ask(&Request::Status, ANSWER_MAX))
        .ok();
    let found = match standing(&settings) {
        Ok(found) => Some(found),
        Err(error) => {
            let report = Report::from(error);
            voice.report(&report);
            None
        }
    };
    Ok(told(&settings, mode, answer.as_ref(), found.as_ref()))
}

fn told(
    settings: &ShipSettings,
    mode: &'static str,
    answer: Option<&Answer>,
    found: Option<&Standing>,
) -> Status {
    let newest = found.and_then(|found| found.newest);
    let pending = found.and_then(|found| found.pending);
    let behind_ms_max = pending.map(|pending| match newest {
        Some((_, at)) if pending.commits > 0 => Clock::system()
            .now()
            .as_millisecond()
            .saturating_sub(at.as_millisecond())
            .max(0),
        Some(_) | None => 0,
    });
    let state = answer.map(|answer| answer.state);
    let left = std::fs::read_to_string(settings.machine.join(UNCONFIRMED));
    let unconfirmed_since = left.ok().and_then(|at| at.trim().parse::<Timestamp>().ok());
    let is_confirmed = unconfirmed_since.is_none() || mode != SYNC;
    Status {
        path: settings.place.display().to_string(),
        mode,
        state,
        since: answer.map(|answer| answer.since),
        copied: answer.and_then(|answer| answer.copied),
        commit: newest.map(|(commit, _)| commit),
        at: newest.map(|(_, at)| at),
        oldest: found.and_then(|found| found.oldest),
        behind_commits: pending.map(|pending| pending.commits),
        behind_bytes: pending.map(|pending| pending.bytes),
        behind_ms_max,
        generations: found.map_or(0, |found| found.generations),
        bytes: found.map_or(0, |found| found.bytes),
        free_bytes: found.map_or(0, |found| found.free_bytes),
        well: state == Some(State::Following) && newest.is_some() && is_confirmed,
        unconfirmed_since,
    }
}

fn say(status: &Status, voice: &Voice) {
    let state = match status.state {
        Some(State::Following) => "複製しています",
        Some(State::Copying) => "はじめの写しを作っています",
        Some(State::Absent) => "ディスクがありません",
        Some(State::Foreign) => "登録したディスクではないので、触れていません",
        Some(State::Full) => "ディスクに空きがありません",
        Some(State::Failed) => "ディスクに書けません",
        Some(State::NoDatabase) => "データベースへの最初の記録を待っています",
        None => "止まっています（hokatsu ship run が動いていません）",
    };
    voice.say(&format!("逐次複製（{}）: {state}。", status.path));
    if let Some((done, all)) = status.copied {
        voice.say(&format!("  はじめの写し: {done} / {all} バイト"));
    }
    if let (Some(commit), Some(at)) = (status.commit, status.at) {
        voice.say(&format!("  最後の記録: 番号 {commit}、{}", shown(at)));
    }
    if let Some(oldest) = status.oldest {
        voice.say(&format!("  戻せる時点: {} から", shown(oldest)));
    }
    match (
        status.behind_commits,
        status.behind_bytes,
        status.behind_ms_max,
    ) {
        (Some(0), _, _) => voice.say("  遅れ: ありません。"),
        (Some(commits), Some(bytes), Some(ms)) => voice.say(&format!(
            "  遅れ: {commits}件、{bytes}バイト、長くて {ms}ミリ秒"
        )),
        _ => voice.say("  遅れ: 分かりません。ディスクが戻ると、はじめの写しから作り直します。"),
    }
    if let Some(since) = status.unconfirmed_since {
        voice.say(&format!(
            "  {} から、逐次複製を待たずに保存しています（ディスクが戻ると、また待ちます）。",
            shown(since)
        ));
    }
    if !status.well {
        voice.say("手順書: runbooks/shipping-behind.md");
    }
}

pub(crate) fn prune(
    (change_is_known, dry_run, yes): (bool, bool, bool),
    site: &Site,
    (dir, operator): (&DataDir, Option<Operator>),
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let settings = settings(site, dir, voice)?;
    let days = shipping(site, voice)?.days_kept();
    let now = Clock::system().now();
    let unusual = unusual_change(site, dir, now)?;
    if let Some(at) = unusual {
        voice.say(&format!(
            "{} に、いつもよりずっと多くの変更がありました。確かめてください。手順書: runbooks/mass-change.md",
            shown(at)
        ));
    }
    // As if it were still then: what lies before it is what somebody will want back.
    let until = unusual.filter(|_| !change_is_known).unwrap_or(now);
    let plan = plan_prune(&settings, days, until).map_err(Report::from)?;
    for (what, all) in [("残す", &plan.kept), ("消す", &plan.removed)] {
        for aged in all {
            let until = aged.until.map_or_else(|| "今".to_owned(), shown);
            voice.say(&format!(
                "{what}: 世代 {}（{} から {until} まで、{}バイト）",
                aged.generation,
                shown(aged.from),
                aged.bytes
            ));
        }
    }
    if plan.stands_still {
        voice.say(&format!(
            "{days}日のあいだ何も複製していないか、時計が進みすぎています。何も消しません。\
             手順書: runbooks/shipping-behind.md"
        ));
    }
    if dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    if !plan.removed.is_empty() {
        voice.confirm("消しますか。", yes)?;
    }
    let known = if change_is_known {
        "／多い変更は確認済み"
    } else {
        ""
    };
    let detail = format!("ship prune／消した世代＝{}件{known}", plan.removed.len());
    operator::note(dir, Operation::Backup, detail, operator)?;
    perform_prune(&settings, &plan).map_err(Report::from)?;
    voice.result(&Pruned {
        removed: plan.removed.iter().map(|aged| aged.generation).collect(),
        kept: plan.kept.iter().map(|aged| aged.generation).collect(),
        bytes: plan.removed.iter().map(|aged| aged.bytes).sum(),
    })?;
    Ok(if plan.stands_still {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    })
}

/// When much more than usual was changed, as long as points in time are kept for it.
fn unusual_change(site: &Site, dir: &DataDir, now: Timestamp) -> Result<Option<Timestamp>, Report> {
    let history = Records::at(&dir.backup_records()).read();
    let history = history.map_err(Report::from)?;
    let alarm = site.backup.alarm();
    let days = i64::from(alarm.unusual_days_kept);
    let since = now.checked_sub(SignedDuration::from_hours(24 * days));
    let since = since.unwrap_or(Timestamp::MIN);
    Ok(unusual_since(&history, alarm.growth_factor_max, since))
}

pub(crate) fn rebuild(
    asked: &RebuildArguments,
    place: &Path,
    (live, operator): (&DataDir, Option<Operator>),
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let target = match (asked.commit, &asked.at) {
        (Some(commit), _) => Target::Commit(commit),
        (None, Some(text)) => Target::At(moment(text, voice)?),
        (None, None) => Target::Newest,
    };
    let plan = plan_rebuild(place, target).map_err(Report::from)?;
    show(&plan, asked, voice);
    let Some(operator) = operator else {
        return Ok(done_or_damaged(&plan));
    };
    voice.confirm("作りますか。", asked.yes)?;
    let detail = format!(
        "ship rebuild／番号＝{}／時点＝{}",
        plan.commit,
        shown(plan.at)
    );
    operator::note(live, Operation::Restore, detail, Some(operator))?;
    let name = live.database();
    let name = name
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("hokatsu.db");
    let done = perform_rebuild(place, &plan, &asked.to, name).map_err(Report::from)?;
    voice.say(&format!(
        "{} を作りました（{}バイト）。",
        done.path.display(),
        done.bytes
    ));
    let missing = bring_attachments(place, &done.path, &asked.to)?;
    if !missing.is_empty() {
        let numbers: Vec<String> = missing.iter().map(i64::to_string).collect();
        voice.say(&format!(
            "添付ファイル {}件の中身がディスクにありません（番号 {}）。手順書: runbooks/attachment-damaged.md",
            missing.len(),
            numbers.join("、")
        ));
    }
    let whole = plan.damage.is_empty() && missing.is_empty();
    voice.result(&Rebuilt {
        to: done.path.display().to_string(),
        commit: plan.commit,
        at: plan.at,
        generation: plan.generation,
        bytes: done.bytes,
        sha256: HEXLOWER.encode(&done.sha256),
        damaged: plan.damage.len(),
        attachments_missing: missing,
    })?;
    Ok(ExitCode::from(u8::from(!whole)))
}

/// The bytes that rows of the rebuilt database name, also those that were put aside since; which of them
/// are nowhere.
fn bring_attachments(place: &Path, database: &Path, to: &Path) -> Result<Vec<i64>, Report> {
    let to = DataDir::new(to);
    let mut missing = Vec::new();
    for from in [place.to_path_buf(), place.join(SHELF_GONE)] {
        missing = copy_shelf(database, &DataDir::new(from), &to).map_err(StoreError::report)?;
    }
    Ok(missing)
}

fn show(plan: &RebuildPlan, asked: &RebuildArguments, voice: &Voice) {
    voice.say(&format!(
        "番号 {}（{}）のデータベースを {} に作ります（{}バイト、写しに {}件を重ねます）。\
         今のデータには触れません。",
        plan.commit,
        shown(plan.at),
        asked.to.display(),
        plan.bytes,
        plan.commits
    ));
    if plan.clock_set_back && asked.at.is_some() {
        voice.say("途中で時計が戻されています。同じ時刻が二度あるときは、後のものです。番号なら --commit で選べます。");
    }
    for damage in &plan.damage {
        let range = match damage.last {
            Some(last) => format!("番号 {} から {last} まで", damage.first),
            None => format!("番号 {} から後", damage.first),
        };
        voice.say(&format!(
            "壊れているか途中で切れています: {} の {}バイト目。{range}は戻せません。",
            damage.file.display(),
            damage.offset
        ));
    }
}

/// What was asked for is there, and something else is not.
fn done_or_damaged(plan: &RebuildPlan) -> ExitCode {
    if plan.damage.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

fn shown(at: Timestamp) -> String {
    let local = at.to_zoned_datetime(japan());
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
