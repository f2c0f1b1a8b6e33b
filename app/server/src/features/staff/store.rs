//! SQL about staff.

use jiff::Timestamp;
use jiff::civil::Date;
use ring::digest::{SHA256, digest};
use store::{
    Actor, Audited, CentreId, Db, Event, Operation, ReadTx, RecordKind, StaffId, StoreError,
    WriteTx, params,
};

use super::model::{Login, NewStaff, Owner};
use super::password;
use crate::web::{Problem, Role};

/// What sign-in needs to know about somebody.
#[derive(Debug)]
pub struct Known {
    /// The person.
    pub staff_id: StaffId,
    /// Where they work; `None` for the city.
    pub centre_id: Option<CentreId>,
    /// Newest hash.
    pub hash: String,
    /// What they may do today; `None`: a role that this version does not know.
    pub role: Option<Role>,
}

const FIND: &str = "
    select s.id, t.centre_id, p.hash, t.role from staff s
    join staff_terms t on t.staff_id = s.id
    join staff_passwords p on p.staff_id = s.id
    where s.login = ?1 and t.starts_on <= ?2 and (t.ends_on is null or t.ends_on >= ?2)
    order by p.id desc limit 1";

/// Somebody who may sign in today under this ID.
///
/// # Errors
/// [`StoreError`].
pub fn find_login(
    tx: &ReadTx<'_>,
    login: &Login,
    today: &str,
) -> Result<Option<Known>, StoreError> {
    tx.one(FIND, params![login.as_str(), today], |row| {
        Ok(Known {
            staff_id: row.get(0)?,
            centre_id: row.get(1)?,
            hash: row.get(2)?,
            role: Role::from_code(&row.get::<_, String>(3)?),
        })
    })
}

/// Adds somebody with a first post and a first password.
///
/// # Errors
/// [`Problem`] of the store, among them an ID that is taken.
pub fn add(db: &Db, actor: &Actor, new: &NewStaff) -> Result<StaffId, Problem> {
    let hash = password::hash(&new.password)?;
    let now = format!("{:.6}", db.clock().now());
    db.write(actor, |tx| {
        let id = insert(tx, new, &hash, actor.staff_id, &now)?;
        Ok(tx.audited(
            Event::done(Operation::StaffAdd)
                .on(RecordKind::Staff, id.0)
                .detail(new.role.code()),
            id,
        ))
    })
}

/// Person, first post, first password.
pub(super) fn insert(
    tx: &WriteTx<'_>,
    new: &NewStaff,
    hash: &str,
    by: Option<StaffId>,
    now: &str,
) -> Result<StaffId, StoreError> {
    let id = insert_person(tx, new, hash, by, now)?;
    insert_first_post(tx, id, new, by, now)?;
    Ok(id)
}

/// Person and first password; without a post nobody signs in.
pub(super) fn insert_person(
    tx: &WriteTx<'_>,
    new: &NewStaff,
    hash: &str,
    by: Option<StaffId>,
    now: &str,
) -> Result<StaffId, StoreError> {
    let id = StaffId(tx.insert(
        "insert into staff (login, name, kana, recorded_at) values (?, ?, ?, ?)",
        params![new.login.as_str(), new.name, new.kana, now],
    )?);
    let first = Password {
        hash,
        must_change: new.must_change_password,
        by,
    };
    insert_password(tx, id, &first, now)?;
    Ok(id)
}

/// The first post.
pub(super) fn insert_first_post(
    tx: &WriteTx<'_>,
    id: StaffId,
    new: &NewStaff,
    by: Option<StaffId>,
    now: &str,
) -> Result<(), StoreError> {
    let post = Post {
        role: new.role.code(),
        job: &new.job,
        centre_id: new.centre_id,
        starts_on: new.starts_on,
        reason: FIRST_POST,
    };
    insert_post(tx, id, &post, by, now)?;
    Ok(())
}

/// Why the first post is there.
pub(super) const FIRST_POST: &str = "新規登録";

/// A post as it is stored.
pub(super) struct Post<'p> {
    pub(super) role: &'p str,
    pub(super) job: &'p str,
    pub(super) centre_id: Option<CentreId>,
    pub(super) starts_on: Date,
    pub(super) reason: &'p str,
}

/// Adds a post; that it overlaps with no other is the caller's to know.
pub(super) fn insert_post(
    tx: &WriteTx<'_>,
    id: StaffId,
    post: &Post<'_>,
    by: Option<StaffId>,
    now: &str,
) -> Result<i64, StoreError> {
    tx.insert(
        "insert into staff_posts
           (staff_id, role, job, centre_id, starts_on, reason, recorded_by, recorded_at)
         values (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            id,
            post.role,
            post.job,
            post.centre_id,
            post.starts_on.to_string(),
            post.reason,
            by,
            now
        ],
    )
}

/// A password as it is stored.
pub(super) struct Password<'p> {
    pub(super) hash: &'p str,
    pub(super) must_change: bool,
    pub(super) by: Option<StaffId>,
}

pub(super) fn insert_password(
    tx: &WriteTx<'_>,
    id: StaffId,
    password: &Password<'_>,
    now: &str,
) -> Result<(), StoreError> {
    tx.insert(
        "insert into staff_passwords (staff_id, hash, must_change, recorded_by, recorded_at)
         values (?, ?, ?, ?, ?)",
        params![
            id,
            password.hash,
            i64::from(password.must_change),
            password.by,
            now
        ],
    )?;
    Ok(())
}

/// The newest hash and those before it that may not come back.
pub(super) fn hashes(
    tx: &ReadTx<'_>,
    id: StaffId,
    history: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = "select hash from staff_passwords where staff_id = ?1 order by id desc limit ?2";
    tx.all(sql, params![id, history], |row| row.get(0))
}

/// The ID of somebody who is signed in.
pub(super) fn login_of(tx: &ReadTx<'_>, id: StaffId) -> Result<Option<String>, StoreError> {
    tx.one(
        "select login from staff where id = ?1",
        params![id],
        |row| row.get(0),
    )
}

/// Whose password it is to be.
pub(super) fn owner(tx: &ReadTx<'_>, id: StaffId) -> Result<Option<Owner>, StoreError> {
    let sql = "select login, name, kana from staff where id = ?1";
    tx.one(sql, params![id], |row| {
        Ok(Owner {
            login: row.get(0)?,
            name: row.get(1)?,
            kana: row.get(2)?,
        })
    })
}

/// Did somebody else choose the present password?
pub(super) fn was_given_out(tx: &ReadTx<'_>, id: StaffId) -> Result<bool, StoreError> {
    let sql =
        "select must_change from staff_passwords where staff_id = ?1 order by id desc limit 1";
    Ok(tx.count(sql, params![id])? != 0)
}

/// Replaces somebody's own password.
pub(super) fn replace_password(
    tx: &WriteTx<'_>,
    id: StaffId,
    hash: &str,
    now: Timestamp,
) -> Result<Audited<()>, StoreError> {
    let own = Password {
        hash,
        must_change: false,
        by: Some(id),
    };
    insert_password(tx, id, &own, &format!("{now:.6}"))?;
    let event = Event::done(Operation::PasswordChange).on(RecordKind::Staff, id.0);
    Ok(tx.audited(event, ()))
}

/// What failures with an ID are counted under.
pub(super) fn login_subject(login: &str) -> String {
    format!("login {login}")
}

/// Failures in a row and the last one's time, of an ID or a terminal.
pub(super) fn failures(
    tx: &ReadTx<'_>,
    subject: &str,
) -> Result<(i64, Option<Timestamp>), StoreError> {
    let sql = "select failures, last_at from sign_in_failures where subject = ?1";
    let row = tx.one(sql, params![key(subject)], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    Ok(row.map_or((0, None), |(failures, at)| (failures, at.parse().ok())))
}

/// One more failure.
pub(super) fn fail(tx: &WriteTx<'_>, subject: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "insert into sign_in_failures (subject, failures, last_at) values (?1, 1, ?2)
        on conflict (subject) do update set failures = failures + 1, last_at = ?2";
    tx.execute(sql, params![key(subject), format!("{now:.6}")])?;
    Ok(())
}

/// A success wipes them.
pub(super) fn forgive(tx: &WriteTx<'_>, subject: &str) -> Result<(), StoreError> {
    tx.execute(
        "delete from sign_in_failures where subject = ?1",
        params![key(subject)],
    )?;
    Ok(())
}

/// Hashed, because people type passwords into the wrong box.
fn key(subject: &str) -> String {
    data_encoding::HEXLOWER.encode(digest(&SHA256, subject.as_bytes()).as_ref())
}
