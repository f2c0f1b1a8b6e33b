//! Abuse cases through their own routes.

mod course;
mod knowing;
mod log;
mod reporter;

use store::{Actor, StaffId, StoreError, SystemReason};

use crate::features::staff::tests::house::{Browser, House, Page, between};
use crate::web::Role;

const HERE: &str = "0101";
const THERE: &str = "0102";

/// Two people of the first centre (2 may be 1's carer); its staff, the neighbours', the city.
struct Desk {
    house: House,
}

/// A report that can be saved, about resident 1.
pub(in crate::features) const REPORT: [(&str, &str); 12] = [
    ("case_type", "carer"),
    ("reported_on", "R8.11.24"),
    ("reported_at", "8:30"),
    ("received_at", "centre"),
    ("reporter_kind", "neighbour"),
    ("urgency", "today"),
    ("resident", "1"),
    ("carer_relation", "son"),
    ("kinds", "physical"),
    ("content", "どなり声と物音が続いている。"),
    ("reporter_name", "田所 由美"),
    ("reporter_contact", "048-000-0009"),
];

const VISIT: [(&str, &str); 6] = [
    ("step_kind", "facts"),
    ("held_on", "R8.11.24"),
    ("held_at", "8:50"),
    ("method", "visit"),
    ("safety", "confirmed"),
    ("note", "本人に会った。けがはない。"),
];

const CORE: [(&str, &str); 10] = [
    ("step_kind", "core"),
    ("held_on", "R8.11.24"),
    ("manager", "課長 架空"),
    ("judgement", "abuse"),
    ("urgent", "no"),
    ("severity", "2"),
    ("policy", "在宅を続ける"),
    ("roles", "センターが週1回訪問"),
    ("next_review_on", "R8.12.24"),
    ("note", "分離はしない"),
];

impl Desk {
    fn new() -> Self {
        let house = House::new();
        for (login, role, centre) in [
            ("worker", Role::SocialWorker, Some(HERE)),
            ("boss", Role::CentreManager, Some(HERE)),
            ("nurse", Role::Nurse, Some(HERE)),
            ("clerk", Role::Clerk, Some(HERE)),
            ("thatworker", Role::SocialWorker, Some(THERE)),
            ("welfare", Role::CityWelfare, None),
            ("city", Role::CityLongevity, None),
            ("admin", Role::SystemAdmin, None),
        ] {
            house.add(login, role, centre);
        }
        house.resident(1, "1940-01-01", HERE, "1");
        house.resident(2, "1970-01-01", HERE, "1");
        Self { house }
    }

    fn at(&self, login: &str) -> Browser<'_> {
        let browser = self.house.signed_in(login);
        browser.get("/password");
        browser
    }

    fn staff(&self, login: &str) -> StaffId {
        let sql = format!("select id from staff where login = '{login}'");
        StaffId(self.house.count(&sql))
    }

    fn number(&self, sql: &str) -> i64 {
        let read: Result<i64, StoreError> = self
            .house
            .db()
            .system_read(SystemReason::Demo, |tx| tx.count(sql, []));
        read.unwrap()
    }

    fn entries(&self, operation: &str) -> Vec<String> {
        let sql = "select outcome || ' ' || coalesce(resident_id, '-') || ' ' || detail
            from audit_entries where operation = ?1 order by id";
        let read = self.house.db().read(&Actor::system("試験"), |tx| {
            tx.all(sql, [operation], |row| row.get(0))
        });
        read.map_err(|e: StoreError| e).unwrap()
    }

    /// Receives a report; the address of the case.
    fn receive(&self, browser: &Browser<'_>, changes: &[(&str, &str)]) -> String {
        browser.get("/abuse-cases/new");
        let page = browser.post("/abuse-cases", &changed(&REPORT, changes));
        assert_eq!(page.status, 303, "{}", page.text());
        address(&page)
    }

    fn name(&self, by: &Browser<'_>, case: &str, login: &str, more: &[(&str, &str)]) -> Page {
        let staff = self.staff(login).to_string();
        let fields = [
            ("staff", staff.as_str()),
            ("access", "write"),
            ("member_reason", "担当のため"),
        ];
        by.post(&format!("{case}/members"), &changed(&fields, more))
    }
}

fn address(page: &Page) -> String {
    let to = page.header("location");
    to.split('?').next().unwrap_or_default().to_owned()
}

/// Fields with some replaced or added.
fn changed<'f>(
    usual: &[(&'f str, &'f str)],
    changes: &[(&'f str, &'f str)],
) -> Vec<(&'f str, &'f str)> {
    let kept = usual
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(new, _)| new == name));
    kept.chain(changes).copied().collect()
}

fn hidden(page: &Page, name: &str) -> String {
    let before = format!("name=\"{name}\" value=\"");
    between(&page.body, &before, "\"").unwrap()
}
