//! Incidents through their own routes.

use jiff::SignedDuration;
use store::evidence::{Flaw, check};
use store::{Actor, Event, Operation, ResidentId, StoreError};

use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;

struct Desk {
    house: House,
}

fn desk() -> Desk {
    let house = House::new();
    house.add("admin", Role::SystemAdmin, None);
    house.add("city", Role::CityLongevity, None);
    house.add("city2", Role::CityLongevity, None);
    house.add("manager", Role::CentreManager, Some("0101"));
    house.add("neighbour", Role::CentreManager, Some("0102"));
    house.add("nurse", Role::Nurse, Some("0101"));
    house.resident(1, "1930-01-01", "0101", "1");
    Desk { house }
}

const FAX: [(&str, &str); 5] = [
    ("title", "FAXの誤送信"),
    ("kind", "leak"),
    ("known_on", "R8.11.24"),
    ("summary", "対象者番号1の方の相談票を、別の事業所に送った。"),
    ("criteria", "sensitive"),
];

fn hidden(page: &Page, name: &str) -> String {
    let before = format!("name=\"{name}\" value=\"");
    between(&page.body, &before, "\"").unwrap()
}

impl Desk {
    fn report(&self, browser: &Browser<'_>, fields: &[(&str, &str)]) -> String {
        let token = hidden(&browser.get("/incidents/new"), "submission");
        let answer = browser.post(
            "/incidents",
            &[fields, &[("submission", token.as_str())]].concat(),
        );
        assert_eq!(answer.status, 303, "{}", answer.text());
        let to = answer.header("location").to_owned();
        to.split('?').next().unwrap().to_owned()
    }

    fn step(&self, browser: &Browser<'_>, path: &str, kind: &str) -> Page {
        let token = hidden(&browser.get(path), "submission");
        let fields = [
            ("step_kind", kind),
            ("held_on", "R8.11.24"),
            ("note", "電話で連絡した"),
            ("submission", token.as_str()),
        ];
        browser.post(&format!("{path}/steps"), &fields)
    }

    fn entries(&self, operation: &str) -> i64 {
        self.house.count(&format!(
            "select count(*) from audit_entries
             where operation = '{operation}' and outcome = 'done'"
        ))
    }
}

#[test]
fn a_centre_reports_its_own_and_only_the_city_sees_it_too() {
    let desk = desk();
    let manager = desk.house.signed_in("manager");
    let path = desk.report(&manager, &FAX);
    for (login, status) in [
        ("manager", 200),
        ("city", 200),
        ("admin", 200),
        ("neighbour", 404),
        ("nurse", 403),
    ] {
        let browser = desk.house.signed_in(login);
        assert_eq!(browser.get(&path).status, status, "{login}");
        let listed = browser.get("/incidents").text().contains("FAXの誤送信");
        assert_eq!(listed, status == 200, "{login}");
    }
    let neighbour = desk.house.signed_in("neighbour");
    neighbour.get("/incidents");
    assert_eq!(neighbour.get(&format!("{path}/edit")).status, 404);
    assert_eq!(neighbour.post(&format!("{path}/steps"), &[]).status, 404);
    for only_city in ["touched", "texts/notice"] {
        assert_eq!(manager.get(&format!("{path}/{only_city}")).status, 403);
    }
    manager.get("/incidents");
    let refused = manager.post(&format!("{path}/evidence"), &[]);
    assert!(refused.status == 403 && refused.text().contains("この操作はできません"));
    assert_eq!(desk.entries("incident_report"), 1);
    assert!(desk.entries("incident_view") >= 3);
}

#[test]
fn the_clocks_run_from_the_day_it_became_known_and_longer_with_wrong_intent() {
    let desk = desk();
    let city = desk.house.signed_in("city");
    let path = desk.report(&city, &FAX);
    let text = city.get(&path).text();
    // The day it became known is the first of five, of thirty.
    for due in ["R8.11.28まで", "R8.12.23まで", "速やかに"] {
        assert!(text.contains(due), "{due}: {text}");
    }
    assert!(text.contains("未確認") && text.contains("第68条"));
    assert_eq!(desk.step(&city, &path, "preliminary").status, 303);
    assert!(city.get(&path).text().contains("済み（R8.11.24）"));
    let wrongful = [&FAX[..], &[("criteria", "wrongful")]].concat();
    let stolen = desk.report(&city, &wrongful);
    let text = city.get(&stolen).text();
    assert!(
        text.contains("R9.1.22まで") && !text.contains("R8.12.23まで"),
        "{text}"
    );
    // Thirty minutes idle sign out: a new browser, five days later.
    desk.house.hand.step(SignedDuration::from_hours(24 * 5));
    let later = desk.house.signed_in("city");
    assert!(later.get(&stolen).text().contains("1日超過"));
    assert!(later.get("/incidents").text().contains("1日超過"));
}

#[test]
fn what_must_be_reported_is_judged_and_until_then_counted_as_if_it_must() {
    let desk = desk();
    let city = desk.house.signed_in("city");
    let unjudged = desk.report(&city, &FAX[..4]);
    let text = city.get(&unjudged).text();
    assert!(city.get("/").text().contains("1対応中の事故"));
    assert!(
        !desk
            .house
            .signed_in("nurse")
            .get("/")
            .text()
            .contains("対応中の事故")
    );
    assert!(text.contains("まだ判断していません") && text.contains("R8.11.28まで"));
    let none = desk.report(&city, &[&FAX[..4], &[("assessed", "1")]].concat());
    let text = city.get(&none).text();
    assert!(text.contains("報告の義務はありません") && !text.contains("R8.11.28まで"));
    city.get("/incidents/new");
    let both = city.post("/incidents", &[&FAX[..], &[("assessed", "1")]].concat());
    assert!(both.status == 422 && both.body.contains("href=\"#criteria\""));
    let many = [&FAX[..], &[("persons", "１０１人")]].concat();
    let page = city.post("/incidents", &many);
    assert_eq!(page.status, 422);
    assert!(page.body.contains("href=\"#criteria\"") && page.body.contains("誤送信"));
}

#[test]
fn a_wrong_form_is_told_and_kept_and_the_same_form_twice_is_one() {
    let desk = desk();
    let city = desk.house.signed_in("city");
    city.get("/incidents/new");
    for (field, value) in [
        ("title", ""),
        ("kind", "other"),
        ("known_on", "R8.11.25"),
        ("known_on", "きのう"),
        ("summary", "　"),
        ("summary", "番号は 123456789018 です"),
    ] {
        let mut fields: Vec<(&str, &str)> = FAX.to_vec();
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let page = city.post("/incidents", &fields);
        assert_eq!(page.status, 422, "{field}={value}");
        assert!(
            page.body.contains(&format!("href=\"#{field}\"")),
            "{field}={value}"
        );
    }
    let once = [&FAX[..], &[("submission", "0123456789abcdef")]].concat();
    assert_eq!(city.post("/incidents", &once).status, 303);
    let again = city.post("/incidents", &once);
    assert!(again.header("location").ends_with("done=again"));
    assert_eq!(desk.house.count("select count(*) from incidents"), 1);
}

#[test]
fn a_correction_adds_a_version_and_the_slower_of_two_is_shown_the_faster() {
    let desk = desk();
    let (city, two) = (desk.house.signed_in("city"), desk.house.signed_in("city2"));
    let path = desk.report(&city, &FAX);
    let edit = format!("{path}/edit");
    let base = hidden(&city.get(&edit), "base_version");
    two.get(&edit);
    let with = |persons: &'static str| {
        let more = [
            ("persons", persons),
            ("correction_reason", "人数が分かった"),
            ("base_version", base.as_str()),
        ];
        [&FAX[..], &more].concat()
    };
    let versions = format!("{path}/versions");
    assert_eq!(city.post(&versions, &with("1")).status, 303);
    let late = two.post(&versions, &with("2"));
    assert_eq!(late.status, 409);
    assert!(late.text().contains("試験 city さん") && late.body.contains("相談票を、別の事業所"));
    // Sent twice: the same words are no conflict.
    assert_eq!(city.post(&versions, &with("1")).status, 303);
    let without = [&FAX[..], &[("base_version", "2")]].concat();
    let page = city.post(&versions, &without);
    assert!(page.status == 422 && page.body.contains("href=\"#correction_reason\""));
    assert_eq!(
        desk.house.count("select count(*) from incident_versions"),
        2
    );
    let logged = "select count(*) from audit_entries where operation = 'incident_correct'
        and detail like '前＝%人数不明／後＝%人数1／理由＝人数が分かった'";
    assert_eq!(desk.house.count(logged), 1);
    assert!(city.get(&path).text().contains("第2版"));
}

#[test]
fn a_closed_incident_rests_until_it_is_reopened_with_a_reason() {
    let desk = desk();
    let city = desk.house.signed_in("city");
    let path = desk.report(&city, &FAX);
    let close = |wanted: &str, reason: &str| {
        let token = hidden(&city.get(&path), "submission");
        let fields = [
            ("closing", wanted),
            ("closing_reason", reason),
            ("submission", token.as_str()),
        ];
        city.post(&format!("{path}/closing"), &fields)
    };
    assert_eq!(close("closed", " ").status, 422);
    assert_eq!(close("closed", "すべて済んだ").status, 303);
    assert_eq!(close("closed", "もう一度").status, 409);
    assert!(city.get(&path).text().contains("終結"));
    assert_eq!(city.get(&format!("{path}/edit")).status, 409);
    let step = city.post(
        &format!("{path}/steps"),
        &[
            ("step_kind", "other"),
            ("held_on", "R8.11.24"),
            ("note", "書き残した文"),
        ],
    );
    assert_eq!(step.status, 409);
    assert!(step.body.contains("書き残した文"));
    assert_eq!(close("reopened", "もう一人に送っていた").status, 303);
    assert_eq!(desk.step(&city, &path, "other").status, 303);
    assert_eq!(desk.house.count("select count(*) from incident_steps"), 3);
}

#[test]
fn texts_are_drafted_from_what_is_known_kept_in_versions_and_printed() {
    let desk = desk();
    let (city, two) = (desk.house.signed_in("city"), desk.house.signed_in("city2"));
    let path = desk.report(&city, &FAX);
    for (kind, words) in [
        ("preliminary", "3 本人の数"),
        ("final", "8 再発防止のための措置"),
        ("notice", "お問い合わせ"),
        ("publication", "個人情報の漏えいについて"),
    ] {
        let page = city.get(&format!("{path}/texts/{kind}"));
        assert_eq!(page.status, 200, "{kind}");
        assert!(
            page.body.contains(words) && page.body.contains("別の事業所に送った"),
            "{kind}"
        );
        assert_eq!(
            city.get(&format!("{path}/texts/{kind}/print.pdf")).status,
            404
        );
    }
    assert_eq!(city.get(&format!("{path}/texts/poem")).status, 404);
    let text = format!("{path}/texts/preliminary");
    two.get(&text);
    let save = |browser: &Browser<'_>, body: &str, base: &str| {
        browser.post(&text, &[("body", body), ("base_version", base)])
    };
    assert_eq!(save(&city, "第一の文", "0").status, 303);
    let late = save(&two, "第二の文", "0");
    assert!(late.status == 409 && late.body.contains("第二の文"));
    assert_eq!(save(&city, "第一の文", "0").status, 303);
    assert_eq!(save(&two, "第二の文", "1").status, 303);
    assert_eq!(save(&two, " ", "2").status, 422);
    assert_eq!(desk.house.count("select count(*) from incident_texts"), 2);
    assert!(city.get(&text).body.contains("第二の文"));
    assert!(
        city.get(&format!("{text}?draft=fresh"))
            .body
            .contains("3 本人の数")
    );
    let pdf = city.send(
        axum::http::Method::HEAD,
        &format!("{text}/print.pdf"),
        &[],
        String::new(),
    );
    assert_eq!(pdf.header("content-type"), "application/pdf");
    assert_eq!(desk.entries("incident_print"), 1);
}

fn touch(desk: &Desk, resident: i64) {
    let actor = Actor::system("試験");
    let event = Event::done(Operation::ResidentView).about(ResidentId(resident));
    let done = desk
        .house
        .db()
        .write(&actor, |tx| Ok(tx.audited(event, ())));
    done.map_err(|e: StoreError| e).unwrap();
}

#[test]
fn touched_records_are_named_for_whoever_sees_them_and_numbers_for_the_others() {
    let desk = desk();
    touch(&desk, 1);
    let city = desk.house.signed_in("city");
    let path = desk.report(&city, &FAX);
    assert!(
        !city
            .get(&format!("{path}/touched"))
            .body
            .contains("架空 1郎")
    );
    let asked = format!("{path}/touched?first_on=R8.11.24&last_on=R8.11.24");
    assert!(city.get(&asked).body.contains("架空 1郎"));
    let admin = desk.house.signed_in("admin").get(&asked);
    assert!(admin.text().contains("対象者番号 1") && !admin.body.contains("架空"));
    let file = city.take_out(&asked.replace("touched?", "touched/export?"));
    assert!(file.body.contains("\r\n1,") && !file.body.contains("架空"));
    for query in [
        "first_on=R8.11.24&last_on=R8.11.23",
        "first_on=R8.1.1&last_on=R8.11.24",
    ] {
        assert_eq!(
            city.get(&format!("{path}/touched?{query}")).status,
            422,
            "{query}"
        );
    }
    assert_eq!(desk.entries("incident_touched"), 3);
    let other = format!("{path}/touched?first_on=R8.11.23&last_on=R8.11.23");
    assert!(
        city.get(&other)
            .text()
            .contains("触れられた記録はありません")
    );
}

#[test]
fn evidence_is_put_aside_signed_and_a_bent_folder_is_seen() {
    let desk = desk();
    touch(&desk, 1);
    let admin = desk.house.signed_in("admin");
    let path = desk.report(&admin, &FAX);
    let token = hidden(&admin.get(&path), "submission");
    let fields = [
        ("first_on", "R8.11.24"),
        ("last_on", "R8.11.24"),
        ("evidence_reason", "市の指示"),
        ("submission", token.as_str()),
    ];
    let evidence = format!("{path}/evidence");
    let page = admin.post(&evidence, &fields[..2]);
    assert!(page.status == 422 && page.body.contains("href=\"#evidence_reason\""));
    for _ in 0..2 {
        assert_eq!(admin.post(&evidence, &fields).status, 303);
    }
    assert_eq!(
        desk.house.count("select count(*) from incident_evidence"),
        1
    );
    assert_eq!(desk.entries("incident_evidence"), 1);
    let place = desk.house.db().dir().evidence();
    let folders: Vec<_> = std::fs::read_dir(&place)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    let [folder] = folders.as_slice() else {
        panic!("one folder: {folders:?}");
    };
    let machine = desk.house.db().dir().audit_public_key();
    assert_eq!(check(folder, Some(&machine)).unwrap(), []);
    let verdict = store::audit::verify(&store::DataDir::new(folder), None).unwrap();
    assert_eq!(verdict.findings, []);
    let log = std::fs::read_to_string(folder.join("access-log.csv")).unwrap();
    assert!(log.contains("resident_view") && !log.contains("架空"));
    assert!(admin.get(&path).text().contains("市の指示"));
    // Looking on leaves the folder as it was; bending it does not.
    base::paths::write_atomic(&folder.join("access-log.csv"), b"x", 0o600).unwrap();
    base::paths::write_atomic(&folder.join("more.txt"), b"x", 0o600).unwrap();
    std::fs::remove_file(folder.join("incident.txt")).unwrap();
    let bent = check(folder, Some(&machine)).unwrap();
    let expected = [
        Flaw::Changed("access-log.csv".to_owned()),
        Flaw::Missing("incident.txt".to_owned()),
        Flaw::Added("more.txt".to_owned()),
    ];
    assert_eq!(bent, expected);
    let list = std::fs::read_to_string(folder.join("SHA256SUMS")).unwrap();
    base::paths::write_atomic(
        &folder.join("SHA256SUMS"),
        list.replace("incident", "x").as_bytes(),
        0o600,
    )
    .unwrap();
    assert!(check(folder, None).unwrap().contains(&Flaw::Signature));
}
