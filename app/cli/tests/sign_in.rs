//! Sign-in as stock tools meet it: a terminal's certificate by curl and OpenSSL, codes by oathtool.

#![expect(
    clippy::expect_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use base::clock::Clock;
use base::command::{Output, Spec, run};
use harness::process::{Client, Server, prepared};
use server::ca::Authority;
use server::features::staff::{self, Login, NewStaff};
use server::web::Role;
use store::{Actor, DataDir, Db, Event, Operation, StoreError, SystemReason};
use tempfile::TempDir;

const PASSWORD: &str = "さくら並木を朝に歩く七時";
/// Longer than any of the tools takes; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that asks nurses for a registered terminal and clerks for a code.
struct Service {
    server: Server,
    _root: TempDir,
    site: PathBuf,
    dir: PathBuf,
    base: String,
    ca: PathBuf,
}

impl Service {
    fn start() -> Self {
        let root = TempDir::new().expect("a directory");
        let (data, site) = prepared(root.path());
        let text = std::fs::read_to_string(&site).expect("the settings");
        let text =
            format!("{text}[sign_in.second_factor]\nnurse = [\"terminal\"]\nclerk = [\"totp\"]\n");
        base::paths::write_atomic(&site, text.as_bytes(), base::paths::MODE_PRIVATE)
            .expect("the settings can be written");
        let db = Db::open(&DataDir::new(&data), Clock::system()).expect("the database");
        for (login, role) in [
            ("boss", Role::SystemAdmin),
            ("nurse", Role::Nurse),
            ("clerk", Role::Clerk),
        ] {
            let new = NewStaff {
                login: Login::new(login),
                name: login.to_owned(),
                kana: String::new(),
                role,
                job: String::new(),
                centre_id: None,
                starts_on: jiff::civil::date(2020, 4, 1),
                password: PASSWORD.to_owned(),
                must_change_password: false,
            };
            staff::add(&db, &Actor::system("試験"), &new).expect("staff can be added");
        }
        db.close().expect("a clean stop");
        let (server, base) = Server::serve(&site);
        Self {
            server,
            site,
            dir: root.path().to_path_buf(),
            _root: root,
            base,
            ca: data.join("tls/ca.pem"),
        }
    }

    /// Stops, does something, starts again.
    fn after(self, between: impl FnOnce(&Path)) -> Self {
        let (status, ..) = self.server.interrupt();
        assert_eq!(status.code(), Some(0));
        between(&self.site);
        let (server, base) = Server::serve(&self.site);
        Self {
            server,
            base,
            ..self
        }
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn client(&self) -> Client {
        Client::trusting(&self.ca)
    }

    fn administrator(&self) -> Client {
        let mut client = self.client();
        assert!(client.sign_in(&self.base, "boss", PASSWORD));
        client
    }

    /// Registers the first terminal and gives out its certificate: the file, and its passphrase.
    fn terminal(&self, boss: &Client) -> (PathBuf, String) {
        let fields = [
            ("submission", "suite"),
            ("name", "窓口PC-1"),
            ("kind", "pc"),
            ("centre", "city"),
        ];
        let made = boss
            .post(&self.at("/terminals"), &fields)
            .expect("an answer");
        assert_eq!(made.status(), 303);
        let mut page = boss
            .post(&self.at("/terminals/1/certificate"), &[("seen", "0")])
            .expect("an answer");
        let page = page.body_mut().read_to_string().expect("a page");
        let package = between(&page, "x-pkcs12;base64,", "\"").replace("&#43;", "+");
        let package = data_encoding::BASE64
            .decode(package.as_bytes())
            .expect("base64");
        let file = self.dir.join("terminal.p12");
        base::paths::write_atomic(&file, &package, base::paths::MODE_PRIVATE).expect("a file");
        (file, between(&page, "id=\"passphrase\">", "<"))
    }

    /// What curl says: exit code, status and body.
    fn curl(&self, jar: &str, more: &[&str], path: &str) -> (Option<i32>, String) {
        let (ca, jar) = (self.ca.display().to_string(), self.dir.join(jar));
        let jar = jar.display().to_string();
        let mut words = vec!["--silent", "--cacert", &ca, "--cookie", &jar];
        words.extend(["--cookie-jar", &jar, "--write-out", "\nstatus %{http_code}"]);
        words.extend(more);
        let address = self.at(path);
        words.push(&address);
        let ended = ended("curl", &words);
        (ended.status.code(), text(&ended))
    }

    /// Signs the nurse in by curl.
    fn curl_signs_in(&self, jar: &str, more: &[&str]) -> (Option<i32>, String) {
        let (_, form) = self.curl(jar, more, "/sign-in");
        let token = between(&form, "name=\"csrf\" value=\"", "\"");
        let (csrf, password) = (format!("csrf={token}"), format!("password={PASSWORD}"));
        let fields = [
            "--data-urlencode",
            &csrf,
            "--data-urlencode",
            "login=nurse",
            "--data-urlencode",
            &password,
        ];
        self.curl(jar, &[more, &fields].concat(), "/sign-in")
    }
}

fn ended(program: &str, words: &[&str]) -> Output {
    let spec = Spec::new(program, PATIENCE)
        .args(words)
        .output_bytes_max(1 << 20);
    run(&spec).expect("the tool is installed (cargo xtask setup)")
}

fn text(ended: &Output) -> String {
    String::from_utf8_lossy(&ended.stdout.bytes).into_owned()
}

fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap_or_default();
    let (found, _) = rest.split_once(after).unwrap_or_default();
    assert!(!found.is_empty(), "no {before} in {text}");
    found.to_owned()
}

fn opens(file: &Path, passphrase: &str) -> bool {
    let (file, pass) = (file.display().to_string(), format!("pass:{passphrase}"));
    let words = ["pkcs12", "-in", &file, "-passin", &pass, "-noout"];
    ended("openssl", &words).status.success()
}

#[test]
fn curl_gets_in_with_the_terminals_certificate_until_it_is_lost_and_not_without() {
    let service = Service::start();
    let boss = service.administrator();
    let (file, passphrase) = service.terminal(&boss);
    assert!(opens(&file, &passphrase));
    assert!(!opens(&file, "falsch"));

    let (_, without) = service.curl_signs_in("without", &[]);
    assert!(without.ends_with("status 403"), "{without}");
    assert!(without.contains("登録した端末からだけ"), "{without}");

    let shown = format!("{}:{passphrase}", file.display());
    let with = ["--cert-type", "P12", "--cert", &shown];
    let (_, inside) = service.curl_signs_in("with", &with);
    assert!(inside.ends_with("status 303"), "{inside}");
    let (_, page) = service.curl("with", &with, "/password");
    assert!(page.ends_with("status 200"), "{page}");

    let lost = boss.post(&service.at("/terminals/1/loss"), &[]);
    assert_eq!(lost.expect("an answer").status(), 303);
    let (_, page) = service.curl("with", &with, "/password");
    assert!(page.ends_with("status 401"), "{page}");
    let (_, again) = service.curl_signs_in("again", &with);
    assert!(again.ends_with("status 403"), "{again}");
}

#[test]
fn an_expired_certificate_gets_through_the_handshake_to_a_page_and_no_further() {
    let service = Service::start();
    let dir = DataDir::new(service.dir.join("data"));
    let first = jiff::civil::date(2020, 1, 1);
    let made = Authority::issue_terminal(&dir.tls(), "hokatsu terminal 1", "abc", first);
    let made = made.expect("a certificate");
    let service = service.after(|_| {
        let db = Db::open(&dir, Clock::system()).expect("the database");
        let rows = [
            "insert into terminals values (1, 'suite', 1, '')".to_owned(),
            "insert into terminal_details values (1, 1, '窓口PC-1', 'pc', null, '', 1, '')"
                .to_owned(),
            format!(
                "insert into terminal_certificates values (1, 1, '{}', '{}', 1, '')",
                made.fingerprint, made.expires_on
            ),
        ];
        let written = db.system(&Actor::system("試験"), SystemReason::Demo, |tx| {
            for row in rows {
                tx.execute(&row, [])?;
            }
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
        });
        written.expect("a registered terminal");
        db.close().expect("a clean stop");
    });
    let file = service.dir.join("expired.p12");
    base::paths::write_atomic(&file, &made.package, base::paths::MODE_PRIVATE).expect("a file");
    let shown = format!("{}:abc", file.display());
    let with = ["--cert-type", "P12", "--cert", &shown];
    let (code, page) = service.curl_signs_in("expired", &with);
    assert_eq!(code, Some(0), "{page}");
    assert!(page.ends_with("status 403"), "{page}");
    assert!(page.contains("で期限が切れました"), "{page}");
    let (_, inside) = service.curl("expired", &with, "/password");
    assert!(inside.ends_with("status 401"), "{inside}");
}

#[test]
fn the_certificates_of_the_appliance_are_looked_at_and_renewed_beside_the_service() {
    let service = Service::start();
    let site = service.site.display().to_string();
    let run = |words: &[&str]| {
        let head = ["--site", site.as_str(), "--json", "certificates"];
        harness::process::ended([&head, words].concat())
    };
    let (code, out, errors) = run(&["check"]);
    assert_eq!(code, 0, "{errors}");
    let told: serde_json::Value = serde_json::from_str(&out).expect("one JSON object");
    assert_eq!(told["server"]["days_left"], 396);
    let tls = service.dir.join("data/tls");
    let soon = Clock::system().today();
    let old = soon
        .checked_sub(jiff::Span::new().days(380))
        .expect("a day");
    Authority::renew_server(&tls, old).expect("an old certificate");
    let (code, out, errors) = run(&["check"]);
    assert_eq!(code, 1, "{out}");
    assert!(errors.contains("renew-server"), "{errors}");
    for verb in ["renew-server", "renew-authority"] {
        assert_eq!(run(&[verb]).0, 2, "asked first");
        let (code, _, errors) = run(&[verb, "--yes"]);
        assert_eq!(code, 0, "{errors}");
    }
    assert_eq!(run(&["check"]).0, 0);
    // The service goes on, and a terminal that trusts the former authority trusts it still.
    assert!(service.client().trusts(&service.at("/sign-in")));
}

#[test]
fn a_session_does_not_follow_its_cookies_to_a_machine_without_the_certificate() {
    let service = Service::start();
    let (file, passphrase) = service.terminal(&service.administrator());
    let shown = format!("{}:{passphrase}", file.display());
    let with = ["--cert-type", "P12", "--cert", &shown];
    service.curl_signs_in("jar", &with);
    let (_, stolen) = service.curl("jar", &[], "/password");
    assert!(stolen.ends_with("status 401"), "{stolen}");
}

#[test]
fn a_certificate_of_another_authority_does_not_get_through_the_handshake() {
    let service = Service::start();
    let (key, file) = (service.dir.join("key"), service.dir.join("foreign.pem"));
    let (key, file) = (key.display().to_string(), file.display().to_string());
    let words = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=hokatsu terminal 1",
        "-days",
        "1",
        "-keyout",
        &key,
        "-out",
        &file,
    ];
    assert!(ended("openssl", &words).status.success());
    let shown = ["--cert", file.as_str(), "--key", key.as_str()];
    let (code, page) = service.curl("foreign", &shown, "/sign-in");
    assert_ne!(code, Some(0), "{page}");
    assert!(page.ends_with("status 000"), "{page}");
}

/// Signs the clerk in for the first time with a telephone; its secret and the code that was used.
fn enrolled(service: &Service) -> (String, String) {
    let mut clerk = service.client();
    assert!(!clerk.sign_in(&service.base, "clerk", PASSWORD));
    clerk.take_token(&service.at("/second-factor"));
    let (_, page) = clerk.get(&service.at("/second-factors/totp"));
    let secret = between(&page, "id=\"secret\">", "<").replace(' ', "");
    let shown = ended("oathtool", &["--totp", "--base32", &secret]);
    let code = text(&shown).trim().to_owned();
    let fields = [("code", code.as_str()), ("name", "stock")];
    let done = clerk.post(&service.at("/second-factors/totp"), &fields);
    assert_eq!(done.expect("an answer").status(), 303);
    (secret, code)
}

/// The status of a sign-in with this code.
fn answered(service: &Service, code: &str) -> u16 {
    let mut clerk = service.client();
    assert!(!clerk.sign_in(&service.base, "clerk", PASSWORD));
    clerk.take_token(&service.at("/second-factor"));
    let done = clerk.post(&service.at("/second-factor/code"), &[("code", code)]);
    done.expect("an answer").status().as_u16()
}

fn next_code(secret: &str) -> String {
    let words = ["--totp", "--base32", "--now", "+30 seconds", secret];
    text(&ended("oathtool", &words)).trim().to_owned()
}

#[test]
fn a_stock_authenticator_enrols_and_signs_in() {
    let service = Service::start();
    let (secret, used) = enrolled(&service);
    // The same code is not taken twice; the next one is.
    assert_eq!(answered(&service, &used), 422);
    assert_eq!(answered(&service, &next_code(&secret)), 303);
}

#[test]
fn a_first_start_has_its_administrator_enrol_before_the_password_opens_anything() {
    let root = TempDir::new().expect("a directory");
    let data = root.path().join("data").display().to_string();
    let words = ["--data", &data, "--json", "init", "--admin", "admin"];
    let more = ["--admin-name", "管理 者"];
    let (code, out, errors) = harness::process::ended([&words[..], &more].concat());
    assert_eq!(code, 0, "{errors}");
    assert!(
        errors.contains("スマートフォンの確認コードを登録します"),
        "{errors}"
    );
    let made: serde_json::Value = serde_json::from_str(&out).expect("one JSON object");
    let of = |name: &str| made[name].as_str().expect(name).to_owned();
    let (site, password) = (PathBuf::from(of("site_file")), of("password"));
    harness::process::listen_anywhere(&site);
    let (_server, base) = Server::serve(&site);
    let at = |path: &str| format!("{base}{path}");
    let mut admin = Client::trusting(Path::new(&of("ca_file")));
    assert!(!admin.sign_in(&base, "admin", &password));
    admin.take_token(&at("/second-factor"));
    let (_, page) = admin.get(&at("/second-factors/totp"));
    let secret = between(&page, "id=\"secret\">", "<").replace(' ', "");
    let shown = ended("oathtool", &["--totp", "--base32", &secret]);
    let code = text(&shown).trim().to_owned();
    let fields = [("code", code.as_str()), ("name", "公用スマホ")];
    let done = admin
        .post(&at("/second-factors/totp"), &fields)
        .expect("an answer");
    assert_eq!(done.status(), 303);
    let cookie = done.headers().get("set-cookie").expect("a session");
    assert!(
        cookie
            .to_str()
            .expect("text")
            .starts_with("__Host-hokatsu=")
    );
}

fn told(site: &Path, words: &[&str]) -> (i32, serde_json::Value, String) {
    let site = site.display().to_string();
    let head = ["--site", site.as_str(), "--json", "factor-keys"];
    let (code, out, errors) = harness::process::ended([&head, words].concat());
    let told = serde_json::from_str(&out).unwrap_or_default();
    (code, told, errors)
}

#[test]
fn the_key_of_the_codes_is_changed_lost_and_put_back_at_the_console() {
    let service = Service::start();
    let (secret, _) = enrolled(&service);
    let place = service.dir.join("data/secrets/factor.keys");
    let first = std::fs::read_to_string(&place).expect("the key file");
    let service = service.after(|site| {
        let (code, checked, _) = told(site, &["check"]);
        assert_eq!(
            (code, &checked["sealed"], &checked["closed"]),
            (0, &1.into(), &0.into())
        );
        let (code, _, errors) = told(site, &["rotate", "--yes"]);
        assert_eq!(code, 0, "{errors}");
    });
    let second = std::fs::read_to_string(&place).expect("the key file");
    assert_ne!(first, second);
    assert_eq!(answered(&service, &next_code(&secret)), 303);

    let service = service.after(|site| {
        std::fs::remove_file(&place).expect("the key goes");
        let (code, _, errors) = told(site, &["check"]);
        assert_eq!(code, 1);
        assert!(
            errors.contains("runbooks/factor-key-missing.md"),
            "{errors}"
        );
        // The first key is another one: nothing is sealed with it any more.
        base::paths::write_atomic(&place, first.as_bytes(), base::paths::MODE_PRIVATE)
            .expect("the old key");
        let (code, checked, errors) = told(site, &["check"]);
        assert_eq!((code, &checked["closed"]), (1, &1.into()), "{errors}");
        let (code, ..) = told(site, &["rotate", "--yes"]);
        assert_eq!(code, 1);
        assert_eq!(std::fs::read_to_string(&place).expect("the file"), first);
    });
    assert_eq!(answered(&service, "123456"), 503);

    let service = service.after(|site| {
        let (code, told, errors) = told(site, &["take-back", "--yes"]);
        assert_eq!((code, &told["people"]), (0, &1.into()), "{errors}");
    });
    enrolled(&service);
}

#[test]
fn a_backup_holds_neither_the_key_nor_a_secret_and_a_restore_says_so() {
    let service = Service::start();
    let (secret, _) = enrolled(&service);
    let (dir, site) = (service.dir.clone(), service.site.display().to_string());
    let key = std::fs::read_to_string(dir.join("data/secrets/factor.keys")).expect("the key");
    let key = key.lines().last().and_then(|line| line.split_once(' '));
    let key = key.expect("a key").1.to_owned();
    let (password, copy) = (dir.join("password"), dir.join("copy"));
    base::paths::write_atomic(&password, b"x", base::paths::MODE_PRIVATE).expect("a file");
    let text = std::fs::read_to_string(&service.site).expect("the settings");
    let text = format!(
        "{text}[[backup.repositories]]\nname = \"a\"\npath = \"{}\"\npassword_file = \"{}\"\n",
        dir.join("a").display(),
        password.display()
    );
    base::paths::write_atomic(&service.site, text.as_bytes(), base::paths::MODE_PRIVATE)
        .expect("the settings can be written");
    let copied = copy.display().to_string();
    for words in [&["init"][..], &["run"]] {
        let head = ["--site", site.as_str(), "backup"];
        let (code, _, errors) = harness::process::ended([&head, words].concat());
        assert_eq!(code, 0, "{errors}");
    }
    let words = ["--site", &site, "restore", "--yes", "--to", &copied];
    let (code, _, errors) = harness::process::ended(words);
    assert_eq!(code, 0, "{errors}");
    assert!(
        errors.contains("runbooks/factor-key-missing.md"),
        "{errors}"
    );
    let raw = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .expect("base32");
    for wanted in [key.as_bytes(), secret.as_bytes(), &raw] {
        assert!(!lies_below(&copy, wanted));
    }
    // The search looks into the right place.
    assert!(lies_below(&copy, b"stock"));
    drop(service);
}

fn lies_below(dir: &Path, bytes: &[u8]) -> bool {
    let entries = std::fs::read_dir(dir).expect("a directory");
    entries
        .map(|entry| entry.expect("an entry").path())
        .any(|path| {
            if path.is_dir() {
                return lies_below(&path, bytes);
            }
            let content = std::fs::read(&path).expect("a file");
            content.windows(bytes.len()).any(|window| window == bytes)
        })
}
