//! The operator's last resort: a stock `restic` reads, checks and restores what we write.
//!
//! Needs `restic` 0.14 or later, which `cargo xtask setup` installs; without it this fails.
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a failed step of a test is a failed test"
)]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use backup::retention::{Ahead, Retention};
use backup::{
    Chunking, Progress, PruneRules, Quiet, RepositorySettings, Source, init, plan_prune, prune, run,
};

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    File::create(path).unwrap().write_all(bytes).unwrap();
}

#[expect(
    clippy::disallowed_methods,
    reason = "runs a stock tool, outside anything we ship"
)]
fn restic(settings: &RepositorySettings, arguments: &[&str]) -> Output {
    let output = std::process::Command::new("restic")
        .arg("--no-cache")
        .arg("-r")
        .arg(settings.location.directory().unwrap())
        .arg("--password-file")
        .arg(&settings.password_file)
        .args(arguments)
        .output()
        .expect("restic is not installed: run `cargo xtask setup`");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "restic {arguments:?}: {errors}");
    output
}

fn a_stock_tool_reads_it_all(chunking: Chunking) {
    let dir = tempfile::tempdir().unwrap();
    let settings = RepositorySettings {
        name: "A".to_owned(),
        location: dir.path().join("repository").into(),
        password_file: dir.path().join("password"),
        chunking,
    };
    let source = dir.path().join("source");
    let database: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let files: [(&str, &[u8]); 3] = [
        ("hokatsu.db", &database),
        ("attachments/1/計画.pdf", b"pdf"),
        ("empty", b""),
    ];
    for (name, bytes) in files {
        put(&source.join(name), bytes);
    }
    init(&settings).unwrap();
    let job = Source {
        dir: source.clone(),
        beside: Vec::new(),
        label: "db".to_owned(),
        host: "box".to_owned(),
        taken_at: "2026-04-07T03:00:00Z".parse().unwrap(),
        facts: serde_json::json!({"residents": 3}),
    };
    let quiet: Arc<dyn Progress> = Arc::new(Quiet);
    let id = run(&settings, &job, &quiet).unwrap().snapshot.id;

    let listed = restic(&settings, &["snapshots", "--json"]).stdout;
    let listed: serde_json::Value = serde_json::from_slice(&listed).unwrap();
    let ids: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["id"].clone())
        .collect();
    assert_eq!(ids, [id.as_str()]);
    restic(&settings, &["check", "--read-data"]);
    let target = dir.path().join("target");
    restic(
        &settings,
        &["restore", "latest", "--target", target.to_str().unwrap()],
    );
    for (name, bytes) in files {
        assert_eq!(fs::read(target.join(name)).unwrap(), bytes, "{name}");
    }
}

/// Marked data is data that the stock tool does not know of: it may say so, and is well all the same.
#[test]
fn restic_checks_and_restores_what_was_pruned_marked_and_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let settings = RepositorySettings {
        name: "A".to_owned(),
        location: dir.path().join("repository").into(),
        password_file: dir.path().join("password"),
        chunking: Chunking::Fixed16KiB,
    };
    let mut job = Source {
        dir: dir.path().join("source"),
        beside: Vec::new(),
        label: "db".to_owned(),
        host: "box".to_owned(),
        taken_at: "2026-04-07T03:00:00Z".parse().unwrap(),
        facts: serde_json::json!({}),
    };
    init(&settings).unwrap();
    let quiet: Arc<dyn Progress> = Arc::new(Quiet);
    let database = |hour: u32| -> Vec<u8> {
        let changes = move |n: u32| if n % 7 == hour { n + hour } else { n };
        (0..200_000_u32)
            .map(changes)
            .flat_map(u32::to_le_bytes)
            .collect()
    };
    for hour in 0..6 {
        put(&job.dir.join("hokatsu.db"), &database(hour));
        run(&settings, &job, &quiet).unwrap();
        job.taken_at += jiff::SignedDuration::from_hours(1);
    }
    let rules = PruneRules {
        retention: Retention {
            hourly: 2,
            daily: 1,
            weekly: 1,
            monthly: 1,
            yearly: 1,
            days_max: None,
        },
        grace_hours: 0,
        repack_percent_max: 100,
        unused_percent_max: 1,
    };
    for _ in 0..2 {
        let plan = plan_prune(&settings, &rules, Ahead::Keep, job.taken_at).unwrap();
        prune(&settings, &rules, &plan, job.taken_at).unwrap();
        restic(&settings, &["check", "--read-data"]);
    }
    let target = dir.path().join("target");
    let to = target.to_str().unwrap();
    restic(&settings, &["restore", "latest", "--target", to]);
    assert_eq!(fs::read(target.join("hokatsu.db")).unwrap(), database(5));
}

#[test]
fn restic_lists_checks_and_restores_a_repository_with_fixed_chunks() {
    a_stock_tool_reads_it_all(Chunking::Fixed16KiB);
}

#[test]
fn restic_lists_checks_and_restores_a_repository_with_content_defined_chunks() {
    a_stock_tool_reads_it_all(Chunking::ContentDefined);
}
