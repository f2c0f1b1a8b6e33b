//! The start page.

use askama::Template;
use store::Scope;

use super::store as sql;
use super::view::{self, ChangeWords, Counter, DraftWords, GivenWords, WaitingWords};
use crate::features::carried_out::{self, model::Reach};
use crate::features::{abuse_cases, approvals, data_registers};
use crate::web::{Answer, Permission, Problem, Shell, SignedIn, Visit, redirect};

#[derive(Template)]
#[template(path = "features/my_day/day.html")]
struct DayPage {
    shell: Shell,
    counters: Vec<Counter>,
    waiting: Vec<WaitingWords>,
    own_open: Vec<WaitingWords>,
    changes: Vec<ChangeWords>,
    drafts: Vec<DraftWords>,
    given: Vec<GivenWords>,
    given_count: usize,
    /// Sees nobody but whom others gave her.
    is_section: bool,
    may_write: bool,
    is_empty: bool,
    /// Two when something stands in the second one.
    columns: &'static str,
}

#[derive(Template)]
#[template(path = "features/my_day/system.html")]
struct SystemPage {
    shell: Shell,
    counters: Vec<Counter>,
}

/// Whose incidents somebody is told of, as the statement asks for it.
fn incidents_of(staff: &SignedIn) -> i64 {
    if staff.rights.has(Permission::IncidentManage) {
        0
    } else if staff.rights.has(Permission::IncidentView) {
        staff.centre_id.map_or(-1, |id| id.0)
    } else {
        -1
    }
}

pub(super) fn show(visit: &Visit) -> Answer {
    let staff = visit.signed_in()?;
    if staff.rights.has(Permission::MaintenanceWork) {
        return Ok(redirect("/maintenance/own"));
    }
    let shell = Shell::new(visit, "今日の予定");
    let today = visit.today();
    if !visit.may(Permission::ConsultationView) {
        let read = |tx: &store::ReadTx<'_>| approvals::waiting(tx, staff, today);
        let waiting = visit.app.db().read(&visit.actor, read)?;
        let counters = view::approvals(&waiting).into_iter();
        let counters = counters.filter(|counter| counter.number > 0).collect();
        return visit.page(&SystemPage { shell, counters });
    }
    let day = visit.app.db().read(&visit.actor, |tx| {
        let whose = (staff.staff_id, staff.role, incidents_of(staff));
        let mut day = sql::day(tx, whose, visit.actor.centre_id, today)?;
        day.approvals = approvals::waiting(tx, staff, today)?;
        day.carried_out_overdue = carried_out::overdue(tx, Reach::of(visit), today)?;
        if visit.may(Permission::AbuseView) {
            day.abuse_due = abuse_cases::due(tx, today)?;
        }
        if visit.may(Permission::DataRegisterWrite) {
            let own = visit.actor.centre_id;
            day.inspections_overdue = data_registers::overdue(tx, own, today)?;
        }
        Ok::<_, Problem>(day)
    })?;
    let words = |rows: &[super::model::Waiting]| -> Vec<WaitingWords> {
        rows.iter().map(|row| view::waiting(row, today)).collect()
    };
    let may_correct = visit.may(Permission::ResidentCorrect);
    let may_receive = visit.may(Permission::TransferHandle);
    let counters = view::counters(&day, may_correct, may_receive);
    let beside = !day.drafts.is_empty() || (may_correct && !day.first_changes.is_empty());
    visit.page(&DayPage {
        is_empty: counters.is_empty()
            && day.waiting.is_empty()
            && day.drafts.is_empty()
            && day.given.is_empty(),
        given: day
            .given
            .iter()
            .map(|given| view::given(given, today))
            .collect(),
        given_count: day.given_count,
        is_section: visit.actor.scope == Scope::Nothing,
        columns: if beside { "cols-2" } else { "stack" },
        waiting: words(&day.waiting),
        own_open: words(&day.own_open),
        changes: if may_correct {
            day.first_changes.iter().map(view::change).collect()
        } else {
            Vec::new()
        },
        drafts: day.drafts.iter().map(view::draft).collect(),
        may_write: visit.may_record_anybody(),
        counters,
        shell,
    })
}
