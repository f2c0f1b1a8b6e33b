//! What somebody typed, shown once more by a page that did not save it.

/// Fields that a form carries along: they say nothing to whoever typed the words.
const CARRIED: &[&str] = &[
    "base_version",
    "csrf",
    "draft_key",
    "resident",
    "step",
    "submission",
];
/// Codes of lists are this short, characters; chosen, not typed.
const CODE_CHARS_MAX: usize = 2;
/// About so many characters fit into one line, full-width ones.
const LINE_CHARS: usize = 26;
const ROWS_MAX: usize = 14;

/// One typed text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typed {
    /// Counts from 1 on its page.
    pub number: usize,
    /// As it was typed.
    pub words: String,
    /// Lines that it takes, within reason.
    pub rows: usize,
}

/// The words among what a form sent, in its order.
pub fn typed_words<'f>(pairs: impl Iterator<Item = (&'f str, &'f str)>) -> Vec<Typed> {
    let typed = pairs.filter(|(name, value)| !CARRIED.contains(name) && !is_code(value));
    (1..)
        .zip(typed)
        .map(|(number, (_, words))| Typed {
            number,
            words: words.to_owned(),
            rows: rows(words),
        })
        .collect()
}

fn is_code(value: &str) -> bool {
    value.trim().is_empty() || (value.is_ascii() && value.len() <= CODE_CHARS_MAX)
}

fn rows(words: &str) -> usize {
    let line = |line: &str| line.chars().count() / LINE_CHARS + 1;
    words.lines().map(line).sum::<usize>().clamp(1, ROWS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pairs: &[(&str, &str)]) -> Vec<String> {
        let texts = typed_words(pairs.iter().copied());
        texts.into_iter().map(|text| text.words).collect()
    }

    #[test]
    fn words_are_shown_codes_and_tokens_are_not() {
        let form = [
            ("csrf", "5f2c"),
            ("submission", "e737b691ddcc412e"),
            ("draft_key", "new-12"),
            ("channel", "01"),
            ("urgency", "C"),
            ("received_on", "R8.11.25"),
            ("caller_name", "森"),
            ("caller_contact", ""),
            ("content", "転倒"),
        ];
        assert_eq!(shown(&form), ["R8.11.25", "森", "転倒"]);
    }

    #[test]
    fn a_long_text_gets_the_lines_that_it_takes_within_reason() {
        let long = "あ".repeat(60);
        let (endless, two) = ("あ\n".repeat(1_000), "一行目\n二行目");
        let texts = [("a", "短い"), ("b", two), ("c", &long), ("d", &endless)];
        let rows: Vec<usize> = typed_words(texts.into_iter())
            .iter()
            .map(|text| text.rows)
            .collect();
        assert_eq!(rows, [1, 2, 3, ROWS_MAX]);
    }
}
