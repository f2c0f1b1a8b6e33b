//! What is to be done once on each Japanese day: at the start of the server, and when the day changes.
//!
//! Invariant: each task may run as often as one likes, and does what is due, not what is today's: a
//! machine that was off over midnight catches up at its next start.
//! Limits: [`LOOK_EVERY`] after a task that failed, and when the clock is moved.

use std::time::Duration;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};

use crate::app::App;
use crate::web::problem::Problem;

/// One thing that is due by the day.
pub type Task = fn(&App) -> Result<(), Problem>;

/// So often the clock is looked at between two midnights; it may have been set.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Does the day's tasks for as long as the server lives.
pub(crate) async fn run(app: App) {
    let mut done: Option<Date> = None;
    loop {
        let today = app.clock().today();
        if done != Some(today) {
            let asked = app.clone();
            let ran = app.desk().run(move || Ok(asked.begin_day())).await;
            done = matches!(ran, Ok(true)).then_some(today);
        }
        tokio::time::sleep(pause(app.clock().now(), app.clock().today())).await;
    }
}

/// Until midnight, or until the next look at the clock.
fn pause(now: Timestamp, today: Date) -> Duration {
    let midnight = today.checked_add(1.day()).ok();
    let midnight = midnight.and_then(|day| {
        let start = day.at(0, 0, 0, 0);
        base::clock::japan().to_timestamp(start).ok()
    });
    let left = midnight.and_then(|at| Duration::try_from(at.duration_since(now)).ok());
    left.map_or(LOOK_EVERY, |left| left.min(LOOK_EVERY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_in_japan_is_not_slept_through() {
        let look = |text: &str| {
            let now: Timestamp = text.parse().unwrap();
            pause(now, base::clock::japanese_day(now))
        };
        assert_eq!(look("2026-11-24T03:00:00Z"), LOOK_EVERY);
        assert_eq!(look("2026-11-24T14:59:50Z"), Duration::from_secs(10));
        assert_eq!(look("2026-11-24T15:00:00Z"), LOOK_EVERY);
    }
}
