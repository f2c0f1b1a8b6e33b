//! A repository goes on with one history, and an older one adds nothing to it.

use serde_json::json;

use super::Room;
use crate::lineage::{history, known};
use crate::{BackupError, Lineage, mark_lineage};

fn lineage(epoch: i64) -> Lineage {
    Lineage {
        epoch,
        token: format!("{epoch:032x}"),
    }
}

impl Room {
    fn of(mut self, lineages: &[Lineage]) -> Self {
        self.source.facts = json!({ "lineages": lineages });
        self
    }

    fn refused(&self) -> Option<(i64, i64)> {
        match self.run() {
            Ok(_) => None,
            Err(BackupError::Fenced { known, own, .. }) => Some((known, own)),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_history_without_a_beginning_is_taken_until_one_began() {
    let mut room = Room::filled();
    assert_eq!(room.refused(), None);
    mark_lineage(&room.settings, &lineage(1)).unwrap();
    room.later(1);
    assert_eq!(room.refused(), Some((1, 0)));
    let room = room.of(&[lineage(1)]);
    assert_eq!(room.refused(), None);
}

#[test]
fn a_snapshot_tells_it_when_the_file_is_gone_or_bent() {
    let mut room = Room::filled().of(&[lineage(1), lineage(2)]);
    assert_eq!(room.refused(), None);
    let file = room
        .settings
        .location
        .directory()
        .unwrap()
        .join("hokatsu.lineage");
    assert_eq!(known(&room.settings).unwrap(), Some(lineage(2)));
    std::fs::remove_file(&file).unwrap();
    room.later(1);
    let mut room = room.of(&[lineage(1)]);
    assert_eq!(room.refused(), Some((2, 1)));
    // Neither a forged one nor one of another repository counts.
    let forged = json!({ "lineage": lineage(9), "code": "00" }).to_string();
    super::put(&file, forged.as_bytes());
    assert_eq!(known(&room.settings).unwrap(), Some(lineage(2)));
    room.later(1);
    let room = room.of(&[lineage(1), lineage(2), lineage(3)]);
    assert_eq!(room.refused(), None);
    assert_eq!(known(&room.settings).unwrap(), Some(lineage(3)));
}

#[test]
fn of_two_machines_that_were_both_restored_the_second_is_refused() {
    let mut room = Room::filled().of(&[lineage(1)]);
    assert_eq!(room.refused(), None);
    let other = Lineage {
        epoch: 1,
        token: "f".repeat(32),
    };
    room.later(1);
    let mut room = room.of(std::slice::from_ref(&other));
    assert_eq!(room.refused(), Some((1, 1)));
    // It took over what the repository knows.
    room.later(1);
    let room = room.of(&[lineage(1), other, lineage(2)]);
    assert_eq!(room.refused(), None);
}

#[test]
fn facts_of_another_shape_tell_of_no_lineage() {
    for facts in [json!(null), json!({ "lineages": 3 }), json!({ "rows": {} })] {
        assert_eq!(history(&facts), []);
    }
}
