//! Former states through their own routes, on a real file; copies of the past come from a small program
//! that stands in the place of `hokatsu timemachine`.

mod abuse;
mod person;

use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use tempfile::TempDir;

use super::openings::{FormerSource, OpeningId, Stage};
use crate::app::ServerSettings;
use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;

const HERE: &str = "0101";
const THERE: &str = "0102";
const RECORD: &str = "/consultations/1/former-state";
const FILE: &str = "/attachments/1/former-state";
const PERSON: &str = "/residents/1/former-state";
const PDF: &[u8] = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj";

/// A program that answers as `hokatsu timemachine` does, out of a directory that a test fills.
struct Past {
    dir: TempDir,
}

impl Past {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let script = "#!/bin/sh\n\
            here=$(dirname \"$0\")\n\
            for last; do :; done\n\
            case \"$*\" in\n\
            *points*) cat \"$here/points.json\" ;;\n\
            *bytes*) cp \"$here/bytes\" \"$last/bytes\" ;;\n\
            *broken*) echo 'broken' >&2; exit 3 ;;\n\
            *) echo 'progress 1/2' >&2; cp \"$here/hokatsu.db\" \"$last/hokatsu.db\" ;;\n\
            esac\n";
        let past = Self { dir };
        past.write("program", script.as_bytes());
        let points = "{\"snapshots\":[\
            {\"repository\":\"raid\",\"snapshot\":\"aaaa\",\"at\":\"2026-11-24T00:00:00Z\",\"bytes\":1000},\
            {\"repository\":\"raid\",\"snapshot\":\"broken\",\"at\":\"2026-11-23T00:00:00Z\",\"bytes\":1000},\
            {\"repository\":\"usb\",\"snapshot\":\"later\",\"at\":\"2026-11-23T01:00:00Z\",\"bytes\":1000,\
             \"wants\":\"hokatsu 9.0 以降\"}],\
            \"shipped\":{\"oldest\":\"2026-11-20T00:00:00Z\",\"newest\":\"2026-11-23T23:00:00Z\"},\
            \"failed\":[\"外付け\"]}";
        past.write("points.json", points.as_bytes());
        past
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.dir.path().join(name);
        base::paths::write_atomic(&path, bytes, 0o700).unwrap();
    }

    fn settings(&self) -> ServerSettings {
        ServerSettings {
            former_source: Some(FormerSource {
                program: self.dir.path().join("program"),
                arguments: Vec::new(),
            }),
            ..ServerSettings::standard()
        }
    }
}

/// One person of each centre, a consultation about the first, and staff of every sort.
struct Desk {
    house: House,
    past: Past,
}

impl Desk {
    fn new() -> Self {
        let past = Past::new();
        let house = House::with(past.settings());
        for (login, role, centre) in [
            ("manager", Role::CentreManager, Some(HERE)),
            ("nurse", Role::Nurse, Some(HERE)),
            ("other", Role::CentreManager, Some(THERE)),
            ("city", Role::CityLongevity, None),
            ("system", Role::SystemAdmin, None),
        ] {
            house.add(login, role, centre);
        }
        house.resident(1, "1940-01-01", HERE, "1");
        house.resident(2, "1940-01-01", THERE, "1");
        let desk = Self { house, past };
        desk.record();
        desk
    }

    fn in_scene(&self, login: &str) -> Browser<'_> {
        self.house.signed_in(login)
    }

    fn later(&self) {
        self.house.hand.step(SignedDuration::from_mins(1));
    }

    fn typed(content: &str) -> Vec<(&'static str, String)> {
        let fields = [
            ("resident", "1"),
            ("received_on", "R8.11.24"),
            ("channel", "01"),
            ("caller_kind", "01"),
            ("urgency", "C"),
            ("categories", "01"),
            ("content", content),
            ("outcome", "01"),
        ];
        fields.map(|(name, value)| (name, value.to_owned())).into()
    }

    /// The first consultation, written by the nurse.
    fn record(&self) {
        let nurse = self.in_scene("nurse");
        nurse.get("/consultations/new?resident=1");
        let saved = sent(&nurse, "/consultations", Self::typed("夜に外へ出る"));
        assert_eq!(saved.header("location"), "/consultations/1?done=saved");
        self.later();
    }

    /// Says something else, as the nurse.
    fn corrected(&self, base: &str, content: &str) {
        let nurse = self.in_scene("nurse");
        nurse.get("/consultations/1");
        let mut typed = Self::typed(content);
        typed.push(("base_version", base.to_owned()));
        typed.push(("reason", "聞き直した".to_owned()));
        let saved = sent(&nurse, "/consultations/1/versions", typed);
        assert_eq!(saved.header("location"), "/consultations/1?done=corrected");
        self.later();
    }

    fn withdrawn(&self) {
        let nurse = self.in_scene("nurse");
        nurse.get("/consultations/1");
        let page = nurse.post("/consultations/1/withdrawal", &[("reason", "重複")]);
        assert_eq!(page.header("location"), "/consultations/1?done=withdrawn");
        self.later();
    }

    /// A file of the person, attached by the manager.
    fn attached(&self) {
        let manager = self.in_scene("manager");
        let page = manager.get("/residents/1/attachments").body;
        let submission = between(&page, "name=\"submission\" value=\"", "\"").unwrap();
        let fields = [("submission", submission.as_str()), ("title", "意見書")];
        let page = manager.upload("/residents/1/attachments", &fields, &[("a.pdf", PDF)]);
        assert_eq!(page.status, 303, "{}", page.text());
        self.later();
    }

    fn place_of_bytes(&self) -> PathBuf {
        fn first_file(dir: &Path) -> Option<PathBuf> {
            let entries = std::fs::read_dir(dir).ok()?;
            let mut paths = entries.map(|entry| entry.unwrap().path());
            paths.find_map(|path| {
                if path.is_dir() {
                    first_file(&path)
                } else {
                    Some(path)
                }
            })
        }
        first_file(&self.house.db().dir().attachments()).unwrap()
    }

    /// What a copy of the past will hold from now on.
    fn copied(&self) {
        let to = self.past.dir.path().join("hokatsu.db");
        if to.exists() {
            std::fs::remove_file(&to).unwrap();
        }
        self.house.db().snapshot(&to).unwrap();
    }

    /// Opens a copy and waits until it is there; the address of its page.
    fn opened(&self, browser: &Browser<'_>, origin: &[(&str, &str)]) -> String {
        browser.get("/former-states?moments=1");
        let fields = [origin, &[("reason", "照合")]].concat();
        let page = browser.post("/former-states/openings", &fields);
        assert_eq!(page.status, 303, "{}", page.text());
        let href = page.header("location").to_owned();
        let id: OpeningId = href.rsplit('/').next().unwrap().parse().unwrap();
        let app = self.house.app();
        let stage = || app.openings().look(id, app.clock().now()).unwrap().stage;
        // Asked past the pages: on a busy machine their limit of requests would be used up.
        while matches!(stage(), Stage::Fetching { .. }) {
            std::thread::yield_now();
        }
        href
    }

    fn scratch(&self) -> usize {
        let dir = self.house.db().dir().former_states();
        std::fs::read_dir(dir).map_or(0, Iterator::count)
    }
}

fn sent(browser: &Browser<'_>, path: &str, fields: Vec<(&'static str, String)>) -> Page {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (*n, v.as_str())).collect();
    browser.post(path, &fields)
}

/// Moment, place and state that the form of a page carries.
fn carried(page: &Page) -> Vec<(&'static str, String)> {
    let hidden = |name: &'static str| {
        let start = format!("name=\"{name}\" value=\"");
        (name, between(&page.body, &start, "\"").unwrap_or_default())
    };
    vec![hidden("at"), hidden("opening"), hidden("base")]
}

/// Sends the form of a comparison with these fields chosen.
fn put_back(browser: &Browser<'_>, path: &str, page: &Page, more: &[(&'static str, &str)]) -> Page {
    let mut fields = carried(page);
    fields.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    let path = path.split('?').next().unwrap();
    sent(browser, path, fields)
}

#[test]
fn a_withdrawn_consultation_comes_back_and_is_withdrawn_again_by_the_same_way() {
    let desk = Desk::new();
    desk.withdrawn();
    let manager = desk.in_scene("manager");
    let list = manager.get("/former-states").text();
    assert!(list.contains("重複") && list.contains("架空 1郎"), "{list}");
    let page = manager.get(RECORD);
    assert!(page.text().contains("取下げ") && page.text().contains("夜に外へ出る"));
    let done = put_back(
        &manager,
        RECORD,
        &page,
        &[("fields", "state"), ("reason", "誤り")],
    );
    assert_eq!(
        done.header("location"),
        "/consultations/1?done=put-back",
        "{}",
        done.text()
    );
    assert!(
        !manager
            .get("/consultations/1")
            .text()
            .contains("取り下げられています")
    );
    assert!(!manager.get("/former-states").text().contains("重複"));
    let told = desk.house.detail("former_state_put_back");
    assert!(
        told.starts_with("version=1 withdrawn→valid fields=state from=own at="),
        "{told}"
    );
    // The way back: what was before the last change is a former state as any other.
    desk.later();
    let page = manager.get(RECORD);
    let done = put_back(
        &manager,
        RECORD,
        &page,
        &[("step", "whole"), ("reason", "やはり")],
    );
    assert_eq!(done.status, 303, "{}", done.text());
    assert!(
        manager
            .get("/consultations/1")
            .text()
            .contains("取り下げられています")
    );
    let told = desk.house.detail("former_state_put_back");
    assert!(told.contains("valid→withdrawn"), "{told}");
}

#[test]
fn one_field_of_a_former_version_comes_back_as_a_new_version_and_the_rest_stays() {
    let desk = Desk::new();
    desk.corrected("1", "昼に外へ出る");
    let manager = desk.in_scene("manager");
    let page = manager.get(RECORD);
    let text = page.text();
    for word in [
        "夜に外へ出る",
        "昼に外へ出る",
        "この記録の履歴",
        "聞き直した",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let done = put_back(
        &manager,
        RECORD,
        &page,
        &[("fields", "content"), ("reason", "元が正しい")],
    );
    assert_eq!(done.status, 303, "{}", done.text());
    let record = manager.get("/consultations/1").text();
    assert!(
        record.contains("第3版") && record.contains("以前の状態に戻した：元が正しい"),
        "{record}"
    );
    assert_eq!(
        desk.house.count(
            "select count(*) from audit_entries
        where operation = 'former_state_view' and record_kind = 'consultation'"
        ),
        1
    );
}

#[test]
fn a_moment_is_chosen_by_day_and_time_and_the_future_has_none() {
    let desk = Desk::new();
    desk.corrected("1", "昼に外へ出る");
    let manager = desk.in_scene("manager");
    let then = manager.get(&format!("{RECORD}?on=R8.11.24&time=9:01"));
    assert_eq!(then.status, 200);
    assert!(
        then.text().contains("R8.11.24 09:01:00 の内容"),
        "{}",
        then.text()
    );
    let before = manager.get(&format!("{RECORD}?on=R8.11.24&time=8:59"));
    assert!(before.text().contains("その時点には、まだありませんでした"));
    let future = manager.get(&format!("{RECORD}?on=R8.12.24&time=8:59"));
    assert_eq!(future.status, 422);
    assert!(future.text().contains("これから先の時点は見られません"));
    let wrong = manager.get(&format!("{RECORD}?on=abc&time=25:00"));
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("次の2か所"), "{}", wrong.text());
}

#[test]
fn a_form_that_somebody_overtook_changes_nothing_and_keeps_what_was_typed() {
    let desk = Desk::new();
    desk.corrected("1", "昼に外へ出る");
    let manager = desk.in_scene("manager");
    let page = manager.get(RECORD);
    desk.corrected("2", "朝に外へ出る");
    let late = put_back(
        &manager,
        RECORD,
        &page,
        &[("fields", "content"), ("reason", "元が正しい")],
    );
    assert_eq!(late.status, 409, "{}", late.text());
    assert!(late.text().contains("ほかの人がこの記録を変えました"));
    assert!(late.body.contains("朝に外へ出る") && late.body.contains("元が正しい"));
    let versions = "select count(*) from audit_entries where operation = 'former_state_put_back'";
    assert_eq!(desk.house.count(versions), 0);
    let done = put_back(
        &manager,
        RECORD,
        &late,
        &[("fields", "content"), ("reason", "元が正しい")],
    );
    assert_eq!(done.status, 303, "{}", done.text());
}

#[test]
fn two_people_who_put_the_same_back_make_one_version() {
    let desk = Desk::new();
    desk.corrected("1", "昼に外へ出る");
    let (manager, city) = (desk.in_scene("manager"), desk.in_scene("city"));
    let (one, other) = (manager.get(RECORD), city.get(RECORD));
    let fields = [("fields", "content"), ("reason", "元が正しい")];
    assert_eq!(put_back(&manager, RECORD, &one, &fields).status, 303);
    let second = put_back(&city, RECORD, &other, &fields);
    assert_eq!(second.header("location"), "/consultations/1?done=again");
    assert!(!manager.get("/consultations/1").text().contains("第4版"));
}

#[test]
fn what_is_missing_in_the_form_is_asked_for_and_what_was_chosen_stays_chosen() {
    let desk = Desk::new();
    desk.corrected("1", "昼に外へ出る");
    let manager = desk.in_scene("manager");
    let page = manager.get(RECORD);
    let wrong = put_back(&manager, RECORD, &page, &[("fields", "content")]);
    assert_eq!(wrong.status, 422);
    assert!(wrong.text().contains("戻す理由を入力してください"));
    assert!(wrong.body.contains("value=\"content\" checked"));
    let nothing = put_back(&manager, RECORD, &page, &[("reason", "x")]);
    assert_eq!(nothing.status, 422);
    assert!(nothing.text().contains("戻す項目を選んでください"));
    desk.withdrawn();
    let page = manager.get(&format!("{RECORD}?on=R8.11.24&time=9:00"));
    let held = put_back(
        &manager,
        RECORD,
        &page,
        &[("fields", "content"), ("reason", "x")],
    );
    assert_eq!(held.status, 422, "{}", held.text());
    assert!(held.text().contains("「状態」も一緒に戻してください"));
}

#[test]
fn a_value_that_the_lists_lost_stays_out_and_is_named() {
    let desk = Desk::new();
    desk.house
        .execute("update consultation_versions set channel = '77' where version = 1");
    desk.corrected("1", "昼に外へ出る");
    let manager = desk.in_scene("manager");
    let page = manager.get(RECORD);
    let fields = [("fields", "channel"), ("reason", "x")];
    let wrong = put_back(&manager, RECORD, &page, &fields);
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert!(
        wrong
            .text()
            .contains("「相談方法」のその時点の値は、いまの一覧にありません")
    );
}

#[test]
fn whoever_does_not_see_the_record_today_sees_no_past_of_it() {
    let desk = Desk::new();
    desk.withdrawn();
    desk.attached();
    let other = desk.in_scene("other");
    for path in [RECORD, PERSON, FILE] {
        assert_eq!(other.get(path).status, 404, "{path}");
        // A page with the token of this session.
        other.get("/former-states");
        assert_eq!(
            other.get(&format!("{path}/comparison.pdf")).status,
            404,
            "{path}"
        );
        let fields = [("fields", "state"), ("reason", "x")];
        assert_eq!(other.post(path, &fields).status, 404, "{path}");
    }
    assert!(!other.get("/former-states").text().contains("重複"));
    for login in ["nurse", "system"] {
        let browser = desk.in_scene(login);
        assert_eq!(browser.get(RECORD).status, 403, "{login}");
        assert_eq!(browser.get("/former-states").status, 403, "{login}");
    }
}

#[test]
fn a_shielded_person_is_opened_with_a_reason_and_nothing_of_her_stands_before_it() {
    let desk = Desk::new();
    desk.corrected("1", "昼に外へ出る");
    desk.house
        .execute("update residents set shielded = 1 where id = 1");
    let city = desk.in_scene("city");
    // Nobody named her to the city's section: she does not exist for it either.
    assert_eq!(city.get(RECORD).status, 404);
    assert_eq!(city.get(PERSON).status, 404);
    let whom = "(select id from staff where login = 'city')";
    desk.house.execute(&format!(
        "insert into approvals values (1, 'x', '{{}}', '{{}}', '', '', 1, null, {whom}, '', '2026-12-01')"
    ));
    desk.house.execute(&format!(
        "insert into shield_grants values
           (1, 1, {whom}, '2026-11-24', '2026-12-24', '理由', 1, {whom}, '', 1)"
    ));
    for path in [RECORD, PERSON] {
        let asked = city.get(path);
        assert_eq!(asked.status, 200, "{path}");
        let text = asked.text();
        assert!(text.contains("開く理由") && !text.contains("架空") && !text.contains("外へ出る"));
        let look = [("step", "look"), ("at", ""), ("opening", "")];
        assert_eq!(city.post(path, &look).status, 422, "{path}");
        let opened = city.post(path, &[&look[..], &[("shield_reason", "agency")]].concat());
        assert_eq!(opened.status, 200, "{path}");
        let told = desk.house.detail("former_state_view");
        assert!(told.ends_with("shield=agency"), "{told}");
        let printed = city.get(&format!("{path}/comparison.pdf"));
        assert_eq!(printed.status, 303, "{path} is printed");
    }
    let page = city.post(RECORD, &[("step", "look"), ("shield_reason", "agency")]);
    let fields = [("fields", "content"), ("reason", "元が正しい")];
    let bare = put_back(&city, RECORD, &page, &fields);
    assert_eq!(bare.status, 422, "put back without the reason of the page");
    let all = [&fields[..], &[("shield_reason", "agency")]].concat();
    assert_eq!(put_back(&city, RECORD, &page, &all).status, 303);
}

#[test]
fn a_withdrawn_file_comes_back_with_its_content() {
    let desk = Desk::new();
    desk.attached();
    let manager = desk.in_scene("manager");
    let fields = [("withdrawal_reason", "別の方のもの")];
    manager.get("/attachments/1");
    assert_eq!(
        manager.post("/attachments/1/withdrawal", &fields).status,
        303
    );
    assert_eq!(manager.get("/attachments/1/file").status, 409);
    desk.later();
    let page = manager.get(FILE);
    assert!(page.text().contains("取消し") && page.text().contains("意見書"));
    let done = put_back(
        &manager,
        FILE,
        &page,
        &[("step", "whole"), ("reason", "同じ方だった")],
    );
    assert_eq!(
        done.header("location"),
        "/attachments/1?done=put-back",
        "{}",
        done.text()
    );
    assert_eq!(manager.get("/attachments/1/file").bytes, PDF);
    let told = desk.house.detail("former_state_put_back");
    assert!(
        told.contains("withdrawn→valid") && !told.contains("意見書"),
        "{told}"
    );
}

#[test]
fn a_bent_file_is_named_and_its_bytes_come_from_a_backup_by_their_hash() {
    let desk = Desk::new();
    desk.attached();
    let manager = desk.in_scene("manager");
    assert!(!manager.get(FILE).text().contains("壊れています"));
    base::paths::write_atomic(&desk.place_of_bytes(), b"%PDF-bent", 0o600).unwrap();
    assert!(
        manager
            .get(FILE)
            .text()
            .contains("失われているか、壊れています")
    );
    desk.past.write("bytes", b"something else");
    let wrong = manager.post(&format!("{FILE}/bytes"), &[]);
    assert_eq!(wrong.status, 500, "bytes of another hash are placed");
    desk.past.write("bytes", PDF);
    manager.get(FILE);
    let done = manager.post(&format!("{FILE}/bytes"), &[]);
    assert_eq!(
        done.header("location"),
        "/attachments/1?done=bytes-back",
        "{}",
        done.text()
    );
    assert_eq!(manager.get("/attachments/1/file").bytes, PDF);
    assert_eq!(desk.scratch(), 0, "a copy of the file stays behind");
    std::fs::remove_file(desk.past.dir.path().join("bytes")).unwrap();
    std::fs::remove_file(desk.place_of_bytes()).unwrap();
    manager.get(FILE);
    let nowhere = manager.post(&format!("{FILE}/bytes"), &[]);
    assert_eq!(nowhere.status, 409);
    assert!(
        nowhere.text().contains("どのバックアップにも"),
        "{}",
        nowhere.text()
    );
}

#[test]
fn a_corrected_telephone_number_goes_back_to_what_it_was_and_to_the_register() {
    let desk = Desk::new();
    desk.house
        .execute("update residents set phone = '0480000001' where id = 1");
    let manager = desk.in_scene("manager");
    let correct = |value: &str| {
        let page = manager.get("/residents/1/corrections/new?field=phone");
        let state = between(&page.body, "name=\"state\" value=\"", "\"").unwrap();
        let fields = [
            ("field", "phone"),
            ("state", state.as_str()),
            ("value", value),
            ("reason", "本人から"),
        ];
        let done = manager.post("/residents/1/corrections", &fields);
        assert_eq!(done.status, 303, "{}", done.text());
        desk.later();
    };
    correct("048-000-0002");
    correct("048-000-0003");
    let page = manager.get(PERSON);
    let text = page.text();
    assert!(
        text.contains("048-000-0002") && text.contains("048-000-0003"),
        "{text}"
    );
    let fields = [("fields", "phone"), ("reason", "前のが正しい")];
    let done = put_back(&manager, PERSON, &page, &fields);
    assert_eq!(
        done.header("location"),
        "/residents/1?done=put-back",
        "{}",
        done.text()
    );
    assert!(manager.get("/residents/1").text().contains("048-000-0002"));
    desk.later();
    let page = manager.get(&format!("{PERSON}?on=R8.11.24&time=9:00"));
    assert_eq!(put_back(&manager, PERSON, &page, &fields).status, 303);
    let open = "select count(*) from resident_correction_endings";
    assert_eq!(desk.house.count(open), 3, "every correction ended");
    assert!(manager.get("/residents/1").text().contains("048-000-0001"));
}

#[test]
fn a_copy_of_the_past_is_fetched_looked_into_and_gone_when_it_is_closed_or_not_used() {
    let desk = Desk::new();
    desk.copied();
    desk.corrected("1", "昼に外へ出る");
    let manager = desk.in_scene("manager");
    let page = manager.get("/former-states?moments=1").text();
    for word in [
        "「raid」",
        "hokatsu 9.0 以降",
        "「外付け」は、いま読めません",
        "逐次複製の",
    ] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let href = desk.opened(&manager, &[("origin", "raid:aaaa")]);
    let id = href.rsplit('/').next().unwrap().to_owned();
    assert_eq!(desk.scratch(), 1);
    let page = manager.get(&format!("{RECORD}?opening={id}"));
    let text = page.text();
    assert!(
        text.contains("バックアップ「raid」の R8.11.24 09:00:00 の控え"),
        "{text}"
    );
    assert!(
        text.contains("夜に外へ出る") && text.contains("昼に外へ出る"),
        "{text}"
    );
    let fields = [("fields", "content"), ("reason", "控えのとおり")];
    let done = put_back(&manager, RECORD, &page, &fields);
    assert_eq!(done.status, 303, "{}", done.text());
    let told = desk.house.detail("former_state_put_back");
    assert!(told.contains("from=snapshot=raid aaaa"), "{told}");
    // Whoever does not see her today does not see her in the copy either.
    let other = desk.in_scene("other");
    assert_eq!(other.get(&format!("{RECORD}?opening={id}")).status, 404);
    manager.get("/former-states");
    assert_eq!(manager.post(&format!("{href}/closing"), &[]).status, 303);
    assert_eq!(desk.scratch(), 0);
    let closed = manager.get(&format!("{RECORD}?opening={id}")).text();
    assert!(closed.contains("もう開いていません"), "{closed}");
    desk.opened(&manager, &[("origin", "raid:aaaa")]);
    desk.house.hand.step(SignedDuration::from_mins(14));
    manager.get("/former-states");
    assert_eq!(desk.scratch(), 1);
    desk.house.hand.step(SignedDuration::from_mins(2));
    desk.house
        .app()
        .openings()
        .sweep(desk.house.app().clock().now());
    assert_eq!(desk.scratch(), 0, "a copy that nobody uses stays");
}

#[test]
fn what_cannot_be_opened_says_so_and_nothing_stays_behind() {
    let desk = Desk::new();
    desk.copied();
    let manager = desk.in_scene("manager");
    let broken = desk.opened(&manager, &[("origin", "raid:broken")]);
    assert!(manager.get(&broken).text().contains("取り出せませんでした"));
    let open = |fields: &[(&str, &str)]| {
        manager.get("/former-states?moments=1");
        manager.post("/former-states/openings", fields)
    };
    assert_eq!(
        open(&[("origin", "raid:aaaa")]).status,
        422,
        "without a reason"
    );
    let newer = open(&[("origin", "usb:later"), ("reason", "x")]);
    assert_eq!(newer.status, 422);
    assert!(newer.text().contains("新しい版"), "{}", newer.text());
    assert_eq!(
        open(&[("origin", "raid:nothing"), ("reason", "x")]).status,
        422
    );
    let day = [
        ("origin", "shipped"),
        ("on", "R8.11.1"),
        ("time", "9:00"),
        ("reason", "x"),
    ];
    let early = open(&day);
    assert_eq!(early.status, 422);
    assert!(early.text().contains("その時点より後のものしかありません"));
    desk.opened(&manager, &[("origin", "raid:aaaa")]);
    let day = [("origin", "shipped"), ("on", "R8.11.22"), ("time", "9:00")];
    desk.opened(&manager, &day);
    let other = [
        ("origin", "shipped"),
        ("on", "R8.11.22"),
        ("time", "9:01"),
        ("reason", "x"),
    ];
    let third = open(&other);
    assert_eq!(third.status, 422);
    assert!(
        third.text().contains("同時に開ける控えは2つまで"),
        "{}",
        third.text()
    );
}

#[test]
fn a_lost_consultation_is_found_in_a_copy_and_comes_back_once_under_its_number() {
    let desk = Desk::new();
    desk.corrected("1", "昼に外へ出る");
    desk.copied();
    for table in ["categories", "responses"] {
        desk.house
            .execute(&format!("delete from consultation_{table}"));
    }
    for table in ["versions", "clients"] {
        desk.house
            .execute(&format!("delete from consultation_{table}"));
    }
    desk.house.execute("delete from consultations");
    let manager = desk.in_scene("manager");
    let href = desk.opened(&manager, &[("origin", "raid:aaaa")]);
    let list = manager.get(&href);
    assert!(list.text().contains("R8-000001"), "{}", list.text());
    let lost = format!("{href}/consultations/R8-000001");
    let page = manager.get(&lost).text();
    assert!(
        page.contains("昼に外へ出る") && page.contains("架空 1郎"),
        "{page}"
    );
    let other = desk.in_scene("other");
    assert!(!other.get(&href).text().contains("R8-000001"));
    assert_eq!(other.get(&lost).status, 404);
    manager.get(&lost);
    assert_eq!(manager.post(&lost, &[]).status, 422);
    let done = manager.post(&lost, &[("reason", "消えていた")]);
    assert_eq!(done.status, 303, "{}", done.text());
    let record = manager.get(done.header("location")).text();
    for word in ["R8-000001", "昼に外へ出る", "第1版", "試験 nurse"] {
        assert!(record.contains(word), "{word}: {record}");
    }
    assert_eq!(manager.post(&lost, &[("reason", "もう一度")]).status, 404);
}

#[test]
fn what_was_disposed_of_does_not_come_back() {
    let desk = Desk::new();
    desk.copied();
    // As disposal does it: the number stays, the words go.
    for table in ["categories", "responses"] {
        desk.house
            .execute(&format!("delete from consultation_{table}"));
    }
    for table in ["clients", "versions"] {
        desk.house
            .execute(&format!("delete from consultation_{table}"));
    }
    let manager = desk.in_scene("manager");
    let href = desk.opened(&manager, &[("origin", "raid:aaaa")]);
    assert!(!manager.get(&href).text().contains("R8-000001"));
    assert_eq!(
        manager
            .get(&format!("{href}/consultations/R8-000001"))
            .status,
        404
    );
    assert_eq!(manager.get(&format!("{RECORD}?opening=1")).status, 404);
}

#[test]
fn the_comparison_is_printed_with_an_entry() {
    let desk = Desk::new();
    desk.corrected("1", "昼に外へ出る");
    let manager = desk.in_scene("manager");
    let page = manager.get(&format!("{RECORD}/comparison.pdf"));
    let printed = (page.status, page.bytes.get(..5));
    assert_eq!(printed, (200, Some(b"%PDF-".as_slice())), "{}", page.text());
    assert!(
        desk.house
            .detail("former_state_print")
            .starts_with("own at=")
    );
}
