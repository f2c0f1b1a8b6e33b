//! What goes wrong with a disk that is ours: doubts, damage, a visit that is cut, a disk that is pulled.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use backup::records::{Job, Record, Records};
use base::clock::Clock;
use base::disks::State;

use super::machine::{Device, HEADER_BYTES, Machine, PEOPLE, ran};

#[test]
fn much_less_than_the_disk_holds_is_not_saved_beside_it_unless_somebody_says_why() {
    let machine = Machine::new();
    machine.people(&format!(
        "with recursive n(id) as (select 1 union all select id + 1 from n where id < 20) {PEOPLE}"
    ));
    let device = machine.enrolled("disk-b", "image-b");
    let before = machine.hash("image-b");
    machine.people("delete from residents where id > 17");
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 1, "{errors}");
    assert!(
        errors.contains("住民が、ディスクの控えでは20件、今は17件"),
        "{errors}"
    );
    assert!(errors.contains("runbooks/disk-doubtful.md"), "{errors}");
    assert_eq!(
        machine.hash("image-b"),
        before,
        "compared, and not a byte changed"
    );
    assert!(machine.is_shut());
    assert_eq!(machine.state(&device), Some(State::Refused));
    assert!(
        machine
            .failing()
            .contains(&"backup_disk_failed_visits".to_owned())
    );
    let (code, visited, errors) = machine.disk(&["run", "--despite"], &device);
    assert_eq!((code, &visited["doubts"]), (0, &1.into()), "{errors}");
    assert_eq!(machine.failing(), [""; 0]);
    let despite = "backup disk run --despite／ディスク＝disk-b／住民が";
    assert_eq!(machine.entries(despite), 1);
}

#[test]
fn what_is_damaged_on_a_disk_is_found_before_anything_is_added() {
    let machine = Machine::new();
    let device = machine.enrolled("disk-b", "image-b");
    let (code, visited, errors) = machine.disk(&["run"], &device);
    assert_eq!((code, &visited["doubts"]), (0, &0.into()), "{errors}");
    let bent = |at: u64| {
        let image = File::options()
            .read(true)
            .write(true)
            .open(machine.path("image-b"))
            .unwrap();
        let mut byte = [0];
        image.read_at(&mut byte, at).unwrap();
        image.write_at(&[!byte[0]], at).unwrap();
    };
    let name = visited["snapshot"].as_str().unwrap().to_owned();
    let at = place_of_file(&machine, &device, &name);
    bent(at);
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_ne!(code, 0, "{errors}");
    assert!(machine.is_shut());
    assert_eq!(machine.state(&device), Some(State::Refused));
    assert!(
        machine
            .failing()
            .contains(&"backup_disk_failed_visits".to_owned())
    );
    bent(at);
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(machine.failing(), [""; 0]);
}

/// Where the bytes of a snapshot's file lie on the image.
fn place_of_file(machine: &Machine, device: &Device, snapshot: &str) -> u64 {
    let extents = machine.by_hand(device, "ro", |at| {
        let file = at.join("hokatsu/snapshots").join(snapshot);
        ran("xfs_bmap", &["-v", file.to_str().unwrap()])
    });
    // "0: [0..7]: 1234..1241 …": blocks of 512 bytes.
    let mut lines = extents.lines();
    let line = lines.find(|line| line.trim_start().starts_with("0:"));
    let blocks = line.unwrap().split_whitespace().nth(2).unwrap();
    let first: u64 = blocks.split("..").next().unwrap().parse().unwrap();
    HEADER_BYTES + first * 512 + 8
}

#[test]
fn a_disk_that_goes_away_or_turns_read_only_is_told_and_the_next_visit_goes_on() {
    let machine = Machine::new();
    let device = machine.enrolled("disk-b", "image-b");
    machine.put("mapper/fail", b"");
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("開けません"), "{errors}");
    assert!(errors.contains("新しい控えを取れませんでした"), "{errors}");
    assert!(machine.is_shut());
    drop(device);
    let path = machine.path("image-b");
    let read_only = ran(
        "losetup",
        &["--read-only", "--show", "-f", path.to_str().unwrap()],
    );
    let read_only = Device(PathBuf::from(read_only));
    let (code, _, errors) = machine.disk(&["run"], &read_only);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("runbooks/"), "{errors}");
    assert!(machine.is_shut());
    drop(read_only);
    let device = machine.plugged("image-b");
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn a_visit_that_is_killed_at_any_step_leaves_the_disk_as_good_as_before_and_the_next_goes_on() {
    let machine = Machine::new();
    let device = machine.enrolled("disk-b", "image-b");
    // Before it is opened, looked at, written to, shut after that, read back, shut for good.
    let steps = [
        "open",
        "mount look",
        "mount write",
        "unmount ",
        "mount read",
        "close ",
    ];
    for step in steps {
        machine.put("kill", step.as_bytes());
        let (_, killed) = machine.killed(&device);
        assert!(killed, "{step}: not killed");
    }
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("途中で止まっていました"), "{errors}");
    assert!(machine.is_shut());
    let (code, listed, errors) = machine.json(&["backup", "disk", "list"]);
    assert_eq!((code, &listed[0]["place"]), (0, &"here".into()), "{errors}");
    machine.by_hand(&device, "ro", |at| {
        let repository = at.join("hokatsu");
        let key = machine.path("keys/b");
        let words = [
            "--no-cache",
            "--no-lock",
            "-r",
            repository.to_str().unwrap(),
            "--password-file",
        ];
        ran(
            "restic",
            &[&words[..], &[key.to_str().unwrap(), "check", "--read-data"]].concat(),
        );
    });
}

#[test]
fn a_disk_that_is_pulled_while_it_is_written_to_or_read_back_is_told_and_nothing_is_lost() {
    let machine = Machine::new();
    let device = machine.enrolled("disk-b", "image-b");
    for (step, time) in [("mount write", 1), ("mount read", 1), ("mount read", 2)] {
        machine.at_step("pull", step, time);
        let (code, _, errors) = machine.disk(&["run"], &device);
        assert_eq!(code, 3, "{step}: {errors}");
        assert!(!machine.path("pull").exists(), "{step}: it was not pulled");
        assert!(
            errors.contains("新しい控えを取れませんでした"),
            "{step}: {errors}"
        );
        assert!(errors.contains("手順書: runbooks/"), "{step}: {errors}");
        assert!(machine.is_shut(), "{step}");
    }
    let (code, visited, errors) = machine.disk(&["run"], &device);
    assert_eq!((code, &visited["doubts"]), (0, &0.into()), "{errors}");
}

#[test]
fn a_full_disk_keeps_what_it_has_and_says_what_is_needed() {
    let machine = Machine::new();
    let device = machine.enrolled("disk-b", "image-b");
    machine.by_hand(&device, "rw", |at| {
        let free = base::paths::free_bytes(at).unwrap();
        let filler = at.join("filler");
        let file = filler.to_str().unwrap();
        ran("fallocate", &["-l", &(free - free / 50).to_string(), file]);
        let mut rest = File::create(at.join("rest")).unwrap();
        for size in [1 << 16, 4_096, 1] {
            while std::io::Write::write_all(&mut rest, &vec![0; size]).is_ok() {}
        }
    });
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("runbooks/disk-full.md"), "{errors}");
    assert!(machine.is_shut());
    machine.by_hand(&device, "rw", |at| {
        fs::remove_file(at.join("filler")).unwrap();
        fs::remove_file(at.join("rest")).unwrap();
    });
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn by_a_clock_that_is_not_believed_nothing_is_opened_until_somebody_says_why() {
    let machine = Machine::new();
    let device = machine.enrolled("disk-b", "image-b");
    let before = machine.hash("image-b");
    let at = Clock::system().now() + jiff::SignedDuration::from_hours(24 * 365);
    let records = Records::at(&machine.data.backup_records());
    records
        .append(&Record::new(Job::Run, "raid", at, at))
        .unwrap();
    let (code, _, errors) = machine.disk(&["run"], &device);
    assert!(
        code == 1 && errors.contains("runbooks/clock-wrong.md"),
        "{errors}"
    );
    assert_eq!(machine.hash("image-b"), before);
    let (code, _, errors) = machine.disk(&["run", "--despite"], &device);
    assert_eq!(code, 0, "{errors}");
}
