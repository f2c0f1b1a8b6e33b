//! The matrix, and what a role may do from a day on.

use jiff::SignedDuration;

use super::{Desk, dated, input, nurse_without};
use crate::features::staff::rights::holders;
use crate::web::{Permission, Role};

#[test]
fn the_matrix_is_seen_by_the_city_and_changed_by_administrators_only() {
    let desk = Desk::new();
    let city = desk.house.signed_in("choju");
    let page = city.get("/rights");
    assert_eq!(page.status, 200);
    assert!(page.text().contains("相談記録を書く・訂正する"));
    assert!(!page.body.contains("/rights/roles/nurse"));
    assert_eq!(city.get("/rights/roles/nurse").status, 403);
    assert_eq!(city.post("/rights/roles/nurse/changes", &[]).status, 403);
    assert!(
        desk.admin()
            .get("/rights")
            .body
            .contains("/rights/roles/nurse")
    );
    assert_eq!(desk.house.signed_in("nurse").get("/rights").status, 403);
}

#[test]
fn a_change_is_shown_with_whom_it_touches_and_takes_effect_at_midnight_in_an_open_session() {
    let desk = Desk::new();
    let admin = desk.admin();
    let fields = dated(
        &nurse_without("consultation_write"),
        "R8.11.25",
        "専門職の分担",
    );
    let opened = admin.get("/rights/roles/nurse");
    let seen = input(&opened, "seen");
    let to = "/rights/roles/nurse/changes";
    let shown = admin.post(to, &[&fields[..], &[("seen", &seen)]].concat());
    assert_eq!(shown.status, 200);
    let text = shown.text();
    assert!(
        text.contains("変わる職員：1人") && text.contains("試験 nurse"),
        "{text}"
    );
    let planned = "select count(*) from role_rights where starts_on = '2026-11-25'";
    assert_eq!(desk.house.count(planned), 0, "a preview is not saved");
    assert_eq!(desk.role(&admin, "nurse", &fields).status, 303);
    assert_eq!(
        desk.detail("role_right_change"),
        "役割＝保健師・看護師／前＝相談記録を書く・訂正する：できる／\
         後＝相談記録を書く・訂正する：できない／適用＝2026-11-25／理由＝専門職の分担"
    );
    assert!(admin.get("/rights").text().contains("R8.11.25からできない"));
    desk.house
        .hand
        .step(SignedDuration::from_mins(14 * 60 + 50));
    let nurse = desk.house.signed_in("nurse");
    assert_eq!(nurse.get("/consultations/new").status, 200);
    desk.house.hand.step(SignedDuration::from_mins(10));
    // The page was open; what it sends is refused, and that is written down.
    assert_eq!(
        nurse.post("/consultations", &[("content", "転倒")]).status,
        403
    );
    assert_eq!(desk.entries("refusal", "refused"), 1);
    assert!(
        !nurse
            .get("/consultations")
            .body
            .contains("/consultations/new")
    );
    // A clock that is set back takes the day back with it, and nothing else.
    desk.house.hand.step(SignedDuration::from_mins(-20));
    assert_eq!(nurse.get("/consultations/new").status, 200);
}

#[test]
fn what_is_wrong_with_a_change_is_said_and_nothing_is_saved() {
    let desk = Desk::new();
    let admin = desk.admin();
    let less = nurse_without("consultation_write");
    let long = "長".repeat(201);
    let cases = [
        (dated(&less, "R8.11.23", "理由"), "今日から"),
        (dated(&less, "R9.11.25", "理由"), "今日から"),
        (dated(&less, "あした", "理由"), "適用の日を読めません"),
        (dated(&less, "R8.11.25", ""), "理由を入力してください"),
        (dated(&less, "R8.11.25", &long), "いま201文字あります"),
        (
            dated(&less, "R8.11.25", "番号は123456789018"),
            "マイナンバー",
        ),
        (
            dated(&nurse_without(""), "R8.11.25", "理由"),
            "いまと違うところがありません",
        ),
        (
            dated(
                &[&less[..], &[("may", "root")]].concat(),
                "R8.11.25",
                "理由",
            ),
            "知らない権限",
        ),
    ];
    for (fields, words) in cases {
        let page = desk.role(&admin, "nurse", &fields);
        assert_eq!(page.status, 422, "{words}");
        assert!(page.text().contains(words), "{words}: {}", page.text());
    }
    assert_eq!(admin.get("/rights/roles/root").status, 404);
    let away = dated(&less, "R8.11.25", "理由");
    assert_eq!(admin.post("/rights/roles/root/changes", &away).status, 404);
    assert_eq!(desk.entries("role_right_change", "done"), 0);
}

#[test]
fn the_same_form_twice_is_one_change_and_a_stale_one_is_shown_both() {
    let desk = Desk::new();
    desk.house.add("admin2", Role::SystemAdmin, None);
    let (one, two) = (desk.admin(), desk.house.signed_in("admin2"));
    let stale = input(&two.get("/rights/roles/nurse"), "seen");
    let fields = dated(
        &nurse_without("consultation_write"),
        "R8.12.1",
        "分担の見直し",
    );
    assert_eq!(desk.role(&one, "nurse", &fields).status, 303);
    let key = "2026-12-01:-consultation_write";
    let to = "/rights/roles/nurse/changes";
    let again = one.post(
        to,
        &[&fields[..], &[("seen", &stale), ("shown", key)]].concat(),
    );
    assert!(again.header("location").ends_with("?done=again"));
    let other = dated(&nurse_without("resident_inquire"), "R8.12.1", "照会は市へ");
    let key = "2026-12-01:-resident_inquire";
    let late = two.post(
        to,
        &[&other[..], &[("seen", &stale), ("shown", key)]].concat(),
    );
    assert_eq!(late.status, 409);
    let text = late.text();
    for words in [
        "分担の見直し",
        "試験 admin",
        "照会は市へ",
        "照会する：できない",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(desk.entries("role_right_change", "done"), 1);
}

#[test]
fn a_planned_change_is_taken_back_and_one_that_began_is_not() {
    let desk = Desk::new();
    let admin = desk.admin();
    let fields = dated(&nurse_without("consultation_write"), "R8.11.25", "分担");
    assert_eq!(desk.role(&admin, "nurse", &fields).status, 303);
    let row = desk.house.count("select max(id) from role_rights");
    let to = format!("/rights/changes/{row}/withdrawal");
    assert_eq!(admin.post(&to, &[("reason", "")]).status, 422);
    assert_eq!(admin.post(&to, &[("reason", "やめた")]).status, 303);
    assert!(
        admin
            .post(&to, &[("reason", "やめた")])
            .header("location")
            .contains("again")
    );
    assert!(
        desk.detail("role_right_withdraw")
            .contains("後＝予定なし／理由＝やめた")
    );
    desk.step_days(1);
    let admin = desk.admin();
    assert_eq!(
        desk.house
            .signed_in("nurse")
            .get("/consultations/new")
            .status,
        200
    );
    let fields = dated(&nurse_without("consultation_write"), "R8.11.25", "やはり");
    assert_eq!(desk.role(&admin, "nurse", &fields).status, 303);
    let row = desk.house.count("select max(id) from role_rights");
    let to = format!("/rights/changes/{row}/withdrawal");
    let page = admin.post(&to, &[("reason", "遅い")]);
    assert_eq!(page.status, 422);
    assert!(page.text().contains("もう始まった変更は取りやめられません"));
}

#[test]
fn everybody_of_a_day_is_listed_with_scope_and_rights() {
    let desk = Desk::new();
    let today = desk.house.db().clock().today();
    let actor = store::Actor::system("試験");
    let of = |day| desk.house.db().read(&actor, |tx| holders(tx, day)).unwrap();
    let held = of(today);
    let can: Vec<&str> = held
        .iter()
        .filter(|h| h.rights.has(Permission::ResidentView) && h.scope != store::Scope::Nothing)
        .map(|h| h.login.as_str())
        .collect();
    assert_eq!(can, ["choju", "nurse", "clerk"]);
    assert!(of(jiff::civil::date(2026, 3, 31)).is_empty());
}
