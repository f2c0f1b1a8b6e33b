//! Somebody was faster, or the record was withdrawn meanwhile: 409 with both versions.

use axum::http::StatusCode;

use super::model::Record;
use super::pages::FormPage;
use super::view::{self, Difference};
use crate::web::{Answer, Visit};

/// What stands above the form when two people corrected the same record.
pub(super) struct Conflict {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) saved_version: i64,
    pub(super) differences: Vec<Difference>,
}

/// Both versions side by side; the form below holds what was typed and starts from the newest.
pub(super) fn page(visit: &Visit, record: &Record, mut page: FormPage) -> Answer {
    let saved = view::facts(
        &view::typed(&record.current.entry),
        &record.lists,
        visit.today(),
    );
    let typed = view::facts(&visit.form, &record.lists, visit.today());
    page.shell.title = "ほかの人が先に訂正しました".to_owned();
    page.base_version = record.current.version;
    page.conflict = Some(Conflict {
        by: record.current.recorded_by.clone(),
        at: view::moment(&record.current.recorded_at),
        saved_version: record.current.version,
        differences: view::differences(&saved, &typed),
    });
    visit.page_as(StatusCode::CONFLICT, &page)
}
