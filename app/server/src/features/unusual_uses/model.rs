//! What is unusual, and the entries it is judged by.

use base::secrecy::PersonName;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Deserialize;
use store::{ResidentId, StaffId};

use crate::web::Problem;

/// Most entries of one day; the whole city writes a tenth of it.
pub(super) const ROWS_MAX: usize = 200_000;
/// Most entries that the page of one finding lists.
pub(super) const SHOWN_MAX: usize = 200;

/// What stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Shielded,
    ManyPersons,
    SameSurname,
    OutsideHours,
    OtherCentres,
    MassOutput,
    Refusals,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Shielded,
        Self::ManyPersons,
        Self::SameSurname,
        Self::OutsideHours,
        Self::OtherCentres,
        Self::MassOutput,
        Self::Refusals,
    ];

    /// As stored.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Shielded => "shielded",
            Self::ManyPersons => "many_persons",
            Self::SameSurname => "same_surname",
            Self::OutsideHours => "outside_hours",
            Self::OtherCentres => "other_centres",
            Self::MassOutput => "mass_output",
            Self::Refusals => "refusals",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// From when on what counts as unusual.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thresholds {
    pub(super) valid_from: Date,
    /// Different persons opened by one user …
    pub(super) persons: usize,
    /// … within so many minutes.
    pub(super) minutes: i64,
    /// Working hours in Japan.
    pub(super) opens_at: Time,
    pub(super) closes_at: Time,
    /// Inquiries about persons of other centres on one day.
    pub(super) inquiries: usize,
    /// Prints and files on one day.
    pub(super) outputs: usize,
    /// Refused tries on one day.
    pub(super) refusals: usize,
    pub(super) source: String,
    pub(super) unconfirmed: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    thresholds: Vec<Thresholds>,
}

const DATA: &str = include_str!("../../../data/unusual_uses.toml");

impl Thresholds {
    /// Those of a day; before the first nothing is unusual yet, and the first ones are taken.
    pub(super) fn of(day: Date) -> Result<Self, Problem> {
        let data: Data = toml::from_str(DATA).or(Err(Problem::Fault("unusual_uses.toml")))?;
        let mut all = data.thresholds;
        all.sort_by_key(|row| row.valid_from);
        let newest = all.iter().rev().find(|row| row.valid_from <= day);
        let found = newest.or_else(|| all.first()).cloned();
        found.ok_or(Problem::Fault("no thresholds of unusual use"))
    }
}

/// One entry of the day.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub(super) id: i64,
    pub(super) at: Timestamp,
    pub(super) staff: StaffId,
    pub(super) operation: String,
    pub(super) resident: Option<ResidentId>,
    pub(super) refused: bool,
    pub(super) detail: String,
}

/// Somebody who used the system that day.
#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) id: StaffId,
    pub(super) login: String,
    pub(super) name: String,
    pub(super) centre: Option<String>,
}

/// A person whom the viewer may see.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: ResidentId,
    pub(super) name: PersonName,
}

/// Something to look into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) staff: StaffId,
    /// Different persons, where it is about them.
    pub(super) persons: usize,
    /// Positions of its entries in the log.
    pub(super) entries: Vec<i64>,
}

/// That somebody looked into it.
#[derive(Debug, Clone)]
pub(super) struct Review {
    pub(super) kind: String,
    pub(super) staff: StaffId,
    /// How many entries there were then.
    pub(super) entries: usize,
    pub(super) note: String,
    pub(super) by: String,
    pub(super) at: String,
}

impl Review {
    pub(super) fn is_about(&self, finding: &Finding) -> bool {
        self.kind == finding.kind.code() && self.staff == finding.staff
    }
}

/// Is the newest review about all there is?
pub(super) fn is_reviewed(finding: &Finding, reviews: &[Review]) -> bool {
    reviews
        .iter()
        .any(|review| review.is_about(finding) && review.entries >= finding.entries.len())
}
