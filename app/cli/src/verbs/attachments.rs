//! `attachments check`: does every attachment have its bytes, and are they what they were? Reads beside a
//! running service; says numbers of records and nothing of what they are about.

use std::process::ExitCode;

use base::report::Report;
use serde::Serialize;
use store::{DataDir, ShelfCheck, StoreError, check_shelf};

use crate::output::Voice;

/// What was found, for machines.
#[derive(Debug, Serialize)]
pub(crate) struct Found {
    rows: u64,
    bytes: u64,
    missing: Vec<i64>,
    bent: Vec<i64>,
}

impl From<ShelfCheck> for Found {
    fn from(check: ShelfCheck) -> Self {
        Self {
            rows: check.rows,
            bytes: check.bytes,
            missing: check.missing,
            bent: check.bent,
        }
    }
}

pub(crate) fn check(dir: &DataDir, voice: &Voice) -> Result<ExitCode, Report> {
    if !dir.database().exists() {
        let dir = dir.path().to_path_buf();
        return Err(StoreError::Absent { dir }.report());
    }
    let found = check_shelf(&dir.database(), dir).map_err(StoreError::report)?;
    let sound = found.is_sound();
    say(&found, voice);
    if sound {
        voice.say(&format!(
            "添付ファイル {}件の中身は、すべて元のままです。",
            found.rows
        ));
    }
    voice.result(&Found::from(found))?;
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

/// Names what is wrong by the number of its record.
pub(crate) fn say(found: &ShelfCheck, voice: &Voice) {
    for (what, ids) in [
        ("ありません", &found.missing),
        ("壊れています", &found.bent),
    ] {
        for id in ids {
            voice.say(&format!(
                "添付ファイル {id} の中身が{what}。手順書: runbooks/attachment-damaged.md"
            ));
        }
    }
}
