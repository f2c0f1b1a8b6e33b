//! The register and its door, through their own routes.

use std::time::Duration;

use base::command::{Spec, run};
use base::paths::{MODE_PRIVATE, write_atomic};
use jiff::SignedDuration;
use store::Actor;

use super::{Console, register};
use crate::features::staff::tests::house::{Browser, DOOR, House, Page, between};
use crate::web::{Fields, Role, sealed};

const LOG: &str = "/access-log/export";

fn house() -> House {
    let house = House::new();
    house.add("admin", Role::SystemAdmin, None);
    house.add("city", Role::CityLongevity, None);
    house.add("chief", Role::CentreManager, Some("0101"));
    house.add("nurse", Role::Nurse, Some("0101"));
    house.add("other", Role::CentreManager, Some("0102"));
    house
}

/// A stick taken to a meeting, due in a week.
const STICK: &[(&str, &str)] = &[
    ("taken_on", "R8.11.24"),
    ("what", "会議資料"),
    ("persons", "１２人"),
    ("purpose", "02"),
    ("destination", "市役所 会議室"),
    ("medium", "01"),
    ("medium_note", "USB-03"),
    ("carried_by", "試験 nurse"),
    ("encrypted", "yes"),
    ("due_on", "R8.12.1"),
];

fn with<'f>(
    fields: &[(&'f str, &'f str)],
    changes: &[(&'f str, &'f str)],
) -> Vec<(&'f str, &'f str)> {
    let kept = fields
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    kept.chain(changes).copied().collect()
}

fn registered(browser: &Browser<'_>, fields: &[(&str, &str)]) -> String {
    browser.get("/carried-out/new");
    let page = browser.post("/carried-out", fields);
    assert_eq!(page.status, 303, "{}", page.text());
    let location = page.header("location");
    between(location, "/carried-out/", "?").unwrap()
}

fn detail(house: &House, operation: &str) -> String {
    let sql = "select detail from audit_entries where operation = ?1 order by id desc limit 1";
    let read = |tx: &store::ReadTx<'_>| tx.one(sql, [operation], |row| row.get(0));
    let found = house.db().read(&Actor::system("試験"), read);
    found
        .map_err(|error: store::StoreError| error)
        .unwrap()
        .unwrap_or_default()
}

fn file_of(page: &Page) -> &str {
    page.header("content-disposition")
}

#[test]
fn the_door_tells_what_would_leave_and_gives_nothing_yet() {
    let house = house();
    house.resident(1, "1930-01-01", "0101", "1");
    let admin = house.signed_in("admin");
    let page = admin.get(LOG);
    assert_eq!((page.status, file_of(&page)), (200, ""));
    let text = page.text();
    assert!(text.contains("アクセスログを持ち出す"), "{text}");
    assert!(text.contains("0人分の個人情報"), "{text}");
    let passphrase = between(
        &page.body,
        "name=\"passphrase\" type=\"text\" class=\"num\" value=\"",
        "\"",
    );
    let passphrase = passphrase.unwrap();
    assert_eq!(sealed::weakness(&passphrase), None);
    assert!(text.contains(&sealed::reading(&passphrase).unwrap()));
    let again = admin.get(LOG);
    assert!(!again.body.contains(&passphrase), "it is shown once");
    assert_eq!(house.count("select count(*) from carried_out"), 0);
}

#[test]
fn a_locked_file_leaves_with_its_entry_and_opens_with_the_passphrase_only() {
    let house = house();
    let admin = house.signed_in("admin");
    admin.get(LOG);
    let passphrase = "Sakura-namiki-2026";
    let fields = with(
        DOOR,
        &[
            ("encrypted", "yes"),
            ("passphrase", passphrase),
            ("protection", ""),
        ],
    );
    let page = admin.post(LOG, &fields);
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.header("content-type"), "application/zip");
    assert_eq!(
        file_of(&page),
        "attachment; filename=\"access-log-20261124-1.zip\""
    );
    let dir = tempfile::tempdir().unwrap();
    write_atomic(&dir.path().join("a.zip"), &page.bytes, MODE_PRIVATE).unwrap();
    let program = ["/usr/bin/7zz", "/usr/bin/7z"];
    let program = program
        .iter()
        .find(|path| std::path::Path::new(path).exists());
    let open = |words: &str| {
        let spec = Spec::new(program.unwrap(), Duration::from_secs(30)).dir(dir.path());
        let args = ["t".to_owned(), format!("-p{words}"), "a.zip".to_owned()];
        run(&spec.args(args)).unwrap().status.code()
    };
    assert_eq!(
        (open(passphrase), open("Sakura-namiki-2027")),
        (Some(0), Some(2))
    );
    let hash = data_encoding::HEXLOWER
        .encode(ring::digest::digest(&ring::digest::SHA256, &page.bytes).as_ref());
    let shown = admin.get("/carried-out/1").text();
    assert!(
        shown.contains(&hash) && shown.contains("access-log-20261124-1.zip"),
        "{shown}"
    );
    assert!(shown.contains("暗号化あり"), "{shown}");
    let kept = "select count(*) from audit_entries where detail like '%Sakura-namiki%'";
    assert_eq!(house.count(kept), 0, "a passphrase is kept nowhere");
    let told = detail(&house, "carry_out");
    assert!(
        told.starts_with("アクセスログ／人数＝0／目的＝市への報告・提出／媒体＝紙"),
        "{told}"
    );
    assert!(told.ends_with("暗号化＝あり／期限＝渡したまま"), "{told}");
}

#[test]
fn what_is_missing_is_told_at_the_field_and_no_file_leaves() {
    let house = house();
    let admin = house.signed_in("admin");
    admin.get(LOG);
    let page = admin.post(LOG, &[("encrypted", "yes"), ("passphrase", "短い")]);
    assert_eq!((page.status, file_of(&page)), (422, ""));
    for field in [
        "purpose",
        "destination",
        "medium",
        "carried_by",
        "passphrase",
        "due_on",
    ] {
        assert!(page.body.contains(&format!("href=\"#{field}\"")), "{field}");
    }
    let mail = with(DOOR, &[("medium", "05")]);
    let page = admin.post(LOG, &mail);
    assert_eq!(page.status, 422);
    assert!(page.text().contains("かならず暗号化してください"));
    let bare = with(DOOR, &[("protection", "")]);
    assert!(admin.post(LOG, &bare).body.contains("href=\"#protection\""));
    let other = with(DOOR, &[("purpose", "99")]);
    assert!(
        admin
            .post(LOG, &other)
            .body
            .contains("href=\"#purpose_note\"")
    );
    assert_eq!(house.count("select count(*) from carried_out"), 0);
    let exports = "select count(*) from audit_entries where operation = 'access_log_export'";
    assert_eq!(house.count(exports), 0);
}

#[test]
fn a_double_click_gives_the_file_twice_and_makes_one_entry() {
    let house = house();
    let admin = house.signed_in("admin");
    let page = admin.get(LOG);
    let submission = between(&page.body, "name=\"submission\" value=\"", "\"").unwrap();
    let fields = with(DOOR, &[("submission", submission.as_str())]);
    for _ in 0..2 {
        let page = admin.post(LOG, &fields);
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(file_of(&page).contains("access-log-20261124-1.csv"));
    }
    assert_eq!(house.count("select count(*) from carried_out"), 1);
    assert_eq!(house.count("select count(*) from carried_out_files"), 2);
    // Other words under the same form would leave the register telling the wrong destination.
    let elsewhere = with(&fields, &[("destination", "自宅")]);
    let page = admin.post(LOG, &elsewhere);
    assert_eq!((page.status, file_of(&page)), (409, ""));
    house.hand.step(SignedDuration::from_mins(11));
    let page = admin.post(LOG, &fields);
    assert_eq!((page.status, file_of(&page)), (409, ""));
    assert_eq!(house.count("select count(*) from carried_out_files"), 2);
}

#[test]
fn a_stick_is_registered_by_hand_once_and_found_in_the_list() {
    let house = house();
    let nurse = house.signed_in("nurse");
    let page = nurse.get("/carried-out/new");
    let submission = between(&page.body, "name=\"submission\" value=\"", "\"").unwrap();
    let fields = with(STICK, &[("submission", submission.as_str())]);
    assert_eq!(nurse.post("/carried-out", &fields).status, 303);
    let again = nurse.post("/carried-out", &fields);
    assert!(again.header("location").ends_with("?done=again"));
    let list = nurse.get("/carried-out").text();
    for word in [
        "会議資料",
        "12",
        "USBメモリ：USB-03",
        "市役所 会議室",
        "R8.12.1",
        "持出し中",
    ] {
        assert!(list.contains(word), "{word}: {list}");
    }
    assert_eq!(house.count("select count(*) from carried_out"), 1);
}

#[test]
fn what_was_typed_stays_when_the_form_is_refused() {
    let house = house();
    let nurse = house.signed_in("nurse");
    nurse.get("/carried-out/new");
    let long = "あ".repeat(201);
    let wrong = [
        ("taken_on", "R8.11.25"),
        ("persons", "たくさん"),
        ("due_on", "R8.11.1"),
        ("destination", long.as_str()),
        ("encrypted", "no"),
    ];
    let page = nurse.post("/carried-out", &with(STICK, &wrong));
    assert_eq!(page.status, 422);
    for field in ["taken_on", "persons", "due_on", "destination", "protection"] {
        assert!(page.body.contains(&format!("href=\"#{field}\"")), "{field}");
    }
    assert!(page.body.contains(&long) && page.body.contains("たくさん"));
    assert_eq!(house.count("select count(*) from carried_out"), 0);
}

#[test]
fn overdue_ones_are_counted_listed_and_gone_when_they_came_back() {
    let house = house();
    let chief = house.signed_in("chief");
    let id = registered(&chief, STICK);
    assert!(
        chief
            .get("/carried-out?state=overdue")
            .text()
            .contains("この条件の持出しはありません")
    );
    house.hand.step(SignedDuration::from_hours(24 * 9));
    let chief = house.signed_in("chief");
    let list = chief.get("/carried-out?state=overdue");
    assert!(list.text().contains("2日超過"), "{}", list.text());
    assert!(chief.get("/").text().contains("期限を過ぎた持出し"));
    let address = format!("/carried-out/{id}/ending");
    chief.get(&address);
    let refused = chief.post(&address, &[("kind", "disposed"), ("ended_on", "R8.11.1")]);
    assert_eq!(refused.status, 422);
    for field in ["ended_on", "handled_by", "method"] {
        assert!(
            refused.body.contains(&format!("href=\"#{field}\"")),
            "{field}"
        );
    }
    let ended = [
        ("kind", "disposed"),
        ("ended_on", "R8.12.2"),
        ("handled_by", "試験 chief"),
        ("method", "物理的破壊"),
        ("certificate", "第12号"),
    ];
    assert_eq!(chief.post(&address, &ended).status, 303);
    assert!(
        chief
            .get("/carried-out?state=ended")
            .text()
            .contains("廃棄済み")
    );
    assert!(!chief.get("/").text().contains("期限を過ぎた持出し"));
    let told = detail(&house, "carry_out_end");
    assert!(
        told.starts_with("状態：期限切れ→廃棄／日＝2026-12-02"),
        "{told}"
    );
    // The same form again: somebody was faster.
    assert_eq!(chief.post(&address, &ended).status, 409);
    let back = [("kind", "open"), ("reason", "別のUSBだった")];
    assert_eq!(chief.post(&address, &back).status, 303);
    assert!(
        chief
            .get("/carried-out?state=overdue")
            .text()
            .contains("会議資料")
    );
    let shown = chief.get(&format!("/carried-out/{id}")).text();
    assert!(
        shown.contains("別のUSBだった") && shown.contains("第12号"),
        "{shown}"
    );
}

#[test]
fn a_correction_keeps_the_former_words_and_says_old_and_new() {
    let house = house();
    let nurse = house.signed_in("nurse");
    let id = registered(&nurse, STICK);
    let address = format!("/carried-out/{id}/versions");
    nurse.get(&format!("/carried-out/{id}/edit"));
    let changed = [
        ("destination", "包括 第一会議室"),
        ("due_on", "R8.12.5"),
        ("base_version", "1"),
    ];
    let without = nurse.post(&address, &with(STICK, &changed));
    assert_eq!(without.status, 422, "a reason is asked for");
    let with_reason = with(&with(STICK, &changed), &[("reason", "行き先の変更")]);
    assert_eq!(nurse.post(&address, &with_reason).status, 303);
    assert_eq!(
        detail(&house, "carry_out_correct"),
        "持出し先：市役所 会議室→包括 第一会議室／返却・廃棄の期限：R8.12.1→R8.12.5／理由＝行き先の変更"
    );
    let shown = nurse.get(&format!("/carried-out/{id}")).text();
    assert!(
        shown.contains("包括 第一会議室") && shown.contains("第1版"),
        "{shown}"
    );
    // Somebody who opened the form before that meets 409 and finds her words.
    let late = with(
        &with_reason,
        &[("destination", "県庁"), ("due_on", "R8.12.6")],
    );
    let page = nurse.post(&address, &late);
    assert_eq!(page.status, 409);
    assert!(page.body.contains("県庁"));
    // The very same correction again changes nothing.
    assert!(
        nurse
            .post(&address, &with_reason)
            .header("location")
            .ends_with("again")
    );
    assert_eq!(house.count("select count(*) from carried_out_versions"), 2);
}

#[test]
fn a_withdrawn_entry_is_read_and_never_changed() {
    let house = house();
    let nurse = house.signed_in("nurse");
    let id = registered(&nurse, STICK);
    let address = format!("/carried-out/{id}/withdrawal");
    nurse.get(&address);
    assert_eq!(nurse.post(&address, &[("reason", " ")]).status, 422);
    assert_eq!(
        nurse.post(&address, &[("reason", "二重に登録")]).status,
        303
    );
    assert!(!nurse.get("/carried-out").text().contains("会議資料"));
    assert!(
        nurse
            .get("/carried-out?state=all")
            .text()
            .contains("取下げ")
    );
    let shown = nurse.get(&format!("/carried-out/{id}")).text();
    assert!(shown.contains("取り下げられています") && shown.contains("二重に登録"));
    for step in ["edit", "ending", "withdrawal"] {
        assert_eq!(
            nurse.get(&format!("/carried-out/{id}/{step}")).status,
            409,
            "{step}"
        );
    }
}

#[test]
fn everybody_sees_her_own_the_manager_her_centre_and_the_city_everything() {
    let house = house();
    let mine = registered(&house.signed_in("nurse"), STICK);
    let theirs = registered(
        &house.signed_in("other"),
        &with(STICK, &[("what", "隣の資料")]),
    );
    let city = registered(
        &house.signed_in("city"),
        &with(STICK, &[("what", "市の資料")]),
    );
    let sees = |login: &str| {
        let browser = house.signed_in(login);
        [&mine, &theirs, &city].map(|id| browser.get(&format!("/carried-out/{id}")).status)
    };
    assert_eq!(sees("nurse"), [200, 404, 404]);
    assert_eq!(sees("chief"), [200, 404, 404]);
    assert_eq!(sees("other"), [404, 200, 404]);
    assert_eq!(sees("city"), [200, 200, 200]);
    assert_eq!(sees("admin"), [200, 200, 200]);
    let list = house.signed_in("other").get("/carried-out").text();
    assert!(list.contains("隣の資料") && !list.contains("会議資料") && !list.contains("市の資料"));
    // The system administrator reads and changes nothing of others.
    let admin = house.signed_in("admin");
    assert_eq!(admin.get(&format!("/carried-out/{mine}/edit")).status, 403);
    let chief = house.signed_in("chief");
    assert_eq!(chief.get(&format!("/carried-out/{mine}/edit")).status, 200);
    assert_eq!(
        house.signed_in("nurse").get("/carried-out/export").status,
        403
    );
}

#[test]
fn the_register_leaves_through_its_own_door_and_prints() {
    let house = house();
    let chief = house.signed_in("chief");
    registered(&chief, STICK);
    let file = chief.take_out("/carried-out/export?state=out");
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        file.body.contains("1,R8.11.24,会議資料,12,"),
        "{}",
        file.body
    );
    assert_eq!(house.count("select count(*) from carried_out"), 2);
    let print = chief.get("/carried-out/register.pdf");
    assert_eq!(print.status, 200, "{}", print.text());
    assert!(print.bytes.starts_with(b"%PDF") && file_of(&print).starts_with("inline"));
    let printed = "select count(*) from audit_entries where operation = 'carried_out_print'";
    assert_eq!(house.count(printed), 2);
}

#[test]
fn the_console_registers_a_backup_disk_by_the_rules_of_the_page() {
    let house = house();
    let actor = Actor {
        operator: Some(store::Operator {
            name: "保守 次郎".to_owned(),
            reason: "ディスクの交換".to_owned(),
        }),
        ..Actor::system("コマンド carried-out add")
    };
    let console = |submission| Console {
        db: house.db(),
        actor: &actor,
        operator: "保守 次郎",
        submission,
    };
    let disk = with(
        STICK,
        &[
            ("what", "バックアップディスク"),
            ("medium", "02"),
            ("purpose", "07"),
        ],
    );
    let fields = |pairs: &[(&str, &str)]| Fields::from_pairs(pairs.iter().copied()).unwrap();
    let made = register(console("a"), &fields(&disk)).unwrap();
    assert!(made.is_ok());
    let problems = register(console("b"), &fields(&[])).unwrap().unwrap_err();
    assert!(problems.iter().any(|problem| problem.field == "what"));
    let told = detail(&house, "carry_out");
    assert!(
        told.contains("バックアップディスク") && told.contains("操作者＝保守 次郎"),
        "{told}"
    );
    let list = house.signed_in("city").get("/carried-out").text();
    assert!(list.contains("外付けHDD") && list.contains("バックアップディスク"));
    let nothing = house.signed_in("chief").get("/carried-out").text();
    assert!(!nothing.contains("バックアップディスク"));
}
