//! Somebody who clicks: cookies, forms, redirects.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use tower::ServiceExt as _;

/// Largest page that a suite reads, bytes.
const PAGE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What came back.
#[derive(Debug, Clone)]
pub struct Page {
    /// How it ended.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Page {
    /// The page as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Where a redirect leads, or nothing.
    pub fn location(&self) -> &str {
        self.headers
            .get(header::LOCATION)
            .and_then(|v| v.to_str().ok())
            .unwrap_or("")
    }

    /// The value of the first hidden (or other) input of this name, unescaped enough for tokens.
    pub fn input(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, after) = text.split_once(&format!("name=\"{name}\""))?;
        let (_, after) = after.split_once("value=\"")?;
        let (value, _) = after.split_once('"')?;
        Some(value.to_owned())
    }
}

/// One browser with its own cookies.
#[derive(Debug, Clone)]
pub struct Browser {
    router: Router,
    cookies: Vec<(String, String)>,
}

impl Browser {
    /// A browser that was never here before.
    pub fn new(router: Router) -> Self {
        Self {
            router,
            cookies: Vec::new(),
        }
    }

    /// Opens an address.
    pub fn get(&mut self, address: &str) -> Page {
        self.send(Method::GET, address, None, &[])
    }

    /// Sends a form with a token taken from a page of this session.
    pub fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token();
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.post_raw(address, &all)
    }

    /// Sends exactly these fields.
    pub fn post_raw(&mut self, address: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, address, Some(body.into()), &kind)
    }

    /// A fresh cross-site token of this session.
    pub fn token(&mut self) -> String {
        let page = if self.is_signed_in() {
            self.get("/password")
        } else {
            self.get("/sign-in")
        };
        assert_eq!(page.status, 200, "no page with a token: {}", page.text());
        page.input("csrf").expect("every page has a token")
    }

    /// Signs in; the page after it.
    pub fn sign_in(&mut self, login: &str, password: &str) -> Page {
        self.post("/sign-in", &[("login", login), ("password", password)])
    }

    /// Is there a session cookie?
    pub fn is_signed_in(&self) -> bool {
        self.cookies
            .iter()
            .any(|(name, value)| name == "__Host-hokatsu" && !value.is_empty())
    }

    /// Forgets everything, as after closing the window.
    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Sends anything.
    pub fn send(
        &mut self,
        method: Method,
        address: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Page {
        let mut request = Request::builder().method(method).uri(address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(n, v)| format!("{n}={v}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        let body = body.map_or_else(Body::empty, Body::from);
        let request = request.body(body).expect("a request that can be built");
        let page = exchange(self.router.clone(), request);
        for cookie in page.headers.get_all(header::SET_COOKIE) {
            self.keep(cookie.to_str().unwrap_or(""));
        }
        page
    }

    fn keep(&mut self, cookie: &str) {
        let Some((name, rest)) = cookie.split_once('=') else {
            return;
        };
        let value = rest.split(';').next().unwrap_or("");
        self.cookies.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

fn exchange(router: Router, request: Request<Body>) -> Page {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let response = router
            .oneshot(request)
            .await
            .expect("the router always answers");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, PAGE_BYTES_MAX)
            .await
            .expect("a page within the limit");
        Page {
            status: parts.status,
            headers: parts.headers,
            bytes: bytes.to_vec(),
        }
    })
}
