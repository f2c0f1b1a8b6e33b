//! `restore list`: what is kept, and whose history each repository goes on with.

use std::process::ExitCode;

use backup::{Lineage, RepositorySettings};
use base::report::Report;
use jiff::Timestamp;
use serde::Serialize;
use store::{DataDir, Former, StoreError};

use crate::output::Voice;
use crate::verbs::restore::choose::moment;
use crate::verbs::restore::facts;
use crate::verbs::restore::journal::Journal;
use crate::verbs::restore::states::{Places, name_of};

#[derive(Serialize)]
struct Listed {
    /// `None`: there is no database, or it cannot be read.
    epoch: Option<i64>,
    unfinished: Option<String>,
    kept: Vec<Kept>,
    repositories: Vec<Known>,
}

#[derive(Serialize)]
struct Kept {
    name: String,
    /// Of the last entry of its log; `None`: it cannot be read.
    last_at: Option<String>,
    entries: Option<i64>,
    epoch: Option<i64>,
}

#[derive(Serialize)]
struct Known {
    name: String,
    /// `None`: it does not open.
    epoch: Option<i64>,
    /// Another machine, or a later state, goes on there.
    fenced: bool,
}

pub(super) fn run(
    repositories: &[RepositorySettings],
    dir: &DataDir,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let places = Places::of(dir)?;
    let own = history(&places.data);
    let epoch = epoch_of(own.as_deref());
    let unfinished = Journal::read(&places)?.map(|journal| journal.source);
    if let Some(source) = &unfinished {
        voice.say(&format!("途中で止まった復元があります: {source}"));
    }
    let kept: Vec<Kept> = places.kept()?.iter().map(|path| kept(path)).collect();
    if kept.is_empty() {
        voice.say("とってある「戻す前の状態」はありません。");
    }
    for one in &kept {
        say(one, voice);
    }
    voice.say(&format!("この装置の系統: {}", in_words(epoch)));
    let known: Vec<Known> = repositories
        .iter()
        .map(|repository| known(repository, own.as_deref(), voice))
        .collect();
    let fenced = known.iter().any(|one| one.fenced);
    voice.result(&Listed {
        epoch,
        unfinished,
        kept,
        repositories: known,
    })?;
    Ok(ExitCode::from(u8::from(fenced)))
}

fn kept(path: &std::path::Path) -> Kept {
    let dir = DataDir::new(path);
    let end = || -> Result<(i64, String), StoreError> {
        let (entries, _, at) = Former::look(&dir.database())?.audit_end()?;
        Ok((entries, at))
    };
    let end = dir.database().exists().then(end).and_then(Result::ok);
    let own = history(&dir);
    Kept {
        name: name_of(path),
        entries: end.as_ref().map(|(entries, _)| *entries),
        last_at: end.map(|(_, at)| at),
        epoch: epoch_of(own.as_deref()),
    }
}

/// A history without a restore is the first one.
fn epoch_of(history: Option<&[Lineage]>) -> Option<i64> {
    history.map(|all| all.last().map_or(0, |lineage| lineage.epoch))
}

fn in_words(epoch: Option<i64>) -> String {
    epoch.map_or("読めません".to_owned(), |epoch| epoch.to_string())
}

fn history(dir: &DataDir) -> Option<Vec<Lineage>> {
    if !dir.database().exists() {
        return None;
    }
    let former = Former::look(&dir.database()).ok()?;
    facts::history(&former).ok()
}

fn say(one: &Kept, voice: &Voice) {
    let at = one
        .last_at
        .as_ref()
        .and_then(|at| at.parse::<Timestamp>().ok());
    match (at, one.entries) {
        (Some(at), Some(entries)) => voice.say(&format!(
            "{}  最後の記録 {}  アクセスログ {entries}件  系統 {}",
            one.name,
            moment(at),
            in_words(one.epoch)
        )),
        _ => voice.say(&format!("{}  読めません", one.name)),
    }
}

fn known(repository: &RepositorySettings, own: Option<&[Lineage]>, voice: &Voice) -> Known {
    let name = repository.name.clone();
    match backup::known_lineage(repository) {
        Ok(found) => {
            let grew = |known| own.is_none_or(|own| own.contains(known));
            let fenced = found.as_ref().is_some_and(|known| !grew(known));
            let epoch = found.map_or(0, |known| known.epoch);
            let rest = if fenced {
                "。この装置は古い状態です。控えは加えられません。手順書: runbooks/machine-fenced.md"
            } else {
                ""
            };
            voice.say(&format!("保管先「{name}」の系統: {epoch}{rest}"));
            Known {
                name,
                epoch: Some(epoch),
                fenced,
            }
        }
        Err(error) => {
            log::debug!("{error:?}");
            voice.say(&format!("保管先「{name}」は開けません。"));
            Known {
                name,
                epoch: None,
                fenced: false,
            }
        }
    }
}
