//! How large the numbers of a run are, which seed it has, and where a long one goes on.

use std::fs;
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// A run of many rounds. With `--long` it keeps in mind how far it came: cut short and started again it goes
/// on with the same seed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Progress {
    pub seed: u64,
    /// Rounds that are done.
    pub done: u64,
    pub rounds: u64,
    /// What was counted so far, by its name.
    pub counted: std::collections::BTreeMap<String, u64>,
    #[serde(skip)]
    file: Option<PathBuf>,
}

/// Where suites leave what people read afterwards: `target/faults`.
#[must_use]
pub fn out_dir() -> PathBuf {
    let test = std::env::current_exe().expect("this test's file");
    // target/<profile>/deps/NAME-… lies three below it.
    let target = test.ancestors().nth(3).expect("its directory");
    let dir = target.join("faults");
    fs::create_dir_all(&dir).expect("a directory for what was found");
    dir
}

impl Progress {
    /// Of this name: so many rounds in CI, and so many with `--long`.
    #[expect(
        clippy::disallowed_methods,
        clippy::print_stdout,
        reason = "the runner says how large the numbers are; who repeats a run, with which seed"
    )]
    #[must_use]
    pub fn of(name: &str, everyday: u64, long: u64) -> Self {
        let told = |variable: &str| std::env::var(variable).ok()?.parse::<u64>().ok();
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH);
        let now = since.map_or(1, |since| u64::from(since.subsec_nanos()));
        let is_long = std::env::var("HOKATSU_LONG").is_ok();
        let file = is_long.then(|| out_dir().join(format!("{name}.json")));
        let left = file.as_ref().and_then(|file| fs::read(file).ok());
        let left = left.and_then(|text| serde_json::from_slice::<Self>(&text).ok());
        let fresh = Self {
            seed: told("HOKATSU_SEED").unwrap_or(now),
            done: 0,
            rounds: told("HOKATSU_ROUNDS").unwrap_or(if is_long { long } else { everyday }),
            counted: std::collections::BTreeMap::new(),
            file: None,
        };
        let unfinished = left.filter(|left| left.done < left.rounds);
        let mut progress = unfinished.unwrap_or(fresh);
        progress.file = file;
        println!(
            "{name}: seed {} (HOKATSU_SEED repeats it), rounds {} to {}",
            progress.seed,
            progress.done + 1,
            progress.rounds
        );
        progress
    }

    /// Counts something.
    pub fn count(&mut self, what: &str, more: u64) {
        *self.counted.entry(what.to_owned()).or_default() += more;
    }

    /// Keeps the largest.
    pub fn largest(&mut self, what: &str, value: u64) {
        let known = self.counted.entry(what.to_owned()).or_default();
        *known = (*known).max(value);
    }

    /// What was counted under this name.
    #[must_use]
    pub fn counted(&self, what: &str) -> u64 {
        self.counted.get(what).copied().unwrap_or(0)
    }

    /// A round is over and was found right.
    pub fn round_is_done(&mut self) {
        self.done += 1;
        if let Some(file) = &self.file {
            let text = serde_json::to_vec_pretty(self).expect("numbers");
            let private = base::paths::MODE_PRIVATE;
            base::paths::write_atomic(file, &text, private).expect("the state of a long run");
        }
    }
}
