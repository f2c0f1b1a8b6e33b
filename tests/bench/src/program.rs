//! The real `hokatsu`, as a process of its own: run to its end, or serving until it is told to stop.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::memory::peak_of;
use crate::problem::Problem;

/// How often the peak of a running process is read. The kernel keeps the mark, so that only what
/// grows in the last moment before the end can be missed.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The whole city is built and loaded within this.
const TIME_MAX: Duration = Duration::from_secs(30 * 60);
/// A server that was told to stop is gone within this.
const STOP_TIME_MAX: Duration = Duration::from_secs(30);

/// The binary beside this one.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    binary: PathBuf,
    log: PathBuf,
}

/// A process that came to its end.
#[derive(Debug)]
pub(crate) struct Ended<T> {
    pub(crate) said: T,
    pub(crate) took: Duration,
    pub(crate) peak_memory: Option<u64>,
}

/// What `demo` says when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ready {
    pub(crate) url: String,
    pub(crate) ca_file: PathBuf,
    pub(crate) logins: Vec<Login>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Login {
    pub(crate) role: String,
    pub(crate) login: String,
    pub(crate) password: String,
}

/// A demonstration that answers.
#[derive(Debug)]
pub(crate) struct Serving {
    pub(crate) ready: Ready,
    child: Child,
    /// Ends when the process has closed its stdout.
    closed: Receiver<String>,
}

impl Program {
    /// `hokatsu` of the same build; what it writes to stderr in this run goes to `log`.
    pub(crate) fn beside(own: &Path, log: PathBuf) -> Result<Self, Problem> {
        let binary = own.with_file_name("hokatsu");
        if !binary.exists() {
            return Err(Problem::NotBuilt { path: binary });
        }
        File::create(&log).map_err(Problem::file(&log))?;
        Ok(Self { binary, log })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.binary
    }

    /// Runs a verb and reads its JSON object.
    pub(crate) fn run<T: DeserializeOwned>(&self, words: &[&str]) -> Result<Ended<T>, Problem> {
        let verb = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
        let started = Instant::now();
        let mut child = self.start(words)?;
        let output = whole(child.stdout.take());
        let mut peak_memory = None;
        let said = loop {
            match output.recv_timeout(LOOK_EVERY) {
                Ok(said) => break said,
                Err(RecvTimeoutError::Timeout) if started.elapsed() < TIME_MAX => {
                    peak_memory = peak_of(child.id()).or(peak_memory);
                }
                Err(RecvTimeoutError::Timeout) => {
                    kill(&mut child);
                    let seconds = TIME_MAX.as_secs();
                    return Err(Problem::TooLong { verb, seconds });
                }
                Err(RecvTimeoutError::Disconnected) => return Err(Problem::Output(verb)),
            }
        };
        let status = child.wait().map_err(Problem::file(&self.binary))?;
        let took = started.elapsed();
        if !status.success() {
            let log = self.log.clone();
            return Err(Problem::Ended { verb, status, log });
        }
        Ok(Ended {
            said: serde_json::from_str(&said)?,
            took,
            peak_memory,
        })
    }

    /// Starts `demo` in a directory and waits until it answers; builds the city when there is none.
    pub(crate) fn demo(&self, dir: &Path) -> Result<Serving, Problem> {
        let place = dir.display().to_string();
        let words = ["demo", "--size", "city", "--listen", "127.0.0.1:0"];
        let mut child = self.start(&[&words[..], &["--json", "--dir", &place]].concat())?;
        let lines = by_line(child.stdout.take());
        let said = lines.recv_timeout(TIME_MAX);
        let ready = said.map_err(|_closed| Problem::Output("demo".to_owned()));
        match ready.and_then(|line| Ok(serde_json::from_str(&line)?)) {
            Ok(ready) => Ok(Serving {
                ready,
                child,
                closed: lines,
            }),
            Err(problem) => {
                kill(&mut child);
                Err(problem)
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "base::command only runs to the end; here a server stays and its memory is watched"
    )]
    fn start(&self, words: &[&str]) -> Result<Child, Problem> {
        let log = File::options().create(true).append(true).open(&self.log);
        Command::new(&self.binary)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.map_err(Problem::file(&self.log))?)
            .spawn()
            .map_err(Problem::file(&self.binary))
    }
}

impl Serving {
    /// The most memory it held so far, bytes.
    pub(crate) fn peak_memory(&self) -> Option<u64> {
        peak_of(self.child.id())
    }

    /// Asks it to stop and waits for that; what does not stop is killed when this is dropped.
    pub(crate) fn stop(mut self) -> Result<(), Problem> {
        if let Some(process) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let asked = kill_process(process, Signal::TERM);
            asked.map_err(|cause| Problem::file(Path::new("hokatsu"))(cause.into()))?;
        }
        let closed = self.closed.recv_timeout(STOP_TIME_MAX);
        if closed == Err(RecvTimeoutError::Timeout) {
            let (verb, seconds) = ("demo".to_owned(), STOP_TIME_MAX.as_secs());
            return Err(Problem::TooLong { verb, seconds });
        }
        let ended = self.child.wait();
        ended.map(drop).map_err(Problem::file(Path::new("hokatsu")))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// Ends our own child by its handle; one that has ended already stays ended.
fn kill(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

/// All that a process prints, once it has closed the pipe.
fn whole(pipe: Option<ChildStdout>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = pipe.map(|mut pipe| pipe.read_to_string(&mut text));
        if matches!(read, Some(Ok(_))) {
            drop(sender.send(text));
        }
    });
    receiver
}

fn by_line(pipe: Option<ChildStdout>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in pipe
            .into_iter()
            .flat_map(|pipe| BufReader::new(pipe).lines())
        {
            if line.map(|line| sender.send(line)).is_err() {
                break;
            }
        }
    });
    receiver
}
