//! The only place that starts programs. `timeout` of coreutils keeps the time, as in `xtask`.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::problem::{Problem, at};

/// Between the request to end and the kill.
const GRACE_SECONDS: u32 = 30;
/// What `timeout` answers when the time is over, and when it had to kill.
const TIMED_OUT: [i32; 2] = [124, 137];
/// Lines of a failed program that are worth showing.
const TAIL_LINES: usize = 25;

/// A program to start.
#[derive(Debug, Clone)]
pub struct Spec {
    words: Vec<String>,
    dir: Option<PathBuf>,
    variables: Vec<(&'static str, String)>,
    limit: Duration,
}

/// How it ended, and what it wrote.
#[derive(Debug)]
pub struct Ended {
    /// It ended with 0.
    pub success: bool,
    /// What it ended with; nothing when a signal ended it.
    pub code: Option<i32>,
    /// Its standard output; empty when that went to a log.
    pub output: String,
    /// Its errors; the whole log when there is one.
    pub errors: String,
}

/// Why a program did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ChildError {
    /// It could not be started.
    #[error("'{line}' could not be started; is it installed?")]
    NotStarted {
        /// As a person would type it.
        line: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// It took too long.
    #[error("'{line}' was ended after {seconds} s")]
    TimedOut {
        /// As a person would type it.
        line: String,
        /// The limit.
        seconds: u64,
    },
}

impl Spec {
    /// `words` is the program and its arguments.
    #[must_use]
    pub fn new(words: Vec<String>, limit: Duration) -> Self {
        Self {
            words,
            dir: None,
            variables: Vec::new(),
            limit,
        }
    }

    /// From words that are known when this is compiled, and some that are not.
    #[must_use]
    pub fn of(words: &[&str], limit: Duration) -> Self {
        Self::new(words.iter().map(ToString::to_string).collect(), limit)
    }

    /// Where it runs.
    #[must_use]
    pub fn inside(mut self, dir: impl Into<PathBuf>) -> Self {
        self.dir = Some(dir.into());
        self
    }

    /// One more variable in its environment.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    fn line(&self) -> String {
        self.words.join(" ")
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "base::command cuts output short and ends children with us; here a log is kept, and a machine runs on"
    )]
    fn command(&self, limited: bool) -> Command {
        let mut command = if limited {
            let mut command = Command::new("timeout");
            command
                .arg("--foreground")
                .arg(format!("--kill-after={GRACE_SECONDS}"))
                .arg(self.limit.as_secs().to_string())
                .args(&self.words);
            command
        } else {
            let mut words = self.words.iter();
            let mut command = Command::new(words.next().map_or("", String::as_str));
            command.args(words);
            command
        };
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        let variables = self.variables.iter().map(|(name, value)| (name, value));
        command.envs(variables).stdin(Stdio::null());
        command
    }

    /// Runs it to its end and keeps what it says.
    ///
    /// # Errors
    /// [`ChildError`] when there is no end; another code than 0 is the caller's to judge.
    pub fn capture(&self) -> Result<Ended, ChildError> {
        let ended = self
            .command(true)
            .output()
            .map_err(|cause| self.not_started(cause))?;
        self.in_time(ended.status.code())?;
        Ok(Ended {
            success: ended.status.success(),
            code: ended.status.code(),
            output: String::from_utf8_lossy(&ended.stdout).into_owned(),
            errors: String::from_utf8_lossy(&ended.stderr).into_owned(),
        })
    }

    /// The same, where anything but 0 is a failure of `what`; gives its output.
    ///
    /// # Errors
    /// [`Problem::Failed`] with the end of what it said, or a [`ChildError`].
    pub fn must(&self, what: &'static str) -> Result<String, Problem> {
        let ended = self.capture()?;
        if !ended.success {
            let tail = tail(&format!("{}\n{}", ended.output, ended.errors));
            return Err(Problem::Failed { what, tail });
        }
        Ok(ended.output)
    }

    /// The same for what talks for minutes: both streams go to `log`.
    ///
    /// # Errors
    /// As [`Spec::must`], and [`Problem::File`] for the log.
    pub fn must_logged(&self, what: &'static str, log: &PathBuf) -> Result<(), Problem> {
        let file = File::create(log).map_err(at(log, "write"))?;
        let errors = file.try_clone().map_err(at(log, "write"))?;
        let status = self
            .command(true)
            .stdout(file)
            .stderr(errors)
            .status()
            .map_err(|cause| self.not_started(cause))?;
        self.in_time(status.code())?;
        if !status.success() {
            let said = std::fs::read(log).map_err(at(log, "read"))?;
            let tail = tail(&String::from_utf8_lossy(&said));
            return Err(Problem::Failed { what, tail });
        }
        Ok(())
    }

    /// Starts it and lets it run; its output is the caller's to read, its errors go to `log`.
    ///
    /// # Errors
    /// [`ChildError`] when it cannot be started, [`Problem::File`] for the log.
    pub fn start(&self, log: &PathBuf) -> Result<Child, Problem> {
        let errors = File::create(log).map_err(at(log, "write"))?;
        let child = self
            .command(false)
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|cause| self.not_started(cause))?;
        Ok(child)
    }

    fn not_started(&self, cause: io::Error) -> ChildError {
        ChildError::NotStarted {
            line: self.line(),
            cause,
        }
    }

    fn in_time(&self, code: Option<i32>) -> Result<(), ChildError> {
        if code.is_some_and(|code| TIMED_OUT.contains(&code)) {
            return Err(ChildError::TimedOut {
                line: self.line(),
                seconds: self.limit.as_secs(),
            });
        }
        Ok(())
    }
}

/// The last lines of a text.
#[must_use]
pub fn tail(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_told_with_its_last_words() {
        let spec = Spec::of(
            &["sh", "-c", "echo nothing will do; exit 3"],
            Duration::from_secs(10),
        );
        let error = spec.must("the trial").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the trial failed; the last lines:\nnothing will do"
        );
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let spec = Spec::of(
            &["sh", "-c", "read line <> /dev/fd/1"],
            Duration::from_secs(1),
        );
        assert!(matches!(
            spec.capture(),
            Err(ChildError::TimedOut { seconds: 1, .. })
        ));
    }
}
