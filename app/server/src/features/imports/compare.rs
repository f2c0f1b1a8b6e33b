//! Delivered rows against stored ones.

use std::collections::HashMap;

use store::{ReadTx, StoreError};

use super::mapping::Layout;
use super::model::{ChangeKind, Feed};
use super::world::DISPOSED;
use super::{pack, tables};

pub(super) struct Stored {
    id: i64,
    row: Box<str>,
}

/// The stored rows of a feed by their key, and what was read of it so far.
pub(super) struct Known {
    feed: Feed,
    stored: HashMap<Box<str>, Stored>,
    /// Key to a hash of the row, for duplicates within the file.
    seen: HashMap<Box<str>, u64>,
    given: Vec<bool>,
}

/// What a row is in the light of those before it.
pub(super) enum Verdict {
    Unchanged,
    Differs {
        id: Option<i64>,
        kind: ChangeKind,
        fields: Vec<&'static str>,
        row: Box<str>,
    },
    SameAgain,
    OtherAgain,
}

impl Known {
    pub(super) fn load(tx: &ReadTx<'_>, feed: Feed, layout: &Layout) -> Result<Self, StoreError> {
        let columns = tables::columns(feed);
        let mut stored = HashMap::new();
        tx.each(&tables::load(feed), [], |row| {
            let mut values = Vec::with_capacity(columns.len());
            for at in 1..=columns.len() {
                values.push(tables::text(row.get(at)?));
            }
            let packed = pack::pack(&values);
            let key = pack::key(&packed, tables::key_parts(feed)).into();
            stored.insert(
                key,
                Stored {
                    id: row.get(0)?,
                    row: packed,
                },
            );
            Ok::<_, StoreError>(())
        })?;
        let gives =
            |(name, sort): &(&'static str, tables::Sort)| layout.gives(tables::field(name, *sort));
        Ok(Self {
            feed,
            stored,
            seen: HashMap::new(),
            given: columns.iter().map(gives).collect(),
        })
    }

    /// Rows that are stored and were not in the file; whoever was disposed of is not missed.
    pub(super) fn absent(&self) -> u64 {
        let absent = self
            .stored
            .iter()
            .filter(|(key, _)| !self.seen.contains_key(*key))
            .filter(|(_, stored)| state(self.feed, &stored.row) != Some(DISPOSED))
            .count();
        u64::try_from(absent).unwrap_or(u64::MAX)
    }

    /// A row that is in the file and is not looked at.
    pub(super) fn saw(&mut self, values: Vec<Option<String>>) {
        let delivered = pack::pack(&values);
        let key = pack::key(&delivered, tables::key_parts(self.feed)).into();
        self.seen.insert(key, fingerprint(&delivered));
    }

    pub(super) fn judge(&mut self, mut values: Vec<Option<String>>) -> Verdict {
        let delivered = pack::pack(&values);
        let key = pack::key(&delivered, tables::key_parts(self.feed));
        let hash = fingerprint(&delivered);
        if let Some(before) = self.seen.get(key) {
            return if *before == hash {
                Verdict::SameAgain
            } else {
                Verdict::OtherAgain
            };
        }
        self.seen.insert(key.into(), hash);
        let Some(stored) = self.stored.get(key) else {
            return Verdict::Differs {
                id: None,
                kind: ChangeKind::New,
                fields: Vec::new(),
                row: delivered,
            };
        };
        // A column that the file does not have keeps what is stored.
        for ((value, old), given) in values
            .iter_mut()
            .zip(pack::unpack(&stored.row))
            .zip(&self.given)
        {
            if !given {
                *value = old.map(str::to_owned);
            }
        }
        let row = pack::pack(&values);
        if row == stored.row {
            return Verdict::Unchanged;
        }
        let fields: Vec<&'static str> = tables::columns(self.feed)
            .iter()
            .zip(pack::unpack(&row).zip(pack::unpack(&stored.row)))
            .filter(|(_, (new, old))| new != old)
            .map(|((name, _), _)| *name)
            .collect();
        Verdict::Differs {
            id: Some(stored.id),
            kind: kind(self.feed, &fields, &row),
            fields,
            row,
        }
    }
}

fn fingerprint(row: &str) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    row.hash(&mut hasher);
    hasher.finish()
}

/// The state of a resident's row.
fn state(feed: Feed, row: &str) -> Option<&str> {
    tables::columns(feed)
        .iter()
        .zip(pack::unpack(row))
        .find(|((name, _), _)| *name == "resident_state")
        .and_then(|(_, value)| value)
}

/// What a change of a resident means to the centre.
fn kind(feed: Feed, fields: &[&str], row: &str) -> ChangeKind {
    if feed != Feed::Residents {
        return ChangeKind::Changed;
    }
    let any = |names: &[&str]| names.iter().any(|name| fields.contains(name));
    match state(feed, row) {
        Some("3") if any(&["resident_state", "died_on"]) => ChangeKind::Died,
        Some("2" | "4") if any(&["resident_state"]) => ChangeKind::Left,
        _ if any(&["address", "area_code", "building"]) => ChangeKind::Moved,
        _ => ChangeKind::Changed,
    }
}
