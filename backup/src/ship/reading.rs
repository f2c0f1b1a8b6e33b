//! The log on the second disk, read: which generations there are, and every record that is proven.
//!
//! Shape: a generation is a directory of segments. [`walk`] gives its records in order, each only after
//! its hash was found to go on from the one before, and says where that ends and why.
//! Invariant: the next segment's head says from which hash it goes on. What stands behind that point in
//! the segment before was never acknowledged (a torn tail), and is passed over.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::ShipError;
use super::format::{
    HASH_BYTES, HEAD_BYTES, Hash, Head, HeadProblem, Holds, RECORD_HEAD_BYTES, RecordHead,
    RecordKind, hash,
};
use super::wal::Position;

const GENERATION: &str = "generation-";
const SEGMENT: &str = ".segment";
const READ_BYTES: usize = 256 * 1024;

/// A transaction's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) commit: u64,
    pub(super) at: Timestamp,
    pub(super) db_pages: u32,
    pub(super) end: Position,
    /// The hash of its record.
    pub(super) chain: Hash,
}

/// Where the proven part of a generation ends before the generation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file in which it is.
    pub file: PathBuf,
    /// Bytes from its beginning.
    pub offset: u64,
    /// The first transaction that cannot be rebuilt.
    pub first: u64,
    /// The last of them that is known; none when it is the end of the log, which may just be cut short.
    pub last: Option<u64>,
}

/// A generation, as far as it is proven.
#[derive(Debug, Clone)]
pub(super) struct Walked {
    pub(super) first: Head,
    pub(super) last: Option<Point>,
    pub(super) damage: Option<Damage>,
}

/// A segment whose head is whole.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) head: Head,
    /// What its first record goes on from.
    pub(super) start: Hash,
}

pub(super) fn generation_dir(place: &Path, generation: u32) -> PathBuf {
    place.join(format!("{GENERATION}{generation:06}"))
}

pub(super) fn segment_path(dir: &Path, segment: u32) -> PathBuf {
    dir.join(format!("{segment:06}{SEGMENT}"))
}

/// The numbers of the generations at a place, oldest first.
pub(super) fn generations(place: &Path) -> Result<Vec<u32>, ShipError> {
    numbered(place, |name| name.strip_prefix(GENERATION))
}

fn numbered(dir: &Path, digits: impl Fn(&str) -> Option<&str>) -> Result<Vec<u32>, ShipError> {
    let at = |error| ShipError::io("list", dir, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(at)? {
        let name = entry.map_err(at)?.file_name();
        let number = name
            .to_str()
            .and_then(&digits)
            .and_then(|d| d.parse::<u32>().ok());
        found.extend(number);
    }
    found.sort_unstable();
    Ok(found)
}

/// Bytes of a generation's segments.
pub(super) fn bytes_of(dir: &Path) -> Result<u64, ShipError> {
    let at = |error| ShipError::io("list", dir, error);
    let mut bytes = 0_u64;
    for entry in fs::read_dir(dir).map_err(at)? {
        let length = entry.and_then(|entry| entry.metadata()).map_err(at)?.len();
        bytes = bytes.saturating_add(length);
    }
    Ok(bytes)
}

/// The numbers of the segments of a generation, in order.
pub(super) fn segment_numbers(dir: &Path) -> Result<Vec<u32>, ShipError> {
    numbered(dir, |name| name.strip_suffix(SEGMENT))
}

/// The segments of a generation: whole heads, and the files whose head is not.
pub(super) fn segments(dir: &Path) -> Result<Vec<Result<Segment, PathBuf>>, ShipError> {
    let mut found = Vec::new();
    for number in segment_numbers(dir)? {
        let path = segment_path(dir, number);
        let file = File::open(&path).map_err(|e| ShipError::io("open", &path, e))?;
        let mut bytes = Vec::new();
        let most = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
        let read = file.take(most).read_to_end(&mut bytes);
        read.map_err(|e| ShipError::io("read", &path, e))?;
        found.push(match Head::decode(&bytes) {
            Ok((head, start)) if head.segment == number => Ok(Segment { path, head, start }),
            Ok(_) | Err(HeadProblem::Bent) => Err(path),
            Err(HeadProblem::Later) => return Err(ShipError::Later(path)),
        });
    }
    Ok(found)
}

/// Gives every proven record of a generation, in order and each with its hash, until `visit` breaks off.
pub(super) fn walk(
    dir: &Path,
    database: &Hash,
    mut visit: impl FnMut(&RecordHead, &[u8], &Hash) -> Result<ControlFlow<()>, ShipError>,
) -> Result<Option<Walked>, ShipError> {
    let all = segments(dir)?;
    let mut whole = Vec::new();
    let mut bent = None;
    for (index, segment) in all.iter().enumerate() {
        match segment {
            Ok(segment) => whole.push((index, segment)),
            Err(path) if bent.is_none() => bent = Some((index, path)),
            Err(_) => {}
        }
    }
    let Some((_, opening)) = whole.first() else {
        return Ok(None);
    };
    let first = opening.head;
    // The opening segment goes on from nothing; anything else lost its beginning.
    let mut chain = [0; HASH_BYTES];
    let mut last: Option<Point> = None;
    let mut damage = None;
    let fits = |head: &Head| {
        head.database == *database
            && head.generation == first.generation
            && head.page_bytes == first.page_bytes
    };
    for (place, (_, segment)) in whole.iter().enumerate() {
        let next = whole.get(place + 1).map(|(_, next)| next.head);
        let after = last.map_or(first.after, |point| point.commit);
        if segment.head.chain != chain || !fits(&segment.head) {
            let file = bent.map_or(&segment.path, |(_, path)| path).clone();
            damage = Some(Damage {
                file,
                offset: 0,
                first: after + 1,
                last: last_known(
                    &whole.iter().map(|(_, s)| s.head).collect::<Vec<_>>(),
                    after,
                ),
            });
            break;
        }
        // The next goes on from where this one began: nothing in it was acknowledged.
        if next.is_some_and(|next| next.chain == segment.head.chain) {
            continue;
        }
        let mut records = Records::open(segment)?;
        while next.is_none_or(|next| next.chain != records.chain) {
            match records.next()? {
                Found::Record(head, body) => {
                    if let RecordKind::Commit { at, db_pages, end } = head.kind {
                        last = Some(Point {
                            commit: head.commit,
                            at,
                            db_pages,
                            end,
                            chain: records.chain,
                        });
                    }
                    if visit(&head, &body, &records.chain)?.is_break() {
                        return Ok(Some(Walked {
                            first,
                            last,
                            damage,
                        }));
                    }
                }
                Found::End if next.is_none() => break,
                Found::End | Found::Bent => {
                    let after = last.map_or(first.after, |point| point.commit);
                    let heads: Vec<Head> = whole.iter().map(|(_, s)| s.head).collect();
                    damage = Some(Damage {
                        file: segment.path.clone(),
                        offset: records.offset,
                        first: after + 1,
                        last: last_known(&heads, after),
                    });
                    break;
                }
            }
        }
        if damage.is_some() {
            break;
        }
        chain = records.chain;
    }
    // A bent head behind everything: made and not written whole, or bent later. Named either way.
    if let (None, Some((index, path))) = (&damage, bent)
        && whole.last().is_none_or(|(last, _)| *last < index)
    {
        damage = Some(Damage {
            file: path.clone(),
            offset: 0,
            first: last.map_or(first.after, |point| point.commit) + 1,
            last: None,
        });
    }
    Ok(Some(Walked {
        first,
        last,
        damage,
    }))
}

/// The newest transaction that the heads know of, when it is one that is lost.
fn last_known(heads: &[Head], after: u64) -> Option<u64> {
    let newest = heads.iter().map(|head| head.after).max()?;
    (newest > after).then_some(newest)
}

/// What the newest generation ends with, by its last segments alone.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    pub(super) generation: u32,
    /// The number of the last file.
    pub(super) segment: u32,
    /// That file has a head and nothing else, and was to go on from here.
    pub(super) is_bare: bool,
    pub(super) page_bytes: u32,
    pub(super) began_at: Timestamp,
    pub(super) commit: u64,
    pub(super) at: Timestamp,
    pub(super) position: Position,
    pub(super) chain: Hash,
    pub(super) bytes: u64,
}

/// How a generation ends.
#[derive(Debug, Clone)]
pub(super) enum Ending {
    /// It can go on from here.
    Open(Box<Tail>),
    /// Its base was never finished: it holds no state of the database.
    Unfinished,
    /// It cannot be gone on with: damaged, or of another database. A later one must begin.
    Closed { newest: u64 },
}

pub(super) fn ending(dir: &Path, database: &Hash) -> Result<Ending, ShipError> {
    let all = segments(dir)?;
    let files = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let whole: Vec<&Segment> = all.iter().filter_map(|found| found.as_ref().ok()).collect();
    let bases = whole.iter().filter(|s| s.head.holds == Holds::Base).count();
    let (Some(first), Some(last)) = (whole.first(), whole.last()) else {
        return Ok(Ending::Unfinished);
    };
    let mut records = Records::open(last)?;
    let length = fs::metadata(&last.path).map_err(|e| ShipError::io("look at", &last.path, e))?;
    let length = length.len();
    let mut point = None;
    while let Found::Record(head, _) = records.next()? {
        if let RecordKind::Commit { at, db_pages, end } = head.kind {
            let (commit, chain) = (head.commit, records.chain);
            point = Some(Point {
                commit,
                at,
                db_pages,
                end,
                chain,
            });
        }
    }
    let newest = point.map_or(last.head.after, |point| point.commit);
    if last.head.database != *database {
        return Ok(Ending::Closed { newest });
    }
    // The first segment of transactions begins with what completes the base.
    let complete = point.is_some() || whole.len() > bases + 1;
    if !complete {
        return Ok(Ending::Unfinished);
    }
    let (at, position, chain) = match point {
        Some(point) => (point.at, point.end, point.chain),
        None => (last.head.made_at, last.head.position, last.head.chain),
    };
    Ok(Ending::Open(Box::new(Tail {
        generation: last.head.generation,
        segment: files.max(last.head.segment),
        is_bare: files <= last.head.segment && length == u64::try_from(HEAD_BYTES).unwrap_or(0),
        page_bytes: last.head.page_bytes,
        began_at: first.head.made_at,
        commit: newest,
        at,
        position,
        chain,
        bytes: bytes_of(dir)?,
    })))
}

/// One thing that stands in a segment.
enum Found {
    Record(RecordHead, Vec<u8>),
    /// The file ends at the end of a record.
    End,
    /// No record that goes on from the one before.
    Bent,
}

struct Records {
    file: BufReader<File>,
    path: PathBuf,
    chain: Hash,
    offset: u64,
}

impl Records {
    fn open(segment: &Segment) -> Result<Self, ShipError> {
        let at = |error| ShipError::io("read", &segment.path, error);
        let mut file = BufReader::with_capacity(READ_BYTES, File::open(&segment.path).map_err(at)?);
        let mut head = [0; HEAD_BYTES];
        file.read_exact(&mut head).map_err(at)?;
        Ok(Self {
            file,
            path: segment.path.clone(),
            chain: segment.start,
            offset: u64::try_from(HEAD_BYTES).unwrap_or_default(),
        })
    }

    fn next(&mut self) -> Result<Found, ShipError> {
        let mut bytes = [0; RECORD_HEAD_BYTES];
        let read = self.fill(&mut bytes)?;
        if read == 0 {
            return Ok(Found::End);
        }
        let Some(head) = RecordHead::decode(&bytes).filter(|_| read == bytes.len()) else {
            return Ok(Found::Bent);
        };
        let mut body = vec![0; head.body_bytes];
        let mut kept = [0; HASH_BYTES];
        let whole = self.fill(&mut body)? == body.len() && self.fill(&mut kept)? == kept.len();
        let found = hash(&[&self.chain, &bytes, &body]);
        if !whole || found != kept {
            return Ok(Found::Bent);
        }
        self.chain = found;
        let length = RECORD_HEAD_BYTES + body.len() + HASH_BYTES;
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        self.offset = self.offset.saturating_add(length);
        Ok(Found::Record(head, body))
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize, ShipError> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.file.read(rest) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ShipError::io("read", &self.path, error)),
            }
        }
        Ok(done)
    }
}
