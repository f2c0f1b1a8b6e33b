//! Last days: leaving, taken back, the last administrator.

use std::sync::Barrier;
use std::thread;

use jiff::SignedDuration;
use jiff::civil::date;
use store::{Actor, StaffId, StoreError};

use super::{Desk, MOVE, input, with};
use crate::features::staff::accounts::acts::{self, Hand, Refusal, Undone};
use crate::features::staff::accounts::store as sql;
use crate::features::staff::tests::house::{Browser, PASSWORD};
use crate::web::Role;

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
    // Longer again is for two people to decide: as a new post.
    for (kind, day) in [("reopen", ""), ("end", "R9.4.30")] {
        let fields = [("kind", kind), ("ends_on", day), ("reason", "続ける")];
        let page = desk.end(&admin, second, &fields);
        assert_eq!(page.status, 422, "{kind}");
        assert!(page.text().contains("システム管理者の期間は、延ばせません"));
    }
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
        let hand = Hand { db, actor: &actor };
        start.wait();
        acts::leave(&hand, &account, (date(2026, 11, 24), "退職"), &account.seen)
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
    let hand = Hand { db, actor: &actor };
    let read = db.read(&actor, |tx| sql::account(tx, desk.nurse));
    let account = read.map_err(|e: StoreError| e).unwrap().unwrap();
    let too_early = acts::leave(&hand, &account, (date(2026, 3, 1), "退職"), &account.seen);
    assert!(matches!(too_early, Err(Undone::Refused(Refusal::Field(_)))));
    acts::leave(&hand, &account, (date(2027, 2, 28), "退職"), &account.seen).unwrap();
    for day in ["2027-03-01", "2027-03-31", "2027-04-01", "2027-05-01"] {
        let sql = format!(
            "select count(*) from staff_terms where staff_id = {} and starts_on <= '{day}'
               and (ends_on is null or ends_on >= '{day}')",
            desk.nurse
        );
        assert_eq!(desk.house.count(&sql), 0, "{day}");
    }
    let detail = desk.detail("staff_post_end");
    assert!(detail.contains("2027-04-01～取りやめ"), "{detail}");
    assert_eq!(desk.entries("staff_post_end", "done"), 1);
}

#[test]
fn a_leaver_with_a_planned_move_is_asked_and_does_not_come_back_on_its_day() {
    let desk = Desk::new();
    let admin = desk.admin();
    let planned = with(&MOVE, "starts_on", "R8.12.1");
    assert_eq!(desk.transfer(&admin, &planned).status, 303);
    let form = desk.page(&admin, "/ending");
    assert!(form.text().contains("退職（予定も中止）"));
    assert!(!form.body.contains(" checked"), "the choice is hers");
    let (seen, post) = (input(&form, "seen"), input(&form, "post"));
    let path = format!("/staff/{}/ending", desk.nurse);
    let leave = |kind: &str, day: &str| {
        let fields = [
            ("kind", kind),
            ("ends_on", day),
            ("reason", "退職"),
            ("seen", seen.as_str()),
            ("post", post.as_str()),
        ];
        admin.post(&path, &fields)
    };
    for (kind, day, field) in [
        ("", "R8.11.24", "kind"),
        ("leave", "", "ends_on"),
        ("leave", "R8.3.1", "ends_on"),
    ] {
        let page = leave(kind, day);
        assert_eq!(page.status, 422, "{kind} {day}");
        assert!(
            page.body.contains(&format!("href=\"#{field}\"")),
            "{kind} {day}"
        );
    }
    let answers = [leave("leave", "R8.11.24"), leave("leave", "R8.11.24")];
    let places = answers.map(|page| page.header("location").to_owned());
    assert!(places[0].ends_with("done=post-ended") && places[1].ends_with("done=again"));
    assert_eq!(desk.entries("staff_post_end", "done"), 1);
    for _ in 0..10 {
        desk.house.hand.step(SignedDuration::from_hours(24));
        let page = desk.house.browser().sign_in("nurse", PASSWORD);
        assert_eq!(page.status, 422);
    }
}
