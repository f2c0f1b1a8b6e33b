//! `cargo xtask …`: what only builds, installs, tests or measures. Nothing here is shipped.
//!
//! Shape: a verb (`setup`, `test`, `tidy`, `bench`, `image`) is a module; every child process goes through
//! [`runner`], every question about the machine through [`machine`] and [`environment`].
//! Exit code: 0 holds, 1 does not hold, 2 wrong usage, 3 the world is in the way.

mod bench;
mod count;
mod environment;
mod house;
mod image;
mod machine;
mod need;
mod rivals;
mod runner;
mod say;
mod setup;
mod suites;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, installs, tests and measures hokatsu.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install what the suites need on this machine; only what is missing.
    Setup,
    /// Run the suites; without --only, all of them.
    Test(test::Arguments),
    /// Check the rules of the house, or list our longest files and functions.
    Tidy(house::Arguments),
    /// Measure against ceilings found in the same run.
    Bench(bench::Arguments),
    /// Build, pin, compare and start the appliance image.
    Image(image::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().verb {
        Verb::Setup => setup::everything(),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Tidy(arguments) => house::run(arguments),
        Verb::Bench(arguments) => bench::run(&arguments),
        Verb::Image(arguments) => image::run(&arguments),
    };
    match result {
        Ok(Verdict::Holds) => ExitCode::SUCCESS,
        Ok(Verdict::DoesNotHold) => ExitCode::from(1),
        Err(problem) => {
            say::problem(&problem);
            ExitCode::from(problem.exit_code())
        }
    }
}

/// The answer of a verb that ran to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Holds,
    DoesNotHold,
}

/// Why a verb could not run to its end.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("no suite is called '{name}'; there are: {known}")]
    UnknownSuite { name: String, known: String },
    #[error("there is no bench room yet (tests/bench)")]
    NoBench,
    #[error("cannot read the workspace")]
    Workspace(#[from] workspace::WorkspaceError),
    #[error("cannot run a program")]
    Run(#[from] runner::RunError),
    #[error("cannot list the files of the repository")]
    Tidy(#[from] tidy::TreeError),
}

impl Problem {
    fn exit_code(&self) -> u8 {
        match self {
            Problem::UnknownSuite { .. } | Problem::NoBench => 2,
            Problem::Workspace(_) | Problem::Run(_) | Problem::Tidy(_) => 3,
        }
    }
}
