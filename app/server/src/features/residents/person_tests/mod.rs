//! Persons and corrections through their own routes, on a real file.

mod correcting;
mod shield;
mod showing;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base::clock::Clock;
use jiff::civil::date;
use store::{
    Actor, CentreId, DataDir, Db, Event, Operation, Params, ResidentId, StaffId, SystemReason,
    params,
};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::app::{App, ServerSettings};
use crate::features::consultations::{Entry, HistoryRow, insert_history};
use crate::features::masters::{self, Masters};
use crate::features::staff::{self, Login, NewStaff};
use crate::web::{Problem, Role, session};

const HERE: i64 = 1;
const ELSEWHERE: i64 = 2;
/// A certified woman with everything.
const OURS: i64 = 1;
/// Somebody of another centre.
const THEIRS: i64 = 2;
/// Of the household of [`OURS`], shielded.
const SHIELDED: i64 = 3;
/// Her son: no insured number.
const SON: i64 = 4;
const DEAD: i64 = 5;
const MOVED: i64 = 6;

struct House {
    app: App,
    dir: TempDir,
}

struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Page {
    fn location(&self) -> &str {
        let location = self.headers.get(header::LOCATION);
        location.and_then(|v| v.to_str().ok()).unwrap_or("")
    }

    fn input(&self, name: &str) -> String {
        let opening = format!("name=\"{name}\" value=\"");
        let (_, after) = self.text.split_once(&opening).expect("an input");
        after.split_once('"').expect("its end").0.to_owned()
    }

    #[track_caller]
    fn says(&self, words: &[&str]) {
        for words in words {
            assert!(
                self.text.contains(words),
                "{words} is missing in\n{}",
                self.text
            );
        }
    }

    #[track_caller]
    fn hides(&self, words: &[&str]) {
        for words in words {
            assert!(!self.text.contains(words), "{words} is shown");
        }
    }

    /// The part of the page that is the same for every such answer.
    fn without_report(&self) -> String {
        let (before, after) = self.text.split_once("お問い合わせ番号").expect("a number");
        let after = after.split_once("</span>").expect("its end").1;
        let token = self
            .text
            .contains("name=\"csrf\"")
            .then(|| self.input("csrf"));
        format!("{before}{after}").replace(&token.unwrap_or_default(), "")
    }
}

struct Clerk {
    router: Router,
    cookie: String,
    csrf: String,
    id: StaffId,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let clock = Clock::on_day(date(2026, 11, 20));
        let db = Db::create(&DataDir::new(dir.path().join("data")), clock).expect("a database");
        let actor = Actor::system("test");
        masters::load(&db, &actor, &Masters::shipped().expect("masters")).expect("they load");
        let house = Self {
            app: App::new(db, ServerSettings::standard()),
            dir,
        };
        house.fill();
        house
    }

    fn fill(&self) {
        self.run(
            "insert into imports values
             (1, 'residents', '', 0, 'utf8', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null,
              '2026-11-01T01:00:00Z')",
            [],
        );
        for (id, name, kana, household, state, centre, shielded) in [
            (
                OURS,
                "山野 ハル子",
                "ヤマノ　ハルコ",
                "0000000101",
                "1",
                HERE,
                0,
            ),
            (
                THEIRS,
                "川辺 正一",
                "カワベ　ショウイチ",
                "0000000102",
                "1",
                ELSEWHERE,
                0,
            ),
            (
                SHIELDED,
                "石塚 ミツ",
                "イシヅカ　ミツ",
                "0000000101",
                "1",
                HERE,
                1,
            ),
            (
                SON,
                "山野 太郎",
                "ヤマノ　タロウ",
                "0000000101",
                "1",
                HERE,
                0,
            ),
            (
                DEAD,
                "森下 清",
                "モリシタ　キヨシ",
                "0000000103",
                "3",
                HERE,
                0,
            ),
            (
                MOVED,
                "谷口 トメ",
                "タニグチ　トメ",
                "0000000104",
                "2",
                HERE,
                0,
            ),
        ] {
            self.run(
                "insert into residents values (?1, printf('%010d', 1000 + ?1), ?4, '', ?2, ?3, '',
                 '', '', '', '1937-03-04', '', '2', '1', ?5, '3510114', '11229000001',
                 '埼玉県和光市本町' || ?1 || '番1号', 'さくら荘' || ?1, '048461000' || ?1, ?6, null,
                 '2026-10-05', '', '', case ?5 when '2' then '東京都練馬区' else '' end,
                 case ?5 when '3' then '2026-10-03' end, '', ?7, null, 0, 1)",
                params![id, name, kana, household, state, centre, shielded],
            );
            self.run(
                "insert into household_members values
                 (null, ?2, ?1, ?1, '', case ?1 when 1 then '世帯主' else '子' end, ?1 = 1, null,
                  null, null, 1)",
                params![id, household],
            );
        }
        self.run(
            "insert into insured_persons values (1, 1, '0000012345', '112292', '1', '2002-03-03',
             '01', null, '', 1, 'ひかり苑', null, 1, 20, 1, 1)",
            [],
        );
    }

    fn certify(&self, number: i64, level: &str, from: Option<&str>, to: Option<&str>) {
        self.run(
            "insert into certifications values
             (null, 1, ?1, '2026-10-30', '2', case ?2 when '' then '1' else '2' end, ?3, ?2, ?3, ?4,
              'A2', 'Ⅱa', 16765, '', '', null, 1)",
            params![number, level, from, to],
        );
    }

    fn consult(&self, number: &str, resident: i64, change: impl FnOnce(&mut Entry)) {
        let mut entry = Entry {
            received_on: date(2026, 11, 10),
            channel: "01".to_owned(),
            urgency: "C".to_owned(),
            outcome: "01".to_owned(),
            categories: vec!["01".to_owned()],
            content: "物忘れが進む。".to_owned(),
            ..Entry::default()
        };
        change(&mut entry);
        let row = HistoryRow {
            number: number.to_owned(),
            centre_id: Some(CentreId(HERE)),
            resident_id: Some(ResidentId(resident)),
            written_by: None,
            recorded_at: "2026-11-10T01:00:00Z".to_owned(),
            entry,
        };
        let db = self.app.db();
        let done = db.system(&Actor::system("test"), SystemReason::Demo, |tx| {
            insert_history(tx, &row)?;
            Ok::<_, Problem>(tx.audited(Event::done(Operation::Import), ()))
        });
        done.expect("a record");
    }

    fn change(&self, kind: &str, fields: &str) {
        self.run(
            "insert into resident_changes values (null, 1, 'residents', 1, 1, ?1, ?2, '{}')",
            params![kind, fields],
        );
    }

    fn run(&self, sql: &str, values: impl Params) {
        let db = self.app.db();
        let done = db.system(&Actor::system("test"), SystemReason::Demo, |tx| {
            tx.execute(sql, values)?;
            Ok::<_, Problem>(tx.audited(Event::done(Operation::SetUp), ()))
        });
        done.expect("a row");
    }

    fn clerk(&self, login: &str, role: Role, centre: Option<i64>) -> Clerk {
        let new = NewStaff {
            login: Login::new(login),
            name: format!("職員{login}"),
            kana: String::new(),
            role,
            job: String::new(),
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
            id,
        }
    }

    fn nurse(&self) -> Clerk {
        self.clerk("nurse", Role::Nurse, Some(HERE))
    }

    fn city(&self) -> Clerk {
        self.clerk("city", Role::CityLongevity, None)
    }

    /// Somebody of the city who may open [`SHIELDED`].
    fn keeper(&self) -> Clerk {
        let city = self.city();
        self.run(
            "insert into approvals (kind, payload, facts, summary, reason, urgent,
               requested_by, requested_at, expires_on)
             values ('shield_grant', '{}', '[]', '', '', 1, ?1, '', '2026-12-31')",
            params![city.id],
        );
        self.run(
            "insert into shield_grants values
             (null, ?1, ?2, '2026-11-20', '2026-11-21', 'test', 1, ?2, '',
              (select max(id) from approvals))",
            params![SHIELDED, city.id],
        );
        city
    }

    fn count(&self, sql: &str) -> i64 {
        let db = self.app.db();
        let read: Result<i64, store::StoreError> =
            db.system_read(SystemReason::Backup, |tx| tx.count(sql, []));
        read.expect("a count")
    }

    /// `operation outcome resident detail` of the newest entries that staff left, oldest first.
    fn entries(&self) -> Vec<String> {
        let sql = "select operation || ' ' || outcome || ' ' || coalesce(resident_id, '-') || ' '
            || detail from audit_entries where staff_id is not null order by id";
        let read: Result<Vec<String>, store::StoreError> = self
            .app
            .db()
            .system_read(SystemReason::Backup, |tx| tx.all(sql, [], |row| row.get(0)));
        read.expect("entries")
    }
}

impl Clerk {
    fn get(&self, address: &str) -> Page {
        self.send(Method::GET, address, None)
    }

    fn person(&self, id: i64) -> Page {
        self.get(&format!("/residents/{id}"))
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
            let answer = self.router.clone().oneshot(request).await;
            let (parts, body) = answer.expect("an answer").into_parts();
            let bytes = to_bytes(body, 64 << 20).await.expect("a page");
            Page {
                status: parts.status,
                headers: parts.headers,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            }
        })
    }
}
