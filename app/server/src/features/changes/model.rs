//! Changes and conflicts as they wait for staff. No I/O.

use base::secrecy::{Kana, PersonName};
use store::{ResidentId, id_type};

id_type!(
    /// What an import changed about a person.
    ChangeId
);
id_type!(
    /// A place where the register contradicts a correction.
    ConflictId
);

/// A change that nobody took note of yet.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) id: ChangeId,
    pub(super) kind: String,
    pub(super) fields: String,
    pub(super) resident: ResidentId,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) born_on: String,
    pub(super) applied_at: String,
}

/// A conflict that nobody decided yet.
#[derive(Debug)]
pub(super) struct Conflict {
    pub(super) id: ConflictId,
    pub(super) resident: ResidentId,
    pub(super) name: PersonName,
    pub(super) field: String,
    /// Typed text may be anything about a person.
    pub(super) typed: base::secrecy::Note,
    pub(super) register: base::secrecy::Note,
    pub(super) reason: base::secrecy::Note,
    pub(super) by: String,
    pub(super) at: String,
}

/// What somebody else did first.
#[derive(Debug)]
pub(super) struct Earlier {
    pub(super) by: String,
    pub(super) at: String,
    /// `keep`, `register`, or nothing for a confirmation.
    pub(super) decision: String,
}

/// What can be decided about a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// What staff typed goes on to hold.
    Keep,
    /// The register holds again.
    Register,
}

impl Decision {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Register => "register",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        [Self::Keep, Self::Register]
            .into_iter()
            .find(|known| known.code() == code)
    }
}
