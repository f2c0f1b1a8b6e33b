//! Changes of rights, and what somebody holds on a day; no I/O.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::{Scope, StaffId};

use crate::features::staff::accounts::model::{Centre, Term, Written};
use crate::web::{Permission, Rights, Role};

store::id_type!(
    /// One row of `role_rights`.
    RoleRightId
);
store::id_type!(
    /// One exception of one person.
    ExceptionId
);
store::id_type!(
    /// One list prepared for a day.
    PlanId
);

/// One permission, to be given or taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub permission: Permission,
    /// Given, or taken away.
    pub granted: bool,
}

/// What a role may do from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleChange {
    /// Which role.
    pub role: Role,
    /// First day.
    pub starts_on: Date,
    /// What changes.
    pub steps: Vec<Step>,
    /// Why.
    pub reason: String,
}

/// What one person may or may not do beside her role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewException {
    /// Who.
    pub staff: StaffId,
    /// Given, or taken away.
    pub step: Step,
    /// First day.
    pub starts_on: Date,
    /// Last day; `None` only for what is taken away.
    pub ends_on: Option<Date>,
    /// Why.
    pub reason: String,
}

/// One decision about rights, as pages make it and approvals keep it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A role, from a day on.
    Role(RoleChange),
    /// A planned row of a role, taken back.
    Withdrawal {
        /// The row.
        row: RoleRightId,
        /// Why.
        reason: String,
    },
    /// One person's exception.
    Exception(NewException),
    /// Another last day of an exception.
    ExceptionEnd {
        /// Which.
        exception: ExceptionId,
        /// The last day; before the first: it never came to be.
        ends_on: Date,
        /// Why.
        reason: String,
    },
    /// Somebody becomes a system administrator.
    Post {
        /// Who.
        staff: StaffId,
        /// The role.
        role: Role,
        /// Code; `None`: the city.
        centre: Option<String>,
        /// Profession.
        job: String,
        /// First day.
        starts_on: Date,
        /// Why.
        reason: String,
    },
    /// A list, confirmed as a whole.
    Plan {
        /// Which.
        plan: PlanId,
        /// Its lines when it was shown: a second person approves these and no others.
        stand: String,
        /// Why.
        reason: String,
    },
}

impl Change {
    /// Why it is made.
    pub fn reason(&self) -> &str {
        match self {
            Self::Role(change) => &change.reason,
            Self::Exception(new) => &new.reason,
            Self::Withdrawal { reason, .. }
            | Self::ExceptionEnd { reason, .. }
            | Self::Post { reason, .. }
            | Self::Plan { reason, .. } => reason,
        }
    }
}

/// A right that makes administrators: it is given by two people.
pub const fn makes_administrators(permission: Permission) -> bool {
    matches!(
        permission,
        Permission::StaffAdminister | Permission::ApprovalDecide
    )
}

/// Does a change of a role need a second person?
pub fn needs_two(role: Role, steps: &[Step]) -> bool {
    role == Role::SystemAdmin
        || steps
            .iter()
            .any(|step| step.granted && makes_administrators(step.permission))
}

/// A dated row of a role, with who wrote it.
#[derive(Debug, Clone)]
pub struct RoleRow {
    /// Its id.
    pub id: RoleRightId,
    /// Which role.
    pub role: Role,
    /// What it says.
    pub step: Step,
    /// First day.
    pub starts_on: Date,
    /// Who wrote it, when, why.
    pub made: Written,
    /// True for the matrix as it was shipped.
    pub is_shipped: bool,
}

/// An exception, with who wrote it.
#[derive(Debug, Clone)]
pub struct Exception {
    /// Its id.
    pub id: ExceptionId,
    /// Whose.
    pub staff: StaffId,
    /// What it says.
    pub step: Step,
    /// From when to when, as it counts now.
    pub term: Term,
    /// Who wrote it, when, why.
    pub made: Written,
    /// Who changed its last day last.
    pub ending: Option<Written>,
}

/// Somebody who has a post on a day, with everything that follows from it.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The person.
    pub staff: StaffId,
    /// ID for signing in.
    pub login: String,
    /// Name.
    pub name: String,
    /// Code of the role; one that this version does not know opens nothing.
    pub role: String,
    /// `None`: the city.
    pub centre: Option<Centre>,
    /// Whom the person sees.
    pub scope: Scope,
    /// What the person may do.
    pub rights: Rights,
}

impl Holder {
    /// Role and centre, to be compared.
    fn place(&self) -> (&str, Option<&Centre>) {
        (&self.role, self.centre.as_ref())
    }
}

/// What a change does to one person.
#[derive(Debug, Clone)]
pub struct Difference {
    /// Name.
    pub name: String,
    /// Before; `None`: no post.
    pub before: Option<Holder>,
    /// After; `None`: no post.
    pub after: Option<Holder>,
    /// What the person may do in addition.
    pub gained: Vec<Permission>,
    /// What the person may not do any more.
    pub lost: Vec<Permission>,
}

/// Whom a change touches, in the order of the lists.
pub fn differences(before: &[Holder], after: &[Holder]) -> Vec<Difference> {
    let find = |list: &[Holder], staff| list.iter().find(|h| h.staff == staff).cloned();
    let newcomers = after.iter().filter(|h| find(before, h.staff).is_none());
    let all = before.iter().chain(newcomers);
    let compared = all.map(|holder| {
        let (old, new) = (find(before, holder.staff), find(after, holder.staff));
        let rights = |side: &Option<Holder>| side.as_ref().map(|h| h.rights.clone());
        let (held, holds) = (
            rights(&old).unwrap_or_default(),
            rights(&new).unwrap_or_default(),
        );
        Difference {
            name: holder.name.clone(),
            gained: holds.beyond(&held),
            lost: held.beyond(&holds),
            before: old,
            after: new,
        }
    });
    let moved = |d: &Difference| {
        let place = |side: &Option<Holder>| {
            side.as_ref().map(|h| {
                let (role, centre) = h.place();
                (role.to_owned(), centre.cloned())
            })
        };
        place(&d.before) != place(&d.after)
    };
    compared
        .filter(|d| !d.gained.is_empty() || !d.lost.is_empty() || moved(d))
        .collect()
}
