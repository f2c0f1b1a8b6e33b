//! What must not be erased is not: another disk, one that is in use, another plan.

use std::fs;

use base::paths::{MODE_PRIVATE, write_atomic};

use crate::contract::{Contract, Loop, MARKER, ONE_MIB, count, text};

const SIZE: u64 = 4 * ONE_MIB;

#[test]
fn another_number_typed_or_another_file_of_the_same_name_is_left_alone() {
    let contract = Contract::new();
    let image = contract.raw("disk.img", SIZE);
    let plan = contract.plan(&[&image], "");
    let number = plan.number(&image);
    let (code, _, errors) = contract.run_typed(&plan, number, "WD-0000", &[]);
    assert_eq!(code, 2);
    assert!(
        errors.contains("製造番号が、計画の装置と違います"),
        "{errors}"
    );
    assert!(errors.contains("runbooks/end-of-contract.md"), "{errors}");

    let other = contract.raw("other.img", SIZE);
    fs::rename(&other, &image).unwrap();
    let before = count(&image, MARKER);
    let (code, _, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 2);
    assert!(
        errors.contains("計画の") && errors.contains("と違います"),
        "{errors}"
    );
    assert_eq!(count(&image, MARKER), before);
    assert!(!contract.records().exists(), "nothing was begun");
}

#[test]
fn another_size_is_left_alone() {
    let contract = Contract::new();
    let image = contract.raw("disk.img", SIZE);
    let plan = contract.plan(&[&image], "");
    let file = fs::OpenOptions::new().write(true).open(&image).unwrap();
    file.set_len(SIZE + 512).unwrap();
    let before = count(&image, MARKER);
    let (code, _, errors) = contract.run(&plan, plan.number(&image), &[]);
    assert_eq!(code, 2);
    assert!(errors.contains("大きさは 4194816 バイト"), "{errors}");
    assert_eq!(count(&image, MARKER), before);
}

#[test]
fn a_mounted_device_is_left_alone_and_told_by_what_uses_it() {
    let contract = Contract::new();
    let image = contract.ext4("disk.img");
    let mut device = Loop::of(&image, &[]);
    let plan = contract.plan(&[&image, &device.device], "");
    let (of_file, of_loop) = (plan.number(&image), plan.number(&device.device));
    // Behind the back of whoever holds the loop device.
    let (code, _, errors) = contract.run(&plan, of_file, &[]);
    assert_eq!(code, 2);
    assert!(errors.contains(text(&device.device)), "{errors}");
    let at = contract.root().join("mounted");
    device.mount(&at);
    let (code, _, errors) = contract.run(&plan, of_loop, &[]);
    assert_eq!(code, 2);
    let told = format!("{} にマウント中", at.display());
    assert!(errors.contains(&told), "{errors}");
    assert_eq!(fs::read(at.join("record")).unwrap(), MARKER);
}

#[test]
fn a_loop_device_that_nobody_uses_is_erased_and_a_read_only_one_is_told() {
    let contract = Contract::new();
    let image = contract.raw("disk.img", SIZE);
    {
        let device = Loop::of(&image, &["--read-only"]);
        let plan = contract.plan(&[&device.device], "");
        let (code, _, errors) = contract.run(&plan, plan.number(&device.device), &[]);
        assert_eq!(code, 2);
        assert!(errors.contains("書込み禁止"), "{errors}");
        assert!(count(&image, MARKER) > 0);
    }
    let device = Loop::of(&image, &[]);
    let plan = contract.plan(&[&device.device], "");
    let (code, _, errors) = contract.run(&plan, plan.number(&device.device), &[]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(count(&image, MARKER), 0);
}

#[test]
fn a_plan_that_was_changed_after_it_was_agreed_to_erases_nothing() {
    let contract = Contract::new();
    let image = contract.raw("disk.img", SIZE);
    let plan = contract.plan(&[&image], "");
    let number = plan.number(&image);
    let changed = fs::read_to_string(&plan.file).unwrap();
    let changed = changed.replace("みどり市長", "みどり市長 ");
    write_atomic(&plan.file, changed.as_bytes(), MODE_PRIVATE).unwrap();
    let (code, _, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("承諾された申請書のものではありません"),
        "{errors}"
    );
    let (code, _, errors) = contract.report(&plan, number, &[]);
    assert_eq!(code, 1, "{errors}");
    assert!(count(&image, MARKER) > 0);

    write_atomic(&plan.file, b"{\"format\": 1}", MODE_PRIVATE).unwrap();
    let (code, _, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 2);
    assert!(
        errors.contains("ファイルの中身が正しくありません"),
        "{errors}"
    );
}

#[test]
fn a_file_is_erased_only_when_a_file_is_meant_and_a_dry_run_changes_nothing() {
    let contract = Contract::new();
    let image = contract.raw("disk.img", SIZE);
    let plan = contract.plan(&[&image], "");
    let number = plan.number(&image);
    let (code, shown, errors) = contract.run(&plan, number, &["--dry-run"]);
    assert_eq!((code, &shown["dry_run"]), (0, &true.into()), "{errors}");
    let number = number.to_string();
    let serial = plan.serial(plan.number(&image));
    let words = [
        "run",
        "--yes",
        "--plan",
        text(&plan.file),
        "--item",
        &number,
    ];
    let more = ["--sha256", &plan.sha256, "--confirm", &serial];
    let (code, _, errors) = contract.erase(&[&words[..], &more[..]].concat());
    assert_eq!(code, 2);
    assert!(errors.contains("--image"), "{errors}");
    // Nobody there to type the number of the disk, or the beginning of the hash.
    let words = [
        "run",
        "--yes",
        "--image",
        "--plan",
        text(&plan.file),
        "--item",
        &number,
    ];
    let (code, _, errors) = contract.erase(&words);
    assert_eq!(code, 2);
    assert!(errors.contains("--sha256"), "{errors}");
    let (code, _, errors) = contract.erase(&[&words[..], &["--sha256", &plan.sha256]].concat());
    assert_eq!(code, 2);
    assert!(errors.contains("--confirm"), "{errors}");
    assert!(count(&image, MARKER) > 0 && !contract.records().exists());
}

#[test]
fn planned_witnesses_are_there_or_it_is_said_why_not() {
    let contract = Contract::new();
    let image = contract.raw("disk.img", SIZE);
    let said = contract.plan(&[&image], "");
    let serial = said.serial(said.number(&image));
    let rest = format!("[[devices]]\nserial = \"{serial}\"\nattendants = [\"課長 甲\"]\n");
    let plan = contract.plan(&[&image], &rest);
    let number = plan.number(&image);
    let (code, _, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 2);
    assert!(errors.contains("課長 甲 が立ち会います"), "{errors}");
    let (code, ran, errors) = contract.run(&plan, number, &["--attendant", "係長 乙"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(ran["record"]["attendants"][0], "係長 乙");
}
