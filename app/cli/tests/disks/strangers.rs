//! Disks that are not ours, or no longer, or twice: untouched.

use std::fs::File;

use backup::records::Outcome;
use base::disks::{Disks, State};

use super::machine::{DISK_BYTES, Machine, ran};

#[test]
fn a_disk_that_is_not_ours_is_not_opened_and_every_byte_of_it_stays() {
    let machine = Machine::new();
    drop(machine.enrolled("disk-b", "image-b"));
    let stranger = machine.formatted("stranger");
    let before = machine.hash("stranger");
    let (code, _, errors) = machine.disk(&["run"], &stranger);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("登録していないディスク"), "{errors}");
    assert!(errors.contains("runbooks/disk-foreign.md"), "{errors}");
    assert_eq!(machine.hash("stranger"), before);
    assert_eq!(
        machine.entries("backup disk run／対象外のディスク／番号"),
        1
    );
    assert_eq!(machine.state(&stranger), Some(State::Refused));
    assert!(
        machine
            .failing()
            .contains(&"backup_disk_foreign_hours".to_owned())
    );
    assert_eq!(
        machine.visits().pop().unwrap(),
        (String::new(), Outcome::NotHeld)
    );

    // The number of an enrolled one, and another disk behind it.
    let known = Disks::read(&machine.data.backup_disks()).unwrap();
    let uuid = known.named("disk-b").unwrap().uuid.clone();
    ran(
        "cryptsetup",
        &[
            "luksUUID",
            "--batch-mode",
            "--uuid",
            &uuid,
            stranger.0.to_str().unwrap(),
        ],
    );
    let before = machine.hash("stranger");
    let (code, _, errors) = machine.disk(&["run"], &stranger);
    assert_eq!(code, 1, "{errors}");
    assert!(
        errors.contains("印が、登録したときのものではありません"),
        "{errors}"
    );
    assert_eq!(
        machine.hash("stranger"),
        before,
        "looked at, and not a byte changed"
    );
    assert!(machine.is_shut());

    // One that is always here is no stranger.
    let text = std::fs::read_to_string(&machine.site).unwrap();
    let always = format!("read_visits = 2\nalways_here = [\"{uuid}\"]\n");
    let text = text.replacen("read_visits = 2\n", &always, 1);
    base::paths::write_atomic(&machine.site, text.as_bytes(), 0o600).unwrap();
    let (code, _, errors) = machine.disk(&["run"], &stranger);
    assert!(
        code == 0 && errors.contains("いつもつないでおく"),
        "{errors}"
    );
    assert_eq!(machine.hash("stranger"), before);

    // What is no disk of ours at all.
    let blank = machine.path("blank");
    File::create(&blank).unwrap().set_len(DISK_BYTES).unwrap();
    let blank = machine.plugged("blank");
    let (code, _, errors) = machine.disk(&["run"], &blank);
    assert_eq!(code, 1, "{errors}");
    let (code, _, errors) = machine.disk(&["enrol", "disk-c", "--yes"], &blank);
    assert_eq!(code, 3, "{errors}");
}

#[test]
fn a_copy_of_a_disk_is_refused_beside_the_original_and_later_alone() {
    let machine = Machine::new();
    let device = machine.enrolled("disk-b", "image-b");
    let (from, to) = (machine.path("image-b"), machine.path("copy"));
    ran(
        "cp",
        &[
            "--sparse=always",
            from.to_str().unwrap(),
            to.to_str().unwrap(),
        ],
    );
    let copy = machine.plugged("copy");
    for one in [&device, &copy] {
        let (code, _, errors) = machine.disk(&["run"], one);
        assert_eq!(code, 1, "{errors}");
        assert!(errors.contains("同じ番号のディスク"), "{errors}");
    }
    drop(copy);
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 0, "{errors}");
    drop(device);
    let before = machine.hash("copy");
    let copy = machine.plugged("copy");
    let (code, _, errors) = machine.disk(&["run"], &copy);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("この装置が最後に取ったもの"), "{errors}");
    assert!(errors.contains("runbooks/disk-doubtful.md"), "{errors}");
    drop(copy);
    assert_eq!(machine.hash("copy"), before);
    assert!(machine.is_shut());
}
