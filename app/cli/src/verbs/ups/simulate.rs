//! `ups simulate`: an invented outage for training, as everybody would see it.
//!
//! Invariant: it writes the word of a training and never that of the watcher, starts no program, and ends when the
//! power really fails. Ended without a word it is over too, when its file has aged.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use base::clock::Clock;
use base::report::{Kind, Report};
use base::settings::{Site, UpsSettings};
use base::ups::{Engine, Reading, Seen, State, Stop, Told, Unit, end_training};
use serde::Serialize;

use super::{POLL, Turns, prepared, untold};
use crate::arguments::SimulateArguments;
use crate::output::Voice;

/// An invented battery is full at first and lasts so long, seconds.
const BATTERY_SECONDS: u64 = 1_800;
/// So long everybody sees that the machine would stop, turns.
const STOPPED_TURNS: u32 = 10;

#[derive(Serialize)]
struct Played {
    /// Would the machine have been stopped?
    stopped: bool,
    /// After so long on battery, seconds of the invented time.
    seconds: u64,
}

pub(crate) fn run(
    asked: &SimulateArguments,
    site: &Site,
    voice: &Voice,
) -> Result<ExitCode, Report> {
    let Some(settings) = site.ups() else {
        voice.say("設定ファイルに [ups] がないので、停電の表示は出ません。訓練はできません。");
        return Err(Report::bare(Kind::Settings));
    };
    let dir = &settings.state_dir;
    prepared(dir)?;
    let turns = Turns::begin()?;
    voice.say("【訓練】停電の訓練を始めます。全員の画面に【訓練】と出ます。装置は止まりません。");
    voice.say("やめるときは Ctrl-C を押してください。");
    let played = play(asked, settings, &turns, voice);
    end_training(dir).map_err(untold(dir))?;
    let played = played?;
    voice.say("【訓練】訓練を終えました。画面の表示は消えます。");
    voice.result(&played)?;
    Ok(ExitCode::SUCCESS)
}

fn play(
    asked: &SimulateArguments,
    settings: &UpsSettings,
    turns: &Turns,
    voice: &Voice,
) -> Result<Played, Report> {
    let dir = settings.state_dir.as_path();
    let mut engine = Engine::new(settings);
    let turn = POLL.saturating_mul(asked.speed.into());
    let back_after = asked.back_after.map(|minutes| u64::from(minutes) * 60);
    let (mut now, mut stopped_turns) = (Duration::ZERO, 0);
    loop {
        let seconds = now.as_secs();
        let is_back = back_after.is_some_and(|after| seconds >= after);
        let reading = Some(invented(seconds, is_back));
        let state = engine.step(now, &vec![reading.clone(); settings.units.len()]);
        tell(dir, settings, state, reading.as_ref(), seconds)?;
        say(state, seconds, voice);
        if let State::ShuttingDown { .. } = state {
            stopped_turns += 1;
        } else if is_back {
            return Ok(Played {
                stopped: false,
                seconds,
            });
        }
        if stopped_turns == STOPPED_TURNS {
            let seconds = seconds.saturating_sub(turn.as_secs() * u64::from(STOPPED_TURNS - 1));
            return Ok(Played {
                stopped: true,
                seconds,
            });
        }
        if !turns.next() {
            voice.say("【訓練】途中で終えました。");
            return Err(Report::bare(Kind::Interrupted));
        }
        // It cannot be read is no reason to go on with a training.
        let seen = Seen::look(dir, Clock::system().now()).map_err(untold(dir))?;
        if seen.is_outage() {
            voice.say("本当の停電です。訓練を終えます。手順書: runbooks/ups-on-battery.md");
            return Err(Report::bare(Kind::Interrupted));
        }
        now = now.saturating_add(turn);
    }
}

/// What a supply would say after so long on battery.
fn invented(seconds: u64, is_back: bool) -> Reading {
    let left = BATTERY_SECONDS.saturating_sub(seconds);
    let charge = left * 100 / BATTERY_SECONDS;
    let status = if is_back { "OL CHRG" } else { "OB DISCHRG" };
    let text = format!("ups.status: {status}\nbattery.charge: {charge}\nbattery.runtime: {left}\n");
    Reading::parse(&text).unwrap_or_default()
}

fn tell(
    dir: &Path,
    settings: &UpsSettings,
    state: State,
    reading: Option<&Reading>,
    seconds: u64,
) -> Result<(), Report> {
    let units = settings.units.iter().map(|name| Unit {
        name: name.clone(),
        reading: reading.cloned(),
        on_battery_seconds: Some(seconds),
    });
    let told = Told {
        at: Clock::system().now(),
        state,
        stop: Stop::NotYet,
        units: units.collect(),
    };
    told.write_training(dir).map_err(untold(dir))
}

fn say(state: State, seconds: u64, voice: &Voice) {
    let words = match state {
        State::OnBattery { seconds_left, .. } => {
            format!("停電から{seconds}秒。あと{seconds_left}秒で装置が止まるところです。")
        }
        State::ShuttingDown { .. } => {
            format!("停電から{seconds}秒。本当の停電なら、装置を止めています。")
        }
        State::OnLine => format!("{seconds}秒で電気が戻りました。"),
        State::Flicker => format!("停電から{seconds}秒。短い停電は、画面に出しません。"),
        State::Silent | State::Testing => return,
    };
    voice.say(&format!("【訓練】{words}"));
}
