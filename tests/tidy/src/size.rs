//! Our longest files and functions: places to look at, not a limit.

use std::fmt;

use crate::{SourceFile, Tree};

/// A place and its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: String,
    /// First line, counted from 1; 0 when the whole file is meant.
    pub line: usize,
    pub name: String,
    pub lines: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{:>6}  {}", self.lines, self.path),
            line => write!(f, "{:>6}  {}:{line} {}", self.lines, self.path, self.name),
        }
    }
}

/// Rust files, templates and SQL, longest first.
#[must_use]
pub fn longest_files(tree: &Tree) -> Vec<Place> {
    let ours = |file: &&SourceFile| {
        ["rs", "html", "sql", "css", "js"]
            .iter()
            .any(|k| file.is(k))
    };
    let place = |file: &SourceFile| Place {
        path: file.path.clone(),
        line: 0,
        name: String::new(),
        lines: file.text.lines().count(),
    };
    sorted(tree.files().iter().filter(ours).map(place).collect())
}

/// Functions, longest first: from `fn` to the brace in the same column, as rustfmt sets it.
#[must_use]
pub fn longest_functions(tree: &Tree) -> Vec<Place> {
    sorted(tree.of_kind("rs").flat_map(functions).collect())
}

fn functions(file: &SourceFile) -> Vec<Place> {
    let mut open: Vec<(usize, &str, usize)> = Vec::new();
    let mut found = Vec::new();
    for (number, line) in file.lines() {
        let column = line.len() - line.trim_start().len();
        if let Some(name) = name_of_function(line) {
            if !line.trim_end().ends_with(['}', ';']) {
                open.push((column, name, number));
            }
        } else if line.trim_start().starts_with('}')
            && let Some((_, name, first)) = open.pop_if(|(at, _, _)| *at == column)
        {
            let lines = number - first + 1;
            let (path, name) = (file.path.clone(), name.to_owned());
            found.push(Place {
                path,
                line: first,
                name,
                lines,
            });
        }
    }
    found
}

fn name_of_function(line: &str) -> Option<&str> {
    let (before, after) = line.trim_start().split_once("fn ")?;
    let modifier = |word: &str| {
        word.starts_with("pub") || matches!(word, "async" | "const" | "in" | "crate)" | "super)")
    };
    if !before.split_whitespace().all(modifier) {
        return None;
    }
    after.split(['(', '<']).next()
}

fn sorted(mut places: Vec<Place>) -> Vec<Place> {
    places.sort_by_key(|place| std::cmp::Reverse(place.lines));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_measured_to_their_own_brace() {
        let text = "//! A.\npub(crate) fn long() {\n    if a {\n        b();\n    }\n}\n\
                    fn short() {}\n";
        let places = longest_functions(&Tree::of(&[("app/a.rs", text)]));
        let said: Vec<String> = places.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["     5  app/a.rs:2 long"]);
    }

    #[test]
    fn the_longest_file_comes_first() {
        let places = longest_files(&Tree::of(&[
            ("a.rs", "\n"),
            ("b.sql", "\n\n"),
            ("c.md", "\n"),
        ]));
        let paths: Vec<&str> = places.iter().map(|place| place.path.as_str()).collect();
        assert_eq!(paths, ["b.sql", "a.rs"]);
    }
}
