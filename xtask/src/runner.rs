//! The only place that starts programs; each has a time limit.
//!
//! `timeout` of coreutils keeps the time: it stays in the terminal's foreground group, so Ctrl-C
//! reaches the child, and it asks (SIGTERM) before it kills, so that nextest can end its tests.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::environment;
use crate::say::{self, Channel};

/// Between the request to end and the kill.
const GRACE_SECONDS: u32 = 30;
/// What `timeout` answers when the time is over, and when it had to kill.
const TIMED_OUT: [i32; 2] = [124, 137];
const NOT_FOUND: i32 = 127;

/// A program to start.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) program: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) variables: Vec<(&'static str, &'static str)>,
    pub(crate) limit: Duration,
}

impl Spec {
    pub(crate) fn new(program: &str, arguments: &[&str], limit: Duration) -> Spec {
        Spec {
            program: program.to_owned(),
            arguments: arguments.iter().map(ToString::to_string).collect(),
            variables: Vec::new(),
            limit,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Spec {
        self.variables.push((name, value));
        self
    }

    /// As a person would type it.
    pub(crate) fn line(&self) -> String {
        let mut words = vec![quoted(&self.program)];
        words.extend(self.arguments.iter().map(|word| quoted(word)));
        words.join(" ")
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:+@,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

/// How a program ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) success: bool,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Why a program could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    #[error("'{line}' could not be started; is coreutils' timeout installed?")]
    NotStarted {
        line: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("'{program}' is not installed")]
    NotFound { program: String },
    #[error("'{line}' was ended after {seconds} s")]
    TimedOut { line: String, seconds: u64 },
    #[error("the end of '{line}' could not be seen")]
    Lost {
        line: String,
        #[source]
        cause: std::io::Error,
    },
}

/// Runs a program quietly.
pub(crate) fn capture(spec: &Spec, directory: &Path) -> Result<Ended, RunError> {
    run(spec, directory, Echo::Quiet)
}

/// Runs a program and passes on every line as it comes.
pub(crate) fn show(spec: &Spec, directory: &Path) -> Result<Ended, RunError> {
    say::line(&format!("$ {}", spec.line()));
    run(spec, directory, Echo::PassOn)
}

#[derive(Clone, Copy)]
enum Echo {
    Quiet,
    PassOn,
}

fn run(spec: &Spec, directory: &Path, echo: Echo) -> Result<Ended, RunError> {
    let mut child = start(spec, directory)?;
    let output = collect(child.stdout.take(), Channel::Output, echo);
    let errors = collect(child.stderr.take(), Channel::Errors, echo);
    let status = wait(&mut child, spec)?;
    let (output, errors) = (text(output), text(errors));
    match status.code() {
        Some(code) if TIMED_OUT.contains(&code) => Err(RunError::TimedOut {
            line: spec.line(),
            seconds: spec.limit.as_secs(),
        }),
        Some(NOT_FOUND) => Err(RunError::NotFound {
            program: spec.program.clone(),
        }),
        _ => Ok(Ended {
            success: status.success(),
            output,
            errors,
        }),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "base::command belongs to the product; here `timeout` keeps the limit"
)]
fn start(spec: &Spec, directory: &Path) -> Result<Child, RunError> {
    let mut command = Command::new("timeout");
    for name in environment::of_our_own_build() {
        command.env_remove(name);
    }
    command
        .arg("--foreground")
        .arg(format!("--kill-after={GRACE_SECONDS}"))
        .arg(spec.limit.as_secs().to_string())
        .arg(&spec.program)
        .args(&spec.arguments)
        .envs(spec.variables.iter().copied())
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|cause| RunError::NotStarted {
            line: spec.line(),
            cause,
        })
}

fn wait(child: &mut Child, spec: &Spec) -> Result<ExitStatus, RunError> {
    child.wait().map_err(|cause| RunError::Lost {
        line: spec.line(),
        cause,
    })
}

type Collector = JoinHandle<String>;

/// Reads a pipe to its end in a thread of its own: a child that fills one pipe while we read the
/// other would wait for ever.
fn collect(
    pipe: Option<impl Read + Send + 'static>,
    channel: Channel,
    echo: Echo,
) -> Option<Collector> {
    let pipe = pipe?;
    Some(thread::spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if matches!(echo, Echo::PassOn) {
                say::passed_on(&line, channel);
            }
            all.push_str(&line);
            all.push('\n');
        }
        all
    }))
}

fn text(collector: Option<Collector>) -> String {
    collector
        .and_then(|thread| thread.join().ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = env!("CARGO_MANIFEST_DIR");

    fn spec(program: &'static str, arguments: &[&str], seconds: u64) -> Spec {
        Spec::new(program, arguments, Duration::from_secs(seconds))
    }

    #[test]
    fn both_channels_and_the_exit_code_are_kept() {
        let ended = capture(
            &spec("sh", &["-c", "echo a; echo b >&2; exit 1"], 10),
            HERE.as_ref(),
        );
        let ended = ended.unwrap();
        assert_eq!(
            (ended.success, ended.output.as_str(), ended.errors.as_str()),
            (false, "a\n", "b\n")
        );
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_and_named() {
        // It waits for a pipe that nobody writes to.
        let stuck = spec("sh", &["-c", "read line <> /dev/fd/1"], 1);
        let error = capture(&stuck, HERE.as_ref()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "'sh -c 'read line <> /dev/fd/1'' was ended after 1 s"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = capture(&spec("hokatsu-no-such-program", &[], 10), HERE.as_ref()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "'hokatsu-no-such-program' is not installed"
        );
    }
}
