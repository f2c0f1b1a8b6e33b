//! What nobody needs leaves a repository, and nothing else does.

use std::fs;
use std::time::{Duration, SystemTime};

use jiff::SignedDuration;

use super::{Room, files_below, instant, noise, put};
use crate::retention::{Ahead, Keep, Retention, Verdict};
use crate::{
    BackupError, CheckDepth, PruneRules, PruneSummary, Selector, check, list, lock, plan_prune,
    prune, restore_to,
};

const RULES: PruneRules = PruneRules {
    retention: Retention {
        hourly: 2,
        daily: 0,
        weekly: 0,
        monthly: 0,
        yearly: 0,
        days_max: None,
    },
    grace_hours: 0,
    repack_percent_max: 100,
    unused_percent_max: 1,
};

/// Six hours, each with a database of its own.
fn six_hours() -> Room {
    let mut room = Room::filled();
    for hour in 0..6 {
        room.put("hokatsu.db", &noise(100 + hour, 300_000));
        room.run().unwrap();
        room.later(1);
    }
    room
}

fn pruned(room: &Room, rules: &PruneRules) -> PruneSummary {
    let now = room.source.taken_at;
    let plan = plan_prune(&room.settings, rules, Ahead::Keep, now).unwrap();
    prune(&room.settings, rules, &plan, now).unwrap()
}

#[test]
fn planning_changes_nothing_and_says_what_would_go() {
    let room = six_hours();
    let before = files_below(room.settings.location.directory().unwrap());
    let plan = plan_prune(&room.settings, &RULES, Ahead::Keep, room.source.taken_at).unwrap();
    assert_eq!(
        files_below(room.settings.location.directory().unwrap()),
        before
    );
    assert_eq!((plan.snapshots.len(), plan.removed().count()), (6, 4));
    assert_eq!(
        plan.snapshots[0].verdict,
        Verdict::Keep(vec![Keep::Newest, Keep::Hourly])
    );
    // Four databases that do not compress, and nothing of it is deleted yet.
    assert!(plan.bytes_marked > 4 * 300_000, "{plan:?}");
    assert_eq!((plan.bytes_deleted, plan.repacking_left_out), (0, false));
}

#[test]
fn data_is_marked_by_one_prune_and_deleted_by_a_later_one() {
    let room = six_hours();
    let first = pruned(&room, &RULES);
    assert_eq!((first.snapshots_removed, first.snapshots_kept), (4, 2));
    assert!(first.is_healthy(), "{:?}", first.findings);
    // What is marked is still there, whatever was repacked comes on top.
    assert!(
        first.bytes_after >= first.bytes_before - 100_000,
        "{first:?}"
    );
    let second = pruned(&room, &RULES);
    assert_eq!(second.snapshots_removed, 0);
    assert!(
        second.bytes_after + 4 * 300_000 < first.bytes_after,
        "{first:?} {second:?}"
    );
    assert!(
        check(&room.settings, CheckDepth::AllData)
            .unwrap()
            .is_healthy()
    );
    assert_eq!(list(&room.settings).unwrap().len(), 2);
    assert!(room.restore().unwrap().is_complete());
}

#[test]
fn within_the_grace_period_nothing_marked_is_deleted() {
    let room = six_hours();
    let rules = PruneRules {
        grace_hours: 24,
        ..RULES
    };
    let first = pruned(&room, &rules);
    let packs = files_below(&room.settings.location.directory().unwrap().join("data"));
    let second = pruned(&room, &rules);
    let after = files_below(&room.settings.location.directory().unwrap().join("data"));
    assert!(packs.iter().all(|pack| after.contains(pack)), "{second:?}");
    assert!(first.bytes_marked > 0);
}

#[test]
fn a_reader_that_began_before_a_prune_reads_on_after_it() {
    let room = six_hours();
    let opened = crate::repository::open(&room.settings).unwrap();
    let indexed = crate::repository::open_indexed(&room.settings, &opened.key()).unwrap();
    let oldest = crate::snapshots::proven(&indexed, &room.settings)
        .unwrap()
        .remove(0);
    pruned(&room, &RULES);
    assert!(crate::snapshots::manifest(&indexed, &oldest).is_some());
}

#[test]
fn a_run_after_a_mark_needs_what_was_marked_and_the_next_prune_keeps_it() {
    let mut room = six_hours();
    pruned(&room, &RULES);
    // The database of the first hour comes back.
    room.put("hokatsu.db", &noise(100, 300_000));
    room.run().unwrap();
    room.later(1);
    for _ in 0..3 {
        pruned(&room, &RULES);
    }
    assert!(
        check(&room.settings, CheckDepth::AllData)
            .unwrap()
            .is_healthy()
    );
    assert!(room.restore().unwrap().is_complete());
    assert_eq!(
        fs::read(room.target().join("hokatsu.db")).unwrap(),
        noise(100, 300_000)
    );
}

#[test]
fn a_snapshot_made_after_the_plan_is_no_part_of_it() {
    let mut room = six_hours();
    let now = room.source.taken_at;
    let plan = plan_prune(&room.settings, &RULES, Ahead::Keep, now).unwrap();
    room.put("hokatsu.db", &noise(999, 300_000));
    room.run().unwrap();
    let done = prune(&room.settings, &RULES, &plan, now).unwrap();
    assert_eq!((done.snapshots_removed, done.snapshots_kept), (4, 3));
    room.later(1);
    assert!(room.restore().unwrap().is_complete());
}

#[test]
fn one_writer_at_a_time_and_nobody_beside_the_stock_tool() {
    let room = six_hours();
    let now = room.source.taken_at;
    let plan = plan_prune(&room.settings, &RULES, Ahead::Keep, now).unwrap();
    let held = lock::take(&room.settings, "backup run", now).unwrap();
    let refused = prune(&room.settings, &RULES, &plan, now).unwrap_err();
    assert!(matches!(refused, BackupError::Locked { .. }), "{refused:?}");
    drop(held);
    let stock = room
        .settings
        .location
        .directory()
        .unwrap()
        .join("locks/abc");
    put(&stock, b"lock");
    let refused = prune(&room.settings, &RULES, &plan, now).unwrap_err();
    assert!(
        matches!(refused, BackupError::StockToolActive { .. }),
        "{refused:?}"
    );
    assert_eq!(list(&room.settings).unwrap().len(), 6);
    // One that nobody refreshed for a day belongs to a dead process, as the stock tool has it.
    let yesterday = (now - SignedDuration::from_hours(24)).as_second();
    let yesterday = Duration::from_secs(u64::try_from(yesterday).unwrap());
    let file = fs::File::options().write(true).open(&stock).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + yesterday)
        .unwrap();
    assert!(
        prune(&room.settings, &RULES, &plan, now)
            .unwrap()
            .is_healthy()
    );
}

#[test]
fn a_missing_pack_stops_the_plan_before_anything_is_removed() {
    let room = six_hours();
    fs::remove_file(room.pack()).unwrap();
    let now = room.source.taken_at;
    let refused = plan_prune(&room.settings, &RULES, Ahead::Keep, now);
    match refused {
        Err(error) => assert!(matches!(error, BackupError::Engine { .. }), "{error:?}"),
        // The pack may be one that goes anyway: then performing it says what is missing, or not.
        Ok(plan) => assert!(plan.removed().count() == 4),
    }
    assert_eq!(list(&room.settings).unwrap().len(), 6);
}

#[test]
fn what_a_killed_run_left_without_index_goes_in_the_end() {
    let room = six_hours();
    let lost = room
        .settings
        .location
        .directory()
        .unwrap()
        .join("data/ab")
        .join("ab".repeat(32));
    put(&lost, &noise(5, 40_000));
    pruned(&room, &RULES);
    assert!(lost.exists(), "marked, not deleted");
    let looked_at = check(&room.settings, CheckDepth::Structure).unwrap();
    assert!(looked_at.is_healthy(), "{:?}", looked_at.findings);
    pruned(&room, &RULES);
    assert!(!lost.exists());
    assert!(
        check(&room.settings, CheckDepth::AllData)
            .unwrap()
            .is_healthy()
    );
}

#[test]
fn every_kept_snapshot_comes_back_as_it_was() {
    let room = six_hours();
    pruned(&room, &RULES);
    pruned(&room, &RULES);
    for (hour, at) in [(4, "2026-04-07T07:30:00Z"), (5, "2026-04-07T08:30:00Z")] {
        let target = room.dir.path().join(format!("hour-{hour}"));
        let at = Selector::At(instant(at));
        let done = restore_to(&room.settings, &at, &target, &crate::Quiet).unwrap();
        assert!(done.is_complete());
        let bytes = fs::read(target.join("hokatsu.db")).unwrap();
        assert_eq!(bytes, noise(100 + hour, 300_000));
    }
}
