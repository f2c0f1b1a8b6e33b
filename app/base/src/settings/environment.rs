//! What the environment says.

use std::path::PathBuf;

const SITE_FILE: &str = "/etc/hokatsu/site.toml";
const DATA_DIR: &str = "/var/lib/hokatsu";

/// The variables this product reads, and no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// `HOKATSU_SITE`: the site file when no `--site` is given.
    pub site_file: PathBuf,
    /// `HOKATSU_DATA`: the data directory when no `--data` is given.
    pub data_dir: PathBuf,
    /// `HOKATSU_LOG`: log level, `info` when absent.
    pub log_level: String,
    /// `HOKATSU_OPERATOR`: who types, when no `--operator` is given.
    pub operator: Option<String>,
    /// `HOKATSU_REASON`: why, when no `--reason` is given.
    pub reason: Option<String>,
    /// `CREDENTIALS_DIRECTORY`: where systemd has put secrets for us.
    pub credentials_dir: Option<PathBuf>,
    /// `NOTIFY_SOCKET` is set: we are under systemd, which wants to be told when ready.
    pub notify: Option<PathBuf>,
}

impl Environment {
    /// Reads the process's environment; to be called once, at start.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the environment"
    )]
    pub fn read() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// Reads variables from `lookup`; an empty one counts as absent.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        Self {
            site_file: get("HOKATSU_SITE").map_or_else(|| SITE_FILE.into(), PathBuf::from),
            data_dir: get("HOKATSU_DATA").map_or_else(|| DATA_DIR.into(), PathBuf::from),
            log_level: get("HOKATSU_LOG").unwrap_or_else(|| "info".to_owned()),
            operator: get("HOKATSU_OPERATOR"),
            reason: get("HOKATSU_REASON"),
            credentials_dir: get("CREDENTIALS_DIRECTORY").map(PathBuf::from),
            notify: get("NOTIFY_SOCKET").map(PathBuf::from),
        }
    }
}
