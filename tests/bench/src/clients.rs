//! `clients`: 33 terminals at once over TLS to the real server process, mixed pages, against the
//! same terminals fetching one style sheet from it.
//!
//! Each has a session of its own and asks for the next page as soon as it has the last; the
//! limiter of the appliance (50 requests a second a session) is on, and who runs into it is a
//! failure. The terminals share the processors with the server: an appliance does not.

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
    addresses: Vec<String>,
}

pub(crate) fn measure(program: &Program, dir: &Path) -> Result<Vec<Figure>, Problem> {
    let case = format!("{CLIENTS} at once");
    let mut measured = Measured::new("clients", case, CEILING, "pages")?;
    // ureq brings no cryptography of its own; one that is installed already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let serving = program.demo(dir)?;
    let clients = sign_in_all(&serving, &mut measured.failures)?;
    let asset = [ASSET.to_owned()];
    let assets = all_at_once(&clients, ASSETS_TIME, |_| &asset)?;
    let pages = all_at_once(&clients, PAGES_TIME, |client| &client.addresses)?;
    measured.ceiling = assets.0;
    measured.ours = pages.0;
    measured.failures.take_in(&assets.1);
    measured.failures.take_in(&pages.1);
    measured.peak_memory = serving.peak_memory();
    serving.stop()?;
    Ok(vec![measured.into()])
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
    let mut addresses: Vec<String> = vec!["/".to_owned(), found.clone()];
    let (_, page) = visitor.get(&found)?;
    check("/residents?q=…", &page)?;
    let persons = persons(&page.text());
    if persons.is_empty() {
        return Err(Problem::Empty("a find page without a person".to_owned()));
    }
    addresses.extend(persons);
    addresses.extend(["/consultations", "/changes", ASSET].map(str::to_owned));
    for address in &addresses {
        check(address, &visitor.get(address)?.1)?;
    }
    Ok(Client { visitor, addresses })
}

fn check(address: &str, answer: &Answer) -> Result<(), Problem> {
    if answer.status == StatusCode::OK && !answer.bytes.is_empty() {
        Ok(())
    } else {
        Err(refused(address, answer))
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

/// All clients ask from the same moment until the time is over.
fn all_at_once<'c>(
    clients: &'c [Client],
    time: Duration,
    addresses: impl Fn(&'c Client) -> &'c [String],
) -> Result<(Series, Failures), Problem> {
    let barrier = Barrier::new(clients.len());
    let started = Instant::now();
    let results: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = clients
            .iter()
            .zip(0_usize..)
            .map(|(client, turn)| {
                let (barrier, addresses) = (&barrier, addresses(client));
                scope.spawn(move || {
                    barrier.wait();
                    until_over(&client.visitor, addresses, turn, time)
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join()).collect()
    });
    let wall = started.elapsed();
    let (mut series, mut failures) = (Series::new()?, Failures::default());
    for result in results {
        let (took, failed) = result.map_err(|_panic| Problem::Thread)??;
        series.take_in(&took);
        failures.take_in(&failed);
    }
    series.took_together(wall);
    Ok((series, failures))
}

/// One client's work; each begins elsewhere in its list, so that the pages are mixed.
fn until_over(
    visitor: &Visitor<Outside>,
    addresses: &[String],
    turn: usize,
    time: Duration,
) -> Result<(Series, Failures), Problem> {
    let (mut series, mut failures) = (Series::new()?, Failures::default());
    let started = Instant::now();
    for address in addresses.iter().cycle().skip(turn % addresses.len().max(1)) {
        if started.elapsed() >= time {
            break;
        }
        let answer = visitor.get_compressed(address);
        match answer.and_then(|(took, page)| check(shown(address), &page).map(|()| took)) {
            Ok(took) => series.add(took, 1),
            Err(problem) => failures.add(problem.told()),
        }
    }
    Ok((series, failures))
}

/// An address without what was typed.
fn shown(address: &str) -> &str {
    address.split('?').next().unwrap_or(address)
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
