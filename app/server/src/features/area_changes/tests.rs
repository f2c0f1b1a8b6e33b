//! Areas that get another centre, through their own routes and past midnight.

use jiff::SignedDuration;
use store::{Actor, StoreError, SystemReason};

use crate::features::masters::{self, Masters};
use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;

/// 本町, looked after by the first centre.
const HONCHO: &str = "11229000001";
const HERE: &str = "0101";
const THERE: &str = "0102";

/// 09:00 on 24 November 2026; five people of 本町, one of them known by her address alone.
struct Desk(House);

impl Desk {
    fn new() -> Self {
        let house = House::new();
        house.add("city", Role::CityLongevity, None);
        house.add("admin", Role::SystemAdmin, None);
        house.add("from", Role::Nurse, Some(HERE));
        house.add("to", Role::Nurse, Some(THERE));
        for (id, born, state) in [
            (1, "1940-01-01", "1"),
            (2, "1990-01-01", "1"),
            (3, "1941-01-01", "1"),
            (4, "1942-01-01", "3"),
            (5, "1943-01-01", "1"),
            (6, "1944-01-01", "1"),
        ] {
            house.resident(id, born, HERE, state);
        }
        house.execute(&format!(
            "update residents set area_code = '{HONCHO}' where id <> 6"
        ));
        house.execute(
            "update residents set area_code = '', address = '埼玉県和光市本町9-9' where id = 5",
        );
        house.execute("update residents set area_code = '11229000002' where id = 6");
        house.execute("update residents set shielded = 1 where id = 3");
        house.certification(1, "12", "2026-01-01", "2027-12-31");
        Self(house)
    }

    fn form<'a>(&self, on: &'a str) -> Vec<(&'a str, String)> {
        let to = masters::centre_id(self.0.db(), THERE).unwrap().unwrap();
        vec![
            ("area", HONCHO.to_owned()),
            ("to", to.0.to_string()),
            ("effective_on", on.to_owned()),
            ("reason", "圏域の見直し".to_owned()),
        ]
    }

    fn send(&self, browser: &Browser<'_>, form: &[(&str, String)], more: &[(&str, &str)]) -> Page {
        let fields: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
        browser.post("/area-changes", &[&fields[..], more].concat())
    }

    /// Looks at the numbers, then saves what was shown.
    fn plan(&self, browser: &Browser<'_>, on: &str) -> (Page, Page) {
        browser.get("/area-changes/new");
        let form = self.form(on);
        let shown = self.send(browser, &form, &[("step", "preview")]);
        let key = between(&shown.body, "name=\"shown\" value=\"", "\"").unwrap_or_default();
        let saved = self.send(browser, &form, &[("step", "save"), ("shown", &key)]);
        (shown, saved)
    }

    fn begin(&self, days: i64) {
        self.0.hand.step(SignedDuration::from_hours(24 * days));
        assert!(self.0.app().begin_day());
    }

    fn number(&self, sql: &str) -> i64 {
        let read: Result<i64, StoreError> = self
            .0
            .db()
            .system_read(SystemReason::Demo, |tx| tx.count(sql, []));
        read.unwrap()
    }

    fn at(&self, centre: &str) -> i64 {
        self.number(&format!(
            "select count(*) from residents r join support_centres c on c.id = r.centre_id
             where c.code = '{centre}'"
        ))
    }
}

#[test]
fn the_numbers_of_the_preview_are_what_happens_and_name_nobody() {
    let desk = Desk::new();
    let (shown, saved) = desk.plan(&desk.0.signed_in("city"), "R8.12.1");
    // The dead and the shielded are in no number; whose address alone tells the area is.
    let words = shown.text();
    let cells = ["人数", "65歳以上", "認定あり", "次の対応が残る方"].map(|label| {
        between(
            &shown.body,
            &format!("data-label=\"{label}\"><strong class=\"num\">"),
            "<",
        )
    });
    assert_eq!(cells.map(Option::unwrap), ["3", "2", "1", "0"]);
    assert!(!words.contains("架空"), "a name is shown");
    assert_eq!(saved.header("location"), "/area-changes/1?done=planned");
    desk.begin(7);
    let applied = "select people * 1000 + elders * 100 + certified * 10 + waiting
        from area_change_applications";
    assert_eq!(desk.number(applied), 3210);
    let moved = desk.number(
        "select count(*) from centre_transfers t join residents r on r.id = t.resident_id
         where r.resident_state = '1' and r.shielded = 0 and t.cause = 'area'
           and t.effective_on = '2026-12-01' and t.readable_until = '2027-06-01'",
    );
    assert_eq!(moved, 3);
}

#[test]
fn at_midnight_everybody_of_the_area_moves_the_hidden_too() {
    let desk = Desk::new();
    desk.plan(&desk.0.signed_in("admin"), "R8.11.25");
    assert_eq!((desk.at(HERE), desk.at(THERE)), (6, 0), "planned, not done");
    assert!(desk.0.app().begin_day());
    assert_eq!(
        (desk.at(HERE), desk.at(THERE)),
        (6, 0),
        "still the day before"
    );
    // 23:59:59, then 00:00.
    desk.0.hand.step(SignedDuration::from_secs(15 * 3600 - 1));
    assert!(desk.0.app().begin_day());
    assert_eq!(desk.at(THERE), 0);
    desk.0.hand.step(SignedDuration::from_secs(1));
    assert!(desk.0.app().begin_day());
    assert_eq!((desk.at(HERE), desk.at(THERE)), (1, 5));
    let entry = "select count(*) from audit_entries where operation = 'area_change_apply'";
    assert_eq!(desk.0.count(entry), 2, "the change, and its one area");
    let told = "select count(*) from audit_entries where operation = 'area_change_apply'
        and detail = 'area=本町 from=中央 to=中央第二'";
    assert_eq!(desk.0.count(told), 1);
    assert!(
        desk.0.app().begin_day(),
        "a second time there is nothing to do"
    );
    assert_eq!(desk.number("select count(*) from centre_transfers"), 5);
}

#[test]
fn a_machine_that_was_off_for_days_catches_up_with_the_day_that_was_planned() {
    let desk = Desk::new();
    desk.plan(&desk.0.signed_in("city"), "R8.12.1");
    desk.begin(20);
    assert_eq!(desk.at(THERE), 5);
    let dated = "select count(*) from areas where code = '11229000001'
        and ((valid_from = '2026-12-01' and valid_to is null) or valid_to = '2026-11-30')";
    assert_eq!(desk.number(dated), 2);
}

#[test]
fn what_is_shipped_and_the_next_import_agree_with_the_change() {
    let desk = Desk::new();
    desk.plan(&desk.0.signed_in("city"), "R8.11.25");
    desk.begin(1);
    let (db, actor) = (desk.0.db(), Actor::system("試験"));
    let again = masters::load(db, &actor, &Masters::shipped().unwrap()).unwrap();
    assert_eq!((again.added, again.closed), (0, 0));
    let there = masters::centre_id(db, THERE).unwrap().unwrap();
    let found = db.read(&actor, |tx| {
        let book = crate::features::imports::AreaBook::load(tx, db.clock().today())?;
        let by_code = book.place(HONCHO, "").map(|placed| placed.centre);
        let by_name = book.place("", "和光市本町1-1").map(|placed| placed.centre);
        Ok::<_, StoreError>((by_code, by_name))
    });
    assert_eq!(found.unwrap(), (Some(there.0), Some(there.0)));
}

#[test]
fn the_former_centre_reads_on_and_the_new_one_works() {
    let desk = Desk::new();
    desk.plan(&desk.0.signed_in("city"), "R8.11.25");
    desk.begin(1);
    let page = desk.0.signed_in("from").get("/residents/1");
    assert!(page.status == 200 && page.text().contains("閲覧のみできます"));
    assert!(
        desk.0
            .signed_in("to")
            .get("/residents/1")
            .body
            .contains("/consultations/new")
    );
    assert_eq!(
        desk.0.signed_in("from").get("/residents/3").status,
        404,
        "a shield stays"
    );
    assert_eq!(desk.0.signed_in("to").get("/residents/3").status, 404);
}

#[test]
fn a_plan_is_taken_back_before_its_day_and_not_after() {
    let desk = Desk::new();
    let city = desk.0.signed_in("city");
    desk.plan(&city, "R8.11.26");
    let path = "/area-changes/1/withdrawal";
    assert_eq!(city.post(path, &[("reason", " ")]).status, 422);
    let done = city.post(path, &[("reason", "議会で否決")]);
    assert_eq!(
        done.header("location"),
        "/area-changes/1?done=plan-withdrawn"
    );
    let again = city.post(path, &[("reason", "議会で否決")]);
    assert_eq!(again.header("location"), "/area-changes/1?done=again");
    desk.plan(&city, "R8.11.25");
    desk.0.hand.step(SignedDuration::from_hours(15));
    let city = desk.0.signed_in("city");
    city.get("/area-changes/2");
    let late = city.post("/area-changes/2/withdrawal", &[("reason", "遅い理由")]);
    assert_eq!(late.status, 409, "its day has begun");
    assert!(late.body.contains("遅い理由"));
    desk.begin(5);
    assert_eq!(
        desk.number("select count(*) from area_change_applications"),
        1
    );
    assert_eq!(desk.at(THERE), 5);
}

#[test]
fn one_area_has_one_plan_and_the_same_form_twice_is_one() {
    let desk = Desk::new();
    let city = desk.0.signed_in("city");
    let (_, saved) = desk.plan(&city, "R8.12.1");
    assert_eq!(saved.status, 303);
    let again = desk.send(&city, &desk.form("R8.12.1"), &[("step", "save")]);
    assert_eq!(again.header("location"), "/area-changes/1?done=again");
    let admin = desk.0.signed_in("admin");
    admin.get("/area-changes/new");
    let second = desk.send(&admin, &desk.form("R9.4.1"), &[("step", "save")]);
    assert_eq!(second.status, 422);
    assert!(second.text().contains("すでに予定"), "{}", second.text());
    assert_eq!(desk.number("select count(*) from area_changes"), 1);
}

#[test]
fn what_was_not_shown_is_shown_before_it_is_saved() {
    let desk = Desk::new();
    let city = desk.0.signed_in("city");
    city.get("/area-changes/new");
    let form = desk.form("R8.12.1");
    let page = desk.send(
        &city,
        &form,
        &[("step", "save"), ("shown", "something else")],
    );
    assert_eq!(page.status, 200);
    assert!(page.text().contains("まだ保存していません"));
    assert_eq!(desk.number("select count(*) from area_changes"), 0);
}

#[test]
fn wrong_input_comes_back_with_a_sentence_for_each_field() {
    let desk = Desk::new();
    let city = desk.0.signed_in("city");
    city.get("/area-changes/new");
    let empty = city.post("/area-changes", &[]);
    assert_eq!(empty.status, 422);
    for field in ["area", "to", "effective_on", "reason"] {
        assert!(
            empty.body.contains(&format!("href=\"#{field}\"")),
            "{field}"
        );
    }
    for on in ["R8.11.24", "R8.11.1", "R12.1.1", "いつか"] {
        let page = desk.send(&city, &desk.form(on), &[]);
        assert_eq!(page.status, 422, "{on}");
        assert!(page.body.contains("href=\"#effective_on\""), "{on}");
    }
    let here = masters::centre_id(desk.0.db(), HERE).unwrap().unwrap();
    let mut form = desk.form("R8.12.1");
    form[1].1 = here.0.to_string();
    let page = desk.send(&city, &form, &[]);
    assert!(page.status == 422 && page.text().contains("いまも中央の担当です"));
    form[0].1 = "99999999999".to_owned();
    assert_eq!(desk.send(&city, &form, &[]).status, 422);
}

#[test]
fn a_clock_set_back_does_not_apply_a_change_twice() {
    let desk = Desk::new();
    desk.plan(&desk.0.signed_in("city"), "R8.11.25");
    desk.begin(1);
    desk.begin(-2);
    desk.begin(3);
    assert_eq!(
        desk.number("select count(*) from area_change_applications"),
        1
    );
    assert_eq!(desk.number("select count(*) from centre_transfers"), 5);
}
