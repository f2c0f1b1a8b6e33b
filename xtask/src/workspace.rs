//! Where the repository is, and which packages it has today.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::runner::{self, RunError, Spec};

const METADATA_LIMIT: Duration = Duration::from_secs(60);

/// The root of the repository, known since this program was compiled in it.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Why the packages could not be listed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkspaceError {
    #[error("cargo metadata did not run")]
    Run(#[from] RunError),
    #[error("cargo metadata refused: {0}")]
    Refused(String),
    #[error("cargo metadata wrote what is no JSON")]
    NotJson(#[from] serde_json::Error),
}

/// Names of the members of the workspace.
pub(crate) fn packages() -> Result<BTreeSet<String>, WorkspaceError> {
    Ok(names(&metadata()?))
}

/// Where Cargo puts what it builds.
pub(crate) fn target() -> Result<PathBuf, WorkspaceError> {
    let metadata = metadata()?;
    let place = metadata.get("target_directory").and_then(|v| v.as_str());
    Ok(place.map_or_else(|| root().join("target"), PathBuf::from))
}

fn metadata() -> Result<serde_json::Value, WorkspaceError> {
    let arguments = ["metadata", "--no-deps", "--format-version=1"];
    let ended = runner::capture(&Spec::new("cargo", &arguments, METADATA_LIMIT), &root())?;
    if !ended.success {
        return Err(WorkspaceError::Refused(ended.errors));
    }
    Ok(serde_json::from_str(&ended.output)?)
}

fn names(metadata: &serde_json::Value) -> BTreeSet<String> {
    let packages = metadata.get("packages").and_then(|value| value.as_array());
    packages
        .into_iter()
        .flatten()
        .filter_map(|package| package.get("name")?.as_str())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_package_is_one_of_the_members() {
        assert!(packages().unwrap().contains("xtask"));
    }
}
