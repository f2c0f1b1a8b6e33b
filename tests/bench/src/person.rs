//! `person`: one resident on one screen, against a bare handler with the same statements and one
//! inserted, committed entry: looking at somebody is recorded, and that costs a flush to the disk.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use store::statements;

use crate::bare::{Bare, questions};
use crate::figure::{Figure, Measured};
use crate::house::{House, Viewer};
use crate::memory;
use crate::problem::Problem;
use crate::typed::{self, spread};
use crate::visitor::{Answer, Carrier as _, Inside, refused};

/// People looked at, and how often each is measured.
const PEOPLE: usize = 100;
const ROUNDS: usize = 4;
const CEILING: &str = "a bare handler: the recorded statements, one insert, commit";

pub(crate) fn measure(house: &House) -> Result<Vec<Figure>, Problem> {
    let mut figures = Vec::new();
    for viewer in house.viewers()? {
        let mut measured = Measured::new("person", viewer.label, CEILING, "requests")?;
        let handler = Handler::new(house, house.bare(viewer.scope)?);
        let callers = typed::callers(&house.app, viewer.scope)?;
        memory::forget_own_peak();
        for caller in spread(&callers, PEOPLE) {
            let address = format!("/residents/{}", caller.id);
            if let Err(problem) = of_person(&viewer, &handler, &address, &mut measured) {
                measured.failures.add(problem.told());
            }
        }
        measured.peak_memory = memory::own_peak();
        figures.push(measured.into());
    }
    Ok(figures)
}

fn of_person(
    viewer: &Viewer,
    handler: &Handler,
    address: &str,
    measured: &mut Measured,
) -> Result<(), Problem> {
    let (answer, recorded) = statements::record(|| viewer.visitor.get(address));
    check(address, &answer?.1)?;
    handler.take(questions(recorded));
    handler.get()?;
    for _ in 0..ROUNDS {
        let (took, answer) = viewer.visitor.get(address)?;
        check(address, &answer)?;
        measured.ours.add(took, 1);
        measured.ceiling.add(handler.get()?, 1);
    }
    Ok(())
}

fn check(address: &str, answer: &Answer) -> Result<(), Problem> {
    if answer.status == StatusCode::OK {
        Ok(())
    } else {
        Err(refused(address, answer))
    }
}

/// The least that a server could do: a route, a blocking thread, the statements, one entry.
struct Handler {
    carrier: Inside,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Handler {
    fn new(house: &House, bare: Bare) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (bare, questions) = (Arc::new(Mutex::new(bare)), Arc::clone(&asked));
        let answer = move || {
            let (bare, questions) = (Arc::clone(&bare), Arc::clone(&questions));
            async move {
                let work = tokio::task::spawn_blocking(move || {
                    let questions = questions.lock().unwrap_or_else(PoisonError::into_inner);
                    let bare = bare.lock().unwrap_or_else(PoisonError::into_inner);
                    bare.ask_and_enter(&questions)
                });
                match work.await {
                    Ok(Ok(rows)) => (StatusCode::OK, rows.to_string()),
                    _ => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
                }
            }
        };
        let carrier = Inside {
            router: router(get(answer)),
            runtime: Arc::clone(&house.runtime),
        };
        Self { carrier, asked }
    }

    fn take(&self, questions: Vec<String>) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = questions;
    }

    fn get(&self) -> Result<std::time::Duration, Problem> {
        let request = Request::get("/").body(Vec::new())?;
        let started = std::time::Instant::now();
        let answer = self.carrier.exchange(request)?;
        let took = started.elapsed();
        check("the bare handler", &answer)?;
        Ok(took)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the ceiling is a route without the gate"
)]
fn router(handler: axum::routing::MethodRouter) -> Router {
    Router::new().route("/", handler)
}
