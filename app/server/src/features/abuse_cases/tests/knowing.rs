//! For whom a case exists.

use super::*;

const PAGES: [&str; 8] = [
    "",
    "/sheet.pdf",
    "/edit",
    "/withdrawal",
    "/steps/new?kind=facts",
    "/steps/1/edit",
    "/members",
    "/reporter",
];

/// Does anything of the case answer to this person?
fn knows(browser: &Browser<'_>, case: &str) -> bool {
    let listed = browser.get("/abuse-cases?state=all");
    let listed = listed.status == 200 && listed.body.contains(case);
    let shown = browser.get(case).status == 200;
    assert_eq!(listed, shown, "list and page differ");
    shown
}

#[test]
fn a_case_exists_for_who_received_it_and_for_the_city_and_for_nobody_else() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[]);
    assert!(knows(&worker, &case) && knows(&desk.at("city"), &case));
    for login in ["boss", "nurse", "thatworker", "welfare", "clerk", "admin"] {
        let browser = desk.at(login);
        assert!(!knows(&browser, &case), "{login}");
        // Whoever may meet cases at all is told of none; the others may not ask.
        let closed = |page: &str| match login {
            "clerk" | "admin" => 403,
            "welfare" if !["", "/sheet.pdf", "/members"].contains(&page) => 403,
            "nurse" if page == "/reporter" => 403,
            _ => 404,
        };
        for page in PAGES {
            let answer = browser.get(&format!("{case}{page}"));
            assert_eq!(answer.status, closed(page), "{login} {page}");
        }
        for form in [
            "/steps",
            "/members",
            "/versions",
            "/withdrawal",
            "/consultations",
        ] {
            let answer = browser.post(&format!("{case}{form}"), &[]);
            assert!([403, 404].contains(&answer.status), "{login} {form}");
        }
    }
}

#[test]
fn her_page_offers_the_case_to_who_knows_and_the_same_page_to_everybody_else() {
    let desk = Desk::new();
    let (worker, nurse) = (desk.at("worker"), desk.at("nurse"));
    // But for the number of the request.
    let told = |page: Page| {
        let text = page.text();
        let (first, rest) = text.split_once("お問い合わせ番号 ").unwrap();
        format!("{first}{}", rest.get(8..).unwrap())
    };
    let before = told(nurse.get("/residents/1"));
    let case = desk.receive(&worker, &[]);
    assert!(worker.get("/residents/1").body.contains(&case));
    let after = told(nurse.get("/residents/1"));
    assert_eq!(before, after, "the nurse's page tells that there is a case");
}

#[test]
fn a_manager_is_offered_at_the_door_and_sees_nothing_unless_ticked() {
    let desk = Desk::new();
    let (worker, boss) = (desk.at("worker"), desk.at("boss"));
    let form = worker.get("/abuse-cases/new?resident=1").text();
    assert!(form.contains("試験 boss") && !form.contains("試験 thatworker"));
    let without = desk.receive(&worker, &[]);
    let id = desk.staff("boss").to_string();
    let with = desk.receive(&worker, &[("managers", id.as_str())]);
    assert!(!knows(&boss, &without) && knows(&boss, &with));
    // Somebody who was not offered is not named, whatever the form says.
    let other = desk.staff("thatworker").to_string();
    let forged = desk.receive(&worker, &[("managers", other.as_str())]);
    assert!(!knows(&desk.at("thatworker"), &forged));
}

#[test]
fn a_member_reads_or_writes_as_her_row_says_until_it_ends_with_the_page_open() {
    let desk = Desk::new();
    let (worker, nurse, welfare) = (desk.at("worker"), desk.at("nurse"), desk.at("welfare"));
    let case = desk.receive(&worker, &[]);
    worker.get(&format!("{case}/members"));
    assert_eq!(desk.name(&worker, &case, "nurse", &[]).status, 303);
    let refused = desk.name(&worker, &case, "welfare", &[]);
    assert!(refused.status == 422 && refused.text().contains("記録できません"));
    let read = [("access", "read")];
    assert_eq!(desk.name(&worker, &case, "welfare", &read).status, 303);
    let again = desk.name(&worker, &case, "nurse", &[]);
    assert!(again.header("location").ends_with("done=again"));
    assert!(knows(&nurse, &case) && knows(&welfare, &case));
    assert!(!welfare.get(&case).body.contains("/steps/new"));
    let form = nurse.get(&format!("{case}/steps/new?kind=facts"));
    assert_eq!(form.status, 200);
    // Her row ends while the form is open: what she sends finds nothing.
    let ending = [("ending_reason", "担当が替わった")];
    worker.get(&format!("{case}/members"));
    let ended = worker.post(&format!("{case}/members/2/ending"), &ending);
    assert_eq!(ended.status, 303, "{}", ended.text());
    assert_eq!(nurse.post(&format!("{case}/steps"), &VISIT).status, 404);
    assert!(!knows(&nurse, &case));
    assert_eq!(desk.number("select count(*) from abuse_steps"), 0);
    let nurse = desk.staff("nurse");
    let told = desk.entries("abuse_member");
    assert!(
        told[0].contains(&format!("new=職員番号{nurse}・記録")),
        "{told:?}"
    );
    assert!(
        told[2].contains(&format!("old=職員番号{nurse} new=なし")),
        "{told:?}"
    );
}

#[test]
fn a_reader_who_asks_to_write_is_told_so_and_a_member_for_days_is_out_after_them() {
    let desk = Desk::new();
    let (worker, nurse) = (desk.at("worker"), desk.at("nurse"));
    let case = desk.receive(&worker, &[]);
    let read = [("access", "read"), ("ends_on", "R8.11.25")];
    assert_eq!(desk.name(&worker, &case, "nurse", &read).status, 303);
    assert!(knows(&nurse, &case));
    let page = nurse.post(&format!("{case}/steps"), &VISIT);
    assert!(page.status == 403 && page.text().contains("閲覧だけの関係者"));
    assert!(
        page.body.contains("本人に会った。けがはない。"),
        "typed words are lost"
    );
    desk.house
        .hand
        .step(jiff::SignedDuration::from_hours(24 * 2));
    assert!(!knows(&desk.at("nurse"), &case));
    assert!(knows(&desk.at("worker"), &case));
}

#[test]
fn excluded_from_her_or_from_the_carer_wins_over_every_row_and_over_keeping() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[("carer_resident", "2")]);
    assert_eq!(desk.name(&worker, &case, "nurse", &[]).status, 303);
    desk.house.add("city2", Role::CityLongevity, None);
    let (nurse, keeper, boss) = (desk.at("nurse"), desk.at("city2"), desk.at("boss"));
    assert!(knows(&nurse, &case) && knows(&keeper, &case) && !knows(&boss, &case));
    let by = desk.staff("city");
    for (login, resident) in [("nurse", 1), ("city2", 2), ("boss", 2)] {
        let staff = desk.staff(login);
        desk.house.execute(&format!(
            "insert into exclusions (resident_id, staff_id, relation, reason, recorded_by,
               recorded_at) values ({resident}, {staff}, '01', 'x', {by}, '2026-11-24')"
        ));
    }
    for browser in [&nurse, &keeper, &boss] {
        assert!(!knows(browser, &case));
    }
    let offered = worker.get(&format!("{case}/members")).body;
    let offered = between(&offered, "<select id=\"staff\"", "</select>").unwrap();
    assert!(offered.contains("試験 thatworker") && !offered.contains("試験 boss"));
    let page = desk.name(&worker, &case, "boss", &[]);
    assert!(page.status == 422 && page.text().contains("関係者にできません"));
    // And she is not offered when the next report about her is received.
    let form = worker.get("/abuse-cases/new?resident=2").text();
    assert!(!form.contains("試験 boss"));
}

#[test]
fn the_accused_colleague_is_barred_by_the_city_and_named_by_nobody_after() {
    let desk = Desk::new();
    let (worker, city) = (desk.at("worker"), desk.at("city"));
    let case = desk.receive(&worker, &[("resident", ""), ("victim_name", "ハルさん")]);
    let nurse = desk.at("nurse");
    assert_eq!(desk.name(&worker, &case, "nurse", &[]).status, 303);
    assert!(knows(&nurse, &case));
    let id = desk.staff("nurse").to_string();
    let bar = [
        ("bar_staff", id.as_str()),
        ("bar_reason", "訴えられている職員"),
    ];
    assert_eq!(worker.post(&format!("{case}/bars"), &bar).status, 403);
    city.get(&format!("{case}/members"));
    assert_eq!(city.post(&format!("{case}/bars"), &bar).status, 303);
    assert!(!knows(&nurse, &case));
    assert!(
        !worker
            .get(&format!("{case}/members"))
            .text()
            .contains("訴えられている")
    );
    let unbar = [("unbar_reason", "誤りと分かった")];
    assert_eq!(
        city.post(&format!("{case}/bars/1/ending"), &unbar).status,
        303
    );
    assert!(knows(&nurse, &case));
    let own = desk.staff("city").to_string();
    let own = [("bar_staff", own.as_str()), ("bar_reason", "x")];
    assert_eq!(city.post(&format!("{case}/bars"), &own).status, 422);
}

#[test]
fn a_shielded_person_takes_the_grant_too_and_her_case_is_not_forgotten() {
    let desk = Desk::new();
    let (worker, city) = (desk.at("worker"), desk.at("city"));
    let case = desk.receive(&worker, &[]);
    let by = desk.staff("city");
    desk.house.execute(
        "insert into shields (resident_id, kind, reason, recorded_at) values (1, 'city', 'x', '')",
    );
    for browser in [&worker, &city] {
        assert!(!knows(browser, &case));
    }
    let list = city.get("/abuse-cases").text();
    assert!(list.contains("支援措置の方の対応") && !list.contains("架空 1郎"));
    assert!(
        !worker
            .get("/abuse-cases")
            .text()
            .contains("支援措置の方の対応")
    );
    let staff = desk.staff("worker");
    desk.house.execute(&format!(
        "insert into approvals (id, kind, payload, facts, summary, reason, urgent, requested_by,
           requested_at, expires_on)
         values (1, 'shield_grant', '{{}}', '[]', '', '', 1, {by}, '', '2026-11-26')"
    ));
    desk.house.execute(&format!(
        "insert into shield_grants (resident_id, staff_id, starts_on, ends_on, reason, urgent,
           recorded_by, recorded_at, approval_id)
         values (1, {staff}, '2026-11-24', '2026-11-25', 'x', 1, {by}, '', 1)"
    ));
    assert!(knows(&worker, &case) && !knows(&city, &case));
}

#[test]
fn members_go_on_knowing_after_she_moved_and_read_her_name_there() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[]);
    desk.house.execute(&format!(
        "update residents set centre_id =
           (select id from support_centres where code = '{THERE}') where id = 1"
    ));
    assert_eq!(worker.get("/residents/1").status, 404);
    let page = worker.get(&case);
    assert!(page.text().contains("架空 1郎") && !page.body.contains("/residents/1\""));
    assert!(
        !knows(&desk.at("thatworker"), &case),
        "the new centre is told by nobody"
    );
    // She corrects what is known without meeting the person herself.
    let form = worker.get(&format!("{case}/edit"));
    let fields = changed(
        &REPORT,
        &[("urgency", "now"), ("correction_reason", "悪化した")],
    );
    let base = hidden(&form, "base_version");
    let fields = changed(&fields, &[("base_version", base.as_str())]);
    assert_eq!(
        worker.post(&format!("{case}/versions"), &fields).status,
        303
    );
}

#[test]
fn a_leaver_knows_nothing_more_and_a_case_without_anybody_is_marked_for_the_city() {
    let desk = Desk::new();
    let (worker, city) = (desk.at("worker"), desk.at("city"));
    let case = desk.receive(&worker, &[]);
    assert!(!city.get("/abuse-cases").text().contains("関係者がいません"));
    let staff = desk.staff("worker");
    let by = desk.staff("city");
    desk.house.execute(&format!(
        "insert into staff_post_endings (post_id, ends_on, reason, recorded_by, recorded_at)
         select id, '2026-11-24', 'x', {by}, '' from staff_posts where staff_id = {staff}"
    ));
    desk.house.hand.step(jiff::SignedDuration::from_hours(24));
    assert_eq!(worker.get(&case).status, 401);
    let city = desk.at("city");
    assert!(city.get("/abuse-cases").text().contains("関係者がいません"));
    assert_eq!(desk.name(&city, &case, "nurse", &[]).status, 303);
    assert!(!city.get("/abuse-cases").text().contains("関係者がいません"));
}

#[test]
fn a_right_taken_away_takes_the_cases_away_whatever_the_rows_say() {
    let desk = Desk::new();
    let (worker, nurse) = (desk.at("worker"), desk.at("nurse"));
    let case = desk.receive(&worker, &[]);
    assert_eq!(desk.name(&worker, &case, "nurse", &[]).status, 303);
    assert!(knows(&nurse, &case));
    let (staff, by) = (desk.staff("nurse"), desk.staff("admin"));
    desk.house.execute(&format!(
        "insert into staff_rights (staff_id, permission, granted, starts_on, ends_on, reason,
           recorded_by, recorded_at)
         values ({staff}, 'abuse_view', 0, '2026-11-24', null, 'x', {by}, '')"
    ));
    assert_eq!(nurse.get(&case).status, 403);
    assert!(!nurse.get("/").body.contains("/abuse-cases"));
    assert!(
        worker
            .get(&format!("{case}/members"))
            .text()
            .contains("いまの役割では見られません")
    );
}

#[test]
fn a_consultation_that_is_taken_is_gone_for_its_writer_and_her_centre_until_given_back() {
    let desk = Desk::new();
    let (worker, nurse, city) = (desk.at("worker"), desk.at("nurse"), desk.at("city"));
    nurse.get("/consultations/new?resident=1");
    let typed = [
        ("received_on", "R8.11.24"),
        ("channel", "01"),
        ("caller_kind", "01"),
        ("urgency", "C"),
        ("categories", "14"),
        ("content", "腕にあざがある"),
        ("outcome", "01"),
        ("next_action", "訪問"),
        ("next_due_on", "R8.11.24"),
        ("resident", "1"),
    ];
    let saved = nurse.post("/consultations", &typed);
    assert_eq!(
        saved.header("location"),
        "/consultations/1?done=saved",
        "{}",
        saved.text()
    );
    let before = nurse.get("/").text();
    assert!(before.contains("今日が期限"));
    let form = worker.get("/abuse-cases/new?consultation=1");
    assert!(form.body.contains("腕にあざがある") && form.text().contains("架空 1郎"));
    let case = desk.receive(&worker, &[("consultation", "1"), ("take", "1")]);
    for browser in [&worker, &city] {
        let page = browser.get("/consultations/1");
        assert!(page.status == 200 && page.text().contains("関係者だけの相談です"));
    }
    for login in ["nurse", "boss", "clerk"] {
        let browser = desk.at(login);
        for page in ["", "/slip.pdf", "/edit"] {
            let answer = browser.get(&format!("/consultations/1{page}"));
            assert_eq!(answer.status, 404, "{login} {page}");
        }
        let list = browser.get("/consultations");
        assert!(
            list.text().contains("0件") && !list.body.contains("あざ"),
            "{login}"
        );
        assert!(
            !browser.get("/residents/1").body.contains("あざ"),
            "{login}"
        );
        assert!(!browser.get("/").text().contains("今日が期限"), "{login}");
    }
    let back = [("back_reason", "虐待ではなかった")];
    worker.get(&case);
    let path = format!("{case}/consultations/1/ending");
    assert_eq!(worker.post(&path, &back).status, 403);
    city.get(&case);
    assert_eq!(city.post(&path, &[]).status, 422);
    assert_eq!(city.post(&path, &back).status, 303);
    assert_eq!(nurse.get("/consultations/1").status, 200);
    // And once more, from the case's page.
    worker.get(&case);
    let number = desk.number("select length(number) from consultations where id = 1");
    assert!(number > 0);
    let again = [
        ("consultation_no", "R8-000001"),
        ("taking_reason", "新しいあざ"),
    ];
    assert_eq!(
        worker.post(&format!("{case}/consultations"), &again).status,
        303
    );
    assert_eq!(nurse.get("/consultations/1").status, 404);
    let twice = worker.post(&format!("{case}/consultations"), &again);
    assert!(twice.status == 422 && twice.text().contains("すでに関係者だけ"));
    assert_eq!(desk.entries("abuse_take").len(), 2);
}
