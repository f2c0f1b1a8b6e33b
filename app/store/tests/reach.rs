//! Who is kept from whom, by rows: shields and grants, exclusions, transfers, referrals. A change counts
//! from the next look on, and a day that has passed counts no more.

#![expect(
    clippy::unwrap_used,
    reason = "a suite that cannot set itself up stops at once"
)]

use base::clock::Clock;
use jiff::Timestamp;
use store::{
    Actor, CentreId, DataDir, Db, Event, Operation, Scope, StaffId, StoreError, SystemReason,
};
use tempfile::TempDir;

/// Residents 1 (centre 1), 2 (centre 2), 3 (centre 1, shielded in the register); staff 1 to 3.
const TOWN: &str = include_str!("town.sql");
const AT: &str = "2026-11-25T03:00:00Z";

struct House {
    db: Db,
    _dir: TempDir,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let now: Timestamp = AT.parse().unwrap();
        let db = Db::create(&DataDir::new(dir.path()), Clock::fixed(now)).unwrap();
        let house = Self { db, _dir: dir };
        for sql in TOWN.split(';').filter(|sql| !sql.trim().is_empty()) {
            house.run(sql);
        }
        house
    }

    /// One statement as the system: who may write these rows is the slices' question.
    fn run(&self, sql: &str) {
        let system = Actor::system("test");
        let run = self.db.system(&system, SystemReason::Import, |tx| {
            tx.execute(sql, [])?;
            Ok::<_, StoreError>(tx.audited(Event::done(Operation::Import), ()))
        });
        run.unwrap();
    }

    fn sees(&self, actor: &Actor) -> Vec<i64> {
        let sql = "select id from visible_residents order by id";
        self.db
            .read(actor, |tx| tx.all(sql, [], |row| row.get(0)))
            .map_err(|e: StoreError| e)
            .unwrap()
    }

    fn count(&self, actor: &Actor, table: &str) -> i64 {
        let sql = format!("select count(*) from {table}");
        self.db
            .read(actor, |tx| tx.count(&sql, []))
            .map_err(|e: StoreError| e)
            .unwrap()
    }
}

fn staff(id: i64, scope: Scope) -> Actor {
    Actor {
        staff_id: Some(StaffId(id)),
        scope,
        ..Actor::system("test")
    }
}

fn city() -> Actor {
    staff(1, Scope::City)
}

fn nurse() -> Actor {
    staff(2, Scope::Centre(CentreId(1)))
}

fn other() -> Actor {
    staff(3, Scope::Centre(CentreId(2)))
}

const GRANT: &str =
    "insert into shield_grants values (1, 3, 2, '2026-11-20', '2026-11-25', 'x', 0, 1, '', 1)";
const APPROVED: &str = "insert into approval_decisions values (1, 1, 'approved', 'x', 3, '')";

#[test]
fn a_shielded_person_opens_to_the_named_once_a_second_person_agreed() {
    let house = House::new();
    assert_eq!(house.sees(&nurse()), [1]);
    house.run(GRANT);
    assert_eq!(house.sees(&nurse()), [1], "nobody has agreed yet");
    house.run(APPROVED);
    assert_eq!(house.sees(&nurse()), [1, 3]);
    assert_eq!(house.sees(&city()), [1, 2], "a grant is one person's");
    house.run("insert into shield_grant_endings values (1, 1, 'x', 1, '')");
    assert_eq!(house.sees(&nurse()), [1]);
}

#[test]
fn a_grant_does_not_widen_the_scope_and_ends_with_its_last_day() {
    let house = House::new();
    house.run(&GRANT.replace("3, 2,", "3, 3,"));
    house.run(APPROVED);
    assert_eq!(house.sees(&other()), [2], "she belongs to another centre");
    house.run(
        "insert into shield_grants values (2, 3, 1, '2026-11-20', '2026-11-24', 'x', 0, 1, '', 2)",
    );
    house.run("insert into approval_decisions values (2, 2, 'approved', 'x', 3, '')");
    assert_eq!(house.sees(&city()), [1, 2], "its last day was yesterday");
}

#[test]
fn an_urgent_grant_works_at_once_and_until_it_is_refused() {
    let house = House::new();
    house.run(
        "insert into shield_grants values (1, 3, 1, '2026-11-25', '2026-11-26', 'x', 1, 1, '', 1)",
    );
    assert_eq!(house.sees(&city()), [1, 2, 3]);
    house.run("insert into approval_decisions values (1, 1, 'refused', 'x', 3, '')");
    assert_eq!(house.sees(&city()), [1, 2]);
}

#[test]
fn whom_the_city_shields_is_hidden_everywhere_until_the_end_is_confirmed() {
    let house = House::new();
    let inquirer = Actor {
        may_inquire: true,
        ..other()
    };
    let told = "inquiry_keys where centre_id is not null and resident_id = 1";
    assert_eq!(house.count(&inquirer, told), 1);
    house.run("insert into shields values (1, 1, 'city', '2026-11-01', 'x', 1, '')");
    assert_eq!(
        house.sees(&nurse()),
        [0_i64; 0],
        "the planned day lifts nothing"
    );
    assert_eq!(house.count(&inquirer, told), 0);
    house.run("insert into shield_endings values (1, 1, 'x', 1, '')");
    assert_eq!(house.sees(&nurse()), [1]);
}

#[test]
fn whoever_sees_her_own_people_alone_meets_them_while_she_is_in_charge_and_not_when_kept_from_them()
{
    let house = House::new();
    let own = staff(2, Scope::Assigned(Some(CentreId(1))));
    assert_eq!(house.sees(&own), [0_i64; 0]);
    house.run("insert into assignments values (1, 1, 2, 'main', '2026-11-25', 'x', 1, '')");
    assert_eq!(house.sees(&own), [1]);
    house.run("insert into assignments values (2, 2, 2, 'beside', '2026-11-26', 'x', 1, '')");
    house.run("insert into assignments values (3, 3, 2, 'main', '2026-11-20', 'x', 1, '')");
    assert_eq!(
        house.sees(&own),
        [1],
        "tomorrow's not yet, a shielded one never by this alone"
    );
    assert_eq!(
        house.sees(&nurse()),
        [1],
        "for the others it changes nothing"
    );
    house.run("insert into assignment_endings values (1, 1, '2026-11-25', 'x', 1, '')");
    assert_eq!(house.sees(&own), [1], "its last day is today");
    house.run("insert into exclusions values (1, 1, 2, 'relative', 'x', 1, '')");
    assert_eq!(house.sees(&own), [0_i64; 0]);
}

#[test]
fn whoever_is_excluded_meets_neither_the_person_nor_what_was_written_about_her() {
    let house = House::new();
    house.run("insert into consultations values (1, 'a', 1, 's', 2, ''), (2, 'b', 1, 't', 2, '')");
    house.run("insert into consultation_clients values (1, 1, 1, 2, '')");
    assert_eq!(house.count(&nurse(), "visible_consultations"), 2);
    house.run("insert into exclusions values (1, 1, 2, 'relative', 'x', 1, '')");
    assert_eq!(house.sees(&nurse()), [0_i64; 0]);
    assert_eq!(house.count(&nurse(), "visible_consultations"), 1);
    assert_eq!(house.sees(&city()), [1, 2], "others go on");
    house.run("insert into exclusion_endings values (1, 1, 'x', 1, '')");
    assert_eq!(house.sees(&nurse()), [1]);
}

#[test]
fn the_former_centre_reads_on_for_a_while_and_does_not_write() {
    let house = House::new();
    let moved = |until: &str| {
        format!(
            "insert into centre_transfers values (null, 2, 1, 2, '2026-11-01', 'area', '{until}', null, null, '')"
        )
    };
    house.run(&moved("2026-11-24"));
    assert_eq!(house.sees(&nurse()), [1]);
    house.run(&moved("2026-11-25"));
    assert_eq!(house.sees(&nurse()), [1, 2]);
    let writable = "visible_residents where writable";
    assert_eq!(house.count(&nurse(), writable), 1);
    assert_eq!(house.count(&other(), writable), 1);
}

#[test]
fn a_referred_person_is_met_by_the_section_and_by_nobody_else_of_it() {
    let house = House::new();
    let welfare = Actor {
        role: Some("city_welfare"),
        ..staff(3, Scope::Nothing)
    };
    assert_eq!(house.sees(&welfare), [0_i64; 0]);
    house.run("insert into case_grants values (1, 1, 'city_welfare', null, 1, '2026-11-25', null, 'x', 1, '')");
    assert_eq!(house.sees(&welfare), [1]);
    assert_eq!(house.count(&welfare, "visible_residents where writable"), 1);
    house.run("insert into case_grants values (2, 3, 'city_welfare', null, 1, '2026-11-25', null, 'x', 1, '')");
    assert_eq!(house.sees(&welfare), [1], "a referral lifts no shield");
    house.run("insert into case_grant_endings values (1, 1, 'x', 1, '')");
    assert_eq!(house.sees(&welfare), [0_i64; 0]);
}

#[test]
fn the_sealed_list_is_for_those_who_keep_it_and_tells_no_address() {
    let house = House::new();
    assert_eq!(house.count(&city(), "sealed_residents"), 0);
    let keeper = Actor {
        may_protect: true,
        ..city()
    };
    assert_eq!(house.count(&keeper, "sealed_residents"), 1);
    let asked: Result<i64, StoreError> = house.db.read(&keeper, |tx| {
        tx.count("select count(address) from sealed_residents", [])
    });
    assert!(asked.is_err(), "the sealed list has an address");
}
