//! A bar with rows or bytes, rate and time left on a terminal; plain lines elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Voice;

/// One long step after another.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    step: String,
    voice: Voice,
}

impl Bar {
    pub(crate) fn new(voice: &Voice) -> Self {
        let bar = if voice.shows_progress() {
            ProgressBar::new(0)
        } else {
            ProgressBar::hidden()
        };
        let template = "{msg} {bar:30} {human_pos}/{human_len} {per_sec} 残り{eta}";
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
