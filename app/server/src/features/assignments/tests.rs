//! Who is in charge, through the slice's own routes.

use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;
use store::{StaffId, StoreError, SystemReason};

const HERE: &str = "0101";
const THERE: &str = "0102";

/// Three people of the first centre, its manager, a social worker and a nurse who is kept to her own.
struct Desk {
    house: House,
    worker: StaffId,
    nurse: StaffId,
    stranger: StaffId,
}

impl Desk {
    fn new() -> Self {
        let house = House::new();
        house.add("boss", Role::CentreManager, Some(HERE));
        let worker = house.add("worker", Role::SocialWorker, Some(HERE));
        let nurse = house.add("nurse", Role::Nurse, Some(HERE));
        let stranger = house.add("stranger", Role::Nurse, Some(THERE));
        house.add("city", Role::CityLongevity, None);
        for id in 1..=3 {
            house.resident(id, "1940-01-01", HERE, "1");
        }
        let sql = format!(
            "insert into staff_rights (staff_id, permission, granted, starts_on, reason, recorded_at)
             values ({nurse}, 'resident_whole', 0, '2026-11-01', '実習のため', '')"
        );
        house.execute(&sql);
        Self {
            house,
            worker,
            nurse,
            stranger,
        }
    }
}

impl Desk {
    fn number(&self, sql: &str) -> i64 {
        let read: Result<i64, StoreError> = self
            .house
            .db()
            .system_read(SystemReason::Demo, |tx| tx.count(sql, []));
        read.unwrap()
    }
}

fn seen(browser: &Browser<'_>, path: &str) -> String {
    let page = browser.get(path).body;
    between(&page, "name=\"seen\" value=\"", "\"").unwrap()
}

fn assign(browser: &Browser<'_>, person: i64, (staff, part): (StaffId, &str), on: &str) -> Page {
    let path = format!("/residents/{person}/assignments");
    let (seen, staff) = (seen(browser, &path), staff.to_string());
    let fields = [
        ("seen", seen.as_str()),
        ("staff", &staff),
        ("part", part),
        ("starts_on", on),
        ("reason", "初回訪問のため"),
    ];
    browser.post(&path, &fields)
}

const SAVED: &str = "/residents/1/assignments?done=saved";

#[test]
fn a_new_main_member_ends_the_one_before_and_both_stay_readable() {
    let desk = Desk::new();
    let boss = desk.house.signed_in("boss");
    let first = assign(&boss, 1, (desk.worker, "main"), "R8.11.1");
    assert_eq!(first.header("location"), SAVED, "{}", first.text());
    let second = assign(&boss, 1, (desk.nurse, "main"), "R8.11.24");
    assert_eq!(second.header("location"), SAVED, "{}", second.text());
    let page = boss.get("/residents/1/assignments").text();
    assert!(page.contains("R8.11.1～R8.11.23"), "{page}");
    assert!(page.contains("担当替え") && page.contains("担当中"));
    let head = boss.get("/residents/1").text();
    assert!(head.contains("担当を見る") && !head.contains("担当者なし"));
    let detail = desk.house.detail("assign");
    let until = desk.house.detail("assign_end");
    assert!(detail.contains("part=main from=2026-11-24"), "{detail}");
    assert!(until.contains("until=2026-11-23"), "{until}");
}

#[test]
fn wrong_input_is_told_beside_its_field_and_keeps_what_was_typed() {
    let desk = Desk::new();
    let boss = desk.house.signed_in("boss");
    let path = "/residents/1/assignments";
    let mark = seen(&boss, path);
    let page = boss.post(
        path,
        &[("seen", &mark), ("reason", ""), ("starts_on", "いつか")],
    );
    assert_eq!(page.status, 422);
    for word in [
        "職員を選んでください",
        "主担当か副担当",
        "始める日を読めません",
        "いつか",
    ] {
        assert!(page.body.contains(word), "{word}");
    }
    let other = assign(&boss, 1, (desk.stranger, "main"), "R8.11.24");
    assert!(other.status == 422 && other.text().contains("紹介・個別の指定"));
    let section = desk.house.add("welfare", Role::CityWelfare, None);
    let section = assign(&boss, 1, (section, "main"), "R8.11.24");
    assert_eq!(
        section.status, 422,
        "a section meets whom others refer to it"
    );
    let far = assign(&boss, 1, (desk.worker, "main"), "R18.1.1");
    assert!(far.status == 422 && far.text().contains("前後1年"));
    assert_eq!(desk.number("select count(*) from assignments"), 0);
}

#[test]
fn a_form_opened_before_another_changed_it_is_late_and_the_same_twice_is_one() {
    let desk = Desk::new();
    let boss = desk.house.signed_in("boss");
    let path = "/residents/1/assignments";
    let (mark, worker) = (seen(&boss, path), desk.worker.to_string());
    let fields = [
        ("seen", mark.as_str()),
        ("staff", &worker),
        ("part", "main"),
        ("starts_on", "R8.11.24"),
        ("reason", "初回訪問"),
    ];
    assert_eq!(boss.post(path, &fields).header("location"), SAVED);
    let again = boss.post(path, &fields);
    assert!(again.header("location").ends_with("done=again"));
    let city = desk.house.signed_in("city");
    city.get(path);
    let late = city.post(path, &fields);
    assert!(late.status == 409 && late.text().contains("ほかの人が担当を変えました"));
    assert!(late.body.contains("初回訪問"), "typed words are lost");
    assert_eq!(desk.number("select count(*) from assignments"), 1);
}

#[test]
fn whoever_is_kept_to_her_own_meets_those_alone_and_from_the_day_on() {
    let desk = Desk::new();
    let (boss, nurse) = (desk.house.signed_in("boss"), desk.house.signed_in("nurse"));
    assert_eq!(nurse.get("/residents/1").status, 404);
    assert!(!nurse.get("/residents?q=0000000001").text().contains("架空"));
    assign(&boss, 1, (desk.nurse, "beside"), "R8.11.24");
    assign(&boss, 2, (desk.nurse, "beside"), "R8.12.1");
    assert_eq!(nurse.get("/residents/1").status, 200);
    assert_eq!(nurse.get("/residents/2").status, 404, "planned");
    assert_eq!(nurse.get("/residents/3").status, 404);
    let list = nurse.get("/assignments").text();
    assert!(
        list.contains("架空 1郎") && !list.contains("架空 3郎"),
        "{list}"
    );
    let end = [
        ("act", "end"),
        ("ends_on", "R8.11.23"),
        ("ending_reason", "訪問が終わった"),
    ];
    boss.get("/residents/1/assignments");
    assert_eq!(
        boss.post("/assignments/1/ending", &end).status,
        422,
        "before it began"
    );
    let cancel = [("act", "cancel"), ("ending_reason", "人を間違えた")];
    assert_eq!(
        boss.post("/assignments/1/ending", &cancel)
            .header("location"),
        SAVED
    );
    assert_eq!(nurse.get("/residents/1").status, 404, "in the open session");
    assert!(
        boss.get("/residents/1/assignments")
            .text()
            .contains("取消し")
    );
}

#[test]
fn she_goes_on_reading_and_correcting_what_she_wrote_herself() {
    let desk = Desk::new();
    let (nurse, worker) = (
        desk.house.signed_in("nurse"),
        desk.house.signed_in("worker"),
    );
    let typed = [
        ("received_on", "R8.11.24"),
        ("channel", "01"),
        ("caller_kind", "01"),
        ("urgency", "C"),
        ("categories", "01"),
        ("content", "名前を言わない電話"),
        ("outcome", "01"),
    ];
    nurse.get("/consultations/new");
    let saved = nurse.post("/consultations", &typed);
    assert_eq!(
        saved.header("location"),
        "/consultations/1?done=saved",
        "{}",
        saved.text()
    );
    worker.get("/consultations/new");
    let mut other = typed;
    other[5] = ("content", "同僚の受けた電話");
    worker.post("/consultations", &other);
    let list = nurse.get("/consultations").text();
    assert!(list.contains("R8-000001"), "{list}");
    assert!(!list.contains("R8-000002"), "{list}");
    assert!(
        nurse
            .get("/consultations/1")
            .text()
            .contains("名前を言わない電話")
    );
    assert_eq!(nurse.get("/consultations/2").status, 404);
}

#[test]
fn nobody_without_the_right_decides_and_a_shield_or_exclusion_wins() {
    let desk = Desk::new();
    let (boss, worker) = (desk.house.signed_in("boss"), desk.house.signed_in("worker"));
    assert!(
        worker
            .get("/residents/1/assignments")
            .text()
            .contains("管理者と市")
    );
    let path = "/residents/1/assignments";
    assert_eq!(worker.post(path, &[("staff", "1")]).status, 403);
    let stranger = desk.house.signed_in("stranger");
    assert_eq!(stranger.get(path).status, 404);
    assign(&boss, 1, (desk.nurse, "main"), "R8.11.24");
    let nurse = desk.house.signed_in("nurse");
    assert_eq!(nurse.get("/residents/1").status, 200);
    desk.house
        .execute("update residents set shielded = 1 where id = 1");
    assert_eq!(nurse.get("/residents/1").status, 404);
    assert!(!nurse.get("/assignments").text().contains("架空"));
}

#[test]
fn a_list_is_handed_over_as_a_whole_or_not_at_all() {
    let desk = Desk::new();
    let boss = desk.house.signed_in("boss");
    for person in [1, 2] {
        assign(&boss, person, (desk.worker, "main"), "R8.11.1");
    }
    assign(&boss, 3, (desk.worker, "main"), "R8.11.24");
    let path = format!("/assignments/hand-over?staff={}", desk.worker);
    let (mark, from, to) = (
        seen(&boss, &path),
        desk.worker.to_string(),
        desk.nurse.to_string(),
    );
    let fields = |ticked: &[&'static str]| {
        let mut fields = vec![
            ("seen".to_owned(), mark.clone()),
            ("from".to_owned(), from.clone()),
            ("staff".to_owned(), to.clone()),
            ("starts_on".to_owned(), "R8.11.24".to_owned()),
            ("reason".to_owned(), "異動のため".to_owned()),
        ];
        fields.extend(
            ticked
                .iter()
                .map(|id| ("assignment".to_owned(), (*id).to_owned())),
        );
        fields
    };
    let send = |fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        boss.post("/assignments/hand-over", &fields)
    };
    let refused = send(fields(&["1", "2", "3"]));
    assert_eq!(refused.status, 422, "the third began on the day itself");
    assert!(
        refused.text().contains("架空 3郎さん"),
        "{}",
        refused.text()
    );
    assert_eq!(desk.number("select count(*) from assignment_endings"), 0);
    assert_eq!(send(fields(&[])).status, 422);
    let done = send(fields(&["1", "2"]));
    assert!(
        done.header("location").starts_with("/assignments?staff="),
        "{}",
        done.text()
    );
    assert_eq!(desk.number("select count(*) from assignments"), 5);
    assert_eq!(send(fields(&["1", "2"])).status, 409, "sent twice");
    let list = boss
        .get(&format!("/assignments?staff={}", desk.nurse))
        .text();
    assert!(
        list.contains("架空 1郎") && list.contains("架空 2郎"),
        "{list}"
    );
}

#[test]
fn whose_member_of_staff_left_is_shown_to_the_manager() {
    let desk = Desk::new();
    let boss = desk.house.signed_in("boss");
    assign(&boss, 1, (desk.worker, "main"), "R8.11.1");
    assert!(!boss.get("/assignments").text().contains("いなくなった"));
    desk.house.execute(&format!(
        "insert into staff_post_endings (post_id, ends_on, reason, recorded_at)
         select id, '2026-11-20', '退職', '' from staff_posts where staff_id = {}",
        desk.worker
    ));
    assert!(
        boss.get("/assignments")
            .text()
            .contains("担当者がいなくなった方が 1人")
    );
    assert!(
        boss.get("/assignments?staff=none")
            .text()
            .contains("架空 1郎")
    );
}
