//! What is asked, what may be answered, and how often; no I/O.

use jiff::{SignedDuration, Timestamp};
use store::{CentreId, ResidentId};

/// Inquiries of one person within [`PERIOD`].
pub(super) const INQUIRIES_MAX: usize = 20;
/// The hour that slides along.
pub(super) const PERIOD: SignedDuration = SignedDuration::from_hours(1);

/// By what somebody is asked for. Personal: it does not print itself.
pub(super) enum Key {
    /// 被保険者番号, ten characters.
    InsuredNo(String),
    /// The whole name as a kana key, and the date of birth (ISO).
    KanaAndBirth { kana: String, born_on: String },
}

impl Key {
    /// For the access log.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::InsuredNo(_) => "insured_no",
            Self::KanaAndBirth { .. } => "kana_birth",
        }
    }
}

/// One inquiry, checked.
pub(super) struct Inquiry {
    pub(super) key: Key,
    pub(super) reason: String,
    /// Only with the reason "other".
    pub(super) reason_words: String,
}

impl Inquiry {
    /// What the access log keeps: kind of key and reason.
    pub(super) fn detail(&self) -> String {
        let words = [self.key.kind(), &self.reason, &self.reason_words];
        words.join(" ").trim_end().to_owned()
    }
}

/// Somebody whom the key fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) resident: ResidentId,
    /// `None`: under 支援措置.
    pub(super) centre: Option<CentreId>,
    /// Within the scope of whoever asks.
    pub(super) visible: bool,
}

/// Name and telephone of a centre; public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Centre {
    pub(super) name: String,
    pub(super) phone: String,
}

/// What the page says.
#[derive(Debug)]
pub(super) enum Reply {
    /// Own people to open, other centres to call; both empty: ask the city.
    Told {
        own: Vec<ResidentId>,
        centres: Vec<Centre>,
    },
    /// Too many within the hour; possible again at this moment.
    TooMany(Timestamp),
}

/// When the next inquiry is possible, given the moments of those within the hour, newest first.
pub(super) fn possible_again(asked_at: &[Timestamp]) -> Option<Timestamp> {
    let oldest = asked_at.get(INQUIRIES_MAX - 1)?;
    oldest.checked_add(PERIOD).ok()
}
