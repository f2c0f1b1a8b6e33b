//! `restore`: an older state in the place of the present one.

use std::fs;
use std::process::ExitCode;

use backup::{BackupError, RepositorySettings};
use base::clock::Clock;
use base::paths::{MODE_PRIVATE, write_atomic};
use base::report::{Kind, Report, Runbook};
use server::features::restores::draw_token;
use store::{DataDir, Hold, Operation, Operator, StoreError};

use crate::arguments::RestoreArguments;
use crate::operator;
use crate::output::Voice;
use crate::progress::Bytes;
use crate::verbs::restore::choose::{self, Choice};
use crate::verbs::restore::finish::{self, Done};
use crate::verbs::restore::journal::{Journal, Stage, What, remove_if_there};
use crate::verbs::restore::states::{Places, refused, unusable};
use crate::verbs::restore::{owner, plan, prove, turn, undo};

/// What the engine leaves free, and a little for the work on the database.
const SPARE_BYTES: u64 = 64 * 1024 * 1024;
/// The marker of files that are still coming back.
const HALF: &str = ".hokatsu-restore";

pub(super) fn run(
    asked: &RestoreArguments,
    repositories: &[RepositorySettings],
    (dir, operator): (&DataDir, Option<Operator>),
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let places = Places::of(dir)?;
    // Before the database is held: whoever has the turn wants to enter in its log what it did.
    let _turn = match &operator {
        Some(_) => turn::take(&places, voice),
        None => None,
    };
    if let Some(journal) = Journal::read(&places)? {
        return resume(asked, journal, &places, repositories, (operator, voice));
    }
    let used = places.is_used()?;
    places.refuse_unfit(used)?;
    let choice = choose::choose(asked, repositories, voice)?;
    refuse_newer(&choice)?;
    // Held from here on: what is counted as lost stays the count.
    let hold = match &operator {
        Some(_) => hold(&places, used)?,
        None => None,
    };
    let lost = plan::lost(finish::glance(&places).as_ref(), &choice.told.facts);
    plan::say(&choice, (&places, used), &lost, voice)?;
    refuse_without_room(&choice, &places)?;
    let Some(operator) = operator else {
        voice.result(&plan::planned(&choice, lost))?;
        return Ok(ExitCode::SUCCESS);
    };
    voice.confirm("この計画で戻しますか。", asked.yes)?;
    let mut journal = Journal {
        what: What::Restore,
        stage: Stage::Files,
        token: draw_token().ok_or_else(|| Report::bare(Kind::Fault))?,
        epoch: 0,
        source: choice.source(),
        repository: choice.repository.name.clone(),
        snapshot: choice.snapshot.id.clone(),
        taken_at: format!("{:.6}", choice.snapshot.taken_at),
        kept: places.kept_at(Clock::system().now())?,
        from: places.data.path().to_path_buf(),
        flawed: false,
    };
    journal.write(&places)?;
    let detail = format!("restore 始め／元＝{}", journal.source);
    operator::note(
        &places.data,
        Operation::Restore,
        detail,
        Some(operator.clone()),
    )?;
    // Where there was no database nothing was noted.
    let notes = places.data.console_notes();
    if notes.exists() {
        owner::hand_over(&notes, places.data.path())?;
    }
    let work = Work {
        places: &places,
        used,
        repositories,
        operator: &operator,
        yes: asked.yes,
        voice,
    };
    let done = work.perform(&choice, &mut journal)?;
    drop(hold);
    tell(&done, voice)
}

/// Takes the present state from everybody; nothing to take where nothing is.
pub(super) fn hold(places: &Places, used: bool) -> Result<Option<Hold>, Report> {
    used.then(|| places.data.hold().map_err(StoreError::report))
        .transpose()
}

fn refuse_newer(choice: &Choice<'_>) -> Result<(), Report> {
    if !choice.told.is_newer() {
        return Ok(());
    }
    Err(Report::bare(Kind::Restore)
        .operator(
            format!(
                "この控えは、この hokatsu より新しい版のものです。何も変更していません。\
                 {} を入れてから、もう一度実行してください",
                choice.told.wants()
            ),
            Runbook::DataDirNewer,
        )
        .at(choice.source()))
}

fn refuse_without_room(choice: &Choice<'_>, places: &Places) -> Result<(), Report> {
    let needed = choice.snapshot.bytes.saturating_add(SPARE_BYTES);
    let free =
        base::paths::free_bytes(places.parent()).map_err(|e| unusable(places.parent(), e))?;
    if free < needed {
        let path = places.staging().path().to_path_buf();
        return Err(BackupError::NoRoom { path, needed, free }.into());
    }
    Ok(())
}

/// Goes on where a restore (or an undo) was cut short.
fn resume(
    asked: &RestoreArguments,
    mut journal: Journal,
    places: &Places,
    repositories: &[RepositorySettings],
    (operator, voice): (Option<Operator>, &Voice),
) -> Result<ExitCode, Report> {
    voice.say(&format!(
        "途中で止まった復元（{}）があります。",
        journal.source
    ));
    let Some(operator) = operator else {
        voice.say("`hokatsu restore` で続けるか、`hokatsu restore undo` で取りやめます。");
        voice.result(&serde_json::json!({ "unfinished": journal.source }))?;
        return Ok(ExitCode::SUCCESS);
    };
    let other = asked.repository.as_ref() != Some(&journal.repository) || asked.at.is_some();
    if other && (asked.repository.is_some() || asked.at.is_some()) {
        return Err(refused(
            Kind::Usage,
            "ほかの控えに戻すには、先に `hokatsu restore undo` で取りやめてください",
            &places.journal(),
        ));
    }
    if journal.is_swapped(places) {
        return end(&journal, places, repositories, &operator, voice);
    }
    if journal.what == What::Undo {
        return undo::go_on(journal, places, repositories, &operator, voice);
    }
    let wanted = (journal.repository.as_str(), journal.snapshot.as_str());
    let choice = choose::again(wanted, repositories, voice)?;
    let used = places.is_used()?;
    let hold = hold(places, used)?;
    voice.confirm("続きから戻しますか。", asked.yes)?;
    let work = Work {
        places,
        used,
        repositories,
        operator: &operator,
        yes: asked.yes,
        voice,
    };
    let done = work.perform(&choice, &mut journal)?;
    drop(hold);
    tell(&done, voice)
}

/// The names are exchanged; what comes behind that is done again.
pub(super) fn end(
    journal: &Journal,
    places: &Places,
    repositories: &[RepositorySettings],
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let used = places.staging().path().exists() || journal.kept.exists();
    finish::after(journal, (places, used), repositories, operator, voice)?;
    let done = finish::told(journal, places, used);
    voice.say("入替えは済んでいました。残りの仕事を終えました。");
    tell(&done, voice)
}

struct Work<'w> {
    places: &'w Places,
    used: bool,
    repositories: &'w [RepositorySettings],
    operator: &'w Operator,
    yes: bool,
    voice: &'w Voice,
}

impl Work<'_> {
    fn perform(&self, choice: &Choice<'_>, journal: &mut Journal) -> Result<Done, Report> {
        let (places, voice) = (self.places, self.voice);
        if journal.stage == Stage::Files {
            self.files(choice, journal)?;
            journal.at(Stage::Proven, places)?;
        }
        remove_if_there(&places.staging().path().join(HALF))?;
        voice.say("戻した記録を、使える状態にしています。");
        let at = (places, self.used);
        finish::finish(journal, at, self.repositories, self.operator, voice)
    }

    fn files(&self, choice: &Choice<'_>, journal: &mut Journal) -> Result<(), Report> {
        let (places, voice) = (self.places, self.voice);
        let staging = places.staging();
        // All files came back, and the proof was cut short: they are compared once more.
        if staging.path().is_dir() {
            let half = staging.path().join(HALF);
            let marked = write_atomic(&half, journal.snapshot.as_bytes(), MODE_PRIVATE);
            marked.map_err(|e| unusable(&half, e))?;
        }
        let progress = Bytes::new(voice);
        let from = (choice.repository, self.repositories);
        let done = backup::restore_healing(from, &choice.selector(), staging.path(), &progress);
        progress.done();
        if done.is_err() && !staging.path().exists() {
            // Refused before the first byte: there is nothing to go on with.
            discard(places)?;
        }
        let done = done.map_err(Report::from)?;
        voice.say("戻した記録を調べています。");
        if done.damaged.iter().any(|damage| is_needed(&damage.path)) {
            prove::say_damage(&done, voice);
            if done.damaged.iter().any(|lost| lost.path == prove::DATABASE) {
                prove::say_tables(choice, self.repositories, &places.scratch(), voice);
            }
            return Err(self.give_up("なくては動かないファイルが壊れています"));
        }
        let proof = prove::prove(&done, &choice.told, staging.path(), voice);
        let proof = match proof {
            Ok(proof) => proof,
            Err(report) => {
                voice.report(&report);
                return Err(self.give_up("戻した記録を確かめられませんでした"));
            }
        };
        if proof.found != choice.told.facts {
            return Err(self.give_up("表の行数またはアクセスログの末尾が、取ったときと違います"));
        }
        prove::say_sealed(&proof.found, voice);
        if !proof.equal {
            journal.flawed = true;
            voice.say("上のほかは、取ったときと同じです。");
            voice.confirm("このまま入れ替えますか。", self.yes)?;
        } else {
            voice.say("表の行数、アクセスログの末尾、添付ファイルの中身は、取ったときと同じです。");
        }
        Ok(())
    }

    /// What cannot be used is taken away again; nothing was replaced.
    fn give_up(&self, why: &str) -> Report {
        let text = format!(
            "{why}。入れ替えていません。今の記録はもとのままです。\
             ほかの保管先か、ひとつ前の控えを選んでください"
        );
        if let Err(report) = discard(self.places) {
            self.voice.report(&report);
        }
        refused(Kind::Restore, &text, self.places.data.path())
    }
}

/// Without these nothing starts.
fn is_needed(path: &str) -> bool {
    path == prove::DATABASE || path.starts_with("keys/")
}

/// Takes away what a restore has made so far.
pub(super) fn discard(places: &Places) -> Result<(), Report> {
    let staging = places.staging();
    match fs::remove_dir_all(staging.path()) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(unusable(staging.path(), e)),
    }
    remove_if_there(&places.scratch())?;
    Journal::remove(places)
}

pub(super) fn tell(done: &Done, voice: &Voice) -> Result<ExitCode, Report> {
    voice.say(&format!("入れ替えました。{} の状態です。", done.restored));
    if !done.kept.is_empty() {
        voice.say(&format!(
            "戻す前の状態は {} にあります。`hokatsu restore undo` で返せます。",
            done.kept
        ));
    }
    voice.say(
        "サービスを起動し（sudo systemctl start hokatsu）、サインインして確かめてください。\
         システム管理者の画面に「復元の記録」が出ます。手順書: runbooks/restore.md",
    );
    voice.result(done)?;
    Ok(ExitCode::from(u8::from(done.flawed)))
}
