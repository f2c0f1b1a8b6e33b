//! `restore`: plan, show, perform, prove; beside the live data (`--to`) or in its place.
//!
//! Shape: [`choose`] which snapshot, [`plan`] what it means, [`in_place`] brings it back beside the data
//! directory, proves it, applies again what protects somebody, and swaps ([`swap`]); [`journal`] knows
//! how far that came. [`undo`], [`list`] and [`take_over`] look after what is kept and who goes on.
//! Invariant: at every moment either the former or the new state lies whole under the directory's name.
//! Source: docs/decisions/0033-restore-in-place.md.

mod beside;
mod choose;
pub(crate) mod facts;
mod finish;
mod in_place;
mod journal;
mod list;
pub(crate) mod owner;
mod plan;
mod prove;
mod states;
mod swap;
mod take_over;
mod turn;
mod undo;
mod unlock;

use std::process::ExitCode;

use backup::RepositorySettings;
use base::report::Report;
use base::settings::DiskSettings;
use store::{DataDir, Operator};

use crate::arguments::{RestoreArguments, RestoreVerb};
use crate::output::Voice;

pub(crate) use journal::refuse_unfinished;
pub(crate) use unlock::unlock;

pub(crate) fn run(
    asked: &RestoreArguments,
    repositories: &[RepositorySettings],
    dir: &DataDir,
    operator: impl FnOnce() -> Result<Operator, Report>,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    match &asked.what {
        Some(RestoreVerb::List) => list::run(repositories, dir, voice),
        Some(RestoreVerb::TakeOver { yes }) => {
            take_over::run(*yes, repositories, dir, &operator()?, voice)
        }
        // It needs neither a repository nor a data directory: `verbs::run` goes to it directly.
        Some(RestoreVerb::Unlock(asked)) => unlock(asked, &DiskSettings::default(), voice),
        Some(RestoreVerb::Undo(asked)) => {
            let operator = (!asked.dry_run).then(operator).transpose()?;
            undo::run(asked, repositories, dir, operator, voice)
        }
        None => {
            let operator = (!asked.dry_run).then(operator).transpose()?;
            match &asked.to {
                Some(to) => beside::run((asked, to), repositories, (dir, operator), voice),
                None => in_place::run(asked, repositories, (dir, operator), voice),
            }
        }
    }
}
