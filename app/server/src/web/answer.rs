//! What a slice gives back.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};

use crate::web::problem::Problem;

/// What a page function returns.
pub type Answer = Result<Response, Problem>;

/// A response with its kind, so that the engine can dress it.
pub type Response = axum::http::Response<Body>;

/// Sends the browser to another page with GET (after a form was saved).
///
/// `path` is one of ours and ASCII; anything else ends at the start page.
pub fn redirect(path: &str) -> Response {
    let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let location = if ours { path } else { "/" };
    let value = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(header::LOCATION, value);
    response
}

pub(crate) fn html(status: StatusCode, body: String) -> Response {
    typed(status, "text/html; charset=utf-8", Body::from(body))
}

/// A file to open or save. `name` is ASCII and holds nothing of a person.
pub fn download(content_type: &'static str, name: &str, inline: bool, bytes: Vec<u8>) -> Response {
    let mut response = typed(StatusCode::OK, content_type, Body::from(bytes));
    let kind = if inline { "inline" } else { "attachment" };
    let value = HeaderValue::from_str(&format!("{kind}; filename=\"{name}\""))
        .unwrap_or(HeaderValue::from_static("attachment"));
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, value);
    response
}

/// Says that the content is somebody's file and not a page of ours: the browser gives it nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boxed;

/// Somebody's file shown in the browser's window. `name` is ASCII and holds nothing of a person; what is
/// in the file may be anything, so it runs nothing and reaches nothing.
pub fn opened(content_type: &'static str, name: &str, boxed: bool, bytes: Vec<u8>) -> Response {
    let mut response = download(content_type, name, true, bytes);
    if boxed {
        response.extensions_mut().insert(Boxed);
    }
    response
}

fn typed(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
