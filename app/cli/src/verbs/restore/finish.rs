//! From a proven state beside the data directory to the one in its place; the same for an undo.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use backup::{Lineage, RepositorySettings, Turn};
use base::clock::Clock;
use base::report::Report;
use serde::Serialize;
use server::features::restores::{self, Applied, Beginning, Later, Told};
use store::{DataDir, Db, Former, Hold, Operation, Operator, StoreError};

use crate::operator;
use crate::output::Voice;
use crate::verbs::restore::journal::{Journal, Stage, remove_if_there};
use crate::verbs::restore::states::{Places, name_of, unusable};
use crate::verbs::restore::{owner, swap};

const RESTORE: &str = "コマンド restore";

/// What was applied again, for machines.
#[derive(Debug, Serialize)]
pub(super) struct Again {
    pub(super) kind: &'static str,
    pub(super) applied: i64,
    pub(super) left_over: i64,
}

/// What becomes of a restore, for machines.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) restored: String,
    pub(super) taken_at: String,
    pub(super) data: String,
    pub(super) kept: String,
    pub(super) epoch: i64,
    /// `None`, as of what was applied again: told by the run that was cut short, and on `/restores`.
    pub(super) former_readable: Option<bool>,
    pub(super) applied_again: Option<Vec<Again>>,
    pub(super) flawed: bool,
}

/// Makes the staged state ready and exchanges it for the present one. Whoever calls holds the present
/// one, so that nobody adds to it any more.
pub(super) fn finish(
    journal: &mut Journal,
    (places, used): (&Places, bool),
    repositories: &[RepositorySettings],
    operator: &Operator,
    voice: &Voice,
) -> Result<Done, Report> {
    let staging = places.staging();
    if used {
        carry_over(&places.data, &staging)?;
    }
    owner::take(staging.path())?;
    let known = known(repositories, voice);
    let applied = protect(journal, places, &known, operator, voice)?;
    journal.epoch = applied.beginning.epoch;
    journal.stamp(&staging)?;
    owner::hand_over(staging.path(), places.data.path())?;
    sync(staging.path())?;
    journal.at(Stage::Ready, places)?;
    // Held until the names are exchanged: no service starts on either in between.
    let hold: Hold = staging.hold().map_err(StoreError::report)?;
    swap::swap(journal, places)?;
    drop(hold);
    let done = done(journal, places, used, &applied);
    after(journal, (places, used), repositories, operator, voice)?;
    Ok(done)
}

/// What is left to do once the names are exchanged; again after a cut.
pub(super) fn after(
    journal: &Journal,
    (places, used): (&Places, bool),
    repositories: &[RepositorySettings],
    operator: &Operator,
    voice: &Voice,
) -> Result<(), Report> {
    swap::swap(journal, places)?;
    if used {
        // The former state says what became of it, should it ever come back.
        let kept = DataDir::new(&journal.kept);
        let detail = format!(
            "入替え／元＝{}／新しい系統＝{}",
            journal.source, journal.epoch
        );
        operator::note(&kept, Operation::Restore, detail, Some(operator.clone()))?;
        owner::hand_over(kept.path(), places.data.path())?;
    }
    let lineage = Lineage {
        epoch: journal.epoch,
        token: journal.token.clone(),
    };
    for repository in repositories {
        // One that is away learns it from the next backup.
        if let Err(error) = backup::mark_lineage(repository, &lineage) {
            log::debug!("{error:?}");
            voice.say(&format!(
                "保管先「{}」に、続きになったことを書けませんでした。次のバックアップのときに書きます。",
                repository.name
            ));
        }
    }
    remove_if_there(&places.scratch())?;
    Journal::unstamp(places)?;
    Journal::remove(places)
}

/// What no backup has and the new state needs: keys of second factors, and what was done at the console
/// and is not in the log yet. And what is about the disks as they are today, whatever state the records
/// are in: which sheets open them, what was saved, checked and practised.
fn carry_over(from: &DataDir, to: &DataDir) -> Result<(), Report> {
    let keys = from.factor_keys();
    let secrets = keys.parent().map(Path::to_path_buf);
    let places = [secrets, Some(from.console_notes())];
    for place in places.into_iter().flatten().filter(|place| place.is_dir()) {
        let into = to.path().join(place.file_name().unwrap_or_default());
        base::paths::create_private_dir(&into).map_err(|e| unusable(&into, e))?;
        let there: BTreeSet<_> = names(&into)?;
        for name in names(&place)?.difference(&there) {
            copy(&place.join(name), &into.join(name))?;
        }
    }
    for place in [from.backup_records(), from.drill_reports()] {
        if place.is_dir() {
            let into = to.path().join(place.file_name().unwrap_or_default());
            base::paths::create_private_dir(&into).map_err(|e| unusable(&into, e))?;
            // Whose turn it is, is a matter of the directory that is left.
            let told = |name: &&std::ffi::OsString| *name != Turn::NAME;
            for name in names(&place)?.iter().filter(told) {
                copy(&place.join(name), &into.join(name))?;
            }
        }
    }
    if from.backup_disks().exists() {
        // A disk that was lost since must stay shut out.
        copy(&from.backup_disks(), &to.backup_disks())?;
    }
    if from.recovery_sheets().exists() {
        copy(&from.recovery_sheets(), &to.recovery_sheets())?;
    }
    Ok(())
}

/// Whole or absent.
fn copy(from: &Path, to: &Path) -> Result<(), Report> {
    let bytes = fs::read(from).map_err(|e| unusable(from, e))?;
    let written = base::paths::write_atomic(to, &bytes, base::paths::MODE_PRIVATE);
    written.map_err(|e| unusable(to, e))
}

fn names(dir: &Path) -> Result<BTreeSet<std::ffi::OsString>, Report> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir).map_err(|e| unusable(dir, e))? {
        let entry = entry.map_err(|e| unusable(dir, e))?;
        if entry.path().is_file() {
            found.insert(entry.file_name());
        }
    }
    Ok(found)
}

/// Which lineages the repositories that are here know.
pub(super) fn known(repositories: &[RepositorySettings], voice: &Voice) -> Vec<Beginning> {
    let mut all = Vec::new();
    for repository in repositories {
        match backup::known_lineage(repository) {
            Ok(found) => all.extend(found.map(|lineage| Beginning {
                epoch: lineage.epoch,
                token: lineage.token,
            })),
            Err(error) => {
                log::debug!("{error:?}");
                voice.say(&format!(
                    "保管先「{}」を開けません。つないだあとで系統が合わないと言われたら、\
                     `hokatsu restore take-over` を使います。",
                    repository.name
                ));
            }
        }
    }
    all
}

/// Opens the staged database (an older one is migrated here), ends sessions, and applies again what
/// the former state protected.
fn protect(
    journal: &Journal,
    places: &Places,
    known: &[Beginning],
    operator: &Operator,
    voice: &Voice,
) -> Result<Applied, Report> {
    let clock = Clock::system();
    let former = former(places);
    let later = former
        .as_ref()
        .map(|former| restores::gather(former, clock.today()));
    let later: Option<Later> = match later {
        Some(Ok(later)) => Some(later),
        Some(Err(error)) => {
            log::warn!("the former state cannot be read: {error}");
            None
        }
        None => None,
    };
    let end = former.as_ref().and_then(|former| former.audit_end().ok());
    let told = Told {
        kind: journal.what.code(),
        source: journal.source.clone(),
        taken_at: journal.taken_at.clone(),
        former: end.map(|(entries, head, _)| (entries, head)),
        kept: name_of(&journal.kept),
        token: journal.token.clone(),
        known: known.to_vec(),
    };
    drop(former);
    let db = Db::open(&places.staging(), clock).map_err(StoreError::report)?;
    let actor = operator::actor(RESTORE, operator);
    let applied = restores::apply(&db, &actor, later.as_ref(), &told);
    let applied = applied.map_err(StoreError::report)?;
    db.close().map_err(StoreError::report)?;
    remove_if_there(&places.scratch())?;
    say(&applied, voice);
    Ok(applied)
}

/// The present state as it is, for what every version has: counts.
pub(super) fn glance(places: &Places) -> Option<Former> {
    let database = places.data.database();
    database.exists().then(|| Former::look(&database))?.ok()
}

/// The present state, if there is one and it opens.
fn former(places: &Places) -> Option<Former> {
    let database = places.data.database();
    if !database.exists() {
        return None;
    }
    Former::open(&database, &places.scratch())
        .inspect_err(|error| log::warn!("the former state does not open: {error}"))
        .ok()
}

fn say(applied: &Applied, voice: &Voice) {
    if !applied.readable {
        voice.say(
            "戻す前の記録を（すべては）読めませんでした。後から決めた支援措置・除外・退職・端末の使用停止などを、\
             システム管理者が画面の「復元の記録」で1つずつ確かめてください。",
        );
    }
    for one in &applied.counts {
        let left = if one.left_over > 0 {
            format!(
                "、人が確かめるもの {}件（{}）",
                one.left_over, one.kind.look_at
            )
        } else {
            String::new()
        };
        voice.say(&format!(
            "再適用: {} {}件{left}",
            one.kind.label, one.applied
        ));
    }
}

fn sync(path: &Path) -> Result<(), Report> {
    let opened = fs::File::open(path).map_err(|e| unusable(path, e))?;
    rustix::fs::syncfs(&opened).map_err(|e| unusable(path, std::io::Error::from(e)))
}

/// As far as the journal tells it.
pub(super) fn told(journal: &Journal, places: &Places, used: bool) -> Done {
    Done {
        restored: journal.source.clone(),
        taken_at: journal.taken_at.clone(),
        data: places.data.path().display().to_string(),
        kept: if used {
            journal.kept.display().to_string()
        } else {
            String::new()
        },
        epoch: journal.epoch,
        former_readable: None,
        applied_again: None,
        flawed: journal.flawed,
    }
}

fn done(journal: &Journal, places: &Places, used: bool, applied: &Applied) -> Done {
    Done {
        former_readable: Some(applied.readable),
        applied_again: applied
            .counts
            .iter()
            .map(|one| Again {
                kind: one.kind.code,
                applied: one.applied,
                left_over: one.left_over,
            })
            .collect::<Vec<_>>()
            .into(),
        ..told(journal, places, used)
    }
}
