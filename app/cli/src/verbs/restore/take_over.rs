//! `restore take-over`: this machine counts, and goes on in repositories that another one went on with.

use std::process::ExitCode;

use backup::{Lineage, RepositorySettings};
use base::clock::Clock;
use base::report::{Kind, Report};
use serde::Serialize;
use server::features::restores::{self, draw_token};
use store::{DataDir, Db, Operator, StoreError};

use crate::operator;
use crate::output::Voice;
use crate::verbs::restore::finish::known;

#[derive(Serialize)]
struct TakenOver {
    epoch: i64,
    repositories: Vec<String>,
}

pub(super) fn run(
    yes: bool,
    repositories: &[RepositorySettings],
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let known = known(repositories, voice);
    let newest = known.iter().map(|one| one.epoch).max().unwrap_or(0);
    voice.say(&format!(
        "つながっている保管先の続きを、この装置（{}）が引き継ぎます（今の系統 {newest}）。\
         ほかの装置は、これらの保管先に控えを加えられなくなります。\
         いちばん新しい記録を持つ装置で行ってください。",
        dir.path().display()
    ));
    voice.confirm("この装置を正としますか。", yes)?;
    let token = draw_token().ok_or_else(|| Report::bare(Kind::Fault))?;
    let db = Db::open_beside(dir, Clock::system()).map_err(StoreError::report)?;
    let actor = operator::actor("コマンド restore take-over", operator);
    let beginning = restores::take_over(&db, &actor, &known, &token);
    let beginning = beginning.map_err(StoreError::report)?;
    db.close().map_err(StoreError::report)?;
    let lineage = Lineage {
        epoch: beginning.epoch,
        token: beginning.token,
    };
    let mut taken = Vec::new();
    for repository in repositories {
        match backup::mark_lineage(repository, &lineage) {
            Ok(()) => taken.push(repository.name.clone()),
            Err(error) => voice.report(&Report::from(error)),
        }
    }
    voice.say(&format!(
        "引き継ぎました。新しい系統は {} です。",
        lineage.epoch
    ));
    voice.result(&TakenOver {
        epoch: lineage.epoch,
        repositories: taken,
    })?;
    Ok(ExitCode::SUCCESS)
}
