//! `entry`: what one entry of the access log costs, beside the page that it is about.
//!
//! Two figures: the statements of a person's page with one inserted and committed entry against the
//! same without (time, so that p99 of both is there); and the processor time of one entry of the
//! product against that of the whole page, by itself and while as many terminals as the city has
//! wait for one another. There a share of 1,000 % says that the entry is a tenth.

use std::time::{Duration, Instant};

use axum::http::StatusCode;
use store::{Actor, Event, Operation, ResidentId, StoreError, statements};

use crate::bare::questions;
use crate::figure::{Figure, Measured};
use crate::house::House;
use crate::memory;
use crate::problem::Problem;
use crate::typed::{self, spread};
use crate::visitor::refused;

const PEOPLE: usize = 20;
const ROUNDS: usize = 10;
/// Processor time is counted in hundredths of a second: many at once, or it says nothing.
const ENTRIES: u32 = 500;
/// Terminals of the city and its five centres.
const AT_ONCE: u32 = 33;
const ENTRIES_EACH: u32 = 30;
/// Entries are about people all over the register, as a day's are.
const STRIDE: i64 = 7_919;
const REGISTER: i64 = 15_000;
/// As long as the kernel's clock ticks on every machine that Debian supports.
const TICK: Duration = Duration::from_millis(10);

pub(crate) fn measure(house: &House) -> Result<Vec<Figure>, Problem> {
    let [_, viewer] = house.viewers()?;
    let bare = house.bare(viewer.scope)?;
    let callers = typed::callers(&house.app, viewer.scope)?;
    let without = "the statements of the page without the entry";
    let mut time = Measured::new("entry", "with one entry", without, "requests")?;
    let whole = "the whole page";
    let mut cpu = Measured::new("entry", "processor time of one entry", whole, "requests")?;
    let name = "processor time of one entry of 33 at once";
    let mut crowd = Measured::new("entry", name, whole, "requests")?;
    memory::forget_own_peak();
    for caller in spread(&callers, PEOPLE) {
        let address = format!("/residents/{}", caller.id);
        let (answer, recorded) = statements::record(|| viewer.visitor.get(&address));
        answer?;
        let recorded = questions(recorded);
        for _ in 0..ROUNDS {
            let started = Instant::now();
            bare.ask_and_enter(&recorded)?;
            time.ours.add(started.elapsed(), 1);
            let started = Instant::now();
            bare.ask(&recorded)?;
            time.ceiling.add(started.elapsed(), 1);
        }
    }
    let addresses: Vec<String> = spread(&callers, PEOPLE)
        .iter()
        .map(|caller| format!("/residents/{}", caller.id))
        .collect();
    for _ in 0..ROUNDS {
        let began = processor_time();
        for address in addresses.iter().cycle().take(100) {
            let (_, answer) = viewer.visitor.get(address)?;
            if answer.status != StatusCode::OK {
                cpu.failures.add(refused(address, &answer).told());
            }
        }
        let page = spent(began, 100);
        cpu.ceiling.add(page, 1);
        crowd.ceiling.add(page, 1);
        let began = processor_time();
        for number in 0..ENTRIES {
            one_entry(house, number)?;
        }
        cpu.ours.add(spent(began, ENTRIES), 1);
        crowd.ours.add(at_once(house)?, 1);
    }
    (time.peak_memory, cpu.peak_memory) = (memory::own_peak(), memory::own_peak());
    crowd.peak_memory = memory::own_peak();
    Ok(vec![time.into(), cpu.into(), crowd.into()])
}

/// Processor time of one entry while others wait for theirs.
fn at_once(house: &House) -> Result<Duration, Problem> {
    let began = processor_time();
    std::thread::scope(|scope| {
        let terminals: Vec<_> = (0..AT_ONCE)
            .map(|terminal| {
                scope.spawn(move || {
                    let numbers = (0..ENTRIES_EACH).map(|each| terminal * ENTRIES_EACH + each);
                    numbers
                        .into_iter()
                        .try_for_each(|number| one_entry(house, number))
                })
            })
            .collect();
        terminals.into_iter().try_for_each(|terminal| {
            terminal
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })?;
    Ok(spent(began, AT_ONCE * ENTRIES_EACH))
}

fn one_entry(house: &House, number: u32) -> Result<(), Problem> {
    let person = ResidentId(1 + i64::from(number) * STRIDE % REGISTER);
    let event = Event::done(Operation::ResidentView).about(person);
    let actor = Actor::system("bench");
    house
        .app
        .db()
        .view(&actor, |tx| Ok::<_, StoreError>(tx.audited(event, ())))?;
    Ok(())
}

fn spent(began: Duration, each: u32) -> Duration {
    processor_time().saturating_sub(began) / each.max(1)
}

/// Of all threads of this process since it began.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program stands in brackets and may hold spaces.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = rest.split_whitespace().skip(11).take(2);
    let ticks: u32 = ticks.filter_map(|text| text.parse::<u32>().ok()).sum();
    TICK.saturating_mul(ticks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_grows_while_something_is_done() {
        let began = processor_time();
        let started = Instant::now();
        let mut sum = 0_u64;
        while started.elapsed() < Duration::from_millis(200) {
            sum = sum.wrapping_add(1);
        }
        assert!(sum > 0 && processor_time() > began);
    }
}
