//! Uninterruptible power supplies: what they say, what follows from it, and how that is told from process to process.
//!
//! Shape: [`Reading`] is what one supply said, [`Engine`] decides from the readings alone, [`Told`] is the small file
//! that the watcher leaves every other second and that pages read. A training leaves a file of its own beside it.
//! Invariant: a training never stands before a real outage ([`Seen::shown`]); a file that nobody renewed says nothing.
//! Errors: [`SmallFileError`]. Source: docs/decisions/0046-ups.md.

mod engine;
mod reading;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use engine::{Engine, Limit, State};
pub use reading::{Flag, Reading};

use crate::paths::MODE_PUBLIC;
use crate::small_file::{self, SmallFileError};

/// A file that is older says nothing any more, seconds: its writer has ended or hangs.
const FRESH_SECONDS: u64 = 15;
const WATCHED: &str = "state.json";
const TRAINING: &str = "training.json";

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
    /// [`SmallFileError::Files`], [`SmallFileError::Bent`].
    pub fn write(&self, dir: &Path) -> Result<(), SmallFileError> {
        self.write_as(&dir.join(WATCHED))
    }

    /// Writes it as the word of a training.
    ///
    /// # Errors
    /// As [`Told::write`].
    pub fn write_training(&self, dir: &Path) -> Result<(), SmallFileError> {
        self.write_as(&dir.join(TRAINING))
    }

    fn write_as(&self, file: &Path) -> Result<(), SmallFileError> {
        small_file::write(file, self, MODE_PUBLIC)
    }

    fn read(file: &Path, now: Timestamp) -> Result<Option<Self>, SmallFileError> {
        let Some(told) = small_file::read::<Self>(file)? else {
            return Ok(None);
        };
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
/// [`SmallFileError::Io`] when the file stays.
pub fn end_training(dir: &Path) -> Result<(), SmallFileError> {
    let path = dir.join(TRAINING);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SmallFileError::io(&path)(error)),
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
    /// [`SmallFileError::Io`], [`SmallFileError::Bent`].
    pub fn look(dir: &Path, now: Timestamp) -> Result<Self, SmallFileError> {
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
