//! Who sits at the console, and why: asked once, before anything is done, for every verb that
//! changes something or reads people's data.

use base::report::{Kind, Report};
use base::settings::Environment;
use store::{Actor, DataDir, Note, Operation, Operator, StoreError};

use crate::arguments::Arguments;
use crate::output::Voice;

/// Longest name, characters.
const NAME_CHARS_MAX: usize = 100;
/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 200;

/// The name and the reason: as given, of the environment, or asked for on a terminal.
pub(crate) fn required(
    arguments: &Arguments,
    environment: &Environment,
    voice: &Voice,
) -> Result<Operator, Report> {
    let (name, reason) = given(arguments, environment);
    let asked = |given: Option<String>, question: &str| match given {
        Some(text) => Ok(text),
        None => voice.ask(question),
    };
    let name = asked(name, "操作する人の氏名: ")?;
    let reason = asked(reason, "操作の理由: ")?;
    checked(&name, &reason, voice)
}

/// As [`required`] for verbs that a timer starts too: nobody named is the system itself.
pub(crate) fn or_timer(
    arguments: &Arguments,
    environment: &Environment,
    voice: &Voice,
) -> Result<Option<Operator>, Report> {
    match given(arguments, environment) {
        (None, None) => Ok(None),
        (name, reason) => {
            let (name, reason) = (name.unwrap_or_default(), reason.unwrap_or_default());
            checked(&name, &reason, voice).map(Some)
        }
    }
}

fn given(arguments: &Arguments, environment: &Environment) -> (Option<String>, Option<String>) {
    let of = |own: &Option<String>, set: &Option<String>| own.clone().or_else(|| set.clone());
    (
        of(&arguments.operator, &environment.operator),
        of(&arguments.reason, &environment.reason),
    )
}

fn checked(name: &str, reason: &str, voice: &Voice) -> Result<Operator, Report> {
    let fits = |text: &str, max: usize| {
        !text.is_empty() && text.chars().count() <= max && !text.chars().any(char::is_control)
    };
    let (name, reason) = (name.trim(), reason.trim());
    if !fits(name, NAME_CHARS_MAX) {
        voice.say("--operator に、操作する人の氏名を100文字までで入力してください。");
        return Err(Report::bare(Kind::Usage));
    }
    if !fits(reason, REASON_CHARS_MAX) {
        voice.say("--reason に、操作の理由を200文字までで入力してください。");
        return Err(Report::bare(Kind::Usage));
    }
    Ok(Operator {
        name: name.to_owned(),
        reason: reason.to_owned(),
    })
}

/// The system, typed for by this person.
pub(crate) fn actor(menu: &'static str, operator: &Operator) -> Actor {
    Actor {
        operator: Some(operator.clone()),
        ..Actor::system(menu)
    }
}

/// Leaves a note of a deed beside a database that somebody else may hold. Without a database there
/// is no access log, and nothing is left.
pub(crate) fn note(
    dir: &DataDir,
    operation: Operation,
    detail: String,
    operator: Option<Operator>,
) -> Result<(), Report> {
    if !dir.database().exists() {
        return Ok(());
    }
    let at = base::clock::Clock::system().now();
    let note = Note::new(at, operation, detail, operator);
    note.leave(dir).map_err(StoreError::report)
}
