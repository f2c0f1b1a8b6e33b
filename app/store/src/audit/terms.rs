//! Marks of what was looked for: equal words give equal marks, and a mark tells no word.
//!
//! Shape: the first ten hexadecimal digits of HMAC-SHA-256 over the folded words, with a key that
//! lies beside the database and not in it. Whoever holds both can try out a guess, which is what an
//! investigation needs; whoever holds the log alone cannot.

use ring::hmac::{HMAC_SHA256, Key, sign};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::directory::DataDir;
use crate::error::StoreError;

const KEY_BYTES: usize = 32;
/// 40 bits: among a million different searches two share a mark by chance about once in two.
const MARK_CHARS: usize = 10;

/// The key of this data directory.
pub(crate) struct TermKey(Key);

impl std::fmt::Debug for TermKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TermKey(…)")
    }
}

impl TermKey {
    /// Reads the key, or makes one for a directory that has none yet.
    pub(crate) fn take(dir: &DataDir) -> Result<Self, StoreError> {
        let path = dir.audit_term_key();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(dir)?,
            Err(source) => return Err(StoreError::Io { path, source }),
        };
        if bytes.len() != KEY_BYTES {
            return Err(StoreError::AuditKey { path });
        }
        Ok(Self(Key::new(HMAC_SHA256, &bytes)))
    }

    pub(crate) fn mark(&self, folded: &str) -> String {
        let tag = sign(&self.0, folded.as_bytes());
        let hex = data_encoding::HEXLOWER.encode(tag.as_ref());
        hex.chars().take(MARK_CHARS).collect()
    }
}

fn create(dir: &DataDir) -> Result<Vec<u8>, StoreError> {
    let path = dir.audit_term_key();
    let mut bytes = vec![0; KEY_BYTES];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.or(Err(StoreError::AuditKey { path: path.clone() }))?;
    base::paths::create_private_dir(&dir.keys())?;
    base::paths::write_atomic(&path, &bytes, base::paths::MODE_PRIVATE)?;
    Ok(bytes)
}
