//! Windows in words.

use super::model::{Comparison, Grant, Person, Request, Seal, State};
pub(super) use crate::web::Choice;
use crate::web::banner::moment;

pub(super) fn people(people: &[Person], chosen: &str) -> Vec<Choice> {
    let first = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: chosen.is_empty(),
    };
    let known = people.iter().map(|person| Choice {
        value: person.login.clone(),
        label: format!("{}（{}）", person.name, person.login),
        selected: person.login == chosen,
    });
    std::iter::once(first).chain(known).collect()
}

/// One window of a list or on top of its page.
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) login: String,
    pub(super) purpose: String,
    pub(super) starts_at: String,
    pub(super) ends_at: String,
    pub(super) css: &'static str,
    pub(super) state: &'static str,
    pub(super) granted: String,
    pub(super) ending: Option<String>,
    pub(super) requests: i64,
}

pub(super) fn line(grant: &Grant, now: &str) -> Line {
    let (css, state) = match grant.state(now) {
        State::Planned => ("info", "予定"),
        State::Open => ("warn", "作業中"),
        State::Over => ("", "時間で終了"),
        State::Ended => ("", "終了"),
    };
    Line {
        id: grant.id.0,
        name: grant.name.clone(),
        login: grant.login.clone(),
        purpose: grant.purpose.clone(),
        starts_at: moment(&grant.starts_at),
        ends_at: moment(&grant.ends_at),
        css,
        state,
        granted: format!("{}（{}）", grant.granted_by, moment(&grant.recorded_at)),
        ending: grant
            .ending
            .as_ref()
            .map(|ending| format!("{}（{}）：{}", ending.by, moment(&ending.at), ending.reason)),
        requests: grant.requests,
    }
}

/// One line of the protocol.
pub(super) struct Step {
    pub(super) at: String,
    pub(super) terminal: String,
    pub(super) what: &'static str,
    pub(super) path: String,
    pub(super) typed: String,
    pub(super) css: &'static str,
    pub(super) outcome: &'static str,
    pub(super) seal_css: &'static str,
    pub(super) seal: &'static str,
}

pub(super) fn step(request: &Request, seal: Seal) -> Step {
    let (css, outcome) = if request.allowed {
        ("ok", "許可")
    } else {
        ("warn", "断り")
    };
    let (seal_css, seal) = seal_words(seal);
    Step {
        at: seconds(&request.at),
        terminal: request.terminal.clone(),
        what: match request.method.as_str() {
            "GET" | "HEAD" => "開く",
            _ => "送る",
        },
        path: request.path.clone(),
        typed: request.typed.clone(),
        css,
        outcome,
        seal_css,
        seal,
    }
}

const fn seal_words(seal: Seal) -> (&'static str, &'static str) {
    match seal {
        Seal::Whole => ("ok", "一致"),
        Seal::Bent => ("error solid", "不一致"),
        Seal::Added => ("error solid", "ログにない"),
        Seal::Unread => ("warn", "照合できない"),
    }
}

/// What does not fit, in sentences; nothing when all of it is what was written.
pub(super) fn differences(comparison: &Comparison) -> Vec<String> {
    let counts = [
        (
            comparison.count(Seal::Bent),
            "件の記録が、書いたあとで変えられています（不一致）。",
        ),
        (
            comparison.count(Seal::Added),
            "件の記録は、アクセスログにありません。あとから足されたものです（ログにない）。",
        ),
        (
            comparison.gone,
            "件の記録が、アクセスログにあるのに、ここから消えています。",
        ),
    ];
    let wrong = counts.into_iter().filter(|(count, _)| *count > 0);
    wrong
        .map(|(count, text)| format!("{count}{text}"))
        .collect()
}

/// R8.11.24 15:30:12.
pub(super) fn seconds(at: &str) -> String {
    let second = at.get(17..19).unwrap_or("00");
    format!("{}:{second}", moment(at))
}
