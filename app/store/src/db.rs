//! One writer, a few readers, one file; commands come in beside the service with a writer of their own.
//!
//! Shape: SQLite lets one process write at a time and makes the others wait. Whoever writes follows the
//! chain first, inside its transaction, and what was kept in memory about rows is read anew.
//! Source: docs/decisions/0028-commands-beside-the-service.md.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base::clock::Clock;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::actor::Actor;
use crate::audit::{self, ArchivePlan, Audited, Chain, Checkpoint, Cut, Event, TermKey};
use crate::directory::{DataDir, DirectoryLock};
use crate::error::StoreError;
use crate::migrations;
use crate::pool::Pool;
use crate::reach::ReachBook;
use crate::scope::{self, Viewer};
use crate::shipping::{self, Shipping, ShippingPolicy};
use crate::turn::{Company, Line, Turns, Writer};
use crate::tx::{ReadTx, WriteTx};

/// Reading connections. Four keep two cores busy; more would only queue at the disk.
const READERS: usize = 4;
/// How long a caller waits for a connection before it is told to try later.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Statements that each connection keeps prepared.
const STATEMENTS_KEPT: usize = 256;

/// Why the system reads or changes residents' data without a viewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemReason {
    /// The city delivered its register.
    Import,
    /// A feed is taken back.
    ImportUndo,
    /// Areas get another centre: planned with counts only, applied to everybody in them.
    AreaChange,
    /// Search keys follow a correction.
    Reindex,
    /// Row counts for a backup's manifest.
    Backup,
    /// The invented town writes its history.
    Demo,
    /// Records past their time are erased, as two people decided.
    Disposal,
    /// Is a record of a copy of the past here? By its number alone.
    FormerState,
    /// Files are looked through for viruses, and the findings written down.
    VirusScan,
    /// What came after a snapshot and protects somebody is applied again.
    Restore,
}

/// The database, open.
#[derive(Debug)]
pub struct Db {
    readers: Pool<Line>,
    writer: Pool<Writer>,
    reaches: ReachBook,
    clock: Clock,
    dir: DataDir,
    terms: TermKey,
    shipping: Shipping,
    lock: DirectoryLock,
}

impl Db {
    /// Makes an empty database with its audit key in a directory that holds none.
    ///
    /// # Errors
    /// [`StoreError::Foreign`] when there is one already; otherwise as [`Db::open`].
    pub fn create(dir: &DataDir, clock: Clock) -> Result<Self, StoreError> {
        if dir.database().exists() {
            return Err(StoreError::Foreign {
                path: dir.database(),
            });
        }
        for path in [dir.path().to_path_buf(), dir.keys()] {
            base::paths::create_private_dir(&path)?;
        }
        crate::audit::create_key(dir)?;
        let lock = dir.lock()?;
        Self::open_locked(dir, clock, lock, OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens the database of a data directory, migrates it, and checks that the audit chain ends
    /// where its signed head says.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Newer`], [`StoreError::Absent`],
    /// [`StoreError::AuditHead`], and what disks do.
    pub fn open(dir: &DataDir, clock: Clock) -> Result<Self, StoreError> {
        if !dir.database().exists() {
            return Err(StoreError::Absent {
                dir: dir.path().to_path_buf(),
            });
        }
        let lock = dir.lock()?;
        Self::open_locked(dir, clock, lock, OpenFlags::empty())
    }

    /// As [`Db::open`], beside a running service: for commands. Takes no notes in, signs no
    /// checkpoint and folds no log: those are the service's.
    ///
    /// # Errors
    /// As [`Db::open`]; [`StoreError::InUse`] only while somebody changes the schema.
    pub fn open_beside(dir: &DataDir, clock: Clock) -> Result<Self, StoreError> {
        if !dir.database().exists() {
            return Err(StoreError::Absent {
                dir: dir.path().to_path_buf(),
            });
        }
        let lock = dir.join()?;
        Self::open_locked(dir, clock, lock, OpenFlags::empty())
    }

    fn open_locked(
        dir: &DataDir,
        clock: Clock,
        lock: DirectoryLock,
        extra: OpenFlags,
    ) -> Result<Self, StoreError> {
        let path = dir.database();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra;
        let mut connection = connect(&path, flags)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        if migrations::is_due(&connection)? {
            lock.alone(dir, || migrations::run(&mut connection))?;
        }
        let chain = Chain::resume(&connection, dir)?;
        let reaches = ReachBook::default();
        reaches.watch(&mut connection)?;
        let folding = connect(&path, flags)?;
        let shipping = Shipping::begin(dir, clock.clone(), &mut connection, folding)?;
        let line = Line {
            viewer: scope::install(&mut connection)?,
            connection,
        };
        let readers = (0..READERS)
            .map(|_| reader(&path))
            .collect::<Result<Vec<_>, _>>()?;
        let db = Self {
            readers: Pool::new(readers, WAIT_MAX),
            writer: Pool::new(vec![Writer::new(line, chain)], WAIT_MAX),
            reaches,
            clock,
            dir: dir.clone(),
            terms: TermKey::take(dir)?,
            shipping,
            lock,
        };
        if db.lock.is_service() {
            db.take_notes()?;
            db.checkpoint_audit()?;
        }
        Ok(db)
    }

    /// Says what the site wants of commit shipping (`switch_shipping` comes before the opening).
    pub fn ship(&mut self, policy: ShippingPolicy) {
        self.shipping.keep_to(policy);
    }

    /// The directory this database lives in.
    pub fn dir(&self) -> &DataDir {
        &self.dir
    }

    #[cfg(test)]
    pub(crate) fn writer_for_tests(&self) -> &Pool<Writer> {
        &self.writer
    }

    /// The clock that every entry is stamped with.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Lists: reads through the actor's eyes, leaves no entry.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when no connection came free, and whatever `f` returns.
    pub fn read<T, E: From<StoreError>>(
        &self,
        actor: &Actor,
        f: impl FnOnce(&ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut line = self.readers.take()?;
        let Line { connection, viewer } = &mut *line;
        let tx = connection.transaction().map_err(StoreError::from)?;
        let seen = self.eyes(&tx, viewer, actor)?;
        let result = f(&ReadTx::new(&tx, viewer));
        drop(tx);
        drop(seen);
        result
    }

    /// Opens a person's record: reads through the actor's eyes and leaves an entry in the same
    /// transaction. Nothing is returned that was not written down first.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn view<T, E: From<StoreError>>(
        &self,
        actor: &Actor,
        f: impl FnOnce(&WriteTx<'_>) -> Result<Audited<T>, E>,
    ) -> Result<T, E> {
        self.write(actor, f)
    }

    /// Changes something: the change and its audit entries are saved together or not at all.
    ///
    /// # Errors
    /// [`StoreError::Busy`], [`StoreError::DiskFull`], [`StoreError::ReadOnly`], and whatever `f`
    /// returns; after an error nothing of it is in the file.
    pub fn write<T, E: From<StoreError>>(
        &self,
        actor: &Actor,
        f: impl FnOnce(&WriteTx<'_>) -> Result<Audited<T>, E>,
    ) -> Result<T, E> {
        self.transact(actor, None, f)
    }

    /// Changes operational state that is no record: sessions, failed sign-ins, drafts. The
    /// authorizer refuses any other table, so nothing else can slip by without its entry.
    ///
    /// # Errors
    /// [`StoreError::Unscoped`] for another table; otherwise as [`Db::write`].
    pub fn housekeep<T, E: From<StoreError>>(
        &self,
        actor: &Actor,
        f: impl FnOnce(&WriteTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let value = self.turns().take(Company::Shared, |line, end| {
            let seen = Eyes::housekeeping(&line.viewer, actor);
            let value = f(&WriteTx::new(&line.connection, &line.viewer))?;
            drop(seen);
            Ok::<_, E>((value, end.clone()))
        })?;
        self.shipping.committed();
        Ok(value)
    }

    fn turns(&self) -> Turns<'_> {
        Turns {
            pool: &self.writer,
            reaches: &self.reaches,
            folds: self.lock.is_service().then_some(&self.shipping),
        }
    }

    /// As [`Db::write`], past the scoped views. For the system's own work, which has no viewer.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn system<T, E: From<StoreError>>(
        &self,
        actor: &Actor,
        reason: SystemReason,
        f: impl FnOnce(&WriteTx<'_>) -> Result<Audited<T>, E>,
    ) -> Result<T, E> {
        self.transact(actor, Some(reason), f)
    }

    /// Reads past the scoped views, for the system's own work that changes nothing.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn system_read<T, E: From<StoreError>>(
        &self,
        reason: SystemReason,
        f: impl FnOnce(&ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        log::debug!("unscoped read: {reason:?}");
        let mut line = self.readers.take()?;
        let Line { connection, viewer } = &mut *line;
        let seen = Eyes::unscoped(viewer);
        let tx = connection.transaction().map_err(StoreError::from)?;
        let result = f(&ReadTx::new(&tx, viewer));
        drop(tx);
        drop(seen);
        result
    }

    fn transact<T, E: From<StoreError>>(
        &self,
        actor: &Actor,
        reason: Option<SystemReason>,
        f: impl FnOnce(&WriteTx<'_>) -> Result<Audited<T>, E>,
    ) -> Result<T, E> {
        let company = match reason {
            Some(_) => Company::Alone,
            None => Company::Shared,
        };
        let value = self.turns().take(company, |line, end| {
            let Line { connection, viewer } = line;
            let seen = match reason {
                Some(_) => Eyes::unscoped(viewer),
                None => self.eyes(connection, viewer, actor)?,
            };
            let audited = f(&WriteTx::new(connection, viewer))?;
            let end = end.append(connection, actor, self.clock.now(), &audited.events)?;
            drop(seen);
            Ok::<_, E>((audited.value, end))
        })?;
        // Others write while this one waits for the second disk.
        self.shipping.committed();
        Ok(value)
    }

    fn eyes<'v>(
        &self,
        connection: &Connection,
        viewer: &'v Viewer,
        actor: &Actor,
    ) -> Result<Eyes<'v>, StoreError> {
        let today = self.clock.today();
        let reach = self.reaches.of(connection, viewer, actor, today)?;
        viewer.set(actor, reach);
        Ok(Eyes(viewer))
    }

    /// Signs where the chain stands and appends it to the checkpoint file beside the database.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the file cannot be appended to.
    pub fn checkpoint_audit(&self) -> Result<Checkpoint, StoreError> {
        let mut writer = self.turns().alone()?;
        let Writer {
            line: Line { connection, .. },
            chain,
            ..
        } = &mut *writer;
        chain.checkpoint(connection, &self.dir, self.clock.now())
    }

    /// As [`Db::checkpoint_audit`], once a day: nothing when the newest is of today. A clock that
    /// was set back makes no second one for a day that has one.
    ///
    /// # Errors
    /// As [`Db::checkpoint_audit`], and when the file cannot be read.
    pub fn checkpoint_daily(&self) -> Result<Option<Checkpoint>, StoreError> {
        let today = self.clock.today();
        let day = |last: &Checkpoint| last.instant().map(base::clock::japanese_day);
        if self
            .checkpoints()?
            .iter()
            .filter_map(day)
            .any(|day| day >= today)
        {
            return Ok(None);
        }
        self.checkpoint_audit().map(Some)
    }

    /// The checkpoints beside the database, oldest first.
    ///
    /// # Errors
    /// As [`Checkpoint::read_all`].
    pub fn checkpoints(&self) -> Result<Vec<Checkpoint>, StoreError> {
        Checkpoint::read_all(&self.dir.checkpoints())
    }

    /// The mark that stands in the log for words that were looked for, folded by the caller so
    /// that what finds the same has the same mark.
    pub fn term_mark(&self, folded: &str) -> String {
        self.terms.mark(folded)
    }

    /// The years of the log that lie in files of their own, oldest first.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn audit_cuts(&self) -> Result<Vec<Cut>, StoreError> {
        let line = self.readers.take()?;
        Cut::all(&line.connection)
    }

    /// The last archived year of the log that was disposed of: an entry of the log says so.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn disposed_years_until(&self) -> Result<Option<i16>, StoreError> {
        let line = self.readers.take()?;
        let cuts = Cut::all(&line.connection)?;
        audit::disposed_until(&self.dir, &line.connection, &cuts)
    }

    /// Takes away the files of years that were disposed of; how many there were. After the disposal,
    /// and once a day: a kill in between, or a restore, leaves one.
    ///
    /// # Errors
    /// As [`Db::read`], and those of the directory.
    pub fn sweep_disposed(&self) -> Result<usize, StoreError> {
        let until = self.disposed_years_until()?;
        audit::remove_disposed(&self.dir, &self.audit_cuts()?, until)
    }

    /// Lists as [`Db::read`], with the log of an archived year in the place of the log.
    ///
    /// # Errors
    /// As [`Db::read`]; [`StoreError::Absent`] when that year's file is not there.
    pub fn read_archive<T, E: From<StoreError>>(
        &self,
        actor: &Actor,
        year: i16,
        f: impl FnOnce(&ReadTx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let cut = self.audit_cuts()?.into_iter().find(|cut| cut.year == year);
        let file = cut.map(|cut| self.dir.audit_archives().join(cut.file));
        let Some(file) = file.filter(|file| file.exists()) else {
            let dir = self.dir.audit_archives();
            return Err(StoreError::Absent { dir }.into());
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = connect(&self.dir.database(), flags)?;
        audit::attach(&connection, &file)?;
        let viewer = scope::install(&mut connection)?;
        connection
            .pragma_update(None, "query_only", true)
            .map_err(StoreError::from)?;
        let tx = connection.transaction().map_err(StoreError::from)?;
        let seen = self.eyes(&tx, &viewer, actor)?;
        let result = f(&ReadTx::new(&tx, &viewer));
        drop(tx);
        drop(seen);
        result
    }

    /// What archiving a year would move; nothing is touched.
    ///
    /// # Errors
    /// [`StoreError::Archive`] with the reason why it cannot be, and those of the disk.
    pub fn plan_archive(&self, year: i16, free_bytes_min: u64) -> Result<ArchivePlan, StoreError> {
        let today = self.clock.today();
        let line = self.readers.take()?;
        audit::plan(&line.connection, &self.dir, (year, today), free_bytes_min)
    }

    /// Moves a finished year into its file and puts the signed cut in its place. Killed at any
    /// moment, every entry is in the database or in the file, or in both; run again, it ends what
    /// was begun.
    ///
    /// # Errors
    /// [`StoreError::AuditHead`] when the year does not fit its chain; otherwise as
    /// [`Db::plan_archive`] and [`Db::write`].
    pub fn archive_audit(
        &self,
        actor: &Actor,
        plan: &ArchivePlan,
        event: Event,
    ) -> Result<Cut, StoreError> {
        let mut writer = self.turns().alone()?;
        let Writer {
            line: Line { connection, .. },
            chain,
            ..
        } = &mut *writer;
        let now = self.clock.now();
        audit::perform(connection, chain, (&self.dir, actor, now), plan, &event)
    }

    /// Ends what an archiving that was cut short left: rows that lie in a year's file already. How
    /// many there were.
    ///
    /// # Errors
    /// As [`Db::housekeep`].
    pub fn sweep_archived(&self) -> Result<i64, StoreError> {
        let mut writer = self.turns().alone()?;
        audit::sweep(&mut writer.line.connection)
    }

    /// Copies the whole database to `to` in one step: a consistent file that no write disturbs.
    ///
    /// # Errors
    /// Those of SQLite and the target's disk.
    pub fn snapshot(&self, to: &Path) -> Result<(), StoreError> {
        crate::snapshot::copy(&self.dir.database(), to)
    }

    /// Row counts of all tables, for comparing a restored copy.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn row_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        self.system_read(SystemReason::Backup, crate::snapshot::row_counts)
    }

    /// Signs the chain's end and folds the write-ahead log into the file: a clean stop. The database
    /// stays usable. Beside a service there is nothing to do.
    ///
    /// # Errors
    /// Those of SQLite and of the checkpoint file.
    pub fn settle(&self) -> Result<(), StoreError> {
        if !self.lock.is_service() {
            return Ok(());
        }
        self.checkpoint_audit()?;
        let writer = self.turns().alone()?;
        self.shipping.settle(&writer.line.connection)
    }

    /// [`Db::settle`] and let go of the directory.
    ///
    /// # Errors
    /// As [`Db::settle`].
    pub fn close(self) -> Result<(), StoreError> {
        self.settle()
    }
}

/// Sets a connection's viewer and takes it back when dropped, whatever happens between.
struct Eyes<'v>(&'v Viewer);

impl<'v> Eyes<'v> {
    fn unscoped(viewer: &'v Viewer) -> Self {
        viewer.set_unscoped();
        Self(viewer)
    }

    fn housekeeping(viewer: &'v Viewer, actor: &Actor) -> Self {
        viewer.set(actor, Arc::default());
        viewer.set_housekeeping();
        Self(viewer)
    }
}

impl Drop for Eyes<'_> {
    fn drop(&mut self) {
        self.0.clear();
    }
}

fn reader(path: &Path) -> Result<Line, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = connect(path, flags)?;
    let viewer = scope::install(&mut connection)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(Line { connection, viewer })
}

/// Opens one connection with every option that affects data spelt out.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that opens connections"
)]
pub(crate) fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(WAIT_MAX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Without it SQLite compiles a kept statement anew each time a value is bound that a partial index
    // might be about: two thirds of the time of a person's page.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // FULL: an acknowledged record survives a power cut, not only a killed process.
    connection.pragma_update(None, "synchronous", "full")?;
    // The log is folded where `shipping` says so, never by whoever happens to commit or to leave last.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    let leaves_log = shipping::leaves_log(path);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leaves_log)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // What is deleted is overwritten: an erased record must not lie in a free page.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "cache_size", -32_768)?;
    Ok(connection)
}
