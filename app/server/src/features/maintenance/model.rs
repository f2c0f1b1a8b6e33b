//! A window and where it stands; no I/O.

use std::collections::BTreeMap;

use jiff::Timestamp;
use store::StaffId;

use crate::web::window;

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
    pub(super) id: i64,
    pub(super) at: String,
    pub(super) terminal: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) typed: String,
    pub(super) allowed: bool,
}

/// What the access log says about a record of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seal {
    /// It is what was written.
    Whole,
    /// It was altered afterwards.
    Bent,
    /// The access log knows nothing of it: somebody added it.
    Added,
    /// The access log of its year is not there.
    Unread,
}

/// The protocol of a window beside the access log.
#[derive(Debug, Clone, Default)]
pub(super) struct Comparison {
    seals: BTreeMap<i64, Seal>,
    /// Records that the access log knows and that are gone.
    pub(super) gone: usize,
}

impl Comparison {
    /// Of what the protocol holds and what the log says (number and checksum); `unread` when not
    /// all of the log could be read.
    pub(super) fn new(
        grant: GrantId,
        kept: &[Request],
        marks: &BTreeMap<i64, String>,
        unread: bool,
    ) -> Self {
        let seal = |request: &Request| match marks.get(&request.id) {
            Some(sum) if *sum == request.checksum(grant) => Seal::Whole,
            Some(_) => Seal::Bent,
            None if unread => Seal::Unread,
            None => Seal::Added,
        };
        let seals: BTreeMap<i64, Seal> = kept.iter().map(|r| (r.id, seal(r))).collect();
        let gone = marks.keys().filter(|id| !seals.contains_key(id)).count();
        Self { seals, gone }
    }

    pub(super) fn of(&self, request: &Request) -> Seal {
        self.seals.get(&request.id).copied().unwrap_or(Seal::Unread)
    }

    pub(super) fn count(&self, wanted: Seal) -> usize {
        self.seals.values().filter(|seal| **seal == wanted).count()
    }

    /// How much of it is not what was written.
    pub(super) fn wrong(&self) -> usize {
        self.count(Seal::Bent) + self.count(Seal::Added) + self.gone
    }
}

impl Request {
    fn checksum(&self, grant: GrantId) -> String {
        let (grant, number) = (grant.0.to_string(), self.id.to_string());
        let word = if self.allowed { "1" } else { "0" };
        let Self {
            at,
            terminal,
            method,
            path,
            typed,
            ..
        } = self;
        window::checksum(&[&grant, &number, at, terminal, method, path, typed, word])
    }
}
