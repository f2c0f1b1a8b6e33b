//! What makes or touches administrators waits for a second person; somebody always administers.

use super::{Desk, dated, input, nurse_without};
use crate::features::staff::tests::house::between;
use crate::web::Role;

/// A nurse who may also administer staff.
fn more() -> Vec<(&'static str, &'static str)> {
    [
        nurse_without(""),
        vec![("may", "staff_administer"), ("may", "staff_view")],
    ]
    .concat()
}

fn number(location: &str) -> String {
    let digits = |c: &char| c.is_ascii_digit();
    location
        .chars()
        .skip_while(|c| !digits(c))
        .take_while(digits)
        .collect()
}

#[test]
fn a_role_that_shall_administer_waits_for_somebody_else_and_is_done_when_approved() {
    let desk = Desk::new();
    let admin = desk.admin();
    let fields = dated(&more(), "R8.11.24", "副担当を置く");
    let asked = desk.role(&admin, "nurse", &fields);
    assert_eq!(asked.status, 303);
    let id = number(asked.header("location"));
    let nurse = desk.house.signed_in("nurse");
    assert_eq!(nurse.get("/staff").status, 403, "nothing changed yet");
    let place = format!("/approvals/{id}");
    let page = admin.get(&place);
    assert!(page.text().contains("自分の依頼は決められません") && !page.body.contains("承認する"));
    let yes = [("decision", "approve")];
    assert_eq!(admin.post(&format!("{place}/decision"), &yes).status, 403);
    assert_eq!(desk.entries("approval_decide", "refused"), 1);
    let city = desk.house.signed_in("choju");
    assert!(
        city.get("/approvals").text().contains("副担当")
            || city.get(&place).text().contains("副担当を置く")
    );
    let done = city.post(&format!("{place}/decision"), &yes);
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(nurse.get("/staff").status, 200);
    assert_eq!(desk.entries("approval_decide", "done"), 1);
    assert!(
        desk.detail("role_right_change")
            .contains("職員と権限を変える：できる")
    );
    let twice = city.post(&format!("{place}/decision"), &yes);
    assert!(twice.header("location").ends_with("?done=again"));
    let no = [("decision", "refuse"), ("reason", "やはり")];
    assert_eq!(city.post(&format!("{place}/decision"), &no).status, 409);
    let by = desk
        .house
        .count("select count(*) from role_rights where approval_id is not null");
    assert_eq!(by, 2);
}

#[test]
fn a_new_system_administrator_by_move_or_registration_waits_for_a_second_person() {
    let desk = Desk::new();
    let admin = desk.admin();
    let city = desk.house.signed_in("choju");
    city.get("/approvals");
    let chief = [
        ("role", "system_admin"),
        ("centre", ""),
        ("job", "システム管理者"),
        ("starts_on", "R8.11.24"),
    ];
    let place = format!("/staff/{}/posts", desk.nurse);
    let moved = [&chief[..], &[("reason", "副担当")]].concat();
    let asked = desk.through(&admin, &format!("{place}/new"), &place, &moved);
    let decide = format!("/approvals/{}/decision", number(asked.header("location")));
    let nurse = desk.house.signed_in("nurse");
    assert_eq!(nurse.get("/staff/new").status, 403);
    assert_eq!(city.post(&decide, &[("decision", "approve")]).status, 303);
    assert_eq!(nurse.get("/staff/new").status, 200);
    assert!(
        desk.detail("staff_post_add")
            .contains("後＝市 システム管理者（システム管理者）")
    );
    admin.get("/staff/new");
    let person = [
        ("login", "second"),
        ("name", "架空　次郎"),
        ("kana", "カクウ　ジロウ"),
    ];
    let told = admin.post("/staff", &[&person[..], &chief].concat());
    assert_eq!(told.status, 200);
    assert!(told.text().contains("承認を待っています"));
    let password = between(&told.body, "id=\"password\">", "<").unwrap();
    assert_eq!(
        desk.house.browser().sign_in("second", &password).status,
        422
    );
    let id = desk.house.count("select max(id) from approvals");
    let decide = format!("/approvals/{id}/decision");
    assert_eq!(city.post(&decide, &[("decision", "approve")]).status, 303);
    assert_eq!(
        desk.house.browser().sign_in("second", &password).status,
        303
    );
}

#[test]
fn a_request_is_refused_with_a_reason_taken_back_or_runs_out() {
    let desk = Desk::new();
    let admin = desk.admin();
    let city = desk.house.signed_in("choju");
    city.get("/approvals");
    let ask = |reason: &str| {
        let asked = desk.role(&admin, "nurse", &dated(&more(), "R8.12.24", reason));
        format!("/approvals/{}/decision", number(asked.header("location")))
    };
    let first = ask("一回目");
    assert_eq!(first, ask("一回目"), "sent twice it is one request");
    assert_eq!(city.post(&first, &[("decision", "refuse")]).status, 422);
    assert_eq!(city.post(&first, &[("decision", "")]).status, 422);
    let no = [("decision", "refuse"), ("reason", "不要")];
    assert_eq!(city.post(&first, &no).status, 303);
    let second = ask("二回目");
    assert_eq!(city.post(&second, &[("decision", "withdraw")]).status, 403);
    assert_eq!(admin.post(&second, &[("decision", "withdraw")]).status, 303);
    let third = ask("三回目");
    desk.step_days(8);
    let city = desk.house.signed_in("choju");
    city.get("/approvals");
    assert_eq!(city.post(&third, &[("decision", "approve")]).status, 409);
    assert!(city.get("/approvals/all").text().contains("期限切れ"));
    assert!(!city.get("/approvals").body.contains(">期限切れ<"));
    assert_eq!(city.get("/approvals/999").status, 404);
    assert_eq!(desk.entries("role_right_change", "done"), 0);
}

#[test]
fn what_somebody_asked_for_who_may_not_any_more_is_not_done() {
    let desk = Desk::new();
    desk.house.add("admin2", Role::SystemAdmin, None);
    let fields = dated(&more(), "R8.12.1", "副担当");
    let asked = desk.role(&desk.admin(), "nurse", &fields);
    let decide = format!("/approvals/{}/decision", number(asked.header("location")));
    let two = desk.house.signed_in("admin2");
    let form = format!("/staff/{}/ending", desk.admin);
    let opened = two.get(&form);
    let (seen, post) = (input(&opened, "seen"), input(&opened, "post"));
    let end = [
        ("kind", "end"),
        ("ends_on", "R8.11.24"),
        ("reason", "退職"),
        ("seen", &seen),
        ("post", &post),
    ];
    assert_eq!(two.post(&form, &end).status, 303);
    desk.step_days(1);
    let two = desk.house.signed_in("admin2");
    two.get("/approvals");
    let page = two.post(&decide, &[("decision", "approve")]);
    assert_eq!(page.status, 422);
    assert!(page.text().contains("依頼した人が、もう"));
    assert_eq!(desk.entries("role_right_change", "done"), 0);
}

#[test]
fn the_last_way_to_administer_cannot_be_taken_by_a_role_a_post_or_an_exception() {
    let desk = Desk::new();
    let admin = desk.admin();
    let kept = [
        "access_log_view",
        "access_log_export",
        "import_view",
        "master_view",
        "staff_view",
    ];
    let boxes: Vec<(&str, &str)> = kept.iter().map(|code| ("may", *code)).collect();
    let page = desk.role(&admin, "system_admin", &dated(&boxes, "R8.12.1", "整理"));
    assert_eq!(page.status, 422);
    assert!(
        page.text()
            .contains("R8.12.1 に「職員と権限を変える」を持つ人がいなくなります")
    );
    assert_eq!(desk.entries("role_right_change", "refused"), 1);
    // By an exception of a second administrator against the first.
    let other = desk.house.add("admin2", Role::SystemAdmin, None);
    let two = desk.house.signed_in("admin2");
    let taken = [("permission", "staff_administer"), ("granted", "no")];
    let asked = desk.except(&admin, other, &dated(&taken, "R8.12.1", "担当替え"));
    assert_eq!(asked.status, 303);
    let decide = format!("/approvals/{}/decision", number(asked.header("location")));
    let city = desk.house.signed_in("choju");
    city.get("/approvals");
    assert_eq!(city.post(&decide, &[("decision", "approve")]).status, 303);
    let page = desk.except(&two, desk.admin, &dated(&taken, "R8.12.1", "仕返し"));
    assert_eq!(page.status, 422);
    assert_eq!(desk.entries("staff_right_add", "refused"), 1);
    // By the end of a post: the second administrator does not count any more.
    let form = format!("/staff/{}/ending", desk.admin);
    let opened = two.get(&form);
    let (seen, post) = (input(&opened, "seen"), input(&opened, "post"));
    let end = [
        ("kind", "end"),
        ("ends_on", "R8.12.31"),
        ("reason", "退職"),
        ("seen", &seen),
        ("post", &post),
    ];
    assert_eq!(two.post(&form, &end).status, 422);
    assert_eq!(desk.entries("staff_post_end", "refused"), 1);
}

#[test]
fn an_approved_change_that_is_impossible_by_then_is_not_made_and_says_so() {
    let desk = Desk::new();
    let other = desk.house.add("admin2", Role::SystemAdmin, None);
    let (one, two) = (desk.admin(), desk.house.signed_in("admin2"));
    let taken = [("permission", "staff_administer"), ("granted", "no")];
    let first = desk.except(&one, other, &dated(&taken, "R8.12.1", "整理"));
    let second = desk.except(&two, desk.admin, &dated(&taken, "R8.12.1", "整理"));
    let decide = |page: &crate::features::staff::tests::house::Page| {
        format!("/approvals/{}/decision", number(page.header("location")))
    };
    let city = desk.house.signed_in("choju");
    city.get("/approvals");
    let yes = [("decision", "approve")];
    assert_eq!(city.post(&decide(&first), &yes).status, 303);
    let halted = city.post(&decide(&second), &yes);
    assert_eq!(halted.status, 422);
    assert!(halted.text().contains("持つ人がいなくなります"));
    assert_eq!(
        desk.house.count("select count(*) from approval_decisions"),
        1
    );
    assert_eq!(desk.house.count("select count(*) from staff_rights"), 1);
}
