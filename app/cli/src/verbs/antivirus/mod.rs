//! `antivirus`: whether files are looked through for viruses, and by signatures of which day; new signatures from a
//! stick.
//!
//! Shape: [`status`] asks the scanner and looks into its directory; [`update`] checks what a stick holds and exchanges
//! the directory. Source: docs/decisions/0052-viruses.md.

#[cfg(test)]
mod tests;
mod update;

use std::path::PathBuf;
use std::process::ExitCode;

use base::antivirus::signatures::{self, AGE_DAYS_MAX, DAILY, Signature, SignatureError};
use base::antivirus::{Scan, Scanner};
use base::clock::Clock;
use base::report::{Kind, Report, Runbook};
use base::settings::Site;
use jiff::Timestamp;
use serde::Serialize;

pub(super) use update::run as update;

use crate::output::Voice;

#[derive(Serialize)]
struct Status {
    /// Does the site file name a scanner?
    configured: bool,
    answers: bool,
    signatures: Vec<Signature>,
    /// Of the daily ones.
    age_days: Option<i64>,
    well: bool,
}

pub(super) fn status(site: &Site, voice: &Voice) -> Result<ExitCode, Report> {
    let Some(settings) = site.antivirus() else {
        voice.say(
            "設定ファイルに [antivirus] がありません。取り込むファイルのウイルス検査はしていません。",
        );
        voice.result(&Status {
            configured: false,
            answers: false,
            signatures: Vec::new(),
            age_days: None,
            well: true,
        })?;
        return Ok(ExitCode::SUCCESS);
    };
    let now = Clock::system().now();
    let installed = signatures::installed(&settings.installed()).map_err(unreadable)?;
    let daily = installed.iter().find(|one| one.name == DAILY);
    let answers = Scanner::new(settings).version().is_ok();
    let status = Status {
        configured: true,
        answers,
        age_days: daily.map(|daily| daily.age_days(now)),
        well: answers && daily.is_some_and(|daily| !daily.is_old(now)),
        signatures: installed,
    };
    say(&status, now, voice);
    voice.result(&status)?;
    Ok(ExitCode::from(u8::from(!status.well)))
}

/// Has files looked through that are about to be read; one with a virus is read by nobody. A scanner that does not
/// answer holds nobody up: whoever types here is told.
pub(super) fn look_into(files: &[PathBuf], site: &Site, voice: &Voice) -> Result<(), Report> {
    let Some(settings) = site.antivirus() else {
        return Ok(());
    };
    let scanner = Scanner::new(settings);
    for file in files {
        match scanner.scan_file(file) {
            Ok(Scan::Found { finding, .. }) => {
                let words = format!(
                    "ファイルにウイルス（{finding}）が見つかりました。何も読み込んでいません。\
                     ファイルは開かないでください"
                );
                let report = Report::bare(Kind::InputFile);
                return Err(report.operator(words, Runbook::VirusFound).at(file));
            }
            Ok(Scan::Clean { .. } | Scan::Unscanned) => {}
            Err(error) => {
                log::warn!("a file is read that nobody looked through: {error}");
                voice.say(&format!(
                    "ウイルス検査が答えないため、検査せずに進みます: {}",
                    file.display()
                ));
            }
        }
    }
    Ok(())
}

fn say(status: &Status, now: Timestamp, voice: &Voice) {
    voice.say(if status.answers {
        "ウイルス検査: 動いています。"
    } else {
        "ウイルス検査: 動いていません。添付されるファイルには「未検査」の印が付きます。"
    });
    if status.age_days.is_none() {
        voice.say("ウイルス定義: 導入されていません。");
    }
    for one in &status.signatures {
        voice.say(&format!("  {}", in_words(one, now)));
    }
    if let Some(days) = status.age_days.filter(|days| *days > AGE_DAYS_MAX) {
        voice.say(&format!(
            "ウイルス定義が{days}日前のものです（目安は{AGE_DAYS_MAX}日以内）。新しい定義を入れてください。"
        ));
    }
    if !status.well {
        voice.say("手順書: runbooks/virus-signatures.md");
    }
}

/// `daily` 版 27800（12日前）
fn in_words(one: &Signature, now: Timestamp) -> String {
    format!(
        "{}: 版 {}（{}日前）",
        one.name,
        one.version,
        one.age_days(now)
    )
}

fn unreadable(error: SignatureError) -> Report {
    Report::new(Kind::Disk, error).operator(
        "ウイルス定義を読めません。新しい定義を、もう一度USBメモリから入れてください",
        Runbook::VirusSignatures,
    )
}
