//! Just enough reading of Rust: code without comments, words, and which lines are tests.

use crate::tree::SourceFile;

/// The line without its `//` comment; a `//` inside a string stays.
pub(crate) fn code_of(line: &str) -> &str {
    let mut in_string = false;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match c {
            // '"' as a character literal and \" inside a string open and close nothing.
            '"' if before != '\\' && before != '\'' => in_string = !in_string,
            '/' if before == '/' && !in_string => {
                return line.get(..at.saturating_sub(1)).unwrap_or(line);
            }
            _ => {}
        }
        before = c;
    }
    line
}

/// `needle` occurs as a whole word: no letter, digit or `_` touches it.
pub(crate) fn has_word(text: &str, needle: &str) -> bool {
    text.match_indices(needle).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text
            .get(at + needle.len()..)
            .and_then(|tail| tail.chars().next());
        !before.is_some_and(is_word_character) && !after.is_some_and(is_word_character)
    })
}

pub(crate) fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The file holds nothing but tests.
pub(crate) fn is_test_file(file: &SourceFile) -> bool {
    file.path.starts_with("tests/")
        || file.path.contains("/tests/")
        || file.name() == "tests.rs"
        || file.name().ends_with("_tests.rs")
}

/// Lines of test code: the whole file, or everything from `#[cfg(test)] mod … {` on.
pub(crate) fn test_lines(file: &SourceFile) -> impl Iterator<Item = (usize, &str)> {
    let first = if is_test_file(file) {
        Some(1)
    } else {
        first_line_of_inner_tests(file)
    };
    file.lines()
        .filter(move |(number, _)| first.is_some_and(|first| *number >= first))
}

fn first_line_of_inner_tests(file: &SourceFile) -> Option<usize> {
    let mut marked = false;
    for (number, line) in file.lines() {
        let line = line.trim();
        if marked && line.starts_with("mod ") && line.ends_with('{') {
            return Some(number);
        }
        marked = line == "#[cfg(test)]" || (marked && line.starts_with('#'));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_cut_and_an_address_in_a_string_stays() {
        assert_eq!(code_of("let a = 1; // why"), "let a = 1; ");
        assert_eq!(
            code_of(r#"let a = "https://x"; // why"#),
            r#"let a = "https://x"; "#
        );
    }

    #[test]
    fn a_word_inside_another_word_is_not_found() {
        assert!(has_word("use a::store;", "a::store"));
        assert!(!has_word("use aa::store;", "a::store"));
        assert!(!has_word("use a::stores;", "a::store"));
    }

    #[test]
    fn tests_at_the_end_of_a_file_are_told_from_its_code() {
        let text = "fn a() {}\n#[cfg(test)]\nuse x;\n#[cfg(test)]\nmod tests {\n}\n";
        let file = SourceFile {
            path: "app/base/src/a.rs".to_owned(),
            text: text.to_owned(),
        };
        assert_eq!(
            test_lines(&file)
                .map(|(number, _)| number)
                .collect::<Vec<_>>(),
            [5, 6]
        );
    }
}
