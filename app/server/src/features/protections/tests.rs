//! Protections through their own routes.

use crate::features::staff::tests::house::{Browser, House};
use crate::web::Role;

const HERE: &str = "0101";

/// Residents 1 and 2 (here), 2 shielded in the register; two keepers of the city, a nurse here.
fn house() -> House {
    let house = House::new();
    for login in ["choju.1", "choju.2"] {
        house.add(login, Role::CityLongevity, None);
    }
    house.add("nurse", Role::Nurse, Some(HERE));
    house.resident(1, "1940-01-01", HERE, "1");
    house.resident(2, "1941-01-01", HERE, "1");
    house.execute("update residents set shielded = 1 where id = 2");
    house
}

fn grant<'f>(to: &'f str, more: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let fields = [
        ("grant_staff", "nurse"),
        ("grant_from", "R8.11.24"),
        ("grant_to", to),
        ("grant_reason", "毎月の見守り"),
    ];
    [&fields[..], more].concat()
}

const GRANTS: &str = "/protections/residents/2/grants";

/// Somebody signed in, with the token of a page.
fn desk<'h>(house: &'h House, login: &str) -> Browser<'h> {
    let browser = house.signed_in(login);
    browser.get("/password");
    browser
}

const REQUEST: &str = "/approvals/1";
const DECISION: &str = "/approvals/1/decision";

fn approve() -> [(&'static str, &'static str); 2] {
    [("decision", "approve"), ("reason", "担当を確認")]
}

/// Does the nurse meet the shielded person?
fn meets(nurse: &Browser<'_>) -> bool {
    let page = nurse.get("/residents/2");
    let met = page.status == 200;
    assert!(met || page.status == 404, "{}", page.status);
    met
}

fn entries(house: &House, operation: &str) -> Vec<String> {
    let sql = "select outcome || ' ' || coalesce(resident_id, '-') || ' ' || detail
        from audit_entries where operation = ?1 order by id";
    let actor = store::Actor::system("試験");
    let read = house
        .db()
        .read(&actor, |tx| tx.all(sql, [operation], |row| row.get(0)));
    read.map_err(|e: store::StoreError| e).unwrap()
}

#[test]
fn a_grant_needs_a_second_person_who_is_neither_asker_nor_grantee() {
    let house = house();
    let (asker, other, nurse) = (
        desk(&house, "choju.1"),
        desk(&house, "choju.2"),
        desk(&house, "nurse"),
    );
    let asked = asker.post(GRANTS, &grant("R8.12.31", &[]));
    assert_eq!(asked.status, 303, "{}", asked.text());
    assert!(!meets(&nurse));
    assert!(asker.get("/protections/grants/1").body.contains(REQUEST));
    let own = asker.post(DECISION, &approve());
    assert_eq!(own.status, 403);
    assert!(own.text().contains("自分の依頼は決められません"));
    assert!(!meets(&nurse));
    let page = other.get(REQUEST);
    assert!(page.text().contains("毎月の見守り") && page.text().contains("承認する"));
    assert!(!page.text().contains("架空"), "a request names no resident");
    let silent = other.post(DECISION, &[("decision", "approve")]);
    assert_eq!(silent.status, 422, "approving wants its reason");
    assert_eq!(other.post(DECISION, &approve()).status, 303);
    assert!(meets(&nurse), "she meets the question for the reason");
    let reason = [("shield_reason", "visit")];
    assert!(nurse.get("/residents/2").body.contains("支援措置"));
    nurse.post("/residents/2/shield-acknowledgement", &reason);
    let ended = other.post(
        "/protections/grants/1/ending",
        &[("ending_reason", "担当が替わった")],
    );
    assert_eq!(ended.status, 303);
    assert!(!meets(&nurse));
    let nurse_id = house.count("select id from staff where login = 'nurse'");
    assert_eq!(
        entries(&house, "shield_grant_ask"),
        [format!(
            "done 2 staff={nurse_id} from=2026-11-24 to=2026-12-31 old=none new=waiting"
        )]
    );
    assert_eq!(
        entries(&house, "approval_decide"),
        [
            "refused 2 自分の依頼",
            "done 2 支援措置の方の閲覧許可：職員＝試験 nurse（nurse）／期間＝R8.11.24 ～ R8.12.31\
             ／状態：承認待ち→承認済み／理由＝担当を確認"
        ]
    );
    assert_eq!(
        entries(&house, "shield_grant_end"),
        ["done 2 old=in_force new=ended"]
    );
}

#[test]
fn the_second_of_two_decisions_is_told_of_the_first() {
    let house = house();
    house.add("choju.3", Role::CityLongevity, None);
    desk(&house, "choju.1").post(GRANTS, &grant("R8.12.31", &[]));
    let (first, second) = (desk(&house, "choju.2"), desk(&house, "choju.3"));
    second.get(REQUEST);
    let no = [("decision", "refuse"), ("reason", "担当ではない")];
    assert_eq!(first.post(DECISION, &no).status, 303);
    let late = second.post(DECISION, &approve());
    assert_eq!(late.status, 409);
    assert!(late.text().contains("もう決まっているか"));
    assert!(
        second
            .get("/protections/grants/1")
            .text()
            .contains("不承認")
    );
    assert!(!meets(&desk(&house, "nurse")));
}

#[test]
fn an_urgent_grant_opens_at_once_and_ends_by_itself_after_the_next_day() {
    let house = house();
    let keeper = desk(&house, "choju.1");
    let page = keeper.post(GRANTS, &grant("", &[("grant_urgent", "1")]));
    assert_eq!(
        page.header("location"),
        "/protections/residents/2?done=grant-urgent"
    );
    assert!(meets(&desk(&house, "nurse")));
    assert!(keeper.get("/protections").body.contains("緊急（確認待ち）"));
    let back = keeper.post(DECISION, &[("decision", "withdraw")]);
    assert_eq!(back.status, 403, "nobody hides what she opened");
    house.hand.step(jiff::SignedDuration::from_hours(48));
    assert!(!meets(&desk(&house, "nurse")));
}

#[test]
fn an_urgent_grant_that_is_refused_opens_no_more_and_one_that_is_over_is_still_looked_at() {
    let house = house();
    let (keeper, other) = (desk(&house, "choju.1"), desk(&house, "choju.2"));
    keeper.post(GRANTS, &grant("", &[("grant_urgent", "1")]));
    let nurse = desk(&house, "nurse");
    assert!(meets(&nurse));
    let no = [("decision", "refuse"), ("reason", "担当ではない")];
    let stopped = other.post(DECISION, &no);
    assert!(stopped.header("location").ends_with("approval-stopped"));
    assert!(!meets(&nurse));
    keeper.post(GRANTS, &grant("", &[("grant_urgent", "1")]));
    house.hand.step(jiff::SignedDuration::from_hours(96));
    let other = desk(&house, "choju.2");
    assert!(other.get("/approvals").text().contains("過ぎています"));
    let looked = other.post("/approvals/2/decision", &approve());
    assert!(looked.header("location").ends_with("confirmed"));
    assert!(!meets(&desk(&house, "nurse")));
}

#[test]
fn a_grant_asked_for_on_other_facts_is_not_approved() {
    let house = house();
    desk(&house, "choju.1").post(GRANTS, &grant("R8.12.31", &[]));
    house.execute("update residents set shielded = 0 where id = 2");
    let other = desk(&house, "choju.2");
    let page = other.get(REQUEST).text();
    assert!(page.contains("依頼のあとで変わったところ") && page.contains("ありません"));
    assert_eq!(other.post(DECISION, &approve()).status, 409);
    house.execute("update residents set shielded = 1 where id = 2");
    assert_eq!(other.post(DECISION, &approve()).status, 303);
}

#[test]
fn whoever_would_see_more_or_is_kept_from_her_does_not_decide() {
    let house = house();
    let (asker, other) = (desk(&house, "choju.1"), desk(&house, "choju.2"));
    let mut fields = grant("R8.12.31", &[]);
    fields.retain(|(name, _)| *name != "grant_staff");
    fields.push(("grant_staff", "choju.2"));
    assert_eq!(asker.post(GRANTS, &fields).status, 303);
    assert!(!other.get("/approvals").text().contains("承認待ち"));
    let page = other.post(DECISION, &approve());
    assert_eq!(page.status, 403);
    assert!(page.text().contains("許可や権限を得る人"));
    asker.post(GRANTS, &grant("R8.12.31", &[]));
    let listed = "/approvals/2\"";
    assert!(other.get("/approvals").body.contains(listed));
    asker.post(
        "/protections/residents/2/exclusions",
        &[
            ("exclusion_staff", "choju.2"),
            ("exclusion_relation", "relative"),
            ("exclusion_reason", "めいにあたる"),
        ],
    );
    assert!(!other.get("/approvals/all").body.contains(listed));
    assert_eq!(other.get("/approvals/2").status, 404);
    assert_eq!(other.post("/approvals/2/decision", &approve()).status, 404);
}

#[test]
fn a_request_that_nobody_decided_lapses_with_its_row_and_opens_nothing() {
    let house = house();
    desk(&house, "choju.1").post(GRANTS, &grant("R8.12.31", &[]));
    house.hand.step(jiff::SignedDuration::from_hours(24 * 8));
    assert!(house.app().begin_day());
    assert!(house.app().begin_day(), "once more changes nothing");
    let other = desk(&house, "choju.2");
    assert_eq!(other.post(DECISION, &approve()).status, 409);
    assert!(!meets(&desk(&house, "nurse")));
    let row = other.get("/protections/grants/1").text();
    assert!(row.contains("期限切れ") && !row.contains("承認・取下げの画面"));
    let lapsed = "select count(*) from approval_decisions where decision = 'lapsed'";
    assert_eq!(house.count(lapsed), 1);
    assert_eq!(
        entries(&house, "approval_decide"),
        ["done - 状態：承認待ち→期限切れ"]
    );
}

#[test]
fn what_is_typed_wrong_is_said_beside_the_field_and_kept() {
    let house = house();
    let keeper = desk(&house, "choju.1");
    let page = keeper.post(GRANTS, &grant("R9.12.31", &[]));
    assert_eq!(page.status, 422);
    assert!(page.text().contains("許可は1年までです"));
    assert!(page.body.contains("毎月の見守り"), "the reason was lost");
    for (field, value) in [
        ("grant_staff", "nobody"),
        ("grant_from", "R8.11.23"),
        ("grant_to", "R8.11.1"),
        ("grant_to", "あした"),
        ("grant_reason", ""),
        ("grant_reason", "番号は 123456789018 です"),
    ] {
        let mut fields = grant("R8.12.31", &[]);
        fields.retain(|(name, _)| *name != field);
        fields.push((field, value));
        let page = keeper.post(GRANTS, &fields);
        assert_eq!(page.status, 422, "{field}={value}");
        assert!(page.body.contains(&format!("href=\"#{field}\"")), "{field}");
    }
    assert_eq!(entries(&house, "shield_grant_ask"), [""; 0]);
}

#[test]
fn asking_twice_leaves_one_grant() {
    let house = house();
    let keeper = desk(&house, "choju.1");
    keeper.post(GRANTS, &grant("R8.12.31", &[]));
    let again = keeper.post(GRANTS, &grant("R8.12.31", &[]));
    assert_eq!(
        again.header("location"),
        "/protections/residents/2?done=again"
    );
    assert_eq!(entries(&house, "shield_grant_ask").len(), 1);
}

#[test]
fn an_excluded_colleague_meets_nobody_and_nobody_excludes_herself() {
    let house = house();
    let (keeper, nurse) = (desk(&house, "choju.1"), desk(&house, "nurse"));
    assert_eq!(nurse.get("/residents/1").status, 200);
    let fields = |staff: &'static str| {
        [
            ("exclusion_staff", staff),
            ("exclusion_relation", "relative"),
            ("exclusion_reason", "めいにあたる"),
        ]
    };
    let path = "/protections/residents/1/exclusions";
    keeper.get("/protections/residents/1");
    assert_eq!(keeper.post(path, &fields("nurse")).status, 303);
    assert_eq!(nurse.get("/residents/1").status, 404);
    assert!(
        nurse
            .get("/residents?q=カクウ")
            .text()
            .contains("見つかりませんでした")
    );
    let own = keeper.post(path, &fields("choju.1"));
    assert_eq!(own.status, 422);
    let other = desk(&house, "choju.2");
    other.get("/protections/residents/1");
    assert_eq!(other.post(path, &fields("choju.1")).status, 303);
    assert_eq!(keeper.get("/protections/residents/1").status, 404);
    assert_eq!(
        keeper
            .post(
                "/protections/exclusions/2/ending",
                &[("ending_reason", "x")]
            )
            .status,
        404
    );
    assert_eq!(
        other
            .post(
                "/protections/exclusions/1/ending",
                &[("ending_reason", "異動")]
            )
            .status,
        303
    );
    assert_eq!(nurse.get("/residents/1").status, 200);
}

#[test]
fn the_city_shields_somebody_and_lifts_it_again() {
    let house = house();
    let (keeper, nurse) = (desk(&house, "choju.1"), desk(&house, "nurse"));
    keeper.get("/protections/residents/1");
    let fields = [("shield_reason", "分離した"), ("shield_until", "")];
    assert_eq!(
        keeper
            .post("/protections/residents/1/shields", &fields)
            .status,
        303
    );
    assert_eq!(nurse.get("/residents/1").status, 404);
    assert_eq!(keeper.get("/residents/1").status, 404, "the keeper too");
    let list = keeper.post("/protections/sealed-list", &[("sealed_reason", "monthly")]);
    assert!(list.text().contains("架空 1郎") && list.text().contains("開ける職員がいません"));
    let lifted = keeper.post(
        "/protections/shields/1/ending",
        &[("ending_reason", "施設に入所")],
    );
    assert_eq!(lifted.status, 303);
    assert_eq!(nurse.get("/residents/1").status, 200);
    assert_eq!(
        entries(&house, "shield_lift"),
        ["done 1 old=shielded new=ended"]
    );
}

#[test]
fn the_sealed_list_opens_with_a_reason_only() {
    let house = house();
    let keeper = desk(&house, "choju.1");
    let door = keeper.get("/protections/sealed-list");
    assert!(!door.text().contains("架空"));
    for reason in ["", "because"] {
        let page = keeper.post("/protections/sealed-list", &[("sealed_reason", reason)]);
        assert_eq!(page.status, 422);
        assert!(!page.text().contains("架空"));
    }
    let page = keeper.post("/protections/sealed-list", &[("sealed_reason", "disaster")]);
    assert!(page.text().contains("架空 2郎") && !page.text().contains("架空 1郎"));
    assert_eq!(
        entries(&house, "sealed_list_view"),
        ["done - reason=disaster rows=1"]
    );
}

#[test]
fn who_can_see_somebody_says_what_is_true() {
    let house = house();
    house.add("far", Role::Nurse, Some("0102"));
    house.add("admin", Role::SystemAdmin, None);
    let keeper = desk(&house, "choju.1");
    keeper.get("/protections/residents/2");
    keeper.post(GRANTS, &grant("", &[("grant_urgent", "1")]));
    for resident in [1, 2] {
        let page = keeper.get(&format!("/protections/residents/{resident}/viewers"));
        let (seeing, others) = page.body.split_once("id=\"others\"").unwrap();
        for login in ["choju.1", "choju.2", "nurse", "far"] {
            let browser = desk(&house, login);
            let told = seeing.contains(&format!(">{login}<"));
            assert_ne!(told, others.contains(&format!(">{login}<")), "{login}");
            let status = browser.get(&format!("/residents/{resident}")).status;
            assert_eq!(
                told,
                status == 200,
                "{login} and resident {resident}: {status}"
            );
        }
        assert!(others.contains(">admin<"));
    }
    // Of the shielded, the reasons must not tell the centre: here and there read alike.
    let page = keeper.get("/protections/residents/2/viewers").body;
    assert!(
        !page.contains("担当の範囲外"),
        "the reasons tell whose area it is"
    );
}

#[test]
fn a_number_leads_to_the_person_and_a_wrong_one_is_said() {
    let house = house();
    let keeper = desk(&house, "choju.1");
    for number in ["90000002", "９０００００02", "2"] {
        let page = keeper.get(&format!("/protections?number={number}"));
        assert_eq!(
            page.header("location"),
            "/protections/residents/2",
            "{number}"
        );
    }
    let page = keeper.get("/protections?number=404");
    assert_eq!(page.status, 422);
    assert!(page.text().contains("この番号の人は見つかりません"));
    assert_eq!(keeper.get("/protections/residents/99").status, 404);
}
