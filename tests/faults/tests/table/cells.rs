//! The table itself: what goes wrong, where, while what is done, and how that is to end.

use std::time::Duration;

use faults::{Errno, Fault, Op, What, Where};

/// On which disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// The data directory, on the array.
    Data,
    /// The repository on the array.
    Raid,
    /// The repository on disk A.
    DiskA,
    /// The shipped log on disk A.
    Shipped,
    /// Where a restore or a drill writes, on the array.
    Scratch,
}

impl At {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Data => "data (array)",
            Self::Raid => "repository (array)",
            Self::DiskA => "repository (disk A)",
            Self::Shipped => "shipped log (disk A)",
            Self::Scratch => "scratch (array)",
        }
    }

    /// What an error about it holds: the name of the disk or a path on it.
    pub(crate) fn named(self) -> &'static str {
        match self {
            // In words ("the disk of the data"), or by its path.
            Self::Data | Self::Scratch => "",
            Self::Raid => "raid",
            Self::DiskA | Self::Shipped => "disk-a",
        }
    }

    pub(crate) fn is_on_array(self) -> bool {
        matches!(self, Self::Data | Self::Raid | Self::Scratch)
    }
}

/// What is done at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum During {
    Commit,
    Ship,
    Run,
    Prune,
    Check,
    Restore,
    Drill,
}

impl During {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Ship => "ship",
            Self::Run => "backup",
            Self::Prune => "prune",
            Self::Check => "check",
            Self::Restore => "restore",
            Self::Drill => "drill",
        }
    }
}

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Trouble {
    Faults(&'static [Fault]),
    /// So many bytes of room are left.
    Room(u64),
    ReadOnly,
    /// Nothing is answered any more.
    Gone,
    /// An empty mount point.
    Pulled,
    /// The power goes: nothing that was not flushed is left, or any part of it.
    Cut,
    CutByChance,
    /// The same after flushes that nobody performed.
    Lied,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) fault: &'static str,
    pub(crate) at: At,
    pub(crate) during: During,
    pub(crate) trouble: Trouble,
    pub(crate) ends: i32,
    /// What people are told.
    pub(crate) says: &'static str,
    /// Acknowledged commits that may be gone from this disk alone.
    pub(crate) loses: i64,
    /// How often the same is tried at most until it goes well.
    pub(crate) tries: u8,
}

const EIO: What = What::Fail(Errno::EIO);
const BRIEF: Duration = Duration::from_millis(5);
const BOUNDED: Duration = Duration::from_millis(1_500);

const fn cell(
    (fault, at, during): (&'static str, At, During),
    trouble: Trouble,
    ends: i32,
    says: &'static str,
) -> Cell {
    Cell {
        fault,
        at,
        during,
        trouble,
        ends,
        says,
        loses: 0,
        tries: 1,
    }
}

macro_rules! faults {
    ($($fault:expr),+) => { Trouble::Faults(const { &[$($fault),+] }) };
}

const fn on(op: Op, what: What, at: &'static str) -> Fault {
    Fault::always(op, what).at(Where::Below(at))
}

/// How people read that a disk failed, is full, is gone.
const FAILED: &str = "ディスクの読み書きができず";
const FULL: &str = "runbooks/disk-full.md";
const ABSENT: &str = "控えの保管先が見つかりません";

pub(crate) fn cells() -> Vec<Cell> {
    [
        commits(),
        shipping(),
        backups(),
        sources(),
        readers(),
        pruning(),
    ]
    .concat()
}

fn commits() -> Vec<Cell> {
    use During::Commit;
    let at = |fault| (fault, At::Data, Commit);
    vec![
        cell(
            at("write refused (EIO)"),
            faults![on(Op::Write, EIO, "data/hokatsu.db-wal")],
            3,
            "",
        ),
        cell(
            at("flush refused (EIO)"),
            faults![on(Op::Flush, EIO, "data/hokatsu.db-wal")],
            3,
            "",
        ),
        cell(
            at("torn write, 512 bytes"),
            faults![on(Op::Write, What::Torn(512), "data/hokatsu.db-wal")],
            3,
            "",
        ),
        cell(
            at("torn write, 4096 bytes"),
            faults![on(Op::Write, What::Torn(4_096), "data/hokatsu.db-wal")],
            3,
            "",
        ),
        cell(
            at("short writes, 512 bytes"),
            faults![on(Op::Write, What::Short(512), "data/hokatsu.db-wal")],
            0,
            "",
        ),
        cell(at("disk full at the next byte"), Trouble::Room(0), 3, ""),
        cell(
            at("disk full within a commit"),
            Trouble::Room(10_000),
            3,
            "",
        ),
        cell(at("read-only remount"), Trouble::ReadOnly, 3, ""),
        cell(at("disk does not answer (ENODEV)"), Trouble::Gone, 3, ""),
        cell(
            at("slow writes and flushes"),
            faults![
                on(Op::Write, What::Slow(BRIEF), "data"),
                on(Op::Flush, What::Slow(BRIEF), "data")
            ],
            0,
            "",
        ),
        cell(
            at("flush hangs, bounded"),
            faults![on(Op::Flush, What::Hang(BOUNDED), "data/hokatsu.db-wal").once_after(1)],
            0,
            "",
        ),
        cell(
            at("power cut, nothing unflushed is left"),
            Trouble::Cut,
            0,
            "",
        ),
        cell(
            at("power cut, any unflushed block is left"),
            Trouble::CutByChance,
            0,
            "",
        ),
        Cell {
            loses: i64::MAX,
            ..cell(at("flush lies, then power cut"), Trouble::Lied, 0, "")
        },
    ]
}

fn shipping() -> Vec<Cell> {
    use During::Ship;
    let at = |fault| (fault, At::Shipped, Ship);
    const LOG: &str = "shipping/generation";
    vec![
        cell(
            at("write refused (EIO)"),
            faults![on(Op::Write, EIO, LOG)],
            3,
            "Failed",
        ),
        cell(
            at("flush refused (EIO)"),
            faults![on(Op::Flush, EIO, LOG)],
            3,
            "Failed",
        ),
        cell(
            at("flush and cutting off refused (EIO)"),
            faults![on(Op::Flush, EIO, LOG), on(Op::Change, EIO, LOG)],
            3,
            "Failed",
        ),
        cell(
            at("torn write, 512 bytes"),
            faults![on(Op::Write, What::Torn(512), LOG)],
            3,
            "Failed",
        ),
        cell(
            at("short writes, 512 bytes"),
            faults![on(Op::Write, What::Short(512), LOG)],
            0,
            "",
        ),
        cell(
            at("disk full at the next byte"),
            Trouble::Room(0),
            3,
            "Full",
        ),
        cell(
            at("disk full within a commit"),
            Trouble::Room(9_000),
            3,
            "Full",
        ),
        cell(at("read-only remount"), Trouble::ReadOnly, 3, "Failed"),
        cell(
            at("disk does not answer (ENODEV)"),
            Trouble::Gone,
            3,
            "Failed",
        ),
        cell(
            at("pulled: empty mount point"),
            Trouble::Pulled,
            3,
            "Absent",
        ),
        cell(
            at("slow writes and flushes"),
            faults![
                on(Op::Write, What::Slow(BRIEF), LOG),
                on(Op::Flush, What::Slow(BRIEF), LOG)
            ],
            0,
            "",
        ),
        cell(
            at("flush hangs, bounded"),
            faults![on(Op::Flush, What::Hang(BOUNDED), LOG).once_after(0)],
            0,
            "",
        ),
        cell(
            at("power cut, nothing unflushed is left"),
            Trouble::Cut,
            0,
            "",
        ),
        cell(
            at("power cut, any unflushed block is left"),
            Trouble::CutByChance,
            0,
            "",
        ),
        Cell {
            loses: i64::MAX,
            ..cell(at("flush lies, then power cut"), Trouble::Lied, 0, "")
        },
    ]
}

fn backups() -> Vec<Cell> {
    use During::Run;
    let at = |fault| (fault, At::DiskA, Run);
    const R: &str = "repository";
    vec![
        cell(
            at("write refused (EIO)"),
            faults![on(Op::Write, EIO, R)],
            3,
            FAILED,
        ),
        cell(
            at("second write refused (EIO)"),
            faults![on(Op::Write, EIO, R).once_after(1)],
            3,
            FAILED,
        ),
        cell(
            at("flush refused (EIO)"),
            faults![on(Op::Flush, EIO, R)],
            3,
            FAILED,
        ),
        cell(
            at("rename refused (EIO)"),
            faults![on(Op::Rename, EIO, R)],
            3,
            FAILED,
        ),
        cell(
            at("open refused (EIO)"),
            faults![on(Op::Open, EIO, "repository/index")],
            3,
            FAILED,
        ),
        cell(
            at("read refused (EIO)"),
            faults![on(Op::Read, EIO, "repository/index")],
            3,
            FAILED,
        ),
        cell(
            at("torn write, 512 bytes"),
            faults![on(Op::Write, What::Torn(512), "repository/data")],
            3,
            FAILED,
        ),
        cell(
            at("torn write, 4096 bytes"),
            faults![on(Op::Write, What::Torn(4_096), "repository/data")],
            3,
            FAILED,
        ),
        cell(
            at("short writes, 512 bytes"),
            faults![on(Op::Write, What::Short(512), R)],
            0,
            "",
        ),
        cell(
            at("bit flipped on read of the index"),
            faults![on(Op::Read, What::Flip(60), "repository/index")],
            3,
            FAILED,
        ),
        cell(
            at("bit flipped on read of the key"),
            // Its first letter: further behind lie letters made by chance, and what a bit makes of them is chance too.
            faults![on(Op::Read, What::Flip(0), "repository/keys")],
            3,
            FAILED,
        ),
        cell(
            at("file shrinks while it is read"),
            faults![on(Op::Read, What::Shrunk, "repository/index")],
            3,
            FAILED,
        ),
        cell(
            at("listing leaves out packs"),
            faults![on(Op::List, What::LeftOut("a"), "repository/data")],
            3,
            "書いたばかりのものが保管先から読めません",
        ),
        cell(
            at("files look changed an hour later"),
            faults![on(Op::Look, What::Later(3_600), R)],
            0,
            "",
        ),
        cell(at("disk full at the next byte"), Trouble::Room(0), 3, FULL),
        cell(
            at("disk full within the first pack"),
            Trouble::Room(2_000),
            3,
            FULL,
        ),
        cell(
            at("disk full behind the first pack"),
            Trouble::Room(12_000),
            3,
            FULL,
        ),
        cell(at("read-only remount"), Trouble::ReadOnly, 3, FAILED),
        cell(at("disk does not answer (ENODEV)"), Trouble::Gone, 3, ""),
        cell(at("pulled: empty mount point"), Trouble::Pulled, 3, ABSENT),
        cell(
            at("slow reads and writes"),
            faults![
                on(Op::Read, What::Slow(BRIEF), R),
                on(Op::Write, What::Slow(BRIEF), R)
            ],
            0,
            "",
        ),
        cell(
            at("write hangs, bounded"),
            faults![on(Op::Write, What::Hang(BOUNDED), R).once_after(1)],
            0,
            "",
        ),
        cell(
            ("write refused (EIO)", At::Raid, Run),
            faults![on(Op::Write, EIO, "raid")],
            3,
            FAILED,
        ),
        cell(
            ("flush refused (EIO)", At::Raid, Run),
            faults![on(Op::Flush, EIO, "raid")],
            3,
            FAILED,
        ),
    ]
}

fn sources() -> Vec<Cell> {
    use During::Run;
    let at = |fault| (fault, At::Data, Run);
    vec![
        cell(
            at("source cannot be read (EIO)"),
            faults![on(Op::Read, EIO, "data/keys")],
            3,
            "",
        ),
        cell(
            at("source shrinks while it is read"),
            faults![on(Op::Read, What::Shrunk, "data/keys")],
            3,
            "",
        ),
        // The kernel tells the next `syncfs` of a page that it could not write meanwhile, whoever asks.
        Cell {
            tries: 2,
            ..cell(
                at("disk full while the source is gathered"),
                Trouble::Room(4_096),
                3,
                FULL,
            )
        },
        cell(at("read-only remount"), Trouble::ReadOnly, 3, ""),
    ]
}

fn readers() -> Vec<Cell> {
    use During::{Check, Drill, Restore};
    vec![
        cell(
            ("bit flipped on read of every pack", At::DiskA, Check),
            faults![on(Op::Read, What::Flip(100), "repository/data")],
            1,
            "異常",
        ),
        cell(
            ("packs cannot be read (EIO)", At::DiskA, Check),
            faults![on(Op::Read, EIO, "repository/data")],
            1,
            "異常",
        ),
        cell(
            ("listing leaves out packs", At::DiskA, Check),
            faults![on(Op::List, What::LeftOut("a"), "repository/data")],
            1,
            "異常",
        ),
        cell(
            ("bit flipped on read of every pack", At::DiskA, Restore),
            faults![on(Op::Read, What::Flip(100), "repository/data")],
            0,
            "保管先「raid」から戻した",
        ),
        cell(
            ("packs cannot be read (EIO)", At::DiskA, Restore),
            faults![on(Op::Read, EIO, "repository/data")],
            0,
            "保管先「raid」から戻した",
        ),
        cell(
            ("reads end after 512 bytes", At::DiskA, Restore),
            faults![on(Op::Read, What::Short(512), "repository/data")],
            0,
            "保管先「raid」から戻した",
        ),
        cell(
            ("disk does not answer (ENODEV)", At::DiskA, Restore),
            Trouble::Gone,
            3,
            "",
        ),
        cell(
            ("pulled: empty mount point", At::DiskA, Restore),
            Trouble::Pulled,
            3,
            "",
        ),
        cell(
            ("write refused (EIO)", At::Scratch, Restore),
            faults![on(Op::Write, EIO, "restored")],
            3,
            "",
        ),
        cell(
            ("disk full half-way", At::Scratch, Restore),
            faults![Fault {
                op: Op::Write,
                at: Where::Below("restored"),
                after: 4,
                times: u32::MAX,
                what: What::Fail(Errno::ENOSPC)
            }],
            3,
            FULL,
        ),
        cell(
            ("too small a disk", At::Scratch, Restore),
            Trouble::Room(50_000),
            3,
            "",
        ),
        cell(
            ("bit flipped on read of every pack", At::DiskA, Drill),
            faults![on(Op::Read, What::Flip(100), "repository/data")],
            1,
            "",
        ),
    ]
}

fn pruning() -> Vec<Cell> {
    use During::Prune;
    let at = |fault| (fault, At::DiskA, Prune);
    const R: &str = "repository";
    vec![
        cell(
            at("write refused (EIO)"),
            faults![on(Op::Write, EIO, R)],
            3,
            FAILED,
        ),
        cell(
            at("removal refused (EIO)"),
            faults![on(Op::Remove, EIO, R)],
            3,
            FAILED,
        ),
        cell(
            at("flush refused (EIO)"),
            faults![on(Op::Flush, EIO, R)],
            3,
            FAILED,
        ),
        cell(at("disk full at the next byte"), Trouble::Room(0), 3, FULL),
        cell(at("read-only remount"), Trouble::ReadOnly, 3, FAILED),
        cell(at("disk does not answer (ENODEV)"), Trouble::Gone, 3, ""),
    ]
}
