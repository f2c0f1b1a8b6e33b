//! Loading masters as often as one likes, and the page of counts.

use jiff::SignedDuration;
use jiff::civil::date;

use super::model::{Masters, MastersError, Mistake};
use super::{codes, label, load, view};
use crate::features::staff::tests::house::House;
use crate::web::Role;
use store::{Actor, StoreError};

const WAKO: &str = include_str!("../../../data/wako.toml");
const CODES: &str = include_str!("../../../data/codes.toml");

fn actor() -> Actor {
    Actor::system("試験")
}

fn mistake(wako: &str, codes: &str) -> (usize, Mistake) {
    match Masters::read(wako, codes) {
        Err(MastersError::Entry { line, mistake, .. }) => (line, mistake),
        other => panic!("{other:?}"),
    }
}

fn labels(house: &House, list: &str) -> Vec<(String, String)> {
    let today = house.db().clock().today();
    let found = house
        .db()
        .read(&actor(), |tx| codes(tx, list, today))
        .unwrap();
    found
        .into_iter()
        .map(|code| (code.code, code.label))
        .collect()
}

#[test]
fn a_second_load_changes_nothing() {
    let house = House::new();
    let again = load(house.db(), &actor(), &Masters::shipped().unwrap()).unwrap();
    assert_eq!((again.added, again.closed, again.updated), (0, 0, 0));
    assert!(again.unchanged > 150, "{again:?}");
}

#[test]
fn code_lists_keep_the_order_in_which_records_are_written() {
    let house = House::new();
    let reasons = labels(&house, "closing_reason");
    let expected = ["解決", "つなぎ", "死亡", "転出", "入所", "拒否", "連絡不能"];
    let named: Vec<&str> = reasons.iter().map(|(_, label)| label.as_str()).collect();
    assert_eq!(named, expected);
    assert_eq!(reasons.last().unwrap().0, "07");
    let counts = [
        ("consultation_channel", 8),
        ("caller_kind", 20),
        ("consultation_category", 22),
        ("consultation_response", 10),
        ("urgency", 4),
        ("consultation_outcome", 2),
        // 経過的要介護 ended in 2009.
        ("care_level", 9),
    ];
    for (list, count) in counts {
        assert_eq!(labels(&house, list).len(), count, "{list}");
    }
}

#[test]
fn a_changed_label_closes_the_old_entry_yesterday_and_old_records_still_read_as_before() {
    let house = House::new();
    house.hand.step(SignedDuration::from_hours(24 * 10));
    let changed = CODES.replace("label = \"出張相談\"", "label = \"出張・巡回相談\"");
    let masters = Masters::read(WAKO, &changed).unwrap();
    let loaded = load(house.db(), &actor(), &masters).unwrap();
    assert_eq!((loaded.added, loaded.closed, loaded.updated), (1, 1, 0));
    let again = load(house.db(), &actor(), &masters).unwrap();
    assert_eq!((again.added, again.closed), (0, 0));
    let today = house.db().clock().today();
    let read = |on| {
        let name = house
            .db()
            .read(&actor(), |tx| label(tx, "consultation_channel", "04", on));
        name.unwrap().unwrap()
    };
    assert_eq!(read(today), "出張・巡回相談");
    assert_eq!(read(today.yesterday().unwrap()), "出張相談");
    assert_eq!(labels(&house, "consultation_channel").len(), 8);
}

#[test]
fn an_entry_changed_twice_on_one_day_is_refused_and_nothing_of_it_stays() {
    let house = House::new();
    let first = CODES.replace("label = \"出張相談\"", "label = \"巡回相談\"");
    let second = CODES.replace("label = \"出張相談\"", "label = \"出前相談\"");
    load(house.db(), &actor(), &Masters::read(WAKO, &first).unwrap()).unwrap();
    let refused = load(house.db(), &actor(), &Masters::read(WAKO, &second).unwrap());
    assert!(matches!(
        refused,
        Err(MastersError::Entry {
            mistake: Mistake::ChangedTwice,
            ..
        })
    ));
    assert!(labels(&house, "consultation_channel").contains(&("04".into(), "巡回相談".into())));
}

#[test]
fn a_centre_keeps_its_id_when_its_telephone_becomes_known() {
    let house = House::new();
    let before = super::centre_id(house.db(), "0103").unwrap();
    let changed = WAKO.replacen("phone = \"\"", "phone = \"048-000-0101\"", 3);
    let loaded = load(
        house.db(),
        &actor(),
        &Masters::read(&changed, CODES).unwrap(),
    )
    .unwrap();
    assert_eq!((loaded.updated, loaded.added, loaded.closed), (3, 0, 0));
    assert_eq!(super::centre_id(house.db(), "0103").unwrap(), before);
    assert!(before.is_some());
}

#[test]
fn wrong_files_are_refused_with_the_line() {
    let with = |from: &str, to: &str| mistake(WAKO, &CODES.replacen(from, to, 1));
    let line = |needle: &str| {
        CODES
            .lines()
            .position(|line| line.contains(needle))
            .unwrap()
            + 1
    };
    assert_eq!(
        with("label = \"来所\"", "label = \" \""),
        (line("来所"), Mistake::Empty)
    );
    let twice = with(
        "code = \"02\", label = \"来所\"",
        "code = \"01\", label = \"来所\"",
    );
    assert_eq!(twice, (line("来所"), Mistake::Overlap));
    let (at, unknown) = with("label = \"来所\"", "label = \"来所\", colour = \"red\"");
    assert!(
        matches!(unknown, Mistake::Unreadable(ref why) if why.contains("colour")),
        "{unknown:?}"
    );
    assert_eq!(at, line("来所"));
    let ends = with("valid_to = 2009-03-31", "valid_to = 1999-03-31");
    assert_eq!(ends, (line("2009-03-31"), Mistake::EndsBeforeStart));
    let (_, day) = with("valid_to = 2009-03-31", "valid_to = \"H21.3.31\"");
    assert!(matches!(day, Mistake::Unreadable(_)));
    let centre = WAKO.replacen("centre_code = \"0103\"", "centre_code = \"0999\"", 1);
    assert_eq!(mistake(&centre, CODES).1, Mistake::UnknownCentre);
}

#[test]
fn numbers_are_grouped_by_three() {
    let shown: Vec<String> = [0, 999, 1000, 84_677, 1_234_567]
        .map(view::grouped)
        .to_vec();
    assert_eq!(shown, ["0", "999", "1,000", "84,677", "1,234,567"]);
}

fn people(house: &House) {
    let today = house.db().clock().today();
    assert_eq!(today, date(2026, 11, 24));
    house.resident(1, "1961-11-24", "0101", "1");
    house.resident(2, "1961-11-25", "0101", "1");
    house.resident(3, "1930-01-01", "0102", "1");
    house.resident(4, "1930-01-01", "0102", "3");
    for (id, level, until) in [
        (1, "12", "2026-11-24"),
        (2, "06", "2027-01-01"),
        (3, "25", "2026-11-23"),
        (4, "21", "2027-01-01"),
    ] {
        house.certification(id, level, "2026-01-01", until);
    }
}

#[test]
fn the_city_sees_counts_by_centre_of_those_who_live_here() {
    let house = House::new();
    people(&house);
    house.add("city", Role::CityLongevity, None);
    let page = house.signed_in("city").get("/overview");
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(text.contains("3住民"), "{text}");
    assert!(text.contains("265歳以上"), "{text}");
    assert!(text.contains("1要支援・要介護認定"), "{text}");
    assert!(text.contains("未確認 "), "{text}");
    assert!(!text.contains("個人に関する件数は表示されません"));
}

#[test]
fn the_system_administrator_sees_masters_but_no_counts_of_people() {
    let house = House::new();
    people(&house);
    house.add("admin", Role::SystemAdmin, None);
    let page = house.signed_in("admin").get("/overview?show=unconfirmed");
    let text = page.text();
    assert!(text.contains("個人に関する件数は表示されません"));
    assert!(!text.contains("65歳以上"));
    assert!(text.contains("中央第二地域包括支援センター"));
    // Confirmed entries are left out here.
    assert!(!text.contains("確認済み"));
}

#[test]
fn a_centre_has_no_way_to_the_page() {
    let house = House::new();
    house.add("nurse", Role::Nurse, Some("0101"));
    assert_eq!(house.signed_in("nurse").get("/overview").status, 403);
}

#[test]
fn every_load_leaves_an_entry_in_the_access_log() {
    let house = House::new();
    let count = || {
        let sql = "select count(*) from audit_entries where operation = 'master_load'";
        house
            .db()
            .read(&actor(), |tx| {
                tx.count(sql, []).map_err(|error: StoreError| error)
            })
            .unwrap()
    };
    let before = count();
    load(house.db(), &actor(), &Masters::shipped().unwrap()).unwrap();
    assert_eq!(count(), before + 1);
}
