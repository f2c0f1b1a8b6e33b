//! Openings: copies of the whole database as it was, fetched out of a backup or of the shipped log.
//!
//! Shape: [`Openings::begin`] starts `hokatsu timemachine fetch`, a process of its own, which writes one
//! database into a directory of its own below the data directory; whoever asks looks how far it came
//! ([`Openings::look`]). Once it is there it is read through [`Openings::read`] until nobody used it for
//! [`KEPT`]. What repositories and the second disk have is asked for in the same way ([`Openings::points`]).
//! Invariant: a copy is residents' data. It lies in a private directory, is gone when it was not used, when
//! it is closed, and at the start of the service (a crash leaves it until then); nothing of it is logged.
//! Limits: [`OPEN_MAX`] copies at once for everybody, [`FETCH_MAX`] for fetching one.
//! Never here: the database in use; it is not opened by path.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base::command::{Running, Spec, start};
use base::paths::create_private_dir;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use store::{DataDir, Former, ReadTx, StoreError};

use crate::web::Problem;

/// Copies at once: each is as large as the database.
const OPEN_MAX: usize = 2;
/// A copy that nobody looked into for so long is removed.
const KEPT: SignedDuration = SignedDuration::from_mins(15);
/// Longest time that fetching may take.
const FETCH_MAX: Duration = Duration::from_secs(20 * 60);
/// Longest time for asking what there is; a page waits for it.
const POINTS_MAX: Duration = Duration::from_secs(20);
/// How long a program that has ended is listened to.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What was asked is believed for so long.
const POINTS_KEPT: SignedDuration = SignedDuration::from_mins(5);
/// What the program says of its progress begins with this.
const PROGRESS: &str = "progress ";
const DATABASE: &str = "hokatsu.db";
/// Where a copy is migrated, should that still be needed.
const MIGRATED: &str = "migrated.db";

store::id_type!(
    /// One opening.
    OpeningId
);

impl std::str::FromStr for OpeningId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The program that reaches backups: `hokatsu` itself, with the site file and data directory of this
/// installation.
#[derive(Debug, Clone)]
pub struct FormerSource {
    /// Where it lies.
    pub program: PathBuf,
    /// What stands before `timemachine …`.
    pub arguments: Vec<OsString>,
}

/// A moment that a backup or the second disk has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Moment {
    /// Name of the repository.
    pub(super) repository: String,
    pub(super) snapshot: String,
    pub(super) at: Timestamp,
    pub(super) bytes: u64,
    /// Which program it takes, when this one is too old for it.
    #[serde(default)]
    pub(super) wants: Option<String>,
}

/// What the shipped log reaches over: any moment between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Shipped {
    pub(super) oldest: Timestamp,
    pub(super) newest: Timestamp,
}

/// Everything that can be opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Points {
    pub(super) snapshots: Vec<Moment>,
    pub(super) shipped: Option<Shipped>,
    /// Names of repositories that do not answer.
    pub(super) failed: Vec<String>,
}

/// Where a copy comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    Snapshot(Moment),
    /// The shipped log, at this moment.
    Shipped(Timestamp),
}

impl Origin {
    /// The moment it shows.
    pub(super) fn at(&self) -> Timestamp {
        match self {
            Self::Snapshot(moment) => moment.at,
            Self::Shipped(at) => *at,
        }
    }

    /// As the access log tells it.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Snapshot(moment) => {
                let short: String = moment.snapshot.chars().take(12).collect();
                format!("snapshot={} {short} at={}", moment.repository, moment.at)
            }
            Self::Shipped(at) => format!("shipped at={at}"),
        }
    }
}

/// How far an opening has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Bytes so far, of how many.
    Fetching {
        done: u64,
        total: u64,
    },
    Ready,
    /// It did not come; the log says why.
    Failed,
}

/// What is shown of one.
#[derive(Debug, Clone)]
pub(super) struct Opening {
    pub(super) id: OpeningId,
    pub(super) origin: Origin,
    pub(super) stage: Stage,
    /// Seconds since it was asked for.
    pub(super) seconds: u64,
}

enum State {
    Fetching(Running),
    Ready(Arc<Mutex<Former>>),
    Failed,
}

struct Kept {
    origin: Origin,
    dir: PathBuf,
    began: Instant,
    used: Timestamp,
    done: u64,
    total: u64,
    state: State,
}

#[derive(Default)]
struct Book {
    last: i64,
    all: BTreeMap<i64, Kept>,
    points: Option<(Timestamp, Points)>,
}

/// The openings of this service.
pub struct Openings {
    source: Option<FormerSource>,
    dir: PathBuf,
    book: Mutex<Book>,
}

impl std::fmt::Debug for Openings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Openings")
    }
}

/// Why nothing is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// This installation has neither backups nor a second disk.
    NoSource,
    /// [`OPEN_MAX`] others are open.
    TooMany,
    /// It takes a newer program.
    Newer,
}

impl Openings {
    /// None are open; what a crash left is removed.
    pub(crate) fn new(dir: &DataDir, source: Option<FormerSource>) -> Self {
        let dir = dir.former_states();
        if let Err(error) = emptied(&dir) {
            log::error!("copies of the past of an earlier run cannot be removed: {error}");
        }
        Self {
            source,
            dir,
            book: Mutex::default(),
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Are there backups to look into?
    pub(super) fn has_source(&self) -> bool {
        self.source.is_some()
    }

    /// Everything that can be opened; asked anew when the last answer is old. Nothing when the program
    /// gave none.
    pub(super) fn points(&self, now: Timestamp) -> Option<Points> {
        let known = self.book().points.clone();
        let is_fresh = |at: &Timestamp| now.duration_since(*at) < POINTS_KEPT && *at <= now;
        if let Some((_, points)) = known.filter(|(at, _)| is_fresh(at)) {
            return Some(points);
        }
        let spec = self
            .spec(POINTS_MAX)?
            .args(["--json", "timemachine", "points"]);
        let output = match base::command::run(&spec).and_then(|output| output.success(&spec)) {
            Ok(output) => output,
            Err(error) => {
                log::error!("what backups there are cannot be asked: {error}");
                return None;
            }
        };
        match serde_json::from_slice::<Points>(&output.stdout.bytes) {
            Ok(points) => {
                self.book().points = Some((now, points.clone()));
                Some(points)
            }
            Err(error) => {
                log::error!("the answer about backups cannot be read: {error}");
                None
            }
        }
    }

    pub(super) fn spec(&self, limit: Duration) -> Option<Spec> {
        let source = self.source.as_ref()?;
        Some(Spec::new(&source.program, limit).args(&source.arguments))
    }

    /// Begins to fetch a copy; one of the same moment that is open already is given again.
    pub(super) fn begin(
        &self,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Result<OpeningId, Refused>, Problem> {
        if let Origin::Snapshot(Moment { wants: Some(_), .. }) = &origin {
            return Ok(Err(Refused::Newer));
        }
        let Some(spec) = self.spec(FETCH_MAX) else {
            return Ok(Err(Refused::NoSource));
        };
        let mut book = self.book();
        book.refresh(now);
        let known = book
            .all
            .iter_mut()
            .find(|(_, kept)| kept.origin == origin && !matches!(kept.state, State::Failed));
        if let Some((id, kept)) = known {
            kept.used = now;
            return Ok(Ok(OpeningId(*id)));
        }
        book.all
            .retain(|_, kept| !matches!(kept.state, State::Failed));
        if book.all.len() >= OPEN_MAX {
            return Ok(Err(Refused::TooMany));
        }
        book.last += 1;
        let id = book.last;
        let dir = self.dir.join(id.to_string());
        create_private_dir(&self.dir).map_err(StoreError::from)?;
        create_private_dir(&dir).map_err(StoreError::from)?;
        let spec = spec.args(fetching(&origin)).arg("--into").arg(&dir);
        let running = start(&spec).map_err(|error| {
            log::error!("a copy of the past cannot be fetched: {error}");
            Problem::Fault("the program that fetches copies does not start")
        })?;
        let kept = Kept {
            origin,
            dir,
            began: Instant::now(),
            used: now,
            done: 0,
            total: 0,
            state: State::Fetching(running),
        };
        book.all.insert(id, kept);
        Ok(Ok(OpeningId(id)))
    }

    /// Those that are open or coming, newest first.
    pub(super) fn all(&self, now: Timestamp) -> Vec<Opening> {
        let mut book = self.book();
        book.refresh(now);
        let shown = book.all.iter().rev();
        shown.map(|(id, kept)| kept.shown(*id)).collect()
    }

    /// One of them; looking at it keeps it.
    pub(super) fn look(&self, id: OpeningId, now: Timestamp) -> Option<Opening> {
        let mut book = self.book();
        book.refresh(now);
        let kept = book.all.get_mut(&id.0)?;
        kept.used = now;
        Some(kept.shown(id.0))
    }

    /// Takes a copy away.
    pub(super) fn close(&self, id: OpeningId) -> bool {
        let removed = self.book().all.remove(&id.0);
        removed.is_some()
    }

    /// Reads in a copy; nothing when it is not (or no longer) open.
    pub(super) fn read<T>(
        &self,
        id: OpeningId,
        now: Timestamp,
        f: impl FnOnce(&ReadTx<'_>) -> Result<T, Problem>,
    ) -> Result<Option<(Origin, T)>, Problem> {
        let mut book = self.book();
        book.refresh(now);
        let Some(kept) = book.all.get_mut(&id.0) else {
            return Ok(None);
        };
        kept.used = now;
        let State::Ready(former) = &kept.state else {
            return Ok(None);
        };
        // Others look at their openings meanwhile; one that is closed now is removed afterwards.
        let (former, origin) = (Arc::clone(former), kept.origin.clone());
        drop(book);
        let former = former.lock().unwrap_or_else(PoisonError::into_inner);
        former.read(f).map(|value| Some((origin, value)))
    }

    /// Removes what nobody used for [`KEPT`], and notices what has come or failed.
    pub(crate) fn sweep(&self, now: Timestamp) {
        self.book().refresh(now);
    }
}

fn fetching(origin: &Origin) -> Vec<String> {
    let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
    match origin {
        Origin::Snapshot(moment) => words(&[
            "timemachine",
            "fetch",
            "--repository",
            &moment.repository,
            "--snapshot",
            &moment.snapshot,
        ]),
        Origin::Shipped(at) => words(&["timemachine", "fetch", "--shipped", &at.to_string()]),
    }
}

fn emptied(dir: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl Book {
    fn refresh(&mut self, now: Timestamp) {
        // A clock that was set back keeps nothing for ever: what was used "later" is used now.
        for kept in self.all.values_mut() {
            kept.used = kept.used.min(now);
            kept.advance();
        }
        self.all
            .retain(|_, kept| now.duration_since(kept.used) < KEPT);
    }
}

impl Kept {
    fn shown(&self, id: i64) -> Opening {
        Opening {
            id: OpeningId(id),
            origin: self.origin.clone(),
            stage: match &self.state {
                State::Fetching(_) => Stage::Fetching {
                    done: self.done,
                    total: self.total,
                },
                State::Ready(_) => Stage::Ready,
                State::Failed => Stage::Failed,
            },
            seconds: self.began.elapsed().as_secs(),
        }
    }

    /// Hears what the program said since, and opens what it brought.
    fn advance(&mut self) {
        let State::Fetching(running) = &self.state else {
            return;
        };
        let ended = running.has_ended();
        // What it said last may still be on its way; after that its pipe is closed.
        let patience = if ended { LAST_WORDS } else { Duration::ZERO };
        let mut last = String::new();
        while let Some(line) = running.line_where(|_| true, patience) {
            match progress(&line) {
                Some((done, total)) => (self.done, self.total) = (done, total),
                None => last = line,
            }
        }
        if !ended && self.began.elapsed() < FETCH_MAX {
            return;
        }
        let State::Fetching(running) = std::mem::replace(&mut self.state, State::Failed) else {
            return;
        };
        let next = match running.stop(LAST_WORDS) {
            Ok(status) if ended && status.success() => self.opened(),
            Ok(status) => Err(format!("{status}: {last}")),
            Err(error) => Err(error.to_string()),
        };
        self.state = match next {
            Ok(former) => State::Ready(Arc::new(Mutex::new(former))),
            Err(why) => {
                log::error!(
                    "a copy of the past was not fetched: {why}. runbooks/restore-failed.md"
                );
                State::Failed
            }
        };
    }

    fn opened(&self) -> Result<Former, String> {
        let database = self.dir.join(DATABASE);
        let former = Former::open(&database, &self.dir.join(MIGRATED));
        former.map_err(|error| error.to_string())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Ends the program first: it must not write into a directory that is being removed.
        self.state = State::Failed;
        if let Err(error) = emptied(&self.dir) {
            log::error!("a copy of the past cannot be removed: {error}");
        }
    }
}

/// Bytes done and all, of a line of the program.
fn progress(line: &str) -> Option<(u64, u64)> {
    let (done, total) = line.strip_prefix(PROGRESS)?.split_once('/')?;
    Some((done.parse().ok()?, total.parse().ok()?))
}
