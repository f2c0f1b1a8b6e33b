//! Rows about who moved: written by whatever moves people, in its transaction.

use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{ReadTx, StaffId, StoreError, WriteTx, params};

use super::model::Rules;
use crate::features::imports::AreaBook;
use crate::features::masters;

/// Who moves people, and when; nobody for the command line and for the day itself.
pub type Stamp<'s> = (Option<StaffId>, &'s str);

/// What is known of hand-overs on a day; what the list does not say is as shipped.
pub(super) fn rules(tx: &ReadTx<'_>, on: Date) -> Result<Rules, StoreError> {
    let number = |code: &str, otherwise: i64| {
        let label = masters::label(tx, "transfer_rule", code, on)?;
        let known = label.and_then(|label| label.trim().parse().ok());
        Ok::<_, StoreError>(known.filter(|n| *n >= 0).unwrap_or(otherwise))
    };
    Ok(Rules {
        readable_months: number("readable_months", Rules::SHIPPED.readable_months)?,
        receipt_days: number("receipt_days", Rules::SHIPPED.receipt_days)?,
    })
}

fn readable_until(tx: &ReadTx<'_>, on: Date) -> Result<String, StoreError> {
    let months = rules(tx, on)?.readable_months;
    let until = on.checked_add(months.months()).unwrap_or(on);
    Ok(until.to_string())
}

const BY_IMPORT: &str = "
    insert into centre_transfers (resident_id, from_centre_id, to_centre_id, effective_on, cause,
      readable_until, import_id, recorded_by, recorded_at)
    select c.resident_id, json_extract(c.before, '$.centre_id'), r.centre_id, ?2, 'register', ?3,
           ?1, ?4, ?5
    from resident_changes c join residents r on r.id = c.resident_id
    where c.import_id = ?1 and c.feed = 'residents' and c.before is not null
      and json_extract(c.before, '$.centre_id') <> r.centre_id";

/// Writes a row for everybody whom this import gave another centre; returns how many.
///
/// # Errors
/// [`StoreError`]; only inside a transaction of the system.
pub fn record_import(
    tx: &WriteTx<'_>,
    import: i64,
    today: Date,
    (by, now): Stamp<'_>,
) -> Result<usize, StoreError> {
    let until = readable_until(tx, today)?;
    tx.execute(
        BY_IMPORT,
        params![import, today.to_string(), until, by, now],
    )
}

const BY_AREA: &str = "
    insert into centre_transfers (resident_id, from_centre_id, to_centre_id, effective_on, cause,
      readable_until, import_id, recorded_by, recorded_at)
    select r.id, r.centre_id, ?2, ?3, 'area', ?4, null, ?5, ?6 from residents r where r.id = ?1";
const MOVE: &str = "update residents set centre_id = ?2 where id = ?1";

/// Gives these people another centre and writes a row for each.
///
/// # Errors
/// As [`record_import`].
pub fn move_people(
    tx: &WriteTx<'_>,
    people: &[i64],
    to: i64,
    on: Date,
    (by, now): Stamp<'_>,
) -> Result<(), StoreError> {
    let until = readable_until(tx, on)?;
    let on = on.to_string();
    tx.batch(BY_AREA, |batch| {
        for person in people {
            batch.insert(params![person, to, on, until, by, now])?;
        }
        Ok::<_, StoreError>(())
    })?;
    tx.batch(MOVE, |batch| {
        for person in people {
            batch.insert(params![person, to])?;
        }
        Ok(())
    })
}

// Whatever moved a person after the import moved somebody who never moved.
const TAKE_BACK: &str = "
    insert into transfer_endings (transfer_id, reason, recorded_by, recorded_at)
    select t.id, '取込みの取消し', ?2, ?3 from centre_transfers t
    where t.id >= (select min(m.id) from centre_transfers m
                   where m.import_id = ?1 and m.resident_id = t.resident_id)
      and not exists (select 1 from transfer_endings e where e.transfer_id = t.id)";

const RESTORED: &str = "
    select r.id, r.area_code, r.address, r.centre_id
    from residents r where r.id in (select c.resident_id from resident_changes c
      where c.import_id = ?1 and c.feed = 'residents' and c.before is not null)";

/// After an import was undone: its transfers hold no more. Who came back into an area that has
/// another centre since goes there.
///
/// # Errors
/// As [`record_import`].
pub fn take_back(
    tx: &WriteTx<'_>,
    import: i64,
    today: Date,
    stamp: Stamp<'_>,
) -> Result<(), StoreError> {
    tx.execute(TAKE_BACK, params![import, stamp.0, stamp.1])?;
    let book = AreaBook::load(tx, today)?;
    let restored = tx.all(RESTORED, params![import], |row| {
        let (code, address): (String, String) = (row.get(1)?, row.get(2)?);
        let placed = book.place(&code, &address).map(|placed| placed.centre);
        Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(3)?, placed))
    })?;
    for (person, centre, placed) in restored {
        if let Some(placed) = placed.filter(|placed| *placed != centre) {
            move_people(tx, &[person], placed, today, stamp)?;
        }
    }
    Ok(())
}
