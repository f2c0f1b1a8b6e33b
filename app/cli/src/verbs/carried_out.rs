//! `carried-out`: the register without the browser, by the rules of its page. The backup room calls
//! it when a disk leaves the house.

use std::process::ExitCode;

use base::clock::Clock;
use base::report::{Kind, Report};
use serde::Serialize;
use server::features::carried_out::{Console, register};
use server::web::{Fields, Problem};
use store::{DataDir, Db, Operator, StoreError};

use crate::arguments::AddCarriedOutArguments;
use crate::operator;
use crate::output::Voice;

#[derive(Serialize)]
struct Registered {
    number: i64,
}

pub(crate) fn add(
    asked: &AddCarriedOutArguments,
    dir: &DataDir,
    operator: &Operator,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let fields = typed(asked, &operator.name).ok_or_else(|| Report::bare(Kind::Fault))?;
    let db = Db::open_beside(dir, Clock::system()).map_err(StoreError::report)?;
    let actor = operator::actor("コマンド carried-out add", operator);
    // One run is one entry; nothing sends a command line twice by itself.
    let submission = format!("command {:.6}", db.clock().now());
    let console = Console {
        db: &db,
        actor: &actor,
        operator: &operator.name,
        submission: &submission,
    };
    let id = match register(console, &fields).map_err(Problem::report)? {
        Ok(id) => id,
        Err(problems) => {
            for problem in problems {
                voice.say(&format!("{}: {}", problem.field, problem.text));
            }
            voice.say("台帳には何も載せていません。");
            return Err(Report::bare(Kind::Usage));
        }
    };
    db.close().map_err(StoreError::report)?;
    voice.say(&format!("持出し台帳に番号 {id} で載せました。"));
    voice.result(&Registered { number: id.0 })?;
    Ok(ExitCode::SUCCESS)
}

/// Arguments as the page's form sends them.
fn typed(asked: &AddCarriedOutArguments, operator: &str) -> Option<Fields> {
    let (encrypted, instead) = match &asked.unlocked {
        Some(instead) => ("no", instead.as_str()),
        None => ("yes", ""),
    };
    let pairs = [
        ("taken_on", asked.taken_on.as_str()),
        ("what", &asked.what),
        ("persons", &asked.persons),
        ("purpose", &asked.purpose),
        ("purpose_note", &asked.purpose_note),
        ("medium", &asked.medium),
        ("medium_note", &asked.medium_note),
        ("destination", &asked.destination),
        (
            "carried_by",
            asked.carried_by.as_deref().unwrap_or(operator),
        ),
        ("encrypted", encrypted),
        ("protection", instead),
        ("due_on", asked.due.as_deref().unwrap_or("")),
        ("stays", if asked.due.is_none() { "1" } else { "" }),
        ("note", &asked.note),
    ];
    Fields::from_pairs(pairs.into_iter())
}
