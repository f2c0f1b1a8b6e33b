//! `ups watch`: asks every supply every other second, tells how they stand, and at a threshold stops the machine.
//!
//! Invariant: the command that stops the machine succeeds at most once. What cannot be told (a full disk) does not
//! keep the machine from being stopped. The log has what changed, never each turn.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use base::clock::Clock;
use base::command::{self, CommandError, Spec};
use base::report::{Report, chain};
use base::settings::{Site, UpsSettings};
use base::ups::{Engine, Flag, Reading, Seen, State, Stop, Told, Unit};

use super::{Turns, prepared};
use crate::output::Voice;

/// The program of NUT that asks; all supplies are asked at once, so a round takes no longer.
const UPSC: &str = "upsc";
const ANSWER_MAX: Duration = Duration::from_secs(5);
const STOP_MAX: Duration = Duration::from_secs(10);
/// Between two tries of a command that failed.
const AGAIN: Duration = Duration::from_secs(10);
/// Our own time begins here and not at zero: what an earlier watcher saw lies before it.
const BEGINNING: Duration = Duration::from_secs(24 * 3_600);

pub(crate) fn run(site: &Site, voice: &Voice) -> Result<ExitCode, Report> {
    let Some(settings) = site.ups() else {
        voice.say("設定ファイルに [ups] がありません。UPSを見張らずに終わります。");
        return Ok(ExitCode::SUCCESS);
    };
    prepared(&settings.state_dir)?;
    let turns = Turns::begin()?;
    let mut watcher = Watcher::new(settings);
    voice.say(&format!(
        "UPSの見張りを始めました（{}）。",
        settings.units.join("、")
    ));
    loop {
        watcher.turn();
        if !turns.next() {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

struct Watcher<'s> {
    settings: &'s UpsSettings,
    clock: Clock,
    started: Instant,
    engine: Engine,
    /// As of the turn before; nothing in the first.
    state: Option<State>,
    heard: Vec<Option<Reading>>,
    is_told: bool,
    stop: Stop,
    /// When the command that stops the machine failed last.
    failed_at: Option<Instant>,
}

impl<'s> Watcher<'s> {
    fn new(settings: &'s UpsSettings) -> Self {
        let clock = Clock::system();
        let mut engine = Engine::new(settings);
        let mut stop = Stop::NotYet;
        let before = Seen::look(&settings.state_dir, clock.now());
        let before = before.unwrap_or_else(|error| {
            log::warn!("counted from the beginning: {}", chain(&error));
            Seen::default()
        });
        if let Some(told) = before.watched {
            let long = settings.units.iter().map(|name| {
                let unit = told.units.iter().find(|unit| unit.name == *name)?;
                unit.on_battery_seconds.map(Duration::from_secs)
            });
            engine = engine.resumed(BEGINNING, &long.collect::<Vec<_>>(), &told.state);
            stop = told.stop;
        }
        Self {
            settings,
            clock,
            started: Instant::now(),
            engine,
            state: None,
            heard: Vec::new(),
            is_told: true,
            stop,
            failed_at: None,
        }
    }

    fn turn(&mut self) {
        let (readings, errors): (Vec<_>, Vec<_>) = asked(&self.settings.units).into_iter().unzip();
        let now = BEGINNING.saturating_add(self.started.elapsed());
        let state = self.engine.step(now, &readings);
        self.log_units(&readings, &errors);
        self.log_state(state);
        self.heard = readings;
        self.state = Some(state);
        // Told first: whoever looks sees why the machine stops.
        self.tell(now, state);
        if let State::ShuttingDown { .. } = state {
            let before = self.stop;
            self.stop_machine();
            if self.stop != before {
                self.tell(now, state);
            }
        }
    }

    fn tell(&mut self, now: Duration, state: State) {
        let on_battery = self.engine.on_battery(now);
        let units = self.settings.units.iter().zip(&self.heard).zip(on_battery);
        let told = Told {
            at: self.clock.now(),
            state,
            stop: self.stop,
            units: units
                .map(|((name, reading), long)| Unit {
                    name: name.clone(),
                    reading: reading.clone(),
                    on_battery_seconds: long.map(|long| long.as_secs()),
                })
                .collect(),
        };
        let written = told.write(&self.settings.state_dir);
        match &written {
            Err(error) if self.is_told => log::error!("{}", chain(error)),
            Ok(()) if !self.is_told => log::warn!("how the supplies stand is told again"),
            Err(_) | Ok(()) => {}
        }
        self.is_told = written.is_ok();
    }

    fn stop_machine(&mut self) {
        let failed_now = self.failed_at.is_some_and(|at| at.elapsed() < AGAIN);
        if self.stop == Stop::Done || failed_now {
            return;
        }
        let Some((program, words)) = self.settings.stop.split_first() else {
            return;
        };
        let spec = Spec::new(program, STOP_MAX).args(words);
        let done = command::run(&spec).and_then(|output| output.success(&spec));
        self.stop = match done {
            Ok(_) => {
                log::warn!("the machine was told to stop");
                Stop::Done
            }
            Err(error) => {
                log::error!("the machine cannot be stopped: {}", chain(&error));
                self.failed_at = Some(Instant::now());
                Stop::Failed
            }
        };
    }

    fn log_state(&self, state: State) {
        let (before, now) = (self.state.map(name), name(state));
        if before == Some(now) {
            return;
        }
        match state {
            State::OnLine if before.is_none() => log::info!("power: {now}"),
            State::OnLine | State::Flicker | State::Testing => log::warn!("power: {now}"),
            State::OnBattery {
                seconds_left,
                limit,
                ..
            } => {
                log::warn!("power: {now}, {seconds_left} s left ({limit:?})");
            }
            State::ShuttingDown { limit } => log::error!("power: {now} ({limit:?})"),
            State::Silent => log::error!("power: {now}"),
        }
    }

    fn log_units(&self, readings: &[Option<Reading>], errors: &[Option<CommandError>]) {
        for (index, (unit, reading)) in self.settings.units.iter().zip(readings).enumerate() {
            let before = self.heard.get(index);
            let flags =
                |reading: &Option<Reading>| reading.as_ref().map(|reading| reading.flags.clone());
            if before.map(flags) == Some(flags(reading)) {
                continue;
            }
            match (reading, errors.get(index).and_then(Option::as_ref)) {
                (Some(reading), _) => {
                    let flags: Vec<Flag> = reading.flags.iter().copied().collect();
                    log::info!("ups {unit}: {flags:?}");
                }
                (None, Some(error)) => log::warn!("ups {unit} does not answer: {}", chain(error)),
                (None, None) => log::warn!("ups {unit} says nothing of its state"),
            }
        }
    }
}

/// For the log: the same as long as nothing happens.
fn name(state: State) -> &'static str {
    match state {
        State::OnLine => "on line",
        State::Flicker => "a flicker",
        State::OnBattery { .. } => "on battery",
        State::ShuttingDown { .. } => "a threshold is reached",
        State::Silent => "no answer",
        State::Testing => "the battery is tested",
    }
}

/// What each says, or why it says nothing.
fn asked(units: &[String]) -> Vec<(Option<Reading>, Option<CommandError>)> {
    thread::scope(|scope| {
        let asked: Vec<_> = units
            .iter()
            .map(|unit| scope.spawn(move || answer(unit)))
            .collect();
        let answers = asked.into_iter().map(|one| match one.join() {
            Ok(Ok(reading)) => (reading, None),
            Ok(Err(error)) => (None, Some(error)),
            // A thread that ended unheard has no answer.
            Err(_) => (None, None),
        });
        answers.collect()
    })
}

fn answer(unit: &str) -> Result<Option<Reading>, CommandError> {
    let spec = Spec::new(UPSC, ANSWER_MAX).arg(unit);
    let output = command::run(&spec)?.success(&spec)?;
    Ok(Reading::parse(&output.stdout.text()))
}
