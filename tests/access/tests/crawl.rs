//! Somebody of each role follows every link and sends every form that can be reached from the start
//! page, as it stands: nothing that is offered may be refused, missing or broken.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use harness::{Browser, Page, Town};
use server::app::ServerSettings;
use server::web::Role;

/// Pages of one kind (the same address but for its numbers) that are followed.
const EACH_MAX: usize = 3;
/// A crawl that reaches fewer kinds was stopped at the door.
const KINDS_MIN: usize = 8;

/// What a page offers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Link(String),
    Form {
        action: String,
        post: bool,
        fields: Vec<(String, String)>,
    },
}

impl Step {
    fn address(&self) -> &str {
        match self {
            Self::Link(address) => address,
            Self::Form { action, .. } => action,
        }
    }

    /// The address with every number as `#`, so that a thousand people are one kind of page.
    fn kind(&self) -> String {
        let path = self.address().split(['?', '#']).next().unwrap_or_default();
        let parts = path.split('/').map(|part| {
            let number = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
            if number { "#" } else { part }
        });
        let path: Vec<&str> = parts.collect();
        let method = match self {
            Self::Form { post: true, .. } => "POST",
            Self::Form { post: false, .. } | Self::Link(_) => "GET",
        };
        format!("{method} {}", path.join("/"))
    }

    fn take(&self, browser: &mut Browser) -> Page {
        match self {
            Self::Link(address) => browser.get(address),
            Self::Form {
                action,
                post: false,
                fields,
            } => {
                let query = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(fields)
                    .finish();
                browser.get(&format!("{action}?{query}"))
            }
            Self::Form { action, fields, .. } => {
                let fields: Vec<(&str, &str)> = fields
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                browser.post_raw(action, &fields)
            }
        }
    }
}

/// The value of an attribute within one tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&amp;", "&").replace("&#38;", "&"))
}

/// Every tag of this name up to its `>`.
fn tags<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let opening = format!("<{name} ");
    let parts = text.split(opening.as_str()).skip(1);
    parts
        .filter_map(|part| part.split_once('>').map(|(tag, _)| tag))
        .collect()
}

/// What the form sends untouched: hidden and text inputs, what is chosen or ticked.
fn fields(form: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for tag in tags(form, "input") {
        let tag = format!(" {tag}");
        let choice = matches!(
            attribute(&tag, "type").as_deref(),
            Some("checkbox" | "radio")
        );
        if choice && !tag.contains(" checked") {
            continue;
        }
        if let Some(name) = attribute(&tag, "name") {
            found.push((name, attribute(&tag, "value").unwrap_or_default()));
        }
    }
    for part in form.split("<select ").skip(1) {
        let (select, _) = part.split_once("</select>").unwrap_or((part, ""));
        let name = attribute(&format!(" {select}"), "name");
        let options = tags(select, "option");
        let chosen = options.iter().find(|tag| tag.contains(" selected"));
        let value = chosen.or(options.first()).map(|tag| format!(" {tag}"));
        if let (Some(name), Some(value)) = (name, value) {
            found.push((name, attribute(&value, "value").unwrap_or_default()));
        }
    }
    for tag in tags(form, "textarea") {
        if let Some(name) = attribute(&format!(" {tag}"), "name") {
            found.push((name, String::new()));
        }
    }
    found
}

fn steps(page: &Page) -> Vec<Step> {
    let kind = page.headers.get("content-type");
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return Vec::new();
    }
    let text = page.text();
    let links = tags(&text, "a").into_iter().filter_map(|tag| {
        let href = attribute(&format!(" {tag}"), "href")?;
        href.starts_with('/').then_some(Step::Link(href))
    });
    let forms = text.split("<form ").skip(1).filter_map(|part| {
        let (form, _) = part.split_once("</form>")?;
        let head = format!(" {}", form.split_once('>')?.0);
        Some(Step::Form {
            action: attribute(&head, "action")?,
            post: attribute(&head, "method").as_deref() == Some("post"),
            fields: fields(form),
        })
    });
    links.chain(forms).collect()
}

/// Ends the session or the account; has tests of its own.
fn leaves(step: &Step) -> bool {
    matches!(
        step.kind().as_str(),
        "POST /sign-out"
            | "POST /sign-out-everywhere"
            | "POST /password"
            | "POST /lock"
            | "POST /lock/leave"
            | "POST /lock/opening"
            | "POST /maintenance/own/ending"
    )
}

/// Follows everything; returns how many of each kind were taken.
fn crawl(label: &str, browser: &mut Browser) -> BTreeMap<String, usize> {
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut known = BTreeSet::new();
    let mut waiting = VecDeque::from([(String::from("(start)"), Step::Link("/".to_owned()))]);
    while let Some((from, step)) = waiting.pop_front() {
        let kind = step.kind();
        let count = taken.entry(kind.clone()).or_default();
        if *count >= EACH_MAX || leaves(&step) {
            continue;
        }
        *count += 1;
        let mut page = step.take(browser);
        if page.status.is_redirection() {
            page = browser.get(page.location());
        }
        let refused = matches!(page.status.as_u16(), 401 | 403 | 404 | 405 | 500..);
        assert!(
            !refused,
            "{label}: {kind} ({}) offered by {from} answers {}\n{}",
            step.address(),
            page.status,
            page.text()
        );
        for next in steps(&page) {
            if known.insert((next.kind(), next.address().to_owned())) {
                waiting.push_back((step.address().to_owned(), next));
            }
        }
    }
    taken
}

#[test]
fn nothing_that_is_offered_is_refused_missing_or_broken() {
    for role in Role::ALL.iter().copied() {
        let town = Town::with(ServerSettings {
            requests_per_second: std::num::NonZeroU32::MAX,
            ..ServerSettings::standard()
        });
        let centre = role.is_of_centre().then_some("0101");
        let mut browser = town.signed_in(role, centre);
        let taken = crawl(role.label(), &mut browser);
        let steps: usize = taken.values().sum();
        println!("{}: {} kinds, {steps} steps", role.code(), taken.len());
        assert!(taken.len() >= KINDS_MIN, "{role:?} reached only {taken:?}");
    }
}
