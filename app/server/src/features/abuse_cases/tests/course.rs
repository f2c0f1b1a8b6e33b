//! What is written down of a case, and what is due.

use jiff::SignedDuration;

use super::*;

fn step(browser: &Browser<'_>, case: &str, fields: &[(&str, &str)]) -> Page {
    let kind = fields.iter().find(|(name, _)| *name == "step_kind");
    let kind = kind.map_or("facts", |(_, kind)| *kind);
    let form = browser.get(&format!("{case}/steps/new?kind={kind}"));
    if form.status != 200 {
        return form;
    }
    let (token, seen) = (hidden(&form, "submission"), hidden(&form, "seen"));
    let known = [("submission", token.as_str()), ("seen", seen.as_str())];
    browser.post(&format!("{case}/steps"), &changed(&known, fields))
}

#[test]
fn the_clock_warns_at_24_and_48_hours_and_stops_when_somebody_saw_her() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[("reported_at", "9:00")]);
    let text = worker.get(&case).text();
    assert!(
        text.contains("あと48時間") && text.contains("R8.11.26 09:00"),
        "{text}"
    );
    assert!(text.contains("市の扱いは未確認"));
    assert!(worker.get(&case).body.contains("tag warn\">あと48時間"));
    desk.house.hand.step(SignedDuration::from_hours(24));
    let worker = desk.at("worker");
    assert!(worker.get(&case).body.contains("tag error\">あと24時間"));
    assert!(worker.get("/").text().contains("1虐待対応の確認・評価"));
    desk.house.hand.step(SignedDuration::from_hours(25));
    let worker = desk.at("worker");
    assert!(
        worker
            .get(&case)
            .body
            .contains("tag error solid\">1時間超過")
    );
    assert!(worker.get("/abuse-cases").text().contains("1時間超過"));
    // Nobody is seen by telephone, and a visit without her stops no clock.
    let hearing = changed(&VISIT, &[("method", "hearing")]);
    let page = step(&worker, &case, &hearing);
    assert!(page.status == 422 && page.body.contains("href=\"#safety\""));
    let absent = changed(&VISIT, &[("method", "not_met"), ("safety", "unseen")]);
    assert_eq!(step(&worker, &case, &absent).status, 303);
    assert!(worker.get(&case).text().contains("1時間超過"));
    assert_eq!(step(&worker, &case, &VISIT).status, 303);
    let text = worker.get(&case).text();
    assert!(
        text.contains("済み（R8.11.24 08:50") && text.contains("事実確認中"),
        "{text}"
    );
    assert!(!desk.at("nurse").get("/").text().contains("虐待対応の確認"));
}

#[test]
fn the_city_judges_uses_its_powers_and_closes_and_the_centre_is_told_so() {
    let desk = Desk::new();
    let (worker, city) = (desk.at("worker"), desk.at("city"));
    let case = desk.receive(&worker, &[]);
    for kind in ["core", "power", "closing"] {
        let page = worker.get(&format!("{case}/steps/new?kind={kind}"));
        assert!(
            page.status == 403 && page.text().contains("市の権限"),
            "{kind}"
        );
        let fields = changed(&CORE, &[("step_kind", kind), ("power", "entry")]);
        let sent = worker.post(&format!("{case}/steps"), &fields);
        assert_eq!(sent.status, 403, "{kind}");
    }
    assert!(!worker.get(&case).body.contains("kind=core"));
    let bare = step(
        &city,
        &case,
        &[("step_kind", "core"), ("held_on", "R8.11.24")],
    );
    for field in ["manager", "judgement", "urgent", "policy", "roles", "note"] {
        let link = format!("href=\"#{field}\"");
        assert!(bare.status == 422 && bare.body.contains(&link), "{field}");
    }
    assert_eq!(step(&city, &case, &CORE).status, 303);
    let text = worker.get(&case).text();
    assert!(
        text.contains("虐待あり") && text.contains("次の評価 R8.12.24"),
        "{text}"
    );
    let power = [
        ("step_kind", "power"),
        ("held_on", "R8.11.24"),
        ("power", "entry"),
        ("note", "警察の援助を頼んだ"),
    ];
    assert_eq!(step(&city, &case, &power).status, 303);
    assert!(worker.get(&case).text().contains("立入調査"));
    let edit = worker.get(&format!("{case}/steps/1/edit"));
    assert!(
        edit.status == 403,
        "a centre corrects no record of the city"
    );
    let closing = [
        ("step_kind", "closing"),
        ("held_on", "R8.11.24"),
        ("closing_reason", "resolved"),
        ("note", "安定した"),
    ];
    assert_eq!(step(&city, &case, &closing).status, 303);
    let text = worker.get(&case).text();
    assert!(text.contains("終結") && !text.contains("次の評価 R8"));
    let late = worker.post(&format!("{case}/steps"), &VISIT);
    assert!(late.status == 409 && late.body.contains("本人に会った。けがはない。"));
    assert!(!worker.get("/abuse-cases").body.contains(&case));
    assert!(worker.get("/abuse-cases?state=closed").body.contains(&case));
    let reopening = [
        ("step_kind", "reopening"),
        ("held_on", "R8.11.24"),
        ("note", "再び通報があった"),
    ];
    assert_eq!(step(&city, &case, &reopening).status, 303);
    assert_eq!(step(&worker, &case, &VISIT).status, 303);
}

#[test]
fn a_judgement_is_made_by_whoever_has_read_what_came_before() {
    let desk = Desk::new();
    let (worker, city) = (desk.at("worker"), desk.at("city"));
    let case = desk.receive(&worker, &[]);
    let form = city.get(&format!("{case}/steps/new?kind=core"));
    assert_eq!(step(&worker, &case, &VISIT).status, 303);
    let (token, seen) = (hidden(&form, "submission"), hidden(&form, "seen"));
    let fields = changed(&CORE, &[("submission", &token), ("seen", &seen)]);
    let page = city.post(&format!("{case}/steps"), &fields);
    assert_eq!(page.status, 409);
    assert!(
        page.text().contains("「事実確認」を記録しました") && page.body.contains("分離はしない")
    );
    assert_eq!(step(&city, &case, &CORE).status, 303);
}

#[test]
fn the_same_form_twice_is_one_case_and_one_step() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let token = hidden(&worker.get("/abuse-cases/new"), "submission");
    let fields = changed(&REPORT, &[("submission", token.as_str())]);
    let first = worker.post("/abuse-cases", &fields);
    let second = worker.post("/abuse-cases", &fields);
    assert_eq!(address(&first), address(&second));
    assert!(second.header("location").ends_with("done=again"));
    let case = address(&first);
    let form = worker.get(&format!("{case}/steps/new?kind=facts"));
    let token = hidden(&form, "submission");
    let fields = changed(&VISIT, &[("submission", token.as_str())]);
    assert_eq!(worker.post(&format!("{case}/steps"), &fields).status, 303);
    let again = worker.post(&format!("{case}/steps"), &fields);
    assert!(again.header("location").ends_with("done=again"));
    let count = |table: &str| desk.number(&format!("select count(*) from {table}"));
    assert_eq!((count("abuse_cases"), count("abuse_steps")), (1, 1));
}

#[test]
fn a_step_is_corrected_by_a_row_and_taken_back_by_a_row() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let bent = changed(&REPORT, &[("consultation", "1x")]);
    assert_eq!(worker.post("/abuse-cases", &bent).status, 404);
    let case = desk.receive(&worker, &[]);
    assert_eq!(step(&worker, &case, &VISIT).status, 303);
    let form = worker.get(&format!("{case}/steps/1/edit"));
    assert!(form.body.contains("本人に会った。けがはない。"));
    let token = hidden(&form, "submission");
    let fields = changed(
        &VISIT,
        &[
            ("corrects", "1"),
            ("submission", token.as_str()),
            ("method", "not_met"),
            ("safety", "unseen"),
            ("note", "会えなかった"),
        ],
    );
    let bent = changed(
        &fields,
        &[("corrects", "1x"), ("correction_reason", "訂正")],
    );
    assert_eq!(worker.post(&format!("{case}/steps"), &bent).status, 404);
    assert_eq!(desk.number("select count(*) from abuse_steps"), 1);
    let bare = worker.post(&format!("{case}/steps"), &fields);
    assert!(bare.status == 422 && bare.body.contains("href=\"#correction_reason\""));
    let reason = changed(&fields, &[("correction_reason", "別の人の記録だった")]);
    assert_eq!(worker.post(&format!("{case}/steps"), &reason).status, 303);
    let text = worker.get(&case).text();
    assert!(text.contains("訂正前の記録") && text.contains("別の人の記録だった"));
    assert!(!text.contains("済み（"), "a corrected step stops no clock");
    // Somebody with the old page: 409, nothing lost.
    let other = changed(&reason, &[("submission", "")]);
    let late = worker.post(&format!("{case}/steps"), &other);
    assert!(late.status == 409 && late.body.contains("会えなかった"));
    let path = format!("{case}/steps/2/withdrawal");
    assert_eq!(worker.post(&path, &[]).status, 422);
    let why = [("reason", "二重に書いた")];
    assert_eq!(worker.post(&path, &why).status, 303);
    assert!(worker.get(&case).text().contains("二重に書いた"));
    assert_eq!(worker.post(&path, &why).status, 409);
    assert_eq!(worker.get(&format!("{case}/steps/9/edit")).status, 404);
    assert_eq!(desk.number("select count(*) from abuse_steps"), 2);
}

#[test]
fn two_corrections_of_what_is_known_meet_and_the_second_sees_both() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[]);
    let correct = |base: &str, content: &str| {
        let fields = [
            ("base_version", base),
            ("content", content),
            ("correction_reason", "追記"),
        ];
        worker.post(&format!("{case}/versions"), &changed(&REPORT, &fields))
    };
    worker.get(&format!("{case}/edit"));
    assert_eq!(correct("1", "先の人の文").status, 303);
    let late = correct("1", "後の人の文");
    assert_eq!(late.status, 409);
    assert!(late.text().contains("先の人の文") && late.body.contains("後の人の文"));
    assert_eq!(hidden(&late, "base_version"), "2");
    assert_eq!(correct("2", "後の人の文").status, 303);
    let page = worker.get(&case).body;
    assert!(page.contains("<del>先の人の文</del>") && page.contains("<ins>後の人の文</ins>"));
    let fields = changed(&REPORT, &[("base_version", "3")]);
    let bare = worker.post(&format!("{case}/versions"), &fields);
    assert!(bare.status == 422 && bare.body.contains("href=\"#correction_reason\""));
}

#[test]
fn an_incomplete_report_comes_back_with_every_problem_and_every_word() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    worker.get("/abuse-cases/new");
    let fields = [
        ("case_type", "carer"),
        ("reported_on", "R8.13.1"),
        ("reported_at", "25時"),
        ("victim_no", "９９９"),
        ("source", "途中まで書いた文"),
        ("reporter_anonymous", "1"),
        ("reporter_name", "匿名のはずの人"),
    ];
    let page = worker.post("/abuse-cases", &fields);
    assert_eq!(page.status, 422);
    for words in [
        "R8.13.1",
        "途中まで書いた文",
        "href=\"#reported_on\"",
        "href=\"#reported_at\"",
        "href=\"#victim_no\"",
        "href=\"#kinds\"",
        "href=\"#content\"",
        "href=\"#urgency\"",
        "href=\"#reporter_name\"",
    ] {
        assert!(page.body.contains(words), "{words} is missing");
    }
    let tomorrow = worker.post(
        "/abuse-cases",
        &changed(&REPORT, &[("reported_at", "9:01")]),
    );
    assert!(tomorrow.status == 422 && tomorrow.text().contains("いまより後"));
    let nobody = changed(&REPORT, &[("resident", "")]);
    let nobody = worker.post("/abuse-cases", &nobody);
    assert!(nobody.status == 422 && nobody.body.contains("href=\"#victim_name\""));
    let stranger = changed(&REPORT, &[("resident", "99")]);
    assert_eq!(worker.post("/abuse-cases", &stranger).status, 404);
    let long = "あ".repeat(20_001);
    let long = worker.post("/abuse-cases", &changed(&REPORT, &[("content", &long)]));
    assert!(long.status == 422 && long.text().contains("20001文字あります"));
    assert_eq!(desk.number("select count(*) from abuse_cases"), 0);
}

#[test]
fn somebody_unknown_is_identified_later_by_her_number() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[("resident", ""), ("victim_name", "ハルさん")]);
    assert!(worker.get(&case).text().contains("ハルさん（未特定）"));
    worker.get(&format!("{case}/edit"));
    let fields = [
        ("resident", ""),
        ("victim_no", "1"),
        ("base_version", "1"),
        ("correction_reason", "分かった"),
    ];
    let page = worker.post(&format!("{case}/versions"), &changed(&REPORT, &fields));
    assert_eq!(page.status, 303, "{}", page.text());
    assert!(worker.get(&case).text().contains("架空 1郎"));
    assert!(desk.entries("abuse_correct")[0].starts_with("done 1 "));
}

#[test]
fn a_facilitys_case_is_handed_on_by_the_centre_and_handled_by_the_city() {
    let desk = Desk::new();
    let (worker, city) = (desk.at("worker"), desk.at("city"));
    let case = desk.receive(
        &worker,
        &[("case_type", "facility"), ("carer_relation", "staff")],
    );
    let page = worker.get(&case);
    assert!(page.body.contains("kind=forward") && !page.body.contains("kind=facts"));
    let refused = step(&worker, &case, &VISIT);
    assert!(refused.status == 403 && refused.text().contains("市が対応します"));
    let forward = [
        ("step_kind", "forward"),
        ("held_on", "R8.11.24"),
        ("note", "電話で引き継いだ"),
    ];
    assert_eq!(step(&worker, &case, &forward).status, 303);
    assert!(city.get(&case).body.contains("kind=prefecture"));
    assert_eq!(step(&city, &case, &VISIT).status, 303);
}

#[test]
fn a_report_taken_back_is_read_and_frozen() {
    let desk = Desk::new();
    let worker = desk.at("worker");
    let case = desk.receive(&worker, &[]);
    let path = format!("{case}/withdrawal");
    worker.get(&path);
    assert_eq!(worker.post(&path, &[]).status, 422);
    assert_eq!(
        worker.post(&path, &[("reason", "二重に受理した")]).status,
        303
    );
    let page = worker.get(&case).text();
    assert!(page.contains("取り下げられています") && page.contains("二重に受理した"));
    for (form, fields) in [("/steps", &VISIT[..]), ("/withdrawal", &[("reason", "x")])] {
        let answer = worker.post(&format!("{case}{form}"), fields);
        assert_eq!(answer.status, 409, "{form}");
    }
    assert_eq!(worker.get(&format!("{case}/edit")).status, 409);
    assert!(!worker.get("/residents/1").body.contains(&case));
}
