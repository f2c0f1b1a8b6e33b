//! Registering somebody.

use super::{Desk, days, hanako, with};
use crate::features::staff::tests::house::between;

#[test]
fn somebody_registered_signs_in_with_the_password_shown_once_and_must_change_it() {
    let desk = Desk::new();
    let admin = desk.admin();
    admin.get("/staff/new");
    let told = admin.post("/staff", &hanako("R8.11.24"));
    assert_eq!(told.status, 200, "{}", told.text());
    let password = between(&told.body, "id=\"password\">", "<").unwrap();
    let browser = desk.house.browser();
    let page = browser.sign_in("hanako.1", &password);
    assert_eq!(page.status, 303, "{}", page.text());
    assert_eq!(browser.get("/").header("location"), "/password");
    assert_eq!(desk.entries("staff_add", "done"), 4);
    let detail = desk.detail("staff_add");
    assert_eq!(detail, "前＝なし／後＝事務・0101・2026-11-24～");
    let kept = desk.house.count(&format!(
        "select count(*) from audit_entries where detail like '%{password}%'"
    ));
    assert_eq!(kept, 0);
}

#[test]
fn the_same_registration_sent_twice_is_one_person_and_tells_no_second_password() {
    let desk = Desk::new();
    let admin = desk.admin();
    admin.get("/staff/new");
    assert_eq!(admin.post("/staff", &hanako("R8.11.24")).status, 200);
    let again = admin.post("/staff", &hanako("R8.11.24"));
    assert_eq!(again.status, 303);
    assert!(again.header("location").ends_with("?done=registered"));
    let count = desk
        .house
        .count("select count(*) from staff where login = 'hanako.1'");
    assert_eq!(count, 1);
    assert_eq!(desk.entries("staff_add", "done"), 4);
}

#[test]
fn an_id_is_never_given_to_a_second_person_even_after_the_first_has_left() {
    let desk = Desk::new();
    let admin = desk.admin();
    let left = [("kind", "end"), ("ends_on", "R8.11.23"), ("reason", "退職")];
    assert_eq!(desk.end(&admin, desk.nurse, &left).status, 303);
    let fields = with(&hanako("R8.11.24"), "login", "NURSE");
    let page = admin.post("/staff", &fields);
    assert_eq!(page.status, 422);
    assert!(
        page.text()
            .contains("一度使ったIDは、ほかの人には使えません")
    );
    assert!(page.body.contains("href=\"#login\""));
    assert!(
        page.body.contains("value=\"架空　花子\""),
        "typed words are lost"
    );
}

#[test]
fn a_wrong_registration_names_every_field_and_keeps_what_was_typed() {
    let desk = Desk::new();
    let admin = desk.admin();
    admin.get("/staff/new");
    let empty = admin.post("/staff", &[]);
    assert_eq!(empty.status, 422);
    for field in ["login", "name", "kana", "role", "job", "starts_on"] {
        assert!(
            empty.body.contains(&format!("href=\"#{field}\"")),
            "{field}"
        );
    }
    let long = "あ".repeat(100_000);
    let script = "<script>alert(1)</script>";
    for (name, value) in [
        ("name", long.as_str()),
        ("job", &long),
        ("login", &long),
        ("kana", script),
        ("role", "king"),
        ("centre", "9999"),
        ("centre", ""),
        ("starts_on", "R8.2.30"),
        ("starts_on", "R18.4.1"),
    ] {
        let page = admin.post("/staff", &with(&hanako("R8.11.24"), name, value));
        assert_eq!(page.status, 422, "{name}");
        assert!(page.body.contains(&format!("href=\"#{name}\"")), "{name}");
        assert!(!page.body.contains("<script>alert"));
    }
    let city_at_centre = with(&hanako("R8.11.24"), "role", "city_longevity");
    assert_eq!(admin.post("/staff", &city_at_centre).status, 422);
    assert_eq!(desk.entries("staff_add", "done"), 3);
}

#[test]
fn a_name_of_markup_is_shown_as_text_everywhere() {
    let desk = Desk::new();
    let admin = desk.admin();
    admin.get("/staff/new");
    let name = "<b onmouseover=alert(1)>&\"'";
    let told = admin.post("/staff", &with(&hanako("R8.11.24"), "name", name));
    assert_eq!(told.status, 200);
    let id = desk
        .house
        .count("select id from staff where login = 'hanako.1'");
    let person = format!("/staff/{id}");
    let form = format!("/staff/{id}/posts/new");
    for path in ["/staff", "/staff/report", &person, &form] {
        let page = admin.get(path);
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text().contains("&#38;&#34;&#39;"), "{path}");
        assert!(!page.body.contains("<b onmouseover"), "{path}");
    }
}

#[test]
fn somebody_registered_for_april_cannot_sign_in_before() {
    let desk = Desk::new();
    let admin = desk.admin();
    admin.get("/staff/new");
    let told = admin.post("/staff", &hanako("R9.4.1"));
    let password = between(&told.body, "id=\"password\">", "<").unwrap();
    let tries = desk.house.browser();
    assert_eq!(tries.sign_in("hanako.1", &password).status, 422);
    let list = desk.admin().get("/staff?state=planned");
    assert!(list.text().contains("架空　花子") && list.text().contains("1件のうち"));
    // 31 March, then 1 April.
    desk.house.hand.step(days(127));
    assert_eq!(
        desk.house.browser().sign_in("hanako.1", &password).status,
        422
    );
    desk.house.hand.step(days(1));
    assert_eq!(
        desk.house.browser().sign_in("hanako.1", &password).status,
        303
    );
}
