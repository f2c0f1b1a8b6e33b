//! `hokatsu`: parses what was typed, calls the crate the verb names, says how it went.
//!
//! Invariant: decides nothing. People read stderr (Japanese), machines read stdout (`--json`: one
//! object); exit codes are 0 done, 1 does not hold, 2 wrong usage, 3 the world is in the way,
//! 130 cut short.

mod arguments;
mod logging;
mod operator;
mod output;
mod progress;
mod site;
#[cfg(test)]
mod tests;
mod verbs;

use std::process::ExitCode;

use base::settings::Environment;
use clap::Parser as _;

use crate::arguments::Arguments;
use crate::output::Voice;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(asked) => return output::usage(&asked),
    };
    let environment = Environment::read();
    let voice = Voice::new(arguments.json, arguments.quiet);
    logging::start(&environment, &arguments);
    logging::hide_threads_that_end_unheard();
    match verbs::run(&arguments, &environment, &voice) {
        Ok(code) => code,
        Err(report) => {
            voice.report(&report);
            ExitCode::from(report.exit_code())
        }
    }
}
