//! `import residents`: show the differences, apply, or take back.

use std::path::PathBuf;
use std::process::ExitCode;

use base::clock::Clock;
use base::report::Report;
use serde::Serialize;
use server::features::imports::{self, EncodingChoice, ImportError, ImportOptions, Plan, Progress};
use store::{Actor, DataDir, Db, Operator, StoreError};

use crate::arguments::{EncodingArgument, ResidentsArguments};
use crate::operator;
use crate::output::Voice;
use crate::progress::Bar;

/// Exit code when rows had to be left out.
const SOME_REJECTED: u8 = 1;

pub(crate) fn run(
    asked: &ResidentsArguments,
    dir: &DataDir,
    operator: Option<&Operator>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let db = Db::open(dir, Clock::system()).map_err(StoreError::report)?;
    let options = ImportOptions {
        encoding: match asked.encoding {
            EncodingArgument::Auto => EncodingChoice::Auto,
            EncodingArgument::Cp932 => EncodingChoice::Cp932,
            EncodingArgument::Utf8 => EncodingChoice::Utf8,
        },
        mapping: asked.mapping.clone(),
        today: db.clock().today(),
        reject_dir: asked.rejects.clone().unwrap_or_else(|| PathBuf::from(".")),
    };
    let plan = planned(&db, &asked.files, &options, voice)?;
    let rejected = plan.rejected();
    voice.result(&plan.summary())?;
    if let Some(operator) = operator {
        voice.confirm("この内容を取り込みますか。", asked.yes)?;
        applied(
            &db,
            &operator::actor("コマンド import", operator),
            plan,
            voice,
        )?;
    }
    db.close().map_err(StoreError::report)?;
    Ok(if rejected == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(SOME_REJECTED)
    })
}

/// Reads the files and says what they would change.
pub(crate) fn planned(
    db: &Db,
    files: &[PathBuf],
    options: &ImportOptions,
    voice: &Voice,
) -> Result<Plan, Report> {
    let mut bar = Bar::new(voice);
    let mut show = |p: Progress| bar.at(&p.step, p.done, p.total);
    let plan = imports::plan(db, files, options, &mut show).map_err(ImportError::report)?;
    bar.done();
    for line in plan.lines() {
        voice.say(&line);
    }
    Ok(plan)
}

/// Applies a plan: all of it or nothing.
pub(crate) fn applied(db: &Db, actor: &Actor, plan: Plan, voice: &Voice) -> Result<(), Report> {
    let mut bar = Bar::new(voice);
    let mut show = |p: Progress| bar.at(&p.step, p.done, p.total);
    imports::apply(db, actor, plan, &mut show).map_err(ImportError::report)?;
    bar.done();
    voice.say("取り込みました。取り消すときは `hokatsu import undo` を実行します。");
    Ok(())
}

#[derive(Serialize)]
struct Undone {
    undone: bool,
}

pub(crate) fn undo(
    yes: bool,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let db = Db::open(dir, Clock::system()).map_err(StoreError::report)?;
    voice.confirm("最後の取込みを取り消し、その前の状態に戻しますか。", yes)?;
    let actor = operator::actor("コマンド import undo", operator);
    imports::undo(&db, &actor).map_err(ImportError::report)?;
    voice.say("取り消しました。");
    voice.result(&Undone { undone: true })?;
    db.close().map_err(StoreError::report)?;
    Ok(ExitCode::SUCCESS)
}
