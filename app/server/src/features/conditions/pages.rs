//! The page and the paper.

use askama::Template;
use store::{Event, Operation};

use super::view::{self, Line};
use crate::web::printing::{self, Sheet};
use crate::web::{Answer, Permission, Problem, Shell, Visit, redirect};

#[derive(Template)]
#[template(path = "features/conditions/list.html")]
struct ListPage {
    shell: Shell,
    /// Nothing: this is no appliance.
    lines: Option<Vec<Line>>,
    sees_viruses: bool,
}

pub(super) fn list(visit: &Visit) -> Answer {
    let lines = lines(visit);
    noted(visit, Operation::MachineView, lines.as_deref())?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "装置の状態").under(&[]),
        lines,
        sees_viruses: visit.may(Permission::StaffAdminister),
    })
}

/// The same on paper, for whoever goes to the machine.
pub(super) fn print(visit: &Visit) -> Answer {
    let Some(lines) = lines(visit) else {
        return Ok(redirect(super::PAGE));
    };
    noted(visit, Operation::MachinePrint, Some(&lines))?;
    let pdf = printing::draw(
        visit,
        Sheet {
            title: "装置の状態",
            subtitle: format!("{}件", lines.len()),
            identity: "conditions".to_owned(),
            columns: vec![
                ("項目", 5),
                ("状態", 2),
                ("内容と、すること", 14),
                ("確かめた日時", 4),
                ("手順書", 4),
            ],
            rows: lines.into_iter().map(view::cells).collect(),
            notes: vec!["手順書は、装置に添えた紙の束の、同じ名前のページです。".to_owned()],
        },
    )?;
    Ok(printing::shown("conditions.pdf", pdf))
}

fn lines(visit: &Visit) -> Option<Vec<Line>> {
    let machine = visit.app.machine()?;
    let now = visit.app.clock().now();
    let all = machine.conditions.into_iter();
    Some(all.map(|one| view::line(one, now)).collect())
}

fn noted(visit: &Visit, operation: Operation, lines: Option<&[Line]>) -> Result<(), Problem> {
    let rows = lines.map_or(0, <[Line]>::len);
    let event = Event::done(operation).detail(format!("rows={rows}"));
    let db = visit.app.db();
    db.view(&visit.actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))
}
