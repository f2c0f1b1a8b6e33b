//! `backup disk enrol`: an empty disk becomes ours, with a mark and a repository of its own.

use std::path::Path;
use std::process::ExitCode;

use backup::disks::{Identity, Mark, Mode};
use base::disks::{Disk, Disks};
use base::report::{Kind, Report, Runbook};
use serde::Serialize;
use store::{StoreError, seal_report};

use super::list::short;
use super::opened::Opened;
use super::{Kept, Rotation, listed};
use crate::arguments::EnrolArguments;

/// What the signed text on a disk says it is.
pub(super) const MARK_KIND: &str = "backup disk";
/// As `blkid` calls what is encrypted.
const ENCRYPTED: &str = "crypto_LUKS";

#[derive(Serialize)]
struct Enrolled {
    name: String,
    uuid: String,
    repository_id: String,
}

pub(super) fn enrol(asked: &EnrolArguments, rotation: &Rotation<'_>) -> Result<ExitCode, Report> {
    let keeper = rotation.keeper;
    let kept = rotation.kept(&asked.name)?;
    let identity = rotation.opener.identify(&asked.device)?;
    refuse_unfit(asked, &identity, rotation)?;
    keeper.voice.say(&format!(
        "{}（番号 {}）を、持ち出すディスク「{}」として登録します。空のディスクだけを登録できます。",
        asked.device.display(),
        short(&identity.uuid),
        asked.name
    ));
    if asked.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    keeper.voice.confirm("登録しますか。", asked.yes)?;
    keeper.note(&format!(
        "backup disk enrol／ディスク＝{}／番号＝{}",
        asked.name,
        short(&identity.uuid)
    ))?;
    let mark = Mark::draw(&asked.name, &identity.uuid, keeper.now())?;
    let repository_id = made(&asked.device, &kept, &mark, rotation)?;
    let disk = Disk {
        name: mark.name.clone(),
        uuid: mark.uuid.clone(),
        mark: mark.mark.clone(),
        enrolled_at: mark.enrolled_at,
        ended: None,
        saved: None,
        left_at: None,
    };
    let add = |disks: &mut Disks| disks.disks.push(disk);
    Disks::change(&keeper.dir.backup_disks(), add).map_err(listed)?;
    keeper.voice.say(&format!(
        "登録しました。ディスクに「{}」と書いたラベルを貼り、続けて hokatsu backup disk run --device {} で\
         最初の控えを取ってください。",
        asked.name,
        asked.device.display()
    ));
    keeper.result(&Enrolled {
        name: mark.name,
        uuid: mark.uuid,
        repository_id,
    })?;
    Ok(ExitCode::SUCCESS)
}

fn refuse_unfit(
    asked: &EnrolArguments,
    identity: &Identity,
    rotation: &Rotation<'_>,
) -> Result<(), Report> {
    let disks = rotation.disks()?;
    let refuse = |words: String| {
        let report = Report::bare(Kind::Usage).operator(words, Runbook::DiskRotate);
        Err(report.at(&asked.device))
    };
    if identity.kind != ENCRYPTED {
        return refuse(format!(
            "この装置は暗号化（LUKS）されていません（{}）。何も書いていません。手順書のとおりに暗号化してから\
             登録してください。",
            identity.kind
        ));
    }
    if let Some(known) = disks.named(&asked.name) {
        return refuse(format!(
            "「{}」は登録済みです（番号 {}）。替えるときは、先に hokatsu backup disk release を実行してください。",
            asked.name,
            short(&known.uuid)
        ));
    }
    if let Some(known) = disks.with_uuid(&identity.uuid) {
        return refuse(format!(
            "このディスク（番号 {}）は「{}」として登録されたことがあります。使い直すときは、暗号化からやり直して\
             新しい番号にしてください。",
            short(&identity.uuid),
            known.name
        ));
    }
    if rotation.opener.alike(&identity.uuid)?.len() > 1 {
        return refuse(
            "同じ番号のディスクが2台以上つながっています。1台にしてください。".to_owned(),
        );
    }
    Ok(())
}

/// Looked at without a change first; the mark goes on last, so that half an enrolment has none.
fn made(
    device: &Path,
    kept: &Kept,
    mark: &Mark,
    rotation: &Rotation<'_>,
) -> Result<String, Report> {
    let mut opened = Opened::open(&rotation.opener, device, &kept.place, &kept.key)?;
    opened.mount(Mode::Look)?;
    if !Mark::is_empty(opened.top())? {
        let words = "ディスクの中が空ではありません。何も書いていません。中身が要らないことを確かめ、\
                     暗号化からやり直してください。";
        let report = Report::bare(Kind::Usage).operator(words, Runbook::DiskRotate);
        return Err(report.at(device));
    }
    opened.mount(Mode::Write)?;
    rotation.opener.own(&kept.place)?;
    let made = backup::init(&kept.repository).map_err(Report::from)?;
    let sealed = seal_report(&rotation.keeper.dir, MARK_KIND, mark).map_err(StoreError::report)?;
    Mark::write(opened.top(), &sealed.text, &sealed.signature)?;
    opened.close()?;
    Ok(made.repository_id)
}
