//! Sessions: who is signed in, since when, from where. In the database, so that a leaver, a lost
//! terminal and "sign out everywhere" take effect at once and a restart signs nobody out.

use data_encoding::BASE32_NOPAD;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};
use store::{Actor, CentreId, Db, ReadTx, StaffId, StoreError, WriteTx, params};

use crate::app::SessionSettings;
use crate::web::csrf::{self, random_text};
use crate::web::limits::{SESSION_TOUCH_SECONDS, SESSIONS_PER_PERSON_MAX};
use crate::web::permission::Role;
use crate::web::rights::{self, Rights};
use crate::web::visit::SignedIn;

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
           coalesce(c.name, '和光市'),
           coalesce((select w.must_change from staff_passwords w where w.staff_id = t.id
                     order by w.id desc limit 1), 1)
    from sessions s join staff t on t.id = s.staff_id
    join staff_terms p on p.staff_id = t.id
    left join support_centres c on c.id = p.centre_id
    where s.token_hash = ?1 and s.ended_at is null and p.starts_on <= ?2
      and (p.ends_on is null or p.ends_on >= ?2)";

struct Found {
    staff: SignedIn,
    started_at: String,
    last_seen_at: String,
}

/// The person behind a token, if the session still holds. Marks it as seen now and then.
pub(crate) fn find(
    db: &Db,
    token: &str,
    settings: &SessionSettings,
) -> Result<Option<SignedIn>, StoreError> {
    if token.is_empty() {
        return Ok(None);
    }
    let nobody = Actor::system("サインイン");
    let now = db.clock().now();
    let today = db.clock().today();
    let found = db.read(&nobody, |tx| load(tx, token, today))?;
    let Some(found) = found else { return Ok(None) };
    let ended_by = if since(&found.started_at, now) > settings.absolute {
        Some("limit")
    } else if since(&found.last_seen_at, now) > settings.idle {
        Some("idle")
    } else {
        None
    };
    if let Some(ended_by) = ended_by {
        db.housekeep(&nobody, |tx| end(tx, found.staff.session, ended_by, now))?;
        return Ok(None);
    }
    if since(&found.last_seen_at, now).as_secs() >= SESSION_TOUCH_SECONDS {
        let seen = "update sessions set last_seen_at = ?2 where id = ?1";
        db.housekeep(&nobody, |tx| {
            tx.execute(seen, params![found.staff.session, stamp(now)])
        })?;
    }
    Ok(Some(found.staff))
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

/// Starts a session; the oldest gives way when there are too many.
///
/// # Errors
/// [`StoreError`]; no randomness on this machine counts as busy.
pub fn start(db: &Db, staff_id: StaffId, terminal: &str) -> Result<NewSession, StoreError> {
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
            "insert into sessions (token_hash, staff_id, csrf, terminal, started_at, last_seen_at)
             values (?1, ?2, ?3, ?4, ?5, ?5)",
            params![hash(&token), staff_id, csrf, terminal, stamp(now)],
        )
    })?;
    Ok(NewSession {
        token,
        csrf_secret: csrf,
    })
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
