//! The access log through its own routes.

use jiff::SignedDuration;
use store::audit::Finding;
use store::{Actor, Event, Operation, Outcome, RecordKind, ResidentId, Scope, StaffId};

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
    let actor = Actor::system("試験");
    let entries = log
        .house
        .db()
        .read(&actor, |tx| sql::all_entries(tx, &Filter::default(), 1_000))
        .unwrap();
    let all = entries.len();
    assert!(write(&entries, all - 1).unwrap().is_none());
    let written = write(&entries, all).unwrap().unwrap();
    // Two people are in it, one of them twice.
    assert_eq!((written.rows, written.persons), (all, 2));
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
fn every_search_walks_its_own_index_and_sorts_nothing() {
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
    let who = |resident, staff| Filter {
        who: Who { resident, staff },
        ..Filter::default()
    };
    let person = who(Sought::These(vec![ResidentId(1)]), Sought::Anybody);
    let staff = who(Sought::Anybody, Sought::These(vec![StaffId(1)]));
    let word = |text: &str| Some(text.to_owned());
    let asked = [
        (person.clone(), "audit_entries_by_resident"),
        (staff.clone(), "audit_entries_by_staff"),
        (
            Filter {
                operation: Some(Operation::ResidentView),
                ..Filter::default()
            },
            "audit_entries_by_operation",
        ),
        (
            Filter {
                outcome: Some(Outcome::Refused),
                ..Filter::default()
            },
            "audit_entries_refused",
        ),
        (
            Filter {
                menu: word("試験"),
                ..Filter::default()
            },
            "audit_entries_by_menu",
        ),
        (
            Filter {
                terminal: word("10.20.1.15"),
                ..Filter::default()
            },
            "audit_entries_by_terminal",
        ),
        (
            Filter {
                record: Some((RecordKind::Staff, 1)),
                ..Filter::default()
            },
            "audit_entries_by_record",
        ),
        (
            Filter {
                operation: Some(Operation::ResidentView),
                ..person
            },
            "audit_entries_by_resident",
        ),
        (
            Filter::default(),
            "SEARCH e USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
    ];
    for (filter, index) in &asked {
        let plan = plan(filter);
        assert!(plan.contains(index), "{index}: {plan}");
        let sorted = plan
            .lines()
            .any(|line| line.contains("B-TREE FOR ORDER BY") && !line.contains("LAST TERM"));
        // The one sort is that of a person's posts, of which there are a handful.
        let of_posts = plan.matches("B-TREE FOR ORDER BY").count() <= 1;
        assert!(!sorted || of_posts, "{plan}");
    }
}

#[test]
fn several_staff_of_a_name_are_found_in_the_order_of_time() {
    let log = log();
    let found = rows(&log.city(), &format!("staff={}", encoded("試験")));
    let at: Vec<&str> = found
        .iter()
        .map(|row| {
            row.split_once("R8.11")
                .unwrap()
                .1
                .split_once('<')
                .unwrap()
                .0
        })
        .collect();
    assert!(at.len() > 3 && at.is_sorted_by(|a, b| a >= b), "{at:?}");
}

#[test]
fn menu_terminal_and_record_narrow_the_list() {
    let log = log();
    let city = log.city();
    let menu = rows(&city, &format!("menu={}", encoded("試験")));
    assert!(
        menu.len() >= 4
            && menu
                .iter()
                .all(|row| row.contains(">試験 </td>") || row.contains("試験 "))
    );
    let none = rows(&city, &format!("menu={}", encoded("取込み")));
    assert!(none.is_empty());
    let terminal = "terminal=10.20.1.15&operation=resident_view";
    assert_eq!(rows(&city, terminal).len(), 2);
    assert!(rows(&city, "terminal=10.20.1.16").is_empty());
    let record = Event::done(Operation::StaffUnlock).on(RecordKind::Staff, 77);
    log.note(log.nurse, record.detail("前＝待ち／後＝なし／理由＝電話"));
    let found = rows(&city, "record=staff&record_id=77");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("変更前 待ち → 変更後 なし、理由：電話"),
        "{found:?}"
    );
    for (query, said) in [
        ("record_id=77", "記録の種類も選んでください"),
        ("record=staff&record_id=x", "記録番号を数字で"),
        ("record=nothing", "記録の種類を一覧から"),
    ] {
        let page = city.get(&format!("/access-log?{query}"));
        assert_eq!(page.status, 422, "{query}");
        assert!(page.text().contains(said), "{query}");
    }
}

#[test]
fn a_rare_combination_says_how_far_it_looked_and_goes_on() {
    let log = log();
    let house = &log.house;
    house.execute("drop trigger audit_entries_freeze");
    // Twelve thousand sign-ins behind one view by the clerk: more than a page looks through.
    house.execute(
        "insert into audit_entries
         select value + 100000, '2026-11-26T00:00:00.000000Z',
                (select id from staff where login = 'clerk'), null, '個人画面', 'sign_in', null,
                null, null, '10.20.1.15', 'done', '', zeroblob(32)
         from (with recursive n(value) as (select 1 union all select value + 1 from n
               where value < 12000) select value from n)",
    );
    let city = log.city();
    let query = "staff=clerk&terminal=10.20.1.15&operation=resident_view";
    let direct = rows(&city, query);
    assert_eq!(direct.len(), 1, "the rarest index drives: {direct:?}");
    let rare = format!("staff=clerk&terminal=10.20.1.15&menu={}", encoded("試験"));
    assert_eq!(rows(&city, &rare).len(), 2);
    house.execute("update audit_entries set menu = '個人画面', operation = 'sign_in' where id > 1");
    house.execute(
        "update audit_entries set outcome = 'refused' where id <= 20 and staff_id =
         (select id from staff where login = 'clerk')",
    );
    let before = city.get("/access-log?staff=clerk&outcome=done&from=R8.11.24&to=R8.11.24");
    assert_eq!(before.status, 200);
    let mut path = "/access-log?staff=clerk&outcome=done&to=2026-11-26".to_owned();
    let mut pages = 0;
    while pages < 5 {
        let page = city.get(&path);
        assert_eq!(page.status, 200);
        let Some((_, rest)) = page.body.split_once("もっと前にもある") else {
            break;
        };
        let href = rest
            .split_once("href=\"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0;
        path = href.replace("&#38;", "&").replace("&amp;", "&");
        pages += 1;
    }
    assert!(pages < 5);
}

#[test]
fn an_entry_has_a_page_with_what_was_and_what_is() {
    let log = log();
    let city = log.city();
    let changed = Event::done(Operation::StaffPostAdd)
        .on(RecordKind::Staff, log.nurse.0)
        .detail("前＝保健師・看護師 中央／後＝事務 中央／理由＝異動");
    log.note(log.clerk, changed);
    let id = log.house.count("select max(id) from audit_entries");
    let page = city.get(&format!("/access-log/{id}"));
    let text = page.text();
    assert_eq!(page.status, 200);
    for said in [
        "変更前保健師・看護師 中央",
        "変更後事務 中央",
        "理由異動",
        "確かめの値",
    ] {
        assert!(text.replace('\n', "").contains(said), "{said}: {text}");
    }
    let looked = format!("select count(*) from audit_entries where detail = 'entry={id}'");
    assert_eq!(log.house.count(&looked), 1);
    assert_eq!(city.get("/access-log/999999").status, 404);
    assert_eq!(city.get("/access-log/x").status, 404);
    assert_eq!(city.get("/access-log?year=2020").status, 404);
}

#[test]
fn the_list_on_paper_says_how_many_rows_it_has_and_leaves_an_entry() {
    let log = log();
    let page = log.city().send(
        axum::http::Method::GET,
        "/access-log/list.pdf?staff=clerk&to=R8.11.25",
        &[],
        String::new(),
    );
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "application/pdf")
    );
    let logged = "select count(*) from audit_entries where operation = 'access_log_print'
        and detail = 'rows=2 fields=staff,to' and record_id = 2";
    assert_eq!(log.house.count(logged), 1);
    assert_eq!(log.city().get("/access-log/list.pdf?from=x").status, 422);
}

#[test]
fn a_checkpoint_is_made_listed_printed_and_taken_away() {
    let log = log();
    let city = log.city();
    let first = city.get("/access-log/checkpoints");
    assert_eq!(first.status, 200);
    let made = city.post("/access-log/checkpoints", &[]);
    assert_eq!(
        made.header("location"),
        "/access-log/checkpoints?done=signed"
    );
    let checkpoints = log.house.db().checkpoints().unwrap();
    let number = checkpoints.len();
    let newest = checkpoints.last().unwrap();
    let list = city.get("/access-log/checkpoints");
    assert!(
        list.body
            .contains(&format!("/access-log/checkpoints/{number}/sheet.pdf"))
    );
    assert!(list.text().contains(newest.hash.split_at(16).0));
    let sheet = city.get(&format!("/access-log/checkpoints/{number}/sheet.pdf"));
    assert_eq!(
        (sheet.status, sheet.header("content-type")),
        (200, "application/pdf")
    );
    let printed = format!(
        "select count(*) from audit_entries where operation = 'checkpoint_print'
         and record_id = {}",
        newest.entries
    );
    assert_eq!(log.house.count(&printed), 1);
    let file = city.get("/access-log/checkpoints.jsonl");
    assert_eq!(file.body.lines().count(), number);
    assert!(file.body.contains(&newest.signature));
    for number in ["0", "9999", "x"] {
        let path = format!("/access-log/checkpoints/{number}/sheet.pdf");
        assert_eq!(city.get(&path).status, 404, "{number}");
    }
}

const ASKED: &str = "person=0000000001&receipt=R8-12&reason=self";

#[test]
fn a_person_is_told_what_was_done_with_their_data_and_not_by_whom_in_name() {
    let log = log();
    let city = log.city();
    let page = city.get(&format!("/access-log/disclosure?{ASKED}"));
    let text = page.text();
    assert_eq!(page.status, 200, "{text}");
    assert!(
        text.contains("架空 1郎 さんの情報の利用記録") && text.contains("2件"),
        "{text}"
    );
    assert!(
        text.contains("対象者の閲覧") && text.contains("保健師・看護師"),
        "{text}"
    );
    assert!(
        !text.contains("試験 nurse") && !text.contains("10.20.1.15"),
        "{text}"
    );
    assert!(text.contains("第78条") && text.contains("未確認"));
    let csv = city.take_out(&format!("/access-log/disclosure/export?{ASKED}"));
    // The report itself is a use of the person's data, and so in the next one.
    assert_eq!(csv.body.split_terminator("\r\n").count(), 1 + 3);
    assert!(!csv.body.contains("試験"));
    let pdf = city.get(&format!("/access-log/disclosure/report.pdf?{ASKED}"));
    assert_eq!(
        (pdf.status, pdf.header("content-type")),
        (200, "application/pdf")
    );
    let logged = "select count(*) from audit_entries where resident_id = 1
        and detail like 'disclosure=self receipt=R8-12 rows=%'";
    assert_eq!(log.house.count(logged), 3);
}

#[test]
fn a_report_needs_person_receipt_and_reason_and_days_in_order() {
    let log = log();
    let city = log.city();
    assert_eq!(city.get("/access-log/disclosure").status, 200);
    for (query, field) in [
        ("person=&receipt=1&reason=self", "person"),
        ("person=1&receipt=&reason=self", "receipt"),
        ("person=1&receipt=1&reason=", "reason"),
        ("person=99&receipt=1&reason=self", "person"),
        ("person=1&receipt=1&reason=self&from=x", "from"),
        (
            "person=1&receipt=1&reason=self&from=R8.11.25&to=R8.11.24",
            "to",
        ),
    ] {
        for path in ["", "/export", "/report.pdf"] {
            let page = city.get(&format!("/access-log/disclosure{path}?{query}"));
            assert_eq!(page.status, 422, "{path} {query}");
            assert!(page.body.contains(&format!("href=\"#{field}\"")), "{query}");
        }
    }
    let made = "select count(*) from audit_entries where detail like 'disclosure=%'";
    assert_eq!(log.house.count(made), 0);
    assert_eq!(log.admin().get("/access-log/disclosure").status, 403);
}

#[test]
fn an_archived_year_is_searched_and_stays_in_the_report() {
    let log = log();
    log.house.hand.step(SignedDuration::from_hours(24 * 60));
    log.note(
        log.nurse,
        Event::done(Operation::ResidentView).about(ResidentId(1)),
    );
    let db = log.house.db();
    let plan = db.plan_archive(2026, 0).unwrap();
    let event = Event::done(Operation::AccessLogArchive).detail("year=2026");
    db.archive_audit(&Actor::system("試験"), &plan, event)
        .unwrap();
    let city = log.city();
    assert_eq!(rows(&city, "staff=nurse&operation=resident_view").len(), 1);
    let old = rows(&city, "staff=nurse&operation=resident_view&year=2026");
    assert_eq!(old.len(), 1);
    assert!(old[0].contains("?year=2026"), "{old:?}");
    assert_eq!(city.get("/access-log/1?year=2026").status, 200);
    assert_eq!(city.get("/access-log/1").status, 404);
    let report = city.get(&format!("/access-log/disclosure?{ASKED}")).text();
    assert!(
        report.contains("R8.11.24") && report.contains("R9.1.25"),
        "{report}"
    );
    let whole = city.get("/access-log/verification").text();
    assert!(
        whole.contains("欠け、書換え、入替えはありません") && whole.contains("audit-2026.db"),
        "{whole}"
    );
}

#[test]
fn archived_years_are_listed_and_verified_one_by_one_and_a_missing_file_is_told_with_what_to_do() {
    let log = log();
    log.house.hand.step(SignedDuration::from_hours(24 * 60));
    let admin = log.admin();
    assert!(
        !admin
            .get("/access-log/verification")
            .text()
            .contains("切り離した記録")
    );
    let db = log.house.db();
    let plan = db.plan_archive(2026, 0).unwrap();
    let (entries, file) = (plan.entries(), plan.file.clone());
    let event = Event::done(Operation::AccessLogArchive).detail("year=2026");
    db.archive_audit(&Actor::system("試験"), &plan, event)
        .unwrap();
    let list = admin.get("/access-log/verification");
    assert!(
        list.body
            .contains("href=\"/access-log/verification?year=2026\"")
    );
    let year = "/access-log/verification?year=2026";
    let whole = admin.get(year).text();
    assert!(
        whole.contains(&format!("{entries}件を検査しました")) && whole.contains("2026年のファイル"),
        "{whole}"
    );
    for wrong in ["2025", "2027", "x", "99999", "-1"] {
        let page = admin.get(&format!("/access-log/verification?year={wrong}"));
        assert_eq!(page.status, 404, "{wrong}");
    }
    let noted = "select count(*) from audit_entries where operation = 'access_log_view'
        and detail = 'verification year=2026 findings=0'";
    assert_eq!(log.house.count(noted), 1);

    // Somebody brings another file into its place: one entry of the year altered.
    let kept = std::fs::read(&file).unwrap();
    let (was, is) = (b"resident_view", b"Resident_view");
    let mut bent = kept.clone();
    let places: Vec<usize> = (0..bent.len())
        .filter(|at| bent[*at..].starts_with(was))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bent[at..at + is.len()].copy_from_slice(is);
    }
    std::fs::remove_file(&file).unwrap();
    base::paths::write_atomic(&file, &bent, 0o400).unwrap();
    let told = admin.get(year).text();
    assert!(told.contains("異常あり"), "{told}");
    std::fs::remove_file(&file).unwrap();
    for path in ["/access-log/verification", year] {
        let told = admin.get(path).text();
        assert!(
            told.contains("保管場所にありません") && told.contains("audit-broken"),
            "{path}: {told}"
        );
    }
    assert!(admin.get(year).text().contains("異常あり"));
    base::paths::write_atomic(&file, &kept, 0o400).unwrap();
    assert!(
        admin
            .get(year)
            .text()
            .contains("欠け、書換え、入替えはありません")
    );
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
        (
            "前＝なし／後＝事務／理由＝採用",
            "変更前 なし → 変更後 事務、理由：採用",
        ),
        ("old=nurse new=clerk", "変更前 保健師・看護師 → 変更後 事務"),
    ] {
        assert_eq!(super::view::detail(stored), read);
    }
}
