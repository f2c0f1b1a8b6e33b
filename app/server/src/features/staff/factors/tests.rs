//! The second factor through its own routes, with the library's own codes; the stock ones are in
//! `tests/access` (oathtool) and in the journeys (a browser's security key).

use base::settings::{Factor, SignInSettings};
use data_encoding::BASE32_NOPAD;
use jiff::SignedDuration;
use totp_rs::Builder;

use crate::app::ServerSettings;
use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;

fn settings(nurse: &[Factor]) -> ServerSettings {
    let mut asked = SignInSettings {
        webauthn_host: Some("localhost".to_owned()),
        ..SignInSettings::default()
    };
    asked
        .second_factor
        .insert("nurse".to_owned(), nurse.to_vec());
    ServerSettings::signing_in(&asked).unwrap()
}

fn house(nurse: &[Factor]) -> House {
    let house = House::with_authority_and(settings(nurse));
    house.add("nurse", Role::Nurse, Some("0101"));
    house.add("admin", Role::SystemAdmin, None);
    house
}

/// The code that a telephone with this secret shows now.
fn shown(house: &House, secret: &str) -> String {
    let bytes = BASE32_NOPAD
        .decode(secret.replace(' ', "").as_bytes())
        .unwrap();
    let totp = Builder::new()
        .with_secret(bytes)
        .with_account_name("nurse")
        .build()
        .unwrap();
    let now = u64::try_from(house.db().clock().now().as_second()).unwrap();
    totp.generate(now).to_string()
}

fn later(house: &House, seconds: i64) {
    house.hand.step(SignedDuration::from_secs(seconds));
}

/// Signs in for the first time and enrols a telephone; its secret.
fn enrolled(house: &House, browser: &Browser<'_>) -> String {
    let led = browser.sign_in("nurse", house.password());
    assert_eq!(led.status, 200, "{}", led.text());
    assert!(led.text().contains("はじめに一度だけ登録"));
    let page = browser.get("/second-factors/totp");
    let secret = between(&page.body, "id=\"secret\">", "<").unwrap();
    let code = shown(house, &secret);
    let done = browser.post(
        "/second-factors/totp",
        &[("code", &code), ("name", "公用スマホ")],
    );
    assert_eq!(done.status, 303, "{}", done.text());
    secret
}

fn answer(browser: &Browser<'_>, code: &str) -> Page {
    browser.post("/second-factor/code", &[("code", code)])
}

#[test]
fn whoever_needs_a_code_and_has_none_is_led_to_enrol_and_is_in_afterwards() {
    let house = house(&[Factor::Totp]);
    let browser = house.browser();
    enrolled(&house, &browser);
    assert_eq!(browser.get("/password").status, 200);
    assert_eq!(
        house.detail("second_factor_add"),
        "前＝なし／後＝確認コード「公用スマホ」"
    );
    // The secret is not shown again.
    let own = browser.get("/second-factors");
    assert!(own.text().contains("公用スマホ") && !own.body.contains("id=\"secret\""));
}

#[test]
fn the_password_alone_opens_nothing_and_the_code_does() {
    let house = house(&[Factor::Totp]);
    let secret = enrolled(&house, &house.browser());
    later(&house, 60);
    let browser = house.browser();
    let asked = browser.sign_in("nurse", house.password());
    assert_eq!(asked.status, 200);
    assert!(asked.body.contains("name=\"code\""));
    for path in ["/", "/password", "/second-factors", "/residents"] {
        let page = browser.get(path);
        let to_the_question = page.header("location").starts_with("/second-factor");
        assert!(
            page.status == 303 && to_the_question,
            "{path}: {}",
            page.status
        );
    }
    browser.get("/second-factor");
    assert_eq!(browser.post("/echo", &[("text", "a")]).status, 401);
    browser.get("/second-factor");
    assert_eq!(answer(&browser, "000000").status, 422);
    let done = answer(&browser, &shown(&house, &secret));
    assert_eq!((done.status, done.header("location")), (303, "/"));
    assert_eq!(browser.get("/password").status, 200);
    let refused = "select count(*) from audit_entries
        where operation = 'second_factor' and outcome = 'refused'";
    assert_eq!(house.count(refused), 1);
}

#[test]
fn a_code_is_taken_once_also_the_one_of_the_enrolment() {
    let house = house(&[Factor::Totp]);
    let secret = enrolled(&house, &house.browser());
    let code = shown(&house, &secret);
    let (one, two) = (house.browser(), house.browser());
    one.sign_in("nurse", house.password());
    assert_eq!(answer(&one, &code).status, 422);
    later(&house, 30);
    let code = shown(&house, &secret);
    assert_eq!(answer(&one, &code).status, 303);
    two.sign_in("nurse", house.password());
    assert_eq!(answer(&two, &code).status, 422);
    // Nor one of the period before, which the tolerance would take.
    later(&house, 30);
    assert_eq!(answer(&two, &code).status, 422);
    assert_eq!(answer(&two, &shown(&house, &secret)).status, 303);
}

#[test]
fn guessing_codes_gets_slower() {
    let house = house(&[Factor::Totp]);
    let secret = enrolled(&house, &house.browser());
    later(&house, 60);
    let browser = house.browser();
    browser.sign_in("nurse", house.password());
    for _ in 0..5 {
        assert_eq!(answer(&browser, "000000").status, 422);
    }
    assert_eq!(answer(&browser, &shown(&house, &secret)).status, 422);
    later(&house, 120);
    assert_eq!(answer(&browser, &shown(&house, &secret)).status, 303);
}

#[test]
fn a_stolen_password_does_not_enrol_another_telephone() {
    let house = house(&[Factor::Totp, Factor::Webauthn]);
    enrolled(&house, &house.browser());
    let thief = house.browser();
    thief.sign_in("nurse", house.password());
    for path in ["/second-factors/totp", "/second-factors/key"] {
        let page = thief.get(path);
        assert_eq!(
            (page.status, page.header("location")),
            (303, "/second-factor")
        );
        thief.get("/second-factor");
        let page = thief.post(path, &[("code", "000000"), ("name", "x")]);
        assert_eq!(
            (page.status, page.header("location")),
            (303, "/second-factor")
        );
    }
    assert_eq!(house.count("select count(*) from second_factors"), 1);
}

#[test]
fn the_token_of_the_half_open_session_opens_nothing_afterwards() {
    let house = house(&[Factor::Totp]);
    let secret = enrolled(&house, &house.browser());
    later(&house, 60);
    let browser = house.browser();
    browser.sign_in("nurse", house.password());
    let half = browser.moved_to(None);
    assert_eq!(answer(&browser, &shown(&house, &secret)).status, 303);
    assert_eq!(half.get("/password").status, 401);
}

#[test]
fn words_typed_before_come_through_the_question_too() {
    let house = house(&[Factor::Totp]);
    let secret = enrolled(&house, &house.browser());
    later(&house, 60);
    let browser = house.browser();
    browser.get("/sign-in");
    let fields = [
        ("login", "nurse"),
        ("password", house.password()),
        ("resume_path", "/echo"),
        ("resume_body", "text=abc"),
    ];
    let asked = browser.post("/sign-in", &fields);
    assert!(asked.body.contains("value=\"/echo\""));
    let fields = [
        ("code", &*shown(&house, &secret)),
        ("resume_path", "/echo"),
        ("resume_body", "text=abc"),
    ];
    let resumed = browser.post("/second-factor/code", &fields);
    assert_eq!(resumed.status, 200);
    assert!(resumed.body.contains("action=\"/echo\""));
    assert_eq!(browser.post("/echo", &[("text", "abc")]).body, "abc");
}

#[test]
fn a_registered_terminal_is_the_second_factor_and_without_one_the_page_says_what_to_do() {
    let house = house(&[Factor::Terminal]);
    let away = house.browser().sign_in("nurse", house.password());
    assert_eq!(away.status, 403);
    assert!(away.text().contains("登録した端末からだけ"));
    assert_eq!(house.detail("sign_in"), "端末の証明書なし");
    let sessions = "select count(*) from sessions s join staff t on t.id = s.staff_id
        where t.login = 'nurse'";
    assert_eq!(house.count(sessions), 0);
    let terminal = house.terminal("窓口PC-1");
    let here = house.browser_at(&terminal);
    assert_eq!(here.sign_in("nurse", house.password()).status, 303);
    assert_eq!(here.get("/password").status, 200);
}

#[test]
fn an_administrator_takes_back_what_was_lost_and_the_next_sign_in_enrols_anew() {
    let house = house(&[Factor::Totp]);
    let nurse = house.browser();
    enrolled(&house, &nurse);
    let admin = house.signed_in("admin");
    let path = "/staff/1/second-factor-reset";
    assert!(
        admin
            .get("/staff/1")
            .text()
            .contains("確認コード「公用スマホ」")
    );
    admin.get(path);
    assert_eq!(admin.post(path, &[("reason", "")]).status, 422);
    let done = admin.post(path, &[("reason", "紛失の届け出")]);
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(
        house.detail("second_factor_reset"),
        "前＝確認コード「公用スマホ」／後＝なし／終えたセッション＝1／紛失の届け出"
    );
    assert_eq!(nurse.get("/password").status, 401);
    admin.get(path);
    let again = admin.post(path, &[("reason", "紛失の届け出")]);
    assert!(again.header("location").ends_with("?done=again"));
    let anew = house.browser();
    assert!(
        anew.sign_in("nurse", house.password())
            .text()
            .contains("はじめに一度だけ登録")
    );
}

#[test]
fn nobody_takes_back_her_own_and_the_city_takes_back_nobodys() {
    let house = house(&[Factor::Totp]);
    house.add("choju", Role::CityLongevity, None);
    let admin = house.signed_in("admin");
    admin.get("/staff/2");
    let own = admin.post("/staff/2/second-factor-reset", &[("reason", "x")]);
    assert_eq!(own.status, 403);
    let choju = house.signed_in("choju");
    choju.get("/staff/1");
    let foreign = choju.post("/staff/1/second-factor-reset", &[("reason", "x")]);
    assert_eq!(foreign.status, 403);
}

#[test]
fn another_telephone_needs_the_password_once_more() {
    let house = house(&[Factor::Totp]);
    let browser = house.browser();
    enrolled(&house, &browser);
    let page = browser.get("/second-factors/totp");
    let secret = between(&page.body, "id=\"secret\">", "<").unwrap();
    later(&house, 30);
    let add = |password: &str| {
        let code = shown(&house, &secret);
        let fields = [("code", &*code), ("name", "予備"), ("password", password)];
        browser.post("/second-factors/totp", &fields)
    };
    let wrong = add("falsch und falsch");
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("今のパスワードが違います"));
    assert_eq!(add(house.password()).status, 303);
    assert_eq!(house.count("select count(*) from second_factors"), 2);
}

#[test]
fn a_forged_answer_of_a_key_is_refused() {
    let house = house(&[Factor::Webauthn]);
    let browser = house.browser();
    browser.sign_in("nurse", house.password());
    let page = browser.get("/second-factors/key");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("data-key=\"create\""));
    for credential in [
        "",
        "{}",
        "{\"id\":\"AA\",\"rawId\":\"AA\",\"type\":\"public-key\"}",
    ] {
        let fields = [("credential", credential), ("name", "鍵")];
        let refused = browser.post("/second-factors/key", &fields);
        assert_eq!(refused.status, 422, "{credential}");
    }
    assert_eq!(house.count("select count(*) from second_factors"), 0);
}
