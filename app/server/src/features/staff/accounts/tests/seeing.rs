//! Who may see what of staff: list, report, rights.

use super::{Desk, MOVE, THERE, hanako, with};
use crate::features::staff::tests::house::between;
use crate::web::Role;

#[test]
fn the_city_sees_and_may_not_change_and_a_centre_sees_nothing() {
    let desk = Desk::new();
    let city = desk.house.signed_in("choju");
    let list = city.get("/staff");
    assert_eq!(list.status, 200);
    assert!(list.text().contains("試験 nurse") && !list.text().contains("職員を登録する"));
    let person = desk.page(&city, "");
    assert_eq!(person.status, 200);
    assert!(!person.body.contains("/posts/new") && !person.body.contains("/unlock"));
    assert_eq!(city.get("/staff/report").status, 200);
    let centre = desk.house.signed_in("nurse");
    for path in [
        "/staff",
        "/staff/report",
        "/staff/report/export",
        "/staff/new",
    ] {
        assert_eq!(centre.get(path).status, 403, "{path}");
    }
    assert!(!centre.get("/").body.contains("href=\"/staff\""));
    for act in [
        "posts",
        "ending",
        "password-reset",
        "unlock",
        "sessions-end",
    ] {
        let path = format!("/staff/{}/{act}", desk.admin);
        assert_eq!(city.post(&path, &MOVE).status, 403, "{act}");
        assert_eq!(centre.post(&path, &MOVE).status, 403, "{act}");
    }
    assert_eq!(city.post("/staff", &hanako("R8.11.24")).status, 403);
    assert_eq!(desk.entries("password_reset", "done"), 0);
}

#[test]
fn the_list_is_narrowed_by_centre_role_state_and_words() {
    let desk = Desk::new();
    desk.house.add("there", Role::Nurse, Some(THERE));
    let admin = desk.admin();
    admin.get("/staff/new");
    admin.post("/staff", &hanako("R8.11.24"));
    let total = |query: &str| {
        let page = admin.get(&format!("/staff?{query}"));
        assert_eq!(page.status, 200, "{query}");
        between(&page.body, "ページ\">\n<p>", "件").unwrap_or_else(|| "0".to_owned())
    };
    let cases = [
        ("", "5"),
        ("centre=city", "2"),
        ("centre=0101", "2"),
        ("role=nurse", "2"),
        ("role=nurse&centre=0102", "1"),
        ("state=planned", "0"),
        ("state=", "5"),
        ("text=%E3%81%8B%E3%81%8F%E3%81%86%20%E3%81%AF%E3%81%AA", "1"),
        ("text=%E6%9E%B6%E7%A9%BA%E8%8A%B1", "1"),
        ("text=NURSE", "1"),
        ("text=%25", "0"),
        ("page=99999", "5"),
    ];
    for (query, expected) in cases {
        let shown = total(query);
        let found = if query == "page=99999" { "5" } else { &shown };
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn the_report_says_who_had_access_on_a_day_and_leaves_its_own_entry() {
    let desk = Desk::new();
    let admin = desk.admin();
    let end = [("kind", "end"), ("ends_on", "R8.11.24"), ("reason", "退職")];
    assert_eq!(desk.end(&admin, desk.nurse, &end).status, 303);
    let csv = |day: &str| {
        let file = admin.take_out(&format!("/staff/report/export?on={day}"));
        file.body
    };
    let (last, after) = (csv("R8.11.24"), csv("2026-11-25"));
    assert!(last.starts_with("\u{feff}基準日,職員ID,"));
    assert!(last.contains("2026-11-24,nurse,試験 nurse,") && last.contains("\r\n"));
    assert!(last.contains("0101,") && last.contains("R8.4.1 ～ R8.11.24"));
    assert!(last.contains("2026-11-24,admin,") && last.contains("R8.11.24 09:00"));
    assert!(!after.contains(",nurse,"));
    assert!(
        !csv("2026-03-31").contains("admin"),
        "before anybody was there"
    );
    assert_eq!(desk.detail("staff_report"), "基準日＝2026-03-31／件数＝0");
    let page = admin.get("/staff/report?on=R8.11.24");
    assert!(page.text().contains("3人") && page.text().contains("試験 nurse"));
    let wrong = admin.get("/staff/report?on=nie");
    assert_eq!(wrong.status, 422);
    assert_eq!(admin.get("/staff/report/export?on=nie").status, 422);
    assert_eq!(desk.entries("staff_report", "done"), 4);
}

#[test]
fn a_cell_of_the_report_that_excel_would_calculate_is_text() {
    let desk = Desk::new();
    let admin = desk.admin();
    admin.get("/staff/new");
    let told = admin.post("/staff", &with(&hanako("R8.11.24"), "job", "=1+1"));
    assert_eq!(told.status, 200);
    assert!(
        admin
            .take_out("/staff/report/export")
            .body
            .contains(",'=1+1,")
    );
}

#[test]
fn the_rules_of_signing_in_stand_on_a_page_with_what_a_guess_costs() {
    let desk = Desk::new();
    let page = desk.admin().get("/staff/sign-in-rules");
    assert_eq!(page.status, 200);
    let text = page.text();
    for words in [
        "12文字以上",
        "argon2id",
        "ミリ秒",
        "パスワードだけ",
        "30分触れないと",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let memory = between(&page.body, "<dt>メモリ</dt><dd><span class=\"num\">", "<");
    assert_eq!(memory.as_deref(), Some("19"));
    assert!(
        desk.admin()
            .get("/staff")
            .body
            .contains("/staff/sign-in-rules")
    );
}
