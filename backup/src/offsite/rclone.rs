//! The stock `rclone`, which speaks S3 and SFTP to the other end and the REST protocol to us.
//!
//! Shape: `rclone serve restic` on a port of the loopback, behind a login drawn at random. What it needs
//! to know is in its environment, which only this account can read: no settings file, no arguments.
//! Invariant: it ends with this process, however that ends ([`Spec::ends_with_us`]). The kernel counts
//! the thread that started it, so a thread of its own does and stays.
//! Source: <https://rclone.org/commands/rclone_serve_restic/>; measured with 1.60.1 of Debian.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use base::command::{self, CommandError, Running, Spec};
use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::problem::{OffsiteError, Problem, of_log};
use super::{Patience, Reach, lock, login};

const SERVING: &str = "Serving restic REST API on ";
const USER: &str = "hokatsu";
const PASSWORD_BYTES: usize = 24;
/// Lines of its log that are remembered, and letters of each.
const LINES_MAX: usize = 60;
const LINE_CHARS_MAX: usize = 400;
/// A line may come a little later than the answer that it explains.
const LINE_LATE: Duration = Duration::from_millis(100);

/// A child that speaks for us.
#[derive(Debug)]
pub(super) struct Rclone {
    running: Mutex<Running>,
    /// Its thread waits for this to go.
    _keeper: Sender<()>,
    log: Mutex<VecDeque<(Instant, String)>>,
    url: String,
    password: String,
    remote: String,
    environment: Environment,
}

impl Rclone {
    pub(super) fn start(
        reach: &Reach,
        state: &Path,
        patience: Patience,
    ) -> Result<Self, OffsiteError> {
        let (remote, mut environment) = told(reach, patience)?;
        environment.push(("HOME".into(), state.into()));
        let password = random()?;
        let limit = patience.connect.saturating_add(patience.request);
        let mut spec = Spec::new("rclone", limit)
            .args(["serve", "restic", "--addr", "127.0.0.1:0", &remote])
            .ends_with_us()
            .env("RCLONE_USER", USER)
            .env("RCLONE_PASS", &password);
        for (name, value) in &environment {
            spec = spec.env(name, value);
        }
        let (running, keeper) = kept(spec)?;
        let mut rclone = Self {
            running: Mutex::new(running),
            _keeper: keeper,
            log: Mutex::default(),
            url: String::new(),
            password,
            remote,
            environment,
        };
        let began = Instant::now();
        while let Some(line) = rclone.line(limit.saturating_sub(began.elapsed())) {
            if let Some((_, url)) = line.split_once(SERVING) {
                // Since 1.61 in brackets.
                let url = url.trim().trim_matches(['[', ']']);
                rclone.url = url.to_owned();
                return Ok(rclone);
            }
        }
        Err(rclone.why_not(began))
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn login(&self) -> (&'static str, &str) {
        (USER, &self.password)
    }

    pub(super) fn is_alive(&self) -> bool {
        !lock(&self.running).has_ended()
    }

    /// The next line of its log, which is remembered.
    fn line(&self, limit: Duration) -> Option<String> {
        let line = lock(&self.running).line_where(|_| true, limit)?;
        let line: String = line.chars().take(LINE_CHARS_MAX).collect();
        let mut log = lock(&self.log);
        if log.len() == LINES_MAX {
            log.pop_front();
        }
        log.push_back((Instant::now(), line.clone()));
        Some(line)
    }

    /// What went wrong, by what its log said since then.
    pub(super) fn told_since(&self, since: Instant) -> Option<OffsiteError> {
        let mut limit = LINE_LATE;
        while self.line(limit).is_some() {
            limit = Duration::ZERO;
        }
        let log = lock(&self.log);
        let recent = log.iter().filter(|(at, _)| *at >= since);
        of_log(recent.map(|(_, line)| line.as_str()))
    }

    /// Asks once more by a command that says what is in its way; nothing when all is well.
    pub(super) fn asked_why(&self, patience: Patience) -> Option<OffsiteError> {
        let limit = patience.connect.saturating_add(patience.request);
        let mut spec = Spec::new("rclone", limit).args(["lsf", "--max-depth", "1"]);
        spec = spec.arg(&self.remote);
        for (name, value) in &self.environment {
            spec = spec.env(name, value);
        }
        let output = match command::run(&spec) {
            Ok(output) => output,
            Err(e) => return Some(OffsiteError::new(Problem::Slow, e.to_string())),
        };
        let said = output.stderr.text();
        if output.status.success() || said.contains("directory not found") {
            return None;
        }
        let last = said.lines().last().unwrap_or_default();
        let last: String = last.chars().take(LINE_CHARS_MAX).collect();
        let away = || OffsiteError::new(Problem::Away, last);
        Some(of_log(said.lines()).unwrap_or_else(away))
    }

    fn why_not(&self, began: Instant) -> OffsiteError {
        if let Some(told) = self.told_since(began) {
            return told;
        }
        let log = lock(&self.log);
        let last = log.back().map_or("", |(_, line)| line.as_str());
        let problem = if lock(&self.running).has_ended() {
            Problem::Rclone
        } else {
            Problem::Slow
        };
        OffsiteError::new(problem, last)
    }
}

/// Started by a thread that stays until the sender is dropped.
fn kept(spec: Spec) -> Result<(Running, Sender<()>), OffsiteError> {
    let missing = |e: String| OffsiteError::new(Problem::Rclone, e);
    let (tell, told) = mpsc::channel::<Result<Running, CommandError>>();
    let (keeper, kept) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        // Nobody to tell: what was started ends with the message.
        drop(tell.send(command::start(&spec)));
        kept.recv().unwrap_or(());
    });
    let started = told.recv().map_err(|e| missing(e.to_string()))?;
    let running = started.map_err(|e| missing(e.to_string()))?;
    Ok((running, keeper))
}

fn random() -> Result<String, OffsiteError> {
    let mut bytes = [0_u8; PASSWORD_BYTES];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|e| OffsiteError::new(Problem::Rclone, e.to_string()))?;
    Ok(HEXLOWER.encode(&bytes))
}

type Environment = Vec<(OsString, OsString)>;

/// What it is told: every option that matters by name, and nothing of the account's own.
fn told(reach: &Reach, patience: Patience) -> Result<(String, Environment), OffsiteError> {
    let seconds = |time: std::time::Duration| format!("{}s", time.as_secs().max(1));
    let mut options = vec![
        ("RCLONE_CONFIG".to_owned(), String::new()),
        ("RCLONE_CONTIMEOUT".to_owned(), seconds(patience.connect)),
        ("RCLONE_TIMEOUT".to_owned(), seconds(patience.request)),
        // Tried again are requests, by us.
        ("RCLONE_RETRIES".to_owned(), "1".to_owned()),
        ("RCLONE_LOW_LEVEL_RETRIES".to_owned(), "2".to_owned()),
    ];
    let mut remote = |key: &str, value: &str| {
        options.push((format!("RCLONE_CONFIG_OFFSITE_{key}"), value.to_owned()));
    };
    let path = match reach {
        Reach::Rest(_) => return Err(OffsiteError::new(Problem::Rclone, "speaks for itself")),
        Reach::S3(s3) => {
            let mut lines = login::lines(&s3.login_file, 2)?.into_iter();
            remote("TYPE", "s3");
            remote("PROVIDER", "Other");
            remote("ENDPOINT", &s3.endpoint);
            remote("REGION", &s3.region);
            remote("ACCESS_KEY_ID", &lines.next().unwrap_or_default());
            remote("SECRET_ACCESS_KEY", &lines.next().unwrap_or_default());
            remote("ENV_AUTH", "false");
            remote("FORCE_PATH_STYLE", "true");
            // Making buckets is for whoever pays for them.
            remote("NO_CHECK_BUCKET", "true");
            if let Some(file) = &s3.ca_file {
                login::refuse_absent(file)?;
                options.push(("RCLONE_CA_CERT".to_owned(), file.display().to_string()));
            }
            s3.below()
        }
        Reach::Sftp(sftp) => {
            login::refuse_open(&sftp.key_file)?;
            login::refuse_absent(&sftp.known_hosts_file)?;
            remote("TYPE", "sftp");
            remote("HOST", &sftp.host);
            remote("PORT", &sftp.port.to_string());
            remote("USER", &sftp.user);
            remote("KEY_FILE", &sftp.key_file.display().to_string());
            // Without it any server would do.
            let known = sftp.known_hosts_file.display().to_string();
            remote("KNOWN_HOSTS_FILE", &known);
            // Files and nothing else: no shell there.
            remote("SHELL_TYPE", "none");
            remote("MD5SUM_COMMAND", "none");
            remote("SHA1SUM_COMMAND", "none");
            remote("SET_MODTIME", "false");
            sftp.path.clone()
        }
    };
    let options = options.into_iter().map(|(k, v)| (k.into(), v.into()));
    Ok((format!("offsite:{path}"), options.collect()))
}
