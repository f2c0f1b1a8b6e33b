//! Break-glass (非常用の封筒): two sealed secrets, kept by two persons, which together give one
//! administrator account a password for some hours, on the day the last administrator is lost.
//!
//! Shape: `break_glass_envelopes` keeps argon2id hashes, two of a pair; the newest pair counts.
//! `break_glass_openings` uses a pair up, `break_glass_acknowledgements` is each administrator's
//! "seen". Preparing and opening are done at the console (`hokatsu users break-glass`).
//! Invariant: neither secret alone opens anything; every try leaves an entry.
//! Limits: [`PASSWORD_HOURS`].
//! Source: docs/decisions/0021-vendor-windows.md; runbooks/administrator-lost.md.

mod acts;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use acts::{Envelope, NewAdministrator, Opened, Opening, Refused, open, prepare};
pub use view::{file, printed};

use crate::web::{Permission, Routes};

pub(super) use store::is_expired;

/// How long the password holds that an opening gives out, hours.
pub const PASSWORD_HOURS: i64 = 4;

/// What happened to the envelopes, and taking note of it.
pub(super) fn routes() -> Routes {
    let see = Permission::StaffView;
    Routes::new("非常用の封筒")
        .get("/break-glass", see, pages::list)
        .post("/break-glass/{id}/acknowledgement", see, pages::acknowledge)
}
