//! What the service and the shipper of commits say to each other: a socket beside the database, one line
//! asked, one line answered.
//!
//! Shape: a [`Request`] is one word, an [`Answer`] one JSON object; both end with a line feed. The socket
//! lies in `shipping/` of the data directory, which only its owner may enter.
//! Invariant: an answer speaks of everything that was committed before its question was sent.
//! Limits: [`LINE_BYTES_MAX`] a line. Whoever waits says for how long.
//! Source: docs/decisions/0032-commit-shipping.md.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Longest line, bytes.
pub const LINE_BYTES_MAX: u64 = 4_096;
const SOCKET: &str = "ship.sock";
const SWITCH: &str = "on";
/// In [`machine_dir`], while changes are acknowledged without the second disk although they should not:
/// since when.
pub const UNCONFIRMED: &str = "unconfirmed";

/// What may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Is everything that is committed on the second disk? Answered once it is, or cannot be.
    Wait,
    /// May the write-ahead log be folded into the database? The asker holds the write lock.
    Fold,
    /// How do you stand?
    Status,
    /// Bytes with this SHA-256 lie below the shelf of attachments in a file of this name: answered once the
    /// second disk has them too, or cannot.
    Bytes {
        /// Their SHA-256.
        sha256: [u8; 32],
        /// The file's name, without a directory.
        name: String,
    },
}

/// How the shipper stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Every commit goes to the second disk.
    Following,
    /// The database is being copied for a new generation.
    Copying,
    /// The second disk is not there.
    Absent,
    /// There is a disk, but it is not the enrolled one: it is left untouched.
    Foreign,
    /// The second disk has no room.
    Full,
    /// The second disk cannot be written to.
    Failed,
    /// There is no database yet, or it is not in WAL mode.
    NoDatabase,
}

/// What is answered to every request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What was asked holds.
    pub yes: bool,
    /// How the shipper stands.
    pub state: State,
    /// The last transaction that is on the second disk.
    pub commit: u64,
    /// When it was seen.
    pub at: Option<Timestamp>,
    /// Since when the shipper is in this state.
    pub since: Timestamp,
    /// Bytes of the database copied and to copy, while a generation begins.
    pub copied: Option<(u64, u64)>,
}

impl Request {
    /// The line that asks it.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Wait => "wait\n".to_owned(),
            Self::Fold => "fold\n".to_owned(),
            Self::Status => "status\n".to_owned(),
            Self::Bytes { sha256, name } => {
                let digits = sha256.iter().map(|byte| format!("{byte:02x}"));
                format!("bytes {} {name}\n", digits.collect::<String>())
            }
        }
    }

    /// Reads such a line; nothing when it is none.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        match line.trim_end() {
            "wait" => Some(Self::Wait),
            "fold" => Some(Self::Fold),
            "status" => Some(Self::Status),
            other => {
                let (digits, name) = other.strip_prefix("bytes ")?.split_once(' ')?;
                if name.is_empty() || name.contains(['/', ' ']) || name == ".." {
                    return None;
                }
                let mut sha256 = [0; 32];
                let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
                if pairs.len() != sha256.len() || !rest.is_empty() {
                    return None;
                }
                for (to, pair) in sha256.iter_mut().zip(pairs) {
                    *to = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
                }
                let name = name.to_owned();
                Some(Self::Bytes { sha256, name })
            }
        }
    }
}

/// Where the shipper of a data directory keeps what it needs on this machine.
#[must_use]
pub fn machine_dir(data: &Path) -> PathBuf {
    data.join("shipping")
}

/// Is shipping switched on? Then nobody folds SQLite's log without asking the shipper.
#[must_use]
pub fn is_on(machine: &Path) -> bool {
    switch_file(machine).exists()
}

/// The file that says so.
#[must_use]
pub fn switch_file(machine: &Path) -> PathBuf {
    machine.join(SWITCH)
}

/// The name of the socket in its directory, by way of the open directory: the name of a socket may have
/// 107 bytes, that of a directory more.
fn short_name(dir: &Path) -> io::Result<(File, PathBuf)> {
    let open = File::open(dir)?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", open.as_raw_fd()));
    Ok((open, path))
}

/// Listens in a directory; what an earlier shipper left there is replaced.
///
/// # Errors
/// Those of the file system.
pub fn listen(dir: &Path) -> io::Result<UnixListener> {
    let (_open, path) = short_name(dir)?;
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    UnixListener::bind(&path)
}

/// A connection to the shipper of a directory.
#[derive(Debug)]
pub struct Line(BufReader<UnixStream>);

impl Line {
    /// Calls the shipper.
    ///
    /// # Errors
    /// `ConnectionRefused` or `NotFound` when there is none.
    pub fn call(dir: &Path) -> io::Result<Self> {
        let (_open, path) = short_name(dir)?;
        UnixStream::connect(path).map(BufReader::new).map(Self)
    }

    /// Asks, and waits so long for the answer. After an error the connection is of no more use.
    ///
    /// # Errors
    /// `WouldBlock` when the time is over; `UnexpectedEof` when the shipper ended.
    pub fn ask(&mut self, request: &Request, limit: Duration) -> io::Result<Answer> {
        let limit = Some(limit.max(Duration::from_millis(1)));
        self.0.get_ref().set_read_timeout(limit)?;
        self.0.get_ref().set_write_timeout(limit)?;
        self.0.get_mut().write_all(request.line().as_bytes())?;
        let mut line = String::new();
        self.0.by_ref().take(LINE_BYTES_MAX).read_line(&mut line)?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        serde_json::from_str(&line).map_err(io::Error::other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_comes_back_from_its_line() {
        let bytes = Request::Bytes {
            sha256: [0xa7; 32],
            name: ".part-x7".to_owned(),
        };
        for request in [Request::Wait, Request::Fold, Request::Status, bytes] {
            assert_eq!(Request::parse(&request.line()), Some(request));
        }
        let other = ["", "waits", "bytes 00", "bytes zz x", &"bytes é".repeat(9)];
        assert!(other.iter().all(|line| Request::parse(line).is_none()));
        let outside = format!("bytes {} ../keys", "a7".repeat(32));
        assert_eq!(Request::parse(&outside), None);
    }

    #[test]
    fn a_shipper_is_found_in_a_directory_with_a_long_name_and_none_in_an_empty_one() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("n".repeat(200));
        std::fs::create_dir(&dir).unwrap();
        assert!(Line::call(&dir).is_err());
        let listener = listen(&dir).unwrap();
        drop(listen(&dir).unwrap());
        drop(listener);
        let refused = Line::call(&dir).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }
}
