//! A word of the product is explained where all words are.

use std::collections::BTreeMap;

use crate::borders::slices;
use crate::rust::has_word;
use crate::{Finding, Tree};

const GLOSSARY: &str = "docs/glossary.md";

pub(crate) fn knows_every_slice_and_table(tree: &Tree) -> Vec<Finding> {
    let known = tree.find(GLOSSARY).map_or("", |file| file.text.as_str());
    let slices = slices(tree).into_iter().map(|slice| ("slice", slice));
    let tables = tables(tree);
    let mut findings = Vec::new();
    for (kind, name) in slices.chain(tables.keys().map(|table| ("table", *table))) {
        if !has_word(known, name) {
            let message = format!("the {kind} `{name}` is missing: Japanese word and meaning");
            findings.push(Finding::in_file(GLOSSARY, message));
        }
    }
    findings
}

/// Names of tables, each with a file that creates it.
fn tables(tree: &Tree) -> BTreeMap<&str, &str> {
    let mut tables = BTreeMap::new();
    for file in tree
        .of_kind("sql")
        .filter(|file| file.path.starts_with("app/store/"))
    {
        for line in file.text.lines() {
            if let Some(name) = created(line) {
                tables.insert(name, file.path.as_str());
            }
        }
    }
    tables
}

/// The name in `create [virtual] table [if not exists] name (`.
fn created(line: &str) -> Option<&str> {
    let words = ["create", "virtual", "table", "if", "not", "exists"];
    let mut rest = line
        .split([' ', '('])
        .filter(|word| !word.is_empty())
        .peekable();
    let is = |word: &str, one: &str| word.eq_ignore_ascii_case(one);
    if !rest.peek().is_some_and(|word| is(word, "create")) {
        return None;
    }
    let mut is_table = false;
    while let Some(word) = rest.next_if(|word| words.iter().any(|one| is(word, one))) {
        is_table |= is(word, "table");
    }
    if is_table {
        rest.next().map(|name| name.trim_matches('"'))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    #[test]
    fn a_table_and_a_slice_without_a_line_are_found() {
        assert_eq!(
            said(
                knows_every_slice_and_table,
                &[
                    (
                        "app/store/schema.sql",
                        "CREATE TABLE visits (\n  id integer) strict;\n"
                    ),
                    ("app/server/src/features/persons/mod.rs", "//! Persons.\n"),
                    ("docs/glossary.md", "| 住民 | `residents` | … |\n"),
                ]
            ),
            [
                "docs/glossary.md: the slice `persons` is missing: Japanese word and meaning",
                "docs/glossary.md: the table `visits` is missing: Japanese word and meaning",
            ]
        );
    }

    #[test]
    fn an_index_is_no_table() {
        assert_eq!(created("create index a on b (c);"), None);
        assert_eq!(created("create virtual table a using fts5("), Some("a"));
    }
}
