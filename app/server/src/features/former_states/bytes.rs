//! Bytes of an attachment that are missing or bent, fetched from a backup or the second disk by their hash.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::StatusCode;
use store::{Event, Operation, RecordKind, StoreError};

use super::asked::Asked;
use super::comparing::{self, Typed};
use super::model::Record;
use crate::features::attachments::FormerAttachment;
use crate::web::limits::UPLOAD_SPARE_BYTES;
use crate::web::{Answer, FieldProblem, Permission, Problem, Visit, redirect};

/// Longest that fetching one file may take; the page waits for it.
const FETCH_MAX: Duration = Duration::from_secs(25);
/// What the program calls the file.
const FILE: &str = "bytes";

/// A directory of its own that goes when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new(visit: &Visit, id: i64) -> Result<Self, Problem> {
        let above = visit.app.db().dir().former_states();
        base::paths::create_private_dir(&above).map_err(StoreError::from)?;
        // Its number and that of the request: two people who fetch the same file do not meet.
        let dir = above.join(format!("bytes-{id}-{}", visit.number));
        base::paths::create_private_dir(&dir).map_err(StoreError::from)?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            log::error!("a fetched attachment cannot be removed from its scratch: {error}");
        }
    }
}

pub(super) fn fetch(visit: &Visit) -> Answer {
    if !visit.may(Permission::AttachmentView) || !visit.may(Permission::AttachmentWrite) {
        return Err(Problem::Forbidden);
    }
    let db = visit.app.db();
    let record = db.read(&visit.actor, |tx| FormerAttachment::load(visit, tx))?;
    let href = record.place().href;
    if record.bytes_are_whole(visit)? {
        return Ok(redirect(&format!("{href}?done=again")));
    }
    let scratch = Scratch::new(visit, record.id())?;
    let Some(spec) = visit.app.openings().spec(FETCH_MAX) else {
        return nowhere(
            visit,
            "このシステムには、バックアップの保管先も逐次複製もありません。",
        );
    };
    let spec = spec
        .args([
            "timemachine",
            "bytes",
            "--sha256",
            record.sha256(),
            "--into",
        ])
        .arg(&scratch.0);
    let fetched = base::command::run(&spec).and_then(|output| output.success(&spec));
    if let Err(error) = fetched {
        log::error!(
            "bytes of attachment {} are in no backup: {error}. runbooks/attachment-damaged.md",
            record.id()
        );
        return nowhere(
            visit,
            "ファイルの中身は、どのバックアップにも、壊れていないものが見つかりませんでした。\
             システム管理者に、この添付ファイルの番号をお伝えください。",
        );
    }
    place(visit, &record, &scratch.0.join(FILE))?;
    Ok(redirect(&format!("{href}?done=bytes-back")))
}

/// Puts them on the shelf, once it is certain that they are those that were attached.
fn place(visit: &Visit, record: &FormerAttachment, file: &Path) -> Result<(), Problem> {
    let db = visit.app.db();
    let io = |source| StoreError::Io {
        path: file.to_path_buf(),
        source,
    };
    let bytes = std::fs::read(file).map_err(io)?;
    let shelf = db.shelf();
    let mut part = shelf.part(UPLOAD_SPARE_BYTES)?;
    part.write(&bytes)?;
    let whole = part.finish()?;
    if whole.sha256() != record.sha256() {
        return Err(Problem::Fault(
            "a backup gave other bytes than were asked for",
        ));
    }
    db.write(&visit.actor, |tx| {
        // Asked again: it may have been disposed of in between.
        let known = FormerAttachment::load(visit, tx)?;
        shelf.place(tx, &whole)?;
        let event = Event::done(Operation::FormerStatePutBack)
            .about(known.person())
            .on(RecordKind::Attachment, known.id())
            .detail(format!("bytes={}", whole.bytes()));
        Ok::<_, Problem>(tx.audited(event, ()))
    })
}

fn nowhere(visit: &Visit, text: &str) -> Answer {
    let asked = Asked::read(&visit.form, visit.app.clock().now());
    let typed = Typed {
        problems: vec![FieldProblem {
            field: "bytes",
            text: text.to_owned(),
        }],
        ..Typed::default()
    };
    comparing::shown::<FormerAttachment>(visit, asked, typed, StatusCode::CONFLICT)
}
