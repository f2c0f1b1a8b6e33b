//! The log on the second disk, byte by byte: segments of records, each hashed together with everything
//! before it.
//!
//! Shape: a segment is a head of [`HEAD_BYTES`] and records. A record is a head of [`RECORD_HEAD_BYTES`],
//! pages (number, then bytes), and the SHA-256 of the hash before it, its head and its pages. A
//! transaction is any number of *parts* and one *commit*, which says what the database then is.
//! Invariant: every byte is under a hash that goes on from the one before; a bent, missing, foreign or
//! exchanged one ends the chain there. All numbers are big-endian.
//! Limits: [`BODY_BYTES_MAX`] a record. Format 1; a reader refuses a later one and says so.

use jiff::Timestamp;
use ring::digest::{Context, SHA256};

use super::wal::{Position, word};

pub(super) const HEAD_BYTES: usize = 192;
pub(super) const RECORD_HEAD_BYTES: usize = 64;
pub(super) const HASH_BYTES: usize = 32;
/// Pages of a record, bytes: large enough to copy a database fast, small enough to hold in memory.
pub(super) const BODY_BYTES_MAX: usize = 1024 * 1024 + 4 * 65_536;
const PAGES_BYTES: usize = 1024 * 1024;
const MAGIC: &[u8; 8] = b"HKTSHIP\n";
const RECORD_MAGIC: u32 = 0x484b_5243;
const FORMAT: u32 = 1;

/// A SHA-256.
pub(super) type Hash = [u8; HASH_BYTES];

/// What a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// The database file as it was when the generation began.
    Base,
    /// Transactions.
    Commits,
}

/// The beginning of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) holds: Holds,
    pub(super) page_bytes: u32,
    pub(super) generation: u32,
    /// Counted from 1 within its generation.
    pub(super) segment: u32,
    /// Which database this is of, and which disk it was written to.
    pub(super) database: Hash,
    pub(super) disk: [u8; 16],
    pub(super) made_at: Timestamp,
    /// Number of the last transaction before it, on the whole disk; 0 before the first.
    pub(super) after: u64,
    /// Where that ended in SQLite's log.
    pub(super) position: Position,
    /// The hash that this segment goes on from.
    pub(super) chain: Hash,
}

/// Why a head was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeadProblem {
    /// Cut short, bent, or no segment at all.
    Bent,
    /// Written by a later version.
    Later,
}

/// What a record says beside its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordKind {
    /// Pages of a transaction that is not over.
    Part,
    /// The end of a transaction.
    Commit {
        at: Timestamp,
        db_pages: u32,
        end: Position,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordHead {
    pub(super) kind: RecordKind,
    /// The transaction it belongs to.
    pub(super) commit: u64,
    pub(super) body_bytes: usize,
}

/// Pages that one record takes.
pub(super) fn pages_per_record(page_bytes: u32) -> usize {
    let page = usize::try_from(page_bytes).unwrap_or(usize::MAX);
    (PAGES_BYTES / page.max(1)).max(1)
}

/// SHA-256 over these pieces.
pub(super) fn hash(pieces: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for piece in pieces {
        context.update(piece);
    }
    let mut hash = [0; HASH_BYTES];
    for (to, from) in hash.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    hash
}

impl Head {
    /// The bytes of the head, and the hash that its first record goes on from.
    pub(super) fn encode(&self) -> (Vec<u8>, Hash) {
        let mut bytes = Vec::with_capacity(HEAD_BYTES);
        bytes.extend_from_slice(MAGIC);
        put(
            &mut bytes,
            &[FORMAT, self.page_bytes, self.generation, self.segment],
        );
        let holds = match self.holds {
            Holds::Base => 1,
            Holds::Commits => 2,
        };
        put(&mut bytes, &[holds, 0]);
        bytes.extend_from_slice(&self.database);
        bytes.extend_from_slice(&self.disk);
        bytes.extend_from_slice(&self.made_at.as_microsecond().to_be_bytes());
        bytes.extend_from_slice(&self.after.to_be_bytes());
        put_position(&mut bytes, &self.position);
        bytes.extend_from_slice(&self.chain);
        bytes.resize(HEAD_BYTES - HASH_BYTES, 0);
        let hash = hash(&[&bytes]);
        bytes.extend_from_slice(&hash);
        (bytes, hash)
    }

    /// Reads a head; with the hash that its first record goes on from.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, Hash), HeadProblem> {
        let (covered, kept) = bytes
            .get(..HEAD_BYTES)
            .and_then(|head| head.split_last_chunk::<HASH_BYTES>())
            .ok_or(HeadProblem::Bent)?;
        if hash(&[covered]) != *kept || !covered.starts_with(MAGIC) {
            return Err(HeadProblem::Bent);
        }
        if word(covered, 8).is_some_and(|format| format > FORMAT) {
            return Err(HeadProblem::Later);
        }
        let head = Self::fields(covered).ok_or(HeadProblem::Bent)?;
        Ok((head, *kept))
    }

    fn fields(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            page_bytes: word(bytes, 12)?,
            generation: word(bytes, 16)?,
            segment: word(bytes, 20)?,
            holds: match word(bytes, 24)? {
                1 => Holds::Base,
                2 => Holds::Commits,
                _ => return None,
            },
            database: *bytes.get(32..)?.first_chunk()?,
            disk: *bytes.get(64..)?.first_chunk()?,
            made_at: moment(bytes, 80)?,
            after: long(bytes, 88)?,
            position: position(bytes, 96)?,
            chain: *bytes.get(116..)?.first_chunk()?,
        })
    }
}

impl RecordHead {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(RECORD_HEAD_BYTES);
        let length = u32::try_from(self.body_bytes).unwrap_or(u32::MAX);
        let kind = match self.kind {
            RecordKind::Part => 1,
            RecordKind::Commit { .. } => 2,
        };
        put(&mut bytes, &[RECORD_MAGIC, kind, length, 0]);
        bytes.extend_from_slice(&self.commit.to_be_bytes());
        if let RecordKind::Commit { at, db_pages, end } = &self.kind {
            bytes.extend_from_slice(&at.as_microsecond().to_be_bytes());
            put(&mut bytes, &[*db_pages]);
            put_position(&mut bytes, end);
        }
        bytes.resize(RECORD_HEAD_BYTES, 0);
        bytes
    }

    /// Nothing when these bytes are no head of a record.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        if word(bytes, 0)? != RECORD_MAGIC {
            return None;
        }
        let kind = match word(bytes, 4)? {
            1 => RecordKind::Part,
            2 => RecordKind::Commit {
                at: moment(bytes, 24)?,
                db_pages: word(bytes, 32)?,
                end: position(bytes, 36)?,
            },
            _ => return None,
        };
        let body_bytes = usize::try_from(word(bytes, 8)?).ok()?;
        (body_bytes <= BODY_BYTES_MAX).then_some(Self {
            kind,
            commit: long(bytes, 16)?,
            body_bytes,
        })
    }
}

/// Adds a page to a record's pages.
pub(super) fn put_page(body: &mut Vec<u8>, page: u32, data: &[u8]) {
    body.extend_from_slice(&page.to_be_bytes());
    body.extend_from_slice(data);
}

/// The pages of a record; nothing when their lengths do not come out even.
pub(super) fn pages(body: &[u8], page_bytes: u32) -> Option<impl Iterator<Item = (u32, &[u8])>> {
    let one = usize::try_from(page_bytes).ok()?.checked_add(4)?;
    let chunks = body.chunks_exact(one);
    let even = chunks.remainder().is_empty();
    even.then(|| chunks.filter_map(|chunk| Some((word(chunk, 0)?, chunk.get(4..)?))))
}

fn put(bytes: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
}

fn put_position(bytes: &mut Vec<u8>, position: &Position) {
    bytes.extend_from_slice(&position.salts);
    put(bytes, &[position.frames, position.sums.0, position.sums.1]);
}

fn position(bytes: &[u8], at: usize) -> Option<Position> {
    Some(Position {
        salts: *bytes.get(at..)?.first_chunk()?,
        frames: word(bytes, at + 8)?,
        sums: (word(bytes, at + 12)?, word(bytes, at + 16)?),
    })
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn moment(bytes: &[u8], at: usize) -> Option<Timestamp> {
    let micros = i64::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    Timestamp::from_microsecond(micros).ok()
}
