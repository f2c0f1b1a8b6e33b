//! Uninterruptible power supplies: what they say, what follows from it, and how that is told from process to process.
//!
//! Shape: [`Reading`] is what one supply said, [`Engine`] decides from the readings alone, [`Told`] is the small file
//! that the watcher leaves every other second and that pages read. A training leaves a file of its own beside it.
//! Invariant: a training never stands before a real outage ([`Seen::shown`]); a file that nobody renewed says nothing.
//! Errors: [`UpsError`]. Source: docs/decisions/0046-ups.md.

mod engine;
mod reading;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use engine::{Engine, Limit, State};
pub use reading::{Flag, Reading};

use crate::paths::{MODE_PUBLIC, PathError, write_atomic};

/// A file that is older says nothing any more, seconds: its writer has ended or hangs.
const FRESH_SECONDS: u64 = 15;
const WATCHED: &str = "state.json";
const TRAINING: &str = "training.json";

/// Why it cannot be said how the supplies stand.
#[derive(Debug, thiserror::Error)]
pub enum UpsError {
    /// The file is there and cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// It does not say what it should.
    #[error("{} is not the state of a supply", path.display())]
    Bent {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// It could not be written.
    #[error("cannot tell how the supply stands")]
    Files(#[from] PathError),
}

/// What became of the command that stops the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// It was not run, or nobody knows how that ended: a watcher that is started anew runs it.
    NotYet,
    /// It failed, and is tried again.
    Failed,
    /// It succeeded, and is never run again.
    Done,
}

/// How one supply stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// As `site.toml` names it.
    pub name: String,
    /// Nothing: no answer.
    pub reading: Option<Reading>,
    /// On battery for so long, seconds; nothing: it is not, as far as anybody knows.
    pub on_battery_seconds: Option<u64>,
}

/// How all of them stand, as the watcher or a training tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// What follows.
    pub state: State,
    /// What became of stopping the machine.
    pub stop: Stop,
    /// Each of them.
    pub units: Vec<Unit>,
}

impl Told {
    /// Writes it as the watcher's word.
    ///
    /// # Errors
    /// [`UpsError::Files`], [`UpsError::Bent`].
    pub fn write(&self, dir: &Path) -> Result<(), UpsError> {
        self.write_as(&dir.join(WATCHED))
    }

    /// Writes it as the word of a training.
    ///
    /// # Errors
    /// As [`Told::write`].
    pub fn write_training(&self, dir: &Path) -> Result<(), UpsError> {
        self.write_as(&dir.join(TRAINING))
    }

    fn write_as(&self, file: &Path) -> Result<(), UpsError> {
        let bytes = serde_json::to_vec(self).map_err(|source| UpsError::Bent {
            path: file.to_owned(),
            source,
        })?;
        Ok(write_atomic(file, &bytes, MODE_PUBLIC)?)
    }

    fn read(file: &Path, now: Timestamp) -> Result<Option<Self>, UpsError> {
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = file.to_owned();
                return Err(UpsError::Read { path, source });
            }
        };
        let told: Self = serde_json::from_slice(&bytes).map_err(|source| UpsError::Bent {
            path: file.to_owned(),
            source,
        })?;
        // The clock may have been set back or forth in between.
        let is_fresh = told.at.duration_since(now).unsigned_abs().as_secs() <= FRESH_SECONDS;
        Ok(is_fresh.then_some(told))
    }

    /// Until the machine stops, seconds, when asked now; nothing while it does not count down.
    #[must_use]
    pub fn seconds_left(&self, now: Timestamp) -> Option<u64> {
        let State::OnBattery { seconds_left, .. } = self.state else {
            return None;
        };
        let since = now.duration_since(self.at).as_secs().max(0);
        Some(seconds_left.saturating_sub(since.unsigned_abs()))
    }

    fn is_outage(&self) -> bool {
        matches!(
            self.state,
            State::OnBattery { .. } | State::ShuttingDown { .. }
        )
    }
}

/// Ends the word of a training; none is no error.
///
/// # Errors
/// [`UpsError::Read`] when the file stays.
pub fn end_training(dir: &Path) -> Result<(), UpsError> {
    let path = dir.join(TRAINING);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(UpsError::Read { path, source }),
    }
}

/// What whoever looks finds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The watcher's word; nothing: it does not run, or hangs.
    pub watched: Option<Told>,
    /// The word of a training.
    pub training: Option<Told>,
}

impl Seen {
    /// Looks.
    ///
    /// # Errors
    /// [`UpsError::Read`], [`UpsError::Bent`].
    pub fn look(dir: &Path, now: Timestamp) -> Result<Self, UpsError> {
        // A bent training is no reason to hide what is real.
        Ok(Self {
            watched: Told::read(&dir.join(WATCHED), now)?,
            training: Told::read(&dir.join(TRAINING), now).unwrap_or_default(),
        })
    }

    /// Does the machine itself run on battery?
    #[must_use]
    pub fn is_outage(&self) -> bool {
        self.watched.as_ref().is_some_and(Told::is_outage)
    }

    /// What is told to everybody, and whether it is a training: what is real goes before.
    #[must_use]
    pub fn shown(&self) -> Option<(&Told, bool)> {
        let real = self.watched.as_ref().filter(|told| told.is_outage());
        let training = || self.training.as_ref().filter(|told| told.is_outage());
        real.map(|told| (told, false))
            .or_else(|| training().map(|told| (told, true)))
    }
}
