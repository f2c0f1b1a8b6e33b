//! A bar with rows or bytes, rate and time left on a terminal; plain lines elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use backup::{Progress, Step};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::output::Voice;

/// One long step after another.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    step: String,
    voice: Voice,
    /// Of a step that is told in parts: since when, and the last part that was told.
    told: Option<(Instant, u64)>,
}

const ROWS: &str = "{msg} {bar:30} {human_pos}/{human_len} {per_sec} 残り{eta}";
const BYTES: &str = "{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} 残り{eta}";
/// Without a terminal a long step is told in so many parts.
const PARTS: u64 = 4;

impl Bar {
    pub(crate) fn new(voice: &Voice) -> Self {
        Self::with(voice, ROWS)
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
            told: None,
        }
    }

    /// Bytes of a step that may have been begun by somebody before: the rate is that of this one.
    pub(crate) fn bytes(voice: &Voice) -> Self {
        Self::with(voice, BYTES)
    }

    /// So many bytes of so many, from where this one began; tells the parts where there is no terminal.
    pub(crate) fn moved(&mut self, step: &str, (from, done, total): (u64, u64, u64)) {
        if step != self.step {
            self.told = Some((Instant::now(), part(from, total)));
            self.at(step, from, total);
            self.bar.reset_eta();
        }
        self.at(step, done, total);
        let Some((since, before)) = self.told else {
            return;
        };
        if part(done, total) == before || self.voice.shows_progress() {
            return;
        }
        let taken = since.elapsed();
        let moved = done.saturating_sub(from);
        let rest = total.saturating_sub(done);
        let rate = u128::from(moved) * 1000 / taken.as_millis().max(1);
        let rate = u64::try_from(rate).unwrap_or(u64::MAX).max(1);
        self.voice.say(&format!(
            "{}／{}　毎秒{}　残り{}",
            HumanBytes(done),
            HumanBytes(total),
            HumanBytes(rate),
            left(rest / rate)
        ));
        self.told = Some((since, part(done, total)));
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

fn left(seconds: u64) -> String {
    match seconds {
        0..=90 => format!("{seconds}秒"),
        91..=5_400 => format!("{}分", seconds.div_ceil(60)),
        _ => format!("{}時間", seconds.div_ceil(3_600)),
    }
}

/// How many of the parts that are told are done.
fn part(done: u64, total: u64) -> u64 {
    let done = done.saturating_mul(PARTS);
    done.checked_div(total).unwrap_or(PARTS)
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
        part(self.done, self.total)
    }

    fn show(&mut self) {
        let (step, done, total) = (self.step, self.done, self.total);
        self.bar.at(step, done, total);
    }
}
