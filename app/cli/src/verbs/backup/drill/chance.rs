//! Which repository and which snapshot: by chance, so that none is left out for long.

use backup::SnapshotInfo;
use base::report::{Kind, Report};
use ring::rand::{SecureRandom as _, SystemRandom};

/// 64 random bits.
pub(super) fn number() -> Result<u64, Report> {
    let mut bytes = [0_u8; 8];
    if SystemRandom::new().fill(&mut bytes).is_err() {
        return Err(Report::bare(Kind::Fault));
    }
    Ok(u64::from_le_bytes(bytes))
}

/// One of these; nothing of nothing.
pub(super) fn one_of<T>(all: &[T], chance: u64) -> Option<&T> {
    all.get(below(all.len(), chance))
}

/// The newest, but one time in so many an older one. Those of other tools say nothing to compare with.
pub(super) fn snapshot(
    mut all: Vec<SnapshotInfo>,
    older_one_in: u8,
    chance: u64,
) -> Option<SnapshotInfo> {
    all.retain(|one| !one.facts.is_null());
    let newest = all.pop()?;
    // Other bits than those that chose the repository.
    let chance = chance.rotate_left(32);
    let wants_older = chance.checked_rem(u64::from(older_one_in)) == Some(0);
    let older = one_of(&all, chance.rotate_left(16)).cloned();
    Some(older.filter(|_| wants_older).unwrap_or(newest))
}

fn below(length: usize, chance: u64) -> usize {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let index = chance.checked_rem(length).unwrap_or(0);
    usize::try_from(index).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(id: &str, facts: serde_json::Value) -> SnapshotInfo {
        SnapshotInfo {
            id: id.to_owned(),
            label: "hokatsu".to_owned(),
            host: "box".to_owned(),
            taken_at: jiff::Timestamp::UNIX_EPOCH,
            bytes: 0,
            files: 0,
            facts,
        }
    }

    #[test]
    fn over_many_drills_every_repository_and_now_and_then_every_snapshot_is_taken() {
        let all = || {
            ["old", "older", "newest"]
                .map(|id| one(id, json!({"rows": {}})))
                .to_vec()
        };
        let mut counts = std::collections::BTreeMap::<String, u32>::new();
        let mut places = [0_u32; 2];
        for _ in 0..4_000 {
            let chance = number().unwrap();
            *counts
                .entry(snapshot(all(), 4, chance).unwrap().id)
                .or_default() += 1;
            places[*one_of(&[0_usize, 1], chance).unwrap()] += 1;
        }
        assert!((2_800..3_200).contains(&counts["newest"]), "{counts:?}");
        assert!(counts["old"] > 350 && counts["older"] > 350, "{counts:?}");
        assert!(places.iter().all(|count| *count > 1_800), "{places:?}");
    }

    #[test]
    fn without_another_the_newest_is_taken_and_one_of_another_tool_never() {
        let newest = || vec![one("newest", json!({}))];
        for chance in 0..64 {
            assert_eq!(snapshot(newest(), 1, chance << 32).unwrap().id, "newest");
        }
        let two = || vec![one("old", json!({})), one("newest", json!({}))];
        let never = (0..64).map(|chance| snapshot(two(), 0, chance << 32).unwrap().id);
        assert!(never.into_iter().all(|id| id == "newest"), "0: none does");
        assert_eq!(snapshot(vec![one("theirs", json!(null))], 4, 1), None);
        assert_eq!(one_of::<u8>(&[], 7), None);
    }
}
