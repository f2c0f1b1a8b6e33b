//! Tests wait for an event, never for a while, and none is switched off.

use crate::rust::{code_of, test_lines};
use crate::{Finding, Tree};

const FORBIDDEN: [(&str, &str); 3] = [
    (
        "sleep(",
        "a test that sleeps is slow and still fails at random; wait for the event itself",
    ),
    (
        "#[ignore",
        "a test that does not run proves nothing; repair it or remove it",
    ),
    (
        "#[should_panic",
        "assert the error instead; a panic may come from anywhere",
    ),
];

pub(crate) fn tests_neither_wait_nor_hide(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    // This crate holds the forbidden words as its examples.
    for file in tree
        .of_kind("rs")
        .filter(|file| !file.path.starts_with("tests/tidy/"))
    {
        for (number, line) in test_lines(file) {
            for (word, message) in FORBIDDEN {
                if code_of(line).contains(word) {
                    findings.push(Finding::at(&file.path, number, message));
                }
            }
        }
    }
    findings.extend(browser_tests_that_wait(tree));
    findings
}

fn browser_tests_that_wait(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree
        .files()
        .iter()
        .filter(|file| file.is("mjs") || file.is("js"))
    {
        for (number, line) in file.lines() {
            if line.contains("waitForTimeout") {
                let message = "wait for what the page shows, not for a while";
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    #[test]
    fn sleeping_is_found_in_tests_and_allowed_elsewhere() {
        let code = "fn a() { sleep(1) }\n#[cfg(test)]\nmod tests {\n    thread::sleep(ONE);\n}\n";
        assert_eq!(
            said(tests_neither_wait_nor_hide, &[("app/base/src/a.rs", code)]),
            [
                "app/base/src/a.rs:4: a test that sleeps is slow and still fails at random; \
                 wait for the event itself"
            ]
        );
    }

    #[test]
    fn a_test_that_is_switched_off_is_found() {
        assert_eq!(
            said(
                tests_neither_wait_nor_hide,
                &[("tests/access/a.rs", "#[ignore]\nfn a() {}\n")]
            ),
            [
                "tests/access/a.rs:1: a test that does not run proves nothing; \
                 repair it or remove it"
            ]
        );
    }

    #[test]
    fn an_expected_panic_is_found() {
        assert_eq!(
            said(
                tests_neither_wait_nor_hide,
                &[("app/a/tests.rs", "#[should_panic]\n")]
            ),
            ["app/a/tests.rs:1: assert the error instead; a panic may come from anywhere"]
        );
    }

    #[test]
    fn a_browser_test_that_waits_for_a_while_is_found() {
        assert_eq!(
            said(
                tests_neither_wait_nor_hide,
                &[("tests/journeys/a.mjs", "await page.waitForTimeout(9);\n")]
            ),
            ["tests/journeys/a.mjs:1: wait for what the page shows, not for a while"]
        );
    }
}
