//! Whoever writes takes a turn; those who wait for theirs share one commit.
//!
//! Shape: a transaction is open while the writer changes hands. Each caller does her work in it, behind
//! a savepoint, and passes it on to the next who waits; who finds nobody waiting commits for all. Then
//! one signature, one log record and one flush of the disk serve everybody, and nobody is answered before
//! them. On a machine where nobody waits a turn is one transaction, as if there were no others.
//! Invariant: a transaction lies open without a holder only while somebody waits who will take it up
//! ([`Taken::hand_over`]). What changes who sees whom is committed before the next turn begins.
//! Source: docs/decisions/0005-one-file-one-writer.md.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::audit::{Chain, Next};
use crate::error::StoreError;
use crate::pool::{Pool, Taken};
use crate::reach::ReachBook;
use crate::scope::Viewer;
use crate::shipping::Shipping;

#[cfg(test)]
mod tests;

/// Turns that share a commit at most: the first of them waits for all the others.
const SHARED_MAX: u32 = 32;
/// How long the first waits before nobody else may join.
const JOINED_MAX: Duration = Duration::from_millis(20);

/// A connection and whose eyes it looks through.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) connection: Connection,
    pub(crate) viewer: Arc<Viewer>,
}

/// The one connection that changes things.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) line: Line,
    pub(crate) chain: Chain,
    shared: Option<Shared>,
}

/// An open transaction with the work of some callers in it.
#[derive(Debug)]
struct Shared {
    end: Next,
    /// Another process wrote before it.
    foreign: bool,
    turns: u32,
    /// Since when the first of them waits.
    waits_since: Option<Instant>,
    fate: Arc<Fate>,
}

/// How the transaction ended, for those who wait.
#[derive(Debug, Default)]
struct Fate {
    known: Mutex<Option<Result<(), Lost>>>,
    told: Condvar,
}

/// Why nothing of a transaction was kept; an error of SQLite cannot be copied for each caller.
#[derive(Debug, Clone)]
struct Lost {
    code: rusqlite::ffi::Error,
    words: Option<String>,
}

impl Writer {
    pub(crate) fn new(line: Line, chain: Chain) -> Self {
        Self {
            line,
            chain,
            shared: None,
        }
    }

    fn run(&self, sql: &str) -> Result<(), StoreError> {
        let mut statement = self.line.connection.prepare_cached(sql)?;
        statement.execute([])?;
        Ok(())
    }

    /// Joins the open transaction or begins one; says where the access log ends in it.
    fn enter(&mut self) -> Result<Next, StoreError> {
        if let Some(shared) = &self.shared {
            self.run("savepoint turn")?;
            return Ok(shared.end.clone());
        }
        self.run("begin immediate")?;
        let foreign = self.chain.follow(&self.line.connection)?;
        let end = self.chain.standing();
        self.shared = Some(Shared {
            end: end.clone(),
            foreign,
            turns: 0,
            waits_since: None,
            fate: Arc::default(),
        });
        Ok(end)
    }

    /// One turn more is in what is open.
    fn keep(&mut self, joined: bool, end: Next) -> Result<Arc<Fate>, StoreError> {
        if joined {
            self.run("release turn")?;
        }
        // Only a rollback by SQLite itself closes it, and then the work has failed already.
        let shared = self.shared.as_mut().ok_or(StoreError::AuditHead)?;
        shared.end = end;
        shared.turns += 1;
        shared.waits_since.get_or_insert_with(Instant::now);
        Ok(Arc::clone(&shared.fate))
    }

    /// Nothing of this turn is kept; what others did before it is.
    fn give_up(&mut self, joined: bool) {
        let back = || {
            self.run("rollback to turn")?;
            self.run("release turn")
        };
        let open = !self.line.connection.is_autocommit();
        if joined && open && back().is_ok() {
            return;
        }
        // On a full disk SQLite ends the whole transaction.
        self.roll_back();
        if let Some(shared) = self.shared.take() {
            shared.fate.tell(&Err(StoreError::DiskFull));
        }
    }

    /// May somebody else join?
    fn has_room(&self, reaches: &ReachBook) -> bool {
        // Whoever comes next must see through eyes that know of the change.
        let settled = !reaches.is_touched();
        let young = |shared: &Shared| {
            let waited = shared.waits_since.map_or(Duration::ZERO, |at| at.elapsed());
            shared.turns < SHARED_MAX && waited < JOINED_MAX
        };
        settled && self.shared.as_ref().is_some_and(young)
    }

    /// Commits what is open, and tells those who wait for it: each answers for herself.
    fn commit(&mut self, reaches: &ReachBook, folds: Option<&Shipping>) {
        let Some(shared) = self.shared.take() else {
            return;
        };
        let signed = if shared.end.entries() == self.chain.standing().entries() {
            Ok(())
        } else {
            self.chain.sign(&self.line.connection, &shared.end)
        };
        let done = signed.and_then(|()| self.run("commit"));
        if done.is_ok() {
            reaches.settle(shared.end.entries(), shared.foreign);
            // Only a committed entry moves the chain on.
            self.chain.advance(shared.end);
        } else {
            self.roll_back();
        }
        shared.fate.tell(&done);
        if let Some(shipping) = folds {
            shipping.fold_if_due(&self.line.connection);
        }
    }

    fn roll_back(&self) {
        // SQLite may have rolled back by itself; then there is nothing left to do.
        if !self.line.connection.is_autocommit()
            && let Err(error) = self.run("rollback")
        {
            log::error!("cannot roll back: {error}");
        }
    }
}

impl Fate {
    fn tell(&self, done: &Result<(), StoreError>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some(done.as_ref().copied().map_err(Lost::of));
        drop(known);
        self.told.notify_all();
    }

    fn wait(&self) -> Result<(), StoreError> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.told.wait_while(known, |known| known.is_none());
        match &*known.unwrap_or_else(PoisonError::into_inner) {
            Some(Err(lost)) => Err(lost.again()),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

impl Lost {
    fn of(error: &StoreError) -> Self {
        if let StoreError::Sql(rusqlite::Error::SqliteFailure(code, words)) = error {
            let (code, words) = (*code, words.clone());
            return Self { code, words };
        }
        let code = if matches!(error, StoreError::DiskFull) {
            rusqlite::ffi::SQLITE_FULL
        } else if matches!(error, StoreError::ReadOnly) {
            rusqlite::ffi::SQLITE_READONLY
        } else if error.is_temporary() {
            rusqlite::ffi::SQLITE_BUSY
        } else {
            rusqlite::ffi::SQLITE_ABORT
        };
        Self {
            code: rusqlite::ffi::Error::new(code),
            words: Some(error.to_string()),
        }
    }

    fn again(&self) -> StoreError {
        rusqlite::Error::SqliteFailure(self.code, self.words.clone()).into()
    }
}

/// Whether a transaction may hold the work of others as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    /// Joins what is open, and leaves it open for those who wait.
    Shared,
    /// Long work of the system: nobody should wait for it longer than for the writer.
    Alone,
}

/// Where turns are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turns<'d> {
    pub(crate) pool: &'d Pool<Writer>,
    pub(crate) reaches: &'d ReachBook,
    /// Folds the log into the file after a commit; nobody here does beside a service.
    pub(crate) folds: Option<&'d Shipping>,
}

impl<'d> Turns<'d> {
    /// Does `work` in a transaction and returns once it is committed. The work says where the access
    /// log ends after it: as given when it wrote no entry.
    ///
    /// # Errors
    /// Those of the work, and then nothing of it is kept; those of the commit, for all who share it.
    pub(crate) fn take<T, E: From<StoreError>>(
        self,
        company: Company,
        work: impl FnOnce(&Line, &Next) -> Result<(T, Next), E>,
    ) -> Result<T, E> {
        let mut writer = match company {
            Company::Shared => self.pool.take()?,
            Company::Alone => self.alone()?,
        };
        let joined = writer.shared.is_some();
        let worked = match writer.enter() {
            // A panic must not leave the others waiting for a transaction that nobody ends.
            Ok(before) => catch_unwind(AssertUnwindSafe(|| work(&writer.line, &before))),
            Err(error) => Ok(Err(error.into())),
        };
        let kept = worked.map(|done| -> Result<_, E> {
            let (value, end) = done?;
            let fate = writer.keep(joined, end)?;
            Ok((value, fate))
        });
        if !matches!(kept, Ok(Ok(_))) {
            writer.give_up(joined);
        }
        self.end(writer, company);
        match kept {
            Ok(done) => {
                let (value, fate) = done?;
                fate.wait()?;
                Ok(value)
            }
            Err(panic) => resume_unwind(panic),
        }
    }

    /// The writer with nothing open.
    ///
    /// # Errors
    /// [`StoreError::Busy`].
    pub(crate) fn alone(self) -> Result<Taken<'d, Writer>, StoreError> {
        let mut writer = self.pool.take()?;
        writer.commit(self.reaches, self.folds);
        Ok(writer)
    }

    /// Passes what is open on to the next, or commits it.
    fn end(self, mut writer: Taken<'_, Writer>, company: Company) {
        if company == Company::Shared && writer.has_room(self.reaches) {
            match writer.hand_over() {
                Some(back) => writer = back,
                None => return,
            }
        }
        writer.commit(self.reaches, self.folds);
    }
}
