//! The access log through its own routes.

use jiff::SignedDuration;
use store::audit::Finding;
use store::{Actor, Event, Operation, ResidentId, Scope, StaffId};

use super::export::write;
use super::model::{Filter, Sought, Who};
use super::{store as sql, words};
use crate::features::masters;
use crate::features::staff::tests::house::{Browser, House};
use crate::web::csv::harmless;
use crate::web::{Problem, Role};

struct Log {
    house: House,
    nurse: StaffId,
    clerk: StaffId,
}

/// Two people, two members of staff, and what they did on three days.
fn log() -> Log {
    let house = House::new();
    let nurse = house.add("nurse", Role::Nurse, Some("0101"));
    let clerk = house.add("clerk", Role::Clerk, Some("0102"));
    house.add("city", Role::CityLongevity, None);
    house.add("admin", Role::SystemAdmin, None);
    house.resident(1, "1930-01-01", "0101", "1");
    house.resident(2, "1931-01-01", "0102", "1");
    let log = Log {
        house,
        nurse,
        clerk,
    };
    log.note(
        nurse,
        Event::done(Operation::ResidentView).about(ResidentId(1)),
    );
    log.note(
        clerk,
        Event::refused(Operation::ResidentInquiry).detail("=1+1"),
    );
    log.house.hand.step(SignedDuration::from_hours(24));
    log.note(
        clerk,
        Event::done(Operation::ResidentView).about(ResidentId(2)),
    );
    log.house.hand.step(SignedDuration::from_hours(24));
    log.note(
        nurse,
        Event::done(Operation::ConsultationCreate).about(ResidentId(1)),
    );
    log
}

impl Log {
    fn note(&self, staff: StaffId, event: Event) {
        let centre = if staff == self.nurse { "0101" } else { "0102" };
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

    fn city(&self) -> Browser<'_> {
        self.house.signed_in("city")
    }

    fn admin(&self) -> Browser<'_> {
        self.house.signed_in("admin")
    }
}

/// Rows of the list, as text.
fn rows(browser: &Browser<'_>, query: &str) -> Vec<String> {
    let page = browser.get(&format!("/access-log?{query}"));
    assert_eq!(page.status, 200, "{}", page.text());
    let body = page.body.split_once("<tbody>").map_or("", |(_, rest)| rest);
    body.split("<tr>")
        .skip(1)
        .map(|row| row.replace("</td>", " "))
        .collect()
}

#[test]
fn the_city_searches_by_insured_number_and_reads_the_name() {
    let log = log();
    let city = log.city();
    for number in ["0000000001", "1", "０００００００００１", "90000001"] {
        let rows = rows(&city, &format!("person={}", encoded(number)));
        // Two acts about the person, and from the second search on the searches themselves.
        assert!(rows.len() >= 2, "{number}: {rows:?}");
        assert!(
            rows.iter().all(|row| row.contains("架空 1郎")),
            "{number}: {rows:?}"
        );
    }
    assert!(rows(&city, "person=0000000099").is_empty());
    let nobody = city.get("/access-log?person=0000000099").text();
    assert!(nobody.contains("この番号の人は見つかりません"));
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn the_system_administrator_finds_by_number_and_never_reads_a_name() {
    let log = log();
    let admin = log.admin();
    let found = rows(&admin, "person=2");
    assert!(
        found.iter().any(|row| row.contains("対象者番号 2")),
        "{found:?}"
    );
    for path in ["/access-log", "/access-log?person=1"] {
        assert!(!admin.get(path).body.contains("架空"), "{path}");
    }
    let file = admin.take_out("/access-log/export");
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(!file.body.contains("架空"));
    // An insured number says nothing to somebody who may see nobody.
    assert!(rows(&admin, "person=90000001").is_empty());
}

#[test]
fn staff_are_found_by_id_and_by_a_part_of_their_name() {
    let log = log();
    let city = log.city();
    let by_login = rows(&city, "staff=CLERK&operation=resident_view");
    assert_eq!(by_login.len(), 1);
    assert!(by_login[0].contains("試験 clerk") && by_login[0].contains("中央第二"));
    let by_name = rows(
        &city,
        &format!("staff={}&operation=resident_view", encoded("験 nur")),
    );
    assert_eq!(by_name.len(), 1);
    assert!(rows(&city, "staff=nobody").is_empty());
}

#[test]
fn days_are_japanese_days_in_wareki_or_iso_and_both_ends_count() {
    let log = log();
    let city = log.city();
    let views = |from: &str, to: &str| {
        rows(
            &city,
            &format!("from={from}&to={to}&operation=resident_view"),
        )
        .len()
    };
    assert_eq!(views("R8.11.24", "R8.11.25"), 2);
    assert_eq!(views("2026-11-25", "2026-11-25"), 1);
    assert_eq!(views("2026-11-26", ""), 0);
    assert_eq!(views("", "R8.11.23"), 0);
}

#[test]
fn outcome_and_operation_narrow_the_list_and_newest_comes_first() {
    let log = log();
    let city = log.city();
    let refused = rows(&city, "outcome=refused");
    assert_eq!(refused.len(), 1);
    assert!(refused[0].contains("断り") && refused[0].contains("照会"));
    let all = rows(&city, "staff=nurse");
    let position = |word: &str| all.iter().position(|row| row.contains(word)).unwrap();
    assert!(position("相談の記録") < position("対象者の閲覧"));
}

#[test]
fn a_wrong_day_is_told_and_what_was_typed_stays() {
    let log = log();
    let page = log
        .city()
        .get("/access-log?from=R8.13.1&to=xyz&staff=nurse");
    assert_eq!(page.status, 422);
    assert!(page.text().contains("検索していません。次の2か所"));
    assert!(page.body.contains("value=\"R8.13.1\"") && page.body.contains("value=\"nurse\""));
    let backwards = log.city().get("/access-log?from=R8.11.25&to=R8.11.24");
    assert_eq!(backwards.status, 422);
}

#[test]
fn looking_leaves_an_entry_with_the_fields_used_and_not_what_they_held() {
    let log = log();
    log.city()
        .get("/access-log?person=0000000001&from=R8.11.24");
    let entry = |detail: &str| {
        log.house.count(&format!(
            "select count(*) from audit_entries
             where operation = 'access_log_view' and detail = '{detail}' and resident_id = 1"
        ))
    };
    assert_eq!(entry("fields=person,from"), 1);
    let held = "select count(*) from audit_entries where detail like '%0000000001%'";
    assert_eq!(log.house.count(held), 0);
}

#[test]
fn pages_follow_one_another_without_gap_or_repeat() {
    let log = log();
    for _ in 0..120 {
        log.note(log.nurse, Event::done(Operation::ConsultationView));
    }
    let city = log.city();
    let mut seen = Vec::new();
    let mut path = "/access-log?operation=consultation_view".to_owned();
    loop {
        let page = city.get(&path);
        let list = page.body.split_once("<tbody>").unwrap().1.to_owned();
        seen.push(list.matches("<tr>").count());
        let older = list
            .split_once("\" rel=\"next\"")
            .and_then(|(b, _)| b.rsplit_once("href=\""));
        let Some((_, href)) = older else { break };
        path = href.replace("&#38;", "&").replace("&amp;", "&");
    }
    assert_eq!(seen, [50, 50, 20]);
}

#[test]
fn the_file_holds_the_filtered_list_for_excel() {
    let log = log();
    let admin = log.admin();
    let page = admin.take_out("/access-log/export?staff=clerk&from=R8.11.24&to=R8.11.25");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/csv; charset=utf-8");
    let file = page.header("content-disposition");
    assert_eq!(file, "attachment; filename=\"access-log-20261126-1.csv\"");
    let text = page.body.strip_prefix('\u{feff}').unwrap();
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[1].contains("2026-11-25 09:00:00,clerk,試験 clerk,中央第二"),
        "{text}"
    );
    // The formula is text now.
    assert!(lines[2].contains(",断り,'=1+1,"), "{text}");
    let listed = rows(&admin, "staff=clerk&from=R8.11.24&to=R8.11.25");
    assert_eq!(listed.len(), lines.len() - 1);
    let logged = "select count(*) from audit_entries where operation = 'access_log_export'
        and detail = 'rows=2 fields=staff,from,to'";
    assert_eq!(log.house.count(logged), 1);
}

#[test]
fn a_file_over_the_limit_is_refused_and_not_cut() {
    let log = log();
    let read = |rows_max| {
        let actor = Actor::system("試験");
        log.house
            .db()
            .read(&actor, |tx| write(tx, &Filter::default(), rows_max))
            .unwrap()
    };
    let all = usize::try_from(log.house.count("select count(*) from audit_entries")).unwrap();
    let written = read(all).unwrap();
    // Two people are in it, one of them twice.
    assert_eq!((written.rows, written.persons), (all, 2));
    assert!(read(all - 1).is_none());
}

#[test]
fn cells_that_excel_would_calculate_become_text() {
    let cells = [
        "=1",
        "+1",
        "-1",
        "@a",
        "\tx",
        "＝1",
        "a=1",
        "",
        "10.20.1.15",
    ]
    .map(harmless);
    let expected = [
        "'=1",
        "'+1",
        "'-1",
        "'@a",
        "'\tx",
        "'＝1",
        "a=1",
        "",
        "10.20.1.15",
    ];
    assert_eq!(cells, expected);
}

#[test]
fn only_the_system_administrator_takes_the_log_out_and_centres_do_not_see_it() {
    let log = log();
    assert_eq!(log.city().get("/access-log/export").status, 403);
    let nurse = log.house.signed_in("nurse");
    for path in [
        "/access-log",
        "/access-log/export",
        "/access-log/verification",
    ] {
        assert_eq!(nurse.get(path).status, 403, "{path}");
    }
    assert!(
        !log.city()
            .get("/access-log")
            .body
            .contains("href=\"/access-log/export")
    );
    assert!(log.clerk > log.nurse);
}

#[test]
fn a_whole_log_is_called_whole_and_a_bent_one_is_named() {
    let log = log();
    let admin = log.admin();
    let page = admin.get("/access-log/verification");
    assert_eq!(page.status, 200);
    assert!(
        page.text().contains("欠け、書換え、入替えはありません"),
        "{}",
        page.text()
    );
    log.house.execute("drop trigger audit_entries_freeze");
    log.house
        .execute("update audit_entries set detail = 'fields=-' where id = 3");
    let bent = admin.get("/access-log/verification").text();
    assert!(
        bent.contains("異常あり") && bent.contains("3番の記録の内容"),
        "{bent}"
    );
}

#[test]
fn every_finding_has_its_own_sentence() {
    let at = || "2026-11-24T00:00:00.000000Z".to_owned();
    let findings = [
        Finding::Changed { id: 3 },
        Finding::Missing { from: 3, to: 3 },
        Finding::Missing { from: 3, to: 5 },
        Finding::Swapped { id: 3, with: 4 },
        Finding::Truncated {
            found: 3,
            signed: 4,
        },
        Finding::Unsigned {
            found: 4,
            signed: 3,
        },
        Finding::HeadForged,
        Finding::CheckpointDiffers {
            at: at(),
            entries: 3,
        },
        Finding::CheckpointForged { at: at() },
        Finding::ArchiveMissing { year: 2025 },
        Finding::ArchiveBent { year: 2025 },
        Finding::CutForged { year: 2025 },
    ];
    let mut said: Vec<String> = findings.iter().map(words).collect();
    assert_eq!(said[2], "3番から5番までの記録がありません。");
    assert!(said[7].starts_with("2026-11-24 09:00:00に署名した3件"));
    said.sort();
    said.dedup();
    assert_eq!(said.len(), findings.len());
}

#[test]
fn searches_by_person_staff_and_day_walk_an_index_and_sort_nothing() {
    let log = log();
    let plan = |filter: &Filter| {
        let actor = Actor::system("試験");
        let lines = log.house.db().read(&actor, |tx| {
            let query = sql::query(tx, filter, 51)?.unwrap();
            let explain = format!("explain query plan {}", query.sql);
            tx.all(&explain, store::params_from_iter(query.values), |row| {
                row.get::<_, String>(3)
            })
        });
        lines.unwrap().join("\n")
    };
    let person = Filter {
        who: Who {
            resident: Sought::These(vec![ResidentId(1)]),
            ..Who::default()
        },
        ..Filter::default()
    };
    assert!(
        plan(&person).contains("audit_entries_by_resident"),
        "{}",
        plan(&person)
    );
    let staff = Filter {
        who: Who {
            staff: Sought::These(vec![StaffId(1)]),
            ..Who::default()
        },
        ..Filter::default()
    };
    assert!(
        plan(&staff).contains("audit_entries_by_staff"),
        "{}",
        plan(&staff)
    );
    let several = Filter {
        who: Who {
            staff: Sought::These(vec![StaffId(1), StaffId(2)]),
            ..Who::default()
        },
        ..Filter::default()
    };
    assert!(
        plan(&several).contains("INTEGER PRIMARY KEY (rowid>?"),
        "{}",
        plan(&several)
    );
    let plain = plan(&Filter::default());
    assert!(
        plain.contains("SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        "{plain}"
    );
    for filter in [person, staff, several, Filter::default()] {
        assert!(!plan(&filter).contains("TEMP B-TREE"), "{}", plan(&filter));
    }
}

#[test]
fn details_are_read_in_japanese_and_unknown_words_stay() {
    for (stored, read) in [
        ("", ""),
        (
            "feed=residents read=12 rejected=0",
            "データ：住民 行数：12 不備：0",
        ),
        ("kana+born 3", "カナ+生年月日 3"),
        ("nurse", "保健師・看護師"),
        ("version=2", "版：2"),
        ("親族からの 電話=急ぎ", "親族からの 電話：急ぎ"),
    ] {
        assert_eq!(super::view::detail(stored), read);
    }
}
