//! The second factor: what somebody shows besides the password, and how it is enrolled.
//!
//! Shape: which role needs one, and which are accepted, say the settings. The certificate of the
//! terminal is judged by the engine; `second_factors` holds codes (TOTP) and keys (WebAuthn), a row
//! in `second_factor_resets` takes back what came before it. What a code is checked with lies sealed in
//! `second_factor_secrets` ([`sealing`], `crate::factor_keys`).
//! Invariant: a half-open session reaches [`ask`] and, only while its person has nothing to show
//! yet, [`enrol`]; a code is taken once; guessing gets as slow as at the password.
//! Not here: the reset by an administrator (`accounts`).
//! Source: RFC 6238; W3C Web Authentication Level 3; docs/decisions/0017-second-factors.md.

mod ask;
mod enrol;
mod keys;
pub(in crate::features::staff) mod model;
mod sealing;
pub(in crate::features::staff) mod store;
#[cfg(test)]
mod tests;

pub(super) use ask::question;
pub(in crate::features::staff) use enrol::words;
pub use sealing::{SealState, reseal, seal_state, take_back_closed};

use crate::web::{Permission, Routes};

/// The question at the door, and the enrolment.
pub(super) fn routes() -> Routes {
    Routes::new("本人確認")
        .get("/second-factor", Permission::Public, ask::page)
        .post("/second-factor", Permission::Public, ask::page)
        .post("/second-factor/code", Permission::Public, ask::code)
        .post("/second-factor/key", Permission::Public, ask::key)
        .get("/second-factors", Permission::SignedIn, enrol::list)
        .get("/second-factors/totp", Permission::Public, enrol::code_form)
        .post("/second-factors/totp", Permission::Public, enrol::code)
        .post(
            "/second-factors/totp/opening",
            Permission::Public,
            enrol::code_form,
        )
        .get("/second-factors/key", Permission::Public, enrol::key_form)
        .post("/second-factors/key", Permission::Public, enrol::key)
        .post(
            "/second-factors/key/opening",
            Permission::Public,
            enrol::key_form,
        )
}
