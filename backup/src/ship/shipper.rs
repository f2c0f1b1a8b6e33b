//! The shipper itself: looks at SQLite's log, brings what is new to the second disk, one turn at a time.
//!
//! Shape: [`Shipper::turn`] never waits for anything but the disks. What it finds in the way becomes its
//! [`State`], and the next turn begins again from what the second disk holds.
//! Invariant: a transaction is numbered and written only when it follows the one before in SQLite's own
//! log. Where that cannot be proven, a new generation begins with a fresh base and the old one is kept.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use base::clock::Clock;
use base::paths::free_bytes;
use base::shipping::{Answer, State};
use jiff::{SignedDuration, Timestamp};

use super::copying::{Copying, Finished, facts};
use super::disk::{DatabaseId, Identity, NAME, ours};
use super::error::ShipError;
use super::format::{Holds, pages_per_record, put_page};
use super::reading::{Ending, ending, generation_dir, generations};
use super::wal::{Header, Position, Remains, Wal};
use super::writing::{Writer, discard};

/// Shipped before it is flushed and answered, bytes: a large import must not keep others waiting.
const TURN_BYTES: u64 = 16 * 1024 * 1024;
/// Left free behind a new base, bytes.
const SPARE_BYTES: u64 = 8 * 1024 * 1024;
/// Of the base, between two looks at the log.
const STEP_RECORDS: u32 = 4;
/// A header that is being written is whole within a few looks; one that stays bent is SQLite's "empty".
const BENT_LOOKS_MAX: u32 = 20;

/// Where everything lies, and how often a generation begins.
#[derive(Debug, Clone)]
pub struct ShipSettings {
    /// The database.
    pub database: PathBuf,
    pub database_id: DatabaseId,
    /// The place on the second disk.
    pub place: PathBuf,
    /// What the shipper keeps on this machine: `base::shipping::machine_dir`.
    pub machine: PathBuf,
    /// A generation is followed by the next after so many hours.
    pub generation_hours: u16,
}

/// Why a generation begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    First,
    Time,
    LogGone,
    LogRewound,
    LogMissed,
    LogOther,
    DatabaseReplaced,
}

impl Why {
    fn words(self) -> &'static str {
        match self {
            Self::First => "the disk holds none",
            Self::Time => "the last one is old enough",
            Self::LogGone => "SQLite's log is gone: somebody else folded it",
            Self::LogRewound => "the database stands before what was shipped: it was set back",
            Self::LogMissed => "SQLite's log was begun anew before all of it was shipped",
            Self::LogOther => "SQLite's log is another one",
            Self::DatabaseReplaced => "the database is another file",
        }
    }
}

/// What is left to do after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn {
    /// There is more to do at once.
    pub again: bool,
    /// There may be transactions that are not shipped yet, and they can be.
    pub behind: bool,
}

/// What a look at SQLite's log found.
enum Seen {
    /// The log in which the position is.
    Log(Header, Position),
    /// A header that is just being written: to be looked at again.
    Nothing,
    /// What was shipped is not followed by what is there.
    Broken(Why),
}

/// Brings the transactions of one database to one disk.
#[derive(Debug)]
pub struct Shipper {
    settings: ShipSettings,
    clock: Clock,
    wal: Option<Wal>,
    /// The disk as it was read last, and which file said so.
    known: Option<((u64, u64), Identity)>,
    /// Which file the database is.
    inode: Option<u64>,
    writer: Option<Writer>,
    copying: Option<Copying>,
    /// Where the log may be folded: everything before was durable when that was asked.
    folded: Option<Position>,
    bent_looks: u32,
    /// A generation of which a flush failed and whose end could not be cut off: what can be read of it need
    /// not be on the disk, and asking once more would not tell. None is 0.
    distrusted: u32,
    /// The last transaction that is durable, also while the disk is away.
    last: (u64, Option<Timestamp>),
    state: State,
    since: Timestamp,
}

impl Shipper {
    /// Reads and writes nothing yet.
    #[must_use]
    pub fn new(settings: ShipSettings, clock: Clock) -> Self {
        let since = clock.now();
        Self {
            settings,
            clock,
            wal: None,
            known: None,
            inode: None,
            writer: None,
            copying: None,
            folded: None,
            bent_looks: 0,
            distrusted: 0,
            last: (0, None),
            state: State::Absent,
            since,
        }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where everything lies.
    #[must_use]
    pub fn settings(&self) -> &ShipSettings {
        &self.settings
    }

    /// Ships what is committed.
    pub fn turn(&mut self) -> Turn {
        let (state, turn) = match self.work() {
            Ok(turn) if self.copying.is_some() && self.writer.is_none() => (State::Copying, turn),
            Ok(turn) => (State::Following, turn),
            Err(error) => (self.fall_back(&error), Turn::default()),
        };
        if state != self.state {
            self.since = self.clock.now();
            self.state = state;
        }
        turn
    }

    /// How it stands; `yes` when everything that was committed before the last turn is durable.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer {
            yes: self.state == State::Following,
            state: self.state,
            commit: self.last.0,
            at: self.last.1,
            since: self.since,
            copied: self.copying.as_ref().map(Copying::progress),
        }
    }

    /// May the log be folded now? Not while a base is copied: that needs the log as it is.
    pub fn may_fold(&mut self) -> Answer {
        let mut answer = self.answer();
        answer.yes = answer.yes && self.copying.is_none();
        if answer.yes {
            self.folded = self.writer.as_ref().map(Writer::position);
        }
        answer
    }

    fn fall_back(&mut self, error: &ShipError) -> State {
        // Without a database there is nothing to do at the disk, and nothing wrong with it.
        let is_disk = !matches!(error, ShipError::NoDatabase(_));
        if let Some(writer) = self.writer.take_if(|_| is_disk) {
            let generation = writer.generation();
            let was_cut = writer.give_up();
            if !was_cut && matches!(error, ShipError::Io { step: "flush", .. }) {
                self.distrusted = generation;
            }
        }
        if let Some(copying) = self.copying.take() {
            copying.writer.give_up();
        }
        self.folded = None;
        self.known = None;
        let state = state_of(error);
        if state != self.state {
            let cause = base::report::chain(error);
            log::error!("commits are not shipped ({state:?}): {cause}");
        }
        state
    }

    fn work(&mut self) -> Result<Turn, ShipError> {
        let identity = self.disk()?;
        if self.writer.is_none() && self.copying.is_none() {
            self.open(identity)?;
        }
        let mut behind = self.follow(identity)?;
        if !behind && self.copying.is_none() && self.is_old() {
            let number = self.writer.as_ref().map_or(0, Writer::commit_number);
            self.begin(identity, Why::Time, number)?;
        }
        let mut again = behind;
        if let Some(mut copying) = self.copying.take() {
            // The base ends where the transactions have come to.
            again = copying.step(STEP_RECORDS, self.clock.now())? || behind;
            if again {
                self.copying = Some(copying);
            } else {
                again = self.finish(copying)?;
            }
            behind |= self.writer.is_none();
        }
        Ok(Turn { again, behind })
    }

    /// Ships what came since the last look; true when the turn ended before that did.
    fn follow(&mut self, identity: Identity) -> Result<bool, ShipError> {
        if self.writer.is_none() {
            return Ok(false);
        }
        match self.look()? {
            Seen::Nothing => Ok(true),
            Seen::Log(header, position) => self.ship(&header, position, u32::MAX),
            Seen::Broken(why) => {
                if let Some(copying) = self.copying.take() {
                    copying.writer.give_up();
                }
                let number = self.writer.as_ref().map_or(0, Writer::commit_number);
                self.begin(identity, why, number)?;
                self.writer = None;
                Ok(false)
            }
        }
    }

    /// The enrolled disk. Each turn asks whether its file is still the one that was read.
    fn disk(&mut self) -> Result<Identity, ShipError> {
        let ShipSettings { place, machine, .. } = &self.settings;
        let found = std::fs::metadata(place.join(NAME)).ok();
        let found = found.map(|found| (found.dev(), found.ino()));
        if let (Some(found), Some((known, identity))) = (found, self.known)
            && found == known
        {
            return Ok(identity);
        }
        self.known = None;
        let identity = ours(place, machine, self.settings.database_id)?;
        self.known = found.map(|found| (found, identity));
        Ok(identity)
    }

    /// Goes on where the disk stands, or begins.
    fn open(&mut self, identity: Identity) -> Result<(), ShipError> {
        let place = self.settings.place.clone();
        let mut after = 0;
        for generation in generations(&place)?.into_iter().rev() {
            match ending(&generation_dir(&place, generation), &identity.database)? {
                Ending::Unfinished => discard(&place, generation)?,
                Ending::Closed { newest } => {
                    after = newest;
                    break;
                }
                Ending::Open(tail) if tail.generation == self.distrusted => {
                    after = tail.commit;
                    break;
                }
                Ending::Open(tail) => {
                    if let Err(error) = Writer::settle(&place, tail.generation) {
                        self.distrusted = tail.generation;
                        return Err(error);
                    }
                    let writer = Writer::resume(&place, identity, &tail, self.clock.now())?;
                    self.last = writer.durable();
                    self.writer = Some(writer);
                    return Ok(());
                }
            }
        }
        self.begin(identity, Why::First, after)
    }

    fn begin(&mut self, identity: Identity, why: Why, after: u64) -> Result<(), ShipError> {
        let ShipSettings {
            database, place, ..
        } = &self.settings;
        let file = match File::open(database) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ShipError::NoDatabase(database.clone()));
            }
            Err(error) => return Err(ShipError::io("open", database, error)),
        };
        let facts = facts(&file, database)?;
        let found = file.metadata();
        let inode = found
            .map_err(|e| ShipError::io("look at", database, e))?
            .ino();
        self.wal = open_log(database)?;
        self.has_room(u64::from(facts.pages).saturating_mul(u64::from(facts.page_bytes)))?;
        // Nobody has written to it yet: its first transaction brings the log.
        let header = self.header()?;
        let header = header.ok_or_else(|| ShipError::NoDatabase(database.clone()))?;
        let newest = generations(place)?.into_iter().max().unwrap_or(0);
        let number = (newest.saturating_add(1), after);
        let now = self.clock.now();
        log::info!(
            "generation {} begins after transaction {after}: {}",
            number.0,
            why.words()
        );
        let writer = Writer::begin(place, identity, number, facts.page_bytes, now)?;
        self.inode = Some(inode);
        self.copying = Some(Copying::begin(file, facts, header, writer));
        Ok(())
    }

    /// Asked before, so that a disk without room is not filled up to its last byte again and again.
    fn has_room(&self, database_bytes: u64) -> Result<(), ShipError> {
        let log = self.wal.as_ref().map(|wal| wal.file().metadata());
        let log = log.transpose().map_err(|e| self.unreadable(e))?;
        let needed = database_bytes
            .saturating_add(log.map_or(0, |found| found.len()))
            .saturating_add(SPARE_BYTES);
        let free = free_bytes(&self.settings.place)?;
        if free < needed {
            let path = self.settings.place.clone();
            return Err(ShipError::NoRoom { path, needed, free });
        }
        Ok(())
    }

    fn finish(&mut self, copying: Copying) -> Result<bool, ShipError> {
        let database = self.settings.database.clone();
        self.wal = open_log(&database)?;
        let overlay = match &self.wal {
            Some(wal) => copying.survey(&database, wal)?,
            None => None,
        };
        let Some(overlay) = overlay else {
            return self.copy_again(copying.writer);
        };
        let mut after = 0;
        if let Some(from) = self.writer.as_ref().map(Writer::position) {
            // What came while the copy ended is a point in time of its own in the old generation.
            if let Some(header) = self.header()?.filter(|header| from.is_in(header)) {
                self.ship(&header, from, overlay.commit.end.frames)?;
            }
            let reached = self
                .writer
                .as_ref()
                .map(|w| (w.position(), w.commit_number()));
            match reached {
                Some((position, number)) if position == overlay.commit.end => after = number,
                Some(_) | None => return self.copy_again(copying.writer),
            }
        }
        let after = after.max(self.last.0);
        let Some(wal) = &self.wal else {
            return self.copy_again(copying.writer);
        };
        let log = (database.as_path(), wal);
        match copying.finish(log, overlay, after, self.clock.now())? {
            Finished::Whole(writer) => {
                self.last = writer.durable();
                self.writer = Some(writer);
                self.folded = None;
                Ok(false)
            }
            Finished::Stale(writer) => self.copy_again(writer),
        }
    }

    fn copy_again(&mut self, stale: Writer) -> Result<bool, ShipError> {
        log::warn!("SQLite's log was begun anew during the copy: it is copied again");
        let generation = stale.generation();
        drop(stale);
        discard(&self.settings.place, generation)?;
        if self.writer.is_none() {
            let identity = self.disk()?;
            let after = self.last.0;
            self.begin(identity, Why::LogMissed, after)?;
        }
        Ok(true)
    }

    fn is_old(&self) -> bool {
        let age = SignedDuration::from_hours(i64::from(self.settings.generation_hours));
        let now = self.clock.now();
        self.writer
            .as_ref()
            .is_some_and(|writer| writer.began_at.checked_add(age).is_ok_and(|due| now >= due))
    }

    fn header(&self) -> Result<Option<Header>, ShipError> {
        let Some(wal) = &self.wal else {
            return Ok(None);
        };
        wal.header().map_err(|e| self.unreadable(e))
    }

    fn unreadable(&self, error: io::Error) -> ShipError {
        ShipError::io("read SQLite's log of", &self.settings.database, error)
    }

    /// Finds where in SQLite's log to go on.
    fn look(&mut self) -> Result<Seen, ShipError> {
        let Some(position) = self.writer.as_ref().map(Writer::position) else {
            return Ok(Seen::Nothing);
        };
        let database = &self.settings.database;
        let inode = std::fs::metadata(database).map(|found| found.ino());
        let inode = inode.map_err(|_gone| ShipError::NoDatabase(database.clone()))?;
        if *self.inode.get_or_insert(inode) != inode {
            return Ok(Seen::Broken(Why::DatabaseReplaced));
        }
        let path = log_path(database);
        if !self.wal.as_ref().is_some_and(|wal| wal.is_at(&path)) {
            self.wal = open_log(database)?;
        }
        let length = self
            .wal
            .as_ref()
            .map(|wal| wal.file().metadata().map(|found| found.len()));
        let length = length.transpose().map_err(|e| self.unreadable(e))?;
        let Some(header) = self.header()? else {
            self.bent_looks += 1;
            let empty = length.is_none_or(|bytes| bytes == 0);
            if empty || self.bent_looks > BENT_LOOKS_MAX {
                return Ok(Seen::Broken(Why::LogGone));
            }
            return Ok(Seen::Nothing);
        };
        self.bent_looks = 0;
        let Some(wal) = &self.wal else {
            return Ok(Seen::Nothing);
        };
        if position.is_in(&header) {
            let holds = wal.still_holds(&header, &position);
            let holds = holds.map_err(|e| self.unreadable(e))?;
            let seen = Seen::Log(header, position);
            return Ok(if holds {
                seen
            } else {
                Seen::Broken(Why::LogRewound)
            });
        }
        if !position.precedes(&header) {
            return Ok(Seen::Broken(Why::LogOther));
        }
        let remains = wal.remains_after(&header, &position);
        let seamless = match remains.map_err(|e| self.unreadable(e))? {
            Remains::Nothing => true,
            Remains::Transaction => false,
            Remains::Other => return Ok(Seen::Broken(Why::LogRewound)),
            Remains::Unknown => self.folded == Some(position),
        };
        Ok(if seamless {
            Seen::Log(header, Position::start_of(&header))
        } else {
            Seen::Broken(Why::LogMissed)
        })
    }

    /// Ships the transactions after a position, up to so many frames; true when the turn ended before
    /// they did.
    fn ship(&mut self, header: &Header, mut from: Position, until: u32) -> Result<bool, ShipError> {
        let (Some(wal), Some(writer)) = (&self.wal, &mut self.writer) else {
            return Ok(false);
        };
        let database = &self.settings.database;
        let at = |error| ShipError::io("read SQLite's log of", database, error);
        if writer.page_bytes() != header.page_bytes {
            return Err(ShipError::NoDatabase(database.clone()));
        }
        if writer.position() != from {
            writer.begun_anew(from);
        }
        let begun = writer.bytes();
        let many = pages_per_record(header.page_bytes);
        let mut shipped = 0_u64;
        let more = loop {
            let commit = wal.commit_after(header, from).map_err(at)?;
            let Some(commit) = commit.filter(|commit| commit.end.frames <= until) else {
                break false;
            };
            let mut frames = wal.frames(header, from);
            let mut body = Vec::new();
            let mut gathered = 0;
            while frames.at.frames < commit.end.frames {
                if gathered == many {
                    writer.part(&body)?;
                    body.clear();
                    gathered = 0;
                }
                let Some(frame) = frames.next().map_err(at)? else {
                    break;
                };
                put_page(&mut body, frame.page, &frame.data);
                gathered += 1;
            }
            if frames.at != commit.end {
                // Begun anew under our eyes: what was gathered of this turn is left to the next one.
                if writer.take_back() {
                    return Ok(true);
                }
                return Err(ShipError::LogChanged);
            }
            writer.commit(&body, self.clock.now(), commit)?;
            shipped += 1;
            from = commit.end;
            if writer.bytes().saturating_sub(begun) > TURN_BYTES || shipped >= 1_000 {
                break true;
            }
        };
        if shipped > 0 {
            writer.flush()?;
            self.last = writer.durable();
            self.folded = None;
            writer.turn_page(Holds::Commits, self.clock.now())?;
        }
        Ok(more)
    }
}

/// How it stands after this error.
fn state_of(error: &ShipError) -> State {
    match error {
        ShipError::NoDisk(_) | ShipError::Vanished(_) => State::Absent,
        ShipError::NotOurs(_) | ShipError::Later(_) => State::Foreign,
        ShipError::NoDatabase(_) => State::NoDatabase,
        ShipError::NoRoom { .. } => State::Full,
        ShipError::Io { .. } | ShipError::Files(_) => match error.io_kind() {
            Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => State::Full,
            Some(io::ErrorKind::NotFound) => State::Absent,
            Some(_) | None => State::Failed,
        },
        ShipError::NoRandom
        | ShipError::LogChanged
        | ShipError::Bent
        | ShipError::InUse(_)
        | ShipError::NoPoint
        | ShipError::Damaged { .. }
        | ShipError::TargetUsed(_) => State::Failed,
    }
}

/// SQLite's log of a database.
pub(super) fn log_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn open_log(database: &Path) -> Result<Option<Wal>, ShipError> {
    let path = log_path(database);
    Wal::open(&path).map_err(|e| ShipError::io("open", &path, e))
}
