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
