//! Who was given a person; no I/O.

use base::secrecy::{Kana, Note, PersonName};
use jiff::civil::Date;
use store::{CentreId, ResidentId, Scope, StaffId};

use crate::features::staff::rights::Holder;
use crate::web::Role;

/// The section that cases are referred to.
pub(super) const SECTION: Role = Role::CityWelfare;

/// To whom a person is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Everybody of a section.
    Section(Role),
    /// One member of staff.
    Staff(StaffId),
}

/// A checked grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// Who is given.
    pub resident: ResidentId,
    /// To whom.
    pub whom: Whom,
    /// Records may be written too.
    pub may_write: bool,
    /// First day.
    pub starts_on: Date,
    /// Last day; none: until it is ended.
    pub ends_on: Option<Date>,
    /// Why.
    pub reason: String,
}

/// A grant as stored.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) id: i64,
    pub(super) resident: ResidentId,
    pub(super) role: Option<String>,
    pub(super) staff: Option<StaffId>,
    pub(super) staff_name: String,
    pub(super) staff_centre: String,
    pub(super) may_write: bool,
    pub(super) starts_on: Date,
    pub(super) ends_on: Option<Date>,
    pub(super) reason: Note,
    pub(super) by: String,
    pub(super) by_id: StaffId,
    pub(super) at: String,
    pub(super) ending: Option<(String, String, Note)>,
}

impl Grant {
    /// It shows the person on some day from today on.
    pub(super) fn lasts(&self, today: Date) -> bool {
        self.ending.is_none() && self.ends_on.is_none_or(|end| end >= today)
    }

    pub(super) fn is_to(&self, whom: Whom) -> bool {
        match whom {
            Whom::Section(role) => self.role.as_deref() == Some(role.code()),
            Whom::Staff(id) => self.staff == Some(id),
        }
    }

    pub(super) fn says(&self, new: &NewGrant, by: StaffId) -> bool {
        self.by_id == by
            && self.is_to(new.whom)
            && self.may_write == new.may_write
            && (self.starts_on, self.ends_on) == (new.starts_on, new.ends_on)
            && self.reason == Note::from(new.reason.as_str())
    }
}

/// A person as the page about her grants shows her.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) centre: CentreId,
}

/// Does somebody's post show her everybody of this centre?
pub(super) fn meets_anyway(member: &Holder, centre: CentreId) -> bool {
    match member.scope {
        Scope::City => true,
        Scope::Centre(own) => own == centre,
        Scope::Assigned(_) | Scope::Nothing => false,
    }
}

/// A person who was given to the viewer.
#[derive(Debug, Clone)]
pub struct Given {
    /// Who.
    pub resident: ResidentId,
    /// Name.
    pub name: PersonName,
    /// Reading.
    pub kana: Kana,
    /// To the whole section.
    pub is_referral: bool,
    /// Records may be written too.
    pub may_write: bool,
    /// First day.
    pub starts_on: Date,
    /// Last day.
    pub ends_on: Option<Date>,
    /// Why.
    pub reason: Note,
    /// Who looks after her.
    pub centre: String,
}
