//! The vendor's windows through their own routes.

use jiff::SignedDuration;
use store::StaffId;

use crate::features::staff::tests::house::{Browser, House, PASSWORD, between};
use crate::web::Role;

struct Works {
    house: House,
    vendor: StaffId,
}

fn works() -> Works {
    let house = House::new();
    house.add("admin", Role::SystemAdmin, None);
    house.add("city", Role::CityLongevity, None);
    house.add("nurse", Role::Nurse, Some("0101"));
    house.add("other", Role::Vendor, None);
    let vendor = house.add("vendor", Role::Vendor, None);
    Works { house, vendor }
}

const NOW: [(&str, &str); 3] = [
    ("staff", "vendor"),
    ("purpose", "不具合の調査"),
    ("hours", "2"),
];

impl Works {
    fn open(&self, by: &Browser<'_>, fields: &[(&str, &str)]) -> String {
        let page = by.get("/maintenance/new");
        let token = between(&page.body, "name=\"submission\" value=\"", "\"").unwrap();
        let answer = by.post(
            "/maintenance",
            &[fields, &[("submission", token.as_str())]].concat(),
        );
        assert_eq!(answer.status, 303, "{}", answer.text());
        let to = answer.header("location");
        to.split('?').next().unwrap().to_owned()
    }

    fn entries(&self, operation: &str, outcome: &str) -> i64 {
        self.house.count(&format!(
            "select count(*) from audit_entries
             where operation = '{operation}' and outcome = '{outcome}'"
        ))
    }
}

#[test]
fn outside_a_window_the_vendor_is_told_why_and_only_with_the_right_password() {
    let works = works();
    let browser = works.house.browser();
    let refused = browser.sign_in("vendor", PASSWORD);
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("保守作業の時間ではありません"));
    assert_eq!(browser.get("/overview").status, 401);
    let wrong = browser.sign_in("vendor", "falsch und falsch");
    assert_eq!(wrong.status, 422);
    assert!(!wrong.text().contains("保守作業"));
    assert_eq!(works.entries("sign_in", "refused"), 2);
}

#[test]
fn a_window_lets_exactly_its_person_in_shows_itself_to_administrators_and_shuts_by_itself() {
    let works = works();
    let city = works.house.signed_in("city");
    let page = works.open(&city, &NOW);
    let vendor = works.house.signed_in("vendor");
    assert_eq!(works.house.browser().sign_in("other", PASSWORD).status, 403);
    for login in ["admin", "city"] {
        let start = works.house.signed_in(login).get("/");
        assert!(
            start
                .text()
                .contains("試験 vendor さんに入口を開けています"),
            "{login}"
        );
        assert!(start.body.contains(&format!("href=\"{page}\"")), "{login}");
    }
    let nurse = works.house.signed_in("nurse").get("/");
    assert!(!nurse.text().contains("入口を開けています"));
    assert_eq!(vendor.get("/").header("location"), "/maintenance/own");
    let own = vendor.get("/maintenance/own");
    assert!(own.text().contains("不具合の調査") && own.text().contains("R8.11.24 11:00"));
    assert!(own.text().contains("すべて記録しています"));
    for allowed in ["/overview", "/imports"] {
        assert_eq!(vendor.get(allowed).status, 200, "{allowed}");
    }
    for shut in [
        "/staff",
        "/access-log",
        "/residents",
        "/consultations",
        "/maintenance",
    ] {
        assert_eq!(vendor.get(shut).status, 403, "{shut}");
    }
    works.house.hand.step(SignedDuration::from_mins(29));
    assert_eq!(vendor.get("/overview").status, 200);
    works.house.hand.step(SignedDuration::from_mins(29));
    assert_eq!(vendor.get("/overview").status, 200);
    works.house.hand.step(SignedDuration::from_mins(29));
    assert_eq!(vendor.get("/overview").status, 200);
    works.house.hand.step(SignedDuration::from_mins(29));
    assert_eq!(vendor.get("/overview").status, 200);
    works.house.hand.step(SignedDuration::from_mins(4));
    let over = vendor.get("/overview");
    assert_eq!(over.status, 401);
    assert!(
        over.text().contains("保守作業の時間は終わりました"),
        "{}",
        over.text()
    );
    assert_eq!(vendor.sign_in("vendor", PASSWORD).status, 403);
    let after = works.house.signed_in("city").get("/");
    assert!(!after.text().contains("入口を開けています"));
}

#[test]
fn everything_typed_in_a_window_is_kept_without_secrets_and_bound_into_the_access_log() {
    let works = works();
    let city = works.house.signed_in("city");
    let page = works.open(&city, &NOW);
    let vendor = works.house.signed_in("vendor");
    vendor.get("/overview?list=%E7%9B%B8%E8%AB%87");
    vendor.get("/staff");
    let change = [
        ("password", PASSWORD),
        ("new_password", "ganz geheime Worte"),
        ("new_password_again", "ganz geheime Worte"),
    ];
    vendor.post("/password", &change);
    let shown = city.get(&page);
    let text = shown.text();
    for kept in [
        "/overview",
        "list＝相談",
        "/staff",
        "断り",
        "new_password＝（残しません）",
    ] {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    assert!(!text.contains("geheime"));
    let secret = "select count(*) from maintenance_requests
        where typed like '%geheime%' or typed like '%csrf%'";
    assert_eq!(works.house.count(secret), 0);
    let kept = works
        .house
        .count("select count(*) from maintenance_requests");
    let chained = works.entries("maintenance_request", "done")
        + works.entries("maintenance_request", "refused");
    assert_eq!(kept, chained);
    let bound = "select count(*) from audit_entries join maintenance_requests r
        on detail like 'GET /overview 番号＝' || r.id || ' 照合＝________________'
        where r.path = '/overview'";
    assert_eq!(works.house.count(bound), 1);
    assert!(text.contains("一致") && !text.contains("不一致"), "{text}");
    let file = city.take_out(&format!("{page}/export"));
    assert_eq!(file.status, 200);
    assert!(file.body.contains("list＝相談") && !file.body.contains("geheime"));
    assert!(file.body.contains(",一致") && !file.body.contains("不一致"));
    assert_eq!(works.entries("maintenance_export", "done"), 1);
    assert_eq!(works.entries("maintenance_view", "done"), 1);
}

#[test]
fn either_side_ends_a_window_at_once_and_the_second_is_told_who_was_first() {
    let works = works();
    let (city, admin) = (
        works.house.signed_in("city"),
        works.house.signed_in("admin"),
    );
    let page = works.open(&city, &NOW);
    let vendor = works.house.signed_in("vendor");
    let ending = format!("{page}/ending");
    let empty = city.post(&ending, &[("reason", "　")]);
    assert_eq!(empty.status, 422);
    assert!(empty.body.contains("href=\"#reason\""));
    assert_eq!(vendor.get("/overview").status, 200);
    let done = city.post(&ending, &[("reason", "調査が終わった")]);
    assert_eq!(done.status, 303);
    assert_eq!(vendor.get("/overview").status, 401);
    admin.get(&page);
    let late = admin.post(&ending, &[("reason", "念のため")]);
    assert_eq!(late.status, 409);
    assert!(late.text().contains("試験 city") && late.text().contains("調査が終わった"));

    works.open(&city, &NOW);
    let vendor = works.house.signed_in("vendor");
    vendor.get("/maintenance/own");
    assert_eq!(vendor.post("/maintenance/own/ending", &[]).status, 422);
    let left = vendor.post("/maintenance/own/ending", &[("reason", "表示順を確認した")]);
    assert_eq!(left.status, 303);
    assert_eq!(vendor.sign_in("vendor", PASSWORD).status, 403);
    assert_eq!(works.entries("maintenance_end", "done"), 2);
    assert_eq!(
        works
            .house
            .count("select count(*) from maintenance_endings"),
        2
    );
}

#[test]
fn an_extension_is_a_new_grant_and_keeps_the_session() {
    let works = works();
    let city = works.house.signed_in("city");
    let first = works.open(&city, &NOW);
    let vendor = works.house.signed_in("vendor");
    let longer = [NOW[0], NOW[1], ("hours", "4")];
    works.open(&city, &longer);
    city.get(&first);
    let done = city.post(&format!("{first}/ending"), &[("reason", "延長に替えた")]);
    assert_eq!(done.status, 303);
    assert_eq!(vendor.get("/overview").status, 200);
    assert_eq!(
        works.house.count("select count(*) from maintenance_grants"),
        2
    );
}

#[test]
fn a_window_that_is_typed_wrong_is_told_with_what_was_typed_and_the_same_form_twice_is_one() {
    let works = works();
    let city = works.house.signed_in("city");
    city.get("/maintenance/new");
    for (fields, field) in [
        (
            [("staff", "nurse"), ("purpose", "x"), ("hours", "2")],
            "staff",
        ),
        (
            [("staff", "vendor"), ("purpose", " "), ("hours", "2")],
            "purpose",
        ),
        (
            [("staff", "vendor"), ("purpose", "x"), ("hours", "9")],
            "hours",
        ),
        (
            [("staff", "vendor"), ("purpose", "x"), ("hours", "0")],
            "hours",
        ),
    ] {
        let page = city.post("/maintenance", &fields);
        assert_eq!(page.status, 422, "{field}");
        assert!(page.body.contains(&format!("href=\"#{field}\"")), "{field}");
    }
    for (day, time) in [
        ("R8.11.24", "08:59"),
        ("R8.12.31", "10:00"),
        ("", "10:00"),
        ("x", "y"),
    ] {
        let fields = [&NOW[..], &[("starts_on", day), ("starts_time", time)]].concat();
        assert_eq!(
            city.post("/maintenance", &fields).status,
            422,
            "{day} {time}"
        );
    }
    assert_eq!(
        works.house.count("select count(*) from maintenance_grants"),
        0
    );
    let once = [&NOW[..], &[("submission", "0123456789abcdef")]].concat();
    let first = city.post("/maintenance", &once);
    let second = city.post("/maintenance", &once);
    assert_eq!((first.status, second.status), (303, 303));
    assert!(second.header("location").ends_with("done=again"));
    assert_eq!(
        works.house.count("select count(*) from maintenance_grants"),
        1
    );
    assert_eq!(works.entries("maintenance_grant", "done"), 1);
    assert!(works.vendor > StaffId(0));
}

#[test]
fn a_planned_window_opens_at_its_time() {
    let works = works();
    let city = works.house.signed_in("city");
    let later = [
        &NOW[..],
        &[("starts_on", "R8.11.24"), ("starts_time", "9時20分")],
    ]
    .concat();
    let page = works.open(&city, &later);
    assert!(city.get(&page).text().contains("予定"));
    assert_eq!(
        works.house.browser().sign_in("vendor", PASSWORD).status,
        403
    );
    works.house.hand.step(SignedDuration::from_mins(20));
    assert_eq!(
        works.house.browser().sign_in("vendor", PASSWORD).status,
        303
    );
}

#[test]
fn a_protocol_that_was_bent_afterwards_is_told_on_the_page_and_in_the_file() {
    let works = works();
    let city = works.house.signed_in("city");
    let page = works.open(&city, &NOW);
    let vendor = works.house.signed_in("vendor");
    for _ in 0..3 {
        vendor.get("/overview?list=%E7%9B%B8%E8%AB%87");
    }
    let text = city.get(&page).text();
    assert!(!text.contains("照合の異常"), "{text}");
    let set = |column: &str, value: &str| {
        let row = "(select min(id) from maintenance_requests)";
        let sql = format!("update maintenance_requests set {column} = {value} where id = {row}");
        works.house.execute(&sql);
    };
    for column in ["at", "terminal", "method", "path", "typed"] {
        set(column, &format!("{column} || 'x'"));
        let text = city.get(&page).text();
        assert!(
            text.contains("1件の記録が、書いたあとで変えられています"),
            "{column}: {text}"
        );
        set(
            column,
            &format!("substr({column}, 1, length({column}) - 1)"),
        );
    }
    set("allowed", "1 - allowed");
    let file = city.take_out(&format!("{page}/export"));
    assert_eq!(file.body.matches("不一致").count(), 1, "{}", file.body);
    set("allowed", "1 - allowed");
    assert!(!city.get(&page).text().contains("照合の異常"));
    let added = "insert into maintenance_requests
        (grant_id, at, terminal, method, path, typed, allowed)
        select grant_id, at, terminal, method, path, typed, allowed from maintenance_requests limit 1";
    works.house.execute(added);
    works.house.execute(
        "delete from maintenance_requests where id = (select min(id) from maintenance_requests)",
    );
    let text = city.get(&page).text();
    assert!(
        text.contains("1件の記録は、アクセスログにありません"),
        "{text}"
    );
    assert!(text.contains("ここから消えています"), "{text}");
    let noted = "select count(*) from audit_entries where operation = 'maintenance_view'
        and detail = '照合の違い＝2'";
    assert_eq!(works.house.count(noted), 1);
}
