//! The first `site.toml`, as `init` writes it: with what should hold unless somebody decides otherwise.

use std::path::Path;

const TEXT: &str = include_str!("first.toml");

/// The text of a first site file for this data directory.
#[must_use]
pub fn first_site(data: &Path) -> String {
    let quoted = toml::Value::from(data.display().to_string()).to_string();
    TEXT.replace("{data}", &quoted)
}
