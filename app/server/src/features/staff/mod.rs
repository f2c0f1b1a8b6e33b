//! Staff: who works here, how they sign in and out, and their passwords.
//!
//! Shape: `staff` is the person, `staff_posts` and `staff_post_endings` what they do where from
//! which day to which, `staff_passwords` the history of argon2id hashes (the newest counts),
//! `sign_in_failures` what went wrong lately per ID and per terminal. [`accounts`] is where an
//! administrator looks after all that.
//! Invariant: a wrong ID, a wrong password and a locked ID look and take the same; nothing says who
//! exists. What was typed before a session ended comes back after signing in.
//! Errors: staff meet one sentence; the access log has the refusal.
//! [`factors`] asks for what is wanted besides the password.
//! Not here: what a role may do (`web::Permission`), whom it may see (the store's scope).

pub mod accounts;
pub mod break_glass;
mod confirm;
mod factors;
mod lock;
mod model;
mod own_password;
mod pages;
mod password;
mod resume;
pub mod rights;
mod store;
#[cfg(test)]
pub(crate) mod tests;

pub use confirm::confirms;
pub use factors::{SealState, reseal, seal_state, take_back_closed};
pub use model::{Login, NewStaff, PasswordProblem};
pub use password::{Cost, measure_cost, note_cost};
pub use store::{add, find_login};

use crate::web::{Permission, Routes};

/// Sign-in, sign-out, password.
pub fn routes() -> Routes {
    Routes::new("サインイン")
        .get("/sign-in", Permission::Public, pages::form)
        .post("/sign-in", Permission::Public, pages::sign_in)
        .post("/sign-out", Permission::SignedIn, pages::sign_out)
        .post(
            "/sign-out-everywhere",
            Permission::SignedIn,
            pages::sign_out_everywhere,
        )
        .post("/lock", Permission::SignedIn, lock::lock)
        .get("/lock/state", Permission::Public, lock::state)
        .post("/lock/leave", Permission::Public, lock::leave)
        .post("/lock/opening", Permission::Public, lock::unlock)
        .get(
            "/password",
            Permission::SignedIn,
            own_password::password_form,
        )
        .post(
            "/password",
            Permission::SignedIn,
            own_password::change_password,
        )
        .post(
            "/password/opening",
            Permission::SignedIn,
            own_password::password_form,
        )
        .with(factors::routes())
        .with(accounts::routes())
        .with(rights::routes())
        .with(break_glass::routes())
}
