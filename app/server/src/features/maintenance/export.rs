//! The protocol of a window as a file that Excel opens.

use store::{Event, Operation, RecordKind};

use super::comparing::compare;
use super::model::GrantId;
use super::view::Step;
use super::{pages, view};
use crate::features::carried_out::door::{self, Goods};
use crate::web::{Answer, Problem, Visit, excel_csv};

const HEADER: [&str; 7] = ["日時", "端末", "操作", "画面", "入力", "結果", "照合"];

fn goods(visit: &Visit) -> Result<Goods, Problem> {
    let id = visit.param("id").map(GrantId)?;
    let grant = pages::found(visit, id)?;
    let (requests, comparison) = compare(visit, &grant)?;
    let count = requests.len();
    let rows = requests.iter().map(|request| {
        let step = view::step(request, comparison.of(request));
        let (what, outcome) = (step.what.to_owned(), step.outcome.to_owned());
        let seal = step.seal.to_owned();
        let Step {
            at,
            terminal,
            path,
            typed,
            ..
        } = step;
        [at, terminal, what, path, typed, outcome, seal]
    });
    let wrong = comparison.wrong();
    let event = Event::done(Operation::MaintenanceExport).on(RecordKind::Maintenance, grant.id.0);
    Ok(Goods {
        what: "保守作業の記録",
        file: "maintenance.csv",
        rows: count,
        // The vendor meets nobody; the one who worked is in it.
        persons: 1,
        bytes: excel_csv(HEADER, rows)?,
        event: event.detail(format!("rows={count}／照合の違い＝{wrong}")),
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
