//! What an operator is told to read exists, and has everything needed at 3 a.m.

use crate::{Finding, SourceFile, Tree};

const DIRECTORY: &str = "runbooks/";
/// Symptom, check, steps, proof, way back.
const PARTS: [&str; 5] = ["## 症状", "## 確認", "## 手順", "## 確かめ", "## 戻し方"];

/// Each variant of `base::report::Runbook` is a page: `DiskFull` is `runbooks/disk-full.md`.
pub(crate) fn every_named_one_exists(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let base = |file: &&SourceFile| file.path.starts_with("app/base/src/");
    for file in tree.of_kind("rs").filter(base) {
        for (number, variant) in variants(file) {
            let page = format!("{DIRECTORY}{}.md", kebab(variant));
            if tree.find(&page).is_none() {
                let message = format!("Runbook::{variant} is told to operators; write {page}");
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

/// The variants of `pub enum Runbook`, with the lines they stand on.
fn variants(file: &SourceFile) -> impl Iterator<Item = (usize, &str)> {
    file.lines()
        .skip_while(|(_, line)| !line.starts_with("pub enum Runbook {"))
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('}'))
        .map(|(number, line)| (number, line.trim().trim_end_matches(',')))
        .filter(|(_, word)| word.starts_with(|c: char| c.is_ascii_uppercase()))
}

fn kebab(variant: &str) -> String {
    let mut words = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !words.is_empty() {
            words.push('-');
        }
        words.push(c.to_ascii_lowercase());
    }
    words
}

pub(crate) fn all_have_the_five_parts(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let page = |file: &&SourceFile| file.path.starts_with(DIRECTORY) && file.name() != "README.md";
    for file in tree.of_kind("md").filter(page) {
        let headings: Vec<&str> = file.text.lines().map(str::trim_end).collect();
        for part in PARTS.iter().filter(|part| !headings.contains(part)) {
            findings.push(Finding::in_file(
                &file.path,
                format!("the part `{part}` is missing"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    #[test]
    fn a_named_runbook_without_a_page_is_found() {
        let report = "pub enum Runbook {\n    /// Full.\n    DiskFull,\n    PortInUse,\n}\n";
        assert_eq!(
            said(
                every_named_one_exists,
                &[
                    ("app/base/src/report.rs", report),
                    ("runbooks/port-in-use.md", "")
                ]
            ),
            [
                "app/base/src/report.rs:3: Runbook::DiskFull is told to operators; \
                 write runbooks/disk-full.md"
            ]
        );
    }

    #[test]
    fn a_runbook_without_a_way_back_is_found() {
        let text = "# 満杯\n## 症状\n## 確認\n## 手順\n## 確かめ\n";
        assert_eq!(
            said(all_have_the_five_parts, &[("runbooks/disk-full.md", text)]),
            ["runbooks/disk-full.md: the part `## 戻し方` is missing"]
        );
    }
}
