//! The end of the contract through the command, on images and loop devices that the suite made itself: what is
//! erased is gone from the raw bytes, what must not be erased is not, and nothing is certified that was not proven.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

mod contract;
mod papers;
mod refused;
mod unlucky;

use std::fs;
use std::time::Duration;

use base::clock::Clock;
use harness::process::{OPERATOR, prepared};
use serde_json::Value;
use store::{Actor, DataDir, Db, StoreError};

use crate::contract::{Contract, HEADER, MARKER, ONE_MIB, count};

#[test]
fn an_encrypted_image_has_neither_header_nor_content_left_and_is_certified() {
    let contract = Contract::new();
    let image = contract.luks("disk.img");
    assert_eq!(count(&image, HEADER), 2, "a header and its second copy");
    assert!(count(&image, MARKER) > 0);
    let plan = contract.plan(&[&image], "");
    let number = plan.number(&image);

    let (code, ran, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 0, "{errors}");
    let done = &ran["record"]["done"];
    assert_eq!(done["outcome"], "erased");
    assert_eq!(done["keys_destroyed"], 1);
    assert_eq!(done["verified_bytes"], fs::metadata(&image).unwrap().len());
    assert_eq!((count(&image, MARKER), count(&image, HEADER)), (0, 0));
    assert!(fs::read(&image).unwrap().iter().all(|byte| *byte == 0));
    assert!(errors.contains("残り"), "rate and time left: {errors}");

    let (code, issued, errors) = contract.certificate(&plan, number);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(issued["certificates"][0]["measured"], true);
}

#[test]
fn an_open_file_system_and_an_odd_length_are_erased_to_the_last_byte() {
    let contract = Contract::new();
    let image = contract.ext4("stick.img");
    // No multiple of any sector: its end cannot be read or written around the cache.
    let file = fs::OpenOptions::new().append(true).open(&image).unwrap();
    std::io::Write::write_all(&mut &file, MARKER).unwrap();
    assert!(count(&image, MARKER) > 1);
    let plan = contract.plan(&[&image], "");
    let (code, ran, errors) = contract.run(&plan, plan.number(&image), &[]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(ran["record"]["done"]["keys_destroyed"], 0);
    assert!(fs::read(&image).unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn one_that_was_killed_goes_on_where_it_was_flushed_and_reads_everything() {
    let contract = Contract::new();
    let image = contract.raw("large.img", 1024 * ONE_MIB);
    let plan = contract.plan(&[&image], "");
    let number = plan.number(&image);
    let mut child = contract.started(&plan, number);
    let state = contract
        .records()
        .join(format!("item-{number:03}.unfinished.json"));
    let written = || {
        let bytes = fs::read(&state).ok()?;
        let state: Value = serde_json::from_slice(&bytes).ok()?;
        state["written_bytes"].as_u64()
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(120);
    while written().unwrap_or(0) == 0 {
        assert!(std::time::Instant::now() < deadline, "it never began");
        std::thread::park_timeout(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let came_to = written().unwrap();
    assert!(came_to < 1024 * ONE_MIB, "killed too late: {came_to}");
    assert!(count(&image, MARKER) > 0, "the end is still there");
    let (code, _, errors) = contract.certificate(&plan, number);
    assert_eq!(code, 1, "{errors}");

    // What came back before the place where it goes on is found when everything is read.
    let (code, ran, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("前回の続きから"), "{errors}");
    assert_eq!(ran["record"]["done"]["sittings"], 2);
    assert_eq!(ran["record"]["done"]["written_bytes"], 1024 * ONE_MIB);
    assert_eq!(count(&image, MARKER), 0);
    assert!(!state.exists());
}

#[test]
fn what_is_written_behind_our_back_after_a_break_is_found_by_reading() {
    let contract = Contract::new();
    let image = contract.raw("disk.img", 96 * ONE_MIB);
    let plan = contract.plan(&[&image], "");
    let number = plan.number(&image);
    // As a run leaves it that was killed after everything was written, and the marker came back since.
    contract.unfinished(&plan, number, 96 * ONE_MIB);
    let (code, _, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("消去できていません"), "{errors}");
    assert!(errors.contains("物理的に破壊"), "{errors}");
    let record = contract.newest_record();
    assert_eq!(record["done"]["outcome"], "not-erased");
    assert_eq!(record["done"]["step"], "verify");
    assert_eq!(record["done"]["at_byte"], 0);
    // Tried again it begins anew.
    let (code, ran, errors) = contract.run(&plan, number, &[]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(ran["record"]["done"]["sittings"], 1);
    assert_eq!(count(&image, MARKER), 0);
    let (code, ..) = contract.certificate(&plan, number);
    assert_eq!(code, 0, "the newest record counts");
}

#[test]
fn while_there_is_an_access_log_it_says_who_erased_and_why_and_nothing_else() {
    let mut contract = Contract::new();
    let (data, _) = prepared(contract.root());
    contract.data = data.clone();
    let image = contract.raw("disk.img", ONE_MIB);
    let plan = contract.plan(&[&image], papers::PAPER);
    let number = plan.number(&image);
    let (code, _, errors) = contract.run(&plan, number, &["--attendant", "課長 甲"]);
    assert_eq!(code, 0, "{errors}");
    let (code, _, errors) = contract.certificate(&plan, number);
    assert_eq!(code, 0, "{errors}");
    let mut items = plan.items.iter();
    let paper = items.find(|item| item["medium"] == "紙の記録").unwrap();
    let paper = paper["number"].as_u64().unwrap();
    let (code, _, errors) = contract.report(&plan, paper, &["--unattended", "休日のため"]);
    assert_eq!(code, 0, "{errors}");
    let db = Db::open(&DataDir::new(&data), Clock::system()).unwrap();
    let count = |what: &str| {
        let sql = format!(
            "select count(*) from audit_entries where operation = 'console_use' and detail like \
             'erase {what}%操作者＝{OPERATOR}／操作の理由＝試験'"
        );
        db.read(&Actor::system("試験"), |tx| tx.count(&sql, []))
            .map_err(|error: StoreError| error)
            .unwrap()
    };
    assert_eq!(count("plan／計画＝E"), 1);
    assert_eq!(count("run 開始／計画＝E"), 1);
    assert_eq!(count("run 終了／計画＝E"), 1);
    assert_eq!(count("certificate／計画＝E"), 1);
    assert_eq!(count("record／計画＝E"), 1);
    db.close().unwrap();
}
