//! `bench`: runs the bench room, built as it ships.

use std::time::Duration;

use crate::need::Need;
use crate::runner::Spec;
use crate::{Problem, Verdict, runner, say, setup, workspace};

const PACKAGE: &str = "bench";
const LIMIT: Duration = Duration::from_secs(3 * 60 * 60);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Measure this alone; without it, everything.
    name: Option<String>,
    /// One JSON object on stdout and nothing else.
    #[arg(long)]
    json: bool,
}

/// `cargo xtask bench`.
pub(crate) fn run(arguments: &Arguments) -> Result<Verdict, Problem> {
    if !workspace::packages()?.contains(PACKAGE) {
        return Err(Problem::NoBench);
    }
    let spec = command(arguments);
    let ended = if arguments.json {
        // stdout belongs to the machine that reads it: no heading, no command line.
        let ended = runner::capture(&spec, &workspace::root())?;
        say::passed_on(ended.errors.trim_end(), say::Channel::Errors);
        say::line(ended.output.trim_end());
        ended
    } else {
        setup::meet(&[Need::Compiler]);
        runner::show(&spec, &workspace::root())?
    };
    Ok(if ended.success {
        Verdict::Holds
    } else {
        Verdict::DoesNotHold
    })
}

fn command(arguments: &Arguments) -> Spec {
    let words = ["run", "--quiet", "--release", "--package", PACKAGE, "--"];
    let mut spec = Spec::new("cargo", &words, LIMIT);
    spec.arguments.extend(arguments.name.clone());
    spec.arguments
        .extend(arguments.json.then(|| "--json".to_owned()));
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_and_form_are_handed_to_the_bench_room() {
        let arguments = Arguments {
            name: Some("find".to_owned()),
            json: true,
        };
        assert_eq!(
            command(&arguments).line(),
            "cargo run --quiet --release --package bench -- find --json"
        );
    }
}
