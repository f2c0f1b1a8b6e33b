//! Who reported it.

use super::*;

const LOOK: [(&str, &str); 1] = [("look_reason", "call_back")];

#[test]
fn the_reporter_is_shown_after_a_reason_only_and_the_look_is_listed_at_once() {
    let desk = Desk::new();
    let (worker, city) = (desk.at("worker"), desk.at("city"));
    let case = desk.receive(&worker, &[]);
    let asked = worker.get(&format!("{case}/reporter"));
    assert!(
        asked.status == 200 && !asked.body.contains("田所"),
        "{}{}",
        asked.status,
        asked.text()
    );
    let bare = worker.post(&format!("{case}/reporter"), &[]);
    assert!(bare.status == 422 && !bare.body.contains("田所"));
    let other = [("look_reason", "other")];
    assert_eq!(worker.post(&format!("{case}/reporter"), &other).status, 422);
    assert_eq!(desk.number("select count(*) from abuse_reporter_looks"), 0);
    let shown = worker.post(&format!("{case}/reporter"), &LOOK);
    assert!(shown.text().contains("田所 由美") && shown.text().contains("048-000-0009"));
    let list = city.get("/abuse-cases").text();
    assert!(
        list.contains("試験 worker") && list.contains("折り返し"),
        "{list}"
    );
    assert_eq!(desk.entries("abuse_reporter_view").len(), 1);
    // The manager of the team supervises; a manager beside it learns nothing.
    let boss = desk.at("boss");
    assert!(!boss.get("/abuse-cases").text().contains("折り返し"));
    assert_eq!(desk.name(&worker, &case, "boss", &[]).status, 303);
    assert!(boss.get("/abuse-cases").text().contains("折り返し"));
}

#[test]
fn nothing_else_that_can_be_read_or_printed_names_the_reporter() {
    let desk = Desk::new();
    let (worker, city) = (desk.at("worker"), desk.at("city"));
    let case = desk.receive(&worker, &[]);
    for browser in [&worker, &city] {
        for page in [
            "",
            "/edit",
            "/members",
            "/steps/new?kind=facts",
            "/withdrawal",
        ] {
            let page = browser.get(&format!("{case}{page}"));
            assert!(!page.body.contains("田所") && !page.body.contains("048-000-0009"));
        }
        for page in ["/abuse-cases", "/residents/1", "/", "/access-log"] {
            assert!(!browser.get(page).body.contains("田所"), "{page}");
        }
    }
    let held = "select count(*) from audit_entries where detail like '%田所%'";
    assert_eq!(desk.number(held), 0);
    let beside = "select count(*) from abuse_case_versions where content || source like '%田所%'";
    assert_eq!(desk.number(beside), 0);
}

#[test]
fn a_member_without_the_mark_and_everybody_of_a_centre_when_she_asked_for_it_do_not_even_ask() {
    let desk = Desk::new();
    let (worker, boss, city) = (desk.at("worker"), desk.at("boss"), desk.at("city"));
    let case = desk.receive(&worker, &[]);
    assert_eq!(desk.name(&worker, &case, "boss", &[]).status, 303);
    assert!(!boss.get(&case).body.contains("/reporter\""));
    for answer in [
        boss.get(&format!("{case}/reporter")),
        boss.post(&format!("{case}/reporter"), &LOOK),
        boss.post(&format!("{case}/reporter/versions"), &[]),
    ] {
        assert_eq!(answer.status, 404);
    }
    // A member who may not know cannot let others know.
    let mark = [("reads_reporter", "1")];
    let page = desk.name(&boss, &case, "thatworker", &mark);
    assert!(page.status == 422 && page.body.contains("href=\"#reads_reporter\""));
    let nurse = desk.name(&worker, &case, "nurse", &mark);
    assert!(nurse.status == 422 && nurse.text().contains("通報者を見られません"));
    assert_eq!(desk.name(&worker, &case, "thatworker", &mark).status, 303);
    let that = desk.at("thatworker");
    that.get(&format!("{case}/reporter"));
    assert_eq!(that.post(&format!("{case}/reporter"), &LOOK).status, 200);
    let closed = desk.receive(&worker, &[("reporter_city_only", "1")]);
    assert!(worker.get(&closed).text().contains("市だけが見られます"));
    assert_eq!(worker.get(&format!("{closed}/reporter")).status, 404);
    city.get(&format!("{closed}/reporter"));
    let shown = city.post(&format!("{closed}/reporter"), &LOOK);
    assert!(shown.text().contains("田所 由美"));
}

#[test]
fn a_text_that_names_the_reporter_is_warned_of_and_saved_when_it_is_meant() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    worker.get("/abuse-cases/new");
    let text = [("content", "隣の田所由美さんが、物音を聞いた。")];
    let page = worker.post("/abuse-cases", &changed(&REPORT, &text));
    assert!(page.status == 422 && page.body.contains("href=\"#content\""));
    assert!(page.body.contains("name=\"name_kept\"") && page.body.contains("物音を聞いた"));
    let meant = [text[0], ("name_kept", "1")];
    let page = worker.post("/abuse-cases", &changed(&REPORT, &meant));
    assert_eq!(page.status, 303);
    let case = address(&page);
    let note = changed(&VISIT, &[("note", "田所さんに会った")]);
    let page = worker.post(&format!("{case}/steps"), &note);
    assert!(page.status == 422 && page.body.contains("href=\"#note\""));
    // Whoever may not know is not warned: the warning would be the answer.
    let boss = desk.at("boss");
    assert_eq!(desk.name(&worker, &case, "boss", &[]).status, 303);
    boss.get(&case);
    assert_eq!(boss.post(&format!("{case}/steps"), &note).status, 303);
}

#[test]
fn a_correction_of_the_reporter_starts_from_what_was_seen() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[]);
    let path = format!("{case}/reporter");
    worker.get(&path);
    let shown = worker.post(&path, &LOOK);
    let base = hidden(&shown, "base_version");
    let send = |name: &str| {
        let fields = [("base_version", base.as_str()), ("reporter_name", name)];
        worker.post(&format!("{path}/versions"), &fields)
    };
    assert_eq!(send("田所 由実").status, 303);
    assert!(send("田所 由実").header("location").ends_with("done=again"));
    assert_eq!(send("田所 ユミ").status, 409);
    assert!(worker.post(&path, &LOOK).text().contains("田所 由実"));
    let bad = [("reporter_anonymous", "1"), ("reporter_name", "だれか")];
    assert_eq!(worker.post(&format!("{path}/versions"), &bad).status, 422);
    assert_eq!(desk.number("select count(*) from abuse_reporters"), 2);
}
