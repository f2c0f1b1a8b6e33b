//! Looks for viruses after a file came in: when it is opened and nobody looked yet, and of all that is due.
//!
//! Shape: each look that ended is a row in `attachment_scans`; a scanner that does not answer leaves none, and the file
//! stays due. Newer signatures look once more into what came in lately: a virus is known some days after it is about.
//! Limits: [`FILES_MAX`], [`TURN_TIME_MAX`], [`OPENING_TIME_MAX`], [`AGAIN`].
//! Source: docs/decisions/0052-viruses.md.

use std::time::{Duration, Instant};

use base::antivirus::{SCAN_TIME_MAX, Scan, Scanner, ScannerError};
use jiff::SignedDuration;
use store::{Actor, Event, Operation, RecordKind, StoreError, SystemReason};

use super::model::Attachment;
use super::show::{closed, event};
use super::store::{self as sql, Due};
use crate::app::App;
use crate::web::{Problem, Visit};

/// Somebody waits for the page: so long the scanner is waited for.
const OPENING_TIME_MAX: Duration = Duration::from_secs(10);
/// Files of one turn.
const FILES_MAX: i64 = 200;
/// No further file is begun after so long in one turn; what is left waits for the next.
const TURN_TIME_MAX: Duration = Duration::from_secs(20);
/// What came in so long ago is looked into by newer signatures too.
const AGAIN: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Looks into a file that is about to be opened, when nobody did. Without an answer it opens all the same: it came in
/// from staff, its page says 未検査, and somebody may need it.
///
/// # Errors
/// The page that says why it is not opened, and those of the store.
pub(super) fn admit(visit: &Visit, row: &Attachment, bytes: &[u8]) -> Result<(), Problem> {
    let Some(scanner) = visit.app.scanner().filter(|_| row.look.is_none()) else {
        return Ok(());
    };
    let (finding, signatures) = match scanner.scan(bytes, OPENING_TIME_MAX) {
        Ok(Scan::Clean { signatures }) => (String::new(), signatures),
        Ok(Scan::Found {
            finding,
            signatures,
        }) => (finding, signatures),
        Ok(Scan::Unscanned) => return Ok(()),
        Err(error) => {
            log::warn!(attachment = row.id.0; "opened without a look for viruses: {error}");
            return Ok(());
        }
    };
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        sql::insert_scan(tx, row.id, (&finding, signatures), &now)?;
        let entry = event(Operation::AttachmentScan, row).detail(told(&finding, signatures));
        Ok::<_, StoreError>(tx.audited(entry, ()))
    })?;
    if finding.is_empty() {
        Ok(())
    } else {
        Err(closed(visit)?)
    }
}

fn told(finding: &str, signatures: u32) -> String {
    if finding.is_empty() {
        format!("virus=none signatures={signatures}")
    } else {
        format!("virus={finding} signatures={signatures}")
    }
}

/// Looks into everything that is due, as far as this turn goes.
///
/// # Errors
/// Those of the store. A scanner that does not answer is none: what is due stays due, and pages say so.
pub fn scan_due(app: &App) -> Result<(), Problem> {
    let Some(scanner) = app.scanner() else {
        return Ok(());
    };
    let version = match scanner.version() {
        Ok(version) => version,
        Err(error) => {
            log::warn!("nothing is looked through for viruses: {error}");
            return Ok(());
        }
    };
    let since = app.clock().now() - AGAIN;
    let since = format!("{since:.6}");
    let due = app.db().system_read(SystemReason::VirusScan, |tx| {
        sql::due(tx, version, &since, FILES_MAX)
    })?;
    let looks = looked(app, scanner, &due);
    if looks.is_empty() {
        return Ok(());
    }
    write(app, &looks)
}

/// What was found in each, as far as the scanner answered in time.
fn looked<'d>(app: &App, scanner: &Scanner, due: &'d [Due]) -> Vec<(&'d Due, String, u32)> {
    let (begun, shelf) = (Instant::now(), app.db().shelf());
    let mut looks = Vec::new();
    for one in due.iter().take_while(|_| begun.elapsed() < TURN_TIME_MAX) {
        let bytes = match shelf.read(&one.sha256) {
            Ok(bytes) => bytes,
            Err(error) => {
                log::warn!(attachment = one.id.0; "cannot be looked through for viruses: {error}");
                continue;
            }
        };
        match scanner.scan(&bytes, SCAN_TIME_MAX) {
            Ok(Scan::Clean { signatures }) => looks.push((one, String::new(), signatures)),
            Ok(Scan::Found {
                finding,
                signatures,
            }) => looks.push((one, finding, signatures)),
            Ok(Scan::Unscanned) => {}
            Err(error) => {
                log::warn!(attachment = one.id.0; "was not looked through for viruses: {error}");
                if matches!(error, ScannerError::Silent(_)) {
                    break;
                }
            }
        }
    }
    looks
}

/// The rows, with one entry for the turn and one for each virus.
fn write(app: &App, looks: &[(&Due, String, u32)]) -> Result<(), Problem> {
    let now = format!("{:.6}", app.clock().now());
    let actor = Actor::system("ウイルス検査");
    let mut found = Vec::new();
    for (due, finding, signatures) in looks {
        if !finding.is_empty() {
            let entry = Event::done(Operation::AttachmentScan).about(due.person);
            let entry = entry.on(RecordKind::Attachment, due.id.0);
            found.push(entry.detail(told(finding, *signatures)));
        }
    }
    log::info!(files = looks.len(), found = found.len(); "looked for viruses in attachments");
    let turn = format!("files={} found={}", looks.len(), found.len());
    let turn = Event::done(Operation::AttachmentScan).detail(turn);
    app.db().system(&actor, SystemReason::VirusScan, |tx| {
        for (due, finding, signatures) in looks {
            sql::insert_scan(tx, due.id, (finding, *signatures), &now)?;
        }
        Ok::<_, Problem>(tx.audited_all(turn, found, ()))
    })
}
