//! Staff administration through its own routes.

use std::sync::Barrier;
use std::thread;

use jiff::SignedDuration;
use jiff::civil::date;
use store::{Actor, StaffId, StoreError};

use super::acts::{self, Hand, Refusal, Undone};
use super::store as sql;
use crate::features::staff::tests::house::{Browser, House, PASSWORD, Page, between};
use crate::web::Role;

const HERE: &str = "0101";
const THERE: &str = "0102";

/// 09:00 on 24 November 2026: an administrator at her desk, a nurse, the city.
struct Desk {
    house: House,
    nurse: StaffId,
    admin: StaffId,
}

impl Desk {
    fn new() -> Self {
        let house = House::new();
        let admin = house.add("admin", Role::SystemAdmin, None);
        let nurse = house.add("nurse", Role::Nurse, Some(HERE));
        house.add("choju", Role::CityLongevity, None);
        Self {
            house,
            nurse,
            admin,
        }
    }

    fn admin(&self) -> Browser<'_> {
        self.house.signed_in("admin")
    }

    fn page(&self, browser: &Browser<'_>, path: &str) -> Page {
        browser.get(&format!("/staff/{}{path}", self.nurse))
    }

    /// Opens the form of a move and sends it, through the page that shows what will end.
    fn transfer(&self, browser: &Browser<'_>, fields: &[(&str, &str)]) -> Page {
        let opened = self.page(browser, "/posts/new");
        let seen = input(&opened, "seen");
        let path = format!("/staff/{}/posts", self.nurse);
        let first = browser.post(&path, &[fields, &[("seen", &seen)]].concat());
        if first.status != 200 {
            return first;
        }
        let shown = input(&first, "shown");
        browser.post(
            &path,
            &[fields, &[("seen", &seen), ("shown", &shown)]].concat(),
        )
    }

    fn end(&self, browser: &Browser<'_>, id: StaffId, fields: &[(&str, &str)]) -> Page {
        let opened = browser.get(&format!("/staff/{id}/ending"));
        let (seen, post) = (input(&opened, "seen"), input(&opened, "post"));
        let hidden = [("seen", seen.as_str()), ("post", post.as_str())];
        browser.post(&format!("/staff/{id}/ending"), &[fields, &hidden].concat())
    }

    fn entries(&self, operation: &str, outcome: &str) -> i64 {
        self.house.count(&format!(
            "select count(*) from audit_entries
             where operation = '{operation}' and outcome = '{outcome}'"
        ))
    }

    /// What the newest entry of an act says.
    fn detail(&self, operation: &str) -> String {
        let sql = "select detail from audit_entries where operation = ?1 order by id desc limit 1";
        let read = self.house.db().read(&Actor::system("試験"), |tx| {
            tx.one(sql, [operation], |row| row.get(0))
        });
        read.map_err(|e: StoreError| e).unwrap().unwrap()
    }

    fn posts(&self) -> i64 {
        let nurse = self.nurse;
        let sql = format!("select count(*) from staff_posts where staff_id = {nurse}");
        self.house.count(&sql)
    }
}

fn input(page: &Page, name: &str) -> String {
    let before = format!("name=\"{name}\" value=\"");
    between(&page.body, &before, "\"").unwrap_or_else(|| panic!("no {name}: {}", page.text()))
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

const MOVE: [(&str, &str); 5] = [
    ("role", "social_worker"),
    ("centre", THERE),
    ("job", "社会福祉士"),
    ("starts_on", "R8.11.24"),
    ("reason", "年度途中の異動"),
];

const HANAKO: [(&str, &str); 6] = [
    ("login", "Hanako.1"),
    ("name", "架空　花子"),
    ("kana", "カクウ　ハナコ"),
    ("role", "clerk"),
    ("centre", HERE),
    ("job", "事務"),
];

fn hanako(starts_on: &'static str) -> Vec<(&'static str, &'static str)> {
    [&HANAKO[..], &[("starts_on", starts_on)]].concat()
}

fn with<'a>(
    fields: &[(&'a str, &'a str)],
    name: &'a str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().copied().filter(|(known, _)| *known != name);
    kept.chain([(name, value)]).collect()
}

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
fn a_move_shows_what_it_ends_before_it_is_saved_and_changes_the_scope_of_an_open_session() {
    let desk = Desk::new();
    desk.house.resident(1, "1940-01-01", HERE, "1");
    desk.house.resident(2, "1940-01-01", THERE, "1");
    let nurse = desk.house.signed_in("nurse");
    let sees = |id: i64| nurse.get(&format!("/residents/{id}")).status;
    assert_eq!((sees(1), sees(2)), (200, 404));
    let admin = desk.admin();
    let opened = desk.page(&admin, "/posts/new");
    let seen = input(&opened, "seen");
    let fields = [&MOVE[..], &[("seen", seen.as_str())]].concat();
    let shown = admin.post(&format!("/staff/{}/posts", desk.nurse), &fields);
    assert_eq!(shown.status, 200);
    assert!(
        shown
            .text()
            .contains("まだ保存していません。次のようになります")
    );
    assert!(
        shown.text().contains("R8.4.1 ～ R8.11.23"),
        "{}",
        shown.text()
    );
    assert_eq!((desk.posts(), sees(2)), (1, 404));
    assert_eq!(desk.transfer(&admin, &MOVE).status, 303);
    assert_eq!((sees(1), sees(2)), (404, 200));
    assert_eq!(
        desk.detail("staff_post_add"),
        "前＝保健師・看護師・0101・2026-04-01～／後＝保健師・看護師・0101・2026-04-01～2026-11-23、\
         社会福祉士・0102・2026-11-24～／理由＝年度途中の異動"
    );
    assert_eq!(desk.entries("staff_post_add", "done"), 1);
}

#[test]
fn a_planned_move_takes_effect_at_midnight_of_its_day_in_an_open_session() {
    let desk = Desk::new();
    desk.house.resident(1, "1940-01-01", HERE, "1");
    desk.house.resident(2, "1940-01-01", THERE, "1");
    let planned = with(&MOVE, "starts_on", "令和8年11月25日");
    assert_eq!(desk.transfer(&desk.admin(), &planned).status, 303);
    // 23:50 in Japan on the day before.
    desk.house
        .hand
        .step(SignedDuration::from_mins(14 * 60 + 50));
    let nurse = desk.house.signed_in("nurse");
    let sees = |id: i64| nurse.get(&format!("/residents/{id}")).status;
    assert_eq!((sees(1), sees(2)), (200, 404));
    desk.house.hand.step(SignedDuration::from_mins(10));
    assert_eq!((sees(1), sees(2)), (404, 200));
    assert!(nurse.get("/").text().contains("社会福祉士"));
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

#[test]
fn somebody_who_leaves_today_is_out_at_midnight_and_back_when_that_was_a_mistake() {
    let desk = Desk::new();
    let admin = desk.admin();
    let today = [("kind", "end"), ("ends_on", "20261124"), ("reason", "退職")];
    assert_eq!(desk.end(&admin, desk.nurse, &today).status, 303);
    assert_eq!(
        desk.detail("staff_post_end"),
        "前＝保健師・看護師・0101・2026-04-01～／後＝保健師・看護師・0101・2026-04-01～2026-11-24／理由＝退職"
    );
    desk.house
        .hand
        .step(SignedDuration::from_mins(14 * 60 + 50));
    let nurse = desk.house.signed_in("nurse");
    assert_eq!(nurse.get("/").status, 200);
    desk.house.hand.step(SignedDuration::from_mins(10));
    assert_eq!(nurse.get("/").status, 401);
    assert_eq!(desk.house.browser().sign_in("nurse", PASSWORD).status, 422);
    let admin = desk.admin();
    assert!(!admin.get("/staff").text().contains("試験 nurse"));
    assert!(
        admin
            .get("/staff?state=ended")
            .text()
            .contains("試験 nurse")
    );
    let back = [("kind", "reopen"), ("reason", "入力の間違い")];
    assert_eq!(desk.end(&admin, desk.nurse, &back).status, 303);
    assert_eq!(desk.house.browser().sign_in("nurse", PASSWORD).status, 303);
}

#[test]
fn a_planned_post_can_be_taken_back_and_the_one_before_goes_on() {
    let desk = Desk::new();
    let admin = desk.admin();
    let planned = with(&MOVE, "starts_on", "R9.4.1");
    assert_eq!(desk.transfer(&admin, &planned).status, 303);
    let page = desk.page(&admin, "");
    let sql = |order: &str| {
        let nurse = desk.nurse;
        let sql = format!("select {order}(id) from staff_posts where staff_id = {nurse}");
        desk.house.count(&sql).to_string()
    };
    let (old, new) = (sql("min"), sql("max"));
    assert!(page.text().contains("予定") && page.text().contains("R8.4.1 ～ R9.3.31"));
    let change = |post: &str, kind: &str| {
        let form = desk.page(&admin, &format!("/ending?post={post}"));
        let seen = input(&form, "seen");
        let fields = [
            ("seen", seen.as_str()),
            ("post", post),
            ("kind", kind),
            ("reason", "中止"),
        ];
        admin.post(&format!("/staff/{}/ending", desk.nurse), &fields)
    };
    // The former post would run into the planned one.
    let both = change(&old, "reopen");
    assert_eq!(both.status, 422);
    assert!(both.text().contains("期間が重なります") && both.text().contains("R9.4.1"));
    assert_eq!(change(&new, "cancel").status, 303);
    assert_eq!(change(&old, "reopen").status, 303);
    let page = desk.page(&admin, "").text();
    assert!(page.contains("取消し") && page.contains("R9.4.1 ～ 取りやめ"));
    assert!(!page.contains("R9.3.31"), "the former post goes on");
    assert_eq!(
        change(&old, "cancel").status,
        422,
        "a post that began is not taken back"
    );
}

#[test]
fn a_move_into_a_period_that_has_an_end_is_refused_with_both_periods() {
    let desk = Desk::new();
    let admin = desk.admin();
    let end = [
        ("kind", "end"),
        ("ends_on", "R8.12.31"),
        ("reason", "任期満了"),
    ];
    assert_eq!(desk.end(&admin, desk.nurse, &end).status, 303);
    let page = desk.transfer(&admin, &with(&MOVE, "starts_on", "R8.12.1"));
    assert_eq!(page.status, 422);
    let text = page.text();
    assert!(
        text.contains("R8.12.1 ～") && text.contains("R8.4.1 ～ R8.12.31"),
        "{text}"
    );
    assert!(page.body.contains("value=\"年度途中の異動\""));
    assert_eq!(desk.posts(), 1);
    assert_eq!(
        desk.transfer(&admin, &with(&MOVE, "starts_on", "R9.1.1"))
            .status,
        303
    );
    // Before everything there is: the open end would cover it all.
    let early = desk.transfer(&admin, &with(&MOVE, "starts_on", "R8.1.1"));
    assert_eq!((early.status, desk.posts()), (422, 2));
}

#[test]
fn a_move_sent_twice_is_one_and_a_stale_form_is_told_who_did_what() {
    let desk = Desk::new();
    desk.house.add("admin2", Role::SystemAdmin, None);
    let (one, two) = (desk.admin(), desk.house.signed_in("admin2"));
    let path = format!("/staff/{}/posts", desk.nurse);
    let opened = desk.page(&two, "/posts/new");
    let stale = input(&opened, "seen");
    assert_eq!(desk.transfer(&one, &MOVE).status, 303);
    let twice = one.post(&path, &[&MOVE[..], &[("seen", stale.as_str())]].concat());
    assert_eq!(twice.status, 303);
    assert!(twice.header("location").ends_with("?done=again"));
    let other = with(&MOVE, "reason", "別の理由");
    let late = two.post(&path, &[&other[..], &[("seen", stale.as_str())]].concat());
    assert_eq!(late.status, 409);
    let text = late.text();
    assert!(
        text.contains("試験 admin さん") && text.contains("年度途中の異動"),
        "{text}"
    );
    assert!(late.body.contains("別の理由"), "typed words are lost");
    let end = [
        ("kind", "end"),
        ("ends_on", "R8.12.31"),
        ("reason", "退職"),
        ("seen", &stale),
    ];
    let ending = two.post(&format!("/staff/{}/ending", desk.nurse), &end);
    assert_eq!(ending.status, 409);
    assert_eq!(desk.entries("staff_post_add", "done"), 1);
    assert_eq!(desk.entries("staff_post_end", "done"), 0);
}

#[test]
fn an_ending_sent_twice_is_one() {
    let desk = Desk::new();
    let admin = desk.admin();
    let form = desk.page(&admin, "/ending");
    let (seen, post) = (input(&form, "seen"), input(&form, "post"));
    let fields = [
        ("kind", "end"),
        ("ends_on", "R8.12.31"),
        ("reason", "退職"),
        ("seen", seen.as_str()),
        ("post", post.as_str()),
    ];
    let path = format!("/staff/{}/ending", desk.nurse);
    let answers = [admin.post(&path, &fields), admin.post(&path, &fields)];
    let places = answers.map(|page| page.header("location").to_owned());
    assert!(places[0].ends_with("done=post-ended") && places[1].ends_with("done=again"));
    assert_eq!(desk.entries("staff_post_end", "done"), 1);
}

#[test]
fn two_administrators_at_once_leave_one_post_and_one_is_told() {
    let desk = Desk::new();
    desk.house.add("admin2", Role::SystemAdmin, None);
    let browsers = [desk.admin(), desk.house.signed_in("admin2")];
    let path = format!("/staff/{}/posts", desk.nurse);
    let forms: Vec<Vec<(&str, String)>> = browsers
        .iter()
        .map(|browser| {
            let seen = input(&desk.page(browser, "/posts/new"), "seen");
            let fields = [&MOVE[..], &[("seen", seen.as_str())]].concat();
            let shown = input(&browser.post(&path, &fields), "shown");
            vec![("seen", seen), ("shown", shown)]
        })
        .collect();
    let sent = browsers.iter().zip(&forms).map(|(browser, hidden)| {
        let hidden: Vec<(&str, &str)> = hidden.iter().map(|(n, v)| (*n, v.as_str())).collect();
        browser.post(&path, &[&MOVE[..], &hidden].concat()).status
    });
    assert_eq!(sent.collect::<Vec<u16>>(), [303, 409]);
    assert_eq!(desk.posts(), 2);
}

#[test]
fn nobody_does_anything_to_her_own_account_and_each_try_is_written_down() {
    let desk = Desk::new();
    desk.house.add("admin2", Role::SystemAdmin, None);
    let (admin, me) = (desk.admin(), desk.admin);
    let page = admin.get(&format!("/staff/{me}"));
    assert_eq!(page.status, 200);
    assert!(!page.body.contains(&format!("/staff/{me}/posts/new")));
    for form in ["posts/new", "ending", "password-reset"] {
        assert_eq!(
            admin.get(&format!("/staff/{me}/{form}")).status,
            403,
            "{form}"
        );
    }
    for (act, operation) in [
        ("posts", "staff_post_add"),
        ("ending", "staff_post_end"),
        ("password-reset", "password_reset"),
        ("unlock", "staff_unlock"),
        ("sessions-end", "sessions_end"),
    ] {
        let answer = admin.post(&format!("/staff/{me}/{act}"), &MOVE);
        assert_eq!(answer.status, 403, "{act}");
        assert!(
            answer
                .text()
                .contains("ほかのシステム管理者に依頼してください")
        );
        let counts = ["refused", "done"].map(|outcome| desk.entries(operation, outcome));
        assert_eq!(counts, [1, 0], "{act}");
    }
    assert_eq!(admin.get("/staff").status, 200, "still signed in");
}

#[test]
fn the_last_system_administrator_is_neither_moved_nor_ended() {
    let desk = Desk::new();
    let second = desk.house.add("admin2", Role::SystemAdmin, None);
    let admin = desk.admin();
    let end = |browser: &Browser<'_>, id: StaffId, day: &str| {
        let fields = [("kind", "end"), ("ends_on", day), ("reason", "退職")];
        desk.end(browser, id, &fields)
    };
    // One of two may go.
    assert_eq!(end(&admin, second, "R9.3.31").status, 303);
    // Then the other stays needed, whoever asks.
    let other = desk.house.signed_in("admin2");
    let refused = end(&other, desk.admin, "R8.12.31");
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("システム管理者がいない日ができる"));
    let form = other.get(&format!("/staff/{}/posts/new", desk.admin));
    let (seen, path) = (input(&form, "seen"), format!("/staff/{}/posts", desk.admin));
    let fields = [&MOVE[..], &[("seen", seen.as_str())]].concat();
    let shown = input(&other.post(&path, &fields), "shown");
    let moved = other.post(&path, &[&fields[..], &[("shown", shown.as_str())]].concat());
    assert_eq!(moved.status, 422, "{}", moved.text());
    let refused = ["staff_post_end", "staff_post_add"].map(|op| desk.entries(op, "refused"));
    assert_eq!(refused, [1, 1]);
    assert_eq!(desk.detail("staff_post_add"), "最後のシステム管理者");
}

#[test]
fn a_reset_ends_sessions_forgives_failures_and_shows_a_password_that_must_be_changed() {
    let desk = Desk::new();
    let nurse = desk.house.signed_in("nurse");
    for _ in 0..6 {
        desk.house.browser().sign_in("nurse", "falsch und falsch");
    }
    let admin = desk.admin();
    let form = desk.page(&admin, "/password-reset");
    let seen = input(&form, "seen");
    let path = format!("/staff/{}/password-reset", desk.nurse);
    let told = admin.post(&path, &[("seen", &seen)]);
    assert_eq!(told.status, 200);
    let password = between(&told.body, "id=\"password\">", "<").unwrap();
    assert_eq!(nurse.get("/").status, 401);
    assert_eq!(desk.house.browser().sign_in("nurse", PASSWORD).status, 422);
    let browser = desk.house.browser();
    assert_eq!(browser.sign_in("nurse", &password).status, 303);
    assert_eq!(browser.get("/").header("location"), "/password");
    assert_eq!(
        desk.detail("password_reset"),
        "終えたセッション＝1／失敗の回数：前＝6／後＝0"
    );
    for shown in [desk.page(&admin, ""), admin.get("/access-log")] {
        assert!(!shown.body.contains(&password), "a password is shown again");
    }
    // Pressed twice: the browser shows the second answer, and that one holds.
    let again = admin.post(&path, &[("seen", &seen)]);
    let newest = between(&again.body, "id=\"password\">", "<").unwrap();
    assert_ne!(newest, password);
    assert_eq!(desk.house.browser().sign_in("nurse", &newest).status, 303);
}

#[test]
fn a_reset_after_another_administrators_is_told_who_was_first() {
    let desk = Desk::new();
    desk.house.add("admin2", Role::SystemAdmin, None);
    let (one, two) = (desk.admin(), desk.house.signed_in("admin2"));
    let path = format!("/staff/{}/password-reset", desk.nurse);
    let seen = [&one, &two].map(|browser| input(&desk.page(browser, "/password-reset"), "seen"));
    assert_eq!(one.post(&path, &[("seen", &seen[0])]).status, 200);
    let late = two.post(&path, &[("seen", &seen[1])]);
    assert_eq!(late.status, 409);
    assert!(
        late.text()
            .contains("試験 admin さんがパスワードを変えました")
    );
    assert_eq!(desk.entries("password_reset", "done"), 1);
}

#[test]
fn a_waiting_id_is_shown_and_let_in_again_by_an_administrator() {
    let desk = Desk::new();
    for _ in 0..6 {
        desk.house.browser().sign_in("nurse", "falsch und falsch");
    }
    assert_eq!(desk.house.browser().sign_in("nurse", PASSWORD).status, 422);
    let admin = desk.admin();
    assert!(admin.get("/staff").text().contains("待ち時間中"));
    let page = desk.page(&admin, "");
    assert!(page.text().contains("7回") && page.text().contains("まで待ち"));
    let path = format!("/staff/{}/unlock", desk.nurse);
    assert_eq!(admin.post(&path, &[]).status, 303);
    assert_eq!(desk.detail("staff_unlock"), "失敗の回数：前＝7／後＝0");
    // The terminal they all share waits less than the ID did.
    assert_eq!(desk.house.browser().sign_in("nurse", PASSWORD).status, 303);
    assert!(!admin.get("/staff").text().contains("待ち時間中"));
}

#[test]
fn somebody_is_signed_out_everywhere_by_an_administrator() {
    let desk = Desk::new();
    let (here, there) = (desk.house.signed_in("nurse"), desk.house.signed_in("nurse"));
    let admin = desk.admin();
    let page = desk.page(&admin, "");
    assert_eq!(page.body.matches("data-label=\"最後の操作\"").count(), 2);
    let path = format!("/staff/{}/sessions-end", desk.nurse);
    assert_eq!(admin.post(&path, &[]).status, 303);
    assert_eq!((here.get("/").status, there.get("/").status), (401, 401));
    assert_eq!(desk.detail("sessions_end"), "終えたセッション＝2");
    assert_eq!(desk.house.browser().sign_in("nurse", PASSWORD).status, 303);
    // Twice does no harm.
    assert_eq!(admin.post(&path, &[]).status, 303);
}

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
    for path in ["/staff", "/staff/report", "/staff/report.csv", "/staff/new"] {
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
fn nobody_behind_an_id_is_404_and_a_post_of_somebody_else_is_not_touched() {
    let desk = Desk::new();
    let admin = desk.admin();
    for path in [
        "/staff/999",
        "/staff/999/posts/new",
        "/staff/x",
        "/staff/-1",
    ] {
        assert_eq!(admin.get(path).status, 404, "{path}");
    }
    admin.get("/staff");
    assert_eq!(admin.post("/staff/999/unlock", &[]).status, 404);
    let form = desk.page(&admin, "/ending");
    let seen = input(&form, "seen");
    let theirs = desk
        .house
        .count("select min(id) from staff_posts")
        .to_string();
    let fields = [
        ("kind", "end"),
        ("ends_on", "R8.12.31"),
        ("reason", "退職"),
        ("seen", seen.as_str()),
        ("post", theirs.as_str()),
    ];
    let answer = admin.post(&format!("/staff/{}/ending", desk.nurse), &fields);
    assert_eq!(answer.status, 404);
    assert_eq!(
        desk.house.count("select count(*) from staff_post_endings"),
        0
    );
}

#[test]
fn a_wrong_ending_names_its_fields() {
    let desk = Desk::new();
    let admin = desk.admin();
    let long = "あ".repeat(201);
    for (field, fields) in [
        (
            "kind",
            [("kind", "fly"), ("reason", "退職"), ("ends_on", "")],
        ),
        (
            "kind",
            [("kind", "reopen"), ("reason", "退職"), ("ends_on", "")],
        ),
        (
            "kind",
            [("kind", "cancel"), ("reason", "退職"), ("ends_on", "")],
        ),
        (
            "reason",
            [("kind", "end"), ("reason", " "), ("ends_on", "R8.12.31")],
        ),
        (
            "reason",
            [("kind", "end"), ("reason", &long), ("ends_on", "R8.12.31")],
        ),
        (
            "ends_on",
            [("kind", "end"), ("reason", "退職"), ("ends_on", "")],
        ),
        (
            "ends_on",
            [("kind", "end"), ("reason", "退職"), ("ends_on", "R8.3.31")],
        ),
        (
            "ends_on",
            [("kind", "end"), ("reason", "退職"), ("ends_on", "R18.3.31")],
        ),
        (
            "ends_on",
            [("kind", "end"), ("reason", "退職"), ("ends_on", "来月")],
        ),
    ] {
        let page = desk.end(&admin, desk.nurse, &fields);
        assert_eq!(page.status, 422, "{fields:?}");
        assert!(
            page.body.contains(&format!("href=\"#{field}\"")),
            "{fields:?}"
        );
    }
    assert_eq!(
        desk.house.count("select count(*) from staff_post_endings"),
        0
    );
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
    let csv = |day: &str| admin.get(&format!("/staff/report.csv?on={day}")).body;
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
    assert_eq!(admin.get("/staff/report.csv?on=nie").status, 422);
    assert_eq!(desk.entries("staff_report", "done"), 4);
}

#[test]
fn a_cell_of_the_report_that_excel_would_calculate_is_text() {
    let desk = Desk::new();
    let admin = desk.admin();
    admin.get("/staff/new");
    let told = admin.post("/staff", &with(&hanako("R8.11.24"), "job", "=1+1"));
    assert_eq!(told.status, 200);
    assert!(admin.get("/staff/report.csv").body.contains(",'=1+1,"));
}

/// As if that person sat at a page.
fn actor(id: StaffId) -> Actor {
    Actor {
        staff_id: Some(id),
        ..Actor::system("試験")
    }
}

#[test]
fn two_administrators_who_end_each_other_at_the_same_moment_leave_one() {
    let desk = Desk::new();
    let second = desk.house.add("admin2", Role::SystemAdmin, None);
    let db = desk.house.db();
    let start = Barrier::new(2);
    let end = |by: StaffId, whom: StaffId| {
        let actor = actor(by);
        let read = db.read(&actor, |tx| sql::account(tx, whom));
        let account = read.map_err(|e: StoreError| e).unwrap().unwrap();
        let hand = Hand {
            db,
            actor: &actor,
            operator: None,
        };
        start.wait();
        acts::leave(&hand, &account, (date(2026, 11, 24), "退職"))
    };
    let (one, two) = thread::scope(|scope| {
        let one = scope.spawn(|| end(desk.admin, second));
        let two = scope.spawn(|| end(second, desk.admin));
        (one.join().unwrap(), two.join().unwrap())
    });
    let last = |result: &Result<(), Undone>| {
        matches!(result, Err(Undone::Refused(Refusal::LastAdministrator)))
    };
    assert!(
        one.is_ok() && last(&two) || two.is_ok() && last(&one),
        "{one:?} {two:?}"
    );
    let counts = ["done", "refused"].map(|outcome| desk.entries("staff_post_end", outcome));
    assert_eq!(counts, [1, 1]);
}

#[test]
fn somebody_who_leaves_before_a_planned_move_never_begins_there() {
    let desk = Desk::new();
    let planned = with(&MOVE, "starts_on", "R9.4.1");
    assert_eq!(desk.transfer(&desk.admin(), &planned).status, 303);
    let db = desk.house.db();
    let actor = actor(desk.admin);
    let hand = Hand {
        db,
        actor: &actor,
        operator: None,
    };
    let read = db.read(&actor, |tx| sql::account(tx, desk.nurse));
    let account = read.map_err(|e: StoreError| e).unwrap().unwrap();
    let too_early = acts::leave(&hand, &account, (date(2026, 3, 1), "退職"));
    assert!(matches!(too_early, Err(Undone::Refused(Refusal::Field(_)))));
    acts::leave(&hand, &account, (date(2027, 2, 28), "退職")).unwrap();
    let after = "select count(*) from staff_terms where staff_id = ?1 and starts_on <= '2027-05-01'
        and (ends_on is null or ends_on >= '2027-03-01')";
    let sql = after.replace("?1", &desk.nurse.to_string());
    assert_eq!(desk.house.count(&sql), 0);
    let detail = desk.detail("staff_post_end");
    assert!(detail.contains("2027-04-01～取りやめ"), "{detail}");
    assert_eq!(desk.entries("staff_post_end", "done"), 1);
}

#[test]
fn a_my_number_is_not_kept_as_a_reason() {
    let desk = Desk::new();
    let admin = desk.admin();
    let page = desk.transfer(&admin, &with(&MOVE, "reason", "本人の番号は123456789018"));
    assert_eq!(page.status, 422);
    assert!(page.text().contains("マイナンバー"));
    assert_eq!(desk.posts(), 1);
}
