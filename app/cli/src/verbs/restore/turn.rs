//! Restoring waits for the job of the backups that is running, and those that come wait for it: one that
//! was reading the former state would find it gone, or save the end of one and the beginning of another.

use backup::records::{Job, Records};
use backup::{BackupError, Turn};
use base::clock::Clock;
use base::report::Report;

use crate::output::Voice;
use crate::verbs::restore::owner;
use crate::verbs::restore::states::Places;

/// Takes the turn of the present state; nothing to take where no job ever was. A disk that refuses it does not keep
/// anybody from restoring: it may be why they do.
pub(super) fn take(places: &Places, voice: &Voice) -> Option<Turn> {
    let records = places.data.backup_records();
    // A restore that is refused leaves nothing behind, not even an empty file.
    if !records.join(Turn::NAME).exists() {
        return None;
    }
    match taken(places, voice) {
        Ok(turn) => Some(turn),
        Err(error) => {
            voice.report(&Report::from(error));
            voice.say("バックアップの処理が動いていないことを確かめられませんでした。続けます。");
            None
        }
    }
}

fn taken(places: &Places, voice: &Voice) -> Result<Turn, BackupError> {
    let records = Records::at(&places.data.backup_records());
    let now = || Clock::system().now();
    let (turn, died) = match Turn::take(records.dir(), Job::Restore, "", now()) {
        Err(BackupError::JobRunning { doing }) => {
            let doing = doing.map_or_else(|| "不明".to_owned(), |doing| doing.words());
            voice.say(&format!(
                "控えの処理が動いています（{doing}）。終わるのを待っています。\
                 待てないときは Ctrl-C で止め、手順書 runbooks/restore-failed.md を見てください。"
            ));
            Turn::wait(records.dir(), Job::Restore, "", now)?
        }
        other => other?,
    };
    if let Some(died) = died {
        records.append(&died.cut_short(now()))?;
    }
    // Made by root, it would keep the timers out.
    if let Err(report) = owner::hand_over(records.dir(), places.data.path()) {
        voice.report(&report);
    }
    Ok(turn)
}
