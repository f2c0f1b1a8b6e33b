//! `bench`: runs the bench room beside the real `hokatsu`, both built as they ship.

use std::path::Path;
use std::time::Duration;

use crate::need::Need;
use crate::runner::Spec;
use crate::{Problem, Verdict, rivals, runner, say, setup, workspace};

const PACKAGE: &str = "bench";
/// The figure that is measured beside other tools.
const RIVALS_OF: &str = "backup";
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
    if !arguments.json {
        setup::meet(&[Need::Compiler]);
    }
    if arguments
        .name
        .as_deref()
        .is_none_or(|name| name == RIVALS_OF)
    {
        rivals::meet(&workspace::target()?);
    }
    // The room measures the binary itself, and would wonder about an old one no less than about none.
    let room = workspace::target()?.join("release").join(PACKAGE);
    let holds =
        step(&build(), arguments.json)? && step(&command(&room, arguments), arguments.json)?;
    Ok(if holds {
        Verdict::Holds
    } else {
        Verdict::DoesNotHold
    })
}

/// One child; with `json`, stdout belongs to the machine that reads it: no heading, no command line.
fn step(spec: &Spec, json: bool) -> Result<bool, Problem> {
    if !json {
        return Ok(runner::show(spec, &workspace::root())?.success);
    }
    let ended = runner::capture(spec, &workspace::root())?;
    for (text, channel) in [
        (ended.errors, say::Channel::Errors),
        (ended.output, say::Channel::Output),
    ] {
        if !text.trim().is_empty() {
            say::passed_on(text.trim_end(), channel);
        }
    }
    Ok(ended.success)
}

/// Both at once: one after the other Cargo would choose other features for each and compile twice.
fn build() -> Spec {
    let words = [
        "build",
        "--quiet",
        "--release",
        "--package",
        PACKAGE,
        "--package",
        "cli",
    ];
    Spec::new("cargo", &words, LIMIT)
}

fn command(room: &Path, arguments: &Arguments) -> Spec {
    let mut spec = Spec::new(&room.to_string_lossy(), &[], LIMIT);
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
        let room = Path::new("/target/release/bench");
        assert_eq!(
            command(room, &arguments).line(),
            "/target/release/bench find --json"
        );
    }

    #[test]
    fn the_product_is_built_before_it_is_measured() {
        assert_eq!(
            build().line(),
            "cargo build --quiet --release --package bench --package cli"
        );
    }
}
