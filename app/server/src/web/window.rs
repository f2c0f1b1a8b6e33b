//! The vendor's window: opened by the city for one person, for hours. Outside it there is no
//! session; inside it everything that is asked for is written down before it is done.
//!
//! Invariant: a request of the vendor that cannot be written down is not carried out.
//! Not here: who opens and shuts windows (`features/maintenance`).
//! Source: docs/decisions/0021-vendor-windows.md.

use axum::http::Method;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use store::{Event, Operation, ReadTx, RecordKind, StaffId, StoreError, params};

use crate::web::permission::Role;
use crate::web::problem::Problem;
use crate::web::routes::Route;
use crate::web::session;
use crate::web::visit::Visit;

/// Characters of an address that are kept.
const PATH_CHARS_MAX: usize = 300;
/// Characters of one typed value that are kept.
const VALUE_CHARS_MAX: usize = 500;
/// Characters of all that was typed in one request that are kept.
const TYPED_CHARS_MAX: usize = 4_000;
/// Parts of field names whose values are never kept.
const SECRETS: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "resume",
    "code",
];

/// An open window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The grant.
    pub grant: i64,
    /// What for.
    pub purpose: String,
    /// When it shuts.
    pub ends_at: String,
}

const OPEN: &str = "
    select g.id, g.purpose, g.ends_at from maintenance_grants g
    where g.staff_id = ?1 and g.starts_at <= ?2 and g.ends_at > ?2
      and not exists (select 1 from maintenance_endings e where e.grant_id = g.id)
    order by g.ends_at desc limit 1";

/// The window that is open for this person now; the one that stays open longest.
///
/// # Errors
/// [`StoreError`].
pub fn open_for(
    tx: &ReadTx<'_>,
    staff: StaffId,
    now: Timestamp,
) -> Result<Option<Window>, StoreError> {
    tx.one(OPEN, params![staff, format!("{now:.6}")], |row| {
        Ok(Window {
            grant: row.get(0)?,
            purpose: row.get(1)?,
            ends_at: row.get(2)?,
        })
    })
}

/// Is this somebody of the vendor for whom no window is open? Asked at sign-in.
///
/// # Errors
/// [`StoreError`].
pub fn is_shut_out(visit: &Visit, staff: StaffId) -> Result<bool, StoreError> {
    let (today, now) = (visit.today().to_string(), visit.app.clock().now());
    let vendor = "select count(*) from staff_terms where staff_id = ?1 and role = ?2
        and starts_on <= ?3 and (ends_on is null or ends_on >= ?3)";
    visit.app.db().read(&visit.actor, |tx| {
        let posts = tx.count(vendor, params![staff, Role::Vendor.code(), today])?;
        Ok(posts > 0 && open_for(tx, staff, now)?.is_none())
    })
}

/// Lets the vendor in while the window is open, and ends the session when it is not.
pub(crate) fn look_through(visit: &mut Visit) -> Result<(), Problem> {
    let Some(staff) = visit.staff.as_ref().filter(|s| s.role == Role::Vendor) else {
        return Ok(());
    };
    let (db, now) = (visit.app.db(), visit.app.clock().now());
    visit.window = db.read(&visit.actor, |tx| open_for(tx, staff.staff_id, now))?;
    if visit.window.is_some() {
        return Ok(());
    }
    db.housekeep(&visit.actor, |tx| {
        session::end(tx, staff.session, "limit", now)
    })?;
    visit.staff = None;
    Err(Problem::WindowShut)
}

/// Writes down what the vendor asks for, before it is done.
pub(crate) fn record(visit: &Visit, route: &Route, method: &Method) -> Result<(), Problem> {
    let (Some(window), Some(staff)) = (&visit.window, &visit.staff) else {
        return Ok(());
    };
    let allowed = staff.rights.has(route.permission);
    let path = shortened(&visit.path, PATH_CHARS_MAX);
    let typed = typed(visit.query.pairs().chain(visit.form.pairs()));
    let now = format!("{:.6}", visit.app.clock().now());
    visit.app.db().write(&visit.actor, |tx| {
        let id = tx.insert(
            "insert into maintenance_requests
               (grant_id, at, terminal, method, path, typed, allowed)
             values (?, ?, ?, ?, ?, ?, ?)",
            params![
                window.grant,
                now,
                visit.actor.terminal,
                method.as_str(),
                path,
                typed,
                i64::from(allowed)
            ],
        )?;
        let event = if allowed {
            Event::done(Operation::MaintenanceRequest)
        } else {
            Event::refused(Operation::MaintenanceRequest)
        };
        let event = event.on(RecordKind::Maintenance, window.grant);
        let (grant, number) = (window.grant.to_string(), id.to_string());
        let word = if allowed { "1" } else { "0" };
        let (terminal, method) = (visit.actor.terminal.as_str(), method.as_str());
        let sum = checksum(&[&grant, &number, &now, terminal, method, &path, &typed, word]);
        Ok(tx.audited(
            event.detail(format!("{method} {path}{}", mark(id, &sum))),
            (),
        ))
    })
}

const NUMBER: &str = " 番号＝";
const SUM: &str = " 照合＝";

/// What stands in the access log's chain for a request, so that a bent record is seen: over the
/// window, the record's number, time, terminal, method, address, what was typed, and `1` or `0`.
pub fn checksum(parts: &[&str]) -> String {
    let sum = digest(&SHA256, parts.join("\n").as_bytes());
    let hex = data_encoding::HEXLOWER.encode(sum.as_ref());
    hex.chars().take(16).collect()
}

fn mark(id: i64, sum: &str) -> String {
    format!("{NUMBER}{id}{SUM}{sum}")
}

/// Number and checksum at the end of an entry of the access log.
pub fn marked(detail: &str) -> Option<(i64, &str)> {
    let (_, mark) = detail.rsplit_once(NUMBER)?;
    let (id, sum) = mark.split_once(SUM)?;
    Some((id.parse().ok()?, sum))
}

/// Name and value, one field a line; secrets are named and not kept.
fn typed<'f>(pairs: impl Iterator<Item = (&'f str, &'f str)>) -> String {
    let lines = pairs
        .filter(|(name, value)| *name != "csrf" && !value.is_empty())
        .map(|(name, value)| {
            let lower = name.to_lowercase();
            if SECRETS.iter().any(|secret| lower.contains(secret)) {
                format!("{}＝（残しません）", shortened(name, PATH_CHARS_MAX))
            } else {
                let value = shortened(value, VALUE_CHARS_MAX);
                format!("{}＝{value}", shortened(name, PATH_CHARS_MAX))
            }
        });
    shortened(&lines.collect::<Vec<_>>().join("\n"), TYPED_CHARS_MAX)
}

fn shortened(text: &str, chars_max: usize) -> String {
    let length = text.chars().count();
    if length <= chars_max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(chars_max).collect();
    format!("{kept}…（全{length}文字）")
}

#[cfg(test)]
mod tests {
    use super::{TYPED_CHARS_MAX, typed};

    #[test]
    fn what_was_typed_is_kept_without_secrets_and_within_bounds() {
        let long = "あ".repeat(600);
        let pairs = [
            ("csrf", "abc"),
            ("q", "コード表"),
            ("New_Password", "river stone lantern"),
            ("empty", ""),
            ("text", long.as_str()),
        ];
        let kept = typed(pairs.into_iter());
        assert!(
            kept.starts_with("q＝コード表\nNew_Password＝（残しません）\ntext＝あ"),
            "{kept}"
        );
        assert!(kept.ends_with("…（全600文字）") && !kept.contains("lantern"));
        let many: Vec<(String, String)> =
            (0..20).map(|n| (format!("f{n}"), long.clone())).collect();
        let kept = typed(many.iter().map(|(name, value)| (&**name, &**value)));
        assert!(kept.chars().count() < TYPED_CHARS_MAX + 30);
    }
}
