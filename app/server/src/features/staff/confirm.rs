//! The password once more, from somebody who is in: a screen left open must not be enough.

use store::{Operation, ReadTx};

use super::model::Login;
use super::pages::recognise;
use super::store as sql;
use crate::web::{Problem, Visit};

/// Is the form's `password` that of whoever is signed in? Guessing gets as slow as at the door, and a
/// wrong one is written down as a refused `operation`.
///
/// # Errors
/// [`Problem::SignInNeeded`], and the store's.
pub fn confirms(visit: &Visit, operation: Operation) -> Result<bool, Problem> {
    let staff = visit.signed_in()?;
    let read = |tx: &ReadTx<'_>| sql::login_of(tx, staff.staff_id);
    let login = visit.app.db().read(&visit.actor, read)?;
    let login = Login::new(&login.unwrap_or_default());
    let known = recognise(visit, &login, visit.form.get("password"), operation)?;
    Ok(known.is_some())
}
