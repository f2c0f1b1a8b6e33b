//! Which rows of a long list a page shows, and the way to the others; drawn by `macros.html`.

use crate::web::fields::Fields;
use crate::web::limits::ROWS_PER_PAGE;

/// Pages to either side of the one shown that have a link.
const NEAR: usize = 3;
/// Beyond this nobody turns pages.
const PAGE_MAX: usize = 100_000;

/// Where in a list somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// Rows in all.
    pub total: usize,
    /// Number of the first row shown; 0 when there is none.
    pub from: usize,
    /// Number of the last row shown.
    pub to: usize,
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
    /// Pages nearby; empty when there is only one.
    pub links: Vec<PageLink>,
}

/// A page's number; the one shown leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLink {
    /// The number.
    pub label: String,
    /// Where it leads.
    pub href: Option<String>,
}

/// The page that a query asks for, from 1; what is no number is the first.
pub fn page_asked(query: &Fields) -> usize {
    query
        .trimmed("page")
        .parse()
        .unwrap_or(1)
        .clamp(1, PAGE_MAX)
}

/// Rows before that page.
pub fn rows_before(page: usize) -> usize {
    page.saturating_sub(1).saturating_mul(ROWS_PER_PAGE)
}

impl Pages {
    /// The ways from `page` of a list at `path` that holds `total` rows.
    pub fn new(path: &str, query: &Fields, page: usize, total: usize) -> Self {
        let last = total.div_ceil(ROWS_PER_PAGE).max(1);
        let rest = query.query_without("page");
        let href = |number: usize| {
            let rest = if rest.is_empty() {
                String::new()
            } else {
                format!("{rest}&")
            };
            format!("{path}?{rest}page={number}")
        };
        let first_near = page.saturating_sub(NEAR).max(1);
        let last_near = page.saturating_add(NEAR).min(last);
        let near = (first_near..=last_near).map(|number| PageLink {
            label: number.to_string(),
            href: (number != page).then(|| href(number)),
        });
        let before = rows_before(page);
        Self {
            total,
            from: before.saturating_add(1).min(total),
            to: before.saturating_add(ROWS_PER_PAGE).min(total),
            previous: (page > 1).then(|| href(page.saturating_sub(1).min(last))),
            next: (page < last).then(|| href(page.saturating_add(1))),
            links: if last > 1 { near.collect() } else { Vec::new() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_page_ends_with_the_last_row_and_keeps_the_filters() {
        let query = Fields::parse(b"centre=0101&text=&page=3").unwrap_or_default();
        assert_eq!((page_asked(&query), rows_before(3)), (3, 100));
        let pages = Pages::new("/staff", &query, 3, 120);
        assert_eq!((pages.total, pages.from, pages.to), (120, 101, 120));
        assert_eq!(
            (pages.previous.as_deref(), pages.next),
            (Some("/staff?centre=0101&page=2"), None)
        );
        assert_eq!(pages.links.len(), 3);
    }

    #[test]
    fn an_empty_list_and_a_page_far_behind_the_end_are_no_trouble() {
        let none = Pages::new("/staff", &Fields::default(), 1, 0);
        assert_eq!((none.from, none.to, none.links), (0, 0, Vec::new()));
        let query = Fields::parse(b"page=99999999999999999999").unwrap_or_default();
        assert_eq!(page_asked(&query), 1);
        let far = Pages::new("/staff", &query, 90_000, 60);
        assert_eq!(far.previous.as_deref(), Some("/staff?page=2"));
    }
}
