//! Where the partitions of an image lie, as sfdisk tells it.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::problem::{Problem, unclear};
use crate::room::Room;
use crate::tree;

const LIMIT: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Told {
    partitiontable: Table,
}

#[derive(Deserialize)]
struct Table {
    sectorsize: u64,
    partitions: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    start: u64,
    size: u64,
    name: Option<String>,
    uuid: String,
    attrs: Option<String>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its label.
    pub name: String,
    /// Its own number: of a root and its hashes, half of the root hash each.
    pub uuid: String,
    /// Bytes from the beginning of the disk.
    pub offset: u64,
    /// Bytes.
    pub bytes: u64,
    /// GPT bit 60: nobody writes to it.
    pub read_only: bool,
}

/// In the order of the table.
///
/// # Errors
/// When sfdisk cannot read it.
pub fn of_image(room: &Room, image: &Path) -> Result<Vec<Partition>, Problem> {
    let path = image.to_string_lossy();
    let said = tree::inside(room, &["sfdisk", "--json", &path], LIMIT).must("sfdisk")?;
    parsed(&said)
}

/// Gives the partition of this place in the table (counted from 1) a label and a number.
///
/// # Errors
/// When sfdisk cannot write the table.
pub fn rename(
    room: &Room,
    image: &Path,
    place: usize,
    name: &str,
    uuid: &str,
) -> Result<(), Problem> {
    let (path, place) = (image.to_string_lossy(), place.to_string());
    for (option, value) in [("--part-label", name), ("--part-uuid", uuid)] {
        let words = ["sfdisk", "--quiet", option, &path, &place, value];
        tree::inside(room, &words, LIMIT).must("sfdisk")?;
    }
    Ok(())
}

fn parsed(said: &str) -> Result<Vec<Partition>, Problem> {
    let told: Told = serde_json::from_str(said).map_err(unclear("sfdisk"))?;
    let sector = told.partitiontable.sectorsize;
    let entries = told.partitiontable.partitions.into_iter();
    Ok(entries
        .map(|entry| Partition {
            name: entry.name.unwrap_or_default(),
            uuid: entry.uuid,
            offset: entry.start.saturating_mul(sector),
            bytes: entry.size.saturating_mul(sector),
            read_only: entry
                .attrs
                .is_some_and(|attrs| attrs.split([',', ' ', ':']).any(|word| word == "60")),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_bytes_and_bit_60_is_seen_among_others() {
        let said = r#"{"partitiontable": {"sectorsize": 512, "partitions": [
            {"start": 2048, "size": 8, "uuid": "A", "name": "a", "attrs": "GUID:59,60"},
            {"start": 4096, "size": 8, "uuid": "B", "attrs": "GUID:59"},
            {"start": 8192, "size": 8, "uuid": "C"}]}}"#;
        let found = parsed(said).unwrap();
        assert_eq!((found[0].offset, found[0].bytes), (1_048_576, 4096));
        let read_only: Vec<bool> = found.iter().map(|one| one.read_only).collect();
        assert_eq!(read_only, [true, false, false]);
    }
}
