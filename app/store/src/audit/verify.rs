//! Is the access log whole? Walks the chain and names what does not fit.

use std::collections::VecDeque;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::audit::chain::{EntryRow, GENESIS, Hash};
use crate::audit::seal::{Checkpoint, Head, PublicKey};
use crate::db::connect;
use crate::directory::DataDir;
use crate::error::StoreError;

/// Findings listed before the walk stops: a broken log is broken, and a page has an end.
const FINDINGS_MAX: usize = 100;
/// How far ahead a row is looked for that belongs here.
const LOOK_AHEAD: usize = 64;

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The entry's content or hash was altered (or what stood before it was taken away unseen).
    Changed {
        /// Position.
        id: i64,
    },
    /// Entries are missing.
    Missing {
        /// First missing position.
        from: i64,
        /// Last missing position.
        to: i64,
    },
    /// What stands at one position belongs at the other.
    Swapped {
        /// Where it stands.
        id: i64,
        /// What belongs there stands here.
        with: i64,
    },
    /// The tail was cut: the signed head knows of more entries.
    Truncated {
        /// Entries found.
        found: i64,
        /// Entries that the head knows of.
        signed: i64,
    },
    /// Entries were added behind the signed head.
    Unsigned {
        /// Entries found.
        found: i64,
        /// Entries that the head knows of.
        signed: i64,
    },
    /// The head is missing or its signature is not of this machine's key.
    HeadForged,
    /// A checkpoint says something else than the log does now.
    CheckpointDiffers {
        /// Time of the checkpoint.
        at: String,
        /// Number of entries it signed.
        entries: i64,
    },
    /// A checkpoint is not signed by this machine's key.
    CheckpointForged {
        /// Time it claims.
        at: String,
    },
}

/// What the walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Entries read.
    pub entries: i64,
    /// Hash of the last, hexadecimal; equal after a faithful restore.
    pub head: String,
    /// Checkpoints compared.
    pub checkpoints: usize,
    /// Empty when the log is whole.
    pub findings: Vec<Finding>,
}

/// Walks the access log of a data directory (also of a restored copy), without needing the lock.
///
/// `against` is a checkpoint file kept elsewhere; without it the one beside the database is used
/// when it is there.
///
/// # Errors
/// [`StoreError`] when the files cannot be read. A log that is not whole is no error but findings.
pub fn verify(dir: &DataDir, against: Option<&Path>) -> Result<Verdict, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(&dir.database(), flags)?;
    connection.pragma_update(None, "query_only", true)?;
    let key = PublicKey::load(&dir.audit_public_key())?;
    let beside = dir.checkpoints();
    let checkpoints = match against {
        Some(path) => Checkpoint::read_all(path)?,
        None if beside.exists() => Checkpoint::read_all(&beside)?,
        None => Vec::new(),
    };
    let mut walk = Walk::new(&key, checkpoints);
    // One look at one moment: a log that grows between entries and head must not seem cut.
    connection.execute_batch("begin")?;
    walk.entries(&connection)?;
    walk.head(&connection, &key)?;
    Ok(walk.verdict())
}

struct Walk {
    before: Hash,
    next_id: i64,
    last_id: i64,
    checkpoints: VecDeque<Checkpoint>,
    compared: usize,
    findings: Vec<Finding>,
}

impl Walk {
    fn new(key: &PublicKey, mut checkpoints: Vec<Checkpoint>) -> Self {
        let mut findings = Vec::new();
        let compared = checkpoints.len();
        checkpoints.retain(|checkpoint| {
            let signed = checkpoint.is_signed_by(key);
            if !signed {
                findings.push(Finding::CheckpointForged {
                    at: checkpoint.at.clone(),
                });
            }
            signed
        });
        checkpoints.sort_by_key(|checkpoint| checkpoint.entries);
        Self {
            before: GENESIS,
            next_id: 1,
            last_id: 0,
            checkpoints: checkpoints.into(),
            compared,
            findings,
        }
    }

    fn entries(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let mut statement = connection.prepare("select * from audit_entries order by id")?;
        let mut rows = statement.query([])?;
        let mut ahead: VecDeque<(EntryRow, Vec<u8>)> = VecDeque::new();
        loop {
            while ahead.len() <= LOOK_AHEAD {
                match rows.next()? {
                    Some(row) => ahead.push_back(EntryRow::read(row)?),
                    None => break,
                }
            }
            let Some((entry, stored)) = ahead.pop_front() else {
                break;
            };
            self.entry(&entry, &stored, &ahead);
            if self.findings.len() >= FINDINGS_MAX {
                break;
            }
        }
        Ok(())
    }

    fn entry(&mut self, entry: &EntryRow, stored: &[u8], ahead: &VecDeque<(EntryRow, Vec<u8>)>) {
        if entry.id > self.next_id {
            self.findings.push(Finding::Missing {
                from: self.next_id,
                to: entry.id - 1,
            });
        } else if entry.hash(&self.before) != stored && !self.was_swapped(entry) {
            let wanted = ahead
                .iter()
                .find(|(row, hash)| row.hash(&self.before) == hash[..]);
            self.findings.push(match wanted {
                Some((row, _)) => Finding::Swapped {
                    id: entry.id,
                    with: row.id,
                },
                None => Finding::Changed { id: entry.id },
            });
        }
        // Whatever was wrong, what follows is judged by what stands there.
        self.before = stored.try_into().unwrap_or(GENESIS);
        self.last_id = entry.id;
        self.next_id = entry.id + 1;
        self.compare_checkpoints();
    }

    /// The other half of a swap that was already named: rows between do not fit either.
    fn was_swapped(&self, entry: &EntryRow) -> bool {
        self.findings.iter().any(|finding| {
            matches!(finding, Finding::Swapped { id, with } if (*id..=*with + 1).contains(&entry.id))
        })
    }

    fn compare_checkpoints(&mut self) {
        while self
            .checkpoints
            .front()
            .is_some_and(|c| c.entries <= self.last_id)
        {
            let Some(checkpoint) = self.checkpoints.pop_front() else {
                break;
            };
            let differs = checkpoint.entries == self.last_id
                && checkpoint
                    .head()
                    .is_some_and(|head| head.hash != self.before);
            if differs {
                let Checkpoint { at, entries, .. } = checkpoint;
                self.findings
                    .push(Finding::CheckpointDiffers { at, entries });
            }
        }
    }

    fn head(&mut self, connection: &Connection, key: &PublicKey) -> Result<(), StoreError> {
        for checkpoint in std::mem::take(&mut self.checkpoints) {
            if checkpoint.entries == 0 {
                continue;
            }
            let Checkpoint { at, entries, .. } = checkpoint;
            self.findings
                .push(Finding::CheckpointDiffers { at, entries });
        }
        let Some((head, signature)) = Head::stored(connection)? else {
            if self.last_id > 0 {
                self.findings.push(Finding::HeadForged);
            }
            return Ok(());
        };
        if !key.verifies(&head, &signature) {
            self.findings.push(Finding::HeadForged);
        }
        let (found, signed) = (self.last_id, head.entries);
        if found < signed {
            self.findings.push(Finding::Truncated { found, signed });
        } else if found > signed {
            self.findings.push(Finding::Unsigned { found, signed });
        } else if self.before != head.hash && self.findings.is_empty() {
            self.findings.push(Finding::Changed { id: found });
        }
        Ok(())
    }

    fn verdict(self) -> Verdict {
        Verdict {
            entries: self.last_id,
            head: data_encoding::HEXLOWER.encode(&self.before),
            checkpoints: self.compared,
            findings: self.findings,
        }
    }
}
