//! What the numbers were measured on: without it they mean nothing tomorrow.

use std::fs::read_to_string;
use std::path::Path;
use std::time::Duration;

use base::command::{Spec, run};
use serde::Serialize;

/// Git answers from the local disk.
const GIT_TIME_MAX: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) processor: String,
    pub(crate) memory_bytes: Option<u64>,
    /// `release`, `ci`, …: the directory that this build lies in.
    pub(crate) profile: String,
    pub(crate) debug_assertions: bool,
    pub(crate) commit: String,
    /// Files differ from the commit.
    pub(crate) changed: bool,
}

impl Machine {
    /// Looks at the machine and at the repository around this room.
    pub(crate) fn look(profile: String) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let commit = git(&root, &["rev-parse", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
        let changes = git(&root, &["status", "--porcelain"]);
        Self {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            processor: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            memory_bytes: field("/proc/meminfo", "MemTotal").and_then(|text| {
                let kibibytes: u64 = text.strip_suffix("kB")?.trim().parse().ok()?;
                kibibytes.checked_mul(1024)
            }),
            profile,
            debug_assertions: cfg!(debug_assertions),
            commit,
            changed: changes.is_none_or(|changes| !changes.is_empty()),
        }
    }
}

fn git(root: &Path, words: &[&str]) -> Option<String> {
    let spec = Spec::new("git", GIT_TIME_MAX).args(words).dir(root);
    let output = run(&spec).ok()?.success(&spec).ok()?;
    Some(output.stdout.text().trim().to_owned())
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = read_to_string(file).ok()?;
    let (_, value) = text
        .lines()
        .find(|line| line.starts_with(name))?
        .split_once(':')?;
    Some(value.trim().to_owned())
}
