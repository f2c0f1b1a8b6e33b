//! Abuse cases: for whom the case is there today, and for nobody else.

use super::*;
use crate::features::abuse_cases::tests::REPORT;

/// Nobody's case.
const NONE: &str = "/abuse-cases/17";

fn changed<'f>(changes: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let kept = REPORT
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(new, _)| new == name));
    kept.chain(changes).copied().collect()
}

/// The desk with a case about resident 1 that the manager received; its address.
fn received() -> (Desk, String) {
    let desk = Desk::new();
    desk.house.add("colleague", Role::CentreManager, Some(HERE));
    let manager = desk.in_scene("manager");
    manager.get("/abuse-cases/new");
    let page = manager.post("/abuse-cases", &REPORT);
    assert_eq!(page.status, 303, "{}", page.text());
    let case = page
        .header("location")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    desk.later();
    (desk, case)
}

/// Says something else, as the manager.
fn corrects(desk: &Desk, case: &str, base: &str, changes: &[(&str, &str)]) {
    let manager = desk.in_scene("manager");
    manager.get(&format!("{case}/edit"));
    let more = [("base_version", base), ("correction_reason", "聞き直した")];
    let fields = changed(&[&more[..], changes].concat());
    let page = manager.post(&format!("{case}/versions"), &fields);
    assert_eq!(page.status, 303, "{}", page.text());
    desk.later();
}

fn former(case: &str) -> String {
    format!("{case}/former-state")
}

fn entries(desk: &Desk, operation: &str) -> i64 {
    desk.house.count(&format!(
        "select count(*) from audit_entries where operation = '{operation}'"
    ))
}

#[test]
fn a_field_of_a_former_version_comes_back_as_a_new_version_and_goes_again_the_same_way() {
    let (desk, case) = received();
    corrects(
        &desk,
        &case,
        "1",
        &[("content", "静かだった。"), ("urgency", "watch")],
    );
    let manager = desk.in_scene("manager");
    let link = format!("href=\"{}\"", former(&case));
    assert!(manager.get(&case).body.contains(&link));
    let page = manager.get(&former(&case));
    let text = page.text();
    for words in [
        "どなり声と物音",
        "静かだった。",
        "今日中",
        "様子を見る",
        "聞き直した",
        "架空 1郎",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // Who reported it is nowhere.
    assert!(!text.contains("田所") && !text.contains("0009"), "{text}");
    let fields = [("fields", "content"), ("reason", "元が正しい")];
    let done = put_back(&manager, &former(&case), &page, &fields);
    assert_eq!(
        done.header("location"),
        format!("{case}?done=put-back"),
        "{}",
        done.text()
    );
    let shown = manager.get(&case).text();
    for words in [
        "第3版",
        "以前の状態に戻した：元が正しい",
        "どなり声と物音",
        "様子を見る",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let told = desk.house.detail("abuse_former_put_back");
    assert!(
        told.contains("version=2→3 fields=content from=own at="),
        "{told}"
    );
    assert!(
        told.starts_with("case=") && !told.contains("どなり声"),
        "{told}"
    );
    desk.later();
    let page = manager.get(&former(&case));
    let again = [("step", "whole"), ("reason", "やはり")];
    assert_eq!(
        put_back(&manager, &former(&case), &page, &again).status,
        303
    );
    assert!(manager.get(&case).text().contains("第4版"));
    assert_eq!(entries(&desk, "abuse_former_put_back"), 2);
    let sent_twice = put_back(&manager, &former(&case), &page, &again);
    assert_eq!(sent_twice.header("location"), format!("{case}?done=again"));
    let printed = manager.get(&format!("{}/comparison.pdf", former(&case)));
    assert_eq!(printed.bytes.get(..5), Some(b"%PDF-".as_slice()));
    assert_eq!(entries(&desk, "abuse_former_print"), 1);
}

#[test]
fn whoever_does_not_know_of_the_case_meets_the_same_as_without_one() {
    let (desk, case) = received();
    corrects(&desk, &case, "1", &[("content", "静かだった。")]);
    // But for the number of the request.
    let told = |page: Page| {
        let text = page.text();
        let (first, rest) = text.split_once("お問い合わせ番号 ").unwrap();
        (page.status, format!("{first}{}", rest.get(8..).unwrap()))
    };
    for login in ["other", "colleague"] {
        let browser = desk.in_scene(login);
        for page in ["", "/comparison.pdf"] {
            let (own, none) = (former(&case) + page, former(NONE) + page);
            let (own, none) = (browser.get(&own), browser.get(&none));
            assert_eq!(own.status, 404, "{login} {page}");
            assert_eq!(told(own), told(none), "{login} {page}");
        }
        browser.get("/former-states");
        let fields = [("step", "whole"), ("reason", "x")];
        let (own, none) = (
            browser.post(&former(&case), &fields),
            browser.post(&former(NONE), &fields),
        );
        assert_eq!(own.status, 404, "{login}");
        assert_eq!(told(own), told(none), "{login}");
    }
    for login in ["nurse", "system"] {
        let browser = desk.in_scene(login);
        for address in [&case, NONE] {
            assert_eq!(browser.get(&former(address)).status, 403, "{login}");
        }
    }
    // Her own page of former states is the same for both.
    let colleague = desk.in_scene("colleague").get(PERSON).text();
    assert!(!colleague.contains("虐待の") && !colleague.contains("静かだった"));
    assert_eq!(entries(&desk, "abuse_former_view"), 0);
}

#[test]
fn the_log_tells_of_it_under_the_veil() {
    let (desk, case) = received();
    corrects(&desk, &case, "1", &[("content", "静かだった。")]);
    let manager = desk.in_scene("manager");
    let page = manager.get(&former(&case));
    let fields = [("fields", "content"), ("reason", "元が正しい")];
    put_back(&manager, &former(&case), &page, &fields);
    let rows = |page: &Page| between(&page.body, "<tbody>", "</tbody>").unwrap_or_default();
    let veiled = desk.in_scene("system").get("/access-log?staff=manager");
    for word in ["虐待", "case=", "以前の状態", "abuse"] {
        let text = rows(&veiled);
        assert!(!text.contains(word), "{word}: {text}");
    }
    let keeper = desk
        .in_scene("city")
        .get("/access-log?operation=abuse_former_view");
    assert!(
        rows(&keeper).contains("虐待対応の以前の状態の閲覧"),
        "{}",
        keeper.text()
    );
}

#[test]
fn a_shielded_womans_case_asks_for_the_reason_and_is_not_printed() {
    let (desk, case) = received();
    corrects(&desk, &case, "1", &[("content", "静かだった。")]);
    let whom = "(select id from staff where login = 'manager')";
    desk.house
        .execute("update residents set shielded = 1 where id = 1");
    let manager = desk.in_scene("manager");
    assert_eq!(manager.get(&former(&case)).status, 404);
    desk.house.execute(&format!(
        "insert into approvals values (1, 'x', '{{}}', '{{}}', '', '', 1, null, {whom}, '', '2026-12-01')"
    ));
    desk.house.execute(&format!(
        "insert into shield_grants values
           (1, 1, {whom}, '2026-11-24', '2026-12-24', '理由', 1, {whom}, '', 1)"
    ));
    let asked = manager.get(&former(&case));
    assert_eq!(asked.status, 200);
    let text = asked.text();
    assert!(text.contains("開く理由") && !text.contains("架空") && !text.contains("静か"));
    assert_eq!(entries(&desk, "abuse_former_view"), 1, "the refused one");
    let look = [("step", "look"), ("shield_reason", "agency")];
    let page = manager.post(&former(&case), &look);
    assert!(page.text().contains("どなり声"), "{}", page.text());
    let told = desk.house.detail("abuse_former_view");
    assert!(told.ends_with("shield=agency"), "{told}");
    let printed = manager.get(&format!("{}/comparison.pdf", former(&case)));
    assert_eq!(printed.status, 303);
    let fields = [("fields", "content"), ("reason", "x")];
    let bare = put_back(&manager, &former(&case), &page, &fields);
    assert_eq!(bare.status, 422);
    let all = [&fields[..], &[("shield_reason", "agency")]].concat();
    assert_eq!(put_back(&manager, &former(&case), &page, &all).status, 303);
}

#[test]
fn nothing_changed_and_not_there_yet_are_said() {
    let (desk, case) = received();
    let manager = desk.in_scene("manager");
    let page = manager.get(&former(&case));
    assert!(
        page.text().contains("一度も変わっていません"),
        "{}",
        page.text()
    );
    let early = manager.get(&format!("{}?on=R8.11.24&time=8:59", former(&case)));
    assert!(
        early.text().contains("まだありませんでした"),
        "{}",
        early.text()
    );
    let same = manager.get(&format!("{}?on=R8.11.24&time=9:02", former(&case)));
    assert!(
        same.text().contains("いまの内容は同じです"),
        "{}",
        same.text()
    );
    assert!(!same.body.contains("id=\"back\""));
}

#[test]
fn course_and_team_stand_beside_it_and_a_closed_or_withdrawn_case_is_not_put_back() {
    let (desk, case) = received();
    let manager = desk.in_scene("manager");
    let step = |changes: &[(&str, &str)]| {
        manager.get(&format!("{case}/steps/new?kind=facts"));
        let usual = [
            ("held_on", "R8.11.24"),
            ("held_at", "8:50"),
            ("method", "visit"),
            ("safety", "confirmed"),
        ];
        let page = manager.post(&format!("{case}/steps"), &[&usual[..], changes].concat());
        assert_eq!(page.status, 303, "{}", page.text());
        desk.later();
    };
    step(&[("step_kind", "facts"), ("note", "けがはない。")]);
    let other = desk
        .house
        .count("select id from staff where login = 'nurse'");
    let named = [
        ("staff", other.to_string()),
        ("access", "write".to_owned()),
        ("member_reason", "担当のため".to_owned()),
    ];
    manager.get(&format!("{case}/members"));
    assert_eq!(
        sent(&manager, &format!("{case}/members"), named.into()).status,
        303
    );
    desk.later();
    step(&[
        ("corrects", "1"),
        ("correction_reason", "見直した"),
        ("note", "あざがある。"),
        ("submission", "another"),
    ]);
    // After the first step, before everything else.
    let page = manager.get(&format!("{}?on=R8.11.24&time=9:02", former(&case)));
    let text = page.text();
    for words in [
        "事実確認（番号1）　内容",
        "けがはない。",
        "あざがある。",
        "試験 nurse",
        "この記録の項目は、その時点といまとで同じです",
        "経過の訂正（事実確認、番号1）",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!page.body.contains("name=\"fields\""));
    let before = manager.get(&format!("{}?on=R8.11.24&time=9:01", former(&case)));
    assert!(
        before.text().contains("（ありません）"),
        "{}",
        before.text()
    );
    corrects(&desk, &case, "1", &[("content", "静かだった。")]);
    manager.get(&case);
    let gone = manager.post(&format!("{case}/withdrawal"), &[("reason", "重複")]);
    assert_eq!(gone.status, 303, "{}", gone.text());
    desk.later();
    let page = manager.get(&format!("{}?on=R8.11.24&time=9:02", former(&case)));
    let text = page.text();
    for words in ["ここからは戻せません", "取り下げられています", "どなり声"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let fields = [("fields", "content"), ("reason", "x")];
    let refused = put_back(&manager, &former(&case), &page, &fields);
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert_eq!(entries(&desk, "abuse_former_put_back"), 0);
}

#[test]
fn a_form_that_somebody_overtook_and_a_person_out_of_reach_change_nothing() {
    let (desk, case) = received();
    corrects(
        &desk,
        &case,
        "1",
        &[("resident", "1"), ("content", "静かだった。")],
    );
    let manager = desk.in_scene("manager");
    let page = manager.get(&former(&case));
    corrects(&desk, &case, "2", &[("content", "また物音がする。")]);
    let fields = [("fields", "content"), ("reason", "元が正しい")];
    let late = put_back(&manager, &former(&case), &page, &fields);
    assert_eq!(late.status, 409, "{}", late.text());
    assert!(late.text().contains("また物音がする。"));
    // She is told by name alone from now on, and moves to the other centre.
    let unknown = [("resident", ""), ("victim_name", "ハルさん")];
    corrects(&desk, &case, "3", &unknown);
    desk.house.execute(&format!(
        "update residents set centre_id = (select id from support_centres where code = '{THERE}')
         where id = 1"
    ));
    let page = manager.get(&former(&case));
    let text = page.text();
    assert!(
        text.contains("いまのあなたには表示できません") && !text.contains("架空"),
        "{text}"
    );
    let fields = [("fields", "resident"), ("reason", "元が正しい")];
    let wrong = put_back(&manager, &former(&case), &page, &fields);
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert!(
        wrong.text().contains("担当の範囲の外の方"),
        "{}",
        wrong.text()
    );
    // The city meets her, and puts her back.
    let city = desk.in_scene("city");
    let page = city.get(&former(&case));
    assert_eq!(put_back(&city, &former(&case), &page, &fields).status, 303);
    assert!(city.get(&case).text().contains("架空 1郎"));
}

#[test]
fn a_text_that_names_the_reporter_does_not_come_back_and_says_only_that() {
    let (desk, case) = received();
    let kept = [("content", "田所さんから聞いた。"), ("name_kept", "1")];
    corrects(&desk, &case, "1", &kept);
    corrects(
        &desk,
        &case,
        "2",
        &[("content", "隣の方から聞いた。"), ("urgency", "now")],
    );
    let manager = desk.in_scene("manager");
    let page = manager.get(&former(&case));
    let fields = [("fields", "content"), ("reason", "x")];
    let wrong = put_back(&manager, &former(&case), &page, &fields);
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert!(
        wrong
            .text()
            .contains("「受理の内容を訂正する」から書き直してください")
    );
    let fields = [("fields", "urgency"), ("reason", "x")];
    assert_eq!(
        put_back(&manager, &former(&case), &page, &fields).status,
        303
    );
    // What stands there today and was meant does not hinder another field.
    corrects(&desk, &case, "4", &kept);
    let page = manager.get(&format!("{}?on=R8.11.24&time=9:03", former(&case)));
    let done = put_back(&manager, &former(&case), &page, &fields);
    assert_eq!(done.status, 303, "{}", done.text());
}

#[test]
fn a_copy_shows_the_case_of_then_to_those_who_know_of_it_today_only() {
    let (desk, case) = received();
    desk.copied();
    corrects(&desk, &case, "1", &[("content", "静かだった。")]);
    let manager = desk.in_scene("manager");
    let href = desk.opened(&manager, &[("origin", "raid:aaaa")]);
    let id = href.rsplit('/').next().unwrap();
    let in_copy = format!("{}?opening={id}", former(&case));
    let page = manager.get(&in_copy);
    assert!(page.text().contains("どなり声"), "{}", page.text());
    for login in ["other", "colleague"] {
        assert_eq!(desk.in_scene(login).get(&in_copy).status, 404, "{login}");
    }
    let fields = [("fields", "content"), ("reason", "控えのとおり")];
    let done = put_back(&manager, &former(&case), &page, &fields);
    assert_eq!(done.status, 303, "{}", done.text());
    let told = desk.house.detail("abuse_former_put_back");
    assert!(told.contains("from=snapshot=raid aaaa"), "{told}");
    // A case that was received later is not in it.
    manager.get("/abuse-cases/new");
    let later = manager.post("/abuse-cases", &changed(&[("content", "別の通報。")]));
    let later = later
        .header("location")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    let page = manager.get(&format!("{}?opening={id}", former(&later)));
    assert!(
        page.text().contains("その控えには、この記録がありません"),
        "{}",
        page.text()
    );
}

#[test]
fn a_copy_that_names_somebody_from_whom_the_viewer_is_excluded_is_closed_to_her() {
    let (desk, case) = received();
    // The copy names resident 2 as the carer, past the program; today nobody does.
    desk.house.resident(3, "1970-01-01", HERE, "1");
    desk.house
        .execute("update abuse_case_versions set carer_resident_id = 3");
    desk.copied();
    desk.house
        .execute("update abuse_case_versions set carer_resident_id = null, urgency = 'now'");
    let manager = desk.in_scene("manager");
    let href = desk.opened(&manager, &[("origin", "raid:aaaa")]);
    let id = href.rsplit('/').next().unwrap();
    let in_copy = format!("{}?opening={id}", former(&case));
    let page = manager.get(&in_copy);
    assert!(page.text().contains("架空 3郎"), "{}", page.text());
    desk.house.execute(
        "insert into exclusions (resident_id, staff_id, relation, reason, recorded_by, recorded_at)
         values (3, (select id from staff where login = 'manager'), '01', 'x', 1, '')",
    );
    let page = manager.get(&in_copy);
    assert!(!page.text().contains("架空 3郎"), "{}", page.text());
    assert!(
        page.text().contains("その控えには、この記録がありません"),
        "{}",
        page.text()
    );
}

#[test]
fn a_consultation_that_belongs_to_a_case_has_no_past_for_others_nor_in_a_copy() {
    let (desk, case) = received();
    desk.corrected("1", "昼に外へ出る");
    desk.copied();
    let manager = desk.in_scene("manager");
    manager.get(&case);
    let fields = [
        ("consultation_no", "R8-000001"),
        ("taking_reason", "虐待の相談"),
    ];
    let taken = manager.post(&format!("{case}/consultations"), &fields);
    assert_eq!(taken.status, 303, "{}", taken.text());
    assert_eq!(manager.get(RECORD).status, 200);
    let colleague = desk.in_scene("colleague");
    let href = desk.opened(&colleague, &[("origin", "raid:aaaa")]);
    let id = href.rsplit('/').next().unwrap();
    for address in [RECORD.to_owned(), format!("{RECORD}?opening={id}")] {
        assert_eq!(colleague.get(&address).status, 404, "{address}");
    }
    assert!(!colleague.get(&href).text().contains("R8-000001"));
}
