//! Consultations through their own routes, on a real file.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base::clock::{Clock, ClockHand};
use jiff::SignedDuration;
use jiff::civil::date;
use store::{
    Actor, CentreId, DataDir, Db, Event, Operation, ResidentId, Scope, SystemReason, params,
};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::{Entry, HistoryRow, insert_history_all};
use crate::app::{App, ServerSettings};
use crate::features::staff::{self, Login, NewStaff};
use crate::web::{Problem, Role, session};

const CODES: &[(&str, &str, &str)] = &[
    ("consultation_channel", "01", "電話"),
    ("consultation_channel", "02", "来所"),
    ("caller_kind", "01", "本人"),
    ("caller_kind", "03", "子"),
    ("consultation_category", "01", "介護保険申請"),
    ("consultation_category", "09", "認知症"),
    ("consultation_response", "01", "傾聴・助言"),
    ("urgency", "A", "A 緊急"),
    ("urgency", "C", "C 通常"),
    ("consultation_outcome", "1", "継続"),
    ("consultation_outcome", "4", "終結"),
    ("closing_reason", "01", "解決"),
    ("number_kind", "receipt", "受付の番号"),
];

const HERE: i64 = 1;
const ELSEWHERE: i64 = 2;
/// A resident of this centre, one of the other, and one of this centre who is shielded.
const OURS: i64 = 1;
const THEIRS: i64 = 2;
const SHIELDED: i64 = 3;

struct House {
    app: App,
    hand: ClockHand,
    _dir: TempDir,
}

struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
    bytes: Vec<u8>,
}

impl Page {
    fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
    }

    fn input(&self, name: &str) -> String {
        let (_, after) = self
            .text
            .split_once(&format!("name=\"{name}\" value=\""))
            .expect("an input");
        after.split_once('"').expect("its end").0.to_owned()
    }
}

struct Clerk {
    router: Router,
    cookie: String,
    csrf: String,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let (clock, hand) = Clock::stepped(Clock::on_day(date(2026, 11, 20)).now());
        let db = Db::create(&DataDir::new(dir.path().join("data")), clock).expect("a database");
        fill(&db);
        Self {
            app: App::new(db, ServerSettings::standard()),
            hand,
            _dir: dir,
        }
    }

    fn clerk(&self, login: &str, role: Role, centre: Option<i64>) -> Clerk {
        let new = NewStaff {
            login: Login::new(login),
            name: format!("職員{login}"),
            kana: "ショクイン".to_owned(),
            role,
            job: "保健師".to_owned(),
            centre_id: centre.map(CentreId),
            starts_on: date(2020, 4, 1),
            password: "さくら並木を朝に歩く七時".to_owned(),
            must_change_password: false,
        };
        let id = staff::add(self.app.db(), &Actor::system("test"), &new).expect("staff");
        let session = session::start(self.app.db(), id, "test").expect("a session");
        Clerk {
            router: crate::web::router(&self.app, &App::routes()),
            cookie: format!("{}={}", session::COOKIE, session.token),
            csrf: session.csrf_token(),
        }
    }

    fn nurse(&self) -> Clerk {
        self.clerk("nurse", Role::Nurse, Some(HERE))
    }

    fn count(&self, sql: &str) -> i64 {
        let read: Result<i64, store::StoreError> = self
            .app
            .db()
            .system_read(SystemReason::Backup, |tx| tx.count(sql, []));
        read.expect("a count")
    }
}

fn fill(db: &Db) {
    let resident =
        "insert into residents values (?1, ?2, 'H1', '本人', ?3, 'ヤマノ ハルコ', '', '',
        '', '', '1937-03-04', '', '2', '1', '1', '3510114', 'A1', '本町1-1', '', '0480000000', ?4,
        null, null, '', '', '', null, '', ?5, null, 0, 1)";
    let done: Result<(), Problem> = db.system(&Actor::system("test"), SystemReason::Demo, |tx| {
        for (id, name) in [(HERE, "中央"), (ELSEWHERE, "南")] {
            let sql =
                "insert into support_centres values (?, ?, ?, ?, '', '2006-04-01', null, '', 0)";
            tx.execute(sql, params![id, format!("010{id}"), name, name])?;
        }
        for (position, (list, code, label)) in (1_i64..).zip(CODES) {
            let sql = "insert into codes values (null, ?, ?, ?, ?, '2006-04-01', null, '', 0)";
            tx.execute(sql, params![list, code, label, position])?;
        }
        let import = "insert into imports values
            (1, 'residents', '', 0, 'utf8', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, '2026-11-01')";
        tx.execute(import, [])?;
        tx.execute(resident, params![OURS, "1001", "山野 ハル子", HERE, 0])?;
        tx.execute(resident, params![THEIRS, "1002", "川辺 正一", ELSEWHERE, 0])?;
        tx.execute(resident, params![SHIELDED, "1003", "石塚 ミツ", HERE, 1])?;
        Ok(tx.audited(Event::done(Operation::SetUp), ()))
    });
    done.expect("the house is filled");
}

impl Clerk {
    fn get(&self, address: &str) -> Page {
        self.send(Method::GET, address, None)
    }

    fn post(&self, address: &str, fields: &[(&str, &str)]) -> Page {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", &self.csrf).extend_pairs(fields);
        self.send(Method::POST, address, Some(form.finish()))
    }

    fn send(&self, method: Method, address: &str, body: Option<String>) -> Page {
        let request = Request::builder()
            .method(method)
            .uri(address)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body.map_or_else(Body::empty, Body::from))
            .expect("a request");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let response = self
                .router
                .clone()
                .oneshot(request)
                .await
                .expect("an answer");
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, 64 << 20).await.expect("a page").to_vec();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Page {
                status: parts.status,
                headers: parts.headers,
                text,
                bytes,
            }
        })
    }

    /// Writes one record about our resident; the address of the record.
    fn write(&self, changes: &[(&str, &str)]) -> String {
        let resident = OURS.to_string();
        let page = self.post(
            "/consultations",
            &typed(&[&[("resident", &*resident)], changes].concat()),
        );
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        page.location()
            .split_once('?')
            .expect("a flash")
            .0
            .to_owned()
    }
}

/// A form that can be saved, with some fields replaced.
fn typed<'t>(changes: &[(&'t str, &'t str)]) -> Vec<(&'t str, &'t str)> {
    let usual = [
        ("received_on", "R8.11.20"),
        ("started_at", "10:05"),
        ("ended_at", "10:30"),
        ("minutes", ""),
        ("channel", "01"),
        ("caller_kind", "03"),
        ("caller_name", "田所 由美"),
        ("urgency", "C"),
        ("categories", "01"),
        ("categories", "09"),
        ("content", "物忘れが進む。"),
        ("response", "申請を説明した。"),
        ("responses", "01"),
        ("outcome", "1"),
    ];
    let kept = usual
        .into_iter()
        .filter(|(name, _)| !changes.iter().any(|(new, _)| new == name));
    kept.chain(changes.iter().copied()).collect()
}

#[test]
fn a_consultation_is_written_with_its_number_and_minutes_and_shown() {
    let house = House::new();
    let clerk = house.nurse();
    let address = clerk.write(&[]);
    let page = clerk.get(&address);
    assert_eq!(page.status, StatusCode::OK);
    for words in [
        "R8-000001",
        "山野 ハル子",
        "介護保険申請、認知症",
        "物忘れが進む。",
        "25",
    ] {
        assert!(page.text.contains(words), "{words} is missing");
    }
    let audited = "select count(*) from audit_entries where resident_id = 1
        and operation in ('consultation_create', 'consultation_view')";
    assert_eq!(house.count(audited), 2);
}

#[test]
fn a_form_sent_twice_is_one_record_and_the_second_answer_leads_to_the_first() {
    let house = House::new();
    let clerk = house.nurse();
    let token = clerk
        .get("/consultations/new?resident=1")
        .input("submission");
    let form = typed(&[("resident", "1"), ("submission", &token)]);
    let first = clerk.post("/consultations", &form);
    let second = clerk.post("/consultations", &form);
    assert!(
        second.location().ends_with("?done=again"),
        "{}",
        second.location()
    );
    assert_eq!(
        first.location().split('?').next(),
        second.location().split('?').next()
    );
    assert_eq!(house.count("select count(*) from consultations"), 1);
}

#[test]
fn an_incomplete_form_comes_back_with_every_problem_and_every_word() {
    let house = House::new();
    let clerk = house.nurse();
    let page = clerk.post(
        "/consultations",
        &[
            ("received_on", "R8.2.30"),
            ("started_at", "11:00"),
            ("ended_at", "10:00"),
            ("caller_name", "田所 由美"),
            ("response", "途中まで書いた文"),
        ],
    );
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for words in [
        "R8.2.30",
        "田所 由美",
        "途中まで書いた文",
        "href=\"#received_on\"",
        "href=\"#ended_at\"",
        "href=\"#categories\"",
        "href=\"#content\"",
        "href=\"#urgency\"",
    ] {
        assert!(page.text.contains(words), "{words} is missing");
    }
    assert_eq!(house.count("select count(*) from consultations"), 0);
}

#[test]
fn a_code_that_no_list_knows_is_refused() {
    let house = House::new();
    let page = house
        .nurse()
        .post("/consultations", &typed(&[("categories", "99")]));
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn closing_needs_its_reason() {
    let house = House::new();
    let clerk = house.nurse();
    let page = clerk.post("/consultations", &typed(&[("outcome", "4")]));
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = clerk.post(
        "/consultations",
        &typed(&[("outcome", "4"), ("closing_reason", "01")]),
    );
    assert_eq!(page.status, StatusCode::SEE_OTHER);
}

#[test]
fn a_hundred_thousand_characters_fit_and_one_more_is_told_and_kept() {
    let house = House::new();
    let clerk = house.nurse();
    let full = "あ".repeat(100_000);
    clerk.write(&[("content", &full), ("response", &full)]);
    let over = format!("{full}終");
    let page = clerk.post("/consultations", &typed(&[("content", &over)]));
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("100001文字あります") && page.text.contains(&over));
}

#[test]
fn twelve_digits_that_pass_as_a_my_number_are_saved_with_a_reason_and_an_entry_only() {
    let house = House::new();
    let clerk = house.nurse();
    let text = "控えの番号は １２３４-５６７８-９０１８ です";
    let page = clerk.post("/consultations", &typed(&[("content", text)]));
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("href=\"#content\"") && page.text.contains("href=\"#number_kind\""));
    assert!(page.text.contains(text), "what was typed is lost");
    let odd = [("content", text), ("number_kind", "because")];
    let page = clerk.post("/consultations", &typed(&odd));
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.count("select count(*) from consultations"), 0);
    let said = [("content", text), ("number_kind", "receipt")];
    let page = clerk.post("/consultations", &typed(&said));
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
    let entry = "select count(*) from audit_entries where operation = 'consultation_create'
        and detail = 'my_number=receipt fields=content'";
    assert_eq!(house.count(entry), 1);
    let address = page.location().split('?').next().unwrap_or_default();
    let reason = [("reason", "番号 123456789018 の件")];
    let page = clerk.post(&format!("{address}/withdrawal"), &reason);
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn emoji_private_characters_and_script_text_come_back_as_they_were_typed() {
    let house = House::new();
    let clerk = house.nurse();
    let address = clerk.write(&[(
        "content",
        "👵🏽 \u{E000}\u{9089}\u{E0101} '\"><script>alert(1)</script>",
    )]);
    let page = clerk.get(&address);
    assert!(page.text.contains("👵🏽 \u{E000}\u{9089}\u{E0101}"));
    assert!(!page.text.contains("<script>alert") && page.text.contains("script&#62;"));
}

#[test]
fn a_correction_keeps_the_former_version_readable_with_what_differs() {
    let house = House::new();
    let clerk = house.nurse();
    let address = clerk.write(&[]);
    let form = typed(&[
        ("base_version", "1"),
        ("urgency", "A"),
        ("reason", "緊急度の付けまちがい"),
    ]);
    let done = clerk.post(&format!("{address}/versions"), &form);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.text);
    let now = clerk.get(&address);
    assert!(now.text.contains("<del>C 通常</del>") && now.text.contains("<ins>A 緊急</ins>"));
    let former = clerk.get(&format!("{address}/versions/1"));
    assert!(former.text.contains("C 通常") && former.text.contains("前の版を読んでいます"));
    assert_eq!(
        clerk.get(&format!("{address}/versions/9")).status,
        StatusCode::NOT_FOUND
    );
}

#[test]
fn a_correction_without_reason_is_refused() {
    let house = House::new();
    let clerk = house.nurse();
    let address = clerk.write(&[]);
    let page = clerk.post(
        &format!("{address}/versions"),
        &typed(&[("base_version", "1")]),
    );
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.text.contains("href=\"#reason\""));
}

#[test]
fn a_stale_correction_shows_both_versions_and_can_then_be_saved() {
    let house = House::new();
    let clerk = house.nurse();
    let address = format!("{}/versions", clerk.write(&[]));
    let change = |base: &str, content: &str| {
        clerk.post(
            &address,
            &typed(&[
                ("base_version", base),
                ("content", content),
                ("reason", "追記"),
            ]),
        )
    };
    assert_eq!(change("1", "先の人の文").status, StatusCode::SEE_OTHER);
    let late = change("1", "後の人の文");
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.text.contains("先の人の文") && late.text.contains("後の人の文"));
    assert_eq!(late.input("base_version"), "2");
    assert_eq!(change("2", "後の人の文").status, StatusCode::SEE_OTHER);
    assert_eq!(house.count("select count(*) from consultation_versions"), 3);
}

#[test]
fn a_withdrawn_record_is_marked_readable_and_frozen() {
    let house = House::new();
    let clerk = house.nurse();
    let address = clerk.write(&[("next_action", "電話"), ("next_due_on", "R8.11.27")]);
    let withdrawal = format!("{address}/withdrawal");
    assert_eq!(
        clerk.post(&withdrawal, &[]).status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        clerk
            .post(&withdrawal, &[("reason", "二重に記録した")])
            .status,
        StatusCode::SEE_OTHER
    );
    let page = clerk.get(&address);
    assert!(page.text.contains("取り下げられています") && page.text.contains("二重に記録した"));
    assert!(page.text.contains("物忘れが進む。"));
    for (path, fields) in [
        (
            "/versions",
            typed(&[("base_version", "1"), ("reason", "x")]),
        ),
        ("/withdrawal", vec![("reason", "もう一度")]),
        ("/client", vec![("resident", "1")]),
        ("/follow-up", vec![("note", "電話した")]),
    ] {
        assert_eq!(
            clerk.post(&format!("{address}{path}"), &fields).status,
            StatusCode::CONFLICT,
            "{path}"
        );
    }
    assert_eq!(
        clerk.get(&format!("{address}/edit")).status,
        StatusCode::CONFLICT
    );
}

#[test]
fn outside_the_scope_there_is_no_record_and_nobody_to_write_about() {
    let house = House::new();
    let address = house.nurse().write(&[]);
    let other = house.clerk("other", Role::Nurse, Some(ELSEWHERE));
    for path in [
        "",
        "/versions/1",
        "/edit",
        "/withdrawal",
        "/client",
        "/slip.pdf",
    ] {
        assert_eq!(
            other.get(&format!("{address}{path}")).status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
    let form = typed(&[
        ("base_version", "1"),
        ("reason", "x"),
        ("note", "x"),
        ("resident", "2"),
    ]);
    for path in ["/versions", "/withdrawal", "/client", "/follow-up"] {
        let page = other.post(&format!("{address}{path}"), &form);
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(other.get("/consultations").text.contains("0件"));
    for resident in [OURS, SHIELDED, 99] {
        let page = other.get(&format!("/consultations/new?resident={resident}"));
        assert_eq!(page.status, StatusCode::NOT_FOUND, "resident {resident}");
        let form = typed(&[("resident", "1")]);
        assert_eq!(
            other.post("/consultations", &form).status,
            StatusCode::NOT_FOUND
        );
    }
}

#[test]
fn a_record_of_the_city_has_no_centre_and_no_centre_sees_it_without_its_person() {
    let house = House::new();
    let city = house.clerk("city", Role::CityLongevity, None);
    let done = city.post("/consultations", &typed(&[("client_name", "不明の女性")]));
    let address = done
        .location()
        .split_once('?')
        .expect("a flash")
        .0
        .to_owned();
    assert_eq!(
        house.count("select count(*) from consultations where centre_id is null"),
        1
    );
    assert!(city.get(&address).text.contains("不明の女性"));
    assert_eq!(house.nurse().get(&address).status, StatusCode::NOT_FOUND);
}

#[test]
fn somebody_unknown_is_identified_by_number_within_the_scope_only() {
    let house = House::new();
    let clerk = house.nurse();
    let done = clerk.post("/consultations", &typed(&[("client_name", "ハルさん")]));
    let address = done
        .location()
        .split_once('?')
        .expect("a flash")
        .0
        .to_owned();
    assert!(
        clerk
            .get(&format!("{address}/client?number=1001"))
            .text
            .contains("山野 ハル子")
    );
    for outside in ["1002", "1003"] {
        let page = clerk.get(&format!("{address}/client?number={outside}"));
        assert!(page.text.contains("その番号の人はいません"));
    }
    assert_eq!(
        clerk
            .post(&format!("{address}/client"), &[("resident", "2")])
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        clerk
            .post(&format!("{address}/client"), &[("resident", "1")])
            .status,
        StatusCode::SEE_OTHER
    );
    assert!(clerk.get(&address).text.contains("山野 ハル子"));
}

#[test]
fn a_done_next_action_leaves_the_list_and_a_new_one_comes_back() {
    let house = House::new();
    let clerk = house.nurse();
    let address = clerk.write(&[("next_action", "電話"), ("next_due_on", "R8.11.27")]);
    for (due, count) in [("1", 1), ("overdue", 0), ("today", 0)] {
        let list = clerk.get(&format!("/consultations?due={due}"));
        assert!(list.text.contains(&format!("{count}件、")), "{due}");
    }
    house.hand.step(SignedDuration::from_hours(24 * 7));
    let clerk = house.clerk("nurse2", Role::Nurse, Some(HERE));
    assert!(clerk.get("/consultations?due=today").text.contains("1件、"));
    house.hand.step(SignedDuration::from_hours(24));
    let clerk = house.clerk("nurse3", Role::Nurse, Some(HERE));
    assert!(
        clerk
            .get("/consultations?due=overdue")
            .text
            .contains("1件、")
    );
    let done = clerk.post(&format!("{address}/follow-up"), &[("note", "電話した")]);
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    assert!(clerk.get("/consultations?due=1").text.contains("0件、"));
    let change = |base: &str, due: &str| {
        let form = typed(&[
            ("base_version", base),
            ("reason", "x"),
            ("next_action", "電話"),
            ("next_due_on", due),
        ]);
        clerk.post(&format!("{address}/versions"), &form)
    };
    // A correction that leaves the next action alone does not reopen it.
    assert_eq!(change("1", "R8.11.27").status, StatusCode::SEE_OTHER);
    assert!(clerk.get("/consultations?due=1").text.contains("0件、"));
    assert_eq!(change("2", "R8.12.4").status, StatusCode::SEE_OTHER);
    assert!(clerk.get("/consultations?due=1").text.contains("1件、"));
}

#[test]
fn a_draft_is_kept_offered_back_and_gone_when_saved() {
    let house = House::new();
    let clerk = house.nurse();
    let kept = clerk.post(
        "/drafts",
        &[("draft_key", "new-1"), ("content", "書きかけ <b>")],
    );
    assert_eq!(kept.status, StatusCode::NO_CONTENT);
    let offer = clerk.get("/consultations/new?resident=1");
    assert!(offer.text.contains("下書きがあります") && offer.text.contains("書きかけ &#60;b&#62;"));
    assert!(
        clerk
            .get("/consultations/new?resident=1&draft=1")
            .text
            .contains("書きかけ")
    );
    assert!(!clerk.get("/consultations/new").text.contains("書きかけ"));
    let other = house.clerk("second", Role::Nurse, Some(HERE));
    assert!(
        !other
            .get("/consultations/new?resident=1")
            .text
            .contains("書きかけ")
    );
    clerk.write(&[]);
    assert_eq!(house.count("select count(*) from drafts"), 0);
}

#[test]
fn the_draft_button_works_without_the_script_and_discard_throws_away() {
    let house = House::new();
    let clerk = house.nurse();
    let kept = clerk.post(
        "/drafts",
        &[
            ("draft_key", "new"),
            ("step", "keep"),
            ("content", "書きかけ"),
        ],
    );
    assert_eq!(kept.location(), "/consultations/new?draft=1&kept=1");
    assert!(
        clerk
            .get(kept.location())
            .text
            .contains("下書きを保存しました")
    );
    clerk.post("/drafts", &[("draft_key", "new"), ("step", "discard")]);
    assert_eq!(house.count("select count(*) from drafts"), 0);
    assert_eq!(
        clerk.post("/drafts", &[("draft_key", "//x")]).status,
        StatusCode::NOT_FOUND
    );
}

#[test]
fn words_typed_into_an_expired_session_come_back_on_the_sign_in_page_and_after_it() {
    let house = House::new();
    let clerk = house.nurse();
    house.hand.step(SignedDuration::from_hours(13));
    let page = clerk.post(
        "/consultations",
        &typed(&[("content", "切れる前に書いた長い文")]),
    );
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.text.contains("切れる前に書いた長い文"));
    assert_eq!(page.input("resume_path"), "/consultations");
    assert_eq!(house.count("select count(*) from consultations"), 0);
}

#[test]
fn filters_and_counts_tell_the_same() {
    let house = House::new();
    let clerk = house.nurse();
    clerk.write(&[]);
    clerk.write(&[
        ("channel", "02"),
        ("received_on", "R8.11.1"),
        ("content", "転んだ"),
    ]);
    clerk.write(&[
        ("outcome", "4"),
        ("closing_reason", "01"),
        ("categories", "09"),
    ]);
    let gone = clerk.write(&[]);
    clerk.post(&format!("{gone}/withdrawal"), &[("reason", "誤り")]);
    for (query, count) in [
        ("", 3),
        ("channel=02", 1),
        ("from=R8.11.10", 2),
        ("to=2026-11-10", 1),
        ("categories=01", 2),
        ("categories=09", 3),
        ("urgency=A", 0),
        ("outcome=4", 1),
        ("open=1", 2),
        ("mine=1", 3),
        ("resident=1", 3),
        ("resident=2", 0),
        ("centre=1", 3),
        ("centre=2", 0),
        ("withdrawn=with", 4),
        ("withdrawn=only", 1),
        ("text=%E8%BB%A2%E3%82%93%E3%81%A0", 1),
        ("due=1", 0),
    ] {
        let page = clerk.get(&format!("/consultations?{query}"));
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(
            page.text.contains(&format!("<p>{count}件、")),
            "{query}: not {count}"
        );
        assert_eq!(page.text.matches("data-row").count(), count, "{query}");
    }
}

#[test]
fn delivered_records_are_listed_page_by_page() {
    let house = House::new();
    let rows: Vec<HistoryRow> = (0..120)
        .map(|number| HistoryRow {
            number: format!("旧-{number}"),
            centre_id: Some(CentreId(HERE)),
            resident_id: Some(ResidentId(OURS)),
            written_by: None,
            recorded_at: "2025-04-01T00:00:00Z".to_owned(),
            entry: Entry {
                received_on: date(2025, 4, 1),
                channel: "01".to_owned(),
                outcome: "4".to_owned(),
                minutes: Some(10),
                categories: vec!["01".to_owned()],
                ..Entry::default()
            },
        })
        .collect();
    let done = house
        .app
        .db()
        .system(&Actor::system("test"), SystemReason::Import, |tx| {
            let ids = insert_history_all(tx, &rows)?;
            Ok::<_, store::StoreError>(tx.audited(Event::done(Operation::Import), ids.len()))
        });
    assert_eq!(done.expect("the history"), 120);
    let clerk = house.nurse();
    let of_late = clerk.get("/consultations");
    assert!(of_late.text.contains("0件、") && of_late.text.contains("value=\"R8.8.20\""));
    let first = clerk.get("/consultations?from=");
    assert!(first.text.contains("120件、延べ 1200分") && first.text.contains("1～50件目"));
    let last = clerk.get("/consultations?page=3");
    assert_eq!(last.text.matches("data-row").count(), 20);
    assert!(last.text.contains("旧システム"));
    clerk.write(&[]);
    assert_eq!(
        house.count("select count(*) from consultations where number = 'R8-000121'"),
        1
    );
}

#[test]
fn the_slip_is_a_pdf_or_says_which_fonts_are_missing() {
    let house = House::new();
    let clerk = house.nurse();
    let address = clerk.write(&[("next_action", "電話"), ("next_due_on", "R8.11.27")]);
    let page = clerk.get(&format!("{address}/slip.pdf"));
    if house.app.fonts().is_ok() {
        assert!(page.bytes.starts_with(b"%PDF"), "{}", page.status);
        let printed = "select count(*) from audit_entries where operation = 'consultation_print'
            and resident_id = 1";
        assert_eq!(house.count(printed), 1);
    } else {
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(page.text.contains("apt-get install fonts-"));
    }
}

#[test]
fn who_may_only_read_gets_no_form() {
    let house = House::new();
    let welfare = house.clerk("welfare", Role::CityWelfare, None);
    assert_eq!(welfare.get("/consultations").status, StatusCode::OK);
    assert_eq!(
        welfare.get("/consultations/new").status,
        StatusCode::CONFLICT,
        "about somebody referred to the section only"
    );
    let admin = house.clerk("admin", Role::SystemAdmin, None);
    assert_eq!(admin.get("/consultations").status, StatusCode::FORBIDDEN);
    let scope = Actor {
        scope: Scope::Nothing,
        ..Actor::system("test")
    };
    let seen: Result<i64, store::StoreError> = house.app.db().read(&scope, |tx| {
        tx.count("select count(*) from visible_consultations", [])
    });
    assert_eq!(seen.expect("a count"), 0);
}
