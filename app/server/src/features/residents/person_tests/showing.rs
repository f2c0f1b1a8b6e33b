//! What the page of a person shows, and to whom.

use axum::http::StatusCode;
use jiff::civil::date;

use super::{DEAD, ELSEWHERE, HERE, House, MOVED, OURS, SHIELDED, SON, THEIRS};
use crate::web::Role;

#[test]
fn everything_about_a_person_is_on_one_page() {
    let house = House::new();
    house.certify(1, "12", Some("2024-01-01"), Some("2025-12-31"));
    house.certify(2, "21", Some("2026-01-01"), Some("2026-12-31"));
    house.certify(3, "", None, None);
    house.consult("K1", OURS, |entry| {
        entry.next_action = "娘さんへ電話".to_owned();
        entry.next_due_on = Some(date(2026, 11, 18));
    });
    house.run(
        "update residents set alias_name = '春山 ハル', alias_kana = 'ハルヤマ　ハル',
         latin_name = 'YAMANO HARUKO', former_surname = '旧田', relationship = '世帯主'
         where id = 1",
        [],
    );
    let page = house.nurse().person(OURS);
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.says(&[
        "<h1>山野 ハル子</h1>",
        "ヤマノ　ハルコ",
        "89歳",
        "女性",
        "昭和12年3月4日（1937年3月4日）",
        "通称 春山 ハル（ハルヤマ　ハル）",
        "YAMANO HARUKO",
        "旧氏 旧田",
        "〒351-0114",
        "埼玉県和光市本町1番1号 さくら荘1",
        "048-461-0001",
        "0000012345",
        "0000001001",
        "世帯番号 <span class=\"num\">0000000101",
    ]);
    page.says(&[
        "認定申請中",
        "2割",
        "受けている",
        "対象（ひかり苑）",
        "112292",
        "第1号",
        "<strong>要介護1</strong>",
        "R8.1.1～R8.12.31",
        "16,765単位",
        "A2",
        "Ⅱa",
        "更新 申請日 R8.10.30",
        "ほかの認定（1）",
        "要支援1",
    ]);
    page.says(&[
        "電話</a>",
        "物忘れが進む。",
        "介護保険申請",
        "旧システム",
        "対応中",
        "次：娘さんへ電話",
        "R8.11.18（2日超過）",
        "href=\"/consultations/new?resident=1\"",
        "href=\"/consultations?resident=1\"",
    ]);
}

#[test]
fn the_household_links_to_its_members_and_leaves_the_shielded_one_out() {
    let house = House::new();
    for clerk in [house.nurse(), house.city()] {
        let page = clerk.person(OURS);
        page.says(&["<a href=\"/residents/4\">山野 太郎</a>", "子"]);
        page.hides(&["石塚", "イシヅカ", "/residents/3"]);
        let alone = clerk.person(DEAD);
        alone.says(&["ほかに表示できる世帯員はいません"]);
    }
    house.run(
        "update residents set household_no = '0000000101' where id = 5",
        [],
    );
    house
        .clerk("second", Role::Clerk, Some(HERE))
        .person(OURS)
        .hides(&["森下"]);
}

#[test]
fn another_centres_person_and_a_wrong_id_get_the_same_answer() {
    let house = House::new();
    let clerk = house.nurse();
    let wrong = clerk.person(999_999);
    let theirs = clerk.person(THEIRS);
    let shielded = clerk.person(SHIELDED);
    for page in [&wrong, &theirs, &shielded] {
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(theirs.without_report(), wrong.without_report());
    assert_eq!(shielded.without_report(), wrong.without_report());
    assert_eq!(
        house.entries(),
        [
            "resident_view refused 999999 ",
            "resident_view refused 2 ",
            "resident_view refused 3 "
        ]
    );
    assert_eq!(clerk.get("/residents/abc").status, StatusCode::NOT_FOUND);
    let far = clerk.get("/residents/99999999999999999999");
    assert_eq!(far.status, StatusCode::NOT_FOUND);
}

#[test]
fn the_city_sees_every_centre_and_the_administrator_nobody() {
    let house = House::new();
    let city = house.city();
    assert_eq!(city.person(OURS).status, StatusCode::OK);
    assert_eq!(city.person(THEIRS).status, StatusCode::OK);
    let other = house.clerk("other", Role::SocialWorker, Some(ELSEWHERE));
    assert_eq!(other.person(THEIRS).status, StatusCode::OK);
    assert_eq!(other.person(OURS).status, StatusCode::NOT_FOUND);
    let admin = house.clerk("admin", Role::SystemAdmin, None);
    assert_eq!(admin.person(OURS).status, StatusCode::FORBIDDEN);
    let welfare = house.clerk("welfare", Role::CityWelfare, None);
    assert_eq!(welfare.person(OURS).status, StatusCode::NOT_FOUND);
}

#[test]
fn one_look_is_one_entry_whatever_page_of_the_timeline() {
    let house = House::new();
    let clerk = house.nurse();
    clerk.person(OURS);
    clerk.get("/residents/1?page=2");
    clerk.get("/residents/1?page=x");
    assert_eq!(
        house.entries(),
        [
            "resident_view done 1 ",
            "resident_view done 1 page=2",
            "resident_view done 1 "
        ]
    );
}

#[test]
fn who_died_and_who_moved_away_is_told_first() {
    let house = House::new();
    let clerk = house.nurse();
    let dead = clerk.person(DEAD);
    dead.says(&["亡くなっています（令和8年10月3日）", "死亡時 89歳"]);
    let moved = clerk.person(MOVED);
    moved.says(&["転出しています（令和8年10月5日）", "転出先：東京都練馬区"]);
    clerk.person(OURS).hides(&["亡くなって", "転出し"]);
}

#[test]
fn a_person_without_insurance_and_certification_has_a_page() {
    let house = House::new();
    let page = house.nurse().person(SON);
    assert_eq!(page.status, StatusCode::OK);
    page.says(&[
        "介護保険の資格はありません",
        "認定の記録はありません",
        "認定なし",
        "相談の記録はまだありません",
    ]);
    page.hides(&["期限切れ", "有効期間"]);
}

#[test]
fn an_ending_certification_is_warned_about_from_sixty_days_before() {
    for (to, words, tag) in [
        ("2026-11-19", "R8.11.19 に終わっています", "期限切れ"),
        ("2026-11-20", "R8.11.20 までです（あと0日）", "有効"),
        ("2027-01-19", "R9.1.19 までです（あと60日）", "有効"),
    ] {
        let house = House::new();
        house.certify(1, "21", Some("2026-01-01"), Some(to));
        let page = house.nurse().person(OURS);
        page.says(&[words, tag, "更新の申請はまだありません"]);
    }
    let house = House::new();
    house.certify(1, "21", Some("2026-01-01"), Some("2027-01-20"));
    let clerk = house.nurse();
    clerk.person(OURS).hides(&["までです（あと"]);
    house.certify(2, "06", Some("2026-02-01"), None);
    clerk.person(OURS).hides(&["期限切れ", "までです（あと"]);
}

#[test]
fn a_decision_that_no_care_is_needed_is_not_an_expired_one() {
    let house = House::new();
    house.certify(1, "01", None, None);
    let page = house.nurse().person(OURS);
    page.says(&["非該当"]);
    page.hides(&["期限切れ", "に終わっています"]);
}

#[test]
fn changes_of_the_register_wait_until_somebody_takes_note() {
    let house = House::new();
    house.change("moved", "address,building");
    house.change("new", "");
    let clerk = house.nurse();
    let page = clerk.person(OURS);
    page.says(&[
        "確認していない住民の異動があります（転居）",
        "href=\"/changes\"",
        "転居（未確認）",
        "住所、方書",
        "住民記録に載りました",
    ]);
    house.run(
        "insert into resident_change_confirmations values (null, 1, 1, '2026-11-20T00:00:00Z')",
        [],
    );
    let page = clerk.person(OURS);
    page.hides(&["確認していない住民の異動"]);
    page.says(&["転居（確認済み）"]);
    let undone = "insert into import_undos values (null, 1, null, '2026-11-20T00:00:00Z')";
    house.run(undone, []);
    clerk.person(OURS).hides(&["転居"]);
}

#[test]
fn letters_that_no_screen_has_and_a_partial_birth_date_are_told() {
    let house = House::new();
    house.run(
        "update residents set has_gaiji = 1, born_text = '昭和12年3月' where id = 1",
        [],
    );
    let page = house.nurse().person(OURS);
    page.says(&[
        "正しく出せない外字があります",
        "昭和12年3月（日付の一部が不明）",
    ]);
}

#[test]
fn markup_in_what_was_written_stays_text() {
    let house = House::new();
    let bad = "<script>alert('1')</script>\"><b>";
    house.consult("K1", OURS, |entry| {
        entry.content = bad.to_owned();
        entry.next_action = bad.to_owned();
    });
    house.run(
        "update residents set name = ?1, address = ?1, phone = ?1 where id = 1",
        [bad],
    );
    let page = house.nurse().person(OURS);
    page.hides(&["<script>alert", "\"><b>"]);
    page.says(&["&#60;script&#62;alert"]);
}

#[test]
fn the_last_five_consultations_stand_beside_and_all_in_the_timeline() {
    let house = House::new();
    for number in 1..=27_i8 {
        house.consult(&format!("K{number:02}"), OURS, |entry| {
            entry.received_on = date(2026, 10, number);
            entry.content = format!("用件{number:02}番");
        });
    }
    let clerk = house.nurse();
    let page = clerk.person(OURS);
    let (beside, timeline) = page.text.split_once("id=\"timeline\"").expect("a timeline");
    assert!(beside.contains("用件23番") && !beside.contains("用件22番"));
    assert!(timeline.contains("用件27番") && timeline.contains("用件08番"));
    assert!(!timeline.contains("用件07番"));
    page.says(&["27件（1/2ページ）", "href=\"/residents/1?page=2#timeline\""]);
    let older = clerk.get("/residents/1?page=2");
    older.says(&["用件07番", "用件01番", "（2/2ページ）"]);
    clerk.get("/residents/1?page=999").says(&["（2/2ページ）"]);
}

#[test]
fn a_withdrawn_consultation_is_no_contact_but_part_of_the_story() {
    let house = House::new();
    house.consult("K1", OURS, |entry| entry.outcome = "02".to_owned());
    let clerk = house.nurse();
    clerk.person(OURS).says(&["終結"]);
    house.run(
        "insert into consultation_withdrawals values (null, 1, '重複', ?1, '2026-11-20T00:00:00Z')",
        [clerk.id],
    );
    let page = clerk.person(OURS);
    page.says(&["相談の記録はまだありません", "電話（取下げ）"]);
}

#[test]
fn whoever_may_only_read_is_offered_nothing_to_write() {
    let house = House::new();
    let page = house.nurse().person(OURS);
    page.says(&["相談を記録する", "corrections/new?field=phone"]);
    assert_eq!(
        house.city().person(OURS).text.matches("直す<span").count(),
        3,
        "kana, address and telephone"
    );
}
