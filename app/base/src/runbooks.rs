//! What people read who repair the machine: the pages of `runbooks/`, inside the binary, so that they are there when
//! nothing else works.
//!
//! Invariant: the text is the file's own; each begins with its title (`# …`).

/// The directory, as it was when this was compiled.
#[derive(rust_embed::Embed)]
#[folder = "../../runbooks"]
#[include = "*.md"]
struct Files;

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its name, as errors and banners call it: `disk-full`.
    pub stem: String,
    /// What it is about, Japanese.
    pub title: String,
    /// All of it, Markdown.
    pub text: String,
}

/// Every page, by name.
#[must_use]
pub fn all() -> Vec<Page> {
    let mut stems: Vec<String> = Files::iter()
        .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
        .collect();
    stems.sort();
    stems.iter().filter_map(|stem| page(stem)).collect()
}

/// The page of this name.
#[must_use]
pub fn page(stem: &str) -> Option<Page> {
    let file = Files::get(&format!("{stem}.md"))?;
    let text = String::from_utf8(file.data.into_owned()).ok()?;
    let title = text.lines().next()?.trim_start_matches("# ").to_owned();
    Some(Page {
        stem: stem.to_owned(),
        title,
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Runbook;

    #[test]
    fn every_page_that_an_error_names_is_inside_with_its_title() {
        for runbook in Runbook::ALL {
            let page = page(runbook.stem()).unwrap();
            assert!(!page.title.is_empty(), "{}", page.stem);
            assert!(page.text.contains("## 手順"), "{}", page.stem);
        }
        assert_eq!(page("../Cargo"), None);
        assert_eq!(page("nothing"), None);
    }

    #[test]
    fn all_pages_are_listed_by_name() {
        let stems: Vec<String> = all().into_iter().map(|page| page.stem).collect();
        assert!(stems.is_sorted() && stems.contains(&"console".to_owned()));
        let files = std::fs::read_dir("../../runbooks").unwrap().count();
        assert_eq!(stems.len(), files);
    }
}
