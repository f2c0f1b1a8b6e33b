//! `restore --to DIR`: plan, show, perform, prove.

use std::path::Path;
use std::process::ExitCode;

use backup::{Quiet, RepositorySettings, RestoreSummary, Selector, SnapshotInfo};
use base::report::{Kind, Report, Runbook};
use serde::Serialize;
use store::{DataDir, Facts, Operation, Operator, StoreError, check_shelf, facts_of};

use crate::arguments::RestoreArguments;
use crate::operator;
use crate::output::Voice;
use crate::verbs::{attachments, moment};

/// Rows that need a key which no backup holds.
const SEALED: &str = "second_factor_secrets";

#[derive(Serialize)]
struct Restored {
    repository: String,
    snapshot: String,
    to: String,
    files: u64,
    damaged: usize,
    audit_entries: i64,
    audit_head: String,
    attachments: attachments::Found,
    equal: bool,
}

pub(crate) fn run(
    asked: &RestoreArguments,
    repositories: &[RepositorySettings],
    (live, operator): (DataDir, Option<Operator>),
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let repository = choose(asked, repositories, voice)?;
    let selector = selector(asked, voice)?;
    let chosen = find(repository, &selector, voice)?;
    voice.say(&format!(
        "保管先「{}」の {} を {} に戻します（{}個、{}バイト）。今のデータには触れません。",
        repository.name,
        chosen.taken_at_in_japan().strftime("%Y-%m-%d %H:%M:%S"),
        asked.to.display(),
        chosen.files,
        chosen.bytes
    ));
    if asked.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    voice.confirm("戻しますか。", asked.yes)?;
    let detail = format!("restore／保管先＝{}／控え＝{}", repository.name, chosen.id);
    operator::note(&live, Operation::Restore, detail, operator)?;
    let done =
        backup::restore_to(repository, &selector, &asked.to, &Quiet).map_err(Report::from)?;
    prove(&done, repository, &asked.to, voice)
}

fn find(
    repository: &RepositorySettings,
    selector: &Selector,
    voice: &Voice,
) -> Result<SnapshotInfo, Report> {
    let mut all = backup::list(repository).map_err(Report::from)?;
    all.retain(|snapshot| match selector {
        Selector::Latest => true,
        Selector::At(at) => snapshot.taken_at <= *at,
        Selector::Id(id) => snapshot.id.starts_with(id),
    });
    all.into_iter().max_by_key(|snapshot| snapshot.taken_at).ok_or_else(|| {
        voice.say("その時刻までのバックアップはありません。`hokatsu backup list` で確かめてください。");
        Report::bare(Kind::Usage)
    })
}

fn choose<'r>(
    asked: &RestoreArguments,
    repositories: &'r [RepositorySettings],
    voice: &Voice,
) -> Result<&'r RepositorySettings, Report> {
    let found = match &asked.repository {
        Some(name) => repositories
            .iter()
            .find(|repository| repository.name == *name),
        None => repositories.first(),
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = repositories.iter().map(|r| r.name.as_str()).collect();
        voice.say(&format!(
            "その名前の保管先はありません。使えるもの: {}",
            known.join("、")
        ));
        Report::bare(Kind::Usage)
    })
}

fn selector(asked: &RestoreArguments, voice: &Voice) -> Result<Selector, Report> {
    let Some(text) = &asked.at else {
        return Ok(Selector::Latest);
    };
    moment(text, voice).map(Selector::At)
}

/// The copy must say what the snapshot said: rows, access log, the bytes of attachments, no damage.
fn prove(
    done: &RestoreSummary,
    repository: &RepositorySettings,
    to: &Path,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    for damage in &done.damaged {
        voice.say(&format!("壊れていて戻せない: {}", damage.path));
    }
    let dir = DataDir::new(to);
    let found = facts_of(&dir.database()).map_err(StoreError::report)?;
    let wanted: Result<Facts, _> = serde_json::from_value(done.snapshot.facts.clone());
    let wanted = wanted.map_err(|e| {
        Report::new(Kind::Restore, e).operator(
            "このバックアップには照合用の記録がありません",
            Runbook::RestoreFailed,
        )
    })?;
    let verdict = store::audit::verify(&dir, None).map_err(StoreError::report)?;
    let shelf = check_shelf(&dir.database(), &dir).map_err(StoreError::report)?;
    attachments::say(&shelf, voice);
    let whole = done.is_complete() && shelf.is_sound();
    let equal = found == wanted && whole && verdict.findings.is_empty();
    voice.say(if equal {
        "戻しました。表の行数、アクセスログの末尾、添付ファイルの中身は、取ったときと同じです。"
    } else {
        "戻しましたが、取ったときと同じではありません。手順書: runbooks/restore-failed.md"
    });
    if found.rows.get(SEALED).is_some_and(|rows| *rows > 0) {
        voice.say(
            "確認コードの鍵は、バックアップに入っていません。保管してある紙から戻すか、\
             登録を取り消します。手順書: runbooks/factor-key-missing.md",
        );
    }
    voice.result(&Restored {
        repository: repository.name.clone(),
        snapshot: done.snapshot.id.clone(),
        to: to.display().to_string(),
        files: done.files_restored + done.files_kept,
        damaged: done.damaged.len(),
        audit_entries: found.audit_entries,
        audit_head: found.audit_head,
        attachments: shelf.into(),
        equal,
    })?;
    Ok(if equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}
