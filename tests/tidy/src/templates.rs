//! Templates show, they do not decide, and carry nothing that the content policy forbids.

use crate::{Finding, Tree};

pub(crate) fn show_and_do_not_decide(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.of_kind("html") {
        for (number, line) in file.lines() {
            for message in messages(line) {
                findings.push(Finding::at(&file.path, number, message));
            }
        }
    }
    findings
}

fn messages(line: &str) -> Vec<&'static str> {
    let tight: String = line.chars().filter(|c| !c.is_whitespace()).collect();
    let mut messages = Vec::new();
    if tight.contains("|safe") || tight.contains("|escape(\"none\")") {
        messages.push("`|safe` lets a name become markup; give a ready type from view.rs");
    }
    if line.contains("<script") && !line.contains("<script src=") && !is_data(line) {
        messages.push("no inline script: the policy refuses it; put it into the asset file");
    }
    if line.contains("<style") || has_attribute(line, |name| name == "style") {
        messages.push("no inline style: the policy refuses it; name a class");
    }
    if has_attribute(line, is_handler) || line.contains("javascript:") {
        messages.push("no handler in an attribute: the policy refuses it; use the asset file");
    }
    messages
}

/// `<script type="application/json">` is data, which no browser runs.
fn is_data(line: &str) -> bool {
    line.contains("<script type=\"application/json\"")
}

fn is_handler(name: &str) -> bool {
    name.strip_prefix("on")
        .is_some_and(|event| event.len() > 2 && event.chars().all(|c| c.is_ascii_lowercase()))
}

/// The line has ` name=` with such a name.
fn has_attribute(line: &str, such: impl Fn(&str) -> bool) -> bool {
    line.split_whitespace().any(|word| {
        word.split_once('=')
            .is_some_and(|(name, _)| such(&name.to_ascii_lowercase()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::said;

    fn said_of(line: &str) -> Vec<String> {
        said(show_and_do_not_decide, &[("app/a.html", line)])
    }

    #[test]
    fn unescaped_output_is_found() {
        assert_eq!(
            said_of("<p>{{ name | safe }}</p>"),
            ["app/a.html:1: `|safe` lets a name become markup; give a ready type from view.rs"]
        );
    }

    #[test]
    fn an_inline_script_is_found_and_an_asset_or_data_is_not() {
        assert_eq!(
            said_of("<script>go()</script>"),
            ["app/a.html:1: no inline script: the policy refuses it; put it into the asset file"]
        );
        assert!(said_of("<script src=\"/assets/app.js\" defer></script>").is_empty());
        assert!(said_of("<script type=\"application/json\">{}</script>").is_empty());
    }

    #[test]
    fn an_inline_style_is_found() {
        assert_eq!(
            said_of("<b style=\"color:red\">!</b>"),
            ["app/a.html:1: no inline style: the policy refuses it; name a class"]
        );
    }

    #[test]
    fn a_handler_in_an_attribute_is_found_and_a_word_with_on_is_not() {
        assert_eq!(
            said_of("<a href=\"#\" onClick=\"go()\">x</a>"),
            ["app/a.html:1: no handler in an attribute: the policy refuses it; use the asset file"]
        );
        assert!(said_of("<input name=\"held_on\" value=\"\" on=\"1\">").is_empty());
    }
}
