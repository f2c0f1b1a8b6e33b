//! A disk of the array is pulled out of a machine that runs, put back, and another one is replaced by a blank one,
//! while staff write all the time: nobody is refused, and the new disk alone holds everything that was acknowledged.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once; its figures are what it is for"
)]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use appliance::boot::{OFF_MAX, SITE, blank};
use appliance::room::Room;
use appliance::vm::{Machine, Parts};
use harness::writing::Writer;
use machines::{ARCHIVE_BYTES, DISK_BYTES, Guest, PACKS, Town};

const ANSWER_MAX: Duration = Duration::from_secs(15 * 60);
const LET_GO_MAX: Duration = Duration::from_secs(120);
/// So many records are saved between one event and the next.
const BETWEEN: usize = 20;
const LOOK: Duration = Duration::from_millis(100);
/// `stands` waits for a state of the array: disks that it lacks, and what it copies.
const ARRAY: &str = r#"
md() { echo /sys/class/block/$(basename $(readlink -f /dev/hokatsu/array))/md; }
state() { echo $(cat $(md)/degraded $(md)/sync_action); }
stands() { i=0; until [ "$(state)" = "$1" ]; do i=$((i + 1)); [ $i -lt 600 ] || break; sleep 1; done; state; }
"#;

/// Staff who write until they are told to stop.
struct Office {
    is_over: Arc<AtomicBool>,
    saved: Arc<Mutex<BTreeSet<i64>>>,
    /// Longest time between a form and its answer, milliseconds.
    slowest: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Office {
    fn open(writers: Vec<Arc<Writer>>, address: &str) -> Self {
        let mut office = Self {
            is_over: Arc::default(),
            saved: Arc::default(),
            slowest: Arc::default(),
            threads: Vec::new(),
        };
        let forms = Arc::new(AtomicU64::new(1));
        for writer in writers {
            let (is_over, saved) = (Arc::clone(&office.is_over), Arc::clone(&office.saved));
            let (slowest, forms) = (Arc::clone(&office.slowest), Arc::clone(&forms));
            let address = address.to_owned();
            office.threads.push(std::thread::spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    let form = forms.fetch_add(1, Ordering::SeqCst);
                    let begun = Instant::now();
                    let id = writer.write(&address, form).expect("nobody answered");
                    let took = u64::try_from(begun.elapsed().as_millis()).unwrap();
                    slowest.fetch_max(took, Ordering::SeqCst);
                    saved.lock().unwrap().insert(id);
                }
            }));
        }
        office
    }

    fn count(&self) -> usize {
        self.saved.lock().unwrap().len()
    }

    /// Some more records are saved, while nothing else happens.
    fn goes_on(&self, machine: &mut Machine) {
        let wanted = self.count() + BETWEEN;
        let more = machine.wait("records to be saved", ANSWER_MAX, |_| {
            assert!(!self.threads.iter().any(JoinHandle::is_finished), "refused");
            std::thread::park_timeout(LOOK);
            Ok((self.count() >= wanted).then_some(()))
        });
        more.unwrap();
    }

    /// What was acknowledged.
    fn close(self) -> BTreeSet<i64> {
        self.is_over.store(true, Ordering::SeqCst);
        for thread in self.threads {
            thread.join().expect("somebody was refused");
        }
        let slowest = self.slowest.load(Ordering::SeqCst);
        let saved = self.saved.lock().unwrap().clone();
        println!("{} records; the slowest took {slowest} ms", saved.len());
        saved
    }
}

fn stands(guest: &mut Guest, state: &str) {
    let begun = guest.machine.second();
    let found = guest.must(&format!("stands '{state}'"), ANSWER_MAX);
    assert_eq!(found, state);
    println!("{state}: after {:.0} s", guest.machine.second() - begun);
}

/// What lies on the machine's disks.
fn records(guest: &mut Guest, parts: &Parts, town: &Town) -> BTreeSet<i64> {
    guest.must("packs", ANSWER_MAX);
    let (_, out) = parts.more.first().unwrap();
    town.records(out)
}

#[test]
fn disks_are_pulled_and_replaced_while_staff_write_and_nobody_notices() {
    let room = Room::here();
    let vm = room.dir("vm").unwrap();
    let town = Town::build();
    let all = town.moved_in(&room, SITE);
    let script = format!("{ARRAY}{PACKS}");
    let (spare, out) = (vm.join("spare.raw"), vm.join("out.raw"));
    blank(&spare, DISK_BYTES).unwrap();
    blank(&out, ARCHIVE_BYTES).unwrap();
    let parts = Parts {
        spare: Some(spare.clone()),
        more: vec![("out", out)],
        log: vm.join("console-pull.log"),
        ..all.parts
    };
    let mut guest = Guest::start(&room, &parts, &script, false);
    let (address, second) = town.served_by(&mut guest.machine);
    println!("serves after {second:.0} s");
    let office = Office::open(town.sign_in(&address), &address);
    office.goes_on(&mut guest.machine);

    println!("disk 1 is pulled out");
    guest.machine.pull(1, LET_GO_MAX).unwrap();
    stands(&mut guest, "1 idle");
    office.goes_on(&mut guest.machine);
    println!("disk 1 is put back");
    guest.machine.plug(1, false).unwrap();
    stands(&mut guest, "0 idle");
    office.goes_on(&mut guest.machine);

    println!("disk 2 is pulled out");
    guest.machine.pull(2, LET_GO_MAX).unwrap();
    stands(&mut guest, "1 idle");
    office.goes_on(&mut guest.machine);
    println!("a blank disk is put into its place");
    guest.machine.plug(2, true).unwrap();
    stands(&mut guest, "0 idle");
    office.goes_on(&mut guest.machine);
    let saved = office.close();
    let found = records(&mut guest, &parts, &town);
    assert!(
        found.is_superset(&saved),
        "lost: {:?}",
        saved.difference(&found)
    );
    guest.machine.power_off(OFF_MAX).unwrap();

    let alone = Parts {
        data: [None, Some(spare)],
        spare: None,
        log: vm.join("console-pull-alone.log"),
        ..parts
    };
    let mut guest = Guest::start(&room, &alone, &script, false);
    let (_, second) = town.served_by(&mut guest.machine);
    let found = records(&mut guest, &alone, &town);
    assert!(
        found.is_superset(&saved),
        "lost: {:?}",
        saved.difference(&found)
    );
    println!("the new disk alone: serves after {second:.0} s, everything is there");
}
