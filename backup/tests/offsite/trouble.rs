//! What can be in the way, and that everything goes on when it is gone.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use backup::offsite::{Offsite, Problem, Reach, Rest};
use backup::retention::{Ahead, Retention};
use backup::{CheckDepth, Location, PruneRules, check, plan_prune};

use super::servers::{PASSWORD, RestServer, USER, room, secret};
use super::{BackupError, Job, PATIENCE, init, noise, problem, put, rest};

#[test]
fn who_is_not_let_in_is_told_apart_from_a_wrong_key_of_the_repository() {
    let dir = room();
    let server = RestServer::start(dir.path(), &[]);
    let job = Job::on(&server, dir.path());
    init(&job.settings).unwrap();
    let login = dir.path().join("login");
    secret(&login, "not the login\n");
    let again = job.with(rest_with(server.port, &login), false);
    assert_eq!(problem(again.run()), Problem::Refused);
    fs::set_permissions(&login, fs::Permissions::from_mode(0o640)).unwrap();
    let open = job.with(rest_with(server.port, &login), false);
    assert_eq!(problem(open.run()), Problem::LoginFile);
    secret(&login, "");
    let empty = job.with(rest_with(server.port, &login), false);
    assert_eq!(problem(empty.run()), Problem::LoginFile);
    let job = job.with(rest(&server, dir.path()), false);
    secret(&job.settings.password_file, "not the password\n");
    assert!(matches!(job.run(), Err(BackupError::PasswordWrong { .. })));
}

fn rest_with(port: u16, login: &Path) -> Reach {
    Reach::Rest(Rest {
        url: format!("http://127.0.0.1:{port}"),
        login: Some((USER.to_owned(), login.to_owned())),
        ca_file: None,
    })
}

#[test]
fn a_server_that_dies_in_the_middle_of_a_run_leaves_nothing_half_and_the_next_run_goes_on() {
    let dir = room();
    let mut server = RestServer::start(dir.path(), &[]);
    let mut job = Job::on(&server, dir.path());
    init(&job.settings).unwrap();
    job.run().unwrap();
    job.later();
    put(
        &job.source.dir.join("attachments/2/large"),
        &noise(9, 12_000_000),
    );
    let data = server.dir.join("data");
    let before = packs(&data);
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| job.run());
        let began = Instant::now();
        while packs(&data) <= before && !running.is_finished() {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "nothing is written"
            );
            std::thread::park_timeout(Duration::from_millis(5));
        }
        server.end();
        running.join().unwrap()
    });
    assert_eq!(problem(done), Problem::Away);
    assert_eq!(
        problem(check(&job.settings, CheckDepth::AllData)),
        Problem::Away
    );
    server.begin();
    std::thread::park_timeout(PATIENCE.lost);
    let job = job.with(rest(&server, dir.path()), false);
    assert_eq!(backup::list(&job.settings).unwrap().len(), 1);
    job.run().unwrap();
    assert_eq!(backup::list(&job.settings).unwrap().len(), 2);
    job.is_whole();
    job.comes_back();
}

fn packs(data: &Path) -> usize {
    let Ok(directories) = fs::read_dir(data) else {
        return 0;
    };
    let each = directories.flatten().map(|one| fs::read_dir(one.path()));
    each.map(|files| files.map_or(1, Iterator::count)).sum()
}

#[test]
fn a_server_that_is_away_is_told_soon_by_every_job() {
    let dir = room();
    let mut server = RestServer::start(dir.path(), &[]);
    let job = Job::on(&server, dir.path());
    init(&job.settings).unwrap();
    job.run().unwrap();
    server.end();
    let began = Instant::now();
    assert_eq!(problem(job.run()), Problem::Away);
    assert_eq!(
        problem(check(&job.settings, CheckDepth::Structure)),
        Problem::Away
    );
    assert_eq!(problem(backup::list(&job.settings)), Problem::Away);
    let seen = backup::status::look(&job.settings, job.source.taken_at);
    assert_eq!(problem(seen.found), Problem::Away);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}

const RULES: PruneRules = PruneRules {
    retention: Retention {
        hourly: 1,
        daily: 1,
        weekly: 0,
        monthly: 0,
        yearly: 0,
        days_max: None,
    },
    grace_hours: 24,
    repack_percent_max: 10,
    unused_percent_max: 5,
};

#[test]
fn a_server_that_keeps_everything_is_saved_to_once_the_settings_say_so_and_never_pruned() {
    let dir = room();
    let server = RestServer::start(dir.path(), &["--append-only"]);
    let job = Job::on(&server, dir.path());
    init(&job.settings).unwrap();
    assert_eq!(problem(job.run()), Problem::KeepsAll);
    let mut job = job.with(rest(&server, dir.path()), true);
    job.later();
    job.run().unwrap();
    job.later();
    job.run().unwrap();
    job.comes_back();
    let newest = backup::list(&job.settings).unwrap().pop().unwrap();
    assert_eq!(newest.taken_at, job.source.taken_at);
    let plan = plan_prune(&job.settings, &RULES, Ahead::Keep, job.source.taken_at);
    assert!(matches!(plan, Err(BackupError::AppendOnly { .. })));
    job.is_whole();
}

/// Answers every request with this, or not at all.
fn answering(answer: &'static str) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let mut bytes = [0; 4_096];
            drop(stream.read(&mut bytes));
            drop(stream.write_all(answer.as_bytes()));
            if answer.is_empty() {
                kept.push(stream);
            }
        }
    });
    port
}

#[test]
fn what_a_server_answers_becomes_what_the_operator_does() {
    let dir = room();
    let server = RestServer::start(dir.path(), &[]);
    let job = Job::on(&server, dir.path());
    let login = dir.path().join("login");
    for (answer, told) in [
        (
            "HTTP/1.1 507 Full\r\nContent-Length: 0\r\n\r\n",
            Problem::Full,
        ),
        (
            "HTTP/1.1 413 Large\r\nContent-Length: 0\r\n\r\n",
            Problem::Full,
        ),
        (
            "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n",
            Problem::Odd,
        ),
        (
            "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
            Problem::Refused,
        ),
        (
            "HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            Problem::Odd,
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", Problem::Odd),
    ] {
        let job = job.with(rest_with(answering(answer), &login), false);
        assert_eq!(problem(init(&job.settings)), told, "{answer}");
    }
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let dir = room();
    let login = secret(&dir.path().join("login"), PASSWORD);
    let reach = rest_with(answering(""), &login);
    let mut job = Job::new(dir.path(), reach.clone(), false);
    let hasty = backup::offsite::Patience {
        request: Duration::from_millis(300),
        bytes_per_second_min: u64::MAX,
        ..PATIENCE
    };
    let state = dir.path().join("state");
    job.settings.location = Location::Offsite(Offsite::patient(reach, false, state, hasty));
    let began = Instant::now();
    assert_eq!(problem(job.run()), Problem::Slow);
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn only_a_server_whose_certificate_is_believed_gets_anything() {
    let dir = room();
    let names = vec!["localhost".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let certificate = secret(&dir.path().join("cert.pem"), &made.cert.pem());
    let key = secret(
        &dir.path().join("key.pem"),
        &made.signing_key.serialize_pem(),
    );
    let (cert, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let server = RestServer::start(dir.path(), &["--cert", cert, "--key", key]);
    let login = secret(&dir.path().join("login"), PASSWORD);
    let reach = |ca_file: Option<&Path>| {
        Reach::Rest(Rest {
            url: format!("https://localhost:{}/", server.port),
            login: Some((USER.to_owned(), login.clone())),
            ca_file: ca_file.map(Path::to_owned),
        })
    };
    let job = Job::new(dir.path(), reach(None), false);
    assert_eq!(problem(init(&job.settings)), Problem::Certificate);
    let job = job.with(reach(Some(&certificate)), false);
    init(&job.settings).unwrap();
    job.run().unwrap();
    job.comes_back();
}
