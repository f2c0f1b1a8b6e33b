//! The page through its own route: what is on each disk, where it is, and what stands above every page.

use base::disks::{Disk, Disks, Ended, Here, How, Plugged, Saved, State};
use jiff::{SignedDuration, Timestamp};
use store::Actor;

use crate::features::carried_out::{Console, Disk as Carried, keep_disk};
use crate::features::staff::tests::house::House;
use crate::web::Role;

const PAGE: &str = "/backup-disks";

struct Desk(House);

impl Desk {
    fn new() -> Self {
        let house = House::new();
        house.add("admin", Role::SystemAdmin, None);
        house.add("choju", Role::CityLongevity, None);
        house.add("nurse", Role::Nurse, Some("0101"));
        Self(house)
    }

    fn now(&self) -> Timestamp {
        self.0.app().clock().now()
    }

    fn add(&self, disk: Disk) {
        let file = self.0.db().dir().backup_disks();
        Disks::change(&file, |disks| disks.disks.push(disk)).unwrap();
    }

    fn disk(&self, name: &str, saved_days_ago: Option<i64>) -> Disk {
        let days = |days: i64| self.now() - SignedDuration::from_hours(24 * days);
        Disk {
            name: name.to_owned(),
            uuid: format!("{name}0000000-1111"),
            mark: name.to_owned(),
            enrolled_at: days(100),
            ended: None,
            saved: saved_days_ago.map(|ago| Saved {
                at: days(ago),
                taken_at: days(ago),
                snapshot: "a".repeat(64),
            }),
            left_at: saved_days_ago.map(days),
        }
    }

    fn carried_away(&self, name: &str) {
        let actor = Actor::system("試験");
        let console = Console {
            db: self.0.db(),
            actor: &actor,
            operator: "試験",
            submission: name,
        };
        let disk = Carried {
            repository: name,
            medium: "02",
            label: name,
            destination: "中央公民館",
            carried_by: "係の者",
            days_out: 14,
            persons: 3,
        };
        assert!(keep_disk(console, &disk).unwrap().is_ok());
    }

    fn plugged(&self, name: &str, state: State) {
        let plugged = Plugged {
            name: Some(name.to_owned()),
            state,
            since: self.now(),
            pid: std::process::id(),
            words: format!("ディスク「{name}」は取り外してよい状態です。"),
        };
        let file = self.0.db().dir().disks_here();
        Here::note(&file, "/dev/sdz1", Some(plugged)).unwrap();
    }
}

#[test]
fn without_a_disk_the_page_says_why_there_should_be_two() {
    let desk = Desk::new();
    let page = desk.0.signed_in("admin").get(PAGE);
    assert!(page.text().contains("2台以上を交代で"), "{}", page.text());
}

#[test]
fn each_disk_shows_what_is_on_it_and_where_it_is_and_the_oldest_is_next() {
    let desk = Desk::new();
    desk.add(desk.disk("B", Some(3)));
    desk.add(desk.disk("C", Some(9)));
    desk.carried_away("B");
    let page = desk.0.signed_in("choju").get(PAGE);
    let text = page.text();
    assert!(text.contains("次につなぐのは C です"), "{text}");
    assert!(text.contains("中央公民館（係の者）"), "{text}");
    assert!(text.contains("建物の中"), "{text}");
    assert!(page.body.contains("/carried-out/1\""), "{}", page.body);
    let printed = desk.0.signed_in("choju").get("/backup-disks/list.pdf");
    assert!(printed.bytes.starts_with(b"%PDF"), "{}", printed.text());
    let entries = "select count(*) from audit_entries where operation = 'carried_out_print'";
    assert_eq!(desk.0.count(entries), 1);
    assert_eq!(
        desk.0
            .signed_in("nurse")
            .get("/backup-disks/list.pdf")
            .status,
        403
    );
    // It came back: nobody plugged it in, somebody entered it.
    let mut lost = desk.disk("B", Some(3));
    lost.mark = "other".to_owned();
    lost.ended = Some(Ended {
        at: desk.now(),
        how: How::Lost,
    });
    desk.add(lost);
    let text = desk.0.signed_in("choju").get(PAGE).text();
    assert!(text.contains("紛失"), "{text}");
}

#[test]
fn a_disk_that_may_be_unplugged_stands_above_the_pages_of_those_who_look_after_it() {
    let desk = Desk::new();
    desk.add(desk.disk("B", Some(0)));
    desk.plugged("B", State::Free);
    for login in ["admin", "choju"] {
        let text = desk.0.signed_in(login).get("/password").text();
        assert!(
            text.contains("「B」は取り外してよい状態です"),
            "{login}: {text}"
        );
    }
    let nurse = desk.0.signed_in("nurse");
    assert!(!nurse.get("/password").text().contains("取り外してよい"));
    assert_eq!(nurse.get(PAGE).status, 403);
    let text = desk.0.signed_in("admin").get(PAGE).text();
    assert!(text.contains("装置につながっている"), "{text}");
    Here::note(&desk.0.db().dir().disks_here(), "/dev/sdz1", None).unwrap();
    let text = desk.0.signed_in("admin").get("/password").text();
    assert!(!text.contains("取り外してよい"), "{text}");
}

#[test]
fn a_list_that_cannot_be_read_is_not_shown_as_an_empty_one() {
    let desk = Desk::new();
    let file = desk.0.db().dir().backup_disks();
    base::paths::write_atomic(&file, b"{", 0o600).unwrap();
    let text = desk.0.signed_in("admin").get(PAGE).text();
    assert!(text.contains("ディスクの一覧を読めません"), "{text}");
    let printed = desk.0.signed_in("admin").get("/backup-disks/list.pdf");
    assert_eq!(printed.status, 303);
}
