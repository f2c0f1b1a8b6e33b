//! Sign-in through its own routes.

use axum::http::{Method, StatusCode};
use jiff::SignedDuration;

use self::house::{House, PASSWORD, Page};
use crate::web::Role;

/// A house, somebody to sign in, and browsers in front of them.
pub(crate) mod house {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::http::{HeaderMap, Method, Request, header};
    use axum_server::tls::TlsInfo;
    use base::clock::{Clock, ClockHand};
    use jiff::civil::date;
    use store::{Actor, DataDir, Db, Event, Operation, StaffId, StoreError, SystemReason, params};
    use tempfile::TempDir;
    use tokio::runtime::{Builder, Runtime};
    use tower::ServiceExt as _;

    use crate::app::{App, ServerSettings};
    use crate::factor_keys::FactorKeys;
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
            Self::with(ServerSettings::standard())
        }

        /// The same with an authority that gives terminals their certificates.
        pub(crate) fn with_authority() -> Self {
            Self::with_authority_and(ServerSettings::standard())
        }

        pub(crate) fn with_authority_and(settings: ServerSettings) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let place = dir.path().join("authority");
            crate::ca::Authority::create(&place, &["localhost"], &[], date(2026, 11, 24)).unwrap();
            let settings = ServerSettings {
                authority: Some(place),
                ..settings
            };
            Self::inside(dir, settings)
        }

        pub(crate) fn with(settings: ServerSettings) -> Self {
            Self::inside(tempfile::tempdir().unwrap(), settings)
        }

        fn inside(dir: TempDir, mut settings: ServerSettings) -> Self {
            let (clock, hand) = Clock::stepped("2026-11-24T00:00:00Z".parse().unwrap());
            let db = Db::create(&DataDir::new(dir.path().join("data")), clock).unwrap();
            masters::load(&db, &system(), &Masters::shipped().unwrap()).unwrap();
            if settings.factor_keys.is_empty() {
                settings.factor_keys = FactorKeys::fresh().unwrap();
            }
            Self::around((dir, hand), db, settings)
        }

        fn around((dir, hand): (TempDir, ClockHand), db: Db, settings: ServerSettings) -> Self {
            let app = App::new(db, settings);
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

        /// The same after a stop and a start with other keys.
        pub(crate) fn restarted_with(self, factor_keys: FactorKeys) -> Self {
            let settings = ServerSettings {
                factor_keys,
                ..self.app.settings().clone()
            };
            let (clock, files) = (self.app.clock().clone(), (self._dir, self.hand));
            let place = self.app.db().dir().clone();
            drop((self.app, self.router));
            let db = Db::open(&place, clock).unwrap();
            Self::around(files, db, settings)
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

        pub(crate) fn password(&self) -> &'static str {
            PASSWORD
        }

        /// Registers a terminal; what it shows (the engine knows it by its digest alone).
        pub(crate) fn terminal(&self, name: &str) -> Vec<u8> {
            let shown = format!("certificate of {name}").into_bytes();
            let digest = crate::ca::terminal::fingerprint(&shown);
            self.execute(&format!(
                "insert into terminals (submission, recorded_by, recorded_at)
                 values ('{name}', 1, '')"
            ));
            let id = self.count("select max(id) from terminals");
            self.execute(&format!(
                "insert into terminal_details
                   (terminal_id, name, kind, notes, recorded_by, recorded_at)
                 values ({id}, '{name}', 'pc', '', 1, '')"
            ));
            self.execute(&format!(
                "insert into terminal_certificates
                   (terminal_id, fingerprint, expires_on, recorded_by, recorded_at)
                 values ({id}, '{digest}', '2031-11-24', 1, '')"
            ));
            shown
        }

        /// What the newest entry of an act says.
        pub(crate) fn detail(&self, operation: &str) -> String {
            let sql = "select detail from audit_entries where operation = ?1
                order by id desc limit 1";
            let read = self
                .db()
                .read(&system(), |tx| tx.one(sql, [operation], |row| row.get(0)));
            read.map_err(|e: StoreError| e).unwrap().unwrap()
        }

        pub(crate) fn browser(&self) -> Browser<'_> {
            Browser {
                house: self,
                certificate: None,
                cookies: RefCell::default(),
                csrf: RefCell::default(),
            }
        }

        /// A browser on a machine that shows this certificate (DER).
        pub(crate) fn browser_at(&self, certificate: &[u8]) -> Browser<'_> {
            Browser {
                certificate: Some(certificate.to_vec()),
                ..self.browser()
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
        certificate: Option<Vec<u8>>,
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

    impl<'h> Browser<'h> {
        /// The same cookies on another machine.
        pub(crate) fn moved_to(&self, certificate: Option<&[u8]>) -> Browser<'h> {
            Browser {
                house: self.house,
                certificate: certificate.map(<[u8]>::to_vec),
                cookies: self.cookies.clone(),
                csrf: self.csrf.clone(),
            }
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

        /// Sends a form with files (name and content), as a browser does: fields first.
        pub(crate) fn upload(
            &self,
            path: &str,
            fields: &[(&str, &str)],
            files: &[(&str, &[u8])],
        ) -> Page {
            let csrf = self.csrf.borrow().clone();
            let body = multipart(&[&[("csrf", csrf.as_str())], fields].concat(), files);
            self.send_bytes(Method::POST, path, &[("content-type", MULTIPART)], body)
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
            let kind = ("content-type", "application/x-www-form-urlencoded");
            let first = if body.is_empty() { None } else { Some(kind) };
            let all: Vec<_> = first.iter().chain(headers).copied().collect();
            self.send_bytes(method, path, &all, body.into_bytes())
        }

        pub(crate) fn send_bytes(
            &self,
            method: Method,
            path: &str,
            headers: &[(&str, &str)],
            body: Vec<u8>,
        ) -> Page {
            let mut request = Request::builder().method(method).uri(path);
            let cookies = self.cookies.borrow();
            let pairs: Vec<String> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            drop(cookies);
            if !pairs.is_empty() {
                request = request.header(header::COOKIE, pairs.join("; "));
            }
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let mut request = request.body(Body::from(body)).unwrap();
            if let Some(certificate) = &self.certificate {
                let mut info = TlsInfo::default();
                info.peer_certificates.push(certificate.clone());
                request.extensions_mut().insert(Arc::new(info));
            }
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

    /// How [`multipart`] says what it is.
    pub(crate) const MULTIPART: &str = "multipart/form-data; boundary=----part";

    /// The body of a form with files.
    pub(crate) fn multipart(fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!("content-disposition: form-data; name=\"{name}\"");
            body.extend(format!("------part\r\n{head}\r\n\r\n{value}\r\n").bytes());
        }
        for (name, bytes) in files {
            let head = "content-disposition: form-data; name=\"files\"; filename=";
            let kind = "content-type: application/octet-stream";
            body.extend(format!("------part\r\n{head}\"{name}\"\r\n{kind}\r\n\r\n").bytes());
            body.extend(*bytes);
            body.extend(b"\r\n");
        }
        body.extend(b"------part--\r\n");
        body
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
fn a_session_nobody_touched_for_thirty_minutes_is_locked() {
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

/// A hidden field of a page, as a browser reads it.
fn hidden(page: &Page, name: &str) -> String {
    let value = house::between(&page.body, &format!("name=\"{name}\" value=\""), "\"");
    value.unwrap().replace("&#38;", "&").replace("&amp;", "&")
}

const TYPED: &str = "娘さんへ電話。\n「'\"><script>」&改行\n𠮷野さん宅へ訪問";

/// Sends the words to a session that is over or locked, answers with these fields as well, and
/// saves them by the one click that the page after it asks for.
fn carried_through(house: &House, minutes_away: i64, door: &str, fields: &[(&str, &str)]) -> Page {
    let browser = house.signed_in("nurse");
    browser.get("/password");
    house.hand.step(minutes(minutes_away));
    let asked = browser.post("/echo", &[("text", TYPED)]);
    assert_eq!(asked.status, 401);
    assert!(!asked.body.contains("<script>」"));
    let (path, body) = (hidden(&asked, "resume_path"), hidden(&asked, "resume_body"));
    let carried = [
        ("resume_path", path.as_str()),
        ("resume_body", body.as_str()),
    ];
    let resumed = browser.post(door, &[fields, &carried].concat());
    assert_eq!(resumed.status, 200, "{}", resumed.text());
    assert!(resumed.text().contains("まだ保存されていません"));
    assert!(resumed.body.contains("action=\"/echo\"") && resumed.body.contains("𠮷野さん宅"));
    // The form's own token holds for what comes after.
    browser.post("/echo", &[("text", TYPED)])
}

#[test]
fn words_typed_before_the_session_ended_come_back_after_signing_in_and_are_saved() {
    let house = house();
    let fields = [("login", "nurse"), ("password", PASSWORD)];
    let saved = carried_through(&house, 13 * 60, "/sign-in", &fields);
    assert_eq!((saved.status, saved.body.as_str()), (200, TYPED));
}

#[test]
fn words_typed_into_a_locked_screen_come_back_after_the_password_and_are_saved() {
    let house = house();
    let saved = carried_through(&house, 31, "/lock/opening", &[("password", PASSWORD)]);
    assert_eq!((saved.status, saved.body.as_str()), (200, TYPED));
}

#[test]
fn a_locked_screen_shows_and_takes_nothing_and_asks_only_for_the_password() {
    let house = house();
    let browser = house.signed_in("nurse");
    let before = browser.get("/password");
    browser.post("/lock", &[]);
    for path in ["/", "/overview", "/nowhere/at/all", "/password"] {
        let page = browser.get(path);
        let lost = path.starts_with("/nowhere");
        assert_eq!(page.status, if lost { 404 } else { 401 }, "{path}");
        assert!(!page.body.contains("href=\"/residents\""), "{path}");
    }
    let locked = browser.get("/password");
    assert!(locked.text().contains("画面をロックしています"));
    assert!(locked.text().contains("試験 nurse"));
    assert!(!locked.body.contains("name=\"login\""));
    let wrong = browser.post("/lock/opening", &[("password", "falsch und falsch")]);
    assert_eq!(wrong.status, 422);
    assert_eq!(browser.get("/password").status, 401);
    browser.get("/password");
    let opened = browser.post("/lock/opening", &[("password", PASSWORD)]);
    assert_eq!((opened.status, opened.header("location")), (303, "/"));
    // A page that was left open can still be saved: the secret of its token did not change.
    let token = house::between(&before.body, "name=\"csrf\" value=\"", "\"").unwrap();
    let form = house::form(&[("text", "a"), ("csrf", &token)]);
    assert_eq!(browser.send(Method::POST, "/echo", &[], form).status, 200);
    let entries = "select count(*) from audit_entries where operation = 'session_unlock'
        and outcome = ";
    assert_eq!(house.count(&format!("{entries}'refused'")), 1);
    assert_eq!(house.count(&format!("{entries}'done'")), 1);
}

#[test]
fn the_token_from_before_the_lock_opens_nothing_after_it() {
    let house = house();
    let browser = house.signed_in("nurse");
    browser.get("/password");
    let known = browser.moved_to(None);
    browser.post("/lock", &[]);
    browser.get("/password");
    assert_eq!(
        browser
            .post("/lock/opening", &[("password", PASSWORD)])
            .status,
        303
    );
    assert_eq!(browser.get("/password").status, 200);
    assert_eq!(known.get("/password").status, 401);
}

#[test]
fn guessing_at_a_locked_screen_gets_as_slow_as_at_the_door() {
    let house = house();
    let browser = house.signed_in("nurse");
    browser.get("/password");
    browser.post("/lock", &[]);
    browser.get("/password");
    let open = |password: &str| {
        browser
            .post("/lock/opening", &[("password", password)])
            .status
    };
    for _ in 0..5 {
        assert_eq!(open("falsch und falsch"), 422);
    }
    assert_eq!(open(PASSWORD), 422);
    house.hand.step(minutes(2));
    assert_eq!(open(PASSWORD), 303);
}

#[test]
fn an_open_page_learns_of_the_lock_without_keeping_the_session_awake() {
    let house = house();
    let browser = house.signed_in("nurse");
    let state = |query: &str| browser.get(&format!("/lock/state{query}")).body;
    for _ in 0..30 {
        house.hand.step(minutes(1));
        assert_eq!(state(""), "open");
    }
    house.hand.step(minutes(1));
    assert_eq!(state(""), "locked");
    house.hand.step(minutes(12 * 60));
    assert_eq!(state(""), "out");
    let busy = house.signed_in("nurse");
    for _ in 0..40 {
        house.hand.step(minutes(1));
        assert_eq!(busy.get("/lock/state?active=1").body, "open");
    }
}

#[test]
fn a_clock_that_was_set_back_neither_ends_nor_opens_a_session() {
    let house = house();
    let browser = house.signed_in("nurse");
    house.hand.step(minutes(-3 * 60));
    assert_eq!(browser.get("/password").status, 200);
    browser.post("/lock", &[]);
    house.hand.step(minutes(-60));
    assert_eq!(browser.get("/password").status, 401);
    house.hand.step(minutes(4 * 60));
    assert_eq!(browser.get("/password").status, 401);
}

#[test]
fn forged_foreign_and_doubled_session_cookies_open_nothing() {
    let house = house();
    let browser = house.browser();
    let long = "A".repeat(5_000);
    for token in ["", "A", "' or 1=1 --", long.as_str()] {
        let cookie = format!("__Host-hokatsu={token}");
        let page = browser.send(
            Method::GET,
            "/password",
            &[("cookie", cookie.as_str())],
            String::new(),
        );
        assert_eq!(page.status, 401, "{token}");
    }
}

#[test]
fn a_token_that_was_known_before_signing_in_is_not_the_sessions() {
    let house = house();
    let browser = house.browser();
    browser.get("/sign-in");
    let fixed = "A".repeat(43);
    let planted = [("cookie", format!("__Host-hokatsu={fixed}"))];
    let token = hidden(&browser.get("/sign-in"), "csrf");
    let form = house::form(&[("csrf", &token), ("login", "nurse"), ("password", PASSWORD)]);
    let headers = [planted[0].0, planted[0].1.as_str()];
    let answer = browser.send(Method::POST, "/sign-in", &[(headers[0], headers[1])], form);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookies: Vec<&str> = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .collect();
    assert!(
        cookies
            .iter()
            .any(|cookie| cookie.starts_with("__Host-hokatsu="))
    );
    assert!(cookies.iter().all(|cookie| !cookie.contains(&fixed)));
}

#[test]
fn a_form_of_a_session_that_ended_is_not_taken_in_the_next_one() {
    let house = house();
    let browser = house.signed_in("nurse");
    let token = hidden(&browser.get("/password"), "csrf");
    browser.post("/sign-out", &[]);
    browser.get("/sign-in");
    assert_eq!(browser.sign_in("nurse", PASSWORD).status, 303);
    let form = house::form(&[("text", "a"), ("csrf", &token)]);
    assert_eq!(browser.send(Method::POST, "/echo", &[], form).status, 403);
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

#[test]
fn a_password_that_is_too_old_must_be_changed_before_anything_else() {
    let asked = base::settings::SignInSettings {
        password_days_max: Some(90),
        ..base::settings::SignInSettings::default()
    };
    let house = House::with(crate::app::ServerSettings::signing_in(&asked).unwrap());
    house.add("nurse", Role::Nurse, Some("0101"));
    house.hand.step(minutes(90 * 24 * 60));
    assert_eq!(house.signed_in("nurse").get("/overview").status, 403);
    house.hand.step(minutes(1));
    let browser = house.signed_in("nurse");
    let turned_back = browser.get("/overview");
    assert_eq!(turned_back.header("location"), "/password");
    let page = browser.get("/password");
    assert!(page.text().contains("決められた日数がたちました"));
    let new = "川沿いの道を夕方に走る五時";
    let fields = [
        ("password", PASSWORD),
        ("new_password", new),
        ("new_password_again", new),
    ];
    assert_eq!(browser.post("/password", &fields).status, 303);
    assert_eq!(browser.get("/overview").status, 403);
}

#[test]
fn guessing_the_present_password_of_an_open_session_gets_slower_too() {
    let house = house();
    let browser = house.signed_in("nurse");
    browser.get("/password");
    let change = |present: &str| {
        let new = "川沿いの道を夕方に走る五時";
        let fields = [
            ("password", present),
            ("new_password", new),
            ("new_password_again", new),
        ];
        browser.post("/password", &fields).status
    };
    for _ in 0..5 {
        assert_eq!(change("falsch und falsch"), 422);
    }
    assert_eq!(change(PASSWORD), 422);
    house.hand.step(minutes(2));
    assert_eq!(change(PASSWORD), 303);
}

/// A nurse whose password comes of age while she is at work.
fn aging() -> House {
    let asked = base::settings::SignInSettings {
        password_days_max: Some(30),
        ..base::settings::SignInSettings::default()
    };
    let house = House::with(crate::app::ServerSettings::signing_in(&asked).unwrap());
    house.add("nurse", Role::Nurse, Some("0101"));
    house
        .hand
        .step(SignedDuration::from_hours(30 * 24) - minutes(10));
    house
}

#[test]
fn words_typed_when_the_password_came_of_age_are_saved_after_it_was_changed() {
    let house = aging();
    let browser = house.signed_in("nurse");
    browser.get("/password");
    house.hand.step(minutes(20));
    let asked = browser.post("/echo", &[("text", TYPED)]);
    assert_eq!(asked.status, 403);
    assert!(asked.text().contains("先にパスワードを変えてください"));
    assert!(asked.body.contains("action=\"/password/opening\""));
    let (path, body) = (hidden(&asked, "resume_path"), hidden(&asked, "resume_body"));
    let carried = [
        ("resume_path", path.as_str()),
        ("resume_body", body.as_str()),
    ];
    let form = browser.post("/password/opening", &carried);
    assert_eq!(form.status, 200);
    assert!(form.text().contains("決められた日数がたちました"));
    let change = |again: &str| {
        let fields = [
            ("password", PASSWORD),
            ("new_password", "川沿いの道を夕方に走る五時"),
            ("new_password_again", again),
        ];
        browser.post("/password", &[&fields[..], &carried].concat())
    };
    let wrong = change("ちがうもの");
    assert_eq!(
        (wrong.status, hidden(&wrong, "resume_body")),
        (422, body.clone())
    );
    // A lock between the two pages carries the first words, and no password.
    house.hand.step(minutes(40));
    let locked = change("川沿いの道を夕方に走る五時");
    assert_eq!(locked.status, 401);
    assert_eq!(hidden(&locked, "resume_path"), "/echo");
    assert!(!locked.body.contains("川沿い"));
    let opened = browser.post(
        "/lock/opening",
        &[&[("password", PASSWORD)], &carried[..]].concat(),
    );
    assert!(opened.body.contains("action=\"/echo\""));
    let done = change("川沿いの道を夕方に走る五時");
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.body.contains("action=\"/echo\"") && done.body.contains("𠮷野さん宅"));
    assert_eq!(browser.post("/echo", &[("text", TYPED)]).body, TYPED);
}
