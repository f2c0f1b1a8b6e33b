//! What was being typed when a session ended or was locked, shown once more.

use askama::Template;

use crate::web::{Answer, Shell, Typed, Visit, redirect, session, typed_words};

#[derive(Template)]
#[template(path = "features/staff/resume.html")]
struct ResumePage {
    shell: Shell,
    path: String,
    hidden: Vec<(String, String)>,
    texts: Vec<Typed>,
}

/// What was being typed when the session ended is shown once more and saved by one click; without
/// that, on to the page that was asked for.
pub(super) fn resume(visit: &Visit, new: Option<&session::NewSession>) -> Answer {
    let path = visit.form.get("resume_path");
    let ours = path.starts_with('/') && !path.starts_with("//");
    let fields = crate::web::Fields::parse(visit.form.get("resume_body").as_bytes());
    let hidden: Vec<(String, String)> = fields
        .iter()
        .flat_map(|fields| fields.pairs())
        .filter(|(name, _)| *name != "csrf")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if hidden.is_empty() || !ours {
        return Ok(redirect(if path.is_empty() { "/" } else { path }));
    }
    let page = ResumePage {
        shell: Shell {
            csrf: new.map_or_else(|| visit.csrf(), session::NewSession::csrf_token),
            ..Shell::new(visit, "入力の続き")
        },
        path: path.to_owned(),
        texts: typed_words(hidden.iter().map(|(name, value)| (&**name, &**value))),
        hidden,
    };
    visit.page(&page)
}
