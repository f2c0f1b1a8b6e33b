//! Each kind: decided after the snapshot, and in force again in the state that came back.

use store::{Actor, DataDir, Db, Former, Operator, SystemReason};
use tempfile::TempDir;

use super::{Applied, Beginning, KINDS, Later, Told, apply, gather, take_over};
use crate::features::staff::tests::house::House;
use crate::web::Role;

const AT: &str = "'2026-11-24T01:00:00.000000Z'";
const NURSE: &str = "(select id from staff where login = 'nurse')";
const BOSS: &str = "(select id from staff where login = 'boss')";

/// A house, and a copy of how it was.
struct Copied {
    house: House,
    dir: TempDir,
}

impl Copied {
    /// Two members of staff and one resident; `before` is in both states.
    fn new(before: &[&str]) -> Self {
        let house = House::new();
        house.add("boss", Role::SystemAdmin, None);
        house.add("nurse", Role::Nurse, Some("0101"));
        house.resident(1, "1940-01-01", "0101", "1");
        let copied = Self {
            house,
            dir: TempDir::new().unwrap(),
        };
        copied.run(before);
        let (from, to) = (copied.house.db().dir(), copied.data());
        for dir in [to.path(), &to.keys()] {
            base::paths::create_private_dir(dir).unwrap();
        }
        copied.house.db().snapshot(&to.database()).unwrap();
        for entry in std::fs::read_dir(from.keys()).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, to.keys().join(path.file_name().unwrap())).unwrap();
        }
        copied
    }

    fn data(&self) -> DataDir {
        DataDir::new(self.dir.path().join("data"))
    }

    fn run(&self, statements: &[&str]) {
        for statement in statements {
            let statement = statement.replace("{AT}", AT).replace("{NURSE}", NURSE);
            self.house.execute(&statement.replace("{BOSS}", BOSS));
        }
    }

    fn later(&self) -> Later {
        let scratch = self.dir.path().join("former.db");
        let former = Former::open(&self.house.db().dir().database(), &scratch).unwrap();
        gather(&former, self.house.app().clock().today()).unwrap()
    }

    fn open(&self) -> Db {
        Db::open(&self.data(), self.house.app().clock().clone()).unwrap()
    }

    fn apply(&self, db: &Db, later: Option<&Later>) -> Applied {
        apply(db, &actor(), later, &told("a", &[])).unwrap()
    }
}

fn actor() -> Actor {
    Actor {
        operator: Some(Operator {
            name: "試験 操作者".to_owned(),
            reason: "試験".to_owned(),
        }),
        ..Actor::system("コマンド restore")
    }
}

fn told(token: &str, known: &[Beginning]) -> Told {
    Told {
        kind: "restore",
        source: "保管先 raid の控え 1".to_owned(),
        taken_at: "2026-11-24T00:00:00.000000Z".to_owned(),
        former: Some((1, "00".to_owned())),
        kept: "data.before-2026-11-24T090000".to_owned(),
        token: token.repeat(32).chars().take(32).collect(),
        known: known.to_vec(),
    }
}

fn count(db: &Db, sql: &str) -> i64 {
    let sql = sql.replace("{NURSE}", NURSE).replace("{BOSS}", BOSS);
    db.system_read(SystemReason::Restore, |tx| tx.count(&sql, []))
        .unwrap()
}

/// Decided later, it holds in the state that came back, with an entry; a second time adds nothing.
fn holds_again(kind: &str, before: &[&str], later: &[&str], holds: &str) {
    let copied = Copied::new(before);
    copied.run(later);
    let read = copied.later();
    let db = copied.open();
    assert_eq!(count(&db, holds), 0, "{kind} holds before it was applied");
    let entries = "select count(*) from audit_entries where detail like '復元後の再適用＝%'
        and detail like '%操作者＝試験 操作者／操作の理由＝試験'";
    let applied = copied.apply(&db, Some(&read));
    let of = |applied: &Applied| {
        let found = applied.counts.iter().find(|one| one.kind.code == kind);
        found.map_or(0, |one| one.applied)
    };
    assert_eq!(of(&applied), 1, "{kind}: {applied:?}");
    assert_eq!(count(&db, holds), 1, "{kind}");
    assert_eq!(count(&db, entries), 1, "{kind} left no entry");
    assert_eq!(of(&copied.apply(&db, Some(&read))), 0, "{kind} twice");
    assert_eq!(count(&db, entries), 1, "{kind} twice");
    assert_eq!(
        count(
            &db,
            &format!("select applied from restore_items where kind = '{kind}'")
        ),
        1
    );
    db.close().unwrap();
    let verdict = store::audit::verify(&copied.data(), None).unwrap();
    assert_eq!(verdict.findings, [], "{kind}");
}

#[test]
fn all_sessions_end() {
    let copied = Copied::new(&[
        "insert into sessions (token_hash, staff_id, csrf, terminal, started_at, last_seen_at)
         values (x'01', {NURSE}, '', '', {AT}, {AT})",
    ]);
    let db = copied.open();
    let applied = copied.apply(&db, None);
    assert_eq!(applied.counts[0].kind.code, "sessions");
    assert_eq!(applied.counts[0].applied, 1);
    let open = "select count(*) from sessions where ended_at is null";
    assert_eq!(count(&db, open), 0);
}

#[test]
fn a_shield_that_the_city_set_holds_again() {
    holds_again(
        "shields",
        &[],
        &["insert into shields values (1, 1, 'city', null, '理由', {BOSS}, {AT})"],
        "select count(*) from shields where resident_id = 1 and kind = 'city'
         and reason = '理由（復元後の再適用）' and recorded_by = {BOSS}",
    );
}

#[test]
fn a_shield_that_the_register_delivered_holds_again() {
    holds_again(
        "shields",
        &[],
        &["update residents set shielded = 1 where id = 1"],
        "select count(*) from shields where resident_id = 1 and kind = 'register'",
    );
}

#[test]
fn a_lifted_shield_of_before_stays_as_it_was() {
    let copied =
        Copied::new(&["insert into shields values (1, 1, 'city', null, 'x', {BOSS}, {AT})"]);
    copied.run(&["insert into shield_endings values (1, 1, 'y', {BOSS}, {AT})"]);
    let db = copied.open();
    let applied = copied.apply(&db, Some(&copied.later()));
    // What opens something is not applied: it stays shut until somebody decides it anew.
    assert_eq!(count(&db, "select count(*) from shield_endings"), 0);
    assert!(applied.counts.is_empty(), "{applied:?}");
}

#[test]
fn an_exclusion_holds_again() {
    holds_again(
        "exclusions",
        &[],
        &["insert into exclusions values (1, 1, {NURSE}, '01', '親族', {BOSS}, {AT})"],
        "select count(*) from exclusions where resident_id = 1 and staff_id = {NURSE}",
    );
}

#[test]
fn an_exclusion_by_somebody_who_did_not_come_back_holds_again_all_the_same() {
    let copied = Copied::new(&[]);
    copied.house.add("later", Role::SystemAdmin, None);
    copied.run(
        &["insert into exclusions values (1, 1, {NURSE}, '01', '親族',
        (select id from staff where login = 'later'), {AT})"],
    );
    let db = copied.open();
    copied.apply(&db, Some(&copied.later()));
    assert_eq!(count(&db, "select count(*) from exclusions"), 1);
}

const APPROVAL: &str = "insert into approvals values
    (1, 'x', '{}', '{}', '', '', 1, null, {BOSS}, {AT}, '2026-12-01')";

#[test]
fn an_ended_grant_to_open_a_shielded_person_ends_again() {
    holds_again(
        "shield_grants",
        &[
            APPROVAL,
            "insert into shield_grants values
             (1, 1, {NURSE}, '2026-11-24', '2026-12-24', '理由', 1, {BOSS}, {AT}, 1)",
        ],
        &["insert into shield_grant_endings values (1, 1, '済', {BOSS}, {AT})"],
        "select count(*) from shield_grant_endings where grant_id = 1",
    );
}

#[test]
fn a_refused_grant_to_open_a_shielded_person_ends() {
    holds_again(
        "shield_grants",
        &[
            APPROVAL,
            "insert into shield_grants values
             (1, 1, {NURSE}, '2026-11-24', '2026-12-24', '理由', 1, {BOSS}, {AT}, 1)",
        ],
        &["insert into approval_decisions values (1, 1, 'refused', '否', {BOSS}, {AT})"],
        "select count(*) from shield_grant_endings where grant_id = 1",
    );
}

#[test]
fn an_ended_referral_ends_again() {
    holds_again(
        "case_grants",
        &["insert into case_grants values
           (1, 1, null, {NURSE}, 1, '2026-04-01', null, '理由', {BOSS}, {AT})"],
        &["insert into case_grant_endings values (1, 1, '済', {BOSS}, {AT})"],
        "select count(*) from case_grant_endings where grant_id = 1",
    );
}

#[test]
fn an_ended_assignment_ends_again() {
    holds_again(
        "assignments",
        &["insert into assignments values (1, 1, {NURSE}, 'main', '2026-04-01', '', {BOSS}, {AT})"],
        &["insert into assignment_endings values (1, 1, '2026-11-24', '済', {BOSS}, {AT})"],
        "select count(*) from assignment_endings where assignment_id = 1",
    );
}

#[test]
fn somebody_who_left_has_left() {
    holds_again(
        "posts",
        &[],
        &[
            "insert into staff_post_endings (post_id, ends_on, reason, recorded_by, recorded_at)
           select id, '2026-11-23', '退職', {BOSS}, {AT} from staff_posts
           where staff_id = {NURSE}",
        ],
        "select count(*) from staff_terms where staff_id = {NURSE} and ends_on = '2026-11-23'",
    );
}

#[test]
fn somebody_who_moved_is_left_to_people() {
    let copied = Copied::new(&[]);
    copied.run(&[
        "insert into staff_post_endings (post_id, ends_on, reason, recorded_by, recorded_at)
         select id, '2026-11-23', '異動', {BOSS}, {AT} from staff_posts where staff_id = {NURSE}",
        "insert into staff_posts (staff_id, role, job, centre_id, starts_on, reason, recorded_by,
           recorded_at) values ({NURSE}, 'clerk', '', null, '2026-11-24', '異動', {BOSS}, {AT})",
    ]);
    let db = copied.open();
    let applied = copied.apply(&db, Some(&copied.later()));
    let posts = applied.counts.iter().find(|one| one.kind.code == "posts");
    let posts = posts.map(|one| (one.applied, one.left_over));
    assert_eq!(posts, Some((1, 1)), "{applied:?}");
}

#[test]
fn a_terminal_that_was_stopped_stays_out() {
    holds_again(
        "terminals",
        &[
            "insert into terminals values (1, 's', {BOSS}, {AT})",
            "insert into terminal_certificates values (1, 1, 'ab', '2027-01-01', {BOSS}, {AT})",
        ],
        &["insert into terminal_revocations values (1, 1, 'lost', {BOSS}, {AT})"],
        "select count(*) from terminal_revocations where certificate_id = 1 and reason = 'lost'",
    );
}

#[test]
fn a_right_taken_from_one_person_is_taken_again() {
    holds_again(
        "staff_rights",
        &[],
        &["insert into staff_rights values (1, {NURSE}, 'consultation_view', 0, '2026-11-24', null,
           '理由', null, {BOSS}, {AT})"],
        "select count(*) from staff_right_terms where staff_id = {NURSE} and granted = 0",
    );
}

#[test]
fn an_exception_that_ended_early_ends_again() {
    holds_again(
        "staff_rights",
        &[
            "insert into staff_rights values (1, {NURSE}, 'access_log_view', 1, '2026-11-01',
           '2026-12-31', '理由', null, {BOSS}, {AT})",
        ],
        &["insert into staff_right_endings values (1, 1, '2026-11-23', '済', {BOSS}, {AT})"],
        "select count(*) from staff_right_terms where staff_id = {NURSE} and ends_on = '2026-11-23'",
    );
}

#[test]
fn a_right_taken_from_a_role_is_taken_again() {
    holds_again(
        "role_rights",
        &[
            "insert into role_rights (role, permission, granted, starts_on, reason, recorded_at)
           values ('nurse', 'trial', 1, '2026-04-01', '', {AT})",
        ],
        &[
            "insert into role_rights (role, permission, granted, starts_on, reason, recorded_at)
           values ('nurse', 'trial', 0, '2026-11-24', '', {AT})",
        ],
        "select count(*) from role_right_terms where permission = 'trial' and granted = 0",
    );
}

#[test]
fn a_right_that_a_role_will_lose_is_still_planned() {
    holds_again(
        "role_rights",
        &[
            "insert into role_rights (role, permission, granted, starts_on, reason, recorded_at)
           values ('nurse', 'trial', 1, '2026-04-01', '', {AT})",
        ],
        &[
            "insert into role_rights (role, permission, granted, starts_on, reason, recorded_at)
           values ('nurse', 'trial', 0, '2027-04-01', '', {AT})",
        ],
        "select count(*) from role_right_terms where permission = 'trial' and granted = 0
         and starts_on = '2027-04-01'",
    );
}

#[test]
fn the_password_of_now_holds_and_not_the_one_of_then() {
    holds_again(
        "passwords",
        &[],
        &[
            "insert into staff_passwords (staff_id, hash, must_change, recorded_by, recorded_at)
           values ({NURSE}, 'new', 1, {BOSS}, {AT})",
        ],
        "select count(*) from staff_passwords where hash = 'new' and must_change = 1 and id =
         (select max(id) from staff_passwords where staff_id = {NURSE})",
    );
}

#[test]
fn a_telephone_that_was_taken_back_opens_nothing() {
    holds_again(
        "factors",
        &[
            "insert into second_factors values (1, {NURSE}, 'totp', '電話', null, {AT})",
            "insert into second_factor_secrets values (1, 'k', x'00', {AT})",
        ],
        &["insert into second_factor_resets values (1, {NURSE}, 1, '紛失', {BOSS}, {AT})"],
        "select count(*) from second_factor_resets r where staff_id = {NURSE} and last_factor_id = 1
         and not exists (select 1 from second_factor_secrets)",
    );
}

#[test]
fn an_ended_window_of_the_vendor_ends_again() {
    holds_again(
        "maintenance",
        &["insert into maintenance_grants values
           (1, {NURSE}, '', {AT}, '2026-11-25T00:00:00.000000Z', 's', {BOSS}, {AT})"],
        &["insert into maintenance_endings values (1, 1, '済', {BOSS}, {AT})"],
        "select count(*) from maintenance_endings where grant_id = 1",
    );
}

#[test]
fn envelopes_that_were_opened_are_left_to_people() {
    let copied = Copied::new(&["insert into break_glass_envelopes values
        (1, 'p', 1, '課長', 'h', '', '', {AT}), (2, 'p', 2, '部長', 'h', '', '', {AT})"]);
    copied.run(&[
        "insert into staff_passwords (staff_id, hash, must_change, recorded_by, recorded_at)
         values ({BOSS}, 'opened', 1, null, {AT})",
        "insert into break_glass_openings (pair, staff_id, password_id, valid_until, first_person,
           second_person, reason, recorded_at)
         values ('p', {BOSS}, (select max(id) from staff_passwords), {AT}, '', '', '', {AT})",
    ]);
    let db = copied.open();
    let applied = copied.apply(&db, Some(&copied.later()));
    let told: Vec<_> = applied
        .counts
        .iter()
        .map(|one| (one.kind.code, one.applied, one.left_over))
        .collect();
    assert_eq!(told, [("envelopes", 0, 1)]);
    // The password of those hours did not become one for good.
    let opened = "select count(*) from staff_passwords where hash = 'opened'";
    assert_eq!(count(&db, opened), 0);
}

const CASE: &str = "insert into abuse_cases values (7, null, null, 'case', {BOSS}, {AT})";

#[test]
fn somebody_barred_from_an_abuse_case_is_barred_again() {
    holds_again(
        "abuse_bars",
        &[CASE],
        &["insert into abuse_bars values (1, 7, 1, {NURSE}, '関係者', {BOSS}, {AT})"],
        "select count(*) from abuse_bars where case_id = 7 and staff_id = {NURSE}",
    );
}

#[test]
fn somebody_taken_off_the_team_of_an_abuse_case_is_off_again() {
    holds_again(
        "abuse_members",
        &[
            CASE,
            "insert into abuse_members values
             (1, 7, 1, {NURSE}, 1, 0, '2026-04-01', null, '', {BOSS}, {AT})",
        ],
        &["insert into abuse_member_endings values (1, 1, '済', {BOSS}, {AT})"],
        "select count(*) from abuse_member_endings where member_id = 1",
    );
}

#[test]
fn a_consultation_for_the_team_alone_is_so_again() {
    holds_again(
        "abuse_takings",
        &[
            CASE,
            "insert into consultations values (1, '1', null, 'form', {NURSE}, {AT})",
        ],
        &["insert into abuse_takings values (1, 7, 1, '理由', {BOSS}, {AT})"],
        "select count(*) from abuse_takings where case_id = 7 and consultation_id = 1",
    );
}

/// A draft is the smallest thing that is disposed of; the list is the one that two persons decided.
#[test]
fn what_was_disposed_of_goes_again() {
    let copied =
        Copied::new(&["insert into drafts values (5, {NURSE}, '/x', 'body', '2020-01-01')"]);
    let number: i64 = count(copied.house.db(), "select id from disposal_drafts");
    assert_eq!(number, 5, "the draft is ripe");
    let listed = "insert into disposal_request_records
        select 1, id, number from disposal_drafts where id = 5";
    copied.run(&[
        APPROVAL,
        "insert into disposal_requests values (1, 'drafts', '2026-11-24', '', 'form', 1, {AT})",
        listed,
        "insert into disposals values (1, 1, 1, 0, '', null, {BOSS}, {AT})",
        "delete from drafts where id = 5",
    ]);
    let read = copied.later();
    let db = copied.open();
    let applied = copied.apply(&db, Some(&read));
    let told: Vec<_> = applied
        .counts
        .iter()
        .map(|one| (one.kind.code, one.applied, one.left_over))
        .collect();
    assert_eq!(told, [("disposals", 1, 0)]);
    assert_eq!(count(&db, "select count(*) from drafts"), 0);
    let entry = "select count(*) from audit_entries where operation = 'disposal'
        and detail like '復元で戻った記録を再び廃棄%'";
    assert_eq!(count(&db, entry), 1);
}

#[test]
fn what_was_disposed_of_and_is_not_as_it_was_decided_is_left_to_people() {
    let copied = Copied::new(&[]);
    copied.run(&[
        APPROVAL,
        "insert into disposal_requests values
         (1, 'consultations', '2026-11-24', '', 'form', 1, {AT})",
        "insert into disposal_request_records values (1, 9, '9')",
        "insert into disposals values (1, 1, 1, 0, '', null, {BOSS}, {AT})",
    ]);
    let db = copied.open();
    let applied = copied.apply(&db, Some(&copied.later()));
    let told: Vec<_> = applied
        .counts
        .iter()
        .map(|one| (one.kind.code, one.applied, one.left_over))
        .collect();
    assert_eq!(told, [("disposals", 0, 1)]);
}

#[test]
fn every_kind_has_its_label_and_is_named_by_a_test_here() {
    let here = include_str!("tests.rs");
    for kind in KINDS {
        assert!(
            here.contains(&format!("\"{}\"", kind.code)),
            "{}",
            kind.code
        );
        assert!(!kind.label.is_empty() && !kind.look_at.is_empty());
        assert!(kind.href.starts_with('/'));
    }
}

#[test]
fn without_a_former_state_everything_is_left_to_people_and_stands_above_the_page() {
    let copied = Copied::new(&[]);
    let applied = copied.apply(copied.house.db(), None);
    assert!(!applied.readable);
    let boss = copied.house.signed_in("boss");
    let page = boss.get("/staff").text();
    assert!(page.contains("戻す前の記録を読めなかったため"), "{page}");
    let page = boss.get("/restores").text();
    for kind in KINDS.iter().filter(|kind| kind.code != "sessions") {
        assert!(page.contains(kind.look_at), "{}: {page}", kind.code);
    }
    let done = boss.post("/restores/1/acknowledgement", &[]);
    assert_eq!(done.status, 303, "{}", done.body);
    let page = boss.get("/staff").text();
    assert!(!page.contains("戻す前の記録を読めなかったため"), "{page}");
    assert_eq!(boss.post("/restores/9/acknowledgement", &[]).status, 404);
    let nurse = copied.house.signed_in("nurse");
    assert_eq!(nurse.get("/restores").status, 403);
}

#[test]
fn a_lineage_takes_over_what_others_know_and_begins_once() {
    let copied = Copied::new(&[]);
    let db = copied.house.db();
    let other = Beginning {
        epoch: 4,
        token: "0123456789abcdef0123456789abcdef".to_owned(),
    };
    let known = std::slice::from_ref(&other);
    let first = apply(db, &actor(), None, &told("a", known))
        .unwrap()
        .beginning;
    assert_eq!(first.epoch, 5);
    let again = apply(db, &actor(), None, &told("a", known))
        .unwrap()
        .beginning;
    assert_eq!(again, first);
    assert_eq!(count(db, "select count(*) from restores"), 1);
    let token = "b".repeat(32);
    let next = take_over(db, &actor(), &[], &token).unwrap();
    assert_eq!(next.epoch, 6);
    let all = db
        .system_read(SystemReason::Restore, super::lineages)
        .unwrap();
    assert_eq!(all, [other, first, next]);
}
