//! What was being typed when a session ended or was locked, shown once more.

use askama::Template;

use crate::web::{Answer, Shell, Typed, Visit, redirect, session, typed_words};

/// Where somebody wanted to go, and what was to be saved there: carried from page to page of the door,
/// never kept on this side.
#[derive(Debug, Clone, Default)]
pub(super) struct Carried {
    pub(super) path: String,
    pub(super) body: String,
}

impl Carried {
    /// What a form of the door brought, else where an address wanted to go.
    pub(super) fn of(visit: &Visit) -> Self {
        let (path, body) = if visit.form.has("resume_path") {
            (visit.form.get("resume_path"), visit.form.get("resume_body"))
        } else {
            (visit.query.get("to"), "")
        };
        Self {
            path: path.to_owned(),
            body: body.to_owned(),
        }
    }

    /// The words in it, to be read by whoever typed them.
    pub(super) fn texts(&self) -> Vec<Typed> {
        let fields = self.fields();
        typed_words(fields.iter().map(|(name, value)| (&**name, &**value)))
    }

    fn fields(&self) -> Vec<(String, String)> {
        let fields = crate::web::Fields::parse(self.body.as_bytes());
        let pairs = fields.iter().flat_map(|fields| fields.pairs());
        let pairs = pairs.filter(|(name, _)| *name != "csrf");
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

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
    let carried = Carried::of(visit);
    let (path, hidden) = (carried.path.as_str(), carried.fields());
    let ours = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    if hidden.is_empty() || !ours {
        return Ok(redirect(if path.is_empty() { "/" } else { path }));
    }
    let page = ResumePage {
        shell: Shell {
            csrf: new.map_or_else(|| visit.csrf(), session::NewSession::csrf_token),
            ..Shell::new(visit, "入力の続き")
        },
        texts: carried.texts(),
        path: carried.path,
        hidden,
    };
    visit.page(&page)
}
