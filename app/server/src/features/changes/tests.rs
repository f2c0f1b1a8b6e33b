//! Changes and conflicts through their own routes, on a real database file.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use base::clock::Clock;
use jiff::civil::date;
use store::{Actor, CentreId, DataDir, Db, Event, Operation, StoreError, SystemReason, params};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::app::{App, ServerSettings};
use crate::features::staff::{self, Login, NewStaff};
use crate::web::Role;

const PASSWORD: &str = "a-long-enough-word";

struct House {
    app: App,
    _dir: TempDir,
}

/// Two residents of centre 1 and one of centre 2 changed; the first has a conflict about the phone.
fn house() -> House {
    let dir = TempDir::new().unwrap();
    let db = Db::create(
        &DataDir::new(dir.path().join("data")),
        Clock::on_day(date(2026, 11, 20)),
    )
    .unwrap();
    let actor = Actor::system("test");
    db.system(&actor, SystemReason::Demo, |tx| {
        for id in [1, 2] {
            tx.insert(
                "insert into support_centres
                   (id, code, name, short_name, phone, valid_from, source, unconfirmed)
                 values (?1, '010' || ?1, 'c' || ?1, '', '', '2006-04-01', '', 0)",
                params![id],
            )?;
        }
        tx.insert(
            "insert into imports (id, feed, file_sha256, file_bytes, encoding, rows_read,
             rows_loaded,
             rows_warned, rows_rejected, count_new, count_changed, count_moved, count_died,
             count_unchanged, count_absent, applied_at)
             values (1, 'residents', '', 0, 'utf-8', 3, 3, 0, 0, 0, 2, 1, 0, 0, 0,
             '2026-11-01T00:00:00Z')",
            [],
        )?;
        for (id, centre) in [(1, 1), (2, 1), (3, 2)] {
            tx.insert(
                "insert into residents (id, addressee_no, household_no, relationship, name, kana,
                 alias_name, alias_kana, latin_name, former_surname, born_on, born_text, sex,
                 resident_kind, resident_state, postal_code, area_code, address, building, phone,
                 centre_id, event_code, moved_from, moved_to, nationality, shielded, has_gaiji,
                 import_id)
                 values (?1, ?1, '', '', '架空' || ?1, 'カクウ', '', '', '', '', '1937-03-04', '',
                 '2', '1',
                 '1', '', '', '本町1', '', '048-000-0001', ?2, '', '', '', '', 0, 0, 1)",
                params![id, centre],
            )?;
            tx.insert(
                "insert into resident_changes
                   (id, import_id, feed, resident_id, record_id, kind, fields, before)
                 values (?1, 1, 'residents', ?1, ?1, 'moved', 'address', '{}')",
                params![id],
            )?;
        }
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    })
    .unwrap();
    for (login, centre) in [("one", 1), ("two", 2)] {
        let new = NewStaff {
            login: Login::new(login),
            name: format!("職員{login}"),
            kana: String::new(),
            role: Role::Clerk,
            job: String::new(),
            centre_id: Some(CentreId(centre)),
            starts_on: date(2020, 4, 1),
            password: PASSWORD.to_owned(),
            must_change_password: false,
        };
        staff::add(&db, &actor, &new)
            .map_err(|_problem| "staff")
            .unwrap();
    }
    db.system(&actor, SystemReason::Demo, |tx| {
        tx.insert(
            "insert into resident_corrections
               (id, resident_id, field, value, register_value, reason, staff_id, recorded_at)
             values (1, 1, 'phone', '048-000-0009', '', '本人から', 1, '2026-10-01T00:00:00Z')",
            [],
        )?;
        tx.insert(
            "insert into import_conflicts values (1, 1, 1, 1, '048-000-0001')",
            [],
        )?;
        Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
    })
    .unwrap();
    House {
        app: App::new(db, ServerSettings::standard()),
        _dir: dir,
    }
}

impl House {
    fn count(&self, sql: &str) -> i64 {
        self.app
            .db()
            .system_read(SystemReason::Demo, |tx| tx.count(sql, []))
            .map_err(|e: StoreError| e)
            .unwrap()
    }

    fn sign_in(&self, login: &str) -> Browser {
        let mut browser = Browser {
            router: crate::web::router(&self.app, &App::routes()),
            cookies: Vec::new(),
        };
        let (_, page) = browser.get("/sign-in");
        let token = token(&page);
        let form = [
            ("csrf", token.as_str()),
            ("login", login),
            ("password", PASSWORD),
        ];
        browser.send(Method::POST, "/sign-in", &form);
        browser
    }
}

struct Browser {
    router: Router,
    cookies: Vec<String>,
}

fn token(page: &str) -> String {
    let (_, after) = page.split_once("name=\"csrf\"").expect("a token");
    let (_, after) = after.split_once("value=\"").unwrap();
    after.split_once('"').unwrap().0.to_owned()
}

impl Browser {
    fn get(&mut self, path: &str) -> (StatusCode, String) {
        self.send(Method::GET, path, &[])
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
        let token = token(&self.get("/changes").1);
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.send(Method::POST, path, &all)
    }

    fn send(
        &mut self,
        method: Method,
        path: &str,
        fields: &[(&str, &str)],
    ) -> (StatusCode, String) {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, self.cookies.join("; "))
            .body(Body::from(body))
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let router = self.router.clone();
        let (parts, bytes) = runtime.block_on(async {
            let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
            (parts, to_bytes(body, 1 << 22).await.unwrap())
        });
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let pair = cookie
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .to_owned();
            let name = pair.split('=').next().unwrap().to_owned();
            self.cookies
                .retain(|known| !known.starts_with(&format!("{name}=")));
            self.cookies.push(pair);
        }
        (parts.status, String::from_utf8_lossy(&bytes).into_owned())
    }
}

const CONFIRMED: &str = "select count(*) from resident_change_confirmations";

#[test]
fn a_clerk_sees_the_changes_of_the_own_centre_only() {
    let house = house();
    let (status, page) = house.sign_in("one").get("/changes");
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("架空1") && page.contains("架空2") && !page.contains("架空3"));
    assert!(
        page.contains("048-000-0009") && page.contains("048-000-0001"),
        "both values"
    );
}

#[test]
fn several_changes_are_confirmed_at_once_and_leave_the_list() {
    let house = house();
    let mut clerk = house.sign_in("one");
    let (status, _) = clerk.post(
        "/changes/confirmations",
        &[("change", "1"), ("change", "2")],
    );
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(house.count(CONFIRMED), 2);
    let audited = "select count(*) from audit_entries where operation = 'change_confirm'";
    assert_eq!(house.count(audited), 2);
    assert!(
        clerk
            .get("/changes")
            .1
            .contains("確認を待っている異動はありません")
    );
}

#[test]
fn whoever_confirms_second_is_told_and_nothing_of_it_is_saved() {
    let house = house();
    let mut clerk = house.sign_in("one");
    assert_eq!(
        clerk.post("/changes/1/confirmation", &[]).0,
        StatusCode::SEE_OTHER
    );
    let (status, page) = clerk.post(
        "/changes/confirmations",
        &[("change", "1"), ("change", "2")],
    );
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("職員one"));
    assert_eq!(house.count(CONFIRMED), 1);
}

#[test]
fn changes_of_another_centre_do_not_exist() {
    let house = house();
    let mut clerk = house.sign_in("two");
    assert_eq!(
        clerk.post("/changes/1/confirmation", &[]).0,
        StatusCode::NOT_FOUND
    );
    let decision = clerk.post("/conflicts/1/decision", &[("decision", "keep")]);
    assert_eq!(decision.0, StatusCode::NOT_FOUND);
    assert_eq!(house.count(CONFIRMED), 0);
}

#[test]
fn nothing_chosen_is_asked_for_again() {
    let house = house();
    let mut clerk = house.sign_in("one");
    let (status, page) = clerk.post("/changes/confirmations", &[]);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.contains("確認する異動を選んでください"));
    let (status, _) = clerk.post("/conflicts/1/decision", &[("decision", "both")]);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[test]
fn deciding_for_the_register_ends_the_correction_and_its_search_key() {
    let house = house();
    let mut clerk = house.sign_in("one");
    let (status, _) = clerk.post("/conflicts/1/decision", &[("decision", "register")]);
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(
        house.count("select count(*) from resident_correction_endings"),
        1
    );
    let key = "select count(*) from resident_places where phone_digits = '0480000001'";
    assert_eq!(house.count(key), 1);
    let (status, page) = clerk.post("/conflicts/1/decision", &[("decision", "keep")]);
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(page.contains("住民記録の値にする"));
}

#[test]
fn deciding_for_staff_keeps_the_correction() {
    let house = house();
    let mut clerk = house.sign_in("one");
    let (status, _) = clerk.post("/conflicts/1/decision", &[("decision", "keep")]);
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(
        house.count("select count(*) from resident_correction_endings"),
        0
    );
    assert!(!clerk.get("/changes").1.contains("048-000-0009"));
}

#[test]
fn what_an_undone_import_said_waits_for_nobody() {
    let house = house();
    house
        .app
        .db()
        .system(&Actor::system("test"), SystemReason::Demo, |tx| {
            tx.insert(
                "insert into import_undos (import_id, recorded_at) values (1, '')",
                [],
            )?;
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
        })
        .unwrap();
    let (_, page) = house.sign_in("one").get("/changes");
    assert!(!page.contains("架空1"));
}
