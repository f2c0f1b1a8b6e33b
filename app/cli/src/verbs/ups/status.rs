//! `ups status`: how the supplies stand, for people and for machines.

use std::process::ExitCode;

use base::clock::Clock;
use base::report::Report;
use base::settings::Site;
use base::ups::{Flag, Reading, Seen, State, Stop, Told, Unit};
use serde::Serialize;

use super::untold;
use crate::output::Voice;

/// For machines.
#[derive(Serialize)]
pub(crate) struct Status {
    /// Does the site file name any?
    configured: bool,
    /// As the watcher says; nothing when none runs.
    state: Option<State>,
    seconds_left: Option<u64>,
    stop_failed: bool,
    units: Vec<Unit>,
    training: bool,
    /// Nothing has to be done by anybody.
    pub(crate) well: bool,
}

/// What is wrong with a supply, for whoever has to do something.
const WRONG: [(Flag, &str); 4] = [
    (Flag::ReplaceBattery, "電池の交換が必要"),
    (Flag::Overload, "過負荷"),
    (Flag::Off, "出力が切れている"),
    (Flag::Bypass, "電池を通さない給電"),
];

pub(crate) fn run(site: &Site, voice: &Voice) -> Result<ExitCode, Report> {
    let status = look(site)?;
    say(&status, voice);
    voice.result(&status)?;
    Ok(ExitCode::from(u8::from(!status.well)))
}

pub(crate) fn look(site: &Site) -> Result<Status, Report> {
    let Some(settings) = site.ups() else {
        return Ok(Status {
            configured: false,
            state: None,
            seconds_left: None,
            stop_failed: false,
            units: Vec::new(),
            training: false,
            well: true,
        });
    };
    let dir = &settings.state_dir;
    let now = Clock::system().now();
    let seen = Seen::look(dir, now).map_err(untold(dir))?;
    let told = seen.watched.as_ref();
    Ok(Status {
        configured: true,
        state: told.map(|told| told.state),
        seconds_left: told.and_then(|told| told.seconds_left(now)),
        stop_failed: told.is_some_and(|told| told.stop == Stop::Failed),
        units: told.map(|told| told.units.clone()).unwrap_or_default(),
        training: seen.training.is_some(),
        well: told.is_some_and(is_well),
    })
}

fn is_well(told: &Told) -> bool {
    let calm = match told.state {
        State::OnLine | State::Flicker | State::Testing => true,
        State::OnBattery { .. } | State::ShuttingDown { .. } | State::Silent => false,
    };
    let unit_is_well = |unit: &Unit| {
        let reading = unit.reading.as_ref();
        reading.is_some_and(|reading| wrongs(reading).next().is_none())
    };
    calm && told.units.iter().all(unit_is_well)
}

fn wrongs(reading: &Reading) -> impl Iterator<Item = &'static str> {
    let wrong = WRONG.into_iter().filter(|(flag, _)| reading.is(*flag));
    wrong.map(|(_, words)| words)
}

pub(crate) fn say(status: &Status, voice: &Voice) {
    if !status.configured {
        voice.say(
            "設定ファイルに [ups] がありません。UPSは見張っていません。停電すると、装置はその場で止まります。",
        );
        return;
    }
    let runbook = match status.state {
        None => {
            voice.say("電源: 分かりません。見張り（hokatsu ups watch）が動いていません。");
            "ups-silent"
        }
        Some(state) => {
            voice.say(&format!("電源: {}", in_words(state, status.seconds_left)));
            match state {
                State::OnBattery { .. } | State::ShuttingDown { .. } => "ups-on-battery",
                State::OnLine | State::Flicker | State::Silent | State::Testing => "ups-silent",
            }
        }
    };
    if status.stop_failed {
        voice.say(
            "  装置を止める命令が失敗しました。電源ボタンか操作画面で、すぐに止めてください。",
        );
    }
    for unit in &status.units {
        voice.say(&format!("  {}: {}", unit.name, of_unit(unit)));
    }
    if status.training {
        voice.say("【訓練】の停電を、全員の画面に示しています。");
    }
    if !status.well {
        voice.say(&format!("手順書: runbooks/{runbook}.md"));
    }
}

fn in_words(state: State, left: Option<u64>) -> String {
    match state {
        State::OnLine => "商用電源で動いています。".to_owned(),
        State::Flicker => "一瞬の停電です。続けば知らせます。".to_owned(),
        State::OnBattery { seconds, .. } => format!(
            "停電です。電池で{}動いています。電気が戻らなければ、{}後に装置を止めます。",
            long(seconds),
            long(left.unwrap_or_default())
        ),
        State::ShuttingDown { .. } => "停電が続いたので、装置を止めています。".to_owned(),
        State::Silent => "UPSの応答がありません。停電のとき、装置は安全に止まれません。".to_owned(),
        State::Testing => {
            "UPSが電池の試験をしています。試験で装置が止まることはありません。".to_owned()
        }
    }
}

fn long(seconds: u64) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds}秒"),
        (minutes, seconds) => format!("{minutes}分{seconds}秒"),
    }
}

fn of_unit(unit: &Unit) -> String {
    let Some(reading) = &unit.reading else {
        return "応答なし".to_owned();
    };
    let source = if reading.is(Flag::OnBattery) {
        "電池"
    } else if reading.is(Flag::OnLine) {
        "商用電源"
    } else {
        "不明"
    };
    let mut parts = vec![source.to_owned()];
    let charge = reading
        .charge_percent
        .map(|percent| format!("充電 {percent}%"));
    let runtime = reading.runtime_seconds;
    let runtime = runtime.map(|seconds| format!("もつ時間 {}", long(seconds.into())));
    let load = reading
        .load_percent
        .map(|percent| format!("負荷 {percent}%"));
    parts.extend([charge, runtime, load].into_iter().flatten());
    if reading.is(Flag::LowBattery) {
        parts.push("電池が残りわずか".to_owned());
    }
    parts.extend(wrongs(reading).map(str::to_owned));
    parts.join("、")
}
