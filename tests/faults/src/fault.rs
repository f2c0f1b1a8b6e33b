//! What goes wrong, where, from which time on and how often.

use std::time::Duration;

use fuser::Errno;

/// What a process asks of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Op {
    /// Looking at a name or at what it stands for.
    Look,
    /// Opening a file or a directory.
    Open,
    /// Making a file, a directory or a second name.
    Make,
    Read,
    Write,
    /// `fsync` of a file or a directory.
    Flush,
    /// Length, mode or times of a file.
    Change,
    Rename,
    Remove,
    List,
    /// How much room there is.
    Room,
}

impl Op {
    /// All that changes something.
    pub const CHANGES: [Op; 5] = [Op::Make, Op::Write, Op::Change, Op::Rename, Op::Remove];
}

/// Which files a fault is about, by their path below the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    Anywhere,
    /// Its path begins so.
    Below(&'static str),
    /// Its path holds this.
    Holding(&'static str),
    /// Its path ends so.
    Ending(&'static str),
}

impl Where {
    pub(crate) fn is(self, path: &str) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Below(part) => path.starts_with(part),
            Self::Holding(part) => path.contains(part),
            Self::Ending(part) => path.ends_with(part),
        }
    }
}

/// What happens instead.
#[derive(Debug, Clone, Copy)]
pub enum What {
    /// It is refused with this.
    Fail(Errno),
    /// A flush is acknowledged and done by nobody.
    Lie,
    /// At most so many bytes are written or read, and that is said.
    Short(usize),
    /// So many bytes are written, and then it is refused: half a page, half a sector.
    Torn(usize),
    /// A bit of the byte at this place of the file is read wrongly. What is stored stays right.
    Flip(u64),
    /// Bytes are read as if the file ended at half its length, which still looks as before.
    Shrunk,
    /// It is done, so much later.
    Slow(Duration),
    /// It is done once the fault is over, or so much later.
    Hang(Duration),
    /// A listing leaves out every name that holds this.
    LeftOut(&'static str),
    /// The file looks as if it was changed so many seconds later.
    Later(i64),
}

/// One fault.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// What it happens to; several, one after the other, are several faults.
    pub op: Op,
    pub at: Where,
    /// So many go well before.
    pub after: u32,
    /// To so many it happens; `u32::MAX` is always.
    pub times: u32,
    pub what: What,
}

impl Fault {
    /// From now on, always, everywhere.
    #[must_use]
    pub const fn always(op: Op, what: What) -> Self {
        Self {
            op,
            at: Where::Anywhere,
            after: 0,
            times: u32::MAX,
            what,
        }
    }

    /// The same, for these files only.
    #[must_use]
    pub const fn at(self, at: Where) -> Self {
        Self { at, ..self }
    }

    /// The same, to the one that comes after so many.
    #[must_use]
    pub const fn once_after(self, after: u32) -> Self {
        Self {
            after,
            times: 1,
            ..self
        }
    }
}

/// A fault that is switched on.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) fault: Fault,
    pub(crate) seen: u32,
    pub(crate) hits: u64,
}

impl Live {
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            fault,
            seen: 0,
            hits: 0,
        }
    }

    /// Does it happen now? Counts.
    pub(crate) fn strikes(&mut self, op: Op, path: &str) -> bool {
        if self.fault.op != op || !self.fault.at.is(path) {
            return false;
        }
        let seen = self.seen;
        self.seen = seen.saturating_add(1);
        let strikes = seen >= self.fault.after && seen - self.fault.after < self.fault.times;
        self.hits += u64::from(strikes);
        strikes
    }
}
