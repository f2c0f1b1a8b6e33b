//! Moving somebody: what it ends, when it holds, who was first.

use jiff::SignedDuration;

use super::{Desk, HERE, MOVE, THERE, input, with};
use crate::web::Role;

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
fn a_my_number_is_not_kept_as_a_reason() {
    let desk = Desk::new();
    let admin = desk.admin();
    let page = desk.transfer(&admin, &with(&MOVE, "reason", "本人の番号は123456789018"));
    assert_eq!(page.status, 422);
    assert!(page.text().contains("マイナンバー"));
    assert_eq!(desk.posts(), 1);
}
