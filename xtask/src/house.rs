//! `tidy`: the rules of the house, and the list of our longest files and functions.

use tidy::Tree;

use crate::{Problem, Verdict, say, workspace};

/// Long enough to see a trend, short enough to read.
const LONGEST_SHOWN: usize = 20;

#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Arguments {
    /// List the longest files and functions, as places to look at; nothing fails.
    #[arg(long)]
    largest: bool,
}

/// `cargo xtask tidy`.
pub(crate) fn run(arguments: Arguments) -> Result<Verdict, Problem> {
    let tree = Tree::of_repository(&workspace::root())?;
    if arguments.largest {
        largest(&tree);
        return Ok(Verdict::Holds);
    }
    let findings = tidy::check(&tree);
    for finding in &findings {
        say::line(&finding.to_string());
    }
    say::line(&format!(
        "tidy: {} files, {} findings",
        tree.files().len(),
        findings.len()
    ));
    Ok(if findings.is_empty() {
        Verdict::Holds
    } else {
        Verdict::DoesNotHold
    })
}

fn largest(tree: &Tree) {
    say::heading("longest files (lines)");
    for place in tidy::longest_files(tree).iter().take(LONGEST_SHOWN) {
        say::line(&place.to_string());
    }
    say::heading("longest functions (lines)");
    for place in tidy::longest_functions(tree).iter().take(LONGEST_SHOWN) {
        say::line(&place.to_string());
    }
}
