//! One entry: as it stands, as it stood, and what became of it.

use askama::Template;
use axum::http::StatusCode;
use store::{ReadTx, StoreError, WriteTx};

use super::model::{CarriedOutId, Origin, Reach, Record, State};
use super::pages::notice;
use super::store as sql;
use super::view::{self, EndingWords, Fact, FileWords, VersionWords};
use crate::web::{Answer, Problem, Shell, Visit};

/// The entry of this address, or nothing for whoever may not see it.
pub(super) fn load(visit: &Visit, tx: &ReadTx<'_>, id: CarriedOutId) -> Result<Record, Problem> {
    sql::find(tx, id, Reach::of(visit))?.ok_or(Problem::NotFound)
}

/// The entry of this address, for whoever may change it.
pub(super) fn own(visit: &Visit) -> Result<Record, Problem> {
    let id: CarriedOutId = visit.param("id")?;
    let read = |tx: &ReadTx<'_>| load(visit, tx, id);
    let record = visit.app.db().read(&visit.actor, read)?;
    checked(visit, record)
}

/// The same inside a transaction that changes it.
pub(super) fn writable(
    visit: &Visit,
    tx: &WriteTx<'_>,
    id: CarriedOutId,
) -> Result<Record, Problem> {
    checked(visit, load(visit, tx, id)?)
}

fn checked(visit: &Visit, record: Record) -> Result<Record, Problem> {
    if !record.is_for(visit) {
        return Err(Problem::Forbidden);
    }
    if record.withdrawn {
        let page = notice(
            visit,
            StatusCode::CONFLICT,
            "この持出しは取り下げられています",
            "取り下げた記録は、読むことだけができます。何も変わっていません。",
            ("記録を見る", &format!("/carried-out/{}", record.id)),
        );
        return Err(Problem::Page(Box::new(page?)));
    }
    Ok(record)
}

#[derive(Template)]
#[template(path = "features/carried_out/show.html")]
struct ShowPage {
    shell: Shell,
    id: CarriedOutId,
    css: &'static str,
    state: &'static str,
    late: String,
    maker: String,
    centre: String,
    made_at: String,
    origin: &'static str,
    facts: Vec<Fact>,
    files: Vec<FileWords>,
    endings: Vec<EndingWords>,
    versions: Vec<VersionWords>,
    withdrawal: Option<(String, String, String)>,
    may_change: bool,
    may_end: bool,
    may_reopen: bool,
}

pub(super) fn show(visit: &Visit) -> Answer {
    let id: CarriedOutId = visit.param("id")?;
    let today = visit.today();
    let page = visit.app.db().read(&visit.actor, |tx| {
        let record = load(visit, tx, id)?;
        let lists = sql::lists(tx, record.entry.taken_on)?;
        let rest = (
            sql::files(tx, id)?,
            sql::endings(tx, id)?,
            sql::versions(tx, id)?,
        );
        let withdrawal = sql::withdrawal(tx, id)?;
        let line = view::line(&record, &lists, today);
        let may = record.is_for(visit) && !record.withdrawn;
        let state = record.state(today);
        let ended = matches!(state, State::Returned | State::Disposed);
        let (files, endings, versions) = rest;
        Ok::<_, Problem>(ShowPage {
            shell: Shell::new(visit, format!("持出し {id}"))
                .under(&[("持出し台帳", "/carried-out")]),
            id,
            css: line.css,
            state: line.state,
            late: line.late,
            maker: line.maker,
            centre: line.centre,
            made_at: view::moment(&record.created_at),
            origin: match record.origin {
                Origin::Export => "画面からの書き出し",
                Origin::Manual => "手入力",
                Origin::Command => "コマンド",
            },
            facts: view::facts(&record.entry, &lists),
            files: files.iter().map(view::file).collect(),
            endings: endings.iter().map(view::ending).collect(),
            versions: versions
                .iter()
                .skip(1)
                .map(|row| view::version(row, &lists))
                .collect(),
            withdrawal: withdrawal.map(|(reason, by, at)| (reason, by, view::moment(&at))),
            may_change: may,
            may_end: may && !ended,
            may_reopen: may && ended,
        })
    })?;
    visit.page(&page)
}

/// Reads within the reach of whoever asks.
pub(super) fn reading<T>(
    visit: &Visit,
    read: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>,
) -> Result<T, Problem> {
    Ok(visit.app.db().read(&visit.actor, read)?)
}
