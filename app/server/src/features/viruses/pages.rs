//! The page: how scanning stands, and which attachments hold a virus.

use askama::Template;
use base::antivirus::Health;
use base::antivirus::signatures::{AGE_DAYS_MAX, Signature};
use store::{ReadTx, StoreError, params};

use crate::web::days::moment;
use crate::web::{Answer, Shell, Visit};

/// Numbers that are listed; more are counted.
const LISTED_MAX: i64 = 100;
/// A count without a column would be a look past the view, and a row number is none.
const UNSCANNED: &str = "select count(sha256) from unscanned_attachments";
const INFECTED: &str = "select id from infected_attachments order by id limit ?1";

#[derive(Template)]
#[template(path = "features/viruses/page.html")]
struct Page {
    shell: Shell,
    /// Nothing: the site has no scanner.
    standing: Option<Standing>,
    infected: Vec<i64>,
    unscanned: i64,
}

/// How scanning stands, in words.
struct Standing {
    answers: bool,
    daily: Option<DailyWords>,
    age_days_max: i64,
}

struct DailyWords {
    version: u32,
    built: String,
    age_days: i64,
    is_old: bool,
}

pub(super) fn show(visit: &Visit) -> Answer {
    let health = visit.app.scanner().map(|scanner| {
        scanner.health().unwrap_or_else(|error| {
            log::warn!("the signatures of the scanner cannot be read: {error}");
            Health::default()
        })
    });
    let (infected, unscanned) = visit.app.db().read(&visit.actor, |tx: &ReadTx<'_>| {
        let infected = tx.all(INFECTED, params![LISTED_MAX], |row| row.get(0))?;
        let unscanned = tx.count(UNSCANNED, [])?;
        Ok::<_, StoreError>((infected, unscanned))
    })?;
    visit.page(&Page {
        shell: Shell::new(visit, "ウイルス対策").under(&[]),
        standing: health.map(|health| Standing {
            answers: health.answers,
            daily: health.daily.map(|daily| words(visit, &daily)),
            age_days_max: AGE_DAYS_MAX,
        }),
        infected,
        unscanned,
    })
}

fn words(visit: &Visit, daily: &Signature) -> DailyWords {
    let now = visit.app.clock().now();
    DailyWords {
        version: daily.version,
        built: moment(&daily.built_at.to_string()),
        age_days: daily.age_days(now),
        is_old: daily.is_old(now),
    }
}
