//! Each kind of store, through everything that an operator does.

use std::fs;
use std::path::Path;

use backup::offsite::{Problem, Reach, S3, Sftp};
use backup::retention::{Ahead, Retention};
use backup::status::look;
use backup::{Lineage, PruneRules, mark_lineage, plan_prune, prune};
use jiff::SignedDuration;

use super::servers::{
    BUCKET, BucketServer, PASSWORD, RestServer, SshServer, USER, foreign_key, free_port,
    known_host, room, secret,
};
use super::{BackupError, Job, Stock, a_life, init, problem};

const FEW: PruneRules = PruneRules {
    retention: Retention {
        hourly: 1,
        daily: 1,
        weekly: 0,
        monthly: 0,
        yearly: 0,
        days_max: None,
    },
    grace_hours: 0,
    repack_percent_max: 100,
    unused_percent_max: 1,
};

#[test]
fn a_server_of_the_protocol_holds_a_repository_that_the_stock_tool_reads_and_prune_shrinks() {
    let dir = room();
    let server = RestServer::start(dir.path(), &[]);
    let mut job = Job::on(&server, dir.path());
    // `restic` 0.14 takes the login as a part of the address alone; later ones out of the environment.
    let password = PASSWORD.replace(' ', "%20");
    let address = format!("rest:http://{USER}:{password}@127.0.0.1:{}/", server.port);
    let stock = Stock {
        address: Some(&address),
        ..Stock::default()
    };
    a_life(&mut job, &stock);
    let now = job.source.taken_at;
    let seen = look(&job.settings, now).found.unwrap();
    assert_eq!((seen.snapshots, seen.free), (2, None));
    assert_eq!(seen.stock_lock_hours, None);
    let plan = plan_prune(&job.settings, &FEW, Ahead::Keep, now).unwrap();
    assert_eq!(plan.removed().count(), 1);
    let pruned = prune(&job.settings, &FEW, &plan, now).unwrap();
    assert!(pruned.is_healthy(), "{:?}", pruned.findings);
    assert_eq!(pruned.snapshots_kept, 1);
    job.comes_back();
    assert_no_secret_in(&dir.path().join("state"));
}

fn assert_no_secret_in(state: &Path) {
    for entry in fs::read_dir(state).unwrap() {
        let text = fs::read(entry.unwrap().path()).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains(PASSWORD));
    }
}

#[test]
fn a_lock_of_the_stock_tool_is_as_old_as_it_is_known_and_keeps_prune_away() {
    let dir = room();
    let server = RestServer::start(dir.path(), &[]);
    let job = Job::on(&server, dir.path());
    init(&job.settings).unwrap();
    job.run().unwrap();
    let lock = server.dir.join("locks").join("ab".repeat(32));
    super::put(&lock, b"lock");
    let now = job.source.taken_at;
    let seen = look(&job.settings, now).found.unwrap();
    assert_eq!(seen.stock_lock_hours, Some(0));
    let plan = plan_prune(&job.settings, &FEW, Ahead::Keep, now).unwrap();
    let busy = prune(&job.settings, &FEW, &plan, now);
    assert!(matches!(busy, Err(BackupError::StockToolActive { .. })));
    let later = now + SignedDuration::from_hours(2);
    let seen = look(&job.settings, later).found.unwrap();
    assert_eq!(seen.stock_lock_hours, Some(2));
    assert!(prune(&job.settings, &FEW, &plan, later).is_ok());
}

#[test]
fn an_old_server_that_comes_back_is_fenced_by_a_mark_that_goes_when_it_is_needed_no_more() {
    let dir = room();
    let server = RestServer::start(dir.path(), &[]);
    let mut job = Job::on(&server, dir.path());
    init(&job.settings).unwrap();
    job.run().unwrap();
    let snapshots = || fs::read_dir(server.dir.join("snapshots")).unwrap().count();
    assert_eq!(snapshots(), 1);
    let lineage = Lineage {
        epoch: 1,
        token: "a".to_owned(),
    };
    mark_lineage(&job.settings, &lineage).unwrap();
    mark_lineage(&job.settings, &lineage).unwrap();
    assert_eq!(
        (snapshots(), backup::list(&job.settings).unwrap().len()),
        (2, 1)
    );
    assert_eq!(
        backup::known_lineage(&job.settings).unwrap(),
        Some(lineage.clone())
    );
    job.later();
    assert!(matches!(
        job.run(),
        Err(BackupError::Fenced {
            known: 1,
            own: 0,
            ..
        })
    ));
    job.source.facts = serde_json::json!({ "lineages": [lineage] });
    job.run().unwrap();
    assert_eq!(snapshots(), 2, "the mark is gone");
    assert_eq!(backup::known_lineage(&job.settings).unwrap(), Some(lineage));
    job.is_whole();
}

fn sftp(server: &SshServer) -> Sftp {
    Sftp {
        host: "127.0.0.1".to_owned(),
        port: server.port,
        user: server.user.clone(),
        path: server.store.join("repository").display().to_string(),
        key_file: server.key.clone(),
        known_hosts_file: server.known_hosts.clone(),
    }
}

#[test]
fn an_ssh_server_holds_one_and_neither_a_strangers_key_nor_a_stranger_server_is_taken() {
    let dir = room();
    let server = SshServer::start(dir.path());
    let reach = sftp(&server);
    let mut job = Job::new(dir.path(), Reach::Sftp(reach.clone()), false);
    let ssh = format!(
        "sftp.command=ssh -p {} -i {} -o UserKnownHostsFile={} {}@127.0.0.1 -s sftp",
        server.port,
        server.key.display(),
        server.known_hosts.display(),
        server.user
    );
    // As an option of the stock tool: which key, and whom to believe.
    let stock = Stock {
        options: &["-o", &ssh],
        ..Stock::default()
    };
    a_life(&mut job, &stock);
    let half = server.store.join("repository/index").join("cd".repeat(32));
    super::put(&half, b"half an index");
    job.later();
    assert_eq!(job.run().unwrap().leftovers_removed, 1);
    assert!(!half.exists());
    let stranger = foreign_key(dir.path());
    let with = |reach: Sftp| job.with(Reach::Sftp(reach), false);
    let refused = with(Sftp {
        key_file: stranger.clone(),
        ..reach.clone()
    });
    assert_eq!(problem(backup::list(&refused.settings)), Problem::Refused);
    let public = stranger.with_extension("pub");
    let other = known_host(&dir.path().join("state"), server.port, &public);
    let wrong = with(Sftp {
        known_hosts_file: other,
        ..reach.clone()
    });
    assert_eq!(problem(backup::list(&wrong.settings)), Problem::HostKey);
    let away = with(Sftp {
        port: free_port(),
        ..reach
    });
    assert_eq!(problem(backup::list(&away.settings)), Problem::Away);
}

#[test]
fn a_bucket_holds_one_and_a_missing_bucket_or_store_is_told() {
    let dir = room();
    let server = BucketServer::start();
    let reach = S3 {
        endpoint: format!("http://127.0.0.1:{}", server.port),
        region: "us-east-1".to_owned(),
        bucket: BUCKET.to_owned(),
        prefix: "wako/backup".to_owned(),
        login_file: secret(&dir.path().join("s3.login"), "key\nsecret\n"),
        ca_file: None,
    };
    let mut job = Job::new(dir.path(), Reach::S3(reach.clone()), false);
    let login = [
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ];
    let stock = Stock {
        environment: &login,
        ..Stock::default()
    };
    a_life(&mut job, &stock);
    let with = |reach: S3| job.with(Reach::S3(reach), false);
    let nowhere = with(S3 {
        bucket: "no-such-bucket".to_owned(),
        ..reach.clone()
    });
    assert_eq!(problem(init(&nowhere.settings)), Problem::NoPlace);
    let away = with(S3 {
        endpoint: format!("http://127.0.0.1:{}", free_port()),
        ..reach
    });
    assert_eq!(problem(backup::list(&away.settings)), Problem::Away);
}
