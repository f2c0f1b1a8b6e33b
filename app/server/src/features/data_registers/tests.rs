//! What is held and whether it is looked after, through the routes.

use jiff::SignedDuration;
use jiff::civil::date;
use store::Actor;

use super::model::{FIELDS, list_on, lists, shipped};
use crate::features::staff::tests::house::{Browser, House, between};
use crate::web::Role;

fn house() -> House {
    let house = House::new();
    house.add("admin", Role::SystemAdmin, None);
    house.add("city", Role::CityLongevity, None);
    house.add("chief", Role::CentreManager, Some("0101"));
    house.add("nurse", Role::Nurse, Some("0101"));
    house.add("other", Role::CentreManager, Some("0102"));
    house
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

/// The fields of a holding, each with its own word.
fn paper(name: &str) -> Vec<(&'static str, String)> {
    let value = |field: &str| match field {
        "name" => name.to_owned(),
        other => format!("架空の{other}"),
    };
    FIELDS
        .iter()
        .map(|field| (field.name, value(field.name)))
        .collect()
}

fn send(
    browser: &Browser<'_>,
    path: &str,
    fields: &[(&str, String)],
) -> crate::features::staff::tests::house::Page {
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    browser.post(path, &pairs)
}

#[test]
fn the_shipped_files_are_whole_and_say_where_they_come_from() {
    assert!(shipped().len() >= 6);
    for row in shipped() {
        for (field, words) in FIELDS.iter().zip(&row.words) {
            assert!(
                !field.must || !words.is_empty(),
                "{}: {}",
                row.key,
                field.name
            );
        }
        assert!(row.based_on.contains("第9条"), "{}", row.key);
        assert!(row.key.parse::<i64>().is_err(), "{}", row.key);
    }
    let list = list_on(date(2026, 11, 24)).unwrap();
    assert_eq!(lists().len(), 1);
    let codes: std::collections::BTreeSet<_> = list.items.iter().map(|i| &i.code).collect();
    assert_eq!((codes.len(), list.items.len()), (16, 16));
    assert_eq!(list.next(date(2026, 8, 31)), date(2027, 2, 28));
}

#[test]
fn the_holdings_of_the_product_are_there_from_the_first_day_and_marked_unconfirmed() {
    let house = house();
    let page = house.signed_in("city").get("/data-holdings");
    let text = page.text();
    assert!(
        text.contains("相談記録") && text.contains("アクセスログ"),
        "{text}"
    );
    assert!(text.contains("未確認 6件"), "{text}");
    let shown = house.signed_in("chief").get("/data-holdings/consultations");
    assert!(shown.text().contains("個人情報取扱特記事項 第9条(7)"));
    assert!(
        !shown.body.contains("記載を変える"),
        "the city's are the city's"
    );
    assert_eq!(house.signed_in("nurse").get("/data-holdings").status, 403);
}

#[test]
fn a_shipped_holding_is_corrected_by_the_city_and_keeps_what_was_shipped() {
    let house = house();
    let city = house.signed_in("city");
    let edit = city.get("/data-holdings/staff/edit");
    assert!(edit.body.contains("職員のアカウント"));
    let mut fields = paper("職員のアカウント（確認済み）");
    fields.push(("base_version", "1".to_owned()));
    let versions = "/data-holdings/staff/versions";
    assert_eq!(
        send(&city, versions, &fields).status,
        422,
        "a reason is asked for"
    );
    fields.push(("reason", "市で確認した".to_owned()));
    let done = send(&city, versions, &fields);
    assert_eq!(done.status, 303, "{}", done.text());
    let told = detail(&house, "data_holding_write");
    assert!(
        told.starts_with("名称：職員のアカウント→職員のアカウント（確認済み）／"),
        "{told}"
    );
    assert!(told.ends_with("理由＝市で確認した"), "{told}");
    let text = city.get("/data-holdings").text();
    assert!(
        text.contains("未確認 5件") && text.contains("確認済み"),
        "{text}"
    );
    let shown = city.get("/data-holdings/staff").text();
    assert!(
        shown.contains("第1版") && shown.contains("初期値"),
        "{shown}"
    );
    // Another who had it open before meets 409 with her words.
    let mut late = paper("職員名簿");
    late.push(("base_version", "1".to_owned()));
    late.push(("reason", "別の案".to_owned()));
    let page = send(&city, versions, &late);
    assert_eq!(page.status, 409);
    assert!(page.body.contains("職員名簿"));
}

#[test]
fn a_centre_registers_its_own_once_and_another_does_not_see_it() {
    let house = house();
    let chief = house.signed_in("chief");
    let page = chief.get("/data-holdings/new");
    let submission = between(&page.body, "name=\"submission\" value=\"", "\"").unwrap();
    let mut fields = paper("見守り名簿（紙）");
    fields.push(("submission", submission));
    assert_eq!(send(&chief, "/data-holdings", &fields).status, 303);
    let again = send(&chief, "/data-holdings", &fields);
    assert!(again.header("location").ends_with("done=again"));
    assert_eq!(house.count("select count(*) from data_holdings"), 1);
    let other = house.signed_in("other");
    assert!(!other.get("/data-holdings").text().contains("見守り名簿"));
    assert_eq!(other.get("/data-holdings/1").status, 404);
    assert!(
        house
            .signed_in("city")
            .get("/data-holdings")
            .text()
            .contains("見守り名簿")
    );
    assert_eq!(send(&chief, "/data-holdings", &paper("")).status, 422);
    chief.get("/data-holdings/1");
    let nothing = chief.post("/data-holdings/1/ending", &[]);
    assert_eq!(nothing.status, 422);
    let end = [("ended_on", "R8.11.20"), ("reason", "裁断した")];
    assert_eq!(chief.post("/data-holdings/1/ending", &end).status, 303);
    assert_eq!(
        detail(&house, "data_holding_write"),
        "状態：保有中→廃止（2026-11-20）／理由＝裁断した"
    );
    assert_eq!(chief.get("/data-holdings/1/edit").status, 409);
    assert_eq!(
        house
            .signed_in("chief")
            .get("/data-holdings/staff/edit")
            .status,
        403
    );
}

/// A check with everything good but what is given.
fn check(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let codes = list_on(date(2026, 11, 24)).unwrap().items.iter();
    let mut fields: Vec<(String, String)> = codes
        .map(|item| (format!("result_{}", item.code), "good".to_owned()))
        .collect();
    fields.extend(
        [
            ("checked_on", "R8.11.24"),
            ("checker", "試験 chief"),
            ("next_due_on", "R9.5.24"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

fn record(
    browser: &Browser<'_>,
    fields: &[(String, String)],
) -> crate::features::staff::tests::house::Page {
    browser.get("/inspections/new");
    let pairs: Vec<(&str, &str)> = fields
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    browser.post("/inspections", &pairs)
}

#[test]
fn a_check_asks_for_every_item_and_for_a_day_where_something_is_bad() {
    let house = house();
    let chief = house.signed_in("chief");
    let empty = record(&chief, &[]);
    assert_eq!(empty.status, 422);
    assert!(empty.body.contains("href=\"#result_16\""));
    let bad = record(
        &chief,
        &check(&[("result_04", "bad"), ("note", "おおむね良好")]),
    );
    assert_eq!(bad.status, 422);
    for field in ["remark_04", "due_04"] {
        assert!(bad.body.contains(&format!("href=\"#{field}\"")), "{field}");
    }
    assert!(bad.body.contains("おおむね良好"));
    let future = record(
        &chief,
        &check(&[("checked_on", "R8.11.25"), ("next_due_on", "R8.11.25")]),
    );
    assert_eq!(future.status, 422);
    assert_eq!(house.count("select count(*) from inspections"), 0);
}

#[test]
fn what_was_bad_waits_until_it_is_mended_and_the_next_check_is_asked_for() {
    let house = house();
    let chief = house.signed_in("chief");
    assert!(
        chief
            .get("/inspections")
            .text()
            .contains("まだ点検していません")
    );
    assert!(
        chief
            .get("/")
            .text()
            .contains("個人情報の点検・是正の期限切れ")
    );
    let bad = [
        ("result_04", "bad"),
        ("remark_04", "USBが1本足りない"),
        ("due_04", "R8.11.30"),
    ];
    let saved = record(&chief, &check(&bad));
    assert_eq!(saved.status, 303, "{}", saved.text());
    assert_eq!(
        detail(&house, "inspection_write"),
        "点検日＝2026-11-24／不備＝1／次の期限＝2027-05-24"
    );
    assert!(
        !chief
            .get("/")
            .text()
            .contains("個人情報の点検・是正の期限切れ")
    );
    assert!(
        chief
            .get("/inspections")
            .text()
            .contains("不備1件、是正待ち1件")
    );
    house.hand.step(SignedDuration::from_hours(24 * 7));
    let chief = house.signed_in("chief");
    assert!(
        chief
            .get("/")
            .text()
            .contains("個人情報の点検・是正の期限切れ")
    );
    let shown = chief.get("/inspections/1");
    assert!(shown.text().contains("期限切れ") && shown.text().contains("USBが1本足りない"));
    assert_eq!(chief.post("/inspections/1/fixes", &[]).status, 422);
    let mended = [
        ("item", "04"),
        ("fixed_on", "R8.12.1"),
        ("fix_note", "見つかった"),
    ];
    assert_eq!(chief.post("/inspections/1/fixes", &mended).status, 303);
    assert_eq!(chief.post("/inspections/1/fixes", &mended).status, 409);
    let good = [("item", "05"), ("fixed_on", "R8.12.1"), ("fix_note", "―")];
    assert_eq!(chief.post("/inspections/1/fixes", &good).status, 404);
    assert!(
        chief
            .get("/inspections/1")
            .text()
            .contains("不備1件は是正済み")
    );
    let print = chief.get("/inspections/1/sheet.pdf");
    assert!(print.bytes.starts_with(b"%PDF"), "{}", print.text());
    house.hand.step(SignedDuration::from_hours(24 * 200));
    let chief = house.signed_in("chief");
    assert!(chief.get("/inspections").text().contains("期限切れ"));
    let why = [("reason", "別の事務所の分")];
    assert_eq!(chief.post("/inspections/1/withdrawal", &[]).status, 422);
    assert_eq!(chief.post("/inspections/1/withdrawal", &why).status, 303);
    assert_eq!(chief.post("/inspections/1/withdrawal", &why).status, 409);
    assert!(
        chief
            .get("/inspections")
            .text()
            .contains("まだ点検していません")
    );
}

#[test]
fn the_city_sees_every_office_and_a_centre_its_own() {
    let house = house();
    assert_eq!(record(&house.signed_in("chief"), &check(&[])).status, 303);
    let city = house.signed_in("city").get("/inspections").text();
    assert!(
        city.contains("中央第二") && city.contains("不備なし"),
        "{city}"
    );
    let other = house.signed_in("other");
    assert!(!other.get("/inspections").text().contains("不備なし"));
    assert_eq!(other.get("/inspections/1").status, 404);
    // The system administrator looks and changes nothing.
    let admin = house.signed_in("admin");
    assert_eq!(admin.get("/inspections/1").status, 200);
    assert_eq!(admin.get("/inspections/new").status, 403);
    let print = admin.get("/data-holdings/register.pdf");
    assert!(print.bytes.starts_with(b"%PDF"), "{}", print.text());
}
