//! Scanners of viruses for suites: one that follows a script, and the stock one with a signature of ours.
//!
//! Shape: [`Scripted`] speaks `INSTREAM` and `VERSION` at a socket of the test and is in a [`Mood`]; [`Stock`] is
//! ClamAV's own `clamd` in the foreground. Both call [`eicar`] a virus, which is put together here so that no file of
//! the repository holds it: scanners would put that away.
//! Source: clamd(8); EICAR, "Anti Malware Testfile".

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a suite that cannot set itself up must stop at once and say where"
)]

use std::fmt::Write as _;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base::command::{Running, Spec, start};
use base::paths::{MODE_PUBLIC, write_atomic};
use tempfile::TempDir;

/// What the scripted scanner calls [`eicar`].
pub const FINDING: &str = "Eicar-Test-Signature";
/// What the stock scanner calls it, by the signature that it is given here.
pub const STOCK_FINDING: &str = "Hokatsu.Test.Eicar.UNOFFICIAL";
/// A machine that is busy with other suites takes its time.
const PATIENCE: Duration = Duration::from_secs(60);
/// No test lasts so long.
const LIFE_MAX: Duration = Duration::from_secs(600);

/// The test text that every scanner calls a virus, and that does nothing.
#[must_use]
pub fn eicar() -> Vec<u8> {
    let parts = [
        r"X5O!P%@AP[4\PZX54(P^)7CC)7}",
        "$EICAR-STANDARD-ANTIVIRUS",
        "-TEST-FILE!$H+H*",
    ];
    parts.concat().into_bytes()
}

/// How the scripted scanner answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Works,
    /// It takes everything and never says anything.
    Hangs,
    /// It closes every connection at once.
    Closes,
    /// Whatever it gets is more than it takes.
    Refuses,
    /// It did not look at everything.
    Stops,
}

#[derive(Debug)]
struct Script {
    mood: Mood,
    version: u32,
    /// Connections that wait for ever.
    held: Vec<UnixStream>,
}

/// A scanner that follows a script, for as long as the process lives.
#[derive(Debug)]
pub struct Scripted {
    dir: TempDir,
    script: Arc<Mutex<Script>>,
}

impl Scripted {
    /// One that works, with daily signatures of this number.
    #[must_use]
    pub fn start(version: u32) -> Self {
        let dir = TempDir::new().expect("a directory for the socket");
        let script = Script {
            mood: Mood::Works,
            version,
            held: Vec::new(),
        };
        let scripted = Self {
            dir,
            script: Arc::new(Mutex::new(script)),
        };
        let listener = UnixListener::bind(scripted.socket()).expect("a socket");
        let script = Arc::clone(&scripted.script);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let script = Arc::clone(&script);
                // Whoever hung up does not wait for an answer.
                thread::spawn(move || answer(stream, &script).unwrap_or(()));
            }
        });
        scripted
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("clamd.ctl")
    }

    /// From now on it is in this mood.
    pub fn set(&self, mood: Mood) {
        self.locked().mood = mood;
    }

    /// From now on its daily signatures have this number.
    pub fn load(&self, version: u32) {
        self.locked().version = version;
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(mut stream: UnixStream, script: &Mutex<Script>) -> io::Result<()> {
    let locked = || script.lock().unwrap_or_else(PoisonError::into_inner);
    let (mood, version) = {
        let script = locked();
        (script.mood, script.version)
    };
    if mood == Mood::Closes {
        return Ok(());
    }
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut command = Vec::new();
    reader.read_until(0, &mut command)?;
    let scans = command == b"zINSTREAM\0";
    let bytes = if scans {
        streamed(&mut reader)?
    } else {
        Vec::new()
    };
    let words = match mood {
        Mood::Hangs => {
            locked().held.push(stream);
            return Ok(());
        }
        Mood::Works | Mood::Closes | Mood::Refuses | Mood::Stops if !scans => {
            format!("ClamAV 1.4.3/{version}/Mon Nov 30 09:26:31 2026")
        }
        Mood::Refuses => "INSTREAM size limit exceeded. ERROR".to_owned(),
        Mood::Stops => "stream: Heuristics.Limits.Exceeded.MaxScanTime FOUND".to_owned(),
        Mood::Works | Mood::Closes if holds(&bytes, &eicar()) => format!("stream: {FINDING} FOUND"),
        Mood::Works | Mood::Closes => "stream: OK".to_owned(),
    };
    stream.write_all(words.as_bytes())?;
    stream.write_all(&[0])
}

/// Pieces, each behind its length; one of no length ends them.
fn streamed(reader: &mut impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut length = [0; 4];
        reader.read_exact(&mut length)?;
        let length = u64::from(u32::from_be_bytes(length));
        if length == 0 {
            return Ok(bytes);
        }
        reader.by_ref().take(length).read_to_end(&mut bytes)?;
    }
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// ClamAV's own `clamd`, with one signature: that of [`eicar`].
#[derive(Debug)]
pub struct Stock {
    dir: TempDir,
    _clamd: Running,
}

impl Stock {
    /// Starts it in a directory of its own and waits until it answers; with more lines of its configuration.
    #[must_use]
    pub fn start(more: &str) -> Self {
        let dir = TempDir::new().expect("a directory for the scanner");
        let place = |name: &str| dir.path().join(name);
        std::fs::create_dir(place("signatures")).expect("a directory for signatures");
        let mut hex = String::new();
        for byte in eicar() {
            write!(hex, "{byte:02x}").expect("a text takes letters");
        }
        let signature = format!("Hokatsu.Test.Eicar:0:0:{hex}\n");
        put(&place("signatures/test.ndb"), &signature);
        let text = format!(
            "Foreground yes\nLocalSocket {}\nDatabaseDirectory {}\n{more}\n",
            place("clamd.ctl").display(),
            place("signatures").display()
        );
        put(&place("clamd.conf"), &text);
        let spec = Spec::new("clamd", LIFE_MAX).arg("--config-file");
        let spec = spec.arg(place("clamd.conf")).ends_with_us();
        let stock = Self {
            _clamd: start(&spec).expect("clamd of the package clamav-daemon"),
            dir,
        };
        let begun = Instant::now();
        while UnixStream::connect(stock.socket()).is_err() {
            assert!(begun.elapsed() < PATIENCE, "clamd does not come up");
            thread::park_timeout(Duration::from_millis(50));
        }
        stock
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("clamd.ctl")
    }
}

fn put(path: &Path, text: &str) {
    write_atomic(path, text.as_bytes(), MODE_PUBLIC).expect("a file of the test");
}
