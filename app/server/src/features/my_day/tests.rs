//! The start page on a real file: who sees what waits.

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use base::clock::Clock;
use jiff::civil::{Date, date};
use store::{
    Actor, CentreId, DataDir, Db, Event, Operation, ResidentId, StaffId, SystemReason, params,
};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::app::{App, ServerSettings};
use crate::features::consultations::{Entry, HistoryRow, insert_history};
use crate::features::staff::{self, Login, NewStaff};
use crate::web::{Problem, Role, session};

const TODAY: Date = date(2026, 11, 20);

struct House {
    app: App,
    _dir: TempDir,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().expect("a directory");
        let clock = Clock::on_day(TODAY);
        let db = Db::create(&DataDir::new(dir.path().join("data")), clock).expect("a database");
        let done: Result<(), Problem> =
            db.system(&Actor::system("test"), SystemReason::Demo, |tx| {
                for (id, name) in [(1, "中央"), (2, "南")] {
                    let sql = "insert into support_centres
                    values (?, ?, ?, ?, '', '2006-04-01', null, '', 0)";
                    tx.execute(sql, params![id, name, name, name])?;
                }
                let code = "insert into codes
                values (null, 'consultation_outcome', ?, ?, 1, '2006-04-01', null, '', 0)";
                tx.execute(code, params!["1", "継続"])?;
                tx.execute(code, params!["4", "終結"])?;
                let import = "insert into imports values
                (1, 'residents', '', 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, '2026-11-01')";
                tx.execute(import, [])?;
                let resident =
                    "insert into residents values (1, '1001', 'H1', '', '山野 ハル子', '',
                '', '', '', '', '1937-03-04', '', '2', '1', '1', '', '', '', '', '', 1,
                null, null, '', '', '', null, '', 0, null, 0, 1)";
                tx.execute(resident, [])?;
                Ok(tx.audited(Event::done(Operation::SetUp), ()))
            });
        done.expect("the house is filled");
        Self {
            app: App::new(db, ServerSettings::standard()),
            _dir: dir,
        }
    }

    fn staff(&self, login: &str, role: Role, centre: Option<i64>) -> StaffId {
        let new = NewStaff {
            login: Login::new(login),
            name: format!("職員{login}"),
            kana: String::new(),
            role,
            job: String::new(),
            centre_id: centre.map(CentreId),
            starts_on: date(2020, 4, 1),
            password: "さくら並木を朝に歩く七時".to_owned(),
            must_change_password: false,
        };
        staff::add(self.app.db(), &Actor::system("test"), &new).expect("staff")
    }

    /// A record with a next action due on a day.
    fn record(&self, by: StaffId, number: &str, outcome: &str, due: Option<Date>) {
        let row = HistoryRow {
            number: number.to_owned(),
            centre_id: Some(CentreId(1)),
            resident_id: Some(ResidentId(1)),
            written_by: Some(by),
            recorded_at: "2026-11-01T00:00:00Z".to_owned(),
            entry: Entry {
                received_on: date(2026, 11, 1),
                outcome: outcome.to_owned(),
                next_action: due.map_or("", |_| "娘さんへ電話").to_owned(),
                next_due_on: due,
                ..Entry::default()
            },
        };
        let done = self
            .app
            .db()
            .system(&Actor::system("test"), SystemReason::Demo, |tx| {
                insert_history(tx, &row)?;
                Ok::<_, Problem>(tx.audited(Event::done(Operation::Import), ()))
            });
        done.expect("a record");
    }

    fn change(&self, kind: &str) {
        self.run(&format!(
            "insert into resident_changes values (null, 1, 'residents', 1, 1, '{kind}', '', null)"
        ));
    }

    fn run(&self, sql: &str) {
        let done = self
            .app
            .db()
            .system(&Actor::system("test"), SystemReason::Demo, |tx| {
                tx.execute(sql, [])?;
                Ok::<_, Problem>(tx.audited(Event::done(Operation::Import), ()))
            });
        done.expect("a statement");
    }

    fn page(&self, staff: StaffId) -> (StatusCode, String) {
        let session = session::start(self.app.db(), staff, "test").expect("a session");
        let request = Request::builder()
            .uri("/")
            .header(
                header::COOKIE,
                format!("{}={}", session::COOKIE, session.token),
            )
            .body(Body::empty())
            .expect("a request");
        let router = crate::web::router(&self.app, &App::routes());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let response = router.oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, 1 << 20).await.expect("a page");
            (parts.status, String::from_utf8_lossy(&bytes).into_owned())
        })
    }
}

#[test]
fn an_empty_day_says_so() {
    let house = House::new();
    let nurse = house.staff("nurse", Role::Nurse, Some(1));
    let (status, text) = house.page(nurse);
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("今日の予定はありません"));
}

#[test]
fn overdue_comes_first_and_closed_ones_are_not_open() {
    let house = House::new();
    let nurse = house.staff("nurse", Role::Nurse, Some(1));
    house.record(nurse, "1", "1", Some(date(2026, 11, 27)));
    house.record(nurse, "2", "1", Some(date(2026, 11, 18)));
    house.record(nurse, "3", "1", Some(TODAY));
    house.record(nurse, "4", "4", None);
    let (_, text) = house.page(nurse);
    let overdue = text.find("2日超過").expect("the overdue one");
    let later = text.find("あと7日").expect("the later one");
    assert!(overdue < later);
    assert!(
        text.contains("<strong>1</strong><a href=\"/consultations?due=overdue\">期限を過ぎた予定")
    );
    assert!(
        text.contains("<strong>3</strong><a href=\"/consultations?mine=1"),
        "{text}"
    );
    assert!(text.contains("山野 ハル子"));
}

#[test]
fn what_waits_for_people_in_ones_charge_is_marked_and_they_are_counted() {
    let house = House::new();
    let nurse = house.staff("nurse", Role::Nurse, Some(1));
    let worker = house.staff("worker", Role::SocialWorker, Some(1));
    house.record(nurse, "1", "1", Some(date(2026, 11, 27)));
    assert!(!house.page(worker).1.contains("担当の方"));
    for (id, from) in [(1, "2026-11-20"), (2, "2026-11-21")] {
        house.run(&format!(
            "insert into assignments values ({id}, 1, {worker}, 'beside', '{from}', 'x', 1, '')"
        ));
    }
    let (_, text) = house.page(worker);
    let counted = "<strong>1</strong><a href=\"/assignments\">担当の方";
    assert!(
        text.contains(counted),
        "the later one counts not yet: {text}"
    );
    assert!(
        text.contains("<td data-label=\"記録\">担当の方</td>"),
        "{text}"
    );
    house.run("insert into assignment_endings values (1, 1, '2026-11-19', 'x', 1, '')");
    assert!(!house.page(worker).1.contains("担当の方"));
}

#[test]
fn changes_of_the_register_wait_and_new_people_do_not() {
    let house = House::new();
    let nurse = house.staff("nurse", Role::Nurse, Some(1));
    house.change("new");
    house.change("died");
    let (_, text) = house.page(nurse);
    assert!(text.contains("<strong>1</strong><a href=\"/changes\">住民の異動の確認"));
    assert!(text.contains("死亡"));
}

#[test]
fn another_centre_sees_nothing_of_it() {
    let house = House::new();
    let nurse = house.staff("nurse", Role::Nurse, Some(1));
    let other = house.staff("other", Role::Nurse, Some(2));
    house.record(nurse, "1", "1", Some(date(2026, 11, 18)));
    house.change("died");
    let (_, text) = house.page(other);
    assert!(text.contains("今日の予定はありません") && !text.contains("山野"));
}

#[test]
fn the_system_administrator_is_told_what_they_can_do_and_sees_nobody() {
    let house = House::new();
    let nurse = house.staff("nurse", Role::Nurse, Some(1));
    let admin = house.staff("admin", Role::SystemAdmin, None);
    house.record(nurse, "1", "1", Some(date(2026, 11, 18)));
    let (status, text) = house.page(admin);
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("/access-log") && text.contains("/imports") && !text.contains("山野"));
}
