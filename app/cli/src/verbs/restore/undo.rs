//! `restore undo`: the state from before a restore back in its place; a restore under way is dropped.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use backup::RepositorySettings;
use base::clock::Clock;
use base::report::{Kind, Report};
use jiff::Timestamp;
use server::features::restores::draw_token;
use store::{DataDir, Facts, Former, Operation, Operator, StoreError};

use crate::arguments::UndoArguments;
use crate::operator;
use crate::output::Voice;
use crate::verbs::restore::choose::moment;
use crate::verbs::restore::in_place::{discard, end, hold, tell};
use crate::verbs::restore::journal::{Journal, Stage, What};
use crate::verbs::restore::states::{Places, name_of, refused};
use crate::verbs::restore::{finish, owner, plan, swap, turn};

pub(super) fn run(
    asked: &UndoArguments,
    repositories: &[RepositorySettings],
    dir: &DataDir,
    operator: Option<Operator>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let places = Places::of(dir)?;
    // Before the database is held: whoever has the turn wants to enter in its log what it did.
    let _turn = match &operator {
        Some(_) => turn::take(&places, voice),
        None => None,
    };
    if let Some(journal) = Journal::read(&places)? {
        return under_way(asked, journal, &places, repositories, (operator, voice));
    }
    let from = chosen(asked, &places, voice)?;
    let used = places.is_used()?;
    places.refuse_unfit(used)?;
    let hold = match &operator {
        Some(_) => hold(&places, used)?,
        None => None,
    };
    let taken_at = say(&from, (&places, used), voice)?;
    let Some(operator) = operator else {
        voice.result(&serde_json::json!({ "kept": name_of(&from), "taken_at": taken_at }))?;
        return Ok(ExitCode::SUCCESS);
    };
    voice.confirm("この状態を返しますか。", asked.yes)?;
    let journal = Journal {
        what: What::Undo,
        stage: Stage::Files,
        token: draw_token().ok_or_else(|| Report::bare(Kind::Fault))?,
        epoch: 0,
        source: format!("戻す前の状態 {}", name_of(&from)),
        repository: String::new(),
        snapshot: String::new(),
        taken_at,
        kept: places.kept_at(Clock::system().now())?,
        from,
        flawed: false,
    };
    journal.write(&places)?;
    let done = perform(journal, (&places, used), repositories, &operator, voice)?;
    drop(hold);
    tell(&done, voice)
}

/// A restore that has replaced nothing is dropped; what was exchanged already is ended first.
fn under_way(
    asked: &UndoArguments,
    journal: Journal,
    places: &Places,
    repositories: &[RepositorySettings],
    (operator, voice): (Option<Operator>, &Voice),
) -> Result<ExitCode, Report> {
    voice.say(&format!(
        "途中で止まった復元（{}）があります。",
        journal.source
    ));
    let Some(operator) = operator else {
        voice.result(&serde_json::json!({ "unfinished": journal.source }))?;
        return Ok(ExitCode::SUCCESS);
    };
    if journal.is_swapped(places) {
        voice.say(
            "もう入れ替わっています。残りの仕事を終えます。返すには、もう一度実行してください。",
        );
        return end(&journal, places, repositories, &operator, voice);
    }
    if journal.what == What::Undo {
        return go_on(journal, places, repositories, &operator, voice);
    }
    voice.confirm(
        "取りやめて、作りかけを消しますか（今の記録はそのままです）。",
        asked.yes,
    )?;
    let detail = format!("restore 取りやめ／元＝{}", journal.source);
    operator::note(&places.data, Operation::Restore, detail, Some(operator))?;
    owner::hand_over(&places.data.console_notes(), places.data.path())?;
    discard(places)?;
    voice.say("取りやめました。今の記録はもとのままです。");
    voice.result(&serde_json::json!({ "discarded": journal.source }))?;
    Ok(ExitCode::SUCCESS)
}

/// Ends an undo that was cut short before the names were exchanged.
pub(super) fn go_on(
    journal: Journal,
    places: &Places,
    repositories: &[RepositorySettings],
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let used = places.is_used()?;
    let hold = hold(places, used)?;
    let done = perform(journal, (places, used), repositories, operator, voice)?;
    drop(hold);
    tell(&done, voice)
}

fn perform(
    mut journal: Journal,
    (places, used): (&Places, bool),
    repositories: &[RepositorySettings],
    operator: &Operator,
    voice: &Voice,
) -> Result<finish::Done, Report> {
    let staging = places.staging();
    if !staging.path().exists() {
        swap::rename(&journal.from, staging.path())?;
        swap::flush(places)?;
    }
    let done = finish::finish(&mut journal, (places, used), repositories, operator, voice);
    if done.is_err() && !journal.is_swapped(places) {
        // It does not open, or the disk is full: under its name it is as it was.
        swap::rename(staging.path(), &journal.from)?;
        Journal::remove(places)?;
    }
    done
}

fn chosen(asked: &UndoArguments, places: &Places, voice: &Voice) -> Result<PathBuf, Report> {
    let kept = places.kept()?;
    let found = match &asked.kept {
        Some(name) => kept.into_iter().find(|path| name_of(path) == *name),
        None => kept.into_iter().next(),
    };
    found.ok_or_else(|| {
        voice.say(
            "とってある「戻す前の状態」はありません。`hokatsu restore list` で確かめてください。",
        );
        refused(
            Kind::Usage,
            "返せる状態がありません。何も変更していません",
            places.data.path(),
        )
    })
}

/// What comes back and what is put away; the moment of the kept state's last entry.
fn say(from: &Path, (places, used): (&Places, bool), voice: &Voice) -> Result<String, Report> {
    let kept = Former::look(&DataDir::new(from).database()).map_err(StoreError::report)?;
    let (entries, head, at) = kept.audit_end().map_err(StoreError::report)?;
    let rows = kept.row_counts().map_err(StoreError::report)?;
    drop(kept);
    let facts = Facts {
        schema: 0,
        audit_entries: entries,
        audit_head: head,
        rows: rows.into_iter().collect(),
    };
    let shown = at.parse::<Timestamp>().map_or(at.clone(), moment);
    voice.say("取りやめの計画");
    voice.say(&format!(
        "  返すもの: {}（最後の記録 {shown}、アクセスログ {entries}件）",
        name_of(from)
    ));
    if used {
        plan::lost(finish::glance(places).as_ref(), &facts).say(voice);
        voice.say("  今の状態は、別の名前で隣にとっておきます。全員がサインインし直します。");
    }
    Ok(at)
}
