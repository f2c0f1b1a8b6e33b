//! Whom somebody is in charge of: one's own list, a colleague's, and those who have nobody any more.

use askama::Template;
use store::{Event, Operation, StaffId, StoreError};

use super::store::{self as sql, Whose};
use super::view::{self, Choice, LineWords};
use crate::web::limits::ROWS_PER_PAGE;
use crate::web::{Answer, Pages, Permission, Shell, Visit, page_asked, rows_before};

/// In the list of whose people are shown: those whose main member of staff is gone.
pub(super) const ORPHANED: &str = "none";

#[derive(Template)]
#[template(path = "features/assignments/list.html")]
struct ListPage {
    shell: Shell,
    whose: Vec<Choice>,
    shown: String,
    rows: Vec<LineWords>,
    pages: Pages,
    orphaned: usize,
    is_orphaned: bool,
    manages: bool,
    shows_centre: bool,
}

fn asked(visit: &Visit, own: StaffId) -> (Whose, String) {
    let typed = visit.query.trimmed("staff");
    if typed == ORPHANED {
        return (Whose::Orphaned, typed.to_owned());
    }
    let staff = typed.parse().map_or(own, StaffId);
    (Whose::Of(staff), staff.to_string())
}

pub(super) fn page(visit: &Visit) -> Answer {
    let (own, today) = (visit.signed_in()?.staff_id, visit.today());
    let ((whose, shown), number) = (asked(visit, own), page_asked(&visit.query));
    let window = (ROWS_PER_PAGE, rows_before(number));
    let (loads, orphaned, (rows, total)) = visit.app.db().view(&visit.actor, |tx| {
        let orphaned = sql::list(tx, Whose::Orphaned, today, (0, 0))?.1;
        let read = (
            sql::loads(tx, today)?,
            orphaned,
            sql::list(tx, whose, today, window)?,
        );
        let event = Event::done(Operation::AssignmentList).detail(format!("staff={shown}"));
        Ok::<_, StoreError>(tx.audited(event, read))
    })?;
    visit.page(&ListPage {
        shell: Shell::new(visit, "担当").under(&[]),
        whose: view::whose(&loads, own, &shown),
        rows: rows.iter().map(|row| view::line(row, today)).collect(),
        pages: Pages::new("/assignments", &visit.query, number, total),
        orphaned,
        is_orphaned: whose == Whose::Orphaned,
        manages: visit.may(Permission::AssignmentManage),
        shows_centre: visit.actor.centre_id.is_none(),
        shown,
    })
}
