//! `restore --to DIR`: everything, or one file, beside the live data.

use std::path::Path;
use std::process::ExitCode;

use backup::RepositorySettings;
use base::report::Report;
use serde::Serialize;
use store::{DataDir, Operation, Operator};

use crate::arguments::RestoreArguments;
use crate::operator;
use crate::output::Voice;
use crate::progress::Bytes;
use crate::verbs::attachments;
use crate::verbs::restore::choose::{Choice, choose};
use crate::verbs::restore::prove::{self, Proof};

#[derive(Serialize)]
struct Restored {
    repository: String,
    snapshot: String,
    to: String,
    files: u64,
    damaged: usize,
    healed: usize,
    audit_entries: i64,
    audit_head: String,
    attachments: attachments::Found,
    equal: bool,
}

#[derive(Serialize)]
struct RestoredFile {
    repository: String,
    snapshot: String,
    to: String,
    path: String,
    bytes: u64,
    equal: bool,
}

pub(super) fn run(
    (asked, to): (&RestoreArguments, &Path),
    repositories: &[RepositorySettings],
    (live, operator): (&DataDir, Option<Operator>),
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let choice = choose(asked, repositories, voice)?;
    let (repository, snapshot) = (choice.repository, &choice.snapshot);
    let what = match &asked.only {
        Some(path) => format!("ファイル {path}"),
        None => format!("{}個、{}バイト", snapshot.files, snapshot.bytes),
    };
    voice.say(&format!(
        "保管先「{}」の {} を {} に戻します（{what}）。今のデータには触れません。",
        repository.name,
        snapshot.taken_at_in_japan().strftime("%Y-%m-%d %H:%M:%S"),
        to.display(),
    ));
    if asked.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    voice.confirm("戻しますか。", asked.yes)?;
    let only = asked.only.as_ref().map_or("", |_| "／1ファイル");
    let detail = format!(
        "restore{only}／保管先＝{}／控え＝{}",
        repository.name, snapshot.id
    );
    operator::note(live, Operation::Restore, detail, operator)?;
    let from = (repository, repositories);
    match &asked.only {
        Some(path) => one_file(&choice, from, (path, to), voice),
        None => everything(&choice, from, to, voice),
    }
}

fn everything(
    choice: &Choice<'_>,
    from: (&RepositorySettings, &[RepositorySettings]),
    to: &Path,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let progress = Bytes::new(voice);
    let done = backup::restore_healing(from, &choice.selector(), to, &progress);
    progress.done();
    let done = done.map_err(Report::from)?;
    if done.damaged.iter().any(|lost| lost.path == prove::DATABASE) {
        let to = to.join(format!("{}.damaged", prove::DATABASE));
        prove::say_tables(choice, from.1, &to, voice);
        voice.say(&format!("読めた部分は {} にあります。", to.display()));
    }
    let Proof {
        found,
        shelf,
        equal,
    } = prove::prove(&done, &choice.told, to, voice)?;
    voice.say(if equal {
        "戻しました。表の行数、アクセスログの末尾、添付ファイルの中身は、取ったときと同じです。"
    } else {
        "戻しましたが、取ったときと同じではありません。手順書: runbooks/restore-failed.md"
    });
    prove::say_sealed(&found, voice);
    voice.result(&Restored {
        repository: choice.repository.name.clone(),
        snapshot: done.snapshot.id.clone(),
        to: to.display().to_string(),
        files: done.files_restored + done.files_kept,
        damaged: done.damaged.len(),
        healed: done.healed.len(),
        audit_entries: found.audit_entries,
        audit_head: found.audit_head,
        attachments: shelf.into(),
        equal,
    })?;
    Ok(ExitCode::from(u8::from(!equal)))
}

fn one_file(
    choice: &Choice<'_>,
    from: (&RepositorySettings, &[RepositorySettings]),
    (path, to): (&str, &Path),
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let progress = Bytes::new(voice);
    let done = backup::restore_file(from, &choice.selector(), (path, to), &progress);
    progress.done();
    let done = done.map_err(Report::from)?;
    prove::say_damage(&done, voice);
    let equal = done.is_complete();
    if equal {
        voice.say("戻しました。中身は控えの目録（SHA-256）と同じです。");
    }
    voice.result(&RestoredFile {
        repository: choice.repository.name.clone(),
        snapshot: done.snapshot.id.clone(),
        to: to.display().to_string(),
        path: path.to_owned(),
        bytes: done.bytes_restored,
        equal,
    })?;
    Ok(ExitCode::from(u8::from(!equal)))
}
