//! What an entry says and what became of it; no I/O.

use jiff::civil::Date;
use store::{Actor, CentreId, StaffId};

use crate::features::masters::Code;
use crate::web::{Permission, Visit};

store::id_type!(
    /// One entry of the register.
    CarriedOutId
);

impl std::str::FromStr for CarriedOutId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Longest short text, characters.
pub(super) const FIELD_CHARS_MAX: usize = 200;
/// Longest note, characters.
pub(super) const NOTE_CHARS_MAX: usize = 1_000;
/// Most persons in one thing that leaves: more than the city has.
pub(super) const PERSONS_MAX: i64 = 1_000_000;
/// A due day lies at most this far ahead, years.
pub(super) const DUE_YEARS_MAX: i64 = 10;
/// The code of both lists that asks for an explanation.
pub(super) const OTHER: &str = "99";
/// Mail: nobody stands beside it.
pub(super) const MAIL: &str = "05";

/// How it was protected on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protection {
    /// Encrypted.
    Encrypted,
    /// Not encrypted; what protects it instead (第9条(3) 同等以上の保護措置).
    Instead(String),
}

/// What one version of an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The day it left.
    pub taken_on: Date,
    /// What it is: kind of list, of paper, of disk. No names.
    pub what: String,
    /// How many persons are in it.
    pub persons: i64,
    /// Code of `carried_out_purpose`.
    pub purpose: String,
    /// More about it.
    pub purpose_note: String,
    /// Code of `carried_out_medium`.
    pub medium: String,
    /// Number of the stick, label of the disk.
    pub medium_note: String,
    /// Where to.
    pub destination: String,
    /// Who takes it along.
    pub carried_by: String,
    /// How it is protected.
    pub protection: Protection,
    /// Returned or disposed of until; nothing: it stays there for good.
    pub due_on: Option<Date>,
    /// Anything else.
    pub note: String,
}

/// How an entry came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Export,
    Manual,
    Command,
}

impl Origin {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Manual => "manual",
            Self::Command => "command",
        }
    }

    pub(super) fn of(code: &str) -> Self {
        match code {
            "export" => Self::Export,
            "command" => Self::Command,
            _ => Self::Manual,
        }
    }
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Still out, the due day is not past.
    Open,
    /// Still out although the due day is past.
    Overdue,
    /// Stays where it went.
    Given,
    Returned,
    Disposed,
    Withdrawn,
}

/// What of the register somebody may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Everything.
    All,
    /// The entries of one centre.
    Centre(CentreId),
    /// One's own entries.
    Own(StaffId),
}

impl Reach {
    /// The reach of whoever asks; nobody signed in reaches nothing.
    pub fn of(visit: &Visit) -> Self {
        let Actor {
            staff_id,
            centre_id,
            ..
        } = &visit.actor;
        match (visit.may(Permission::CarriedOutView), centre_id) {
            (true, None) => Self::All,
            (true, Some(centre)) => Self::Centre(*centre),
            (false, _) => Self::Own(staff_id.unwrap_or(StaffId(0))),
        }
    }
}

/// One entry as it stands.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: CarriedOutId,
    pub(super) origin: Origin,
    pub(super) created_by: Option<StaffId>,
    pub(super) created_by_name: String,
    pub(super) centre: Option<String>,
    pub(super) created_at: String,
    pub(super) version: i64,
    pub(super) entry: Entry,
    pub(super) ending: Option<(String, Option<Date>)>,
    pub(super) withdrawn: bool,
}

impl Record {
    pub(super) fn state(&self, today: Date) -> State {
        if self.withdrawn {
            return State::Withdrawn;
        }
        match self.ending.as_ref().map(|(kind, _)| kind.as_str()) {
            Some("returned") => return State::Returned,
            Some("disposed") => return State::Disposed,
            _ => {}
        }
        match self.entry.due_on {
            None => State::Given,
            Some(due) if due < today => State::Overdue,
            Some(_) => State::Open,
        }
    }

    /// May whoever asks change it? Its maker, and who looks after the register.
    pub(super) fn is_for(&self, visit: &Visit) -> bool {
        let own = self.created_by.is_some() && self.created_by == visit.actor.staff_id;
        own || visit.may(Permission::CarriedOutManage)
    }
}

/// The two code lists as they hold on a day.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    pub(super) purposes: Vec<Code>,
    pub(super) media: Vec<Code>,
}

impl Lists {
    pub(super) fn purpose(&self, code: &str) -> String {
        named(&self.purposes, code)
    }

    pub(super) fn medium(&self, code: &str) -> String {
        named(&self.media, code)
    }
}

fn named(list: &[Code], code: &str) -> String {
    let known = list.iter().find(|known| known.code == code);
    known.map_or_else(|| code.to_owned(), |known| known.label.clone())
}
