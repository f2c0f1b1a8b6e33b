//! Whether the machine's time is in step, as chrony tells it for programs.

use std::time::Duration;

use base::command::{self, Spec};

const ASK_MAX: Duration = Duration::from_secs(10);
/// Fields of `chronyc -c tracking`, by its own order.
const REFERENCE: usize = 0;
const SOURCE: usize = 1;
const STRATUM: usize = 2;
const OFFSET: usize = 4;
const LEAP: usize = 13;
/// How chrony names its own clock when it answers for others without anybody to ask.
const ITSELF: &str = "7F7F0101";
/// Fields of `chronyc -c sources`.
const SOURCE_STATE: usize = 1;
const SOURCE_NAME: usize = 2;
const SOURCE_REACH: usize = 5;

/// In step with whom, and each clock that is asked: a line each.
pub(super) fn told() -> Vec<String> {
    let Some(tracking) = asked("tracking") else {
        return vec!["時刻合わせ（chrony）が答えません。".to_owned()];
    };
    let mut lines = vec![in_step(&tracking)];
    let sources = asked("sources").unwrap_or_default();
    lines.extend(sources.lines().filter_map(source));
    lines
}

fn asked(what: &str) -> Option<String> {
    let spec = Spec::new("chronyc", ASK_MAX).args(["-n", "-c", what]);
    let output = command::run(&spec).and_then(|output| output.success(&spec));
    match output {
        Ok(output) => Some(output.stdout.text()),
        Err(error) => {
            log::warn!("chronyc: {error}");
            None
        }
    }
}

/// The line of `tracking`.
pub(super) fn in_step(tracking: &str) -> String {
    let fields: Vec<&str> = tracking.trim().split(',').collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default();
    let offset = field(OFFSET).parse::<f64>().ok();
    let Some(offset) = offset.filter(|_| fields.len() > LEAP) else {
        return "時刻合わせ（chrony）の答えを読めません。".to_owned();
    };
    match (field(LEAP), field(REFERENCE)) {
        ("Not synchronised", _) => {
            "時刻: 合っていません。尋ねる先が答えるまで、装置の時計のまま進みます。".to_owned()
        }
        (_, ITSELF) => "時刻: 尋ねる先が答えません。装置の時計を基準にしています。".to_owned(),
        (_, _) => format!(
            "時刻: 合っています（{}、階層 {}、ずれ {:.1} ミリ秒）",
            field(SOURCE),
            field(STRATUM),
            offset.abs() * 1_000.0
        ),
    }
}

/// A line of `sources`.
pub(super) fn source(line: &str) -> Option<String> {
    let fields: Vec<&str> = line.trim().split(',').collect();
    let name = fields.get(SOURCE_NAME)?;
    let answers = match (*fields.get(SOURCE_STATE)?, *fields.get(SOURCE_REACH)?) {
        ("x" | "~", _) => "答えますが、時刻が信用できません",
        (_, "0") => "答えません",
        (_, _) => "答えます",
    };
    Some(format!("  尋ねる先 {name}: {answers}"))
}
