//! Terminals in words: for pages and the access log.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;
use jiff::civil::Date;

use super::form::CITY_CODE;
use super::model::{Centre, Certificate, Details, Machine, Reason, State};
use crate::ca::terms::days_left;
pub(super) use crate::web::Choice;
use crate::web::{TerminalId, TerminalKind};

/// What stands where the city is meant.
const CITY: &str = "市";

pub(super) fn kinds(chosen: &str) -> Vec<Choice> {
    let known = TerminalKind::ALL.iter().map(|k| (k.code(), k.label()));
    choices(known, chosen)
}

pub(super) fn centres(centres: &[Centre], chosen: &str) -> Vec<Choice> {
    let known = centres.iter().map(|c| (c.code.as_str(), c.name.as_str()));
    let first = [("", "選んでください"), (CITY_CODE, CITY)];
    choices(first.into_iter().chain(known), chosen)
}

fn choices<'c>(known: impl Iterator<Item = (&'c str, &'c str)>, chosen: &str) -> Vec<Choice> {
    known
        .map(|(value, label)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            selected: value == chosen,
        })
        .collect()
}

/// R13.11.24.
pub(super) fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

/// R8.11.24 16:40, from a stored instant.
pub(super) fn moment(stored: &str) -> String {
    stored.parse::<Timestamp>().map_or_else(
        |_| stored.to_owned(),
        |at| {
            let local = japan().to_datetime(at);
            let time = format!("{:02}:{:02}", local.hour(), local.minute());
            format!("{} {time}", day(local.date()))
        },
    )
}

/// Label and colour of a state.
pub(super) const fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::New => ("証明書なし", "info"),
        State::Valid => ("使用中", "ok"),
        State::EndsSoon => ("まもなく期限", "warn"),
        State::Expired => ("期限切れ", "warn"),
        State::Lost => ("紛失", "bad"),
        State::Retired => ("使用終了", ""),
    }
}

pub(super) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Lost => "紛失",
        Reason::Retired => "使用終了",
        Reason::Replaced => "新しい証明書の発行",
    }
}

pub(super) fn centre(details: &Details) -> String {
    let centre = details.centre.as_ref();
    centre.map_or_else(|| CITY.to_owned(), |centre| centre.name.clone())
}

/// One row of the list.
pub(super) struct Line {
    pub(super) id: TerminalId,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) centre: String,
    pub(super) state: &'static str,
    pub(super) css: &'static str,
    pub(super) until: String,
    pub(super) left: String,
    pub(super) last_seen: String,
}

pub(super) fn line(machine: &Machine, today: Date) -> Line {
    let now = machine.state(today);
    let (label, css) = state(now);
    let newest = machine.certificates.first();
    Line {
        id: machine.id,
        name: machine.details.name.clone(),
        kind: machine.details.kind.label(),
        centre: centre(&machine.details),
        state: label,
        css,
        until: newest.map_or_else(String::new, |c| day(c.expires_on)),
        left: newest.map_or_else(String::new, |c| left(c, today)),
        last_seen: machine
            .last_seen_at
            .as_deref()
            .map(moment)
            .unwrap_or_default(),
    }
}

/// あと25日; nothing for one that was stopped.
fn left(certificate: &Certificate, today: Date) -> String {
    match (
        &certificate.revoked,
        days_left(certificate.expires_on, today),
    ) {
        (Some(_), _) => String::new(),
        (None, left) if left < 0 => "切れました".to_owned(),
        (None, left) => format!("あと{left}日"),
    }
}

/// One certificate of the page about a terminal.
pub(super) struct CertificateWords {
    pub(super) fingerprint: String,
    pub(super) until: String,
    pub(super) issued: String,
    pub(super) revoked: Option<String>,
}

pub(super) fn certificate(certificate: &Certificate) -> CertificateWords {
    let head: String = certificate.fingerprint.chars().take(16).collect();
    let revoked = certificate.revoked.as_ref();
    CertificateWords {
        fingerprint: head,
        until: day(certificate.expires_on),
        issued: format!(
            "{} {}",
            moment(&certificate.issued_at),
            certificate.issued_by
        ),
        revoked: revoked.map(|(why, at, by)| format!("{} {}（{by}）", moment(at), reason(*why))),
    }
}

/// Details for the access log; notes are kept out of it.
pub(super) fn in_log(details: &Details) -> String {
    let centre = details.centre.as_ref();
    let centre = centre.map_or(CITY, |centre| centre.code.as_str());
    format!("{}・{}・{centre}", details.name, details.kind.label())
}
