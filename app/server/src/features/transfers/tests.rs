//! Hand-overs through their own routes, on a real file.

use jiff::SignedDuration;
use store::{Actor, Event, Operation, StoreError, SystemReason};

use crate::features::masters;
use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;

const FROM: &str = "0101";
const TO: &str = "0102";

/// Resident 1 went from the first centre to the second today; a nurse at either, the city.
struct Desk(House);

impl Desk {
    fn new() -> Self {
        let house = House::new();
        house.add("from", Role::Nurse, Some(FROM));
        house.add("to", Role::Nurse, Some(TO));
        house.add("other", Role::Nurse, Some("0103"));
        house.add("city", Role::CityLongevity, None);
        house.resident(1, "1940-01-01", FROM, "1");
        house.resident(2, "1941-01-01", FROM, "1");
        let desk = Self(house);
        desk.record(1, 1, FROM, "2026-11-01", "");
        desk.go(1, TO);
        desk
    }

    /// What an import or a change of areas does.
    fn go(&self, person: i64, to: &str) {
        let db = self.0.db();
        let to = masters::centre_id(db, to).unwrap().unwrap();
        let today = db.clock().today();
        let done = db.system(&Actor::system("試験"), SystemReason::Demo, |tx| {
            super::move_people(tx, &[person], to.0, today, (None, "2026-11-24T00:00:00Z"))?;
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
        });
        done.unwrap();
    }

    fn record(&self, id: i64, person: i64, centre: &str, on: &str, next: &str) {
        let centre = masters::centre_id(self.0.db(), centre).unwrap().unwrap();
        for sql in [
            format!("insert into consultations values ({id}, 'R8-{id}', {centre}, 's{id}', 1, '')"),
            format!("insert into consultation_clients values ({id}, {id}, {person}, 1, '')"),
            format!(
                "insert into consultation_versions values ({id}, {id}, 1, '{on}', '', '', null,
                 '01', '01', '', '', '', '', '', 'C', '足が痛む', '', '', '01', '', '{next}', null,
                 1, '2026-11-01T00:00:00Z', '')"
            ),
        ] {
            self.0.execute(&sql);
        }
    }

    fn rows(&self, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        let read: Result<i64, StoreError> = self
            .0
            .db()
            .system_read(SystemReason::Demo, |tx| tx.count(&sql, []));
        read.unwrap()
    }

    fn entries(&self, operation: &str) -> i64 {
        self.0.count(&format!(
            "select count(*) from audit_entries where operation = '{operation}' and outcome = 'done'"
        ))
    }

    fn days(&self, days: i64) {
        self.0.hand.step(SignedDuration::from_hours(24 * days));
    }
}

fn note(browser: &Browser<'_>, text: &str) -> Page {
    let page = browser.get("/transfers/1");
    let seen = between(&page.body, "name=\"seen\" value=\"", "\"").unwrap_or_default();
    browser.post("/transfers/1/notes", &[("note", text), ("seen", &seen)])
}

#[test]
fn the_former_centre_writes_the_new_one_reads_and_confirms() {
    let desk = Desk::new();
    let (from, to) = (desk.0.signed_in("from"), desk.0.signed_in("to"));
    let page = from.get("/transfers?direction=out");
    assert!(page.text().contains("架空 1郎"), "{}", page.text());
    let page = from.get("/transfers/1");
    assert!(page.body.contains("【これまでの経過】") && page.text().contains("足が痛む"));
    assert_eq!(
        note(&from, "長男と二人暮らし。").header("location"),
        "/transfers/1?done=noted"
    );
    let page = to.get("/transfers/1");
    assert!(page.text().contains("長男と二人暮らし。") && page.body.contains("受領する"));
    let done = to.post("/transfers/1/receipt", &[]);
    assert_eq!(done.header("location"), "/transfers/1?done=received");
    let page = from.get("/transfers?direction=out&stage=received");
    assert!(page.text().contains("試験 to"), "{}", page.text());
    assert_eq!(desk.entries("transfer_note"), 1);
    assert_eq!(desk.entries("transfer_receive"), 1);
    assert!(
        desk.entries("transfer_view") >= 3,
        "each look is written down"
    );
}

#[test]
fn the_same_receipt_and_the_same_note_twice_are_one() {
    let desk = Desk::new();
    let (from, to) = (desk.0.signed_in("from"), desk.0.signed_in("to"));
    for done in ["noted", "again"] {
        let page = note(&from, "一人暮らし。");
        assert_eq!(page.header("location"), format!("/transfers/1?done={done}"));
    }
    to.get("/transfers/1");
    for done in ["received", "again"] {
        let page = to.post("/transfers/1/receipt", &[]);
        assert_eq!(page.header("location"), format!("/transfers/1?done={done}"));
    }
    assert_eq!(
        (desk.rows("transfer_notes"), desk.rows("transfer_receipts")),
        (1, 1)
    );
}

#[test]
fn two_colleagues_at_one_note_lose_no_word() {
    let desk = Desk::new();
    desk.0.add("colleague", Role::SocialWorker, Some(FROM));
    let (one, two) = (desk.0.signed_in("from"), desk.0.signed_in("colleague"));
    one.get("/transfers/1");
    assert_eq!(note(&two, "二人目の文。").status, 303);
    let late = one.post(
        "/transfers/1/notes",
        &[("note", "一人目の文。"), ("seen", "0")],
    );
    assert_eq!(late.status, 409);
    assert!(late.text().contains("一人目の文。") && late.text().contains("二人目の文。"));
    assert_eq!(desk.rows("transfer_notes"), 1);
}

#[test]
fn a_note_that_is_empty_too_long_or_holds_a_number_of_a_person_comes_back() {
    let desk = Desk::new();
    let from = desk.0.signed_in("from");
    let long = "あ".repeat(20_001);
    for text in ["", " \n", long.as_str(), "番号は123456789018"] {
        let page = note(&from, text);
        assert_eq!(page.status, 422);
        assert!(page.body.contains("href=\"#note\""));
    }
    assert_eq!(desk.rows("transfer_notes"), 0);
}

#[test]
fn each_centre_does_its_own_part_and_others_meet_nothing() {
    let desk = Desk::new();
    let (from, to) = (desk.0.signed_in("from"), desk.0.signed_in("to"));
    from.get("/transfers/1");
    assert_eq!(from.post("/transfers/1/receipt", &[]).status, 403);
    to.get("/transfers/1");
    let page = to.post("/transfers/1/notes", &[("note", "書いた文"), ("seen", "0")]);
    assert_eq!(page.status, 403);
    assert!(page.body.contains("書いた文"), "typed words are lost");
    let other = desk.0.signed_in("other");
    assert!(!other.get("/transfers").text().contains("架空"));
    for path in ["/transfers/1", "/transfers/1/sheet.pdf", "/residents/1"] {
        assert_eq!(other.get(path).status, 404, "{path}");
    }
    for path in ["notes", "receipt", "draft"] {
        let page = other.post(&format!("/transfers/1/{path}"), &[("note", "x")]);
        assert_eq!(page.status, 404, "{path}");
    }
    assert!(
        desk.0
            .signed_in("city")
            .get("/transfers")
            .text()
            .contains("架空 1郎")
    );
}

#[test]
fn the_former_centre_reads_until_the_last_day_and_then_no_more() {
    let desk = Desk::new();
    let page = desk.0.signed_in("from").get("/residents/1");
    let text = page.text();
    assert!(
        text.contains("他センターへ移りました") && text.contains("R9.5.24 まで閲覧のみできます")
    );
    assert!(!page.body.contains("/consultations/new") && !page.body.contains("corrections/new"));
    let page = desk.0.signed_in("to").get("/residents/1");
    assert!(page.text().contains("センターから引継ぎ（R8.11.24）"));
    assert!(page.body.contains("/consultations/new"));
    desk.days(181);
    assert_eq!(
        desk.0.signed_in("from").get("/residents/1").status,
        200,
        "24 May"
    );
    desk.days(1);
    assert_eq!(
        desk.0.signed_in("from").get("/residents/1").status,
        404,
        "25 May"
    );
    assert_eq!(desk.0.signed_in("from").get("/transfers/1").status, 404);
}

const TYPED: [(&str, &str); 8] = [
    ("resident", "1"),
    ("received_on", "R8.11.24"),
    ("channel", "01"),
    ("caller_kind", "01"),
    ("urgency", "C"),
    ("categories", "01"),
    ("content", "書いた相談"),
    ("outcome", "01"),
];

#[test]
fn whoever_only_reads_writes_nothing_and_keeps_the_typed_words() {
    let desk = Desk::new();
    desk.0.execute(
        "insert into resident_changes values (1, 1, 'residents', 1, 1, 'moved', 'address', '{}')",
    );
    desk.0.execute("update imports set count_moved = 1");
    desk.record(2, 1, TO, "2026-11-10", "電話する");
    let from = desk.0.signed_in("from");
    assert_eq!(from.get("/consultations/new?resident=1").status, 403);
    let page = from.post("/consultations", &TYPED);
    assert_eq!(page.status, 403);
    assert!(page.body.contains("書いた相談") && page.text().contains("閲覧だけできる方です"));
    assert_eq!(
        from.get("/residents/1/corrections/new?field=phone").status,
        403
    );
    let typed = [
        ("field", "phone"),
        ("value", "0484610000"),
        ("reason", "聞いた"),
    ];
    let page = from.post("/residents/1/corrections", &typed);
    assert_eq!(page.status, 403);
    assert!(page.body.contains("0484610000"));
    assert_eq!(from.post("/changes/1/confirmation", &[]).status, 403);
    assert!(!from.get("/changes").text().contains("架空 1郎"));
    // The other centre's record about her is read, not written.
    let shown = from.get("/consultations/2");
    assert!(shown.status == 200 && !shown.body.contains("/consultations/2/edit"));
    for (path, field) in [("edit", ""), ("withdrawal", ""), ("client", "")] {
        assert_eq!(
            from.get(&format!("/consultations/2/{path}{field}")).status,
            403,
            "{path}"
        );
    }
    let fields = [
        ("reason", "x"),
        ("note", "x"),
        ("base_version", "1"),
        ("resident", "2"),
    ];
    for path in ["versions", "withdrawal", "client", "follow-up"] {
        let page = from.post(&format!("/consultations/2/{path}"), &fields);
        assert_eq!(page.status, 403, "{path}");
    }
    assert_eq!(desk.rows("consultations"), 2);
    assert_eq!(desk.rows("consultation_versions"), 2);
    assert_eq!(desk.rows("resident_corrections"), 0);
    assert_eq!(desk.rows("resident_change_confirmations"), 0);
    assert_eq!(desk.rows("consultation_follow_ups"), 0);
}

#[test]
fn the_former_centre_goes_on_correcting_what_it_wrote_itself() {
    let desk = Desk::new();
    let from = desk.0.signed_in("from");
    assert!(
        from.get("/consultations/1")
            .body
            .contains("/consultations/1/edit")
    );
    let mut typed = TYPED.to_vec();
    typed.extend([("base_version", "1"), ("reason", "聞き直した")]);
    let page = from.post("/consultations/1/versions", &typed);
    assert_eq!(page.header("location"), "/consultations/1?done=corrected");
    // But its record is not made one about somebody whom it only reads.
    desk.record(3, 2, FROM, "2026-11-12", "");
    let page = from.post("/consultations/3/client", &[("resident", "1")]);
    assert_eq!(page.status, 403);
}

#[test]
fn after_thirty_days_an_unreceived_hand_over_is_overdue() {
    let desk = Desk::new();
    desk.days(30);
    let page = desk.0.signed_in("to").get("/transfers");
    assert!(
        !page.text().contains("日を過ぎて"),
        "thirty days are not over"
    );
    desk.days(1);
    let to = desk.0.signed_in("to");
    let page = to.get("/transfers");
    assert!(
        page.text().contains("受領されていない引継ぎが 1件"),
        "{}",
        page.text()
    );
    assert!(page.text().contains("受領待ち 31日"));
    assert!(to.get("/").text().contains("引継ぎの受領"));
    to.post("/transfers/1/receipt", &[]);
    assert!(!to.get("/transfers").text().contains("日を過ぎて"));
}

#[test]
fn who_was_never_written_about_waits_for_nobody() {
    let desk = Desk::new();
    desk.go(2, TO);
    let to = desk.0.signed_in("to");
    let open = to.get("/transfers").text();
    assert!(
        open.contains("受領前（1）") && !open.contains("架空 2郎"),
        "{open}"
    );
    let without = to.get("/transfers?stage=without").text();
    assert!(without.contains("架空 2郎") && without.contains("引継ぎ不要"));
    desk.days(60);
    let text = desk.0.signed_in("to").get("/transfers").text();
    assert!(text.contains("引継ぎが 1件"), "{text}");
}

#[test]
fn a_shielded_or_excluded_person_is_in_no_list_no_count_and_on_no_sheet() {
    for hide in [
        "update residents set shielded = 1 where id = 1",
        "insert into exclusions select 1, 1, id, 'relative', 'x', id, '' from staff where login = 'to'",
    ] {
        let desk = Desk::new();
        let to = desk.0.signed_in("to");
        assert!(to.get("/transfers").text().contains("架空 1郎"));
        desk.0.execute(hide);
        let list = to.get("/transfers").text();
        assert!(
            list.contains("受領前（0）") && !list.contains("架空 1郎"),
            "{hide}: {list}"
        );
        for path in ["/transfers/1", "/transfers/1/sheet.pdf", "/residents/1"] {
            assert_eq!(to.get(path).status, 404, "{hide}: {path}");
        }
        assert_eq!(to.post("/transfers/1/receipt", &[]).status, 404);
        assert!(!to.get("/").text().contains("引継ぎの受領"));
        assert_eq!(desk.rows("transfer_receipts"), 0);
    }
}

#[test]
fn who_moved_on_is_handed_over_from_where_she_was_last() {
    let desk = Desk::new();
    desk.go(1, "0103");
    let from = desk.0.signed_in("from");
    from.get("/transfers/1");
    let page = from.post("/transfers/1/notes", &[("note", "遅い文"), ("seen", "0")]);
    assert_eq!(page.status, 409);
    assert!(page.body.contains("遅い文"));
    assert!(
        desk.0
            .signed_in("other")
            .get("/transfers")
            .text()
            .contains("架空 1郎")
    );
    let to = desk.0.signed_in("to");
    assert!(to.get("/transfers").text().contains("受領前（0）"));
    to.get("/transfers/1");
    assert_eq!(to.post("/transfers/1/receipt", &[]).status, 409);
}

#[test]
fn a_clock_set_back_takes_nothing_from_the_new_centre() {
    let desk = Desk::new();
    desk.days(-3);
    let to = desk.0.signed_in("to");
    assert_eq!(to.get("/residents/1").status, 200);
    to.get("/transfers/1");
    assert_eq!(to.post("/transfers/1/receipt", &[]).status, 303);
    assert_eq!(
        desk.0.signed_in("from").get("/residents/1").status,
        404,
        "not moved yet"
    );
}

#[test]
fn half_typed_words_are_kept_for_their_writer_alone() {
    let desk = Desk::new();
    desk.0.add("colleague", Role::SocialWorker, Some(FROM));
    let (from, two) = (desk.0.signed_in("from"), desk.0.signed_in("colleague"));
    from.get("/transfers/1");
    let kept = from.post("/transfers/1/draft", &[("note", "書きかけ"), ("seen", "0")]);
    assert_eq!(kept.status, 204);
    assert!(from.get("/transfers/1").body.contains("書きかけ"));
    assert!(from.get("/").text().contains("引継ぎ内容の続きを書く"));
    assert!(!two.get("/transfers/1").body.contains("書きかけ"));
    let to = desk.0.signed_in("to");
    to.get("/transfers/1");
    assert_eq!(to.post("/transfers/1/draft", &[("note", "x")]).status, 403);
    assert_eq!(note(&from, "書き終えた").status, 303);
    assert_eq!(desk.rows("drafts"), 0);
}

#[test]
fn the_sheet_is_printed_and_leaves_an_entry() {
    let desk = Desk::new();
    let page = desk.0.signed_in("to").send(
        axum::http::Method::HEAD,
        "/transfers/1/sheet.pdf",
        &[],
        String::new(),
    );
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "application/pdf")
    );
    assert_eq!(desk.entries("transfer_print"), 1);
}
