//! Referrals and named cases through their own routes.

use jiff::SignedDuration;
use store::{StaffId, StoreError, SystemReason};

use crate::features::staff::tests::house::{Browser, House, Page};
use crate::web::Role;

const HERE: &str = "0101";
const THERE: &str = "0102";

/// Two people of the first centre; its manager, a nurse of the second, the section, the city.
struct Desk {
    house: House,
    nurse: StaffId,
}

impl Desk {
    fn new() -> Self {
        let house = House::new();
        house.add("boss", Role::CentreManager, Some(HERE));
        house.add("thatboss", Role::CentreManager, Some(THERE));
        let nurse = house.add("nurse", Role::Nurse, Some(THERE));
        house.add("welfare", Role::CityWelfare, None);
        house.add("city", Role::CityLongevity, None);
        house.resident(1, "1940-01-01", HERE, "1");
        house.resident(2, "1941-01-01", HERE, "1");
        Self { house, nurse }
    }

    fn number(&self, sql: &str) -> i64 {
        let read: Result<i64, StoreError> = self
            .house
            .db()
            .system_read(SystemReason::Demo, |tx| tx.count(sql, []));
        read.unwrap()
    }

    fn name(&self, browser: &Browser<'_>, access: &str) -> Page {
        self.name_staff(browser, self.nurse, access)
    }

    fn name_staff(&self, browser: &Browser<'_>, staff: StaffId, access: &str) -> Page {
        browser.get("/residents/1/case-grants");
        let staff = staff.to_string();
        let fields = [
            ("kind", "staff"),
            ("staff", staff.as_str()),
            ("starts_on", "R8.11.24"),
            ("ends_on", "R8.11.30"),
            ("access", access),
            ("reason", "通院先が同じ区域のため"),
        ];
        browser.post("/residents/1/case-grants", &fields)
    }
}

fn refer(browser: &Browser<'_>) -> Page {
    browser.get("/residents/1/case-grants");
    let fields = [("kind", "section"), ("section_reason", "障害福祉も必要")];
    browser.post("/residents/1/case-grants", &fields)
}

const DONE: &str = "/residents/1/case-grants?done=shared";

const TYPED: [(&str, &str); 7] = [
    ("received_on", "R8.11.24"),
    ("channel", "01"),
    ("caller_kind", "01"),
    ("urgency", "C"),
    ("categories", "01"),
    ("content", "福祉の相談"),
    ("outcome", "01"),
];

#[test]
fn a_referred_person_is_the_day_of_the_section_and_she_is_written_about() {
    let desk = Desk::new();
    let welfare = desk.house.signed_in("welfare");
    assert!(
        welfare
            .get("/")
            .text()
            .contains("紹介された方が、ここに表示されます")
    );
    assert_eq!(welfare.get("/residents/1").status, 404);
    let boss = desk.house.signed_in("boss");
    assert!(
        boss.get("/residents/1")
            .body
            .contains("/residents/1/case-grants")
    );
    assert_eq!(refer(&boss).header("location"), DONE);
    let day = welfare.get("/").text();
    assert!(
        day.contains("紹介された方（1）") && day.contains("架空 1郎") && day.contains("新しい")
    );
    let page = welfare.get("/residents/1");
    assert!(
        page.text().contains("紹介により表示しています"),
        "{}",
        page.text()
    );
    assert!(page.body.contains("/consultations/new?resident=1"));
    let found = welfare.get("/residents?q=0000000001").text();
    assert!(found.contains("架空 1郎"), "{found}");
    let others = welfare.get("/residents?q=0000000002").text();
    assert!(!others.contains("架空 2郎"), "{others}");
    let fields = [&TYPED[..], &[("resident", "1")]].concat();
    welfare.get("/consultations/new?resident=1");
    let saved = welfare.post("/consultations", &fields);
    assert_eq!(saved.header("location"), "/consultations/1?done=saved");
    let page = welfare.get("/consultations/1");
    assert!(page.status == 200 && page.body.contains("/consultations/1/edit"));
    assert!(
        boss.get("/consultations/1").text().contains("福祉の相談"),
        "her centre reads it"
    );
    assert!(
        welfare
            .get("/case-grants")
            .text()
            .contains("障害福祉も必要")
    );
}

#[test]
fn the_section_writes_about_nobody_else() {
    let desk = Desk::new();
    let welfare = desk.house.signed_in("welfare");
    assert!(
        !welfare
            .get("/consultations")
            .body
            .contains("href=\"/consultations/new\"")
    );
    assert_eq!(welfare.get("/consultations/new").status, 409);
    let page = welfare.post("/consultations", &TYPED);
    assert_eq!(page.status, 409);
    assert!(page.body.contains("福祉の相談"), "typed words are lost");
    let fields = [&TYPED[..], &[("resident", "2")]].concat();
    assert_eq!(welfare.post("/consultations", &fields).status, 404);
    assert_eq!(desk.number("select count(*) from consultations"), 0);
}

#[test]
fn a_colleague_who_is_kept_to_her_own_can_be_named_too() {
    let desk = Desk::new();
    let kept = desk.house.add("kept", Role::Nurse, Some(HERE));
    let boss = desk.house.signed_in("boss");
    let refused = desk.name_staff(&boss, kept, "read");
    assert!(refused.status == 422 && refused.text().contains("もともとこの方を見られます"));
    desk.house.execute(&format!(
        "insert into staff_rights (staff_id, permission, granted, starts_on, reason, recorded_at)
         values ({kept}, 'resident_whole', 0, '2026-11-01', '実習のため', '')"
    ));
    let nurse = desk.house.signed_in("kept");
    assert_eq!(nurse.get("/residents/1").status, 404);
    let named = desk.name_staff(&boss, kept, "read");
    assert_eq!(named.header("location"), DONE, "{}", named.text());
    assert_eq!(nurse.get("/residents/1").status, 200);
}

#[test]
fn an_ended_referral_shows_nothing_any_more() {
    let desk = Desk::new();
    let (boss, welfare) = (
        desk.house.signed_in("boss"),
        desk.house.signed_in("welfare"),
    );
    refer(&boss);
    boss.get("/residents/1/case-grants");
    assert_eq!(boss.post("/case-grants/1/ending", &[]).status, 422);
    for done in ["share-ended", "again"] {
        let page = boss.post(
            "/case-grants/1/ending",
            &[("ending_reason", "支援が終わった")],
        );
        let to = format!("/residents/1/case-grants?done={done}");
        assert_eq!(page.header("location"), to);
    }
    assert_eq!(welfare.get("/residents/1").status, 404);
    assert!(!welfare.get("/").text().contains("架空"));
    assert!(
        boss.get("/residents/1/case-grants")
            .text()
            .contains("支援が終わった")
    );
    assert_eq!(
        refer(&boss).header("location"),
        DONE,
        "she can be referred anew"
    );
}

#[test]
fn the_named_reads_or_writes_until_the_last_day() {
    let desk = Desk::new();
    let boss = desk.house.signed_in("boss");
    assert_eq!(desk.name(&boss, "read").header("location"), DONE);
    let nurse = desk.house.signed_in("nurse");
    let page = nurse.get("/residents/1");
    assert!(
        page.text()
            .contains("個別の指定により表示しています（R8.11.24からR8.11.30まで、閲覧のみ）")
    );
    assert!(!page.body.contains("/consultations/new"));
    let fields = [&TYPED[..], &[("resident", "1")]].concat();
    assert_eq!(nurse.post("/consultations", &fields).status, 403);
    desk.house.hand.step(SignedDuration::from_hours(6 * 24));
    assert_eq!(
        desk.house.signed_in("nurse").get("/residents/1").status,
        200,
        "30 November"
    );
    desk.house.hand.step(SignedDuration::from_hours(24));
    assert_eq!(
        desk.house.signed_in("nurse").get("/residents/1").status,
        404,
        "1 December"
    );
}

#[test]
fn a_named_member_who_may_write_writes_and_gives_her_to_nobody() {
    let desk = Desk::new();
    let boss = desk.house.add("second", Role::CentreManager, Some(THERE));
    let city = desk.house.signed_in("city");
    assert_eq!(
        desk.name_staff(&city, boss, "write").header("location"),
        DONE
    );
    let second = desk.house.signed_in("second");
    let page = second.get("/residents/1");
    assert!(page.body.contains("/consultations/new?resident=1"));
    assert!(!page.body.contains("/residents/1/case-grants"));
    assert_eq!(second.get("/residents/1/case-grants").status, 403);
    let refused = refer(&second);
    assert_eq!(refused.status, 403);
    assert!(
        refused.body.contains("障害福祉も必要"),
        "typed words are lost"
    );
    assert_eq!(
        second
            .post("/case-grants/1/ending", &[("ending_reason", "x")])
            .status,
        403
    );
    assert_eq!(desk.number("select count(*) from case_grants"), 1);
}

#[test]
fn another_centre_meets_nobody_and_the_same_form_twice_is_one() {
    let desk = Desk::new();
    let that = desk.house.signed_in("thatboss");
    assert_eq!(that.get("/residents/1/case-grants").status, 404);
    that.get("/");
    let fields = [("kind", "section"), ("section_reason", "障害福祉も必要")];
    let tried = that.post("/residents/1/case-grants", &fields);
    assert_eq!(tried.status, 404);
    let boss = desk.house.signed_in("boss");
    assert_eq!(refer(&boss).header("location"), DONE);
    assert_eq!(
        refer(&boss).header("location"),
        "/residents/1/case-grants?done=again"
    );
    assert_eq!(desk.name(&boss, "read").header("location"), DONE);
    let again = desk.name(&boss, "read");
    assert_eq!(
        again.header("location"),
        "/residents/1/case-grants?done=again"
    );
    let other = desk.name(&boss, "write");
    assert_eq!(other.status, 422);
    assert!(other.text().contains("すでに指定しています"));
    assert_eq!(
        that.post("/case-grants/1/ending", &[("ending_reason", "x")])
            .status,
        404
    );
    assert_eq!(desk.number("select count(*) from case_grants"), 2);
}

#[test]
fn a_referral_lifts_no_shield_and_no_exclusion() {
    let desk = Desk::new();
    refer(&desk.house.signed_in("boss"));
    let welfare = desk.house.signed_in("welfare");
    for hide in [
        "insert into exclusions select 1, 1, id, 'relative', 'x', id, '' from staff
         where login = 'welfare'",
        "update residents set shielded = 1 where id = 1",
    ] {
        desk.house.execute(hide);
        assert_eq!(welfare.get("/residents/1").status, 404, "{hide}");
        assert!(!welfare.get("/").text().contains("架空"), "{hide}");
        assert!(
            !welfare.get("/case-grants").text().contains("架空"),
            "{hide}"
        );
        desk.house.execute("delete from exclusions");
    }
    let boss = desk.house.signed_in("boss");
    assert_eq!(
        boss.get("/residents/1/case-grants").status,
        404,
        "hidden from her centre"
    );
    boss.get("/");
    assert_eq!(
        boss.post("/case-grants/1/ending", &[("ending_reason", "x")])
            .status,
        404
    );
}

#[test]
fn wrong_input_comes_back_and_whoever_sees_her_anyway_is_not_named() {
    let desk = Desk::new();
    let boss = desk.house.signed_in("boss");
    boss.get("/residents/1/case-grants");
    let empty = boss.post("/residents/1/case-grants", &[("kind", "staff")]);
    assert_eq!(empty.status, 422);
    for field in ["staff", "starts_on", "ends_on", "access", "reason"] {
        let linked = empty.body.contains(&format!("href=\"#{field}\""));
        assert!(linked || field == "starts_on", "{field}");
    }
    let city = desk
        .house
        .count("select id from staff where login = 'city'");
    let page = desk.name_staff(&boss, StaffId(city), "read");
    assert!(page.status == 422 && page.text().contains("もともとこの方を見られます"));
    let staff = desk.nurse.to_string();
    for (from, to) in [
        ("R8.11.23", "R8.11.30"),
        ("R8.11.30", "R8.11.29"),
        ("R8.11.24", "R9.11.25"),
    ] {
        let fields = [
            ("kind", "staff"),
            ("staff", staff.as_str()),
            ("starts_on", from),
            ("ends_on", to),
            ("access", "read"),
            ("reason", "理由"),
        ];
        let page = boss.post("/residents/1/case-grants", &fields);
        assert_eq!(page.status, 422, "{from} {to}");
    }
    assert_eq!(desk.number("select count(*) from case_grants"), 0);
}

#[test]
fn giving_and_ending_leave_an_entry_that_says_to_whom_and_no_name() {
    let desk = Desk::new();
    let boss = desk.house.signed_in("boss");
    refer(&boss);
    desk.name(&boss, "read");
    boss.post("/case-grants/2/ending", &[("ending_reason", "済んだ")]);
    let told = format!(
        "select count(*) from audit_entries where resident_id = 1 and (
           (operation = 'case_grant' and detail in ('role=city_welfare from=2026-11-24 may-write',
             'staff={} from=2026-11-24 until=2026-11-30 read-only'))
           or (operation = 'case_grant_end' and record_kind = 'case_grant'))",
        desk.nurse
    );
    assert_eq!(desk.house.count(&told), 3);
    let names = "select count(*) from audit_entries where detail like '%架空%'";
    assert_eq!(desk.house.count(names), 0);
}
