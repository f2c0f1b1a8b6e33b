//! What time it is, as a value: the one place that asks the operating system.
//!
//! Everything else is handed a [`Clock`], or better a `Timestamp` or `Date` taken from one, so
//! that a test can stand on 29 February and a simulation can let the clock jump backwards.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// A source of time; clones share the same source.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Fixed(Timestamp),
    Stepped(Arc<Mutex<Timestamp>>),
}

/// Moves a stepped [`Clock`], forwards or backwards.
#[derive(Debug, Clone)]
pub struct ClockHand(Arc<Mutex<Timestamp>>);

impl Clock {
    /// The machine's own clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that always shows `at`.
    #[must_use]
    pub fn fixed(at: Timestamp) -> Self {
        Self(Source::Fixed(at))
    }

    /// A clock that stands still until its hand moves it; for tests and simulations.
    #[must_use]
    pub fn stepped(start: Timestamp) -> (Self, ClockHand) {
        let shown = Arc::new(Mutex::new(start));
        (Self(Source::Stepped(Arc::clone(&shown))), ClockHand(shown))
    }

    /// A fixed clock at 09:00 Japanese time of `day`; before year -9998 it shows the epoch.
    #[must_use]
    pub fn on_day(day: Date) -> Self {
        let nine = japan().to_timestamp(day.at(9, 0, 0, 0));
        Self::fixed(nine.unwrap_or(Timestamp::UNIX_EPOCH))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => system_now(),
            Source::Fixed(at) => *at,
            Source::Stepped(shown) => *shown.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// The present day in Japan, which is what every rule about days means.
    #[must_use]
    pub fn today(&self) -> Date {
        japanese_day(self.now())
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            Source::System => "system",
            Source::Fixed(_) => "fixed",
            Source::Stepped(_) => "stepped",
        };
        write!(f, "Clock({name})")
    }
}

impl ClockHand {
    /// Moves the clock by `by`, which may be negative; stops at the ends of representable time.
    pub fn step(&self, by: SignedDuration) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = if by.is_negative() {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        *shown = shown.checked_add(by).unwrap_or(end);
    }

    /// Sets the clock to `at`.
    pub fn set(&self, at: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }
}

/// The day in Japan on which `at` falls.
#[must_use]
pub fn japanese_day(at: Timestamp) -> Date {
    japan().to_datetime(at).date()
}

/// The time zone of every civil date and time in this product.
#[must_use]
pub fn japan() -> TimeZone {
    // The zone data is compiled in, so the fallback is for form only; +9 has held since 1951.
    TimeZone::get("Asia/Tokyo").unwrap_or_else(|_| TimeZone::fixed(Offset::constant(9)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the machine's clock"
)]
fn system_now() -> Timestamp {
    Timestamp::now()
}

/// How long ago, in the unit that says it.
#[must_use]
pub fn age(now: Timestamp, at: Timestamp) -> String {
    let minutes = now.duration_since(at).as_secs() / 60;
    match minutes {
        ..0 => "未来の時刻".to_owned(),
        0..120 => format!("{minutes}分前"),
        120..2_880 => format!("{}時間前", minutes / 60),
        _ => format!("{}日前", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_changes_at_japanese_midnight() {
        assert_eq!(
            Clock::fixed(at("2026-03-31T14:59:59Z")).today(),
            date(2026, 3, 31)
        );
        assert_eq!(
            Clock::fixed(at("2026-03-31T15:00:00Z")).today(),
            date(2026, 4, 1)
        );
    }

    #[test]
    fn a_hand_moves_every_clone_and_also_backwards() {
        let (clock, hand) = Clock::stepped(at("2026-04-01T00:00:00Z"));
        let clone = clock.clone();
        hand.step(SignedDuration::from_hours(-48));
        assert_eq!(clone.now(), at("2026-03-30T00:00:00Z"));
        hand.set(at("2027-01-01T00:00:00Z"));
        assert_eq!(clock.now(), at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn a_step_past_the_end_of_time_stops_there() {
        let (clock, hand) = Clock::stepped(Timestamp::MAX);
        hand.step(SignedDuration::from_hours(1));
        assert_eq!(clock.now(), Timestamp::MAX);
        hand.step(SignedDuration::MIN);
        assert_eq!(clock.now(), Timestamp::MIN);
    }

    #[test]
    fn a_clock_made_for_a_day_shows_that_day() {
        assert_eq!(Clock::on_day(date(2028, 2, 29)).today(), date(2028, 2, 29));
    }

    #[test]
    fn the_system_clock_does_not_stand_before_this_source_was_written() {
        assert!(Clock::system().today() > date(2025, 1, 1));
    }

    #[test]
    fn how_long_ago_is_told_in_the_unit_that_says_it() {
        let at: Timestamp = "2026-11-28T18:15:00Z".parse().unwrap();
        let later = |hours| at + SignedDuration::from_hours(hours);
        assert_eq!(age(later(1), at), "60分前");
        assert_eq!(age(later(3), at), "3時間前");
        assert_eq!(age(later(72), at), "3日前");
        assert_eq!(age(later(-1), at), "未来の時刻");
    }
}
