//! `clients`: 33 terminals at once over TLS to the real server process, mixed pages, against the
//! same terminals fetching one style sheet from it.
//!
//! Each has a session of its own and asks for the next page as soon as it has the last; the
//! limiter of the appliance (50 requests a second a session) is on, and who runs into it is a
//! failure. The terminals share the processors with the server: an appliance does not. Each kind
//! of page is a figure too; its rate is its part of the mixed traffic.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::figure::{Failures, Figure, Measured};
use crate::find;
use crate::problem::Problem;
use crate::program::{Login, Program, Serving};
use crate::series::Series;
use crate::visitor::{Answer, Outside, Visitor, refused};

/// Terminals of the city and its five centres.
const CLIENTS: usize = 33;
const PAGES_TIME: Duration = Duration::from_secs(20);
const ASSETS_TIME: Duration = Duration::from_secs(10);
const ANSWER_TIME_MAX: Duration = Duration::from_secs(40);
const ASSET: &str = "/assets/hokatsu.css";
const CEILING: &str = "the same clients fetching the style sheet";
/// Who has nobody to look at takes no part.
const WITHOUT_RESIDENTS: [&str; 2] = ["system_admin", "city_welfare"];
/// Beginnings of common family names, as typed.
const BEGINNINGS: [&str; 7] = ["サト", "スズ", "タカ", "タナ", "イト", "ヤマ", "コバ"];
/// Persons that each opens beside the lists.
const PERSONS: usize = 4;

struct Client {
    visitor: Visitor<Outside>,
    pages: Vec<Page>,
}

/// What is asked for, and what it is called in the result: an address may hold what was typed.
struct Page {
    label: &'static str,
    address: String,
}

impl Page {
    fn new(label: &'static str, address: impl Into<String>) -> Self {
        let address = address.into();
        Self { label, address }
    }
}

/// What clients got in one stretch of time, by kind of page.
type Got = BTreeMap<&'static str, Series>;

pub(crate) fn measure(program: &Program, dir: &Path) -> Result<Vec<Figure>, Problem> {
    // ureq brings no cryptography of its own; one that is installed already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut all = Measured::new("clients", format!("{CLIENTS} at once"), CEILING, "pages")?;
    let serving = program.demo(dir)?;
    let clients = sign_in_all(&serving, &mut all.failures)?;
    let asset = [Page::new("asset", ASSET)];
    let assets = all_at_once(&clients, ASSETS_TIME, &mut all.failures, |_| &asset)?;
    for series in assets.values() {
        all.ceiling.take_in(series);
    }
    all.ceiling.took_together(ASSETS_TIME);
    let pages = all_at_once(&clients, PAGES_TIME, &mut all.failures, |client| {
        &client.pages
    })?;
    let peak_memory = serving.peak_memory();
    serving.stop()?;
    let mut figures = Vec::new();
    for (label, series) in pages {
        let mut part = Measured::new("clients", label, CEILING, "pages")?;
        all.ours.take_in(&series);
        part.ours = series;
        part.ours.took_together(PAGES_TIME);
        part.ceiling = all.ceiling.clone();
        part.peak_memory = peak_memory;
        figures.push(part.into());
    }
    all.ours.took_together(PAGES_TIME);
    all.peak_memory = peak_memory;
    figures.push(all.into());
    Ok(figures)
}

fn sign_in_all(serving: &Serving, failures: &mut Failures) -> Result<Vec<Client>, Problem> {
    let ca = &serving.ready.ca_file;
    let pem = std::fs::read(ca).map_err(Problem::file(ca))?;
    let root = Certificate::from_pem(&pem)?.to_owned();
    let sees = |login: &&Login| !WITHOUT_RESIDENTS.contains(&login.role.as_str());
    let logins: Vec<&Login> = serving.ready.logins.iter().filter(sees).collect();
    let mut clients = Vec::new();
    let beginnings = BEGINNINGS.iter().cycle();
    for (login, beginning) in logins.iter().cycle().zip(beginnings).take(CLIENTS) {
        match client(&root, &serving.ready.url, login, beginning) {
            Ok(client) => clients.push(client),
            Err(problem) => failures.add(problem.told()),
        }
    }
    Ok(clients)
}

/// Signs in and looks once at everything that it will ask for.
fn client(
    root: &Certificate<'static>,
    url: &str,
    login: &Login,
    beginning: &str,
) -> Result<Client, Problem> {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(std::slice::from_ref(root)))
        .build();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(ANSWER_TIME_MAX))
        .build()
        .into();
    let base = url.trim_end_matches('/').to_owned();
    let visitor = Visitor::sign_in(Outside { agent, base }, &login.login, &login.password)?;
    let found = find::address(beginning);
    let (_, page) = visitor.get(&found)?;
    check("find", &page)?;
    let persons = persons(&page.text());
    if persons.is_empty() {
        return Err(Problem::Empty("a find page without a person".to_owned()));
    }
    let mut pages = vec![Page::new("my day", "/"), Page::new("find", found)];
    pages.extend(persons.into_iter().map(|link| Page::new("person", link)));
    pages.push(Page::new("consultations", "/consultations"));
    pages.push(Page::new("changes", "/changes"));
    pages.push(Page::new("asset", ASSET));
    for Page { label, address } in &pages {
        check(label, &visitor.get(address)?.1)?;
    }
    Ok(Client { visitor, pages })
}

fn check(label: &str, answer: &Answer) -> Result<(), Problem> {
    if answer.status == StatusCode::OK && !answer.bytes.is_empty() {
        Ok(())
    } else {
        Err(refused(label, answer))
    }
}

/// Links to persons, each once.
fn persons(page: &str) -> Vec<String> {
    let mut links: Vec<String> = page
        .split("href=\"/residents/")
        .skip(1)
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        .filter(|id: &String| !id.is_empty())
        .map(|id| format!("/residents/{id}"))
        .collect();
    links.sort();
    links.dedup();
    links.truncate(PERSONS);
    links
}

/// All clients ask from the same moment until the time is over; the last answers are waited for.
fn all_at_once<'c>(
    clients: &'c [Client],
    time: Duration,
    failures: &mut Failures,
    pages: impl Fn(&'c Client) -> &'c [Page],
) -> Result<Got, Problem> {
    let barrier = Barrier::new(clients.len());
    let results: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = clients
            .iter()
            .zip(0_usize..)
            .map(|(client, turn)| {
                let (barrier, pages) = (&barrier, pages(client));
                scope.spawn(move || {
                    barrier.wait();
                    until_over(&client.visitor, pages, turn, time)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join()).collect()
    });
    let mut got = Got::new();
    for result in results {
        let (took, failed) = result.map_err(|_panic| Problem::Thread)??;
        failures.take_in(&failed);
        for (label, series) in took {
            if let Some(known) = got.get_mut(label) {
                known.take_in(&series);
            } else {
                got.insert(label, series);
            }
        }
    }
    Ok(got)
}

/// One client's work; each begins elsewhere in its list, so that the pages are mixed. An answer
/// that came after the time is not counted: the rate is over that time.
fn until_over(
    visitor: &Visitor<Outside>,
    pages: &[Page],
    turn: usize,
    time: Duration,
) -> Result<(Got, Failures), Problem> {
    let (mut got, mut failures) = (Got::new(), Failures::default());
    let started = Instant::now();
    for page in pages.iter().cycle().skip(turn % pages.len().max(1)) {
        let answer = visitor.get_compressed(&page.address);
        let in_time = started.elapsed() < time;
        match answer.and_then(|(took, answer)| check(page.label, &answer).map(|()| took)) {
            Ok(took) if in_time => {
                let series = match got.entry(page.label) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(Series::new()?),
                };
                series.add(took, 1);
            }
            Ok(_) => {}
            Err(problem) => failures.add(problem.told()),
        }
        if !in_time {
            break;
        }
    }
    Ok((got, failures))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_persons_are_taken_once_and_actions_are_not() {
        let page = "<a href=\"/residents/12\">a</a><a href=\"/residents/12/print\">p</a>\
                    <a href=\"/residents/new\">n</a><a href=\"/residents/7\">b</a>";
        assert_eq!(persons(page), ["/residents/12", "/residents/7"]);
    }

    #[test]
    fn an_empty_answer_is_a_failure() {
        let answer = |status, bytes: &[u8]| Answer {
            status,
            headers: axum::http::HeaderMap::new(),
            bytes: bytes.to_vec(),
        };
        assert!(check("/", &answer(StatusCode::OK, b"x")).is_ok());
        assert!(check("/", &answer(StatusCode::OK, b"")).is_err());
        assert!(check("/", &answer(StatusCode::TOO_MANY_REQUESTS, b"x")).is_err());
    }
}
