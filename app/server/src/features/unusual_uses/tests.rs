//! Unusual use through its own routes.

use jiff::SignedDuration;
use store::{Actor, Event, Operation, ResidentId, Scope, StaffId};

use crate::features::masters;
use crate::features::staff::tests::house::{House, Page};
use crate::web::{Problem, Role};

struct Office {
    house: House,
    nurse: StaffId,
    other: StaffId,
}

fn office() -> Office {
    let house = House::new();
    let nurse = house.add("nurse", Role::Nurse, Some("0101"));
    let other = house.add("other", Role::Nurse, Some("0102"));
    house.add("manager", Role::CentreManager, Some("0101"));
    house.add("city", Role::CityLongevity, None);
    house.add("admin", Role::SystemAdmin, None);
    for id in 1..=30 {
        house.resident(id, "1930-01-01", "0101", "1");
    }
    Office {
        house,
        nurse,
        other,
    }
}

impl Office {
    fn note(&self, staff: StaffId, event: Event) {
        let centre = if staff == self.other { "0102" } else { "0101" };
        let actor = Actor {
            staff_id: Some(staff),
            centre_id: masters::centre_id(self.house.db(), centre).unwrap(),
            terminal: "10.20.1.15".to_owned(),
            scope: Scope::Nothing,
            ..Actor::system("試験")
        };
        self.house
            .db()
            .write(&actor, |tx| Ok::<_, Problem>(tx.audited(event, ())))
            .unwrap();
    }

    fn views(&self, staff: StaffId, persons: std::ops::RangeInclusive<i64>) {
        for id in persons {
            self.note(staff, view(id));
        }
    }

    fn list(&self, login: &str) -> Page {
        let page = self.house.signed_in(login).get("/unusual-uses");
        assert_eq!(page.status, 200, "{}", page.text());
        page
    }
}

fn view(id: i64) -> Event {
    Event::done(Operation::ResidentView).about(ResidentId(id))
}

const NOTHING: &str = "いつもと違う利用はありません";

#[test]
fn an_ordinary_day_has_nothing_to_look_into() {
    let office = office();
    office.views(office.nurse, 1..=19);
    assert!(office.list("manager").text().contains(NOTHING));
}

#[test]
fn many_persons_count_only_within_the_minutes() {
    let office = office();
    office.views(office.nurse, 1..=10);
    office.house.hand.step(SignedDuration::from_mins(11));
    office.views(office.nurse, 11..=29);
    assert!(office.list("manager").text().contains(NOTHING));
    office.views(office.nurse, 30..=30);
    let text = office.list("manager").text();
    assert!(
        text.contains("最も多いときで20人（この日の閲覧30件）"),
        "{text}"
    );
}

#[test]
fn the_same_surname_is_found_through_the_viewers_eyes() {
    let office = office();
    office
        .house
        .execute("update residents set name = '試験　花子' where id = 3");
    office.note(office.nurse, view(3));
    let city = office.list("city");
    assert!(
        city.text().contains("同じ名字の方の閲覧"),
        "{}",
        city.text()
    );
    let path = format!("/unusual-uses/2026-11-24/same_surname/{}", office.nurse);
    let page = office.house.signed_in("manager").get(&path);
    assert_eq!(page.status, 200);
    assert!(page.text().contains("試験　花子"));
    office
        .house
        .execute("update residents set shielded = 1 where id = 3");
    assert_eq!(office.house.signed_in("manager").get(&path).status, 404);
}

#[test]
fn hours_inquiries_output_and_refusals_are_found() {
    let office = office();
    for _ in 0..5 {
        office.note(office.nurse, Event::refused(Operation::Refusal));
        office.note(office.nurse, Event::done(Operation::ResidentInquiry));
    }
    for _ in 0..20 {
        office.note(office.nurse, Event::done(Operation::ConsultationPrint));
    }
    // 22:00 in Japan.
    office.house.hand.step(SignedDuration::from_hours(13));
    office.note(office.nurse, view(1));
    let text = office.list("manager").text();
    for found in [
        "断られた操作の繰り返し",
        "ほかのセンターの方の照会",
        "大量の印刷・書き出し",
        "時間外の利用",
    ] {
        assert!(text.contains(found), "{found}: {text}");
    }
}

#[test]
fn every_look_at_a_shielded_person_is_listed_the_same_day() {
    let office = office();
    office.note(office.nurse, view(4).detail("shield=1 version=2"));
    let text = office.list("manager").text();
    assert!(
        text.contains("支援措置の方の閲覧") && text.contains("1人、1件"),
        "{text}"
    );
}

#[test]
fn a_file_and_a_record_of_a_shielded_person_are_looks_too_and_a_refused_try_is_none() {
    let office = office();
    let note = |event: Event, detail: &str| {
        office.note(office.nurse, event.about(ResidentId(4)).detail(detail));
    };
    note(
        Event::refused(Operation::AttachmentView),
        "shield=no-reason",
    );
    assert!(office.list("manager").text().contains(NOTHING));
    note(
        Event::done(Operation::AttachmentView),
        "content shield=agency",
    );
    note(
        Event::done(Operation::AttachmentExport),
        "resident=4 bytes=1 shield=door",
    );
    note(Event::done(Operation::ConsultationView), "shield=record");
    let text = office.list("manager").text();
    assert!(
        text.contains("支援措置の方の閲覧") && text.contains("1人、3件"),
        "{text}"
    );
}

#[test]
fn a_manager_sees_her_own_centre_and_the_administrator_numbers_alone() {
    let office = office();
    office.note(office.other, view(4).detail("shield=1"));
    assert!(office.list("manager").text().contains(NOTHING));
    let city = office.list("city").text();
    assert!(city.contains("試験 other"), "{city}");
    let admin = office.list("admin").text();
    assert!(
        admin.contains("件数だけを表示") && !admin.contains("試験 other"),
        "{admin}"
    );
    let path = format!("/unusual-uses/2026-11-24/shielded/{}", office.other);
    for login in ["manager", "admin"] {
        assert_eq!(
            office.house.signed_in(login).get(&path).status,
            404,
            "{login}"
        );
    }
    assert_eq!(
        office.house.signed_in("nurse").get("/unusual-uses").status,
        403
    );
}

#[test]
fn a_finding_is_reviewed_with_a_note_and_opens_again_when_there_is_more() {
    let office = office();
    office.note(office.nurse, view(4).detail("shield=1"));
    let manager = office.house.signed_in("manager");
    let path = format!("/unusual-uses/2026-11-24/shielded/{}", office.nurse);
    let open = manager.get(&path);
    assert!(open.text().contains("確認待ち"));
    let reviews = format!("{path}/reviews");
    let empty = manager.post(&reviews, &[("note", " "), ("count", "1")]);
    assert_eq!(empty.status, 422);
    assert!(empty.text().contains("500文字まで"));
    let late = manager.post(&reviews, &[("note", "本人に確認した"), ("count", "2")]);
    assert_eq!(late.status, 409);
    assert!(late.body.contains("本人に確認した"));
    let fields = [("note", "本人に確認した"), ("count", "1")];
    let done = manager.post(&reviews, &fields);
    assert_eq!(
        done.header("location"),
        "/unusual-uses?day=2026-11-24&done=reviewed"
    );
    let again = manager.post(&reviews, &fields);
    assert!(again.header("location").ends_with("done=again"));
    assert_eq!(
        office
            .house
            .count("select count(*) from unusual_use_reviews"),
        1
    );
    let page = manager.get(&path).text();
    assert!(
        page.contains("確認済み") && page.contains("本人に確認した"),
        "{page}"
    );
    let logged = "select count(*) from audit_entries where operation = 'unusual_use_review'
        and detail = 'day=2026-11-24 shielded'";
    assert_eq!(office.house.count(logged), 1);
    office.note(office.nurse, view(5).detail("shield=1"));
    assert!(manager.get(&path).text().contains("確認待ち"));
}

#[test]
fn nobody_closes_a_finding_about_herself() {
    let office = office();
    let manager = office
        .house
        .count("select id from staff where login = 'manager'");
    office.note(StaffId(manager), view(4).detail("shield=1"));
    let browser = office.house.signed_in("manager");
    let path = format!("/unusual-uses/2026-11-24/shielded/{manager}");
    assert!(
        browser
            .get(&path)
            .text()
            .contains("自分では確認済みにできません")
    );
    let tried = browser.post(&format!("{path}/reviews"), &[("note", "x"), ("count", "1")]);
    assert_eq!(tried.status, 403);
}

#[test]
fn a_wrong_day_is_told_and_an_odd_address_is_not_found() {
    let office = office();
    let city = office.house.signed_in("city");
    let page = city.get("/unusual-uses?day=R8.13.1");
    assert_eq!(page.status, 422);
    assert!(page.body.contains("value=\"R8.13.1\""));
    assert_eq!(city.get("/unusual-uses?day=R8.11.20").status, 200);
    for path in ["x/shielded/1", "2026-11-24/x/1", "2026-11-24/shielded/999"] {
        assert_eq!(
            city.get(&format!("/unusual-uses/{path}")).status,
            404,
            "{path}"
        );
    }
}
