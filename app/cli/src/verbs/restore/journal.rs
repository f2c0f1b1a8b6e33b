//! How far a restore in place has come: one small file beside the data directory.
//!
//! Shape: written before the first file and taken away behind the last step, so that whoever finds it
//! finds a restore that was cut short. What was swapped already is told by the stamp inside the new
//! state, not by this file: the exchange of names is the one moment that counts.

use std::fs;
use std::path::{Path, PathBuf};

use base::paths::{MODE_PRIVATE, sync_dir, write_atomic};
use base::report::{Kind, Report, Runbook};
use serde::{Deserialize, Serialize};
use store::DataDir;

use crate::verbs::restore::states::{Places, unusable};

/// Lies in the new state until the last step is done, and holds the restore's token.
const STAMP: &str = ".hokatsu-swapped";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    Restore,
    Undo,
}

impl What {
    /// As the database keeps it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Undo => "undo",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// Files are being brought back (of an undo: the kept state is being taken up).
    Files,
    /// They are what they were; now the database in them is made ready.
    Proven,
    /// Only names have to change.
    Ready,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    pub(super) what: What,
    pub(super) stage: Stage,
    /// Of the lineage that begins, drawn once.
    pub(super) token: String,
    /// Its number, once it has one.
    pub(super) epoch: i64,
    /// Where it comes from, in words.
    pub(super) source: String,
    /// Name and full id of what is restored; empty for an undo.
    pub(super) repository: String,
    pub(super) snapshot: String,
    /// UTC; of which moment the state is.
    pub(super) taken_at: String,
    /// Where the former state will be kept.
    pub(super) kept: PathBuf,
    /// For an undo: the name of the state that comes back.
    pub(super) from: PathBuf,
    /// Something is known to be missing or wrong in it, and somebody said to go on.
    pub(super) flawed: bool,
}

impl Journal {
    pub(super) fn read(places: &Places) -> Result<Option<Self>, Report> {
        let path = places.journal();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(unusable(&path, e)),
        };
        let read = serde_json::from_slice(&text);
        let read = read.map_err(|e| {
            Report::new(Kind::Restore, e)
                .operator(
                    "復元の途中の覚えが読めません。もとの記録は無事です",
                    Runbook::RestoreFailed,
                )
                .at(&path)
        })?;
        Ok(Some(read))
    }

    pub(super) fn write(&self, places: &Places) -> Result<(), Report> {
        let path = places.journal();
        let bytes = serde_json::to_vec(self).map_err(|e| Report::new(Kind::Fault, e))?;
        write_atomic(&path, &bytes, MODE_PRIVATE).map_err(|e| unusable(&path, e))
    }

    pub(super) fn at(&mut self, stage: Stage, places: &Places) -> Result<(), Report> {
        self.stage = stage;
        self.write(places)
    }

    pub(super) fn remove(places: &Places) -> Result<(), Report> {
        let path = places.journal();
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(unusable(&path, e)),
        }
        sync_dir(places.parent()).map_err(|e| unusable(places.parent(), e))
    }

    /// Marks the state that will be exchanged for the present one.
    pub(super) fn stamp(&self, staging: &DataDir) -> Result<(), Report> {
        let path = staging.path().join(STAMP);
        let written = write_atomic(&path, self.token.as_bytes(), MODE_PRIVATE);
        written.map_err(|e| unusable(&path, e))
    }

    /// Does the data directory hold the state of this restore already?
    pub(super) fn is_swapped(&self, places: &Places) -> bool {
        let path = places.data.path().join(STAMP);
        fs::read_to_string(path).is_ok_and(|text| text == self.token)
    }

    pub(super) fn unstamp(places: &Places) -> Result<(), Report> {
        remove_if_there(&places.data.path().join(STAMP))
    }
}

pub(super) fn remove_if_there(path: &Path) -> Result<(), Report> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(unusable(path, e)),
    }
}

/// Refuses work on a directory whose restore was cut short: names are about to change under it.
pub(crate) fn refuse_unfinished(dir: &DataDir) -> Result<(), Report> {
    let places = Places::of(dir)?;
    if places.journal().exists() {
        return Err(Report::bare(Kind::DataDirectory)
            .operator(
                "途中で止まった復元があります。`hokatsu restore` で続けるか、\
                 `hokatsu restore undo` で取りやめてください",
                Runbook::RestoreFailed,
            )
            .at(places.data.path()));
    }
    Ok(())
}
