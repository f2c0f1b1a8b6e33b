//! `backup status`: are the repositories well? For people in sentences, for monitoring as probes.

use std::process::ExitCode;

use backup::disks::DiskError;
use backup::sheet::Sheets;
use backup::status::{
    Page, Probe, Status, Thresholds, judge, look, of_disk_sheet, of_sheet, of_shipping,
};
use base::clock::japan;
use base::disks::Disks;
use base::report::{Report, Runbook};

use super::{Keeper, disk, failed, keys};
use crate::verbs::ship;

pub(crate) fn status(keeper: &Keeper<'_>) -> Result<ExitCode, Report> {
    let status = standing(keeper)?;
    for repository in &status.repositories {
        let newest = repository.newest_at.map_or("なし".to_owned(), |at| {
            let at = at.to_zoned_datetime(japan());
            at.strftime("%Y-%m-%d %H:%M:%S").to_string()
        });
        keeper.voice.say(&format!(
            "保管先「{}」: 最新の控え {newest}、読み直し {}/{}",
            repository.repository, repository.reading.slices_read, repository.reading.slices
        ));
    }
    let failing: Vec<&Probe> = status.probes.iter().filter(|one| !one.holds).collect();
    for probe in &failing {
        keeper.voice.say(&format!(
            "異常: {} 手順書: runbooks/{}.md",
            probe.words,
            page(probe.runbook).stem()
        ));
    }
    if failing.is_empty() {
        keeper.voice.say("バックアップの状態に異常はありません。");
    }
    keeper.result(&status)?;
    Ok(if status.holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

pub(super) fn standing(keeper: &Keeper<'_>) -> Result<Status, Report> {
    let now = keeper.now();
    let history = keeper.records.read().map_err(failed)?;
    let alarm = keeper.site.backup.alarm();
    let thresholds = Thresholds {
        run_hours_max: alarm.run_hours_max,
        drill_days_max: alarm.drill_days_max,
        prune_days_max: alarm.prune_days_max,
        growth_factor_max: alarm.growth_factor_max,
        free_factor_min: alarm.free_factor_min,
        stock_lock_hours_max: alarm.stock_lock_hours_max,
    };
    let here = keeper.at_home();
    let seen: Vec<_> = here.iter().map(|one| look(one, now)).collect();
    let status = judge(&seen, &history, &keeper.schedule(), &thresholds, now);
    let mut beside = disk::probes(keeper, &history, now)?;
    if keeper.site.backup.shipping.is_some() {
        let found = ship::look(keeper.site, &keeper.dir, keeper.voice)?;
        beside.extend(of_shipping(&found, alarm.ship_seconds_max));
    }
    let sheets = Sheets::read(&keeper.dir.recovery_sheets()).map_err(failed)?;
    let names: Vec<String> = here.into_iter().map(|one| one.name).collect();
    beside.push(of_sheet(
        &sheets,
        &names,
        &history,
        alarm.sheet_days_max,
        now,
    ));
    let disks = Disks::read(&keeper.dir.backup_disks()).map_err(DiskError::from)?;
    let locked = keys::locked(keeper.site, &disks, &history);
    beside.push(of_disk_sheet(&sheets, &locked, alarm.sheet_days_max, now));
    Ok(status.with(beside))
}

fn page(page: Page) -> Runbook {
    match page {
        Page::BackupFailed => Runbook::BackupFailed,
        Page::PruneFailed => Runbook::PruneFailed,
        Page::DrillFailed => Runbook::DrillFailed,
        Page::ClockWrong => Runbook::ClockWrong,
        Page::DiskFull => Runbook::DiskFull,
        Page::MassChange => Runbook::MassChange,
        Page::DiskRotate => Runbook::DiskRotate,
        Page::DiskForeign => Runbook::DiskForeign,
        Page::ShippingBehind => Runbook::ShippingBehind,
        Page::RecoverySheet => Runbook::RecoverySheet,
    }
}
