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
use server::features::staff::{self, Login, NewStaff};
use server::web::Role;
use store::{Actor, DataDir, Db};
use tempfile::TempDir;

const PASSWORD: &str = "さくら並木を朝に歩く七時";
/// Longer than any of the tools takes; reaching it is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A service that asks nurses for a registered terminal and clerks for a code.
struct Service {
    _server: Server,
    _root: TempDir,
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
            _server: server,
            dir: root.path().to_path_buf(),
            _root: root,
            base,
            ca: data.join("tls/ca.pem"),
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

#[test]
fn a_stock_authenticator_enrols_and_signs_in() {
    let service = Service::start();
    let mut clerk = service.client();
    assert!(!clerk.sign_in(&service.base, "clerk", PASSWORD));
    clerk.take_token(&service.at("/second-factor"));
    let (_, page) = clerk.get(&service.at("/second-factors/totp"));
    let secret = between(&page, "id=\"secret\">", "<").replace(' ', "");
    let code = || {
        let shown = ended("oathtool", &["--totp", "--base32", &secret]);
        text(&shown).trim().to_owned()
    };
    let fields = [("code", code()), ("name", "stock".to_owned())];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let enrolled = clerk.post(&service.at("/second-factors/totp"), &fields);
    assert_eq!(enrolled.expect("an answer").status(), 303);

    // The same code is not taken twice; the next one is.
    let mut again = service.client();
    assert!(!again.sign_in(&service.base, "clerk", PASSWORD));
    again.take_token(&service.at("/second-factor"));
    let used = again.post(&service.at("/second-factor/code"), &[fields[0]]);
    assert_eq!(used.expect("an answer").status(), 422);
    let next = ended(
        "oathtool",
        &["--totp", "--base32", "--now", "+30 seconds", &secret],
    );
    let next = text(&next).trim().to_owned();
    again.take_token(&service.at("/second-factor"));
    let done = again.post(&service.at("/second-factor/code"), &[("code", &next)]);
    assert_eq!(done.expect("an answer").status(), 303);
}
