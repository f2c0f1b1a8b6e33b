//! A bar with rows or bytes, rate and time left on a terminal; plain lines elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};

use backup::{Progress, Step};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::output::Voice;

/// One long step after another.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    step: String,
    voice: Voice,
}

const ROWS: &str = "{msg} {bar:30} {human_pos}/{human_len} {per_sec} 残り{eta}";
const BYTES: &str = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} 残り{eta}";
/// Without a terminal a long step is told in so many parts.
const PARTS: u64 = 4;

impl Bar {
    pub(crate) fn new(voice: &Voice) -> Self {
        Self::with(voice, ROWS)
    }

    pub(crate) fn of_bytes(voice: &Voice) -> Self {
        Self::with(voice, BYTES)
    }

    fn with(voice: &Voice, template: &str) -> Self {
        let bar = if voice.shows_progress() {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            step: String::new(),
            voice: *voice,
        }
    }

    /// Where the step stands; a new step is said once.
    pub(crate) fn at(&mut self, step: &str, done: u64, total: u64) {
        if step != self.step {
            step.clone_into(&mut self.step);
            self.bar.set_message(step.to_owned());
            if !self.voice.shows_progress() {
                self.voice.say(step);
            }
        }
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// Bytes of a backup's or a restore's steps.
pub(crate) struct Bytes {
    inner: Mutex<Counting>,
}

struct Counting {
    bar: Bar,
    step: &'static str,
    done: u64,
    total: u64,
}

impl Bytes {
    pub(crate) fn new(voice: &Voice) -> Self {
        Self {
            inner: Mutex::new(Counting {
                bar: Bar::with(voice, BYTES),
                step: "",
                done: 0,
                total: 0,
            }),
        }
    }

    pub(crate) fn done(&self) {
        self.counting().bar.done();
    }

    fn counting(&self) -> MutexGuard<'_, Counting> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Bytes {
    fn start(&self, step: Step, bytes: u64) {
        let mut counting = self.counting();
        counting.step = match step {
            Step::Hash => "元を読んでいます",
            Step::Save => "保管先に書いています",
            Step::Restore => "ファイルを戻しています",
        };
        counting.done = 0;
        counting.total = bytes;
        counting.show();
    }

    fn advance(&self, bytes: u64) {
        let mut counting = self.counting();
        let before = counting.part();
        counting.done = counting.done.saturating_add(bytes);
        if before != counting.part() && !counting.bar.voice.shows_progress() {
            let Counting { done, total, .. } = *counting;
            let shown = format!("{}／{}", HumanBytes(done), HumanBytes(total));
            counting.bar.voice.say(&shown);
        }
        counting.show();
    }
}

impl Counting {
    fn part(&self) -> u64 {
        let done = self.done.saturating_mul(PARTS);
        done.checked_div(self.total).unwrap_or(PARTS)
    }

    fn show(&mut self) {
        let (step, done, total) = (self.step, self.done, self.total);
        self.bar.at(step, done, total);
    }
}
