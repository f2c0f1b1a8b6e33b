//! Runs another program: no shell, a time limit, bounded output, no inherited environment.
//!
//! Invariant: the child leads a process group of its own, and at the limit the whole group is
//! killed by that id. The child is not reaped before, so the id cannot belong to anybody else.
//! What a child prints is handed to the caller and appears in no error: it may hold names.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
};

/// Where programs are looked for; the caller's own `PATH` is not trusted.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Bytes kept of each output stream unless the caller says otherwise.
const OUTPUT_BYTES_MAX: u64 = 1024 * 1024;
/// Behind `setpriv --pdeathsig`, which asks for the signal only when it runs itself: a caller who died
/// before that is told by whose child this is.
const ONLY_OF: &str = r#"[ "$PPID" = "$0" ] || exit 1; exec "$@""#;
/// How long a killed group may take to close its pipes.
const DRAIN: Duration = Duration::from_secs(2);

/// What to run, and how long it may take.
#[derive(Debug, Clone)]
pub struct Spec {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    dir: Option<PathBuf>,
    input: Vec<u8>,
    limit: Duration,
    output_bytes_max: u64,
    ends_with_us: bool,
}

/// What a program that ended by itself left behind.
#[derive(Debug)]
pub struct Output {
    /// How it ended; not zero is the caller's to judge, see [`Output::success`].
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: Captured,
    /// What it wrote to stderr.
    pub stderr: Captured,
}

/// The beginning of what a program wrote.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// The bytes, at most the limit of the [`Spec`].
    pub bytes: Vec<u8>,
    /// Bytes that were read and thrown away behind them.
    pub dropped: u64,
}

/// Why there is no output. Names the program and never its arguments or output.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started.
    #[error("cannot start {}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It ran into its limit and was killed with everything it had started.
    #[error("{} was killed after {} ms", program.display(), limit.as_millis())]
    TimedOut {
        /// The program.
        program: PathBuf,
        /// The limit.
        limit: Duration,
    },
    /// It ended with a code other than 0.
    #[error("{} ended with {status}", program.display())]
    Failed {
        /// The program.
        program: PathBuf,
        /// How it ended.
        status: ExitStatus,
    },
    /// Waiting for it failed.
    #[error("cannot wait for {}", program.display())]
    Wait {
        /// The program.
        program: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl Spec {
    /// Runs `program` (a path, or a name in the system's directories) for `limit` at most.
    #[must_use]
    pub fn new(program: impl AsRef<OsStr>, limit: Duration) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            dir: None,
            input: Vec::new(),
            limit,
            output_bytes_max: OUTPUT_BYTES_MAX,
            ends_with_us: false,
        }
    }

    /// Adds an argument, passed as it is.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments, passed as they are.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable; the child has no others than these, `PATH` and `LC_ALL=C.UTF-8`.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs in `dir` instead of the caller's directory.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_owned());
        self
    }

    /// Hands `input` to the child's stdin, which is otherwise empty.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    /// Keeps at most `bytes` of each output stream; the rest is read and dropped.
    #[must_use]
    pub fn output_bytes_max(mut self, bytes: u64) -> Self {
        self.output_bytes_max = bytes;
        self
    }

    /// The kernel kills the program when the thread that starts it ends, however that ends, also
    /// by SIGKILL. By `setpriv` of util-linux.
    #[must_use]
    pub fn ends_with_us(mut self) -> Self {
        self.ends_with_us = true;
        self
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that starts programs"
    )]
    fn start(&self) -> io::Result<Child> {
        let mut command = if self.ends_with_us {
            let mut command = Command::new("setpriv");
            command
                .args(["--pdeathsig", "KILL", "--", "sh", "-c", ONLY_OF])
                .arg(std::process::id().to_string())
                .arg(&self.program);
            command
        } else {
            Command::new(&self.program)
        };
        command
            .args(&self.args)
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C.UTF-8");
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = &self.dir {
            command.current_dir(dir);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.process_group(0).spawn()
    }

    fn name(&self) -> PathBuf {
        PathBuf::from(&self.program)
    }
}

impl Output {
    /// This output, if the program ended with 0.
    ///
    /// # Errors
    /// [`CommandError::Failed`] naming `spec`'s program otherwise.
    pub fn success(self, spec: &Spec) -> Result<Self, CommandError> {
        if self.status.success() {
            Ok(self)
        } else {
            Err(CommandError::Failed {
                program: spec.name(),
                status: self.status,
            })
        }
    }
}

impl Captured {
    /// The bytes as text, with U+FFFD for what is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl std::fmt::Debug for Captured {
    /// Prints how much there is and not what: a child's output may hold names.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Captured({} bytes, {} dropped)",
            self.bytes.len(),
            self.dropped
        )
    }
}

/// Runs a program to its end.
///
/// # Errors
/// [`CommandError`] when it could not be started or took longer than its limit. A program that
/// ended with an error is an [`Output`]: ask [`Output::success`].
pub fn run(spec: &Spec) -> Result<Output, CommandError> {
    let deadline = Instant::now() + spec.limit;
    let mut child = spec.start().map_err(|source| CommandError::Start {
        program: spec.name(),
        source,
    })?;
    feed(&mut child, spec.input.clone());
    let stdout = child
        .stdout
        .take()
        .map(|pipe| capture(pipe, spec.output_bytes_max));
    let stderr = child
        .stderr
        .take()
        .map(|pipe| capture(pipe, spec.output_bytes_max));
    let group = Group::of(&child);

    // Whoever keeps our pipes open counts as running, also after the child itself has ended.
    let ended = group.ended().recv_timeout(left(deadline)).is_ok();
    let stdout_in_time = ended
        .then(|| received(stdout.as_ref(), left(deadline)))
        .flatten();
    let stderr_in_time = ended
        .then(|| received(stderr.as_ref(), left(deadline)))
        .flatten();
    group.kill();
    let status = child.wait();
    let status = status.map_err(|source| CommandError::Wait {
        program: spec.name(),
        source,
    })?;
    if !ended {
        return Err(CommandError::TimedOut {
            program: spec.name(),
            limit: spec.limit,
        });
    }
    // The group is gone now, so a pipe still open belongs to somebody who left it.
    let late = |pipe: Option<&Receiver<Captured>>| received(pipe, DRAIN).unwrap_or_default();
    Ok(Output {
        status,
        stdout: stdout_in_time.unwrap_or_else(|| late(stdout.as_ref())),
        stderr: stderr_in_time.unwrap_or_else(|| late(stderr.as_ref())),
    })
}

/// A program that runs until it is stopped; killed with everything it started when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    program: PathBuf,
}

/// Starts a program that goes on beside us, within the limit of its [`Spec`] as far as
/// [`Running::line_where`] is asked.
///
/// # Errors
/// [`CommandError::Start`].
pub fn start(spec: &Spec) -> Result<Running, CommandError> {
    let mut child = spec.start().map_err(|source| CommandError::Start {
        program: spec.name(),
        source,
    })?;
    feed(&mut child, spec.input.clone());
    if let Some(pipe) = child.stdout.take() {
        drop(capture(pipe, 0));
    }
    let (tell, lines) = channel();
    if let Some(pipe) = child.stderr.take() {
        // Reads to the end, or the program would stop at a full pipe.
        thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                drop(tell.send(line));
            }
        });
    }
    Ok(Running {
        child,
        lines,
        program: spec.name(),
    })
}

impl Running {
    /// The next line of its errors that `wanted` says yes to; nothing when it ended or took longer.
    pub fn line_where(&self, wanted: impl Fn(&str) -> bool, limit: Duration) -> Option<String> {
        let deadline = Instant::now() + limit;
        loop {
            let line = self.lines.recv_timeout(left(deadline)).ok()?;
            if wanted(&line) {
                return Some(line);
            }
        }
    }

    /// Has it ended? How, [`Running::stop`] says. It is not reaped by this, so its id stays its own.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let asked = Group::of(&self.child)
            .0
            .map(|pid| waitid(WaitId::Pid(pid), options));
        // Somebody whom nobody can ask about is gone.
        asked.is_none_or(|asked| !matches!(asked, Ok(None)))
    }

    /// Asks it to stop (SIGTERM) and waits.
    ///
    /// # Errors
    /// [`CommandError::TimedOut`] when it took longer and was killed.
    pub fn stop(mut self, limit: Duration) -> Result<ExitStatus, CommandError> {
        let group = Group::of(&self.child);
        if let Some(pid) = group.0 {
            // Gone already is as good as asked.
            kill_process(pid, Signal::TERM).unwrap_or(());
        }
        let ended = group.ended().recv_timeout(limit).is_ok();
        group.kill();
        let status = self.child.wait().map_err(|source| CommandError::Wait {
            program: self.program.clone(),
            source,
        })?;
        if ended {
            Ok(status)
        } else {
            Err(CommandError::TimedOut {
                program: self.program.clone(),
                limit,
            })
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After a stop it was waited for, and its id may be somebody else's.
        if matches!(self.child.try_wait(), Ok(None)) {
            Group::of(&self.child).kill();
            drop(self.child.wait());
        }
    }
}

/// The child's process group, which bears the child's id.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(i32::try_from(child.id()).ok().and_then(Pid::from_raw))
    }

    /// Tells when the child has ended, and leaves it to be reaped.
    fn ended(&self) -> Receiver<()> {
        let (tell, told) = channel();
        if let Some(pid) = self.0 {
            thread::spawn(move || {
                let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                while matches!(
                    waitid(WaitId::Pid(pid), options),
                    Err(rustix::io::Errno::INTR)
                ) {}
                tell.send(()).unwrap_or(());
            });
        }
        told
    }

    /// Ends everything in the group; the child is not reaped yet, so the id is still its own.
    fn kill(&self) {
        if let Some(pid) = self.0 {
            // Nobody left in the group is as good as everybody killed.
            kill_process_group(pid, Signal::KILL).unwrap_or(());
        }
    }
}

fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut pipe) = child.stdin.take() {
        // A program need not read its input, so a broken pipe is no failure.
        thread::spawn(move || drop(pipe.write_all(&input)));
    }
}

fn capture(mut pipe: impl Read + Send + 'static, most: u64) -> Receiver<Captured> {
    let (tell, told) = channel();
    thread::spawn(move || {
        let mut captured = Captured::default();
        let kept = pipe.by_ref().take(most).read_to_end(&mut captured.bytes);
        // Reading on keeps the program from stopping at a full pipe.
        captured.dropped = kept
            .and_then(|_| io::copy(&mut pipe, &mut io::sink()))
            .unwrap_or(0);
        drop(tell.send(captured));
    });
    told
}

fn received(pipe: Option<&Receiver<Captured>>, limit: Duration) -> Option<Captured> {
    pipe.and_then(|pipe| pipe.recv_timeout(limit).ok())
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(200);

    fn sh(script: &str, limit: Duration) -> Spec {
        Spec::new("sh", limit).args(["-c", script])
    }

    #[test]
    fn output_and_code_of_a_program_are_handed_back() {
        let spec = sh("cat; echo oops >&2; exit 3", LONG).input("こんにちは");
        let output = run(&spec).unwrap();
        assert_eq!(output.stdout.text(), "こんにちは");
        assert_eq!(output.stderr.text(), "oops\n");
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(
            output.success(&spec).unwrap_err().to_string(),
            "sh ended with exit status: 3"
        );
    }

    #[test]
    fn a_program_over_its_limit_is_killed_with_all_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let script = "sleep 600 & echo $! > pid; wait";
        let error = run(&sh(script, Duration::from_secs(2)).dir(dir.path())).unwrap_err();
        assert!(matches!(error, CommandError::TimedOut { .. }), "{error}");
        let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap();
        let stat = format!("/proc/{}/stat", pid.trim());
        let deadline = Instant::now() + LONG;
        // Gone, or dead and waiting for init to notice; the signal may take a moment to arrive.
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(Instant::now() < deadline, "still alive");
            thread::yield_now();
        }
    }

    #[test]
    fn a_program_that_leaves_a_child_behind_holds_nobody_up() {
        let started = Instant::now();
        let output = run(&sh("sleep 600 & echo done", Duration::from_secs(1))).unwrap();
        assert_eq!(output.stdout.text(), "done\n");
        assert!(started.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn output_over_the_limit_is_dropped_and_counted() {
        let spec = sh("head -c 300000 /dev/zero", LONG).output_bytes_max(10);
        let stdout = run(&spec).unwrap().stdout;
        assert_eq!((stdout.bytes.len(), stdout.dropped), (10, 299_990));
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_that_names_it() {
        let error = run(&Spec::new("no-such-program", SHORT)).unwrap_err();
        assert_eq!(error.to_string(), "cannot start no-such-program");
    }

    #[test]
    fn the_environment_is_not_inherited() {
        let output = run(&sh("env | cut -d= -f1 | sort", LONG).env("GIVEN", "1")).unwrap();
        let text = output.stdout.text();
        let names: Vec<&str> = text
            .lines()
            .filter(|n| !matches!(*n, "PWD" | "_"))
            .collect();
        assert_eq!(
            names,
            ["GIVEN", "LC_ALL", "OLDPWD", "PATH", "SHLVL"]
                .iter()
                .filter(|n| names.contains(n))
                .copied()
                .collect::<Vec<_>>()
        );
        assert!(names.contains(&"GIVEN") && !names.contains(&"HOME"));
    }

    #[test]
    fn arguments_reach_the_program_without_a_shell() {
        let output = run(&Spec::new("printf", LONG).args(["%s", "$(id); *"])).unwrap();
        assert_eq!(output.stdout.text(), "$(id); *");
    }

    #[test]
    fn input_nobody_reads_is_no_failure() {
        let output = run(&Spec::new("true", LONG).input(vec![0; 1_000_000])).unwrap();
        assert!(output.status.success());
    }

    #[test]
    fn a_program_beside_us_is_heard_asked_to_stop_and_waited_for() {
        let script =
            "trap 'exit 7' TERM; echo one >&2; echo ready >&2; while :; do sleep 0.1; done";
        let running = start(&sh(script, LONG)).unwrap();
        let line = running.line_where(|line| line == "ready", LONG);
        assert_eq!(line.as_deref(), Some("ready"));
        assert_eq!(running.stop(LONG).unwrap().code(), Some(7));
    }

    #[test]
    fn a_program_that_ended_by_itself_says_so_and_then_how() {
        let going = start(&sh("echo on >&2; cat /dev/zero >/dev/null", LONG)).unwrap();
        assert!(going.line_where(|line| line == "on", LONG).is_some());
        assert!(!going.has_ended());
        let ended = start(&sh("exit 5", LONG)).unwrap();
        // Nothing more is said: its pipe is closed, and then it is over.
        assert_eq!(ended.line_where(|_| true, LONG), None);
        while !ended.has_ended() {
            thread::yield_now();
        }
        assert_eq!(ended.stop(LONG).unwrap().code(), Some(5));
    }

    #[test]
    fn a_program_that_does_not_stop_is_killed_and_one_that_ended_has_no_more_lines() {
        let deaf = start(&sh(
            "trap '' TERM; echo deaf >&2; while :; do sleep 1; done",
            LONG,
        ))
        .unwrap();
        assert!(deaf.line_where(|line| line == "deaf", LONG).is_some());
        assert!(matches!(
            deaf.stop(SHORT),
            Err(CommandError::TimedOut { .. })
        ));
        let ended = start(&sh("exit 0", LONG)).unwrap();
        assert_eq!(ended.line_where(|_| true, LONG), None);
    }

    #[test]
    fn a_program_that_ends_with_us_gets_its_arguments_and_input() {
        let spec = Spec::new("sh", LONG).args(["-c", "cat; echo \"$1\"; exit 3", "-", "$(id) *"]);
        let output = run(&spec.ends_with_us().input("in, ")).unwrap();
        assert_eq!(output.stdout.text(), "in, $(id) *\n");
        assert_eq!(output.status.code(), Some(3));
    }

    #[test]
    fn a_program_whose_starter_died_before_it_ran_does_nothing() {
        let own = std::process::id();
        for (starter, said) in [(own, "ran\n"), (own + 1, "")] {
            let spec = Spec::new("sh", LONG).args(["-c", ONLY_OF]);
            let spec = spec.arg(starter.to_string()).args(["echo", "ran"]);
            assert_eq!(run(&spec).unwrap().stdout.text(), said);
        }
    }

    #[test]
    fn a_program_that_ends_with_us_is_killed_with_the_thread_that_started_it() {
        let spec = sh("echo up >&2; exec sleep 600", LONG).ends_with_us();
        let starting = thread::spawn(move || {
            let running = start(&spec).unwrap();
            assert!(running.line_where(|line| line == "up", LONG).is_some());
            running
        });
        let running = starting.join().unwrap();
        let deadline = Instant::now() + LONG;
        while !running.has_ended() {
            assert!(Instant::now() < deadline, "still alive");
            thread::yield_now();
        }
    }

    #[test]
    fn debug_does_not_show_what_a_program_wrote() {
        let output = run(&Spec::new("echo", LONG).arg("山田")).unwrap();
        assert!(!format!("{output:?}").contains("山田"));
    }
}
