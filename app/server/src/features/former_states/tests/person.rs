//! What stands beside the register: household, insurance, certification, who was in charge.

use store::{StoreError, SystemReason};

use super::*;

const REGISTER: &str =
    "addressee_no household_no relationship name kana alias_name former_surname born_on
    address building phone postal_code resident_state centre_id moved_to died_on";
const HOUSEHOLDS: &str = "resident_id household_no relationship is_head removed_on";
const INSURED: &str =
    "resident_id insured_no insurer_no category acquired_on acquired_reason lost_on
    lost_reason domicile_exception facility_name card_issued_on applying copay_percent on_welfare";
const CERTIFICATIONS: &str = "insured_person_id history_no applied_on application_kind state decided_on level
    valid_from valid_to bedridden_level dementia_level limit_units planner_kind planner_office_no notified_on";

/// A delivery of one feed.
struct Delivery<'d> {
    desk: &'d Desk,
    id: i64,
    feed: &'static str,
}

impl Desk {
    fn delivery(&self, feed: &'static str) -> Delivery<'_> {
        let now = format!("{:.6}", self.house.app().clock().now());
        let id = self.house.count("select max(id) + 1 from imports");
        self.house.execute(&format!(
            "insert into imports values
               ({id}, '{feed}', '', 0, 'utf-8', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, '{now}')"
        ));
        Delivery {
            desk: self,
            id,
            feed,
        }
    }
}

impl Delivery<'_> {
    /// As an import does it: what a row said is kept, then it says something else.
    fn changes(&self, person: i64, record: i64, set: &str) {
        let (table, columns) = match self.feed {
            "residents" => ("residents", REGISTER),
            "households" => ("household_members", HOUSEHOLDS),
            "insured" => ("insured_persons", INSURED),
            _ => ("certifications", CERTIFICATIONS),
        };
        let pairs: Vec<String> = columns
            .split_whitespace()
            .map(|name| format!("'{name}', t.{name}"))
            .collect();
        let (id, feed, pairs) = (self.id, self.feed, pairs.join(", "));
        let house = &self.desk.house;
        house.execute(&format!(
            "insert into resident_changes
               (import_id, feed, resident_id, record_id, kind, fields, before)
             select {id}, '{feed}', {person}, t.id, 'changed', '', json_object({pairs})
             from {table} t where t.id = {record}"
        ));
        house.execute(&format!("update {table} set {set} where id = {record}"));
    }

    fn brings(&self, person: i64, record: i64) {
        self.desk.house.execute(&format!(
            "insert into resident_changes
               (import_id, feed, resident_id, record_id, kind, fields, before)
             values ({}, '{}', {person}, {record}, 'new', '', null)",
            self.id, self.feed
        ));
    }
}

/// One part of the page, read without tags.
fn part(page: &Page, code: &str) -> String {
    let start = format!("<h2 id=\"part-{code}\">");
    between(&page.body, &start, "</section>").unwrap_or_else(|| panic!("{code}: {}", page.text()))
}

/// Persons 1 and 3 live together; 4 is of the other centre, 5 under 支援措置, all of household 77.
fn housed() -> Desk {
    let desk = Desk::new();
    for id in [3, 5] {
        desk.house.resident(id, "1941-01-01", HERE, "1");
    }
    desk.house.resident(4, "1941-01-01", THERE, "1");
    desk.house
        .execute("update residents set household_no = '77' where id <> 2");
    desk.house
        .execute("update residents set relationship = '妻' where id = 3");
    desk.house
        .execute("update residents set shielded = 1 where id = 5");
    desk.house.execute(
        "insert into household_members (household_no, resident_id, position, relationship_code,
           relationship, is_head, import_id) values ('77', 1, 1, '', '世帯主', 1, 1)",
    );
    desk.later();
    desk
}

#[test]
fn insurance_and_certification_stand_as_they_were_beside_todays_and_are_not_put_back() {
    let desk = Desk::new();
    desk.house
        .certification(1, "21", "2026-01-01", "2026-12-31");
    desk.later();
    let insured = desk.delivery("insured");
    insured.changes(1, 1, "on_welfare = 1, copay_percent = 10");
    let certified = desk.delivery("certifications");
    certified.changes(1, 1, "level = '23'");
    desk.house.execute(
        "insert into certifications (insured_person_id, history_no, application_kind, state,
           level, bedridden_level, dementia_level, planner_kind, planner_office_no, import_id)
         values (1, 2, '2', '1', '', '', '', '', '', 1)",
    );
    certified.brings(1, 2);
    let manager = desk.in_scene("manager");
    let page = manager.get(PERSON);
    assert_eq!(page.status, 200, "{}", page.text());
    let text = part(&page, "insured");
    for words in [
        "被保険者番号 0000000001　生活保護",
        "いいえ</td><td class=\"pre changed\" data-label=\"いま\">はい",
        "（空欄）</td><td class=\"pre changed\" data-label=\"いま\">10%",
        "ここからは戻しません",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("資格取得日"), "what is the same: {text}");
    let text = part(&page, "certifications");
    for words in [
        "履歴番号1（0000000001）　要介護状態区分",
        "履歴番号2（0000000001）",
        "（ありません）",
        "要介護3",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // The moments are offered, and nothing of it can be chosen.
    assert!(
        page.text().contains("要介護認定（変更）"),
        "{}",
        page.text()
    );
    assert!(!page.body.contains("name=\"fields\""), "{}", page.body);
    let now = manager.get(&format!("{PERSON}?on=R8.11.24&time=9:02"));
    assert!(part(&now, "insured").contains("その時点と、いまは同じです"));
    let printed = manager.get(&format!("{PERSON}/comparison.pdf"));
    assert_eq!(printed.bytes.get(..5), Some(b"%PDF-".as_slice()));
    let looks = "select count(*) from audit_entries where resident_id = 1
        and operation in ('former_state_view', 'former_state_print')";
    assert_eq!(desk.house.count(looks), 3);
}

#[test]
fn a_household_of_then_names_whom_her_page_names_today_and_nobody_else() {
    let desk = housed();
    let register = desk.delivery("residents");
    // 3 moves out; 2, of the other centre, was never in it.
    register.changes(3, 3, "household_no = '78', relationship = '本人'");
    desk.delivery("households")
        .changes(1, 1, "relationship = '本人'");
    let manager = desk.in_scene("manager");
    let page = manager.get(PERSON);
    let text = part(&page, "household");
    for words in [
        "架空 3郎",
        "続柄：妻",
        "（ありません）",
        "架空 1郎　続柄",
        "世帯主",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    for hidden in ["架空 4郎", "架空 5郎", "架空 2郎"] {
        assert!(!page.text().contains(hidden), "{hidden}: {}", page.text());
    }
    // For the city 4 is there, then and now; the shielded one is in nobody's household.
    let city = desk.in_scene("city").get(PERSON);
    assert!(part(&city, "household").contains("架空 4郎"));
    assert!(!city.text().contains("架空 5郎"), "{}", city.text());
    assert_eq!(desk.in_scene("other").get(PERSON).status, 404);
    // Whoever leaves was with 1 until then, and 1 with her.
    let hers = manager.get("/residents/3/former-state");
    assert!(part(&hers, "household").contains("架空 1郎"));
}

#[test]
fn a_shielded_woman_is_in_no_former_household_though_she_was_not_shielded_then() {
    let desk = housed();
    desk.delivery("residents")
        .changes(3, 3, "household_no = '78', shielded = 1");
    for login in ["manager", "city"] {
        let page = desk
            .in_scene(login)
            .get(&format!("{PERSON}?on=R8.11.24&time=9:01"));
        let text = part(&page, "household");
        assert!(!text.contains("架空 3郎"), "{login}: {text}");
    }
    // A shield of the city's own hides her as well.
    let desk = housed();
    desk.delivery("residents")
        .changes(3, 3, "household_no = '78'");
    desk.house.execute(
        "insert into shields (resident_id, kind, reason, recorded_at) values (3, 'city', 'x', '')",
    );
    let page = desk
        .in_scene("city")
        .get(&format!("{PERSON}?on=R8.11.24&time=9:01"));
    assert!(!part(&page, "household").contains("架空 3郎"));
}

#[test]
fn what_an_import_said_that_was_taken_back_is_not_known_and_said_to_be_so() {
    let desk = housed();
    let insured = desk.delivery("insured");
    insured.changes(1, 1, "category = '2'");
    desk.later();
    let id = insured.id;
    let undone = format!("{:.6}", desk.house.app().clock().now());
    desk.house
        .execute("update insured_persons set category = '1' where id = 1");
    desk.house.execute(&format!(
        "insert into import_undos values (1, {id}, null, '{undone}')"
    ));
    desk.later();
    let manager = desk.in_scene("manager");
    let page = manager.get(&format!("{PERSON}?on=R8.11.24&time=9:02"));
    let text = part(&page, "insured");
    assert!(text.contains("履歴からは分かりません"), "{text}");
    assert!(part(&page, "household").contains("その時点と、いまは同じです"));
    let before = manager.get(&format!("{PERSON}?on=R8.11.24&time=9:01"));
    assert!(part(&before, "insured").contains("その時点と、いまは同じです"));
}

#[test]
fn before_what_was_disposed_of_nobody_knows() {
    let desk = Desk::new();
    let city = desk
        .house
        .count("select id from staff where login = 'city'");
    let insured = desk.delivery("insured");
    insured.changes(1, 1, "category = '2'");
    let id = insured.id;
    desk.house.execute(&format!(
        "delete from resident_changes where import_id = {id}"
    ));
    for sql in [
        format!(
            "insert into approvals values
               (1, 'x', '{{}}', '{{}}', '', '', 1, null, {city}, '', '2026-12-01')"
        ),
        "insert into disposal_requests values (1, 'imports', '', '', 'x', 1, '')".to_owned(),
        format!("insert into disposal_request_records values (1, {id}, '{id}')"),
        format!("insert into disposals values (1, 1, 1, 0, '', null, {city}, '')"),
    ] {
        desk.house.execute(&sql);
    }
    let page = desk
        .in_scene("manager")
        .get(&format!("{PERSON}?on=R8.11.24&time=9:00"));
    assert!(part(&page, "insured").contains("履歴からは分かりません"));
}

#[test]
fn nobody_was_there_before_the_import_that_brought_her() {
    let desk = Desk::new();
    desk.later();
    desk.delivery("residents").brings(1, 1);
    let insured = desk.delivery("insured");
    insured.brings(1, 1);
    let manager = desk.in_scene("manager");
    let page = manager.get(&format!("{PERSON}?on=R8.11.24&time=9:01"));
    assert!(
        page.text().contains("まだありませんでした"),
        "{}",
        page.text()
    );
    assert!(!page.body.contains("part-insured"));
    // What came with her is no change: there is one moment.
    desk.later();
    desk.delivery("insured").changes(1, 1, "category = '2'");
    let page = manager.get(PERSON);
    assert!(part(&page, "insured").contains("第2号"), "{}", page.text());
}

#[test]
fn a_copy_shows_what_the_history_cannot_know() {
    let desk = housed();
    desk.house
        .certification(1, "21", "2026-01-01", "2026-12-31");
    desk.copied();
    // Past the program: no import tells of it.
    desk.house
        .execute("update insured_persons set category = '2' where id = 1");
    desk.house.execute("delete from certifications");
    desk.house
        .execute("update residents set household_no = '78' where id in (3, 4)");
    desk.house
        .execute("update residents set shielded = 1 where id = 4");
    let manager = desk.in_scene("manager");
    let own = manager.get(&format!("{PERSON}?on=R8.11.24&time=9:01"));
    assert!(part(&own, "insured").contains("その時点と、いまは同じです"));
    let href = desk.opened(&manager, &[("origin", "raid:aaaa")]);
    let id = href.rsplit('/').next().unwrap();
    let page = manager.get(&format!("{PERSON}?opening={id}"));
    assert!(part(&page, "insured").contains("第1号"), "{}", page.text());
    let text = part(&page, "certifications");
    assert!(
        text.contains("要介護1") && text.contains("（ありません）"),
        "{text}"
    );
    let text = part(&page, "household");
    assert!(text.contains("架空 3郎"), "{text}");
    // Today's eyes name people in a copy too: another centre's, and whoever is shielded now.
    for login in ["manager", "city"] {
        let page = desk.in_scene(login).get(&format!("{PERSON}?opening={id}"));
        for hidden in ["架空 4郎", "架空 5郎"] {
            assert!(!page.text().contains(hidden), "{login}: {}", page.text());
        }
    }
    let told = desk.house.detail("former_state_view");
    assert!(told.starts_with("snapshot=raid aaaa"), "{told}");
}

#[test]
fn a_copy_of_an_older_schema_is_brought_up_and_compared() {
    /// Where SQLite keeps the number of our schema in its file.
    const VERSION_AT: std::ops::Range<usize> = 60..64;
    /// What the newest step makes: a file of the version before has none of it.
    const NEWEST: &str = "attachment_scans";
    let desk = housed();
    let made: Result<Vec<String>, StoreError> =
        desk.house.db().system_read(SystemReason::Demo, |tx| {
            let sql = "select sql from sqlite_schema where tbl_name = ?1 order by type desc";
            tx.all(sql, [NEWEST], |row| row.get(0))
        });
    desk.house.execute(&format!("drop table {NEWEST}"));
    desk.copied();
    for sql in made.unwrap() {
        desk.house.execute(&sql);
    }
    let path = desk.past.dir.path().join("hokatsu.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let before = u32::try_from(store::SCHEMA_VERSION - 1).unwrap();
    bytes[VERSION_AT].copy_from_slice(&before.to_be_bytes());
    desk.past.write("hokatsu.db", &bytes);
    desk.house
        .execute("update insured_persons set category = '2' where id = 1");
    let manager = desk.in_scene("manager");
    let href = desk.opened(&manager, &[("origin", "raid:aaaa")]);
    let id = href.rsplit('/').next().unwrap();
    let page = manager.get(&format!("{PERSON}?opening={id}"));
    assert!(part(&page, "insured").contains("第1号"), "{}", page.text());
    assert!(part(&page, "household").contains("その時点と、いまは同じです"));
}

#[test]
fn who_was_in_charge_is_told_with_the_end_as_it_was_known() {
    let desk = Desk::new();
    let nurse = desk
        .house
        .count("select id from staff where login = 'nurse'");
    let at = |minutes: i64| {
        let now = desk.house.app().clock().now();
        let at = now + SignedDuration::from_mins(minutes);
        format!("{at:.6}")
    };
    desk.house.execute(&format!(
        "insert into assignments values
           (1, 1, {nurse}, 'main', '2026-11-24', '退院した', {nurse}, '{}')",
        at(0)
    ));
    desk.house.execute(&format!(
        "insert into assignment_endings values (1, 1, '2026-11-30', '異動', {nurse}, '{}')",
        at(1)
    ));
    desk.house.hand.step(SignedDuration::from_mins(2));
    let manager = desk.in_scene("manager");
    let page = manager.get(PERSON);
    let text = part(&page, "in-charge");
    for words in ["主担当 試験 nurse　最後の日", "（空欄）", "R8.11.30"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(page.text().contains("担当の終わり（試験 nurse）"));
    let before = manager.get(&format!("{PERSON}?on=R8.11.24&time=9:00"));
    assert!(part(&before, "in-charge").contains("（ありません）"));
}
