//! What holds for text of any kind: whole lines, a width that fits, no loose ends, no hosts.

use crate::rust::{has_word, is_word_character};
use crate::{Finding, SourceFile, Tree};

// 100 is where code reads well (rustfmt holds it); what rustfmt cannot break, Japanese sentences
// above all, may be a little wider.
const COLUMNS_MAX: usize = 120;

pub(crate) fn ends_whole_and_fits_the_page(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        // A corpus is bad input kept on purpose.
        let corpus = file.path.contains("/corpus/");
        if !corpus && !file.text.is_empty() && !file.text.ends_with('\n') {
            findings.push(Finding::in_file(&file.path, "end the file with a newline"));
        }
        if file.is("rs") {
            findings.extend(too_wide(file));
        }
    }
    findings
}

/// rustfmt leaves long strings and comments alone, and counts 漢 as one column.
fn too_wide(file: &SourceFile) -> impl Iterator<Item = Finding> {
    file.lines().filter_map(|(number, line)| {
        let columns: usize = line.chars().map(columns).sum();
        let message = format!("{columns} columns; {COLUMNS_MAX} fit (a full-width character is 2)");
        (columns > COLUMNS_MAX).then(|| Finding::at(&file.path, number, message))
    })
}

/// Columns of a character in a terminal: East Asian wide and full-width ones take two.
///
/// Source: Unicode Standard Annex 11, the blocks that occur in Japanese text.
pub(crate) fn columns(c: char) -> usize {
    let wide = matches!(
        u32::from(c),
        0x1100..=0x115F
            | 0x2E80..=0x303E
            | 0x3041..=0xA4CF
            | 0xAC00..=0xD7A3
            | 0xF900..=0xFAFF
            | 0xFE30..=0xFE4F
            | 0xFF01..=0xFF60
            | 0xFFE0..=0xFFE6
            | 0x1F300..=0x1F64F
            | 0x1F900..=0x1F9FF
            | 0x20000..=0x3FFFD
    );
    if wide { 2 } else { 1 }
}

const SOURCES: [&str; 10] = [
    "css", "html", "js", "mjs", "py", "rs", "sh", "sql", "toml", "yml",
];

pub(crate) fn open_ends_have_a_number(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    // This crate holds the words as its examples.
    for file in tree
        .files()
        .iter()
        .filter(|file| !file.path.starts_with("tests/tidy/"))
    {
        if !SOURCES.iter().any(|kind| file.is(kind)) {
            continue;
        }
        for (number, line) in file.lines() {
            if has_word(line, "FIXME") {
                let message = "FIXME never lands: repair it, or write TODO with its number";
                findings.push(Finding::at(&file.path, number, message));
            }
            if has_word(line, "TODO") && !numbered(line) {
                let message = "TODO needs the number of its issue: TODO(#123)";
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

/// What a merge leaves where two wrote the same line, in halves so that this file is no finding.
const MARKS: [(&str, &str); 2] = [("<<<<", "<<< "), (">>>>", ">>> ")];

pub(crate) fn no_half_merged_file(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (number, line) in file.lines() {
            let marked = |(head, tail): &(&str, &str)| {
                line.strip_prefix(head)
                    .is_some_and(|rest| rest.starts_with(tail))
            };
            if MARKS.iter().any(marked) {
                let message = "a merge was left half done: decide which lines stay";
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

fn numbered(line: &str) -> bool {
    line.split("TODO(#")
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Hosts of package registries, in two halves so that this file is no finding itself.
const HOSTS: [(&str, &str); 8] = [
    ("static.", "crates.io"),
    ("index.", "crates.io"),
    ("registry.npmjs", ".org"),
    ("registry.yarnpkg", ".com"),
    ("deb.", "debian.org"),
    ("security.", "debian.org"),
    ("files.pythonhosted", ".org"),
    ("pypi", ".org"),
];

/// Whoever builds may sit behind a mirror: which registry answers is the machine's setting.
pub(crate) fn no_registry_host(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (number, line) in file.lines() {
            for (head, tail) in HOSTS {
                let host = format!("{head}{tail}");
                if line.contains(&host) && has_host(line, &host) {
                    let message = format!("{host}: the machine chooses its registry, not a file");
                    findings.push(Finding::at(&file.path, number, message));
                }
            }
        }
    }
    findings
}

/// A longer name that ends in this host is another host.
fn has_host(line: &str, host: &str) -> bool {
    line.match_indices(host).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        !before.is_some_and(|c| is_word_character(c) || c == '-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    #[test]
    fn a_file_cut_off_in_its_last_line_is_found() {
        assert_eq!(
            said(
                ends_whole_and_fits_the_page,
                &[("a.md", "x"), ("b.md", "x\n"), ("c.md", "")]
            ),
            ["a.md: end the file with a newline"]
        );
    }

    #[test]
    fn full_width_characters_count_twice() {
        let fits = format!("// {}\n", "漢".repeat(58));
        let wide = format!("// {}\n", "漢".repeat(59));
        assert_eq!(
            said(
                ends_whole_and_fits_the_page,
                &[("a.rs", &fits), ("b.rs", &wide)]
            ),
            ["b.rs:1: 121 columns; 120 fit (a full-width character is 2)"]
        );
    }

    #[test]
    fn an_open_end_without_number_is_found() {
        assert_eq!(
            said(
                open_ends_have_a_number,
                &[
                    ("a.rs", "// TODO later\n// TODO(#12): sort\n// FIXME\n"),
                    ("a.md", "TODO\n")
                ]
            ),
            [
                "a.rs:1: TODO needs the number of its issue: TODO(#123)",
                "a.rs:3: FIXME never lands: repair it, or write TODO with its number",
            ]
        );
    }

    #[test]
    fn a_half_merged_file_is_found() {
        let text = format!(
            "a\n{}HEAD\nb\n=======\nc\n{}other\n",
            MARKS[0].0.to_owned() + MARKS[0].1,
            MARKS[1].0.to_owned() + MARKS[1].1
        );
        let message = "a merge was left half done: decide which lines stay";
        assert_eq!(
            said(no_half_merged_file, &[("a.md", &text)]),
            [format!("a.md:2: {message}"), format!("a.md:6: {message}")]
        );
    }

    #[test]
    fn a_registry_host_is_found_in_any_file() {
        let host = ["registry.npmjs", ".org"].concat();
        let line = format!("\"resolved\": \"https://{host}/axe-core\"\n");
        assert_eq!(
            said(
                no_registry_host,
                &[("tests/journeys/package-lock.json", &line)]
            ),
            [format!(
                "tests/journeys/package-lock.json:1: {host}: the machine chooses its registry, \
                 not a file"
            )]
        );
    }
}
