//! A terminal and where it stands; no I/O.

use jiff::civil::Date;
use store::{CentreId, StaffId};

use crate::ca::terms::{self, days_left};
use crate::web::{CertificateId, TerminalId, TerminalKind};

/// A centre that a terminal can belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Centre {
    pub(super) id: CentreId,
    pub(super) code: String,
    pub(super) name: String,
}

/// What a terminal is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) name: String,
    pub(super) kind: TerminalKind,
    /// `None`: the city.
    pub(super) centre: Option<Centre>,
    pub(super) notes: String,
}

/// Why nobody gets in with a certificate any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// 紛失
    Lost,
    /// Given up.
    Retired,
    /// A newer one was made.
    Replaced,
}

impl Reason {
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Retired => "retired",
            Self::Replaced => "replaced",
        }
    }

    pub(super) fn from_code(code: &str) -> Option<Self> {
        let all = [Self::Lost, Self::Retired, Self::Replaced];
        all.into_iter().find(|reason| reason.code() == code)
    }
}

/// One certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) id: CertificateId,
    pub(super) fingerprint: String,
    pub(super) expires_on: Date,
    pub(super) issued_at: String,
    pub(super) issued_by: String,
    pub(super) issuer: StaffId,
    /// Why it was revoked, when, by whom.
    pub(super) revoked: Option<(Reason, String, String)>,
}

/// One machine with its certificates, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) id: TerminalId,
    pub(super) details: Details,
    /// Which row of details that is: what a form was opened on.
    pub(super) seen: i64,
    pub(super) changed_at: String,
    pub(super) changed_by: String,
    pub(super) certificates: Vec<Certificate>,
    /// When somebody last worked there.
    pub(super) last_seen_at: Option<String>,
}

/// Where a machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// No certificate yet.
    New,
    /// In use.
    Valid,
    /// In use, not for long any more (`data/terminals.toml`).
    EndsSoon,
    /// Its certificate is too old.
    Expired,
    /// 紛失
    Lost,
    /// Given up.
    Retired,
}

impl State {
    pub(super) fn of(newest: Option<&Certificate>, today: Date) -> Self {
        let Some(certificate) = newest else {
            return Self::New;
        };
        let left = days_left(certificate.expires_on, today);
        let soon = terms::on(today).is_some_and(|terms| left <= terms.terminal_days);
        match certificate.revoked {
            Some((Reason::Lost, ..)) => Self::Lost,
            Some((Reason::Retired | Reason::Replaced, ..)) => Self::Retired,
            None if left < 0 => Self::Expired,
            None if soon => Self::EndsSoon,
            None => Self::Valid,
        }
    }

    /// Does anybody get in with it?
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::Valid | Self::EndsSoon)
    }
}

impl Machine {
    pub(super) fn state(&self, today: Date) -> State {
        State::of(self.certificates.first(), today)
    }

    /// Every certificate that nobody stopped: after a renewal there are two for a while.
    pub(super) fn unstopped(&self) -> impl Iterator<Item = &Certificate> {
        self.certificates.iter().filter(|c| c.revoked.is_none())
    }

    /// The certificate that counts, or 0: what a form was opened on.
    pub(super) fn newest(&self) -> i64 {
        self.certificates.first().map_or(0, |c| c.id.0)
    }
}
