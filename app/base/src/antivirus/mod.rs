//! Viruses: what a scanner says of bytes, and by which signatures.
//!
//! Shape: [`Scanner`] asks ClamAV's `clamd` over its Unix socket; [`signatures`] reads what lies in its directory
//! without it. Whoever has bytes from outside gets a [`Scan`].
//! Invariant: only a scanner that answered, about all of it, makes a file [`Scan::Clean`].
//! Limits: each wait has an end; a scanner that hangs costs its caller [`SCAN_TIME_MAX`], once.
//! Errors: [`ScannerError`], whose words name no file. Source: docs/decisions/0052-viruses.md; clamd(8).

pub mod signatures;
#[cfg(test)]
mod tests;

use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clamav_client::{TransportProtocol, get_version, scan_buffer, scan_file};

use crate::settings::AntivirusSettings;
use signatures::{Signature, SignatureError};

/// So long an answer about one file is waited for; the scanner itself gives up a little sooner (`MaxScanTime`).
pub const SCAN_TIME_MAX: Duration = Duration::from_secs(60);
/// So long it may take to say that it is there.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes handed over at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Whether it answers is asked so often at most, however many pages are drawn.
const HEALTH_AGE_MAX: Duration = Duration::from_secs(60);
/// A finding is a name of some words; a longer one is cut.
const FINDING_CHARS_MAX: usize = 100;
/// What it calls a file of which it did not look at everything: no virus, and no all-clear.
const PARTLY: &str = "Heuristics.Limits.Exceeded";
/// The version of signatures without a number.
const UNNUMBERED: u32 = 0;

/// Why it is not known whether bytes hold a virus.
#[derive(Debug, thiserror::Error)]
pub enum ScannerError {
    /// Nobody there, or no answer in time.
    #[error("the scanner does not answer")]
    Silent(#[source] io::Error),
    /// It answered something else: too large for it, out of memory.
    #[error("the scanner answered {0:?}")]
    Refused(String),
}

/// What is known of a file that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// Nothing was found.
    Clean {
        /// Number of the daily signatures; 0 when they have none.
        signatures: u32,
    },
    /// A virus was.
    Found {
        /// As the signatures call it.
        finding: String,
        /// Number of the daily signatures; 0 when they have none.
        signatures: u32,
    },
    /// Nobody looked: there is no scanner, or it did not answer.
    Unscanned,
}

/// How scanning stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Health {
    /// When the newest daily signatures were made; nothing: none are installed.
    pub daily: Option<Signature>,
    /// Does the scanner answer?
    pub answers: bool,
}

/// The scanner of this machine; clones share what they know of it.
#[derive(Debug, Clone)]
pub struct Scanner {
    socket: PathBuf,
    signatures: PathBuf,
    known: Arc<Mutex<Option<(Instant, Health)>>>,
}

/// A connection whose waits end.
struct Line<'s> {
    socket: &'s Path,
    wait: Duration,
}

impl TransportProtocol for Line<'_> {
    type Stream = UnixStream;

    fn connect(&self) -> io::Result<UnixStream> {
        let stream = UnixStream::connect(self.socket)?;
        stream.set_read_timeout(Some(self.wait))?;
        stream.set_write_timeout(Some(self.wait))?;
        Ok(stream)
    }
}

impl Scanner {
    /// The one of the settings; nothing is asked yet.
    #[must_use]
    pub fn new(settings: &AntivirusSettings) -> Self {
        Self {
            socket: settings.socket.clone(),
            signatures: settings.installed(),
            known: Arc::default(),
        }
    }

    fn line(&self, wait: Duration) -> Line<'_> {
        Line {
            socket: &self.socket,
            wait,
        }
    }

    /// Has a file looked through.
    ///
    /// # Errors
    /// [`ScannerError`]: then nothing is known of it.
    pub fn scan_file(&self, file: &Path) -> Result<Scan, ScannerError> {
        let line = self.line(SCAN_TIME_MAX);
        self.told(&scan_file(file, line, Some(PIECE_BYTES)).map_err(ScannerError::Silent)?)
    }

    /// Has bytes looked through, of which an answer is waited for so long.
    ///
    /// # Errors
    /// As [`Scanner::scan_file`].
    pub fn scan(&self, bytes: &[u8], wait: Duration) -> Result<Scan, ScannerError> {
        let line = self.line(wait);
        self.told(&scan_buffer(bytes, line, Some(PIECE_BYTES)).map_err(ScannerError::Silent)?)
    }

    fn told(&self, answer: &[u8]) -> Result<Scan, ScannerError> {
        let finding = verdict(answer)?;
        let signatures = self.version()?;
        Ok(match finding {
            Some(finding) => Scan::Found {
                finding,
                signatures,
            },
            None => Scan::Clean { signatures },
        })
    }

    /// Number of the daily signatures that it has loaded; 0 when they have none.
    ///
    /// # Errors
    /// [`ScannerError`] when nobody answers.
    pub fn version(&self) -> Result<u32, ScannerError> {
        let line = self.line(ANSWER_TIME_MAX);
        let answer = get_version(line).map_err(ScannerError::Silent)?;
        // ClamAV 1.4.3/27800/Mon Nov 30 09:26:31 2026
        let text = words(&answer);
        if !text.starts_with("ClamAV ") {
            return Err(ScannerError::Refused(text));
        }
        let number = text.split('/').nth(1).map(str::parse);
        Ok(number.and_then(Result::ok).unwrap_or(UNNUMBERED))
    }

    /// How it stands, as it was at most a minute ago.
    ///
    /// # Errors
    /// [`SignatureError`] when what lies there cannot be read.
    pub fn health(&self) -> Result<Health, SignatureError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, health)) = known.as_ref()
            && at.elapsed() < HEALTH_AGE_MAX
        {
            return Ok(health.clone());
        }
        let health = Health {
            daily: signatures::read(&self.signatures, signatures::DAILY)?,
            answers: self.version().is_ok(),
        };
        *known = Some((Instant::now(), health.clone()));
        Ok(health)
    }
}

/// The name of what was found; nothing: it is clean.
fn verdict(answer: &[u8]) -> Result<Option<String>, ScannerError> {
    if answer.is_empty() {
        return Err(ScannerError::Silent(io::ErrorKind::UnexpectedEof.into()));
    }
    let text = words(answer);
    match text.strip_prefix("stream: ") {
        Some("OK") => Ok(None),
        Some(said) => match said.strip_suffix(" FOUND") {
            Some(finding) if !finding.starts_with(PARTLY) => Ok(Some(finding.to_owned())),
            Some(_) | None => Err(ScannerError::Refused(text)),
        },
        None => Err(ScannerError::Refused(text)),
    }
}

/// What it said, as one short line that may stand anywhere.
fn words(answer: &[u8]) -> String {
    let text = String::from_utf8_lossy(answer);
    let plain = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
    plain.take(FINDING_CHARS_MAX).collect()
}
