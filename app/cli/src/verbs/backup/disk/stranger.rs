//! Disks that are not opened: unknown, ended, or twice.

use std::path::Path;
use std::process::ExitCode;

use backup::records::{Job, Outcome, Record};
use base::disks::{Disk, State};
use base::report::{Kind, Report, Runbook};

use super::Rotation;
use super::list::short;
use super::tell::tell;

/// What lies in the way of a visit, before anything is opened.
pub(super) enum Stranger {
    Unknown,
    Ended(Disk),
    Doubled,
}

/// Nothing is opened; it is told, and remembered for monitoring.
pub(super) fn refused(
    rotation: &Rotation<'_>,
    device: &Path,
    uuid: &str,
    stranger: &Stranger,
) -> Result<ExitCode, Report> {
    let keeper = rotation.keeper;
    let number = if uuid.is_empty() {
        "番号なし".to_owned()
    } else {
        format!("番号 {}", short(uuid))
    };
    let words = match stranger {
        Stranger::Unknown => format!(
            "登録していないディスク（{number}）です。何もせず、開いてもいません。取り外してください。"
        ),
        Stranger::Ended(disk) => format!(
            "使い終えた、または紛失としたディスク「{}」（{number}）です。開いていません。取り外して、\
             手順書のとおりに扱ってください。",
            disk.name
        ),
        Stranger::Doubled => format!(
            "同じ番号のディスク（{number}）が2台以上つながっています。複製されたディスクがあります。\
             どれも開いていません。"
        ),
    };
    tell(rotation, (device, None), State::Refused, &words)?;
    let now = keeper.now();
    let mut record = Record::new(Job::Disk, "", now, now);
    record.outcome = Outcome::NotHeld;
    record.said.push(words.clone());
    keeper.keep(&record)?;
    keeper.note(&format!("backup disk run／対象外のディスク／{number}"))?;
    Err(Report::bare(Kind::CheckFailed)
        .operator(words, Runbook::DiskForeign)
        .at(device))
}
