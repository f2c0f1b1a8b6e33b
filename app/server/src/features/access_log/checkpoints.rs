//! Signed checkpoints: written by the server once a day, printed and sent away by people.

use askama::Template;
use store::audit::{Checkpoint, key_fingerprint, paper_lines};
use store::{Event, Operation, RecordKind};

use super::{paper, view};
use crate::app::App;
use crate::web::{Answer, Problem, Shell, Visit, download, redirect};

/// Newest ones on the page; the file has them all.
const SHOWN_MAX: usize = 100;

struct Line {
    number: usize,
    at: String,
    entries: i64,
    hash: String,
}

/// Signs the log once on each day, and ends what an archiving or a disposal that was cut short left.
///
/// # Errors
/// The store's, and those of the checkpoint file; tried again.
pub fn sign_day(app: &App) -> Result<(), Problem> {
    let swept = app.db().sweep_archived()?;
    if swept > 0 {
        log::info!(rows = swept; "swept {swept} rows that lie in an archived year");
    }
    let disposed = app.db().sweep_disposed()?;
    if disposed > 0 {
        log::info!(files = disposed; "removed {disposed} files of years that were disposed of");
    }
    if let Some(checkpoint) = app.db().checkpoint_daily()? {
        let entries = checkpoint.entries;
        log::info!("audit.entries":% = entries; "signed the access log of {entries} entries");
    }
    Ok(())
}

#[derive(Template)]
#[template(path = "features/access_log/checkpoints.html")]
struct CheckpointsPage {
    shell: Shell,
    lines: Vec<Line>,
    all: usize,
    fingerprint: String,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let db = visit.app.db();
    let checkpoints = db.checkpoints()?;
    let lines = checkpoints.iter().enumerate().rev().take(SHOWN_MAX);
    visit.page(&CheckpointsPage {
        shell: Shell::new(visit, "署名つき記録").under(&[("アクセスログ", "/access-log")]),
        lines: lines
            .map(|(number, checkpoint)| Line {
                number: number + 1,
                at: view::wareki_moment(&checkpoint.at),
                entries: checkpoint.entries,
                hash: checkpoint.hash.chars().take(16).collect(),
            })
            .collect(),
        all: checkpoints.len(),
        fingerprint: grouped(&key_fingerprint(db.dir())?),
    })
}

/// Signs where the log stands now, beside the daily one.
pub(super) fn create(visit: &Visit) -> Answer {
    let db = visit.app.db();
    let event = Event::done(Operation::CheckpointSign);
    db.write(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    db.checkpoint_audit()?;
    Ok(redirect("/access-log/checkpoints?done=signed"))
}

/// All of them, one JSON object a line, for keeping elsewhere.
pub(super) fn file(visit: &Visit) -> Answer {
    let db = visit.app.db();
    let checkpoints = db.checkpoints()?;
    let rows = checkpoints.len();
    let event = Event::done(Operation::CheckpointPrint).detail(format!("rows={rows}"));
    db.write(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let mut bytes = Vec::new();
    for checkpoint in &checkpoints {
        let line = serde_json::to_vec(checkpoint).or(Err(Problem::Fault("checkpoint")))?;
        bytes.extend(line);
        bytes.push(b'\n');
    }
    let name = format!(
        "audit-checkpoints-{}.jsonl",
        visit.today().strftime("%Y%m%d")
    );
    Ok(download("application/x-ndjson", &name, false, bytes))
}

/// One on A4, with the lines that somebody may have to type.
pub(super) fn sheet(visit: &Visit) -> Answer {
    let number: usize = visit.param("number")?;
    let db = visit.app.db();
    let checkpoints = db.checkpoints()?;
    let at = number.checked_sub(1).ok_or(Problem::NotFound)?;
    let checkpoint = checkpoints.get(at).ok_or(Problem::NotFound)?;
    let fonts = match visit.app.fonts() {
        Ok(fonts) => fonts,
        Err(missing) => return Err(paper::without_fonts(visit, missing)),
    };
    let event = Event::done(Operation::CheckpointPrint)
        .on(RecordKind::AccessLog, checkpoint.entries)
        .detail(format!("entries={}", checkpoint.entries));
    db.write(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let sheet = drawn_from(visit, number, checkpoint)?;
    paper::answer(
        forms::checkpoint_sheet(fonts, &sheet),
        &format!("audit-checkpoint-{number}.pdf"),
    )
}

fn drawn_from(
    visit: &Visit,
    number: usize,
    checkpoint: &Checkpoint,
) -> Result<forms::CheckpointSheet, Problem> {
    let signed_at = checkpoint
        .instant()
        .ok_or(Problem::Fault("checkpoint has no time"))?;
    let day = base::clock::japanese_day(signed_at);
    let lines = paper_lines(day, checkpoint.entries, &checkpoint.hash);
    let fingerprint = key_fingerprint(visit.app.db().dir())?;
    Ok(forms::CheckpointSheet {
        record_id: format!("checkpoint-{number}"),
        signed_on: view::wareki_moment(&checkpoint.at),
        entries: format!("{}件", checkpoint.entries),
        lines: lines
            .into_iter()
            .map(|line| forms::CheckpointLine {
                number: line.number.to_string(),
                groups: line.groups,
                check: line.check,
            })
            .collect(),
        fingerprint: grouped(&fingerprint),
        printed_at: visit.app.clock().now(),
        printed_on: view::now(visit),
        printed_by: visit.signed_in()?.name.clone(),
    })
}

/// `0123456789abcdef` as `0123 4567 89ab cdef`.
fn grouped(hex: &str) -> String {
    let letters: Vec<char> = hex.chars().collect();
    let groups = letters.chunks(4).map(|group| group.iter().collect());
    groups.collect::<Vec<String>>().join(" ")
}
