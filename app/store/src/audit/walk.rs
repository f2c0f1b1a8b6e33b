//! One section of the chain, row by row.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _};

use crate::audit::chain::{EntryRow, GENESIS, Hash, hash_row};
use crate::audit::seal::Head;
use crate::audit::verify::{Finding, Mark};
use crate::error::StoreError;

/// Positions of one section: a second of work, so that threads end together.
const SECTION: i64 = 250_000;
/// How far ahead a row is looked for that belongs here.
const LOOK_AHEAD: i64 = 64;

/// Entries of one file that follow a known hash.
#[derive(Debug)]
pub(crate) struct Section {
    pub(crate) file: PathBuf,
    /// The entry before the first.
    pub(crate) after: i64,
    pub(crate) before: Hash,
    /// The last one.
    pub(crate) last: i64,
}

const NEAREST: &str =
    "select id, hash from audit_entries where id <= ?1 and id > ?2 order by id desc limit 1";

/// Cuts a chain into sections. They end at entries that are there, so that a gap lies inside one.
pub(crate) fn cut_up(
    connection: &Connection,
    file: &Path,
    begins: Head,
    last: i64,
) -> Result<Vec<Section>, StoreError> {
    let mut nearest = connection.prepare(NEAREST)?;
    let (mut sections, mut at) = (Vec::new(), begins);
    while at.entries < last {
        let mut reach = SECTION;
        let end = loop {
            let wanted = at.entries.saturating_add(reach).min(last);
            let found = nearest
                .query_row([wanted, at.entries], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
                })
                .optional()?;
            match found {
                Some(found) => break found,
                // Everything up to there is missing: the section reaches over the hole.
                None if wanted < last => reach = reach.saturating_mul(2),
                None => return Ok(sections),
            }
        };
        sections.push(Section {
            file: file.to_path_buf(),
            after: at.entries,
            before: at.hash,
            last: end.0,
        });
        at = Head {
            entries: end.0,
            hash: end.1.try_into().unwrap_or(GENESIS),
        };
    }
    Ok(sections)
}

const ROWS: &str = "select * from audit_entries where id > ?1 and id <= ?2 order by id";

/// Judges every entry of a section by the hash stored before it.
pub(crate) fn walk(
    connection: &Connection,
    section: &Section,
    marks: &[Mark],
) -> Result<Vec<Finding>, StoreError> {
    let from = marks.partition_point(|mark| mark.head.entries <= section.after);
    let mut walk = Walk {
        connection,
        before: section.before,
        next_id: section.after + 1,
        marks: marks.get(from..).unwrap_or_default(),
        findings: Vec::new(),
    };
    let mut statement = connection.prepare(ROWS)?;
    let mut rows = statement.query([section.after, section.last])?;
    let mut buffer = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let stored = row.get_ref(12)?.as_blob().unwrap_or_default();
        let fits = hash_row(row, &walk.before, &mut buffer)? == stored;
        walk.entry(id, fits)?;
        // Whatever was wrong, what follows is judged by what stands there.
        walk.before = stored.try_into().unwrap_or(GENESIS);
        walk.next_id = id + 1;
        walk.compare(id);
    }
    Ok(walk.findings)
}

struct Walk<'w> {
    connection: &'w Connection,
    before: Hash,
    next_id: i64,
    /// What is still to be compared, by position.
    marks: &'w [Mark],
    findings: Vec<Finding>,
}

impl Walk<'_> {
    fn entry(&mut self, id: i64, fits: bool) -> Result<(), StoreError> {
        if id > self.next_id {
            let (from, to) = (self.next_id, id - 1);
            self.findings.push(Finding::Missing { from, to });
        } else if !fits && !self.was_swapped(id) {
            let finding = match self.belongs_here(id)? {
                Some(with) => Finding::Swapped { id, with },
                None => Finding::Changed { id },
            };
            self.findings.push(finding);
        }
        Ok(())
    }

    /// The entry close behind `id` that would fit in its place.
    fn belongs_here(&self, id: i64) -> Result<Option<i64>, StoreError> {
        let mut statement = self.connection.prepare_cached(ROWS)?;
        let ahead = statement.query_map([id, id.saturating_add(LOOK_AHEAD)], EntryRow::read)?;
        for entry in ahead {
            let (entry, hash) = entry?;
            if entry.hash(&self.before) == hash[..] {
                return Ok(Some(entry.id));
            }
        }
        Ok(None)
    }

    /// The other half of a swap that was already named: rows between do not fit either.
    fn was_swapped(&self, at: i64) -> bool {
        self.findings.iter().any(|finding| {
            matches!(finding, Finding::Swapped { id, with } if (*id..=*with + 1).contains(&at))
        })
    }

    fn compare(&mut self, id: i64) {
        while let Some((mark, rest)) = self.marks.split_first() {
            if mark.head.entries > id {
                break;
            }
            if mark.head.entries == id && mark.head.hash != self.before {
                self.findings.push(mark.differs());
            }
            self.marks = rest;
        }
    }
}
