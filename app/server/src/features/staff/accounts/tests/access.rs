//! Passwords, waiting IDs, sessions, the own account.

use super::{Desk, MOVE, input};
use crate::features::staff::tests::house::{PASSWORD, between};
use crate::web::Role;

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
fn a_locked_session_is_shown_as_one() {
    let desk = Desk::new();
    let nurse = desk.house.signed_in("nurse");
    nurse.get("/password");
    let admin = desk.admin();
    assert!(!desk.page(&admin, "").text().contains("ロック中"));
    assert_eq!(nurse.post("/lock", &[]).status, 303);
    assert!(desk.page(&admin, "").text().contains("ロック中"));
}
