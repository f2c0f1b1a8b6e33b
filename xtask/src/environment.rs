//! The only place that reads environment variables.
#![expect(
    clippy::disallowed_methods,
    reason = "base::settings belongs to the product; building must not wait for it to compile"
)]

use std::path::PathBuf;

/// True in CI, where a suite that cannot run is a failure and not a remark.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true" || value == "1")
}

/// The directories where a shell would look for a program.
pub(crate) fn program_directories() -> Vec<PathBuf> {
    std::env::var("PATH").map_or_else(
        |_unset| Vec::new(),
        |path| std::env::split_paths(&path).collect(),
    )
}

/// What `cargo run` told this program about itself. Passed on, it would make Cargo build crates
/// again that watch these variables, each time somebody changes between `cargo` and `cargo xtask`.
pub(crate) fn of_our_own_build() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names
        .filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        .collect()
}
