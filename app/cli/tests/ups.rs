//! Outages as NUT's own invented driver (`dummy-ups`) tells them, watched by the command itself: what stops the
//! machine, what does not, and what everybody is told meanwhile. Everything runs in a directory of the test, on
//! loopback, and ends with it.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::cell::Cell;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base::clock::Clock;
use base::command::{Running, Spec, start};
use base::paths::{MODE_PRIVATE, write_atomic};
use base::ups::{Limit, Seen, State, Stop, Told};
use harness::process::{ended, hokatsu, prepared};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Debian keeps the programs themselves there; those in the path ask a configuration of the machine first.
const NUT: &str = "/lib/nut";
/// A machine that is busy with other suites takes its time.
const PATIENCE: Duration = Duration::from_secs(90);
const LONG: Duration = Duration::from_secs(600);

struct Lab {
    root: TempDir,
    port: u16,
    site: PathBuf,
    state_dir: PathBuf,
    said_at: Cell<Option<Instant>>,
    _server: Option<Running>,
}

impl Lab {
    /// Without a supply: a site file with the section, and a command that leaves a line instead of stopping.
    fn bare() -> Self {
        let root = TempDir::new().unwrap();
        // Free a moment ago; nobody else here takes ports that he was not given.
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = port.local_addr().unwrap().port();
        let (_, site) = prepared(root.path());
        let state_dir = root.path().join("state");
        let lab = Self {
            port,
            site,
            state_dir,
            root,
            said_at: Cell::new(None),
            _server: None,
        };
        let script = lab.place("stop");
        let text = format!(
            "#!/bin/sh\necho stopped >>'{}'\n",
            lab.place("stopped").display()
        );
        write_atomic(&script, text.as_bytes(), 0o700).unwrap();
        lab.with_stop(&script.display().to_string());
        lab
    }

    fn with_stop(&self, program: &str) {
        let text = fs::read_to_string(&self.site).unwrap();
        let text = text.split("\n[ups]").next().unwrap();
        let text = format!(
            "{text}\n[ups]\nunits = [\"ups@127.0.0.1:{}\"]\nflicker_seconds = 8\nruntime_seconds = 60\n\
             stop = [\"{program}\"]\nstate_dir = \"{}\"\n",
            self.port,
            self.state_dir.display()
        );
        write_atomic(&self.site, text.as_bytes(), MODE_PRIVATE).unwrap();
    }

    /// With NUT's server, and a supply on line once its driver is plugged in.
    fn new() -> Self {
        let mut lab = Self::bare();
        fs::create_dir(lab.place("nut")).unwrap();
        let files = [
            (
                "ups.conf",
                "[ups]\ndriver = dummy-ups\nport = ups.dev\nmode = dummy-once\npollinterval = 1\n"
                    .to_owned(),
            ),
            ("upsd.conf", format!("LISTEN 127.0.0.1 {}\n", lab.port)),
            ("upsd.users", String::new()),
        ];
        for (name, text) in files {
            write_atomic(&lab.place("nut").join(name), text.as_bytes(), MODE_PRIVATE).unwrap();
        }
        lab.says("OL", 100);
        lab._server = Some(start(&lab.of_nut("upsd", &[])).unwrap());
        lab
    }

    fn place(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn of_nut(&self, program: &str, words: &[&str]) -> Spec {
        let place = self.place("nut");
        let mut spec = Spec::new(Path::new(NUT).join(program), LONG)
            .args(words)
            .args(["-F", "-u", "root"])
            .dir(&place);
        for name in ["NUT_CONFPATH", "NUT_STATEPATH", "NUT_ALTPIDPATH"] {
            spec = spec.env(name, &place);
        }
        spec
    }

    /// The cable: it is pulled when this is dropped.
    fn cable(&self) -> Running {
        start(&self.of_nut("dummy-ups", &["-a", "ups"])).unwrap()
    }

    /// The driver looks at the second in which its file was changed: two words are never of the same.
    fn says(&self, status: &str, charge: u8) {
        while self
            .said_at
            .get()
            .is_some_and(|at| at.elapsed() < Duration::from_millis(1_100))
        {
            thread::park_timeout(Duration::from_millis(50));
        }
        self.said_at.set(Some(Instant::now()));
        let text =
            format!("ups.status: {status}\nbattery.charge: {charge}\nbattery.runtime: 2400\n");
        write_atomic(
            &self.place("nut").join("ups.dev"),
            text.as_bytes(),
            MODE_PRIVATE,
        )
        .unwrap();
    }

    fn verb(&self, words: &[&str]) -> Going {
        let site = self.site.to_str().unwrap();
        let mut command = hokatsu([&["--site", site, "ups"], words].concat());
        command.stdin(Stdio::null()).stderr(Stdio::null());
        Going(command.spawn().unwrap())
    }

    fn status(&self) -> (i32, Value, String) {
        let site = self.site.to_str().unwrap();
        let (code, out, errors) = ended(["--json", "--site", site, "ups", "status"]);
        (
            code,
            serde_json::from_str(&out).unwrap_or(Value::Null),
            errors,
        )
    }

    fn seen(&self) -> Seen {
        Seen::look(&self.state_dir, Clock::system().now()).unwrap()
    }

    fn state(&self) -> Option<State> {
        self.seen().watched.map(|told| told.state)
    }

    fn waits_for(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < PATIENCE, "{what}: {:?}", self.seen());
            thread::park_timeout(Duration::from_millis(50));
        }
    }

    fn waits_for_state(&self, state: State) {
        self.waits_for("a state", |lab| lab.state() == Some(state));
    }

    /// Nothing stops it meanwhile.
    fn stays(&self, long: Duration, state: State) {
        let begun = Instant::now();
        while begun.elapsed() < long {
            assert_eq!(self.state(), Some(state));
            assert_eq!(self.stopped(), 0);
            thread::park_timeout(Duration::from_millis(200));
        }
    }

    /// How often the machine was stopped.
    fn stopped(&self) -> usize {
        fs::read_to_string(self.place("stopped")).map_or(0, |text| text.lines().count())
    }
}

/// A verb that goes on until it is told to stop.
struct Going(Child);

impl Going {
    fn interrupt(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.0), Signal::INT).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn is_on_battery(lab: &Lab) -> bool {
    matches!(lab.state(), Some(State::OnBattery { .. }))
}

#[test]
fn an_outage_that_goes_on_stops_the_machine_once_and_one_that_ends_does_not() {
    let lab = Lab::new();
    let _cable = lab.cable();
    let watch = lab.verb(&["watch"]);
    lab.waits_for_state(State::OnLine);
    assert_eq!(lab.status().0, 0);

    lab.says("OB DISCHRG", 90);
    lab.waits_for("on battery", is_on_battery);
    let (code, status, errors) = lab.status();
    assert_eq!(code, 1, "{errors}");
    assert!(status["seconds_left"].as_u64().unwrap() > 500, "{status}");
    assert!(
        errors.contains("停電です") && errors.contains("充電 90%"),
        "{errors}"
    );
    lab.says("OL CHRG", 85);
    lab.waits_for_state(State::OnLine);
    assert_eq!((lab.status().0, lab.stopped()), (0, 0));

    lab.says("OB DISCHRG", 20);
    let limit = Limit::Battery;
    lab.waits_for_state(State::ShuttingDown { limit });
    lab.waits_for("the stop", |lab| lab.stopped() == 1);
    // Back too late: the supply's output is cut all the same.
    lab.says("OL CHRG", 20);
    let on_line = |lab: &Lab| {
        lab.seen().watched.unwrap().units[0]
            .on_battery_seconds
            .is_none()
    };
    lab.waits_for("the supply on line", on_line);
    assert_eq!(lab.state(), Some(State::ShuttingDown { limit }));
    assert_eq!(watch.interrupt(), Some(0));
    // A watcher that is started anew stops nothing a second time.
    let _again = lab.verb(&["watch"]);
    let at = lab.seen().watched.unwrap().at;
    lab.waits_for("its word", |lab| {
        lab.seen().watched.is_some_and(|told| told.at > at)
    });
    assert_eq!(lab.state(), Some(State::ShuttingDown { limit }));
    assert_eq!(lab.stopped(), 1);
}

#[test]
fn a_flicker_and_a_test_of_the_battery_stop_nothing() {
    let lab = Lab::new();
    let _cable = lab.cable();
    let _watch = lab.verb(&["watch"]);
    lab.waits_for_state(State::OnLine);
    lab.says("OB DISCHRG", 20);
    lab.waits_for_state(State::Flicker);
    lab.says("OL CHRG", 20);
    lab.waits_for("the end of it", |lab| lab.state() != Some(State::Flicker));
    assert_eq!((lab.state(), lab.stopped()), (Some(State::OnLine), 0));
    lab.says("OB DISCHRG LB CAL", 8);
    lab.waits_for_state(State::Testing);
    lab.stays(Duration::from_secs(12), State::Testing);
    let (code, _, errors) = lab.status();
    assert!(code == 0 && errors.contains("試験"), "{errors}");
    lab.says("OL CHRG", 8);
    lab.waits_for_state(State::OnLine);
}

#[test]
fn a_lost_cable_is_told_and_stops_nothing_and_a_watcher_that_ended_is_missed() {
    let lab = Lab::new();
    assert_eq!(lab.status().0, 1, "nobody watches yet");
    let cable = lab.cable();
    let watch = lab.verb(&["watch"]);
    lab.waits_for_state(State::OnLine);
    drop(cable);
    lab.waits_for_state(State::Silent);
    lab.stays(Duration::from_secs(12), State::Silent);
    let (code, _, errors) = lab.status();
    assert!(code == 1 && errors.contains("応答なし"), "{errors}");
    assert!(errors.contains("runbooks/ups-silent.md"), "{errors}");
    let _cable = lab.cable();
    lab.waits_for_state(State::OnLine);
    assert_eq!(lab.status().0, 0);
    assert_eq!(watch.interrupt(), Some(0));
    lab.waits_for("its file to age", |lab| lab.seen().watched.is_none());
    let (code, _, errors) = lab.status();
    assert!(code == 1 && errors.contains("動いていません"), "{errors}");
}

#[test]
fn a_warning_of_the_battery_stops_at_once_and_a_stop_that_fails_is_told() {
    let lab = Lab::new();
    lab.with_stop("/bin/false");
    let _cable = lab.cable();
    let _watch = lab.verb(&["watch"]);
    lab.waits_for_state(State::OnLine);
    lab.says("OB LB", 90);
    lab.waits_for("the failure", |lab| {
        lab.seen()
            .watched
            .is_some_and(|told| told.stop == Stop::Failed)
    });
    let limit = Limit::LowBattery;
    assert_eq!(lab.state(), Some(State::ShuttingDown { limit }));
    let (code, _, errors) = lab.status();
    assert!(code == 1 && errors.contains("失敗しました"), "{errors}");
}

#[test]
fn what_a_watcher_decided_and_did_not_do_any_more_is_done_by_the_next() {
    let lab = Lab::new();
    let _cable = lab.cable();
    fs::create_dir_all(&lab.state_dir).unwrap();
    let decided = Told {
        at: Clock::system().now(),
        state: State::ShuttingDown { limit: Limit::Time },
        stop: Stop::NotYet,
        units: Vec::new(),
    };
    decided.write(&lab.state_dir).unwrap();
    let _watch = lab.verb(&["watch"]);
    lab.waits_for("that it is done", |lab| {
        lab.seen()
            .watched
            .is_some_and(|told| told.stop == Stop::Done)
    });
    assert_eq!(lab.stopped(), 1);
}

#[test]
fn a_training_is_marked_stops_nothing_and_leaves_nothing() {
    let lab = Lab::bare();
    let mut going = lab.verb(&["simulate", "--speed", "10", "--back-after", "2"]);
    lab.waits_for("the training", |lab| {
        let seen = lab.seen();
        matches!(seen.shown(), Some((_, true))) && !seen.is_outage()
    });
    assert_eq!(going.0.wait().unwrap().code(), Some(0));
    assert_eq!(lab.seen(), Seen::default());

    let going = lab.verb(&["simulate", "--speed", "600"]);
    lab.waits_for("the end of it", |lab| {
        let told = lab.seen().training;
        told.is_some_and(|told| matches!(told.state, State::ShuttingDown { .. }))
    });
    assert_eq!(going.interrupt(), Some(130));
    assert_eq!(lab.seen(), Seen::default());
    assert_eq!(lab.stopped(), 0);
}

#[test]
fn a_training_ends_when_the_power_really_fails() {
    let lab = Lab::bare();
    let mut going = lab.verb(&["simulate", "--speed", "20"]);
    lab.waits_for("the training", |lab| {
        matches!(lab.seen().shown(), Some((_, true)))
    });
    let real = Told {
        at: Clock::system().now(),
        state: State::OnBattery {
            seconds: 20,
            seconds_left: 580,
            limit: Limit::Time,
        },
        stop: Stop::NotYet,
        units: Vec::new(),
    };
    real.write(&lab.state_dir).unwrap();
    assert_eq!(lab.seen().shown(), Some((&real, false)));
    assert_eq!(going.0.wait().unwrap().code(), Some(130));
    assert_eq!(lab.seen().training, None);
}
