//! One opened form is one record: a token that the form carries and the record keeps.

use data_encoding::HEXLOWER;
use ring::digest::{SHA256, digest};

use crate::web::visit::Visit;

/// Longest token that is believed, bytes.
const BYTES_MAX: usize = 100;
const BYTES_MIN: usize = 32;

impl Visit {
    /// The token that the form brought back, or a fresh one for a form that is opened. Hashed: what
    /// is stored must not be a valid cross-site token.
    pub fn submission(&self) -> String {
        let typed = self.form.trimmed("submission");
        let ours = (BYTES_MIN..=BYTES_MAX).contains(&typed.len())
            && typed.bytes().all(|byte| byte.is_ascii_hexdigit());
        if ours {
            typed.to_owned()
        } else {
            HEXLOWER.encode(digest(&SHA256, self.csrf().as_bytes()).as_ref())
        }
    }
}
