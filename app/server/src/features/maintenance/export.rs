//! The protocol of a window as a file that Excel opens.

use store::{Event, Operation, RecordKind};

use super::model::GrantId;
use super::{pages, store as sql, view};
use crate::web::{Answer, Problem, Visit, download, excel_csv};

/// Most requests in one file; 8 hours of one click a second are fewer.
const ROWS_MAX: usize = 50_000;

const HEADER: [&str; 6] = ["日時", "端末", "操作", "画面", "入力", "結果"];

pub(super) fn csv(visit: &Visit) -> Answer {
    let id = visit.param("id").map(GrantId)?;
    let grant = pages::found(visit, id)?;
    let db = visit.app.db();
    let requests = db.read(&visit.actor, |tx| sql::requests(tx, id, ROWS_MAX, 0))?;
    let count = requests.len();
    let rows = requests.iter().map(|request| {
        let step = view::step(request);
        let (what, outcome) = (step.what.to_owned(), step.outcome.to_owned());
        [step.at, step.terminal, what, step.path, step.typed, outcome]
    });
    let bytes = excel_csv(HEADER, rows)?;
    let event = Event::done(Operation::MaintenanceExport).on(RecordKind::Maintenance, grant.id.0);
    let event = event.detail(format!("rows={count}"));
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))?;
    let name = format!("maintenance-{id}.csv");
    Ok(download("text/csv; charset=utf-8", &name, false, bytes))
}
