//! A list for April: entered, shown as a difference, confirmed, taken back.

use super::{Desk, THERE, input};
use crate::features::staff::tests::house::{Browser, Page};
use crate::web::Role;

const DAY: [(&str, &str); 2] = [("title", "令和8年12月の異動"), ("starts_on", "R8.12.1")];

fn made(by: &Browser<'_>) -> String {
    by.get("/rights/plans");
    let page = by.post("/rights/plans", &DAY);
    assert_eq!(page.status, 303, "{}", page.text());
    page.header("location").to_owned()
}

fn add(by: &Browser<'_>, plan: &str, fields: &[(&str, &str)]) -> Page {
    by.get(plan);
    by.post(&format!("{plan}/lines"), fields)
}

const MOVE: [(&str, &str); 5] = [
    ("line", "post"),
    ("staff", "nurse"),
    ("role", "social_worker"),
    ("centre", THERE),
    ("job", "社会福祉士"),
];

fn confirm(by: &Browser<'_>, plan: &str) -> Page {
    let seen = input(&by.get(plan), "seen");
    by.post(
        &format!("{plan}/confirmation"),
        &[("reason", "内示のとおり"), ("seen", &seen)],
    )
}

#[test]
fn a_list_is_shown_as_a_difference_and_applied_at_midnight_of_its_day() {
    let desk = Desk::new();
    let admin = desk.admin();
    let plan = made(&admin);
    assert_eq!(made(&admin), plan, "the same list twice is one");
    for fields in [
        &MOVE[..],
        &[("line", "leave"), ("staff", "clerk")],
        &[
            ("line", "role"),
            ("role", "clerk"),
            ("permission", "consultation_write"),
            ("granted", "no"),
        ],
        &[
            ("line", "exception"),
            ("staff", "nurse"),
            ("permission", "access_log_view"),
            ("granted", "yes"),
            ("ends_on", "R8.12.31"),
        ],
    ] {
        let page = add(&admin, &plan, fields);
        assert_eq!(page.status, 303, "{fields:?}: {}", page.text());
    }
    assert!(
        add(&admin, &plan, &MOVE)
            .header("location")
            .ends_with("?done=again")
    );
    let shown = admin.get(&plan).text();
    for words in [
        "変わる職員：2人",
        "試験 clerk",
        "所属なし",
        "→ ",
        "社会福祉士",
        "アクセスログを見る",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let posts = "select count(*) from staff_posts";
    let before = desk.house.count(posts);
    assert_eq!(confirm(&admin, &plan).status, 303);
    assert_eq!(desk.house.count(posts), before + 1);
    assert_eq!(desk.entries("right_plan_confirm", "done"), 1);
    assert_eq!(desk.entries("staff_post_add", "done"), 1);
    desk.step_days(6);
    let nurse = desk.house.signed_in("nurse");
    assert!(nurse.get("/").text().contains("保健師・看護師"));
    desk.step_days(1);
    let nurse = desk.house.signed_in("nurse");
    assert!(nurse.get("/").text().contains("社会福祉士"));
    assert_eq!(nurse.get("/access-log").status, 200);
    let gone = desk.house.browser();
    let password = crate::features::staff::tests::house::PASSWORD;
    assert_eq!(gone.sign_in("clerk", password).status, 422);
    let admin = desk.admin();
    let late = admin.get(&plan);
    assert!(late.text().contains("適用済み"));
    let page = admin.post(&format!("{plan}/withdrawal"), &[("reason", "遅い")]);
    assert_eq!(page.status, 422);
}

#[test]
fn a_confirmed_list_is_taken_back_as_a_whole_and_leaves_everything_as_it_was() {
    let desk = Desk::new();
    let admin = desk.admin();
    let plan = made(&admin);
    add(&admin, &plan, &MOVE);
    add(&admin, &plan, &[("line", "leave"), ("staff", "clerk")]);
    add(
        &admin,
        &plan,
        &[
            ("line", "role"),
            ("role", "nurse"),
            ("permission", "consultation_write"),
            ("granted", "no"),
        ],
    );
    assert_eq!(confirm(&admin, &plan).status, 303);
    let again = admin.post(
        &format!("{plan}/confirmation"),
        &[("reason", "内示のとおり"), ("seen", "0")],
    );
    assert!(again.header("location").ends_with("?done=again"));
    assert_eq!(
        add(&admin, &plan, &[("line", "leave"), ("staff", "nurse")]).status,
        422
    );
    let back = [("reason", "内示が変わった")];
    assert_eq!(admin.post(&format!("{plan}/withdrawal"), &back).status, 303);
    assert!(
        desk.detail("right_plan_withdraw")
            .contains("前＝確定（適用待ち）／後＝取りやめ")
    );
    desk.step_days(7);
    let nurse = desk.house.signed_in("nurse");
    assert!(nurse.get("/").text().contains("保健師・看護師"));
    assert_eq!(nurse.get("/consultations/new").status, 200);
    desk.house.signed_in("clerk");
}

#[test]
fn a_list_that_others_changed_meanwhile_is_told_so() {
    let desk = Desk::new();
    desk.house.add("admin2", Role::SystemAdmin, None);
    let (one, two) = (desk.admin(), desk.house.signed_in("admin2"));
    let plan = made(&one);
    add(&one, &plan, &MOVE);
    let seen = input(&one.get(&plan), "seen");
    add(&two, &plan, &[("line", "leave"), ("staff", "clerk")]);
    let to = format!("{plan}/confirmation");
    let late = one.post(&to, &[("reason", "内示"), ("seen", &seen)]);
    assert_eq!(late.status, 409);
    assert!(late.text().contains("退職：試験 clerk"), "{}", late.text());
    assert_eq!(confirm(&one, &plan).status, 303);
    // One of its posts was changed by hand: the whole cannot be taken back blindly.
    let nurse = desk.nurse;
    let post = desk.house.count(&format!(
        "select max(id) from staff_posts where staff_id = {nurse}"
    ));
    let form = two.get(&format!("/staff/{nurse}/ending?post={post}"));
    let (account, post) = (input(&form, "seen"), post.to_string());
    let end = [
        ("kind", "end"),
        ("ends_on", "R9.3.31"),
        ("reason", "任期"),
        ("seen", &account),
        ("post", &post),
    ];
    assert_eq!(
        two.post(&format!("/staff/{nurse}/ending"), &end).status,
        303
    );
    let page = one.post(&format!("{plan}/withdrawal"), &[("reason", "中止")]);
    assert_eq!(page.status, 422);
    assert!(page.text().contains("ほかの変更が重なっています"));
    assert!(
        one.get(&plan).text().contains("確定（適用待ち）"),
        "nothing was taken back"
    );
}

#[test]
fn a_list_with_administrators_waits_for_a_second_person_and_for_exactly_its_lines() {
    let desk = Desk::new();
    let admin = desk.admin();
    let plan = made(&admin);
    let chief = [
        ("line", "post"),
        ("staff", "nurse"),
        ("role", "system_admin"),
        ("centre", ""),
        ("job", "システム管理者"),
    ];
    assert_eq!(add(&admin, &plan, &chief).status, 303);
    let asked = confirm(&admin, &plan);
    let place = asked
        .header("location")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    assert!(place.starts_with("/approvals/"), "{place}");
    add(&admin, &plan, &[("line", "leave"), ("staff", "clerk")]);
    let city = desk.house.signed_in("choju");
    city.get(&place);
    let yes = [("decision", "approve")];
    let page = city.post(&format!("{place}/decision"), &yes);
    assert_eq!(page.status, 409);
    let told = page.text();
    assert!(told.contains("依頼のあとで変わったところ"), "{told}");
    let asked = confirm(&admin, &plan);
    let place = asked
        .header("location")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(city.post(&format!("{place}/decision"), &yes).status, 303);
    assert!(admin.get(&plan).text().contains("確定（適用待ち）"));
    desk.step_days(7);
    assert_eq!(desk.house.signed_in("nurse").get("/staff/new").status, 200);
}

#[test]
fn a_list_that_cannot_be_says_why_and_lines_are_checked() {
    let desk = Desk::new();
    let admin = desk.admin();
    admin.get("/rights/plans");
    for fields in [
        [("title", ""), ("starts_on", "R9.4.1")],
        [("title", "今日"), ("starts_on", "R8.11.24")],
        [("title", "昔"), ("starts_on", "R8.4.1")],
    ] {
        assert_eq!(
            admin.post("/rights/plans", &fields).status,
            422,
            "{fields:?}"
        );
    }
    let plan = made(&admin);
    for fields in [
        &[("line", "leave"), ("staff", "nobody")][..],
        &[
            ("line", "post"),
            ("staff", "nurse"),
            ("role", "root"),
            ("job", "x"),
        ],
        &[
            ("line", "post"),
            ("staff", "nurse"),
            ("role", "nurse"),
            ("job", "x"),
        ],
        &[
            ("line", "role"),
            ("role", "nurse"),
            ("permission", "root"),
            ("granted", "no"),
        ],
        &[("line", "bogus"), ("staff", "nurse")],
    ] {
        assert_eq!(add(&admin, &plan, fields).status, 422, "{fields:?}");
    }
    let own = add(&admin, &plan, &[("line", "leave"), ("staff", "admin")]);
    assert_eq!(own.status, 403);
    assert_eq!(
        admin
            .post(&format!("{plan}/confirmation"), &[("reason", "空")])
            .status,
        409
    );
    add(&admin, &plan, &MOVE);
    add(&admin, &plan, &[("line", "leave"), ("staff", "nurse")]);
    let shown = admin.get(&plan);
    assert!(
        !shown.text().contains("このままでは確定できません"),
        "leaving before a new post is a return"
    );
    let line = desk.house.count("select min(id) from right_plan_items");
    let removal = format!("{plan}/lines/{line}/removal");
    assert_eq!(admin.post(&removal, &[]).status, 303);
    assert!(
        admin
            .post(&removal, &[])
            .header("location")
            .ends_with("?done=again")
    );
    assert_eq!(admin.get("/rights/plans/999").status, 404);
    let city = desk.house.signed_in("choju");
    assert_eq!(city.get(&plan).status, 200);
    assert_eq!(
        city.post(&format!("{plan}/confirmation"), &[("reason", "市")])
            .status,
        403
    );
}
