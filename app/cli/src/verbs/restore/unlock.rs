//! `restore unlock`: an encrypted disk is opened by the words of the paper, and only read.
//!
//! Why beside a stock `cryptsetup`: that takes neither two shares of a split sheet nor four letters of a
//! word, and does not say which word is wrong.

use std::path::Path;
use std::process::ExitCode;

use backup::disks::{Mode, Opener, Place};
use base::report::{Kind, Report, Runbook};
use base::settings::DiskSettings;
use serde::Serialize;

use crate::arguments::UnlockArguments;
use crate::output::Voice;
use crate::verbs::words::{read, told};

/// Where the opener mounts; the last part but one is its name for the place.
const REPOSITORY: &str = "/run/hokatsu/disks/sheet/hokatsu";

#[derive(Serialize)]
struct Unlocked {
    at: String,
}

/// Root asks without `sudo`, which a bare machine may not have.
fn own_words(words: &[String]) -> &[String] {
    match words {
        [sudo, quietly, rest @ ..]
            if sudo == "sudo" && quietly == "-n" && rustix::process::geteuid().is_root() =>
        {
            rest
        }
        _ => words,
    }
}

pub(crate) fn unlock(
    asked: &UnlockArguments,
    disks: &DiskSettings,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let words = read(&asked.words, voice)?;
    let password = words.password().map_err(|error| told(&error, voice))?;
    let opener = Opener::new(own_words(&disks.opener));
    if !opener.prove(&asked.device, &password)? {
        let words = "このディスクは、この用紙のことばでは開きません。別のディスクか、前の用紙です";
        let report = Report::bare(Kind::CheckFailed).operator(words, Runbook::BareMachine);
        return Err(report.at(&asked.device));
    }
    let place = Place::of(Path::new(REPOSITORY))?;
    opener.open_by(&asked.device, &place, &password)?;
    opener.mount(&place, Mode::Read)?;
    let at = place.at.display().to_string();
    voice.say(&format!(
        "ディスクを開き、読むだけの形で {at} につなぎました。控えがあれば、続けて \
         hokatsu restore --from {at}/hokatsu を実行してください。"
    ));
    voice.result(&Unlocked { at })?;
    Ok(ExitCode::SUCCESS)
}
