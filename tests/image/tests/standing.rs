//! One machine of the image with a town in it, and what is asked of it before it may go live: it serves, listens where
//! it should and nowhere else, nothing in it failed, its services are as closed as they say, and a day's work is done
//! in a browser.

use std::collections::BTreeSet;
use std::time::Duration;

use appliance::boot::{OFF_MAX, SITE};
use appliance::room::Room;
use appliance::vm::Parts;
use machines::{Guest, Town};
use tempfile::TempDir;

const ANSWER_MAX: Duration = Duration::from_secs(5 * 60);
/// A line each: kind, address and port.
const PORTS: &str = include_str!("../ports.txt");
/// What systemd calls exposure, of whatever is ours.
const EXPOSURE_MAX: f64 = 2.0;
/// The main day's work.
const JOURNEY: &str = "the_phone_rings_and_the_keyboard_does_the_rest";
/// One line of answers, the parts of a list with a semicolon between.
const ASKS: &str = r#"
list() { tr '\n' ';'; }
ports() { ss --no-header --listening --numeric --tcp --udp --raw | awk '{ print $1, $5 }' | sed 's/%[^:]*//' | list; }
failed() { systemctl list-units --failed --plain --no-legend | awk '{ print $1 }' | list; }
exposure() { systemd-analyze security --no-pager | awk '/^hokatsu/ { print $1, $2 }' | list; }
memory() { awk '/^MemTotal|^MemAvailable/ { print $2 }' /proc/meminfo | list; }
"#;

/// The parts of a list, without the exit code that stands before it.
fn parts(answer: &str) -> BTreeSet<String> {
    let (code, list) = answer.split_once(' ').unwrap_or((answer, ""));
    assert_eq!(code, "0", "{answer}");
    let parts = list.split(';').map(str::trim);
    parts
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_machine_serves_listens_where_it_should_and_a_day_s_work_is_done() {
    let room = Room::here();
    let town = Town::build();
    let all = town.moved_in(&room, SITE);
    let log = room.dir("vm").unwrap().join("console-standing.log");
    let mut guest = Guest::start(&room, &Parts { log, ..all.parts }, ASKS, false);
    let (address, second) = town.served_by(&mut guest.machine);
    println!("serves after {second:.0} s");
    let mut asked = |what: &str| parts(&guest.does(what, ANSWER_MAX));

    assert_eq!(asked("failed"), BTreeSet::new(), "units that failed");
    let wanted = PORTS.lines().filter(|line| !line.starts_with('#'));
    let wanted: BTreeSet<String> = wanted.map(str::to_owned).collect();
    assert_eq!(asked("ports"), wanted, "listening, against ports.txt");
    let exposure = asked("exposure");
    assert!(!exposure.is_empty(), "no service is ours");
    for one in &exposure {
        println!("exposure: {one}");
        let figure = one.rsplit(' ').next().and_then(|word| word.parse().ok());
        let figure: f64 = figure.expect("a figure");
        assert!(figure <= EXPOSURE_MAX, "{one}");
    }
    println!("memory in all and free, KiB: {:?}", asked("memory"));

    let home = TempDir::new().unwrap();
    journeys::walk(
        JOURNEY,
        &town.said_at(&address),
        &town.authority(),
        home.path(),
    );
    println!(
        "the journey {JOURNEY}: done at {:.0} s",
        guest.machine.second()
    );
    println!(
        "off after {:.0} s",
        guest.machine.power_off(OFF_MAX).unwrap()
    );
}
