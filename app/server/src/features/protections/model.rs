//! People, grants, shields and exclusions, and what state each is in. No I/O.

use base::secrecy::PersonName;
use jiff::civil::Date;
use store::{CentreId, ResidentId, StaffId};

use crate::features::approvals::{self, ApprovalId};

/// Somebody about whom is decided. Where she lives is not in it.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: ResidentId,
    pub(super) addressee_no: String,
    pub(super) insured_no: Option<String>,
    pub(super) name: PersonName,
    pub(super) kana: PersonName,
    pub(super) centre_id: CentreId,
    pub(super) centre: String,
    /// The register says that she is shielded.
    pub(super) in_register: bool,
    pub(super) register_until: Option<Date>,
}

/// What every one of these rows has.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) id: i64,
    pub(super) resident: ResidentId,
    pub(super) addressee_no: String,
    pub(super) reason: String,
    pub(super) by_name: String,
    pub(super) at: String,
    pub(super) ending: Option<Act>,
}

/// Who ended or decided something, when and why.
#[derive(Debug, Clone)]
pub(super) struct Act {
    pub(super) by_name: String,
    pub(super) at: String,
    pub(super) reason: String,
}

/// 閲覧許可.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) made: Made,
    pub(super) staff: StaffId,
    pub(super) staff_login: String,
    pub(super) staff_name: String,
    pub(super) starts_on: Date,
    pub(super) ends_on: Date,
    pub(super) urgent: bool,
    /// The request to the second person.
    pub(super) approval: ApprovalId,
    pub(super) decision: Option<(approvals::State, Act)>,
}

/// A shield beside the register's flag.
#[derive(Debug, Clone)]
pub(super) struct Shield {
    pub(super) made: Made,
    /// Left by an import that no longer names her.
    pub(super) of_register: bool,
    pub(super) planned_until: Option<Date>,
}

/// A member of staff who does not meet this person.
#[derive(Debug, Clone)]
pub(super) struct Exclusion {
    pub(super) made: Made,
    pub(super) staff: StaffId,
    pub(super) staff_login: String,
    pub(super) staff_name: String,
    pub(super) relation: String,
}

/// What became of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Asked for; opens nothing yet.
    Waiting,
    /// Opens at once, and waits for the second person.
    Urgent,
    /// Opens.
    InForce,
    /// Approved for later.
    Planned,
    /// Its last day has passed.
    Over,
    /// A second person said no.
    Refused,
    /// Whoever asked took it back before anybody decided.
    Withdrawn,
    /// Nobody decided in time.
    Lapsed,
    /// Taken back.
    Ended,
}

impl State {
    /// In the access log, where old and new state stand.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Urgent => "urgent",
            Self::InForce => "in_force",
            Self::Planned => "planned",
            Self::Over => "over",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Lapsed => "lapsed",
            Self::Ended => "ended",
        }
    }

    /// Waits for a second person.
    pub(super) const fn waits(self) -> bool {
        matches!(self, Self::Waiting | Self::Urgent)
    }

    /// Opens, or will.
    pub(super) const fn is_open(self) -> bool {
        self.waits() || self.can_end()
    }

    /// Can be taken back; what only waits is taken back where it waits.
    pub(super) const fn can_end(self) -> bool {
        matches!(self, Self::Urgent | Self::InForce | Self::Planned)
    }
}

/// State of a grant on a day.
pub(super) fn state(grant: &Grant, today: Date) -> State {
    use approvals::State as Decided;
    match grant.decision.as_ref().map(|(decided, _)| *decided) {
        _ if grant.made.ending.is_some() => State::Ended,
        Some(Decided::Refused) => State::Refused,
        Some(Decided::Withdrawn) => State::Withdrawn,
        Some(Decided::Lapsed) => State::Lapsed,
        _ if grant.ends_on < today => State::Over,
        Some(Decided::Approved) if grant.starts_on > today => State::Planned,
        Some(Decided::Approved) => State::InForce,
        Some(Decided::Waiting | Decided::Urgent) | None if grant.urgent => State::Urgent,
        Some(Decided::Waiting | Decided::Urgent) | None => State::Waiting,
    }
}

/// Somebody at work on a day.
#[derive(Debug, Clone)]
pub(super) struct Colleague {
    pub(super) id: StaffId,
    pub(super) login: String,
    pub(super) name: String,
    pub(super) role: String,
    pub(super) centre_id: Option<CentreId>,
    pub(super) centre: String,
}

/// Why the sealed list is opened, as stored and as read.
pub(super) const SEALED_REASONS: &[(&str, &str)] = &[
    ("monthly", "定期の見守りの確認"),
    ("disaster", "災害・避難の支援"),
    ("agency", "関係機関からの照会"),
    ("renewal", "支援措置の期間の確認"),
];
