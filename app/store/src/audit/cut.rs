//! Where the log was cut: a year that went into a file of its own, and what vouches for it.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::audit::chain::{GENESIS, Hash};
use crate::audit::seal::{Head, PublicKey, Signer};
use crate::error::StoreError;

/// One year that is no longer in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Calendar year in Japan.
    pub year: i16,
    /// Position of its first entry.
    pub first_id: i64,
    /// Position of its last.
    pub last_id: i64,
    pub(crate) hash_before: Hash,
    pub(crate) hash: Hash,
    /// Name of the file inside the directory of archives.
    pub file: String,
    /// UTC.
    pub archived_at: String,
    pub(crate) signature: Vec<u8>,
}

const INSERT: &str = "insert into audit_cuts
    (year, first_id, last_id, hash_before, hash, file, archived_at, signature)
    values (?, ?, ?, ?, ?, ?, ?, ?)";
const ALL: &str = "select year, first_id, last_id, hash_before, hash, file, archived_at, signature
    from audit_cuts order by first_id";

impl Cut {
    /// Entries of the year.
    pub fn entries(&self) -> i64 {
        self.last_id - self.first_id + 1
    }

    /// Where the log stood at the end of the year.
    pub(crate) fn head(&self) -> Head {
        Head {
            entries: self.last_id,
            hash: self.hash,
        }
    }

    pub(crate) fn signed(mut self, signer: &Signer) -> Self {
        self.signature = signer.sign_bytes(&self.message());
        self
    }

    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verifies_bytes(&self.message(), &self.signature)
    }

    fn message(&self) -> Vec<u8> {
        let mut message = b"hokatsu audit cut 1".to_vec();
        for number in [i64::from(self.year), self.first_id, self.last_id] {
            message.extend_from_slice(&number.to_be_bytes());
        }
        message.extend_from_slice(&self.hash_before);
        message.extend_from_slice(&self.hash);
        message
    }

    pub(crate) fn insert(&self, connection: &Connection) -> Result<(), StoreError> {
        connection.execute(
            INSERT,
            params![
                self.year,
                self.first_id,
                self.last_id,
                self.hash_before,
                self.hash,
                self.file,
                self.archived_at,
                self.signature
            ],
        )?;
        Ok(())
    }

    /// All cuts of a database, oldest first.
    pub(crate) fn all(connection: &Connection) -> Result<Vec<Self>, StoreError> {
        let mut statement = connection.prepare(ALL)?;
        let cuts = statement.query_map([], Self::read)?;
        Ok(cuts.collect::<Result<_, _>>()?)
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            year: row.get(0)?,
            first_id: row.get(1)?,
            last_id: row.get(2)?,
            hash_before: row.get(3)?,
            hash: row.get(4)?,
            file: row.get(5)?,
            archived_at: row.get(6)?,
            signature: row.get(7)?,
        })
    }

    /// Position and hash after which the entries of the database begin.
    pub(crate) fn end(connection: &Connection) -> Result<(i64, Hash), StoreError> {
        let sql = "select last_id, hash from audit_cuts order by last_id desc limit 1";
        let end = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(end.optional()?.unwrap_or((0, GENESIS)))
    }
}
