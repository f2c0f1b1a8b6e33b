//! One field of a person with everything that was corrected in it. No I/O.

use base::secrecy::{Note, PersonName};
use store::{CentreId, StaffId};

/// What can be corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Kana,
    Phone,
    Address,
}

impl Field {
    pub(super) const ALL: &'static [Self] = &[Self::Kana, Self::Phone, Self::Address];

    /// As stored, and as in the address of the form.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Kana => "kana",
            Self::Phone => "phone",
            Self::Address => "address",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Kana => "氏名カナ",
            Self::Phone => "電話番号",
            Self::Address => "住所",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }
}

/// From here on the register counted again.
#[derive(Debug)]
pub(super) struct Ending {
    /// `None`: the system.
    pub(super) staff: Option<StaffId>,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) reason: Note,
}

#[derive(Debug)]
pub(super) struct Correction {
    pub(super) id: i64,
    pub(super) value: Note,
    pub(super) register: Note,
    pub(super) reason: Note,
    pub(super) staff: StaffId,
    pub(super) by: String,
    pub(super) at: String,
    pub(super) ending: Option<Ending>,
}

/// One field of one person.
#[derive(Debug)]
pub(super) struct FieldState {
    pub(super) name: PersonName,
    pub(super) shielded: bool,
    pub(super) centre: CentreId,
    /// False for whoever only reads her.
    pub(super) writable: bool,
    /// What the register says now.
    pub(super) register: Note,
    /// Newest first.
    pub(super) all: Vec<Correction>,
}

impl FieldState {
    /// The correction that holds.
    pub(super) fn holding(&self) -> Option<&Correction> {
        self.all.iter().find(|known| known.ending.is_none())
    }

    /// What the page of the person shows.
    pub(super) fn shown(&self) -> &Note {
        self.holding().map_or(&self.register, |known| &known.value)
    }

    /// Nothing changed in who may see the person: what the viewer was shown is still theirs.
    pub(super) fn is_as_visible_as(&self, seen: &Self) -> bool {
        (self.centre, self.shielded) == (seen.centre, seen.shielded)
    }

    pub(super) fn find(&self, id: i64) -> Option<&Correction> {
        self.all.iter().find(|known| known.id == id)
    }
}

/// What was typed, checked and in the form in which it is stored.
pub(super) struct Typed {
    pub(super) value: Note,
    pub(super) reason: Note,
}
