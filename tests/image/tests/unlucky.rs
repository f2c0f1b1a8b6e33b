//! Bad days of one machine: its data volume is full, and its clock is wrong. What staff were told that it is saved is
//! there in the end; a full volume refuses in words.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use appliance::boot::{OFF_MAX, SITE, blank};
use appliance::room::Room;
use appliance::vm::Parts;
use base::clock::Clock;
use harness::writing::{Answer, Writer};
use machines::{ARCHIVE_BYTES, Guest, PACKS, Town};

const ANSWER_MAX: Duration = Duration::from_secs(10 * 60);
/// What is written to after the volume is full may still go into blocks that the database has: so many forms, and
/// then one has to be refused.
const FORMS_MAX: u64 = 3000;
/// What staff read then.
const FULL: &str = "空き容量が足りないため保存できませんでした";
const ACTS: &str = r#"
free() { df --output=avail --block-size=1 /volume | tail -n 1; }
fills() {
  while fallocate --length "$(free)" /volume/filler.$(date +%N) 2>/dev/null; do :; done
  while head -c 4096 /dev/zero >>/volume/filler.last 2>/dev/null; do :; done
  free
}
empties() { rm -f /volume/filler.*; sync; free; }
clock() { date --set "$1" >/dev/null; date +%Y; }
"#;

/// The first of those who write.
fn writer(town: &Town, address: &str) -> Arc<Writer> {
    town.sign_in(address).swap_remove(0)
}

#[test]
fn a_full_volume_and_a_wrong_clock_lose_nothing_that_was_acknowledged() {
    let room = Room::here();
    let vm = room.dir("vm").unwrap();
    let town = Town::build();
    let all = town.moved_in(&room, SITE);
    let out = vm.join("out.raw");
    blank(&out, ARCHIVE_BYTES).unwrap();
    let parts = Parts {
        more: vec![("out", out.clone())],
        log: vm.join("console-unlucky.log"),
        ..all.parts
    };
    let mut guest = Guest::start(&room, &parts, &format!("{ACTS}{PACKS}"), false);
    let (address, second) = town.served_by(&mut guest.machine);
    println!("serves after {second:.0} s");
    let staff = writer(&town, &address);
    let mut saved = BTreeSet::new();
    let mut forms = 1..;
    let mut form = || forms.next().expect("numbers without end");
    saved.insert(staff.write(&address, form()).expect("saved"));

    println!(
        "filled; bytes that are free: {}",
        guest.must("fills", ANSWER_MAX)
    );
    let mut refused = None;
    for _ in 0..FORMS_MAX {
        let number = form();
        match staff.ask(&address, number) {
            Answer::Saved(id) => saved.insert(id),
            Answer::Refused(status, page) => {
                assert!(page.contains(FULL), "{status}: {page}");
                refused = Some((number, status));
                break;
            }
            Answer::Nobody => panic!("the service is gone"),
        };
    }
    let (number, status) = refused.expect("a form that is refused");
    println!("{} saved, then {status} in words", saved.len());
    println!(
        "emptied; bytes that are free: {}",
        guest.must("empties", ANSWER_MAX)
    );
    saved.insert(staff.write(&address, number).expect("the same form again"));

    for time in ["@86400", "2031-01-01 09:00"] {
        println!(
            "clock: {}",
            guest.must(&format!("clock '{time}'"), ANSWER_MAX)
        );
        let staff = writer(&town, &address);
        match staff.ask(&address, form()) {
            Answer::Saved(id) => {
                println!("a record is saved: {id}");
                saved.insert(id);
            }
            Answer::Refused(status, page) => println!("refused, {status}, {} bytes", page.len()),
            Answer::Nobody => panic!("the service is gone"),
        }
        guest.must("systemctl is-active hokatsu.service", ANSWER_MAX);
    }
    let now = Clock::system().now().as_second();
    println!(
        "clock: {}",
        guest.must(&format!("clock @{now}"), ANSWER_MAX)
    );
    let staff = writer(&town, &address);
    saved.insert(staff.write(&address, form()).expect("saved"));

    guest.must("packs", ANSWER_MAX);
    let records = town.records(&out);
    assert!(
        records.is_superset(&saved),
        "lost: {:?}",
        saved.difference(&records)
    );
    println!(
        "{} records, all there; off after {:.0} s",
        saved.len(),
        guest.machine.power_off(OFF_MAX).unwrap()
    );
}
