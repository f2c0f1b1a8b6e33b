//! Attachments as read, what they are attached to, and the rules about them; no I/O.

use base::secrecy::{Kana, Note, PersonName};
use store::{ResidentId, StaffId};

use super::kinds::{self, Kind};
use crate::features::consultations::ConsultationId;

store::id_type!(
    /// One attached file.
    AttachmentId
);

impl std::str::FromStr for AttachmentId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// What a file is attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A person.
    Resident(ResidentId),
    /// A consultation.
    Consultation(ConsultationId),
}

impl Owner {
    /// The page of what it is attached to.
    pub(super) fn path(self) -> String {
        match self {
            Self::Resident(id) => format!("/residents/{id}"),
            Self::Consultation(id) => format!("/consultations/{id}"),
        }
    }

    /// The page of its attachments.
    pub(super) fn list(self) -> String {
        format!("{}/attachments", self.path())
    }

    /// As the access log tells it.
    pub(super) fn words(self) -> String {
        match self {
            Self::Resident(_) => "resident".to_owned(),
            Self::Consultation(id) => format!("consultation={id}"),
        }
    }
}

/// A person or consultation that files are attached to, as far as pages show it.
#[derive(Debug, Clone)]
pub(super) struct Holder {
    pub(super) owner: Owner,
    /// Whom it is about, when that is known.
    pub(super) person: Option<ResidentId>,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    /// Of a consultation.
    pub(super) number: String,
    pub(super) writable: bool,
    /// A withdrawn consultation is read and never changed.
    pub(super) withdrawn: bool,
}

/// Who did something, and when.
#[derive(Debug, Clone)]
pub(super) struct By {
    pub(super) name: String,
    pub(super) at: String,
}

/// What the newest look for viruses found.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// As the signatures call it; empty: nothing.
    pub(super) finding: String,
    pub(super) at: String,
}

/// One attached file with what is said about it now.
#[derive(Debug, Clone)]
pub(super) struct Attachment {
    pub(super) id: AttachmentId,
    pub(super) owner: Owner,
    pub(super) person: Option<ResidentId>,
    pub(super) shielded: bool,
    pub(super) writable: bool,
    pub(super) sha256: String,
    pub(super) bytes: u64,
    pub(super) kind_code: String,
    pub(super) file_name: Note,
    pub(super) added: By,
    pub(super) centre: String,
    pub(super) version: i64,
    pub(super) title: Note,
    pub(super) note: Note,
    pub(super) withdrawal: Option<(By, Note)>,
    /// Nothing: nobody looked into it.
    pub(super) look: Option<Look>,
}

impl Attachment {
    /// Nothing when this version of the program does not know it.
    pub(super) fn kind(&self) -> Option<&'static Kind> {
        kinds::of_code(&self.kind_code)
    }

    /// The virus that was found in it.
    pub(super) fn finding(&self) -> Option<&str> {
        let found = self.look.as_ref().map(|look| look.finding.as_str());
        found.filter(|finding| !finding.is_empty())
    }
}

/// What was said about a file in one version.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) version: i64,
    pub(super) title: Note,
    pub(super) note: Note,
    pub(super) reason: Note,
    pub(super) by: By,
    pub(super) by_id: StaffId,
}
