//! How many tests a child says it ran.

use crate::runner::Ended;

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Count {
    pub(crate) const ONE_PASSED: Count = Count {
        passed: 1,
        failed: 0,
    };
    pub(crate) const ONE_FAILED: Count = Count {
        passed: 0,
        failed: 1,
    };

    pub(crate) fn plus(self, other: Count) -> Count {
        Count {
            passed: self.passed.saturating_add(other.passed),
            failed: self.failed.saturating_add(other.failed),
        }
    }
}

/// The count of a step: its own summary if it printed one, else the step itself is one test.
///
/// A step that failed without a failed test (it did not compile) counts as one failure.
pub(crate) fn of(ended: &Ended) -> Count {
    let lines = || ended.errors.lines().chain(ended.output.lines());
    let found = lines().filter_map(|line| nextest(line).or_else(|| rustdoc(line)));
    let total = found.reduce(Count::plus);
    match (ended.success, total) {
        (true, Some(count)) => count,
        (true, None) => Count::ONE_PASSED,
        (false, Some(count)) if count.failed > 0 => count,
        (false, count) => count.unwrap_or_default().plus(Count::ONE_FAILED),
    }
}

/// `     Summary [   0.005s] 5 tests run: 3 passed (1 slow), 2 failed, 0 skipped`
fn nextest(line: &str) -> Option<Count> {
    let (_, rest) = line
        .trim_start()
        .strip_prefix("Summary [")?
        .split_once("] ")?;
    let (run, outcomes) = rest.split_once(" run: ")?;
    // With fail-fast the first number is `3/5`: run of found.
    let run: u32 = run.split(['/', ' ']).next()?.parse().ok()?;
    let passed = number_before(outcomes, "passed").unwrap_or(0);
    Some(Count {
        passed,
        failed: run.saturating_sub(passed),
    })
}

/// `test result: ok. 3 passed; 0 failed; 0 ignored; …`
fn rustdoc(line: &str) -> Option<Count> {
    let outcomes = line.strip_prefix("test result: ")?;
    Some(Count {
        passed: number_before(outcomes, "passed")?,
        failed: number_before(outcomes, "failed")?,
    })
}

fn number_before(text: &str, word: &str) -> Option<u32> {
    let (before, _) = text.split_once(word)?;
    before.split_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn succeeded(errors: &str) -> Ended {
        Ended {
            success: true,
            output: String::new(),
            errors: errors.to_owned(),
        }
    }

    fn failed(errors: &str) -> Ended {
        Ended {
            success: false,
            ..succeeded(errors)
        }
    }

    #[test]
    fn a_nextest_summary_is_read_with_everything_not_passed_as_failed() {
        let text = "     Summary [   2.005s] 9 tests run: 6 passed (1 slow), 2 failed, \
                    1 timed out, 4 skipped\n";
        assert_eq!(
            of(&failed(text)),
            Count {
                passed: 6,
                failed: 3
            }
        );
    }

    #[test]
    fn a_single_test_is_read_too() {
        let text = "     Summary [   0.005s] 1 test run: 1 passed, 0 skipped\n";
        assert_eq!(
            of(&succeeded(text)),
            Count {
                passed: 1,
                failed: 0
            }
        );
    }

    #[test]
    fn several_doctest_results_are_added() {
        let text = "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured\n\
                    test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured\n";
        assert_eq!(
            of(&succeeded(text)),
            Count {
                passed: 5,
                failed: 0
            }
        );
    }

    #[test]
    fn what_does_not_compile_is_one_failure() {
        assert_eq!(of(&failed("error: could not compile\n")), Count::ONE_FAILED);
    }

    #[test]
    fn a_step_without_a_summary_is_one_test() {
        assert_eq!(of(&succeeded("")), Count::ONE_PASSED);
    }
}
