//! Style sheet, script and pictures: inside the binary, named by content for the browser's cache.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use data_encoding::HEXLOWER;

use crate::app::App;
use crate::web::answer::Response;

#[derive(rust_embed::Embed)]
#[folder = "assets"]
struct Files;

/// One file, or `None`. Unchanged ones answer 304.
pub(crate) fn file(app: &App, name: &str, headers: &HeaderMap) -> Option<Response> {
    if let Some(face) = name.strip_prefix("fonts/") {
        let bytes = app.screen_font(face)?;
        return Some(answer(
            "font/ttf",
            &format!("\"{face}-{}\"", bytes.len()),
            bytes.into(),
            headers,
        ));
    }
    let file = Files::get(name)?;
    let tag = HEXLOWER.encode(file.metadata.sha256_hash().get(..16)?);
    let kind = match name.rsplit_once('.').map(|(_, end)| end) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    Some(answer(
        kind,
        &format!("\"{tag}\""),
        file.data.into_owned().into(),
        headers,
    ))
}

fn answer(kind: &'static str, tag: &str, body: Body, headers: &HeaderMap) -> Response {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    // A proxy or our own compression may have weakened the tag.
    let unchanged = known.is_some_and(|known| known.trim_start_matches("W/") == tag);
    let mut response = Response::new(if unchanged { Body::empty() } else { body });
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}
