//! A real server process is killed at random moments while it writes: no acknowledged write is lost,
//! the access log is whole, and the next start works.
//!
//! The write is a refused sign-in: it is acknowledged to the browser (422) only after its entry was
//! committed, and needs nobody's data.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use store::DataDir;
use tempfile::TempDir;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Kills in CI, and with `--long`.
const KILLS: u64 = 100;
const KILLS_LONG: u64 = 1_000;
/// Longest life of a process after its first acknowledged write, milliseconds.
const LIFE_MS: u64 = 120;
const START_MAX: Duration = Duration::from_secs(30);

#[expect(
    clippy::disallowed_methods,
    reason = "the suite starts and kills real processes"
)]
fn hokatsu(arguments: &[&str], site: &Path) -> Command {
    let test = std::env::current_exe().unwrap();
    // target/<profile>/deps/kill-… lies two below the binary's directory.
    let binary = test
        .parent()
        .and_then(Path::parent)
        .unwrap()
        .join("hokatsu");
    assert!(binary.exists(), "{} is not built", binary.display());
    let mut command = Command::new(binary);
    command.arg("--site").arg(site).args(arguments);
    command
}

fn prepare(root: &Path) -> (DataDir, PathBuf) {
    let data = root.join("data");
    let site = root.join("site.toml");
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\ndata = \"{}\"\n[organisation]\nname = \"試験\"\ninsurer_no = \"112292\"\n",
        data.display()
    );
    base::paths::write_atomic(&site, text.as_bytes(), base::paths::MODE_PRIVATE).unwrap();
    let made = hokatsu(
        &["init", "--admin", "admin", "--admin-name", "管理 者"],
        &site,
    )
    .output()
    .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    (DataDir::new(data), site)
}

fn start(site: &Path) -> (Child, String) {
    let mut child = hokatsu(&["serve"], site)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (sender, receiver) = mpsc::channel();
    // Keeps reading, or the server would block on a full pipe.
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            if let Some((address, _)) = line
                .strip_prefix("https://")
                .and_then(|l| l.split_once(' '))
            {
                drop(sender.send(address.to_owned()));
            }
        }
    });
    let address = receiver
        .recv_timeout(START_MAX)
        .expect("the server says where it listens");
    (child, address)
}

fn agent(data: &DataDir) -> ureq::Agent {
    let pem = std::fs::read(data.tls().join("ca.pem")).unwrap();
    let root = Certificate::from_pem(&pem).unwrap().to_owned();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&[root]))
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(10)))
        .build()
        .into()
}

/// Tries to sign in with a wrong password; true when the refusal was acknowledged.
fn try_once(agent: &ureq::Agent, base: &str) -> Option<bool> {
    let mut page = agent.get(format!("{base}/sign-in")).call().ok()?;
    let cookie = page
        .headers()
        .get("set-cookie")?
        .to_str()
        .ok()?
        .split(';')
        .next()?
        .to_owned();
    let text = page.body_mut().read_to_string().ok()?;
    let (_, after) = text.split_once("name=\"csrf\" value=\"")?;
    let (token, _) = after.split_once('"')?;
    let fields = [("csrf", token), ("login", "nobody"), ("password", "wrong")];
    let body = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    let answer = agent
        .post(format!("{base}/sign-in"))
        .header("cookie", &cookie)
        .header("content-type", "application/x-www-form-urlencoded")
        .send(body)
        .ok()?;
    Some(answer.status() == 422)
}

/// Writes until the process dies; counts what was acknowledged.
fn write_until_dead(data: &DataDir, address: &str, acknowledged: &AtomicU64, first: &AtomicBool) {
    let agent = agent(data);
    let port = address.rsplit(':').next().unwrap();
    let base = format!("https://localhost:{port}");
    while let Some(refused) = try_once(&agent, &base) {
        assert!(refused, "a wrong password was not refused");
        acknowledged.fetch_add(1, Ordering::SeqCst);
        first.store(true, Ordering::SeqCst);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the runner says how large the numbers are"
)]
fn kills() -> u64 {
    if std::env::var("HOKATSU_LONG").is_ok() {
        KILLS_LONG
    } else {
        KILLS
    }
}

#[test]
fn no_acknowledged_write_is_lost_and_the_chain_is_whole() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let root = TempDir::new().unwrap();
    let (data, site) = prepare(root.path());
    let acknowledged = Arc::new(AtomicU64::new(0));
    let mut before = 0;
    for kill in 0..kills() {
        let (mut child, address) = start(&site);
        let first = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..3)
            .map(|_| {
                let (data, address) = (data.clone(), address.clone());
                let (count, first) = (Arc::clone(&acknowledged), Arc::clone(&first));
                std::thread::spawn(move || write_until_dead(&data, &address, &count, &first))
            })
            .collect();
        while !first.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        // A different moment each time: the golden ratio spreads them over the whole life.
        let moment = kill.wrapping_mul(11_400_714_819_323_198_485) % (LIFE_MS * 1000);
        std::thread::park_timeout(Duration::from_micros(moment));
        child.kill().unwrap();
        child.wait().unwrap();
        for writer in writers {
            writer.join().unwrap();
        }
        let verdict = store::audit::verify(&data, None).unwrap();
        assert_eq!(verdict.findings, [], "after kill {kill}");
        let kept = u64::try_from(verdict.entries).unwrap();
        let sure = acknowledged.load(Ordering::SeqCst);
        assert!(
            kept >= sure,
            "after kill {kill}: {sure} acknowledged, {kept} kept"
        );
        assert!(
            kept >= before,
            "after kill {kill}: entries went back from {before} to {kept}"
        );
        before = kept;
    }
    let sure = acknowledged.load(Ordering::SeqCst);
    println!(
        "kills: {}, acknowledged writes: {sure}, entries kept: {before}, lost: 0",
        kills()
    );
    assert!(sure >= kills(), "too few writes to prove anything: {sure}");
}
