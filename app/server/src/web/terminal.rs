//! Which registered machine a request comes from, told by the certificate of its connection.
//!
//! Asked anew with every request, so that a lost one is out the same second; TLS itself would only
//! learn of it from a revocation list that somebody has to make and deliver.

use std::sync::Arc;

use axum::http::request::Parts;
use axum_server::tls::TlsInfo;
use store::{Actor, Db, StoreError, params};

use crate::ca::terminal::fingerprint;

store::id_type!(
    /// A machine that staff work at (端末).
    TerminalId
);
store::id_type!(
    /// One certificate of a terminal.
    CertificateId
);

/// What sort of machine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalKind {
    /// Stands in an office.
    Pc,
    /// Is carried to people's homes: sessions are shorter.
    Tablet,
}

impl TerminalKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Pc, Self::Tablet];

    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pc => "pc",
            Self::Tablet => "tablet",
        }
    }

    /// As staff read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pc => "パソコン",
            Self::Tablet => "タブレット",
        }
    }

    /// The kind of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// A machine that showed a certificate of the register.
#[derive(Debug, Clone)]
pub struct Terminal {
    /// Number.
    pub id: TerminalId,
    /// What it showed.
    pub certificate: CertificateId,
    /// What sort of machine it is.
    pub kind: TerminalKind,
    /// What it is called.
    pub name: String,
    /// It was lost, given up, or has a newer certificate: nobody gets in with this one.
    pub revoked: bool,
}

impl Terminal {
    /// As the access log names it.
    pub fn label(&self) -> String {
        format!("{}（端末{}）", self.name, self.id)
    }
}

const FIND: &str = "
    select c.terminal_id, c.id, d.kind, d.name,
           exists (select 1 from terminal_revocations r where r.certificate_id = c.id)
    from terminal_certificates c
    join terminal_details d on d.id = (select max(n.id) from terminal_details n
                                       where n.terminal_id = c.terminal_id)
    where c.fingerprint = ?1";

/// The terminal of a request; `None` without a certificate, or with one of nobody's.
pub(crate) fn of(db: &Db, parts: &Parts) -> Result<Option<Terminal>, StoreError> {
    let shown = parts.extensions.get::<Arc<TlsInfo>>();
    let Some(leaf) = shown.and_then(|info| info.peer_certificates.first()) else {
        return Ok(None);
    };
    db.read(&Actor::system("サインイン"), |tx| {
        tx.one(FIND, params![fingerprint(leaf)], |row| {
            let kind: String = row.get(2)?;
            Ok(Terminal {
                id: row.get(0)?,
                certificate: row.get(1)?,
                kind: TerminalKind::from_code(&kind).unwrap_or(TerminalKind::Tablet),
                name: row.get(3)?,
                revoked: row.get(4)?,
            })
        })
    })
}
