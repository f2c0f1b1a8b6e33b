//! The files themselves, twice: as processes see them, and as they would be found after a power cut.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::time::SystemTime;

use fuser::{Errno, FileAttr, FileType, INodeNo};

use crate::dice::Dice;

pub(crate) const ROOT: u64 = 1;
const BLOCK: u32 = 4_096;
pub(crate) const NAME_BYTES_MAX: usize = 255;

/// What a file or directory holds.
#[derive(Debug, Clone, Default)]
struct Held {
    bytes: Vec<u8>,
    entries: BTreeMap<OsString, u64>,
}

#[derive(Debug, Clone)]
pub(crate) struct Node {
    kind: FileType,
    perm: u16,
    owner: (u32, u32),
    times: (SystemTime, SystemTime),
    links: u32,
    rdev: u32,
    /// Where it was seen last: a file may have several names, and one of them is enough to speak of it.
    place: (u64, OsString),
    held: Held,
    /// What a power cut leaves; nothing when it was never flushed.
    safe: Option<Held>,
    /// Written since the last flush: from, until.
    pending: Vec<(usize, usize)>,
}

/// What a power cut took away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lost {
    /// Bytes that were written and not flushed.
    pub bytes: u64,
    /// Names that were given or taken and not flushed.
    pub names: u64,
}

#[derive(Debug)]
pub(crate) struct Tree {
    nodes: HashMap<u64, Node>,
    next: u64,
    /// Bytes that may still be written; nothing: any number.
    pub(crate) room: Option<u64>,
}

type Done<T> = Result<T, Errno>;

impl Tree {
    pub(crate) fn empty() -> Self {
        let mut root = Node::new(FileType::Directory, 0o755, (0, 0), (ROOT, OsString::new()));
        root.safe = Some(Held::default());
        Self {
            nodes: HashMap::from([(ROOT, root)]),
            next: ROOT + 1,
            room: None,
        }
    }

    fn node(&self, ino: u64) -> Done<&Node> {
        self.nodes.get(&ino).ok_or(Errno::ENOENT)
    }

    fn node_mut(&mut self, ino: u64) -> Done<&mut Node> {
        self.nodes.get_mut(&ino).ok_or(Errno::ENOENT)
    }

    pub(crate) fn child(&self, parent: u64, name: &OsStr) -> Done<u64> {
        let found = self.node(parent)?.held.entries.get(name);
        found.copied().ok_or(Errno::ENOENT)
    }

    /// The path below the disk, for people and for faults.
    pub(crate) fn path(&self, ino: u64) -> String {
        let mut parts = Vec::new();
        let mut at = ino;
        while at != ROOT
            && parts.len() < 64
            && let Some(node) = self.nodes.get(&at)
        {
            parts.push(node.place.1.to_string_lossy().into_owned());
            at = node.place.0;
        }
        parts.reverse();
        parts.join("/")
    }

    pub(crate) fn path_in(&self, parent: u64, name: &OsStr) -> String {
        let above = self.path(parent);
        let name = name.to_string_lossy();
        if above.is_empty() {
            name.into_owned()
        } else {
            format!("{above}/{name}")
        }
    }

    pub(crate) fn attr(&self, ino: u64) -> Done<FileAttr> {
        let node = self.node(ino)?;
        let size = node.held.bytes.len() as u64;
        Ok(FileAttr {
            ino: INodeNo(ino),
            size,
            blocks: size.div_ceil(512),
            atime: node.times.0,
            mtime: node.times.0,
            ctime: node.times.1,
            crtime: node.times.1,
            kind: node.kind,
            perm: node.perm,
            nlink: node.links,
            uid: node.owner.0,
            gid: node.owner.1,
            rdev: node.rdev,
            blksize: BLOCK,
            flags: 0,
        })
    }

    pub(crate) fn list(&self, ino: u64) -> Done<Vec<(u64, FileType, OsString)>> {
        let node = self.node(ino)?;
        let mut all = vec![
            (ino, FileType::Directory, OsString::from(".")),
            (node.place.0, FileType::Directory, OsString::from("..")),
        ];
        for (name, child) in &node.held.entries {
            all.push((*child, self.node(*child)?.kind, name.clone()));
        }
        Ok(all)
    }

    pub(crate) fn make(
        &mut self,
        (parent, name): (u64, &OsStr),
        kind: FileType,
        (perm, owner): (u16, (u32, u32)),
        now: SystemTime,
    ) -> Done<u64> {
        if name.len() > NAME_BYTES_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        if self.node(parent)?.kind != FileType::Directory {
            return Err(Errno::ENOTDIR);
        }
        if self.child(parent, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        let ino = self.next;
        self.next += 1;
        let mut node = Node::new(kind, perm, owner, (parent, name.to_owned()));
        node.times = (now, now);
        self.nodes.insert(ino, node);
        self.enter(parent, name, ino, now)?;
        Ok(ino)
    }

    fn enter(&mut self, parent: u64, name: &OsStr, ino: u64, now: SystemTime) -> Done<()> {
        self.node_mut(ino)?.place = (parent, name.to_owned());
        let above = self.node_mut(parent)?;
        above.held.entries.insert(name.to_owned(), ino);
        above.times = (now, now);
        Ok(())
    }

    pub(crate) fn link(
        &mut self,
        ino: u64,
        parent: u64,
        name: &OsStr,
        now: SystemTime,
    ) -> Done<()> {
        if self.child(parent, name).is_ok() {
            return Err(Errno::EEXIST);
        }
        self.node_mut(ino)?.links += 1;
        self.enter(parent, name, ino, now)
    }

    pub(crate) fn remove(&mut self, parent: u64, name: &OsStr, now: SystemTime) -> Done<()> {
        let ino = self.child(parent, name)?;
        if !self.node(ino)?.held.entries.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        let node = self.node_mut(ino)?;
        node.links = node.links.saturating_sub(1);
        node.times.1 = now;
        let above = self.node_mut(parent)?;
        above.held.entries.remove(name);
        above.times = (now, now);
        Ok(())
    }

    pub(crate) fn rename(
        &mut self,
        (parent, name): (u64, &OsStr),
        (to, new): (u64, &OsStr),
        (keep, exchange): (bool, bool),
        now: SystemTime,
    ) -> Done<()> {
        let ino = self.child(parent, name)?;
        let there = self.child(to, new).ok();
        match there {
            Some(_) if keep => return Err(Errno::EEXIST),
            None if exchange => return Err(Errno::ENOENT),
            Some(other) if exchange => {
                self.enter(parent, name, other, now)?;
                return self.enter(to, new, ino, now);
            }
            Some(other) if other == ino => return Ok(()),
            Some(_) => self.remove(to, new, now)?,
            None => {}
        }
        let above = self.node_mut(parent)?;
        above.held.entries.remove(name);
        above.times = (now, now);
        self.enter(to, new, ino, now)
    }

    pub(crate) fn read(&self, ino: u64, offset: usize, most: usize) -> Done<Vec<u8>> {
        let bytes = &self.node(ino)?.held.bytes;
        let from = offset.min(bytes.len());
        let until = from.saturating_add(most).min(bytes.len());
        Ok(bytes.get(from..until).unwrap_or_default().to_vec())
    }

    /// How many of them there was room for.
    pub(crate) fn write(
        &mut self,
        ino: u64,
        offset: usize,
        data: &[u8],
        now: SystemTime,
    ) -> Done<usize> {
        let room = self.room.map_or(usize::MAX, |room| {
            usize::try_from(room).unwrap_or(usize::MAX)
        });
        let fits = data.len().min(room);
        if fits == 0 && !data.is_empty() {
            return Err(Errno::ENOSPC);
        }
        if let Some(room) = &mut self.room {
            *room -= fits as u64;
        }
        let node = self.node_mut(ino)?;
        let until = offset.saturating_add(fits);
        if node.held.bytes.len() < until {
            node.held.bytes.resize(until, 0);
        }
        let data = data.get(..fits).unwrap_or_default();
        if let Some(place) = node.held.bytes.get_mut(offset..until) {
            place.copy_from_slice(data);
        }
        node.pending.push((offset, until));
        node.times = (now, now);
        Ok(fits)
    }

    pub(crate) fn set_length(&mut self, ino: u64, length: usize, now: SystemTime) -> Done<()> {
        let node = self.node_mut(ino)?;
        let from = node.held.bytes.len().min(length);
        node.held.bytes.resize(length, 0);
        node.pending.push((from, length));
        node.times = (now, now);
        Ok(())
    }

    pub(crate) fn set_attr(
        &mut self,
        ino: u64,
        perm: Option<u16>,
        owner: (Option<u32>, Option<u32>),
        changed: Option<SystemTime>,
    ) -> Done<()> {
        let node = self.node_mut(ino)?;
        node.perm = perm.unwrap_or(node.perm);
        node.owner = (
            owner.0.unwrap_or(node.owner.0),
            owner.1.unwrap_or(node.owner.1),
        );
        node.times.0 = changed.unwrap_or(node.times.0);
        Ok(())
    }

    /// What is there now is there after a power cut.
    pub(crate) fn flush(&mut self, ino: u64) -> Done<()> {
        self.node_mut(ino)?.flush();
        Ok(())
    }

    /// Everything, as a clean unmount does.
    pub(crate) fn flush_all(&mut self) {
        self.nodes.values_mut().for_each(Node::flush);
    }

    /// The power is cut and comes back. Of what was not flushed nothing is left; with dice, of each write some
    /// blocks and of the names some, in any order, as a disk with a cache of its own does.
    pub(crate) fn cut(&mut self, dice: Option<(&mut Dice, usize)>) -> Lost {
        let mut lost = Lost::default();
        let mut chance = dice;
        let mut order: Vec<u64> = self.nodes.keys().copied().collect();
        order.sort_unstable();
        for ino in order {
            if let Some(node) = self.nodes.get_mut(&ino) {
                lost.add(node.cut(&mut chance));
            }
        }
        self.forget_unreachable();
        lost
    }

    fn forget_unreachable(&mut self) {
        let mut known = HashSet::from([ROOT]);
        let mut open = vec![ROOT];
        let mut links: HashMap<u64, u32> = HashMap::new();
        while let Some(ino) = open.pop() {
            let Some(node) = self.nodes.get_mut(&ino) else {
                continue;
            };
            let children: Vec<(OsString, u64)> = node
                .held
                .entries
                .iter()
                .map(|(name, child)| (name.clone(), *child))
                .collect();
            for (name, child) in children {
                *links.entry(child).or_default() += 1;
                if let Some(below) = self.nodes.get_mut(&child) {
                    below.place = (ino, name);
                }
                if known.insert(child) {
                    open.push(child);
                }
            }
        }
        self.nodes.retain(|ino, _| known.contains(ino));
        for (ino, count) in links {
            if let Some(node) = self.nodes.get_mut(&ino)
                && node.kind != FileType::Directory
            {
                node.links = count;
            }
        }
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        let all = self.nodes.values().map(|node| node.held.bytes.len() as u64);
        all.sum()
    }
}

impl Lost {
    fn add(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.names += more.names;
    }
}

impl Node {
    fn new(kind: FileType, perm: u16, owner: (u32, u32), place: (u64, OsString)) -> Self {
        Self {
            kind,
            perm,
            owner,
            times: (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH),
            links: if kind == FileType::Directory { 2 } else { 1 },
            rdev: 0,
            place,
            held: Held::default(),
            safe: None,
            pending: Vec::new(),
        }
    }

    fn flush(&mut self) {
        let safe = self.safe.get_or_insert_default();
        // Only what was written since: a flush of a large file is not to cost its length.
        safe.bytes.resize(self.held.bytes.len(), 0);
        for (from, until) in self.pending.drain(..) {
            let until = until.min(self.held.bytes.len());
            let from = from.min(until);
            if let (Some(to), Some(data)) = (
                safe.bytes.get_mut(from..until),
                self.held.bytes.get(from..until),
            ) {
                to.copy_from_slice(data);
            }
        }
        if self.kind == FileType::Directory {
            safe.entries.clone_from(&self.held.entries);
        }
    }

    fn cut(&mut self, chance: &mut Option<(&mut Dice, usize)>) -> Lost {
        let mut lost = Lost::default();
        let mut after = self.safe.clone().unwrap_or_default();
        if let Some((dice, unit)) = chance {
            after.take_some(&self.held, &self.pending, (&mut **dice, *unit));
        }
        let written: usize = self
            .pending
            .iter()
            .map(|(from, until)| until - from.min(until))
            .sum();
        if after.bytes != self.held.bytes {
            lost.bytes += written as u64;
        }
        let changed = self
            .held
            .entries
            .iter()
            .filter(|(name, ino)| after.entries.get(*name) != Some(ino));
        let gone = after
            .entries
            .keys()
            .filter(|name| !self.held.entries.contains_key(*name));
        lost.names += (changed.count() + gone.count()) as u64;
        self.held = after;
        self.pending.clear();
        self.safe = Some(self.held.clone());
        lost
    }
}

impl Held {
    /// Blocks and names of what is there now, by chance.
    fn take_some(
        &mut self,
        now: &Self,
        pending: &[(usize, usize)],
        (dice, unit): (&mut Dice, usize),
    ) {
        if !pending.is_empty() && dice.happens(50) {
            self.bytes.resize(now.bytes.len(), 0);
        }
        for (from, until) in pending {
            let mut block = from - from % unit.max(1);
            while block < *until {
                let end = (block + unit).min(*until).min(self.bytes.len());
                let start = block.max(*from).min(end);
                if dice.happens(50)
                    && let (Some(to), Some(data)) =
                        (self.bytes.get_mut(start..end), now.bytes.get(start..end))
                {
                    to.copy_from_slice(data);
                }
                block += unit.max(1);
            }
        }
        let names: Vec<OsString> = self
            .entries
            .keys()
            .chain(now.entries.keys())
            .cloned()
            .collect();
        for name in names {
            let (was, is) = (self.entries.get(&name), now.entries.get(&name).copied());
            if was != is.as_ref() && dice.happens(50) {
                match is {
                    Some(ino) => self.entries.insert(name, ino),
                    None => self.entries.remove(&name),
                };
            }
        }
    }
}
