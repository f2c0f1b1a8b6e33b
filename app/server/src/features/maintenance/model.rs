//! A window and where it stands; no I/O.

use jiff::Timestamp;
use store::StaffId;

store::id_type!(
    /// One grant.
    GrantId
);

/// A window starts at most this many days ahead.
pub(super) const AHEAD_DAYS: i32 = 30;

/// A checked new window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// Whom of the vendor.
    pub staff: StaffId,
    /// What for.
    pub purpose: String,
    /// From when.
    pub starts_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
    /// One per opened form.
    pub submission: String,
}

/// Somebody of the vendor who can be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) id: StaffId,
    pub(super) login: String,
    pub(super) name: String,
}

/// A window with the names around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) id: GrantId,
    pub(super) staff: StaffId,
    pub(super) login: String,
    pub(super) name: String,
    pub(super) purpose: String,
    pub(super) starts_at: String,
    pub(super) ends_at: String,
    pub(super) granted_by: String,
    pub(super) recorded_at: String,
    pub(super) ending: Option<Ending>,
    pub(super) requests: i64,
}

/// Ended before its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) at: String,
}

/// Where a window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Opens later.
    Planned,
    /// The vendor can come in.
    Open,
    /// Its time is over.
    Over,
    /// Somebody ended it.
    Ended,
}

impl Grant {
    pub(super) fn state(&self, now: &str) -> State {
        if self.ending.is_some() {
            State::Ended
        } else if self.ends_at.as_str() <= now {
            State::Over
        } else if self.starts_at.as_str() > now {
            State::Planned
        } else {
            State::Open
        }
    }

    /// Can it still be ended?
    pub(super) fn is_live(&self, now: &str) -> bool {
        matches!(self.state(now), State::Open | State::Planned)
    }
}

/// One request of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) at: String,
    pub(super) terminal: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) typed: String,
    pub(super) allowed: bool,
}
