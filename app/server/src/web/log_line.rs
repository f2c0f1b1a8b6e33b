//! One record per request: what, how long, how it ended. No query, no path parts, no names.

use std::time::Duration;

use axum::http::{Method, StatusCode};

/// Leaves the line. `route` is the pattern (`/residents/{id}`), never the address asked for.
pub(crate) fn write(
    number: &str,
    method: &Method,
    route: &'static str,
    status: StatusCode,
    took: Duration,
) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let status = status.as_u16();
    log::info!(
        "request.id" = number, "http.method" = method.as_str(), "http.route" = route,
        "http.status" = status, duration_ms;
        "{method} {route} {status} in {duration_ms} ms"
    );
}
