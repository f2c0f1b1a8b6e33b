//! The second factor through its own routes, with the library's own codes; the stock ones are in
//! `tests/access` (oathtool) and in the journeys (a browser's security key).

use base::settings::{Factor, SignInSettings};
use data_encoding::BASE32_NOPAD;
use jiff::SignedDuration;
use totp_rs::Builder;

use crate::app::ServerSettings;
use crate::factor_keys::FactorKeys;
use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::features::staff::{SealState, reseal, seal_state, take_back_closed};
use crate::web::Role;
use store::{Actor, Db};

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
fn words_typed_before_come_through_the_first_enrolment_and_its_mistakes() {
    let house = house(&[Factor::Totp]);
    let browser = house.browser();
    browser.get("/sign-in");
    let carried = [("resume_path", "/echo"), ("resume_body", "text=abc")];
    let fields = [("login", "nurse"), ("password", house.password())];
    let led = browser.post("/sign-in", &[&fields[..], &carried].concat());
    assert!(led.body.contains("value=\"text=abc\""), "{}", led.body);
    assert!(led.text().contains("登録のあとで保存できます"));
    let opened = browser.post("/second-factors/totp/opening", &carried);
    assert!(opened.body.contains("value=\"text=abc\""));
    let secret = between(&opened.body, "id=\"secret\">", "<").unwrap();
    let send = |code: &str| {
        let fields = [("code", code), ("name", "公用スマホ")];
        browser.post("/second-factors/totp", &[&fields[..], &carried].concat())
    };
    let wrong = send("000000");
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("value=\"text=abc\""));
    let done = send(&shown(&house, &secret));
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.body.contains("action=\"/echo\"") && done.text().contains("abc"));
    assert_eq!(browser.post("/echo", &[("text", "abc")]).body, "abc");
}

#[test]
fn a_picture_that_another_page_made_void_is_drawn_anew_with_what_was_typed() {
    let house = house(&[Factor::Totp]);
    let browser = house.browser();
    browser.sign_in("nurse", house.password());
    let fields = [
        ("code", "123456"),
        ("name", "公用スマホ"),
        ("resume_path", "/echo"),
        ("resume_body", "text=abc"),
    ];
    let page = browser.post("/second-factors/totp", &fields);
    assert_eq!(page.status, 422);
    assert!(page.text().contains("図が新しくなりました"));
    assert!(page.body.contains("value=\"text=abc\"") && page.body.contains("id=\"secret\""));
}

#[test]
fn words_typed_before_come_along_when_another_page_enrolled_first() {
    let house = house(&[Factor::Totp]);
    let (one, other) = (house.browser(), house.browser());
    one.sign_in("nurse", house.password());
    enrolled(&house, &other);
    let carried = [("resume_path", "/echo"), ("resume_body", "text=abc")];
    let asked = one.post("/second-factors/totp/opening", &carried);
    assert!(asked.body.contains("name=\"code\"") && asked.body.contains("value=\"text=abc\""));
}

#[test]
fn whoever_is_turned_away_can_still_read_what_was_typed() {
    let house = house(&[Factor::Terminal]);
    let browser = house.browser();
    browser.get("/sign-in");
    let fields = [
        ("login", "nurse"),
        ("password", house.password()),
        ("resume_path", "/echo"),
        ("resume_body", "text=%E8%A8%AA%E5%95%8F%E3%81%97%E3%81%9F"),
    ];
    let away = browser.post("/sign-in", &fields);
    assert_eq!(away.status, 403);
    assert!(away.text().contains("訪問した") && away.text().contains("写してから"));
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

/// Does any file of the database hold these bytes?
fn lies_in_the_database(house: &House, bytes: &[u8]) -> bool {
    let files = std::fs::read_dir(house.db().dir().path()).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    files.filter(|path| path.is_file()).any(|path| {
        let content = std::fs::read(path).unwrap();
        content.windows(bytes.len()).any(|window| window == bytes)
    })
}

#[test]
fn no_file_of_the_database_holds_a_secret_while_it_is_shown_or_after() {
    let house = house(&[Factor::Totp]);
    let browser = house.browser();
    browser.sign_in("nurse", house.password());
    let page = browser.get("/second-factors/totp");
    let secret = between(&page.body, "id=\"secret\">", "<").unwrap();
    let secret = secret.replace(' ', "");
    let raw = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let absent = |when: &str| {
        for form in [
            secret.as_bytes(),
            &raw,
            data_encoding::HEXLOWER.encode(&raw).as_bytes(),
        ] {
            assert!(!lies_in_the_database(&house, form), "{when}");
        }
    };
    absent("while it is shown");
    let code = shown(&house, &secret);
    let fields = [("code", code.as_str()), ("name", "公用スマホ")];
    assert_eq!(browser.post("/second-factors/totp", &fields).status, 303);
    absent("enrolled");
    // The search finds what is there, or the lines above would prove nothing.
    assert!(lies_in_the_database(&house, "公用スマホ".as_bytes()));
}

#[test]
fn a_secret_moved_into_another_persons_row_opens_nothing() {
    let house = house(&[Factor::Totp]);
    house.add("clerk2", Role::Nurse, Some("0102"));
    let secret = enrolled(&house, &house.browser());
    house.execute(
        "insert into second_factors (staff_id, kind, name, recorded_at) values (3, 'totp', 'x', '')",
    );
    house.execute(
        "insert into second_factor_secrets select 2, key, sealed, '' from second_factor_secrets",
    );
    later(&house, 60);
    let thief = house.browser();
    thief.sign_in("clerk2", house.password());
    assert_eq!(answer(&thief, &shown(&house, &secret)).status, 503);
}

fn actor() -> Actor {
    Actor::system("試験")
}

fn state(db: &Db, keys: &FactorKeys) -> SealState {
    let read = db.read(&actor(), |tx| seal_state(tx, keys));
    read.unwrap()
}

#[test]
fn after_a_change_of_the_key_the_old_one_opens_nothing_and_the_code_still_fits() {
    let house = house(&[Factor::Totp]);
    let secret = enrolled(&house, &house.browser());
    let old = house.app().settings().factor_keys.clone();
    let both = old.renewed().unwrap();
    assert_eq!(reseal(house.db(), &actor(), &both).unwrap(), 1);
    let (before, after) = (old.names()[0], both.names()[0]);
    assert_eq!(
        house.detail("factor_key_rotate"),
        format!("前＝{before}／後＝{after}／件数＝1")
    );
    let newest = both.newest();
    let told = |keys| {
        let state = state(house.db(), keys);
        (state.sealed, state.closed, state.old)
    };
    assert_eq!((told(&old), told(&newest)), ((1, 1, 1), (1, 0, 0)));
    let house = house.restarted_with(newest);
    later(&house, 60);
    let browser = house.browser();
    browser.sign_in("nurse", house.password());
    assert_eq!(answer(&browser, &shown(&house, &secret)).status, 303);
}

#[test]
fn a_change_that_cannot_open_everything_changes_nothing() {
    let house = house(&[Factor::Totp]);
    enrolled(&house, &house.browser());
    let stranger = FactorKeys::fresh().unwrap();
    assert!(reseal(house.db(), &actor(), &stranger).is_err());
    assert_eq!(
        state(house.db(), &house.app().settings().factor_keys).closed,
        0
    );
}

#[test]
fn without_the_key_its_owners_are_told_what_to_do_and_everybody_else_works() {
    let house = house(&[Factor::Totp]);
    enrolled(&house, &house.browser());
    let house = house.restarted_with(FactorKeys::none());
    later(&house, 60);
    let nurse = house.browser();
    let asked = nurse.sign_in("nurse", house.password());
    assert!(
        asked.text().contains("確認コードの鍵がない"),
        "{}",
        asked.text()
    );
    assert!(!asked.body.contains("name=\"code\""));
    assert_eq!(answer(&nurse, "123456").status, 503);
    let refused = "select count(*) from audit_entries where operation = 'second_factor'
        and outcome = 'refused'";
    assert_eq!(house.count(refused), 0);
    let admin = house.signed_in("admin");
    let page = admin.get("/staff");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("1件の確認コードを確かめられず"));

    assert_eq!(state(house.db(), &FactorKeys::none()).closed, 1);
    let keys = FactorKeys::fresh().unwrap();
    assert_eq!(take_back_closed(house.db(), &actor(), &keys).unwrap(), 1);
    assert!(
        house
            .detail("second_factor_reset")
            .ends_with("確認コードの鍵がない")
    );
    assert_eq!(house.count("select count(*) from second_factor_secrets"), 0);
    let house = house.restarted_with(keys);
    enrolled(&house, &house.browser());
    assert!(
        !house
            .signed_in("admin")
            .get("/staff")
            .text()
            .contains("確認コードの鍵が")
    );
}

#[test]
fn without_a_key_nobody_enrols_a_telephone_and_the_page_says_why() {
    let house = house(&[Factor::Totp]).restarted_with(FactorKeys::none());
    let browser = house.browser();
    let led = browser.sign_in("nurse", house.password());
    assert!(led.text().contains("スマートフォンはいま登録できません"));
    let page = browser.get("/second-factors/totp");
    assert_eq!(page.status, 500);
    assert!(page.text().contains("確認コードの鍵を扱えませんでした"));
}

#[test]
fn what_is_taken_back_leaves_no_secret() {
    let house = house(&[Factor::Totp]);
    enrolled(&house, &house.browser());
    assert_eq!(house.count("select count(*) from second_factor_secrets"), 1);
    let admin = house.signed_in("admin");
    admin.get("/staff/1/second-factor-reset");
    admin.post("/staff/1/second-factor-reset", &[("reason", "紛失")]);
    assert_eq!(house.count("select count(*) from second_factor_secrets"), 0);
    assert_eq!(house.count("select count(*) from second_factors"), 1);
}
