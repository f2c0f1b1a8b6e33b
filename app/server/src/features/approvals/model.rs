//! What waits for a second person, and where it stands; no I/O.

use jiff::civil::Date;
use store::{Event, StaffId, StoreError, WriteTx};

use crate::web::{Permission, Problem};

store::id_type!(
    /// One request.
    ApprovalId
);

/// A request that nobody decided is void after this many days.
pub const DAYS_MAX: i32 = 7;

/// A kind of act that needs a second person. The slice that does the act owns it.
#[derive(Debug)]
pub struct Kind {
    /// As stored; never changes.
    pub code: &'static str,
    /// As staff read it.
    pub label: &'static str,
    /// What it takes to decide, beside [`Permission::ApprovalDecide`].
    pub permission: Permission,
    /// Does what was asked for, inside the transaction of the decision; an error undoes both.
    pub run: fn(&Act<'_, '_>) -> Result<Vec<Event>, Halt>,
}

/// An approved act, about to be done.
#[derive(Debug)]
pub struct Act<'a, 'c> {
    /// The transaction of the decision.
    pub tx: &'a WriteTx<'c>,
    /// The request.
    pub id: ApprovalId,
    /// What [`Ask::payload`] said.
    pub payload: &'a str,
    /// Who asked.
    pub asked_by: StaffId,
    /// Who approved.
    pub approved_by: StaffId,
    /// Today in Japan.
    pub today: Date,
    /// Now, as it is stored.
    pub now: &'a str,
}

/// Why an approved act was not done; nothing is changed then, and the request still waits.
#[derive(Debug)]
pub enum Halt {
    /// It cannot be done any more: why, in words for staff.
    Refused(String),
    /// The world is in the way.
    Failed(Problem),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// What somebody asks for.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The kind.
    pub kind: &'static Kind,
    /// JSON that [`Kind::run`] reads.
    pub payload: String,
    /// What would happen, old and new, in one line.
    pub summary: String,
    /// Why.
    pub reason: &'a str,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for somebody.
    Waiting,
    /// Approved and done.
    Approved,
    /// Refused.
    Refused,
    /// Taken back by whoever asked.
    Withdrawn,
    /// Nobody decided in time.
    Expired,
}

impl State {
    /// As staff read it, and its colour.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("承認待ち", "warn"),
            Self::Approved => ("承認済み", "ok"),
            Self::Refused => ("却下", "bad"),
            Self::Withdrawn => ("取下げ", ""),
            Self::Expired => ("期限切れ", ""),
        }
    }

    /// The state a stored decision makes.
    pub(super) fn of(decision: &str) -> Self {
        match decision {
            "approved" => Self::Approved,
            "withdrawn" => Self::Withdrawn,
            _ => Self::Refused,
        }
    }

    /// As stored; `None` for what is no decision.
    pub(super) const fn code(self) -> Option<&'static str> {
        match self {
            Self::Approved => Some("approved"),
            Self::Refused => Some("refused"),
            Self::Withdrawn => Some("withdrawn"),
            Self::Waiting | Self::Expired => None,
        }
    }
}

/// A decision.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub(super) state: State,
    pub(super) reason: String,
    pub(super) by: StaffId,
    pub(super) by_name: String,
    pub(super) at: String,
}

/// A request as it is stored.
#[derive(Debug, Clone)]
pub(super) struct Approval {
    pub(super) id: ApprovalId,
    pub(super) kind: String,
    pub(super) payload: String,
    pub(super) summary: String,
    pub(super) reason: String,
    pub(super) by: StaffId,
    pub(super) by_name: String,
    pub(super) at: String,
    pub(super) expires_on: Date,
    pub(super) decision: Option<Decision>,
}

impl Approval {
    /// Where it stands on a day.
    pub(super) fn state(&self, today: Date) -> State {
        match &self.decision {
            Some(decision) => decision.state,
            None if self.expires_on < today => State::Expired,
            None => State::Waiting,
        }
    }
}
