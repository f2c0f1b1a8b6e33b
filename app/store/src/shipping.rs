//! The service's side of commit shipping: when SQLite's log is folded into the file, and who waits.
//!
//! Shape: [`Shipping::committed`] after each commit and before its answer; [`Shipping::fold_if_due`] in the
//! place of SQLite's automatic checkpoint. The shipper is a process of its own and is asked over its socket.
//! Invariant: while shipping is switched on nobody here folds what is not on the second disk, except over
//! the limit of the log: a disk that is away must not fill this one. And no way through here refuses or
//! undoes a commit: without the second disk work goes on, and says so.
//! Never here: opening the database or its log by path; closing them would drop SQLite's locks.
//! Source: docs/decisions/0032-commit-shipping.md.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base::clock::Clock;
use base::paths::{MODE_PRIVATE, create_private_dir, write_atomic};
use base::shipping::{Answer, Line, Request, UNCONFIRMED, is_on, machine_dir, switch_file};
use rusqlite::Connection;

use crate::directory::DataDir;
use crate::error::StoreError;

/// Frames after which the log is folded: what SQLite does by itself.
const FOLD_FRAMES: u32 = 1_000;
/// After a "no", asked again so many frames later.
const FOLD_AGAIN_FRAMES: u32 = 250;
/// A fold waits for the shipper at most so long; the writer is held.
const FOLD_WAIT_MAX: Duration = Duration::from_millis(250);
/// Once somebody waited in vain: how often, and for how long, it is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(5);
const RETRY_WAIT: Duration = Duration::from_millis(100);
/// Nobody waits longer for the second disk with a file of his, which may be 100 MiB.
const BYTES_WAIT_MAX: Duration = Duration::from_secs(10);
const LOG_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What the site file says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShippingPolicy {
    /// Nobody is told that a change is saved before the second disk has it, or this is over.
    pub wait_max: Option<Duration>,
    /// The log is folded all the same once it is so large.
    pub log_bytes_max: u64,
}

impl Default for ShippingPolicy {
    fn default() -> Self {
        Self {
            wait_max: None,
            log_bytes_max: LOG_BYTES_MAX,
        }
    }
}

/// Switches shipping on or off for a directory, before its database is opened.
///
/// # Errors
/// Those of the file system.
pub fn switch_shipping(dir: &DataDir, on: bool) -> Result<(), StoreError> {
    let machine = machine_dir(dir.path());
    let file = switch_file(&machine);
    if on {
        create_private_dir(&machine)?;
        return Ok(write_atomic(&file, b"", MODE_PRIVATE)?);
    }
    match std::fs::remove_file(&file) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::Io { path: file, source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What is known about waiting in vain.
#[derive(Debug, Default)]
struct Alarm {
    /// Nobody waits until then.
    quiet_until: Option<Instant>,
    /// Commits that were acknowledged without the second disk.
    unconfirmed: u64,
}

#[derive(Debug)]
pub(crate) struct Shipping {
    machine: PathBuf,
    policy: ShippingPolicy,
    clock: Clock,
    page_bytes: u64,
    /// Frames in the log after the writer's last commit.
    frames: Arc<AtomicU32>,
    /// Asked again from so many frames on.
    again_from: AtomicU32,
    lines: Mutex<Vec<Line>>,
    alarm: Mutex<Alarm>,
    /// Folds while the writer holds the write lock.
    folding: Mutex<Connection>,
}

impl Shipping {
    /// Takes over the writer's checkpoints.
    pub(crate) fn begin(
        dir: &DataDir,
        clock: Clock,
        writer: &mut Connection,
        folding: Connection,
    ) -> Result<Self, StoreError> {
        let frames = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&frames);
        // This takes the place of SQLite's automatic checkpoint.
        writer.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            counted.store(u32::try_from(pages).unwrap_or(0), Ordering::SeqCst);
            Ok(())
        }))?;
        let page_bytes: i64 = writer.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let machine = machine_dir(dir.path());
        // An alarm that an earlier process left ends with the first commit that the disk has.
        let is_left = machine.join(UNCONFIRMED).exists();
        let alarm = Alarm {
            quiet_until: is_left.then(Instant::now),
            unconfirmed: 0,
        };
        Ok(Self {
            machine,
            policy: ShippingPolicy::default(),
            clock,
            page_bytes: u64::try_from(page_bytes).unwrap_or(4_096),
            frames,
            again_from: AtomicU32::new(0),
            lines: Mutex::default(),
            alarm: Mutex::new(alarm),
            folding: Mutex::new(folding),
        })
    }

    pub(crate) fn keep_to(&mut self, policy: ShippingPolicy) {
        self.policy = policy;
    }

    /// A commit is in the database: when the site wants it, waits until the second disk has it too. Called
    /// with nothing held.
    pub(crate) fn committed(&self) {
        let Some(wait_max) = self.policy.wait_max else {
            return;
        };
        let now = Instant::now();
        let mut alarm = self.alarm();
        let limit = match alarm.quiet_until {
            Some(until) if now < until => {
                alarm.unconfirmed += 1;
                return;
            }
            Some(_) => RETRY_WAIT.min(wait_max),
            None => wait_max,
        };
        let before = alarm.unconfirmed;
        drop(alarm);
        let durable = self
            .ask(&Request::Wait, limit)
            .is_some_and(|answer| answer.yes);
        let mut alarm = self.alarm();
        let was_quiet = alarm.quiet_until.is_some();
        if !durable {
            alarm.unconfirmed += 1;
            alarm.quiet_until = Some(Instant::now() + RETRY_EVERY);
            if !was_quiet {
                self.alarm_begins(limit);
            }
        } else if was_quiet && alarm.unconfirmed == before {
            self.alarm_ends();
            alarm.quiet_until = None;
        } else if was_quiet {
            // Somebody did not wait while this was asked, and the answer need not speak of that commit:
            // the next one asks at once.
            alarm.quiet_until = Some(Instant::now());
        }
    }

    fn alarm_begins(&self, limit: Duration) {
        let ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        log::error!(
            limit_ms = ms;
            "the second disk did not have a commit within {ms} ms: changes are acknowledged without it. \
             runbooks/shipping-behind.md"
        );
        let since = self.clock.now().to_string();
        let file = self.machine.join(UNCONFIRMED);
        if let Err(error) = write_atomic(&file, since.as_bytes(), MODE_PRIVATE) {
            log::error!("the alarm could not be left for `ship status`: {error}");
        }
    }

    fn alarm_ends(&self) {
        log::warn!("the second disk has every commit again: changes wait for it from now on");
        let file = self.machine.join(UNCONFIRMED);
        if let Err(error) = std::fs::remove_file(&file) {
            log::error!("the alarm could not be taken back for `ship status`: {error}");
        }
    }

    /// Folds the log into the database when it is long, and the second disk has it. The writer is held,
    /// and nothing is open on it.
    pub(crate) fn fold_if_due(&self, writer: &Connection) {
        let frames = self.frames.load(Ordering::SeqCst);
        if frames < FOLD_FRAMES.max(self.again_from.load(Ordering::SeqCst)) {
            return;
        }
        let is_over = u64::from(frames).saturating_mul(self.page_bytes) > self.policy.log_bytes_max;
        match self.fold(writer, is_over) {
            Ok(true) => self.again_from.store(0, Ordering::SeqCst),
            Ok(false) => {
                let next = frames.saturating_add(FOLD_AGAIN_FRAMES);
                self.again_from.store(next, Ordering::SeqCst);
            }
            // The commit stands; what was not folded now is folded later.
            Err(error) => log::warn!("the write-ahead log was not folded: {error}"),
        }
    }

    /// At a clean stop. With shipping the log stays as a file: its frames are how the shipper proves, after
    /// the next start, that it missed nothing.
    pub(crate) fn settle(&self, writer: &Connection) -> Result<(), StoreError> {
        if is_on(&self.machine) {
            self.fold(writer, false)?;
        } else {
            writer.execute_batch("pragma wal_checkpoint(truncate)")?;
        }
        Ok(())
    }

    /// True when all of the log is in the database.
    fn fold(&self, writer: &Connection, at_any_price: bool) -> Result<bool, StoreError> {
        let folding = self.folding.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_on(&self.machine) {
            return passive(&folding);
        }
        // Holds back every writer, those of other processes too: nothing is committed between the answer
        // and the folding.
        writer.execute_batch("begin immediate")?;
        let asked = self.ask(&Request::Fold, FOLD_WAIT_MAX);
        let done = if asked.is_some_and(|answer| answer.yes) {
            passive(&folding)
        } else if at_any_price {
            log::error!(
                "the write-ahead log reached its limit while the second disk is behind: it is folded, and \
                 that disk begins anew. runbooks/shipping-behind.md"
            );
            passive(&folding)
        } else {
            Ok(false)
        };
        writer.execute_batch("rollback")?;
        done
    }

    /// Asks on a line that is kept; nothing when there is no answer in time.
    fn ask(&self, request: &Request, limit: Duration) -> Option<Answer> {
        let kept = self.lines().pop();
        let asked = match kept.map(|line| asked(line, request, limit)) {
            // The kept lines were of a shipper that ended: one that was started since is called anew.
            Some(Err(error)) if !is_late(&error) => {
                log::debug!("the shipper hung up: {error}");
                self.lines().clear();
                self.call(request, limit)
            }
            Some(asked) => asked,
            None => self.call(request, limit),
        };
        match asked {
            Ok((answer, line)) => {
                self.lines().push(line);
                Some(answer)
            }
            Err(error) => {
                log::debug!("the shipper did not answer: {error}");
                self.lines().clear();
                None
            }
        }
    }

    fn call(&self, request: &Request, limit: Duration) -> io::Result<(Answer, Line)> {
        asked(Line::call(&self.machine)?, request, limit)
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alarm(&self) -> std::sync::MutexGuard<'_, Alarm> {
        self.alarm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn asked(mut line: Line, request: &Request, limit: Duration) -> io::Result<(Answer, Line)> {
    Ok((line.ask(request, limit)?, line))
}

/// The time was over; otherwise nobody is there.
fn is_late(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn passive(folding: &Connection) -> Result<bool, StoreError> {
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    let (frames, folded) = folding.query_row("pragma wal_checkpoint(passive)", [], row)?;
    Ok(frames == folded)
}

/// A file was taken in and no row names it yet: has it brought to the second disk, which takes it from here.
/// Without that disk work goes on; the shipper catches up.
pub(crate) fn ship_bytes(machine: &Path, sha256: &[u8], file: &Path) {
    let name = file.file_name().and_then(|name| name.to_str());
    let (Some(name), Ok(sha256)) = (name, sha256.try_into()) else {
        return;
    };
    if !is_on(machine) {
        return;
    }
    let name = name.to_owned();
    let request = Request::Bytes { sha256, name };
    let asked = Line::call(machine).and_then(|mut line| line.ask(&request, BYTES_WAIT_MAX));
    if !asked.is_ok_and(|answer| answer.yes) {
        log::warn!("an attachment is not on the second disk yet. runbooks/shipping-behind.md");
    }
}

/// Must a connection to this database leave the log alone when it is closed?
pub(crate) fn leaves_log(database: &Path) -> bool {
    database
        .parent()
        .is_some_and(|data| is_on(&machine_dir(data)))
}
