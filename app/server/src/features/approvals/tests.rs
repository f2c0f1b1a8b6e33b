//! What every kind of request shares, through the pages: who sees, who decides, what is written down.

use jiff::SignedDuration;

use crate::features::staff::tests::house::{Browser, House, between};
use crate::web::Role;

/// A keeper of retention asks, another decides; somebody of a centre has nothing to do with it.
fn house() -> House {
    let house = House::new();
    for login in ["asker", "second", "third"] {
        house.add(login, Role::CityLongevity, None);
    }
    house.add("admin", Role::SystemAdmin, None);
    house.add("nurse", Role::Nurse, Some("0101"));
    house.resident(2, "1941-01-01", "0101", "1");
    house.execute("update residents set shielded = 1 where id = 2");
    house
}

const YES: &[(&str, &str)] = &[("decision", "approve"), ("reason", "確認した")];
const NO: &[(&str, &str)] = &[("decision", "refuse"), ("reason", "不要")];

/// Asks that the nurse may open the shielded person; the number of the request.
fn ask(asker: &Browser<'_>, to: &str) -> String {
    asker.get("/protections/residents/2");
    let fields = [
        ("grant_staff", "nurse"),
        ("grant_from", "R8.11.24"),
        ("grant_to", to),
        ("grant_reason", "毎月の見守り"),
    ];
    let page = asker.post("/protections/residents/2/grants", &fields);
    assert_eq!(page.status, 303, "{}", page.text());
    let own = asker.get("/approvals/own");
    let row = "<th scope=\"row\"><a href=\"/approvals/";
    between(&own.body, row, "\"").unwrap()
}

fn decide(browser: &Browser<'_>, id: &str, fields: &[(&str, &str)]) -> u16 {
    browser.get("/approvals/all");
    let page = browser.post(&format!("/approvals/{id}/decision"), fields);
    page.status
}

#[test]
fn a_request_is_seen_by_its_maker_and_those_who_may_decide_and_by_nobody_else() {
    let house = house();
    let asker = house.signed_in("asker");
    let id = ask(&asker, "R8.12.1");
    let place = format!("/approvals/{id}");
    for (login, sees) in [
        ("asker", true),
        ("second", true),
        ("admin", false),
        ("nurse", false),
    ] {
        let browser = house.signed_in(login);
        let page = browser.get(&place);
        assert_eq!(page.status, if sees { 200 } else { 404 }, "{login}");
        let listed = browser.get("/approvals/all").body.contains(&place);
        assert_eq!(listed, sees, "{login}");
        let to_decide = browser.get("/approvals").body.contains(&place);
        assert_eq!(to_decide, login == "second", "{login}");
        if !sees {
            assert_eq!(decide(&browser, &id, YES), 404, "{login}");
        }
    }
}

#[test]
fn the_number_on_the_tab_is_the_number_of_rows_and_says_what_others_have_not_decided() {
    let house = house();
    let (asker, second) = (house.signed_in("asker"), house.signed_in("second"));
    let first = ask(&asker, "R8.12.1");
    ask(&asker, "R8.12.2");
    let tabs = |browser: &Browser<'_>| browser.get("/approvals").text();
    assert!(tabs(&second).contains("自分が決める依頼（2）"));
    assert!(tabs(&second).contains("2件のうち 1～2件目"));
    assert!(tabs(&asker).contains("自分が決める依頼（0）"));
    assert!(tabs(&asker).contains("決定待ち 2"));
    assert_eq!(decide(&second, &first, YES), 303);
    assert!(tabs(&second).contains("自分が決める依頼（1）"));
    assert!(tabs(&asker).contains("決定待ち 1"));
}

#[test]
fn a_second_account_of_the_asker_decides_nothing() {
    let house = house();
    let asker = house.signed_in("asker");
    let id = ask(&asker, "R8.12.1");
    // The same person once more, written with another space.
    house.execute("update staff set name = '試験　asker' where login = 'second'");
    // An account into which the asker got lately.
    house.execute(
        "insert into staff_passwords (staff_id, hash, must_change, recorded_by, recorded_at)
         select t.id, p.hash, 0, a.id, '2026-11-20T00:00:00.000000Z'
         from staff t, staff a join staff_passwords p on p.staff_id = a.id
         where t.login = 'third' and a.login = 'asker'",
    );
    for login in ["second", "third"] {
        let browser = house.signed_in(login);
        assert!(
            browser.get("/approvals").text().contains("（0）"),
            "{login}"
        );
        let page = browser.get(&format!("/approvals/{id}"));
        assert!(page.text().contains("同じ名前のアカウント"), "{login}");
        assert!(!page.body.contains("value=\"approve\""), "{login}");
        assert_eq!(decide(&browser, &id, YES), 403, "{login}");
        assert_eq!(decide(&browser, &id, NO), 403, "{login}");
    }
    assert_eq!(house.count("select count(*) from approval_decisions"), 0);
    assert!(house.detail("approval_decide").contains("同じ人のおそれ"));
    // A week later the account is nobody's new one any more.
    house.execute("update approvals set expires_on = '2026-12-31'");
    house.hand.step(SignedDuration::from_hours(24 * 6));
    assert_eq!(decide(&house.signed_in("third"), &id, YES), 303);
}

#[test]
fn only_whoever_asked_takes_back_and_what_was_decided_stays() {
    let house = house();
    let (asker, second) = (house.signed_in("asker"), house.signed_in("second"));
    let id = ask(&asker, "R8.12.1");
    let back = [("decision", "withdraw")];
    assert_eq!(decide(&second, &id, &back), 403);
    assert_eq!(decide(&asker, &id, &back), 303);
    assert_eq!(decide(&asker, &id, &back), 303, "sent twice");
    assert_eq!(decide(&second, &id, YES), 409);
    assert!(asker.get("/approvals/own").text().contains("取下げ"));
    let row = asker.get("/protections/grants/1").text();
    assert!(row.contains("取下げ"), "{row}");
    let again = ask(&asker, "R8.12.1");
    assert_ne!(again, id, "taken back is not for ever");
    assert_eq!(decide(&second, &again, NO), 303);
    assert_eq!(decide(&asker, &again, &back), 409);
}

#[test]
fn a_reason_is_kept_and_what_is_wrong_with_it_is_said() {
    let house = house();
    let (asker, second) = (house.signed_in("asker"), house.signed_in("second"));
    let id = ask(&asker, "R8.12.1");
    second.get("/approvals");
    let place = format!("/approvals/{id}/decision");
    let long = "長".repeat(501);
    for (reason, said) in [
        ("", "承認の理由を入力してください"),
        (long.as_str(), "承認の理由は500文字までです"),
        ("番号は 123456789018 です", "マイナンバー"),
    ] {
        let page = second.post(&place, &[("decision", "approve"), ("reason", reason)]);
        assert_eq!(page.status, 422, "{reason}");
        assert!(page.text().contains(said), "{reason}");
        assert!(page.body.contains("href=\"#reason\"") && page.body.contains(reason));
    }
    let page = second.post(&place, &[("decision", "perhaps"), ("reason", "x")]);
    assert_eq!(page.status, 422);
    assert_eq!(house.count("select count(*) from approval_decisions"), 0);
}

#[test]
fn rights_taken_away_while_the_page_is_open_count() {
    let house = house();
    let (asker, second) = (house.signed_in("asker"), house.signed_in("second"));
    let id = ask(&asker, "R8.12.1");
    assert_eq!(second.get(&format!("/approvals/{id}")).status, 200);
    house.execute(
        "insert into staff_rights (staff_id, permission, granted, starts_on, reason, recorded_at)
         select id, 'protection_administer', 0, '2026-11-24', 'x', '' from staff
         where login = 'second'",
    );
    let page = second.post(&format!("/approvals/{id}/decision"), YES);
    assert_eq!(page.status, 404);
    assert_eq!(house.count("select count(*) from approval_decisions"), 0);
}

#[test]
fn what_waits_stands_in_the_menu_and_on_the_first_page_with_its_oldest_day() {
    let house = house();
    let (asker, second) = (house.signed_in("asker"), house.signed_in("second"));
    let badge = "<span class=\"count\">1<";
    assert!(!second.get("/password").body.contains(badge));
    ask(&asker, "R8.12.1");
    assert!(second.get("/password").body.contains(badge));
    let day = second.get("/").text();
    assert!(day.contains("1承認待ち（最も古い依頼 R8.11.24）"), "{day}");
    let own = asker.get("/");
    assert!(own.text().contains("1自分の依頼の決定待ち") && !own.body.contains(badge));
    for login in ["nurse", "admin"] {
        let page = house.signed_in(login).get("/");
        assert!(!page.text().contains("承認待ち"), "{login}");
    }
}
