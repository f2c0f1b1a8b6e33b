//! Staff administration through its own routes.

mod access;
mod ending;
mod moving;
mod registering;
mod seeing;

use jiff::SignedDuration;
use store::{Actor, StaffId, StoreError};

use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;

const HERE: &str = "0101";
const THERE: &str = "0102";

/// 09:00 on 24 November 2026: an administrator at her desk, a nurse, the city.
struct Desk {
    house: House,
    nurse: StaffId,
    admin: StaffId,
}

impl Desk {
    fn new() -> Self {
        let house = House::new();
        let admin = house.add("admin", Role::SystemAdmin, None);
        let nurse = house.add("nurse", Role::Nurse, Some(HERE));
        house.add("choju", Role::CityLongevity, None);
        Self {
            house,
            nurse,
            admin,
        }
    }

    fn admin(&self) -> Browser<'_> {
        self.house.signed_in("admin")
    }

    fn page(&self, browser: &Browser<'_>, path: &str) -> Page {
        browser.get(&format!("/staff/{}{path}", self.nurse))
    }

    /// Opens the form of a move and sends it, through the page that shows what will end.
    fn transfer(&self, browser: &Browser<'_>, fields: &[(&str, &str)]) -> Page {
        let opened = self.page(browser, "/posts/new");
        let seen = input(&opened, "seen");
        let path = format!("/staff/{}/posts", self.nurse);
        let first = browser.post(&path, &[fields, &[("seen", &seen)]].concat());
        if first.status != 200 {
            return first;
        }
        let shown = input(&first, "shown");
        browser.post(
            &path,
            &[fields, &[("seen", &seen), ("shown", &shown)]].concat(),
        )
    }

    fn end(&self, browser: &Browser<'_>, id: StaffId, fields: &[(&str, &str)]) -> Page {
        let opened = browser.get(&format!("/staff/{id}/ending"));
        let (seen, post) = (input(&opened, "seen"), input(&opened, "post"));
        let hidden = [("seen", seen.as_str()), ("post", post.as_str())];
        browser.post(&format!("/staff/{id}/ending"), &[fields, &hidden].concat())
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

    fn posts(&self) -> i64 {
        let nurse = self.nurse;
        let sql = format!("select count(*) from staff_posts where staff_id = {nurse}");
        self.house.count(&sql)
    }
}

fn input(page: &Page, name: &str) -> String {
    let before = format!("name=\"{name}\" value=\"");
    between(&page.body, &before, "\"").unwrap_or_else(|| panic!("no {name}: {}", page.text()))
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

const MOVE: [(&str, &str); 5] = [
    ("role", "social_worker"),
    ("centre", THERE),
    ("job", "社会福祉士"),
    ("starts_on", "R8.11.24"),
    ("reason", "年度途中の異動"),
];

const HANAKO: [(&str, &str); 6] = [
    ("login", "Hanako.1"),
    ("name", "架空　花子"),
    ("kana", "カクウ　ハナコ"),
    ("role", "clerk"),
    ("centre", HERE),
    ("job", "事務"),
];

fn hanako(starts_on: &'static str) -> Vec<(&'static str, &'static str)> {
    [&HANAKO[..], &[("starts_on", starts_on)]].concat()
}

fn with<'a>(
    fields: &[(&'a str, &'a str)],
    name: &'a str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().copied().filter(|(known, _)| *known != name);
    kept.chain([(name, value)]).collect()
}
