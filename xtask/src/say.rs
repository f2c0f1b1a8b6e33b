//! The one way out for text: people read it as it comes, CI keeps it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's tool talks on the terminal; only this module does"
)]

use std::error::Error;

/// One line for people, and for whoever reads the last line of a run.
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// The start of a part of a run, easy to find when scrolling back.
pub(crate) fn heading(text: &str) {
    println!("\n── {text}");
}

/// A child's line, passed on where the child meant it to go.
pub(crate) fn passed_on(text: &str, to: Channel) {
    match to {
        Channel::Output => println!("{text}"),
        Channel::Errors => eprintln!("{text}"),
    }
}

/// The two channels of a child.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Channel {
    Output,
    Errors,
}

/// An error with the chain of its causes, one per line.
pub(crate) fn problem(problem: &dyn Error) {
    eprintln!("xtask: {problem}");
    let mut cause = problem.source();
    while let Some(below) = cause {
        eprintln!("  because: {below}");
        cause = below.source();
    }
}
