//! Sign-in through its own routes.

use axum::http::{Method, StatusCode};
use jiff::SignedDuration;

use self::house::{House, PASSWORD, Page};
use crate::web::Role;

/// A house, somebody to sign in, and browsers in front of them.
pub(crate) mod house {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{HeaderMap, Method, Request, header};
    use base::clock::{Clock, ClockHand};
    use jiff::civil::date;
    use store::{Actor, DataDir, Db, Event, Operation, StaffId, StoreError, SystemReason, params};
    use tempfile::TempDir;
    use tokio::runtime::{Builder, Runtime};
    use tower::ServiceExt as _;

    use crate::app::{App, ServerSettings};
    use crate::features::masters::{self, Masters};
    use crate::features::staff::{Login, NewStaff, add};
    use crate::web::{Answer, Permission, Role, Routes, Visit, download, router};

    /// Everybody's password here.
    pub(crate) const PASSWORD: &str = "さくら並木を朝に歩く七時";
    /// What is filled in at the door when a file leaves unlocked.
    pub(crate) const DOOR: &[(&str, &str)] = &[
        ("purpose", "01"),
        ("destination", "市役所"),
        ("medium", "04"),
        ("carried_by", "試験 花子"),
        ("encrypted", "no"),
        ("protection", "施錠できるかばんで手渡し"),
        ("stays", "1"),
    ];

    pub(crate) struct House {
        _dir: TempDir,
        pub(crate) hand: ClockHand,
        app: App,
        router: Router,
        runtime: Runtime,
    }

    impl House {
        /// Masters are loaded; it is 09:00 on 24 November 2026 in Japan.
        pub(crate) fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let (clock, hand) = Clock::stepped("2026-11-24T00:00:00Z".parse().unwrap());
            let db = Db::create(&DataDir::new(dir.path().join("data")), clock).unwrap();
            masters::load(&db, &system(), &Masters::shipped().unwrap()).unwrap();
            let app = App::new(db, ServerSettings::standard());
            let echo = Routes::new("試験").post("/echo", Permission::SignedIn, echo);
            let router = router(&app, &App::routes().with(echo));
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            Self {
                _dir: dir,
                hand,
                app,
                router,
                runtime,
            }
        }

        pub(crate) fn app(&self) -> &App {
            &self.app
        }

        pub(crate) fn db(&self) -> &Db {
            self.app.db()
        }

        pub(crate) fn add(&self, login: &str, role: Role, centre: Option<&str>) -> StaffId {
            self.add_with(login, role, centre, false)
        }

        pub(crate) fn add_with(
            &self,
            login: &str,
            role: Role,
            centre: Option<&str>,
            must_change_password: bool,
        ) -> StaffId {
            let centre_id = centre.and_then(|code| masters::centre_id(self.db(), code).unwrap());
            let new = NewStaff {
                login: Login::new(login),
                name: format!("試験 {login}"),
                kana: String::new(),
                role,
                job: String::new(),
                centre_id,
                starts_on: date(2026, 4, 1),
                password: PASSWORD.to_owned(),
                must_change_password,
            };
            add(self.db(), &system(), &new).unwrap()
        }

        /// Changes something that no page changes yet.
        pub(crate) fn execute(&self, sql: &str) {
            let done = self.db().system(&system(), SystemReason::Demo, |tx| {
                tx.execute(sql, [])?;
                Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
            });
            done.unwrap();
        }

        /// Somebody of the register, with this id.
        pub(crate) fn resident(&self, id: i64, born_on: &str, centre: &str, state: &str) {
            self.execute(
                "insert or ignore into imports values (1, 'residents', '', 0, 'utf-8', 0, 0, 0, 0,
                 0, 0, 0, 0, 0, 0, null, '2026-11-24')",
            );
            let centre = masters::centre_id(self.db(), centre).unwrap().unwrap();
            self.execute(&format!(
                "insert into residents (id, addressee_no, household_no, relationship, name, kana,
                   alias_name, alias_kana, latin_name, former_surname, born_on, born_text, sex,
                   resident_kind, resident_state, postal_code, area_code, address, building, phone,
                   centre_id, event_code, moved_from, moved_to, nationality, shielded, has_gaiji,
                   import_id)
                 values ({id}, '9{id:07}', '5{id:07}', '本人', '架空 {id}郎', 'カクウ', '', '', '', '',
                   '{born_on}', '', '1', '1', '{state}', '', '', '', '', '', {centre}, '', '', '',
                   '', 0, 0, 1)"
            ));
            self.execute(&format!(
                "insert into insured_persons (id, resident_id, insured_no, insurer_no, category,
                   acquired_reason, lost_reason, domicile_exception, facility_name, applying,
                   on_welfare, import_id)
                 values ({id}, {id}, '00{id:08}', '112292', '1', '', '', 0, '', 0, 0, 1)"
            ));
        }

        pub(crate) fn certification(&self, id: i64, level: &str, from: &str, to: &str) {
            self.execute(&format!(
                "insert into certifications (insured_person_id, history_no, application_kind, state,
                   level, valid_from, valid_to, bedridden_level, dementia_level, planner_kind,
                   planner_office_no, import_id)
                 values ({id}, 1, '1', '2', '{level}', '{from}', '{to}', '', '', '', '', 1)"
            ));
        }

        pub(crate) fn count(&self, sql: &str) -> i64 {
            self.db()
                .read(&system(), |tx| tx.count(sql, params![]))
                .unwrap()
        }

        pub(crate) fn browser(&self) -> Browser<'_> {
            Browser {
                house: self,
                cookies: RefCell::default(),
                csrf: RefCell::default(),
            }
        }

        pub(crate) fn signed_in(&self, login: &str) -> Browser<'_> {
            let browser = self.browser();
            let page = browser.sign_in(login, PASSWORD);
            assert_eq!(page.status, 303, "{}", page.body);
            browser
        }
    }

    fn system() -> Actor {
        Actor::system("試験")
    }

    fn echo(visit: &Visit) -> Answer {
        Ok(download(
            "text/plain; charset=utf-8",
            "echo.txt",
            true,
            visit.form.get("text").into(),
        ))
    }

    /// Keeps cookies and the newest token, as a browser and its user do.
    pub(crate) struct Browser<'h> {
        house: &'h House,
        cookies: RefCell<BTreeMap<String, String>>,
        csrf: RefCell<String>,
    }

    pub(crate) struct Page {
        pub(crate) status: u16,
        pub(crate) headers: HeaderMap,
        pub(crate) body: String,
        pub(crate) bytes: Vec<u8>,
    }

    impl Page {
        pub(crate) fn header(&self, name: &str) -> &str {
            self.headers
                .get(name)
                .map_or("", |value| value.to_str().unwrap())
        }

        /// What can be read, without tags.
        pub(crate) fn text(&self) -> String {
            let mut inside = false;
            let keep = |c: &char| {
                inside = (*c == '<') || (inside && *c != '>');
                !inside && *c != '>'
            };
            self.body.chars().filter(keep).collect()
        }
    }

    impl Browser<'_> {
        pub(crate) fn sign_in(&self, login: &str, password: &str) -> Page {
            if self.csrf.borrow().is_empty() {
                self.get("/sign-in");
            }
            self.post("/sign-in", &[("login", login), ("password", password)])
        }

        pub(crate) fn get(&self, path: &str) -> Page {
            self.send(Method::GET, path, &[], String::new())
        }

        /// Sends a form with the token of the newest page.
        pub(crate) fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
            let csrf = self.csrf.borrow().clone();
            let body = form(&[fields, &[("csrf", csrf.as_str())]].concat());
            self.send(Method::POST, path, &[], body)
        }

        /// Takes a file out through the door, in the clear.
        pub(crate) fn take_out(&self, path: &str) -> Page {
            self.get(path);
            self.post(path, DOOR)
        }

        pub(crate) fn send(
            &self,
            method: Method,
            path: &str,
            headers: &[(&str, &str)],
            body: String,
        ) -> Page {
            let mut request = Request::builder().method(method).uri(path);
            let cookies = self.cookies.borrow();
            let pairs: Vec<String> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            drop(cookies);
            if !pairs.is_empty() {
                request = request.header(header::COOKIE, pairs.join("; "));
            }
            if !body.is_empty() {
                request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let request = request.body(Body::from(body)).unwrap();
            let page = self.house.runtime.block_on(async {
                let response = self.house.router.clone().oneshot(request).await.unwrap();
                let (parts, body) = response.into_parts();
                let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
                Page {
                    status: parts.status.as_u16(),
                    headers: parts.headers,
                    body: String::from_utf8_lossy(&bytes).into_owned(),
                    bytes,
                }
            });
            self.remember(&page);
            page
        }

        fn remember(&self, page: &Page) {
            for cookie in page.headers.get_all(header::SET_COOKIE) {
                let (pair, flags) = cookie.to_str().unwrap().split_once(';').unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                let mut cookies = self.cookies.borrow_mut();
                if flags.contains("Max-Age=0") {
                    cookies.remove(name);
                } else {
                    cookies.insert(name.to_owned(), value.to_owned());
                }
            }
            if let Some(token) = between(&page.body, "name=\"csrf\" value=\"", "\"") {
                *self.csrf.borrow_mut() = token;
            }
        }
    }

    pub(crate) fn form(fields: &[(&str, &str)]) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish()
    }

    pub(crate) fn between(text: &str, before: &str, after: &str) -> Option<String> {
        let (_, rest) = text.split_once(before)?;
        rest.split_once(after).map(|(found, _)| found.to_owned())
    }
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

/// A page without what differs from one answer to the next.
fn alike(page: &Page, login: &str) -> String {
    let mut body = page.body.replace(login, "ID");
    let token = house::between(&body, "name=\"csrf\" value=\"", "\"").unwrap();
    body = body.replace(&token, "TOKEN");
    let number = house::between(&body, "お問い合わせ番号 <span class=\"num\">", "<");
    number.map_or(body.clone(), |number| body.replace(&number, "NUMBER"))
}

fn house() -> House {
    let house = House::new();
    house.add("nurse", Role::Nurse, Some("0101"));
    house
}

#[test]
fn an_unknown_id_a_wrong_password_and_a_locked_id_are_refused_alike() {
    let house = house();
    house.add("locked", Role::Clerk, Some("0102"));
    let browser = house.browser();
    for _ in 0..5 {
        browser.sign_in("locked", "falsch und falsch");
    }
    let tries = [
        ("nobody", PASSWORD),
        ("nurse", "falsch und falsch"),
        ("locked", PASSWORD),
    ];
    let pages = tries.map(|(login, password)| (login, browser.sign_in(login, password)));
    let seen: Vec<(u16, String)> = pages
        .iter()
        .map(|(login, page)| (page.status, alike(page, login)))
        .collect();
    assert_eq!(seen[0].0, 422);
    assert!(seen[0].1.contains("職員IDかパスワードが違います"));
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
}

#[test]
fn after_five_failures_the_right_password_waits_thirty_seconds() {
    let house = house();
    let browser = house.browser();
    for _ in 0..5 {
        assert_eq!(browser.sign_in("nurse", "falsch und falsch").status, 422);
    }
    assert_eq!(browser.sign_in("nurse", PASSWORD).status, 422);
    // The try above counts too: six failures are a minute.
    house.hand.step(SignedDuration::from_secs(59));
    assert_eq!(browser.sign_in("nurse", PASSWORD).status, 422);
    house.hand.step(minutes(2));
    assert_eq!(browser.sign_in("nurse", PASSWORD).status, 303);
}

#[test]
fn a_success_forgives_former_failures() {
    let house = house();
    for _ in 0..2 {
        let browser = house.browser();
        for _ in 0..4 {
            assert_eq!(browser.sign_in("nurse", "falsch und falsch").status, 422);
        }
        assert_eq!(browser.sign_in("nurse", PASSWORD).status, 303);
    }
}

#[test]
fn every_refusal_and_every_sign_in_is_in_the_access_log() {
    let house = house();
    let browser = house.browser();
    browser.sign_in("nurse", "falsch und falsch");
    browser.sign_in("nobody", "falsch und falsch");
    browser.sign_in("nurse", PASSWORD);
    let count = |outcome: &str| {
        house.count(&format!(
            "select count(*) from audit_entries where operation = 'sign_in' and outcome = '{outcome}'"
        ))
    };
    assert_eq!((count("refused"), count("done")), (2, 1));
    // Where the nurse works is known, both times; of nobody nothing is.
    let at_centre = house.count(
        "select count(*) from audit_entries a join staff_terms s on s.staff_id = a.staff_id
         where a.operation = 'sign_in' and s.centre_id is not null and a.centre_id = s.centre_id",
    );
    assert_eq!(at_centre, 2);
    // Neither what was typed as ID nor a password is in there.
    let leaked = house.count(
        "select count(*) from audit_entries where detail like '%nobody%' or detail like '%falsch%'",
    );
    assert_eq!(leaked, 0);
}

#[test]
fn a_password_that_was_given_out_must_be_changed_before_anything_else() {
    let house = House::new();
    house.add_with("new", Role::Clerk, Some("0101"), true);
    let browser = house.signed_in("new");
    let turned_back = browser.get("/overview");
    assert_eq!(
        (turned_back.status, turned_back.header("location")),
        (303, "/password")
    );
    assert!(
        browser
            .get("/password")
            .text()
            .contains("はじめてのサインイン")
    );
    let new = "川沿いの道を夕方に走る五時";
    let change = |again: &str| {
        let fields = [
            ("password", PASSWORD),
            ("new_password", new),
            ("new_password_again", again),
        ];
        browser.post("/password", &fields)
    };
    assert_eq!(change("川沿いの道を夕方に走る六時").status, 422);
    assert_eq!(change(new).status, 303);
    assert_eq!(browser.get("/password").status, 200);
    assert!(
        !browser
            .get("/password")
            .text()
            .contains("はじめてのサインイン")
    );
    assert_eq!(house.browser().sign_in("new", PASSWORD).status, 422);
    assert_eq!(house.browser().sign_in("new", new).status, 303);
}

#[test]
fn signing_out_everywhere_ends_the_other_terminal_too() {
    let house = house();
    let (here, there) = (house.signed_in("nurse"), house.signed_in("nurse"));
    here.get("/password");
    assert_eq!(here.post("/sign-out-everywhere", &[]).status, 303);
    assert_eq!(there.get("/password").status, 401);
    assert_eq!(here.get("/password").status, 401);
}

#[test]
fn signing_out_ends_this_session_only() {
    let house = house();
    let (here, there) = (house.signed_in("nurse"), house.signed_in("nurse"));
    here.get("/password");
    let answer = here.post("/sign-out", &[]);
    assert_eq!(
        (answer.status, answer.header("location")),
        (303, "/sign-in?done=signed-out")
    );
    assert_eq!(here.get("/password").status, 401);
    assert_eq!(there.get("/password").status, 200);
}

#[test]
fn somebody_who_left_is_out_the_next_day_even_while_signed_in() {
    let house = house();
    house.execute(
        "insert into staff_post_endings (post_id, ends_on, reason, recorded_at)
         select p.id, '2026-11-24', '退職', '' from staff_posts p join staff s on s.id = p.staff_id
         where s.login = 'nurse'",
    );
    // 23:50 in Japan on the last day; ten minutes later it is over.
    house.hand.step(minutes(14 * 60 + 50));
    let browser = house.signed_in("nurse");
    assert_eq!(browser.get("/password").status, 200);
    house.hand.step(minutes(10));
    assert_eq!(browser.get("/password").status, 401);
    assert_eq!(house.browser().sign_in("nurse", PASSWORD).status, 422);
}

#[test]
fn a_session_nobody_touched_for_thirty_minutes_is_over() {
    let house = house();
    let browser = house.signed_in("nurse");
    house.hand.step(minutes(30));
    assert_eq!(browser.get("/password").status, 200);
    house.hand.step(minutes(31));
    assert_eq!(browser.get("/password").status, 401);
}

#[test]
fn a_session_is_over_after_twelve_hours_however_busy() {
    let house = house();
    let browser = house.signed_in("nurse");
    for _ in 0..48 {
        assert_eq!(browser.get("/password").status, 200);
        house.hand.step(minutes(15));
    }
    assert_eq!(browser.get("/password").status, 200);
    house.hand.step(minutes(1));
    assert_eq!(browser.get("/password").status, 401);
}

#[test]
fn a_form_with_a_wrong_or_missing_token_or_from_another_site_is_refused_with_403() {
    let house = house();
    let browser = house.signed_in("nurse");
    let page = browser.get("/password");
    let token = house::between(&page.body, "name=\"csrf\" value=\"", "\"").unwrap();
    let send = |headers: &[(&str, &str)], fields: &[(&str, &str)]| {
        browser.send(Method::POST, "/echo", headers, house::form(fields))
    };
    let missing = send(&[], &[("text", "長い文")]);
    assert_eq!(missing.status, 403);
    assert!(missing.text().contains("画面の有効期限が切れています"));
    assert_eq!(
        send(&[], &[("text", "長い文"), ("csrf", "AAAA")]).status,
        403
    );
    let other = house.signed_in("nurse").get("/password");
    let foreign = house::between(&other.body, "name=\"csrf\" value=\"", "\"").unwrap();
    assert_eq!(
        send(&[], &[("text", "長い文"), ("csrf", &foreign)]).status,
        403
    );
    let cross = [("sec-fetch-site", "cross-site")];
    assert_eq!(
        send(&cross, &[("text", "長い文"), ("csrf", &token)]).status,
        403
    );
    assert_eq!(
        send(&[], &[("text", "長い文"), ("csrf", &token)]).status,
        200
    );
}

#[test]
fn a_wrong_method_is_told_with_405() {
    let house = house();
    let browser = house.signed_in("nurse");
    assert_eq!(browser.get("/sign-out").status, 405);
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let page = browser.send(method, "/password", &[], String::new());
        assert_eq!(page.status, 405);
        assert!(page.text().contains("この開き方はできません"));
    }
}

#[test]
fn a_body_over_the_limit_is_told_with_413() {
    let house = house();
    let browser = house.signed_in("nurse");
    browser.get("/password");
    let page = browser.post("/echo", &[("text", &"x".repeat(5 * 1024 * 1024))]);
    assert_eq!(page.status, 413);
    assert!(page.text().contains("送られた内容が大きすぎます"));
    assert_eq!(browser.get("/password").status, 200);
}

#[test]
fn more_fields_than_a_form_has_are_refused_with_413() {
    let house = house();
    let browser = house.signed_in("nurse");
    browser.get("/password");
    assert_eq!(browser.post("/echo", &[("a", "1"); 501]).status, 413);
}

#[test]
fn words_typed_before_the_session_ended_come_back_after_signing_in_and_are_saved() {
    let house = house();
    let browser = house.signed_in("nurse");
    browser.get("/password");
    house.hand.step(minutes(31));
    let text = "娘さんへ電話。\n「'\"><script>」&改行\n𠮷野さん宅へ訪問";
    let expired = browser.post("/echo", &[("text", text)]);
    assert_eq!(expired.status, 401);
    assert!(expired.body.contains("𠮷野さん宅へ訪問"));
    assert!(!expired.body.contains("<script>」"));
    let hidden = |name: &str| {
        let value = house::between(&expired.body, &format!("name=\"{name}\" value=\""), "\"");
        value.unwrap().replace("&#38;", "&").replace("&amp;", "&")
    };
    let (path, body) = (hidden("resume_path"), hidden("resume_body"));
    let fields = [
        ("login", "nurse"),
        ("password", PASSWORD),
        ("resume_path", path.as_str()),
        ("resume_body", body.as_str()),
    ];
    let resumed = browser.post("/sign-in", &fields);
    assert_eq!(resumed.status, 200);
    assert!(resumed.text().contains("まだ保存されていません"));
    assert!(resumed.body.contains("action=\"/echo\""));
    // The form's own token holds for the new session.
    let saved = browser.post("/echo", &[("text", text)]);
    assert_eq!((saved.status, saved.body.as_str()), (200, text));
}

#[test]
fn a_password_typed_into_an_expired_page_does_not_come_back() {
    let house = house();
    let browser = house.signed_in("nurse");
    browser.get("/password");
    house.hand.step(minutes(31));
    let secret = "geheim-und-lang-genug";
    let fields = [
        ("password", secret),
        ("new_password", secret),
        ("new_password_again", secret),
    ];
    let page = browser.post("/password", &fields);
    assert_eq!(page.status, 401);
    assert!(!page.body.contains(secret));
}

#[test]
fn nobody_is_sent_to_another_site_after_signing_in() {
    let house = house();
    for path in [
        "//evil.example/",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:x",
    ] {
        let browser = house.browser();
        browser.get("/sign-in");
        let fields = [
            ("login", "nurse"),
            ("password", PASSWORD),
            ("resume_path", path),
        ];
        let page = browser.post("/sign-in", &fields);
        assert_eq!((page.status, page.header("location")), (303, "/"), "{path}");
    }
}

#[test]
fn no_page_is_kept_by_a_cache_and_each_has_the_strict_policy() {
    let house = house();
    let browser = house.signed_in("nurse");
    let signed_out = house.browser();
    let pages = [
        browser.get("/password"),
        browser.get("/nowhere"),
        browser.get("/overview"),
        signed_out.get("/sign-in"),
        signed_out.get("/password"),
    ];
    for page in &pages {
        assert_eq!(page.header("cache-control"), "no-store");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(!page.body.contains(" style=") && !page.body.contains(" onclick="));
    }
    let statuses = pages.map(|page| page.status);
    let (ok, lost, no) = (StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN);
    assert_eq!(statuses[..3], [ok, lost, no].map(|status| status.as_u16()));
}

#[test]
fn cookies_are_for_this_host_over_tls_only_and_out_of_reach_of_scripts() {
    let house = house();
    let browser = house.browser();
    let before = browser.get("/sign-in");
    let after = browser.sign_in("nurse", PASSWORD);
    let mut names = Vec::new();
    for page in [&before, &after] {
        for cookie in page.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            for flag in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                assert!(text.contains(flag), "{text}");
            }
            assert!(!text.contains("Domain="));
            names.push(text.split_once('=').unwrap().0.to_owned());
        }
    }
    assert!(
        names.iter().all(|name| name.starts_with("__Host-")),
        "{names:?}"
    );
    assert!(names.iter().any(|name| name == "__Host-hokatsu"));
}
