//! The keys that seal what a code is checked with: in a file of its own, never in the database.
//!
//! Shape: one line a key, newest first: its name and the key in base32. The name is the beginning of
//! the key's SHA-256, so that a line typed from paper is checked before anything is opened with it.
//! ChaCha20-Poly1305 with a nonce of its own for each text; what a text belongs to is bound to it.
//! Invariant: the file is in no backup of ours; `Debug` and errors show names, never keys.
//! Source: RFC 8439; docs/decisions/0030-secrets-at-rest.md.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use base::report::{Kind, Report, Runbook};
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom as _, SystemRandom};

/// Bytes of a key.
const KEY_BYTES: usize = 32;
/// Letters of a key's name: enough to find a mistyped key, and to tell a handful apart.
const NAME_CHARS: usize = 8;
/// Keys in one file: the present one and, while a change is under way, the one before.
const KEYS_MAX: usize = 4;
/// Bytes of a key file we are willing to read.
const FILE_BYTES_MAX: u64 = 4096;

const HEAD: &str = "# 確認コードの鍵。バックアップには入りません。印刷して、封をして保管してください。\n\
    # 手順書: runbooks/factor-key-missing.md\n";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file is not there.
    #[error("there is no key file")]
    Absent,
    /// It is there and cannot be read.
    #[error("key file cannot be read")]
    Unreadable(#[source] std::io::Error),
    /// A line is no key, or its name is another key's.
    #[error("line {0} of the key file holds no key")]
    Line(usize),
    /// It cannot be written.
    #[error("key file cannot be written")]
    Write(#[from] base::paths::PathError),
    /// This machine has no randomness.
    #[error("no randomness for a key")]
    NoRandomness,
}

impl KeysError {
    /// The same failure for its readers.
    pub fn report(self, at: impl AsRef<std::ffi::OsStr>) -> Report {
        let kind = if matches!(self, Self::Absent) {
            Kind::CheckFailed
        } else {
            Kind::Settings
        };
        Report::new(kind, self)
            .staff("確認コードの鍵を扱えませんでした。記録は無事です。担当者にお知らせください。")
            .operator(
                "確認コードの鍵のファイルを読めないか、書けません。\
                 ほかの方法の人はサインインできます。`hokatsu factor-keys check` で確かめてください",
                Runbook::FactorKeyMissing,
            )
            .at(at)
    }
}

/// Why a sealed text stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// The key that it was sealed with is not here.
    #[error("the key is not here")]
    NoKey,
    /// It was changed, or belongs to something else.
    #[error("it was changed, or belongs to something else")]
    Altered,
}

/// A sealed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the key.
    pub key: String,
    /// Nonce, text and tag.
    pub bytes: Vec<u8>,
}

struct Key {
    name: String,
    bytes: [u8; KEY_BYTES],
}

impl Key {
    fn new(bytes: [u8; KEY_BYTES]) -> Self {
        let hash = HEXLOWER.encode(digest(&SHA256, &bytes).as_ref());
        let name = hash.chars().take(NAME_CHARS).collect();
        Self { name, bytes }
    }

    fn fresh() -> Result<Self, KeysError> {
        let mut bytes = [0; KEY_BYTES];
        let filled = SystemRandom::new().fill(&mut bytes);
        filled.or(Err(KeysError::NoRandomness))?;
        Ok(Self::new(bytes))
    }

    /// Name and key, as they stand in a line; the letters of the key in any case.
    fn read(line: &str) -> Option<Self> {
        let (name, text) = line.split_once(' ')?;
        let text: String = text.split_whitespace().collect();
        let bytes = BASE32_NOPAD.decode(text.to_uppercase().as_bytes()).ok()?;
        let key = Self::new(bytes.try_into().ok()?);
        (key.name == name).then_some(key)
    }

    fn cipher(&self) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.bytes).ok()?;
        Some(LessSafeKey::new(key))
    }
}

/// The keys of this installation, newest first; cheap to clone.
#[derive(Clone)]
pub struct FactorKeys(Arc<Vec<Arc<Key>>>);

impl fmt::Debug for FactorKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FactorKeys({:?})", self.names())
    }
}

impl FactorKeys {
    /// Nothing can be sealed or opened.
    pub fn none() -> Self {
        Self(Arc::default())
    }

    /// One new key.
    ///
    /// # Errors
    /// [`KeysError::NoRandomness`].
    pub fn fresh() -> Result<Self, KeysError> {
        Self::none().renewed()
    }

    /// A new key in front of these.
    ///
    /// # Errors
    /// [`KeysError::NoRandomness`].
    pub fn renewed(&self) -> Result<Self, KeysError> {
        let mut keys = vec![Arc::new(Key::fresh()?)];
        keys.extend(self.0.iter().take(KEYS_MAX - 1).map(Arc::clone));
        Ok(Self(Arc::new(keys)))
    }

    /// The newest of these alone.
    pub fn newest(&self) -> Self {
        Self(Arc::new(self.0.iter().take(1).map(Arc::clone).collect()))
    }

    /// Their names, newest first.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|key| key.name.as_str()).collect()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`KeysError`].
    pub fn read(path: &Path) -> Result<Self, KeysError> {
        let unreadable = |error: std::io::Error| {
            if error.kind() == std::io::ErrorKind::NotFound {
                KeysError::Absent
            } else {
                KeysError::Unreadable(error)
            }
        };
        if std::fs::metadata(path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
            return Err(unreadable(std::io::ErrorKind::FileTooLarge.into()));
        }
        Self::parse(&std::fs::read_to_string(path).map_err(unreadable)?)
    }

    fn parse(text: &str) -> Result<Self, KeysError> {
        let lines = text.lines().map(str::trim).enumerate();
        let mut keys = Vec::new();
        for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let wrong = KeysError::Line(at + 1);
            match Key::read(line).filter(|_| keys.len() < KEYS_MAX) {
                Some(key) => keys.push(Arc::new(key)),
                None => return Err(wrong),
            }
        }
        if keys.is_empty() {
            return Err(KeysError::Absent);
        }
        Ok(Self(Arc::new(keys)))
    }

    /// The file's text.
    fn text(&self) -> String {
        let line = |key: &Arc<Key>| format!("{} {}\n", key.name, BASE32_NOPAD.encode(&key.bytes));
        HEAD.to_owned() + &self.0.iter().map(line).collect::<String>()
    }

    /// Writes a key file for its owner alone, in a directory that nobody else may enter.
    ///
    /// # Errors
    /// [`KeysError::Write`]; the file is then as it was.
    pub fn write(&self, path: &Path) -> Result<(), KeysError> {
        if let Some(dir) = path.parent().filter(|dir| !dir.exists()) {
            create_private_dir(dir)?;
        }
        Ok(write_atomic(path, self.text().as_bytes(), MODE_PRIVATE)?)
    }

    /// Seals a text for what it belongs to, with the newest key.
    ///
    /// # Errors
    /// [`KeysError::Absent`] without a key; [`KeysError::NoRandomness`].
    pub fn seal(&self, belongs_to: &str, text: &str) -> Result<Sealed, KeysError> {
        let key = self.0.first().ok_or(KeysError::Absent)?;
        let cipher = key.cipher().ok_or(KeysError::Absent)?;
        let mut nonce = [0; NONCE_LEN];
        let filled = SystemRandom::new().fill(&mut nonce);
        filled.or(Err(KeysError::NoRandomness))?;
        let mut sealed = text.as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        let done = cipher.seal_in_place_append_tag(unique, aad(belongs_to), &mut sealed);
        done.or(Err(KeysError::Absent))?;
        Ok(Sealed {
            key: key.name.clone(),
            bytes: [nonce.as_slice(), &sealed].concat(),
        })
    }

    /// Opens what was sealed for the same thing.
    ///
    /// # Errors
    /// [`Closed`].
    pub fn open(&self, belongs_to: &str, sealed: &Sealed) -> Result<String, Closed> {
        let known = self.0.iter().find(|key| key.name == sealed.key);
        let cipher = known.and_then(|key| key.cipher()).ok_or(Closed::NoKey)?;
        let (nonce, rest) = sealed
            .bytes
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(Closed::Altered)?;
        let mut text = rest.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = cipher.open_in_place(nonce, aad(belongs_to), &mut text);
        let opened = opened.or(Err(Closed::Altered))?;
        String::from_utf8(opened.to_vec()).or(Err(Closed::Altered))
    }
}

fn aad(belongs_to: &str) -> Aad<String> {
    Aad::from(format!("hokatsu {belongs_to}"))
}

/// Where the key file of this installation lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    /// The file.
    pub path: PathBuf,
    /// systemd put it there: it is read, never written.
    pub is_credential: bool,
}

impl KeyPlace {
    /// The credential, where there is one; else the file that the settings name, else `usual`.
    pub fn find(credentials: Option<&Path>, named: Option<PathBuf>, usual: PathBuf) -> Self {
        let credential = credentials.map(|dir| dir.join("factor-keys"));
        match credential.filter(|file| file.exists()) {
            Some(path) => Self {
                path,
                is_credential: true,
            },
            None => Self {
                path: named.unwrap_or(usual),
                is_credential: false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn keys() -> FactorKeys {
        FactorKeys::fresh().unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_the_same_thing_and_for_no_other() {
        let keys = keys();
        let sealed = keys.seal("factor 1", "SECRET").unwrap();
        assert_eq!(keys.open("factor 1", &sealed).as_deref(), Ok("SECRET"));
        assert_eq!(keys.open("factor 2", &sealed), Err(Closed::Altered));
        for at in 0..sealed.bytes.len() {
            let mut changed = sealed.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(keys.open("factor 1", &changed), Err(Closed::Altered));
        }
        let short = Sealed {
            bytes: vec![0; 5],
            ..sealed
        };
        assert_eq!(keys.open("factor 1", &short), Err(Closed::Altered));
    }

    #[test]
    fn the_same_text_is_never_sealed_alike() {
        let keys = keys();
        let [one, two] = [0, 1].map(|_| keys.seal("x", "SECRET").unwrap());
        assert_ne!(one.bytes, two.bytes);
    }

    #[test]
    fn a_renewed_file_opens_the_old_until_the_newest_is_left_alone() {
        let old = keys();
        let sealed = old.seal("x", "SECRET").unwrap();
        let both = old.renewed().unwrap();
        assert_eq!(both.open("x", &sealed).as_deref(), Ok("SECRET"));
        assert_ne!(both.seal("x", "SECRET").unwrap().key, sealed.key);
        assert_eq!(both.newest().open("x", &sealed), Err(Closed::NoKey));
        assert!(matches!(
            FactorKeys::none().seal("x", "SECRET"),
            Err(KeysError::Absent)
        ));
    }

    #[test]
    fn a_file_is_read_back_and_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secrets/factor.keys");
        let keys = keys().renewed().unwrap();
        keys.write(&path).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(FactorKeys::read(&path).unwrap().names(), keys.names());
    }

    #[test]
    fn a_line_typed_from_paper_is_taken_and_a_wrong_letter_is_told_by_its_line() {
        let text = keys().text();
        let line = text.lines().last().unwrap();
        let (name, key) = line.split_once(' ').unwrap();
        let (head, tail) = key.split_at(26);
        let grouped = format!("{name} {} {tail}", head.to_lowercase());
        assert_eq!(FactorKeys::parse(&grouped).unwrap().names(), [name]);
        let other = if tail.starts_with('A') { 'B' } else { 'A' };
        let tail: String = tail.chars().skip(1).collect();
        let wrong = format!("# x\n\n{name} {head}{other}{tail}");
        assert!(matches!(FactorKeys::parse(&wrong), Err(KeysError::Line(3))));
        assert!(matches!(FactorKeys::parse("# x\n"), Err(KeysError::Absent)));
    }

    #[test]
    fn neither_debug_nor_an_error_shows_a_key() {
        let keys = keys();
        let key = BASE32_NOPAD.encode(&keys.0[0].bytes);
        assert!(!format!("{keys:?}").contains(&key));
        let wrong = FactorKeys::parse(&format!("00000000 {key}")).unwrap_err();
        let report = wrong.report("/x");
        assert!(!report.for_developer().contains(&key));
    }

    #[test]
    fn a_credential_wins_over_the_settings_and_those_over_the_usual_place() {
        let dir = tempfile::tempdir().unwrap();
        let usual = || PathBuf::from("/usual");
        let find = |named: Option<PathBuf>| KeyPlace::find(Some(dir.path()), named, usual());
        assert_eq!(find(None).path, usual());
        let named = PathBuf::from("/named");
        assert_eq!(find(Some(named.clone())).path, named);
        write_atomic(&dir.path().join("factor-keys"), b"x", MODE_PRIVATE).unwrap();
        assert!(find(Some(named)).is_credential);
    }
}
