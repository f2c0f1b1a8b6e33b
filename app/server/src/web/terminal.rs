//! Which registered machine a request comes from, told by the certificate of its connection.
//!
//! Asked anew with every request, so that a lost one is out the same second; TLS itself would only
//! learn of it from a revocation list that somebody has to make and deliver.

use std::sync::Arc;

use axum::http::request::Parts;
use axum_server::tls::TlsInfo;
use jiff::Timestamp;
use jiff::civil::Date;
use store::{Actor, Db, StaffId, StoreError, WriteTx, day, params};

use crate::ca::terminal::fingerprint;
use crate::ca::terms;
use crate::web::session;

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
    /// Last day of the certificate.
    pub expires_on: Date,
    /// That day is over: what it shows counts as nothing.
    pub expired: bool,
    /// A newer certificate was made and not shown yet.
    pub renewed: bool,
    /// This one is newer than another that still opens.
    supersedes: bool,
}

impl Terminal {
    /// Does what it showed count as a factor?
    pub fn counts(&self) -> bool {
        !self.revoked && !self.expired
    }

    /// Days that are left, when they are so few that the terminal should be renewed.
    pub fn ends_soon(&self, today: Date) -> Option<i32> {
        let left = terms::days_left(self.expires_on, today);
        let terms = terms::on(today)?;
        (self.counts() && left <= terms.terminal_days).then_some(left)
    }

    /// As the access log names it.
    pub fn label(&self) -> String {
        format!("{}（端末{}）", self.name, self.id)
    }
}

const FIND: &str = "
    with open_ones as (
      select n.id, n.terminal_id from terminal_certificates n
      where not exists (select 1 from terminal_revocations r where r.certificate_id = n.id))
    select c.terminal_id, c.id, d.kind, d.name,
           exists (select 1 from terminal_revocations r where r.certificate_id = c.id),
           c.expires_on,
           exists (select 1 from open_ones o where o.terminal_id = c.terminal_id and o.id > c.id),
           exists (select 1 from open_ones o where o.terminal_id = c.terminal_id and o.id < c.id)
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
    let today = db.clock().today();
    db.read(&Actor::system("サインイン"), |tx| {
        tx.one(FIND, params![fingerprint(leaf)], |row| {
            let (kind, expires_on): (String, Date) = (row.get(2)?, day(row, 5)?);
            Ok(Terminal {
                id: row.get(0)?,
                certificate: row.get(1)?,
                kind: TerminalKind::from_code(&kind).unwrap_or(TerminalKind::Tablet),
                name: row.get(3)?,
                revoked: row.get(4)?,
                expires_on,
                expired: expires_on < today,
                renewed: row.get(6)?,
                supersedes: row.get(7)?,
            })
        })
    })
}

const OLDER: &str = "
    select c.id from terminal_certificates c
    where c.terminal_id = ?1 and c.id < ?2
      and not exists (select 1 from terminal_revocations r where r.certificate_id = c.id)";

/// A renewed certificate is in use: those before it open nothing any more, and their sessions end.
/// How many sessions; nothing when there was nothing to stop.
pub(crate) fn retire_older(
    tx: &WriteTx<'_>,
    here: &Terminal,
    by: StaffId,
    now: Timestamp,
) -> Result<Option<usize>, StoreError> {
    if !here.supersedes || !here.counts() {
        return Ok(None);
    }
    let older: Vec<CertificateId> =
        tx.all(OLDER, params![here.id, here.certificate], |row| row.get(0))?;
    let mut ended = 0;
    for id in older {
        let sql =
            "insert into terminal_revocations (certificate_id, reason, recorded_by, recorded_at)
            values (?, 'replaced', ?, ?)";
        tx.insert(sql, params![id, by, format!("{now:.6}")])?;
        ended += session::end_at(tx, id, now)?;
    }
    Ok(Some(ended))
}
