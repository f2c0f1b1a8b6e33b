//! Terminals through their own routes: registering, certificates, losing one.

use base::settings::{Factor, SignInSettings};
use jiff::SignedDuration;

use crate::app::ServerSettings;
use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;

/// Two administrators, a nurse, and an authority.
struct Desk {
    house: House,
}

impl Desk {
    fn new() -> Self {
        let house = House::with_authority();
        house.add("admin", Role::SystemAdmin, None);
        house.add("admin2", Role::SystemAdmin, None);
        house.add("choju", Role::CityLongevity, None);
        house.add("nurse", Role::Nurse, Some("0101"));
        Self { house }
    }

    fn detail(&self, operation: &str) -> String {
        self.house.detail(operation)
    }

    /// Registers a terminal; its path.
    fn registered(&self, admin: &Browser<'_>, name: &str, kind: &str) -> String {
        let made = register(admin, name, kind);
        assert_eq!(made.status, 303, "{}", made.text());
        let path = made.header("location").split('?').next().unwrap_or("");
        path.to_owned()
    }

    /// Registers one and gives it a certificate; its path and the certificate in DER.
    fn enrolled(&self, admin: &Browser<'_>, name: &str, kind: &str) -> (String, Vec<u8>) {
        let path = self.registered(admin, name, kind);
        let (certificate, _) = issued(admin, &path);
        (path, certificate)
    }
}

fn register(admin: &Browser<'_>, name: &str, kind: &str) -> Page {
    let opened = admin.get("/terminals/new");
    let fields = [
        ("submission", &*input(&opened, "submission")),
        ("name", name),
        ("kind", kind),
        ("centre", "0101"),
        ("notes", "資産番号 12"),
    ];
    admin.post("/terminals", &fields)
}

fn input(page: &Page, name: &str) -> String {
    let before = format!("name=\"{name}\" value=\"");
    between(&page.body, &before, "\"").unwrap_or_else(|| panic!("no {name}: {}", page.text()))
}

/// Gives out a certificate; it in DER, and the passphrase of its file.
fn issued(admin: &Browser<'_>, path: &str) -> (Vec<u8>, String) {
    let asked = admin.get(&format!("{path}/certificate"));
    let seen = input(&asked, "seen");
    let page = admin.post(&format!("{path}/certificate"), &[("seen", &seen)]);
    assert_eq!(page.status, 200, "{}", page.text());
    opened(&page)
}

fn opened(page: &Page) -> (Vec<u8>, String) {
    let package = between(&page.body, "x-pkcs12;base64,", "\"").unwrap();
    let passphrase = between(&page.body, "id=\"passphrase\">", "<").unwrap();
    let package = package.replace("&#43;", "+").replace("&#61;", "=");
    let bytes = data_encoding::BASE64.decode(package.as_bytes()).unwrap();
    let policy = p12_keystore::Pkcs12ImportPolicy::Strict;
    let store = p12_keystore::KeyStore::from_pkcs12(&bytes, &passphrase, policy).unwrap();
    let (_, chain) = store.private_key_chain().unwrap();
    (chain.certs()[0].as_der().to_vec(), passphrase)
}

#[test]
fn a_terminal_is_registered_once_however_often_the_form_is_sent() {
    let desk = Desk::new();
    let admin = desk.house.signed_in("admin");
    let opened = admin.get("/terminals/new");
    let fields = [
        ("submission", &*input(&opened, "submission")),
        ("name", "窓口PC-1"),
        ("kind", "pc"),
        ("centre", "0101"),
    ];
    let first = admin.post("/terminals", &fields);
    let again = admin.post("/terminals", &fields);
    assert_eq!((first.status, again.status), (303, 303));
    assert!(again.header("location").ends_with("?done=again"));
    assert_eq!(desk.house.count("select count(*) from terminals"), 1);
    assert_eq!(
        desk.detail("terminal_add"),
        "前＝なし／後＝窓口PC-1・パソコン・0101"
    );
}

#[test]
fn wrong_input_comes_back_with_a_sentence_for_each_field() {
    let desk = Desk::new();
    let admin = desk.house.signed_in("admin");
    admin.get("/terminals/new");
    let page = admin.post("/terminals", &[("submission", "x"), ("notes", "残る文")]);
    assert_eq!(page.status, 422);
    for text in [
        "端末の名前を入力",
        "種類を選んで",
        "置き場所を選んで",
        "残る文",
    ] {
        assert!(page.body.contains(text), "{text}");
    }
    desk.registered(&admin, "窓口PC-1", "pc");
    let taken = register(&admin, "窓口PC-1", "tablet");
    assert_eq!(taken.status, 422);
    assert!(taken.text().contains("同じ名前の端末があります"));
    assert_eq!(desk.house.count("select count(*) from terminals"), 1);
}

#[test]
fn a_change_keeps_the_former_row_and_a_late_one_is_told() {
    let desk = Desk::new();
    let (one, two) = (
        desk.house.signed_in("admin"),
        desk.house.signed_in("admin2"),
    );
    let path = desk.registered(&one, "窓口PC-1", "pc");
    let seen = input(&one.get(&format!("{path}/edit")), "seen");
    two.get(&format!("{path}/edit"));
    let change = |browser: &Browser<'_>, name: &str| {
        let fields = [
            ("seen", seen.as_str()),
            ("name", name),
            ("kind", "tablet"),
            ("centre", "city"),
        ];
        browser.post(&format!("{path}/details"), &fields)
    };
    assert_eq!(change(&one, "訪問用-1").status, 303);
    assert_eq!(
        desk.detail("terminal_change"),
        "前＝窓口PC-1・パソコン・0101／後＝訪問用-1・タブレット・市"
    );
    let late = change(&two, "訪問用-2");
    assert_eq!(late.status, 409);
    assert!(late.body.contains("試験 admin") && late.body.contains("訪問用-2"));
    assert_eq!(desk.house.count("select count(*) from terminal_details"), 2);
}

#[test]
fn a_session_begun_at_a_terminal_holds_there_only_and_its_name_is_in_the_log() {
    let desk = Desk::new();
    let admin = desk.house.signed_in("admin");
    let (path, certificate) = desk.enrolled(&admin, "訪問用-1", "tablet");
    let nurse = desk.house.browser_at(&certificate);
    assert_eq!(nurse.sign_in("nurse", desk.house.password()).status, 303);
    assert_eq!(nurse.get("/password").status, 200);
    let named = "select count(*) from audit_entries
        where operation = 'sign_in' and terminal = '訪問用-1（端末1）'";
    assert_eq!(desk.house.count(named), 1);
    assert!(admin.get(&path).text().contains("R8.11.24 09:00"));
    // The same cookies from a machine without the certificate, or with another's.
    let (_, other) = desk.enrolled(&admin, "窓口PC-9", "pc");
    let stolen = nurse.moved_to(Some(&other));
    assert_eq!(stolen.get("/password").status, 401);
    assert_eq!(desk.detail("session_elsewhere"), "");
    // A token that went astray is worth nothing any more, even at home.
    assert_eq!(nurse.get("/password").status, 401);
    let back = desk.house.browser_at(&certificate);
    back.sign_in("nurse", desk.house.password());
    assert_eq!(back.moved_to(None).get("/password").status, 401);
}

#[test]
fn a_lost_terminal_is_out_at_once_and_in_again_with_a_new_certificate() {
    let desk = Desk::new();
    let admin = desk.house.signed_in("admin");
    let (path, certificate) = desk.enrolled(&admin, "訪問用-1", "tablet");
    let nurse = desk.house.browser_at(&certificate);
    nurse.sign_in("nurse", desk.house.password());
    admin.get(&path);
    let lost = admin.post(&format!("{path}/loss"), &[]);
    assert_eq!(
        (lost.status, lost.header("location")),
        (303, "/terminals/1?done=terminal-lost")
    );
    assert_eq!(
        desk.detail("terminal_revoke"),
        "前＝使用中／後＝紛失／終えたセッション＝1"
    );
    assert_eq!(nurse.get("/password").status, 401);
    let door = desk.house.browser_at(&certificate);
    let refused = door.sign_in("nurse", desk.house.password());
    assert_eq!(refused.status, 403);
    assert!(
        refused
            .text()
            .contains("紛失または使用終了として止められています")
    );
    assert_eq!(desk.detail("sign_in"), "止めた端末");
    // Pressed again, it changes nothing and says so.
    admin.get(&path);
    let again = admin.post(&format!("{path}/loss"), &[]);
    assert!(again.header("location").ends_with("?done=again"));
    let (renewed, _) = issued(&admin, &path);
    let back = desk.house.browser_at(&renewed);
    assert_eq!(back.sign_in("nurse", desk.house.password()).status, 303);
}

#[test]
fn a_new_certificate_replaces_the_old_one_and_another_administrator_is_told() {
    let desk = Desk::new();
    let (one, two) = (
        desk.house.signed_in("admin"),
        desk.house.signed_in("admin2"),
    );
    let (path, first) = desk.enrolled(&one, "窓口PC-1", "pc");
    let seen = input(&two.get(&format!("{path}/certificate")), "seen");
    let (second, _) = issued(&one, &path);
    assert_ne!(first, second);
    let old = desk.house.browser_at(&first);
    assert_eq!(old.sign_in("nurse", desk.house.password()).status, 403);
    let late = two.post(&format!("{path}/certificate"), &[("seen", &seen)]);
    assert_eq!(late.status, 409);
    assert!(late.text().contains("試験 admin さんが"));
    let count = "select count(*) from terminal_certificates";
    assert_eq!(desk.house.count(count), 2);
}

#[test]
fn a_tablet_is_locked_after_ten_minutes_and_over_after_ten_hours() {
    let desk = Desk::new();
    let admin = desk.house.signed_in("admin");
    let (_, certificate) = desk.enrolled(&admin, "訪問用-1", "tablet");
    let nurse = desk.house.browser_at(&certificate);
    nurse.sign_in("nurse", desk.house.password());
    let minutes = jiff::SignedDuration::from_mins;
    desk.house.hand.step(minutes(10));
    assert_eq!(nurse.get("/password").status, 200);
    desk.house.hand.step(minutes(11));
    let locked = nurse.get("/password");
    assert_eq!(locked.status, 401);
    assert!(locked.text().contains("画面をロックしています"));
    desk.house.hand.step(minutes(600));
    let over = nurse.get("/password");
    assert!(over.text().contains("サインインしてください"));
}

#[test]
fn a_certificate_that_nobody_registered_counts_as_none() {
    let desk = Desk::new();
    let browser = desk.house.browser_at(b"not a certificate of ours");
    assert_eq!(browser.sign_in("nurse", desk.house.password()).status, 303);
    assert_eq!(browser.moved_to(None).get("/password").status, 200);
}

#[test]
fn the_city_sees_the_register_and_changes_nothing() {
    let desk = Desk::new();
    let path = desk.registered(&desk.house.signed_in("admin"), "窓口PC-1", "pc");
    let choju = desk.house.signed_in("choju");
    let page = choju.get(&path);
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("証明書の発行</a>"));
    choju.get("/password");
    assert_eq!(choju.post(&format!("{path}/loss"), &[]).status, 403);
    assert_eq!(choju.get("/terminals/ca.crt").status, 200);
}

#[test]
fn without_an_authority_the_page_says_so() {
    let house = House::new();
    house.add("admin", Role::SystemAdmin, None);
    let admin = house.signed_in("admin");
    assert_eq!(register(&admin, "窓口PC-1", "pc").status, 303);
    let page = admin.get("/terminals/1/certificate");
    assert_eq!(page.status, 409);
    assert!(page.text().contains("認証局の鍵がありません"));
}

/// From the day of the desks to the last day of the certificates made on it.
const LIFE_DAYS: i64 = 1826;

fn days_later(desk: &Desk, days: i64) {
    desk.house.hand.step(SignedDuration::from_hours(24 * days));
}

fn renewed(browser: &Browser<'_>, password: &str) -> Page {
    browser.get("/terminals/own");
    browser.post("/terminals/own/renewal", &[("password", password)])
}

#[test]
fn a_terminal_near_its_end_renews_itself_and_the_first_use_ends_the_old_certificate() {
    let desk = Desk::new();
    let password = desk.house.password();
    let (_, old) = desk.enrolled(&desk.house.signed_in("admin"), "窓口PC-1", "pc");
    days_later(&desk, LIFE_DAYS - 40);
    let nurse = desk.house.browser_at(&old);
    nurse.sign_in("nurse", password);
    let told = "あと40日で期限が切れます";
    assert!(nurse.get("/password").text().contains(told));
    assert!(
        !desk
            .house
            .signed_in("nurse")
            .get("/password")
            .text()
            .contains(told)
    );

    let wrong = renewed(&nurse, "falsch und falsch");
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("今のパスワードが違います"));
    assert_eq!(
        desk.house
            .count("select count(*) from terminal_certificates"),
        1
    );
    let (unused, _) = opened(&renewed(&nurse, password));
    let (new, _) = opened(&renewed(&nurse, password));
    assert_eq!(
        desk.detail("terminal_issue"),
        "前＝使用中（2031-11-24まで）／後＝使用中（2036-10-15まで）／この端末での更新"
    );
    // Until the new one is shown, the old one opens, and nobody is asked again.
    assert!(!nurse.get("/password").text().contains(told));
    assert_eq!(
        desk.house
            .browser_at(&unused)
            .sign_in("nurse", password)
            .status,
        403
    );
    assert_eq!(
        desk.house
            .browser_at(&new)
            .sign_in("nurse", password)
            .status,
        303
    );
    assert_eq!(nurse.get("/password").status, 401);
    assert_eq!(
        desk.house
            .browser_at(&old)
            .sign_in("nurse", password)
            .status,
        403
    );
    assert_eq!(
        desk.detail("terminal_revoke"),
        "前＝更新の前の証明書／後＝新しい証明書の発行／終えたセッション＝1"
    );
}

#[test]
fn a_terminal_far_from_its_end_or_without_a_certificate_is_not_renewed() {
    let desk = Desk::new();
    let password = desk.house.password();
    let (_, certificate) = desk.enrolled(&desk.house.signed_in("admin"), "窓口PC-1", "pc");
    let far = desk.house.browser_at(&certificate);
    far.sign_in("nurse", password);
    assert!(far.get("/terminals/own").text().contains("60日前からです"));
    assert!(renewed(&far, password).text().contains("60日前からです"));
    let without = desk.house.signed_in("nurse");
    assert!(
        renewed(&without, password)
            .text()
            .contains("証明書が届いていません")
    );
    assert_eq!(
        desk.house
            .count("select count(*) from terminal_certificates"),
        1
    );
}

#[test]
fn losing_a_terminal_stops_its_renewed_certificate_as_well() {
    let desk = Desk::new();
    let password = desk.house.password();
    let (path, old) = desk.enrolled(&desk.house.signed_in("admin"), "訪問用-1", "tablet");
    days_later(&desk, LIFE_DAYS - 1);
    let nurse = desk.house.browser_at(&old);
    nurse.sign_in("nurse", password);
    let (new, _) = opened(&renewed(&nurse, password));
    let admin = desk.house.signed_in("admin");
    admin.get(&path);
    assert_eq!(admin.post(&format!("{path}/loss"), &[]).status, 303);
    for certificate in [old, new] {
        let browser = desk.house.browser_at(&certificate);
        assert_eq!(browser.sign_in("nurse", password).status, 403);
    }
    assert_eq!(nurse.get("/password").status, 401);
}

/// Nurses need a terminal; social workers a terminal or a code.
fn strict() -> Desk {
    let mut asked = SignInSettings::default();
    let factors = [
        ("nurse", vec![Factor::Terminal]),
        ("clerk", vec![Factor::Terminal, Factor::Totp]),
    ];
    for (role, factors) in factors {
        asked.second_factor.insert(role.to_owned(), factors);
    }
    let settings = ServerSettings::signing_in(&asked).unwrap();
    let house = House::with_authority_and(settings);
    house.add("admin", Role::SystemAdmin, None);
    house.add("nurse", Role::Nurse, Some("0101"));
    house.add("clerk", Role::Clerk, Some("0101"));
    Desk { house }
}

#[test]
fn an_expired_certificate_counts_as_none_and_the_page_says_what_to_do() {
    let desk = strict();
    let password = desk.house.password();
    let (_, certificate) = desk.enrolled(&desk.house.signed_in("admin"), "窓口PC-1", "pc");
    days_later(&desk, LIFE_DAYS);
    // 23:50 of the last day: whoever is in stays in, as after a change of roles.
    desk.house
        .hand
        .step(SignedDuration::from_mins(14 * 60 + 50));
    let nurse = desk.house.browser_at(&certificate);
    assert_eq!(nurse.sign_in("nurse", password).status, 303);
    desk.house.hand.step(SignedDuration::from_mins(20));
    let page = nurse.get("/terminals/own");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("R13.11.24 で期限が切れました"));
    assert!(
        renewed(&nurse, password)
            .text()
            .contains("この画面では更新できません")
    );
    let away = desk
        .house
        .browser_at(&certificate)
        .sign_in("nurse", password);
    assert_eq!(away.status, 403);
    assert!(
        away.text().contains("R13.11.24 で期限が切れました"),
        "{}",
        away.text()
    );
    assert_eq!(desk.detail("sign_in"), "端末の証明書の期限切れ");
    let asked = desk
        .house
        .browser_at(&certificate)
        .sign_in("clerk", password);
    assert!(asked.text().contains("はじめに一度だけ登録"));
    assert_eq!(
        desk.house
            .count("select count(*) from terminal_certificates"),
        1
    );
}

#[test]
fn the_list_says_how_many_days_are_left_also_of_the_appliances_own() {
    let desk = Desk::new();
    let admin = desk.house.signed_in("admin");
    desk.enrolled(&admin, "窓口PC-1", "pc");
    let text = admin.get("/terminals").text();
    for words in [
        "あと1826日",
        "認証局",
        "あと3653日",
        "サーバ",
        "あと396日",
        "自動で更新します",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    days_later(&desk, LIFE_DAYS + 1);
    let text = desk.house.signed_in("admin").get("/terminals").text();
    assert!(text.contains("期限切れ") && text.contains("切れました"));
}

#[test]
fn the_service_renews_its_own_certificate_before_it_ends_once_and_writes_it_down() {
    let desk = Desk::new();
    let renewals = "select count(*) from audit_entries where operation = 'certificate_renew'";
    days_later(&desk, 365);
    assert!(desk.house.app().begin_day());
    assert_eq!(desk.house.count(renewals), 0);
    days_later(&desk, 1);
    assert!(desk.house.app().begin_day() && desk.house.app().begin_day());
    assert_eq!(desk.house.count(renewals), 1);
    assert_eq!(
        desk.detail("certificate_renew"),
        "サーバ／前＝2027-12-25まで／後＝2028-12-25まで"
    );
}
