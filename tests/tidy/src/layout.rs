//! Every Rust file says what it is; no module is a drawer for anything.

use crate::{Finding, SourceFile, Tree};

/// Names that attract everything and say nothing.
const DRAWERS: [&str; 6] = ["common", "helper", "helpers", "misc", "util", "utils"];

pub(crate) fn every_file_has_a_header(tree: &Tree) -> Vec<Finding> {
    let bare = |file: &&SourceFile| !file.text.starts_with("//!");
    let message = "open the file with `//!` and one sentence on what it is";
    tree.of_kind("rs")
        .filter(bare)
        .map(|file| Finding::at(&file.path, 1, message))
        .collect()
}

pub(crate) fn no_drawer_for_anything(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        let parts = file
            .path
            .split('/')
            .map(|part| part.split('.').next().unwrap_or(part));
        for drawer in parts.filter(|part| DRAWERS.contains(part)) {
            let message = format!("`{drawer}` says nothing; name the module after what it knows");
            findings.push(Finding::in_file(&file.path, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    #[test]
    fn a_file_without_header_is_found() {
        assert_eq!(
            said(
                every_file_has_a_header,
                &[
                    ("app/a.rs", "use b;\n"),
                    ("app/b.rs", "//! B.\n"),
                    ("a.md", "x\n")
                ]
            ),
            ["app/a.rs:1: open the file with `//!` and one sentence on what it is"]
        );
    }

    #[test]
    fn a_drawer_is_found_as_file_and_as_directory() {
        assert_eq!(
            said(
                no_drawer_for_anything,
                &[
                    ("app/utils.rs", ""),
                    ("app/common/a.rs", ""),
                    ("app/utility.rs", "")
                ]
            ),
            [
                "app/utils.rs: `utils` says nothing; name the module after what it knows",
                "app/common/a.rs: `common` says nothing; name the module after what it knows",
            ]
        );
    }
}
