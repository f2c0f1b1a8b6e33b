//! `factor-keys`: the keys that seal what codes are checked with.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use base::clock::Clock;
use base::report::{Kind, Report, Runbook};
use serde::Serialize;
use server::factor_keys::{FactorKeys, KeyPlace, KeysError};
use server::features::staff::{SealState, reseal, seal_state, take_back_closed};
use server::web::Problem;
use store::{Actor, DataDir, Db, Operator, StoreError};

use crate::operator;
use crate::output::Voice;

#[derive(Serialize)]
struct Checked {
    file: PathBuf,
    keys: Vec<String>,
    sealed: usize,
    closed: usize,
    old: usize,
}

pub(crate) fn check(dir: &DataDir, place: &KeyPlace, voice: &Voice) -> Result<ExitCode, Report> {
    let db = Db::open(dir, Clock::system()).map_err(StoreError::report)?;
    let (keys, wrong) = match FactorKeys::read(&place.path) {
        Ok(keys) => (keys, None),
        Err(error) => (FactorKeys::none(), Some(error)),
    };
    let state = state(&db, &Actor::system("コマンド factor-keys check"), &keys)?;
    let checked = Checked {
        file: place.path.clone(),
        keys: keys.names().into_iter().map(str::to_owned).collect(),
        sealed: state.sealed,
        closed: state.closed,
        old: state.old,
    };
    db.close().map_err(StoreError::report)?;
    voice.result(&checked)?;
    if let Some(error) = wrong {
        return Err(error.report(&place.path));
    }
    if state.closed > 0 {
        voice.say(&format!("登録 {}件のうち {}件", state.sealed, state.closed));
        return Err(closed(place));
    }
    voice.say(&format!(
        "鍵 {} で、登録 {}件をすべて開けられます。",
        checked.keys.join("・"),
        state.sealed
    ));
    if checked.keys.len() > 1 {
        voice.say("前の鍵が残っています。`hokatsu factor-keys rotate` をもう一度行ってください。");
    }
    Ok(ExitCode::SUCCESS)
}

fn state(db: &Db, actor: &Actor, keys: &FactorKeys) -> Result<SealState, Report> {
    let read = db.read(actor, |tx| seal_state(tx, keys));
    read.map_err(StoreError::report)
}

fn closed(place: &KeyPlace) -> Report {
    Report::bare(Kind::CheckFailed)
        .operator(
            "開けられない確認コードがあります。保管してある鍵を戻すか、\
             `hokatsu factor-keys take-back` で取り消してください。ほかの職員は使えています",
            Runbook::FactorKeyMissing,
        )
        .at(&place.path)
}

/// No file counts as no key; a file that cannot be read is not written over.
fn present(place: &KeyPlace) -> Result<FactorKeys, Report> {
    match FactorKeys::read(&place.path) {
        Ok(keys) => Ok(keys),
        Err(KeysError::Absent) => Ok(FactorKeys::none()),
        Err(error) => Err(error.report(&place.path)),
    }
}

#[derive(Serialize)]
struct Rotated {
    file: PathBuf,
    key: String,
    sealed: usize,
}

/// The file holds both keys until everything is sealed anew: cut short anywhere, nothing is lost.
pub(crate) fn rotate(
    (to, yes): (Option<&Path>, bool),
    dir: &DataDir,
    place: &KeyPlace,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let file = match to {
        Some(file) => file,
        None if place.is_credential => {
            voice.say("鍵は systemd が渡しています。--to に、新しい鍵を書く場所が要ります。");
            return Err(Report::bare(Kind::Usage));
        }
        None => &place.path,
    };
    let db = Db::open(dir, Clock::system()).map_err(StoreError::report)?;
    let actor = operator::actor("コマンド factor-keys rotate", operator);
    let keys = present(place)?;
    let state = state(&db, &actor, &keys)?;
    if state.closed > 0 {
        voice.say(&format!("登録 {}件のうち {}件", state.sealed, state.closed));
        return Err(closed(place));
    }
    let question = format!(
        "登録 {}件に新しい鍵で封をし直し、{} に書きます。前の鍵は使えなくなります。よいですか。",
        state.sealed,
        file.display()
    );
    voice.confirm(&question, yes)?;
    let failed = |error: KeysError| error.report(file);
    let both = keys.renewed().map_err(failed)?;
    both.write(file).map_err(failed)?;
    let sealed = reseal(&db, &actor, &both).map_err(Problem::report)?;
    let newest = both.newest();
    newest.write(file).map_err(failed)?;
    db.close().map_err(StoreError::report)?;
    voice.say(&format!("替えました。登録 {sealed}件に封をし直しました。"));
    voice.say("鍵のファイルを印刷し、封をして、バックアップとは別の場所に保管してください。");
    if to.is_some() {
        voice.say("サービスを動かす前に、新しいファイルを今の鍵の場所に置いてください。");
    }
    let key = newest.names().first().copied().unwrap_or_default();
    voice.result(&Rotated {
        file: file.to_owned(),
        key: key.to_owned(),
        sealed,
    })?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Serialize)]
struct TakenBack {
    people: usize,
}

pub(crate) fn take_back(
    yes: bool,
    dir: &DataDir,
    place: &KeyPlace,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let db = Db::open(dir, Clock::system()).map_err(StoreError::report)?;
    let actor = operator::actor("コマンド factor-keys take-back", operator);
    let keys = present(place)?;
    let state = state(&db, &actor, &keys)?;
    if state.closed > 0 {
        let question = format!(
            "登録 {}件のうち、開けられない {}件を取り消します。その人は、次のサインインで\
             登録し直します。セキュリティキーも登録し直しになります。よいですか。",
            state.sealed, state.closed
        );
        voice.confirm(&question, yes)?;
    }
    let people = take_back_closed(&db, &actor, &keys).map_err(Problem::report)?;
    db.close().map_err(StoreError::report)?;
    voice.say(&format!("{people}人の登録を取り消しました。"));
    if people > 0 && keys.is_empty() {
        voice.say("次に `hokatsu factor-keys rotate` で新しい鍵を作ってください。");
    }
    voice.result(&TakenBack { people })?;
    Ok(ExitCode::SUCCESS)
}
