//! The one way out for text.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's tool talks on the terminal; only this module does"
)]

use std::error::Error;

/// One line for whoever waits.
pub fn line(text: &str) {
    println!("image: {text}");
}

/// An error with the chain of its causes, one per line.
pub fn problem(problem: &dyn Error) {
    eprintln!("image: {problem}");
    let mut cause = problem.source();
    while let Some(below) = cause {
        eprintln!("  because: {below}");
        cause = below.source();
    }
}
