//! The shared secrets of telephones, sealed: while one is being enrolled, when the key changes, and
//! when the key is lost.

use data_encoding::BASE64URL_NOPAD;
use store::{Actor, Db, Event, Operation, ReadTx, RecordKind, StaffId, StoreError};

use super::enrol::words;
use super::model::{FactorId, owner};
use super::store as sql;
use crate::factor_keys::{Closed, FactorKeys, KeysError, Sealed};
use crate::web::session::{self, SessionId};
use crate::web::{Problem, Visit};

/// Sealing failed: there is no key, or no randomness.
fn unsealed(error: KeysError) -> Problem {
    error.report("確認コードの鍵").into()
}

fn pending(session: SessionId) -> String {
    format!("secret shown in session {session}")
}

/// What a session remembers of a secret that was shown and not confirmed yet.
pub(super) fn remember(visit: &Visit, session: SessionId, secret: &str) -> Result<String, Problem> {
    let keys = &visit.app.settings().factor_keys;
    let sealed = keys.seal(&pending(session), secret).map_err(unsealed)?;
    let bytes = BASE64URL_NOPAD.encode(&sealed.bytes);
    Ok(format!("{} {bytes}", sealed.key))
}

/// The secret again; nothing when the key has changed since.
pub(super) fn recall(visit: &Visit, session: SessionId, kept: &str) -> Option<String> {
    let (key, bytes) = kept.split_once(' ')?;
    let sealed = Sealed {
        key: key.to_owned(),
        bytes: BASE64URL_NOPAD.decode(bytes.as_bytes()).ok()?,
    };
    let keys = &visit.app.settings().factor_keys;
    keys.open(&pending(session), &sealed).ok()
}

/// Seals the secret of a factor for its row.
pub(super) fn seal(
    keys: &FactorKeys,
    (factor, person): (FactorId, StaffId),
    secret: &str,
) -> Result<Sealed, Problem> {
    keys.seal(&owner(factor, person), secret).map_err(unsealed)
}

/// How the sealed secrets stand to the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealState {
    /// Telephones that count.
    pub sealed: usize,
    /// Of these, how many no key here opens.
    pub closed: usize,
    /// How many still need a key that is not the newest.
    pub old: usize,
}

/// Opens every secret, and tells none.
///
/// # Errors
/// [`StoreError`].
pub fn seal_state(tx: &ReadTx<'_>, keys: &FactorKeys) -> Result<SealState, StoreError> {
    let all = sql::sealed(tx)?;
    let newest = keys.names().first().copied().unwrap_or_default();
    let closed = |(factor, person, sealed): &&(FactorId, StaffId, Sealed)| {
        keys.open(&owner(*factor, *person), sealed).is_err()
    };
    Ok(SealState {
        sealed: all.len(),
        closed: all.iter().filter(closed).count(),
        old: all.iter().filter(|(_, _, s)| s.key != newest).count(),
    })
}

/// Seals everything anew with the newest of these keys; how many there were.
///
/// # Errors
/// [`Problem`]; then nothing has changed. Among them a secret that no key opens.
pub fn reseal(db: &Db, actor: &Actor, keys: &FactorKeys) -> Result<usize, Problem> {
    let now = db.clock().now();
    db.write(actor, |tx| {
        let all = sql::sealed(tx)?;
        for (factor, person, sealed) in &all {
            let opened = keys.open(&owner(*factor, *person), sealed);
            let secret = opened.or(Err(Problem::Fault("a secret cannot be opened")))?;
            let sealed = seal(keys, (*factor, *person), &secret)?;
            sql::put_secret(tx, *factor, &sealed, now)?;
        }
        let names = keys.names();
        let (after, before) = names.split_first().unwrap_or((&"なし", &[]));
        let before = if before.is_empty() {
            "なし".to_owned()
        } else {
            before.join("・")
        };
        let text = format!("前＝{before}／後＝{after}／件数＝{}", all.len());
        let event = Event::done(Operation::FactorKeyRotate).detail(text);
        Ok(tx.audited(event, all.len()))
    })
}

/// Takes back what nobody can check any more, of how many people; they enrol anew at their next
/// sign-in.
///
/// # Errors
/// [`Problem`]; then nothing has changed.
pub fn take_back_closed(db: &Db, actor: &Actor, keys: &FactorKeys) -> Result<usize, Problem> {
    let people = db.read(actor, |tx| closed_people(tx, keys))?;
    if people.is_empty() {
        return Ok(0);
    }
    let at = db.clock().now();
    let now = format!("{at:.6}");
    db.write(actor, |tx| {
        let mut events = Vec::new();
        for person in &people {
            let held = sql::held(tx, *person)?;
            let Some(last) = held.last() else { continue };
            let by = ("確認コードの鍵がない", actor.staff_id);
            sql::reset(tx, *person, last.id, by, &now)?;
            let ended = session::end_all(tx, *person, None, "factor", at)?;
            let text = format!(
                "前＝{}／後＝なし／終えたセッション＝{ended}／確認コードの鍵がない",
                words(&held)
            );
            let event = Event::done(Operation::SecondFactorReset);
            events.push(event.on(RecordKind::Staff, person.0).detail(text));
        }
        let mut events = events.into_iter();
        let first = events
            .next()
            .unwrap_or_else(|| Event::refused(Operation::SecondFactorReset));
        Ok::<_, Problem>(tx.audited_all(first, events.collect(), people.len()))
    })
}

fn closed_people(tx: &ReadTx<'_>, keys: &FactorKeys) -> Result<Vec<StaffId>, StoreError> {
    let mut people: Vec<StaffId> = sql::sealed(tx)?
        .iter()
        .filter(|(factor, person, sealed)| {
            let opened = keys.open(&owner(*factor, *person), sealed);
            matches!(opened, Err(Closed::NoKey | Closed::Altered))
        })
        .map(|(_, person, _)| *person)
        .collect();
    people.sort_unstable();
    people.dedup();
    Ok(people)
}
