//! Personal data is shown at the edge and nowhere else.

use crate::rust::{code_of, is_test_file};
use crate::{Finding, SourceFile, Tree};

const MESSAGE: &str =
    "only view.rs, app/forms and export reveal personal data; pass the secret type on";

pub(crate) fn reveal_is_called_at_the_edge_only(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.of_kind("rs").filter(|file| !may_reveal(file)) {
        for (number, line) in file.lines() {
            if code_of(line).contains(".reveal()") {
                findings.push(Finding::at(&file.path, number, MESSAGE));
            }
        }
    }
    findings
}

/// Tests look at invented people, so they may.
fn may_reveal(file: &SourceFile) -> bool {
    let export = file
        .path
        .split('/')
        .any(|part| part == "export" || part == "export.rs");
    let view = file
        .path
        .split('/')
        .any(|part| part == "view" || part == "view.rs");
    let secrecy = file.path.starts_with("app/base/src/secrecy");
    file.path.starts_with("app/forms/") || export || view || secrecy || is_test_file(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    #[test]
    fn a_name_revealed_in_a_page_is_found_and_in_a_view_is_not() {
        let text = "let name = resident.name.reveal();\n";
        let slice = "app/server/src/features/residents";
        assert_eq!(
            said(
                reveal_is_called_at_the_edge_only,
                &[
                    (&format!("{slice}/pages.rs"), text),
                    (&format!("{slice}/view.rs"), text)
                ]
            ),
            [format!(
                "{slice}/pages.rs:1: only view.rs, app/forms and export reveal personal data; \
                 pass the secret type on"
            )]
        );
    }
}
