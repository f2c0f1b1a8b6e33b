//! Requests of restic's REST protocol, version 2: each within a time, tried a few times, and told apart.
//!
//! Source: <https://restic.readthedocs.io/en/stable/REST_backend.html>.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backon::{BlockingRetryable as _, ExponentialBuilder};
use data_encoding::BASE64;
use serde::Deserialize;
use ureq::http::{Method, Request, Response};
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::{Agent, Body};

use super::problem::{OffsiteError, Problem};
use super::rclone::Rclone;
use super::{Offsite, Patience, Rest, lock};

/// Where Debian keeps the authorities that it believes.
const SYSTEM_AUTHORITIES: &str = "/etc/ssl/certs/ca-certificates.crt";
const LISTING: &str = "application/vnd.x.restic.rest.v2";
/// The largest answer that is taken: packs are a few MiB, lists a hundred bytes a file.
const ANSWER_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// The other end.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    /// Ends with a slash.
    base: String,
    authorization: Option<String>,
    patience: Patience,
    /// The child that speaks for us; ends with this.
    rclone: Option<Rclone>,
    home: Offsite,
    /// Since when the line is lost.
    lost: Mutex<Option<(Instant, OffsiteError)>>,
}

/// A file there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) size: u64,
}

/// What is asked.
struct Asked<'a> {
    method: Method,
    path: &'a str,
    body: &'a [u8],
    /// First and last byte of the part that is wanted.
    range: Option<(u64, u64)>,
    /// So many come back.
    bytes: u64,
}

impl<'a> Asked<'a> {
    fn new(method: Method, path: &'a str) -> Self {
        Self {
            method,
            path,
            body: &[],
            range: None,
            bytes: 0,
        }
    }
}

impl Client {
    pub(super) fn new(
        rest: &Rest,
        login: Option<(String, String)>,
        patience: Patience,
        home: Offsite,
    ) -> Result<Self, OffsiteError> {
        let authorities = rest.ca_file.as_deref();
        let authorities = if rest.url.starts_with("https:") {
            roots(authorities.unwrap_or(Path::new(SYSTEM_AUTHORITIES)))?
        } else {
            RootCerts::new_with_certs(&[])
        };
        let authorization = login.map(|(user, password)| {
            let both = format!("{user}:{password}");
            format!("Basic {}", BASE64.encode(both.as_bytes()))
        });
        Ok(Self {
            agent: agent(authorities, patience),
            base: with_slash(&rest.url),
            authorization,
            patience,
            rclone: None,
            home,
            lost: Mutex::default(),
        })
    }

    pub(super) fn through(
        rclone: Rclone,
        patience: Patience,
        home: Offsite,
    ) -> Result<Self, OffsiteError> {
        let (user, password) = rclone.login();
        let login = Some((user.to_owned(), password.to_owned()));
        let rest = Rest {
            url: rclone.url().to_owned(),
            login: None,
            ca_file: None,
        };
        let mut client = Self::new(&rest, login, patience, home)?;
        client.rclone = Some(rclone);
        Ok(client)
    }

    /// Does the child still run?
    pub(super) fn is_alive(&self) -> bool {
        self.rclone.as_ref().is_none_or(Rclone::is_alive)
    }

    /// For a message of the engine; no login is in it.
    pub(crate) fn shown(&self) -> String {
        self.home.for_restic()
    }

    pub(crate) fn create(&self) -> Result<(), OffsiteError> {
        let asked = Asked::new(Method::POST, "?create=true");
        self.tried(|| self.asked(&asked)).map(drop)
    }

    /// Is there such a file, and how long is it?
    pub(crate) fn size(&self, path: &str) -> Result<Option<u64>, OffsiteError> {
        let asked = Asked::new(Method::HEAD, path);
        match self.tried(|| self.answered(&asked)) {
            Ok(answer) => Ok(Some(answer.body().content_length().unwrap_or(0))),
            Err(error) if error.is_absent() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything in a directory.
    pub(crate) fn list(&self, directory: &str) -> Result<Vec<Listed>, OffsiteError> {
        let path = format!("{directory}/");
        self.tried(|| {
            let bytes = self.asked(&Asked::new(Method::GET, &path))?;
            let listed: Option<Vec<Listed>> = serde_json::from_slice(&bytes)
                .map_err(|e| OffsiteError::new(Problem::Odd, format!("{path}: {e}")))?;
            Ok(listed.unwrap_or_default())
        })
        // Directories are made with the repository: without one there is none.
        .map_err(|error| {
            if error.is_absent() {
                return OffsiteError::new(Problem::NoRepository, path.clone());
            }
            error
        })
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, OffsiteError> {
        self.tried(|| self.asked(&Asked::new(Method::GET, path)))
    }

    /// A part of a file, of exactly so many bytes.
    pub(crate) fn read_part(
        &self,
        path: &str,
        (offset, length): (u64, u64),
    ) -> Result<Vec<u8>, OffsiteError> {
        if length == 0 {
            return Ok(Vec::new());
        }
        let asked = Asked {
            range: Some((offset, offset.saturating_add(length) - 1)),
            bytes: length,
            ..Asked::new(Method::GET, path)
        };
        self.tried(|| {
            let bytes = self.asked(&asked)?;
            if u64::try_from(bytes.len()) == Ok(length) {
                return Ok(bytes);
            }
            let text = format!("{path}: {} bytes instead of {length}", bytes.len());
            Err(OffsiteError::new(Problem::Odd, text))
        })
    }

    pub(crate) fn write(&self, path: &str, bytes: &[u8]) -> Result<(), OffsiteError> {
        let asked = Asked {
            body: bytes,
            ..Asked::new(Method::POST, path)
        };
        self.tried(|| match self.asked(&asked) {
            Ok(_) => Ok(()),
            // It was written, and the answer was lost on its way; a server that keeps all refuses the second.
            Err(error) if error.problem() == Problem::Refused && self.holds(path, bytes) => Ok(()),
            Err(error) => Err(error),
        })
    }

    fn holds(&self, path: &str, bytes: &[u8]) -> bool {
        let there = self.asked(&Asked::new(Method::GET, path));
        there.is_ok_and(|there| there == bytes)
    }

    /// What is gone already counts as removed.
    pub(crate) fn remove(&self, path: &str) -> Result<(), OffsiteError> {
        let asked = Asked::new(Method::DELETE, path);
        self.tried(|| match self.asked(&asked) {
            Ok(_) => Ok(()),
            Err(error) if error.is_absent() => Ok(()),
            // Somebody who may read and write is refused this alone.
            Err(error) if error.problem() == Problem::Refused => {
                Err(OffsiteError::new(Problem::KeepsAll, error.to_string()))
            }
            Err(error) => Err(error),
        })
    }

    fn tried<T>(&self, work: impl Fn() -> Result<T, OffsiteError>) -> Result<T, OffsiteError> {
        self.refuse_while_lost()?;
        let pauses = ExponentialBuilder::new()
            .with_min_delay(self.patience.pause)
            .with_max_times(self.patience.tries.saturating_sub(1));
        let done = work
            .retry(pauses)
            .when(|error: &OffsiteError| error.problem().may_pass())
            .notify(|error, _| log::info!("off-site: a try failed, once more: {error}"))
            .call();
        match done {
            Ok(done) => {
                *lock(&self.lost) = None;
                Ok(done)
            }
            Err(error) => Err(self.given_up(error)),
        }
    }

    fn given_up(&self, error: OffsiteError) -> OffsiteError {
        if error.problem().may_pass() {
            *lock(&self.lost) = Some((Instant::now(), error.clone()));
        }
        if !error.is_absent() {
            self.home.noted(&error);
        }
        error
    }

    /// A thousand requests that each wait for a line that is cut are hours.
    fn refuse_while_lost(&self) -> Result<(), OffsiteError> {
        let lost = lock(&self.lost);
        match lost.as_ref() {
            Some((since, error)) if since.elapsed() < self.patience.lost => Err(error.clone()),
            Some(_) | None => Ok(()),
        }
    }

    fn asked(&self, asked: &Asked<'_>) -> Result<Vec<u8>, OffsiteError> {
        let mut answer = self.answered(asked)?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        body.read_to_vec().map_err(|e| of_line(&e, asked.path))
    }

    /// The head of an answer that says yes.
    fn answered(&self, asked: &Asked<'_>) -> Result<Response<Body>, OffsiteError> {
        let began = Instant::now();
        let answer = self.sent(asked)?;
        let Some(problem) = of_status(answer.status().as_u16()) else {
            return Ok(answer);
        };
        let text = format!("{} {}: {}", asked.method, asked.path, answer.status());
        let error = OffsiteError::new(problem, text);
        let Some(rclone) = &self.rclone else {
            return Err(error);
        };
        // `rclone` answers 404 as well when it cannot reach what it speaks for.
        let told = rclone.told_since(began).or_else(|| {
            let odd = problem == Problem::Odd || (error.is_absent() && !self.line_stands());
            odd.then(|| rclone.asked_why(self.patience)).flatten()
        });
        Err(told.unwrap_or(error))
    }

    fn line_stands(&self) -> bool {
        let listing = Asked::new(Method::GET, "snapshots/");
        self.sent(&listing)
            .is_ok_and(|answer| answer.status().is_success())
    }

    fn sent(&self, asked: &Asked<'_>) -> Result<Response<Body>, OffsiteError> {
        let Asked { method, path, .. } = asked;
        let mut request = Request::builder()
            .method(method.clone())
            .uri(format!("{}{path}", self.base))
            .header("Accept", LISTING);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        if let Some((first, last)) = asked.range {
            request = request.header("Range", format!("bytes={first}-{last}"));
        }
        let odd = |e: ureq::http::Error| OffsiteError::new(Problem::Odd, e.to_string());
        let time = Some(self.time(asked));
        let answer = if *method == Method::POST {
            let request = request.body(asked.body).map_err(odd)?;
            let request = self.agent.configure_request(request);
            self.agent.run(request.timeout_global(time).build())
        } else {
            let request = request.body(()).map_err(odd)?;
            let request = self.agent.configure_request(request);
            self.agent.run(request.timeout_global(time).build())
        };
        answer.map_err(|e| of_line(&e, path))
    }

    /// Lists and whole files are of a size that is not known before: as long as the largest pack.
    fn time(&self, asked: &Asked<'_>) -> Duration {
        const UNKNOWN: u64 = 8 * 1024 * 1024;
        let sent = u64::try_from(asked.body.len()).unwrap_or(u64::MAX);
        let bytes = match (sent, asked.bytes) {
            (0, 0) => UNKNOWN,
            (sent, received) => sent.saturating_add(received),
        };
        let seconds = bytes / self.patience.bytes_per_second_min.max(1);
        self.patience
            .request
            .saturating_add(Duration::from_secs(seconds))
    }
}

pub(super) fn with_slash(url: &str) -> String {
    format!("{}/", url.trim_end_matches('/'))
}

fn agent(roots: RootCerts, patience: Patience) -> Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        // Whoever answers for the address that was named, and nobody else, gets the login.
        .max_redirects(0)
        .proxy(None)
        .timeout_resolve(Some(patience.connect))
        .timeout_connect(Some(patience.connect))
        .build();
    config.into()
}

fn roots(file: &Path) -> Result<RootCerts, OffsiteError> {
    let wrong = |text: String| {
        let text = format!("{}: {text}", file.display());
        OffsiteError::new(Problem::Certificate, text)
    };
    let pem = std::fs::read(file).map_err(|e| wrong(e.to_string()))?;
    let mut all = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let PemItem::Certificate(one) = item.map_err(|e| wrong(e.to_string()))? {
            all.push(one);
        }
    }
    if all.is_empty() {
        return Err(wrong("no certificate".to_owned()));
    }
    Ok(RootCerts::new_with_certs(&all))
}

/// Nothing: it says yes.
fn of_status(status: u16) -> Option<Problem> {
    match status {
        200..=299 => None,
        401 | 403 => Some(Problem::Refused),
        404 => Some(Problem::NotFound),
        405 => Some(Problem::KeepsAll),
        413 | 507 => Some(Problem::Full),
        _ => Some(Problem::Odd),
    }
}

fn of_line(error: &ureq::Error, path: &str) -> OffsiteError {
    use ureq::Error::{ConnectionFailed, HostNotFound, Io, Pem, Rustls, Timeout, Tls};
    use ureq::Timeout as Until;
    let text = error.to_string();
    let is_tls = text.contains("certificate") || text.contains("handshake");
    let is_tls = is_tls && matches!(error, Io(_));
    let problem = if is_tls || matches!(error, Rustls(_) | Tls(_) | Pem(_)) {
        Problem::Certificate
    } else if matches!(error, Timeout(Until::Connect | Until::Resolve)) {
        Problem::Away
    } else if matches!(error, Timeout(_)) {
        Problem::Slow
    } else if matches!(error, Io(_) | HostNotFound | ConnectionFailed) {
        Problem::Away
    } else {
        Problem::Odd
    };
    OffsiteError::new(problem, format!("{path}: {text}"))
}
