//! A plan to give areas to another centre, and what it moves; no I/O.

use jiff::civil::Date;

/// An area as it holds today.
#[derive(Debug, Clone)]
pub(super) struct Area {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) centre: i64,
    pub(super) centre_name: String,
    /// The newest entry starts on this day; a change must come later.
    pub(super) newest_from: String,
    /// The plan that waits for this area, with its day.
    pub(super) planned: Option<(i64, Date)>,
}

/// A centre that can be chosen.
#[derive(Debug, Clone)]
pub(super) struct Centre {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) short_name: String,
    pub(super) valid_to: Option<Date>,
}

/// A checked plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Sorted.
    pub(super) areas: Vec<String>,
    pub(super) to: i64,
    pub(super) on: Date,
    pub(super) reason: String,
}

impl Plan {
    /// Names what a preview showed; a form that says something else must be shown again.
    pub(super) fn key(&self) -> String {
        format!("{} {} {}", self.areas.join("+"), self.to, self.on)
    }
}

/// How many people; those under 支援措置 are in none of the numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) people: i64,
    pub(super) elders: i64,
    pub(super) certified: i64,
    pub(super) waiting: i64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.people += more.people;
        self.elders += more.elders;
        self.certified += more.certified;
        self.waiting += more.waiting;
    }
}

/// Who goes from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    pub(super) area: String,
    pub(super) from: String,
    pub(super) counts: Counts,
}

/// Whether somebody took a plan back, or its day came.
#[derive(Debug, Clone)]
pub(super) enum State {
    Planned,
    Withdrawn {
        by: String,
        at: String,
        reason: String,
    },
    Applied {
        at: String,
        counts: Counts,
    },
}

/// A plan as stored.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) id: i64,
    pub(super) to: i64,
    pub(super) to_name: String,
    pub(super) on: Date,
    pub(super) reason: String,
    pub(super) by: String,
    pub(super) at: String,
    /// Code and name.
    pub(super) areas: Vec<(String, String)>,
    pub(super) state: State,
}

impl Change {
    /// It can be taken back until its day begins.
    pub(super) fn can_be_withdrawn(&self, today: Date) -> bool {
        matches!(self.state, State::Planned) && today < self.on
    }

    pub(super) fn codes(&self) -> Vec<String> {
        self.areas.iter().map(|(code, _)| code.clone()).collect()
    }
}
