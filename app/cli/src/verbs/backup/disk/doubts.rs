//! Before anything is written: is this what we left there, and would what we bring be as much?

use backup::SnapshotInfo;
use backup::disks::{Counts, Doubt, compare};
use base::clock::Clock;
use base::disks::Disk;
use base::report::{Kind, Report, Runbook};
use store::{Db, ReadTx, StoreError, SystemReason, params};

use super::{Kept, Rotation};
use crate::verbs::backup::failed;
use crate::verbs::backup::run::Gathered;

pub(super) fn doubts(
    rotation: &Rotation<'_>,
    disk: &Disk,
    kept: &Kept,
    gathered: &Gathered,
) -> Result<Vec<Doubt>, Report> {
    let known = disk.saved.as_ref();
    let known = known.map(|saved| (saved.snapshot.as_str(), saved.taken_at));
    let brought = Counts::of(&gathered.source.facts);
    let percent = rotation.settings.count_percent_min;
    let is_ours = |newest: &SnapshotInfo| is_of_our_log(rotation, newest);
    let found = compare(&kept.repository, known, is_ours, (&brought, percent));
    found.map_err(failed)
}

/// Is a snapshot a former state of this very database? Its last entry stands in our access log. So a
/// visit that was killed after it had saved is told from a disk that somebody else wrote to.
fn is_of_our_log(rotation: &Rotation<'_>, snapshot: &SnapshotInfo) -> bool {
    let fact = |name: &str| snapshot.facts.get(name);
    let number = fact("audit_entries").and_then(serde_json::Value::as_i64);
    let head = fact("audit_head").and_then(serde_json::Value::as_str);
    let (Some(number), Some(head)) = (number, head) else {
        return false;
    };
    // What cannot be found out is not ours: then somebody looks.
    stands_in_log(rotation, number, head).unwrap_or_else(|error| {
        log::warn!("whose snapshot lies on a disk cannot be found out: {error}");
        false
    })
}

fn stands_in_log(rotation: &Rotation<'_>, number: i64, head: &str) -> Result<bool, StoreError> {
    let db = Db::open_beside(&rotation.keeper.dir, Clock::system())?;
    let sql = "select count(*) from audit_entries where id = ?1 and lower(hex(hash)) = ?2";
    let read = |tx: &ReadTx<'_>| tx.count(sql, params![number, head]);
    let found: i64 = db.system_read(SystemReason::Backup, read)?;
    db.close()?;
    Ok(found == 1)
}

/// Somebody with a name and a reason may say that it is right all the same.
pub(super) fn answered(
    rotation: &Rotation<'_>,
    disk: &Disk,
    doubts: &[Doubt],
    despite: bool,
) -> Result<(), Report> {
    let keeper = rotation.keeper;
    let words: Vec<String> = doubts.iter().map(Doubt::in_words).collect();
    let words = words.join("");
    if despite {
        keeper
            .voice
            .say(&format!("{words}指定により、このまま控えを取ります。"));
        let detail = format!(
            "backup disk run --despite／ディスク＝{}／{words}",
            disk.name
        );
        return keeper.note(&detail);
    }
    let advice = format!("{words}ディスク「{}」には何も書いていません。", disk.name);
    Err(Report::bare(Kind::CheckFailed).operator(advice, Runbook::DiskDoubtful))
}
