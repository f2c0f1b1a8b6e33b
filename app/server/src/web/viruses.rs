//! Above every page of an administrator while files are not looked through for viruses as they should be, and while
//! one that holds a virus is still attached.

use base::antivirus::Health;
use base::antivirus::signatures::AGE_DAYS_MAX;
use jiff::Timestamp;
use store::{ReadTx, StoreError, params};

use crate::web::banner::Banner;
use crate::web::visit::Visit;

/// Numbers of files that one sentence names.
const NAMED_MAX: i64 = 10;
const INFECTED: &str = "select id, count(*) over () from infected_attachments order by id limit ?1";

/// What an administrator must see of it.
pub(super) fn of(visit: &Visit, tx: &ReadTx<'_>) -> Result<Vec<Banner>, StoreError> {
    let mut texts: Vec<String> = infected(tx)?.into_iter().collect();
    if let Some(scanner) = visit.app.scanner() {
        match scanner.health() {
            Ok(health) => texts.extend(of_health(&health, visit.app.clock().now())),
            Err(error) => {
                log::warn!("the signatures of the scanner cannot be read: {error}");
                texts.extend(of_health(&Health::default(), visit.app.clock().now()));
            }
        }
    }
    let banner = |text| Banner {
        text,
        href: "/viruses".to_owned(),
        link: "ウイルス対策",
    };
    Ok(texts.into_iter().map(banner).collect())
}

/// The one thing to do about scanning; nothing: it is as it should be.
fn of_health(health: &Health, now: Timestamp) -> Option<String> {
    let Some(daily) = &health.daily else {
        return Some(
            "ウイルス定義が導入されていません。添付ファイルのウイルス検査ができません。装置の担当者に知らせてください\
             （手順書 virus-signatures）。"
                .to_owned(),
        );
    };
    if !health.answers {
        return Some(
            "ウイルス検査が動いていません。その間に添付されたファイルには「未検査」の印が付きます。装置の担当者に\
             知らせてください（手順書 virus-signatures）。"
                .to_owned(),
        );
    }
    daily.is_old(now).then(|| {
        format!(
            "ウイルス定義が{}日前のものです（目安は{AGE_DAYS_MAX}日以内）。新しい定義をUSBメモリで入れるよう、\
             装置の担当者に知らせてください（手順書 virus-signatures）。",
            daily.age_days(now)
        )
    })
}

fn infected(tx: &ReadTx<'_>) -> Result<Option<String>, StoreError> {
    let found: Vec<(i64, i64)> = tx.all(INFECTED, params![NAMED_MAX], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    let Some((_, count)) = found.first() else {
        return Ok(None);
    };
    let numbers: Vec<String> = found.iter().map(|(id, _)| id.to_string()).collect();
    Ok(Some(format!(
        "添付ファイル{count}件にウイルスが見つかり、開けなくしています（番号 {}）。\
         手順書 virus-found に従ってください。",
        numbers.join("、")
    )))
}

#[cfg(test)]
mod tests {
    use base::antivirus::signatures::Signature;
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn one_sentence_says_what_there_is_to_do() {
        let now: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        let health = |days: i64, answers| Health {
            daily: Some(Signature {
                name: "daily".to_owned(),
                version: 27_800,
                built_at: now - SignedDuration::from_hours(days * 24),
            }),
            answers,
        };
        assert_eq!(of_health(&health(35, true), now), None);
        let told = |health| of_health(&health, now).unwrap();
        assert!(told(health(36, true)).contains("36日前"));
        assert!(told(health(36, false)).contains("動いていません"));
        assert!(told(Health::default()).contains("導入されていません"));
    }
}
