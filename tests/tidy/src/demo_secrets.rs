//! Passwords of the invented town stay in `app/demo`, so that no other room can come to rely on
//! them, and no appliance can carry them by accident.

use crate::rust::{code_of, is_test_file};
use crate::{Finding, Tree};

const DEMO: &str = "app/demo/";
/// Shorter values are words that occur anywhere.
const VALUE_CHARACTERS_MIN: usize = 8;

pub(crate) fn stay_in_demo(tree: &Tree) -> Vec<Finding> {
    let demo = tree
        .of_kind("rs")
        .filter(|file| file.path.starts_with(DEMO));
    let known: Vec<&str> = demo
        .flat_map(|file| file.text.lines().filter_map(password_constant))
        .filter(|value| value.chars().count() >= VALUE_CHARACTERS_MIN)
        .collect();
    let mut findings = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| !file.path.starts_with(DEMO))
    {
        let shipped = file.is("rs") && !is_test_file(file);
        for (number, line) in file.lines() {
            if known.iter().any(|value| line.contains(value)) {
                let message = "a password of the demo town; it lives in app/demo only";
                findings.push(Finding::at(&file.path, number, message));
            } else if shipped && password_constant(line).is_some() {
                let message = "a password written into code; only app/demo has such";
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

/// The value of `const …PASSWORD…: &str = "…";`.
fn password_constant(line: &str) -> Option<&str> {
    let (name, value) = code_of(line).trim().split_once("= \"")?;
    let constant = name.contains("const ") && name.contains("PASSWORD");
    constant.then(|| value.trim_end_matches("\";"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    #[test]
    fn a_demo_password_elsewhere_is_found_in_any_kind_of_file() {
        assert_eq!(
            said(
                stay_in_demo,
                &[
                    (
                        "app/demo/src/a.rs",
                        "pub const CLERK_PASSWORD: &str = \"yama-kawa-42\";\n"
                    ),
                    ("README.md", "Sign in with yama-kawa-42.\n"),
                    (
                        "app/server/src/a.rs",
                        "const PASSWORD: &str = \"sesame\";\n"
                    ),
                    (
                        "tests/harness/src/a.rs",
                        "const PASSWORD: &str = \"sesame\";\n"
                    ),
                ]
            ),
            [
                "README.md:1: a password of the demo town; it lives in app/demo only",
                "app/server/src/a.rs:1: a password written into code; only app/demo has such",
            ]
        );
    }
}
