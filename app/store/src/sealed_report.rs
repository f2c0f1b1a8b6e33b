//! Reports that are signed with the key of the access log: what a machine says of itself, for people
//! who look at it elsewhere.
//!
//! Shape: the signed bytes are those of the file, one JSON object whose first key says what it is; so
//! no signed report can be taken for a signed head of the chain or a signed list, and a stock tool
//! (`openssl pkeyutl -rawin`) checks it.

use std::path::Path;

use serde::Serialize;

use crate::audit::{PublicKey, Signer};
use crate::directory::DataDir;
use crate::error::StoreError;
use crate::evidence::pem;

/// A report and what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedReport {
    /// `{"hokatsu":"KIND 1","report":…}` and the end of the line.
    pub text: Vec<u8>,
    /// Ed25519 over the text, 64 bytes.
    pub signature: Vec<u8>,
}

/// Writes a report as JSON and signs it with the key of this data directory.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::AuditKey`] when there is no usable key.
pub fn seal_report(
    dir: &DataDir,
    kind: &'static str,
    report: &impl Serialize,
) -> Result<SealedReport, StoreError> {
    let body = serde_json::to_string(report).map_err(|error| StoreError::Io {
        path: dir.path().to_path_buf(),
        source: error.into(),
    })?;
    let text = format!("{{\"hokatsu\":\"{kind} 1\",\"report\":{body}}}\n").into_bytes();
    let signature = Signer::load(dir)?.sign_list(&text);
    Ok(SealedReport { text, signature })
}

/// Is this report what the holder of the key signed? `key` is a machine's `audit.pub`.
///
/// # Errors
/// [`StoreError::Io`], [`StoreError::AuditKey`] when the key cannot be read.
pub fn is_sealed(key: &Path, text: &[u8], signature: &[u8]) -> Result<bool, StoreError> {
    Ok(PublicKey::load(key)?.verifies_list(text, signature))
}

/// The public key of a data directory as PEM, for stock tools.
///
/// # Errors
/// As [`is_sealed`].
pub fn public_key_pem(dir: &DataDir) -> Result<String, StoreError> {
    Ok(pem(&PublicKey::load(&dir.audit_public_key())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::create_key;

    #[test]
    fn a_report_is_what_was_signed_and_one_letter_more_is_not() {
        let root = tempfile::tempdir().unwrap();
        let dir = DataDir::new(root.path());
        base::paths::create_private_dir(&dir.keys()).unwrap();
        create_key(&dir).unwrap();
        let sealed = seal_report(&dir, "drill report", &["held"]).unwrap();
        assert_eq!(
            sealed.text,
            b"{\"hokatsu\":\"drill report 1\",\"report\":[\"held\"]}\n"
        );
        let key = dir.audit_public_key();
        assert!(is_sealed(&key, &sealed.text, &sealed.signature).unwrap());
        let other = [&sealed.text[..], b" "].concat();
        assert!(!is_sealed(&key, &other, &sealed.signature).unwrap());
        assert!(
            public_key_pem(&dir)
                .unwrap()
                .starts_with("-----BEGIN PUBLIC KEY-----\n")
        );
    }
}
