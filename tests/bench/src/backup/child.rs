//! One tool run to its end, with the time it took and the most memory it held.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::memory::peak_of;
use crate::problem::Problem;

/// How often the memory is looked at. The kernel keeps the highest mark, so only what is taken in the
/// last moment before the end can be missed.
const LOOK_EVERY: Duration = Duration::from_millis(5);
const TIME_MAX: Duration = Duration::from_secs(30 * 60);

/// A command line, with the place for what it prints.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) program: PathBuf,
    pub(super) words: Vec<OsString>,
    pub(super) variables: Vec<(&'static str, OsString)>,
    pub(super) inside: PathBuf,
    pub(super) log: PathBuf,
}

/// How it went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ran {
    pub(super) seconds: f64,
    pub(super) peak_memory_bytes: Option<u64>,
}

/// Runs it; what was written before lies on the disk when the clock starts.
pub(super) fn run(line: &Line) -> Result<Ran, Problem> {
    rustix::fs::sync();
    let started = Instant::now();
    let mut child = start(line)?;
    let mut peak_memory_bytes = None;
    loop {
        peak_memory_bytes = peak_of(child.id()).or(peak_memory_bytes);
        if let Some(status) = child.try_wait().map_err(Problem::file(&line.program))? {
            let seconds = started.elapsed().as_secs_f64();
            if status.success() {
                return Ok(Ran {
                    seconds,
                    peak_memory_bytes,
                });
            }
            let (verb, log) = (told(line), line.log.clone());
            return Err(Problem::Ended { verb, status, log });
        }
        if started.elapsed() > TIME_MAX {
            drop(child.kill());
            drop(child.wait());
            let (verb, seconds) = (told(line), TIME_MAX.as_secs());
            return Err(Problem::TooLong { verb, seconds });
        }
        std::thread::park_timeout(LOOK_EVERY);
    }
}

/// Starts it and leaves it running.
#[expect(
    clippy::disallowed_methods,
    reason = "base::command only runs to the end; here memory is watched meanwhile"
)]
pub(super) fn start(line: &Line) -> Result<Child, Problem> {
    let log = File::options().create(true).append(true).open(&line.log);
    let log = log.map_err(Problem::file(&line.log))?;
    let errors = log.try_clone().map_err(Problem::file(&line.log))?;
    Command::new(&line.program)
        .args(&line.words)
        .envs(line.variables.iter().cloned())
        .current_dir(&line.inside)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(Problem::file(&line.program))
}

/// The first line that it prints: its version.
#[expect(
    clippy::disallowed_methods,
    reason = "a tool of the comparison, asked who it is"
)]
pub(super) fn said(line: &Line) -> Result<String, Problem> {
    let output = Command::new(&line.program).args(&line.words).output();
    let output = output.map_err(Problem::file(&line.program))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn told(line: &Line) -> String {
    let program = line.program.file_name().unwrap_or_default();
    let verb = line.words.first().cloned().unwrap_or_default();
    format!("{} {}", program.to_string_lossy(), verb.to_string_lossy())
}

/// What the files of a directory add up to; nothing when it is not there yet.
pub(super) fn bytes_below(place: &Path) -> Result<u64, Problem> {
    let mut sum = 0;
    let mut dirs = vec![place.to_owned()];
    while let Some(dir) = dirs.pop() {
        if !dir.exists() {
            continue;
        }
        for entry in std::fs::read_dir(&dir).map_err(Problem::file(&dir))? {
            let entry = entry.map_err(Problem::file(&dir))?;
            let data = entry.metadata().map_err(Problem::file(&dir))?;
            if data.is_dir() {
                dirs.push(entry.path());
            } else {
                sum += data.len();
            }
        }
    }
    Ok(sum)
}
