//! What the papers say, read back from the PDF: the application, the schedule, and certificates measured and reported.

use std::fs;
use std::path::{Path, PathBuf};

use crate::contract::{Contract, ONE_MIB, text, tool};

pub(crate) const PAPER: &str = "[[items]]\nmedium = \"紙の記録\"\ncontents = \"相談票の写し\"\namount = \"3箱\"\n\
                     method = \"溶融\"\nattendants = [\"課長 甲\", \"係長 乙\"]\n";

/// The words of a PDF, cell by cell, without the places where lines broke.
fn words(pdf: &Path) -> String {
    let told = tool("pdftotext", &["-raw", text(pdf), "-"]);
    told.chars().filter(|c| !c.is_whitespace()).collect()
}

fn holds(pdf: &Path, wanted: &[&str]) {
    let words = words(pdf);
    for one in wanted {
        let one: String = one.chars().filter(|c| !c.is_whitespace()).collect();
        assert!(
            words.contains(&one),
            "{one} is not in {}: {words}",
            pdf.display()
        );
    }
}

fn file(issued: &serde_json::Value) -> PathBuf {
    PathBuf::from(issued["certificates"][0]["file"].as_str().unwrap())
}

#[test]
fn the_application_has_what_the_contract_asks_for_and_the_hash_that_the_run_asks_for() {
    let contract = Contract::new();
    let image = contract.raw("disk.img", ONE_MIB);
    let plan = contract.plan(&[&image], PAPER);
    let serial = plan.serial(plan.number(&image));
    holds(
        &plan.application,
        &[
            "個人情報 消去・廃棄申請書",
            "第12条第2項",
            "みどり市長様",
            "架空システム株式会社",
            "媒体名・製造番号",
            "項目",
            "数量",
            "方法",
            "処理予定日",
            "立会人",
            &serial,
            "上書き消去",
            "紙の記録",
            "相談票の写し",
            "3箱",
            "溶融",
            "課長 甲、係長 乙",
            "承諾欄",
            &plan.sha256,
        ],
    );
    holds(
        &plan.schedule,
        &["撤去作業予定表", "紙の記録", "溶融", &serial],
    );
}

#[test]
fn a_measured_certificate_has_number_time_person_result_and_plan() {
    let contract = Contract::new();
    let image = contract.luks("disk.img");
    let plan = contract.plan(&[&image], "");
    let number = plan.number(&image);
    let (code, _, errors) = contract.run(&plan, number, &["--attendant", "課長 甲"]);
    assert_eq!(code, 0, "{errors}");
    let (code, issued, errors) = contract.certificate(&plan, number);
    assert_eq!(code, 0, "{errors}");
    let serial = plan.serial(number);
    holds(
        &file(&issued),
        &[
            "データ消去証明書",
            &serial,
            "33,554,432バイト",
            "LUKSの鍵をすべて破棄（1か所）",
            "試験 操作者",
            "立会人 課長 甲",
            "すべてのバイトが0",
            &plan.sha256,
            "SP 800-88",
        ],
    );
}

#[test]
fn paper_is_certified_as_reported_and_not_at_all_before() {
    let contract = Contract::new();
    let plan = contract.plan(&[], PAPER);
    let mut items = plan.items.iter();
    let number = items.find(|item| item["medium"] == "紙の記録").unwrap();
    let number = number["number"].as_u64().unwrap();
    let (code, _, errors) = contract.certificate(&plan, number);
    assert_eq!(code, 1);
    assert!(errors.contains("記録がありません"), "{errors}");
    assert!(!contract.root().join("certificates").exists());
    let (code, _, errors) = contract.run_typed(&plan, number, "x", &[]);
    assert_eq!(code, 2);
    assert!(errors.contains("erase record"), "{errors}");
    let (code, _, errors) = contract.report(&plan, number, &["--unattended", "休日のため"]);
    assert_eq!(code, 0, "{errors}");
    let (code, issued, errors) = contract.certificate(&plan, number);
    assert_eq!(code, 0, "{errors}");
    holds(
        &file(&issued),
        &[
            "報告に基づく",
            "測定していない",
            "架空リサイクル株式会社",
            "破砕証明書 第12号",
            "立会人なし（休日のため）",
        ],
    );
}

#[test]
fn a_wrong_line_of_the_list_is_told_and_nothing_is_written() {
    let contract = Contract::new();
    let (code, _, errors) = contract.planned(&[], "[[items]]\nmedium = \"紙\"\n");
    assert_eq!(code, 2);
    assert!(errors.contains("一覧の 5 行目"), "{errors}");
    assert!(errors.contains("「contents」がありません"), "{errors}");
    assert!(!contract.root().join("papers").exists());
}

#[test]
fn a_disk_that_is_away_needs_its_size_and_one_that_stays_is_named_with_the_reason() {
    let contract = Contract::new();
    let away =
        "[[devices]]\nserial = \"AWAY-1\"\nmedium = \"外付けディスクC\"\ncontents = \"控え\"\n";
    let (code, _, errors) = contract.planned(&[], away);
    assert_eq!(code, 2);
    assert!(
        errors.contains("一覧の 5 行目") && errors.contains("size_bytes"),
        "{errors}"
    );
    let plan = contract.plan(&[], &format!("{away}size_bytes = 2000398934016\n"));
    holds(
        &plan.application,
        &["外付けディスクC", "AWAY-1", "2,000,398,934,016"],
    );
    let mut items = plan.items.iter();
    let number = items
        .find(|item| item["medium"] == "外付けディスクC")
        .unwrap();
    let number = number["number"].as_u64().unwrap().to_string();
    let words = [
        "run",
        "--yes",
        "--plan",
        text(&plan.file),
        "--item",
        &number,
    ];
    let more = ["--sha256", &plan.sha256, "--confirm", "AWAY-1"];
    let (code, _, errors) = contract.erase(&[&words[..], &more[..]].concat());
    assert_eq!(code, 2);
    assert!(errors.contains("つながっていません"), "{errors}");

    let image = contract.raw("stick.img", ONE_MIB);
    let serial = plan_serial(&contract, &image);
    let rest =
        format!("[[devices]]\nserial = \"{serial}\"\nleave_out = \"この計画を入れるUSBメモリ\"\n");
    let plan = contract.plan(&[&image], &rest);
    holds(
        &plan.application,
        &["対象にしないもの", "この計画を入れるUSBメモリ"],
    );
    assert!(fs::metadata(&plan.file).is_ok());
}

fn plan_serial(contract: &Contract, image: &Path) -> String {
    let plan = contract.plan(&[image], "");
    plan.serial(plan.number(image))
}
