//! Headers of every answer, and the answer when there is no page to give.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};

use crate::web::answer::{Boxed, Response, html};
use crate::web::problem::Problem;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
    font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// For a file of somebody's that the browser shows itself: no page of ours has this.
const BOXED_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; \
    form-action 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox";

const SECURE: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=()",
    ),
    ("strict-transport-security", "max-age=31536000"),
];

/// What every answer carries.
pub(crate) fn secure(response: &mut Response) {
    for (name, value) in SECURE {
        let name = HeaderName::from_static(name);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if response.extensions().get::<Boxed>().is_some() {
        let boxed = HeaderValue::from_static(BOXED_POLICY);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, boxed);
    }
}

/// A page may hold a person: no cache keeps it, and Back after sign-out shows nothing.
pub(crate) fn page(response: &mut Response) {
    secure(response);
    let never = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
}

/// An answer without a body.
pub(crate) fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// A page without template, session or database: for when there is nothing else.
pub(crate) fn plain(problem: &Problem, number: &str) -> Response {
    let words = problem.words();
    let body = format!(
        "<!DOCTYPE html><html lang=\"ja\"><meta charset=\"utf-8\"><title>{0}</title><h1>{0}</h1>\
         <p>{1}</p><p>{2}</p><p>お問い合わせ番号 {number}</p></html>",
        words.title, words.saved, words.next
    );
    let mut response = html(words.status, body);
    page(&mut response);
    response
}
