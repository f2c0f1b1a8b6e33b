//! Repositories off-site, on stock servers: saved, changed, checked by the stock tool, brought back; and
//! what is told when the other end is away, slow, full, keeps everything, or does not let us in.
//!
//! Needs `rclone`, `restic`, `sshd` and `moto`, which `cargo xtask setup` installs; without them this fails.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

mod servers;
mod stores;
mod trouble;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use backup::offsite::{Offsite, Patience, Problem, Reach, Rest};
use backup::{
    BackupError, CheckDepth, Chunking, Location, Progress, Quiet, RepositorySettings, Selector,
    SnapshotSummary, Source, check, init, restore_to, run,
};
use jiff::{SignedDuration, Timestamp};
use servers::{PASSWORD, RestServer, USER, program, secret};

/// Fails soon: the servers are on this machine.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(2),
    request: Duration::from_secs(10),
    bytes_per_second_min: 1024 * 1024,
    tries: 3,
    pause: Duration::from_millis(50),
    lost: Duration::from_secs(2),
};

fn noon() -> Timestamp {
    "2026-04-07T03:00:00Z".parse().unwrap()
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Bytes that no two pieces share and nothing makes smaller.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend(next());
    }
    bytes.truncate(length);
    bytes
}

/// A repository somewhere, and something to save in it.
struct Job {
    dir: PathBuf,
    settings: RepositorySettings,
    source: Source,
}

impl Job {
    fn new(dir: &Path, reach: Reach, append_only: bool) -> Self {
        let source = dir.join("source");
        put(&source.join("hokatsu.db"), &noise(1, 400_000));
        put(&source.join("attachments/1/計画.pdf"), b"pdf");
        let offsite = Offsite::patient(reach, append_only, dir.join("state"), PATIENCE);
        Self {
            settings: RepositorySettings {
                name: "遠隔地".to_owned(),
                location: Location::Offsite(offsite),
                password_file: dir.join("password"),
                chunking: Chunking::Fixed16KiB,
            },
            source: Source {
                dir: source,
                beside: Vec::new(),
                label: "db".to_owned(),
                host: "box".to_owned(),
                taken_at: noon(),
                facts: serde_json::json!({}),
            },
            dir: dir.to_owned(),
        }
    }

    /// Against a server that speaks the protocol itself.
    fn on(server: &RestServer, dir: &Path) -> Self {
        Self::new(dir, rest(server, dir), false)
    }

    fn with(&self, reach: Reach, append_only: bool) -> Self {
        let mut job = Self::new(&self.dir, reach, append_only);
        job.source = self.source.clone();
        job
    }

    fn run(&self) -> Result<SnapshotSummary, BackupError> {
        let quiet: Arc<dyn Progress> = Arc::new(Quiet);
        run(&self.settings, &self.source, &quiet)
    }

    /// An hour later a page has changed.
    fn later(&mut self) {
        self.source.taken_at += SignedDuration::from_hours(1);
        let path = self.source.dir.join("hokatsu.db");
        let mut bytes = fs::read(&path).unwrap();
        bytes[..4_096].copy_from_slice(&noise(7, 4_096));
        put(&path, &bytes);
    }

    fn is_whole(&self) {
        let checked = check(&self.settings, CheckDepth::AllData).unwrap();
        assert!(checked.is_healthy(), "{:?}", checked.findings);
    }

    /// What is brought back is what was saved last.
    fn comes_back(&self) {
        let to = self.dir.join("back");
        let restored = restore_to(&self.settings, &Selector::Latest, &to, &Quiet).unwrap();
        assert!(restored.is_complete());
        self.is_as_in(&to);
        fs::remove_dir_all(&to).unwrap();
    }

    fn is_as_in(&self, to: &Path) {
        for name in ["hokatsu.db", "attachments/1/計画.pdf"] {
            let saved = fs::read(self.source.dir.join(name)).unwrap();
            assert!(fs::read(to.join(name)).unwrap() == saved, "{name} differs");
        }
    }

    /// A stock `restic`, as the recovery sheet says it.
    fn restic(&self, stock: &Stock<'_>, words: &[&str]) {
        let shown = self.settings.location.for_restic();
        let mut command = program("restic");
        command
            .args(["--no-cache", "-r", stock.address.unwrap_or(&shown)])
            .args(stock.options)
            .arg("--password-file")
            .arg(&self.settings.password_file)
            .args(words)
            .env("HOME", &self.dir);
        command.envs(stock.environment.iter().copied());
        let output = command.output().expect("restic: run `cargo xtask setup`");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {errors}");
    }
}

fn rest(server: &RestServer, dir: &Path) -> Reach {
    let login = secret(&dir.join("login"), PASSWORD);
    Reach::Rest(Rest {
        url: format!("http://127.0.0.1:{}", server.port),
        login: Some((USER.to_owned(), login)),
        ca_file: None,
    })
}

fn problem<T>(done: Result<T, BackupError>) -> Problem {
    let error = done.err().expect("it went well");
    let BackupError::Offsite { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(error.in_words().contains("遠隔地"));
    source.problem()
}

/// What a stock tool needs beside what the recovery sheet says.
#[derive(Default)]
struct Stock<'a> {
    /// With the login in it.
    address: Option<&'a str>,
    environment: &'a [(&'a str, &'a str)],
    options: &'a [&'a str],
}

/// Everything that an operator does with a repository, and the stock tool's word on it.
fn a_life(job: &mut Job, stock: &Stock<'_>) {
    assert_eq!(problem(job.run()), Problem::NoRepository);
    init(&job.settings).unwrap();
    assert!(matches!(init(&job.settings), Err(BackupError::Used { .. })));
    let first = job.run().unwrap();
    job.later();
    let second = job.run().unwrap();
    assert!(second.bytes_added < first.bytes_added / 2);
    let all = backup::list(&job.settings).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[1].id, second.snapshot.id);
    job.is_whole();
    job.comes_back();
    let bytes = backup::repository_bytes(&job.settings).unwrap();
    assert!(bytes > 400_000, "{bytes}");
    job.restic(stock, &["check", "--read-data"]);
    let to = job.dir.join("by-restic");
    let target = to.to_str().unwrap();
    job.restic(stock, &["restore", "latest", "--target", target]);
    job.is_as_in(&to);
}
