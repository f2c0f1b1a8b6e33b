//! The key file of the password that the machine drew for itself.
//!
//! Shape: as the engine's, with [`LIGHT_N`] rounds of scrypt instead of 2^17. Stretching makes a password that
//! a person chose as dear to guess as one of more bits; one of 256 random bits cannot be guessed, and it
//! cost each job a third of a second and 128 MiB. Any other password, the words of a sheet among
//! them, keeps the engine's own.
//! Invariant: what cannot be read or does not open here is left to the engine, which names it.
//! Source: the restic repository format, "Keys, Encryption and MAC"; NIST SP 800-132, 5.1 (a password-based
//! derivation is for passwords that people choose); docs/decisions/0045-machine-key.md.

use aes256ctr_poly1305aes::aead::Aead as _;
use aes256ctr_poly1305aes::{Aes256CtrPoly1305Aes, Key, Nonce};
use data_encoding::{BASE32_NOPAD, BASE64};
use ring::rand::{SecureRandom as _, SystemRandom};
use rustic_core::repofile::{KeyFile, KeyId, MasterKey};
use rustic_core::{FileType, ReadBackend as _, WriteBackend as _};
use serde_json::json;

use crate::error::BackupError;
use crate::settings::RepositorySettings;
use crate::{manifest, place};

/// 32 random bytes are 52 letters and digits without 0, 1, 8 or 9, which people misread.
const PASSWORD_BYTES: usize = 32;
/// 1 MiB and two milliseconds.
const LIGHT_N: u32 = 1 << 10;
const BLOCK_R: u32 = 8;
const LANES_P: u32 = 1;
const SALT_BYTES: usize = 64;
const NONCE_BYTES: usize = 16;

/// A new password.
pub(crate) fn draw() -> Result<String, BackupError> {
    Ok(BASE32_NOPAD.encode(&random::<PASSWORD_BYTES>()?))
}

/// Is it one that [`draw`] made? Nobody chooses 52 letters of this alphabet.
pub(crate) fn is_drawn(password: &str) -> bool {
    let bytes = BASE32_NOPAD.decode(password.as_bytes());
    bytes.is_ok_and(|bytes| bytes.len() == PASSWORD_BYTES)
}

/// The master key that a light key file of the repository locks in by this password, if there is one.
pub(crate) fn find(settings: &RepositorySettings, password: &str) -> Option<MasterKey> {
    if !is_drawn(password) {
        return None;
    }
    let backend = place::backends(settings).ok()?.repository();
    let ids = backend.list(FileType::Key).ok()?;
    ids.iter().find_map(|id| {
        let bytes = backend.read_full(FileType::Key, id).ok()?;
        let file: KeyFile = serde_json::from_slice(&bytes).ok()?;
        if (file.n, file.r, file.p) != (LIGHT_N, BLOCK_R, LANES_P) {
            return None;
        }
        let (encrypt, k, r) = file.key_from_password(&password).ok()?.to_keys();
        let told = json!({
            "mac": { "k": BASE64.encode(&k), "r": BASE64.encode(&r) },
            "encrypt": BASE64.encode(&encrypt),
        });
        serde_json::from_value(told).ok()
    })
}

/// Locks the master key in by a password that was drawn.
pub(crate) fn add(
    settings: &RepositorySettings,
    master: &MasterKey,
    password: &str,
) -> Result<KeyId, BackupError> {
    let engine = || BackupError::engine("add a key", &settings.name);
    let mut file = KeyFile {
        hostname: None,
        username: None,
        created: None,
        kdf: "scrypt".to_owned(),
        n: LIGHT_N,
        r: BLOCK_R,
        p: LANES_P,
        data: Vec::new(),
        salt: random::<SALT_BYTES>()?.to_vec(),
    };
    let (encrypt, k, r) = file.kdf_key(&password).map_err(engine())?.to_keys();
    let lock = [encrypt, k, r].concat();
    file.data = sealed(&lock, &serde_json::to_vec(master)?)?;
    let bytes = serde_json::to_vec(&file)?;
    let id: KeyId = manifest::sha256(&bytes).parse().map_err(engine())?;
    let backend = place::backends(settings)?.repository();
    let written = backend.write_bytes(FileType::Key, &id, false, bytes.into());
    written.map_err(engine())?;
    Ok(id)
}

/// The nonce, then text and code: as everything in the repository is sealed.
fn sealed(lock: &[u8], text: &[u8]) -> Result<Vec<u8>, BackupError> {
    let nonce = random::<NONCE_BYTES>()?;
    let cipher = Aes256CtrPoly1305Aes::new(Key::from_slice(lock));
    // It fails on texts of gigabytes alone.
    let Ok(body) = cipher.encrypt(Nonce::from_slice(&nonce), text) else {
        return Err(BackupError::NoRandom);
    };
    Ok([nonce.as_slice(), &body].concat())
}

fn random<const N: usize>() -> Result<[u8; N], BackupError> {
    let mut bytes = [0_u8; N];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        return Err(BackupError::NoRandom);
    }
    Ok(bytes)
}
