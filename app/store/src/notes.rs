//! What was done at the console while another process held the database: one file a deed, taken
//! into the access log when that process next looks.
//!
//! A backup runs beside the service, and a restore while nothing runs; neither may open the
//! database to say so. Until a note is taken in it is as safe as the directory; after that, as safe
//! as the chain. A note may be taken in twice after a power cut, and is never lost.

use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Operator};
use crate::audit::{Event, Operation};
use crate::db::Db;
use crate::directory::{DataDir, at_once};
use crate::error::StoreError;

/// Notes taken in at a time; the rest waits for the next look.
const NOTES_MAX: usize = 1_000;
/// Longest text of a note, characters.
const DETAIL_CHARS_MAX: usize = 1_000;

/// One deed at the console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// When, UTC.
    pub at: String,
    /// What, as [`Operation::code`] says it.
    pub operation: String,
    /// The verb and what it did it to; no personal data.
    pub detail: String,
    /// Who and why; nothing for what a timer started.
    pub operator: Option<Operator>,
}

impl Note {
    /// A deed of now.
    pub fn new(
        at: Timestamp,
        operation: Operation,
        detail: impl Into<String>,
        operator: Option<Operator>,
    ) -> Self {
        Self {
            at: format!("{at:.6}"),
            operation: operation.code().to_owned(),
            detail: detail.into(),
            operator,
        }
    }

    /// Leaves it beside the database; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Path`] when it cannot be written.
    pub fn leave(&self, dir: &DataDir) -> Result<(), StoreError> {
        let place = dir.console_notes();
        create_private_dir(&place)?;
        let bytes = serde_json::to_vec(self).map_err(|source| StoreError::Io {
            path: place.clone(),
            source: source.into(),
        })?;
        // Sorts by time, as the names are read.
        let digits: String = self.at.chars().filter(char::is_ascii_digit).collect();
        let name = format!("{digits}-{}.json", std::process::id());
        write_atomic(&place.join(name), &bytes, MODE_PRIVATE)?;
        Ok(())
    }

    fn event(&self) -> Event {
        let detail: String = self.detail.chars().take(DETAIL_CHARS_MAX).collect();
        let operation = Operation::from_code(&self.operation).unwrap_or(Operation::ConsoleUse);
        Event::done(operation).detail(format!("{detail}／実行＝{}", self.at))
    }
}

impl Db {
    /// Takes the notes of the console into the access log; how many there were. What is no note
    /// stays where it is and is told in the log.
    ///
    /// # Errors
    /// As [`Db::write`], and those of the directory.
    pub fn take_notes(&self) -> Result<usize, StoreError> {
        let place = self.dir().console_notes();
        let io = |source| StoreError::Io {
            path: place.clone(),
            source,
        };
        let entries = match std::fs::read_dir(&place) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(io(error)),
        };
        // The service and a command may look at the same time; one of them takes them all.
        let Some(turn) = at_once(&place)? else {
            return Ok(0);
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|kind| kind == "json") {
                files.push(path);
            }
        }
        files.sort();
        let mut taken = 0;
        for path in files.into_iter().take(NOTES_MAX) {
            let text = std::fs::read_to_string(&path).map_err(io)?;
            let Ok(note) = serde_json::from_str::<Note>(&text) else {
                log::error!("a file among the console's notes is none and was left there");
                continue;
            };
            let actor = Actor {
                operator: note.operator.clone(),
                ..Actor::system("コンソール")
            };
            self.write(&actor, |tx| {
                Ok::<_, StoreError>(tx.audited(note.event(), ()))
            })?;
            std::fs::remove_file(&path).map_err(io)?;
            taken += 1;
        }
        drop(turn);
        Ok(taken)
    }
}
