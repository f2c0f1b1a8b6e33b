//! `image`: runs the image room, with what it needs installed.

use std::time::Duration;

use crate::need::Need;
use crate::runner::{self, Spec};
use crate::{Problem, Verdict, setup, workspace};

const LIMIT: Duration = Duration::from_secs(3 * 60 * 60);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What the room is asked: build, lock, reproduce, boot, and their options.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// `cargo xtask image`.
pub(crate) fn run(arguments: &Arguments) -> Result<Verdict, Problem> {
    setup::meet(&[Need::ImageTools]);
    // The room says itself what is wrong; a path that was typed is meant from where it was typed.
    let here = std::env::current_dir().unwrap_or_else(|_gone| workspace::root());
    let ended = runner::show(&command(arguments), &here)?;
    Ok(if ended.success {
        Verdict::Holds
    } else {
        Verdict::DoesNotHold
    })
}

fn command(arguments: &Arguments) -> Spec {
    let mut spec = Spec::new(
        "cargo",
        &["run", "--quiet", "--package", "appliance", "--"],
        LIMIT,
    );
    spec.arguments.extend(arguments.words.clone());
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_options_are_handed_to_the_room() {
        let words = ["build", "--binary", "hokatsu"].map(str::to_owned).to_vec();
        assert_eq!(
            command(&Arguments { words }).line(),
            "cargo run --quiet --package appliance -- build --binary hokatsu"
        );
    }
}
