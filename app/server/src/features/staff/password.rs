//! argon2id with its cost stated: 19 MiB, 2 passes, 1 lane (OWASP's first choice, about 20 ms on
//! the build machine). One check at a time holds 19 MiB; the desk's limit bounds how many.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::web::Problem;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

fn hasher() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .or(Err(Problem::Fault("argon2 parameters are out of range")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a password with a salt of its own.
pub(super) fn hash(password: &str) -> Result<String, Problem> {
    let hashed = hasher()?.hash_password(password.as_bytes());
    Ok(hashed
        .or(Err(Problem::Fault("password cannot be hashed")))?
        .to_string())
}

/// Does the password fit? A hash that cannot be read fits nothing.
pub(super) fn fits(password: &str, stored: &str) -> Result<bool, Problem> {
    let Ok(parsed) = PasswordHash::new(stored) else {
        return Ok(false);
    };
    Ok(hasher()?
        .verify_password(password.as_bytes(), &parsed)
        .is_ok())
}

/// Takes as long as [`fits`] for an ID that does not exist.
pub(super) fn pretend(password: &str) -> Result<(), Problem> {
    hash(password).map(drop)
}
