//! Faults that another suite proves: where, by the name of the test, which must be there.

use std::path::Path;

/// Fault, outcome, file, test.
const PROVEN: &[(&str, &str, &str, &str)] = &[
    (
        "kill -9 of the service while staff write",
        "nothing acknowledged is lost",
        "tests/recovery/tests/kill.rs",
        "no_acknowledged_record_is_lost_or_half_and_the_chain_is_whole",
    ),
    (
        "kill -9 while files are attached",
        "no row without its bytes",
        "tests/recovery/tests/attachments.rs",
        "no_acknowledged_file_is_lost_and_no_row_stands_without_its_bytes",
    ),
    (
        "kill -9 of shipper and writer",
        "byte for byte what was committed",
        "tests/recovery/tests/ship.rs",
        "what_comes_back_after_any_kill_is_what_was_committed",
    ),
    (
        "kill -9 at each stage of a restore",
        "one state is whole, the next run ends it",
        "tests/recovery/tests/restore.rs",
        "killed_at_any_stage_one_state_is_whole_and_running_again_ends_it",
    ),
    (
        "kill -9 anywhere in a prune",
        "every snapshot that remains is whole",
        "tests/recovery/tests/prune.rs",
        "killed_anywhere_a_prune_leaves_every_snapshot_that_remains_whole",
    ),
    (
        "kill -9 of a drill",
        "the next clears what it left",
        "tests/recovery/tests/drill.rs",
        "a_drill_that_is_killed_leaves_nothing_that_the_next_one_does_not_clear",
    ),
    (
        "kill -9 of an import",
        "the old state or the new one",
        "tests/recovery/tests/import.rs",
        "a_killed_import_leaves_the_old_state_or_the_new_one",
    ),
    (
        "repository of a newer version",
        "refused by its number",
        "backup/src/repository.rs",
        "a_repository_of_a_newer_format_is_refused_by_its_number",
    ),
    (
        "data of a newer schema",
        "refused with what to install",
        "tests/recovery/tests/restore.rs",
        "a_newer_schema_is_refused_with_its_version_and_an_older_one_is_migrated_in_the_copy",
    ),
    (
        "wrong words of the sheet",
        "the wrong word is named",
        "app/cli/tests/recovery_sheet.rs",
        "a_slip_of_the_pen_is_named",
    ),
    (
        "wrong password",
        "told as such",
        "tests/recovery/tests/restore.rs",
        "a_wrong_password_and_a_foreign_place_are_refused_before_anything_is_written",
    ),
    (
        "clock a year ahead or behind: retention",
        "removes nothing",
        "backup/src/tests/retention.rs",
        "a_clock_that_jumps_a_year_ahead_or_behind_removes_nothing",
    ),
    (
        "clock behind the newest snapshot",
        "refused",
        "backup/src/tests/saving.rs",
        "a_clock_behind_the_newest_snapshot_is_refused",
    ),
    (
        "clock that cannot be believed: timer",
        "stops until somebody looks",
        "app/cli/tests/keeping.rs",
        "a_clock_that_is_not_believed_stops_the_timer_until_somebody_does_it_by_hand",
    ),
    (
        "two machines on one repository",
        "the second is fenced off",
        "backup/src/tests/lineages.rs",
        "of_two_machines_that_were_both_restored_the_second_is_refused",
    ),
    (
        "two writers at one repository",
        "the second is told who writes",
        "backup/src/tests/saving.rs",
        "a_second_writer_is_refused_and_told_who_is_writing",
    ),
    (
        "source shrinks to nothing",
        "refused",
        "backup/src/tests/saving.rs",
        "an_empty_source_and_a_missing_one_and_a_link_in_one_are_refused",
    ),
    (
        "file changes while it is read",
        "no snapshot is left",
        "backup/src/tests/saving.rs",
        "a_file_that_changes_while_it_is_saved_fails_the_run_even_with_the_same_size",
    ),
    (
        "file vanishes while it is read",
        "no snapshot is left",
        "backup/src/tests/saving.rs",
        "a_file_that_vanishes_between_listing_and_reading_fails_the_run_and_leaves_no_snapshot",
    ),
    (
        "disk full under a record",
        "refused, the words are kept",
        "tests/recovery/tests/disk.rs",
        "a_full_disk_refuses_the_record_keeps_its_words_and_takes_it_once_there_is_room",
    ),
    (
        "disk fills up during a prune",
        "no snapshot that stays is lost",
        "backup/tests/full_disk.rs",
        "a_disk_that_fills_up_while_it_is_pruned_loses_no_snapshot_that_was_to_stay",
    ),
    (
        "restore onto too small a disk",
        "told in bytes, nothing is written",
        "tests/recovery/tests/restore.rs",
        "a_disk_that_is_too_small_is_told_in_bytes_before_anything_is_written",
    ),
    (
        "foreign or replaced disk A",
        "left untouched",
        "backup/src/ship/tests/shipping.rs",
        "a_foreign_disk_is_left_untouched",
    ),
    (
        "attachment missing or bent",
        "named by check and backup",
        "tests/recovery/tests/attachments.rs",
        "missing_and_bent_bytes_are_named_by_check_and_backup",
    ),
    (
        "row removed from a restored copy",
        "the drill fails and names the table",
        "tests/recovery/tests/drill.rs",
        "a_row_that_is_gone_from_the_copy_fails_the_drill_and_is_named_by_its_table",
    ),
    (
        "both repositories damaged",
        "nothing is replaced",
        "tests/recovery/tests/restore.rs",
        "what_one_repository_lost_comes_from_the_other_and_what_both_lost_replaces_nothing",
    ),
    (
        "database unreadable before a restore",
        "replaced, and said",
        "tests/recovery/tests/restore.rs",
        "a_state_that_cannot_be_read_is_replaced_and_what_it_knew_is_left_to_people",
    ),
];

#[test]
fn what_is_proven_elsewhere_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (fault, outcome, file, test) in PROVEN {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        let head = format!("fn {test}()");
        let (before, _) = text.split_once(&head).unwrap_or_default();
        let is_test = before.trim_end().ends_with("#[test]");
        assert!(is_test, "{file} has no test {test}");
        println!("{fault:<44} {outcome}: {test}");
    }
}
