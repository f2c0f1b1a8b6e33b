//! What the kernel asks, answered from the [`Tree`] unless a fault says otherwise.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use fuser::{
    Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo, LockOwner,
    OpenAccMode, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory,
    ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, TimeOrNow, WriteFlags,
};

use crate::fault::{Fault, Live, Op, What};
use crate::tree::{NAME_BYTES_MAX, Tree};

/// The kernel keeps nothing in mind: a disk that vanishes is gone at once.
const TTL: Duration = Duration::ZERO;
const BLOCK: u32 = 4_096;
/// Shown as the room of a disk without a limit, bytes.
const ROOMY: u64 = 64 << 30;

/// All that the threads of the layer and whoever switches faults share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) inner: Mutex<Inner>,
    /// Told when a fault is switched off.
    changed: Condvar,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) tree: Tree,
    faults: Vec<Live>,
    /// Every question is refused: the cable is pulled.
    pub(crate) gone: bool,
    /// Nothing may be changed: mounted anew for reading only.
    pub(crate) read_only: bool,
    pub(crate) asked: HashMap<Op, u64>,
    /// How often anything struck, also of faults that are switched off by now.
    past_hits: u64,
}

type Done<T> = Result<T, Errno>;

impl Shared {
    pub(crate) fn empty() -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner {
                tree: Tree::empty(),
                faults: Vec::new(),
                gone: false,
                read_only: false,
                asked: HashMap::new(),
                past_hits: 0,
            }),
            changed: Condvar::new(),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, faults: &[Fault]) {
        let mut inner = self.lock();
        inner.past_hits = inner.hits();
        inner.faults = faults.iter().copied().map(Live::new).collect();
        drop(inner);
        self.changed.notify_all();
    }

    /// Which fault strikes, after it was waited for when it is one that waits.
    fn meets(&self, op: Op, path: impl FnOnce(&Tree) -> String) -> Done<Option<What>> {
        let mut inner = self.lock();
        *inner.asked.entry(op).or_default() += 1;
        if inner.gone {
            return Err(Errno::ENODEV);
        }
        if inner.read_only && Op::CHANGES.contains(&op) {
            return Err(Errno::EROFS);
        }
        if inner.faults.is_empty() {
            return Ok(None);
        }
        let path = path(&inner.tree);
        let struck = inner
            .faults
            .iter_mut()
            .find_map(|live| live.strikes(op, &path).then_some(live.fault.what));
        match struck {
            Some(What::Fail(errno)) => Err(errno),
            Some(What::Slow(time)) => {
                drop(inner);
                std::thread::park_timeout(time);
                Ok(None)
            }
            Some(What::Hang(most)) => {
                let until = Instant::now() + most;
                let still = |inner: &Inner| {
                    let mut all = inner.faults.iter();
                    all.any(|live| matches!(live.fault.what, What::Hang(_)))
                };
                while still(&inner) && Instant::now() < until {
                    let left = until.saturating_duration_since(Instant::now());
                    let waited = self.changed.wait_timeout(inner, left);
                    inner = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                if inner.gone {
                    return Err(Errno::ENODEV);
                }
                Ok(None)
            }
            other => Ok(other),
        }
    }
}

impl Inner {
    pub(crate) fn hits(&self) -> u64 {
        let now = self.faults.iter().map(|live| live.hits);
        self.past_hits + now.sum::<u64>()
    }
}

/// One mount of the shared files.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) shared: Arc<Shared>,
    /// It was pulled: files that were open then stay dead when the disk is plugged in anew.
    pub(crate) dead: Arc<AtomicBool>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a disk has the time of its machine"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

impl Layer {
    fn meets(&self, op: Op, path: impl FnOnce(&Tree) -> String) -> Done<Option<What>> {
        if self.dead.load(Ordering::SeqCst) {
            return Err(Errno::ENODEV);
        }
        self.shared.meets(op, path)
    }

    fn at(&self, op: Op, ino: INodeNo) -> Done<Option<What>> {
        self.meets(op, |tree| tree.path(ino.0))
    }

    fn named(&self, op: Op, parent: INodeNo, name: &OsStr) -> Done<Option<What>> {
        self.meets(op, |tree| tree.path_in(parent.0, name))
    }

    fn attr_of(&self, ino: u64, met: Option<What>) -> Done<FileAttr> {
        let mut attr = self.shared.lock().tree.attr(ino)?;
        if let Some(What::Later(seconds)) = met {
            let by = Duration::from_secs(seconds.unsigned_abs());
            attr.mtime = if seconds < 0 {
                attr.mtime - by
            } else {
                attr.mtime + by
            };
        }
        Ok(attr)
    }

    fn make(
        &self,
        req: &Request,
        (parent, name): (INodeNo, &OsStr),
        kind: FileType,
        mode: u32,
    ) -> Done<FileAttr> {
        self.named(Op::Make, parent, name)?;
        let mut inner = self.shared.lock();
        let perm = u16::try_from(mode & 0o7777).unwrap_or(0o600);
        let owner = (req.uid(), req.gid());
        let ino = inner
            .tree
            .make((parent.0, name), kind, (perm, owner), now())?;
        inner.tree.attr(ino)
    }

    fn read_some(&self, ino: INodeNo, offset: u64, most: u32) -> Done<Vec<u8>> {
        let met = self.at(Op::Read, ino)?;
        let inner = self.shared.lock();
        let length = inner.tree.attr(ino.0)?.size;
        let (offset, mut most) = (size(offset), size(u64::from(most)));
        match met {
            Some(What::Short(bytes)) => most = most.min(bytes),
            Some(What::Shrunk) => most = most.min(size(length / 2).saturating_sub(offset)),
            _ => {}
        }
        let mut data = inner.tree.read(ino.0, offset, most)?;
        if let Some(What::Flip(at)) = met
            && let Some(byte) = size(at).checked_sub(offset).and_then(|at| data.get_mut(at))
        {
            *byte ^= 1;
        }
        Ok(data)
    }

    fn write_some(&self, ino: INodeNo, offset: u64, data: &[u8]) -> Done<usize> {
        let met = self.at(Op::Write, ino)?;
        let most = match met {
            Some(What::Short(bytes) | What::Torn(bytes)) => data.len().min(bytes),
            _ => data.len(),
        };
        let data = data.get(..most).unwrap_or_default();
        let done = self
            .shared
            .lock()
            .tree
            .write(ino.0, size(offset), data, now())?;
        match met {
            Some(What::Torn(_)) => Err(Errno::EIO),
            _ => Ok(done),
        }
    }

    fn flush_one(&self, ino: INodeNo) -> Done<()> {
        match self.at(Op::Flush, ino)? {
            Some(What::Lie) => Ok(()),
            _ => self.shared.lock().tree.flush(ino.0),
        }
    }

    fn open_one(&self, ino: INodeNo, flags: OpenFlags) -> Done<()> {
        self.at(Op::Open, ino)?;
        let inner = self.shared.lock();
        if inner.read_only && flags.acc_mode() != OpenAccMode::O_RDONLY {
            return Err(Errno::EROFS);
        }
        inner.tree.attr(ino.0).map(|_| ())
    }
}

macro_rules! answer {
    ($reply:ident, $done:expr) => {
        match $done {
            Ok(()) => $reply.ok(),
            Err(errno) => $reply.error(errno),
        }
    };
}

macro_rules! entry {
    ($reply:ident, $done:expr) => {
        match $done {
            Ok(attr) => $reply.entry(&TTL, &attr, Generation(0)),
            Err(errno) => $reply.error(errno),
        }
    };
}

impl Filesystem for Layer {
    fn lookup(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let found = self.named(Op::Look, parent, name).and_then(|met| {
            let ino = self.shared.lock().tree.child(parent.0, name)?;
            self.attr_of(ino, met)
        });
        entry!(reply, found);
    }

    fn getattr(&self, _: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self
            .at(Op::Look, ino)
            .and_then(|met| self.attr_of(ino.0, met))
        {
            Ok(attr) => reply.attr(&TTL, &attr),
            Err(errno) => reply.error(errno),
        }
    }

    fn setattr(
        &self,
        _req: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        uid: Option<u32>,
        gid: Option<u32>,
        length: Option<u64>,
        _atime: Option<TimeOrNow>,
        mtime: Option<TimeOrNow>,
        _ctime: Option<SystemTime>,
        _fh: Option<FileHandle>,
        _crtime: Option<SystemTime>,
        _chgtime: Option<SystemTime>,
        _bkuptime: Option<SystemTime>,
        _flags: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let perm = mode.and_then(|mode| u16::try_from(mode & 0o7777).ok());
        let changed = mtime.map(|at| match at {
            TimeOrNow::SpecificTime(at) => at,
            TimeOrNow::Now => now(),
        });
        let done = self.at(Op::Change, ino).and_then(|_| {
            let mut inner = self.shared.lock();
            if let Some(length) = length {
                inner.tree.set_length(ino.0, size(length), now())?;
            }
            inner.tree.set_attr(ino.0, perm, (uid, gid), changed)?;
            inner.tree.attr(ino.0)
        });
        match done {
            Ok(attr) => reply.attr(&TTL, &attr),
            Err(errno) => reply.error(errno),
        }
    }

    fn mknod(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _rdev: u32,
        reply: ReplyEntry,
    ) {
        // The kind of a file is in the upper bits of its mode.
        let kind = match mode & 0o170_000 {
            0o140_000 => FileType::Socket,
            0o010_000 => FileType::NamedPipe,
            _ => FileType::RegularFile,
        };
        entry!(reply, self.make(req, (parent, name), kind, mode & !umask));
    }

    fn mkdir(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        reply: ReplyEntry,
    ) {
        let kind = FileType::Directory;
        entry!(reply, self.make(req, (parent, name), kind, mode & !umask));
    }

    fn unlink(&self, _req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let done = self.named(Op::Remove, parent, name);
        answer!(
            reply,
            done.and_then(|_| self.shared.lock().tree.remove(parent.0, name, now()))
        );
    }

    fn rmdir(&self, req: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        self.unlink(req, parent, name, reply);
    }

    fn rename(
        &self,
        _req: &Request,
        parent: INodeNo,
        name: &OsStr,
        newparent: INodeNo,
        newname: &OsStr,
        flags: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let how = (
            flags.contains(RenameFlags::RENAME_NOREPLACE),
            flags.contains(RenameFlags::RENAME_EXCHANGE),
        );
        let done = self.named(Op::Rename, newparent, newname).and_then(|_| {
            let (from, to) = ((parent.0, name), (newparent.0, newname));
            self.shared.lock().tree.rename(from, to, how, now())
        });
        answer!(reply, done);
    }

    fn link(
        &self,
        _req: &Request,
        ino: INodeNo,
        newparent: INodeNo,
        newname: &OsStr,
        reply: ReplyEntry,
    ) {
        let done = self.named(Op::Make, newparent, newname).and_then(|_| {
            let mut inner = self.shared.lock();
            inner.tree.link(ino.0, newparent.0, newname, now())?;
            inner.tree.attr(ino.0)
        });
        entry!(reply, done);
    }

    fn open(&self, _req: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        match self.open_one(ino, flags) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(errno) => reply.error(errno),
        }
    }

    fn read(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        most: u32,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match self.read_some(ino, offset, most) {
            Ok(data) => reply.data(&data),
            Err(errno) => reply.error(errno),
        }
    }

    fn write(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        data: &[u8],
        _write_flags: WriteFlags,
        _flags: OpenFlags,
        _lock_owner: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match self.write_some(ino, offset, data) {
            Ok(done) => reply.written(u32::try_from(done).unwrap_or(u32::MAX)),
            Err(errno) => reply.error(errno),
        }
    }

    /// At every close; nothing was held back.
    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer!(reply, self.flush_one(ino));
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        answer!(reply, self.flush_one(ino));
    }

    fn opendir(&self, _req: &Request, ino: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        match self.open_one(ino, flags) {
            Ok(()) => reply.opened(FileHandle(0), FopenFlags::empty()),
            Err(errno) => reply.error(errno),
        }
    }

    fn readdir(
        &self,
        _req: &Request,
        ino: INodeNo,
        _fh: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let listed = self
            .at(Op::List, ino)
            .and_then(|met| Ok((met, self.shared.lock().tree.list(ino.0)?)));
        let (met, mut all) = match listed {
            Ok(listed) => listed,
            Err(errno) => return reply.error(errno),
        };
        if let Some(What::LeftOut(part)) = met {
            all.retain(|(_, _, name)| !name.to_string_lossy().contains(part));
        }
        // Sorted by name, so that a place in it means the same in the next question.
        for (place, (child, kind, name)) in all.iter().enumerate().skip(size(offset)) {
            if reply.add(INodeNo(*child), place as u64 + 1, *kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _req: &Request, ino: INodeNo, reply: ReplyStatfs) {
        if let Err(errno) = self.at(Op::Room, ino) {
            return reply.error(errno);
        }
        let inner = self.shared.lock();
        let free = inner.tree.room.unwrap_or(ROOMY) / u64::from(BLOCK);
        let used = inner.tree.bytes() / u64::from(BLOCK);
        let name = u32::try_from(NAME_BYTES_MAX).unwrap_or(255);
        reply.statfs(free + used, free, free, 0, 1 << 20, BLOCK, name, BLOCK);
    }

    fn access(&self, _: &Request, ino: INodeNo, _: fuser::AccessFlags, reply: ReplyEmpty) {
        answer!(reply, self.at(Op::Look, ino).map(|_| ()));
    }

    fn create(
        &self,
        req: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        match self.make(req, (parent, name), FileType::RegularFile, mode & !umask) {
            Ok(attr) => {
                let none = FopenFlags::empty();
                reply.created(&TTL, &attr, Generation(0), FileHandle(0), none);
            }
            Err(errno) => reply.error(errno),
        }
    }
}
