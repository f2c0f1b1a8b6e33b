//! Accounts in words: for pages, the access log, the report and the console.

use base::clock::japan;
use base::wareki::Wareki;
use jiff::Timestamp;
use jiff::civil::Date;

use super::model::{Account, Centre, NewEnd, NewPost, Post, State, Term, Written};
use super::store::Line;
use crate::web::Role;

/// What stands where the city is meant.
pub const CITY: &str = "市";

/// One choice of a list.
#[derive(Debug, Clone)]
pub struct Choice {
    /// As sent.
    pub value: String,
    /// As read.
    pub label: String,
    /// Chosen.
    pub selected: bool,
}

/// A role's name; a code that this version does not know stays as it is.
pub fn role(code: &str) -> String {
    Role::from_code(code).map_or_else(|| code.to_owned(), |role| role.label().to_owned())
}

pub(in crate::features::staff) fn roles(chosen: &str, first: &str) -> Vec<Choice> {
    let known = Role::ALL.iter().map(|role| (role.code(), role.label()));
    choices(std::iter::once(("", first)).chain(known), chosen)
}

pub(in crate::features::staff) fn centres(
    centres: &[Centre],
    chosen: &str,
    first: &[(&str, &str)],
) -> Vec<Choice> {
    let known = centres.iter().map(|c| (c.code.as_str(), c.name.as_str()));
    choices(first.iter().copied().chain(known), chosen)
}

pub(in crate::features::staff) fn choices<'c>(
    known: impl Iterator<Item = (&'c str, &'c str)>,
    chosen: &str,
) -> Vec<Choice> {
    known
        .map(|(value, label)| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            selected: value == chosen,
        })
        .collect()
}

/// R8.11.24.
pub(in crate::features::staff) fn day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

fn stored_day(iso: Option<&str>) -> String {
    let iso = iso.unwrap_or_default();
    iso.parse().map_or_else(|_| iso.to_owned(), day)
}

/// R8.11.24 16:40, from a stored instant; nothing stays nothing.
pub fn moment(stored: &str) -> String {
    stored.parse::<Timestamp>().map_or_else(
        |_| stored.to_owned(),
        |at| {
            let local = japan().to_datetime(at);
            let time = format!("{:02}:{:02}", local.hour(), local.minute());
            format!("{} {time}", day(local.date()))
        },
    )
}

/// R8.4.1 ～ R9.3.31.
pub fn term(term: Term) -> String {
    if term.is_cancelled() {
        return format!("{} ～ 取りやめ", day(term.starts_on));
    }
    let end = term.ends_on.map(day).unwrap_or_default();
    format!("{} ～ {end}", day(term.starts_on))
        .trim_end()
        .to_owned()
}

/// Label and colour of a state.
pub fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Current => ("在職", "ok"),
        State::Planned => ("予定", "info"),
        State::Ended => ("終了", ""),
        State::Cancelled => ("取消し", ""),
    }
}

pub(super) fn state_of_code(code: &str) -> (&'static str, &'static str) {
    match code {
        "current" => state(State::Current),
        "planned" => state(State::Planned),
        _ => state(State::Ended),
    }
}

fn centre_name(centre: Option<&Centre>) -> String {
    centre.map_or_else(|| CITY.to_owned(), |centre| centre.name.clone())
}

fn centre_code(centre: Option<&Centre>) -> &str {
    centre.map_or(CITY, |centre| centre.code.as_str())
}

/// Centre, role, period in one line.
pub fn post_line(post: &Post) -> String {
    format!(
        "{} {}（{}）",
        centre_name(post.centre.as_ref()),
        role(&post.role),
        term(post.term)
    )
}

/// A new post in one line.
pub(super) fn new_post_line(new: &NewPost) -> String {
    format!(
        "{} {}（{} ～）",
        centre_name(new.centre.as_ref()),
        new.role.label(),
        day(new.starts_on)
    )
}

/// Days as the access log writes them.
fn logged(role_label: &str, centre: Option<&Centre>, term: Term) -> String {
    let end = match term.ends_on {
        Some(_) if term.is_cancelled() => "取りやめ".to_owned(),
        Some(day) => day.to_string(),
        None => String::new(),
    };
    let (code, from) = (centre_code(centre), term.starts_on);
    format!("{role_label}・{code}・{from}～{end}")
}

fn post_logged(post: &Post, term: Term) -> String {
    logged(&role(&post.role), post.centre.as_ref(), term)
}

/// A new post for the access log: role, centre, first day.
pub(super) fn post_in_log(new: &NewPost) -> String {
    let open = Term {
        starts_on: new.starts_on,
        ends_on: None,
    };
    logged(new.role.label(), new.centre.as_ref(), open)
}

/// A move for the access log: what was, what is, why.
pub(super) fn move_in_log(before: Option<&Post>, last: Option<Date>, new: &NewPost) -> String {
    let added = post_in_log(new);
    let Some(post) = before else {
        return format!("前＝なし／後＝{added}／理由＝{}", new.reason);
    };
    let ended = Term {
        ends_on: last,
        ..post.term
    };
    format!(
        "前＝{}／後＝{}、{added}／理由＝{}",
        post_logged(post, post.term),
        post_logged(post, ended),
        new.reason
    )
}

/// Changed last days for the access log.
pub(super) fn ends_in_log(account: &Account, ends: &[NewEnd], reason: &str) -> String {
    let posts = ends
        .iter()
        .filter_map(|end| account.post(end.post).map(|post| (post, end.ends_on)));
    let (before, after): (Vec<String>, Vec<String>) = posts
        .map(|(post, ends_on)| {
            let changed = Term {
                ends_on,
                ..post.term
            };
            (post_logged(post, post.term), post_logged(post, changed))
        })
        .unzip();
    format!(
        "前＝{}／後＝{}／理由＝{reason}",
        before.join("、"),
        after.join("、")
    )
}

/// Who wrote something.
pub(in crate::features::staff) fn by(written: &Written) -> String {
    written
        .by_name
        .clone()
        .unwrap_or_else(|| "コマンド".to_owned())
}

/// The newest thing that another administrator did, for the page that says "too late".
pub(super) fn newest(account: &Account) -> String {
    account
        .newest()
        .map_or_else(String::new, |(post, written)| {
            format!(
                "{} に {} さんが「{}」としました（理由：{}）。",
                moment(&written.at),
                by(written),
                post_line(post),
                written.reason
            )
        })
}

/// One line of the list and of the report.
#[derive(Debug, Clone)]
pub struct LineWords {
    /// The person.
    pub id: i64,
    /// ID for signing in.
    pub login: String,
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// Role.
    pub role: String,
    /// Profession.
    pub job: String,
    /// Centre or city.
    pub centre: String,
    /// Code of the centre, nothing for the city.
    pub centre_code: String,
    /// First day.
    pub since: String,
    /// Last day.
    pub until: String,
    /// State in words.
    pub state: &'static str,
    /// Its colour.
    pub css: &'static str,
    /// Last sign-in.
    pub last_sign_in: String,
}

/// A line in words.
pub fn line(line: &Line) -> LineWords {
    let (state, css) = state_of_code(&line.state);
    let (code, centre) = line.centre.clone().unwrap_or_default();
    let city = if line.role.is_some() { CITY } else { "" };
    LineWords {
        id: line.id.0,
        login: line.login.clone(),
        name: line.name.clone(),
        kana: line.kana.clone(),
        role: line.role.as_deref().map(role).unwrap_or_default(),
        job: line.job.clone().unwrap_or_default(),
        centre: if centre.is_empty() {
            city.to_owned()
        } else {
            centre
        },
        centre_code: code,
        since: stored_day(line.starts_on.as_deref()),
        until: stored_day(line.ends_on.as_deref()),
        state,
        css,
        last_sign_in: line.last_sign_in.as_deref().map(moment).unwrap_or_default(),
    }
}

/// One post on the person's page.
#[derive(Debug, Clone)]
pub(super) struct PostWords {
    pub(super) id: i64,
    pub(super) role: String,
    pub(super) job: String,
    pub(super) centre: String,
    pub(super) term: String,
    pub(super) state: &'static str,
    pub(super) css: &'static str,
    pub(super) made: String,
    pub(super) reason: String,
    pub(super) ending: Option<(String, String)>,
}

/// A post in words.
pub(super) fn post(post: &Post, today: Date) -> PostWords {
    let (state, css) = state(post.term.state(today));
    let stamp = |written: &Written| format!("{} {}", moment(&written.at), by(written));
    let written = |e: &Written| (stamp(e), e.reason.clone());
    PostWords {
        id: post.id.0,
        role: role(&post.role),
        job: post.job.clone(),
        centre: centre_name(post.centre.as_ref()),
        term: term(post.term),
        state,
        css,
        made: stamp(&post.made),
        reason: post.made.reason.clone(),
        ending: post.ending.as_ref().map(written),
    }
}
