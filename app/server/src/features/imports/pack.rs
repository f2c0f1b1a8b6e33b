//! A row as one string: 84,677 of them stay small, and two rows are equal when the strings are.
//!
//! Invariant: values hold no C0 characters but tab and line feed (`convert` strips them), so the
//! separators cannot occur in them.

const GAP: char = '\u{1F}';
const NULL: &str = "\u{1E}";

/// Joins values; `None` is null.
pub(super) fn pack(values: &[Option<String>]) -> Box<str> {
    let mut row = String::with_capacity(values.iter().flatten().map(|v| v.len() + 1).sum());
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            row.push(GAP);
        }
        row.push_str(value.as_deref().unwrap_or(NULL));
    }
    row.into_boxed_str()
}

/// The values again.
pub(super) fn unpack(row: &str) -> impl Iterator<Item = Option<&str>> {
    row.split(GAP).map(|value| (value != NULL).then_some(value))
}

/// The first `parts` values, still joined: what a row is known by.
pub(super) fn key(row: &str, parts: usize) -> &str {
    let end = parts
        .checked_sub(1)
        .and_then(|n| row.match_indices(GAP).nth(n));
    end.and_then(|(end, _)| row.get(..end)).unwrap_or(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_out_again() {
        let values = [
            Some("a".to_owned()),
            None,
            Some(String::new()),
            Some("b\nc".to_owned()),
        ];
        let row = pack(&values);
        let back: Vec<_> = unpack(&row).map(|v| v.map(str::to_owned)).collect();
        assert_eq!(back, values);
    }

    #[test]
    fn a_key_is_the_leading_values() {
        let row = pack(&[Some("a".into()), Some("1".into()), None]);
        assert_eq!(key(&row, 1), "a");
        assert_eq!(key(&row, 2), "a\u{1F}1");
        assert_eq!(key("a", 1), "a");
    }
}
