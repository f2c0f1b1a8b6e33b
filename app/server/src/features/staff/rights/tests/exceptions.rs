//! One person's exceptions, and the page that says why.

use super::{Desk, dated, input};

const GIVEN: [(&str, &str); 3] = [
    ("permission", "access_log_view"),
    ("granted", "yes"),
    ("ends_on", "R8.11.30"),
];

#[test]
fn an_exception_begins_and_ends_by_itself_and_the_page_says_why() {
    let desk = Desk::new();
    let admin = desk.admin();
    let fields = dated(&GIVEN, "R8.11.25", "監査の手伝い");
    assert_eq!(desk.except(&admin, desk.nurse, &fields).status, 303);
    assert_eq!(
        desk.detail("staff_right_add"),
        "職員＝試験 nurse／前＝アクセスログを見る：できない／\
         後＝アクセスログを見る：できる（2026-11-25～2026-11-30）／理由＝監査の手伝い"
    );
    let opens = || desk.house.signed_in("nurse").get("/access-log").status;
    assert_eq!(opens(), 403);
    desk.step_days(1);
    assert_eq!(opens(), 200);
    let why = |day: &str| {
        let admin = desk.admin();
        admin
            .get(&format!("/staff/{}/rights?on={day}", desk.nurse))
            .text()
    };
    let text = why("R8.11.25");
    for words in [
        "個人の例外：R8.11.25 ～ R8.11.30",
        "監査の手伝い",
        "（役割ではできない）",
        "役割「保健師・看護師」：出荷時の表",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!why("R8.12.1").contains("（役割ではできない）"));
    assert!(why("R8.3.31").contains("この日の所属はありません"));
    desk.step_days(6);
    assert_eq!(opens(), 403);
}

#[test]
fn the_page_of_a_person_is_for_those_who_see_staff_and_a_strange_day_is_told() {
    let desk = Desk::new();
    let path = format!("/staff/{}/rights", desk.nurse);
    let city = desk.house.signed_in("choju");
    let page = city.get(&path);
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("/exceptions/new"));
    assert!(page.text().contains("が担当する住民"));
    assert_eq!(city.get(&format!("{path}?on=nie")).status, 422);
    assert_eq!(city.get("/staff/999/rights").status, 404);
    assert_eq!(desk.house.signed_in("nurse").get(&path).status, 403);
}

#[test]
fn what_is_wrong_with_an_exception_is_said() {
    let desk = Desk::new();
    let admin = desk.admin();
    let given = |ends_on: &'static str| [GIVEN[0], GIVEN[1], ("ends_on", ends_on)];
    let cases = [
        (
            dated(&given(""), "R8.11.25", "理由"),
            "最後の日を入力してください",
        ),
        (
            dated(&given("R8.11.24"), "R8.11.25", "理由"),
            "始まりの日より前です",
        ),
        (
            dated(&given("R9.12.1"), "R8.11.25", "理由"),
            "例外は1年までです",
        ),
        (dated(&GIVEN, "R8.11.23", "理由"), "今日から"),
        (
            dated(&GIVEN[..1], "R8.11.25", "理由"),
            "できなくするかを選んでください",
        ),
        (
            dated(&[("permission", "root"), GIVEN[1]], "R8.11.25", "理由"),
            "権限を選んでください",
        ),
        (
            dated(
                &[("permission", "signed_in"), ("granted", "no")],
                "R8.11.25",
                "理由",
            ),
            "権限を選んで",
        ),
    ];
    for (fields, words) in cases {
        let page = desk.except(&admin, desk.nurse, &fields);
        assert_eq!(page.status, 422, "{words}");
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert_eq!(desk.entries("staff_right_add", "done"), 0);
}

#[test]
fn two_exceptions_of_one_permission_never_share_a_day_and_one_ends_early() {
    let desk = Desk::new();
    let admin = desk.admin();
    let fields = dated(&GIVEN, "R8.11.24", "手伝い");
    assert_eq!(desk.except(&admin, desk.nurse, &fields).status, 303);
    let opens = || desk.house.signed_in("nurse").get("/access-log").status;
    assert_eq!(opens(), 200);
    let second = dated(&GIVEN, "R8.11.30", "もう一度");
    let page = desk.except(&admin, desk.nurse, &second);
    assert_eq!(page.status, 422);
    assert!(page.text().contains("期間が重なります"));
    let id = desk.house.count("select max(id) from staff_rights");
    let place = format!("/staff/{}/exceptions/{id}/ending", desk.nurse);
    let seen = input(&admin.get(&place), "seen");
    let later = [
        ("kind", "day"),
        ("ends_on", "R8.12.24"),
        ("reason", "延ばす"),
        ("seen", &seen),
    ];
    assert_eq!(admin.post(&place, &later).status, 422);
    let past = [
        ("kind", "day"),
        ("ends_on", "R8.11.20"),
        ("reason", "前から"),
        ("seen", &seen),
    ];
    assert_eq!(admin.post(&place, &past).status, 422);
    let now = [("kind", "now"), ("reason", "復職"), ("seen", seen.as_str())];
    assert_eq!(admin.post(&place, &now).status, 303);
    assert_eq!(opens(), 403);
    assert!(
        desk.detail("staff_right_end")
            .contains("／後＝取りやめ／理由＝復職")
    );
    let twice = admin.post(&place, &now);
    assert!(twice.header("location").ends_with("?done=again"));
    // Somebody else's exception is not ended under this person's address.
    let foreign = format!("/staff/{}/exceptions/{id}/ending", desk.admin);
    assert_eq!(admin.post(&foreign, &now).status, 404);
}

#[test]
fn the_report_of_a_day_names_rights_and_exceptions_in_every_form() {
    let desk = Desk::new();
    let admin = desk.admin();
    let fields = dated(&GIVEN, "R8.11.25", "監査の手伝い");
    assert_eq!(desk.except(&admin, desk.nurse, &fields).status, 303);
    let of = |day: &str| {
        admin
            .take_out(&format!("/staff/report/export?on={day}"))
            .body
    };
    let line = |day: &str| {
        let body = of(day);
        let found = body.lines().find(|line| line.contains(",nurse,"));
        found.unwrap_or_default().to_owned()
    };
    assert!(
        line("R8.11.24").contains("住民をさがす") && !line("R8.11.24").contains("アクセスログ")
    );
    let with = line("R8.11.25");
    assert!(
        with.contains("アクセスログを見る：できる（R8.11.25 ～ R8.11.30）"),
        "{with}"
    );
    assert!(!line("R8.12.1").contains("アクセスログ"));
    let page = admin.get("/staff/report?on=R8.11.25").text();
    assert!(page.contains("監査の手伝い") && page.contains("二人目として承認する"));
    let sent = admin.take_out("/staff/report/export?on=R8.11.25&kind=xlsx");
    assert_eq!(sent.status, 200);
    assert!(sent.header("content-disposition").contains(".xlsx"));
    // A workbook is a ZIP.
    assert!(sent.bytes.starts_with(b"PK"));
    let printed = admin.get("/staff/report.pdf?on=R8.11.25");
    assert_eq!(printed.header("content-type"), "application/pdf");
    for path in ["report/export", "report.pdf"] {
        let odd = admin.get(&format!("/staff/{path}?on=nie"));
        assert_eq!(odd.status, 422, "{path}");
    }
}

#[test]
fn nobody_gives_herself_an_exception_and_the_try_is_written_down() {
    let desk = Desk::new();
    let admin = desk.admin();
    let place = format!("/staff/{}/exceptions", desk.admin);
    assert_eq!(admin.get(&format!("{place}/new")).status, 403);
    let fields = dated(&GIVEN, "R8.11.25", "自分に");
    assert_eq!(admin.post(&place, &fields).status, 403);
    assert_eq!(desk.entries("staff_right_add", "refused"), 1);
    assert_eq!(desk.house.count("select count(*) from staff_rights"), 0);
}
