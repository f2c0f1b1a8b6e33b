//! `save`: a consultation from form to disk, against one bare insert committed as durably (WAL,
//! synchronous=FULL) on the same disk.

use std::time::Instant;

use axum::http::StatusCode;

use crate::figure::{Figure, Measured};
use crate::house::{House, Viewer};
use crate::memory;
use crate::problem::Problem;
use crate::typed::{self, spread};
use crate::visitor::refused;

/// Consultations saved.
const SAVED: usize = 300;
const CEILING: &str = "one bare insert and commit, WAL, synchronous=FULL, same disk";
const CONTENT: &str =
    "最近物忘れが増え、薬の飲み忘れがある。家族は遠方に住み、週末だけ訪ねている。";

pub(crate) fn measure(house: &House) -> Result<Vec<Figure>, Problem> {
    let [_, viewer] = house.viewers()?;
    let bare = house.bare_file("save.db")?;
    bare.make_table("saved", 1)?;
    let mut measured = Measured::new("save", viewer.label, CEILING, "requests")?;
    memory::forget_own_peak();
    for caller in spread(&typed::callers(&house.app, viewer.scope)?, SAVED) {
        match save(&viewer, caller.id) {
            Ok(took) => measured.ours.add(took, 1),
            Err(problem) => measured.failures.add(problem.told()),
        }
        let started = Instant::now();
        bare.insert("saved", &[CONTENT])?;
        measured.ceiling.add(started.elapsed(), 1);
    }
    measured.peak_memory = memory::own_peak();
    Ok(vec![measured.into()])
}

/// The same without a clock: `count` consultations of a day.
pub(crate) fn write(house: &House, count: u64) -> Result<(), Problem> {
    let [_, viewer] = house.viewers()?;
    let count = usize::try_from(count).unwrap_or(SAVED);
    for caller in spread(&typed::callers(&house.app, viewer.scope)?, count) {
        save(&viewer, caller.id)?;
    }
    Ok(())
}

fn save(viewer: &Viewer, resident: i64) -> Result<std::time::Duration, Problem> {
    let resident = resident.to_string();
    let fields = [
        ("resident", resident.as_str()),
        ("received_on", "今日"),
        ("started_at", "10:05"),
        ("ended_at", "10:30"),
        ("channel", "01"),
        ("caller_kind", "01"),
        ("urgency", "C"),
        ("categories", "01"),
        ("content", CONTENT),
        ("response", "申請の手順を説明した。"),
        ("responses", "01"),
        ("outcome", "01"),
    ];
    let (took, answer) = viewer.visitor.post("/consultations", &fields)?;
    let saved = answer.location().ends_with("?done=saved");
    if answer.status == StatusCode::SEE_OTHER && saved {
        Ok(took)
    } else {
        Err(refused("POST /consultations", &answer))
    }
}
