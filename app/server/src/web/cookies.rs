//! The two cookies: the session's, and the one that ties a sign-in form to its browser.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::web::answer::Response;
use crate::web::session::COOKIE;
use crate::web::visit::Visit;

/// Cookie of a browser that is not signed in: ties the sign-in form to it.
pub(crate) const FORM_COOKIE: &str = "__Host-hokatsu-form";

const FLAGS: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// Names and values that the browser sent.
pub(crate) fn read(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Gives the browser its session; it forgets it when it is closed.
pub(crate) fn set_session(response: &mut Response, token: &str) {
    add(response, &format!("{COOKIE}={token}; {FLAGS}"));
    add(response, &format!("{FORM_COOKIE}=; Max-Age=0; {FLAGS}"));
}

/// Takes it back.
pub(crate) fn clear_session(response: &mut Response) {
    add(response, &format!("{COOKIE}=; Max-Age=0; {FLAGS}"));
}

/// A page with a form for somebody who is not signed in brings its cookie along.
pub(crate) fn set_form_cookie(visit: &Visit, response: &mut Response) {
    let nobody = visit.staff.is_none() && visit.halted.is_none();
    let needed = nobody && visit.cookie(FORM_COOKIE) != visit.csrf_secret;
    let signing_in = response
        .headers()
        .get_all(header::SET_COOKIE)
        .iter()
        .next()
        .is_some();
    if needed && !signing_in && !visit.csrf_secret.is_empty() {
        add(
            response,
            &format!("{FORM_COOKIE}={}; {FLAGS}", visit.csrf_secret),
        );
    }
}

fn add(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}
