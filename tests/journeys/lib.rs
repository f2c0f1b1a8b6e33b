//! The day's work in a browser, by keyboard, in Japanese: the suite is in `tests/`.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    reason = "a walk that cannot begin must stop at once and say where"
)]

use std::path::Path;
use std::time::Duration;

use base::command::{Spec, run};

/// Longer means that something hangs; the walk through every page of every role takes a minute, and a machine whose
/// processors are emulated is slow.
const WALK_MAX: Duration = Duration::from_secs(600);

#[expect(
    clippy::disallowed_methods,
    reason = "whoever wants new pictures for the README says so outside"
)]
fn keeps_pictures() -> bool {
    std::env::var("HOKATSU_KEEP_PICTURES").is_ok_and(|value| value == "1")
}

/// Walks one journey; its own words tell what went wrong. `said` is what `hokatsu demo --json` says: address, logins;
/// `home` is where the browser keeps its files.
pub fn walk(journey: &str, said: &str, authority: &Path, home: &Path) {
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(
        room.join("node_modules/playwright-core").is_dir(),
        "the browser's packages are missing: cargo xtask setup"
    );
    let spec = Spec::new("node", WALK_MAX)
        .args(["walk.mjs", journey])
        .dir(room)
        .env("HOME", home)
        .env("NODE_EXTRA_CA_CERTS", authority)
        .env(
            "HOKATSU_KEEP_PICTURES",
            if keeps_pictures() { "1" } else { "" },
        )
        .input(said);
    let ended = run(&spec).expect("node");
    let (said, complained) = (ended.stdout.text(), ended.stderr.text());
    println!("{said}");
    assert!(ended.status.success(), "{journey}\n{complained}");
}
