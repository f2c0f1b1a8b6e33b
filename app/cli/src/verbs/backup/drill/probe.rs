//! The real service on the copy, and somebody who signs in.
//!
//! Shape: a process of its own on the loopback, at a port that the system chooses; it ends with ours,
//! whatever ends ours ([`Spec::ends_with_us`]). The account exists in the copy alone.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base::clock::Clock;
use base::command::{Running, Spec, start};
use base::paths::{MODE_PRIVATE, write_atomic};
use server::ca::Authority;
use server::features::staff::{self, Login, NewStaff};
use server::web::{Role, session};
use store::{Actor, DataDir, Db};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::Step;

/// An old copy is migrated first, which on a large one takes minutes.
const START_MAX: Duration = Duration::from_secs(600);
const STOP_MAX: Duration = Duration::from_secs(20);
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// From this day on; long before any drill.
const SINCE: jiff::civil::Date = jiff::civil::date(2020, 4, 1);
const COOKIES_MAX: usize = 8;
const REDIRECTS_MAX: u8 = 4;

pub(super) fn sign_in(scratch: &Path, copy: &DataDir, insurer_no: &str) -> Step {
    match attempt(scratch, copy, insurer_no) {
        Ok(()) => Step::new(
            "service",
            true,
            "戻したデータでサービスが起動し、訓練用の職員がサインインできました。",
        ),
        Err((words, cause)) => {
            log::warn!("a drill: service: {cause}");
            Step::new("service", false, words)
        }
    }
}

/// What failed, for people, and why, for the log.
type Failure = (&'static str, String);

fn because<E: std::fmt::Display>(words: &'static str) -> impl Fn(E) -> Failure {
    move |cause| (words, cause.to_string())
}

fn attempt(scratch: &Path, copy: &DataDir, insurer_no: &str) -> Result<(), Failure> {
    let account = account(copy)?;
    let site = site(scratch, copy, insurer_no)?;
    let no_start = "戻したデータでサービスが起動しません。";
    let program = std::env::current_exe().map_err(because(no_start))?;
    let spec = Spec::new(program, START_MAX)
        .arg("--site")
        .arg(&site)
        .arg("serve")
        .ends_with_us();
    let running = start(&spec).map_err(because(no_start))?;
    let signed_in = visit(&running, copy, &account);
    let stopped = running.stop(STOP_MAX);
    signed_in?;
    let status = stopped.map_err(because("戻したデータのサービスが止まりません。"))?;
    if status.success() {
        Ok(())
    } else {
        let words = "戻したデータのサービスが、異常を残して止まりました。";
        Err((words, status.to_string()))
    }
}

struct Account {
    login: String,
    password: String,
}

/// Somebody who administers nothing but this copy.
fn account(copy: &DataDir) -> Result<Account, Failure> {
    let words = "戻したデータに、訓練用の職員を登録できません。";
    let secret = || {
        let made = session::one_time_password();
        made.ok_or_else(|| (words, "no randomness".to_owned()))
    };
    let clock = Clock::system();
    let letters = secret()?.to_lowercase();
    let letters = letters.chars().filter(char::is_ascii_alphanumeric).take(6);
    let account = Account {
        login: format!("dr.{}", letters.collect::<String>()),
        password: secret()?,
    };
    let db = Db::open(copy, clock).map_err(because(words))?;
    let new = NewStaff {
        login: Login::new(&account.login),
        name: "復元訓練".to_owned(),
        kana: String::new(),
        role: Role::SystemAdmin,
        job: "復元訓練".to_owned(),
        centre_id: None,
        starts_on: SINCE,
        password: account.password.clone(),
        must_change_password: false,
    };
    let actor = Actor::system("復元訓練");
    staff::add(&db, &actor, &new).map_err(|problem| (words, format!("{problem:?}")))?;
    db.close().map_err(because(words))?;
    Ok(account)
}

/// The copy's own settings: this machine alone, any port, a password and nothing else.
fn site(scratch: &Path, copy: &DataDir, insurer_no: &str) -> Result<PathBuf, Failure> {
    let words = "訓練用の設定を書けません。";
    let quoted = serde_json::Value::from(copy.path().display().to_string());
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ndata = {quoted}\n\n[organisation]\n\
         name = \"復元訓練\"\ninsurer_no = \"{insurer_no}\"\n"
    );
    let path = scratch.join("site.toml");
    write_atomic(&path, text.as_bytes(), MODE_PRIVATE).map_err(because(words))?;
    let authority = Authority::in_dir(&copy.tls());
    if !authority.tls.certificate.exists() {
        // An installation with a certificate of the city's has none of ours to bring back.
        let host = [std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)];
        let today = Clock::system().today();
        let made = Authority::create(&copy.tls(), &["localhost"], &host, today);
        made.map_err(because(words))?;
    }
    Ok(path)
}

fn visit(running: &Running, copy: &DataDir, account: &Account) -> Result<(), Failure> {
    let no_start = "戻したデータでサービスが起動しません。";
    let last = RefCell::new(String::new());
    let is_ready = |line: &str| {
        line.clone_into(&mut last.borrow_mut());
        line.starts_with("https://")
    };
    let line = running.line_where(is_ready, START_MAX);
    let line = line.ok_or_else(|| (no_start, format!("its last words: {}", last.borrow())))?;
    let address = line.split(' ').next().unwrap_or_default();
    let port = address.rsplit(':').next().unwrap_or_default();
    let base = format!("https://localhost:{port}");
    let no_door = "起動したサービスの入口が開きません。";
    let agent = agent(copy).map_err(|cause| (no_door, cause))?;
    let mut cookies = Vec::new();
    let door = format!("{base}/sign-in");
    let (status, page) = get(&agent, &door, &mut cookies).map_err(because(no_door))?;
    let token = page.split_once("name=\"csrf\" value=\"");
    let token = token.and_then(|(_, after)| after.split('"').next());
    let token = token.ok_or_else(|| (no_door, format!("status {status}, no form")))?;
    let no_entry = "訓練用の職員がサインインできません。";
    let fields = [
        ("csrf", token),
        ("login", account.login.as_str()),
        ("password", account.password.as_str()),
    ];
    let sent = agent.post(&door).header("cookie", cookies.join("; "));
    let answer = sent.send_form(fields).map_err(because(no_entry))?;
    if answer.status() != 303 {
        return Err((no_entry, format!("status {}", answer.status())));
    }
    keep(&answer, &mut cookies);
    // A stranger would be sent back to the door.
    let mut path = "/".to_owned();
    for _ in 0..REDIRECTS_MAX {
        let asked = agent.get(format!("{base}{path}"));
        let asked = asked.header("cookie", cookies.join("; "));
        let answer = asked.call().map_err(because(no_entry))?;
        keep(&answer, &mut cookies);
        let next = answer.headers().get("location");
        match next.and_then(|place| place.to_str().ok()) {
            None if answer.status() == 200 => return Ok(()),
            Some(place) if place.starts_with('/') && !place.starts_with("/sign-in") => {
                place.clone_into(&mut path);
            }
            _ => return Err((no_entry, format!("{path} answered {}", answer.status()))),
        }
    }
    Err((no_entry, "sent from page to page".to_owned()))
}

fn agent(copy: &DataDir) -> Result<ureq::Agent, String> {
    let file = Authority::in_dir(&copy.tls()).ca_file;
    let pem = std::fs::read(file).map_err(|e| e.to_string())?;
    let root = Certificate::from_pem(&pem)
        .map_err(|e| e.to_string())?
        .to_owned();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[root]))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .timeout_global(Some(ANSWER_MAX))
        .build();
    Ok(config.into())
}

fn get(
    agent: &ureq::Agent,
    address: &str,
    cookies: &mut Vec<String>,
) -> Result<(u16, String), ureq::Error> {
    let asked = agent.get(address).header("cookie", cookies.join("; "));
    let mut answer = asked.call()?;
    keep(&answer, cookies);
    let status = answer.status().as_u16();
    Ok((status, answer.body_mut().read_to_string()?))
}

/// One cookie of a name; an empty one is taken away.
fn keep(answer: &ureq::http::Response<ureq::Body>, cookies: &mut Vec<String>) {
    for cookie in answer.headers().get_all("set-cookie") {
        let text = cookie.to_str().unwrap_or_default();
        let pair = text.split(';').next().unwrap_or_default();
        let name = pair.split('=').next().unwrap_or_default();
        cookies.retain(|known| known.split('=').next() != Some(name));
        if !pair.ends_with('=') && cookies.len() < COOKIES_MAX {
            cookies.push(pair.to_owned());
        }
    }
}
