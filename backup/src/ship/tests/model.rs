//! An invented SQLite: a database file and its write-ahead log, written as the real one writes them.
//!
//! What the real one does is known from `wal.c`; `tests/recovery` holds the shipper against the real one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::ship::format::hash;

pub(super) const PAGE: usize = 512;
const FRAME: usize = PAGE + 24;

type Pages = BTreeMap<u32, Vec<u8>>;

/// A database for people who compare: what each page says, and the beginning of the hash of its bytes.
pub(super) type State = Vec<String>;

pub(super) fn state_of(bytes: &[u8]) -> State {
    let page = |data: &[u8]| {
        let text = data
            .get(100..)
            .unwrap_or_default()
            .split(|byte| *byte == 0)
            .next();
        let hash = hash(&[data]);
        format!(
            "{} {:02x?}",
            String::from_utf8_lossy(text.unwrap_or_default()),
            &hash[..4]
        )
    };
    bytes.chunks(PAGE).map(page).collect()
}

/// What the database is, and what its two files hold.
#[derive(Debug, Clone)]
pub(super) struct Model {
    database: PathBuf,
    log: PathBuf,
    /// The state after the last transaction.
    pages: Pages,
    size: u32,
    /// Frames of transactions in the log, and how many of them are in the database file.
    frames: u32,
    folded: u32,
    in_log: Vec<(u32, Vec<u8>)>,
    sums: (u32, u32),
    salts: [u32; 2],
    stamp: u32,
}

fn sums((mut a, mut b): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        a = a
            .wrapping_add(u32::from_le_bytes(pair[..4].try_into().unwrap()))
            .wrapping_add(b);
        b = b
            .wrapping_add(u32::from_le_bytes(pair[4..].try_into().unwrap()))
            .wrapping_add(a);
    }
    (a, b)
}

impl Model {
    /// A database of one page in WAL mode, and no log.
    pub(super) fn new(database: &Path) -> Self {
        let mut first = vec![0; PAGE];
        first[..16].copy_from_slice(b"SQLite format 3\0");
        first[16..18].copy_from_slice(&512_u16.to_be_bytes());
        first[18..20].copy_from_slice(&[2, 2]);
        File::create(database).unwrap().write_all(&first).unwrap();
        let log = database.with_file_name("hokatsu.db-wal");
        Self {
            database: database.to_owned(),
            log,
            pages: [(1, first)].into(),
            size: 1,
            frames: 0,
            folded: 0,
            in_log: Vec::new(),
            sums: (0, 0),
            salts: [7, 70],
            stamp: 0,
        }
    }

    /// What the whole database is.
    pub(super) fn state(&self) -> State {
        let all = self.pages.range(..=self.size);
        state_of(&all.flat_map(|(_, data)| data.clone()).collect::<Vec<_>>())
    }

    fn open(&self) -> File {
        let mut options = File::options();
        let options = options.read(true).write(true).create(true).truncate(false);
        options.open(&self.log).unwrap()
    }

    fn fresh(&mut self, page: u32) -> Vec<u8> {
        self.stamp += 1;
        let mut data = self.pages.get(&page).cloned().unwrap_or(vec![0; PAGE]);
        let text = format!("page {page} as of {}", self.stamp);
        data[100..100 + text.len()].copy_from_slice(text.as_bytes());
        data
    }

    /// The log begins anew when all of it is in the database file, as the next writer does it.
    fn begin_anew(&mut self, file: &File) {
        if self.frames == self.folded {
            if file.metadata().unwrap().len() == 0 {
                self.salts = [self.salts[0].wrapping_add(1_000), self.salts[1] ^ 0x55];
            } else {
                self.salts = [self.salts[0] + 1, self.salts[1].wrapping_mul(3) + 1];
            }
            let mut head = Vec::new();
            for word in [0x377f_0682, 3_007_000, 512, 1, self.salts[0], self.salts[1]] {
                head.extend_from_slice(&u32::to_be_bytes(word));
            }
            self.sums = sums((0, 0), &head);
            head.extend_from_slice(&self.sums.0.to_be_bytes());
            head.extend_from_slice(&self.sums.1.to_be_bytes());
            file.write_all_at(&head, 0).unwrap();
            (self.frames, self.folded) = (0, 0);
            self.in_log.clear();
        }
    }

    fn write(&mut self, pages: &[(u32, Vec<u8>)], size: Option<u32>) -> (u32, (u32, u32)) {
        let file = self.open();
        self.begin_anew(&file);
        let (mut at, mut running) = (self.frames, self.sums);
        for (index, (page, data)) in pages.iter().enumerate() {
            let last = index + 1 == pages.len();
            let mut head = Vec::new();
            head.extend_from_slice(&page.to_be_bytes());
            head.extend_from_slice(&size.filter(|_| last).unwrap_or(0).to_be_bytes());
            running = sums(sums(running, &head), data);
            for word in [self.salts[0], self.salts[1], running.0, running.1] {
                head.extend_from_slice(&word.to_be_bytes());
            }
            head.extend_from_slice(data);
            file.write_all_at(&head, 32 + u64::from(at) * FRAME as u64)
                .unwrap();
            at += 1;
        }
        (at, running)
    }

    /// A transaction over these pages, after which the database has `size` pages.
    pub(super) fn commit(&mut self, touched: &[u32], size: u32) {
        let mut wanted: Vec<u32> = touched.iter().map(|page| page % size + 1).collect();
        wanted.extend(self.size + 1..=size);
        wanted.sort_unstable();
        wanted.dedup();
        let written: Vec<_> = wanted
            .iter()
            .map(|page| (*page, self.fresh(*page)))
            .collect();
        (self.frames, self.sums) = self.write(&written, Some(size));
        self.size = size;
        self.pages.retain(|page, _| *page <= size);
        self.pages.extend(written.iter().cloned());
        self.in_log.extend(written);
    }

    /// A transaction that was written out in part and given up.
    pub(super) fn give_up(&mut self, touched: &[u32]) {
        let written: Vec<_> = touched
            .iter()
            .map(|page| (page % 9 + 1, vec![0xee; PAGE]))
            .collect();
        self.write(&written, None);
    }

    /// Brings frames into the database file.
    pub(super) fn fold(&mut self) {
        let mut options = File::options();
        let file = options.write(true).open(&self.database).unwrap();
        for (page, data) in &self.in_log {
            let at = u64::from(page - 1) * PAGE as u64;
            file.write_all_at(data, at).unwrap();
        }
        file.set_len(u64::from(self.size) * PAGE as u64).unwrap();
        self.folded = self.frames;
    }

    /// The last user leaves: everything folded, the log gone.
    pub(super) fn close(&mut self) {
        self.fold();
        (self.frames, self.folded) = (0, 0);
        self.in_log.clear();
        match fs::remove_file(&self.log) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
            _ => {}
        }
    }

    /// Both files and the state, to be set back to.
    pub(super) fn keep(&self) -> (Self, Vec<u8>, Option<Vec<u8>>) {
        let log = fs::read(&self.log).ok();
        (self.clone(), fs::read(&self.database).unwrap(), log)
    }

    /// As a machine whose disk was set back.
    pub(super) fn set_back((model, database, log): (Self, Vec<u8>, Option<Vec<u8>>)) -> Self {
        let put = |path: &Path, bytes: &[u8]| {
            let mut options = File::options();
            let file = options.write(true).create(true).truncate(true).open(path);
            file.unwrap().write_all(bytes).unwrap();
        };
        put(&model.database, &database);
        match log {
            Some(bytes) => put(&model.log, &bytes),
            None => drop(fs::remove_file(&model.log)),
        }
        model
    }
}
