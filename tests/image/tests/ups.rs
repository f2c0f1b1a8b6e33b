//! The mains fail: a supply invented by NUT's own driver says so inside a machine of the image, staff see it on their
//! pages, the machine stops by itself, has the output cut as its last deed, and comes back with everything that was
//! saved.
//!
//! What is not real is the supply: its driver is another one (a bind mount over the image's `ups.conf`), and it cannot
//! cut anything. That it was told to is seen on the console, behind the last unmount.

#![expect(
    clippy::print_stdout,
    reason = "the time line is what the suite is for"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use appliance::boot::SITE;
use appliance::room::Room;
use appliance::vm::{Machine, Parts};
use harness::process::Client;
use harness::writing::WRITERS;
use machines::{Guest, Town};

const ANSWER_MAX: Duration = Duration::from_secs(5 * 60);
/// From the threshold to off.
const STOP_MAX: Duration = Duration::from_secs(5 * 60);
const WHEN_ASKED_TOO_OFTEN: Duration = Duration::from_millis(300);
/// Of what was saved until it stopped the newest are looked at: what was saved before them is not lost alone.
const LOOKED_AT: usize = 40;
/// Short ones: nobody waits ten minutes here.
const UPS: &str = "\n[ups]\nflicker_seconds = 10\non_battery_seconds = 60\nruntime_seconds = 60\n";
/// What every page says meanwhile.
const ON_BATTERY: &str = "停電のため、装置は電池（UPS）で動いています";
const SILENT: &str = "の応答がありません（ケーブル）";
/// What the late shutdown says when it finds the flag.
const CUTS: &str = "Commanding UPSes (if any) to shutdown";

/// The supply, and what can happen to it.
const SUPPLY: &str = r#"
mkdir -p /run/supply
printf '[ups]\n  driver = dummy-ups\n  port = /run/supply/ups.dev\n  mode = dummy-once\n  pollinterval = 1\n' \
  >/run/supply/ups.conf
says() {
  printf 'ups.status: %s\nbattery.charge: %s\nbattery.runtime: 2400\n' "$1" "$2" >/run/supply/new
  sleep 1.2
  mv /run/supply/new /run/supply/ups.dev
}
plugged() {
  says OL 100
  mountpoint --quiet /etc/nut/ups.conf || mount --bind /run/supply/ups.conf /etc/nut/ups.conf
  systemctl restart nut-driver@ups.service nut-server.service
}
pulled() { systemctl stop nut-driver@ups.service; }
state() { hokatsu --json ups status 2>/dev/null | sed -n 's/.*"state":{"name":"\([a-z-]*\)".*/\1/p'; }
stands() { i=0; until [ "$(state)" = "$1" ]; do i=$((i + 1)); [ $i -lt 90 ] || break; sleep 1; done; state; }
"#;

struct Office {
    client: Client,
    address: String,
}

impl Office {
    fn shows(&mut self, page: &str, words: &str) -> bool {
        let page = format!("{}{page}", self.address);
        let (mut status, mut text) = self.client.get(&page);
        while status == 429 {
            std::thread::park_timeout(WHEN_ASKED_TOO_OFTEN);
            (status, text) = self.client.get(&page);
        }
        assert_eq!(status, 200, "{page}");
        text.contains(words)
    }
}

#[test]
fn an_outage_is_told_stops_the_machine_cuts_the_output_and_is_survived() {
    let room = Room::here();
    let vm = room.dir("vm").unwrap();
    let town = Town::build();
    let all = town.moved_in(&room, &format!("{SITE}{UPS}"));
    let parts = Parts {
        log: vm.join("console-ups.log"),
        ..all.parts.clone()
    };
    let mut guest = Guest::start(&room, &parts, SUPPLY, false);
    let (address, second) = town.served_by(&mut guest.machine);
    println!("serves after {second:.0} s");
    let (login, _) = WRITERS[0];
    let mut office = signed_in(&town, &address, login);
    let mut administrator = signed_in(&town, &address, "system.01");

    // Nothing is plugged in yet.
    expect(&mut guest, "stands silent", "silent");
    assert!(administrator.shows("/", SILENT) && !office.shows("/", SILENT));
    expect(&mut guest, "plugged; stands on-line", "on-line");
    assert!(!administrator.shows("/", SILENT));
    expect(
        &mut guest,
        "says 'OB DISCHRG' 90; stands flicker",
        "flicker",
    );
    assert!(!office.shows("/", ON_BATTERY));
    expect(&mut guest, "says OL 90; stands on-line", "on-line");
    expect(
        &mut guest,
        "says 'OB DISCHRG CAL LB' 9; stands testing; sleep 15; state",
        "testing",
    );
    // So long that NUT's own monitor has heard it too: one that calibrates and then falls silent is dead to it at
    // once, and it stops the machine (docs/decisions/0046-ups.md).
    expect(
        &mut guest,
        "says OL 90; stands on-line; sleep 12; state",
        "on-line",
    );
    expect(
        &mut guest,
        "pulled; stands silent; sleep 15; state",
        "silent",
    );
    expect(&mut guest, "plugged; stands on-line", "on-line");

    // Somebody saves to the last.
    let writers = town.sign_in(&address);
    let saved = Arc::new(Mutex::new(Vec::new()));
    let writing = {
        let (saved, address, writer) = (
            saved.clone(),
            address.clone(),
            writers.first().unwrap().clone(),
        );
        std::thread::spawn(move || {
            let mut form = 1;
            while let Some(id) = writer.write(&address, form) {
                saved.lock().unwrap().push(id);
                form += 1;
            }
        })
    };
    expect(
        &mut guest,
        "says 'OB DISCHRG' 80; stands on-battery",
        "on-battery",
    );
    let begun = guest.machine.second();
    assert!(office.shows("/", ON_BATTERY));
    println!("{begun:.0} s: on battery, and staff's page says so");
    let cut = guest
        .machine
        .wait("the output to be cut", STOP_MAX, |machine| {
            Ok(machine.shown(CUTS))
        });
    println!("{:.0} s: told the supply to cut its output", cut.unwrap());
    let off = guest.machine.goes_off(STOP_MAX).unwrap();
    println!("off {off:.0} s after that");
    writing.join().unwrap();

    let again = Parts {
        log: vm.join("console-ups-again.log"),
        ..all.parts.clone()
    };
    let mut machine = Machine::start(&room, &again).unwrap();
    let (address, second) = town.served_by(&mut machine);
    let mut office = signed_in(&town, &address, login);
    let saved = saved.lock().unwrap().clone();
    for id in saved.iter().rev().take(LOOKED_AT) {
        assert!(
            office.shows(&format!("/consultations/{id}"), "停電の試験。"),
            "{id}"
        );
    }
    println!(
        "power again: serves after {second:.0} s, {} records were saved until it stopped",
        saved.len()
    );
    assert!(!saved.is_empty(), "nobody saved anything");
}

fn signed_in(town: &Town, address: &str, login: &str) -> Office {
    let mut client = Client::trusting(town.authority());
    assert!(
        client.sign_in(address, login, &demo::staff::password(login)),
        "{login}"
    );
    Office {
        client,
        address: address.to_owned(),
    }
}

fn expect(guest: &mut Guest, script: &str, state: &str) {
    let answer = guest.does(script, ANSWER_MAX);
    let second = guest.machine.second();
    println!("{second:.0} s: {script}: {answer}");
    assert_eq!(answer.split(' ').next_back(), Some(state), "{answer}");
}
