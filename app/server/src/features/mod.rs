//! The slices. Each owns a noun: routes, SQL, words, tests.

pub mod abuse_cases;
pub mod access_log;
pub mod approvals;
pub mod area_changes;
pub mod assignments;
pub mod attachments;
pub mod backup_disks;
pub mod carried_out;
pub mod case_grants;
pub mod changes;
pub mod conditions;
pub mod consultations;
pub mod data_registers;
pub mod former_states;
pub mod imports;
pub mod incidents;
pub mod inquiries;
pub mod maintenance;
pub mod masters;
pub mod my_day;
pub mod protections;
pub mod residents;
pub mod restores;
pub mod retention;
pub mod staff;
pub mod terminals;
pub mod transfers;
pub mod unusual_uses;
pub mod viruses;

use crate::app::App;
use crate::web::daily::Task;
use crate::web::{Problem, Routes, Visit};

/// Every route of the product.
pub fn routes() -> Routes {
    Routes::new("(全体)")
        .with(staff::routes())
        .with(my_day::routes())
        .with(residents::routes())
        .with(inquiries::routes())
        .with(consultations::routes())
        .with(abuse_cases::routes())
        .with(attachments::routes())
        .with(former_states::routes())
        .with(transfers::routes())
        .with(assignments::routes())
        .with(case_grants::routes())
        .with(changes::routes())
        .with(imports::routes())
        .with(masters::routes())
        .with(protections::routes())
        .with(area_changes::routes())
        .with(terminals::routes())
        .with(access_log::routes())
        .with(unusual_uses::routes())
        .with(carried_out::routes())
        .with(data_registers::routes())
        .with(retention::routes())
        .with(maintenance::routes())
        .with(incidents::routes())
        .with(approvals::routes())
        .with(restores::routes())
        .with(backup_disks::routes())
        .with(conditions::routes())
        .with(viruses::routes())
}

/// Every kind of act that needs a second person.
pub fn approval_kinds() -> Vec<&'static approvals::Kind> {
    vec![
        &staff::rights::ADMINISTRATORS,
        &protections::GRANTS,
        &retention::DISPOSALS,
        &carried_out::EXPORTS,
    ]
}

/// What waits for this person, shown beside the items of the menu.
pub fn waiting(visit: &Visit) -> Vec<(&'static str, i64)> {
    approvals::badge(visit).into_iter().collect()
}

/// Looks through files for viruses that are due, again and again.
///
/// # Errors
/// Those of the store.
pub fn scan_due(app: &App) -> Result<(), Problem> {
    attachments::scan_due(app)
}

/// What is to be done once on each day, in this order.
pub fn daily() -> &'static [Task] {
    &[
        area_changes::apply_due,
        access_log::sign_day,
        terminals::renew_due,
        approvals::lapse,
        attachments::sweep,
    ]
}
