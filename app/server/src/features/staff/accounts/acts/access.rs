//! Passwords, waiting IDs, sessions.

use store::{Event, Operation, StaffId, StoreError, WriteTx};

use super::{Given, Hand, Refusal, Undone, one_time};
use crate::features::staff::accounts::model::Account;
use crate::features::staff::accounts::store as sql;
use crate::features::staff::{password, store as staff_sql};
use crate::web::session;

/// Gives out a new password: every session ends, failures are forgiven. `seen` is the password
/// that the form was opened on; nothing asks for none in particular.
///
/// # Errors
/// `Absent`, `Own`, `Late`, and the store's.
pub fn reset(hand: &Hand<'_>, id: StaffId, seen: Option<i64>) -> Result<Given, Undone> {
    let operation = Operation::PasswordReset;
    let password = one_time()?;
    let hash = password::hash(&password)?;
    let at = hand.db.clock().now();
    hand.act(operation, id, |tx, account| {
        let newest = sql::password(tx, id)?;
        let by_another = newest
            .as_ref()
            .is_some_and(|p| seen.is_some_and(|seen| p.id != seen) && p.by != hand.actor.staff_id);
        if by_another {
            return Err(Refusal::Late(Box::new(account.clone())).into());
        }
        let given = staff_sql::Password {
            hash: &hash,
            must_change: true,
            by: hand.actor.staff_id,
        };
        staff_sql::insert_password(tx, id, &given, &hand.now())?;
        let ended = session::end_all(tx, id, None, "password", at)?;
        let failures = forgive(tx, account)?;
        let text = format!("終えたセッション＝{ended}／失敗の回数：前＝{failures}／後＝0");
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })?;
    Ok(Given {
        id,
        password,
        asked: None,
    })
}

fn forgive(tx: &WriteTx<'_>, account: &Account) -> Result<i64, StoreError> {
    let subject = staff_sql::login_subject(&account.login);
    let (failures, _) = staff_sql::failures(tx, &subject)?;
    staff_sql::forgive(tx, &subject)?;
    Ok(failures)
}

/// Forgives an ID its failures, so that nobody has to wait.
///
/// # Errors
/// `Absent`, `Own`, and the store's.
pub fn unlock(hand: &Hand<'_>, id: StaffId) -> Result<(), Undone> {
    let operation = Operation::StaffUnlock;
    hand.act(operation, id, |tx, account| {
        let failures = forgive(tx, account)?;
        let text = format!("失敗の回数：前＝{failures}／後＝0");
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })
}

/// Signs somebody out everywhere.
///
/// # Errors
/// `Absent`, `Own`, and the store's.
pub fn end_sessions(hand: &Hand<'_>, id: StaffId) -> Result<(), Undone> {
    let operation = Operation::SessionsEnd;
    let at = hand.db.clock().now();
    hand.act(operation, id, |tx, _| {
        let ended = session::end_all(tx, id, None, "administrator", at)?;
        let text = format!("終えたセッション＝{ended}");
        Ok(tx.audited(hand.detail(Event::done(operation), id, &text), Ok(())))
    })
}
