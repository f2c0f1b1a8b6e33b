//! `find`: the find box on the whole city, against the statements of the same answers, bare.
//!
//! Two forms: the *page*, which leaves an entry in the access log, so that its ceiling inserts and
//! commits one too; and the *list* that the script of the page asks for while somebody types,
//! which leaves none, so that its ceiling is the statements alone.
//! Every word is asked for once unmeasured (both sides are warm then, and its statements are
//! recorded), and then by turns through the router and on the bare connection. The bare side has
//! its statements prepared and the values in them; it maps no row and writes no page.

use std::time::Instant;

use axum::http::StatusCode;
use store::statements;

use crate::bare::{Bare, questions};
use crate::figure::{Figure, Measured};
use crate::house::{House, Viewer};
use crate::memory;
use crate::problem::Problem;
use crate::typed::{self, Caller, Kind, Word};
use crate::visitor::Answer;

/// How often each word is measured.
const ROUNDS: usize = 4;

#[derive(Clone, Copy)]
enum Form {
    Page,
    List,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Page => "find",
            Self::List => "find list",
        }
    }

    fn ceiling(self) -> &'static str {
        match self {
            Self::Page => "the recorded statements on a warm bare connection, one insert, commit",
            Self::List => "the recorded statements on a warm bare connection",
        }
    }

    fn address(self, text: &str) -> String {
        match self {
            Self::Page => address(text),
            Self::List => format!("{}&part=1", address(text)),
        }
    }

    fn bare(self, bare: &Bare, asked: &[String]) -> Result<(), Problem> {
        match self {
            Self::Page => bare.ask_and_enter(asked)?,
            Self::List => bare.ask(asked)?,
        };
        Ok(())
    }
}

pub(crate) fn measure(house: &House) -> Result<Vec<Figure>, Problem> {
    let mut figures = Vec::new();
    for viewer in house.viewers()? {
        let bare = house.bare(viewer.scope)?;
        let callers = typed::callers(&house.app, viewer.scope)?;
        for form in [Form::Page, Form::List] {
            let mut all = Measured::new(form.name(), viewer.label, form.ceiling(), "requests")?;
            for kind in Kind::ALL {
                let part = of_kind(&viewer, &bare, form, (kind, &callers))?;
                all.take_in(&part);
                figures.push(part.into());
            }
            figures.push(all.into());
        }
    }
    Ok(figures)
}

fn of_kind(
    viewer: &Viewer,
    bare: &Bare,
    form: Form,
    (kind, callers): (Kind, &[Caller]),
) -> Result<Measured, Problem> {
    let case = format!("{}: {}", viewer.label, kind.label());
    let mut part = Measured::new(form.name(), case, form.ceiling(), "requests")?;
    memory::forget_own_peak();
    for (number, word) in typed::words(kind, callers).iter().enumerate() {
        if let Err(problem) = of_word(viewer, bare, (form, word), &mut part) {
            // The word itself is not told: what is typed into the find box is never printed.
            part.failures
                .add(format!("word {number}: {}", problem.told()));
        }
    }
    part.peak_memory = memory::own_peak();
    Ok(part)
}

fn of_word(
    viewer: &Viewer,
    bare: &Bare,
    (form, word): (Form, &Word),
    part: &mut Measured,
) -> Result<(), Problem> {
    let address = form.address(&word.text);
    let (answer, recorded) = statements::record(|| viewer.visitor.get(&address));
    check(&answer?.1, word)?;
    let asked = questions(recorded);
    form.bare(bare, &asked)?;
    for _ in 0..ROUNDS {
        let (took, answer) = viewer.visitor.get(&address)?;
        check(&answer, word)?;
        part.ours.add(took, 1);
        let started = Instant::now();
        form.bare(bare, &asked)?;
        part.ceiling.add(started.elapsed(), 1);
    }
    Ok(())
}

pub(crate) fn address(text: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("q", text)
        .finish();
    format!("/residents?{query}")
}

/// A page that found nobody is quick, and worth nothing.
fn check(answer: &Answer, word: &Word) -> Result<(), Problem> {
    if answer.status != StatusCode::OK {
        return Err(Problem::Refused {
            address: "/residents?q=…".to_owned(),
            status: answer.status.as_u16(),
        });
    }
    if answer.text().contains(&word.finds) {
        Ok(())
    } else {
        Err(Problem::Empty("a page without her".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    fn page(status: StatusCode, text: &str) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn word() -> Word {
        Word {
            text: "ヤ".to_owned(),
            finds: "/residents/7".to_owned(),
        }
    }

    #[test]
    fn a_page_without_the_person_is_a_failure() {
        let found = page(StatusCode::OK, "<a href=\"/residents/7\">");
        assert!(check(&found, &word()).is_ok());
        let empty = page(StatusCode::OK, "該当なし");
        let told = check(&empty, &word()).unwrap_err().told();
        assert_eq!(told, "the city has nobody to ask for: a page without her");
    }

    #[test]
    fn a_refusal_tells_its_status_and_not_what_was_typed() {
        let refused = check(&page(StatusCode::NOT_FOUND, ""), &word()).unwrap_err();
        assert_eq!(refused.told(), "/residents?q=… answered 404");
    }

    #[test]
    fn the_list_is_asked_for_by_its_own_address() {
        assert_eq!(Form::List.address("a"), "/residents?q=a&part=1");
    }

    #[test]
    fn what_is_typed_is_escaped() {
        assert_eq!(address("ヤ &"), "/residents?q=%E3%83%A4+%26");
    }
}
