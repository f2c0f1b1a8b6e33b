//! Every limit of the engine, with its unit.

use std::time::Duration;

/// Largest request body, bytes. Two texts of 100,000 characters, percent-encoded, fit twice.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Form fields in one request.
pub const FIELDS_MAX: usize = 500;
/// How long a client may take to send the head of a request, and how long it may keep silent.
pub const HEADER_TIME_MAX: Duration = Duration::from_secs(15);
/// How long a client may take to send the body of a request.
pub const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// Files in one form.
pub const UPLOAD_FILES_MAX: usize = 10;
/// Largest file, bytes, unless `site.toml` says something else.
pub const UPLOAD_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// How long the body of a form with files may take: 200 MiB from an office's shared line.
pub const UPLOAD_TIME_MAX: Duration = Duration::from_secs(300);
/// Of the disk, so much stays free for the records themselves, bytes: files are refused before they are.
pub const UPLOAD_SPARE_BYTES: u64 = 256 * 1024 * 1024;
/// Forms with files that are taken in at the same time; more wait for [`QUEUE_TIME_MAX`].
pub const UPLOADS_AT_ONCE_MAX: usize = 4;
/// Longest time a request may take.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// Requests that run at the same time; more wait for [`QUEUE_TIME_MAX`].
pub const REQUESTS_AT_ONCE_MAX: usize = 64;
/// How long a request waits for its turn before it is told to try later.
pub const QUEUE_TIME_MAX: Duration = Duration::from_secs(5);
/// Longest window for the vendor, hours: a working day.
pub const MAINTENANCE_HOURS_MAX: i64 = 8;
/// Open sessions of one person; the oldest gives way.
pub const SESSIONS_PER_PERSON_MAX: i64 = 5;
/// How exactly `last_seen_at` is kept, seconds: not every click is a write.
pub const SESSION_TOUCH_SECONDS: i64 = 60;
/// How long a clean stop waits for requests under way.
pub const STOP_TIME_MAX: Duration = Duration::from_secs(3);
/// Rows on one page of a list.
pub const ROWS_PER_PAGE: usize = 50;
