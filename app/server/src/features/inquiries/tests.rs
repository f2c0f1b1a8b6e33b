//! Inquiries through their own routes, on a real database file with invented people.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use base::clock::{Clock, ClockHand};
use jiff::SignedDuration;
use jiff::civil::date;
use store::{
    Actor, CentreId, DataDir, Db, Event, Operation, ResidentId, StoreError, SystemReason, WriteTx,
    params,
};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::app::{App, ServerSettings};
use crate::features::imports::reindex;
use crate::features::staff::{self, Login, NewStaff};
use crate::web::{Role, session};

const HERE: i64 = 1;
const ELSEWHERE: i64 = 2;
const THIRD: i64 = 3;

/// id, name, kana, born, state, centre, shielded
const PEOPLE: &[(i64, &str, &str, &str, &str, i64, i64)] = &[
    (
        1,
        "山田　花子",
        "ヤマダ　ハナコ",
        "1937-03-04",
        "1",
        HERE,
        0,
    ),
    (
        2,
        "川辺　正一",
        "カワベ　ショウイチ",
        "1940-05-06",
        "1",
        ELSEWHERE,
        0,
    ),
    (
        3,
        "石塚　ミツ",
        "イシヅカ　ミツ",
        "1935-01-01",
        "1",
        ELSEWHERE,
        1,
    ),
    // Namesakes born on one day: two at one centre, one at a third, one shielded, one here.
    (
        4,
        "鈴木　キヨ",
        "スズキ　キヨ",
        "1938-08-08",
        "1",
        ELSEWHERE,
        0,
    ),
    (
        5,
        "鈴木　清",
        "スズキ　キヨ",
        "1938-08-08",
        "1",
        ELSEWHERE,
        0,
    ),
    (6, "鈴木　喜代", "スズキ　キヨ", "1938-08-08", "1", THIRD, 0),
    (7, "鈴木　きよ", "スズキ　キヨ", "1938-08-08", "1", THIRD, 1),
    (8, "鈴木　希代", "スズキ　キヨ", "1938-08-08", "1", HERE, 0),
    (
        9,
        "中村　サダ",
        "ナカムラ　サダ",
        "1930-02-02",
        "3",
        ELSEWHERE,
        0,
    ),
    (10, "林　ハル", "ハヤシ　ハル", "1936-06-06", "1", HERE, 1),
];

struct House {
    app: App,
    hand: ClockHand,
    _dir: TempDir,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let (clock, hand) = Clock::stepped(Clock::on_day(date(2026, 11, 20)).now());
        let db = Db::create(&DataDir::new(dir.path().join("data")), clock).unwrap();
        let done: Result<(), StoreError> =
            db.system(&Actor::system("test"), SystemReason::Demo, |tx| {
                fill(tx)?;
                Ok(tx.audited(Event::done(Operation::SetUp), ()))
            });
        done.unwrap();
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
        let id = staff::add(self.app.db(), &Actor::system("test"), &new)
            .map_err(|_problem| "staff")
            .unwrap();
        let session = session::start(self.app.db(), id, "test")
            .map_err(|_problem| "session")
            .unwrap();
        Clerk {
            router: crate::web::router(&self.app, &App::routes()),
            cookie: format!("{}={}", session::COOKIE, session.token),
            csrf: session.csrf_token(),
        }
    }

    fn nurse(&self) -> Clerk {
        self.clerk("nurse", Role::Nurse, Some(HERE))
    }

    /// Outcome, detail and resident of every inquiry, in order.
    fn logged(&self) -> Vec<String> {
        let sql = "select outcome || ' ' || detail || ' ' || coalesce(resident_id, '-')
            from audit_entries where operation = 'resident_inquiry' order by id";
        let read: Result<Vec<String>, StoreError> = self
            .app
            .db()
            .system_read(SystemReason::Demo, |tx| tx.all(sql, [], |row| row.get(0)));
        read.unwrap()
    }
}

fn fill(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    for (id, name, phone) in [
        (HERE, "中央地域包括支援センター", "048-000-0001"),
        (ELSEWHERE, "南地域包括支援センター", "048-000-0002"),
        (THIRD, "北地域包括支援センター", ""),
    ] {
        let sql = "insert into support_centres values (?, ?, ?, ?, ?, '2006-04-01', null, '', 0)";
        tx.execute(sql, params![id, format!("010{id}"), name, name, phone])?;
    }
    for (code, label) in [("01", "電話相談を受けた"), ("09", "その他（理由を入力）")]
    {
        let sql =
            "insert into codes values (null, 'inquiry_reason', ?, ?, 1, '2006-04-01', null, '', 0)";
        tx.execute(sql, params![code, label])?;
    }
    let import = "insert into imports values
        (1, 'residents', '', 0, 'utf8', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, '2026-11-01')";
    tx.execute(import, [])?;
    for (id, name, kana, born, state, centre, shielded) in PEOPLE {
        let sql = "insert into residents values (?1, ?2, 'H1', '本人', ?3, ?4, '', '', '', '', ?5, '',
            '2', '1', ?6, '3510114', 'A1', '埼玉県和光市秘密町1-1', '', '0481234567', ?7, null, null,
            '', '', '', null, '', ?8, null, 0, 1)";
        let number = format!("{:010}", 1000 + id);
        tx.execute(
            sql,
            params![id, number, name, kana, born, state, centre, shielded],
        )?;
        let insured = "insert into insured_persons values (?1, ?1, ?2, '112292', '1', null, '',
            null, '', 0, '', null, 0, null, 0, 1)";
        tx.execute(insured, params![id, format!("{:010}", 7_000_000 + id)])?;
        reindex(tx, ResidentId(*id))?;
    }
    Ok(())
}

struct Clerk {
    router: Router,
    cookie: String,
    csrf: String,
}

impl Clerk {
    fn send(&self, method: Method, form: Option<String>) -> (StatusCode, String) {
        let request = Request::builder()
            .method(method)
            .uri("/inquiries")
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.map_or_else(Body::empty, Body::from))
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, 64 << 20).await.unwrap().to_vec();
            (parts.status, String::from_utf8_lossy(&bytes).into_owned())
        })
    }

    fn ask(&self, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &self.csrf)
            .extend_pairs(fields)
            .finish();
        self.send(Method::POST, Some(form))
    }

    fn by_number(&self, number: &str) -> (StatusCode, String) {
        self.ask(&[("insured_no", number), ("reason", "01")])
    }

    fn by_name(&self, kana: &str, born: &str) -> (StatusCode, String) {
        self.ask(&[("kana", kana), ("born_on", born), ("reason", "01")])
    }
}

/// The page without its tokens and its report number, which differ in every answer.
fn said(page: &str) -> String {
    let (_, main) = page.split_once("<main").unwrap();
    main.split_once("</main>").unwrap().0.to_owned()
}

const ASK_THE_CITY: &str = "市（長寿あんしん課）にお問い合わせください";

#[test]
fn another_centre_is_named_with_its_telephone_and_nothing_of_the_person() {
    let house = House::new();
    let nurse = house.nurse();
    for (status, page) in [
        nurse.by_number("０００７０００００2"),
        nurse.by_name("ｶﾜﾍﾞ ｼｮｳｲﾁ", "S15.5.6"),
        nurse.by_name("かわべしょういち", "1940/5/6"),
    ] {
        assert_eq!(status, StatusCode::OK, "{page}");
        let words = said(&page);
        assert!(
            words.contains("南地域包括支援センターの担当です。"),
            "{words}"
        );
        assert!(words.contains("電話 048-000-0002"), "{words}");
        assert!(words.contains("/consultations/new"), "hand over: {words}");
        for secret in [
            "川辺",
            "正一",
            "カワベ",
            "秘密町",
            "0481234567",
            "1940",
            "S15",
            "0007000002",
            "/residents/",
        ] {
            assert!(!words.contains(secret), "{secret}: {words}");
        }
    }
    let expected = [
        "done insured_no 01 2",
        "done kana_birth 01 2",
        "done kana_birth 01 2",
    ];
    assert_eq!(house.logged(), expected);
}

#[test]
fn a_person_of_ones_own_centre_is_a_link() {
    let house = House::new();
    let (status, page) = house.nurse().by_number("0007000001");
    assert_eq!(status, StatusCode::OK);
    assert!(said(&page).contains("href=\"/residents/1\""), "{page}");
    assert!(!said(&page).contains("山田"), "her name stands on her page");
}

#[test]
fn nobody_and_a_shielded_person_have_one_and_the_same_answer() {
    let house = House::new();
    let nurse = house.nurse();
    let nobody = said(&nurse.by_name("タナカ イチ", "S10.1.1").1);
    assert!(nobody.contains(ASK_THE_CITY), "{nobody}");
    let shielded = [
        nurse.by_name("イシヅカ ミツ", "S10.1.1"),
        nurse.by_number("0007000003"),
        // Of this very centre, and shielded all the same.
        nurse.by_number("0007000010"),
        // Dead, or never there.
        nurse.by_number("0007000009"),
        nurse.by_number("0009999999"),
    ];
    for (status, page) in shielded {
        assert_eq!(status, StatusCode::OK);
        assert_eq!(said(&page), nobody);
    }
    let known = &house.logged()[1..3];
    assert_eq!(
        known,
        ["done kana_birth 01 3", "done insured_no 01 3"],
        "the city can see it"
    );
}

#[test]
fn namesakes_of_one_day_name_every_centre_once_and_are_one_inquiry() {
    let house = House::new();
    let nurse = house.nurse();
    let (_, page) = nurse.by_name("スズキキヨ", "3130808");
    let words = said(&page);
    assert_eq!(
        words.matches("南地域包括支援センターの担当です。").count(),
        1,
        "{words}"
    );
    assert_eq!(
        words.matches("北地域包括支援センターの担当です。").count(),
        1
    );
    assert!(
        words.contains("href=\"/residents/8\"") && words.contains("電話番号は登録されていません")
    );
    let expected = [
        "done kana_birth 01 4",
        "done also kana_birth 01 5",
        "done also kana_birth 01 6",
        "done also kana_birth 01 7",
        "done also kana_birth 01 8",
    ];
    assert_eq!(house.logged(), expected);
    assert!(
        nurse
            .send(Method::GET, None)
            .1
            .contains("今はあと19回です。")
    );
}

#[test]
fn a_part_of_a_name_or_number_is_no_match() {
    let house = House::new();
    let nurse = house.nurse();
    for (_, page) in [
        nurse.by_name("カワベ", "S15.5.6"),
        nurse.by_name("カワヘショウイチ", "S15.5.6"),
        nurse.by_name("カワベ %", "S15.5.6"),
        nurse.by_name("カワベ ショウイチ", "S15.5.7"),
    ] {
        assert!(!said(&page).contains("南地域包括"), "{page}");
    }
}

#[test]
fn what_is_missing_or_wrong_is_said_at_its_field_and_nothing_is_asked() {
    let house = House::new();
    let nurse = house.nurse();
    let long = "ヤ".repeat(100_000);
    let wrong: &[(&[(&str, &str)], &str)] = &[
        (&[("reason", "01")], "href=\"#insured_no\""),
        (&[("insured_no", "0007000002")], "href=\"#reason\""),
        (
            &[("insured_no", "0007000002"), ("reason", "77")],
            "href=\"#reason\"",
        ),
        (
            &[("insured_no", "7000002"), ("reason", "01")],
            "href=\"#insured_no\"",
        ),
        (
            &[("insured_no", "' or 1=1 --"), ("reason", "01")],
            "href=\"#insured_no\"",
        ),
        (
            &[("kana", "カワベ ショウイチ"), ("reason", "01")],
            "href=\"#born_on\"",
        ),
        (
            &[
                ("kana", "カワベ ショウイチ"),
                ("born_on", "S15.5"),
                ("reason", "01"),
            ],
            "href=\"#born_on\"",
        ),
        (
            &[("born_on", "S15.5.6"), ("reason", "01")],
            "href=\"#kana\"",
        ),
        (
            &[("kana", "・"), ("born_on", "S15.5.6"), ("reason", "01")],
            "href=\"#kana\"",
        ),
        (
            &[("kana", &long), ("born_on", "S15.5.6"), ("reason", "01")],
            "href=\"#kana\"",
        ),
        (
            &[("insured_no", "0007000002"), ("reason", "09")],
            "href=\"#reason_words\"",
        ),
        (
            &[
                ("insured_no", "0007000002"),
                ("reason", "09"),
                ("reason_words", &long),
            ],
            "href=\"#reason_words\"",
        ),
    ];
    for (fields, link) in wrong {
        let (status, page) = nurse.ask(fields);
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{link}");
        assert!(page.contains(link), "{link} is missing");
        assert!(!said(&page).contains("南地域包括"));
    }
    let (_, page) = nurse.ask(&[("kana", "'\"><script>"), ("born_on", "x"), ("reason", "01")]);
    assert!(
        page.contains("value=\"&#39;&#34;&#62;&#60;script&#62;\""),
        "typed words stay: {page}"
    );
    assert_eq!(house.logged(), [""; 0]);
}

#[test]
fn a_reason_in_own_words_is_kept_on_one_line() {
    let house = House::new();
    let fields = [
        ("insured_no", "0007000002"),
        ("reason", "09"),
        ("reason_words", "病院からの\r\n転送"),
    ];
    assert_eq!(house.nurse().ask(&fields).0, StatusCode::OK);
    assert_eq!(house.logged(), ["done insured_no 09 病院からの 転送 2"]);
}

#[test]
fn the_twenty_first_inquiry_of_an_hour_is_refused_and_logged_and_time_opens_the_door_again() {
    let house = House::new();
    let nurse = house.nurse();
    for _ in 0..20 {
        assert_eq!(nurse.by_number("0007000002").0, StatusCode::OK);
        house.hand.step(SignedDuration::from_mins(1));
    }
    let (status, page) = nurse.by_number("0007000002");
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.contains("から、また照会できます。"), "{page}");
    assert!(!said(&page).contains("南地域包括"));
    assert_eq!(house.logged().last().unwrap(), "refused insured_no 01 -");
    let other = house.clerk("other", Role::Clerk, Some(HERE));
    assert_eq!(
        other.by_number("0007000002").0,
        StatusCode::OK,
        "each has her own"
    );
    house.hand.step(SignedDuration::from_mins(20));
    assert!(
        nurse
            .send(Method::GET, None)
            .1
            .contains("今はあと0回です。")
    );
    house.hand.step(SignedDuration::from_mins(19));
    assert_eq!(
        nurse.by_number("0007000002").0,
        StatusCode::TOO_MANY_REQUESTS
    );
    house.hand.step(SignedDuration::from_secs(61));
    assert_eq!(nurse.by_number("0007000002").0, StatusCode::OK);
}

#[test]
fn the_city_that_sees_everybody_and_the_administrator_may_not_inquire() {
    let house = House::new();
    for (login, role) in [("city", Role::CityLongevity), ("admin", Role::SystemAdmin)] {
        let clerk = house.clerk(login, role, None);
        assert_eq!(clerk.by_number("0007000002").0, StatusCode::FORBIDDEN);
    }
    let welfare = house.clerk("welfare", Role::CityWelfare, None);
    let (status, page) = welfare.by_number("0007000001");
    assert_eq!(status, StatusCode::OK);
    assert!(
        said(&page).contains("中央地域包括支援センターの担当です。"),
        "{page}"
    );
    assert!(!said(&page).contains("/consultations/new"), "may not write");
}
