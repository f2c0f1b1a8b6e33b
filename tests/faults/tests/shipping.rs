//! The shipped log on a disk that fails and loses power: what the shipper said is durable is durable.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use std::time::{Duration, Instant};

use base::clock::Clock;
use base::shipping::{Answer, Line, Request, State, machine_dir};
use faults::house::{House, text};
use faults::{Dice, Errno, Fault, Op, What, Where};
use store::{Actor, DataDir, Db, Event, Operation, StoreError, facts_of};

const PATIENCE: Duration = Duration::from_secs(60);
const LOG: Where = Where::Below("shipping/generation");

fn entry(db: &Db) -> i64 {
    let actor = Actor::system("試験");
    let done: Result<(), StoreError> = db.write(&actor, |tx| {
        Ok(tx.audited(Event::done(Operation::SetUp), ()))
    });
    done.unwrap();
    let sql = "select max(id) from audit_entries";
    let read: Result<i64, StoreError> = db.read(&actor, |tx| tx.count(sql, []));
    read.unwrap()
}

fn ask(house: &House, request: &Request) -> Answer {
    let mut line = Line::call(&machine_dir(house.data.path())).unwrap();
    line.ask(request, PATIENCE).unwrap()
}

fn stands(house: &House, state: State) {
    let begun = Instant::now();
    while ask(house, &Request::Status).state != state {
        assert!(begun.elapsed() < PATIENCE, "never {state:?}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// The last entry that the disk gives back.
fn rebuilt(house: &House) -> i64 {
    let to = house.fresh("rebuilt");
    let (code, _, errors) = house.run(&["ship", "rebuild", "--yes", "--to", text(&to)]);
    assert!(code == 0 || code == 1, "{errors}");
    facts_of(&DataDir::new(to).database())
        .unwrap()
        .audit_entries
}

/// What one shipper wrote and could not flush is read by the next, which must not take it for durable.
#[test]
fn what_a_killed_shipper_wrote_and_did_not_flush_is_flushed_before_it_counts() {
    let mut house = House::bare();
    let shipper = house.shipper();
    let db = Db::open(&house.data, Clock::system()).unwrap();
    entry(&db);
    assert!(ask(&house, &Request::Wait).yes);
    let refused = |op| Fault::always(op, What::Fail(Errno::EIO)).at(LOG);
    house.disk.set(&[refused(Op::Flush), refused(Op::Change)]);
    entry(&db);
    stands(&house, State::Failed);
    drop(shipper);
    house.disk.mend();
    let shipper = house.shipper();
    let last = entry(&db);
    assert!(ask(&house, &Request::Wait).yes);
    db.close().unwrap();
    drop(shipper);
    house.disk.power_cut(None);
    let there = rebuilt(&house);
    assert!(there >= last, "{last} was durable, {there} came back");
}

#[test]
fn what_was_durable_survives_any_power_cut_and_shipping_goes_on() {
    let mut house = House::bare();
    let mut dice = Dice::of(1);
    for cut in 0..6 {
        let shipper = house.shipper();
        let db = Db::open(&house.data, Clock::system()).unwrap();
        let mut last = 0;
        for _ in 0..dice.below(20) + 1 {
            last = entry(&db);
        }
        assert!(ask(&house, &Request::Wait).yes);
        // More of it, about which nobody asks.
        for _ in 0..dice.below(5) {
            entry(&db);
        }
        db.close().unwrap();
        drop(shipper);
        // As whoever relies on nothing but fsync would lose it, and as a disk with a cache of its own does.
        let chance = (cut % 2 == 1).then_some((&mut dice, 4_096));
        house.disk.power_cut(chance);
        let there = rebuilt(&house);
        assert!(
            there >= last,
            "cut {cut}: {last} was durable, {there} came back"
        );
    }
}
