//! From the list of what is due to the record of its disposal, through the routes.

use jiff::civil::{Date, date};
use store::{Actor, CentreId, Event, Operation, ResidentId, SystemReason};

use crate::features::consultations::{Entry, HistoryRow, insert_history};
use crate::features::masters;
use crate::features::staff::tests::house::{Browser, House, between};
use crate::web::{Problem, Role};

/// Due since 1 April 2026: received in the fiscal year 2020.
pub(super) const OLD: Date = date(2021, 3, 31);

pub(super) struct Desk {
    pub(super) house: House,
    centre: CentreId,
}

pub(super) fn desk() -> Desk {
    let house = House::new();
    house.add("city", Role::CityLongevity, None);
    house.add("second", Role::CityLongevity, None);
    house.add("chief", Role::CentreManager, Some("0101"));
    house.add("nurse", Role::Nurse, Some("0101"));
    house.resident(1, "1930-01-01", "0101", "1");
    let centre = masters::centre_id(house.db(), "0101").unwrap().unwrap();
    Desk { house, centre }
}

impl Desk {
    /// A record about the resident; `outcome` 1 goes on, 4 is closed.
    pub(super) fn record(&self, number: &str, on: Date, outcome: &str) -> i64 {
        let row = HistoryRow {
            number: number.to_owned(),
            centre_id: Some(self.centre),
            resident_id: Some(ResidentId(1)),
            written_by: None,
            recorded_at: "2026-11-01T00:00:00Z".to_owned(),
            entry: Entry {
                received_on: on,
                outcome: outcome.to_owned(),
                content: "夜に外へ出る".to_owned(),
                ..Entry::default()
            },
        };
        let actor = Actor::system("試験");
        let add = |tx: &store::WriteTx<'_>| {
            let id = insert_history(tx, &row)?;
            Ok::<_, Problem>(tx.audited(Event::done(Operation::Import), id))
        };
        let db = self.house.db();
        db.system(&actor, SystemReason::Demo, add).unwrap()
    }

    pub(super) fn closed(&self) -> String {
        let actor = Actor::system("試験");
        let sql =
            "select code from codes where list = 'consultation_outcome' and label like '終結%'";
        let read = |tx: &store::ReadTx<'_>| tx.one(sql, [], |row| row.get::<_, String>(0));
        let found = self.house.db().read(&actor, read);
        found.map_err(|e: store::StoreError| e).unwrap().unwrap()
    }

    pub(super) fn count(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        let read = |tx: &store::ReadTx<'_>| tx.count(&sql, []);
        let counted = self.house.db().system_read(SystemReason::Demo, read);
        counted.map_err(|e: store::StoreError| e).unwrap()
    }

    fn asked(&self, browser: &Browser<'_>) -> String {
        browser.get("/retention/consultations");
        let page = browser.post(
            "/retention/consultations/requests",
            &[("reason", "年度の廃棄")],
        );
        assert_eq!(page.status, 303, "{}", page.text());
        between(page.header("location"), "/disposals/", "?").unwrap()
    }
}

/// By the link of the disposal; whoever does not meet it tries the number of the disposal.
pub(super) fn approve(browser: &Browser<'_>, id: &str) -> u16 {
    let page = browser.get(&format!("/disposals/{id}"));
    assert!(page.status != 200 || !page.body.contains("value=\"approve\""));
    let request = between(&page.body, "href=\"/approvals/", "\"").unwrap_or_else(|| id.to_owned());
    let fields = [("decision", "approve"), ("reason", "確認した")];
    browser
        .post(&format!("/approvals/{request}/decision"), &fields)
        .status
}

pub(super) fn dispose(browser: &Browser<'_>, id: &str) -> u16 {
    browser.get(&format!("/disposals/{id}"));
    browser
        .post(&format!("/disposals/{id}/disposal"), &[("confirmed", "1")])
        .status
}

#[test]
fn only_closed_records_past_their_years_are_due_and_they_are_listed_by_number() {
    let desk = desk();
    let closed = desk.closed();
    desk.record("R2-1", OLD, &closed);
    desk.record("R3-1", date(2021, 4, 1), &closed);
    desk.record("R2-2", OLD, "1");
    let city = desk.house.signed_in("city");
    let rules = city.get("/retention").text();
    assert!(
        rules.contains("相談記録") && rules.contains("未確認"),
        "{rules}"
    );
    let page = city.get("/retention/consultations");
    let text = page.text();
    assert!(text.contains("1件") && text.contains("R2-1"), "{text}");
    assert!(!text.contains("R3-1") && !text.contains("R2-2") && !text.contains("架空"));
    let later = city.get("/retention/consultations?on=R9.4.1").text();
    assert!(later.contains("R3-1"), "{later}");
    assert!(text.contains("申請する") && !later.contains("申請する"));
    assert!(
        city.get("/retention?on=nie")
            .text()
            .contains("基準日を読めない")
    );
    assert_eq!(city.get("/retention/nothing").status, 404);
    assert_eq!(desk.house.signed_in("chief").get("/retention").status, 403);
}

#[test]
fn one_asks_another_approves_and_then_the_words_are_gone_and_the_number_stays() {
    let desk = desk();
    let closed = desk.closed();
    let old = desk.record("R2-1", OLD, &closed);
    desk.record("R8-1", date(2026, 11, 1), &closed);
    let city = desk.house.signed_in("city");
    let id = desk.asked(&city);
    assert_eq!(
        dispose(&city, &id),
        409,
        "nothing goes before it is approved"
    );
    assert_eq!(approve(&city, &id), 403, "not one's own");
    let second = desk.house.signed_in("second");
    assert_eq!(approve(&second, &id), 303);
    assert_eq!(approve(&second, &id), 303, "sent twice");
    let no = [("decision", "refuse"), ("reason", "やはり")];
    let late = second.post(&format!("/approvals/{id}/decision"), &no);
    assert_eq!(late.status, 409);
    let unsure = second.post(&format!("/disposals/{id}/disposal"), &[]);
    assert_eq!(unsure.status, 422);
    assert_eq!(desk.count("consultation_versions"), 2);
    assert_eq!(dispose(&second, &id), 303);
    assert_eq!(dispose(&second, &id), 409);
    assert_eq!(desk.count("consultation_versions"), 1);
    assert_eq!(desk.count("consultation_clients"), 1);
    assert_eq!(desk.count("consultations"), 2, "the heads stay");
    assert_eq!(city.get(&format!("/consultations/{old}")).status, 404);
    let person = city.get("/residents/1");
    assert_eq!(person.status, 200, "the person stays findable");
    let shown = city.get(&format!("/disposals/{id}")).text();
    assert!(
        shown.contains("廃棄済み") && shown.contains("未設定") && shown.contains("R2-1"),
        "{shown}"
    );
    let erased = format!(
        "select count(*) from audit_entries where operation = 'disposal' and resident_id = 1
         and record_kind = 'consultation' and record_id = {old}"
    );
    assert_eq!(desk.house.count(&erased), 1);
    let told = "select count(*) from audit_entries where detail like '%夜に%'";
    assert_eq!(desk.house.count(told), 0);
    let print = city.get(&format!("/disposals/{id}/record.pdf"));
    assert!(print.bytes.starts_with(b"%PDF"), "{}", print.text());
}

#[test]
fn the_erased_words_are_in_no_file_of_the_data_directory() {
    let desk = desk();
    desk.record("R2-1", OLD, &desk.closed());
    let held = |words: &str| {
        let dir = desk.house.db().dir().path();
        let files = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
        let bytes = files
            .filter(|path| path.is_file())
            .map(|path| std::fs::read(path).unwrap());
        let words = words.as_bytes();
        bytes
            .filter(|bytes| bytes.windows(words.len()).any(|part| part == words))
            .count()
    };
    assert!(held("夜に外へ出る") > 0, "the search finds what is there");
    let id = desk.asked(&desk.house.signed_in("city"));
    let second = desk.house.signed_in("second");
    assert_eq!((approve(&second, &id), dispose(&second, &id)), (303, 303));
    assert_eq!(held("夜に外へ出る"), 0);
}

#[test]
fn what_is_no_longer_due_when_it_is_done_stays_and_is_counted() {
    let desk = desk();
    let closed = desk.closed();
    desk.record("R2-1", OLD, &closed);
    let reopened = desk.record("R2-2", OLD, &closed);
    let id = desk.asked(&desk.house.signed_in("city"));
    desk.house.execute(&format!(
        "update consultation_versions set outcome = '1' where consultation_id = {reopened}"
    ));
    let second = desk.house.signed_in("second");
    assert_eq!((approve(&second, &id), dispose(&second, &id)), (303, 303));
    let shown = second.get(&format!("/disposals/{id}")).text();
    assert!(
        shown.contains("廃棄した件数1件") && shown.contains("残した件数1件"),
        "{shown}"
    );
    assert_eq!(
        second.get(&format!("/consultations/{reopened}")).status,
        200
    );
}

#[test]
fn a_request_wants_a_reason_something_due_and_no_day_ahead_and_is_made_once() {
    let desk = desk();
    let city = desk.house.signed_in("city");
    let ask = |fields: &[(&str, &str)]| city.post("/retention/consultations/requests", fields);
    city.get("/retention/consultations");
    assert_eq!(
        ask(&[("reason", "年度の廃棄")]).status,
        422,
        "nothing is due"
    );
    desk.record("R2-1", OLD, &desk.closed());
    assert_eq!(ask(&[("reason", " ")]).status, 422);
    assert_eq!(ask(&[("reason", "先の分"), ("on", "R9.4.1")]).status, 422);
    let page = city.get("/retention/consultations");
    let submission = between(&page.body, "name=\"submission\" value=\"", "\"").unwrap();
    let fields = [
        ("reason", "年度の廃棄"),
        ("submission", submission.as_str()),
    ];
    assert_eq!(ask(&fields).status, 303);
    assert!(ask(&fields).header("location").ends_with("done=again"));
    assert_eq!(
        desk.house.count("select count(*) from disposal_requests"),
        1
    );
    let second = desk.house.signed_in("second");
    let request = second.get("/disposals/1");
    assert!(request.body.contains("href=\"/approvals/1\""));
    let page = second.get("/approvals/1").text();
    assert!(page.contains("年度の廃棄") && page.contains("1件") && page.contains("R8.11.24"));
    let decide = "/approvals/1/decision";
    let silent = second.post(decide, &[("decision", "refuse")]);
    assert_eq!(silent.status, 422);
    let refuse = [("decision", "refuse"), ("reason", "開示請求がある")];
    assert_eq!(second.post(decide, &refuse).status, 303);
    assert_eq!(dispose(&second, "1"), 409);
    assert!(second.get("/disposals/1").text().contains("却下"));
    assert_eq!(desk.count("consultation_versions"), 1);
}

#[test]
fn what_was_attached_goes_with_its_record_and_bytes_that_another_names_stay() {
    let desk = desk();
    let id = desk.record("R2-1", OLD, &desk.closed());
    let nurse = desk.house.signed_in("nurse");
    let record = format!("/consultations/{id}/attachments");
    let shared: (&str, &[u8]) = ("a.txt", "両方にある".as_bytes());
    let own: (&str, &[u8]) = ("b.txt", "この相談だけ".as_bytes());
    for (path, files) in [
        (record.as_str(), &[shared, own][..]),
        ("/residents/1/attachments", &[shared][..]),
    ] {
        nurse.get(path);
        assert_eq!(nurse.upload(path, &[], files).status, 303, "{path}");
    }
    let lying = || {
        let shelf = std::fs::read_dir(desk.house.db().dir().attachments()).unwrap();
        let below = |entry: std::io::Result<std::fs::DirEntry>| {
            std::fs::read_dir(entry.unwrap().path()).unwrap().count()
        };
        shelf.map(below).sum::<usize>()
    };
    assert_eq!((desk.count("attachments"), lying()), (3, 2));
    let city = desk.house.signed_in("city");
    let request = desk.asked(&city);
    assert_eq!(approve(&desk.house.signed_in("second"), &request), 303);
    assert_eq!(dispose(&city, &request), 303);
    assert_eq!((desk.count("attachments"), lying()), (1, 1));
    let dir = desk.house.db().dir().clone();
    assert!(
        store::check_shelf(&dir.database(), &dir)
            .unwrap()
            .is_sound()
    );
}
