//! People under 支援措置.

use axum::http::StatusCode;

use super::{HERE, House, SHIELDED};
use crate::web::Role;

const DATA: &[&str] = &[
    "石塚",
    "イシヅカ",
    "本町3番1号",
    "048-461-0003",
    "0000001003",
    "0000000101",
];
const DOOR: &str = "/residents/3/shield-acknowledgement";

#[test]
fn nothing_of_a_shielded_person_is_shown_before_the_reason() {
    let house = House::new();
    let city = house.keeper();
    let page = city.person(SHIELDED);
    assert_eq!(page.status, StatusCode::OK);
    page.hides(DATA);
    page.says(&["支援措置（DV等）の対象です", "開く理由"]);
    assert_eq!(
        house.entries(),
        ["resident_view refused 3 shield=no-reason"]
    );
}

#[test]
fn the_reason_opens_one_page_and_stands_in_the_access_log() {
    let house = House::new();
    let city = house.keeper();
    let page = city.post(DOOR, &[("shield_reason", "agency")]);
    assert_eq!(page.status, StatusCode::OK);
    page.says(DATA);
    page.says(&["支援措置の方です"]);
    assert_eq!(house.entries(), ["resident_view done 3 shield=agency"]);
    city.person(SHIELDED).hides(DATA);
}

#[test]
fn without_a_reason_of_the_list_the_door_stays_closed() {
    let house = House::new();
    let city = house.keeper();
    for reason in ["", "because", "石塚さんの件"] {
        let page = city.post(DOOR, &[("shield_reason", reason)]);
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason}");
        page.hides(&["本町3番1号", "イシヅカ"]);
        page.says(&["開く理由を選んでください", "href=\"#shield_reason\""]);
    }
    let logged = house.entries().join("\n");
    assert!(!logged.contains("石塚"), "typed words reached the log");
}

#[test]
fn for_a_centre_there_is_no_such_person() {
    let house = House::new();
    let nurse = house.nurse();
    for address in [
        "/residents/3",
        "/residents/3?page=2",
        "/residents/3/corrections/new?field=phone",
    ] {
        assert_eq!(
            nurse.get(address).status,
            StatusCode::NOT_FOUND,
            "{address}"
        );
    }
    let asked = nurse.post(DOOR, &[("shield_reason", "agency")]);
    assert_eq!(asked.status, StatusCode::NOT_FOUND);
    let written = nurse.post("/residents/3/corrections", &[("field", "phone")]);
    assert_eq!(written.status, StatusCode::NOT_FOUND);
    let refused = house.entries();
    assert_eq!(refused.len(), 5, "{refused:?}");
    assert!(refused.iter().all(|entry| entry.contains(" refused 3 ")));
    let manager = house.clerk("manager", Role::CentreManager, Some(HERE));
    assert_eq!(manager.person(SHIELDED).status, StatusCode::NOT_FOUND);
}

#[test]
fn without_a_grant_the_city_meets_nobody_and_a_reason_opens_nothing() {
    let house = House::new();
    let city = house.city();
    assert_eq!(city.person(SHIELDED).status, StatusCode::NOT_FOUND);
    let asked = city.post(DOOR, &[("shield_reason", "agency")]);
    assert_eq!(asked.status, StatusCode::NOT_FOUND);
    asked.hides(DATA);
}

#[test]
fn an_ended_period_lifts_nothing() {
    let house = House::new();
    house.run(
        "update residents set shielded_until = '2026-03-31' where id = 3",
        [],
    );
    let city = house.keeper();
    city.person(SHIELDED).hides(DATA);
    let page = city.post(DOOR, &[("shield_reason", "urgent")]);
    page.says(&["期間は R8.3.31 に終わっていますが、市が解除を確かめるまで続きます"]);
}

#[test]
fn the_form_of_a_correction_asks_for_the_reason_too_and_keeps_what_was_typed() {
    let house = House::new();
    let city = house.keeper();
    let asked = city.get("/residents/3/corrections/new?field=phone");
    asked.hides(&["048-461-0003", "石塚"]);
    assert_eq!(asked.input("field"), "phone");
    let form = city.post(
        DOOR,
        &[("shield_reason", "own_request"), ("field", "phone")],
    );
    form.says(&["048-461-0003", "石塚"]);
    let (state, typed) = (
        form.input("state"),
        [("value", "048-461-9999"), ("reason", "本人")],
    );
    let fields = [("field", "phone"), ("state", state.as_str())];
    let closed = city.post("/residents/3/corrections", &[&fields[..], &typed].concat());
    closed.hides(&["048-461-0003", "石塚"]);
    closed.says(&["value=\"048-461-9999\"", "開く理由"]);
    assert_eq!(house.count("select count(*) from resident_corrections"), 0);
    let reason = [("shield_reason", "own_request")];
    let saved = city.post(
        "/residents/3/corrections",
        &[&fields[..], &typed, &reason].concat(),
    );
    assert_eq!(saved.location(), "/residents/3?done=corrected");
    city.get(saved.location()).hides(&["048-461-9999", "石塚"]);
}

#[test]
fn the_next_page_of_a_shielded_timeline_is_asked_for_with_the_reason() {
    let house = House::new();
    for number in 1..=21 {
        house.consult(&format!("K{number}"), SHIELDED, |_| {});
    }
    let city = house.keeper();
    let page = city.post(DOOR, &[("shield_reason", "agency")]);
    page.says(&["name=\"page\" value=\"2\""]);
    page.hides(&["href=\"/residents/3?page=2"]);
    let next = city.post(DOOR, &[("shield_reason", "agency"), ("page", "2")]);
    next.says(&["（2/2ページ）"]);
    let entries = house.entries();
    assert_eq!(
        entries.last().map(String::as_str),
        Some("resident_view done 3 page=2 shield=agency")
    );
}
