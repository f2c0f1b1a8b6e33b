//! Proof that a form came from a page of ours, shown to this session.
//!
//! Each page carries another token: a nonce and its HMAC under the session's secret. Compressed
//! pages therefore never repeat a secret that an attacker could measure by length.

use data_encoding::BASE64URL_NOPAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

const NONCE_BYTES: usize = 12;

/// Makes a token under the session's secret. Empty when the machine has no randomness, which no
/// check accepts.
pub(crate) fn token(secret: &str) -> String {
    let mut nonce = [0_u8; NONCE_BYTES];
    if SystemRandom::new().fill(&mut nonce).is_err() {
        return String::new();
    }
    let tag = hmac::sign(&key(secret), &nonce);
    BASE64URL_NOPAD.encode(&[&nonce, tag.as_ref()].concat())
}

/// Was this token made under this secret?
pub(crate) fn is_valid(secret: &str, token: &str) -> bool {
    let Ok(bytes) = BASE64URL_NOPAD.decode(token.as_bytes()) else {
        return false;
    };
    match bytes.split_at_checked(NONCE_BYTES) {
        Some((nonce, tag)) => hmac::verify(&key(secret), nonce, tag).is_ok(),
        None => false,
    }
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

/// Random text for cookies and secrets: 256 bits.
pub(crate) fn random_text() -> Option<String> {
    let mut bytes = [0_u8; 32];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(BASE64URL_NOPAD.encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::{is_valid, random_text, token};

    #[test]
    fn a_token_holds_for_its_own_secret_only() {
        let token = token("secret of this session");
        assert!(is_valid("secret of this session", &token));
        assert!(!is_valid("secret of another", &token));
    }

    #[test]
    fn two_tokens_of_one_secret_differ_and_both_hold() {
        let (first, second) = (token("s"), token("s"));
        assert_ne!(first, second);
        assert!(is_valid("s", &first) && is_valid("s", &second));
    }

    #[test]
    fn an_empty_short_or_foreign_token_is_refused() {
        for bad in ["", "AAAA", "not base64 ***", &random_text().unwrap()] {
            assert!(!is_valid("s", bad), "{bad} was accepted");
        }
    }
}
