//! Find through its own route, on a real database file with invented people.

use std::fmt::Write as _;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use base::clock::Clock;
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

/// id, name, kana, alias, born, state, centre, shielded, area, address, phone
type Row<'r> = (
    i64,
    &'r str,
    &'r str,
    &'r str,
    &'r str,
    &'r str,
    i64,
    i64,
    &'r str,
    &'r str,
    &'r str,
);

const PEOPLE: &[Row<'static>] = &[
    (
        1,
        "山田　花子",
        "ヤマダ　ハナコ",
        "",
        "1937-03-04",
        "1",
        HERE,
        0,
        "A1",
        "埼玉県和光市本町三丁目１番２号",
        "048-461-1111",
    ),
    (
        2,
        "髙橋　一郎",
        "タカハシ　イチロウ",
        "",
        "1940-05-06",
        "1",
        HERE,
        0,
        "A2",
        "埼玉県和光市白子1-2",
        "",
    ),
    (
        3,
        "山田　ミツ",
        "ヤマダ　ミツ",
        "",
        "1937-03-04",
        "1",
        HERE,
        1,
        "A1",
        "埼玉県和光市本町三丁目１番３号",
        "048-461-3333",
    ),
    (
        4,
        "山田　太郎",
        "ヤマダ　タロウ",
        "",
        "1937-03-04",
        "1",
        ELSEWHERE,
        0,
        "A3",
        "埼玉県和光市新倉1-1",
        "048-461-4444",
    ),
    (
        5,
        "大野　祐子",
        "オオノ　ユウコ",
        "",
        "1955-01-01",
        "1",
        HERE,
        0,
        "A2",
        "埼玉県和光市白子3-3",
        "090-0000-1111",
    ),
    (
        6,
        "山田　アキ",
        "ヤマダ　アキ",
        "",
        "1930-01-01",
        "3",
        HERE,
        0,
        "A1",
        "埼玉県和光市本町9-9",
        "",
    ),
    (
        7,
        "\u{E000}井　サチ",
        "ツツイ　サチ",
        "",
        "1950-10-10",
        "1",
        HERE,
        0,
        "A2",
        "埼玉県和光市白子4-4",
        "",
    ),
    (
        8,
        "小野　清",
        "オノ　キヨシ",
        "",
        "1970-02-02",
        "1",
        HERE,
        0,
        "A1",
        "埼玉県和光市本町5-5",
        "",
    ),
    (
        9,
        "KUMAR ANIL",
        "クマール　アニル",
        "久間　仁",
        "1980-03-03",
        "1",
        HERE,
        0,
        "A2",
        "埼玉県和光市白子6-6",
        "",
    ),
    (
        10,
        "山口　恵子",
        "ヤマグチ　ケイコ",
        "",
        "1937-03-20",
        "2",
        HERE,
        0,
        "A1",
        "埼玉県和光市本町7-7",
        "",
    ),
];

struct House {
    app: App,
    _dir: TempDir,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Clock::on_day(date(2026, 11, 20));
        let db = Db::create(&DataDir::new(dir.path().join("data")), clock).unwrap();
        let house = Self {
            app: App::new(db, ServerSettings::standard()),
            _dir: dir,
        };
        house.fill(|tx| {
            masters(tx)?;
            PEOPLE.iter().try_for_each(|row| resident(tx, *row))?;
            insurance(tx)
        });
        house
    }

    fn fill(&self, f: impl FnOnce(&WriteTx<'_>) -> Result<(), StoreError>) {
        let done: Result<(), StoreError> =
            self.app
                .db()
                .system(&Actor::system("test"), SystemReason::Demo, |tx| {
                    f(tx)?;
                    Ok(tx.audited(Event::done(Operation::SetUp), ()))
                });
        done.unwrap();
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
            staff: id.0,
        }
    }

    fn nurse(&self) -> Clerk {
        self.clerk("nurse", Role::Nurse, Some(HERE))
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        let read: Result<Vec<String>, StoreError> = self
            .app
            .db()
            .system_read(SystemReason::Demo, |tx| tx.all(sql, [], |row| row.get(0)));
        read.unwrap()
    }

    fn searches(&self) -> Vec<String> {
        self.texts("select detail from audit_entries where operation = 'resident_find' order by id")
    }
}

fn masters(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    for (id, name) in [(HERE, "中央"), (ELSEWHERE, "南")] {
        let sql = "insert into support_centres values (?, ?, ?, ?, '', '2006-04-01', null, '', 0)";
        tx.execute(sql, params![id, format!("010{id}"), name, name])?;
    }
    for (code, name, centre) in [
        ("A1", "本町", HERE),
        ("A2", "白子", HERE),
        ("A3", "新倉", ELSEWHERE),
    ] {
        let sql = "insert into areas values (null, ?1, ?2, ?2, '', ?3, '2006-04-01', null, '', 0)";
        tx.execute(sql, params![code, name, centre])?;
    }
    for (code, label) in [("12", "要支援1"), ("21", "要介護1")] {
        let sql =
            "insert into codes values (null, 'care_level', ?, ?, 1, '2006-04-01', null, '', 0)";
        tx.execute(sql, params![code, label])?;
    }
    let import = "insert into imports values
        (1, 'residents', '', 0, 'utf8', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, '2026-11-01')";
    tx.execute(import, []).map(|_| ())
}

fn resident(tx: &WriteTx<'_>, row: Row<'_>) -> Result<(), StoreError> {
    let (id, name, kana, alias, born, state, centre, shielded, area, address, phone) = row;
    let sql = "insert into residents values (?1, ?2, 'H1', '本人', ?3, ?4, ?5, '', ?13, '', ?6, '',
        '2', '1', ?7, '3510114', ?8, ?9, '', ?10, ?11, null, null, '', '', '', null, '', ?12, null,
        0, 1)";
    let number = format!("{:010}", 1000 + id);
    let latin = if name.is_ascii() { name } else { "" };
    tx.execute(
        sql,
        params![
            id, number, name, kana, alias, born, state, area, address, phone, centre, shielded,
            latin
        ],
    )?;
    reindex(tx, ResidentId(id))
}

/// 1: 要介護1 that ends within 60 days; 2: 要支援1 that ended; 5: nothing decided.
fn insurance(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    let certified = [
        (1, "21", "2026-01-01", "2026-12-31"),
        (2, "12", "2024-04-01", "2026-03-31"),
        (4, "21", "2026-01-01", "2027-12-31"),
    ];
    for (id, level, from, to) in certified {
        let insured = "insert into insured_persons values (?1, ?1, ?2, '112292', '1', null, '',
            null, '', 0, '', null, 0, null, 0, 1)";
        tx.execute(insured, params![id, format!("H00000000{id}")])?;
        let sql = "insert into certifications values (null, ?1, 1, null, '', '', null, ?2, ?3, ?4,
            '', '', null, '', '', null, 1)";
        tx.execute(sql, params![id, level, from, to])?;
    }
    Ok(())
}

struct Clerk {
    router: Router,
    cookie: String,
    csrf: String,
    staff: i64,
}

impl Clerk {
    fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
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

    fn get(&self, fields: &[(&str, &str)]) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::builder()
            .uri(format!("/residents?{query}"))
            .header(header::COOKIE, &self.cookie)
            .body(Body::empty())
            .unwrap();
        let (status, text) = self.ask(request);
        assert_eq!(status, StatusCode::OK, "{text}");
        text
    }

    fn find(&self, q: &str) -> String {
        self.get(&[("q", q)])
    }

    /// Ids in the order of the list.
    fn ids(&self, fields: &[(&str, &str)]) -> Vec<i64> {
        ids(&self.get(fields))
    }
}

fn ids(page: &str) -> Vec<i64> {
    let rows = page.split("<a href=\"/residents/").skip(1);
    rows.map(|row| row.split_once('"').unwrap().0.parse().unwrap())
        .collect()
}

#[test]
fn a_name_is_found_in_kana_of_any_width_hiragana_and_kanji_with_its_variants() {
    let house = House::new();
    let nurse = house.nurse();
    for q in [
        "ヤマダハナコ",
        "ﾔﾏﾀﾞ ﾊﾅｺ",
        "やまだ　はなこ",
        "ヤマ ハナ",
        "山田 花子",
        "山田花子",
        "花子",
        "ハナコ",
        "山田 はな",
    ] {
        assert_eq!(nurse.ids(&[("q", q)]), [1], "{q}");
    }
    for q in ["高橋", "髙橋", "髙橋　一郎", "たかはし", "ﾀｶﾊｼ"] {
        assert_eq!(nurse.ids(&[("q", q)]), [2], "{q}");
    }
    assert_eq!(
        nurse.ids(&[("q", "\u{E000}井")]),
        [7],
        "a character outside the standard sets"
    );
    for q in ["kumar", "ＫＵＭＡＲ", "クマール", "久間"] {
        assert_eq!(nurse.ids(&[("q", q)]), [9], "{q}");
    }
}

#[test]
fn the_exact_comes_first_and_what_only_sounds_alike_last_and_says_so() {
    let house = House::new();
    let page = house.nurse().find("オノ");
    assert_eq!(ids(&page), [8, 5]);
    assert_eq!(page.matches("読みが近い").count(), 1, "{page}");
    let (_, behind) = page.split_once("/residents/5\"").unwrap();
    assert!(behind.contains("読みが近い"));
}

#[test]
fn who_died_or_moved_comes_after_the_living_with_a_tag() {
    let house = House::new();
    let page = house.nurse().find("ヤマ");
    assert_eq!(ids(&page), [1, 10, 6]);
    assert!(
        page.contains("死亡</span>") && page.contains("転出</span>"),
        "{page}"
    );
}

#[test]
fn a_person_is_found_by_number_date_of_birth_telephone_and_address() {
    let house = House::new();
    let nurse = house.nurse();
    for q in [
        "H000000001",
        "Ｈ０００００００01",
        "0000001001",
        "S12.3.4",
        "昭和12年3月4日",
        "19370304",
        "3120304",
        "048-461-1111",
        "0484611111",
        "048-461-11",
        "461-1111",
        "本町3-1",
        "本町三丁目１番２号",
        "ヤマダ S12.3.4",
        "山田 昭和12年3月",
        "ヤマダ 本町3",
    ] {
        assert_eq!(nurse.ids(&[("q", q)]), [1], "{q}");
    }
    assert_eq!(nurse.ids(&[("q", "1111")]), [5, 1], "the last four digits");
    assert_eq!(nurse.ids(&[("q", "S12.3")]), [1, 10], "a month");
    assert_eq!(
        nurse.ids(&[("q", "タカハシ S12.3.4")]),
        [0; 0],
        "both must hold"
    );
    assert_eq!(nurse.ids(&[("q", "白子")]), [5, 9, 2, 7], "a town, by kana");
}

#[test]
fn people_of_another_centre_and_shielded_people_are_neither_found_nor_counted() {
    let house = House::new();
    let nurse = house.nurse();
    for q in [
        "ヤマダ",
        "山田",
        "S12.3.4",
        "4444",
        "3333",
        "H000000004",
        "0000001004",
        "新倉1-1",
        "ミツ",
        "タロウ",
    ] {
        let page = nurse.find(q);
        let found = ids(&page);
        assert!(!found.contains(&3) && !found.contains(&4), "{q}: {found:?}");
        let count = if found.is_empty() {
            "見つかりませんでした。".to_owned()
        } else {
            format!("{}人見つかりました。", found.len())
        };
        assert!(page.contains(&count), "{q}: {page}");
        assert!(
            !page.contains("タロウ</span>") && !page.contains("太郎"),
            "{q}"
        );
    }
    assert_eq!(nurse.ids(&[("area", "A3")]), [0; 0]);
    let city = house.clerk("city", Role::CityLongevity, None);
    let page = city.find("ヤマダ");
    assert_eq!(ids(&page), [4, 1, 6], "the city sees all but the shielded");
    assert!(page.contains(">担当</th>"), "and the centre of each");
}

#[test]
fn who_has_no_scope_finds_nobody_and_the_administrator_may_not_even_ask() {
    let house = House::new();
    let welfare = house.clerk("welfare", Role::CityWelfare, None);
    assert_eq!(welfare.ids(&[("q", "ヤマ")]), [0; 0]);
    assert_eq!(welfare.ids(&[("elders", "1")]), [0; 0]);
    let admin = house.clerk("admin", Role::SystemAdmin, None);
    let request = Request::builder()
        .uri("/residents?q=%E3%83%A4%E3%83%9E&part=1")
        .header(header::COOKIE, &admin.cookie)
        .body(Body::empty())
        .unwrap();
    assert_eq!(admin.ask(request).0, StatusCode::FORBIDDEN);
}

#[test]
fn filters_narrow_a_name_and_list_on_their_own() {
    let house = House::new();
    let nurse = house.nurse();
    assert_eq!(nurse.ids(&[("certified", "1")]), [1]);
    assert_eq!(
        nurse.ids(&[("elders", "1")]),
        [5, 2, 7, 1],
        "who lives here, by kana"
    );
    assert_eq!(nurse.ids(&[("elders", "1"), ("area", "A1")]), [1]);
    assert_eq!(nurse.ids(&[("area", "A1")]), [8, 1]);
    assert_eq!(
        nurse.ids(&[
            ("q", "ヤマ"),
            ("certified", "1"),
            ("area", "A1"),
            ("elders", "1")
        ]),
        [1]
    );
    assert_eq!(
        nurse.ids(&[("q", "タカハシ"), ("certified", "1")]),
        [0; 0],
        "it has ended"
    );
    assert_eq!(nurse.ids(&[("contacts", "any")]), [0; 0]);
}

#[test]
fn people_with_a_consultation_are_listed_for_the_centre_and_for_whoever_wrote_it() {
    let house = House::new();
    let (nurse, other) = (house.nurse(), house.clerk("other", Role::Clerk, Some(HERE)));
    house.fill(|tx| {
        for (id, resident, day) in [(1, 2, "2026-10-01"), (2, 5, "2024-10-01"), (3, 4, "2026-10-02")] {
            let head = "insert into consultations values (?1, ?1, ?2, ?1, ?3, '2026-10-01T00:00:00Z')";
            let centre = if resident == 4 { ELSEWHERE } else { HERE };
            tx.execute(head, params![id, centre, nurse.staff])?;
            let client = "insert into consultation_clients values (null, ?1, ?2, null, '')";
            tx.execute(client, params![id, resident])?;
            let version = "insert into consultation_versions values (null, ?1, 1, ?2, '', '', null,
                '01', '01', '', '', '', '', '', 'C', '内容', '', '', '1', '', '', null, null, '', '')";
            tx.execute(version, params![id, day])?;
        }
        Ok(())
    });
    assert_eq!(
        nurse.ids(&[("contacts", "any")]),
        [2],
        "a year back, own scope"
    );
    assert_eq!(nurse.ids(&[("contacts", "own")]), [2]);
    assert_eq!(other.ids(&[("contacts", "own")]), [0; 0]);
    assert_eq!(nurse.ids(&[("q", "タカハシ"), ("contacts", "any")]), [2]);
    assert!(
        nurse.find("タカハシ").contains("R8.10.1"),
        "the day of the last one"
    );
}

#[test]
fn a_certification_that_ended_or_ends_soon_is_flagged() {
    let house = House::new();
    let nurse = house.nurse();
    assert!(nurse.find("ハナコ").contains("R8.12.31 まで（あと41日）"));
    assert!(nurse.find("タカハシ").contains("R8.3.31 で期限切れ"));
}

#[test]
fn what_was_typed_stays_in_the_box_and_breaks_nothing() {
    let house = House::new();
    let nurse = house.nurse();
    for q in [
        "'\"><script>alert(1)</script>",
        "%",
        "_",
        "%%",
        "ヤ%",
        "ヤマ_",
        "🙂",
        "👩‍👩‍👧 ハナコ",
        "' or 1=1 --",
        "\u{0}",
        "*",
        "NEAR(",
        "\u{202E}ヤマ",
    ] {
        let page = nurse.find(q);
        assert_eq!(ids(&page), [0; 0], "{q}");
        assert!(!page.contains("<script>alert"), "{q}");
    }
    let page = nurse.find("ヤマダ \"<b>");
    assert!(page.contains("value=\"ヤマダ &#34;&#60;b&#62;\""), "{page}");
}

#[test]
fn as_many_characters_as_an_address_holds_are_refused_in_words() {
    let house = House::new();
    let page = house.nurse().find(&"ヤ".repeat(7_000));
    assert!(page.contains("長すぎるため、さがしていません。"));
    assert_eq!(ids(&page), [0; 0]);
    assert_eq!(house.searches(), [""; 0], "nothing was looked for");
}

#[test]
fn nobody_found_says_so_and_offers_the_inquiry_and_a_record_without_a_client() {
    let house = House::new();
    let page = house.nurse().find("ワタナベ");
    for words in [
        "見つかりませんでした。",
        "href=\"/inquiries\"",
        "href=\"/consultations/new\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let city = house
        .clerk("city", Role::CityLongevity, None)
        .find("ワタナベ");
    assert!(!city.contains("/inquiries"), "the city has nobody to ask");
}

#[test]
fn the_empty_box_helps_and_shows_whom_one_opened_last_and_may_still_see() {
    let house = House::new();
    let nurse = house.nurse();
    assert_eq!(ids(&nurse.find("")), [0; 0]);
    let actor = Actor {
        staff_id: Some(store::StaffId(nurse.staff)),
        ..Actor::system("test")
    };
    for id in [2, 5, 4, 2, 1] {
        let done: Result<(), StoreError> = house.app.db().write(&actor, |tx| {
            let event = Event::done(Operation::ResidentView).about(ResidentId(id));
            Ok(tx.audited(event, ()))
        });
        done.unwrap();
    }
    let page = nurse.find("  ");
    assert_eq!(
        ids(&page),
        [1, 2, 5],
        "newest first, once each, without the other centre's"
    );
    assert!(page.contains("最近開いた人") && page.contains("上の欄に入力できるもの"));
    let other = house.clerk("other", Role::Clerk, Some(HERE));
    assert_eq!(ids(&other.find("")), [0; 0], "what others opened is theirs");
    assert_eq!(house.searches(), [""; 0], "an empty box is no search");
}

#[test]
fn a_search_is_logged_with_its_kinds_and_count_and_never_with_the_words() {
    let house = House::new();
    let nurse = house.nurse();
    nurse.find("ヤマダ S12.3.4");
    nurse.find("本町3-1");
    nurse.get(&[("q", ""), ("elders", "1")]);
    nurse.find("ワタナベ");
    nurse.find("ﾜﾀﾅﾍﾞ");
    let searches = house.searches();
    let said: Vec<&str> = searches
        .iter()
        .map(|detail| detail.split(" terms=").next().unwrap())
        .collect();
    assert_eq!(
        said,
        ["kana+born 1", "address 1", "list 4", "kana 0", "kana 0"]
    );
    assert_eq!(
        searches[3], searches[4],
        "the same search has the same mark"
    );
    assert_ne!(
        searches[0].split("terms=").nth(1),
        searches[3].split("terms=").nth(1)
    );
    let words = "select count(*) || '' from audit_entries
        where detail like '%ヤマダ%' or detail like '%S12%' or detail like '%本町%'";
    assert_eq!(house.texts(words), ["0"]);
}

#[test]
fn the_part_is_the_list_alone_and_a_burst_of_parts_is_one_entry() {
    let house = House::new();
    let nurse = house.nurse();
    let part = nurse.get(&[("q", "ヤマダ"), ("part", "1")]);
    assert_eq!(ids(&part), [1, 6]);
    assert!(part.contains("data-count") && part.contains("data-row"));
    assert!(
        !part.contains("<html") && !part.contains("id=\"results\""),
        "{part}"
    );
    let nobody = nurse.get(&[("q", "ヤマダンナ"), ("part", "1")]);
    assert_eq!(ids(&nobody), [0; 0]);
    nurse.get(&[("q", "ヤマ"), ("part", "1")]);
    let searches = house.searches();
    assert_eq!(searches.len(), 1, "{searches:?}");
    assert!(
        searches[0].starts_with("part kana 2 terms="),
        "{searches:?}"
    );
    let other = house.clerk("other", Role::Nurse, Some(HERE));
    other.get(&[("q", "ヤマダ"), ("part", "1")]);
    assert_eq!(house.searches().len(), 2, "another one's typing is hers");
}

#[test]
fn long_lists_come_in_pages_and_are_counted_honestly() {
    let house = House::new();
    house.fill(|tx| {
        for id in 1_000..2_020 {
            let mut kana = "サトウ　".to_owned();
            write!(kana, "{}", if id % 2 == 0 { "アキ" } else { "ハル" }).unwrap();
            let row = (
                id,
                "佐藤　某",
                &*kana,
                "",
                "1990-01-01",
                "1",
                HERE,
                0,
                "A1",
                "埼玉県和光市本町1",
                "",
            );
            resident(tx, row)?;
        }
        Ok(())
    });
    let nurse = house.nurse();
    let first = nurse.find("サトウ");
    assert!(
        first.contains("1,000人以上見つかりました。")
            && first.contains("はじめの1,000件のうち 1～50件目")
    );
    assert_eq!(ids(&first).len(), 50);
    let last = nurse.get(&[("q", "サトウ"), ("page", "20")]);
    assert_eq!(ids(&last).len(), 50);
    for beyond in ["21", "999999999999999999999", "-1", "0", "x"] {
        let page = nurse.get(&[("q", "サトウ"), ("page", beyond)]);
        assert_eq!(ids(&page).len(), 50, "{beyond}");
    }
    let exact = nurse.get(&[("q", "サトウ アキ"), ("page", "11")]);
    assert!(
        exact.contains("510人見つかりました。") && exact.contains("501～510件目"),
        "{exact}"
    );
    assert_eq!(ids(&exact).len(), 10);
    assert!(!exact.contains("part=1"));
}

#[test]
fn a_client_is_picked_from_the_list_for_a_consultation_one_may_see() {
    let house = House::new();
    let nurse = house.nurse();
    house.fill(|tx| {
        for (id, centre) in [(1, HERE), (2, ELSEWHERE)] {
            let head = "insert into consultations values (?1, 'R8-00000' || ?1, ?2, ?1, null, '')";
            tx.execute(head, params![id, centre])?;
            let version = "insert into consultation_versions values (null, ?1, 1, '2026-11-01', '',
                '', null, '01', '01', '', '', '', '', '', 'C', '内容', '', '', '1', '', '', null, null,
                '', '')";
            tx.execute(version, params![id])?;
        }
        Ok(())
    });
    let page = nurse.get(&[("q", "ハナコ"), ("for", "1")]);
    assert!(
        page.contains("action=\"/consultations/1/client\""),
        "{page}"
    );
    assert!(page.contains("name=\"resident\" value=\"1\"") && page.contains("R8-000001"));
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("csrf", nurse.csrf.as_str()), ("resident", "1")])
        .finish();
    let request = Request::post("/consultations/1/client")
        .header(header::COOKIE, &nurse.cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    assert_eq!(nurse.ask(request).0, StatusCode::SEE_OTHER);
    let clients = house.texts("select resident_id || '' from consultation_clients");
    assert_eq!(clients, ["1"]);
    for foreign in ["2", "99", "x"] {
        let request = Request::get(format!("/residents?for={foreign}"))
            .header(header::COOKIE, &nurse.cookie)
            .body(Body::empty())
            .unwrap();
        assert_eq!(nurse.ask(request).0, StatusCode::NOT_FOUND, "{foreign}");
    }
}
