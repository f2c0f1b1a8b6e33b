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

use backup::{Chunking, Progress, Quiet, RepositorySettings, Source, init, run};

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
        .arg(&settings.path)
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
        path: dir.path().join("repository"),
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

#[test]
fn restic_lists_checks_and_restores_a_repository_with_fixed_chunks() {
    a_stock_tool_reads_it_all(Chunking::Fixed16KiB);
}

#[test]
fn restic_lists_checks_and_restores_a_repository_with_content_defined_chunks() {
    a_stock_tool_reads_it_all(Chunking::ContentDefined);
}
