//! What is searched for, and what an entry says.

use base::secrecy::PersonName;
use jiff::civil::Date;
use store::{Operation, Outcome, RecordKind, ResidentId, StaffId};

use crate::web::veil;

/// Most rows in one file. At about 150 bytes a row this is 30 MB, which Excel still opens; a busy
/// year of the whole city fits into four such files.
pub(super) const EXPORT_ROWS_MAX: usize = 200_000;
/// Most rows on paper: about 60 sheets, which somebody still reads.
pub(super) const PRINT_ROWS_MAX: usize = 1_000;
/// Entries of one index that a search looks at before it shows what it has and offers to go on.
/// A page of a rare combination costs as much as five thousand rows and no more.
pub(super) const WALK_MAX: i64 = 5_000;
/// Members of staff whose name may fit what was typed.
pub(super) const STAFF_FOUND_MAX: i64 = 50;

/// What was asked for, checked; the words for person and staff are still to be looked up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    pub(super) operation: Option<Operation>,
    pub(super) outcome: Option<Outcome>,
    pub(super) menu: Option<String>,
    pub(super) terminal: Option<String>,
    pub(super) record: Option<(RecordKind, i64)>,
    /// An archived year in the place of the database.
    pub(super) year: Option<i16>,
    /// Only entries older than this position.
    pub(super) before: Option<i64>,
    pub(super) who: Who,
    /// Entries about abuse cases are read as they are; without it, under the veil.
    pub(super) sees_abuse: bool,
}

/// Whom the entries are about and who made them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) resident: Sought<ResidentId>,
    pub(super) staff: Sought<StaffId>,
}

/// What became of a search word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Sought<T> {
    /// Nothing was asked for.
    #[default]
    Anybody,
    /// One of these.
    These(Vec<T>),
    /// Nobody fits, or nobody whom the asker may see.
    Nobody,
}

impl<T> Sought<T> {
    pub(super) fn of(found: Vec<T>) -> Self {
        if found.is_empty() {
            Self::Nobody
        } else {
            Self::These(found)
        }
    }

    pub(super) fn is_nobody(&self) -> bool {
        matches!(self, Self::Nobody)
    }
}

/// The newest entries that fit, as far as was looked.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) entries: Vec<Entry>,
    /// Older ones were not looked at: go on before this position.
    pub(super) looked_to: Option<i64>,
}

/// One entry with the names that its staff and centre have today.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) id: i64,
    pub(super) at: String,
    pub(super) staff_id: Option<i64>,
    pub(super) login: Option<String>,
    pub(super) staff_name: Option<String>,
    pub(super) centre_id: Option<i64>,
    pub(super) centre: Option<String>,
    pub(super) menu: String,
    pub(super) operation: String,
    pub(super) resident: Option<ResidentId>,
    pub(super) record_kind: Option<String>,
    pub(super) record_id: Option<i64>,
    pub(super) terminal: String,
    pub(super) outcome: String,
    pub(super) detail: String,
    /// Profession on that day; what is told of staff to whom names are not.
    pub(super) job: Option<String>,
    /// Role on that day, as stored.
    pub(super) role: Option<String>,
}

impl Entry {
    /// As whoever does not keep abuse cases reads it. A refused try stays a refused try.
    pub(super) fn veiled(mut self) -> Self {
        if self.menu != veil::ABUSE_MENU {
            return self;
        }
        let veil = veil::over(self.resident.is_some());
        veil.menu.clone_into(&mut self.menu);
        veil.detail.clone_into(&mut self.detail);
        self.operation = veil::shown(self.operation, self.resident.is_some());
        self
    }
}

/// A person of the list whom the viewer may see by name.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) id: ResidentId,
    pub(super) name: PersonName,
}
