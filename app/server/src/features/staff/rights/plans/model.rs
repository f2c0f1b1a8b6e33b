//! A list prepared for a day; no I/O.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::StaffId;

use crate::features::staff::accounts::model::Written;
use crate::features::staff::rights::model::{PlanId, Step, makes_administrators, needs_two};
use crate::web::Role;

store::id_type!(
    /// One line of a list.
    LineId
);

/// What one line does on the day of its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub(super) enum Line {
    /// Somebody gets a new post; the open one ends on the day before.
    Post {
        staff: StaffId,
        role: Role,
        /// Code; `None`: the city.
        centre: Option<String>,
        job: String,
    },
    /// Somebody's last day is the day before.
    Leave { staff: StaffId },
    /// A role may do something, or no more.
    Role { role: Role, step: Step },
    /// One person's exception.
    Exception {
        staff: StaffId,
        step: Step,
        ends_on: Option<Date>,
    },
}

impl Line {
    /// Whom it is about, if it is about one person.
    pub(super) fn staff(&self) -> Option<StaffId> {
        match self {
            Self::Post { staff, .. } | Self::Leave { staff } | Self::Exception { staff, .. } => {
                Some(*staff)
            }
            Self::Role { .. } => None,
        }
    }

    /// Does it make administrators, or change what they may do?
    pub(super) fn concerns_administrators(&self) -> bool {
        match self {
            Self::Post { role, .. } => *role == Role::SystemAdmin,
            Self::Leave { .. } => false,
            Self::Role { role, step } => needs_two(*role, &[*step]),
            Self::Exception { step, .. } => step.granted && makes_administrators(step.permission),
        }
    }

    /// Leavers first, then moves, roles, exceptions: an exception is judged on what is then.
    pub(super) fn order(&self) -> u8 {
        match self {
            Self::Leave { .. } => 0,
            Self::Post { .. } => 1,
            Self::Role { .. } => 2,
            Self::Exception { .. } => 3,
        }
    }
}

/// A line with its place and who entered it.
#[derive(Debug, Clone)]
pub(super) struct Entered {
    pub(super) id: LineId,
    pub(super) line: Line,
    pub(super) made: Written,
}

/// Where a list stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Being entered.
    Draft,
    /// Its rows are written; its day has not come.
    Confirmed,
    /// Its day has come.
    InForce,
    /// Taken back, before or after it was confirmed.
    Withdrawn,
    /// Its day came while it was being entered.
    Missed,
}

/// A list.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) id: PlanId,
    pub(super) title: String,
    pub(super) starts_on: Date,
    pub(super) made: Written,
    pub(super) lines: Vec<Entered>,
    /// `confirmed` or `withdrawn`, with who did it.
    pub(super) last_step: Option<(String, Written)>,
    /// Newest line, removals, steps: what a page was opened on.
    pub(super) stand: String,
}

impl Plan {
    /// Where it stands on a day.
    pub(super) fn state(&self, today: Date) -> State {
        match self.last_step.as_ref().map(|(step, _)| step.as_str()) {
            Some("confirmed") if self.starts_on > today => State::Confirmed,
            Some("confirmed") => State::InForce,
            Some(_) => State::Withdrawn,
            None if self.starts_on > today => State::Draft,
            None => State::Missed,
        }
    }
}

/// A row that a confirmed list wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::features::staff::rights) enum Effect {
    Post(i64),
    Ending(i64),
    RoleRight(i64),
    StaffRight(i64),
}

impl Effect {
    /// As stored.
    pub(super) const fn parts(self) -> (&'static str, i64) {
        match self {
            Self::Post(id) => ("post", id),
            Self::Ending(id) => ("ending", id),
            Self::RoleRight(id) => ("role_right", id),
            Self::StaffRight(id) => ("staff_right", id),
        }
    }

    /// From what is stored.
    pub(super) fn of(kind: &str, id: i64) -> Option<Self> {
        match kind {
            "post" => Some(Self::Post(id)),
            "ending" => Some(Self::Ending(id)),
            "role_right" => Some(Self::RoleRight(id)),
            "staff_right" => Some(Self::StaffRight(id)),
            _ => None,
        }
    }
}
