//! Sessions: who is signed in, since when, from where. In the database, so that a leaver, a lost
//! terminal and "sign out everywhere" take effect at once and a restart signs nobody out.

use data_encoding::BASE32_NOPAD;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use store::{Actor, CentreId, Db, Event, Operation, ReadTx, StaffId, StoreError, WriteTx, params};

use crate::sign_in::SessionSettings;
use crate::web::csrf::{self, random_text};
use crate::web::limits::{SESSION_TOUCH_SECONDS, SESSIONS_PER_PERSON_MAX};
use crate::web::permission::Role;
use crate::web::rights::{self, Rights};
use crate::web::terminal::{CertificateId, Terminal};
use crate::web::visit::{Halt, Halted, SignedIn};

store::id_type!(
    /// One session.
    SessionId
);

/// The cookie that carries the session's token. `__Host-`: this host, this path, TLS only.
pub(crate) const COOKIE: &str = "__Host-hokatsu";

/// A new session; the token leaves only as a cookie.
#[derive(Debug)]
pub struct NewSession {
    /// Value of the cookie.
    pub token: String,
    csrf_secret: String,
}

impl NewSession {
    /// A token for a form that is shown with the cookie.
    pub fn csrf_token(&self) -> String {
        csrf::token(&self.csrf_secret)
    }
}

const FIND: &str = "
    select s.id, s.staff_id, s.csrf, s.started_at, s.last_seen_at, t.name, p.role, p.centre_id,
           coalesce(c.name, '和光市'), coalesce(w.must_change, 1), coalesce(w.recorded_at, ''),
           s.certificate_id, s.locked_at is not null, s.factor_open
    from sessions s join staff t on t.id = s.staff_id
    join staff_terms p on p.staff_id = t.id
    left join support_centres c on c.id = p.centre_id
    left join staff_passwords w on w.id = (select max(n.id) from staff_passwords n
                                           where n.staff_id = t.id)
    where s.token_hash = ?1 and s.ended_at is null and p.starts_on <= ?2
      and (p.ends_on is null or p.ends_on >= ?2)";

struct Found {
    staff: SignedIn,
    started_at: String,
    last_seen_at: String,
    password_at: String,
    certificate: Option<CertificateId>,
    locked: bool,
    factor_open: bool,
}

/// Who is behind a token.
#[derive(Debug)]
pub(crate) enum Holder {
    /// Nobody, or nobody any more.
    Nobody,
    /// Somebody who is let in.
    In(SignedIn),
    /// Somebody who has to show something first.
    Halted(Halted),
}

/// Does this request count as work? Asking whether the session is locked does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Somebody is at work.
    Work,
    /// The page asks by itself.
    Look,
}

/// The person behind a token, if the session still holds at this terminal. Marks it as seen now
/// and then; one that nobody touched for too long is locked, not ended.
pub(crate) fn find(
    db: &Db,
    token: &str,
    settings: &SessionSettings,
    terminal: Option<&Terminal>,
    touch: Touch,
) -> Result<Holder, StoreError> {
    if token.is_empty() {
        return Ok(Holder::Nobody);
    }
    let nobody = Actor::system("サインイン");
    let now = db.clock().now();
    let today = db.clock().today();
    let found = db.read(&nobody, |tx| load(tx, token, today))?;
    let Some(mut found) = found else {
        return Ok(Holder::Nobody);
    };
    let id = found.staff.session;
    if !at_home(&found, terminal) {
        strayed(db, &found, terminal, now)?;
        return Ok(Holder::Nobody);
    }
    let limits = settings.limits(terminal.map(|terminal| terminal.kind));
    if since(&found.started_at, now) > limits.absolute {
        db.housekeep(&nobody, |tx| end(tx, id, "limit", now))?;
        return Ok(Holder::Nobody);
    }
    let old = settings.password_days_max.is_some_and(|days| {
        since(&found.password_at, now) > SignedDuration::from_hours(24 * i64::from(days))
    });
    found.staff.must_change_password |= old;
    let idle = since(&found.last_seen_at, now);
    if found.factor_open {
        return Ok(Holder::Halted(Halted {
            staff: found.staff,
            why: Halt::Factor,
        }));
    }
    if found.locked || idle > limits.idle {
        if !found.locked {
            db.housekeep(&nobody, |tx| lock(tx, id, now))?;
        }
        return Ok(Holder::Halted(Halted {
            staff: found.staff,
            why: Halt::Locked,
        }));
    }
    if touch == Touch::Work && idle.as_secs() >= SESSION_TOUCH_SECONDS {
        let seen = "update sessions set last_seen_at = ?2 where id = ?1";
        db.housekeep(&nobody, |tx| tx.execute(seen, params![id, stamp(now)]))?;
    }
    Ok(Holder::In(found.staff))
}

/// A session that began at a registered terminal holds there and nowhere else.
fn at_home(found: &Found, terminal: Option<&Terminal>) -> bool {
    let here = terminal.map(|terminal| terminal.certificate);
    let revoked = terminal.is_some_and(|terminal| terminal.revoked);
    !revoked && (found.certificate.is_none() || found.certificate == here)
}

/// A token that turned up elsewhere was stolen: it ends, and that is written down once.
fn strayed(
    db: &Db,
    found: &Found,
    terminal: Option<&Terminal>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let actor = Actor {
        staff_id: Some(found.staff.staff_id),
        centre_id: found.staff.centre_id,
        terminal: terminal.map_or_else(|| "証明書なし".to_owned(), Terminal::label),
        ..Actor::system("サインイン")
    };
    db.write(&actor, |tx| {
        end(tx, found.staff.session, "terminal", now)?;
        Ok(tx.audited(Event::refused(Operation::SessionElsewhere), ()))
    })
}

fn load(tx: &ReadTx<'_>, token: &str, today: Date) -> Result<Option<Found>, StoreError> {
    let row = tx.one(FIND, params![hash(token), today.to_string()], |row| {
        let role: String = row.get(6)?;
        // A role that this version does not know opens nothing.
        let Some(role) = Role::from_code(&role) else {
            return Ok(None);
        };
        Ok(Some(Found {
            staff: SignedIn {
                session: row.get(0)?,
                staff_id: row.get(1)?,
                csrf_secret: row.get(2)?,
                name: row.get(5)?,
                role,
                rights: Rights::default(),
                centre_id: row.get::<_, Option<CentreId>>(7)?,
                centre_name: centre_name(role, row.get(8)?),
                must_change_password: row.get::<_, i64>(9)? != 0,
            },
            started_at: row.get(3)?,
            last_seen_at: row.get(4)?,
            password_at: row.get(10)?,
            certificate: row.get(11)?,
            locked: row.get(12)?,
            factor_open: row.get(13)?,
        }))
    })?;
    let Some(mut found) = row.flatten() else {
        return Ok(None);
    };
    let staff = &mut found.staff;
    staff.rights = rights::held(tx, staff.staff_id, staff.role.code(), today)?;
    Ok(Some(found))
}

fn centre_name(role: Role, centre: String) -> String {
    match role {
        Role::CityLongevity | Role::CityWelfare => format!("{centre} {}", role.label()),
        Role::Vendor => role.label().to_owned(),
        Role::SystemAdmin
        | Role::CentreManager
        | Role::SocialWorker
        | Role::Nurse
        | Role::Clerk => centre,
    }
}

/// Where a session starts, and what is still to be shown.
#[derive(Debug)]
pub struct Start<'v> {
    /// As the access log names it.
    pub place: &'v str,
    /// The registered terminal, if it is one.
    pub certificate: Option<CertificateId>,
    /// The second factor has not been shown yet.
    pub factor_open: bool,
}

/// Starts a session at a machine that nobody registered.
///
/// # Errors
/// As [`start_at`].
pub fn start(db: &Db, staff_id: StaffId, place: &str) -> Result<NewSession, StoreError> {
    let at = Start {
        place,
        certificate: None,
        factor_open: false,
    };
    start_at(db, staff_id, &at)
}

/// Starts a session; the oldest gives way when there are too many.
///
/// # Errors
/// [`StoreError`]; no randomness on this machine counts as busy.
pub fn start_at(db: &Db, staff_id: StaffId, at: &Start<'_>) -> Result<NewSession, StoreError> {
    let (Some(token), Some(csrf)) = (random_text(), random_text()) else {
        return Err(StoreError::Busy { waited_ms: 0 });
    };
    let now = db.clock().now();
    db.housekeep(&Actor::system("サインイン"), |tx| {
        let surplus = "update sessions set ended_at = ?2, ended_by = 'replaced'
            where ended_at is null and staff_id = ?1 and id not in (
              select id from sessions where ended_at is null and staff_id = ?1
              order by id desc limit ?3)";
        tx.execute(
            surplus,
            params![staff_id, stamp(now), SESSIONS_PER_PERSON_MAX - 1],
        )?;
        tx.insert(
            "insert into sessions (token_hash, staff_id, csrf, terminal, certificate_id,
               factor_open, started_at, last_seen_at)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            params![
                hash(&token),
                staff_id,
                csrf,
                at.place,
                at.certificate,
                i64::from(at.factor_open),
                stamp(now)
            ],
        )
    })?;
    Ok(NewSession {
        token,
        csrf_secret: csrf,
    })
}

/// Asks for the password before anything else is shown or taken.
///
/// # Errors
/// [`StoreError`].
pub fn lock(tx: &WriteTx<'_>, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
    let sql = "update sessions set locked_at = ?2 where id = ?1 and locked_at is null";
    tx.execute(sql, params![session, stamp(now)])?;
    Ok(())
}

/// Lets somebody in who showed what was missing. The token changes, so that one which was known
/// before opens nothing; the secret of the forms stays, so that pages left open can be saved.
///
/// # Errors
/// [`StoreError`]; no randomness on this machine counts as busy.
pub fn let_in(
    tx: &WriteTx<'_>,
    staff: &SignedIn,
    now: Timestamp,
) -> Result<NewSession, StoreError> {
    let Some(token) = random_text() else {
        return Err(StoreError::Busy { waited_ms: 0 });
    };
    let sql = "update sessions set token_hash = ?2, locked_at = null, factor_open = 0,
          challenge = null, last_seen_at = ?3
        where id = ?1 and ended_at is null";
    tx.execute(sql, params![staff.session, hash(&token), stamp(now)])?;
    Ok(NewSession {
        token,
        csrf_secret: staff.csrf_secret.clone(),
    })
}

/// Remembers what the second factor has to answer to.
///
/// # Errors
/// [`StoreError`].
pub fn set_challenge(
    tx: &WriteTx<'_>,
    session: SessionId,
    challenge: Option<&str>,
) -> Result<(), StoreError> {
    let sql = "update sessions set challenge = ?2 where id = ?1";
    tx.execute(sql, params![session, challenge])?;
    Ok(())
}

/// What [`set_challenge`] remembered.
///
/// # Errors
/// [`StoreError`].
pub fn challenge(tx: &ReadTx<'_>, session: SessionId) -> Result<Option<String>, StoreError> {
    let sql = "select challenge from sessions where id = ?1";
    let found = tx.one(sql, params![session], |row| row.get(0))?;
    Ok(found.flatten())
}

/// A first password that is given out once: 16 letters and digits that can be read out, 80 bits.
/// `None` when the machine has no randomness.
pub fn one_time_password() -> Option<String> {
    let mut bytes = [0_u8; 10];
    SystemRandom::new().fill(&mut bytes).ok()?;
    // Base32 has neither 0 nor 1, so nobody mistakes them for O and I.
    Some(BASE32_NOPAD.encode(&bytes).to_lowercase())
}

/// Ends one session.
///
/// # Errors
/// [`StoreError`].
pub fn end(
    tx: &WriteTx<'_>,
    session: SessionId,
    ended_by: &'static str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "update sessions set ended_at = ?2, ended_by = ?3 where id = ?1 and ended_at is null";
    tx.execute(sql, params![session, stamp(now), ended_by])?;
    Ok(())
}

/// Ends every session that began at a terminal with this certificate.
///
/// # Errors
/// [`StoreError`].
pub fn end_at(
    tx: &WriteTx<'_>,
    certificate: CertificateId,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let sql = "update sessions set ended_at = ?2, ended_by = 'terminal'
        where certificate_id = ?1 and ended_at is null";
    tx.execute(sql, params![certificate, stamp(now)])
}

/// Ends every session of a person, except perhaps the one they sit at.
///
/// # Errors
/// [`StoreError`].
pub fn end_all(
    tx: &WriteTx<'_>,
    staff_id: StaffId,
    except: Option<SessionId>,
    ended_by: &'static str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let sql = "update sessions set ended_at = ?2, ended_by = ?3
        where staff_id = ?1 and ended_at is null and id is not ?4";
    tx.execute(sql, params![staff_id, stamp(now), ended_by, except])
}

fn hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}

fn stamp(now: Timestamp) -> String {
    format!("{now:.6}")
}

/// Time since a stored stamp; one that cannot be read is endlessly old. A clock that was set back
/// gives a negative span, which is younger than any limit.
fn since(stamp: &str, now: Timestamp) -> SignedDuration {
    stamp
        .parse::<Timestamp>()
        .map_or(SignedDuration::MAX, |then| now.duration_since(then))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::one_time_password;

    #[test]
    fn a_first_password_has_its_full_length_and_never_comes_twice() {
        let made: BTreeSet<String> = (0..500).filter_map(|_| one_time_password()).collect();
        assert_eq!(made.len(), 500);
        assert!(made.iter().all(|text| text.len() == 16), "{made:?}");
    }
}
