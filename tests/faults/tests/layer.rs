//! The disk that fails when told: what it does with each fault, and what a power cut leaves.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use faults::{Dice, Disk, Errno, Fault, Op, What, Where};
use tempfile::TempDir;

struct Room {
    disk: Disk,
    _dir: TempDir,
}

impl Room {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let disk = Disk::mount(&dir.path().join("disk"));
        Self { disk, _dir: dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.disk.path().join(name)
    }

    /// Written, flushed or not; its directory is not.
    fn put(&self, name: &str, bytes: &[u8], flushed: bool) {
        let mut file = File::create(self.path(name)).unwrap();
        file.write_all(bytes).unwrap();
        if flushed {
            file.sync_all().unwrap();
        }
    }

    fn flush_names(&self) {
        File::open(self.disk.path()).unwrap().sync_all().unwrap();
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.path(name))
    }
}

fn code<T>(result: io::Result<T>) -> i32 {
    result.err().unwrap().raw_os_error().unwrap()
}

fn number(errno: Errno) -> i32 {
    errno.into()
}

#[test]
fn files_directories_names_and_links_are_those_of_any_disk() {
    let room = Room::new();
    fs::create_dir_all(room.path("a/b")).unwrap();
    room.put("a/b/one", b"one", false);
    fs::hard_link(room.path("a/b/one"), room.path("two")).unwrap();
    fs::rename(room.path("a/b/one"), room.path("a/three")).unwrap();
    let mut file = OpenOptions::new()
        .append(true)
        .open(room.path("two"))
        .unwrap();
    file.write_all(b" and more").unwrap();
    assert_eq!(room.read("a/three").unwrap(), b"one and more");
    file.set_len(2).unwrap();
    assert_eq!(room.read("a/three").unwrap(), b"on");
    assert_eq!(
        code(fs::remove_dir(room.path("a"))),
        number(Errno::ENOTEMPTY)
    );
    fs::remove_file(room.path("two")).unwrap();
    let mut names: Vec<_> = fs::read_dir(room.path("a"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["b", "three"]);
    // Names are bytes.
    let odd = room
        .disk
        .path()
        .join(std::ffi::OsStr::from_bytes(b"\xff\xfe"));
    File::create(&odd).unwrap();
    assert!(odd.exists());
}

#[test]
fn a_power_cut_leaves_what_was_flushed_and_nothing_else() {
    let mut room = Room::new();
    room.put("kept", b"first", true);
    room.put("nameless", b"flushed, but nobody knows its name", true);
    fs::remove_file(room.path("nameless")).unwrap();
    room.put("empty", b"not flushed", false);
    room.flush_names();
    room.put("late", b"its name came later", true);
    let mut file = OpenOptions::new()
        .write(true)
        .open(room.path("kept"))
        .unwrap();
    file.write_all(b"other").unwrap();
    drop(file);
    fs::rename(room.path("empty"), room.path("moved")).unwrap();
    let lost = room.disk.power_cut(None);
    assert_eq!(room.read("kept").unwrap(), b"first");
    assert_eq!(room.read("empty").unwrap(), b"");
    assert_eq!(code(room.read("moved")), number(Errno::ENOENT));
    assert_eq!(code(room.read("late")), number(Errno::ENOENT));
    assert!(lost.bytes >= 5 && lost.names >= 2, "{lost:?}");
    let again = room.disk.power_cut(None);
    assert_eq!((again.bytes, again.names), (0, 0));
}

#[test]
fn by_chance_any_block_that_was_not_flushed_may_be_there_and_no_flushed_one_is_lost() {
    let mut some = 0;
    for seed in 0..40 {
        let mut room = Room::new();
        room.put("file", &[1; 4_096], true);
        room.flush_names();
        let mut file = OpenOptions::new()
            .write(true)
            .open(room.path("file"))
            .unwrap();
        file.seek(SeekFrom::Start(1_024)).unwrap();
        file.write_all(&[2; 2_048]).unwrap();
        drop(file);
        room.disk.power_cut(Some((&mut Dice::of(seed), 512)));
        let bytes = room.read("file").unwrap();
        let blocks: Vec<u8> = bytes.chunks(512).map(|block| block[0]).collect();
        assert!(
            bytes
                .chunks(512)
                .all(|block| block.iter().all(|byte| *byte == block[0]))
        );
        assert_eq!((&blocks[..2], &blocks[6..]), (&[1, 1][..], &[1, 1][..]));
        let new = blocks[2..6].iter().filter(|block| **block == 2).count();
        some += usize::from(new > 0 && new < 4);
    }
    assert!(some > 10, "writes are torn in {some} of 40 cuts");
}

#[test]
fn a_flush_that_lies_keeps_nothing() {
    let mut room = Room::new();
    room.put("file", b"first", true);
    room.flush_names();
    room.disk.set(&[Fault::always(Op::Flush, What::Lie)]);
    room.put("file", b"second", true);
    room.disk.power_cut(None);
    assert_eq!(room.read("file").unwrap(), b"first");
}

#[test]
fn each_fault_is_met_by_its_operation_at_its_place_and_its_time() {
    let room = Room::new();
    room.put("a.pack", &[0; 100], false);
    room.put("b.other", &[0; 100], false);
    let fail = |op| Fault::always(op, What::Fail(Errno::EIO)).at(Where::Ending(".pack"));
    let eio = number(Errno::EIO);
    let (pack, other) = (room.path("a.pack"), room.path("b.other"));
    room.disk.set(&[fail(Op::Open)]);
    assert_eq!(code(File::open(&pack)), eio);
    File::open(&other).unwrap();
    let open = |path: &Path| {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .unwrap()
    };
    room.disk
        .set(&[fail(Op::Read), fail(Op::Write), fail(Op::Flush)]);
    let mut file = open(&pack);
    assert_eq!(code(file.read(&mut [0; 1])), eio);
    assert_eq!(code(file.write(&[0; 1])), eio);
    assert_eq!(code(file.sync_all()), eio);
    drop(file);
    room.disk.set(&[
        fail(Op::Rename),
        fail(Op::Remove),
        fail(Op::Make),
        fail(Op::Look),
    ]);
    assert_eq!(code(fs::remove_file(&pack)), eio);
    assert_eq!(code(fs::metadata(&pack)), eio);
    assert_eq!(code(fs::rename(&other, room.path("c.pack"))), eio);
    assert!(room.disk.hits() >= 6);
    // The second of its kind, and only that.
    room.disk
        .set(&[Fault::always(Op::Write, What::Fail(Errno::EIO)).once_after(1)]);
    let mut file = open(&pack);
    let done = [(); 3].map(|()| file.write(&[0; 1]).is_ok());
    assert_eq!(done, [true, false, true]);
    room.disk.mend();
    open(&pack).sync_all().unwrap();
}

#[test]
fn bytes_are_cut_short_torn_flipped_and_hidden() {
    let room = Room::new();
    room.put("file", &[0; 10_000], false);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(room.path("file"))
        .unwrap();
    room.disk.set(&[Fault::always(Op::Write, What::Short(512))]);
    assert_eq!(file.write(&[7; 4_096]).unwrap(), 512);
    room.disk.set(&[Fault::always(Op::Write, What::Torn(512))]);
    assert_eq!(code(file.write(&[8; 4_096])), number(Errno::EIO));
    room.disk.set(&[Fault::always(Op::Read, What::Flip(9_000))]);
    let bytes = room.read("file").unwrap();
    assert_eq!(
        (bytes[511], bytes[512], bytes[1_023], bytes[1_024]),
        (7, 8, 8, 0)
    );
    assert_eq!((bytes[8_999], bytes[9_000]), (0, 1));
    room.disk.set(&[Fault::always(Op::Read, What::Shrunk)]);
    assert_eq!(room.read("file").unwrap().len(), 5_000);
    room.disk
        .set(&[Fault::always(Op::List, What::LeftOut("fi"))]);
    assert_eq!(fs::read_dir(room.disk.path()).unwrap().count(), 0);
    room.disk.mend();
    let told = || fs::metadata(room.path("file")).unwrap().modified().unwrap();
    let before = told();
    room.disk
        .set(&[Fault::always(Op::Look, What::Later(3_600))]);
    assert_eq!(
        told().duration_since(before).unwrap(),
        Duration::from_secs(3_600)
    );
    room.disk.mend();
    assert_eq!(room.read("file").unwrap()[9_000], 0);
}

#[test]
fn a_disk_fills_up_turns_read_only_vanishes_and_comes_back() {
    let mut room = Room::new();
    room.put("file", b"there", true);
    room.flush_names();
    room.disk.room(Some(1_000));
    let mut file = File::create(room.path("large")).unwrap();
    assert_eq!(file.write(&[0; 4_000]).unwrap(), 1_000);
    assert_eq!(code(file.write(&[0; 1])), number(Errno::ENOSPC));
    room.disk.room(None);
    room.disk.read_only(true);
    let erofs = number(Errno::EROFS);
    assert_eq!(code(File::create(room.path("new"))), erofs);
    assert_eq!(code(fs::remove_file(room.path("file"))), erofs);
    assert_eq!(
        code(OpenOptions::new().write(true).open(room.path("file"))),
        erofs
    );
    assert_eq!(room.read("file").unwrap(), b"there");
    room.disk.read_only(false);
    let enodev = number(Errno::ENODEV);
    room.disk.gone(true);
    assert_eq!(code(room.read("file")), enodev);
    room.disk.gone(false);
    let mut open = File::open(room.path("file")).unwrap();
    room.disk.pull();
    assert_eq!(fs::read_dir(room.disk.path()).unwrap().count(), 0);
    room.disk.plug();
    assert_eq!(room.read("file").unwrap(), b"there");
    assert_eq!(
        code(open.read(&mut [0; 1])),
        enodev,
        "what was open then stays dead"
    );
}

#[test]
fn what_hangs_goes_on_when_it_is_mended_and_what_is_slow_is_done_later() {
    const SLOW: Duration = Duration::from_millis(60);
    let room = Room::new();
    room.put("file", b"there", false);
    room.disk.set(&[Fault::always(Op::Read, What::Slow(SLOW))]);
    let begun = Instant::now();
    room.read("file").unwrap();
    assert!(begun.elapsed() >= SLOW);
    room.disk
        .set(&[Fault::always(Op::Read, What::Hang(Duration::from_secs(60)))]);
    let path = room.path("file");
    let reading = std::thread::spawn(move || fs::read(path));
    while room.disk.hits() < 2 {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    // Others are served meanwhile.
    room.put("other", b"", true);
    assert!(!reading.is_finished());
    room.disk.mend();
    assert_eq!(reading.join().unwrap().unwrap(), b"there");
}
