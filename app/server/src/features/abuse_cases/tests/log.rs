//! What the access log tells of a case, and to whom.

use super::*;

/// Somebody who may read the log but keeps no cases.
fn reader(desk: &Desk) -> Browser<'_> {
    desk.house.add("city3", Role::CityLongevity, None);
    let (staff, by) = (desk.staff("city3"), desk.staff("admin"));
    desk.house.execute(&format!(
        "insert into staff_rights (staff_id, permission, granted, starts_on, ends_on, reason,
           recorded_by, recorded_at)
         values ({staff}, 'abuse_keep', 0, '2026-11-24', null, 'x', {by}, '')"
    ));
    desk.at("city3")
}

const TELLING: [&str; 4] = ["虐待", "通報", "abuse", "case="];

/// The table of entries alone: menus and filters stand around it.
fn rows(page: &Page) -> String {
    between(&page.body, "<tbody>", "</tbody>").unwrap_or_default()
}

#[test]
fn who_keeps_no_cases_reads_a_look_at_her_page_and_the_keeper_reads_what_was_done() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[]);
    worker.get(&case);
    worker.post(&format!("{case}/reporter"), &[("look_reason", "call_back")]);
    let unknown = [("resident", ""), ("victim_name", "ハルさん")];
    desk.receive(&worker, &unknown);
    for browser in [desk.at("admin"), reader(&desk)] {
        for page in [
            "/access-log?staff=worker",
            "/access-log?person=1",
            "/access-log?operation=resident_view",
            "/access-log?menu=%E5%80%8B%E4%BA%BA%E7%94%BB%E9%9D%A2",
            "/access-log/list.pdf",
        ] {
            let page = browser.get(page);
            let text = rows(&page);
            for word in TELLING {
                assert!(!text.contains(word), "{word}: {text}");
            }
        }
        let page = browser.get("/access-log").body;
        assert!(!page.contains("abuse_receive") && !page.contains("通報者の閲覧"));
        let first =
            desk.number("select min(id) from audit_entries where operation = 'abuse_receive'");
        let entry = browser.get(&format!("/access-log/{first}"));
        assert!(entry.text().contains("対象者の閲覧") && entry.status == 200);
        let told = entry
            .body
            .replace("/abuse-cases\"", "")
            .replace(">虐待対応<", "");
        for word in TELLING {
            assert!(!told.contains(word), "{word}");
        }
        let none = browser.get("/access-log?operation=abuse_receive").text();
        assert!(none.contains("条件に合う記録はありません"), "{none}");
    }
    let keeper = desk.at("city").get("/access-log?operation=abuse_receive");
    assert!(
        rows(&keeper).contains("虐待の通報の受理"),
        "{}",
        keeper.text()
    );
    let number = &desk.entries("abuse_receive")[0];
    let number = number.split("case=").nth(1).unwrap();
    assert!(rows(&keeper).contains(number));
}

#[test]
fn what_is_shown_for_an_entry_is_found_by_what_is_shown() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    desk.receive(&worker, &[]);
    let unknown = [("resident", ""), ("victim_name", "ハルさん")];
    desk.receive(&worker, &unknown);
    let admin = desk.at("admin");
    let count = |query: &str| {
        let page = admin.get(&format!("/access-log?staff=worker&{query}"));
        rows(&page).matches("<tr").count()
    };
    let all = count("");
    let shown = rows(&admin.get("/access-log?staff=worker"));
    for (label, query) in [
        ("対象者の閲覧", "operation=resident_view"),
        ("住民の検索", "operation=resident_find"),
        ("個人画面", "menu=%E5%80%8B%E4%BA%BA%E7%94%BB%E9%9D%A2"),
    ] {
        let cells = shown.matches(&format!(">{label}<")).count();
        assert!(cells > 0, "{label}");
        assert_eq!(count(query), cells, "{label} of {all}");
    }
    let both = "operation=resident_find&menu=%E5%80%8B%E4%BA%BA%E7%94%BB%E9%9D%A2";
    assert_eq!(count(both), 0);
}

#[test]
fn the_report_for_her_or_her_agent_does_not_tell_whoever_prints_it() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    desk.receive(&worker, &[]);
    let report = desk
        .at("city")
        .get("/access-log/disclosure?person=0000000001&receipt=1&reason=agent");
    assert_eq!(report.status, 200);
    assert!(rows(&report).contains("対象者の閲覧"), "{}", report.text());
    for word in TELLING {
        assert!(!rows(&report).contains(word), "{word}");
    }
}
