//! Rights through their own routes.

mod exceptions;
mod plans;
mod roles;
mod two_people;

use jiff::SignedDuration;
use store::{Actor, StaffId, StoreError};

use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::{Permission, Rights, Role};

const HERE: &str = "0101";
const THERE: &str = "0102";

/// 09:00 on 24 November 2026: two administrators, the city, a nurse and a clerk.
struct Desk {
    house: House,
    admin: StaffId,
    nurse: StaffId,
}

impl Desk {
    fn new() -> Self {
        let house = House::new();
        let admin = house.add("admin", Role::SystemAdmin, None);
        house.add("choju", Role::CityLongevity, None);
        let nurse = house.add("nurse", Role::Nurse, Some(HERE));
        house.add("clerk", Role::Clerk, Some(HERE));
        Self {
            house,
            admin,
            nurse,
        }
    }

    fn admin(&self) -> Browser<'_> {
        self.house.signed_in("admin")
    }

    /// Sends a form as somebody does who opened it first: the preview, and what follows it.
    fn through(&self, by: &Browser<'_>, form: &str, to: &str, fields: &[(&str, &str)]) -> Page {
        let opened = by.get(form);
        assert_eq!(opened.status, 200, "{form}: {}", opened.text());
        let seen = input(&opened, "seen");
        let first = by.post(to, &[fields, &[("seen", &seen)]].concat());
        if first.status != 200 {
            return first;
        }
        let shown = input(&first, "shown");
        by.post(
            to,
            &[fields, &[("seen", &seen), ("shown", &shown)]].concat(),
        )
    }

    fn role(&self, by: &Browser<'_>, role: &str, fields: &[(&str, &str)]) -> Page {
        let form = format!("/rights/roles/{role}");
        self.through(by, &form, &format!("{form}/changes"), fields)
    }

    fn except(&self, by: &Browser<'_>, staff: StaffId, fields: &[(&str, &str)]) -> Page {
        let place = format!("/staff/{staff}/exceptions");
        self.through(by, &format!("{place}/new"), &place, fields)
    }

    fn entries(&self, operation: &str, outcome: &str) -> i64 {
        self.house.count(&format!(
            "select count(*) from audit_entries
             where operation = '{operation}' and outcome = '{outcome}'"
        ))
    }

    /// What the newest entry of an act says.
    fn detail(&self, operation: &str) -> String {
        let sql = "select detail from audit_entries where operation = ?1 order by id desc limit 1";
        let read = self.house.db().read(&Actor::system("試験"), |tx| {
            tx.one(sql, [operation], |row| row.get(0))
        });
        read.map_err(|e: StoreError| e).unwrap().unwrap()
    }

    fn step_days(&self, days: i64) {
        self.house.hand.step(SignedDuration::from_hours(24 * days));
    }
}

fn input(page: &Page, name: &str) -> String {
    let before = format!("name=\"{name}\" value=\"");
    between(&page.body, &before, "\"").unwrap_or_else(|| panic!("no {name}: {}", page.text()))
}

/// What a nurse may do as shipped, without one permission.
fn nurse_without(code: &str) -> Vec<(&'static str, &'static str)> {
    let shipped = Rights::shipped(Role::Nurse);
    let all = Permission::grantable().filter(|permission| shipped.has(*permission));
    let all = all.map(Permission::code);
    let kept = all.filter(|known| *known != code);
    kept.map(|known| ("may", known)).collect()
}

fn dated<'a>(
    boxes: &[(&'a str, &'a str)],
    day: &'a str,
    reason: &'a str,
) -> Vec<(&'a str, &'a str)> {
    [boxes, &[("starts_on", day), ("reason", reason)]].concat()
}

#[test]
fn the_permissions_of_a_group_stand_together_in_every_table() {
    let mut groups: Vec<&str> = Permission::grantable().map(Permission::group).collect();
    groups.dedup();
    let mut once = groups.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(groups.len(), once.len(), "{groups:?}");
}
