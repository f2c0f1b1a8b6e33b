//! The protocol of a window as a file that Excel opens.

use store::{Event, Operation, ReadTx, RecordKind};

use super::model::GrantId;
use super::{pages, store as sql, view};
use crate::features::carried_out::door::{self, Goods};
use crate::web::{Answer, Problem, Visit, excel_csv};

/// Most requests in one file; 8 hours of one click a second are fewer.
const ROWS_MAX: usize = 50_000;

const HEADER: [&str; 6] = ["日時", "端末", "操作", "画面", "入力", "結果"];

fn goods(visit: &Visit) -> Result<Goods, Problem> {
    let id = visit.param("id").map(GrantId)?;
    let grant = pages::found(visit, id)?;
    let read = |tx: &ReadTx<'_>| sql::requests(tx, id, ROWS_MAX, 0);
    let requests = visit.app.db().read(&visit.actor, read)?;
    let count = requests.len();
    let rows = requests.iter().map(|request| {
        let step = view::step(request);
        let (what, outcome) = (step.what.to_owned(), step.outcome.to_owned());
        [step.at, step.terminal, what, step.path, step.typed, outcome]
    });
    let event = Event::done(Operation::MaintenanceExport).on(RecordKind::Maintenance, grant.id.0);
    Ok(Goods {
        what: "保守作業の記録",
        file: "maintenance.csv",
        rows: count,
        // The vendor meets nobody; the one who worked is in it.
        persons: 1,
        bytes: excel_csv(HEADER, rows)?,
        event: event.detail(format!("rows={count}")),
        back: ("保守作業の記録", format!("/maintenance/{id}")),
    })
}

/// What would leave; nothing leaves yet.
pub(super) fn ask(visit: &Visit) -> Answer {
    door::ask(visit, &goods(visit)?)
}

/// The file, with its entry in the register of what was carried out.
pub(super) fn give(visit: &Visit) -> Answer {
    door::hand_over(visit, goods(visit)?)
}
