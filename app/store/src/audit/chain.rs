//! The chain itself: how an entry is hashed and appended.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::actor::{Actor, Operator};
use crate::audit::cut::Cut;
use crate::audit::event::Event;
use crate::audit::seal::{Checkpoint, Head, Signer};
use crate::audit::verify::hash_at;
use crate::directory::DataDir;
use crate::error::StoreError;

/// SHA-256 of an entry and everything before it.
pub(crate) type Hash = [u8; 32];

/// The hash before the first entry.
pub(crate) const GENESIS: Hash = [0; 32];

/// One stored entry, in the order of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Position in the chain, from 1.
    pub id: i64,
    /// UTC, `2026-11-23T01:02:03.456789Z`.
    pub at: String,
    /// Who; `None` for the system.
    pub staff_id: Option<i64>,
    /// Of which centre; `None` for the city.
    pub centre_id: Option<i64>,
    /// Through which menu.
    pub menu: String,
    /// What was done, as stored.
    pub operation: String,
    /// About whom.
    pub resident_id: Option<i64>,
    /// On what kind of record.
    pub record_kind: Option<String>,
    /// On which record.
    pub record_id: Option<i64>,
    /// From where.
    pub terminal: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// Names of fields, counts, a reason.
    pub detail: String,
}

impl EntryRow {
    /// The hash of this entry after `before`. Every field is length-prefixed, so that no two
    /// different rows give the same bytes.
    pub(crate) fn hash(&self, before: &Hash) -> Hash {
        let mut buffer = Vec::new();
        let mut message = Message::after(before, &mut buffer);
        message.text(&self.at);
        message.number(self.staff_id);
        message.number(self.centre_id);
        message.text(&self.menu);
        message.text(&self.operation);
        message.number(self.resident_id);
        message.text(self.record_kind.as_deref().unwrap_or(""));
        message.number(self.record_id);
        message.text(&self.terminal);
        message.text(&self.outcome);
        message.text(&self.detail);
        message.hash()
    }

    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<(Self, Vec<u8>)> {
        let entry = Self {
            id: row.get(0)?,
            at: row.get(1)?,
            staff_id: row.get(2)?,
            centre_id: row.get(3)?,
            menu: row.get(4)?,
            operation: row.get(5)?,
            resident_id: row.get(6)?,
            record_kind: row.get(7)?,
            record_id: row.get(8)?,
            terminal: row.get(9)?,
            outcome: row.get(10)?,
            detail: row.get(11)?,
        };
        Ok((entry, row.get(12)?))
    }
}

/// As [`EntryRow::hash`], of a row that is not taken out of SQLite first: a verification reads
/// millions. Columns are those of the table, in its order.
pub(crate) fn hash_row(
    row: &Row<'_>,
    before: &Hash,
    buffer: &mut Vec<u8>,
) -> rusqlite::Result<Hash> {
    let mut message = Message::after(before, buffer);
    for column in 1..=11 {
        match row.get_ref(column)? {
            ValueRef::Integer(value) => message.number(Some(value)),
            ValueRef::Null => message.text(""),
            ValueRef::Text(text) | ValueRef::Blob(text) => message.bytes(text),
            // The table is strict and has no such column.
            ValueRef::Real(_) => message.text("real"),
        }
    }
    Ok(message.hash())
}

/// The bytes that are hashed.
struct Message<'b>(&'b mut Vec<u8>);

impl<'b> Message<'b> {
    fn after(before: &Hash, buffer: &'b mut Vec<u8>) -> Self {
        buffer.clear();
        buffer.extend_from_slice(b"hokatsu audit entry 1");
        buffer.extend_from_slice(before);
        Self(buffer)
    }

    fn bytes(&mut self, field: &[u8]) {
        let length = u64::try_from(field.len()).unwrap_or(u64::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(field);
    }

    fn text(&mut self, field: &str) {
        self.bytes(field.as_bytes());
    }

    fn number(&mut self, field: Option<i64>) {
        match field {
            Some(value) => self.text(&value.to_string()),
            None => self.text(""),
        }
    }

    fn hash(&self) -> Hash {
        let mut hash = GENESIS;
        hash.copy_from_slice(digest(&SHA256, self.0).as_ref());
        hash
    }
}

/// Where the chain stands, and the key that signs it.
#[derive(Debug)]
pub(crate) struct Chain {
    head: Head,
    last_at: String,
    signer: Signer,
}

/// Where the chain will stand when the transaction is committed.
#[derive(Debug, Clone)]
pub(crate) struct Next {
    head: Head,
    last_at: String,
}

const INSERT: &str = "insert into audit_entries values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const SIGN: &str = "insert into audit_head (id, entries, hash, signature) values (1, ?1, ?2, ?3)
    on conflict (id) do update set entries = ?1, hash = ?2, signature = ?3";

impl Next {
    /// Position of the last entry.
    pub(crate) fn entries(&self) -> i64 {
        self.head.entries
    }

    /// Writes the events of one transaction behind what stands.
    pub(crate) fn append(
        &self,
        connection: &Connection,
        actor: &Actor,
        now: Timestamp,
        events: &[Event],
    ) -> Result<Self, StoreError> {
        // A clock that was set back must not shuffle the order: time stands still until it catches up.
        let at = format!("{now:.6}").max(self.last_at.clone());
        let mut head = self.head;
        let mut insert = connection.prepare_cached(INSERT)?;
        for event in events {
            let entry = entry(head.entries + 1, &at, actor, event);
            head = Head {
                entries: entry.id,
                hash: entry.hash(&head.hash),
            };
            insert.execute(params![
                entry.id,
                entry.at,
                entry.staff_id,
                entry.centre_id,
                entry.menu,
                entry.operation,
                entry.resident_id,
                entry.record_kind,
                entry.record_id,
                entry.terminal,
                entry.outcome,
                entry.detail,
                head.hash,
            ])?;
        }
        Ok(Self { head, last_at: at })
    }
}

impl Chain {
    /// Picks up where the file ends; refuses a file whose end is not what its head signed.
    pub(crate) fn resume(connection: &Connection, dir: &DataDir) -> Result<Self, StoreError> {
        let signer = Signer::load(dir)?;
        let Next { head, last_at } = Self::end(connection, &signer)?;
        Ok(Self {
            head,
            last_at,
            signer,
        })
    }

    /// Goes on where another process left the chain; true when there was one. To be called inside
    /// the transaction that appends, so that nobody comes between.
    ///
    /// # Errors
    /// [`StoreError::AuditHead`] when the end is not signed by our key, or does not grow out of
    /// where we stood: then the log was rolled back or bent beneath us.
    pub(crate) fn follow(&mut self, connection: &Connection) -> Result<bool, StoreError> {
        let stored = Head::stored(connection)?.map(|(head, _)| head);
        let known = self.head.entries == 0 && stored.is_none();
        if known || stored == Some(self.head) {
            return Ok(false);
        }
        let next = Self::end(connection, &self.signer)?;
        if !self.grew_into(connection, &next.head)? {
            return Err(StoreError::AuditHead);
        }
        self.advance(next);
        Ok(true)
    }

    fn grew_into(&self, connection: &Connection, end: &Head) -> Result<bool, StoreError> {
        if end.entries < self.head.entries {
            return Ok(false);
        }
        let (cut, _) = Cut::end(connection)?;
        // What another process archived meanwhile its cut vouches for.
        if self.head.entries <= cut {
            return Ok(true);
        }
        Ok(hash_at(connection, self.head.entries)? == Some(self.head.hash))
    }

    fn end(connection: &Connection, signer: &Signer) -> Result<Next, StoreError> {
        let last = connection
            .query_row(
                "select id, at, hash from audit_entries order by id desc limit 1",
                [],
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get(2)?)),
            )
            .optional()?;
        let begins = || -> Result<_, StoreError> {
            let (entries, hash) = Cut::end(connection)?;
            Ok((entries, String::new(), hash))
        };
        let (entries, last_at, hash) = last.map_or_else(begins, Ok)?;
        let head = Head { entries, hash };
        match Head::stored(connection)? {
            Some((stored, signature))
                if stored == head && signer.public().verifies(&stored, &signature) => {}
            None if entries == 0 => {}
            Some(_) | None => return Err(StoreError::AuditHead),
        }
        Ok(Next { head, last_at })
    }

    /// Where the chain stands: what a transaction appends to.
    pub(crate) fn standing(&self) -> Next {
        Next {
            head: self.head,
            last_at: self.last_at.clone(),
        }
    }

    /// Signs the end of a transaction: the last that is written before its commit.
    pub(crate) fn sign(&self, connection: &Connection, end: &Next) -> Result<(), StoreError> {
        let signature = self.signer.sign(&end.head);
        connection.prepare_cached(SIGN)?.execute(params![
            end.head.entries,
            end.head.hash,
            signature
        ])?;
        Ok(())
    }

    pub(crate) fn advance(&mut self, next: Next) {
        self.head = next.head;
        self.last_at = next.last_at;
    }

    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// Signs where the chain stands; nobody else appends to the file of checkpoints meanwhile.
    pub(crate) fn checkpoint(
        &mut self,
        connection: &Connection,
        dir: &DataDir,
        now: Timestamp,
    ) -> Result<Checkpoint, StoreError> {
        let path = dir.checkpoints();
        Checkpoint::in_turn(&path, || {
            let tx = connection.unchecked_transaction()?;
            self.follow(&tx)?;
            drop(tx);
            let checkpoint = Checkpoint::new(&self.head, &self.signer, now);
            checkpoint.append_to(&path)?;
            Ok(checkpoint)
        })
    }
}

fn entry(id: i64, at: &str, actor: &Actor, event: &Event) -> EntryRow {
    EntryRow {
        id,
        at: at.to_owned(),
        staff_id: actor.staff_id.map(|id| id.0),
        centre_id: actor.centre_id.map(|id| id.0),
        menu: actor.menu.to_owned(),
        operation: event.operation.code().to_owned(),
        resident_id: event.resident.map(|id| id.0),
        record_kind: event.record.map(|(kind, _)| kind.code().to_owned()),
        record_id: event.record.map(|(_, id)| id),
        terminal: actor.terminal.clone(),
        outcome: event.outcome.code().to_owned(),
        detail: detail(actor, event),
    }
}

/// The event's own words, and who typed them at the console.
fn detail(actor: &Actor, event: &Event) -> String {
    let Some(Operator { name, reason }) = &actor.operator else {
        return event.detail.clone();
    };
    let joint = if event.detail.is_empty() { "" } else { "／" };
    format!(
        "{}{joint}操作者＝{name}／操作の理由＝{reason}",
        event.detail
    )
}
