//! Each class from the list of what is due to its disposal, and what must not go before its time.

use base::clock::Clock;
use jiff::SignedDuration;
use jiff::civil::date;
use store::audit::verify;
use store::{Actor, DataDir, Db, Event, Operation, SystemReason};

use super::tests::{Desk, OLD, approve, desk, dispose};
use crate::features::staff::tests::house::{Browser, between};

/// Whoever recorded it.
const S: &str = "(select id from staff where login = 'nurse')";
const C: &str = "(select min(id) from support_centres)";
const AT: &str = "'2021-02-02T00:00:00.000000Z'";

impl Desk {
    fn sql(&self, statements: &[&str]) {
        for statement in statements {
            let statement = statement.replace("{S}", S).replace("{C}", C);
            self.house.execute(&statement.replace("{AT}", AT));
        }
    }

    /// Asked for by one, approved and done by the other.
    fn go(&self, class: &str) -> String {
        let city = self.house.signed_in("city");
        city.get(&format!("/retention/{class}"));
        let fields = [("reason", "年度の廃棄")];
        let page = city.post(&format!("/retention/{class}/requests"), &fields);
        assert_eq!(page.status, 303, "{class}: {}", page.text());
        let id = between(page.header("location"), "/disposals/", "?").unwrap();
        let second = self.house.signed_in("second");
        assert_eq!(approve(&second, &id), 303, "{class}");
        let before = second.get(&format!("/disposals/{id}")).text();
        assert!(
            before.contains("読めなくなります") || class == "access_log",
            "{before}"
        );
        assert_eq!(dispose(&second, &id), 303, "{class}");
        id
    }
}

fn due(browser: &Browser<'_>, class: &str) -> String {
    let page = browser.get(&format!("/retention/{class}"));
    assert_eq!(page.status, 200, "{class}: {}", page.text());
    page.text()
}

/// Somebody who died in the fiscal year 2020, with a row in every table about people.
fn somebody_gone(desk: &Desk) {
    let house = &desk.house;
    house.resident(2, "1925-01-01", "0101", "3");
    house.certification(2, "21", "2019-01-01", "2021-12-31");
    desk.sql(&[
        "update residents set died_on = '2021-01-10' where id = 2",
        "insert into imports values (2, 'residents', '', 0, 'utf-8', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
           null, {AT})",
        "insert into resident_names values (2, 'register', 'カクウ', '', '', '', '')",
        "insert into resident_places values (2, '0480000002', '')",
        "insert into household_members (household_no, resident_id, position, relationship_code,
           relationship, is_head, import_id) values ('5', 2, 1, '', '本人', 1, 1)",
        "insert into resident_changes values (1, 2, 'residents', 2, 2, 'died', 'died_on', '{}')",
        "insert into resident_change_confirmations values (1, 1, {S}, {AT})",
        "insert into resident_corrections values (1, 2, 'phone', '1', '2', '理由', {S}, {AT})",
        "insert into resident_correction_endings values (1, 1, '理由', {S}, {AT})",
        "insert into import_conflicts values (1, 2, 2, 1, '3')",
        "insert into import_conflict_decisions values (1, 1, 'keep', {S}, {AT})",
        "insert into centre_transfers values (1, 2, {C}, {C} + 1, '2020-05-01', 'area',
           '2020-11-01', null, null, {AT})",
        "insert into transfer_notes values (1, 1, '申し送り', {S}, {AT})",
        "insert into transfer_receipts values (1, 1, {S}, {AT})",
        "insert into drafts (staff_id, form, body, saved_at) values ({S}, '/transfers/1', 'note=x',
           {AT})",
        "insert into assignments values (1, 2, {S}, 'main', '2020-01-01', '理由', {S}, {AT})",
        "insert into assignment_endings values (1, 1, '2021-01-10', '死亡', {S}, {AT})",
        "insert into case_grants values (1, 2, 'city_welfare', null, 0, '2020-01-01', '2020-12-31',
           '理由', {S}, {AT})",
        "insert into shields values (1, 2, 'city', null, '理由', {S}, {AT})",
        "insert into shield_endings values (1, 1, '理由', {S}, {AT})",
        "insert into approvals values (500, 'shield_grant', '{}', '[]', '', '', 0, null, {S}, {AT},
           '2021-02-09')",
        "insert into approval_decisions values (500, 500, 'approved', '', {S}, {AT})",
        "insert into shield_grants values (1, 2, {S}, '2019-01-01', '2019-02-01', '理由', 0, {S},
           {AT}, 500)",
        "insert into exclusions values (1, 2, {S}, '01', '理由', {S}, {AT})",
        "insert into attachments values (1, 2, null, printf('%064d', 1), 1, 'text', 'a.txt', 'a', 0,
           null, {S}, {AT})",
        "insert into attachment_versions values (1, 1, 1, '', '', '', {S}, {AT})",
        // Newer ones, of somebody who lives here: numbers are not given again.
        "insert into centre_transfers values (2, 1, {C}, {C} + 1, '2026-05-01', 'area',
           '2026-11-01', null, null, {AT})",
        "insert into assignments values (2, 1, {S}, 'main', '2026-01-01', '理由', {S}, {AT})",
        "insert into case_grants values (2, 1, 'city_welfare', null, 0, '2026-01-01', null, '理由',
           {S}, {AT})",
    ]);
}

/// Every table that points at residents, with the column that does; what keeps a person is left out.
fn tables_about_people(desk: &Desk) -> Vec<(String, String)> {
    let sql = "select m.name, f.\"from\" from sqlite_schema m
        join pragma_foreign_key_list(m.name) f on f.\"table\" = 'residents'
        where m.type = 'table' and m.name not in ('consultation_clients', 'abuse_case_versions')
        order by 1";
    let read = |tx: &store::ReadTx<'_>| {
        tx.all(sql, [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })
    };
    let found = desk.house.db().system_read(SystemReason::Demo, read);
    found.map_err(|e: store::StoreError| e).unwrap()
}

#[test]
fn a_person_who_is_gone_goes_last_with_everything_about_her_and_only_her_number_stays() {
    let desk = desk();
    somebody_gone(&desk);
    let record = desk.record("R2-1", OLD, &desk.closed());
    desk.sql(&["update consultation_clients set resident_id = 2"]);
    let city = desk.house.signed_in("city");
    let waiting = due(&city, "residents");
    assert!(
        waiting.contains("0件"),
        "a consultation keeps her: {waiting}"
    );
    desk.go("consultations");
    let text = due(&city, "residents");
    assert!(
        text.contains("90000002") && !text.contains("90000001"),
        "{text}"
    );
    assert!(!text.contains("架空"), "numbers only: {text}");

    let tables = tables_about_people(&desk);
    assert!(tables.len() >= 12, "{tables:?}");
    let of =
        |(table, column): &(String, String)| desk.count(&format!("{table} where {column} = 2"));
    for table in &tables {
        assert!(of(table) > 0, "somebody_gone() has no row in {table:?}");
    }
    let id = desk.go("residents");
    for table in &tables {
        assert_eq!(of(table), 0, "{table:?} still holds her");
    }
    assert_eq!(desk.count("certifications"), 0);
    assert_eq!(desk.count("drafts"), 0);
    assert_eq!(desk.count("attachment_versions"), 0);
    assert_eq!(desk.count("centre_transfers"), 1, "others keep theirs");
    let stub = "residents where id = 2 and addressee_no = '90000002' and resident_state = '0'
        and name || kana || address || phone || household_no || born_on = '' and died_on is null";
    assert_eq!(desk.count(stub), 1);
    assert_eq!(city.get("/residents/2").status, 404);
    assert_eq!(city.get(&format!("/consultations/{record}")).status, 404);
    let found = city.get("/residents?q=90000002").text();
    assert!(!found.contains("架空 2郎"), "{found}");
    let found = city.get("/retention?number=９００００００２").text();
    assert!(
        found.contains("廃棄済み") && found.contains("死亡・転出した方"),
        "{found}"
    );
    let by_number = city.get("/retention?number=Ｒ２－１").text();
    assert!(by_number.contains("廃棄済み"), "{by_number}");
    let never = city.get("/retention?number=123").text();
    assert!(never.contains("申請も実行もされていません"), "{never}");
    let shown = city.get(&format!("/disposals/{id}")).text();
    assert!(shown.contains("廃棄した件数1件"), "{shown}");
    let entry = "select count(*) from audit_entries where operation = 'disposal'
        and record_kind = 'resident' and record_id = 2 and resident_id = 2";
    assert_eq!(desk.house.count(entry), 1);
    assert!(due(&city, "residents").contains("0件"), "once is enough");
}

#[test]
fn a_person_is_not_due_while_something_of_hers_is_open_or_younger() {
    let desk = desk();
    somebody_gone(&desk);
    let city = desk.house.signed_in("city");
    assert!(due(&city, "residents").contains("90000002"));
    for (keeps, undo) in [
        (
            "delete from assignment_endings",
            "insert into assignment_endings values (1, 1, '2021-01-10', '死亡', {S}, {AT})",
        ),
        (
            "update case_grants set ends_on = null where id = 1",
            "update case_grants set ends_on = '2020-12-31' where id = 1",
        ),
        (
            "update centre_transfers set readable_until = '2021-05-01' where id = 1",
            "update centre_transfers set readable_until = '2020-11-01' where id = 1",
        ),
        (
            "delete from shield_endings",
            "insert into shield_endings values (1, 1, '理由', {S}, {AT})",
        ),
        (
            "update residents set shielded = 1 where id = 2",
            "update residents set shielded = 0 where id = 2",
        ),
        (
            "delete from resident_change_confirmations",
            "insert into resident_change_confirmations values (1, 1, {S}, {AT})",
        ),
        (
            "delete from import_conflict_decisions",
            "insert into import_conflict_decisions values (1, 1, 'keep', {S}, {AT})",
        ),
        (
            "update resident_corrections set recorded_at = '2021-04-02T00:00:00.000000Z'",
            "update resident_corrections set recorded_at = {AT}",
        ),
        (
            "update residents set died_on = null where id = 2",
            "update residents set died_on = '2021-01-10' where id = 2",
        ),
        (
            "update residents set died_on = '2021-04-01' where id = 2",
            "update residents set died_on = '2021-01-10' where id = 2",
        ),
    ] {
        desk.sql(&[keeps]);
        assert!(!due(&city, "residents").contains("90000002"), "{keeps}");
        desk.sql(&[undo]);
        assert!(due(&city, "residents").contains("90000002"), "{undo}");
    }
}

/// A case about resident 2, received by a colleague, with a row in every table of cases but the bars.
fn case_of_abuse(desk: &Desk, consultation: i64) {
    desk.sql(&[
        "insert into abuse_cases values (5, null, null, 'a', {S}, {AT})",
        "insert into abuse_case_versions values (1, 5, 1, 'carer', '2020-05-01', '10:00', 'city',
           'unknown', 2, '', '', '', '', null, '', 'unknown', '', 'physical', '内容', '', 'soon', '',
           {S}, {AT}, '')",
        "insert into abuse_steps values (1, 5, 1, 'closing', '2021-02-02', '', '', '', '', '', '', '',
           '', '', '', null, '', 'died', '', null, '', 'b', {S}, {AT})",
        "insert into abuse_members values (1, 5, 1, {S}, 1, 0, '2020-05-01', null, 'x', {S}, {AT})",
        "insert into abuse_member_endings values (1, 1, 'x', {S}, {AT})",
        "insert into abuse_reporters values (1, 5, 1, 0, 0, '架空', '', '', {S}, {AT})",
        "insert into abuse_reporter_looks values (1, 5, 'other', '', {S}, {AT})",
        &format!("insert into abuse_takings values (1, 5, {consultation}, 'x', {{S}}, {{AT}})"),
        &format!(
            "insert into attachments values (2, null, {consultation}, printf('%064d', 2), 1, 'text',
               'b.txt', 'b', 0, null, {{S}}, {{AT}})"
        ),
    ]);
}

#[test]
fn a_closed_case_of_abuse_goes_with_its_consultations_and_keeps_its_people_until_then() {
    let desk = desk();
    somebody_gone(&desk);
    let record = desk.record("R2-1", OLD, &desk.closed());
    case_of_abuse(&desk, record);
    let city = desk.house.signed_in("city");
    assert!(
        due(&city, "consultations").contains("0件"),
        "its case keeps it"
    );
    assert!(
        due(&city, "residents").contains("0件"),
        "the case keeps her"
    );
    for (open, closed) in [
        ("closing", "reopening"),
        ("closing", "response"),
        ("2021-02-02", "2021-04-01"),
    ] {
        let column = if open == "closing" { "kind" } else { "held_on" };
        let set = |value: &str| format!("update abuse_steps set {column} = '{value}'");
        desk.sql(&[&set(closed)]);
        assert!(due(&city, "abuse_cases").contains("0件"), "{closed}");
        desk.sql(&[&set(open)]);
    }
    let text = due(&city, "abuse_cases");
    assert!(text.contains("1件") && text.contains("0000-0005"), "{text}");
    desk.go("abuse_cases");
    for table in [
        "abuse_cases",
        "abuse_case_versions",
        "abuse_steps",
        "abuse_members",
        "abuse_member_endings",
        "abuse_reporters",
        "abuse_reporter_looks",
        "abuse_takings",
        "consultation_versions",
        "consultation_clients",
        "attachments where id = 2",
    ] {
        assert_eq!(desk.count(table), 0, "{table}");
    }
    assert_eq!(desk.count("consultations"), 1, "its number stays");
    let told = "select count(*) from audit_entries where operation = 'disposal'
        and (record_kind = 'abuse_case' or resident_id is not null)";
    assert_eq!(desk.house.count(told), 0, "no entry says whom it was about");
    assert!(due(&city, "residents").contains("90000002"));
}

#[test]
fn transfers_assignments_drafts_imports_and_registers_go_by_their_own_days() {
    let desk = desk();
    somebody_gone(&desk);
    desk.sql(&[
        "insert into carried_out values (1, null, 'manual', 'a', {S}, '', {AT})",
        "insert into carried_out_versions values (1, 1, 1, '2021-01-10', '控えのディスク', 3, '07',
           '', '02', '', '金庫', '乙', 1, '', '2021-02-01', '', {S}, {AT}, '')",
        "insert into carried_out_endings values (1, 1, 'returned', '2021-02-01', '乙', '', '', '',
           {S}, {AT})",
        "insert into inspections values (1, null, 'a', '2021-01-10', '乙', '2021-07-10', '', '', {S},
           {AT})",
        "insert into inspection_results values (1, 'a', 'bad', '施錠', '2021-02-01')",
        "insert into inspection_fixes values (1, 1, 'a', '2021-02-01', '直した', {S}, {AT})",
        "insert into inspections values (2, null, 'b', '2026-07-10', '乙', '2027-01-10', '', '', {S},
           {AT})",
    ]);
    for (class, gone) in [
        // Before the hand-over to which it belongs, which takes it along.
        ("drafts", "drafts"),
        ("transfers", "centre_transfers where id = 1"),
        ("assignments", "assignments where id = 1"),
        ("imports", "resident_changes where import_id = 2"),
        (
            "carried_out",
            "carried_out_versions where carried_out_id = 1",
        ),
        ("inspections", "inspections where id = 1"),
    ] {
        // Five sessions are a person's; each disposal takes one.
        let city = desk.house.signed_in("city");
        assert!(
            due(&city, class).contains("1件"),
            "{class}: {}",
            due(&city, class)
        );
        assert_eq!(desk.count(gone), 1, "{class}");
        desk.go(class);
        assert_eq!(desk.count(gone), 0, "{class}");
        assert!(due(&city, class).contains("0件"), "{class} is due again");
    }
    let city = desk.house.signed_in("city");
    assert_eq!(desk.count("imports where id = 2"), 1, "counts stay");
    assert_eq!(
        desk.count("carried_out where id = 1"),
        1,
        "the number stays"
    );
    assert_eq!(city.get("/carried-out/1").status, 404);
    assert_eq!(desk.count("inspections"), 1);
    assert_eq!(desk.count("residents where id = 2 and name <> ''"), 1);
}

#[test]
fn what_is_still_open_in_a_register_is_not_due() {
    let desk = desk();
    desk.sql(&[
        "insert into carried_out values (1, null, 'manual', 'a', {S}, '', {AT})",
        "insert into carried_out_versions values (1, 1, 1, '2021-01-10', '控えのディスク', 3, '07',
           '', '02', '', '金庫', '乙', 1, '', '2021-02-01', '', {S}, {AT}, '')",
        "insert into inspections values (1, null, 'a', '2021-01-10', '乙', '2021-07-10', '', '', {S},
           {AT})",
        "insert into inspection_results values (1, 'a', 'bad', '施錠', '2021-02-01')",
        "insert into inspections values (2, null, 'b', '2026-07-10', '乙', '2027-01-10', '', '', {S},
           {AT})",
        "insert into assignments values (1, 1, {S}, 'main', '2019-01-01', '理由', {S}, {AT})",
        "insert into assignments values (2, 1, {S}, 'main', '2020-01-01', '理由', {S}, {AT})",
    ]);
    let city = desk.house.signed_in("city");
    for class in [
        "carried_out",
        "inspections",
        "assignments",
        "transfers",
        "imports",
        "drafts",
    ] {
        assert!(due(&city, class).contains("0件"), "{class}");
    }
    assert_eq!(city.get("/retention/nothing").status, 404);
}

#[test]
fn an_archived_year_of_the_log_goes_with_its_file_and_the_log_stays_whole() {
    let desk = desk();
    let db = desk.house.db();
    desk.house
        .hand
        .step(SignedDuration::from_hours(24 * 365 * 6));
    let actor = Actor::system("試験");
    let archive = |year: i16| {
        let plan = db.plan_archive(year, 0).unwrap();
        let event = Event::done(Operation::AccessLogArchive).detail(format!("year={year}"));
        db.archive_audit(&actor, &plan, event).unwrap();
        plan.file
    };
    let city = desk.house.signed_in("city");
    let text = due(&city, "access_log");
    assert!(
        text.contains("0件") && text.contains("hokatsu audit archive"),
        "{text}"
    );
    let file = archive(2026);
    assert!(file.exists());
    assert!(due(&city, "access_log").contains("2026年"));
    let whole = || verify(db.dir(), None).unwrap().findings;
    assert_eq!(whole(), []);
    std::fs::rename(&file, file.with_extension("away")).unwrap();
    assert_ne!(
        whole(),
        [],
        "before it is disposed of a missing file is told"
    );
    std::fs::rename(file.with_extension("away"), &file).unwrap();

    desk.go("access_log");
    assert!(!file.exists());
    assert_eq!(whole(), []);
    assert!(due(&city, "access_log").contains("0件"));
    let admin = city.get("/access-log/verification").text();
    assert!(
        admin.contains("廃棄済み") && !admin.contains("保管場所にありません"),
        "{admin}"
    );
    assert_eq!(city.get("/access-log/verification?year=2026").status, 404);

    // Brought back by a restore or by hand: the day's tasks take it away again.
    base::paths::write_atomic(&file, b"old", 0o400).unwrap();
    assert_eq!(db.sweep_disposed().unwrap(), 1);
    assert!(!file.exists());
    assert_eq!(db.sweep_disposed().unwrap(), 0);
    // The year in which it was disposed of is archived, too: its file still says so.
    desk.house.hand.step(SignedDuration::from_hours(24 * 365));
    desk.sql(&["update codes set label = label"]);
    archive(2032);
    assert_eq!(whole(), []);
    let place = DataDir::new(db.dir().path());
    assert!(Db::open_beside(&place, Clock::on_day(date(2033, 12, 1))).is_ok());
}
