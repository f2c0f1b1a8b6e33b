//! Somebody who is signed in and asks for pages, inside the process or over TLS.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::problem::Problem;

/// Largest page that is read, bytes.
const PAGE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Where a redirect leads, or nothing.
    pub(crate) fn location(&self) -> &str {
        let location = self.headers.get(header::LOCATION);
        location.and_then(|v| v.to_str().ok()).unwrap_or("")
    }
}

/// How a request travels.
pub(crate) trait Carrier {
    fn exchange(&self, request: Request<Vec<u8>>) -> Result<Answer, Problem>;
}

/// Straight into a router: no socket, no TLS, no compression.
#[derive(Debug, Clone)]
pub(crate) struct Inside {
    pub(crate) router: Router,
    /// One for all requests: starting one is not what is measured.
    pub(crate) runtime: Arc<Runtime>,
}

impl Carrier for Inside {
    fn exchange(&self, request: Request<Vec<u8>>) -> Result<Answer, Problem> {
        let router = self.router.clone();
        let limit = usize::try_from(PAGE_BYTES_MAX).unwrap_or(usize::MAX);
        self.runtime.block_on(async {
            let Ok(response) = router.oneshot(request.map(Body::from)).await;
            let (parts, body) = response.into_parts();
            Ok(Answer {
                status: parts.status,
                headers: parts.headers,
                bytes: to_bytes(body, limit).await?.to_vec(),
            })
        })
    }
}

/// Over TLS on one connection that is kept open, as a browser does.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(crate) agent: ureq::Agent,
    /// `https://localhost:…`, without a slash at its end.
    pub(crate) base: String,
}

impl Carrier for Outside {
    fn exchange(&self, request: Request<Vec<u8>>) -> Result<Answer, Problem> {
        let (mut parts, body) = request.into_parts();
        let address = format!("{}{}", self.base, parts.uri);
        parts.uri = address.parse().map_err(axum::http::Error::from)?;
        let response = self.agent.run(Request::from_parts(parts, body))?;
        let (parts, body) = response.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            bytes: body
                .into_with_config()
                .limit(PAGE_BYTES_MAX)
                .read_to_vec()?,
        })
    }
}

/// A session at one terminal.
#[derive(Debug)]
pub(crate) struct Visitor<C> {
    carrier: C,
    cookies: Vec<(String, String)>,
    token: String,
}

impl<C: Carrier> Visitor<C> {
    /// Signs in and keeps a token for forms.
    pub(crate) fn sign_in(carrier: C, login: &str, password: &str) -> Result<Self, Problem> {
        let mut visitor = Self {
            carrier,
            cookies: Vec::new(),
            token: String::new(),
        };
        visitor.take_token("/sign-in")?;
        let (_, answer) = visitor.post("/sign-in", &[("login", login), ("password", password)])?;
        if answer.status != StatusCode::SEE_OTHER {
            return Err(refused("/sign-in", &answer));
        }
        visitor.keep(&answer);
        visitor.take_token("/password")?;
        Ok(visitor)
    }

    fn take_token(&mut self, address: &str) -> Result<(), Problem> {
        let (_, answer) = self.get(address)?;
        self.keep(&answer);
        let token = value_of_input(&answer.text(), "csrf");
        self.token = token.ok_or_else(|| refused(address, &answer))?;
        Ok(())
    }

    fn keep(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap_or("");
            let Some((name, rest)) = cookie.split_once('=') else {
                continue;
            };
            let value = rest.split(';').next().unwrap_or("");
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Asks for a page; how long the answer took to its last byte.
    pub(crate) fn get(&self, address: &str) -> Result<(Duration, Answer), Problem> {
        self.timed(self.request(Method::GET, address).body(Vec::new())?)
    }

    /// As [`Visitor::get`], compressed where the server compresses, as for a browser.
    pub(crate) fn get_compressed(&self, address: &str) -> Result<(Duration, Answer), Problem> {
        let request = self.request(Method::GET, address);
        let request = request.header(header::ACCEPT_ENCODING, "gzip");
        self.timed(request.body(Vec::new())?)
    }

    /// Sends a form with the session's token.
    pub(crate) fn post(
        &self,
        address: &str,
        fields: &[(&str, &str)],
    ) -> Result<(Duration, Answer), Problem> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &self.token)
            .extend_pairs(fields)
            .finish();
        let request = self.request(Method::POST, address);
        let kind = "application/x-www-form-urlencoded";
        let request = request.header(header::CONTENT_TYPE, kind);
        self.timed(request.body(body.into_bytes())?)
    }

    fn request(&self, method: Method, address: &str) -> axum::http::request::Builder {
        let request = Request::builder().method(method).uri(address);
        let pairs = self.cookies.iter().map(|(n, v)| format!("{n}={v}"));
        let cookies = pairs.collect::<Vec<_>>().join("; ");
        if cookies.is_empty() {
            request
        } else {
            request.header(header::COOKIE, cookies)
        }
    }

    fn timed(&self, request: Request<Vec<u8>>) -> Result<(Duration, Answer), Problem> {
        let started = Instant::now();
        let answer = self.carrier.exchange(request)?;
        Ok((started.elapsed(), answer))
    }
}

pub(crate) fn refused(address: &str, answer: &Answer) -> Problem {
    Problem::Refused {
        address: address.to_owned(),
        status: answer.status.as_u16(),
    }
}

fn value_of_input(page: &str, name: &str) -> Option<String> {
    let (_, after) = page.split_once(&format!("name=\"{name}\" value=\""))?;
    let (value, _) = after.split_once('"')?;
    Some(value.to_owned())
}
