//! Heads and records come back as they were written, and nothing else comes back at all.

use jiff::Timestamp;
use proptest::prelude::{any, prop, proptest};

use crate::ship::format::{BODY_BYTES_MAX, HEAD_BYTES, Head, Holds, RecordHead, RecordKind};
use crate::ship::wal::{Header, Position};

fn position() -> Position {
    Position {
        salts: *b"salty so",
        frames: 77,
        sums: (1, u32::MAX),
    }
}

fn head() -> Head {
    Head {
        holds: Holds::Commits,
        page_bytes: 4_096,
        generation: 3,
        segment: 9,
        database: [1; 32],
        disk: [2; 16],
        made_at: Timestamp::from_microsecond(1_775_000_000_123_456).unwrap(),
        after: 1 << 40,
        position: position(),
        chain: [5; 32],
    }
}

#[test]
fn a_head_comes_back_and_no_bent_one_does() {
    let (bytes, hash) = head().encode();
    assert_eq!(bytes.len(), HEAD_BYTES);
    assert_eq!(Head::decode(&bytes).unwrap(), (head(), hash));
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut bent = bytes.clone();
            bent[at] ^= 1 << bit;
            assert!(Head::decode(&bent).is_err(), "byte {at}, bit {bit}");
        }
        assert!(Head::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn the_head_of_a_record_comes_back() {
    let at = Timestamp::from_microsecond(-5).unwrap();
    let commit = RecordKind::Commit {
        at,
        db_pages: 12,
        end: position(),
    };
    for kind in [RecordKind::Part, commit] {
        let record = RecordHead {
            kind,
            commit: u64::MAX,
            body_bytes: 4_100,
        };
        assert_eq!(RecordHead::decode(&record.encode()), Some(record));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        // Nobody hits a SHA-256 or SQLite's checksum by accident.
        assert!(Head::decode(&bytes).is_err());
        assert!(Header::parse(&bytes).is_none());
        assert!(RecordHead::decode(&bytes).is_none_or(|head| head.body_bytes <= BODY_BYTES_MAX));
    }
}
