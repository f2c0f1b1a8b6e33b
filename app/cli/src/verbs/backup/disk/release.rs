//! `backup disk release`: a disk is out of use or lost; nothing is ever written to it again.

use std::process::ExitCode;

use base::disks::{Disks, Ended, How};
use base::report::{Kind, Report, Runbook};
use serde::Serialize;

use super::list::short;
use super::{Rotation, listed};
use crate::arguments::ReleaseArguments;

#[derive(Serialize)]
struct Released {
    name: String,
    uuid: String,
    lost: bool,
    /// What opens it, and nothing else.
    key_file: String,
    password_file: String,
}

pub(super) fn release(
    asked: &ReleaseArguments,
    rotation: &Rotation<'_>,
) -> Result<ExitCode, Report> {
    let keeper = rotation.keeper;
    let disks = rotation.disks()?;
    let Some(disk) = disks.named(&asked.name).cloned() else {
        let known: Vec<&str> = disks.active().map(|disk| disk.name.as_str()).collect();
        keeper.voice.say(&format!(
            "その名前のディスクは登録されていません。登録されているもの: {}",
            known.join("、")
        ));
        return Err(Report::bare(Kind::Usage));
    };
    let kept = rotation.kept(&asked.name)?;
    let (key, password) = (&kept.key, &kept.repository.password_file);
    let number = short(&disk.uuid);
    keeper.voice.say(&format!(
        "ディスク「{}」（番号 {number}）を{}。このあと、このディスクには二度と書きません。つないでも開きません。",
        disk.name,
        if asked.lost { "紛失とします" } else { "使い終えます" }
    ));
    keeper.voice.say(&format!(
        "このディスクを開くもの: {} と {}。{}",
        key.display(),
        password.display(),
        if asked.lost {
            "見つかるまで消さずに保管します。\
             事故の手順書: runbooks/personal-data-incident.md"
        } else {
            "ディスクを消したら、このファイルも消してください"
        }
    ));
    if asked.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    keeper.voice.confirm("よろしいですか。", asked.yes)?;
    let how = if asked.lost { How::Lost } else { How::Released };
    // Before it is done: what was meant stands in the log also when this is cut.
    keeper.note(&format!(
        "backup disk release／ディスク＝{}／番号＝{number}／{}",
        disk.name,
        if asked.lost { "紛失" } else { "使用終了" }
    ))?;
    let ended = Ended {
        at: keeper.now(),
        how,
    };
    let end = |disks: &mut Disks| {
        let known = disks.active_mut(&asked.name);
        let same = known.filter(|known| known.mark == disk.mark);
        same.map(|known| known.ended = Some(ended))
    };
    let done = Disks::change(&keeper.dir.backup_disks(), end).map_err(listed)?;
    if done.is_none() {
        return Err(Report::bare(Kind::CheckFailed).operator(
            "ほかの人が先に変えました。hokatsu backup disk list で確かめてください",
            Runbook::DiskRotate,
        ));
    }
    keeper.voice.say(
        "持出し台帳の登録が残っていれば、返却または廃棄を記録してください（画面「持出し台帳」）。",
    );
    keeper.result(&Released {
        name: disk.name,
        uuid: disk.uuid,
        lost: asked.lost,
        key_file: key.display().to_string(),
        password_file: password.display().to_string(),
    })?;
    Ok(ExitCode::SUCCESS)
}
