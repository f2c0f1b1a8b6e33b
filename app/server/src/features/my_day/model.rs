//! What waits, as read; no I/O.

use base::secrecy::{Note, PersonName};
use jiff::civil::Date;

use crate::features::approvals;
use crate::features::case_grants::Given;

/// A consultation that something is still to be done about.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) id: i64,
    pub(super) received_on: String,
    pub(super) name: Option<PersonName>,
    pub(super) told: PersonName,
    pub(super) identified: bool,
    pub(super) urgency: String,
    pub(super) urgency_label: String,
    pub(super) what: String,
    pub(super) content: Note,
    pub(super) due_on: Option<Date>,
    pub(super) is_mine: bool,
    /// Somebody else wrote it; the viewer looks after the person.
    pub(super) in_charge: bool,
}

/// A change of the register that nobody confirmed yet.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) resident_id: i64,
    pub(super) name: PersonName,
    pub(super) kind: String,
}

/// Half-typed words.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) form: String,
    pub(super) saved_at: String,
}

/// Everything on the page.
#[derive(Debug, Clone, Default)]
pub(super) struct Day {
    /// Requests that the viewer may decide, and her own that others have not decided.
    pub(super) approvals: approvals::Waiting,
    /// People who came to the centre with records that nobody there confirmed to have read.
    pub(super) transfers: i64,
    /// Referred to the section or named to the viewer, the newest first.
    pub(super) given: Vec<Given>,
    pub(super) given_count: usize,
    /// Incidents that are not closed, of those one sees.
    pub(super) incidents: i64,
    pub(super) overdue: i64,
    pub(super) due_today: i64,
    pub(super) open: i64,
    /// People whom the viewer is in charge of (担当).
    pub(super) assigned: i64,
    pub(super) changes: i64,
    pub(super) conflicts: i64,
    /// Abuse cases that name the viewer and wait: nobody saw her safe, or a review is due.
    pub(super) abuse_due: i64,
    pub(super) carried_out_overdue: i64,
    pub(super) inspections_overdue: i64,
    pub(super) ending_30: i64,
    pub(super) ending_60: i64,
    pub(super) waiting: Vec<Waiting>,
    pub(super) own_open: Vec<Waiting>,
    pub(super) first_changes: Vec<Change>,
    pub(super) drafts: Vec<Draft>,
}
