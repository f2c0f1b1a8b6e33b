//! Envelopes: made, opened by two, used up, seen by every administrator.

use jiff::SignedDuration;
use store::{Actor, Operator};

use super::{Envelope, NewAdministrator, Opening, Refused, file, open, prepare, printed};
use crate::features::staff::Login;
use crate::features::staff::tests::house::House;
use crate::web::Role;

fn console() -> Actor {
    Actor {
        operator: Some(Operator {
            name: "操作 者".to_owned(),
            reason: "試験".to_owned(),
        }),
        ..Actor::system("試験")
    }
}

fn house() -> (House, [Envelope; 2]) {
    let house = House::new();
    house.add("admin", Role::SystemAdmin, None);
    house.add("city", Role::CityLongevity, None);
    house.add("nurse", Role::Nurse, Some("0101"));
    let made = prepare(house.db(), &console(), ["課長 甲", "部長 乙"]).unwrap();
    (house, made)
}

fn opening(login: &str, secrets: [&str; 2]) -> Opening {
    Opening {
        login: Login::new(login),
        new: None,
        persons: ["課長 甲".to_owned(), "部長 乙".to_owned()],
        secrets: secrets.map(str::to_owned),
        reason: "管理者の急な退職".to_owned(),
    }
}

#[test]
fn both_secrets_give_a_password_for_some_hours_once_and_every_administrator_takes_note() {
    let (house, [one, two]) = house();
    let grouped = printed(&two).secret.unwrap();
    assert_ne!(grouped, two.secret);
    // Brought the other way round, and as it stands on the paper.
    let asked = opening("admin", [&grouped.to_uppercase(), &one.secret]);
    let opened = open(house.db(), &console(), &asked).unwrap();
    let again = open(house.db(), &console(), &asked).unwrap_err();
    assert!(matches!(again, Refused::NoEnvelopes));
    let browser = house.browser();
    assert_eq!(browser.sign_in("admin", &opened.password).status, 303);
    assert_eq!(browser.get("/staff").header("location"), "/password");

    let city = house.signed_in("city");
    assert!(
        city.get("/")
            .text()
            .contains("非常用の封筒が開けられました")
    );
    let page = city.get("/break-glass");
    assert!(page.text().contains("課長 甲、部長 乙") && page.text().contains("管理者の急な退職"));
    assert!(page.text().contains("ありません"));
    assert_eq!(city.post("/break-glass/1/acknowledgement", &[]).status, 303);
    assert!(!city.get("/").text().contains("開けられました"));
    let more = city.post("/break-glass/1/acknowledgement", &[]);
    assert!(more.header("location").ends_with("done=again"));
    assert_eq!(
        city.post("/break-glass/99/acknowledgement", &[]).status,
        404
    );
    assert_eq!(house.signed_in("nurse").get("/break-glass").status, 403);
    let entries = |operation: &str, outcome: &str| {
        house.count(&format!(
            "select count(*) from audit_entries where operation = '{operation}'
             and outcome = '{outcome}'"
        ))
    };
    assert_eq!(entries("break_glass_prepare", "done"), 1);
    assert_eq!(entries("break_glass_open", "done"), 1);
    assert_eq!(entries("break_glass_open", "refused"), 1);
    let kept = format!(
        "select count(*) from break_glass_envelopes where instr(hash, '{}') or instr(hash, '{}')",
        one.secret, two.secret
    );
    assert_eq!(house.count(&kept), 0);
}

#[test]
fn the_password_of_an_opening_is_over_after_its_hours() {
    let (house, [one, two]) = house();
    let asked = opening("admin", [&one.secret, &two.secret]);
    let opened = open(house.db(), &console(), &asked).unwrap();
    house.hand.step(SignedDuration::from_hours(4));
    let late = house.browser().sign_in("admin", &opened.password);
    assert_eq!(late.status, 422);
    // Nor does the password before it come back.
    let before = crate::features::staff::tests::house::PASSWORD;
    assert_eq!(house.browser().sign_in("admin", before).status, 422);
}

#[test]
fn an_opened_envelope_takes_back_what_may_have_been_lost_with_its_owner() {
    let (house, [one, two]) = house();
    house.execute(
        "insert into second_factors (staff_id, kind, name, recorded_at)
         values (1, 'totp', '公用スマホ', '')",
    );
    house.execute("insert into second_factor_secrets values (1, 'x', x'00', '')");
    let asked = opening("admin", [&one.secret, &two.secret]);
    open(house.db(), &console(), &asked).unwrap();
    assert_eq!(house.count("select count(*) from second_factor_resets"), 1);
    assert_eq!(house.count("select count(*) from second_factor_secrets"), 0);
    assert!(
        house
            .detail("break_glass_open")
            .contains("前＝確認コード「公用スマホ」／後＝なし")
    );
}

#[test]
fn one_secret_one_person_or_a_stranger_opens_nothing() {
    let (house, [one, two]) = house();
    let (first, second) = (one.secret.as_str(), two.secret.as_str());
    let tries = [
        opening("admin", [first, first]),
        opening("admin", [first, ""]),
        opening("nurse", [first, second]),
        opening("nobody", [first, second]),
        Opening {
            persons: ["課長 甲".to_owned(), "課長　甲".to_owned()],
            ..opening("admin", [first, second])
        },
        Opening {
            new: Some(NewAdministrator {
                name: "別 人".to_owned(),
                kana: "ベツ ジン".to_owned(),
            }),
            ..opening("nurse", [first, second])
        },
    ];
    for asked in &tries {
        assert!(open(house.db(), &console(), asked).is_err(), "{asked:?}");
    }
    let refused = "select count(*) from audit_entries
        where operation = 'break_glass_open' and outcome = 'refused'
          and detail like '%操作者＝操作 者／操作の理由＝試験'";
    assert_eq!(house.count(refused), i64::try_from(tries.len()).unwrap());
    assert_eq!(house.count("select count(*) from break_glass_openings"), 0);
    // And the pair still opens.
    let new = Opening {
        new: Some(NewAdministrator {
            name: "新 管理".to_owned(),
            kana: "シン カンリ".to_owned(),
        }),
        ..opening("rescue", [first, second])
    };
    let opened = open(house.db(), &console(), &new).unwrap();
    assert_eq!(
        house.browser().sign_in("rescue", &opened.password).status,
        303
    );
}

#[test]
fn a_newer_pair_makes_the_older_one_worthless() {
    let (house, [one, two]) = house();
    house.hand.step(SignedDuration::from_secs(1));
    prepare(house.db(), &console(), ["丙", "丁"]).unwrap();
    let asked = opening("admin", [&one.secret, &two.secret]);
    let refused = open(house.db(), &console(), &asked).unwrap_err();
    assert!(matches!(refused, Refused::WrongSecret));
}

#[test]
fn an_envelope_is_a_page_to_print() {
    let (_house, [one, _]) = house();
    let (bytes, ending) = file(&one).unwrap();
    assert!(bytes.starts_with(b"%PDF") == (ending == "pdf"));
    assert!(bytes.len() > 200);
}
